"""A map that nobody knows is found from the colours alone."""

import zlib
from fractions import Fraction

import numpy as np
import pytest

from tests.origins.pictures import planes
from vaezip.origins import fitting, inverse, lattice, search
from vaezip.origins.colour import ColourMap

JPEG = np.array([[1.402, 1, 0], [-0.714136, 1, -0.344136], [0, 1, 1.772]])


def converter(seed):
    """JPEG's matrix with each entry up to a tenth off, any offset, rounded or cut off."""
    draw = np.random.default_rng(seed)
    matrix = JPEG * draw.integers(900, 1101, (3, 3)) / 1000
    offset = draw.integers(-8000, 8000, 3) / 1000 - matrix @ [128, 0, 128] + draw.integers(0, 2) / 2
    numbers = np.rint(np.concatenate([matrix, offset[:, None]], axis=1) * (1 << 20)).astype(int)
    return ColourMap(tuple(tuple(row) for row in numbers.tolist()))


def colourful(side=160, seed=0):
    """Planes of which many combinations occur."""
    draw = np.random.default_rng(seed)
    found = planes(side, side, seed=seed).astype(int)
    found[..., 0::2] += draw.integers(-18, 19, (1, side, side, 2))
    return np.clip(found, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(4))
def test_an_unknown_map_is_found(seed):
    samples = converter(seed).samples(colourful(seed=seed))
    number, found = search.find(samples)
    assert number == 0
    assert np.abs(np.array(found.rows) - np.array(converter(seed).rows))[:, :3].max() < 1 << 11
    coded = inverse.planes_of(samples, number, found)
    assert coded.origin.unexplained <= samples[..., 0].size // 1000
    assert np.array_equal(coded.origin.samples(coded.planes, samples.shape[1:3]), samples)


def test_the_same_is_found_in_any_order():
    colours = search.distinct(converter(1).samples(colourful()).reshape(-1, 3))
    assert fitting.fitted(colours) == fitting.fitted(np.asfortranarray(colours))


def test_colours_on_no_lattice_have_none():
    colours = search.distinct(colourful().reshape(-1, 3))
    assert lattice.frequencies(colours) == []
    assert fitting.fitted(colours) is None


def test_waves_are_the_same_everywhere():
    assert zlib.crc32(np.stack(lattice.waves()).astype("<i8").tobytes()) == WAVES


WAVES = 1784176371


@pytest.mark.parametrize("size", [1, 4, 6])
def test_equations_are_solved_exactly(size):
    draw = np.random.default_rng(size)
    inputs = draw.integers(-300, 300, (40, size))
    matrix, vector = inputs.T @ inputs, inputs.T @ draw.integers(-(1 << 28), 1 << 28, 40)
    found = fitting.solve(matrix, vector, Fraction(1 << 20, 3))
    assert np.abs(matrix @ np.array(found) * 3 / (1 << 20) - vector).max() < np.abs(matrix).sum() * 3 / (1 << 20)
    assert fitting.solve(np.zeros_like(matrix), vector, Fraction(1)) is None
    assert fitting.solve(np.array([[0, 2], [3, 0]]), np.array([4, 9]), Fraction(1, 2)) == [2, 1]  # 1.5 and 1, to even
