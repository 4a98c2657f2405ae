"""Predict pixels by least squares: a linear predictor is fitted to the pixels just coded, and applied to the next.

For each segment of a row the coefficients of the nearest neighbours of a pixel are solved anew, from the pixels
known before, which weigh the less the farther they are. Encoder and decoder both do it, and nothing is sent.
Its predictions are inputs of the pixel network.

Let v(p) be a pixel's differences neighbour − P and, after them, its residuals x − P in the order of coding; and
S(r, k) the sum of v vᵀ over segment k of row r, which are SEGMENT pixels. With

    H(r, k) = S(r, k) + beside H(r, k − 1)        G(r, k) = H(r, k) + above G(r − 1, k + 1)

segment k of row r is predicted from A = beside H(r, k − 1) + above G(r − 1, k): all of it is known when
rows are coded in waves, each row one segment behind the row above. One Cholesky factor of A, with a ridge, serves all
channels: it holds the coefficients by which each depends on the neighbours and on the channels coded before it.

A channel has two predictions: the *conditional* one knows the channels coded before, the other does not.

A model may have several predictors, REGRESSIONS, of more neighbours and wider windows. In the sums of those but the
first a pixel weighs the less, the larger the first one's errors were at it and beside it, which is how an edge is kept
from ruling the flat parts around it; and they are solved anew less often. Of each predictor a frame also keeps its
*energy* at each pixel, the mean square of the errors of its conditional predictions.

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
from vaezip.exact.jit import borrowing, inline, jit
from vaezip.exact.triangles import PADDING, padded, spread, start_of_row, sum_squares
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.pixel.constants import (
    COEFFICIENT_BITS,
    COEFFICIENT_BOUND,
    ENERGY_BITS,
    ENERGY_BOUND,
    PREDICTION_BOUND,
    RADIUS,
    REGRESSIONS,
    REGRESSORS,
    RIDGE,
    RIDGE_SHARE,
    SEGMENT,
    SPREAD_BITS,
    TILE,
    UNIT_BITS,
    USUAL_ENERGY,
)
from vaezip.models.pixel.context import framed, median_edge_at
from vaezip.system.spans import timed

Floats = NDArray[np.float64]
Frame = NDArray[np.int16]

_DOWN, _RIGHT = (np.array(part) for part in zip(*REGRESSORS))
_NEIGHBOURS = np.array([rule[0] for rule in REGRESSIONS])


class State(NamedTuple):
    """One predictor of some pictures, up to 32 rows of which are coded at once.

    ``above`` G of the last row, (pictures, segments, entries); ``beside`` H, (pictures, rows, entries): triangles of
    :mod:`vaezip.exact.triangles`, and behind them the weight of all pixels in them. ``coefficients`` int32 (pictures,
    rows, channels, regressors) and ``spread`` int16 (pictures, rows, channels) are those of the segments under way.
    ``decays``: the weight of a segment relative to the next one in the row, and of a row relative to the row below;
    ``every``: see REGRESSIONS.
    """

    above: Floats
    beside: Floats
    coefficients: NDArray[np.int32]
    spread: NDArray[np.int16]
    decays: tuple[float, float]
    every: int


States = tuple[State, ...]
"""All predictors of some pictures."""


def start(pictures: int, width: int, a: PixelArchitecture) -> States:
    """Make the predictors of pictures of which nothing is known; there is an empty one for a model without any."""
    width = width if a.regressed else 0
    return tuple(_start(pictures, width, a, rule) for rule in REGRESSIONS[: a.predictors])


def _start(pictures: int, width: int, a: PixelArchitecture, rule: tuple[int, float, float, int]) -> State:
    neighbours, beside, above, every = rule
    regressors = (neighbours + 1) * a.channels if a.regressed else 0
    entries = _entries(regressors)
    return State(
        np.zeros((pictures, -(-width // SEGMENT), entries)),
        np.zeros((pictures, TILE, entries)),
        np.zeros((pictures, TILE, a.channels, regressors), np.int32),
        np.zeros((pictures, TILE, a.channels), np.int16),
        (beside, above),
        every,
    )


@inline
def _entries(regressors):
    """Count the entries of a triangle, and of the weight behind it."""
    return start_of_row(regressors) + PADDING


@timed("least squares")
def frame_with_predictions(a: PixelArchitecture, pictures: NDArray[np.uint8]) -> Frame:
    """Frame pictures that are known, with the predictions of all their pixels: int16 (pictures, …, planes).

    After its values a pixel has, by channel in the order of coding: the conditional predictions of each predictor, the
    unconditional ones of each, and the spreads of the first; then, where there are several, the energy of each.
    """
    if not a.regressed:
        return framed(pictures)
    frame = with_prediction_planes(framed(pictures), a)
    scratch = workspace(1, a)
    for picture in frame:
        _predict_all(picture[None], np.array(a.order), start(1, pictures.shape[2], a), scratch)
    return frame


def with_prediction_planes(frame: Frame, a: PixelArchitecture) -> Frame:
    """Add planes of zeros for the predictions to a frame of values."""
    out = np.zeros((*frame.shape[:-1], a.planes), np.int16)
    out[..., : a.channels] = frame
    return out


class Workspace(NamedTuple):
    """Memory of the predictors of some pictures: to solve LANES systems, their triangles, (LANES, entries), and
    matrices of :mod:`vaezip.exact.cholesky`; and v of the pixels of the segments under way, int32 (pictures, rows,
    SEGMENT, entries up to a multiple of PADDING)."""

    triangles: Floats
    matrices: Floats
    vectors: NDArray[np.int32]


def workspace(pictures: int, a: PixelArchitecture) -> Workspace:
    """Allocate what :func:`solve` and :func:`observe` need for the largest predictor of a model."""
    size = vector_size(a.channels, a.predictors)
    vectors = np.zeros((pictures, TILE, SEGMENT, padded(size)), np.int32)
    return Workspace(np.zeros((LANES, _entries(size))), cholesky.workspace(size), vectors)


@borrowing
def vector_size(channels, predictors):
    """Count the entries of v, for the predictor that sees the most neighbours."""
    return (_NEIGHBOURS[predictors - 1] + 1) * channels


@inline
def predictors_of(planes, channels):
    """Count the predictors of a frame of so many planes; see :attr:`PixelArchitecture.planes`."""
    if planes == channels:
        return 0
    return 1 if planes == 4 * channels else (planes - 2 * channels) // (2 * channels + 1)


@jit
def _predict_all(frame, order, states, scratch):
    """Go strip by strip in the steps of its waves, so that several rows are solved side by side."""
    _predict_rows(frame, order, states, scratch, np.empty((len(states), 2, order.size), np.int64))


@borrowing
def _predict_rows(frame, order, states, scratch, sums):
    segments, size = states[0].above.shape[1], vector_size(order.size, len(states))
    for top in range(RADIUS, frame.shape[1], TILE):
        rows = min(TILE, frame.shape[1] - top)
        for step in range(segments + rows - 1):
            solve(states, top - RADIUS, step, rows, scratch)
            low, count = _rows_under_way(step, rows, segments)
            for i in range(frame.shape[0]):
                for row in range(low, low + count):
                    left = RADIUS + SEGMENT * (step - row)
                    for x in range(left, min(left + SEGMENT, frame.shape[2] - RADIUS)):
                        v = scratch.vectors[i, row, x - left, :size]
                        write_vector(frame, i, top + row, x, order, v)
                        predict(frame, i, top + row, x, states, row, v, sums)
                        for j in range(order.size):
                            predict_conditionally(frame, i, top + row, x, j, states, row, v, sums)
                        note_energies(frame, i, top + row, x, order, len(states))
            observe(frame, top, step, rows, order, states, scratch)


@inline
def _rows_under_way(step, rows, segments):
    """Return the first row that is in one of its segments, and how many are."""
    low = max(0, step - segments + 1)
    return low, min(rows - 1, step) - low + 1


@inline
def write_vector(frame, i, y, x, order, v):
    """Write v of the pixel at frame position (y, x), int32; its residuals are right once its values are known."""
    channels = order.size
    neighbours = v.size // channels - 1
    for j in range(channels):  # indices have no sign, or it is looked for at each of them
        picture, c = np.uint64(i), np.uint64(order[j])
        predicted = median_edge_at(frame, i, y, x, c)
        for q in range(neighbours):
            value = frame[picture, np.uint64(y + _DOWN[q]), np.uint64(x + _RIGHT[q]), c]
            v[np.uint64(q * channels + j)] = value - predicted
        v[neighbours * channels + j] = frame[i, y, x, c] - predicted


@borrowing
def keep_vector(v, i, row, p, scratch):
    """Keep v of the p-th pixel of a segment, whose values are known now, for :func:`observe`."""
    kept = scratch.vectors[i, row, p]
    for n in range(v.size):
        kept[n] = v[n]


@borrowing
def solve(states, top, step, rows, scratch):
    """Compute coefficients and spreads for the segments that come next: of each row, ``step − row``.

    Args:
        states: the predictors.
        top: the first row that is coded, in the picture.
        step: number of the wave of segments.
        rows: how many are coded together.
        scratch: of :func:`workspace`.
    """
    for r in range(len(states)):
        _solve_one(states[r], top, step, rows, scratch)


@borrowing
def _solve_one(state, top, step, rows, scratch):
    """Solve one predictor, whose turn is the same for all rows that are under way, or only where a row begins."""
    pictures, channels, regressors = state.above.shape[0], state.spread.shape[2], state.coefficients.shape[3]
    low, count = _rows_under_way(step, rows, state.above.shape[1])
    if (top + step) % state.every:
        low, count = step, 1 if step < rows else 0
    for begin in range(0, pictures * count, LANES):
        lanes = min(LANES, pictures * count - begin)
        for t in range(lanes):  # those beyond hold what they held, and nobody asks for their solutions
            row = low + (begin + t) % count
            _write_covariance(state, (begin + t) // count, row, step - row, scratch.triangles[t])
        spread(scratch.triangles, regressors, scratch.matrices)
        factorise(scratch.matrices, regressors)
        regress(scratch.matrices, regressors, channels)
        for t in range(lanes):
            i, row = (begin + t) // count, low + (begin + t) % count
            _round_solution(scratch.matrices, t, state.coefficients[i, row], state.spread[i, row])


@borrowing
def _write_covariance(state, i, row, k, out):
    """Write A with its ridge, over the weight of all pixels in it."""
    above, beside, channels = state.above[i, k], state.beside[i, row], state.spread.shape[2]
    regressors, end = state.coefficients.shape[3], start_of_row(state.coefficients.shape[3])
    decay = state.decays[0] if k > 0 else 0.0  # beside holds the end of an earlier row
    weight, trace = 1.0 / (1.0 + (decay * beside[end] + state.decays[1] * above[end])), 0.0
    for e in range(end):
        out[e] = (decay * beside[e] + state.decays[1] * above[e]) * weight
    for n in range(regressors - channels):
        trace += out[start_of_row(n) + n]
    ridge = RIDGE * weight + RIDGE_SHARE * (trace / (regressors - channels))
    for n in range(regressors):
        out[start_of_row(n) + n] += ridge


@borrowing
def _round_solution(matrices, t, coefficients, spreads):
    """Round the solution of lane t; a spread is log2 of the mean square that a regression leaves."""
    channels, regressors = coefficients.shape
    for j in range(channels):
        before = regressors - channels + j
        reciprocal = matrices[before, before, t]
        spreads[j] = _logarithm(1.0 / (reciprocal * reciprocal))
        for n in range(before):
            whole = np.floor(matrices[regressors + j, n, t] * (1 << COEFFICIENT_BITS) + 0.5)
            coefficients[j, n] = np.int32(min(max(whole, -COEFFICIENT_BOUND), COEFFICIENT_BOUND))


@inline
def _logarithm(variance):
    """Approximate 2^SPREAD_BITS log2, linearly between the powers of two, rounded towards 0."""
    mantissa, exponent = math.frexp(variance)
    return np.int16((exponent - 2 + 2.0 * mantissa) * (1 << SPREAD_BITS))


@inline
def _requantised(total):
    """Bring a prediction from the unit of the coefficients to that of the network."""
    drop = COEFFICIENT_BITS - UNIT_BITS
    return min(max((total + (1 << (drop - 1))) >> drop, -PREDICTION_BOUND), PREDICTION_BOUND)


@borrowing
def predict(frame, i, y, x, states, row, v, sums):
    """Write the unconditional predictions of a pixel, and the spreads, into the frame.

    Args:
        frame: int16 (pictures, …, planes).
        i, y, x: picture and frame position.
        states: the predictors.
        row: the pixel's row among those that are coded together.
        v: of :func:`write_vector`.
        sums: int64 (predictors, 2, channels), filled: the neighbours' part of each prediction, and all of it.
    """
    predictors, channels = len(states), sums.shape[2]
    for r in range(predictors):
        nearest = states[r].coefficients.shape[3] - channels
        for j in range(channels):
            coefficients, total = states[r].coefficients[i, row, j], np.int32(0)
            for n in range(nearest):
                total += coefficients[n] * v[n]
            sums[r, 0, j] = sums[r, 1, j] = total
            for m in range(j):
                sums[r, 1, j] += (coefficients[nearest + m] * sums[r, 1, m]) >> COEFFICIENT_BITS
            frame[i, y, x, (1 + predictors + r) * channels + j] = _requantised(sums[r, 1, j])
    for j in range(channels):
        frame[i, y, x, (1 + 2 * predictors) * channels + j] = states[0].spread[i, row, j]


@inline
def predict_conditionally(frame, i, y, x, j, states, row, v, sums):
    """Write the conditional predictions of the j-th channel, once those before it are known; after :func:`predict`."""
    channels = sums.shape[2]
    for r in range(len(states)):
        nearest, total = states[r].coefficients.shape[3] - channels, sums[r, 0, j]
        for m in range(j):
            total += np.int64(states[r].coefficients[i, row, j, nearest + m]) * v[v.size - channels + m]
        frame[i, y, x, (1 + r) * channels + j] = _requantised(total)


@inline
def note_energies(frame, i, y, x, order, predictors):
    """Write the energies of a pixel whose values are known, and its conditional predictions; of one predictor, none."""
    channels = order.size
    if predictors > 1:
        for r in range(predictors):
            total = np.int64(0)
            for j in range(channels):
                residual = np.int64(frame[i, y, x, order[j]]) - median_edge_at(frame, i, y, x, order[j])
                error = (residual << UNIT_BITS) - frame[i, y, x, (1 + r) * channels + j]
                total += error * error
            energy = min(total // (channels << ENERGY_BITS), ENERGY_BOUND)
            frame[i, y, x, 2 * (1 + predictors) * channels + r] = energy


@inline
def nearby_energy(frame, i, y, x, e):
    """Sum what plane e of energies has around a pixel that is not known yet, with six weights."""
    total = 2 * (np.int64(frame[i, y, x - 1, e]) + frame[i, y - 1, x, e])
    return total + frame[i, y - 1, x - 1, e] + frame[i, y - 1, x + 1, e]


@inline
def write_nearby_energies(frame, i, y, x, at, predictors, f):
    """Write how far the predictors were off around a pixel: the first on a scale of logarithms, and how much further
    than it the others; of one predictor, nothing."""
    if predictors > 1:
        first = np.int16(0)
        for r in range(predictors):
            level = _logarithm(np.float64(1 + nearby_energy(frame, i, y, x, frame.shape[3] - predictors + r)))
            f[at + r] = level - first
            if r == 0:
                first = level


def nearby_energies(frame: Frame, a: PixelArchitecture) -> NDArray[np.int16]:
    """Compute what :func:`write_nearby_energies` writes, for all pixels: (pictures, height, width, energies)."""
    n, height, width, _ = frame.shape
    found = np.empty((n, height - RADIUS, width - 2 * RADIUS, a.energies), np.int16)
    _write_all_energies(frame, found)
    return found


@borrowing
def _write_all_energies(frame, found):
    for i in range(found.shape[0]):
        for y in range(found.shape[1]):
            for x in range(found.shape[2]):
                write_nearby_energies(frame, i, y + RADIUS, x + RADIUS, 0, found.shape[3], found[i, y, x])


@jit
def observe(frame, top, step, rows, order, states, scratch):
    """Learn from the segments of :func:`solve`, whose vectors are known now; ``top`` is the frame row of row 0."""
    size = vector_size(order.size, len(states))
    weights, sums = np.zeros(SEGMENT), np.zeros(states[len(states) - 1].beside.shape[2])
    low, count = _rows_under_way(step, rows, states[0].above.shape[1])
    for i in range(frame.shape[0]):
        for row in range(low, low + count):
            v, left = scratch.vectors[i, row], RADIUS + SEGMENT * (step - row)
            pixels = min(SEGMENT, frame.shape[2] - RADIUS - left)
            for p in range(pixels, SEGMENT):
                weights[p] = 0.0
                for n in range(size):
                    v[p, n] = 0
            regressors = states[0].coefficients.shape[3]
            sum_squares(v if regressors == size else _own_part(v, size, regressors, order.size), regressors, sums)
            sums[start_of_row(regressors)] = np.float64(pixels)
            _fold(sums, step - row, states[0].above[i], states[0].beside[i, row], states[0].decays)
            if len(states) > 1:
                for p in range(pixels):
                    weights[p] = _weight(frame, i, top + row, left + p, len(states))
                _sum_weighted(v, size, weights, sums)
            for r in range(1, len(states)):
                _fold(sums, step - row, states[r].above[i], states[r].beside[i, row], states[r].decays)


@inline
def _weight(frame, i, y, x, predictors):
    """Compute what a pixel weighs: the less, the more the first predictor was off at it and beside it."""
    e = frame.shape[3] - predictors
    total = 2 * np.int64(frame[i, y, x, e]) + frame[i, y, x - 1, e] + frame[i, y - 1, x, e]
    total += np.int64(frame[i, y - 1, x - 1, e]) + frame[i, y - 1, x + 1, e]
    return USUAL_ENERGY / (USUAL_ENERGY + np.float64(total))


@jit
def _own_part(v, size, regressors, channels):
    """Take what one predictor sees of v (SEGMENT, entries): its neighbours, and the residuals."""
    own, nearest = np.zeros_like(v), regressors - channels
    for p in range(SEGMENT):
        for n in range(nearest):
            own[p, n] = v[p, n]
        for j in range(channels):
            own[p, nearest + j] = v[p, size - channels + j]
    return own


@jit
def _sum_weighted(v, size, weights, sums):
    """Sum v vᵀ over a segment, where each pixel has a weight: a triangle, and the weights."""
    floats = v.astype(np.float64)
    v0, v1, v2, v3 = floats[0], floats[1], floats[2], floats[3]
    w0, w1, w2, w3 = weights[0], weights[1], weights[2], weights[3]
    for n in range(size):
        at = start_of_row(n)
        a, b, c, d, part = w0 * v0[n], w1 * v1[n], w2 * v2[n], w3 * v3[n], sums[at : at + n + 1]
        for m in range(part.size):
            part[m] = a * v0[m] + b * v1[m] + c * v2[m] + d * v3[m]
    sums[start_of_row(size)] = w0 + w1 + w2 + w3


@borrowing
def _fold(sums, k, above, beside, decays):
    """Make H of the row so far and of the sums of segment k, then G of it and of the row above."""
    decay = decays[0] if k > 0 else 0.0
    here, after = above[k], above[min(k + 1, above.shape[0] - 1)]
    for e in range(beside.size):
        total = decay * beside[e] + sums[e]
        beside[e] = total
        here[e] = total + decays[1] * after[e]
