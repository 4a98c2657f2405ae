import numpy as np
import pytest

from vaezip.exact import triangles
from vaezip.exact.cholesky import LANES, workspace
from vaezip.exact.triangles import PADDING, padded, start_of_row

SIZES = (1, 7, 8, 9, 33, 63)


def lower(triangle, size):
    """The lower triangle of a matrix that stands row by row."""
    whole = np.zeros((size, size))
    for n in range(size):
        whole[n, : n + 1] = triangle[start_of_row(n) :][: n + 1]
    return whole


def test_rows_are_whole_vectors_and_follow_one_another():
    starts = [start_of_row(n) for n in range(70)]
    assert starts == [sum(padded(row + 1) for row in range(n)) for n in range(70)]


@pytest.mark.parametrize("size", SIZES)
def test_squares_are_summed(size):
    v = np.zeros((4, padded(size)), np.int32)
    v[:, :size] = np.random.default_rng(size).integers(-510, 511, (4, size))
    sums = np.full(start_of_row(size), np.nan)
    triangles.sum_squares(v, size, sums)
    assert np.array_equal(lower(sums, size), np.tril(v.T @ v)[:size, :size])


@pytest.mark.parametrize("size", SIZES)
def test_triangles_are_spread_into_upper_triangles_side_by_side(size):
    some = np.random.default_rng(size).normal(size=(LANES, start_of_row(size) + PADDING))
    matrices = workspace(size)
    triangles.spread(some, size, matrices)
    for t in range(LANES):
        assert np.array_equal(np.triu(matrices[:size, :size, t]), lower(some[t], size).T)
