"""Predict pixels by least squares: a linear predictor is fitted to the pixels just coded, and applied to the next.

For each segment of a row the coefficients of the nearest neighbours of a pixel are solved anew, from the pixels
known before, which weigh the less the farther they are. Encoder and decoder both do it, and nothing is sent.
Its predictions are inputs of the pixel network.

Let v(p) be a pixel's differences neighbour − P and, after them, its residuals x − P in the order of coding; and
S(r, k) the sum of v vᵀ over segment k of row r, which are SEGMENT pixels. With

    H(r, k) = S(r, k) + DECAY_BESIDE H(r, k − 1)        G(r, k) = H(r, k) + DECAY_ABOVE G(r − 1, k + 1)

segment k of row r is predicted from A = DECAY_BESIDE H(r, k − 1) + DECAY_ABOVE G(r − 1, k): all of it is known when
rows are coded in waves, each row one segment behind the row above. One Cholesky factor of A, with a ridge, serves all
channels: it holds the coefficients by which each depends on the neighbours and on the channels coded before it.

A channel has two predictions: the *conditional* one knows the channels coded before, the other does not.

Exactness: every operation is a correctly rounded one of float64, and they follow one another as the loops say,
for nothing here is compiled with leave to do otherwise. The coefficients are then rounded to integers, and pixels
are predicted in integers.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.exact import cholesky
from vaezip.exact.cholesky import LANES, factorise, regress
from vaezip.exact.jit import inline, jit
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.pixel.constants import (
    COEFFICIENT_BITS,
    COEFFICIENT_BOUND,
    DECAY_ABOVE,
    DECAY_BESIDE,
    PREDICTION_BOUND,
    RADIUS,
    REGRESSORS,
    RIDGE,
    RIDGE_SHARE,
    SEGMENT,
    SPREAD_BITS,
    TILE,
    UNIT_BITS,
)
from vaezip.models.pixel.context import framed, median_edge_at

Floats = NDArray[np.float64]
Frame = NDArray[np.int16]

_DOWN, _RIGHT = (np.array(part) for part in zip(*REGRESSORS))


class State(NamedTuple):
    """The predictor of some pictures, up to 32 rows of which are coded at once.

    ``above`` G of the last row, (pictures, segments, entries); ``beside`` H, (pictures, rows, entries): lower
    triangles row by row, and last the weight of all pixels in them. ``coefficients`` int32 (pictures, rows,
    channels, regressors) and ``spread`` int16 (pictures, rows, channels) are those of the segments under way.
    """

    above: Floats
    beside: Floats
    coefficients: NDArray[np.int32]
    spread: NDArray[np.int16]


def start(pictures: int, width: int, a: PixelArchitecture) -> State:
    """Make the predictor of pictures of which nothing is known; it is empty for a model without one."""
    width, regressors = (width, vector_size(a.channels)) if a.regressed else (0, 0)
    entries = regressors * (regressors + 1) // 2 + 1
    return State(
        np.zeros((pictures, -(-width // SEGMENT), entries)),
        np.zeros((pictures, TILE, entries)),
        np.zeros((pictures, TILE, a.channels, regressors), np.int32),
        np.zeros((pictures, TILE, a.channels), np.int16),
    )


def frame_with_predictions(a: PixelArchitecture, pictures: NDArray[np.uint8]) -> Frame:
    """Frame pictures that are known, with the predictions of all their pixels: int16 (pictures, …, planes).

    After its values a pixel has, by channel in the order of coding: the conditional predictions, the unconditional
    ones, and the spreads.
    """
    if not a.regressed:
        return framed(pictures)
    frame = with_prediction_planes(framed(pictures), a)
    scratch = cholesky.workspace(vector_size(a.channels))
    for picture in frame:
        _predict_all(picture[None], np.array(a.order), start(1, pictures.shape[2], a), scratch)
    return frame


def with_prediction_planes(frame: Frame, a: PixelArchitecture) -> Frame:
    """Add planes of zeros for the predictions to a frame of values."""
    out = np.zeros((*frame.shape[:-1], a.planes), np.int16)
    out[..., : a.channels] = frame
    return out


@jit
def vector_size(channels):
    """Count the entries of v."""
    return (_DOWN.size + 1) * channels


@jit
def _predict_all(frame, order, state, scratch):
    """Go strip by strip in the steps of its waves, so that several rows are solved side by side."""
    segments = state.above.shape[1]
    v, sums = np.empty(vector_size(order.size), np.int32), np.empty((2, order.size), np.int64)
    for top in range(RADIUS, frame.shape[1], TILE):
        rows = min(TILE, frame.shape[1] - top)
        for step in range(segments + rows - 1):
            solve(state, step, rows, scratch)
            low, count = _rows_under_way(step, rows, segments)
            for i in range(frame.shape[0]):
                for row in range(low, low + count):
                    left = RADIUS + SEGMENT * (step - row)
                    for x in range(left, min(left + SEGMENT, frame.shape[2] - RADIUS)):
                        write_vector(frame, i, top + row, x, order, v)
                        predict(frame, i, top + row, x, state, row, v, sums)
                        for j in range(order.size):
                            predict_conditionally(frame, i, top + row, x, j, state, row, v, sums)
            observe(frame, top, step, rows, order, state)


@inline
def _rows_under_way(step, rows, segments):
    """Return the first row that is in one of its segments, and how many are."""
    low = max(0, step - segments + 1)
    return low, min(rows - 1, step) - low + 1


@inline
def write_vector(frame, i, y, x, order, v):
    """Write v of the pixel at frame position (y, x), int32; its residuals are right once its values are known."""
    channels, regressors = order.size, _DOWN.size
    for j in range(channels):
        c = order[j]
        predicted = median_edge_at(frame, i, y, x, c)
        for q in range(regressors):
            v[q * channels + j] = frame[i, y + _DOWN[q], x + _RIGHT[q], c] - predicted
        v[regressors * channels + j] = frame[i, y, x, c] - predicted


@jit
def solve(state, step, rows, scratch):
    """Compute coefficients and spreads for the segments that come next: of each row, ``step − row``.

    Args:
        state: the predictor.
        step: number of the wave of segments.
        rows: how many are coded together.
        scratch: of :func:`vaezip.exact.cholesky.room`.
    """
    pictures, channels, regressors = state.above.shape[0], state.spread.shape[2], state.coefficients.shape[3]
    low, count = _rows_under_way(step, rows, state.above.shape[1])
    for begin in range(0, pictures * count, LANES):
        lanes = min(LANES, pictures * count - begin)
        for t in range(LANES):  # those beyond repeat the first
            number = begin + t * (t < lanes)
            row = low + number % count
            _write_covariance(state, number // count, row, step - row, scratch, t)
        factorise(scratch, regressors)
        regress(scratch, regressors, channels)
        for t in range(lanes):
            i, row = (begin + t) // count, low + (begin + t) % count
            _round_solution(scratch, t, state.coefficients[i, row], state.spread[i, row])


@jit
def _write_covariance(state, i, row, k, scratch, t):
    """Write A with its ridge, over the weight of all pixels in it, into the upper triangle of lane t."""
    above, beside, channels = state.above[i, k], state.beside[i, row], state.spread.shape[2]
    regressors = state.coefficients.shape[3]
    decay = DECAY_BESIDE if k > 0 else 0.0  # beside holds the end of an earlier row
    together = np.empty(above.size)
    for e in range(above.size):
        together[e] = decay * beside[e] + DECAY_ABOVE * above[e]
    weight = 1.0 / (1.0 + together[above.size - 1])
    at, trace = 0, 0.0
    for n in range(regressors):
        for m in range(n + 1):
            scratch[m, n, t] = together[at + m] * weight
        at += n + 1
        if n < regressors - channels:
            trace += scratch[n, n, t]
    ridge = RIDGE * weight + RIDGE_SHARE * (trace / (regressors - channels))
    for n in range(regressors):
        scratch[n, n, t] += ridge


@jit
def _round_solution(scratch, t, coefficients, spread):
    """Round the solution of lane t; the spread is log2 of the mean square that a regression leaves."""
    channels, regressors = coefficients.shape
    for j in range(channels):
        before = regressors - channels + j
        reciprocal = scratch[before, before, t]
        spread[j] = _logarithm(1.0 / (reciprocal * reciprocal))
        for n in range(before):
            whole = np.floor(scratch[regressors + j, n, t] * (1 << COEFFICIENT_BITS) + 0.5)
            coefficients[j, n] = np.int32(min(max(whole, -COEFFICIENT_BOUND), COEFFICIENT_BOUND))


@inline
def _logarithm(variance):
    """Approximate 2^SPREAD_BITS log2, linearly between the powers of two."""
    mantissa, exponent = math.frexp(variance)
    return np.int16((exponent - 2 + 2.0 * mantissa) * (1 << SPREAD_BITS))


@inline
def _requantised(total):
    """Bring a prediction from the unit of the coefficients to that of the network."""
    drop = COEFFICIENT_BITS - UNIT_BITS
    return min(max((total + (1 << (drop - 1))) >> drop, -PREDICTION_BOUND), PREDICTION_BOUND)


@jit
def predict(frame, i, y, x, state, row, v, sums):
    """Write the unconditional predictions of a pixel, and the spreads, into the frame.

    Args:
        frame: int16 (pictures, …, planes).
        i, y, x: picture and frame position.
        state: the predictor.
        row: the pixel's row among those that are coded together.
        v: of :func:`write_vector`.
        sums: int64 (2, channels), filled: the neighbours' part of each prediction, and all of it.
    """
    channels = sums.shape[1]
    nearest = v.size - channels
    for j in range(channels):
        coefficients, total = state.coefficients[i, row, j], np.int32(0)
        for n in range(nearest):
            total += coefficients[n] * v[n]
        sums[0, j] = sums[1, j] = total
        for m in range(j):
            sums[1, j] += (coefficients[nearest + m] * sums[1, m]) >> COEFFICIENT_BITS
        frame[i, y, x, 2 * channels + j] = _requantised(sums[1, j])
        frame[i, y, x, 3 * channels + j] = state.spread[i, row, j]


@inline
def predict_conditionally(frame, i, y, x, j, state, row, v, sums):
    """Write the conditional prediction of the j-th channel, once those before it are known; after :func:`predict`."""
    channels = sums.shape[1]
    nearest, total = v.size - channels, sums[0, j]
    for m in range(j):
        total += np.int64(state.coefficients[i, row, j, nearest + m]) * v[nearest + m]
    frame[i, y, x, channels + j] = _requantised(total)


@jit
def observe(frame, top, step, rows, order, state):
    """Learn from the segments of :func:`solve`, now that they are known; ``top`` is the frame row of row 0."""
    v = np.empty((SEGMENT, vector_size(order.size)), np.int32)
    low, count = _rows_under_way(step, rows, state.above.shape[1])
    for i in range(frame.shape[0]):
        for row in range(low, low + count):
            left = RADIUS + SEGMENT * (step - row)
            pixels = min(SEGMENT, frame.shape[2] - RADIUS - left)
            v[pixels:] = 0
            for p in range(pixels):
                write_vector(frame, i, top + row, left + p, order, v[p])
            _add_segment(v, pixels, step - row, state.above[i], state.beside[i, row])


@jit
def _add_segment(v, pixels, k, above, beside):
    """Add the segment's v (SEGMENT, regressors) to H and G."""
    decay, last, at = DECAY_BESIDE if k > 0 else 0.0, beside.size - 1, 0
    v0, v1, v2, v3 = v[0], v[1], v[2], v[3]
    for n in range(v.shape[1]):
        a, b, c, d, part = v0[n], v1[n], v2[n], v3[n], beside[at : at + n + 1]
        for m in range(part.size):
            total = a * v0[m] + b * v1[m] + c * v2[m] + d * v3[m]
            part[m] = decay * part[m] + np.float64(np.int32(total))
        at += n + 1
    beside[last] = decay * beside[last] + np.float64(pixels)
    here, after = above[k], above[min(k + 1, above.shape[0] - 1)]
    for e in range(beside.size):
        here[e] = beside[e] + DECAY_ABOVE * after[e]
