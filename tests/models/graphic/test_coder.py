"""Drawn pictures come back, take little, and damage is found."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaezip.entropy import decisions
from vaezip.entropy.stack import Stack
from vaezip.errors import FormatError
from vaezip.models.effort import Effort
from vaezip.models.graphic import coder, palettes
from vaezip.models.graphic.model import Coding

CHANNELS = {"1": 1, "L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "P": 1, "L/2": 1}


def drawn(mode, shape=(1, 40, 50), colours=5, seed=0):
    """Draw rectangles in some colours, and a few pixels of others."""
    rng = np.random.default_rng(seed)
    values = 2 if mode in ("1", "L/2") else 256
    palette = rng.integers(0, values, (colours, CHANNELS[mode])).astype(np.uint8)
    samples = np.empty((*shape, CHANNELS[mode]), np.uint8)
    for picture in samples:
        picture[...] = palette[0]
        for i in range(8):
            y, x = rng.integers(0, shape[1]), rng.integers(0, shape[2])
            picture[y : y + 9, x : x + 12] = palette[i % colours]
    return samples


def noise(mode, shape=(1, 19, 23), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*shape, CHANNELS[mode])).astype(np.uint8)


def encoded(samples, mode, checksum=0xFEDCBA98):
    return coder.encode(samples, mode, checksum, effort=Effort())


def comes_back(samples, mode):
    data = encoded(samples, mode)
    found, checksum = coder.decode(data, mode, samples.shape)
    assert checksum == 0xFEDCBA98
    assert np.array_equal(found, samples)
    return data


@pytest.mark.parametrize("mode", CHANNELS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 40), (1, 40, 1), (3, 9, 20), (1, 40, 50)])
def test_drawings_of_every_mode_and_shape_come_back(mode, shape):
    comes_back(drawn(mode, shape), mode)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P"])
def test_noise_comes_back_and_takes_little_more(mode):
    samples = noise(mode)
    assert len(comes_back(samples, mode)) < 1.15 * samples.size + 60


def halftone(shape=(1, 64, 140)):
    """Print a ramp in dots."""
    _, y, x = np.indices(shape)
    return (np.cos(x * 0.9) + np.cos(y * 0.8 + x * 0.1) > x / 80 - 1).astype(np.uint8)[..., None]


def test_dots_far_away_tell_more_of_a_halftone():
    samples = halftone()
    data = comes_back(samples, "1")
    assert data[0] == 7
    (_, height, width, _) = samples.shape
    pixels = palettes.packed(samples)
    coding = Coding((1, height, width), channels=1, levels=2)
    coding.pixels[...] = pixels
    coded = Stack(0)
    for part in reversed(coding.encode()):
        decisions.push(coded, part, 16)
    assert len(data) < 0.97 * len(coded.to_bytes())


def test_small_pictures_spare_the_bytes_of_distant_places():
    assert encoded(halftone((1, 20, 30)), "1")[:2] == bytes([5, 1])
    assert encoded(drawn("P", (1, 200, 200)), "P")[0] == 1


def test_busy_pages_ask_fewer_contexts_and_come_back():
    assert comes_back(halftone((1, 128, 260)), "1")[0] == 15
    assert comes_back(drawn("1", (1, 128, 260)), "1")[0] == 7


def test_many_colours_ask_fewer_contexts_at_the_least_effort_alone():
    samples = np.repeat(noise("RGB", (1, 90, 200)), 2, axis=2)
    brief = coder.encode(samples, "RGB", 5, effort=Effort(rows=0))
    found, checksum = coder.decode(brief, "RGB", samples.shape)
    assert checksum == 5
    assert np.array_equal(found, samples)
    assert (brief[0], encoded(samples, "RGB")[0]) == (8, 0)


@pytest.mark.parametrize("places", [[32, 40, 4, 8], [4, 64, 4, 8], [0, 31, 4, 8], [4, 8, 0, 32]])
def test_places_that_are_out_of_reach_are_refused(places):
    data = encoded(halftone(), "1")
    with pytest.raises(FormatError, match="damaged"):
        coder.decode(data[:2] + bytes(places) + data[6:], "1", (1, 64, 140, 1))


@pytest.mark.parametrize("head", [[2, 1], [3, 2], [4, 1], [10, 1], [16, 1], [1], [15, 1, 4], [7, 1, 4], []])
def test_forms_that_nothing_has_are_refused(head):
    with pytest.raises(FormatError, match="damaged"):
        coder.decode(bytes(head), "1", (1, 64, 140, 1))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(1, 70, 130), (2, 50, 97), (1, 3, 5)]), st.integers(1, 12))
def test_any_pattern_of_two_levels_comes_back(seed, shape, period):
    rng = np.random.default_rng(seed)
    cell = rng.integers(0, 2, (1, period, period + 3))
    samples = np.tile(cell, (shape[0], -(-shape[1] // period), -(-shape[2] // (period + 3))))[:, : shape[1], : shape[2]]
    comes_back((samples ^ (rng.random(shape) < 0.02)).astype(np.uint8)[..., None], "1")


def test_few_colours_become_a_palette_and_many_do_not():
    assert encoded(drawn("RGB"), "RGB")[:2] == bytes([1, 4])
    assert encoded(noise("RGB"), "RGB")[0] == 0


def test_a_second_picture_like_the_first_takes_next_to_nothing():
    one = (noise("L", (1, 32, 32)) & 15) * 17
    assert len(encoded(np.concatenate([one, one]), "L")) < len(encoded(one, "L")) + 40


def test_blank_pictures_take_next_to_nothing():
    assert len(encoded(np.zeros((1, 500, 400, 3), np.uint8), "RGB")) < 20
    assert len(encoded(np.ones((1, 500, 400, 1), np.uint8), "1")) < 20


def test_a_line_is_drawn_once():
    samples = np.zeros((1, 200, 100, 1), np.uint8)
    samples[:, :, 30:40] = 1
    assert len(encoded(samples, "1")) < 30


def test_bytes_depend_on_nothing_before():
    samples = drawn("RGB")
    first = encoded(samples, "RGB")
    encoded(noise("RGB"), "RGB")
    assert encoded(samples, "RGB") == first


@pytest.mark.parametrize("mode", ["1", "P", "RGB", "RGBA"])
def test_damage_is_found(mode):
    samples = drawn(mode)
    data = encoded(samples, mode)
    for place in range(0, len(data), 3):
        for damaged in (data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :], data[:place]):
            with suppress(FormatError):
                found, checksum = coder.decode(damaged, mode, samples.shape)
                assert checksum != 0xFEDCBA98 or not np.array_equal(found, samples)


def test_black_and_white_has_no_third_value():
    samples = drawn("P")
    with pytest.raises(FormatError, match="damaged"):
        coder.decode(encoded(samples, "P"), "1", samples.shape)


def test_what_it_costs_is_known_before():
    samples = drawn("RGB", (1, 100, 100))
    found = coder.cost(encoded(samples, "RGB"), "RGB", samples.shape)
    assert 5 * samples[..., 0].size < found.memory < 1 << 26
    assert found.work < 1 << 23 << 14
    with pytest.raises(FormatError):
        coder.cost(b"\2\0", "RGB", samples.shape)


@pytest.mark.parametrize(("mode", "fits"), [("RGB", True), ("P", True), ("I;16", False), ("verbatim", False)])
def test_it_codes_what_has_at_most_8_bits(mode, fits):
    assert coder.fits(mode, (3, 4)) == fits


def test_drawings_promise_much_and_noise_does_not():
    assert coder.promises(drawn("RGB"), "RGB")
    assert not coder.promises(noise("RGB", (1, 150, 150)), "RGB")


def test_ramps_promise_much():
    ramp = np.arange(200, dtype=np.uint8) * np.ones((1, 200, 1), np.uint8)
    assert coder.promises(np.stack([ramp, 2 * ramp, ramp], axis=3), "RGB")


def test_values_with_holes_promise_much():
    """The pixel networks and WebP see nothing of the holes that fewer bits or a contrast leave."""
    values = np.random.default_rng(0).integers(0, 256, (1, 200, 200, 3)).astype(np.uint8)
    assert not coder.promises(values, "RGB")
    assert coder.promises(values & 0xF8, "RGB")
    assert coder.promises(values[..., :1] & 0xFE, "L")
    assert not coder.promises(np.concatenate([values & 0xF8, values[..., :1]], axis=3), "RGBA")


def test_small_pictures_in_colours_are_always_tried():
    """It takes next to no time, and ramps and sprites that show few repetitions had gone another way."""
    assert coder.promises(noise("RGBA", (1, 32, 64)), "RGBA")
    assert not coder.promises(noise("RGBA", (3, 96, 64)), "RGBA")


def test_a_photograph_in_grey_does_not_promise_much_though_it_has_256_levels():
    """A try takes longer than the pixel network, which is ahead there."""
    levels = np.random.default_rng(0).integers(0, 256, (1, 80, 80, 1)).astype(np.uint8)
    assert not coder.promises(levels, "L")
    assert coder.promises(levels // 4, "L")
    assert coder.promises(levels[:, :60, :60], "L")
    assert coder.promises(levels, "P")


def test_a_palette_begins_with_the_dark():
    pixels = palettes.packed(np.array([[[[255, 255, 255], [0, 0, 0], [90, 80, 70]]]], np.uint8))
    assert palettes.unpacked(palettes.of(pixels, 3).reshape(1, 1, 3), 3)[0, 0, :, 0].tolist() == [0, 90, 255]
    assert palettes.of(palettes.packed(noise("RGB", (1, 32, 32))), 3) is None
