"""Chroma at half the resolution is enlarged as converters do it, and lies beside Y on a sheet."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaezip.errors import FormatError
from vaezip.origins import upsampling
from vaezip.origins.jpeg import transform
from vaezip.origins.upsampling import COPIED, FILTERS, LIBJPEG, TRIANGLE, Sampling

SAMPLINGS = [
    Sampling(down, (row, column), by)
    for down, row, column in ((True, 0, 0), (True, 0, 1), (True, 1, 0), (True, 1, 1), (False, 0, 0), (False, 0, 1))
    for by in FILTERS
]


def drawn(size, seed=0):
    return np.random.default_rng(seed).integers(0, 256, size).astype(np.uint8)


def enlarged(sampling, plane, size):
    out = np.zeros(size, np.uint8)
    sampling.enlarge(plane, out)
    return out


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_a_byte_says_it(sampling):
    assert upsampling.read(sampling.to_byte()) == sampling


def test_other_bytes_are_refused():
    known = {sampling.to_byte() for sampling in SAMPLINGS}
    for byte in set(range(256)) - known:
        with pytest.raises(FormatError):
            upsampling.read(byte)


@pytest.mark.parametrize("down", [True, False])
def test_samples_are_copied(down):
    sampling, plane = Sampling(down, (0, 1), COPIED), drawn((5, 7))
    whole = plane.repeat(1 + down, axis=0).repeat(2, axis=1)
    size = whole.shape[0], whole.shape[1] - 1
    assert np.array_equal(enlarged(sampling, plane, size), whole[:, 1:])


@given(st.integers(0, 1 << 30), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=20, deadline=None)
def test_means_are_those_of_libwebp(seed, rows, columns):
    """Which computes them in two steps, each rounded down (upsampling.c)."""
    plane = drawn((rows, columns), seed)
    wide = np.pad(plane, 1, "edge").astype(np.int64)
    found = enlarged(Sampling(True, (0, 0), TRIANGLE), plane, (2 * rows, 2 * columns))
    for y in range(rows + 1):
        for x in range(columns + 1):
            (tl, t), (left, uv) = wide[y : y + 2, x : x + 2].tolist()
            avg = tl + t + left + uv + 8
            diag_12, diag_03 = (avg + 2 * (t + left)) >> 3, (avg + 2 * (tl + uv)) >> 3
            square = [[(diag_12 + tl) >> 1, (diag_03 + t) >> 1], [(diag_03 + left) >> 1, (diag_12 + uv) >> 1]]
            for i, j in np.ndindex(2, 2):
                r, c = 2 * y - 1 + i, 2 * x - 1 + j
                if 0 <= r < 2 * rows and 0 <= c < 2 * columns:
                    assert found[r, c] == square[i][j]


@pytest.mark.parametrize("sampling", [one for one in SAMPLINGS if one.filter == LIBJPEG])
def test_means_are_those_of_libjpeg(sampling):
    size = 9, 11
    plane, out = drawn(sampling.small(size)), np.zeros(size, np.uint8)
    transform.upsample(np.pad(plane, 1, "edge"), sampling.phase, (1 + sampling.down, 2), True, out)
    assert np.array_equal(enlarged(sampling, plane, size), out)


@given(st.integers(0, 1 << 30), st.integers(1, 9), st.integers(1, 9), st.sampled_from(SAMPLINGS))
@settings(max_examples=50, deadline=None)
def test_sheets_hold_all_planes(seed, height, width, sampling):
    size = height, width
    luma, chroma = drawn((2, *size), seed), drawn((2, 2, *sampling.small(size)), seed)
    sheets = sampling.joined(luma, chroma)
    assert sheets.shape == (2, *sampling.sheet(size), 1)
    planes = sampling.planes(sheets, size)
    for picture in range(2):
        assert np.array_equal(planes[picture, ..., 1], luma[picture])
        for number in range(2):
            expected = enlarged(sampling, chroma[number, picture], size)
            assert np.array_equal(planes[picture, ..., 2 * number], expected)
