"""Compiled looks count what a look at every pixel counts."""

import numpy as np
import pytest

from vaezip.models.graphic import coder, looks, palettes


def letters(height=60, width=80, channels=3):
    """Draw soft strokes again and again on an even ground, and some noise."""
    stroke = np.random.default_rng(0).integers(0, 256, (9, 7, channels))
    found = np.full((height, width, channels), 240, np.uint8)
    for top in range(2, height - 9, 14):
        for left in range(3, width - 7, 11):
            found[top : top + 9, left : left + 7] = stroke
    found[:13, -15:] = np.random.default_rng(1).integers(0, 256, (13, 15, channels))
    return found


def is_new(picture):
    """Tell which pixels equal none of four neighbours; those at the border do as those next to them."""
    neighbours = [np.roll(picture, shift, (0, 1)) for shift in ((0, 1), (1, 0), (1, 1), (1, -1))]
    new = np.all([(picture != other).any(axis=2) for other in neighbours], axis=0)
    return np.pad(new[1:, 1:-1], ((1, 0), (1, 1)), mode="edge")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("step", [1, 4])
def test_new_pixels_are_counted_by_cells(channels, step):
    picture = letters(channels=channels)
    counts = np.zeros((4, 5), np.int64)
    looks.count_new(picture, step, 16, counts)
    new = np.zeros((64, 80), np.bool_)
    new[step // 2 : 60 : step] = is_new(picture)[step // 2 :: step]
    assert np.array_equal(counts, new.reshape(4, 16, 5, 16).sum(axis=(1, 3)))
    assert 0 < counts.sum() < picture[..., 0].size // step


@pytest.mark.parametrize("channels", [1, 4])
def test_expected_pixels_are_counted(channels):
    picture = letters(channels=channels)
    picture[20:24] = (3 * np.arange(80))[:, None]  # a ramp goes on, in colours
    changes = picture[:, 1:] - picture[:, :-1]
    expected = (changes == 0).all(axis=2)
    if channels > 2:
        expected[:, 1:] |= (changes[:, 1:] == changes[:, :-1]).all(axis=2)
    assert looks.count_expected(picture) == expected.sum() > 0


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_colours_are_those_that_occur_unless_they_are_too_many(channels):
    picture = letters(channels=channels)
    wanted = {tuple(colour) for colour in picture.reshape(-1, channels).tolist()}
    found = palettes.colours_of(picture, len(wanted))
    assert {tuple(colour) for colour in found.tolist()} == wanted
    assert len(found) == len(wanted)
    assert palettes.colours_of(picture, len(wanted) - 1) is None
    assert palettes.colours_of(picture[:1, :1], 1).tolist() == picture[:1, 0].tolist()


def test_numbers_that_differ_are_sorted():
    numbers = np.random.default_rng(2).integers(0, 50, (30, 20))
    assert np.array_equal(palettes.different(numbers), np.unique(numbers))


def test_drawings_that_repeat_nearly_all_pixels_are_plain_and_others_are_not():
    lines = np.full((2, 120, 160, 3), 240, np.uint8)
    lines[:, 8::12, 10:-10] = 40
    assert coder.is_plain(lines)
    assert not coder.is_plain(letters(120, 160)[None])
    lines[0, :40, :80] = np.random.default_rng(3).integers(0, 256, (40, 80, 3))
    assert not coder.is_plain(lines)
    assert not coder.is_plain(lines[:, 40:41]), "too low for neighbours"
