"""Run the adapting network forwards and backwards, and take its steps, compiled.

Rows of all arrays are pixels unless said otherwise. All is exact: see :mod:`vaezip.models.pixel.adaptation`.
"""

from __future__ import annotations

import numpy as np

from vaezip.exact.jit import borrowing, jit
from vaezip.exact.product16 import product16
from vaezip.models.pixel.constants import ACTIVATION_BOUND, BETAS, EPSILON, GRADIENT_BITS, RADIUS, SUM_BOUND, TILE
from vaezip.models.pixel.kernel import relu, requantise, write_features
from vaezip.models.pixel.least_squares import predictors_of

HALF = GRADIENT_BITS // 2

_PIXELS = 128
"""So many products of gradients and 12-bit units are summed in 32 bits: 2^(11 + 12) · 128 < 2^31."""

_OUTPUTS = 32
"""So many products of gradients and weights are: 2^11 · 32767 · 32 < 2^31."""

_BETA1, _BETA2 = BETAS


@jit
def examples_of(frame, top, rows, order, size):
    """Collect the inputs of every pixel of a row group.

    Args:
        frame: int16 (pictures, …, planes).
        top, rows: the row group.
        order: the channels in the order of coding.
        size: how many features there are.

    Returns:
        features, values, predictions, hints and tile numbers; all but the first in the order of coding.
    """
    pictures, width, channels = frame.shape[0], frame.shape[2] - 2 * RADIUS, order.size
    across, count = (width + TILE - 1) // TILE, pictures * rows * width
    features = np.empty((count, size), np.int16)
    hints = np.empty((count, (1 + predictors_of(frame.shape[3], channels)) * channels), np.int32)
    values, by_channel = np.empty((count, channels), np.int64), np.empty((count, channels), np.int64)
    prediction, tile = np.empty((count, channels), np.int64), np.empty(count, np.int64)
    p = 0
    for n in range(pictures):
        for row in range(rows):
            for column in range(width):
                y, x = top + row + RADIUS, column + RADIUS
                write_features(frame, n, y, x, channels, features, p, by_channel)
                for j in range(channels):
                    values[p, j] = frame[n, y, x, order[j]]
                    prediction[p, j] = by_channel[p, order[j]]
                    hints[p, j] = values[p, j] - prediction[p, j]
                for j in range(channels, hints.shape[1]):
                    hints[p, j] = frame[n, y, x, j]
                tile[p] = n * across + column // TILE
                p += 1
    return features, values, prediction, hints, tile


# Forwards


@jit
def forward(pixels, x, integers, hints, shift, clamp, out):
    """Compute a layer's outputs from units and hints."""
    weight, hint_weight, bias = integers
    sums = np.empty((x.shape[0], weight.shape[1]), np.int32)
    product16(pixels, x, weight, sums)
    requantise(pixels, sums, hint_weight, hints, bias, shift, clamp[0], clamp[1], out)


@borrowing
def add_style(sums, offsets, tile, begin, out):
    """Compute out = relu(sums + style offsets of the pixel's tile, from column ``begin`` on)."""
    for p in range(tile.size):
        row, first = np.uint64(tile[p]), np.uint64(begin)
        for o in range(out.shape[1]):
            out[p, o] = relu(sums[p, o] + offsets[row, first + np.uint64(o)])


@borrowing
def add_block(h, outer, out):
    """Compute out = relu(h + outer)."""
    for p in range(h.shape[0]):
        for o in range(h.shape[1]):
            out[p, o] = relu(h[p, o] + outer[p, o])


# Backwards


@borrowing
def stop_at_clamps(gradient, units):
    """Let nothing flow back through units at 0 or at the bound; in place."""
    for p in range(gradient.shape[0]):
        for o in range(gradient.shape[1]):
            if not 0 < units[p, o] < ACTIVATION_BOUND:
                gradient[p, o] = 0.0


@jit
def through_clamp(gradient, y, scale, clamp, out):
    """Bring gradients from outputs y to sums; return the largest of these."""
    low, high = clamp
    largest = np.zeros(scale.size)  # of each column, which vectors can keep
    for p in range(gradient.shape[0]):
        for o in range(scale.size):
            flowing = gradient[p, o] * scale[o] if low < y[p, o] < high else 0.0
            out[p, o] = flowing
            if abs(flowing) > largest[o]:
                largest[o] = abs(flowing)
    return largest.max()


@jit
def quantise_gradient(gradient, scale, hints, halves, halves_by_output):
    """Round gradients to the grid of ``scale``, split them, and sum them for the weights of hints and the biases.

    Args:
        gradient: for sums (pixels, outputs), rounded in place.
        scale: a power of two.
        hints: int32 (pixels, hints).
        halves: int16 (2, pixels, outputs), filled: the higher and the lower bits.
        halves_by_output: int16 (2, outputs, pixels), filled likewise.

    Returns:
        Gradients for weights of hints (outputs, hints), and for biases.
    """
    pixels, outputs = gradient.shape
    for_hints, for_bias = np.zeros((hints.shape[1], outputs)), np.zeros(outputs)
    for p in range(pixels):
        for o in range(outputs):
            gradient[p, o] = np.floor(gradient[p, o] * scale + 0.5)
            for_bias[o] += gradient[p, o]
        for o in range(outputs):
            whole = np.int32(gradient[p, o])
            halves[0, p, o], halves[1, p, o] = np.int16(whole >> HALF), np.int16(whole & ((1 << HALF) - 1))
        for j in range(hints.shape[1]):
            for o in range(outputs):
                for_hints[j, o] += gradient[p, o] * hints[p, j]
    for half in range(2):
        for o in range(outputs):
            for p in range(pixels):
                halves_by_output[half, o, p] = halves[half, p, o]
    return for_hints.T, for_bias


@borrowing
def sum_over_pixels(halves_by_output, inputs, out):
    """Compute out = Gᵀ x from halves (2, outputs, pixels) and the packed inputs of the same pixels."""
    _exact_product(halves_by_output, inputs, _PIXELS, out)


@borrowing
def sum_over_outputs(halves, transposed, out, unit):
    """Compute out = G W · unit from halves (2, pixels, outputs) and the packed transpose of W."""
    _exact_product(halves, transposed, _OUTPUTS, out)
    for p in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[p, i] *= unit


@jit
def _exact_product(halves, w, together, out):
    """Compute out = (2^HALF high + low) Wᵀ exactly; ``together`` inputs at a time are summed in 32 bits."""
    high, low = np.empty(out.shape, np.int32), np.empty(out.shape, np.int32)
    for p in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[p, i] = 0.0
    for begin in range(0, halves.shape[2], together):
        end = min(begin + together, halves.shape[2])
        some = w[begin >> 1 : (end + 1) >> 1]
        product16(out.shape[0], halves[0, :, begin:end], some, high)
        product16(out.shape[0], halves[1, :, begin:end], some, low)
        for p in range(out.shape[0]):
            for i in range(out.shape[1]):
                out[p, i] += np.float64(high[p, i]) * (1 << HALF) + np.float64(low[p, i])


# Steps; rows are outputs, and a row holds weights of units, weights of hints and the bias, side by side


@jit
def adam(gradient, rate, share, corrections, state, integers, bounds):
    """Take one step of Adam uphill; rows whose sums could leave 32 bits stay as they were.

    Args:
        gradient: for weights, weights of hints and biases, and their unit.
        rate: of the step.
        share: of the master weights in the average.
        corrections: of Adam's two moments.
        state: master weights, their average, Adam's mean and mean square, and pace.
        integers: those next to the master weights, changed.
        bounds: of units and of hints.
    """
    for_weight, for_hints, for_bias, unit = gradient
    master, average, mean, square, pace = state
    units, hints = integers[0].shape[1], integers[1].shape[1]
    g, new, rounded = np.empty(master.shape[1]), np.empty(master.shape[1]), np.empty(master.shape[1])
    for o in range(master.shape[0]):
        for i in range(units):
            g[i] = for_weight[o, i] * unit
        for j in range(hints):
            g[units + j] = for_hints[o, j] * unit
        g[units + hints] = for_bias[o] * unit
        _adam_row(g, rate, corrections, master[o], mean[o], square[o], pace[o], new, rounded)
        if _fits(rounded, units, bounds):
            for i in range(new.size):  # the compiler takes seconds for an assignment of arrays
                master[o, i] = new[i]
            _write_row(rounded, integers, o)
        for i in range(new.size):
            average[o, i] += (master[o, i] - average[o, i]) * share


@borrowing
def _adam_row(g, rate, corrections, master, mean, square, pace, new, rounded):
    """Update Adam's moments, and compute where the weights would go, in a loop that the compiler turns into vectors."""
    for i in range(g.size):
        m = mean[i] * _BETA1 + g[i] * (1.0 - _BETA1)
        v = square[i] * _BETA2 + g[i] * g[i] * (1.0 - _BETA2)
        mean[i], square[i] = m, v
        spread = np.sqrt(v * corrections[1]) + EPSILON
        new[i] = master[i] + rate * pace[i] * (m * corrections[0] / spread)
        rounded[i] = np.floor(new[i] + 0.5)


@jit
def round_average(average, integers, bounds):
    """Write the integers next to the average; rows whose sums could leave 32 bits stay as they were."""
    units, row = integers[0].shape[1], np.empty(average.shape[1])
    for o in range(average.shape[0]):
        for i in range(row.size):
            row[i] = np.floor(average[o, i] + 0.5)
        if _fits(row, units, bounds):
            _write_row(row, integers, o)


@borrowing
def _write_row(row, integers, o):
    """Write a row as the integers of output o."""
    weight, hint_weight, bias = integers
    units, hints = weight.shape[1], hint_weight.shape[1]
    for i in range(units):
        weight[o, i] = np.int16(row[i])
    for j in range(hints):
        hint_weight[o, j] = np.int32(row[units + j])
    bias[o] = np.int32(row[units + hints])


@borrowing
def _fits(row, units, bounds):
    """Tell whether a row's sums stay within 32 bits, and its weights within 16."""
    beyond, sizes = np.int32(0), np.int32(0)
    for i in range(units):
        size = np.int32(min(abs(row[i]), 32768.0))
        beyond |= size
        sizes += size
    total = float(sizes) * bounds[0]
    for i in range(units, row.size - 1):
        beyond |= np.int32(min(abs(row[i]), 32768.0))
        total += abs(row[i]) * bounds[1]
    return beyond < 32768 and total + abs(row[row.size - 1]) <= SUM_BOUND
