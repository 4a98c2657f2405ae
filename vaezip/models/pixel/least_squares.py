"""Least squares nearby: what a linear predictor, fitted to the pixels just coded, makes of the next.

For each segment of a row the regression of a pixel on its nearest neighbours is solved anew, from the pixels
known before, which weigh the less the farther they are. Encoder and decoder both do it, and nothing is sent.
What comes of it goes into the pixel network.

Let v(p) be a pixel's differences neighbour − P and, after them, its residuals x − P in the order of coding; and
S(r, k) the sum of v vᵀ over segment k of row r, which are SEGMENT pixels. With

    H(r, k) = S(r, k) + BESIDE H(r, k − 1)        G(r, k) = H(r, k) + ABOVE G(r − 1, k + 1)

segment k of row r is predicted from A = BESIDE H(r, k − 1) + ABOVE G(r − 1, k): all of it is known when rows are
coded in waves, each row one segment behind the row above. One Cholesky factor of A, with a ridge, serves all
channels: it holds the regression of each on the neighbours and on the channels coded before it.

Exactness: every operation is a correctly rounded one of float64, and they follow one another as the loops say,
for nothing here is compiled with leave to do otherwise. The coefficients are then rounded to integers, and pixels
are predicted in integers.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.cholesky import LANES, factorise, regress, workspace
from vaezip.exact.jit import inline, jit
from vaezip.models.pixel.architecture import RADIUS, TILE, PixelArchitecture
from vaezip.models.pixel.context import framed, median_edge_at

Floats = NDArray[np.float64]
Frame = NDArray[np.int16]

NEAREST = ((0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-2, 1), (-2, -1), (-1, -2), (-1, 2))
"""The neighbours that a pixel is regressed on."""

BESIDE, ABOVE = 0.9, 0.8
"""How much a segment weighs beside that after it, and a row beside that below it."""

_RIDGE, _RIDGE_SHARE = 4.0, 1e-3

SEGMENT = RADIUS + 1
"""How far each row is behind the one above when rows are coded together."""

_COEFFICIENT_BITS = 12
_COEFFICIENT_BOUND = 1 << 15

UNIT_BITS = 3
"""Predictions are in 1/8 of a pixel value."""

BOUND = 1023
"""Of what the network is given."""

SPREAD_BITS = 5
"""log2 of the variance is given in 1/32 to the network."""

_DOWN, _RIGHT = (np.array(part) for part in zip(*NEAREST))


class State(NamedTuple):
    """What is known of some pictures, up to 32 rows of which are coded at once.

    ``above`` G of the last row, (pictures, segments, entries); ``beside`` H, (pictures, rows, entries): lower
    triangles row by row, and last the weight of all pixels in them. ``coefficients`` int32 (pictures, rows,
    channels, regressors) and ``spread`` int16 (pictures, rows, channels) are those of the segments under way.
    """

    above: Floats
    beside: Floats
    coefficients: NDArray[np.int32]
    spread: NDArray[np.int16]


def start(pictures: int, width: int, a: PixelArchitecture) -> State:
    """Nothing is known; of a model without regression there is nothing to know."""
    width, regressors = (width, size(a.channels)) if a.regressed else (0, 0)
    entries = regressors * (regressors + 1) // 2 + 1
    return State(
        np.zeros((pictures, -(-width // SEGMENT), entries)),
        np.zeros((pictures, TILE, entries)),
        np.zeros((pictures, TILE, a.channels, regressors), np.int32),
        np.zeros((pictures, TILE, a.channels), np.int16),
    )


def shown(a: PixelArchitecture, pictures: NDArray[np.uint8]) -> Frame:
    """The frame of pictures that are known, int16 (pictures, …, planes).

    After its values a pixel has, by channel in the order of coding: what is predicted when the channels before
    are known; what is expected when they are not; and the spread.
    """
    if not a.regressed:
        return framed(pictures)
    frame = with_planes(framed(pictures), a)
    for picture in frame:
        _fill(picture[None], np.array(a.order), start(1, pictures.shape[2], a), workspace(size(a.channels)))
    return frame


def with_planes(frame: Frame, a: PixelArchitecture) -> Frame:
    """A frame of values with room for what regression makes of them."""
    out = np.zeros((*frame.shape[:-1], a.planes), np.int16)
    out[..., : a.channels] = frame
    return out


@jit
def size(channels):  # type: ignore[no-untyped-def]
    """Of v."""
    return (_DOWN.size + 1) * channels


@jit
def _fill(frame, order, state, factor):  # type: ignore[no-untyped-def]
    """Strip by strip in the steps of its waves, so that several rows are solved side by side."""
    pictures, channels, segments = frame.shape[0], order.size, state.above.shape[1]
    v, sums = np.empty(size(channels), np.int32), np.empty((2, channels), np.int64)
    for top in range(RADIUS, frame.shape[1], TILE):
        rows = min(TILE, frame.shape[1] - top)
        for step in range(segments + rows - 1):
            solve(state, step, rows, factor)
            low, count = _under_way(step, rows, segments)
            for i in range(pictures):
                for row in range(low, low + count):
                    left = RADIUS + SEGMENT * (step - row)
                    for x in range(left, min(left + SEGMENT, frame.shape[2] - RADIUS)):
                        vector(frame, i, top + row, x, order, v)
                        expect(frame, i, top + row, x, state, row, v, sums)
                        for j in range(channels):
                            given(frame, i, top + row, x, j, state, row, v, sums)
            observe(frame, top, step, rows, order, state)


@inline
def _under_way(step, rows, segments):  # type: ignore[no-untyped-def]
    """The first row that is in one of its segments, and how many are."""
    low = max(0, step - segments + 1)
    return low, min(rows - 1, step) - low + 1


@inline
def vector(frame, i, y, x, order, v):  # type: ignore[no-untyped-def]
    """v of the pixel at frame position (y, x), int32; its residuals are right once its values are known."""
    channels, regressors = order.size, _DOWN.size
    for j in range(channels):
        c = order[j]
        predicted = median_edge_at(frame, i, y, x, c)
        for q in range(regressors):
            v[q * channels + j] = frame[i, y + _DOWN[q], x + _RIGHT[q], c] - predicted
        v[regressors * channels + j] = frame[i, y, x, c] - predicted


@jit
def solve(state, step, rows, room):  # type: ignore[no-untyped-def]
    """Coefficients and spreads for the segments that come next: of each row, ``step − row``.

    Args:
        rows: how many are coded together.
        room: of :func:`vaezip.exact.cholesky.workspace`.
    """
    pictures, channels, regressors = state.above.shape[0], state.spread.shape[2], state.coefficients.shape[3]
    low, count = _under_way(step, rows, state.above.shape[1])
    for begin in range(0, pictures * count, LANES):
        lanes = min(LANES, pictures * count - begin)
        for t in range(LANES):  # those beyond repeat the first
            number = begin + t * (t < lanes)
            row = low + number % count
            _covariance(state, number // count, row, step - row, room, t)
        factorise(room, regressors)
        regress(room, regressors, channels)
        for t in range(lanes):
            i, row = (begin + t) // count, low + (begin + t) % count
            _keep(room, t, state.coefficients[i, row], state.spread[i, row])


@jit
def _covariance(state, i, row, k, room, t):  # type: ignore[no-untyped-def]
    """A with its ridge, over the weight of all pixels in it, into the upper triangle of lane t."""
    above, beside, channels = state.above[i, k], state.beside[i, row], state.spread.shape[2]
    regressors = state.coefficients.shape[3]
    fading = BESIDE if k > 0 else 0.0  # beside holds the end of an earlier row
    together = np.empty(above.size)
    for e in range(above.size):
        together[e] = fading * beside[e] + ABOVE * above[e]
    weight = 1.0 / (1.0 + together[above.size - 1])
    at, trace = 0, 0.0
    for n in range(regressors):
        for m in range(n + 1):
            room[m, n, t] = together[at + m] * weight
        at += n + 1
        if n < regressors - channels:
            trace += room[n, n, t]
    ridge = _RIDGE * weight + _RIDGE_SHARE * (trace / (regressors - channels))
    for n in range(regressors):
        room[n, n, t] += ridge


@jit
def _keep(room, t, coefficients, spread):  # type: ignore[no-untyped-def]
    """The solution of lane t; the spread is log2 of the mean square that a regression leaves."""
    channels, regressors = coefficients.shape
    for j in range(channels):
        before = regressors - channels + j
        reciprocal = room[before, before, t]
        spread[j] = _logarithm(1.0 / (reciprocal * reciprocal))
        for n in range(before):
            whole = np.floor(room[regressors + j, n, t] * (1 << _COEFFICIENT_BITS) + 0.5)
            coefficients[j, n] = np.int32(min(max(whole, -_COEFFICIENT_BOUND), _COEFFICIENT_BOUND))


@inline
def _logarithm(variance):  # type: ignore[no-untyped-def]
    """About 2^SPREAD_BITS log2, linear between the powers of two."""
    mantissa, exponent = math.frexp(variance)
    return np.int16((exponent - 2 + 2.0 * mantissa) * (1 << SPREAD_BITS))


@inline
def _within(total):  # type: ignore[no-untyped-def]
    """A prediction in units of the coefficients in those of the network."""
    drop = _COEFFICIENT_BITS - UNIT_BITS
    return min(max((total + (1 << (drop - 1))) >> drop, -BOUND), BOUND)


@jit
def expect(frame, i, y, x, state, row, v, sums):  # type: ignore[no-untyped-def]
    """Write what is predicted of a pixel when none of its values are known, and the spreads.

    Args:
        v: of :func:`vector`.
        sums: int64 (2, channels), filled: the neighbours' part of each prediction, and all of it.
    """
    channels = sums.shape[1]
    nearest = v.size - channels
    for j in range(channels):
        found, total = state.coefficients[i, row, j], np.int32(0)
        for n in range(nearest):
            total += found[n] * v[n]
        sums[0, j] = sums[1, j] = total
        for m in range(j):
            sums[1, j] += (found[nearest + m] * sums[1, m]) >> _COEFFICIENT_BITS
        frame[i, y, x, 2 * channels + j] = _within(sums[1, j])
        frame[i, y, x, 3 * channels + j] = state.spread[i, row, j]


@inline
def given(frame, i, y, x, j, state, row, v, sums):  # type: ignore[no-untyped-def]
    """Write what is predicted of the j-th channel when those before it are known; after :func:`expect`."""
    channels = sums.shape[1]
    nearest, total = v.size - channels, sums[0, j]
    for m in range(j):
        total += np.int64(state.coefficients[i, row, j, nearest + m]) * v[nearest + m]
    frame[i, y, x, channels + j] = _within(total)


@jit
def observe(frame, top, step, rows, order, state):  # type: ignore[no-untyped-def]
    """The segments of :func:`solve` are known; ``top`` is the frame row of row 0."""
    v = np.empty((SEGMENT, size(order.size)), np.int32)
    low, count = _under_way(step, rows, state.above.shape[1])
    for i in range(frame.shape[0]):
        for row in range(low, low + count):
            left = RADIUS + SEGMENT * (step - row)
            pixels = min(SEGMENT, frame.shape[2] - RADIUS - left)
            v[pixels:] = 0
            for p in range(pixels):
                vector(frame, i, top + row, left + p, order, v[p])
            _add(v, pixels, step - row, state.above[i], state.beside[i, row])


@jit
def _add(v, pixels, k, above, beside):  # type: ignore[no-untyped-def]
    """H and G, with the segment's v (SEGMENT, regressors)."""
    fading, last, at = BESIDE if k > 0 else 0.0, beside.size - 1, 0
    v0, v1, v2, v3 = v[0], v[1], v[2], v[3]
    for n in range(v.shape[1]):
        a, b, c, d, part = v0[n], v1[n], v2[n], v3[n], beside[at : at + n + 1]
        for m in range(part.size):
            total = a * v0[m] + b * v1[m] + c * v2[m] + d * v3[m]
            part[m] = fading * part[m] + np.float64(np.int32(total))
        at += n + 1
    beside[last] = fading * beside[last] + np.float64(pixels)
    here, after = above[k], above[min(k + 1, above.shape[0] - 1)]
    for e in range(beside.size):
        here[e] = beside[e] + ABOVE * after[e]
