"""The JPEG that a picture was is found again."""

import numpy as np
import pytest

from vaezip.origins.jpeg.description import standard_steps
from vaezip.origins.jpeg.picture import picture, planes
from vaezip.origins.jpeg.search import find
from vaezip.origins.jpeg.search.lattice import preimages
from vaezip.origins.jpeg.transform import to_rgb

from .pictures import SAMPLINGS, by_floats, decoded, drawn, jpeg, was_jpeg


def right(samples):
    """Return the description that is found, and the share of pixels that its coefficients give."""
    found = find.find(samples)
    again = picture(found.description, planes(found.description, found.coefficients), found.borders)
    return found.description, (again == samples).all(-1).mean()


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_colours_are_explained(sampling):
    description, share = right(was_jpeg(96, 96, quality=85, sampling=sampling)[0])
    assert (description.sampling, description.phase) == (sampling, (0, 0))
    assert all(np.array_equal(steps, standard_steps(85, c > 0)) for c, steps in enumerate(description.steps))
    assert share > 0.99


def test_clipped_pixels_are_explained():
    samples, _ = was_jpeg(96, 96, level=215, quality=75)
    assert (samples == 255).any(-1).mean() > 0.1
    assert right(samples)[1] > 0.99


def test_grey_of_unknown_steps_is_explained():
    table = [min(3 + i % 7 + i // 4, 40) for i in range(64)]
    samples, _ = was_jpeg(128, 128, 1, tables=[table])
    description, share = right(samples)
    assert description.phase == (0, 0)
    assert share > 0.97


def test_chroma_of_another_past_is_not_explained():
    samples = was_jpeg(160, 160, quality=85)[0]
    ycc, _ = preimages(samples)
    noise = np.random.default_rng(0).integers(118, 138, (2, 160, 160)).astype(np.uint8)
    other = np.zeros_like(samples)
    to_rgb(ycc[0], *noise, other)
    assert find.explained(samples) > 0.95
    assert find.traces(other) > 0.95
    assert find.explained(other) < 0.5
    assert find.explained(drawn(96, 96)) == 0


@pytest.mark.parametrize("channels", [1, 3])
def test_decoders_in_floating_point_are_told(channels):
    description, share = right(by_floats(120, 120, channels))
    assert description.rounds_once
    assert share > 0.99
    assert not find.detect(was_jpeg(120, 120, channels)[0]).rounds_once


def test_a_jpeg_of_a_jpeg_is_found_though_no_block_is_exact():
    once, _ = was_jpeg(128, 128, quality=75, sampling=(1, 1))
    twice = decoded(jpeg(once, quality=100, sampling=(1, 1)))
    assert find.traces(twice) is not None
    assert np.array_equal(find.detect(twice).steps[0], standard_steps(75, False))


@pytest.mark.parametrize("cut", [(5, 3), (8, 8), (13, 24)])
def test_crops_have_a_phase(cut):
    samples, _ = was_jpeg(120, 120, quality=85)
    description, share = right(samples[cut[0] :, cut[1] :])
    assert description.phase == (cut[0] % 16, cut[1] % 16)
    assert share > 0.84


def test_what_was_no_jpeg_shows_no_traces():
    for samples in (drawn(96, 96), drawn(96, 96, 1), np.zeros((40, 40, 3), np.uint8), drawn(96, 96)[:7]):
        assert find.traces(samples) is None
        assert find.find(samples) is None


@pytest.mark.parametrize("channels", [1, 3])
def test_what_has_no_grid_is_told_by_a_look_at_its_frequencies_alone(monkeypatch, channels):
    """The search for steps takes longer than a model needs for a picture in grey."""
    monkeypatch.setattr(find.grid, "steps_of", lambda *_: pytest.fail("the steps are searched"))
    y, x = np.mgrid[:200, :200]
    noise = np.random.default_rng(0).integers(0, 40, (200, 200))
    assert find.traces(np.repeat((y // 2 + x // 3 + noise)[..., None], channels, 2).astype(np.uint8)) is None


def letters(height=160, width=240):
    """Draw soft strokes in grey, at any places of a grid of 8."""
    stroke = np.random.default_rng(5).integers(60, 200, (9, 7))
    found = np.full((height, width), 222)
    for top in range(3, height - 9, 19):
        for left in range(5, width - 7, 13):
            found[top : top + 9, left : left + 7] = stroke
    return found[..., None].astype(np.uint8)


def test_flat_areas_tell_that_there_is_no_grid(monkeypatch):
    """Then no frequencies are looked at, of which a few letters tell anything by chance."""
    assert find.traces(decoded(jpeg(letters(), quality=85))) == 1.0
    monkeypatch.setattr(find.grid, "shares", lambda *_: pytest.fail("the frequencies are looked at"))
    assert find.traces(letters()) is None


def test_a_picture_is_looked_at_but_once(monkeypatch):
    """The coder asks whether it was a JPEG, whether it surely was, and which."""
    samples, _ = was_jpeg(96, 96, quality=80)
    share, exact = find.traces(samples), find.explained(samples)
    assert share is not None
    monkeypatch.setattr(find.grid, "shares", lambda *_: pytest.fail("it is looked at again"))
    assert find.explained(samples.copy()) == exact
    assert find.detect(samples) is not None
    other = samples.copy()
    other[40, 40] ^= 1
    with pytest.raises(pytest.fail.Exception):
        find.traces(other)
