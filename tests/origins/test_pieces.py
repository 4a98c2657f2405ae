"""Photographs are found in drawn pictures, to the pixel, and both parts make the picture again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaezip.errors import FormatError
from vaezip.origins import cutting, pieces
from vaezip.origins.pieces import Pieces, Rectangle
from vaezip.vz.wire import Reader, varint

MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def drawing(height=150, width=170, channels=3):
    """Draw a window with lines of what looks like text."""
    found = np.full((1, height, width, channels), 230, np.uint8)
    found[:, 8::12, 10:-10] = 40
    found[:, :6] = 90
    return found


def pasted(places, channels=3, **size):
    found = drawing(channels=channels, **size)
    for top, left, height, width in places:
        found[0, top : top + height, left : left + width] = noise(height, width, channels, seed=top)
    return found


@given(st.integers(2, 70), st.integers(2, 70), st.integers(64, 80), st.integers(64, 90), st.sampled_from(sorted(MODES)))
def test_a_photograph_is_found_wherever_it_is(top, left, height, width, mode):
    samples = pasted([(top, left, height, width)], MODES[mode])
    found = cutting.find(samples, mode, cutting.rectangles_of(samples, mode))
    assert found.origin.rectangles == (Rectangle(top, left, height, width),)
    whole, piece = found.parts
    assert len(np.unique(whole)) <= 3
    assert [mode, mode] == [one for one, _ in found.origin.parts(samples.shape)]
    assert [part.shape for part in found.parts] == [shape for _, shape in found.origin.parts(samples.shape)]
    assert np.array_equal(found.origin.samples([whole, piece], samples.shape), samples)


@given(st.lists(st.tuples(*[st.integers(0, 300)] * 4), min_size=1, max_size=pieces.MOST))
def test_what_is_written_is_read(numbers):
    origin = Pieces("RGB", tuple(Rectangle(top, left, 1 + high, 1 + wide) for top, left, high, wide in numbers))
    reader = Reader(origin.to_bytes() + b"rest")
    assert (pieces.read(reader, "RGB"), reader.take(reader.left)) == (origin, b"rest")


def test_many_are_found_the_largest_first():
    places = [(10, 10, 70, 66), (10, 150, 70, 70), (110, 20, 67, 90)]
    samples = pasted(places, height=200, width=240)
    assert [tuple(one) for one in cutting.rectangles_of(samples, "RGB")] == [places[2], places[1], places[0]]


def test_what_is_all_drawn_or_all_photograph_is_not_cut():
    assert not cutting.rectangles_of(drawing(), "RGB")
    assert not cutting.rectangles_of(noise(1, 150, 170, 3), "RGB")


@pytest.mark.parametrize("mode", ["P", "1", "I;16", "RGB;16"])
def test_other_modes_are_not_cut(mode):
    channels = 3 if "RGB" in mode else 1
    assert not cutting.rectangles_of(pasted([(20, 20, 80, 80)], channels).astype(np.uint16), mode)


def test_several_pictures_are_not_cut():
    assert not cutting.rectangles_of(np.repeat(pasted([(20, 20, 80, 80)]), 2, axis=0), "RGB")


def test_what_hardly_has_new_pixels_is_told_by_some_rows(monkeypatch):
    monkeypatch.setattr(cutting, "_new", lambda *_: pytest.fail("all pixels are looked at"))
    assert not cutting.rectangles_of(drawing(), "RGB")
    noisy = drawing()
    noisy[0, 40:56, 48:64] = noise(16, 16, 3)  # a cell, and no neighbours
    assert not cutting.rectangles_of(noisy, "RGB")


def test_small_pieces_and_pictures_are_left():
    assert not cutting.rectangles_of(pasted([(20, 20, 40, 50)]), "RGB")
    assert not cutting.rectangles_of(pasted([(3, 3, 20, 90)], height=31, width=160), "RGB")


def test_a_pattern_is_no_photograph():
    """Noise that repeats is, pixel for pixel, new beside its neighbours, but no photograph."""
    samples = drawing()
    samples[0, 20:116, 20:116] = np.tile(noise(8, 8, 3), (12, 12, 1))
    assert not cutting.rectangles_of(samples, "RGB")


def test_what_is_left_must_be_drawn():
    """Of a photograph that is smooth in places, the other places are not cut out."""
    samples = pasted([(20, 20, 80, 120)])
    seldom = np.random.default_rng(1).random(samples.shape[:3]) < 0.2
    samples[seldom] = noise(int(seldom.sum()), 3)
    assert not cutting.rectangles_of(samples, "RGB")


def test_it_says_how_many_there_are():
    origin = Pieces("L", (Rectangle(1, 2, 3, 4),))
    found = origin.describe((1, 10, 10, 1))
    assert found == {
        "name": "drawing with 1 photograph in it",
        "pixels": 100,
        "explained": 100,
        "rectangles": [{"top": 1, "left": 2, "height": 3, "width": 4}],
    }
    assert Pieces("L", origin.rectangles * 2).describe((1, 10, 10, 1))["name"] == "drawing with 2 photographs in it"


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\1\1\1", b"\1\1\1\1\1", b"\x40" + b"\0" * 260])
def test_damage_is_refused(data):
    with pytest.raises(FormatError):
        pieces.read(Reader(data), "RGB")


@pytest.mark.parametrize(
    "rectangles",
    [[(0, 0, 11, 1)], [(10, 0, 1, 1)], [(0, 1, 1, 20)], [(0, 0, 10, 20), (0, 0, 1, 1)], [(1 << 60, 0, 1, 1)]],
)
def test_rectangles_that_a_picture_does_not_have_are_refused(rectangles):
    """None reaches beyond it, and together they have no more pixels than it, so that there is a bound of work."""
    with pytest.raises(FormatError):
        Pieces("L", tuple(Rectangle(*one) for one in rectangles)).parts((1, 10, 20, 1))


def test_several_pictures_with_pieces_are_refused():
    with pytest.raises(FormatError):
        Pieces("L", (Rectangle(0, 0, 1, 1),)).parts((2, 10, 20, 1))


def test_a_picture_of_another_mode_is_refused():
    data = b"\0" + b"".join(varint(number) for number in (0, 0, 4, 4))
    with pytest.raises(FormatError):
        pieces.read(Reader(data), "P")
