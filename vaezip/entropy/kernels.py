"""The distributions' compiled functions: integers in, integers out.

A *distribution function* here is a compiled cdf(x, of): the probability of the symbols below x, out of
2^precision, under the parameters ``of``, which are a tuple. It is 0 at 0, 2^precision at the number of symbols, and
monotone between. Two values of it are an interval to push; :func:`_pop_one` bisects it.

Kernels that pop take the stack's (state, words, size) first, and return its new (state, size); see
:meth:`vaezip.entropy.stack.Stack.run`. They go through the symbols from the last to the first.
"""

from __future__ import annotations

import math

import numpy as np

from vaezip.entropy import grids
from vaezip.entropy.stack import drop, slot_of
from vaezip.exact import tables
from vaezip.exact.jit import borrowing, inline, jit

_STEP = tables.ARGUMENT_BITS - tables.STEP_BITS
_STEP_MASK = (1 << _STEP) - 1
_PROBABILITY_BITS = tables.PROBABILITY_BITS
_LOGISTIC_EDGE = tables.LOGISTIC_RANGE << tables.ARGUMENT_BITS
_GAUSSIAN_EDGE = tables.GAUSSIAN_RANGE << tables.ARGUMENT_BITS
_LOGISTIC_SPREAD = (1 << grids.LOGISTIC_PRECISION) - grids.LEVELS
_LATENT_STEP = grids.POSTERIOR_MEAN_BITS - grids.LATENT_BITS
_COLOUR_SHIFT = grids.COEFFICIENT_BITS - grids.MEAN_BITS

_PLACE_BITS, _LIKELY_ERROR = 6, 0.125
_PLACES = np.array([math.log(odd / ((2 << _PLACE_BITS) - odd)) * 0.55 for odd in range(1, 2 << _PLACE_BITS, 2)])
"""Where a logistic has each of so many equal shares of its probability, in standard deviations from its mean. A symbol
is only looked for from there, and found wherever it is; so this need not be exact."""


# --- distribution functions ---


@inline
def _interpolate(table, t, edge):
    """Read F(t) out of 2^PROBABILITY_BITS; t in units of 2^−ARGUMENT_BITS."""
    if t <= -edge:
        return np.int64(0)
    if t >= edge:
        return table[table.size - 1]
    t += edge
    i = t >> _STEP
    return table[i] + (((table[i + 1] - table[i]) * (t & _STEP_MASK)) >> _STEP)


@inline
def _logistic(x, mean, log_scale, table, scales):
    """Compute σ((x − ½ − μ)/s) for 0 < x < 256, out of 2^PROBABILITY_BITS."""
    distance = (np.int64(x) << grids.MEAN_BITS) - (1 << (grids.MEAN_BITS - 1)) - np.int64(mean)
    t = (distance * scales[log_scale - grids.LOG_SCALE_LOW]) >> grids.SCALE_BITS
    return _interpolate(table, t, _LOGISTIC_EDGE)


@inline
def _cumulative(x, probability):
    """Add the frequency of 1 of each of the x symbols below to the share of the probability in the others."""
    return x + ((probability * _LOGISTIC_SPREAD) >> _PROBABILITY_BITS)


@inline
def _cdf_logistic(x, of):
    mean, log_scale, table, scales = of
    if x <= 0:
        return np.int64(0)
    if x >= grids.LEVELS:
        return np.int64(1 << grids.LOGISTIC_PRECISION)
    return _cumulative(x, _logistic(x, mean, log_scale, table, scales))


@inline
def cdf_mixture(x, means, log_scales, weights, table, scales):
    """Compute P(X < x) of a mixture out of 2^LOGISTIC_PRECISION, for kernels here and elsewhere."""
    if x <= 0:
        return np.int64(0)
    if x >= grids.LEVELS:
        return np.int64(1 << grids.LOGISTIC_PRECISION)
    total = np.int64(0)
    for k in range(means.size):
        total += weights[k] * _logistic(x, means[k], log_scales[k], table, scales)
    return _cumulative(x, total >> grids.WEIGHT_BITS)


@inline
def _cdf_mixture(x, of):
    means, log_scales, weights, table, scales = of
    return cdf_mixture(x, means, log_scales, weights, table, scales)


@inline
def _cdf_gaussian(k, of):
    mean, log_sigma, table, scales = of
    if k <= 0:
        return np.int64(0)
    if k >= grids.LATENT_BINS:
        return np.int64(1 << grids.GAUSSIAN_PRECISION)
    edge = ((np.int64(k) - grids.LATENT_BINS // 2) << _LATENT_STEP) - (1 << (_LATENT_STEP - 1))
    t = ((edge - np.int64(mean)) * scales[log_sigma - grids.LOG_SIGMA_LOW]) >> grids.SCALE_BITS
    return _interpolate(table, t, _GAUSSIAN_EDGE)


@inline
def _cdf_table(x, of):
    cdf, shift = of
    return cdf[x << shift]


# --- one symbol ---


@inline
def _interval(cdf, of, symbol):
    """Return the start and the frequency of a symbol."""
    start = cdf(symbol, of)
    return start, cdf(symbol + 1, of) - start


@inline
def _pop_near(state, words, size, cdf, of, symbols, precision, guess, step):
    """Take one of so many symbols off the stack, and return (state, size, symbol).

    It is looked for from a guess on, 0 < guess < symbols, in steps of which each is twice as long, and then by halves.
    """
    slot = np.int64(slot_of(state, np.uint64(precision)))
    low, high = np.int64(0), np.int64(symbols)
    start, end = np.int64(0), np.int64(1 << precision)
    probe, step = np.int64(guess), np.int64(step)
    while high - low > 1:
        value = cdf(probe, of)
        if value <= slot:
            low, start = probe, value
        else:
            high, end = probe, value
        if high == symbols and low + step < symbols:
            probe, step = low + step, step << 1
        elif low == 0 and high > step:
            probe, step = high - step, step << 1
        else:
            probe = (low + high) >> 1
    state, size = drop(state, words, size, np.uint64(start), np.uint64(end - start), np.uint64(precision))
    return state, size, low


@inline
def _pop_one(state, words, size, cdf, of, symbols, precision):
    """Take one of so many symbols off the stack, and return (state, size, symbol)."""
    return _pop_near(state, words, size, cdf, of, symbols, precision, symbols >> 1, max(1, symbols >> 2))


@inline
def pop_one_mixture(state, words, size, means, log_scales, weights, table, scales, mean, spread):
    """Take one mixture's symbol off the stack, and return (state, size, symbol). It is looked for from where it would
    be if the mixture were one logistic of about its mean and spread."""
    of = means, log_scales, weights, table, scales
    levels, precision = grids.LEVELS, grids.LOGISTIC_PRECISION
    place = slot_of(state, np.uint64(precision)) >> np.uint64(precision - _PLACE_BITS)
    guess = min(max(mean + spread * _PLACES[place] + 0.5, 1.0), levels - 1.0)
    step = min(1.0 + _LIKELY_ERROR * spread, levels / 4.0)
    return _pop_near(state, words, size, _cdf_mixture, of, levels, precision, np.int64(guess), np.int64(step))


@inline
def softmax(logits, count, powers, weights):
    """Write the weights of the first ``count`` logits, whose sum is 2^WEIGHT_BITS.

    Args:
        logits: integers in units of 2^−WEIGHT_LOGIT_BITS.
        powers: e^−x on that grid, to WEIGHT_SPAN.
        weights: int64. What the divisions leave over goes to the first of the largest.
    """
    best = 0
    for k in range(1, count):
        if logits[k] > logits[best]:
            best = k
    total = np.int64(0)
    for k in range(count):
        weights[k] = powers[min(np.int64(logits[best]) - np.int64(logits[k]), grids.WEIGHT_SPAN)]
        total += weights[k]
    whole = np.int64(1 << grids.WEIGHT_BITS)
    left = whole
    for k in range(count):
        # as whole as the true quotient: up to 2^44 / total, it is rounded by less than its distance to the next integer
        weights[k] = np.int64(np.float64(weights[k] * whole) / np.float64(total))
        left -= weights[k]
    weights[best] += left


# --- arrays of symbols ---


@borrowing
def softmax_rows(logits, powers, weights):
    """Write the weights of each row of logits, whose sum is 2^WEIGHT_BITS."""
    for i in range(logits.shape[0]):
        softmax(logits[i], logits.shape[1], powers, weights[i])


@jit
def intervals_logistic(symbols, means, log_scales, table, scales):
    """Return the starts and frequencies of symbols."""
    starts, freqs = np.empty(symbols.size, np.int64), np.empty(symbols.size, np.int64)
    for i in range(symbols.size):
        of = means[i], log_scales[i], table, scales
        starts[i], freqs[i] = _interval(_cdf_logistic, of, np.int64(symbols[i]))
    return starts, freqs


@jit
def intervals_mixture(symbols, means, log_scales, weights, table, scales):
    """Return the starts and frequencies of symbols, whose parameters are the rows of matrices."""
    starts, freqs = np.empty(symbols.size, np.int64), np.empty(symbols.size, np.int64)
    for i in range(symbols.size):
        x = np.int64(symbols[i])
        starts[i] = cdf_mixture(x, means[i], log_scales[i], weights[i], table, scales)
        freqs[i] = cdf_mixture(x + 1, means[i], log_scales[i], weights[i], table, scales) - starts[i]
    return starts, freqs


@jit
def intervals_gaussian(symbols, means, log_sigmas, table, scales):
    """Return the starts and frequencies of bins."""
    starts, freqs = np.empty(symbols.size, np.int64), np.empty(symbols.size, np.int64)
    for i in range(symbols.size):
        of = means[i], log_sigmas[i], table, scales
        starts[i], freqs[i] = _interval(_cdf_gaussian, of, np.int64(symbols[i]))
    return starts, freqs


@borrowing
def pop_uniform(stack, precision, out):
    """Pop symbols that are equally likely."""
    state, words, size = stack
    for i in range(out.size - 1, -1, -1):
        slot = slot_of(state, precision)
        state, size = drop(state, words, size, slot, np.uint64(1), precision)
        out[i] = slot
    return state, size


@borrowing
def pop_bernoulli(stack, logits, zero_frequencies, out):
    """Pop symbols 0 and 1 by the frequencies of 0."""
    state, words, size = stack
    precision = np.uint64(grids.BERNOULLI_PRECISION)
    one = np.uint64(1 << grids.BERNOULLI_PRECISION)
    for i in range(out.size - 1, -1, -1):
        zeros = np.uint64(zero_frequencies[logits[i] + grids.LOGIT_BOUND])
        if slot_of(state, precision) < zeros:
            out[i] = 0
            state, size = drop(state, words, size, np.uint64(0), zeros, precision)
        else:
            out[i] = 1
            state, size = drop(state, words, size, zeros, one - zeros, precision)
    return state, size


@inline
def _pop_logistic(state, words, size, mean, log_scale, table, scales):
    of = mean, log_scale, table, scales
    return _pop_one(state, words, size, _cdf_logistic, of, grids.LEVELS, grids.LOGISTIC_PRECISION)


@borrowing
def pop_logistic(stack, means, log_scales, table, scales, out):
    """Pop pixel values."""
    state, words, size = stack
    for i in range(out.size - 1, -1, -1):
        state, size, x = _pop_logistic(state, words, size, means[i], log_scales[i], table, scales)
        out[i] = x
    return state, size


@borrowing
def pop_mixture(stack, means, log_scales, weights, table, scales, out):
    """Pop pixel values, whose parameters are the rows of matrices."""
    state, words, size = stack
    for i in range(out.size - 1, -1, -1):
        of = means[i], log_scales[i], weights[i], table, scales
        state, size, x = _pop_one(state, words, size, _cdf_mixture, of, grids.LEVELS, grids.LOGISTIC_PRECISION)
        out[i] = x
    return state, size


@borrowing
def pop_colour(stack, means, log_scales, coefficients, table, scales, out):
    """Pop pixels, each of whose channels moves the means of those after it."""
    state, words, size = stack
    for i in range(len(out) - 1, -1, -1):
        state, size, red = _pop_logistic(state, words, size, means[i, 0], log_scales[i, 0], table, scales)
        a, b, c = np.int64(coefficients[i, 0]), np.int64(coefficients[i, 1]), np.int64(coefficients[i, 2])
        mean = means[i, 1] + ((a * (red - 128)) >> _COLOUR_SHIFT)
        state, size, green = _pop_logistic(state, words, size, mean, log_scales[i, 1], table, scales)
        mean = means[i, 2] + ((b * (red - 128) + c * (green - 128)) >> _COLOUR_SHIFT)
        state, size, blue = _pop_logistic(state, words, size, mean, log_scales[i, 2], table, scales)
        out[i, 0], out[i, 1], out[i, 2] = red, green, blue
    return state, size


@borrowing
def pop_gaussian(stack, means, log_sigmas, table, scales, out):
    """Pop latent bins."""
    state, words, size = stack
    for i in range(out.size - 1, -1, -1):
        of = means[i], log_sigmas[i], table, scales
        state, size, x = _pop_one(state, words, size, _cdf_gaussian, of, grids.LATENT_BINS, grids.GAUSSIAN_PRECISION)
        out[i] = x
    return state, size


@borrowing
def pop_normal(stack, cdf, coarse, out):
    """Pop bins 2^coarse times as wide as those of a table of cumulative frequencies."""
    state, words, size = stack
    for i in range(out.size - 1, -1, -1):
        of, bins = (cdf, coarse[i]), (cdf.size - 1) >> coarse[i]
        state, size, x = _pop_one(state, words, size, _cdf_table, of, bins, grids.GAUSSIAN_PRECISION)
        out[i] = x
    return state, size
