"""The pixel network, compiled: pixel after pixel where each must be decoded before the next.

A strip is up to 32 rows of some pictures. Its pixels are coded in *waves*: wave t holds pixel
(row r, column t − LAG · r) of every row and picture. All that a pixel's neighbourhood holds lies in
earlier waves, so the pixels of a wave are computed together. The order of symbols is wave, then
chunks of up to CHUNK pixels (pictures, then rows), then channels, then pixels.

There may be several networks side by side, of one architecture: their mixtures are one, in which all weigh the same.

Sums are in 32 bits (:mod:`vaezip.exact.product16`), which :func:`vaezip.models.pixel.network.layers`
has checked; so the order of additions does not matter.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.entropy import kernels
from vaezip.exact.jit import inline, jit
from vaezip.exact.layer import Layer
from vaezip.exact.product16 import ROWS, empty, pack, product16
from vaezip.models import likelihoods
from vaezip.models.pixel import calibration, least_squares
from vaezip.models.pixel.architecture import RADIUS, PixelArchitecture
from vaezip.models.pixel.context import median_edge_at
from vaezip.models.pixel.network import ACTIVATION_BOUND

Ints = NDArray[Any]
Floats = NDArray[np.float64]

LAG = least_squares.SEGMENT
"""Columns that a row is behind the one above: as many as a neighbourhood reaches to the right, and one."""

CHUNK = 8 * ROWS


class Weights(NamedTuple):
    """The layers as arrays.

    ``*_w`` int16 (…, pairs of inputs, outputs, 2) of :func:`vaezip.exact.product16.pack`, ``*_e`` int32
    (channels, hints, outputs) for the hints, ``*_b`` int32 biases with the rounding's ½, ``*_s``
    int32 shifts, ``*_c`` int32 (…, 2).
    """

    first_w: Ints
    first_b: Ints
    first_s: Ints
    first_c: Ints
    inner_w: Ints
    inner_b: Ints
    inner_s: Ints
    inner_c: Ints
    outer_w: Ints
    outer_b: Ints
    outer_s: Ints
    outer_c: Ints
    head_w: Ints
    head_e: Ints
    head_b: Ints
    head_s: Ints
    out_w: Ints
    out_e: Ints
    out_b: Ints
    out_s: Ints
    out_c: Ints
    order: Ints


Networks = tuple[Weights, ...]
"""Side by side."""


class Tables(NamedTuple):
    """The logistic distribution function, 1/s, and e^−x for the weights of a mixture; and those of
    :func:`vaezip.models.likelihoods.gradient_tables`."""

    cdf: Ints
    scales: Ints
    powers: Ints
    sigmoid: Floats
    reciprocal: Floats
    interior: Floats
    inner: Floats


def weights(a: PixelArchitecture, made: dict[str, Layer]) -> Weights:
    """Pack the layers of :func:`vaezip.models.pixel.network.layers`."""
    blocks = range(a.blocks)
    first = _packed(a, [made["first"]], a.hidden, a.features)
    inner = _packed(a, [made[f"inner.{i}"] for i in blocks], a.hidden, a.hidden)
    outer = _packed(a, [made[f"outer.{i}"] for i in blocks], a.hidden, a.hidden)
    head = _packed(a, [made[f"head.{i}"] for i in range(a.channels)], a.head, a.hidden)
    out = _packed(a, [made[f"out.{i}"] for i in range(a.channels)], 3 * a.mixture, a.head)
    arrays = [first[k][0] for k in "wbsc"]
    for part, kinds in ((inner, "wbsc"), (outer, "wbsc"), (head, "webs"), (out, "websc")):
        arrays += [part[k] for k in kinds]
    return Weights._make([*arrays, np.array(a.order, np.int64)])


def _packed(a: PixelArchitecture, made: list[Layer], outputs: int, units: int) -> dict[str, Ints]:
    """Arrays of some layers of one shape; inputs beyond the units are hints."""
    w = np.zeros((len(made), *empty(outputs, units).shape), np.int16)
    e = np.zeros((len(made), a.hints, outputs), np.int32)
    for i, layer in enumerate(made):
        pack(layer.weight[:, :units], w[i])
        if layer.weight.shape[1] > units:
            e[i, a.seen(i)] = layer.weight[:, units:].T
    rounded = [layer.bias + (np.int64(1) << (layer.shift - 1)) for layer in made]
    return {
        "w": w,
        "e": e,
        "b": np.array(rounded, np.int32).reshape(len(made), outputs),
        "s": np.array([layer.shift for layer in made], np.int32).reshape(len(made), outputs),
        "c": np.array([layer.clamp for layer in made], np.int32).reshape(len(made), 2),
    }


@lru_cache
def mixture_tables() -> Tables:
    """Those of :class:`vaezip.entropy.distributions.LogisticMixture` and of its gradient."""
    return Tables(*d.logistic_tables(), d.weight_powers(), *likelihoods.gradient_tables())


# A 0 as it stands has a type of its own, for which numba would compile a kernel once more.
_ZERO, _BOUND = np.int64(0), np.int64(ACTIVATION_BOUND)

WHOLE = np.int64(1 << d.WEIGHT_BITS)
"""The sum of the weights of a mixture."""


@inline
def _clamped(x, low, high):  # type: ignore[no-untyped-def]
    return min(max(x, low), high)


# Loops over outputs compute in 32 bits and index without a sign, or the compiler does not turn them into vectors.


@inline
def _scaled(total, shift, low, high):  # type: ignore[no-untyped-def]
    """clamp(total >> shift) in 32 bits."""
    return min(max(np.int32(np.int32(total) >> (shift & 31)), np.int32(low)), np.int32(high))


@inline
def unit(y):  # type: ignore[no-untyped-def]
    """relu in 32 bits."""
    return min(max(np.int32(y), np.int32(0)), np.int32(ACTIVATION_BOUND))


@jit
def _shifted(n, x, w, bias, shift, clamp, shifts, style, begin, sums, out):  # type: ignore[no-untyped-def]
    """out = relu(W x + shifts of the pixel's style, from column ``begin`` on), for n pixels."""
    low, high = clamp[0], clamp[1]
    product16(n, x, w, sums)
    for p in range(n):
        row, first = np.uint64(style[p]), np.uint64(begin)
        for o in range(bias.size):
            y = _scaled(sums[p, o] + bias[o], shift[o], low, high)
            out[p, o] = unit(y + shifts[row, first + np.uint64(o)])


@jit
def _outer(n, i, weights, inner, sums, h):  # type: ignore[no-untyped-def]
    """h = relu(h + W inner) of block i, in place."""
    low, high = weights.outer_c[i, 0], weights.outer_c[i, 1]
    bias, shift = weights.outer_b[i], weights.outer_s[i]
    product16(n, inner, weights.outer_w[i], sums)
    for p in range(n):
        for o in range(bias.size):
            h[p, o] = unit(h[p, o] + _scaled(sums[p, o] + bias[o], shift[o], low, high))


@jit
def _head(n, i, weights, h, e, sums, units, out):  # type: ignore[no-untyped-def]
    """Parameters of the i-th channel in the order of coding."""
    product16(n, h, weights.head_w[i], sums)
    settle(n, sums, weights.head_e[i], e, weights.head_b[i], weights.head_s[i], _ZERO, _BOUND, units)
    product16(n, units, weights.out_w[i], sums)
    low, high = weights.out_c[i, 0], weights.out_c[i, 1]
    settle(n, sums, weights.out_e[i], e, weights.out_b[i], weights.out_s[i], low, high, out)


@jit
def settle(n, sums, weight, e, bias, shift, low, high, out):  # type: ignore[no-untyped-def]
    """out = clamp((sums + what the hints add + bias) >> shift); those that a row must not see have weights of 0."""
    for p in range(n):
        for j in range(weight.shape[0]):
            for o in range(bias.size):
                sums[p, o] += weight[j, o] * e[p, j]
        for o in range(bias.size):
            out[p, o] = _scaled(sums[p, o] + bias[o], shift[o], low, high)


@inline
def mixture(out, prediction, mix, powers, whole, at, w, m, s):  # type: ignore[no-untyped-def]
    """Weights, of which the sum is ``whole``, means and log scales of one channel of one pixel, as LogisticMixture has
    them; written from ``at`` on."""
    kernels.softmax(out, mix, powers, whole, at, w)
    for k in range(mix):
        m[at + k] = (prediction << d.MEAN_BITS) + out[mix + k]
        s[at + k] = _clamped(out[2 * mix + k], d.LOG_SCALE_LOW, d.LOG_SCALE_HIGH)


@inline
def _side_by_side(out, p, prediction, mix, powers, w, m, s):  # type: ignore[no-untyped-def]
    """One mixture of what the networks say of pixel p."""
    whole = WHOLE // out.shape[0]
    for v in range(out.shape[0]):
        mixture(out[v, p], prediction, mix, powers, whole, v * mix, w, m, s)


@inline
def describe(frame, i, y, x, channels, f, p, prediction):  # type: ignore[no-untyped-def]
    """Features and prediction of the pixel at frame position (y, x); regression must have gone before."""
    for c in range(channels):
        prediction[p, c] = median_edge_at(frame, i, y, x, c)
    at = 0
    for dy in range(-RADIUS, 1):
        for dx in range(-RADIUS, RADIUS + 1 if dy < 0 else 0):
            for c in range(channels):
                f[p, at] = frame[i, y + dy, x + dx, c] - prediction[p, c]
                at += 1
    for c in range(channels):
        f[p, at] = prediction[p, c] - 128
        at += 1
    if frame.shape[3] > channels:
        for k in range(2 * channels):
            f[p, at + k] = frame[i, y, x, 2 * channels + k]


@inline
def _enter(frame, i, y, x, c, value):  # type: ignore[no-untyped-def]
    """Write a decoded value where the frame shows it."""
    frame[i, y, x, c] = value
    if x == RADIUS and y + 1 < frame.shape[1]:
        for k in range(RADIUS):
            frame[i, y + 1, k, c] = value
    if x == frame.shape[2] - RADIUS - 1:
        for k in range(RADIUS):
            frame[i, y, x + 1 + k, c] = value


class _Chunk(NamedTuple):
    """Up to CHUNK pixels, and room for what is computed of them.

    ``at`` int64 (CHUNK, 3): picture, and row and column of the frame; ``style`` their tiles; ``place`` int64
    (CHUNK, 2): where the first of its symbols is, and how far from it the next. ``hidden`` and ``out`` are those of
    each network.
    """

    at: Ints
    style: Ints
    place: Ints
    prediction: Ints
    features: Ints
    hidden: Ints
    inner: Ints
    units: Ints
    sums: Ints
    out: Ints
    hints: Ints
    vector: Ints
    expected: Ints


@jit
def _empty_chunk(networks, mix):  # type: ignore[no-untyped-def]
    weights = networks[0]
    hidden, channels = weights.first_b.size, weights.order.size
    widest = max(hidden, weights.head_w.shape[2], weights.out_w.shape[2])
    return _Chunk(
        np.zeros((CHUNK, 3), np.int64),
        np.zeros(CHUNK, np.int64),
        np.zeros((CHUNK, 2), np.int64),
        np.zeros((CHUNK, channels), np.int64),
        np.zeros((CHUNK, 2 * weights.first_w.shape[0]), np.int16),
        np.zeros((len(networks), CHUNK, hidden), np.int16),
        np.zeros((CHUNK, hidden), np.int16),
        np.zeros((CHUNK, 2 * weights.out_w.shape[1]), np.int16),
        np.zeros((CHUNK, widest), np.int32),
        np.zeros((len(networks), CHUNK, 3 * mix), np.int32),
        np.zeros((CHUNK, weights.head_e.shape[1]), np.int32),
        np.zeros((CHUNK, least_squares.size(channels)), np.int32),
        np.zeros((CHUNK, 2, channels), np.int64),
    )


def wave_count(rows: int, width: int) -> int:
    """How many a strip has."""
    return width + LAG * (rows - 1)


@inline
def _wave(wave, rows, width):  # type: ignore[no-untyped-def]
    """Its first row, and how many."""
    low = max(0, (wave - width + LAG) // LAG)
    return low, min(rows - 1, wave // LAG) - low + 1


@jit
def _enlist(chunk, filled, n, begin, wave, low, count, top, width, done):  # type: ignore[no-untyped-def]
    """Add n pixels of a wave, from the ``begin``-th on; their symbols begin at ``done``."""
    across, channels = (width + 31) // 32, chunk.prediction.shape[1]
    for p in range(n):
        i, row = (begin + p) // count, low + (begin + p) % count
        column = wave - LAG * row
        at, place = chunk.at[filled + p], chunk.place[filled + p]
        at[0], at[1], at[2] = i, top + row + RADIUS, column + RADIUS
        place[0], place[1] = done + p, n
        chunk.style[filled + p] = i * across + column // 32
    return filled + n, done + n * channels


@jit
def _hidden(n, frame, networks, shifts, chunk):  # type: ignore[no-untyped-def]
    """The hidden units of n pixels."""
    for p in range(n):
        i, y, x = chunk.at[p, 0], chunk.at[p, 1], chunk.at[p, 2]
        describe(frame, i, y, x, chunk.prediction.shape[1], chunk.features, p, chunk.prediction)
    for v in range(len(networks)):
        _hidden_by(n, networks[v], shifts, chunk, chunk.hidden[v])


@jit
def _hidden_by(n, weights, shifts, chunk, h):  # type: ignore[no-untyped-def]
    """Those of one network."""
    width = weights.first_b.size
    layer = weights.first_w, weights.first_b, weights.first_s, weights.first_c
    _shifted(n, chunk.features, *layer, shifts, chunk.style, _ZERO, chunk.sums, h)
    for b in range(weights.inner_b.shape[0]):
        layer = weights.inner_w[b], weights.inner_b[b], weights.inner_s[b], weights.inner_c[b]
        _shifted(n, h, *layer, shifts, chunk.style, (b + 1) * width, chunk.sums, chunk.inner)
        _outer(n, b, weights, chunk.inner, chunk.sums, h)


@jit
def _heads(n, j, networks, chunk):  # type: ignore[no-untyped-def]
    """Parameters of the j-th channel of n pixels, by each network."""
    for v in range(len(networks)):
        _head(n, j, networks[v], chunk.hidden[v], chunk.hints, chunk.sums, chunk.units, chunk.out[v])


@inline
def _expect(n, frame, order, state, top, chunk):  # type: ignore[no-untyped-def]
    """What regression expects of n pixels, into the frame."""
    for p in range(n):
        i, y, x = chunk.at[p, 0], chunk.at[p, 1], chunk.at[p, 2]
        least_squares.vector(frame, i, y, x, order, chunk.vector[p])
        row = y - top - RADIUS
        least_squares.expect(frame, i, y, x, state, row, chunk.vector[p], chunk.expected[p])


@inline
def _predict(n, j, frame, state, top, chunk):  # type: ignore[no-untyped-def]
    """What regression predicts of the j-th channel of n pixels, into the frame and the hints."""
    channels = chunk.prediction.shape[1]
    for p in range(n):
        i, y, x = chunk.at[p, 0], chunk.at[p, 1], chunk.at[p, 2]
        least_squares.given(frame, i, y, x, j, state, y - top - RADIUS, chunk.vector[p], chunk.expected[p])
        chunk.hints[p, channels + j] = frame[i, y, x, channels + j]


@inline
def _steps(rows, width):  # type: ignore[no-untyped-def]
    """Waves until the last segment of the last row is done."""
    return LAG * ((width + LAG - 1) // LAG + rows - 1)


@jit
def pop_strip(stack, frame, top, rows, networks, shifts, mix, tables, state, room, correcting):  # type: ignore[no-untyped-def]
    """Take the pixels of a strip from the stack, and write them into the frame.

    Args:
        stack: its head, of :meth:`vaezip.entropy.stack.Stack.run`.
        frame: int16 (pictures, …) of :mod:`vaezip.models.pixel.context`.
        top, rows: the strip.
        networks: a tuple of what :func:`weights` gives.
        shifts: int32 (pictures · tiles in a row, shifts).
        mix: logistics a channel, of each network.
        tables: of :func:`mixture_tables`.
        state: of :func:`vaezip.models.pixel.least_squares.start`, after the rows above; it goes on in place.
        room: for its systems of equations.
        correcting: a :class:`vaezip.models.pixel.calibration.State`, after the rows above; it goes on in place.

    Returns:
        head and size of the stack.
    """
    head, words, size = stack
    order, all_mix = networks[0].order, mix * len(networks)
    pictures, width, channels = frame.shape[0], frame.shape[2] - 2 * RADIUS, order.size
    regressed, corrected = frame.shape[3] > channels, correcting.move.shape[0] > 0
    chunk, looked = _empty_chunk(networks, mix), calibration.room(correcting)
    w, m, s = np.zeros(all_mix, np.int64), np.zeros(all_mix, np.int64), np.zeros(all_mix, np.int64)
    for wave in range(_steps(rows, width)):
        if regressed and wave % LAG == 0:
            least_squares.solve(state, wave // LAG, rows, room)
        if corrected and wave % LAG == 0:
            calibration.step(correcting)
        low, count = _wave(wave, rows, width)
        for begin in range(0, pictures * count, CHUNK):
            n = min(CHUNK, pictures * count - begin)
            _enlist(chunk, _ZERO, n, begin, wave, low, count, top, width, _ZERO)
            if regressed:
                _expect(n, frame, order, state, top, chunk)
            _hidden(n, frame, networks, shifts, chunk)
            for j in range(channels):
                c = order[j]
                if regressed:
                    _predict(n, j, frame, state, top, chunk)
                _heads(n, j, networks, chunk)
                for p in range(n):
                    predicted = chunk.prediction[p, c]
                    i, y, x = chunk.at[p, 0], chunk.at[p, 1], chunk.at[p, 2]
                    _side_by_side(chunk.out, p, predicted, mix, tables.powers, w, m, s)
                    if corrected:
                        calibration.set_right(correcting, frame, order, i, y, x, j, w, m, s, tables, looked)
                    head, size, value = kernels.pop_one_mixture(head, words, size, m, s, w, tables.cdf, tables.scales)
                    if corrected:
                        calibration.observe(correcting, i, y, x, j, w, m, s, value, tables, looked)
                    _enter(frame, i, y, x, c, value)
                    chunk.hints[p, j] = value - predicted
                    chunk.vector[p, chunk.vector.shape[1] - channels + j] = value - predicted
        if regressed and wave % LAG == LAG - 1:
            least_squares.observe(frame, top + RADIUS, wave // LAG, rows, order, state)
    return head, size


@jit
def mixtures(frame, top, rows, waves, networks, shifts, mix, tables, out):  # type: ignore[no-untyped-def]
    """The networks' mixtures for the values of a strip, in the order of :func:`pop_strip`, by which all are known.

    Args: as there, but that the frame holds what regression makes of them already, and
        waves: the first of them, and the one after the last.
        out: int32 (values of the whole strip, 3, mix · networks), weights, means and log scales; those of the waves are
            filled.
    """
    pictures, width = frame.shape[0], frame.shape[2] - 2 * RADIUS
    chunk, channels = _empty_chunk(networks, mix), networks[0].order.size
    filled, done = _ZERO, _ZERO
    for wave in range(waves[0]):
        done += pictures * _wave(wave, rows, width)[1] * channels
    for wave in range(waves[0], waves[1] + 1):  # nothing of the one after the last, which ends the last chunk
        low, count = _wave(wave, rows, width)
        pixels = pictures * count * (wave < waves[1])
        for begin in range(0, max(1, pixels), CHUNK):
            n = min(CHUNK, pixels - begin)
            if filled + n > CHUNK or wave == waves[1]:
                _chunk_mixtures(filled, frame, networks, shifts, mix, tables, chunk, out)
                filled = _ZERO
            filled, done = _enlist(chunk, filled, n, begin, wave, low, count, top, width, done)


@inline
def _chunk_mixtures(n, frame, networks, shifts, mix, tables, chunk, out):  # type: ignore[no-untyped-def]
    all_mix, order = out.shape[2], networks[0].order
    w, m, s = np.zeros(all_mix, np.int64), np.zeros(all_mix, np.int64), np.zeros(all_mix, np.int64)
    channels = order.size
    _hidden(n, frame, networks, shifts, chunk)
    for p in range(n):
        for j in range(channels, chunk.hints.shape[1]):
            chunk.hints[p, j] = frame[chunk.at[p, 0], chunk.at[p, 1], chunk.at[p, 2], j]
    for j in range(channels):
        c = order[j]
        _heads(n, j, networks, chunk)
        for p in range(n):
            i, y, x = chunk.at[p, 0], chunk.at[p, 1], chunk.at[p, 2]
            predicted = chunk.prediction[p, c]
            _side_by_side(chunk.out, p, predicted, mix, tables.powers, w, m, s)
            into = out[chunk.place[p, 0] + j * chunk.place[p, 1]]
            for k in range(all_mix):
                into[0, k], into[1, k], into[2, k] = np.int32(w[k]), np.int32(m[k]), np.int32(s[k])
            chunk.hints[p, j] = np.int64(frame[i, y, x, c]) - predicted


@jit
def intervals(frame, top, rows, order, found, tables, correcting, starts, freqs):  # type: ignore[no-untyped-def]
    """Intervals of the values of a strip by mixtures of :func:`mixtures`, which are set right on the way.

    Args: as of :func:`pop_strip`, and
        order: the channels in the order of coding.
        found: of :func:`mixtures`.
        starts, freqs: int64, one for each value, filled.
    """
    pictures, width, mix = frame.shape[0], frame.shape[2] - 2 * RADIUS, found.shape[2]
    corrected, looked, symbol = correcting.move.shape[0] > 0, calibration.room(correcting), 0
    w, m, s = np.zeros(mix, np.int64), np.zeros(mix, np.int64), np.zeros(mix, np.int64)
    for wave in range(_steps(rows, width)):
        if corrected and wave % LAG == 0:
            calibration.step(correcting)
        low, count = _wave(wave, rows, width)
        for begin in range(0, pictures * count, CHUNK):
            n = min(CHUNK, pictures * count - begin)
            for j in range(order.size):
                for p in range(begin, begin + n):
                    i, y = p // count, top + RADIUS + low + p % count
                    x = RADIUS + wave - LAG * (low + p % count)
                    value = np.int64(frame[i, y, x, order[j]])
                    for k in range(mix):
                        w[k], m[k], s[k] = found[symbol, 0, k], found[symbol, 1, k], found[symbol, 2, k]
                    if corrected:
                        calibration.set_right(correcting, frame, order, i, y, x, j, w, m, s, tables, looked)
                        calibration.observe(correcting, i, y, x, j, w, m, s, value, tables, looked)
                    starts[symbol] = kernels.cdf_mixture(value, m, s, w, tables.cdf, tables.scales)
                    end = kernels.cdf_mixture(value + 1, m, s, w, tables.cdf, tables.scales)
                    freqs[symbol] = end - starts[symbol]
                    symbol += 1
