import math
from decimal import Decimal, getcontext

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vaezip.exact import backend
from vaezip.exact.elementwise import exp, exponent, grid_scale, log, per_image_maximum, power_of_two

getcontext().prec = 60
RNG = np.random.default_rng(0)
DEVICES = ["cpu", "torch"]

positive = st.floats(2.0**-1000, 2.0**1000, allow_subnormal=False)


def run(function, device, *arrays, **more):
    """The function on NumPy arrays by a backend's arrays, back as NumPy."""
    b = backend(device)
    return b.to_numpy(function(b, *(b.asarray(a, str(a.dtype)) for a in arrays), **more), np.float64)


def units_off(found, exact):
    """Distance from exact Decimals in units in the last place."""
    return max(abs(Decimal(float(f)) - e) / Decimal(math.ulp(float(e))) for f, e in zip(found, exact))


def test_exp_is_within_two_units_in_the_last_place():
    x = np.concatenate([RNG.uniform(-700, 700, 1500), RNG.uniform(-1, 1, 500), [0.0, -700.0, 700.0, 1e-300, -1e-17]])
    assert units_off(exp(backend(), x), [Decimal(float(v)).exp() for v in x]) <= 2


def test_exp_of_zero_is_one():
    assert exp(backend(), np.zeros(1))[0] == 1.0


def test_log_is_within_its_documented_error():
    x = np.concatenate([2.0 ** RNG.uniform(-1000, 1000, 1000), RNG.uniform(0.5, 2, 1000), [1.0, np.nextafter(1, 2)]])
    exact = [Decimal(float(v)).ln() for v in x]
    found = log(backend(), x)
    assert all(abs(Decimal(float(f)) - e) < Decimal("4e-16") * (1 + abs(e)) for f, e in zip(found, exact))


@given(positive)
@example(1.0)
@example(math.nextafter(2.0**52, 0))
@example(2.0**-1000)
def test_exponent(x):
    assert exponent(backend(), np.array([x]))[0] == math.frexp(x)[1] - 1


def test_powers_of_two_are_exact_and_clamped():
    n = np.arange(-1022.0, 1024.0)
    assert (power_of_two(backend(), n) == np.ldexp(1.0, n.astype(int))).all()
    assert power_of_two(backend(), np.array([-5000.0, 5000.0])).tolist() == [2.0**-1022, 2.0**1023]


@given(
    positive.filter(lambda x: 1e-30 < x < 1e30) | st.integers(-60, 60).map(lambda k: 49 * 2.0**k), st.integers(1, 2**24)
)
@example(49 * 2.0**-20, 49)
@example(1.0, 2**24)
def test_grid_scale_is_the_largest_power_of_two_within_the_bound(maximum, bound):
    (scale,) = grid_scale(backend(), np.array([maximum]), float(bound))
    assert math.frexp(scale)[0] == 0.5
    assert maximum * scale <= bound < maximum * scale * 2


def test_grid_scale_of_nothing_is_finite():
    assert np.isfinite(grid_scale(backend(), np.zeros(2), 100.0)).all()


def test_per_image_maximum():
    x = np.array([[[1.0, -5.0]], [[0.0, 2.0]]])
    assert per_image_maximum(backend(), x).tolist() == [[[5.0]], [[2.0]]]


@pytest.mark.parametrize("function", [exp, log, exponent])
def test_backends_agree_bit_for_bit(function):
    x = RNG.uniform(-700, 700, 20_000) if function is exp else 2.0 ** RNG.uniform(-500, 500, 20_000)
    assert (run(function, "cpu", x) == run(function, "torch", x)).all()


def test_backends_agree_on_the_grid_where_the_bound_is_met_exactly():
    """1 / x · bound, rounded twice, may fall below the bound / x that is meant."""
    for bound in (49.0, 98.0, 103.0, 1021.0, 5793.0, 16_000_001.0):
        maxima = bound * 2.0 ** np.arange(-40.0, 10.0)
        scales = [run(grid_scale, device, maxima, bound=bound) for device in DEVICES]
        assert (scales[0] == scales[1]).all()
        assert (scales[0] * maxima == bound).all()
