import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vaezip.exact import product16
from vaezip.exact.jit import jit
from vaezip.exact.product16 import LANES, ROWS


@jit
def called(n, x, w, out):
    """As kernels call it."""
    product16.product16(n, x, w, out)


def sums(x, weight):
    """By :func:`product16`, the rows and columns that are asked for."""
    rows, inputs = x.shape
    outputs = len(weight)
    packed = product16.empty(outputs, inputs)
    product16.pack(weight, packed)
    room = np.zeros((-(-rows // ROWS) * ROWS, 2 * len(packed)), np.int16)
    room[:rows, :inputs] = x
    out = np.full((len(room), packed.shape[1]), 7, np.int32)
    called(rows, room, packed, out)
    return out[:rows, :outputs]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 33), st.integers(1, 80), st.integers(1, 200), st.integers(1, 15), st.integers(0, 99))
@example(1, 1, 1, 15, 0)
@example(2, 75, 4 * LANES, 15, 0)
@example(3, 2, 5 * LANES, 15, 0)
@example(32, 128, 128, 15, 0)
def test_it_is_the_matrix_product_in_32_bits(rows, inputs, outputs, bits, seed):
    rng = np.random.default_rng(seed)
    high = 1 << bits
    x = rng.integers(-high, high, (rows, inputs)).astype(np.int16)
    weight = rng.integers(-high, high, (outputs, inputs))
    assert np.array_equal(sums(x, weight), (x.astype(np.int64) @ weight.T).astype(np.int32))


def test_the_largest_products_wrap():
    x, weight = np.full((4, 2), -(1 << 15), np.int16), np.full((LANES, 2), -(1 << 15))
    assert (sums(x, weight) == -(1 << 31)).all()


@pytest.mark.parametrize("dtype", [np.int16, np.int64, np.float64])
def test_weights_of_any_type_are_packed(dtype):
    weight = np.arange(15, dtype=dtype).reshape(3, 5) - 7
    packed = product16.empty(3, 5)
    product16.pack(weight, packed)
    assert packed.shape == (3, LANES, 2)
    assert np.array_equal(packed.transpose(1, 0, 2).reshape(LANES, 6)[:3, :5], weight)
    assert np.abs(packed).sum() == np.abs(weight).sum()
