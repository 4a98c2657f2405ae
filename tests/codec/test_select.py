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


def test_neighbours_tell_what_pixels_of_black_and_white_take():
    noise = np.random.default_rng(0).integers(0, 2, (300, 28, 28, 1)).astype(np.uint8)
    assert 0.95 < select.bytes_of_neighbours(noise) * 8 / noise.size <= 1
    assert select.bytes_of_neighbours(np.repeat(np.repeat(noise, 2, axis=1), 2, axis=2)) * 8 / noise.size < 1.4
    assert select.bytes_of_neighbours(np.ones_like(noise)) < 20


def test_equal_pictures_take_no_more_than_one():
    noise = np.random.default_rng(0).integers(0, 2, (30, 28, 28, 1)).astype(np.uint8)
    assert select.bytes_of_neighbours(np.concatenate([noise, noise])) == select.bytes_of_neighbours(noise)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_noise_is_told_from_a_photograph(discs, channels):
    noise = np.random.default_rng(0).integers(0, 256, (1, 64, 64, channels)).astype(np.uint8)
    assert select.is_noise(noise)
    assert not select.is_noise(discs(1, 64, 64, channels))
    assert not select.is_noise(noise[:, :1, :1])
