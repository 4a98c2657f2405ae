"""Mosaics are found, and the colours follow from them again."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.origins.pictures import frame
from vaezip.errors import FormatError
from vaezip.origins import bayer, mosaic
from vaezip.origins.bayer import COPIED, MIRRORED, Bayer, Layout
from vaezip.vz.wire import Reader

LAYOUTS = [Layout(*flags) for flags in product((0, 1), repeat=4)]


def assert_comes_back(samples):
    found = mosaic.find(samples, "RGB")
    reader = Reader(found.origin.to_bytes() + b"rest")
    again = bayer.read(reader, "RGB")
    assert (again, reader.take(reader.left)) == (found.origin, b"rest")
    assert [shape for _, shape in again.parts(samples.shape)] == [part.shape for part in found.parts]
    assert np.array_equal(again.samples(found.parts, samples.shape), samples)
    return found


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("height", "width"), [(24, 32), (25, 31)])
def test_every_layout_is_found(layout, height, width):
    samples = frame(layout, height, width, pictures=2)
    assert mosaic.promises(samples, "RGB")
    found = assert_comes_back(samples)
    assert found.origin.layout == layout
    assert found.origin.unexplained <= (0 if layout.border == MIRRORED else 2 * 4 * 4)


def test_means_are_those_of_opencv():
    """By hand, in the middle of a mosaic whose first sample is blue, as OpenCV computes them."""
    m = np.arange(36).reshape(1, 6, 6) ** 2 % 251
    colours = Layout(1, 1, 1, COPIED).colours(m)[0]
    m = m[0]
    assert colours[2, 2].tolist() == [
        (m[1, 1] + m[1, 3] + m[3, 1] + m[3, 3] + 2) >> 2,
        (m[1, 2] + m[2, 1] + m[2, 3] + m[3, 2] + 2) >> 2,
        m[2, 2],
    ]
    assert colours[2, 3].tolist() == [(m[1, 3] + m[3, 3] + 1) >> 1, m[2, 3], (m[2, 2] + m[2, 4] + 1) >> 1]
    assert colours[3, 2].tolist() == [(m[3, 1] + m[3, 3] + 1) >> 1, m[3, 2], (m[2, 2] + m[4, 2] + 1) >> 1]
    assert colours[3, 3, 0] == m[3, 3]
    assert np.array_equal(colours[0], colours[1])
    assert np.array_equal(colours[:, 5], colours[:, 4])


@given(st.sampled_from(LAYOUTS), st.integers(16, 40), st.integers(16, 40), st.integers(0, 99))
def test_what_was_changed_comes_back(layout, height, width, seed):
    samples = frame(layout, height, width, seed=seed)
    draw = np.random.default_rng(seed)
    samples[0, draw.integers(0, height, 3), draw.integers(0, width, 3)] = draw.integers(0, 256, (3, 3))
    if mosaic.promises(samples, "RGB"):
        assert assert_comes_back(samples).origin.unexplained <= 3 * 9 + 32


def test_a_photograph_has_no_mosaic():
    layout = LAYOUTS[0]
    samples = frame(layout, 32, 32)
    assert mosaic.settles(samples, "RGB")
    assert not mosaic.promises(samples[..., ::-1] ^ 1, "RGB")
    assert not mosaic.promises(samples[:, :12], "RGB")
    assert not mosaic.promises(samples[..., :1], "L")
    assert not mosaic.promises(np.full((1, 32, 32, 3), 9, np.uint8), "RGB")
    with pytest.raises(ValueError, match="mosaic"):
        mosaic.find(np.full((1, 32, 32, 3), 9, np.uint8), "RGB")


def test_it_names_the_colours_of_four_pixels():
    names = [
        Bayer(Layout(*flags, 0, 0), (0,) * 9, 1, b"x").describe((1, 4, 4, 3)) for flags in product((0, 1), repeat=2)
    ]
    assert [one["name"] for one in names] == [f"Bayer mosaic ({four})" for four in ("RGGB", "GRBG", "GBRG", "BGGR")]
    assert (names[0]["pixels"], names[0]["explained"]) == (16, 15)


def test_damage_is_refused():
    plain = Bayer(LAYOUTS[0], (0,) * 9)
    for data in (b"", b"\x10" + bytes(21), bytes(20), plain.to_bytes()[:-1] + b"\5\t"):
        with pytest.raises(FormatError):
            bayer.read(Reader(data), "RGB")
    with pytest.raises(FormatError):
        bayer.read(Reader(plain.to_bytes()), "L")
    with pytest.raises(FormatError):
        plain.parts((1, 3, 9, 3))
    with pytest.raises(FormatError):
        Bayer(LAYOUTS[0], (0,) * 9, 17, b"x").parts((1, 4, 4, 3))


def test_another_number_of_unexplained_pixels_is_refused():
    samples = frame(LAYOUTS[0], 24, 24)
    samples[0, 9, 9] ^= 255
    found = assert_comes_back(samples)
    wrong = Bayer(found.origin.layout, found.origin.weights, found.origin.unexplained + 1, found.origin.coded)
    with pytest.raises(FormatError):
        wrong.samples(found.parts, samples.shape)
