"""The curve of presets: which lie above its hull, and which one is its knee."""

import pytest

from vaezip.models.effort import PRESETS

from .conftest import script


@pytest.fixture(scope="module")
def presets():
    return script("presets")


def row(sizes, seconds):
    return {"pixels": 100, "bytes": sizes, "compress": seconds, "decompress": seconds}


def test_presets_above_the_hull_are_named_and_the_knee_is_found(presets):
    seconds = [1 << i for i in range(len(PRESETS))]
    sizes = [1000, 900, 895, 800, 790, 795, 780, 780, 779]
    found = presets.curve([row(sizes, seconds)])
    assert found["off_hull"] == [3, 6, 8]
    assert found["knee"] == 4
    assert found["bytes"] == pytest.approx([size / 1000 for size in sizes])
    assert found["compress"] == pytest.approx([value / 100 for value in seconds])


def test_greater_presets_that_are_larger_are_counted(presets):
    rows = [{"kind": "digits", "name": "a"} | row([9, 8, 8, 7, 7, 7, 8, 6, 7], [1.0] * 9)]
    assert presets.summary(rows)["larger"] == 2
    assert set(presets.summary(rows)["curves"]) == {"digits", "all"}
    assert presets.draw(presets.summary(rows) | {"presets": list(PRESETS)})


def test_doctests(presets):
    import doctest

    assert doctest.testmod(presets).failed == 0
