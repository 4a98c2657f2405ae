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

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.exact.jit import borrowing, inline, jit
from vaezip.models.pixel.constants import (
    ADJACENT,
    AROUND,
    DENSITY_FLOOR,
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
from vaezip.models.pixel.gradient import logistic
from vaezip.models.pixel.least_squares import nearby_energy, predictors_of

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


class Scratch(NamedTuple):
    """Memory for one pixel and channel.

    ``f``, ``g``; ``moments``: mean and spread of the network's mixture, in pixel values; ``classes`` int64 (2,): the
    classes of spread and of mean.
    """

    f: Floats
    g: Floats
    moments: Floats
    classes: NDArray[np.int64]


@jit
def scratch_for(state):
    """Make the scratch memory of :func:`calibrate`."""
    return Scratch(np.zeros(state.move.shape[2]), np.zeros(state.stretch.shape[2]), np.zeros(2), np.zeros(2, np.int64))


@borrowing
def calibrate(state, frame, order, i, y, x, j, w, m, s, tables, scratch):
    """Move and stretch a mixture, in place.

    Args:
        state: of :func:`start`.
        frame: with the least-squares predictions of the pixel, if the model has any.
        order: the channels in the order of coding.
        i, y, x: picture and frame position.
        j: the channel, in that order.
        w, m, s: int64 (logistics,), weights, means and log scales.
        tables: as for :func:`vaezip.models.pixel.gradient.logistic`.
        scratch: filled for :func:`observe`.
    """
    f, g, moments, classes = scratch.f, scratch.g, scratch.moments, scratch.classes
    _write_moments(w, m, s, tables, moments)
    classes[0], classes[1] = _classes_of(moments)
    _write_errors(state.errors, i, y, x, j, f, g)
    _write_deviations(frame, order, i, y, x, j, moments, f, g)
    _write_predictors(frame, order, i, y, x, j, moments, f)
    moved = _product(state.move[classes[0], j], state.move[classes[1], j], f)
    stretched = _product(state.stretch[classes[0], j], state.stretch[classes[1], j], g)
    moved = _clamped(moved, MOVE_BOUND) * moments[1]
    stretched = _clamped(stretched, STRETCH_BOUND)
    move = np.int64(np.floor(moved * _MEAN_STEPS + 0.5))
    stretch = np.int64(np.floor(stretched * _SCALE_STEPS + 0.5))
    for k in range(w.size):
        m[k] += move
        s[k] = min(max(s[k] + stretch, d.LOG_SCALE_LOW), d.LOG_SCALE_HIGH)


@borrowing
def observe(state, i, y, x, j, w, m, s, value, tables, scratch):
    """Note the error of a value that is now known, and gather the gradient for what :func:`calibrate` has just used."""
    f, g, mean, spread = scratch.f, scratch.g, scratch.moments[0], scratch.moments[1]
    whole, for_mean, for_scale = 0.0, 0.0, 0.0
    for k in range(w.size):
        inside, by_mean, by_scale = logistic(np.float64(value), m[k], s[k], tables)
        part = np.float64(w[k]) * (inside + DENSITY_FLOOR)
        whole += part
        for_mean += part * by_mean
        for_scale += part * by_scale
    move = _clamped(spread * (for_mean / whole), SLOPE_BOUND)
    stretch = _clamped(for_scale / whole, SLOPE_BOUND)
    for c in scratch.classes:
        _gather(state.move_gradient[c, j], state.move_size[c, j], move, f)
        _gather(state.stretch_gradient[c, j], state.stretch_size[c, j], stretch, g)
    error = np.floor((np.float64(value) - mean) / spread * _ERROR_STEPS + 0.5)
    state.errors[i, y, x, j] = np.int16(min(max(error, -ERROR_BOUND), ERROR_BOUND))
    state.pixels[0] += j == 0


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


@inline
def _product(by_spread, by_mean, inputs):
    """Sum the inputs, each times the weights of both classes."""
    total = 0.0
    for q in range(inputs.size):
        total += (by_spread[q] + by_mean[q]) * inputs[q]
    return total


@inline
def _gather(gradient, size, slope, values):
    """Add a pixel's gradient and squares to those of one class."""
    for q in range(values.size):
        gradient[q] += slope * values[q]
        size[q] += values[q] * values[q]


@inline
def _climb(weights, gradient, size, decay):
    """Take a step with all weights, and let the sums of squares fade to the prior."""
    for c in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            for q in range(weights.shape[2]):
                weights[c, j, q] += STEP * gradient[c, j, q] / size[c, j, q]
                size[c, j, q] = PRIOR + (size[c, j, q] - PRIOR) * decay
                gradient[c, j, q] = 0.0


@inline
def _write_moments(w, m, s, tables, moments):
    """Write mean and spread of a mixture, in pixel values."""
    total, spread = np.int64(0), 0.0
    for k in range(w.size):
        total += w[k] * m[k]
        spread += np.float64(w[k]) / tables.reciprocal[s[k] - d.LOG_SCALE_LOW]
    moments[0] = np.float64(total) * _WEIGHT_UNIT * _MEAN_UNIT
    moments[1] = spread * _WEIGHT_UNIT * LOGISTIC_DEVIATION


@inline
def _classes_of(moments):
    """Find the classes of spread and of mean."""
    by_spread = 0
    while by_spread < SPREADS - 1 and moments[1] >= np.float64(1 << by_spread):
        by_spread += 1
    return by_spread, SPREADS + int(min(max(moments[0], 0.0), 255.0)) * LEVELS // 256


@borrowing
def _write_errors(errors, i, y, x, j, f, g):
    """Write the inputs that are errors."""
    channels, near = errors.shape[3], _NEAR_DOWN.size
    for q in range(near):
        f[q] = np.float64(errors[i, y + _NEAR_DOWN[q], x + _NEAR_RIGHT[q], j]) * _ERROR_UNIT
    for q in range(AROUND):
        g[q] = abs(f[q]) - USUAL_ERROR
    at = near
    for q in range(ADJACENT):
        for other in range(1, channels):
            c = (j + other) % channels
            f[at] = np.float64(errors[i, y + _NEAR_DOWN[q], x + _NEAR_RIGHT[q], c]) * _ERROR_UNIT
            at += 1
    for c in range(channels - 1):
        before = np.float64(errors[i, y, x, c]) * _ERROR_UNIT if c < j else 0.0
        f[at + c] = before
        g[AROUND + c] = abs(before) - USUAL_ERROR if c < j else 0.0


@borrowing
def _write_deviations(frame, order, i, y, x, j, moments, f, g):
    """Write the inputs that are deviations of other predictions from the mixture, and the constant ones."""
    channels, mean, spread = order.size, moments[0], moments[1]
    at, c = _predictors_at(frame.shape[3], channels, f.size) - 4, order[j]
    predicted = np.float64(median_edge_at(frame, i, y, x, c))
    f[at] = f[at + 2] = g[g.size - 2] = 0.0
    f[at + 1] = _clamped((predicted - mean) / spread, DEVIATION_BOUND)
    if frame.shape[3] > channels:
        conditional = predicted + np.float64(frame[i, y, x, channels + j]) * _PREDICTION_UNIT
        f[at] = _clamped((conditional - mean) / spread, DEVIATION_BOUND)
        spreads = (1 + 2 * predictors_of(frame.shape[3], channels)) * channels
        variance = np.float64(frame[i, y, x, spreads + j]) * _VARIANCE_UNIT
        mantissa, exponent = math.frexp(spread * spread)
        g[g.size - 2] = _clamped(0.5 * (variance - (exponent - 2 + 2.0 * mantissa)), DEVIATION_BOUND)
    if j > 0:
        before = order[j - 1]
        residual = np.float64(frame[i, y, x, before] - median_edge_at(frame, i, y, x, before))
        f[at + 2] = _clamped(residual / spread, DEVIATION_BOUND)
    f[at + 3], g[g.size - 1] = 1.0, 1.0


@inline
def _predictors_at(planes, channels, size):
    """Return where the inputs begin, of so many, that there are for several predictors."""
    predictors = predictors_of(planes, channels)
    return size - (2 * predictors - 1 if predictors > 1 else 0)


@borrowing
def _write_predictors(frame, order, i, y, x, j, moments, f):
    """Write the inputs that there are for several least-squares predictors."""
    channels, mean, spread = order.size, moments[0], moments[1]
    predictors, at = predictors_of(frame.shape[3], channels), _predictors_at(frame.shape[3], channels, f.size)
    if predictors < 2:
        return
    first, energies = np.float64(frame[i, y, x, channels + j]), frame.shape[3] - predictors
    median, variance = np.float64(median_edge_at(frame, i, y, x, order[j])), spread * spread
    for r in range(1, predictors):
        further = np.float64(frame[i, y, x, (1 + r) * channels + j]) - first
        f[at + r - 1] = _clamped(further * _PREDICTION_UNIT * 2.0 / spread, DEVIATION_BOUND)
    for r in range(predictors):
        predicted = median + np.float64(frame[i, y, x, (1 + r) * channels + j]) * _PREDICTION_UNIT
        nearby = np.float64(nearby_energy(frame, i, y, x, energies + r)) / USUAL_ENERGY + LEAST_ENERGY
        share = variance / (variance + nearby)
        f[at + predictors - 1 + r] = _clamped((predicted - mean) / spread, DEVIATION_BOUND) * share
