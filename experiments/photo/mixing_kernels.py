"""Simulate, in float, other ways to code samples than by their calibrated mixtures; see :mod:`mixing`.

Arrays are (height, width, channels, …), channels in the order of coding. An *expert* is a distribution of a sample: the
mixture, a logistic around a least-squares prediction whose scale is the mean error so far at pixels around which that
predictor was as far off, or a histogram of the errors in such a class.

*Decisions*: the values are halved again and again, at the quantiles of a logistic as wide as the mixture, and then in
the middle. Each expert gives a logit of each decision, and the weighted sum of these decides; there are three sets of
weights, by what the neighbours cost and how wide the mixture is, by the predictor that was nearest, and by the
decision. *Shares*: each expert has a share in the probability, which follows its posterior.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import kernels
from vaezip.exact.jit import jit
from vaezip.models.pixel import calibration
from vaezip.models.pixel.constants import CHUNK, LAG, RADIUS
from vaezip.models.pixel.kernel import wave_rows, waves_of_segments

LEVELS = 24
NODES = 64
SPAN = 260
DEVIATION = math.pi / math.sqrt(3)


def quantiles() -> NDArray[np.float64]:
    """List where each decision of the tree is, in deviations of a logistic from its mean."""
    found = np.zeros(NODES)
    for node in range(1, NODES):
        depth = node.bit_length() - 1
        share = (node - (1 << depth) + 0.5) / (1 << depth)
        found[node] = math.log(share / (1 - share)) / DEVIATION
    return found


QUANTILES = quantiles()


@jit
def coding_order(height, width, rows):
    """List (row, column, channel) in the order of the coder, in row groups of so many rows."""
    out, n = np.zeros((height * width * 3, 3), np.int32), 0
    for top in range(0, height, rows):
        count = min(rows, height - top)
        for wave in range(width + LAG * (count - 1)):
            for j in range(3):
                for r in range(count):
                    if 0 <= wave - LAG * r < width:
                        out[n] = top + r, wave - LAG * r, j
                        n += 1
    return out


def median_edges(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Compute the median-edge predictions."""
    frame = np.pad(values, ((1, 0), (1, 0), (0, 0)), constant_values=128)
    frame[2:, 0] = values[:-1, 0]
    west, north, corner = frame[1:, :-1], frame[:-1, 1:], frame[:-1, :-1]
    low, high = np.minimum(west, north), np.maximum(west, north)
    return np.maximum(low, np.minimum(high, west + north - corner))


@jit
def calibrated(frame, top, rows, order, found, tables, state, inputs, out, freqs):
    """Calibrate the mixtures of a row group, and keep them, (height, width, channels, 3, logistics), and the
    frequencies of the values; see :func:`vaezip.models.pixel.pushing.intervals`."""
    width, symbol, place, value = frame.shape[2] - 2 * RADIUS, 0, np.zeros((1, 3), np.int64), inputs.values
    w, m, s = inputs.mixtures.w[:, 0], inputs.mixtures.m[:, 0], inputs.mixtures.s[:, 0]
    for wave in range(waves_of_segments(rows, width)):
        if wave % LAG == 0:
            calibration.step(state)
        low, count = wave_rows(wave, rows, width)
        for begin in range(0, count, CHUNK):
            for j in range(order.size):
                for p in range(begin, min(begin + CHUNK, count)):
                    y, x = top + RADIUS + low + p, RADIUS + wave - LAG * (low + p)
                    place[0, 1], place[0, 2], value[0] = y, x, frame[0, y, x, order[j]]
                    w[:], m[:], s[:] = found[symbol, 0], found[symbol, 1], found[symbol, 2]
                    calibration.calibrate(1, j, state, frame, order, place, tables, inputs)
                    calibration.note_errors(1, j, state, place, inputs)
                    calibration.observe(1, j, state, tables, inputs)
                    start = kernels.cdf_mixture(value[0], m, s, w, tables.cdf, tables.scales)
                    end = kernels.cdf_mixture(value[0] + 1, m, s, w, tables.cdf, tables.scales)
                    freqs[y - RADIUS, x - RADIUS, j] = end - start
                    at = out[y - RADIUS, x - RADIUS, j]
                    at[0], at[1], at[2] = w.astype(np.int32), m.astype(np.int32), s.astype(np.int32)
                    symbol += 1


@jit
def _sigmoid(t):
    return 1 / (1 + math.exp(-t)) if t >= 0 else math.exp(t) / (1 + math.exp(t))


@jit
def _below(x, w, m, scales):
    """Compute the probability of the values below x under a mixture, each of which has some."""
    if x <= 0 or x >= 256:
        return 0.0 if x <= 0 else 1.0
    total = 0.0
    for k in range(w.size):
        total += w[k] * _sigmoid((x - 0.5 - m[k]) * scales[k])
    return total * (1 - 256 * 2.0**-22) + x * 2.0**-22


@jit
def _spread(w, scales):
    total = 0.0
    for k in range(w.size):
        total += w[k] / scales[k]
    return total * DEVIATION


@jit
def _around(a, y, x, j):
    """Take the mean of what there is around a sample, and of the channel before."""
    found = (2 * a[y, x - 1, j] + 2 * a[y - 1, x, j] + a[y - 1, x + 1, j] + a[y - 1, x - 1, j]) / 6
    return 0.6 * found + 0.4 * a[y, x, j - 1] if j > 0 else found


@jit
def _class_of(error):
    return min(max(int(2 * (math.log2(error + 0.05) + 4.4)), 0), LEVELS - 1)


@jit
def _look(y, x, j, errors, sums, classes, scales):
    """Write the class and the inverse scale of each least-squares predictor; return which was nearest."""
    nearest, least = 0, 1e9
    for e in range(classes.size):
        around = _around(errors[..., e], y, x, j)
        classes[e] = _class_of(around)
        mean = sums[j, e, classes[e], 0] / sums[j, e, classes[e], 1]
        scales[e] = 2 * math.log(2.0) / max(mean, 0.15)
        if around < least:
            nearest, least = e, around
    return nearest


@jit
def _note(y, x, j, value, predicted, errors, sums, classes):
    """Note how far the least-squares predictions were off."""
    for e in range(classes.size):
        error = abs(value - predicted[e])
        errors[y, x, j, e] = error
        at = sums[j, e, classes[e]]
        at[0] += error
        at[1] += 1.0
        if at[1] > 500:
            at *= 0.5


@jit
def _first_sums(channels, experts):
    sums = np.full((channels, experts, LEVELS, 2), 8.0)
    for level in range(LEVELS):
        sums[:, :, level, 0] *= 2.0 ** (level / 2 - 4.15)
    return sums


@jit
def decisions(values, w, m, scales, predicted, order, settings):
    """Return the bits that all values take by decisions; see the module.

    Args:
        settings: how fast weights learn; whether there are histograms; whether a table corrects the probabilities.
    """
    rate, histograms, table = settings
    height, width, channels = values.shape
    count = predicted.shape[3]
    experts = 1 + count * (1 + histograms)
    errors, costs = np.zeros((height + 1, width + 2, channels, count)), np.zeros((height + 1, width + 2, channels))
    sums, classes, inverse = _first_sums(channels, count), np.zeros(count, np.int64), np.zeros(count)
    sets = np.zeros((3, channels * 16 * 16, experts))
    sets[:, :, 0] = 1.0
    probabilities = np.zeros((channels * 64, 33))
    for b in range(33):
        probabilities[:, b] = _sigmoid((b - 16) / 2)
    bars = np.zeros((channels, count, LEVELS, 2 * SPAN))
    for level in range(LEVELS):
        s = max(2.0 ** (level / 2 - 4.15) / 1.386, 0.2)
        for k in range(2 * SPAN):
            bars[:, :, level, k] = 2 * (_sigmoid((k - SPAN + 0.5) / s) - _sigmoid((k - SPAN - 0.5) / s)) + 1e-4
    low, high, middle, logits = np.zeros(experts), np.zeros(experts), np.zeros(experts), np.zeros(experts)
    picked, dots, total = np.zeros(3, np.int64), np.zeros(3), 0.0
    for n in range(order.shape[0]):
        y, x, j = order[n]
        value, mixture = values[y, x, j], (w[y, x, j], m[y, x, j], scales[y, x, j])
        mean, spread = (mixture[0] * mixture[1]).sum(), _spread(mixture[0], mixture[2])
        nearest = _look(y + 1, x + 1, j, errors, sums, classes, inverse)
        cost = min(7, int(_around(costs, y + 1, x + 1, j) * 1.2))
        wide = min(15, max(0, int((math.log2(spread + 1e-3) + 1) * 2)))
        least, most, node, depth, bits = 0, 256, 1, 0, 0.0
        low[:] = 0.0
        high[:] = 1.0
        while most - least > 1:
            if node < NODES:
                at = math.floor(mean + spread * QUANTILES[node] + 1.0)
                if at <= least or at >= most:
                    node = 2 * node + (at <= least)
                    continue
            else:
                at = (least + most) >> 1
            middle[0] = _below(at, *mixture)
            for e in range(count):
                middle[1 + e] = _sigmoid((at - 0.5 - predicted[y, x, j, e]) * inverse[e])
                if histograms:
                    centre = SPAN - math.floor(predicted[y, x, j, e] + 0.5)
                    of = bars[j, e, classes[e]]
                    begin, end = max(centre, 0), min(256 + centre, 2 * SPAN)
                    middle[1 + count + e] = of[begin : at + centre].sum() / of[begin:end].sum()
            for i in range(experts):
                p = (high[i] - middle[i] + 5e-8) / (high[i] - low[i] + 1e-7)
                p = min(max(p, 1e-6), 1 - 1e-6)
                logits[i] = math.log(p / (1 - p))
            picked[0] = (j * 8 + cost) * 16 + wide
            picked[1] = (j * 16 + nearest) * 16 + min(7, depth) * 2 + (most - least <= 2)
            picked[2] = j * NODES + min(node, NODES - 1)
            for k in range(3):
                dots[k] = 0.0
                for i in range(experts):
                    dots[k] += sets[k, picked[k], i] * logits[i]
            dot, upper = (dots[0] + dots[1] + dots[2]) / 3, value >= at
            p = _sigmoid(dot)
            if table:
                place = min(max(dot * 2 + 16, 0.0), 31.999)
                here, part = probabilities[(j * 8 + cost) * 8 + min(7, depth)], place - int(place)
                b = int(place)
                p = 0.5 * (p + here[b] * (1 - part) + here[b + 1] * part)
                here[b] += (upper - here[b]) * 0.01 * (1 - part)
                here[b + 1] += (upper - here[b + 1]) * 0.01 * part
            p = min(max(p, 2.0**-20), 1 - 2.0**-20)
            bits -= math.log2(p if upper else 1 - p)
            for k in range(3):
                sets[k, picked[k]] += rate * (upper - _sigmoid(dots[k])) * logits
            node, depth = 2 * node + upper, depth + 1
            if upper:
                least = at
                low[:] = middle
            else:
                most = at
                high[:] = middle
        costs[y + 1, x + 1, j] = bits
        total += bits
        for e in range(count):
            if histograms:
                k = value - math.floor(predicted[y, x, j, e] + 0.5) + SPAN
                if 0 <= k < 2 * SPAN:
                    bars[j, e, classes[e], k] += 1.0
        _note(y + 1, x + 1, j, value, predicted[y, x, j], errors, sums, classes)
    return total


@jit
def shares(values, w, m, scales, predicted, order, rate):
    """Return the bits that all values take by shares, which follow their posterior so fast; see the module."""
    height, width, channels = values.shape
    count = predicted.shape[3]
    errors, costs = np.zeros((height + 1, width + 2, channels, count)), np.zeros((height + 1, width + 2, channels))
    sums, classes, inverse = _first_sums(channels, count), np.zeros(count, np.int64), np.zeros(count)
    parts = np.full((2, channels * 8 * 16, 1 + count), 0.1 / count)
    parts[:, :, 0] = 0.9
    p, total = np.zeros(1 + count), 0.0
    for n in range(order.shape[0]):
        y, x, j = order[n]
        value, mixture = values[y, x, j], (w[y, x, j], m[y, x, j], scales[y, x, j])
        nearest = _look(y + 1, x + 1, j, errors, sums, classes, inverse)
        cost = min(7, int(_around(costs, y + 1, x + 1, j) * 1.2))
        wide = min(15, max(0, int((math.log2(_spread(mixture[0], mixture[2]) + 1e-3) + 1) * 2)))
        p[0] = _below(value + 1, *mixture) - _below(value, *mixture)
        for e in range(count):
            upper = _sigmoid((value + 0.5 - predicted[y, x, j, e]) * inverse[e]) if value < 255 else 1.0
            lower = _sigmoid((value - 0.5 - predicted[y, x, j, e]) * inverse[e]) if value > 0 else 0.0
            p[1 + e] = max(upper - lower, 1e-12)
        of = parts[0, (j * 8 + cost) * 16 + wide], parts[1, (j * 8 + cost) * 16 + nearest]
        bits = -math.log2((0.5 * (of[0] + of[1]) * p).sum() * (1 - 256 * 2.0**-22) + 2.0**-22)
        for k in range(2):
            posterior = of[k] * p
            of[k][:] = np.maximum(of[k] + rate * (posterior / (posterior.sum() + 1e-12) - of[k]), 0.003)
        costs[y + 1, x + 1, j] = bits
        total += bits
        _note(y + 1, x + 1, j, value, predicted[y, x, j], errors, sums, classes)
    return total
