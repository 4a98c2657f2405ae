"""What the pixel network says, set right by how far it has been off nearby and so far.

What is left of a pixel is its *error* e = (x − mean) / spread, where mean and spread are the mixture's that the
network gave it. The mixture that codes it is moved, and stretched::

    mean_k + spread · Σ ψ f          ln s_k + Σ θ g

f are the errors of its channel at the pixels NEAR, of the other channels at the pixels BESIDE, and of the channels
coded before it at its own pixel; how far regression, the median-edge prediction and the channel just before are off
that mean, in spreads; and 1. g are |e| − USUAL of its channel at the pixels AROUND and of the channels before; how
much wider regression's spread is; and 1. ψ and θ belong to a channel, and are sums of two: one for its class of
spread, one for its class of mean. They start at 0 and take a step up the gradient of ln p whenever a segment of each
row has been coded, in proportion to Σ f² or Σ g², which fade. Encoder and decoder both do it, and nothing is sent.

Exactness: every operation is a correctly rounded one of float64, or a look-up, and they follow one another as the loops
say; moves and stretches are then rounded to the grids of :mod:`vaezip.entropy.distributions`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.exact.jit import inline, jit
from vaezip.models.pixel import least_squares
from vaezip.models.pixel.context import median_edge_at
from vaezip.models.pixel.gradient import logistic

Floats = NDArray[np.float64]

NEAR = ((0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-1, 2), (-1, -2), (-2, -1), (-2, 1), (0, -3), (-3, 0))
AROUND = NEAR[:4]
BESIDE = NEAR[:2]

SPREADS = 6
"""Classes of spread: below 1, below 2, below 4, … and the rest."""

LEVELS = 8
"""Classes of mean, of 32 pixel values each."""

USUAL = 0.75
"""About the mean of |e|."""

ERROR_BITS = 8
_ERROR_BOUND = 4 << ERROR_BITS

PRIOR = 300.0
"""Σ f² and Σ g² before the first pixel, and what they fade to: how slow the first steps are."""

STEP = 0.7
FADING = 0.02 / 384
"""Of the sums, by pixel."""

_MOST_MOVED, _MOST_STRETCHED = 2.0, 1.0
_MOST_OFF = 2.0
STEEPEST = 4.0
"""Of a pixel's gradients, or one that lies far off would move everything."""

_DEVIATION = 1.8137993642342178
"""π/√3: the standard deviation of a logistic of s = 1."""

_WEIGHT_UNIT, _MEAN_UNIT, _ERROR_UNIT = 2.0**-d.WEIGHT_BITS, 2.0**-d.MEAN_BITS, 2.0**-ERROR_BITS
_EXPECTED_UNIT, _VARIANCE_UNIT = 2.0**-least_squares.UNIT_BITS, 2.0**-least_squares.SPREAD_BITS
_MEAN_STEPS, _SCALE_STEPS, _ERROR_STEPS = 2.0**d.MEAN_BITS, 2.0**d.LOG_SCALE_BITS, 2.0**ERROR_BITS

_NEAR_DOWN, _NEAR_RIGHT = (np.array(part) for part in zip(*NEAR))


class State(NamedTuple):
    """What has been learnt, and of whom.

    ``move`` ψ, (SPREADS + LEVELS, channels, inputs f), and ``stretch`` θ, (…, inputs g), each with the gradient that
    was gathered since the last step and with the fading sum of squares; ``pixels`` int64 (1,) since then;
    ``errors`` int16 (pictures, …, channels) in units of 2^−ERROR_BITS, framed like the pixels, 0 where none is known.
    Nothing is set right where there are no classes.
    """

    move: Floats
    move_gradient: Floats
    move_size: Floats
    stretch: Floats
    stretch_gradient: Floats
    stretch_size: Floats
    pixels: NDArray[np.int64]
    errors: NDArray[np.int16]


def start(channels: int, classes: int = SPREADS + LEVELS) -> State:
    """Nothing is known."""
    move, stretch = ((classes, channels, inputs) for inputs in sizes(channels))
    return State(
        *(np.zeros(move), np.zeros(move), np.full(move, PRIOR)),
        *(np.zeros(stretch), np.zeros(stretch), np.full(stretch, PRIOR)),
        np.zeros(1, np.int64),
        np.zeros((0, 0, 0, channels), np.int16),
    )


def sizes(channels: int) -> tuple[int, int]:
    """Inputs f, and inputs g."""
    others = channels - 1
    return len(NEAR) + len(BESIDE) * others + others + 4, len(AROUND) + others + 2


def begin(state: State, frame: NDArray[np.int16]) -> State:
    """Other pictures come, of which no error is known; what was learnt stays."""
    return state._replace(errors=np.zeros((*frame.shape[:3], state.errors.shape[3]), np.int16))


class Room(NamedTuple):
    """For one pixel and channel: f, g; mean and spread of the network's mixture, in pixel values; and int64 (2,), the
    classes of both."""

    f: Floats
    g: Floats
    told: Floats
    kinds: NDArray[np.int64]


@jit
def room(state):  # type: ignore[no-untyped-def]
    """Room for :func:`set_right`."""
    return Room(np.zeros(state.move.shape[2]), np.zeros(state.stretch.shape[2]), np.zeros(2), np.zeros(2, np.int64))


@jit
def set_right(state, frame, order, i, y, x, j, w, m, s, tables, room):  # type: ignore[no-untyped-def]
    """Move and stretch a mixture, in place.

    Args:
        frame: with what regression makes of the pixel, if it does.
        order: the channels in the order of coding.
        i, y, x: picture and frame position.
        j: the channel, in that order.
        w, m, s: int64 (logistics,), weights, means and log scales.
        tables: as for :func:`vaezip.models.pixel.gradient.logistic`.
        room: filled for :func:`observe`.
    """
    f, g, told, kinds = room.f, room.g, room.told, room.kinds
    total, spread = np.int64(0), 0.0
    for k in range(w.size):
        total += w[k] * m[k]
        spread += np.float64(w[k]) / tables.reciprocal[s[k] - d.LOG_SCALE_LOW]
    told[0] = np.float64(total) * _WEIGHT_UNIT * _MEAN_UNIT
    told[1] = spread * _WEIGHT_UNIT * _DEVIATION
    kinds[0], kinds[1] = _kinds(told)
    _errors(state.errors, i, y, x, j, f, g)
    _others(frame, order, i, y, x, j, told, f, g)
    moved, stretched = 0.0, 0.0
    first, second = state.move[kinds[0], j], state.move[kinds[1], j]
    for q in range(f.size):
        moved += (first[q] + second[q]) * f[q]
    first, second = state.stretch[kinds[0], j], state.stretch[kinds[1], j]
    for q in range(g.size):
        stretched += (first[q] + second[q]) * g[q]
    moved = min(max(moved, -_MOST_MOVED), _MOST_MOVED) * told[1]
    stretched = min(max(stretched, -_MOST_STRETCHED), _MOST_STRETCHED)
    move = np.int64(np.floor(moved * _MEAN_STEPS + 0.5))
    stretch = np.int64(np.floor(stretched * _SCALE_STEPS + 0.5))
    for k in range(w.size):
        m[k] += move
        s[k] = min(max(s[k] + stretch, d.LOG_SCALE_LOW), d.LOG_SCALE_HIGH)


@jit
def observe(state, i, y, x, j, w, m, s, value, tables, room):  # type: ignore[no-untyped-def]
    """The value is known: its error, and the gradient for what :func:`set_right` has just used."""
    f, g, mean, spread = room.f, room.g, room.told[0], room.told[1]
    whole, for_mean, for_scale = 0.0, 0.0, 0.0
    for k in range(w.size):
        inside, by_mean, by_scale = logistic(np.float64(value), m[k], s[k], tables)
        part = np.float64(w[k]) * (inside + 1e-12)
        whole += part
        for_mean += part * by_mean
        for_scale += part * by_scale
    move, stretch = _steep(spread * (for_mean / whole)), _steep(for_scale / whole)
    for kind in room.kinds:
        _gather(state.move_gradient[kind, j], state.move_size[kind, j], move, f)
        _gather(state.stretch_gradient[kind, j], state.stretch_size[kind, j], stretch, g)
    error = np.floor((np.float64(value) - mean) / spread * _ERROR_STEPS + 0.5)
    state.errors[i, y, x, j] = np.int16(min(max(error, -_ERROR_BOUND), _ERROR_BOUND))
    state.pixels[0] += j == 0


@jit
def step(state):  # type: ignore[no-untyped-def]
    """Move ψ and θ by what was gathered."""
    if state.pixels[0] == 0:
        return
    kept = max(0.5, 1.0 - FADING * np.float64(state.pixels[0]))
    _moved(state.move, state.move_gradient, state.move_size, kept)
    _moved(state.stretch, state.stretch_gradient, state.stretch_size, kept)
    state.pixels[0] = 0


@inline
def _steep(slope):  # type: ignore[no-untyped-def]
    return min(max(slope, -STEEPEST), STEEPEST)


@inline
def _gather(gradient, size, slope, values):  # type: ignore[no-untyped-def]
    for q in range(values.size):
        gradient[q] += slope * values[q]
        size[q] += values[q] * values[q]


@inline
def _moved(weights, gradient, size, kept):  # type: ignore[no-untyped-def]
    for kind in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            for q in range(weights.shape[2]):
                weights[kind, j, q] += STEP * gradient[kind, j, q] / size[kind, j, q]
                size[kind, j, q] = PRIOR + (size[kind, j, q] - PRIOR) * kept
                gradient[kind, j, q] = 0.0


@inline
def _kinds(told):  # type: ignore[no-untyped-def]
    """Classes of spread and of mean."""
    kind = 0
    while kind < SPREADS - 1 and told[1] >= np.float64(1 << kind):
        kind += 1
    return kind, SPREADS + int(min(max(told[0], 0.0), 255.0)) * LEVELS // 256


@jit
def _errors(errors, i, y, x, j, f, g):  # type: ignore[no-untyped-def]
    """What f and g have of errors."""
    channels, near, around, beside = errors.shape[3], _NEAR_DOWN.size, len(AROUND), len(BESIDE)
    for q in range(near):
        f[q] = np.float64(errors[i, y + _NEAR_DOWN[q], x + _NEAR_RIGHT[q], j]) * _ERROR_UNIT
    for q in range(around):
        g[q] = abs(f[q]) - USUAL
    at = near
    for q in range(beside):
        for other in range(1, channels):
            c = (j + other) % channels
            f[at] = np.float64(errors[i, y + _NEAR_DOWN[q], x + _NEAR_RIGHT[q], c]) * _ERROR_UNIT
            at += 1
    for c in range(channels - 1):
        known = np.float64(errors[i, y, x, c]) * _ERROR_UNIT if c < j else 0.0
        f[at + c] = known
        g[around + c] = abs(known) - USUAL if c < j else 0.0


@jit
def _others(frame, order, i, y, x, j, told, f, g):  # type: ignore[no-untyped-def]
    """What they have of other predictions, and 1."""
    channels, mean, spread = order.size, told[0], told[1]
    at, c = f.size - 4, order[j]
    predicted = np.float64(median_edge_at(frame, i, y, x, c))
    f[at] = f[at + 2] = g[g.size - 2] = 0.0
    f[at + 1] = _off((predicted - mean) / spread)
    if frame.shape[3] > channels:
        expected = predicted + np.float64(frame[i, y, x, channels + j]) * _EXPECTED_UNIT
        f[at] = _off((expected - mean) / spread)
        variance = np.float64(frame[i, y, x, 3 * channels + j]) * _VARIANCE_UNIT
        mantissa, exponent = math.frexp(spread * spread)
        g[g.size - 2] = _off(0.5 * (variance - (exponent - 2 + 2.0 * mantissa)))
    if j > 0:
        before = order[j - 1]
        residual = np.float64(frame[i, y, x, before] - median_edge_at(frame, i, y, x, before))
        f[at + 2] = _off(residual / spread)
    f[at + 3], g[g.size - 1] = 1.0, 1.0


@inline
def _off(distance):  # type: ignore[no-untyped-def]
    return min(max(distance, -_MOST_OFF), _MOST_OFF)
