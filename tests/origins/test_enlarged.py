"""Repeated pixels are found, and the smaller picture gives them again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaezip.errors import FormatError
from vaezip.origins import enlarged, shrinking
from vaezip.vz.wire import Reader


def repeated(down, across, top=0, left=0, *, channels=3, seed=0, bottom=0):
    small = np.random.default_rng(seed).integers(0, 9, (2, 14, 15, channels)).astype(np.uint8)
    large = small.repeat(down, axis=1).repeat(across, axis=2)[:, top:, left:]
    return np.ascontiguousarray(large[:, : large.shape[1] - bottom])


@given(st.integers(1, 8), st.integers(1, 8), st.data())
def test_every_factor_and_phase_comes_back(down, across, data):
    top, left = data.draw(st.integers(0, down - 1)), data.draw(st.integers(0, across - 1))
    samples = repeated(down, across, top, left, channels=data.draw(st.integers(1, 4)), bottom=top)
    mode = ("L", "LA", "RGB", "RGBA")[samples.shape[3] - 1]
    if down * across == 1:
        assert not shrinking.promises(samples, mode)
        return
    assert shrinking.promises(samples, mode)
    assert shrinking.settles(samples, mode)
    found = shrinking.find(samples, mode)
    assert (found.origin.down, found.origin.across, found.origin.top, found.origin.left) == (down, across, top, left)
    reader = Reader(found.origin.to_bytes() + b"rest")
    again = enlarged.read(reader, mode)
    assert (again, reader.take(reader.left)) == (found.origin, b"rest")
    assert again.parts(samples.shape) == [(mode, found.parts[0].shape)]
    assert np.array_equal(again.samples(found.parts, samples.shape), samples)


def test_one_pixel_that_differs_is_enough():
    samples = repeated(2, 2)
    samples[1, 9, 9] ^= 1
    assert not shrinking.promises(samples, "RGB")
    with pytest.raises(ValueError, match="repeated"):
        shrinking.find(samples, "RGB")


def test_what_hardly_changes_promises_nothing():
    assert not shrinking.promises(np.zeros((1, 64, 64, 3), np.uint8), "RGB")
    assert not shrinking.promises(repeated(2, 2)[:, :6], "RGB")
    assert not shrinking.promises(repeated(2, 2)[..., :1], "verbatim")


def test_it_says_how_often():
    found = shrinking.find(repeated(2, 3), "RGB").origin.describe((2, 28, 45, 3))
    assert found == {"name": "pixels repeated 3×2", "pixels": 2520, "explained": 2520}


@pytest.mark.parametrize("data", [b"", b"\1", b"\0\0", b"\x40\0", b"\x09\2", b"\x09\x10", b"\xff\0"])
def test_damage_is_refused(data):
    with pytest.raises(FormatError):
        enlarged.read(Reader(data), "RGB")
