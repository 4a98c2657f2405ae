"""Integer tables that stand for transcendental functions on the coding path.

Every entry is made by :mod:`vaezip.exact.elementwise` and integer sums, so that the tables
are the same on every machine; ``tests/exact/test_tables.py`` pins their checksums.

Fixed point throughout: arguments t are in units of 2^−ARGUMENT_BITS, probabilities in
units of 2^−PROBABILITY_BITS. Between entries, which are 2^−STEP_BITS apart, a distribution
function is interpolated linearly in integers, which keeps it monotone.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.backend import backend
from vaezip.exact.elementwise import exp, log

ARGUMENT_BITS = 12
STEP_BITS = 6
PROBABILITY_BITS = 30
ONE = 1 << PROBABILITY_BITS

LOGISTIC_RANGE = 22
"""The logistic distribution function is 0 below −22 and 1 above 22."""

GAUSSIAN_RANGE = 8
"""The normal distribution function is 0 below −8 and 1 above 8."""

Table = NDArray[np.int64]


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute 1 / (1 + e^−x), float64, the same on every machine."""
    return 1.0 / (1.0 + exp(backend(), -x))


def softplus(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute ln(1 + e^x), float64, the same on every machine."""
    return log(backend(), 1.0 + exp(backend(), x))


@lru_cache
def logistic_cdf() -> Table:
    """Return σ(t) at t = −22 … 22 in steps of 2^−6, with the ends set to 0 and 1."""
    t = np.arange(-LOGISTIC_RANGE << STEP_BITS, (LOGISTIC_RANGE << STEP_BITS) + 1) / float(1 << STEP_BITS)
    return _with_ends(np.floor(sigmoid(t) * ONE + 0.5).astype(np.int64))


@lru_cache
def gaussian_cdf() -> Table:
    """Return Φ(t) at t = −8 … 8 in steps of 2^−6, with the ends set to 0 and 1.

    Φ is the integral of the density by Simpson's rule with 8 intervals a step, summed in integers.
    """
    per_step = 8
    count = (2 * GAUSSIAN_RANGE << STEP_BITS) * per_step
    width = 1.0 / (per_step << STEP_BITS)
    t = np.arange(2 * count + 1) * (0.5 * width) - GAUSSIAN_RANGE
    density = exp(backend(), -0.5 * t * t)
    mass = (density[:-2:2] + 4.0 * density[1::2] + density[2::2]) * (width / 6.0)
    units = np.floor(mass * 2.0**52).astype(np.int64)
    cumulative = np.concatenate([np.zeros(1, np.int64), np.cumsum(units)])[::per_step]
    # sqrt(2π) cancels: the last cumulative sum is the whole mass
    return _with_ends((cumulative.astype(np.float64) / float(cumulative[-1]) * ONE).astype(np.int64))


@lru_cache
def reciprocal_exp(exponents: range, grid_bits: int, scale_bits: int) -> Table:
    """Return round(2^scale_bits · e^−(i · 2^−grid_bits)) for each i of the exponents."""
    x = -np.array(exponents) / float(1 << grid_bits)
    return np.floor(exp(backend(), x) * 2.0**scale_bits + 0.5).astype(np.int64)


@lru_cache
def normal_quantiles(bits: int) -> NDArray[np.float64]:
    """Return Φ^−1((i + ½) 2^−bits) for i = 0 … 2^bits − 1, by inverse interpolation of :func:`gaussian_cdf`."""
    cdf = gaussian_cdf()
    targets = (2 * np.arange(1 << bits, dtype=np.int64) + 1) << (PROBABILITY_BITS - bits - 1)
    right = np.searchsorted(cdf, targets, side="right")
    left = right - 1
    fraction = (targets - cdf[left]).astype(np.float64) / (cdf[right] - cdf[left]).astype(np.float64)
    return (left.astype(np.float64) + fraction) / float(1 << STEP_BITS) - GAUSSIAN_RANGE


def _with_ends(table: Table) -> Table:
    table[0], table[-1] = 0, ONE
    return table
