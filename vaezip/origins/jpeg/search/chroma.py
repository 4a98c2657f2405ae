"""Find the plane at half the resolution that libjpeg's filter made larger.

The filter gives two or four samples for one, each a rounded mean of neighbours. First the plane whose means lie nearest
to the samples is approached one sample after another; it is rounded, and then single samples move by 1 as long as fewer
means round wrong. Samples that are not known do not count.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.jit import borrowing, inline, jit
from vaezip.origins.jpeg import transform

_SWEEPS, _MOVES = 24, 16
_FAINT = 1e-3
"""The weight of a guess where nothing is known of a sample."""


def halved(
    samples: NDArray[np.uint8],
    known: NDArray[np.bool_],
    *,
    limits: tuple[int, int],
    phase: tuple[int, int],
    sampling: tuple[int, int],
    fancy: bool,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the plane, and which of its samples explain all known ones that they reach.

    Args:
        samples: of the picture (height, width).
        known: which of them are.
        limits, phase, sampling, fancy: as in a description.
    """
    plane = np.zeros(limits)
    _first(samples, known, np.array(phase), np.array(sampling), plane)
    rounded, sure = np.floor(plane + 0.5).astype(np.int64), np.ones(limits, np.bool_)
    if fancy and max(sampling) > 1:
        filters = sampling[0] == 2, sampling[1] == 2
        _approach(samples, known, np.array(phase), filters, plane)
        np.clip(np.floor(plane + 0.5), 0, 255, out=plane)
        rounded = plane.astype(np.int64)
        _move(samples, known, np.array(phase), filters, rounded, 0)
        _check(samples, known, np.array(phase), filters, rounded, sure)
    else:
        again = rounded[np.ix_(*((np.arange(n) + p) // s for n, p, s in zip(samples.shape, phase, sampling)))]
        wrong = known & (again != samples)
        rows, columns = np.nonzero(wrong)
        sure[(rows + phase[0]) // sampling[0], (columns + phase[1]) // sampling[1]] = False
    return rounded.astype(np.uint8), sure


@borrowing
def _first(samples, known, phase, sampling, plane):
    """Take the mean of the known samples at each place, or of all where none is known, or what is beside it."""
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            total, count, all_total, all_count = 0, 0, 0, 0
            for a in range(sampling[0]):
                for b in range(sampling[1]):
                    row, column = y * sampling[0] + a - phase[0], x * sampling[1] + b - phase[1]
                    if 0 <= row < samples.shape[0] and 0 <= column < samples.shape[1]:
                        all_total += int(samples[row, column])
                        all_count += 1
                        if known[row, column]:
                            total += int(samples[row, column])
                            count += 1
            if count:
                plane[y, x] = total / count
            elif all_count:
                plane[y, x] = all_total / all_count
            else:
                plane[y, x] = -1.0
    for y in range(plane.shape[0] - 1, -1, -1):  # places beyond the picture, above and to its left
        for x in range(plane.shape[1] - 1, -1, -1):
            if plane[y, x] < 0:
                below = plane[y + 1, x] if y + 1 < plane.shape[0] else -1.0
                plane[y, x] = below if below >= 0 else (plane[y, x + 1] if x + 1 < plane.shape[1] else 128.0)


@inline
def _beside(place, count):
    """Return the sample, of ``count`` in a row, that lies on the other side of one of twice as many."""
    return min(max(transform.beside(place), 0), count - 1)


@inline
def _weights(filters):
    """Return the weights of the near and the far row, and of the near and the far column, and their common total."""
    down, far_down = (3, 1) if filters[0] else (4, 0)
    across, far_across = (3, 1) if filters[1] else (4, 0)
    return down, far_down, across, far_across


@borrowing
def _mean16(plane, r, c, filters):
    """Return 16 times the mean that a sample in row r and column c of the JPEG is."""
    y = r >> 1 if filters[0] else r
    x = c >> 1 if filters[1] else c
    y2 = _beside(r, plane.shape[0]) if filters[0] else y
    x2 = _beside(c, plane.shape[1]) if filters[1] else x
    a, a2, b, b2 = _weights(filters)
    return a * (b * plane[y, x] + b2 * plane[y, x2]) + a2 * (b * plane[y2, x] + b2 * plane[y2, x2])


@borrowing
def _reach(place, phase, doubles, count):
    """Return the first and the last row (or column) of the picture that a sample of the plane reaches."""
    if doubles:
        return max(2 * place - 1 - phase, 0), min(2 * place + 2 - phase, count - 1)
    return max(place - phase, 0), min(place - phase, count - 1)


@borrowing
def _weight(place, r, doubles, limit):
    """Return how much of 4 a sample of the plane adds to row (or column) r of the JPEG."""
    if not doubles:
        return 4
    weight = 3 if r >> 1 == place else 0
    return weight + (1 if _beside(r, limit) == place else 0)


@borrowing
def _approach(samples, known, phase, filters, plane):
    """Minimise the squares of the distances of means to known samples, one sample of the plane after another."""
    height, width = samples.shape
    for _ in range(_SWEEPS):
        most = 0.0
        for y in range(plane.shape[0]):
            top, bottom = _reach(y, phase[0], filters[0], height)
            for x in range(plane.shape[1]):
                left, right = _reach(x, phase[1], filters[1], width)
                slope, total = 0.0, _FAINT
                for i in range(top, bottom + 1):
                    wy = _weight(y, i + phase[0], filters[0], plane.shape[0])
                    for j in range(left, right + 1):
                        if known[i, j]:
                            w = wy * _weight(x, j + phase[1], filters[1], plane.shape[1]) / 16.0
                            off = _mean16(plane, i + phase[0], j + phase[1], filters) / 16.0 - samples[i, j]
                            slope += w * off
                            total += w * w
                move = slope / total
                plane[y, x] -= move
                most = max(most, abs(move))
        if most < 0.02:
            break


@inline
def _rounding(r, c, filters):
    """Return what is added to 16 times a mean before it is divided by 16 and rounded down."""
    if filters[0] and filters[1]:
        return 7 if c & 1 else 8
    if filters[1]:
        return 8 if c & 1 else 4
    return 8 if r & 1 else 4


@borrowing
def _off(plane, samples, i, j, phase, filters):
    """Return by how many sixteenths the mean at a pixel lies beyond what rounds to its sample."""
    r, c = i + phase[0], j + phase[1]
    mean = _mean16(plane, r, c, filters) + _rounding(r, c, filters) - 16 * int(samples[i, j])
    return -mean if mean < 0 else (mean - 15 if mean > 15 else 0)


@borrowing
def _around(plane, samples, known, y, x, phase, filters):
    """Add up the squares of how far known samples are missed that a sample of the plane reaches."""
    total = 0
    top, bottom = _reach(y, phase[0], filters[0], samples.shape[0])
    left, right = _reach(x, phase[1], filters[1], samples.shape[1])
    for i in range(top, bottom + 1):
        for j in range(left, right + 1):
            if known[i, j]:
                off = _off(plane, samples, i, j, phase, filters)
                total += off * off
    return total


@jit
def _move(samples, known, phase, filters, plane, margin):
    """Move single samples, but those of a margin, by 1 as long as known samples are missed by less."""
    todo = np.ones(plane.shape, np.bool_)
    for _ in range(_MOVES):
        moved = False
        for y in range(margin, plane.shape[0] - margin):
            for x in range(margin, plane.shape[1] - margin):
                if not todo[y, x]:
                    continue
                todo[y, x] = False
                if _move_one(samples, known, phase, filters, plane, y, x, 1):
                    moved = True
                    todo[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3] = True
        if not moved:
            break


@borrowing
def _move_one(samples, known, phase, filters, plane, y, x, step):
    """Move a sample by a step where known samples are missed by less then; tell whether it has moved."""
    before = _around(plane, samples, known, y, x, phase, filters)
    value = best = plane[y, x]
    if before == 0:
        return False
    for moved in (max(value - step, 0), min(value + step, 255)):
        plane[y, x] = moved
        after = _around(plane, samples, known, y, x, phase, filters)
        if after < before:
            before, best = after, moved
    plane[y, x] = best
    return best != value


@borrowing
def _move_border(samples, known, phase, filters, plane):
    """Move the samples of a margin of 1."""
    height, width = plane.shape
    for step in (16, 4, 1, 1, 1, 1):
        for y in range(1, height - 1):
            for x in (0, width - 1):
                _move_one(samples, known, phase, filters, plane, y, x, step)
        for x in range(1, width - 1):
            for y in (0, height - 1):
                _move_one(samples, known, phase, filters, plane, y, x, step)
        plane[0, 0], plane[0, width - 1] = plane[0, 1], plane[0, width - 2]
        plane[height - 1, 0], plane[height - 1, width - 1] = plane[height - 1, 1], plane[height - 1, width - 2]


@borrowing
def _check(samples, known, phase, filters, plane, sure):
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            sure[y, x] = _around(plane, samples, known, y, x, phase, filters) == 0


def bordered(
    frame: NDArray[np.uint8],
    samples: NDArray[np.uint8],
    known: NDArray[np.bool_],
    *,
    phase: tuple[int, int],
    sampling: tuple[int, int],
) -> NDArray[np.uint8]:
    """Return a guessed plane with one sample more on each side, once these have moved to explain known samples.

    Args:
        frame: the plane, within the nearest of its samples.
        samples, known, phase, sampling: as of :func:`halved`; the filter is fancy.
    """
    moved, filters = frame.astype(np.int64), (sampling[0] == 2, sampling[1] == 2)
    _move_border(samples, known, np.array(phase) + np.array(sampling), filters, moved)
    return moved.astype(np.uint8)


def improved(
    frame: NDArray[np.uint8],
    samples: NDArray[np.uint8],
    known: NDArray[np.bool_],
    *,
    phase: tuple[int, int],
    sampling: tuple[int, int],
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return such a frame, once the samples within have moved, and which of these explain known samples."""
    moved, sure = frame.astype(np.int64), np.ones(frame.shape, np.bool_)
    filters, place = (sampling[0] == 2, sampling[1] == 2), np.array(phase) + np.array(sampling)
    _move(samples, known, place, filters, moved, 1)
    _check(samples, known, place, filters, moved, sure)
    return moved.astype(np.uint8), sure[1:-1, 1:-1]


def reached(
    known: NDArray[np.bool_], *, limits: tuple[int, int], phase: tuple[int, int], sampling: tuple[int, int]
) -> NDArray[np.bool_]:
    """Tell for each sample of the plane whether a known sample lies upon it."""
    found = np.zeros(limits, np.bool_)
    rows, columns = np.nonzero(known)
    found[(rows + phase[0]) // sampling[0], (columns + phase[1]) // sampling[1]] = True
    return found
