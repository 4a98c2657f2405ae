"""Probability distributions as integer intervals, for :mod:`vaezip.entropy.stack`.

Each class holds the integer parameters of an array of independent symbols and offers

- ``intervals(symbols)``: starts and freqs out of 2^precision, in the order of pushing;
- ``push(stack, symbols)`` and ``pop(stack)``, which undo each other.

Invariants, property-tested over the whole parameter range: the distribution function is monotone
from 0 to 2^precision; it is a function of the integers alone; and every symbol has freq ≥ 1, but for
:class:`Gaussian`. A cumulative value is x + F(x) · (2^precision − symbols) with F in fixed point from
:mod:`vaezip.exact.tables`: the x gives every symbol its freq ≥ 1.

A posterior is there to draw z from, not to code whatever comes: :class:`Gaussian` is F alone, and what
is far from its mean has freq 0 and is never drawn. A z from there would cost a thousand bits.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy.stack import Stack, drop, slot_of
from vaezip.errors import FormatError
from vaezip.exact import backend, tables
from vaezip.exact.elementwise import log
from vaezip.exact.jit import inline, jit

Ints = NDArray[Any]
"""Integer arrays; parameters are int32, symbols uint8 or int32."""

# Grids of the parameters that a network emits; part of the file format.
LOGIT_BITS = 8
LOGIT_BOUND = 4095
MEAN_BITS = 4
MEAN_BOUND = 1 << 14
LOG_SCALE_BITS = 5
LOG_SCALE_LOW, LOG_SCALE_HIGH = -96, 176
COEFFICIENT_BITS = 10
COEFFICIENT_BOUND = 4095
WEIGHT_LOGIT_BITS = 5
WEIGHT_BITS = 14

LATENT_BITS = 8
LATENT_RANGE = 8
LATENT_BINS = 2 * LATENT_RANGE << LATENT_BITS
POSTERIOR_MEAN_BITS = 12
POSTERIOR_MEAN_BOUND = LATENT_RANGE << POSTERIOR_MEAN_BITS
LOG_SIGMA_BITS = 6
LOG_SIGMA_LOW, LOG_SIGMA_HIGH = -320, 64

BERNOULLI_PRECISION = 20
LOGISTIC_PRECISION = 22
GAUSSIAN_PRECISION = tables.PROBABILITY_BITS

LEVELS = 256
_SCALE_BITS = 20


class Uniform:
    """2^bits equally likely symbols."""

    def __init__(self, bits: int, count: int) -> None:
        self.precision, self.count = bits, count

    def intervals(self, symbols: Ints) -> tuple[Ints, Ints]:
        """Symbols 0 … 2^bits − 1."""
        starts = symbols.astype(np.int64)
        return starts, np.ones_like(starts)

    def push(self, stack: Stack, symbols: Ints) -> None:
        """Push symbols of shape (count,)."""
        stack.push(*self.intervals(symbols), self.precision)

    def pop(self, stack: Stack) -> Ints:
        """int64 (count,)."""
        out = np.empty(self.count, np.int64)
        stack.settle(*_pop_uniform(*_head(stack), np.uint64(self.precision), out))
        return out


class Bernoulli:
    """x ∈ {0, 1}, p(x = 1) = σ(logit · 2^−LOGIT_BITS); logits int32 (n,), |logit| ≤ LOGIT_BOUND."""

    precision = BERNOULLI_PRECISION

    def __init__(self, logits: Ints) -> None:
        self.logits = logits

    def intervals(self, symbols: Ints) -> tuple[Ints, Ints]:
        """Symbol 0 lies below symbol 1."""
        zeros = _zero_frequencies()[self.logits + LOGIT_BOUND]
        ones = symbols.astype(bool)
        return np.where(ones, zeros, 0), np.where(ones, (1 << self.precision) - zeros, zeros)

    def push(self, stack: Stack, symbols: Ints) -> None:
        """Push symbols of shape (n,)."""
        stack.push(*self.intervals(symbols), self.precision)

    def pop(self, stack: Stack) -> Ints:
        """uint8 (n,)."""
        out = np.empty(self.logits.size, np.uint8)
        stack.settle(*_pop_bernoulli(*_head(stack), self.logits, _zero_frequencies(), out))
        return out


class Logistic:
    """Discretized logistic on 0 … 255: P(X < x) = σ((x − ½ − μ)/s).

    Args:
        means: μ in units of 2^−MEAN_BITS pixel values, int32 (n,).
        log_scales: ln s in units of 2^−LOG_SCALE_BITS, int32 (n,).
    """

    precision = LOGISTIC_PRECISION

    def __init__(self, means: Ints, log_scales: Ints) -> None:
        self.means, self.log_scales = means, log_scales

    def intervals(self, symbols: Ints) -> tuple[Ints, Ints]:
        """Symbols 0 … 255, shape (n,)."""
        return _intervals_logistic(symbols, self.means, self.log_scales, *logistic_tables())

    def push(self, stack: Stack, symbols: Ints) -> None:
        """Push symbols of shape (n,)."""
        stack.push(*self.intervals(symbols), self.precision)

    def pop(self, stack: Stack) -> Ints:
        """uint8 (n,)."""
        out = np.empty(self.means.size, np.uint8)
        stack.settle(*_pop_logistic(*_head(stack), self.means, self.log_scales, *logistic_tables(), out))
        return out


class LogisticMixture:
    """Σ_k w_k logistic(μ_k, s_k), each as in :class:`Logistic`.

    Args:
        means, log_scales: int32 (n, components).
        weight_logits: ln w_k + constant in units of 2^−WEIGHT_LOGIT_BITS, int32 (n, components).
    """

    precision = LOGISTIC_PRECISION

    def __init__(self, means: Ints, log_scales: Ints, weight_logits: Ints) -> None:
        self.means, self.log_scales, self.weights = means, log_scales, integer_softmax(weight_logits)

    def intervals(self, symbols: Ints) -> tuple[Ints, Ints]:
        """Symbols 0 … 255, shape (n,)."""
        arguments = self.means, self.log_scales, self.weights, *logistic_tables()
        return _intervals_mixture(symbols, *arguments)

    def push(self, stack: Stack, symbols: Ints) -> None:
        """Push symbols of shape (n,)."""
        stack.push(*self.intervals(symbols), self.precision)

    def pop(self, stack: Stack) -> Ints:
        """uint8 (n,)."""
        out = np.empty(len(self.means), np.uint8)
        arguments = self.means, self.log_scales, self.weights, *logistic_tables()
        stack.settle(*_pop_mixture(*_head(stack), *arguments, out))
        return out


class ColourLogistic:
    """RGB pixels, channel-wise linear autoregressive logistic:
    μ_G += a (R − 128), μ_B += b (R − 128) + c (G − 128).

    Args:
        means, log_scales: as in :class:`Logistic`, int32 (n, 3).
        coefficients: a, b, c in units of 2^−COEFFICIENT_BITS, int32 (n, 3).
    """

    precision = LOGISTIC_PRECISION

    def __init__(self, means: Ints, log_scales: Ints, coefficients: Ints) -> None:
        self.means, self.log_scales, self.coefficients = means, log_scales, coefficients

    def intervals(self, symbols: Ints) -> tuple[Ints, Ints]:
        """Pixels (n, 3); the intervals come blue, green, red, so that red is popped first."""
        means = shifted_means(symbols, self.means, self.coefficients)
        starts, freqs = Logistic(means.ravel(), self.log_scales.ravel()).intervals(symbols.ravel())
        return starts.reshape(-1, 3)[:, ::-1], freqs.reshape(-1, 3)[:, ::-1]

    def push(self, stack: Stack, symbols: Ints) -> None:
        """Push pixels of shape (n, 3)."""
        stack.push(*self.intervals(symbols), self.precision)

    def pop(self, stack: Stack) -> Ints:
        """uint8 (n, 3)."""
        out = np.empty(self.means.shape, np.uint8)
        arguments = self.means, self.log_scales, self.coefficients, *logistic_tables()
        stack.settle(*_pop_colour(*_head(stack), *arguments, out))
        return out


class Gaussian:
    """N(μ, σ²) on the latent grid: bin k is centred at (k − LATENT_BINS/2) · 2^−LATENT_BITS. Bins far from
    μ have freq 0.

    Args:
        means: in units of 2^−POSTERIOR_MEAN_BITS, int32 (n,), |mean| ≤ POSTERIOR_MEAN_BOUND.
        log_sigmas: ln σ in units of 2^−LOG_SIGMA_BITS, int32 (n,).
    """

    precision = GAUSSIAN_PRECISION

    def __init__(self, means: Ints, log_sigmas: Ints) -> None:
        self.means, self.log_sigmas = means, log_sigmas

    def intervals(self, symbols: Ints) -> tuple[Ints, Ints]:
        """Bins 0 … LATENT_BINS − 1, shape (n,)."""
        return _intervals_gaussian(symbols, self.means, self.log_sigmas, *_gaussian_tables())

    def push(self, stack: Stack, symbols: Ints) -> None:
        """Push bins of shape (n,).

        Raises:
            FormatError: there is one that :meth:`pop` never gives, so they come from damaged data.
        """
        starts, freqs = self.intervals(symbols)
        if not freqs.all():
            raise FormatError("the coded data is damaged")
        stack.push(starts, freqs, self.precision)

    def pop(self, stack: Stack) -> Ints:
        """int32 (n,)."""
        out = np.empty(self.means.size, np.int32)
        stack.settle(*_pop_gaussian(*_head(stack), self.means, self.log_sigmas, *_gaussian_tables(), out))
        return out


class StandardNormal:
    """N(0, 1) on the latent grid, or on one 2^coarse times as wide.

    Args:
        coarse: per symbol, int64 (n,); symbols are 0 … (LATENT_BINS >> coarse) − 1, and a
            coarse bin is the union of the fine ones that it covers.
    """

    precision = GAUSSIAN_PRECISION

    def __init__(self, coarse: Ints) -> None:
        self.coarse = coarse

    def intervals(self, symbols: Ints) -> tuple[Ints, Ints]:
        """Symbols of shape (n,)."""
        cdf = _prior_cdf()
        fine = symbols.astype(np.int64)
        starts = cdf[fine << self.coarse]
        return starts, cdf[(fine + 1) << self.coarse] - starts

    def push(self, stack: Stack, symbols: Ints) -> None:
        """Push symbols of shape (n,)."""
        stack.push(*self.intervals(symbols), self.precision)

    def pop(self, stack: Stack) -> Ints:
        """int32 (n,)."""
        out = np.empty(self.coarse.size, np.int32)
        stack.settle(*_pop_table(*_head(stack), _prior_cdf(), self.coarse, np.uint64(self.precision), out))
        return out


def bits(intervals: tuple[Ints, Ints], precision: int) -> NDArray[np.float64]:
    """−log2 of the probability of each interval (a report, not on the coding path)."""
    return precision - np.log2(intervals[1].astype(np.float64))


def costs(intervals: tuple[Ints, Ints]) -> NDArray[np.int64]:
    """−log2 of the frequency of each interval in units of 2^−16 bits, negative: for comparing
    ways to code, on the coding path, up to a constant that is the precision."""
    nats = log(backend(), intervals[1].astype(np.float64))
    return -np.floor(nats * (65536.0 * 1.4426950408889634)).astype(np.int64)


def shifted_means(pixels: Ints, means: Ints, coefficients: Ints) -> Ints:
    """The means of :class:`ColourLogistic` given the earlier channels, int32 (n, 3)."""
    red, green = (pixels[:, i].astype(np.int32) - 128 for i in range(2))
    a, b, c = coefficients.T
    shift = COEFFICIENT_BITS - MEAN_BITS
    out = means.copy()
    out[:, 1] += (a * red) >> shift
    out[:, 2] += (b * red + c * green) >> shift
    return out


def integer_softmax(logits: Ints) -> Ints:
    """Weights that sum to 2^WEIGHT_BITS, int64 (n, components), from logits on the grid of 2^−WEIGHT_LOGIT_BITS.

    What the division leaves over goes to the largest component.
    """
    span = 40 << WEIGHT_LOGIT_BITS
    table = tables.reciprocal_exp(range(span + 1), WEIGHT_LOGIT_BITS, 30)
    below = logits.max(axis=1, keepdims=True).astype(np.int64) - logits
    powers = table[np.minimum(below, span)]
    weights = (powers << WEIGHT_BITS) // powers.sum(axis=1, keepdims=True)
    rows = np.arange(len(weights))
    weights[rows, logits.argmax(axis=1)] += (1 << WEIGHT_BITS) - weights.sum(axis=1)
    return weights


@lru_cache
def _zero_frequencies() -> Ints:
    """freq of symbol 0 of a Bernoulli for logit = −LOGIT_BOUND … LOGIT_BOUND."""
    logits = np.arange(-LOGIT_BOUND, LOGIT_BOUND + 1) / float(1 << LOGIT_BITS)
    total = (1 << BERNOULLI_PRECISION) - 2
    return 1 + np.floor(tables.sigmoid(-logits) * total + 0.5).astype(np.int64)


@lru_cache
def logistic_tables() -> tuple[Ints, Ints]:
    """The logistic distribution function and 1/s for every log scale."""
    bits_of_reciprocal = _SCALE_BITS + tables.ARGUMENT_BITS - MEAN_BITS
    scales = tables.reciprocal_exp(range(LOG_SCALE_LOW, LOG_SCALE_HIGH + 1), LOG_SCALE_BITS, bits_of_reciprocal)
    return tables.logistic_cdf(), scales


@lru_cache
def _gaussian_tables() -> tuple[Ints, Ints]:
    """The normal distribution function and 1/σ for every log standard deviation."""
    bits_of_reciprocal = _SCALE_BITS + tables.ARGUMENT_BITS - POSTERIOR_MEAN_BITS
    scales = tables.reciprocal_exp(range(LOG_SIGMA_LOW, LOG_SIGMA_HIGH + 1), LOG_SIGMA_BITS, bits_of_reciprocal)
    return tables.gaussian_cdf(), scales


@lru_cache
def _prior_cdf() -> Ints:
    """Cumulative frequencies of N(0, 1) at the edges of the fine bins, none of which is without any."""
    zeros, bins = np.zeros(LATENT_BINS, np.int32), np.arange(LATENT_BINS, dtype=np.int32)
    starts, _ = Gaussian(zeros, zeros).intervals(bins)
    spread = (1 << GAUSSIAN_PRECISION) - LATENT_BINS
    return np.append(bins + ((starts * spread) >> GAUSSIAN_PRECISION), 1 << GAUSSIAN_PRECISION)


def _head(stack: Stack) -> tuple[np.uint64, NDArray[np.uint32], int]:
    return np.uint64(stack.state), stack.words, stack.size


# --- kernels: integers in, integers out -------------------------------------------------

_STEP = tables.ARGUMENT_BITS - tables.STEP_BITS
_STEP_MASK = (1 << _STEP) - 1
_PROBABILITY_BITS = tables.PROBABILITY_BITS
_LOGISTIC_EDGE = tables.LOGISTIC_RANGE << tables.ARGUMENT_BITS
_GAUSSIAN_EDGE = tables.GAUSSIAN_RANGE << tables.ARGUMENT_BITS
_LOGISTIC_SPREAD = (1 << LOGISTIC_PRECISION) - LEVELS
_HALF_BIN = 1 << (POSTERIOR_MEAN_BITS - LATENT_BITS - 1)
_COLOUR_SHIFT = COEFFICIENT_BITS - MEAN_BITS


@inline
def _interpolate(table, t, edge):  # type: ignore[no-untyped-def]
    """F(t) out of 2^PROBABILITY_BITS, t in units of 2^−ARGUMENT_BITS."""
    if t <= -edge:
        return np.int64(0)
    if t >= edge:
        return table[table.size - 1]
    t += edge
    i = t >> _STEP
    return table[i] + (((table[i + 1] - table[i]) * (t & _STEP_MASK)) >> _STEP)


@inline
def _logistic(x, mean, log_scale, table, scales):  # type: ignore[no-untyped-def]
    """σ((x − ½ − μ)/s) for 0 < x < 256, out of 2^PROBABILITY_BITS."""
    distance = (np.int64(x) << MEAN_BITS) - (1 << (MEAN_BITS - 1)) - np.int64(mean)
    return _interpolate(table, (distance * scales[log_scale - LOG_SCALE_LOW]) >> _SCALE_BITS, _LOGISTIC_EDGE)


@inline
def _cumulative(x, probability):  # type: ignore[no-untyped-def]
    return x + ((probability * _LOGISTIC_SPREAD) >> _PROBABILITY_BITS)


@inline
def _cdf_logistic(x, mean, log_scale, table, scales):  # type: ignore[no-untyped-def]
    if x <= 0:
        return np.int64(0)
    if x >= LEVELS:
        return np.int64(1 << LOGISTIC_PRECISION)
    return _cumulative(x, _logistic(x, mean, log_scale, table, scales))


@inline
def cdf_mixture(x, means, log_scales, weights, table, scales):  # type: ignore[no-untyped-def]
    """P(X < x) of one mixture out of 2^LOGISTIC_PRECISION, for kernels here and elsewhere."""
    if x <= 0:
        return np.int64(0)
    if x >= LEVELS:
        return np.int64(1 << LOGISTIC_PRECISION)
    total = np.int64(0)
    for k in range(means.size):
        total += weights[k] * _logistic(x, means[k], log_scales[k], table, scales)
    return _cumulative(x, total >> WEIGHT_BITS)


@inline
def _cdf_gaussian(k, mean, log_sigma, table, scales):  # type: ignore[no-untyped-def]
    if k <= 0:
        return np.int64(0)
    if k >= LATENT_BINS:
        return np.int64(1 << GAUSSIAN_PRECISION)
    distance = ((np.int64(k) - LATENT_BINS // 2) << (POSTERIOR_MEAN_BITS - LATENT_BITS)) - _HALF_BIN - np.int64(mean)
    return _interpolate(table, (distance * scales[log_sigma - LOG_SIGMA_LOW]) >> _SCALE_BITS, _GAUSSIAN_EDGE)


@jit
def _intervals_logistic(symbols, means, log_scales, table, scales):  # type: ignore[no-untyped-def]
    starts, freqs = np.empty(symbols.size, np.int64), np.empty(symbols.size, np.int64)
    for i in range(symbols.size):
        x = np.int64(symbols[i])
        starts[i] = _cdf_logistic(x, means[i], log_scales[i], table, scales)
        freqs[i] = _cdf_logistic(x + 1, means[i], log_scales[i], table, scales) - starts[i]
    return starts, freqs


@jit
def _intervals_mixture(symbols, means, log_scales, weights, table, scales):  # type: ignore[no-untyped-def]
    starts, freqs = np.empty(symbols.size, np.int64), np.empty(symbols.size, np.int64)
    for i in range(symbols.size):
        x = np.int64(symbols[i])
        starts[i] = cdf_mixture(x, means[i], log_scales[i], weights[i], table, scales)
        freqs[i] = cdf_mixture(x + 1, means[i], log_scales[i], weights[i], table, scales) - starts[i]
    return starts, freqs


@jit
def _intervals_gaussian(symbols, means, log_sigmas, table, scales):  # type: ignore[no-untyped-def]
    starts, freqs = np.empty(symbols.size, np.int64), np.empty(symbols.size, np.int64)
    for i in range(symbols.size):
        k = np.int64(symbols[i])
        starts[i] = _cdf_gaussian(k, means[i], log_sigmas[i], table, scales)
        freqs[i] = _cdf_gaussian(k + 1, means[i], log_sigmas[i], table, scales) - starts[i]
    return starts, freqs


@jit
def _pop_uniform(state, words, size, precision, out):  # type: ignore[no-untyped-def]
    for i in range(out.size - 1, -1, -1):
        slot = slot_of(state, precision)
        state, size = drop(state, words, size, slot, np.uint64(1), precision)
        out[i] = slot
    return state, size


@jit
def _pop_bernoulli(state, words, size, logits, zero_frequencies, out):  # type: ignore[no-untyped-def]
    precision = np.uint64(BERNOULLI_PRECISION)
    one = np.uint64(1 << BERNOULLI_PRECISION)
    for i in range(out.size - 1, -1, -1):
        zeros = np.uint64(zero_frequencies[logits[i] + LOGIT_BOUND])
        if slot_of(state, precision) < zeros:
            out[i] = 0
            state, size = drop(state, words, size, np.uint64(0), zeros, precision)
        else:
            out[i] = 1
            state, size = drop(state, words, size, zeros, one - zeros, precision)
    return state, size


@inline
def _pop_one_logistic(state, words, size, mean, log_scale, table, scales):  # type: ignore[no-untyped-def]
    precision = np.uint64(LOGISTIC_PRECISION)
    slot = np.int64(slot_of(state, precision))
    low, high = np.int64(0), np.int64(LEVELS)
    start, end = np.int64(0), np.int64(1 << LOGISTIC_PRECISION)
    while high - low > 1:
        middle = (low + high) >> 1
        value = _cdf_logistic(middle, mean, log_scale, table, scales)
        if value <= slot:
            low, start = middle, value
        else:
            high, end = middle, value
    state, size = drop(state, words, size, np.uint64(start), np.uint64(end - start), precision)
    return state, size, low


@jit
def _pop_logistic(state, words, size, means, log_scales, table, scales, out):  # type: ignore[no-untyped-def]
    for i in range(out.size - 1, -1, -1):
        state, size, x = _pop_one_logistic(state, words, size, means[i], log_scales[i], table, scales)
        out[i] = x
    return state, size


@jit
def _pop_colour(state, words, size, means, log_scales, coefficients, table, scales, out):  # type: ignore[no-untyped-def]
    for i in range(len(out) - 1, -1, -1):
        state, size, red = _pop_one_logistic(state, words, size, means[i, 0], log_scales[i, 0], table, scales)
        a, b, c = np.int64(coefficients[i, 0]), np.int64(coefficients[i, 1]), np.int64(coefficients[i, 2])
        mean = means[i, 1] + ((a * (red - 128)) >> _COLOUR_SHIFT)
        state, size, green = _pop_one_logistic(state, words, size, mean, log_scales[i, 1], table, scales)
        mean = means[i, 2] + ((b * (red - 128) + c * (green - 128)) >> _COLOUR_SHIFT)
        state, size, blue = _pop_one_logistic(state, words, size, mean, log_scales[i, 2], table, scales)
        out[i, 0], out[i, 1], out[i, 2] = red, green, blue
    return state, size


@inline
def pop_one_mixture(state, words, size, means, log_scales, weights, table, scales):  # type: ignore[no-untyped-def]
    """Take one mixture's symbol off the stack, for kernels here and elsewhere: (state, size, symbol)."""
    precision = np.uint64(LOGISTIC_PRECISION)
    slot = np.int64(slot_of(state, precision))
    low, high = np.int64(0), np.int64(LEVELS)
    start, end = np.int64(0), np.int64(1 << LOGISTIC_PRECISION)
    while high - low > 1:
        middle = (low + high) >> 1
        value = cdf_mixture(middle, means, log_scales, weights, table, scales)
        if value <= slot:
            low, start = middle, value
        else:
            high, end = middle, value
    state, size = drop(state, words, size, np.uint64(start), np.uint64(end - start), precision)
    return state, size, low


@jit
def _pop_mixture(state, words, size, means, log_scales, weights, table, scales, out):  # type: ignore[no-untyped-def]
    for i in range(out.size - 1, -1, -1):
        state, size, x = pop_one_mixture(state, words, size, means[i], log_scales[i], weights[i], table, scales)
        out[i] = x
    return state, size


@jit
def _pop_gaussian(state, words, size, means, log_sigmas, table, scales, out):  # type: ignore[no-untyped-def]
    precision = np.uint64(GAUSSIAN_PRECISION)
    for i in range(out.size - 1, -1, -1):
        slot = np.int64(slot_of(state, precision))
        low, high = np.int64(0), np.int64(LATENT_BINS)
        start, end = np.int64(0), np.int64(1 << GAUSSIAN_PRECISION)
        while high - low > 1:
            middle = (low + high) >> 1
            value = _cdf_gaussian(middle, means[i], log_sigmas[i], table, scales)
            if value <= slot:
                low, start = middle, value
            else:
                high, end = middle, value
        state, size = drop(state, words, size, np.uint64(start), np.uint64(end - start), precision)
        out[i] = low
    return state, size


@jit
def _pop_table(state, words, size, cdf, coarse, precision, out):  # type: ignore[no-untyped-def]
    for i in range(out.size - 1, -1, -1):
        slot = np.int64(slot_of(state, precision))
        shift = coarse[i]
        low, high = np.int64(0), np.int64((cdf.size - 1) >> shift)
        while high - low > 1:
            middle = (low + high) >> 1
            if cdf[middle << shift] <= slot:
                low = middle
            else:
                high = middle
        start = cdf[low << shift]
        freq = cdf[(low + 1) << shift] - start
        state, size = drop(state, words, size, np.uint64(start), np.uint64(freq), precision)
        out[i] = low
    return state, size
