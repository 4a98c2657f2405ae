"""Planes are found again, and whatever a map does not explain is a difference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaezip.origins import inverse
from vaezip.origins.colour import ColourMap, named

from .pictures import planes

MAPS = range(len(named()))


@pytest.mark.parametrize("number", MAPS)
@given(st.integers(0, 1 << 30))
@settings(max_examples=5, deadline=None)
def test_any_colours_come_back(number, seed):
    samples = np.random.default_rng(seed).integers(0, 256, (2, 5, 7, 3)).astype(np.uint8)
    found = inverse.planes_of(samples, number + 1, named()[number].map)
    for way in (found, found.as_sums()):
        assert np.array_equal(way.origin.samples(way.planes, (5, 7)), samples)


@pytest.mark.parametrize("number", MAPS)
def test_colours_of_the_map_are_explained(number):
    was = planes(40, 50, seed=number)
    samples = named()[number].map.samples(was)
    found = inverse.planes_of(samples, number + 1, named()[number].map)
    assert found.origin.unexplained == 0
    assert len(found.origin.to_bytes()) == 2
    plain = (samples.min(axis=-1) > 0) & (samples.max(axis=-1) < 255)
    assert np.array_equal(found.planes[plain], was[plain])


def test_clipped_colours_are_explained_by_planes_nearby():
    was = np.full((1, 20, 20, 3), 128, np.uint8)
    was[..., 1] = np.minimum(230 + np.arange(20) * 2, 255)
    was[..., 0] = 140
    samples = named()[0].map.samples(was)
    assert (samples.max(axis=-1) == 255).mean() > 0.4
    found = inverse.planes_of(samples, 1, named()[0].map)
    assert found.origin.unexplained == 0
    assert np.abs(found.planes.astype(int) - was).max() <= 30


def test_a_pasted_patch_is_a_difference():
    samples = named()[0].map.samples(planes(40, 40))
    samples[0, 10:14, 10:14] = np.random.default_rng(0).integers(1, 255, (4, 4, 3))
    found = inverse.planes_of(samples, 1, named()[0].map)
    assert 0 < found.origin.unexplained <= 16
    assert np.array_equal(found.origin.samples(found.planes, samples.shape[1:3]), samples)


def test_a_map_without_an_inverse_is_none():
    assert inverse.planes_of(np.zeros((1, 2, 2, 3), np.uint8), 0, ColourMap(((1, 1, 1, 0),) * 3)) is None
