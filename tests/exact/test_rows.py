"""Rows of whole vectors are added as their elements are, and begin where lines of memory do."""

import numpy as np
import pytest

from vaezip.exact import rows
from vaezip.exact.jit import jit


@jit
def add_scaled(sums, i, columns, factor, others, j):
    rows.add_scaled(sums, i, columns, factor, others, j)


@jit
def add_two(out, i, end, factors, one, other):
    rows.add_two(out, i, end, factors, one, other)


def drawn(seed, *shape):
    found = rows.zeros(*shape)
    found[...] = np.random.default_rng(seed).normal(size=shape)
    return found


@pytest.mark.parametrize(("first", "end"), [(0, 1), (0, 24), (3, 9), (8, 16), (23, 24), (5, 5), (16, 9)])
def test_a_row_is_added_from_a_column_to_an_end_and_what_shares_their_vectors(first, end):
    sums, others = drawn(1, 3, 24), drawn(2, 2, 24)
    plain = sums.copy()
    add_scaled(sums, 2, (first, end), 0.3, others, 1)
    plain[2, first // 8 * 8 : -(-end // 8) * 8] += 0.3 * others[1, first // 8 * 8 : -(-end // 8) * 8]
    assert np.array_equal(sums, plain)


@pytest.mark.parametrize("end", [1, 8, 9, 24])
def test_two_rows_are_added_up_to_an_end(end):
    out, one, other = drawn(1, 3, 24), drawn(2, 3, 24), drawn(3, 3, 24)
    plain, some = out.copy(), slice(-(-end // 8) * 8)
    add_two(out, 1, end, (0.85, 1.0), one, other)
    plain[1, some] = 0.85 * one[1, some] + other[1, some]
    assert np.array_equal(out, plain)


def test_zeros_begin_where_a_line_of_memory_does():
    for _ in range(5):
        found = rows.zeros(2, 3, rows.room(9))
        assert found.shape == (2, 3, 16)
        assert found.ctypes.data % 64 == 0
        assert not found.any()
