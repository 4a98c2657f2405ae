"""What is told of pictures before they are coded."""

import numpy as np
import pytest

from vaezip.codec import select


def ramp(height, width):
    return np.arange(height * width, dtype=np.uint32).reshape(1, height, width, 1)


def test_small_pictures_are_tried_whole_and_large_ones_by_strips_from_top_to_bottom():
    assert select.trial_rows(ramp(90, 100)).shape == (1, 90, 100, 1)
    large = ramp(1000, 1500)
    strips = select.trial_rows(large)
    assert strips.shape == (2, 8, 1500, 1)
    assert (strips[0, 0, 0, 0], strips[-1, -1, -1, 0]) == (large[0, 0, 0, 0], large[0, -1, -1, 0])
    assert select.trial_rows(ramp(2, 100000)).shape == (1, 2, 100000, 1)


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
def test_no_model_beats_what_takes_far_less_than_differences_do(mode, channels):
    samples = np.random.default_rng(0).integers(0, 256, (1, 64, 64, channels)).astype(np.uint8)
    assert select.is_drawn(samples, samples.size // 3)
    assert not select.is_drawn(samples, samples.size // 2)


def test_of_few_colours_more_bytes_are_far_less_but_not_of_few_greys():
    rng = np.random.default_rng(0)
    samples = rng.integers(0, 256, (100, 3)).astype(np.uint8)[rng.integers(0, 100, (1, 64, 64))]
    assert select.is_drawn(samples, 9 * samples.size // 20)
    assert not select.is_drawn(samples[..., :1], 9 * samples[..., 0].size // 20)


def test_red_and_blue_that_follow_green_take_nothing():
    green = np.random.default_rng(0).integers(0, 100, (1, 64, 64, 1)).astype(np.uint8)
    samples = np.concatenate([green + 5, green, green + 9], axis=3)
    assert not select.is_drawn(samples, 2 * green.size // 3)
    assert select.is_drawn(samples, green.size // 3)


def test_what_repeats_from_far_away_is_known():
    tile = np.random.default_rng(1).integers(0, 4096, (1, 16, 16, 1)).astype(np.uint16)
    assert select.is_repeated(np.tile(tile, (1, 8, 8, 1)))
    y, x = np.mgrid[:128, :128]
    smooth = (x + 3 * y)[None, ..., None] + np.random.default_rng(1).integers(0, 9, (1, 128, 128, 1))
    assert not select.is_repeated(smooth.astype(np.uint16))
