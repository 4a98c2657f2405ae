"""Tones are found, and grey and their table give the picture again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaezip.errors import FormatError
from vaezip.origins import curve, tones
from vaezip.vz.wire import Reader

PLACES = np.random.default_rng(1).integers(0, 256, (2, 30, 40))
RISING = np.arange(256)
SEPIA = np.stack([RISING, RISING * 84 // 100, RISING * 66 // 100], axis=-1)
HEAT = np.stack([np.clip(3 * RISING - start, 0, 255) for start in (0, 255, 510)], axis=-1)
RAINBOW = np.stack([np.clip(384 - np.abs(4 * RISING - middle), 0, 255) for middle in (768, 512, 256)], axis=-1)
MAPS = {"sepia": SEPIA, "heat": HEAT, "rainbow": RAINBOW, "grey": np.stack([RISING] * 3, axis=-1)}


@pytest.mark.parametrize("name", MAPS)
def test_maps_of_colours_come_back(name):
    samples = MAPS[name].astype(np.uint8)[PLACES]
    assert curve.promises(samples, "RGB")
    assert curve.settles(samples, "RGB")
    found = curve.find(samples, "RGB")
    assert [(mode, part.shape) for mode, part in zip(("RGB", "L"), found.parts)] == found.origin.parts(samples.shape)
    reader = Reader(found.origin.to_bytes() + b"rest")
    again = tones.read(reader, "RGB")
    assert (again, reader.take(reader.left)) == (found.origin, b"rest")
    assert np.array_equal(again.samples(found.parts, samples.shape), samples)


@pytest.mark.parametrize("name", ["sepia", "heat", "grey"])
def test_places_are_the_grey_that_was_mapped(name):
    """But for steps that the map leaves out or makes the same."""
    samples = MAPS[name].astype(np.uint8)[PLACES]
    places = curve.find(samples, "RGB").parts[1][..., 0]
    order = np.argsort(PLACES, axis=None)
    assert (np.diff(places.ravel()[order].astype(int)) >= 0).all()


@given(st.integers(0, 1 << 32), st.integers(24, 256))
def test_any_few_colours_come_back(seed, count):
    rng = np.random.default_rng(seed)
    samples = rng.integers(0, 256, (count, 3)).astype(np.uint8)[rng.integers(0, count, (1, 9, 99))]
    found = curve.find(samples, "RGB")
    assert np.array_equal(found.origin.samples(found.parts, samples.shape), samples)


def test_other_pictures_promise_nothing():
    rng = np.random.default_rng(2)
    samples = SEPIA.astype(np.uint8)[PLACES]
    assert not curve.promises(samples, "RGBA")
    assert not curve.promises(samples // 64 * 64, "RGB"), "few colours"
    assert not curve.promises(rng.permutation(256 * 3).astype(np.uint8).reshape(256, 3)[PLACES], "RGB"), "no curve"
    assert not curve.promises(rng.integers(0, 256, (1, 40, 40, 3)).astype(np.uint8), "RGB"), "many colours"


def test_of_large_pictures_some_pixels_tell_first_but_not_alone():
    samples = SEPIA.astype(np.uint8)[np.random.default_rng(3).integers(0, 256, (1, 200, 300))]
    assert curve.promises(samples, "RGB")
    samples[0, 199, 299] = (0, 255, 0)  # one pixel, of a colour far from the curve
    assert not curve.promises(samples, "RGB")


def test_it_says_how_many():
    found = curve.find(SEPIA.astype(np.uint8)[PLACES], "RGB").origin.describe((2, 30, 40, 3))
    assert found == {"name": "grey in 256 tones", "pixels": 2400, "explained": 2400}


def test_damage_is_refused():
    with pytest.raises(FormatError):
        tones.read(Reader(b""), "RGB")
    with pytest.raises(FormatError):
        tones.read(Reader(b"\1"), "L")
    with pytest.raises(FormatError):
        tones.Tones(2).samples([np.zeros((1, 1, 2, 3), np.uint8), np.full((1, 2, 2, 1), 2, np.uint8)], (1, 2, 2, 3))
