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

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import grids, kernels
from vaezip.entropy.grids import *  # noqa: F403 (callers name the grids as those of the distributions)
from vaezip.entropy.stack import Stack
from vaezip.errors import FormatError
from vaezip.exact import backend, tables
from vaezip.exact.elementwise import log
from vaezip.system.spans import timed

Ints = NDArray[Any]
"""Integer arrays; parameters are int32, symbols uint8 or int32."""


class Distribution(ABC):
    """An array of independent symbols, each with its own parameters.

    Attributes:
        precision: log2 of the sum of the frequencies of all values of a symbol.
    """

    precision: int

    @abstractmethod
    def intervals(self, symbols: Ints) -> tuple[Ints, Ints]:
        """Return the starts and freqs of symbols out of 2^precision, in the order of pushing."""

    def push(self, stack: Stack, symbols: Ints) -> None:
        """Push symbols."""
        stack.push(*self.intervals(symbols), self.precision)

    @abstractmethod
    def pop(self, stack: Stack) -> Ints:
        """Pop symbols, and return them in the shape in which they are pushed.

        Raises:
            StackExhausted: the stack holds too few bits; it is as it was.
        """


class Uniform(Distribution):
    """2^bits equally likely symbols."""

    @timed("distributions")
    def __init__(self, bits: int, count: int) -> None:
        self.precision, self.count = bits, count

    @timed("distributions")
    def intervals(self, symbols: Ints) -> tuple[Ints, Ints]:
        """Return the intervals of symbols 0 … 2^bits − 1."""
        starts = symbols.astype(np.int64)
        return starts, np.ones_like(starts)

    @timed("distributions and stack")
    def pop(self, stack: Stack) -> Ints:
        """Pop symbols, int64 (count,)."""
        out = np.empty(self.count, np.int64)
        stack.run(kernels.pop_uniform, np.uint64(self.precision), out)
        return out


class Bernoulli(Distribution):
    """x ∈ {0, 1}, p(x = 1) = σ(logit · 2^−LOGIT_BITS); logits int32 (n,), |logit| ≤ LOGIT_BOUND."""

    precision = grids.BERNOULLI_PRECISION

    @timed("distributions")
    def __init__(self, logits: Ints) -> None:
        self.logits = logits

    @timed("distributions")
    def intervals(self, symbols: Ints) -> tuple[Ints, Ints]:
        """Return the intervals of symbols of shape (n,); 0 lies below 1."""
        zeros = _zero_frequencies()[self.logits + grids.LOGIT_BOUND]
        ones = symbols.astype(bool)
        return np.where(ones, zeros, 0), np.where(ones, (1 << self.precision) - zeros, zeros)

    @timed("distributions and stack")
    def pop(self, stack: Stack) -> Ints:
        """Pop symbols, uint8 (n,)."""
        out = np.empty(self.logits.size, np.uint8)
        stack.run(kernels.pop_bernoulli, self.logits, _zero_frequencies(), out)
        return out


class Logistic(Distribution):
    """Discretized logistic on 0 … 255: P(X < x) = σ((x − ½ − μ)/s).

    Args:
        means: μ in units of 2^−MEAN_BITS pixel values, int32 (n,).
        log_scales: ln s in units of 2^−LOG_SCALE_BITS, int32 (n,).
    """

    precision = grids.LOGISTIC_PRECISION

    @timed("distributions")
    def __init__(self, means: Ints, log_scales: Ints) -> None:
        self.means, self.log_scales = means, log_scales

    @timed("distributions")
    def intervals(self, symbols: Ints) -> tuple[Ints, Ints]:
        """Return the intervals of symbols 0 … 255 of shape (n,)."""
        return kernels.intervals_logistic(symbols, self.means, self.log_scales, *logistic_tables())

    @timed("distributions and stack")
    def pop(self, stack: Stack) -> Ints:
        """Pop symbols, uint8 (n,)."""
        out = np.empty(self.means.size, np.uint8)
        stack.run(kernels.pop_logistic, self.means, self.log_scales, *logistic_tables(), out)
        return out


class LogisticMixture(Distribution):
    """Σ_k w_k logistic(μ_k, s_k), each as in :class:`Logistic`.

    Args:
        means, log_scales: int32 (n, components).
        weight_logits: ln w_k + constant in units of 2^−WEIGHT_LOGIT_BITS, int32 (n, components).
    """

    precision = grids.LOGISTIC_PRECISION

    @timed("distributions")
    def __init__(self, means: Ints, log_scales: Ints, weight_logits: Ints) -> None:
        self.means, self.log_scales, self.weights = means, log_scales, integer_softmax(weight_logits)

    @timed("distributions")
    def intervals(self, symbols: Ints) -> tuple[Ints, Ints]:
        """Return the intervals of symbols 0 … 255 of shape (n,)."""
        return kernels.intervals_mixture(symbols, *self._parameters())

    @timed("distributions and stack")
    def pop(self, stack: Stack) -> Ints:
        """Pop symbols, uint8 (n,)."""
        out = np.empty(len(self.means), np.uint8)
        stack.run(kernels.pop_mixture, *self._parameters(), out)
        return out

    def _parameters(self) -> tuple[Ints, ...]:
        return self.means, self.log_scales, self.weights, *logistic_tables()


class ColourLogistic(Distribution):
    """RGB pixels, channel-wise linear autoregressive logistic:
    μ_G += a (R − 128), μ_B += b (R − 128) + c (G − 128).

    Args:
        means, log_scales: as in :class:`Logistic`, int32 (n, 3).
        coefficients: a, b, c in units of 2^−COEFFICIENT_BITS, int32 (n, 3).
    """

    precision = grids.LOGISTIC_PRECISION

    @timed("distributions")
    def __init__(self, means: Ints, log_scales: Ints, coefficients: Ints) -> None:
        self.means, self.log_scales, self.coefficients = means, log_scales, coefficients

    @timed("distributions")
    def intervals(self, symbols: Ints) -> tuple[Ints, Ints]:
        """Return the intervals of pixels (n, 3), blue, green, red, so that red is popped first."""
        means = shifted_means(symbols, self.means, self.coefficients)
        starts, freqs = Logistic(means.ravel(), self.log_scales.ravel()).intervals(symbols.ravel())
        return starts.reshape(-1, 3)[:, ::-1], freqs.reshape(-1, 3)[:, ::-1]

    @timed("distributions and stack")
    def pop(self, stack: Stack) -> Ints:
        """Pop pixels, uint8 (n, 3)."""
        out = np.empty(self.means.shape, np.uint8)
        stack.run(kernels.pop_colour, self.means, self.log_scales, self.coefficients, *logistic_tables(), out)
        return out


class Gaussian(Distribution):
    """N(μ, σ²) on the latent grid: bin k is centred at (k − LATENT_BINS/2) · 2^−LATENT_BITS. Bins far from
    μ have freq 0.

    Args:
        means: in units of 2^−POSTERIOR_MEAN_BITS, int32 (n,), |mean| ≤ POSTERIOR_MEAN_BOUND.
        log_sigmas: ln σ in units of 2^−LOG_SIGMA_BITS, int32 (n,).
    """

    precision = grids.GAUSSIAN_PRECISION

    @timed("distributions")
    def __init__(self, means: Ints, log_sigmas: Ints) -> None:
        self.means, self.log_sigmas = means, log_sigmas

    @timed("distributions")
    def intervals(self, symbols: Ints) -> tuple[Ints, Ints]:
        """Return the intervals of bins 0 … LATENT_BINS − 1 of shape (n,)."""
        return kernels.intervals_gaussian(symbols, self.means, self.log_sigmas, *_gaussian_tables())

    def push(self, stack: Stack, symbols: Ints) -> None:
        """Push bins of shape (n,).

        Raises:
            FormatError: there is a bin that :meth:`pop` never returns, so they come from damaged data.
        """
        starts, freqs = self.intervals(symbols)
        if not freqs.all():
            raise FormatError("the coded data is damaged")
        stack.push(starts, freqs, self.precision)

    @timed("distributions and stack")
    def pop(self, stack: Stack) -> Ints:
        """Pop bins, int32 (n,)."""
        out = np.empty(self.means.size, np.int32)
        stack.run(kernels.pop_gaussian, self.means, self.log_sigmas, *_gaussian_tables(), out)
        return out


class StandardNormal(Distribution):
    """N(0, 1) on the latent grid, or on one 2^coarse times as wide.

    Args:
        coarse: per symbol, int64 (n,); symbols are 0 … (LATENT_BINS >> coarse) − 1, and a
            coarse bin is the union of the fine ones that it covers.
    """

    precision = grids.GAUSSIAN_PRECISION

    @timed("distributions")
    def __init__(self, coarse: Ints) -> None:
        self.coarse = coarse

    @timed("distributions")
    def intervals(self, symbols: Ints) -> tuple[Ints, Ints]:
        """Return the intervals of bins of shape (n,)."""
        cdf = _prior_cdf()
        fine = symbols.astype(np.int64)
        starts = cdf[fine << self.coarse]
        return starts, cdf[(fine + 1) << self.coarse] - starts

    @timed("distributions and stack")
    def pop(self, stack: Stack) -> Ints:
        """Pop bins, int32 (n,)."""
        out = np.empty(self.coarse.size, np.int32)
        stack.run(kernels.pop_normal, _prior_cdf(), self.coarse, out)
        return out


def bits(intervals: tuple[Ints, Ints], precision: int) -> NDArray[np.float64]:
    """Return −log2 of the probability of each interval (a report, not on the coding path)."""
    return precision - np.log2(intervals[1].astype(np.float64))


def costs(intervals: tuple[Ints, Ints]) -> NDArray[np.int64]:
    """Return −log2 of the frequency of each interval, in units of 2^−16 bits.

    The precision, a constant, is left out, so the costs are negative: they compare ways to code, on the coding path.
    """
    nats = log(backend(), intervals[1].astype(np.float64))
    return -np.floor(nats * (65536.0 * 1.4426950408889634)).astype(np.int64)


def shifted_means(pixels: Ints, means: Ints, coefficients: Ints) -> Ints:
    """Move the means of :class:`ColourLogistic` by the earlier channels; int32 (n, 3)."""
    red, green = (pixels[:, i].astype(np.int32) - 128 for i in range(2))
    a, b, c = coefficients.T
    shift = grids.COEFFICIENT_BITS - grids.MEAN_BITS
    out = means.copy()
    out[:, 1] += (a * red) >> shift
    out[:, 2] += (b * red + c * green) >> shift
    return out


def integer_softmax(logits: Ints) -> Ints:
    """Turn logits on the grid of 2^−WEIGHT_LOGIT_BITS into weights that sum to 2^WEIGHT_BITS, int64 (n, components).

    What the division leaves over goes to the first of the largest components.
    """
    weights = np.empty(logits.shape, np.int64)
    kernels.softmax_rows(logits, weight_powers(), weights)
    return weights


@lru_cache
def _zero_frequencies() -> Ints:
    """Return the freq of symbol 0 of a Bernoulli for logit = −LOGIT_BOUND … LOGIT_BOUND."""
    logits = np.arange(-grids.LOGIT_BOUND, grids.LOGIT_BOUND + 1) / float(1 << grids.LOGIT_BITS)
    total = (1 << grids.BERNOULLI_PRECISION) - 2
    return 1 + np.floor(tables.sigmoid(-logits) * total + 0.5).astype(np.int64)


@lru_cache
def weight_powers() -> Ints:
    """Return e^−x on the grid of the weights' logits, out of 2^30."""
    return tables.reciprocal_exp(range(grids.WEIGHT_SPAN + 1), grids.WEIGHT_LOGIT_BITS, 30)


@lru_cache
def logistic_tables() -> tuple[Ints, Ints]:
    """Return the logistic distribution function and 1/s for every log scale."""
    log_scales = range(grids.LOG_SCALE_LOW, grids.LOG_SCALE_HIGH + 1)
    scale_bits = grids.SCALE_BITS + tables.ARGUMENT_BITS - grids.MEAN_BITS
    scales = tables.reciprocal_exp(log_scales, grids.LOG_SCALE_BITS, scale_bits)
    return tables.logistic_cdf(), scales


@lru_cache
def _gaussian_tables() -> tuple[Ints, Ints]:
    """Return the normal distribution function and 1/σ for every log standard deviation."""
    log_sigmas = range(grids.LOG_SIGMA_LOW, grids.LOG_SIGMA_HIGH + 1)
    scale_bits = grids.SCALE_BITS + tables.ARGUMENT_BITS - grids.POSTERIOR_MEAN_BITS
    scales = tables.reciprocal_exp(log_sigmas, grids.LOG_SIGMA_BITS, scale_bits)
    return tables.gaussian_cdf(), scales


@lru_cache
def _prior_cdf() -> Ints:
    """Return the cumulative frequencies of N(0, 1) at the edges of the fine bins; every bin has some."""
    zeros, bins = np.zeros(grids.LATENT_BINS, np.int32), np.arange(grids.LATENT_BINS, dtype=np.int32)
    starts, _ = Gaussian(zeros, zeros).intervals(bins)
    spread = (1 << grids.GAUSSIAN_PRECISION) - grids.LATENT_BINS
    return np.append(bins + ((starts * spread) >> grids.GAUSSIAN_PRECISION), 1 << grids.GAUSSIAN_PRECISION)
