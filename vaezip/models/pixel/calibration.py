"""Calibrate the pixel network's mixtures: move and stretch them by how far they have been off nearby and so far.

The *error* of a value is e = (x − mean) / spread, where mean and spread are those of the mixture that the network gave
it. The mixture that codes it is moved, and stretched::

    mean_k + spread · Σ ψ f          ln s_k + Σ θ g

f are the errors of its channel at the pixels NEAR, of the other channels at the first ADJACENT of them, and of the
channels coded before it at its own pixel; the distances of the least-squares prediction, the median-edge prediction and
the channel just before from that mean, in spreads; and 1. Where there are several least-squares predictors, f has also
how far the others are from the first, doubled; and the distances of all, each times the share of the mixture's variance
in the sum of it and of that predictor's mean square error nearby: the better it was there, the more it is heeded. g are
|e| − USUAL_ERROR of its channel at the first AROUND of the pixels NEAR and of the channels before; how much wider the
predictor's spread is; and 1. ψ and θ belong to a channel, and are sums of two: one for its class of spread, one for its
class of mean. They start at 0 and take a step up the gradient of ln p whenever a segment of each row has been coded, in
proportion to Σ f² or Σ g², which fade. Encoder and decoder both do it, and nothing is sent.

Exactness: every operation is a correctly rounded one of float64, or a look-up, and they follow one another as the loops
say; moves and stretches are then rounded to the grids of :mod:`vaezip.entropy.distributions`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.exact.jit import borrowing, inline
from vaezip.models.pixel.constants import (
    ADJACENT,
    AROUND,
    CHUNK,
    DEVIATION_BOUND,
    ERROR_BITS,
    ERROR_BOUND,
    FADING,
    LEAST_ENERGY,
    LEVELS,
    LOGISTIC_DEVIATION,
    MOVE_BOUND,
    NEAR,
    PRIOR,
    SLOPE_BOUND,
    SPREAD_BITS,
    SPREADS,
    STEP,
    STRETCH_BOUND,
    UNIT_BITS,
    USUAL_ENERGY,
    USUAL_ERROR,
)
from vaezip.models.pixel.context import median_edge_at
from vaezip.models.pixel.least_squares import nearby_energy, predictors_of
from vaezip.models.pixel.logistics import PIXELS, add_inputs, add_slopes

Floats = NDArray[np.float64]

_WEIGHT_UNIT, _MEAN_UNIT, _ERROR_UNIT = 2.0**-d.WEIGHT_BITS, 2.0**-d.MEAN_BITS, 2.0**-ERROR_BITS
_PREDICTION_UNIT, _VARIANCE_UNIT = 2.0**-UNIT_BITS, 2.0**-SPREAD_BITS
_MEAN_STEPS, _SCALE_STEPS, _ERROR_STEPS = 2.0**d.MEAN_BITS, 2.0**d.LOG_SCALE_BITS, 2.0**ERROR_BITS

_NEAR_DOWN, _NEAR_RIGHT = (np.array(part) for part in zip(*NEAR))


class State(NamedTuple):
    """The weights that the calibration has learnt, and the errors that it learns from.

    ``move`` ψ, (SPREADS + LEVELS, channels, inputs f), and ``stretch`` θ, (…, inputs g), each with the gradient that
    was gathered since the last step and with the fading sum of squares; ``pixels`` int64 (1,) since then;
    ``errors`` int16 (pictures, …, channels) in units of 2^−ERROR_BITS, framed like the pixels, 0 where none is known.
    Mixtures stay as they are where there are no classes.
    """

    move: Floats
    move_gradient: Floats
    move_size: Floats
    stretch: Floats
    stretch_gradient: Floats
    stretch_size: Floats
    pixels: NDArray[np.int64]
    errors: NDArray[np.int16]


def start(channels: int, predictors: int = 1, classes: int = SPREADS + LEVELS) -> State:
    """Make the state before the first picture."""
    move, stretch = ((classes, channels, inputs) for inputs in input_counts(channels, predictors))
    return State(
        *(np.zeros(move), np.zeros(move), np.full(move, PRIOR)),
        *(np.zeros(stretch), np.zeros(stretch), np.full(stretch, PRIOR)),
        np.zeros(1, np.int64),
        np.zeros((0, 0, 0, channels), np.int16),
    )


def identity(channels: int) -> State:
    """Make a state that leaves mixtures as they are."""
    return start(channels, classes=0)


def input_counts(channels: int, predictors: int) -> tuple[int, int]:
    """Count the inputs f, and the inputs g, for a model of so many least-squares predictors, or of one or none."""
    others = channels - 1
    of_predictors = 2 * predictors - 1 if predictors > 1 else 0
    return len(NEAR) + ADJACENT * others + others + 4 + of_predictors, AROUND + others + 2


def begin_pictures(state: State, frame: NDArray[np.int16]) -> State:
    """Go on to other pictures, of which no error is known, with what was learnt before."""
    return state._replace(errors=np.zeros((*frame.shape[:3], state.errors.shape[3]), np.int16))


class Mixtures(NamedTuple):
    """Mixtures of some pixels, int64 (logistics, pixels): weights, means and log scales."""

    w: NDArray[np.int64]
    m: NDArray[np.int64]
    s: NDArray[np.int64]


class Scratch(NamedTuple):
    """Memory for some pixels of one channel, up to CHUNK: what they are, and what is computed of them.

    ``f`` and ``g`` (pixels, inputs), as ``terms``, their products with weights; ``classes`` int64 (2, pixels), those of
    spread and of mean; ``mixtures``; and all others (pixels,): ``mean`` and ``spread`` of the network's mixtures, in
    pixel values, by how much they are ``moved`` and ``stretched`` on the grids of the mixtures, and what is computed on
    the way. ``bits`` int64 are those of the floats ``squares``, and ``values`` int64 are the pixels.
    """

    f: Floats
    g: Floats
    terms: Floats
    classes: NDArray[np.int64]
    mean: Floats
    spread: Floats
    moved: Floats
    stretched: Floats
    predicted: Floats
    conditional: Floats
    squares: Floats
    bits: NDArray[np.int64]
    whole: Floats
    for_mean: Floats
    for_scale: Floats
    values: NDArray[np.int64]
    mixtures: Mixtures


def scratch_for(state: State, logistics: int) -> Scratch:
    """Make the scratch memory of :func:`calibrate` for mixtures of so many logistics."""
    inputs = state.move.shape[2], state.stretch.shape[2]
    squares = np.ones(CHUNK)
    mixtures = Mixtures._make(np.zeros((logistics, CHUNK), np.int64) for _ in range(3))
    return Scratch._make(
        [
            *(np.zeros((CHUNK, count)) for count in (*inputs, max(inputs))),
            np.zeros((2, CHUNK), np.int64),
            *(np.zeros(CHUNK) for _ in range(6)),
            *(squares, squares.view(np.int64)),
            *(np.zeros(CHUNK) for _ in range(3)),
            *(np.zeros(CHUNK, np.int64), mixtures),
        ]
    )


@borrowing
def calibrate(n, j, state, frame, order, at, tables, scratch):
    """Move and stretch the mixtures of some pixels, in place.

    Args:
        n: so many pixels, up to CHUNK.
        j: the channel, in the order of coding.
        state: of :func:`start`.
        frame: with the least-squares predictions of the pixels, if the model has any.
        order: the channels in the order of coding.
        at: int64 (pixels, 3): picture and frame position.
        tables: as for :func:`vaezip.models.pixel.gradient.logistic`.
        scratch: has the mixtures, and is filled for :func:`observe`.
    """
    (_, m, s), classes = scratch.mixtures, scratch.classes
    write_moments(n, tables, scratch)
    _write_classes(n, scratch)
    _write_errors(n, j, state, at, scratch)
    _write_deviations(n, j, frame, order, at, scratch)
    _write_predictors(n, j, frame, order, at, scratch)
    _write_products(n, j, state.move, classes, scratch.f, scratch.terms, scratch.moved)
    _write_products(n, j, state.stretch, classes, scratch.g, scratch.terms, scratch.stretched)
    for p in range(n):
        moved = _clamped(scratch.moved[p], MOVE_BOUND) * scratch.spread[p]
        scratch.moved[p] = np.floor(moved * _MEAN_STEPS + 0.5)
        stretched = _clamped(scratch.stretched[p], STRETCH_BOUND)
        scratch.stretched[p] = np.floor(stretched * _SCALE_STEPS + 0.5)
    for k in range(m.shape[0]):
        for p in range(n):
            m[k, p] += np.int64(scratch.moved[p])
            scaled = s[k, p] + np.int64(scratch.stretched[p])
            s[k, p] = min(max(scaled, d.LOG_SCALE_LOW), d.LOG_SCALE_HIGH)


@borrowing
def note_errors(n, j, state, at, scratch):
    """Note the errors of values that are known, by the moments of the network's mixtures."""
    values, errors = scratch.values, scratch.whole
    for p in range(n):
        error = np.floor((np.float64(values[p]) - scratch.mean[p]) / scratch.spread[p] * _ERROR_STEPS + 0.5)
        errors[p] = min(max(error, -ERROR_BOUND), ERROR_BOUND)
    for p in range(n):
        state.errors[at[p, 0], at[p, 1], at[p, 2], j] = np.int16(errors[p])


@borrowing
def observe(n, j, state, tables, scratch):
    """Gather the gradient for what :func:`calibrate` has just used, now that the values are known."""
    whole, for_mean, for_scale = scratch.whole, scratch.for_mean, scratch.for_scale
    of = tables.sigmoid, tables.reciprocal, tables.interior, tables.inner
    for p in range(CHUNK):
        whole[p] = for_mean[p] = for_scale[p] = 0.0
    for k in range(scratch.mixtures.w.shape[0]):
        for p in range(0, n, PIXELS):
            add_slopes(k, p, scratch.values, scratch.mixtures, of, (whole, for_mean, for_scale))
    for p in range(n):
        for_mean[p] = _clamped(scratch.spread[p] * (for_mean[p] / whole[p]), SLOPE_BOUND)
        for_scale[p] = _clamped(for_scale[p] / whole[p], SLOPE_BOUND)
    for p in range(n):
        a, b = scratch.classes[0, p], scratch.classes[1, p]
        add_inputs(p, for_mean[p], scratch.f, a, b, j, state.move_gradient, state.move_size)
        add_inputs(p, for_scale[p], scratch.g, a, b, j, state.stretch_gradient, state.stretch_size)
    state.pixels[0] += n * (j == 0)


@borrowing
def step(state):
    """Move ψ and θ up the gradients that were gathered."""
    if state.pixels[0] == 0:
        return
    decay = max(0.5, 1.0 - FADING * np.float64(state.pixels[0]))
    _climb(state.move, state.move_gradient, state.move_size, decay)
    _climb(state.stretch, state.stretch_gradient, state.stretch_size, decay)
    state.pixels[0] = 0


@inline
def _clamped(x, bound):
    return min(max(x, -bound), bound)


@borrowing
def _write_products(n, j, weights, classes, inputs, terms, out):
    """Sum the inputs of each pixel, each times the weights of both classes; in the order of the inputs, but of eight
    pixels side by side, for an addition takes long to be done."""
    size = inputs.shape[1]
    for p in range(n):
        by_spread, by_mean = weights[classes[0, p], j], weights[classes[1, p], j]
        for q in range(size):
            terms[p, q] = (by_spread[q] + by_mean[q]) * inputs[p, q]
    for p in range(0, n, 8):
        a = b = c = d = e = f = g = h = 0.0
        for q in range(size):
            a += terms[p, q]
            b += terms[p + 1, q]
            c += terms[p + 2, q]
            d += terms[p + 3, q]
            e += terms[p + 4, q]
            f += terms[p + 5, q]
            g += terms[p + 6, q]
            h += terms[p + 7, q]
        out[p], out[p + 1], out[p + 2], out[p + 3] = a, b, c, d
        out[p + 4], out[p + 5], out[p + 6], out[p + 7] = e, f, g, h


@inline
def _climb(weights, gradient, size, decay):
    """Take a step with all weights, and let the sums of squares fade to the prior."""
    for c in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            for q in range(weights.shape[2]):
                weights[c, j, q] += STEP * gradient[c, j, q] / size[c, j, q]
                size[c, j, q] = PRIOR + (size[c, j, q] - PRIOR) * decay
                gradient[c, j, q] = 0.0


@borrowing
def write_moments(n, tables, scratch):
    """Write mean and spread of the mixtures of some pixels, in pixel values."""
    (w, m, s), mean, spread = scratch.mixtures, scratch.mean, scratch.spread
    for p in range(n):
        mean[p] = spread[p] = 0.0
    for k in range(w.shape[0]):
        for p in range(n):
            mean[p] += np.float64(w[k, p] * m[k, p])
            spread[p] += np.float64(w[k, p]) / tables.reciprocal[s[k, p] - d.LOG_SCALE_LOW]
    for p in range(n):
        mean[p] = mean[p] * _WEIGHT_UNIT * _MEAN_UNIT
        spread[p] = spread[p] * _WEIGHT_UNIT * LOGISTIC_DEVIATION


@inline
def _write_classes(n, scratch):
    """Find the classes of spread and of mean."""
    for p in range(n):
        spread, by_spread = scratch.spread[p], 0
        for bound in range(SPREADS - 1):
            by_spread += spread >= np.float64(1 << bound)
        scratch.classes[0, p] = by_spread
        scratch.classes[1, p] = SPREADS + (np.int64(min(max(scratch.mean[p], 0.0), 255.0)) * LEVELS >> 8)


@borrowing
def _write_errors(n, j, state, at, scratch):
    """Write the inputs that are errors."""
    errors, channels, near = state.errors, state.errors.shape[3], _NEAR_DOWN.size
    for p in range(n):
        i, y, x, f, g = at[p, 0], at[p, 1], at[p, 2], scratch.f[p], scratch.g[p]
        for q in range(near):
            f[q] = np.float64(errors[i, y + _NEAR_DOWN[q], x + _NEAR_RIGHT[q], j]) * _ERROR_UNIT
        for q in range(AROUND):
            g[q] = abs(f[q]) - USUAL_ERROR
        filled = near
        for q in range(ADJACENT):
            for other in range(1, channels):
                c = (j + other) % channels
                f[filled] = np.float64(errors[i, y + _NEAR_DOWN[q], x + _NEAR_RIGHT[q], c]) * _ERROR_UNIT
                filled += 1
        for c in range(channels - 1):
            before = np.float64(errors[i, y, x, c]) * _ERROR_UNIT if c < j else 0.0
            f[filled + c] = before
            g[AROUND + c] = abs(before) - USUAL_ERROR if c < j else 0.0


@borrowing
def _write_deviations(n, j, frame, order, at, scratch):
    """Write the inputs that are deviations of other predictions from the mixture, and the constant ones."""
    channels, f, g, mean, spread = order.size, scratch.f, scratch.g, scratch.mean, scratch.spread
    filled, c = _predictors_at(frame.shape[3], channels, f.shape[1]) - 4, order[j]
    spreads, last = (1 + 2 * predictors_of(frame.shape[3], channels)) * channels, g.shape[1] - 1
    predicted, conditional, squares, bits = scratch.predicted, scratch.conditional, scratch.squares, scratch.bits
    for p in range(n):
        predicted[p] = np.float64(median_edge_at(frame, at[p, 0], at[p, 1], at[p, 2], c))
        squares[p] = spread[p] * spread[p]
        f[p, filled] = f[p, filled + 2] = g[p, last - 1] = 0.0
        f[p, filled + 3], g[p, last] = 1.0, 1.0
    for p in range(n):
        f[p, filled + 1] = _clamped((predicted[p] - mean[p]) / spread[p], DEVIATION_BOUND)
    if frame.shape[3] > channels:
        for p in range(n):
            i, y, x = at[p, 0], at[p, 1], at[p, 2]
            conditional[p] = predicted[p] + np.float64(frame[i, y, x, channels + j]) * _PREDICTION_UNIT
            g[p, last - 1] = np.float64(frame[i, y, x, spreads + j]) * _VARIANCE_UNIT
        for p in range(n):
            f[p, filled] = _clamped((conditional[p] - mean[p]) / spread[p], DEVIATION_BOUND)
            exponent, mantissa = bits[p] >> 52, bits[p] & ((1 << 52) - 1)
            logarithm = np.float64(exponent - 1023) + np.float64(mantissa) * 2.0**-52
            g[p, last - 1] = _clamped(0.5 * (g[p, last - 1] - logarithm), DEVIATION_BOUND)
    if j > 0:
        before = order[j - 1]
        for p in range(n):
            i, y, x = at[p, 0], at[p, 1], at[p, 2]
            residual = np.float64(frame[i, y, x, before] - median_edge_at(frame, i, y, x, before))
            f[p, filled + 2] = _clamped(residual / spread[p], DEVIATION_BOUND)


@inline
def _predictors_at(planes, channels, size):
    """Return where the inputs begin, of so many, that there are for several predictors."""
    predictors = predictors_of(planes, channels)
    return size - (2 * predictors - 1 if predictors > 1 else 0)


@borrowing
def _write_predictors(n, j, frame, order, at, scratch):
    """Write the inputs that there are for several least-squares predictors."""
    channels, predictors = order.size, predictors_of(frame.shape[3], order.size)
    filled, energies = _predictors_at(frame.shape[3], channels, scratch.f.shape[1]), frame.shape[3] - predictors
    if predictors < 2:
        return
    for p in range(n):
        i, y, x, f = at[p, 0], at[p, 1], at[p, 2], scratch.f[p]
        mean, spread, median, variance = scratch.mean[p], scratch.spread[p], scratch.predicted[p], scratch.squares[p]
        first = np.float64(frame[i, y, x, channels + j])
        for r in range(1, predictors):
            further = np.float64(frame[i, y, x, (1 + r) * channels + j]) - first
            f[filled + r - 1] = _clamped(further * _PREDICTION_UNIT * 2.0 / spread, DEVIATION_BOUND)
        for r in range(predictors):
            predicted = median + np.float64(frame[i, y, x, (1 + r) * channels + j]) * _PREDICTION_UNIT
            nearby = np.float64(nearby_energy(frame, i, y, x, energies + r)) / USUAL_ENERGY + LEAST_ENERGY
            share = variance / (variance + nearby)
            f[filled + predictors - 1 + r] = _clamped((predicted - mean) / spread, DEVIATION_BOUND) * share
