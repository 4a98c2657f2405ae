"""Drawn pictures of every kind are drawn, and their speeds are added up by kind and preset."""

import numpy as np
import pytest

from .conftest import script


@pytest.fixture(scope="module")
def drawn():
    return script("drawn")


def test_pictures_of_every_kind_are_what_they_are_called(drawn):
    modes = {kind: drawn.drawn(kind, 120, 160).mode for kind in drawn.KINDS}
    assert modes == {"palette": "RGB", "flat": "RGB", "bilevel": "1", "grey": "L", "antialiased": "RGB"}
    colours = {
        kind: len(np.unique(drawn.drawn(kind, 120, 160).samples.reshape(-1, 3), axis=0)) for kind in ("palette",)
    }
    assert colours["palette"] <= 64
    assert len(np.unique(drawn.drawn("antialiased", 120, 160).samples.reshape(-1, 3), axis=0)) > 256


def test_speeds_are_those_of_all_pixels_together_and_of_the_slowest_picture(drawn):
    row = {"pixels": 1_000_000, "encode_s": 1.0, "bytes": 5}
    rows = [
        {**row, "kind": kind, "preset": preset, "decode_s": seconds}
        for kind in drawn.KINDS
        for preset in (drawn.DEFAULT_PRESET, 1)
        for seconds in (0.25, 0.75)
    ]
    found = drawn.speeds(rows)["palette -1"]
    assert found == {"pictures": 2, "encode": 1.0, "decode": 2.0, "decode_slowest": 1.33}
