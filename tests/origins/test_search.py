"""The search names the map of a picture, and none where there is none."""

import numpy as np
import pytest

from vaezip.origins import search
from vaezip.origins.colour import named

from .pictures import planes


@pytest.mark.parametrize("number", range(len(named())))
def test_a_map_is_found(number):
    samples = named()[number].map.samples(planes(64, 64))
    assert search.find(samples).number == number + 1


def test_a_map_is_found_beside_pasted_pixels():
    samples = named()[0].map.samples(planes(64, 64))
    samples[0, :20, :20] = np.random.default_rng(0).integers(0, 256, (20, 20, 3))
    assert search.find(samples).number == 1


@pytest.mark.parametrize("seed", range(3))
def test_none_is_found_in_other_pictures(seed):
    draw = np.random.default_rng(seed)
    assert search.find(draw.integers(0, 256, (1, 64, 64, 3)).astype(np.uint8)) is None
    assert search.find(planes(64, 64, seed=seed)) is None


def test_few_colours_and_greys_tell_nothing():
    assert search.find(np.zeros((1, 64, 64, 3), np.uint8)) is None
    grey = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    assert search.find(np.repeat(grey, 3, axis=3)) is None
