"""Predict samples by least squares from those just coded; a scalar kin of :mod:`vaezip.models.pixel.least_squares`.

A channel's *regressors* are its nearest neighbours, then some of each channel coded before and of the picture before,
each less the median prediction of what it belongs to. For each segment of a row their coefficients are solved anew.
With S(r, k) the sum of v vᵀ over segment k of row r, where v ends in the sample itself, less its median prediction too,

    H(r, k) = S(r, k) + beside H(r, k − 1)        G(r, k) = H(r, k) + above G(r − 1, k + 1)

segment k of row r is predicted from A = beside H(r, k − 1) + above G(r − 1, k + 1).

Exactness: every operation is a correctly rounded one of float64, in the order in which it stands here.
"""

from __future__ import annotations

import numpy as np

from vaezip.exact.jit import borrowing, inline
from vaezip.exact.rows import add_scaled, add_two
from vaezip.models.median import median_of

OWN = (
    *((0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-1, -2), (-1, 2), (-2, -1), (-2, 1)),
    *((-2, -2), (-2, 2), (0, -3), (-3, 0), (-1, -3), (-1, 3), (-3, -1), (-3, 1)),
)
"""Neighbours of a sample in its channel, (down, right), the nearest first."""

BEFORE = ((0, 0), (0, -1), (-1, 0), (-1, -1), (-1, 1))
"""Those in a channel that was coded before."""

PAST = ((0, 0), (0, -1), (-1, 0), (0, 1), (1, 0), (-1, -1))
"""Those in the same channel of the picture before."""

SEGMENT = 16
MARGIN = 3
"""Columns at each side of a picture, and rows above."""

NEAREST = (6, 18)
"""Neighbours that the predictors see."""

DECAYS = ((0.85, 0.65), (0.93, 0.85))
"""What the sums of each predictor are multiplied by, beside and above."""

_RIDGE_SHARE, _RIDGE = 1.0 / 8192.0, 1.0 / 1024.0

_OWN, _BEFORE, _PAST = (np.array(places, np.int64) for places in (OWN, BEFORE, PAST))
_NEAREST = np.array(NEAREST, np.int64)


@inline
def _median_at(plane, y, x):
    return median_of(np.int64(plane[y, x - 1]), np.int64(plane[y - 1, x]), np.int64(plane[y - 1, x - 1]))


@borrowing
def gather(frame, past, has_past, order, place, y, x, v):
    """Write the regressors of a sample that each predictor sees, the second one all, and return their number beside the
    neighbours, and the median prediction.

    Args:
        frame: int32 (channels, MARGIN + height, width + 2 · MARGIN).
        past: the frame of the picture before.
        has_past: whether there is one.
        order: of coding of the channels.
        place: of the channel in it.
        y, x: of the sample, in the frame.
        v: float64 (2, columns), filled.
    """
    plane, every = frame[order[place]], v[1]
    expected = _median_at(plane, y, x)
    at = _OWN.shape[0]
    for q in range(at):
        every[q] = plane[y + _OWN[q, 0], x + _OWN[q, 1]] - expected
    for earlier in range(place):
        other = frame[order[earlier]]
        base = _median_at(other, y, x)
        for q in range(_BEFORE.shape[0]):
            every[at] = other[y + _BEFORE[q, 0], x + _BEFORE[q, 1]] - base
            at += 1
    if has_past:
        other = past[order[place]]
        base = _median_at(other, y, x)
        for q in range(_PAST.shape[0]):
            every[at] = other[min(y + _PAST[q, 0], other.shape[0] - 1), x + _PAST[q, 1]] - base
            at += 1
    others = at - _OWN.shape[0]
    for q in range(_NEAREST[0]):
        v[0, q] = every[q]
    for q in range(others):
        v[0, _NEAREST[0] + q] = every[_OWN.shape[0] + q]
    return others, expected


@borrowing
def predict(coefficients, v, size):
    """Sum the products of coefficients and regressors."""
    total = 0.0
    for q in range(size):
        total += coefficients[q] * v[q]
    return total


@borrowing
def observe(sums, v, r, size, weight, target):
    """Add a sample with a weight to the sums of its segment: v vᵀ below the diagonal, in the last row v times the
    target. Right of the diagonal stands something, too, for vector units take so many at a time.

    Args:
        sums: of a predictor.
        v: float64 (2, columns), of both.
        r: the predictor.
        size: regressors.
        weight: of the sample.
        target: the sample, less its median prediction.
    """
    last = sums.shape[0] - 1
    for i in range(size):
        weighed = weight * v[r, i]
        add_scaled(sums, i, (0, i + 1), weighed, v, r)
        sums[last, i] += weighed * target


@borrowing
def fold(sums, beside, above, k, decays):
    """Make H of the row so far and of the sums of segment k, then G of it and of the row above."""
    here, after = above[k], above[min(k + 1, above.shape[0] - 1)]
    for i in range(sums.shape[0]):
        add_two(beside, i, i + 1, (decays[0], 1.0), beside, sums)
        add_two(here, i, i + 1, (1.0, decays[1]), beside, after)


@borrowing
def solve(beside, above, k, decays, size, scratch, coefficients):
    """Solve for the coefficients of segment k, by Cholesky's factor U of A, with a ridge.

    Each row n of U, once known, is taken from all below it; the targets are the last of these.

    Args:
        beside, above, decays: of the predictor.
        size: regressors.
        scratch: float64 (2, size + 1, columns) or larger.
        coefficients: filled.
    """
    a, u, after = scratch[0], scratch[1], above[min(k + 1, above.shape[0] - 1)]
    last, trace = beside.shape[0] - 1, 0.0
    for i in range(size):
        add_two(a, i, i + 1, (decays[0], decays[1]), beside, after)
        trace += a[i, i]
    add_two(a, last, size, (decays[0], decays[1]), beside, after)
    ridge = _RIDGE_SHARE * (trace / size) + _RIDGE
    for n in range(size):
        a[n, n] += ridge
    for n in range(size):
        inverse = 1.0 / np.sqrt(a[n, n])
        u[n, n] = inverse
        for j in range(n + 1, size):
            u[n, j] = a[j, n] * inverse
        for j in range(n + 1, size):
            add_scaled(a, j, (n + 1, j + 1), -u[n, j], u, n)
        coefficients[n] = a[last, n] * inverse
        add_scaled(a, last, (n + 1, size), -coefficients[n], u, n)
    for i in range(size - 1, -1, -1):
        total = coefficients[i]
        for n in range(i + 1, size):
            total -= u[i, n] * coefficients[n]
        coefficients[i] = total * u[i, i]


def regressors(channels: int, *, has_past: bool) -> int:
    """Count the regressors of the last channel of a picture."""
    return len(OWN) + len(BEFORE) * (channels - 1) + len(PAST) * has_past
