import sys

import numpy as np
import pytest
from PIL import features

from vaezip.pictures.io import read

from .helpers import pillow_rgb, refusal, saved

MODES = {1: "I;16", 2: "LA;16", 3: "RGB;16", 4: "RGBA;16"}

needs_avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")


def encoded(samples, bits):
    codecs = pytest.importorskip("imagecodecs")
    return codecs.avif_encode(samples.squeeze(), level=100, bitspersample=bits)


@needs_avif
@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_samples_of_10_and_12_bits_keep_their_values(bits, channels):
    samples = np.random.default_rng(0).integers(0, 1 << bits, (16, 16, channels), np.uint16)
    got = read(encoded(samples, bits))
    assert (got.mode, got.dropped) == (MODES[channels], (f"depth of {bits} bits",))
    assert np.array_equal(got.samples, samples)


@needs_avif
def test_without_imagecodecs_the_refusal_names_it(monkeypatch):
    data = encoded(np.ones((16, 16, 3), np.uint16), 10)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    assert refusal(read, data) == "pictures like this one (10-bit RGB AVIF) need the library imagecodecs"
    assert read(saved(pillow_rgb(16, 16), "AVIF")).mode == "RGB"


@needs_avif
def test_properties_that_are_missing_are_damage():
    data = saved(pillow_rgb(16, 16), "AVIF")
    for name in (b"ipco", b"av1C", b"ispe"):
        assert "truncated or damaged" in refusal(read, data.replace(name, b"free"))


@needs_avif
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_samples_of_8_bits_are_those_of_pillow(channels):
    samples = np.random.default_rng(0).integers(0, 256, (16, 16, channels), np.uint8)
    got = read(encoded(samples, 8)).samples
    alpha = samples[..., -1:] if channels in (2, 4) else samples[..., :0]
    colours = samples[..., : channels - alpha.shape[2]]
    repeats = (got.shape[2] - alpha.shape[2]) // colours.shape[2]  # some repeat grey three times
    assert np.array_equal(got, np.concatenate([colours.repeat(repeats, axis=2), alpha], axis=2))
