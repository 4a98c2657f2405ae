import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaezip.errors import ModelError
from vaezip.exact import Affine, Convolution, Layer, backend
from vaezip.exact.affine import EXACT_FLOAT32, EXACT_FLOAT64, GRADIENT_EDGE, exact_dtype

CPU = backend()
TORCH = backend("torch")


def ints(*values):
    return np.array(values, np.int64)


def affine(weight, bias, shift, clamp=(-(1 << 40), 1 << 40), input_bound=1, b=CPU, kind=Affine):
    integers = (np.asarray(values, np.int64) for values in (weight, bias, shift))
    return kind(b, Layer(*integers, clamp), input_bound)


def expected(x, weight, bias, shift, clamp):
    """The same in int64; Python's >> is floor."""
    total = x.astype(np.int64) @ np.asarray(weight).T + bias + (1 << (np.asarray(shift) - 1))
    return np.clip(total >> shift, *clamp)


def random_layer(seed, inputs=37, outputs=11, weight_bound=900, input_bound=300):
    rng = np.random.default_rng(seed)
    weight = rng.integers(-weight_bound, weight_bound + 1, (outputs, inputs))
    bias = rng.integers(-5000, 5001, outputs)
    shift = rng.integers(3, 11, outputs)
    return weight, bias, shift, (-900, 1000), input_bound


def run(layer, x, dtype=np.int64):
    b = layer.backend if isinstance(layer, Affine) else layer.affine.backend
    return b.to_numpy(layer(b.asarray(x, "float32")), dtype)


# Forward


@given(st.integers(0, 10_000))
def test_forward_is_integer_arithmetic(seed):
    weight, bias, shift, clamp, bound = random_layer(seed)
    layer = affine(weight, bias, shift, clamp, bound)
    assert layer.dtype == "float32"
    x = np.random.default_rng(seed).integers(-bound, bound + 1, (9, weight.shape[1]))
    assert (run(layer, x) == expected(x, weight, bias, shift, clamp)).all()


@pytest.mark.parametrize("b", [CPU, TORCH], ids=["numpy", "torch"])
@pytest.mark.parametrize(
    ("limit", "input_bound", "dtype"), [(EXACT_FLOAT32, 257, "float32"), (EXACT_FLOAT64, (1 << 30) - 1, "float64")]
)
def test_sums_that_reach_the_bound_are_exact(b, limit, input_bound, dtype):
    """Odd weights and inputs of every sign, whose sum is the bound itself and whose neighbours are its neighbours."""
    inputs, clamp = 255, (-(1 << 60), 1 << 60)
    weight = np.full(inputs, limit // (inputs * input_bound) - 3, np.int64) | 1
    signs = np.where(np.arange(inputs) % 3 == 0, -1, 1)
    rest = limit - input_bound * int(weight.sum())
    rows, bias, shift = np.stack([weight * signs, -weight * signs]), ints(rest - 1, -rest - 1), ints(1, 1)
    layer = affine(rows, bias, shift, clamp, input_bound, b)
    assert layer.dtype == dtype
    x = np.stack([signs * input_bound, -signs * input_bound, signs * input_bound - (np.arange(inputs) == 7) * signs[7]])
    found = b.to_numpy(layer(b.asarray(x, dtype)), np.int64)
    assert (found == expected(x, rows, bias, shift, clamp)).all()
    assert found[0].tolist() == [limit // 2, -limit // 2]


def test_halves_round_up():
    layer = affine([[1]], [0], [1], input_bound=10)
    assert run(layer, ints(-3, -2, -1, 0, 1, 2, 3)[:, None]).ravel().tolist() == [-1, -1, 0, 0, 1, 1, 2]


def test_the_type_is_the_narrowest_that_is_exact():
    rounding = 1  # of shift 1
    for limit, narrow, wide in [(EXACT_FLOAT32, "float32", "float64")]:
        assert affine([[limit // 2]], [-rounding], [1], input_bound=2).dtype == narrow
        assert affine([[limit // 2]], [1 - rounding], [1], input_bound=2).dtype == wide
    assert exact_dtype(EXACT_FLOAT64, "x") == "float64"


def test_one_wide_row_makes_the_layer_wide():
    assert affine([[1], [1 << 23]], [0, 0], [1, 1], input_bound=3).dtype == "float64"


def test_sums_beyond_float64_are_refused_by_name():
    with pytest.raises(ModelError, match=r"^decoder\.7: its sums can reach 2\^54"):
        Affine(CPU, Layer(ints([1 << 23]), ints(0), ints(1), (-9, 9)), 1 << 30, name="decoder.7")
    with pytest.raises(ModelError):
        exact_dtype(EXACT_FLOAT64 + 1, "x")


@pytest.mark.parametrize(("weight", "bias"), [
    ([[1 << 62] * 4] * 4, [0] * 4),  # row and column sums wrap to 0
    ([[-(1 << 63)]], [0]),  # |weight| wraps to itself
    ([[1]], [(1 << 63) - 1]),  # bias + ½ wraps
    ([[1]], [-(1 << 63)]),
])  # fmt: skip
def test_the_check_itself_cannot_overflow(weight, bias):
    with pytest.raises(ModelError):
        affine(weight, bias, [1] * len(bias), input_bound=1)


@pytest.mark.parametrize(("shift", "clamp"), [(0, (0, 1)), (61, (0, 1)), (-1, (0, 1)), (1, (2, 1))])
def test_a_shift_or_clamp_out_of_range_is_refused(shift, clamp):
    with pytest.raises(ModelError, match="shift or clamp"):
        affine([[1]], [0], [shift], clamp)


def test_weights_too_large_for_a_gradient_in_float32_take_float64():
    assert affine([[EXACT_FLOAT32 >> 8]], [0], [1], input_bound=1).gradient_dtype == "float32"
    assert affine([[(EXACT_FLOAT32 >> 8) + 1]], [0], [1], input_bound=1).gradient_dtype == "float64"


# Gradient


def vjp_case(seed, b=CPU, images=4):
    weight, bias, shift, clamp, bound = random_layer(seed)
    layer = affine(weight, bias, shift, clamp, bound, b)
    rng = np.random.default_rng(seed)
    x = rng.integers(-bound, bound + 1, (images, weight.shape[1]))
    y = layer(b.asarray(x, "float32"))
    gradient = (rng.standard_normal((images, len(weight))) * 10.0 ** rng.integers(-6, 4, (images, 1))).astype(
        np.float32
    )
    return layer, weight, shift, y, gradient


def on_a_grid(values, bound):
    """Whether all values are integers within a bound times one power of two."""
    largest = np.abs(values).max()
    if largest == 0:
        return True
    unit = 2.0 ** (np.floor(np.log2(largest)) - 30)
    integers = values / unit
    assert (integers == np.round(integers)).all()
    divisor = np.gcd.reduce(integers.astype(np.int64).ravel())
    power = divisor & -divisor
    return np.abs(integers).max() / power <= bound


@given(st.integers(0, 10_000))
def test_gradient_is_that_of_floats_within_its_grid(seed):
    layer, weight, shift, y, gradient = vjp_case(seed)
    found = layer.vjp(y, gradient)
    free = (y > layer.clamp[0]) & (y < layer.clamp[1])
    incoming = gradient.astype(np.float64) * free * np.ldexp(1.0, -shift)
    exact = incoming @ weight
    # rounding to the grid is wrong by half a unit, which is at most the largest entry over half the bound
    unit = np.abs(incoming).max(axis=1, keepdims=True) * 2 / layer.gradient_bound
    allowed = 0.5 * unit * np.abs(weight).sum(axis=0)
    assert (np.abs(found - exact) <= allowed * 1.001).all()
    assert all(on_a_grid(row.astype(np.float64), EXACT_FLOAT32) for row in found)


@given(st.integers(0, 10_000))
@settings(max_examples=30)
def test_gradient_of_an_image_is_its_own(seed):
    layer, _, _, y, gradient = vjp_case(seed)
    together = layer.vjp(y, gradient)
    for i in range(len(gradient)):
        assert (layer.vjp(y[i : i + 1], gradient[i : i + 1]) == together[i : i + 1]).all()


def test_nothing_flows_back_through_a_clamp():
    layer = affine([[1]], [0], [1], (-2, 2), 100)
    y = run(layer, ints(-50, -2, 0, 2, 50)[:, None]).astype(np.float32)
    assert y.ravel().tolist() == [-2, -1, 0, 1, 2]
    assert (layer.vjp(y, np.ones((5, 1), np.float32)).ravel() != 0).tolist() == [False, True, True, True, False]


@pytest.mark.parametrize("size", [0.0, 1e-45, 1e-40, 1e-38, 1e-30, 1e-12, 1.0, 1e20, 1e30])
@pytest.mark.parametrize("b", [CPU, TORCH], ids=["numpy", "torch"])
def test_gradients_of_any_size_are_finite(size, b):
    layer = affine([[300, -200], [100, 50]], [0, 0], [4, 4], input_bound=10, b=b)
    y = layer(b.asarray([[1, 2]], "float32"))
    found = b.to_numpy(layer.vjp(y, b.asarray([[size, -size]], "float32")), np.float64)
    assert np.isfinite(found).all()
    expected = np.clip([[12.5 * size, -15.625 * size]], -GRADIENT_EDGE, GRADIENT_EDGE)
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-33)


# Backends


@given(st.integers(0, 10_000))
@settings(max_examples=40)
def test_backends_agree_bit_for_bit(seed):
    results = []
    for b in (CPU, TORCH):
        layer, _, _, y, gradient = vjp_case(seed, b)
        results.append(
            (b.to_numpy(y, np.float64), b.to_numpy(layer.vjp(y, b.asarray(gradient, "float32")), np.float64))
        )
    assert (results[0][0] == results[1][0]).all()
    assert (results[0][1] == results[1][1]).all()


def test_backends_agree_where_the_gradient_meets_the_bound():
    """The largest gradient is the bound times a power of two: the grid must be the finest, on both."""
    for column in range(100, 400):
        layers = [affine([[column]], [0], [1], input_bound=1, b=b) for b in (CPU, TORCH)]
        bound = layers[0].gradient_bound
        gradient = np.array([[bound * 2.0**-9]], np.float32)
        grids = [layer.to_grid(layer.backend.asarray(gradient, "float32"))[1] for layer in layers]
        found = [layer.backend.to_numpy(grid, np.float64) for layer, grid in zip(layers, grids)]
        assert found[0] == found[1] == 2.0**9


# Convolution


def conv_case(seed, b=CPU, shape=(3, 6, 5), inputs=4, outputs=7):
    rng = np.random.default_rng(seed)
    weight = rng.integers(-99, 100, (outputs, 3, 3, inputs))
    bias, shift = rng.integers(-500, 500, outputs), rng.integers(2, 9, outputs)
    layer = affine(weight, bias, shift, (-300, 400), 200, b, Convolution)
    return layer, weight, bias, shift, rng.integers(-200, 201, (*shape, inputs))


def float_convolution(x, weight):
    """By PyTorch in float64, exact for such integers."""
    x = torch.as_tensor(x, dtype=torch.float64).permute(0, 3, 1, 2)
    kernel = torch.as_tensor(weight, dtype=torch.float64).permute(0, 3, 1, 2)
    return torch.nn.functional.conv2d(x, kernel, padding=1).permute(0, 2, 3, 1)


@pytest.mark.parametrize("shape", [(3, 6, 5), (1, 1, 1), (2, 1, 4), (1, 2, 2)])
def test_convolution_is_that_of_integers(shape):
    layer, weight, bias, shift, x = conv_case(0, shape=shape)
    total = float_convolution(x, weight).numpy().astype(np.int64) + bias + (1 << (shift - 1))
    assert (run(layer, x) == np.clip(total >> shift, -300, 400)).all()


@pytest.mark.parametrize("seed", range(3))
def test_gradient_of_a_convolution(seed):
    layer, weight, _, shift, x = conv_case(seed)
    y = layer(x.astype(np.float32))
    gradient = np.random.default_rng(seed).standard_normal(y.shape).astype(np.float32)
    found = layer.vjp(y, gradient)
    leaf = torch.as_tensor(x, dtype=torch.float64).requires_grad_()
    free = torch.as_tensor((y > -300) & (y < 400))
    incoming = torch.as_tensor(gradient, dtype=torch.float64) * free * torch.as_tensor(np.ldexp(1.0, -shift))
    (float_convolution(leaf, weight) * incoming).sum().backward()
    unit = incoming.abs().amax(dim=(1, 2, 3)).numpy() * 2 / layer.affine.gradient_bound
    allowed = 0.5 * unit * np.abs(weight).sum(axis=(0, 1, 2)).max()
    assert (np.abs(found - leaf.grad.numpy()) <= allowed[:, None, None, None] * 1.001).all()
    for image in found:
        assert on_a_grid(image.astype(np.float64), EXACT_FLOAT32)


def test_convolution_on_both_backends_and_alone():
    results = []
    for b in (CPU, TORCH):
        layer, _, _, _, x = conv_case(5, b)
        y = layer(b.asarray(x, "float32"))
        gradient = b.asarray(np.random.default_rng(5).standard_normal(tuple(y.shape)), "float32")
        back = layer.vjp(y, gradient)
        alone = layer.vjp(y[1:2], gradient[1:2])
        assert (b.to_numpy(alone, np.float64) == b.to_numpy(back, np.float64)[1:2]).all()
        results.append((b.to_numpy(y, np.float64), b.to_numpy(back, np.float64)))
    assert (results[0][0] == results[1][0]).all()
    assert (results[0][1] == results[1][1]).all()


def test_convolution_checks_its_bounds():
    with pytest.raises(ModelError, match="2\\^"):
        affine(np.full((1, 3, 3, 1), 1 << 20), [0], [1], input_bound=1 << 40, kind=Convolution)


def test_a_gradient_through_many_layers_stays_finite():
    """Each of these layers makes a gradient a million times as large."""
    layer = affine(np.full((4, 4), 1 << 19), np.zeros(4), np.ones(4), (-(1 << 15), 1 << 15), 1 << 15)
    y, gradient = np.zeros((1, 4), np.float32), np.full((1, 4), 3.5, np.float32)
    for _ in range(20):
        gradient = layer.vjp(y, gradient)
    assert gradient.max() == GRADIENT_EDGE
