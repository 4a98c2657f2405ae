"""Run the adapting network forwards and backwards, and take its steps, compiled.

Rows of all arrays are pixels unless said otherwise. All is exact: see :mod:`vaezip.models.pixel.adaptation`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.jit import borrowing, inline, jit
from vaezip.exact.product16 import LANES, ROWS, product16, product16_of_pairs
from vaezip.models.pixel.constants import (
    ACTIVATION_BITS,
    ACTIVATION_BOUND,
    BETAS,
    EPSILON,
    GRADIENT_BITS,
    GRADIENT_EXPONENT_BOUND,
    RADIUS,
    SUM_BOUND,
    TILE,
)
from vaezip.models.pixel.kernel import relu, requantise, write_features
from vaezip.models.pixel.least_squares import predictors_of
from vaezip.models.pixel.mixture import mixture_gradient

Ints = NDArray[Any]
Floats = NDArray[np.float64]

_PIXELS = 1 << (31 - GRADIENT_BITS - ACTIVATION_BITS)
"""So many products of gradients and 12-bit units are summed in 32 bits: 2^13 · 4095 · 64 < 2^31."""

_REACH = SUM_BOUND >> GRADIENT_BITS
"""Products of gradients and weights are, where no unit's weights, without their signs, sum to more."""

_BETA1, _BETA2 = BETAS


class Layers(NamedTuple):
    """Layers of one shape that learn; the first axis of all arrays is that of the layers.

    Rows of ``master`` and the like are outputs, and a row holds weights of units, weights of hints and the bias, side
    by side.

    Attributes:
        master, average: the weights that learn, in units of the integers, and their average; float64.
        mean, square: Adam's moments.
        pace: length of the steps at a rate of 1; 0 where there is no weight.
        bias: int32 (outputs,), with the rounding's ½; next to the master weights, as all integers.
        forward, backward: int16 (pairs, columns, 2), the weights as the products forwards and backwards take them, as
            in :class:`vaezip.models.pixel.weights.PackedLayers`; backwards, those of units alone.
        ends: int64 (pairs of outputs,): where runs of these end whose products are summed in 32 bits, up to the last.
        shift: int32 (outputs,).
        scale: float64 (outputs,), 2^−shift.
        output: int16 (pixels, outputs), that of the last step.
        clamp: int32 (2,).
        bounds: int64 (2,), of units and hints.
        sizes: int64 (2,), how many units and hints there are.
    """

    master: Floats
    average: Floats
    mean: Floats
    square: Floats
    pace: Floats
    bias: Ints
    forward: Ints
    backward: Ints
    ends: Ints
    shift: Ints
    scale: Floats
    output: Ints
    clamp: Ints
    bounds: Ints
    sizes: Ints


class Network(NamedTuple):
    """All layers of a network that learns; ``head`` is one layer, of all channels, one above the other."""

    first: Layers
    inner: Layers
    outer: Layers
    head: Layers
    out: Layers


class Memory(NamedTuple):
    """Hold what is known of the pixels of a step, and what is computed of them; rows beyond them fill up vectors.

    Attributes:
        features: int16 (pixels, features).
        by_channel: int64 (pixels, channels): median-edge predictions.
        values, prediction: int64 (channels, pixels), channels in the order of coding.
        tile: int64 (pixels,): which tile a pixel is in.
        hidden: int16 (1 + blocks, pixels, hidden units and hints): those of the first layer and after each block.
        units: int16 (blocks, pixels, hidden): the inner units of each block.
        one_head: int16 (pixels, head units and hints): those of one channel.
        sums: int32 (pixels, outputs) of any layer.
        for_parameters, for_heads, for_hidden, for_inner: float64 (pixels, …), gradients.
        rounded: int16 (pixels, outputs): a layer's gradient on its grid.
        pairs: int16 (pairs of pixels, outputs, 2): the same.
        inputs: int16 (pairs of pixels, inputs, 2), of a layer.
        for_bias: int32 (outputs,): the sum of ``rounded``.
        weight_sums: float64 (4, inputs): the gradient of some rows of weights, less a factor.
        rows: float64 (4, …): gradients of a row of weights, where it goes, its integers, and a scratch row.
        reached: int32 (units,): sums of weights.
    """

    features: Ints
    by_channel: Ints
    values: Ints
    prediction: Ints
    tile: Ints
    hidden: Ints
    units: Ints
    one_head: Ints
    sums: Ints
    for_parameters: Floats
    for_heads: Floats
    for_hidden: Floats
    for_inner: Floats
    rounded: Ints
    pairs: Ints
    inputs: Ints
    for_bias: Ints
    weight_sums: Floats
    rows: Floats
    reached: Ints


class Pace(NamedTuple):
    """How long the steps after a row group are: the rate, the share of the master weights in the average, and for each
    step the corrections of Adam's two moments, float64 (steps, 2)."""

    rate: float
    share: float
    corrections: Floats


@jit
def learn(frame, group, offsets, batches, pace, network, order, memory, tables):
    """Take the steps after a row group.

    Args:
        frame: int16 (pictures, …, planes).
        group: the first row of the group, and how many it has.
        offsets: of the style network, int32 (tiles, style offsets).
        batches: int64 (steps, 3): of each step the first pixel, the distance to the next, and how many.
        pace: a :class:`Pace`.
        network: a :class:`Network`, which learns.
        order: the channels in the order of coding.
        memory: a :class:`Memory` for the largest step.
        tables: of :func:`vaezip.models.pixel.mixture.mixture_tables`.
    """
    w = np.zeros(memory.for_parameters.shape[1] // 3, np.int64)
    mixture = w, w.copy(), w.copy(), np.zeros(w.size)
    for b in range(batches.shape[0]):
        n = batches[b, 2]
        collect(frame, group, order, batches[b, 0], batches[b, 1], n, memory)
        forwards(n, network, offsets, memory)
        step = pace.rate, pace.share, pace.corrections[b, 0], pace.corrections[b, 1]
        _backwards(n, network, memory, step, mixture, tables)


@borrowing
def collect(frame, group, order, first, distance, n, memory):
    """Collect the inputs of n pixels of a row group."""
    top, rows = group
    width, channels = frame.shape[2] - 2 * RADIUS, order.size
    across, by_channel = (width + TILE - 1) // TILE, memory.by_channel
    hints, last = (1 + predictors_of(frame.shape[3], channels)) * channels, memory.hidden[memory.hidden.shape[0] - 1]
    hidden, head = memory.units.shape[2], memory.for_heads.shape[1] // channels
    head += head & 1
    for p in range(n):
        pixel = first + p * distance
        i, y, column = pixel // (rows * width), top + pixel // width % rows + RADIUS, pixel % width
        x = column + RADIUS
        write_features(frame, i, y, x, channels, memory.features, p, by_channel)
        for j in range(channels):
            value, predicted = np.int64(frame[i, y, x, order[j]]), by_channel[p, order[j]]
            memory.values[j, p], memory.prediction[j, p] = value, predicted
            last[p, hidden + j] = memory.one_head[p, head + j] = np.int16(value - predicted)
        for j in range(channels, hints):
            last[p, hidden + j] = memory.one_head[p, head + j] = frame[i, y, x, j]
        memory.tile[p] = i * across + column // TILE


# Forwards


@borrowing
def forwards(n, network, offsets, memory):
    """Run every layer but the last, and keep its inputs and outputs."""
    hidden, units, width = memory.hidden, memory.units, memory.units.shape[2]
    _forward(n, network.first, 0, memory.features, memory)
    _add_style(n, network.first.output[0], offsets, memory.tile, 0, hidden[0])
    for i in range(network.inner.bias.shape[0]):
        _forward(n, network.inner, i, hidden[i], memory)
        _add_style(n, network.inner.output[i], offsets, memory.tile, (i + 1) * width, units[i])
        _forward(n, network.outer, i, units[i], memory)
        _add_block(n, hidden[i], network.outer.output[i], hidden[i + 1])
    _forward(n, network.head, 0, hidden[hidden.shape[0] - 1], memory)


@borrowing
def parameters(n, i, network, memory):
    """Compute the parameters of the i-th channel from its head's units."""
    head = network.head.output.shape[2] // network.out.bias.shape[0]
    begin, units = i * head, network.head.output[0]
    for p in range(n):
        for o in range(head):
            memory.one_head[p, o] = units[p, begin + o]
    _forward(n, network.out, i, memory.one_head, memory)


@borrowing
def _forward(n, layers, i, x, memory):
    """Compute the outputs of the i-th layer, within the clamp."""
    product16(n, x, layers.forward[i], memory.sums)
    requantise(n, memory.sums, layers.bias[i], layers.shift[i], layers.clamp[i], layers.output[i])


@borrowing
def _add_style(n, sums, offsets, tile, begin, out):
    """Compute out = relu(sums + style offsets of the pixel's tile, from column ``begin`` on)."""
    for p in range(n):
        row, first = np.uint64(tile[p]), np.uint64(begin)
        for o in range(sums.shape[1]):
            out[p, o] = relu(sums[p, o] + offsets[row, first + np.uint64(o)])


@borrowing
def _add_block(n, h, outer, out):
    """Compute out = relu(h + outer)."""
    for p in range(n):
        for o in range(outer.shape[1]):
            out[p, o] = relu(h[p, o] + outer[p, o])


# Backwards: each layer takes its step once what flows back through it is known, the last ones first


@borrowing
def _backwards(n, network, memory, step, mixture, tables):
    hidden, units = memory.hidden, memory.units
    total, for_inner = memory.for_hidden, memory.for_inner
    head = network.head.output.shape[2] // network.out.bias.shape[0]
    for i in range(network.out.bias.shape[0]):
        parameters(n, i, network, memory)
        values, prediction = memory.values[i, :n], memory.prediction[i, :n]
        mixture_gradient(network.out.output[i], values, prediction, mixture, tables, memory.for_parameters)
        unit = _quantise(n, network.out, i, memory.for_parameters, memory)
        _for_units(n, network.out, i, unit, memory, memory.for_heads, i * head, head)
        _learn(n, network.out, i, memory.one_head, unit, memory, step)
    unit = _quantise(n, network.head, 0, memory.for_heads, memory)
    _for_units(n, network.head, 0, unit, memory, total, 0, total.shape[1])
    _learn(n, network.head, 0, hidden[hidden.shape[0] - 1], unit, memory, step)
    for i in range(network.inner.bias.shape[0] - 1, -1, -1):
        _stop_at_clamps(n, total, hidden[i + 1])
        unit = _quantise(n, network.outer, i, total, memory)
        _for_units(n, network.outer, i, unit, memory, for_inner, 0, for_inner.shape[1])
        _learn(n, network.outer, i, units[i], unit, memory, step)
        _stop_at_clamps(n, for_inner, units[i])
        unit = _quantise(n, network.inner, i, for_inner, memory)
        _for_units(n, network.inner, i, unit, memory, for_inner, 0, for_inner.shape[1])
        _learn(n, network.inner, i, hidden[i], unit, memory, step)
        for p in range(n):
            for o in range(total.shape[1]):
                total[p, o] += for_inner[p, o]
    _stop_at_clamps(n, total, hidden[0])
    unit = _quantise(n, network.first, 0, total, memory)
    _learn(n, network.first, 0, memory.features, unit, memory, step)


@borrowing
def _stop_at_clamps(n, gradient, units):
    """Let nothing flow back through units at 0 or at the bound; in place."""
    for p in range(n):
        for o in range(gradient.shape[1]):
            gradient[p, o] = gradient[p, o] if 0 < units[p, o] < ACTIVATION_BOUND else 0.0


@borrowing
def _quantise(n, layers, i, gradient, memory):
    """Bring a gradient from the outputs of the i-th layer to its sums, and round it to a grid; return the unit of the
    grid. What flows to biases is summed."""
    scale, y, clamp = layers.scale[i], layers.output[i], layers.clamp[i]
    grid = _grid(_largest(n, scale, y, clamp, gradient, memory.rows[3]))
    _round(n, scale, y, clamp, grid, gradient, memory.rounded)
    _sum_columns(n, scale.size, memory.rounded, memory.for_bias)
    _pair_up(n, memory.rounded, scale.size, memory.pairs)
    return 1.0 / grid


@borrowing
def _largest(n, scale, y, clamp, gradient, largest):
    """Find the largest number that :func:`_round` rounds, without its sign."""
    low, high, most = clamp[0], clamp[1], 0.0
    for o in range(scale.size):
        largest[o] = 0.0
    for p in range(n):
        for o in range(scale.size):
            flowing = abs(gradient[p, o] * scale[o]) if low < y[p, o] < high else 0.0
            largest[o] = flowing if flowing > largest[o] else largest[o]
    for o in range(scale.size):
        most = max(most, largest[o])
    return most


@inline
def _grid(largest):
    """Choose the largest power of two s with largest · s ≤ 2^GRADIENT_BITS."""
    if not 0.0 < largest < math.inf:
        return 1.0
    _, exponent = math.frexp(largest)  # largest < 2^exponent
    bound = GRADIENT_EXPONENT_BOUND
    return math.ldexp(1.0, max(-bound, min(bound, GRADIENT_BITS - exponent)))


@borrowing
def _round(n, scale, y, clamp, grid, gradient, out):
    """Compute out = gradient · scale · grid, rounded; 0 where outputs are at the clamp."""
    low, high = clamp[0], clamp[1]
    for p in range(n):
        for o in range(scale.size):
            flowing = gradient[p, o] * scale[o] if low < y[p, o] < high else 0.0
            out[p, o] = np.int16(np.int32(np.floor(flowing * grid + 0.5)))


@borrowing
def _sum_columns(n, outputs, rounded, sums):
    """Sum the rows of integers."""
    for o in range(outputs):
        sums[o] = 0
    for p in range(n):
        for o in range(outputs):
            sums[o] += np.int32(rounded[p, o])


@borrowing
def _for_units(n, layers, i, unit, memory, out, begin, count):
    """Compute the gradient for ``count`` units of the i-th layer, and write it from column ``begin`` on."""
    sums, w, first, run = memory.sums, layers.backward[i], 0, 0
    while first < w.shape[0]:
        end = layers.ends[i, run]
        product16(n, memory.rounded[:, 2 * first :], w[first:end], sums)
        for p in range(n):
            for u in range(count):
                before = out[p, begin + u] if first > 0 else 0.0
                out[p, begin + u] = before + np.float64(sums[p, u]) * unit
        first, run = end, run + 1


@borrowing
def _learn(n, layers, i, x, unit, memory, step):
    """Compute the gradient for the weights of the i-th layer, and take one step of Adam uphill; rows whose sums could
    leave 32 bits stay as they were."""
    inputs, units, hints = 2 * layers.forward.shape[1], layers.sizes[i, 0], layers.sizes[i, 1]
    _pair_up(n, x, inputs, memory.inputs)
    outputs, bounds = layers.bias.shape[1], layers.bounds[i]
    g, new, rounded, first = memory.rows[0], memory.rows[1], memory.rows[2], inputs - hints - (hints & 1)
    for begin in range(0, outputs, ROWS):
        _sum_over_pixels(begin, n, inputs, memory)
        for o in range(begin, min(outputs, begin + ROWS)):
            sums, master, average = memory.weight_sums[o - begin], layers.master[i, o], layers.average[i, o]
            for u in range(units):
                g[u] = sums[u] * unit
            for j in range(hints):
                g[units + j] = sums[first + j] * unit
            g[units + hints] = np.float64(memory.for_bias[o]) * unit
            _adam_row(step, g, master, layers.mean[i, o], layers.square[i, o], layers.pace[i, o], new, rounded)
            if _fits(rounded, units, hints, bounds):
                for c in range(master.size):  # the compiler takes seconds for an assignment of arrays
                    master[c] = new[c]
                write_row(rounded, units, hints, layers.forward[i, :, o])
                for u in range(units):
                    layers.backward[i, o >> 1, u, o & 1] = np.int16(rounded[u])
                layers.bias[i, o] = np.int32(rounded[units + hints])
            for c in range(master.size):
                average[c] += (master[c] - average[c]) * step[1]
    find_runs(layers.backward[i], units, memory.reached, layers.ends[i])


@borrowing
def _pair_up(n, x, columns, out):
    """Write the columns of n pixels in pairs of pixels."""
    for k in range(n >> 1):
        for u in range(columns):
            out[k, u, 0], out[k, u, 1] = x[2 * k, u], x[2 * k + 1, u]
    if n & 1:
        for u in range(columns):
            out[n >> 1, u, 0], out[n >> 1, u, 1] = x[n - 1, u], np.int16(0)


@borrowing
def _sum_over_pixels(begin, n, inputs, memory):
    """Compute ROWS rows of the gradient for weights, less a factor."""
    pairs, found, sums = (n + 1) >> 1, memory.sums, memory.weight_sums
    columns = (inputs + LANES - 1) // LANES * LANES
    for pair in range(0, pairs, _PIXELS >> 1):
        some = min(pairs - pair, _PIXELS >> 1)
        product16_of_pairs(begin, some, memory.pairs[pair:], memory.inputs[pair:], columns, found)
        for r in range(ROWS):
            for u in range(inputs):
                before = sums[r, u] if pair > 0 else 0.0
                sums[r, u] = before + np.float64(found[r, u])


@borrowing
def _adam_row(step, g, master, mean, square, pace, new, rounded):
    """Update Adam's moments, and compute where the weights would go, in a loop that the compiler turns into vectors."""
    rate, _, correction, square_correction = step
    for i in range(master.size):
        m = mean[i] * _BETA1 + g[i] * (1.0 - _BETA1)
        v = square[i] * _BETA2 + g[i] * g[i] * (1.0 - _BETA2)
        mean[i], square[i] = m, v
        spread = np.sqrt(v * square_correction) + EPSILON
        new[i] = master[i] + rate * pace[i] * (m * correction / spread)
        rounded[i] = np.floor(new[i] + 0.5)


@borrowing
def _fits(row, units, hints, bounds):
    """Tell whether the sums of a row of integers stay within 32 bits, and its weights within 16."""
    beyond, sizes = np.int32(0), np.int32(0)
    for i in range(units):
        size = np.int32(min(abs(row[i]), 32768.0))
        beyond |= size
        sizes += size
    total = float(sizes) * bounds[0]
    for i in range(units, units + hints):
        beyond |= np.int32(min(abs(row[i]), 32768.0))
        total += abs(row[i]) * bounds[1]
    return beyond < 32768 and total + abs(row[units + hints]) <= SUM_BOUND


@borrowing
def write_row(row, units, hints, out):
    """Write an output's weights, integers as floats, into its column of a matrix of
    :func:`vaezip.exact.product16.pack`."""
    first = 2 * out.shape[0] - hints - (hints & 1)
    for u in range(units):
        out[u >> 1, u & 1] = np.int16(row[u])
    for j in range(hints):
        out[(first + j) >> 1, j & 1] = np.int16(row[units + j])


@borrowing
def find_runs(backward, units, reached, ends):
    """Find the longest runs of pairs of outputs in which no unit's weights, without their signs, sum to more than can
    be summed in 32 bits with gradients, and write where they end."""
    run = 0
    for u in range(units):
        reached[u] = 0
    for k in range(backward.shape[0]):
        largest = np.int32(0)
        for u in range(units):
            reached[u] += abs(np.int32(backward[k, u, 0])) + abs(np.int32(backward[k, u, 1]))
            largest = max(largest, reached[u])
        if largest > _REACH:
            ends[run], run = k, run + 1
            for u in range(units):
                reached[u] = abs(np.int32(backward[k, u, 0])) + abs(np.int32(backward[k, u, 1]))
    ends[run] = backward.shape[0]


@jit
def publish(average, bounds, sizes, weight, bias):
    """Write the integers next to the average as the compiled coder takes them; rows whose sums could leave 32 bits stay
    as they were.

    Args:
        average: float64 (layers, outputs, units + hints + 1).
        bounds, sizes: of units and hints.
        weight, bias: of :class:`vaezip.models.pixel.weights.PackedLayers`.
    """
    units, hints, rounded = sizes[0], sizes[1], np.zeros(average.shape[2])
    for i in range(average.shape[0]):
        for o in range(average.shape[1]):
            for c in range(rounded.size):
                rounded[c] = np.floor(average[i, o, c] + 0.5)
            if _fits(rounded, units, hints, bounds):
                write_row(rounded, units, hints, weight[i, :, o])
                bias[i, o] = np.int32(rounded[units + hints])
