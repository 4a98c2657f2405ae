"""Chroma at half the resolution is found, and none where there is none."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vaezip.origins import halving, search
from vaezip.origins.colour import ColourMap, named
from vaezip.origins.inverse import Found
from vaezip.origins.search import Candidate
from vaezip.origins.upsampling import COPIED, LIBJPEG, TRIANGLE, Sampling

from .pictures import planes
from .test_upsampling import SAMPLINGS

WEBP, FFMPEG = 2, 8


def halved(sampling, size, number, *, seed=0, bright=0):
    """Colours of a map whose chroma was enlarged."""
    small = sampling.small(size)
    chroma = planes(*small, seed=seed)[..., 0::2].astype(np.int64)
    chroma += np.random.default_rng(seed).integers(0, 12, chroma.shape)
    luma = np.minimum(planes(*size, seed=seed)[..., 1].astype(np.int64) + bright, 235).astype(np.uint8)
    sheets = sampling.joined(luma, chroma.astype(np.uint8).transpose(3, 0, 1, 2))
    return named()[number - 1].map.samples(sampling.planes(sheets, size))


def candidate(number):
    return Candidate(number, named()[number - 1].map)


def share(found: Found) -> float:
    """The share of the pixels that are explained, where a picture is 48 × 50."""
    return 1 - found.origin.unexplained / (48 * 50)


@pytest.mark.parametrize("number", [1, WEBP, FFMPEG])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_it_is_found(sampling, number):
    samples = halved(sampling, (48, 50), number)
    assert halving.find(samples, candidate(number)) == sampling
    found = halving.planes_of(samples, candidate(number), sampling)
    assert share(found) > (0.95 if sampling.down and sampling.filter != COPIED else 0.999)
    assert np.array_equal(found.origin.samples(found.planes, (48, 50)), samples)


@pytest.mark.parametrize("quality", [40, 90])
def test_a_lossy_webp_is_explained(quality):
    y, x = np.mgrid[:96, :90]
    waves = [128 + 90 * np.sin(x / a + y / b) for a, b in ((7, 19), (23, 11), (13, -17))]
    noise = np.random.default_rng(0).normal(0, 9, (96, 90, 3))
    file = io.BytesIO()
    was = np.clip(np.stack(waves, axis=-1) + noise, 0, 255).astype(np.uint8)
    Image.fromarray(was).save(file, "WEBP", quality=quality)
    samples = np.asarray(Image.open(file).convert("RGB"))[None]
    found = search.find(samples)
    assert found == candidate(WEBP)
    sampling = halving.find(samples, found)
    assert sampling == Sampling(True, (0, 0), TRIANGLE)
    assert halving.planes_of(samples, found, sampling).origin.unexplained < 96 * 90 / 50


def test_clipped_colours_tell_what_they_can():
    sampling = Sampling(True, (0, 0), TRIANGLE)
    samples = halved(sampling, (48, 50), WEBP, bright=110)
    assert (samples.max(axis=-1) == 255).mean() > 0.1
    assert share(halving.planes_of(samples, candidate(WEBP), sampling)) > 0.85


def test_pasted_pixels_are_differences():
    sampling = Sampling(True, (0, 0), LIBJPEG)
    samples = halved(sampling, (48, 50), 1)
    samples[0, 4:12, 4:12] = np.random.default_rng(0).integers(0, 256, (8, 8, 3))
    assert halving.find(samples, candidate(1)) == sampling
    found = halving.planes_of(samples, candidate(1), sampling)
    assert share(found) > 0.9
    assert np.array_equal(found.origin.samples(found.planes, (48, 50)), samples)


@given(st.integers(0, 1 << 30), st.sampled_from(SAMPLINGS), st.sampled_from([1, WEBP, 3, FFMPEG]))
@settings(max_examples=20, deadline=None)
def test_any_colours_come_back(seed, sampling, number):
    samples = np.random.default_rng(seed).integers(0, 256, (2, 5, 7, 3)).astype(np.uint8)
    found = halving.planes_of(samples, candidate(number), sampling)
    assert np.array_equal(found.origin.samples(found.planes, (5, 7)), samples)


@pytest.mark.parametrize("number", [1, WEBP, FFMPEG])
def test_none_is_found_where_chroma_had_all_its_samples(number):
    was = planes(48, 50)
    was[..., 0::2] += np.random.default_rng(0).integers(0, 12, was[..., 0::2].shape).astype(np.uint8)
    assert halving.find(named()[number - 1].map.samples(was), candidate(number)) is None


def test_small_pictures_and_maps_without_an_inverse_tell_nothing():
    assert halving.find(np.zeros((1, 7, 50, 3), np.uint8), candidate(1)) is None
    nothing = Candidate(0, ColourMap(((1, 1, 1, 0),) * 3))
    samples = np.zeros((1, 16, 16, 3), np.uint8)
    assert halving.find(samples, nothing) is None
    assert halving.planes_of(samples, nothing, SAMPLINGS[0]) is None
