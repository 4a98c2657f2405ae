"""Hold what the coder of deep pictures knows while it codes: of a picture, and of all pictures of a block."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.exact import tables
from vaezip.exact.lanes import LANES
from vaezip.exact.rows import room, zeros
from vaezip.models.deep.regression import MARGIN, NEAREST, SEGMENT, regressors

LINEAR, MEDIAN, LEVEL, MEAN, BLEND = 0, 2, 3, 4, 5
"""The predictions of a sample: by each of the two regressions, the median one, the left sample and the slope above, the
mean of left and above and that slope; and what is made of these."""

PREDICTIONS = 5

GIVEN = 5
"""Distributions whose probabilities are inputs of each decision on a sample."""

CENTRE, PACE, LOW, HIGH, SPLIT = range(5)
"""What is known of a distribution: its centre, the reciprocal of its scale, and its function at the ends and at the
split of the interval in which the sample is known to lie."""

LEVELS = 64
"""Parts of all values, each of which has a noise of its own."""

_FIRST_NOISE = 400
_FIRST_ENERGY = 1024


class State(NamedTuple):
    """Hold what is known of one picture.

    Attributes:
        frame: int32 (channels, MARGIN + height, width + 2 · MARGIN), with margins.
        past: the frame of the picture before, or zeros.
        errors: int64 (PREDICTIONS + 1, channels, 2, width + 2 · MARGIN), how far predictions were off in this row and
            in the one above, in eighths.
        signed: int64 (channels, 2, width + 2 · MARGIN), by how much the blend was too small.
        ranks: int64 (channels, 4, width + 2 · MARGIN), what a sample was equal to: 1 … 5, or 0.
        streaks: int64 (channels, width + 2 · MARGIN), for how many rows on a sample equalled its left one.
        runs: int64 (channels, 2), how many samples to the left equal the left one, and the sample before these.
        candidates: int64 (5, 2), what the sample is likely to equal, and the place of that in the order.
        early, late: uint32 (LANES,), contexts of these alone, two each: those that wait for no prediction, and others.
        seen: int32 (channels, top + 1), the row of the frame in which each value occurred last, or 0.
        noise: int64 (channels, LEVELS + 2), 8 times the usual error by level.
        usual: int64 (channels,), 16 times what decides how much a sample weighs, as it usually is.
        sums: float64 (2, channels, size, room of a row), of the segment.
        beside: likewise, H.
        above: float64 (2, channels, segments, size, room of a row), G.
        coefficients: float64 (2, channels, size).
        regressors: float64 (2, room of a row), those of each predictor.
        scratch: float64 (2, size, room of a row).
        predictions: int64 (PREDICTIONS,), in eighths.
        given: int64 (GIVEN, 5).
        order: of the coding of channels.
        left: int64 (2, channels), what the blend was off by in the channels before, and the step it is measured in.
        cdf: the logistic distribution function.
    """

    frame: NDArray[np.int32]
    past: NDArray[np.int32]
    errors: NDArray[np.int64]
    signed: NDArray[np.int64]
    ranks: NDArray[np.int64]
    streaks: NDArray[np.int64]
    runs: NDArray[np.int64]
    candidates: NDArray[np.int64]
    early: NDArray[np.uint32]
    late: NDArray[np.uint32]
    seen: NDArray[np.int32]
    noise: NDArray[np.int64]
    usual: NDArray[np.int64]
    sums: NDArray[np.float64]
    beside: NDArray[np.float64]
    above: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    regressors: NDArray[np.float64]
    scratch: NDArray[np.float64]
    predictions: NDArray[np.int64]
    given: NDArray[np.int64]
    order: NDArray[np.int64]
    left: NDArray[np.int64]
    cdf: NDArray[np.int64]


ORDERS = {1: (0,), 2: (0, 1), 3: (1, 0, 2), 4: (1, 0, 2, 3)}
"""In which order channels are coded: green tells most of the others."""


def new_state(shape: tuple[int, int, int], top: int, *, has_past: bool) -> State:
    """Begin a picture of a shape (height, width, channels) whose greatest sample is ``top``."""
    height, width, channels = shape
    columns, size = width + 2 * MARGIN, regressors(channels, has_past=has_past) + 1
    segments, kinds = -(-width // SEGMENT), len(NEAREST)
    frame = np.zeros((channels, MARGIN + height, columns), np.int32)
    frame[:, :MARGIN] = top // 2
    return State(
        frame=frame,
        past=np.zeros((1, 1, 1), np.int32),
        errors=np.zeros((PREDICTIONS + 1, channels, 2, columns), np.int64),
        signed=np.zeros((channels, 2, columns), np.int64),
        ranks=np.zeros((channels, 4, columns), np.int64),
        streaks=np.zeros((channels, columns), np.int64),
        runs=np.zeros((channels, 2), np.int64),
        candidates=np.zeros((5, 2), np.int64),
        early=np.zeros(LANES, np.uint32),
        late=np.zeros(LANES, np.uint32),
        seen=np.zeros((channels, top + 1), np.int32),
        noise=np.full((channels, LEVELS + 2), _FIRST_NOISE, np.int64),
        usual=np.full(channels, _FIRST_ENERGY, np.int64),
        sums=zeros(kinds, channels, size, room(size)),
        beside=zeros(kinds, channels, size, room(size)),
        above=zeros(kinds, channels, segments, size, room(size)),
        coefficients=np.zeros((kinds, channels, size)),
        regressors=zeros(kinds, room(size)),
        scratch=zeros(2, size, room(size)),
        predictions=np.zeros(PREDICTIONS, np.int64),
        given=np.zeros((GIVEN, 5), np.int64),
        order=np.array(ORDERS[channels], np.int64),
        left=np.zeros((2, channels), np.int64),
        cdf=tables.logistic_cdf(),
    )


def state_bytes(shape: tuple[int, int, int], top: int, *, has_past: bool) -> int:
    """Count the bytes of a state, about."""
    height, width, channels = shape
    columns, size = width + 2 * MARGIN, regressors(channels, has_past=has_past) + 1
    planes = channels * columns * (8 * (MARGIN + height) + 8 * (2 * PREDICTIONS + 12)) + 4 * channels * (top + 1)
    return planes + 8 * len(NEAREST) * channels * size * room(size) * (-(-width // SEGMENT) + 5)
