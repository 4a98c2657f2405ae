"""Compute the pixel network's mixtures, compiled: pixel after pixel where each must be decoded before the next.

:mod:`vaezip.models.pixel.network` describes the network, and computes the same by matrix products.

A strip is up to 32 rows of some pictures. Its pixels are coded in *waves*: wave t holds pixel
(row r, column t − LAG · r) of every row and picture. All of a pixel's context lies in
earlier waves, so the pixels of a wave are computed together. The order of symbols is wave, then
chunks of up to CHUNK pixels (pictures, then rows), then channels, then pixels.

There may be several networks side by side, of one architecture: their mixtures are one, in which all weigh the same.

Sums are in 32 bits (:mod:`vaezip.exact.product16`), which :func:`vaezip.models.pixel.network.layers`
has checked; so the order of additions does not matter.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import kernels
from vaezip.entropy.grids import MEAN_BITS
from vaezip.exact.jit import borrowing, inline, jit
from vaezip.exact.product16 import product16
from vaezip.exact.shifts import shifted
from vaezip.models.pixel import calibration, least_squares
from vaezip.models.pixel.constants import ACTIVATION_BOUND, BLANK, CHUNK, LAG, RADIUS, SEGMENT, TILE
from vaezip.models.pixel.context import OFFSETS, median_edge_at
from vaezip.models.pixel.logistics import write_mixtures

Ints = NDArray[Any]

# A 0 as it stands has a type of its own, for which numba would compile a kernel once more.
_ZERO = np.int64(0)

_AROUND = len(OFFSETS)

# Loops over outputs compute in 32 bits and index without a sign, or the compiler does not turn them into vectors.


@inline
def _shifted(total, shift, low, high):
    """Compute clamp(total >> shift) in 32 bits."""
    return min(max(shifted(np.int32(total), np.int32(shift & 31)), np.int32(low)), np.int32(high))


@inline
def relu(y):
    """Clamp a hidden unit to 0 … ACTIVATION_BOUND in 32 bits."""
    return min(max(np.int32(y), np.int32(0)), np.int32(ACTIVATION_BOUND))


@borrowing
def _styled_layer(n, layers, i, x, offsets, tile, begin, sums, out):
    """Compute out = relu(W x + style offsets of the pixel's tile, from column ``begin`` on), for n pixels.

    Args:
        n: pixels.
        layers, i: the i-th of these.
        x: int16 (pixels, units).
        offsets: int32 (tiles, style offsets).
        tile: int64 (pixels,).
        begin: where the layer's offsets begin.
        sums, out: filled.
    """
    bias, shift = layers.bias[i], layers.shift[i]
    low, high = layers.clamp[i, 0], layers.clamp[i, 1]
    product16(n, x, layers.weight[i], sums)
    for p in range(n):
        row, first = np.uint64(tile[p]), np.uint64(begin)
        for o in range(bias.size):
            y = _shifted(sums[p, o] + bias[o], shift[o], low, high)
            out[p, o] = relu(y + offsets[row, first + np.uint64(o)])


@borrowing
def _add_outer(n, layers, i, inner, sums, h):
    """Compute h = relu(h + W inner) of block i, in place."""
    low, high = layers.clamp[i, 0], layers.clamp[i, 1]
    bias, shift = layers.bias[i], layers.shift[i]
    product16(n, inner, layers.weight[i], sums)
    for p in range(n):
        for o in range(bias.size):
            h[p, o] = relu(h[p, o] + _shifted(sums[p, o] + bias[o], shift[o], low, high))


@borrowing
def _hinted_layer(n, layers, i, x, hints, sums, out):
    """Compute out = clamp(W (x, hints)) of the i-th channel, and write the hints into the last columns of x."""
    first = 2 * layers.weight.shape[1] - hints.shape[1]
    for p in range(n):
        for k in range(hints.shape[1]):
            x[p, first + k] = hints[p, k]
    product16(n, x, layers.weight[i], sums)
    requantise(n, sums, layers.bias[i], layers.shift[i], layers.clamp[i], out)


@borrowing
def requantise(n, sums, bias, shift, clamp, out):
    """Compute out = clamp((sums + bias) >> shift).

    Args:
        n: pixels.
        sums: int32 (pixels, outputs), the products of weights and inputs.
        bias, shift: int32 (outputs,).
        clamp: int32 (2,).
        out: filled.
    """
    low, high = clamp[0], clamp[1]
    for p in range(n):
        for o in range(bias.size):
            out[p, o] = _shifted(sums[p, o] + bias[o], shift[o], low, high)


@inline
def write_features(frame, i, y, x, channels, f, p, prediction):
    """Write features and median-edge prediction of the pixel at frame position (y, x) as those of pixel p.

    If the model has least-squares predictions, the frame must have the unconditional ones of this pixel.
    """
    for c in range(channels):
        prediction[p, c] = median_edge_at(frame, i, y, x, c)
    for c in range(channels):
        predicted, at = prediction[p, c], c
        for row in range(max(y - RADIUS, 0), y + 1):  # which y is not below: or the compiler writes all loops out
            for column in range(x - RADIUS, x + RADIUS + 1 if row < y else x):
                f[p, at] = frame[i, row, column, c] - predicted
                at += channels
    at = _AROUND * channels
    for c in range(channels):
        f[p, at] = prediction[p, c] - BLANK
        at += 1
    predictors = least_squares.predictors_of(frame.shape[3], channels)
    if predictors > 0:
        for k in range((predictors + 1) * channels):
            f[p, at + k] = frame[i, y, x, (1 + predictors) * channels + k]
        at += (predictors + 1) * channels
        least_squares.write_nearby_energies(frame, i, y, x, at, predictors, f[p])


@inline
def _write_value(frame, i, y, x, c, value):
    """Write a decoded value to all places of the frame that show it."""
    frame[i, y, x, c] = value
    if x == RADIUS and y + 1 < frame.shape[1]:
        for k in range(RADIUS):
            frame[i, y + 1, k, c] = value
    if x == frame.shape[2] - RADIUS - 1:
        for k in range(RADIUS):
            frame[i, y, x + 1 + k, c] = value


class _Chunk(NamedTuple):
    """Up to CHUNK pixels, and memory for what is computed of them.

    Attributes:
        at: int64 (CHUNK, 3): picture, and row and column of the frame.
        tile: int64 (CHUNK,): number of the pixel's tile in the strip.
        place: int64 (CHUNK, 2): where the first of its symbols is, and how far from it the next.
        prediction: int64 (CHUNK, channels), by median edge.
        features: int16 (CHUNK, features).
        hidden: int16 (networks, CHUNK, hidden units and hints).
        inner: int16 (CHUNK, hidden units) of one block.
        head: int16 (CHUNK, head units and hints) of one channel.
        sums: int32 (CHUNK, outputs) of any layer.
        out: int32 (networks, CHUNK, 3 mix) of one channel.
        hints: int16 (CHUNK, hints, an even number).
        vector: int32 (CHUNK, entries of v), see :mod:`vaezip.models.pixel.least_squares`.
        prediction_sums: int64 (CHUNK, predictors, 2, channels), see there.
    """

    at: Ints
    tile: Ints
    place: Ints
    prediction: Ints
    features: Ints
    hidden: Ints
    inner: Ints
    head: Ints
    sums: Ints
    out: Ints
    hints: Ints
    vector: Ints
    prediction_sums: Ints


@jit
def _empty_chunk(networks, mix, predictors):
    weights = networks[0]
    hidden, channels, seen = weights.first.bias.shape[1], weights.order.size, 2 * weights.head.weight.shape[1]
    widest = max(hidden, weights.head.weight.shape[2], weights.out.weight.shape[2])
    return _Chunk(
        np.zeros((CHUNK, 3), np.int64),
        np.zeros(CHUNK, np.int64),
        np.zeros((CHUNK, 2), np.int64),
        np.zeros((CHUNK, channels), np.int64),
        np.zeros((CHUNK, 2 * weights.first.weight.shape[1]), np.int16),
        np.zeros((len(networks), CHUNK, seen), np.int16),
        np.zeros((CHUNK, hidden), np.int16),
        np.zeros((CHUNK, 2 * weights.out.weight.shape[1]), np.int16),
        np.zeros((CHUNK, widest), np.int32),
        np.zeros((len(networks), CHUNK, 3 * mix), np.int32),
        np.zeros((CHUNK, seen - hidden), np.int16),
        np.zeros((CHUNK, least_squares.vector_size(channels, predictors)), np.int32),
        np.zeros((CHUNK, predictors, 2, channels), np.int64),
    )


@jit
def _empty_mixtures(mix):
    return np.zeros((mix, CHUNK), np.int64), np.zeros((mix, CHUNK), np.int64), np.zeros((mix, CHUNK), np.int64)


def wave_count(rows: int, width: int) -> int:
    """Count the waves of a strip."""
    return width + LAG * (rows - 1)


@inline
def wave_rows(wave, rows, width):
    """Return the first row of a wave, and how many it has."""
    low = max(0, (wave - width + LAG) // LAG)
    return low, min(rows - 1, wave // LAG) - low + 1


@inline
def waves_of_segments(rows, width):
    """Count the waves until the last segment of the last row is done."""
    return LAG * ((width + LAG - 1) // LAG + rows - 1)


@borrowing
def _add_pixels(chunk, filled, n, begin, wave, low, count, top, width, done):
    """Add n pixels of a wave to a chunk, from the ``begin``-th on; their symbols begin at ``done``."""
    across, channels = (width + TILE - 1) // TILE, chunk.prediction.shape[1]
    for p in range(n):
        i, row = (begin + p) // count, low + (begin + p) % count
        column = wave - LAG * row
        at, place = chunk.at[filled + p], chunk.place[filled + p]
        at[0], at[1], at[2] = i, top + row + RADIUS, column + RADIUS
        place[0], place[1] = done + p, n
        chunk.tile[filled + p] = i * across + column // TILE
    return filled + n, done + n * channels


@borrowing
def _run_trunk(n, frame, networks, offsets, chunk):
    """Compute the features of n pixels, and their hidden units in each network."""
    for p in range(n):
        i, y, x = chunk.at[p, 0], chunk.at[p, 1], chunk.at[p, 2]
        write_features(frame, i, y, x, chunk.prediction.shape[1], chunk.features, p, chunk.prediction)
    for v in range(len(networks)):
        _run_trunk_of(n, networks[v], offsets, chunk, chunk.hidden[v])


@borrowing
def _run_trunk_of(n, weights, offsets, chunk, h):
    """Compute the hidden units of n pixels in one network: the first layer and the blocks."""
    width = weights.first.bias.shape[1]
    _styled_layer(n, weights.first, _ZERO, chunk.features, offsets, chunk.tile, _ZERO, chunk.sums, h)
    for b in range(weights.inner.bias.shape[0]):
        begin = (b + 1) * width
        _styled_layer(n, weights.inner, b, h, offsets, chunk.tile, begin, chunk.sums, chunk.inner)
        _add_outer(n, weights.outer, b, chunk.inner, chunk.sums, h)


@borrowing
def _run_heads(n, j, networks, chunk):
    """Compute the parameters of the j-th channel of n pixels in each network."""
    for v in range(len(networks)):
        weights = networks[v]
        _hinted_layer(n, weights.head, j, chunk.hidden[v], chunk.hints, chunk.sums, chunk.head)
        _hinted_layer(n, weights.out, j, chunk.head, chunk.hints, chunk.sums, chunk.out[v])


@inline
def _predict(n, frame, order, predictors, top, chunk):
    """Write the unconditional least-squares predictions of n pixels into the frame."""
    for p in range(n):
        i, y, x = chunk.at[p, 0], chunk.at[p, 1], chunk.at[p, 2]
        least_squares.write_vector(frame, i, y, x, order, chunk.vector[p])
        row = y - top - RADIUS
        least_squares.predict(frame, i, y, x, predictors, row, chunk.vector[p], chunk.prediction_sums[p])


@inline
def _predict_conditionally(n, j, frame, predictors, top, chunk):
    """Write the conditional least-squares predictions of the j-th channel of n pixels into the frame and the hints."""
    channels = chunk.prediction.shape[1]
    for p in range(n):
        i, y, x = chunk.at[p, 0], chunk.at[p, 1], chunk.at[p, 2]
        row, v, sums = y - top - RADIUS, chunk.vector[p], chunk.prediction_sums[p]
        least_squares.predict_conditionally(frame, i, y, x, j, predictors, row, v, sums)
        for r in range(len(predictors)):
            chunk.hints[p, (1 + r) * channels + j] = frame[i, y, x, (1 + r) * channels + j]


@inline
def _note_pixels(n, frame, order, predictors, top, chunk, scratch):
    """Write the energies of n pixels, which are known now, into the frame, and keep their vectors."""
    for p in range(n):
        i, y, x = chunk.at[p, 0], chunk.at[p, 1], chunk.at[p, 2]
        least_squares.note_energies(frame, i, y, x, order, len(predictors))
        least_squares.keep_vector(chunk.vector[p], i, y - top - RADIUS, (x - RADIUS) % SEGMENT, scratch)


@jit
def pop_strip(stack, frame, top, rows, networks, offsets, mix, tables, predictors, scratch, calibrator, inputs):
    """Take the pixels of a strip from the stack, and write them into the frame.

    Args:
        stack: its head, of :meth:`vaezip.entropy.stack.Stack.run`.
        frame: int16 (pictures, …) of :mod:`vaezip.models.pixel.context`.
        top, rows: the strip.
        networks: a tuple of :class:`vaezip.models.pixel.weights.Weights`.
        offsets: of the style network, int32 (pictures · tiles in a row, style offsets).
        mix: logistics a channel, of each network.
        tables: of :func:`vaezip.models.pixel.mixture.mixture_tables`.
        predictors: a tuple of :class:`vaezip.models.pixel.least_squares.State`, after the rows above; they go on in
            place.
        scratch: of :func:`vaezip.models.pixel.least_squares.workspace`.
        calibrator: a :class:`vaezip.models.pixel.calibration.State`, after the rows above; it goes on in place.
        inputs: of :func:`vaezip.models.pixel.calibration.scratch_for`.

    Returns:
        head and size of the stack.
    """
    chunk = _empty_chunk(networks, mix, len(predictors))
    return _pop_waves(
        stack, frame, top, rows, networks, offsets, tables, predictors, scratch, calibrator, inputs, chunk
    )


@borrowing
def _pop_waves(stack, frame, top, rows, networks, offsets, tables, predictors, scratch, calibrator, inputs, chunk):
    """Do what :func:`pop_strip` does, in memory that it makes; what makes none itself is compiled in half the time."""
    (head, words, size), order = stack, networks[0].order
    pictures, width, channels = frame.shape[0], frame.shape[2] - 2 * RADIUS, order.size
    regressed, calibrated = frame.shape[3] > channels, calibrator.move.shape[0] > 0
    for wave in range(waves_of_segments(rows, width)):
        if regressed and wave % LAG == 0:
            least_squares.solve(predictors, top, wave // LAG, rows, scratch)
        if calibrated and wave % LAG == 0:
            calibration.step(calibrator)
        low, count = wave_rows(wave, rows, width)
        for begin in range(0, pictures * count, CHUNK):
            n = min(CHUNK, pictures * count - begin)
            _add_pixels(chunk, _ZERO, n, begin, wave, low, count, top, width, _ZERO)
            if regressed:
                _predict(n, frame, order, predictors, top, chunk)
            _run_trunk(n, frame, networks, offsets, chunk)
            for j in range(channels):
                if regressed:
                    _predict_conditionally(n, j, frame, predictors, top, chunk)
                _run_heads(n, j, networks, chunk)
                stack = head, words, size
                head, size = _pop_channel(n, j, frame, order, chunk, tables, calibrator, inputs, stack)
            if regressed:
                _note_pixels(n, frame, order, predictors, top, chunk, scratch)
        if regressed and wave % LAG == LAG - 1:
            least_squares.observe(frame, top + RADIUS, wave // LAG, rows, order, predictors, scratch)
    return head, size


@borrowing
def _pop_channel(n, j, frame, order, chunk, tables, calibrator, inputs, stack):
    """Take the j-th channel of n pixels from the stack, once its parameters are known."""
    (head, words, size), at, values, c, joint = stack, chunk.at, inputs.values, order[j], inputs.mixtures
    calibrated, residual = calibrator.move.shape[0] > 0, chunk.vector.shape[1] - order.size + j
    write_mixtures(n, chunk.out, chunk.prediction, c, tables.powers, joint)
    if calibrated:
        calibration.calibrate(n, j, calibrator, frame, order, at, tables, inputs)
    else:
        calibration.write_moments(n, tables, inputs)
    for p in range(n):
        mean, spread = inputs.mean[p] + inputs.moved[p] * 2.0**-MEAN_BITS, inputs.spread[p]
        m, s, w = joint.m[:, p], joint.s[:, p], joint.w[:, p]
        head, size, value = kernels.pop_one_mixture(head, words, size, m, s, w, tables.cdf, tables.scales, mean, spread)
        values[p] = value
        _write_value(frame, at[p, 0], at[p, 1], at[p, 2], c, value)
        chunk.hints[p, j] = chunk.vector[p, residual] = value - chunk.prediction[p, c]
    if calibrated:
        calibration.note_errors(n, j, calibrator, at, inputs)
        calibration.observe(n, j, calibrator, tables, inputs)
    return head, size


@jit
def mixtures(frame, top, rows, waves, networks, offsets, mix, tables, out):
    """Compute the networks' mixtures for the values of a strip, all of which are known, in the order of
    :func:`pop_strip`.

    Args: as there, but that the frame has the least-squares predictions already, and
        waves: the first of them, and the one after the last.
        out: int32 (values of the whole strip, 3, mix · networks), weights, means and log scales; those of the waves are
            filled.
    """
    predictors = max(1, least_squares.predictors_of(frame.shape[3], networks[0].order.size))
    memory = _empty_chunk(networks, mix, predictors), _empty_mixtures(mix * len(networks))
    _write_waves(frame, top, rows, waves, networks, offsets, tables, memory, out)


@borrowing
def _write_waves(frame, top, rows, waves, networks, offsets, tables, memory, out):
    """Do what :func:`mixtures` does, in memory that it makes."""
    pictures, width = frame.shape[0], frame.shape[2] - 2 * RADIUS
    channels, (chunk, mixture) = networks[0].order.size, memory
    filled, done = _ZERO, _ZERO
    for wave in range(waves[0]):
        done += pictures * wave_rows(wave, rows, width)[1] * channels
    for wave in range(waves[0], waves[1] + 1):  # nothing of the one after the last, which ends the last chunk
        low, count = wave_rows(wave, rows, width)
        pixels = pictures * count * (wave < waves[1])
        for begin in range(0, max(1, pixels), CHUNK):
            n = min(CHUNK, pixels - begin)
            if filled + n > CHUNK or wave == waves[1]:
                _write_mixtures(filled, frame, networks, offsets, tables, chunk, mixture, out)
                filled = _ZERO
            filled, done = _add_pixels(chunk, filled, n, begin, wave, low, count, top, width, done)


@inline
def _write_mixtures(n, frame, networks, offsets, tables, chunk, mixture, out):
    """Compute the mixtures of a chunk of n pixels."""
    (w, m, s), order = mixture, networks[0].order
    channels = order.size
    _run_trunk(n, frame, networks, offsets, chunk)
    hints = (1 + least_squares.predictors_of(frame.shape[3], channels)) * channels
    for p in range(n):
        for j in range(channels, hints):
            chunk.hints[p, j] = frame[chunk.at[p, 0], chunk.at[p, 1], chunk.at[p, 2], j]
    for j in range(channels):
        c = order[j]
        _run_heads(n, j, networks, chunk)
        write_mixtures(n, chunk.out, chunk.prediction, c, tables.powers, mixture)
        for p in range(n):
            i, y, x = chunk.at[p, 0], chunk.at[p, 1], chunk.at[p, 2]
            into = out[chunk.place[p, 0] + j * chunk.place[p, 1]]
            for k in range(w.shape[0]):
                into[0, k], into[1, k], into[2, k] = np.int32(w[k, p]), np.int32(m[k, p]), np.int32(s[k, p])
            chunk.hints[p, j] = np.int64(frame[i, y, x, c]) - chunk.prediction[p, c]
