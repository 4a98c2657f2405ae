import hashlib
import math
from statistics import NormalDist

import numpy as np
import pytest

from vaezip.entropy import distributions as d
from vaezip.exact import tables
from vaezip.models import likelihoods, posterior

TABLES = {
    "logistic_cdf": tables.logistic_cdf,
    "gaussian_cdf": tables.gaussian_cdf,
    "normal_quantiles": lambda: tables.normal_quantiles(12),
    "zero_frequencies": d._zero_frequencies,
    "logistic_scales": lambda: d.logistic_tables()[1],
    "gaussian_scales": lambda: d._gaussian_tables()[1],
    "prior_cdf": d._prior_cdf,
    "softmax_powers": d.weight_powers,
    "sigmoid": likelihoods._sigmoid_table,
    "reciprocal_scales": likelihoods._reciprocal_scales,
    "inner_derivatives": likelihoods._inner_derivatives,
    "noise": lambda: np.stack([posterior.gaussian_noise(step, 256) for step in range(4)]),
}

# All of them move coded intervals: if one of these changes, no older file can be read.
PINNED = {
    "logistic_cdf": "e336fb7487d052fcabb890d3f224f4f0",
    "gaussian_cdf": "7e0ea36ddcc0419b859ce2ab667810fe",
    "normal_quantiles": "f4670bf59e50ba3bdc9950c9b2712ecc",
    "zero_frequencies": "e2e84bfea35c5b5b0ba4c1fc72926462",
    "logistic_scales": "8cb1b7ad08c4577da1844fc9e7ca0b7f",
    "gaussian_scales": "0e8014a725580557180a8112119e5b34",
    "prior_cdf": "0142ee28727c0c44b0fe52bc7f8d1247",
    "softmax_powers": "26bc62fd0f4cf813098fb9a78843d818",
    "sigmoid": "a3f5ae553774cbd1928b69b8d481d906",
    "reciprocal_scales": "f5486f83ad0f5447dd93558732849bcb",
    "inner_derivatives": "6308612b9c3d522a593ae5fa575f783b",
    "noise": "b3b8dc76a405971b5adc8102ca8d9569",
}


@pytest.mark.parametrize("name", TABLES)
def test_pinned(name):
    table = TABLES[name]()
    little = table.astype(table.dtype.newbyteorder("<"))
    assert hashlib.sha256(little.tobytes()).hexdigest()[:32] == PINNED[name], name


def test_logistic_cdf():
    t = np.arange(-tables.LOGISTIC_RANGE * 64, tables.LOGISTIC_RANGE * 64 + 1) / 64
    np.testing.assert_allclose(tables.logistic_cdf() / tables.ONE, 1 / (1 + np.exp(-t)), rtol=0, atol=1e-9)


def test_gaussian_cdf():
    t = np.arange(-tables.GAUSSIAN_RANGE * 64, tables.GAUSSIAN_RANGE * 64 + 1) / 64
    exact = [0.5 * math.erfc(-v / math.sqrt(2)) for v in t]
    np.testing.assert_allclose(tables.gaussian_cdf() / tables.ONE, exact, rtol=0, atol=2e-9)


@pytest.mark.parametrize("table", [tables.logistic_cdf, tables.gaussian_cdf])
def test_distribution_functions_rise_from_nothing_to_one(table):
    values = table()
    assert values[0] == 0
    assert values[-1] == tables.ONE
    assert (np.diff(values) >= 0).all()


def test_reciprocal_exp():
    found = tables.reciprocal_exp(range(-50, 51), 5, 30)
    np.testing.assert_allclose(found, np.exp(-np.arange(-50, 51) / 32) * 2.0**30, rtol=0, atol=1)


def test_normal_quantiles():
    quantiles = tables.normal_quantiles(12)
    exact = [NormalDist().inv_cdf((i + 0.5) / 4096) for i in range(4096)]
    np.testing.assert_allclose(quantiles, exact, rtol=0, atol=2e-3)
    np.testing.assert_allclose(quantiles, -quantiles[::-1], rtol=0, atol=1e-5)


def test_noise_is_normal_and_antithetic():
    noise = np.stack([posterior.gaussian_noise(step, 500) for step in range(20)])
    assert (noise[1::2] == -noise[::2]).all()
    assert abs(noise[::2].std() - 1) < 0.03
    assert abs(noise[::2].mean()) < 0.05
    assert abs(np.corrcoef(noise[::2])[np.triu_indices(10, 1)]).max() < 0.2
    assert (posterior.gaussian_noise(6, 100) == posterior.gaussian_noise(6, 500)[:100]).all()


def test_sigmoid_and_softplus():
    x = np.linspace(-30, 30, 1001)
    np.testing.assert_allclose(tables.sigmoid(x), 1 / (1 + np.exp(-x)), rtol=1e-14)
    np.testing.assert_allclose(tables.softplus(x), np.logaddexp(0, x), rtol=1e-13, atol=1e-15)
