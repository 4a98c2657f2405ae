import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaezip.exact import Affine, Convolution, Layer, backend
from vaezip.exact.narrow import LARGEST_OPERAND, LARGEST_SUM, Narrow

CPU = backend()
TORCH = backend("torch")


def expected(x, weight, bias, shift, clamp):
    """The same in int64; Python's >> is floor."""
    return np.clip((x.astype(np.int64) @ weight.T + bias) >> shift, *clamp)


@given(st.integers(1, 150), st.integers(1, 40), st.integers(1, 40), st.sampled_from(["int16", "int64", "float64"]))
def test_it_is_integer_arithmetic_whatever_the_sizes_and_the_type(rows, inputs, outputs, dtype):
    rng = np.random.default_rng([rows, inputs, outputs])
    weight, x = rng.integers(-999, 1000, (outputs, inputs)), rng.integers(-2000, 2001, (rows, inputs))
    bias, shift, clamp = rng.integers(-9999, 10000, outputs), rng.integers(0, 12, outputs), (-40000, 50000)
    found = Narrow(Layer(weight, bias, shift, clamp), 2000)(x.astype(dtype), "float32")
    assert found.dtype == np.float32
    assert (found == expected(x, weight, bias, shift, clamp)).all()


@pytest.mark.parametrize("more", [0, 1])
def test_sums_that_reach_what_32_bits_hold_and_beyond_are_exact(more):
    """The largest operands and sums, of both signs, and a clamp and shifts beyond what 32 bits hold."""
    weight = np.array([[LARGEST_OPERAND, 1], [-LARGEST_OPERAND, 1]])
    rest = LARGEST_SUM - LARGEST_OPERAND**2 - LARGEST_OPERAND + more
    bias, clamp = np.array([rest, -rest]), (-(1 << 40), 1 << 40)
    x = np.array([[LARGEST_OPERAND, LARGEST_OPERAND], [LARGEST_OPERAND, -LARGEST_OPERAND]])
    for shift in (np.array([0, 0]), np.array([1, 30]), np.array([31, 60])):
        narrow = Narrow(Layer(weight, bias, shift, clamp), LARGEST_OPERAND)
        assert narrow.bias.dtype == (np.int64 if more else np.int32)
        assert (narrow(x, "float64") == expected(x, weight, bias, shift, clamp)).all()
    assert (x @ weight.T + bias)[0, 0] == LARGEST_SUM + more
    assert (x @ weight.T + bias)[1, 1] == -LARGEST_SUM - more


@given(st.integers(1, 70), st.integers(1, 20))
def test_sums_of_more_than_32_bits_are_taken_in_runs_of_inputs(inputs, outputs):
    rng = np.random.default_rng([inputs, outputs])
    size = LARGEST_OPERAND >> rng.integers(0, 9, (outputs, inputs))
    weight = size * rng.choice([-1, 1], (outputs, inputs))
    signs = np.where(weight[0] < 0, -1, 1)  # with which the first output's sum is the largest
    x = np.stack([signs, -signs, rng.choice([-1, 1], inputs)]) * LARGEST_OPERAND
    bias, shift, clamp = rng.integers(-1 << 40, 1 << 40, outputs), rng.integers(0, 12, outputs), (-(1 << 50), 1 << 50)
    narrow = Narrow(Layer(weight, bias, shift, clamp), LARGEST_OPERAND)
    begins = [0, *narrow.ends[:-1]]
    runs = [np.abs(weight[:, 2 * a : 2 * b]).sum(axis=1) * LARGEST_OPERAND for a, b in zip(begins, narrow.ends)]
    assert max(run.max() for run in runs) <= LARGEST_SUM
    assert narrow.ends[-1] == -(-inputs // 2)
    assert (narrow(x, "float64") == expected(x, weight, bias, shift, clamp)).all()


def test_a_product_is_the_sums_alone():
    weight, x = np.array([[3, -4], [5, 6]]), np.array([[[1, 2]], [[-3, 4]], [[0, 1]]])
    found = Narrow.product(weight, 4)(x, "float32")
    assert found.tolist() == [[[-5, 17]], [[-25, 9]], [[-4, 6]]]


@pytest.mark.parametrize(("weight", "bound", "fits"), [
    (LARGEST_OPERAND, LARGEST_OPERAND, True),
    (LARGEST_OPERAND + 1, 1, False),
    (1, LARGEST_OPERAND + 1, False),
])  # fmt: skip
def test_layers_take_it_only_where_they_fit(weight, bound, fits):
    arguments = Layer(np.array([[weight]]), np.array([0]), np.array([1]), (-9, 9)), bound
    assert bool(Affine(CPU, *arguments).narrow) == fits
    assert Affine(TORCH, *arguments).narrow is None


@pytest.mark.parametrize(("largest", "count", "fits"), [(300, 9, True), (300, 1, False), (1 << 15, 1, False)])
def test_gradients_take_it_only_where_they_fit(largest, count, fits):
    """One input of few weights has a grid of more than 16 bits."""
    weight = np.full((count, 1), largest)
    integers = Layer(weight, np.zeros(count, int), np.ones(count, int), (-9, 9))
    layer = Affine(CPU, integers, 1)
    assert layer.gradient_dtype == "float32"
    assert bool(layer.narrow_transposed) == fits
    assert Affine(TORCH, integers, 1).narrow_transposed is None


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 4, 5)])
def test_convolutions_and_their_gradients_are_those_of_the_products(shape):
    rng = np.random.default_rng(0)
    weight, x = rng.integers(-90, 91, (6, 3, 3, 5)), rng.integers(-200, 201, (*shape, 5))
    gradient = rng.standard_normal((*shape, 6)).astype(np.float32)
    found = []
    for b in (CPU, TORCH):
        layer = Convolution(b, Layer(weight, np.arange(6), np.full(6, 6), (-300, 400)), 200)
        y = layer(b.asarray(x, "float32"))
        found.append([b.to_numpy(y), b.to_numpy(layer.vjp(y, b.asarray(gradient, "float32")), np.float64)])
        assert bool(layer.affine.narrow) == bool(layer.affine.narrow_transposed) == (b is CPU)
    for one, other in zip(*found):
        assert (one == other).all()
