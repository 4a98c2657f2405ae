"""The encoder's search for chroma that was at half the resolution: the small planes, and Y that goes with them.

A few windows of a picture tell whether there is any, and by which filter it was enlarged. The planes that a colour map
gives are the start. Of a filter of means, the small plane that comes nearest is found first, and then its samples move
as long as they miss the planes by less. Whatever that does not explain is a difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.jit import borrowing, inline, jit
from vaezip.origins import differences, inverse
from vaezip.origins.colour import clipped, unclipped
from vaezip.origins.header import Origin
from vaezip.origins.inverse import Found
from vaezip.origins.jpeg.search import chroma as libjpeg
from vaezip.origins.search import Candidate
from vaezip.origins.upsampling import COPIED, LIBJPEG, TRIANGLE, Sampling, enlarged

Plane = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_SIDE, _WINDOWS = 32, 3
"""A window, and how many there are down and across."""

_LEAST_SIDE = 8

_ENOUGH = 920
"""Of a thousand known samples of windows so many must be explained: by chance 800 are, or fewer, unless all is flat."""

_SURELY = 995
"""Of so many that copies explain, nothing else is tried."""

_BETTER = 20
"""Planes of more samples must explain so many more."""

_AGAIN = 3
"""How often clipped colours tell more."""

_REACH, _STATES = 2, 5
"""How far samples of a line move at once, and to how many values."""

_MISS = 16
"""What it counts that a sample is missed by 1, where neighbours that differ count by how much they do, but less."""

_ROUNDS, _WORTH = 8, 16
"""How often all are tried at most, and how much of what is missed a round must find: one part of so many."""


class Window(NamedTuple):
    """A plane of chroma of a part of a picture, and which of its samples are known.

    Attributes:
        samples, known: (rows, columns).
    """

    samples: Plane
    known: Mask


def find(samples: NDArray[Any], candidate: Candidate) -> Sampling | None:
    """Return how chroma of pictures (pictures, height, width, 3) was enlarged, if it was, by a few windows.

    Args:
        samples: of the pictures.
        candidate: the map that their colours went through.
    """
    if min(samples.shape[1:3]) < _LEAST_SIDE:
        return None
    windows = list(_windows(samples, candidate))
    copied = _best(windows, COPIED)
    if _share(windows, copied) >= _SURELY:
        return copied
    mean = _best(windows, TRIANGLE)
    found = max((copied, mean, mean._replace(filter=LIBJPEG)), key=lambda sampling: _share(windows, sampling))
    return found if _share(windows, found) >= _ENOUGH else None


def _best(windows: list[Window], by: int) -> Sampling:
    """Return the sampling by a filter that explains most by a quick look."""
    best, most = Sampling(True, (0, 0), by), -1
    for down, row, column in ((True, 0, 0), (True, 0, 1), (True, 1, 0), (True, 1, 1), (False, 0, 0), (False, 0, 1)):
        sampling = Sampling(down, (row, column), by)
        share = _share(windows, sampling, quick=True) - (0 if down else _BETTER)
        if share > most:
            best, most = sampling, share
    return best


def _windows(samples: NDArray[Any], candidate: Candidate) -> Iterator[Window]:
    """Yield both planes of chroma of some windows, spread over the first picture and the last."""
    height, width = samples.shape[1:3]
    tops, lefts = (np.linspace(0, max(n - _SIDE, 0), _WINDOWS).astype(int) & ~1 for n in (height, width))
    for picture, top, left in sorted({*product((0, len(samples) - 1), tops.tolist(), lefts.tolist())}):
        part = samples[picture : picture + 1, top : top + _SIDE, left : left + _SIDE]
        planes, known = _planes(part, candidate)
        for channel in (0, 2):
            yield Window(np.ascontiguousarray(planes[0, ..., channel]), known[0])


def _planes(samples: NDArray[Any], candidate: Candidate) -> tuple[NDArray[np.uint8], Mask]:
    """Return the planes of pictures by a map, and where they are known: at colours that are not clipped, and that the
    map reaches."""
    found = inverse.only_planes(samples, candidate.map)
    if found is None:
        return np.zeros(samples.shape, np.uint8), np.zeros(samples.shape[:-1], np.bool_)
    reached = (candidate.map.samples(found) == samples).all(axis=-1)
    return found, reached & (samples.min(axis=-1) > 0) & (samples.max(axis=-1) < 255)


def _share(windows: list[Window], sampling: Sampling, *, quick: bool = False) -> int:
    """Return how many of a thousand known samples within windows are explained."""
    right = total = 0
    for window in windows:
        again = np.empty(window.samples.shape, np.uint8)
        sampling.enlarge(_halved(window, sampling, quick=quick), again)
        inner = slice(2, -2), slice(2, -2)
        right += int(((again == window.samples) & window.known)[inner].sum())
        total += int(window.known[inner].sum())
    return right * 1000 // total if total else 0


def _halved(window: Window, sampling: Sampling, *, quick: bool = False) -> Plane:
    """Return the plane at half the resolution that explains most of one, or is near to it by a quick look."""
    samples, known = window
    size = sampling.small(samples.shape)
    if sampling.filter == COPIED:
        out = np.zeros(size, np.uint8)
        _most_frequent(samples, known, sampling.phase, sampling.down, out)
        return out
    shape = {"limits": size, "phase": sampling.phase, "sampling": (1 + sampling.down, 2)}
    plane, _ = libjpeg.halved(samples, known, **shape, fancy=True)
    found = plane.astype(np.int64)
    if not quick:
        _move(window, sampling, found)
    return found.astype(np.uint8)


def planes_of(samples: NDArray[Any], candidate: Candidate, sampling: Sampling) -> Found | None:
    """Return the sheets of pictures (pictures, height, width, 3) and their origin; None where the map has no inverse.

    Args:
        samples: of the pictures.
        candidate: the map that their colours went through.
        sampling: how their chroma was enlarged.
    """
    back = inverse.inverse(candidate.map)
    if back is None:
        return None
    planes, known = _planes(samples, candidate)
    parts = [_best_halves(back, np.ascontiguousarray(s), p, k, sampling) for s, p, k in zip(samples, planes, known)]
    planes, more = (np.stack([part[i] for part in parts]) for i in (1, 2))
    sheets = sampling.joined(planes[..., 1], np.stack([part[0] for part in parts], axis=1))
    unexplained = int(np.count_nonzero(more.any(axis=-1)))
    coded = differences.encode(planes, more) if unexplained else b""
    number, known_map = candidate
    return Found(sheets, Origin(number, known_map, sampling=sampling, unexplained=unexplained, coded=coded))


def _best_halves(
    back: inverse.Inverse, colours: Plane, planes: Plane, known: Mask, sampling: Sampling
) -> tuple[Plane, Plane, NDArray[np.int8]]:
    """Return the small planes of chroma (2, rows, columns) of a picture (height, width, 3), the planes that they make
    with the best Y, and the differences. Once these are few, clipped colours tell more of chroma."""
    best = _halves(back, colours, planes, known, sampling)
    for _ in range(_AGAIN):
        if not (best[2].any(axis=-1) & ~known).any():
            break
        goal, reached = planes.copy(), known.copy()
        inverse.fill_in(back, colours, best[1], goal, reached)
        found = _halves(back, colours, goal, reached, sampling)
        if np.count_nonzero(found[2].any(axis=-1)) >= np.count_nonzero(best[2].any(axis=-1)):
            break
        best = found
    return best


def _halves(
    back: inverse.Inverse, colours: Plane, planes: Plane, known: Mask, sampling: Sampling
) -> tuple[Plane, Plane, NDArray[np.int8]]:
    """Return the same, by known planes alone."""
    small = np.zeros((2, *sampling.small(known.shape)), np.uint8)
    made, more = planes.copy(), np.zeros(planes.shape, np.int8)
    for number in range(2):
        small[number] = _halved(Window(np.ascontiguousarray(planes[..., 2 * number]), known), sampling)
        sampling.enlarge(small[number], made[..., 2 * number])
    _settle(back.numbers, colours, made, more)
    return small, made, more


@jit
def _most_frequent(samples, known, phase, down, out):
    """Fill in the plane by the known sample that is most frequent at each place; else by the first, or by what is
    beside or above."""
    high, found = 2 if down else 1, np.zeros(4, np.int64)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            count, first = 0, np.int64(out[y, x - 1]) if x else (np.int64(out[y - 1, x]) if y else 128)
            for a in range(high):
                for b in range(2):
                    row, column = y * high + a - phase[0], x * 2 + b - phase[1]
                    if 0 <= row < samples.shape[0] and 0 <= column < samples.shape[1] and known[row, column]:
                        found[count] = samples[row, column]
                        count += 1
            best, most = first, 0
            for i in range(count):
                same = 0
                for j in range(count):
                    same += found[i] == found[j]
                if same > most:
                    best, most = found[i], same
            out[y, x] = best


@inline
def _missed(plane, window, place, sampling):
    """Add up the squares of how far known samples are missed, in rows and columns of an enlarged plane."""
    (samples, known), (top, bottom, left, right), phase = window, place, sampling.phase
    total = 0
    for r in range(max(top - phase[0], 0), min(bottom - phase[0], samples.shape[0] - 1) + 1):
        for c in range(max(left - phase[1], 0), min(right - phase[1], samples.shape[1] - 1) + 1):
            if known[r, c]:
                off = enlarged(plane, r + phase[0], c + phase[1], sampling) - np.int64(samples[r, c])
                total += off * off
    return total


@inline
def _between(line, k, upright, down):
    """Return the rows and columns of an enlarged plane that depend on the k-th and the next sample of a line, of which
    there is one at either end."""
    if upright:
        return 2 * k + 1, 2 * k + 2, 2 * line - 1, 2 * line + 2
    if down:
        return 2 * line - 1, 2 * line + 2, 2 * k + 1, 2 * k + 2
    return line, line, 2 * k + 1, 2 * k + 2


@inline
def _rough(a, b):
    """Return what it counts that a sample differs from the next."""
    return min(abs(a - b), _MISS - 1)


@jit
def _move_line(plane, window, line, upright, sampling, costs, ways):
    """Move all samples of a row (or column) of a plane at once by up to _REACH, so that known samples are missed by
    little and it is smooth, as it most likely was; return whether any has moved.

    Args:
        plane: moves.
        window: what it explains.
        line, upright: the row, or the column.
        sampling: how it is enlarged.
        costs: int64 (2, states), room.
        ways: int64 (samples of a line, states), room.
    """
    count = plane.shape[0] if upright else plane.shape[1]
    values = plane[:, line] if upright else plane[line]
    misses, rough = 0, 0
    for k in range(count - 1):
        rough += _rough(values[k], values[k + 1])
    for k in range(-1, count):
        misses += _missed(plane, window, _between(line, k, upright, sampling.down), sampling)
    if misses == 0:
        return False
    before = values.copy()
    for state in range(_STATES):
        values[0] = clipped(before[0] + state - _REACH)
        costs[0, state] = _MISS * _missed(plane, window, _between(line, -1, upright, sampling.down), sampling)
    for k in range(count):
        here, there = k & 1, 1 - (k & 1)
        for after in range(_STATES if k + 1 < count else 1):
            if k + 1 < count:
                values[k + 1] = clipped(before[k + 1] + after - _REACH)
            best = np.int64(1 << 40)
            for i in range(_STATES):
                state = _REACH + ((i + 1) >> 1) * (1 if i & 1 else -1)  # no move comes first where others are as good
                values[k] = clipped(before[k] + state - _REACH)
                cost = costs[here, state]
                if cost < best:
                    cost += _MISS * _missed(plane, window, _between(line, k, upright, sampling.down), sampling)
                    if k + 1 < count:
                        cost += _rough(values[k], values[k + 1])
                if cost < best:
                    best, ways[k, after] = cost, state
            costs[there, after] = best
    found = costs[1 - ((count - 1) & 1), 0]
    state = 0
    for k in range(count - 1, -1, -1):
        state = ways[k, state]
        values[k] = clipped(before[k] + state - _REACH) if found < _MISS * misses + rough else before[k]
    return found < _MISS * misses + rough


@jit
def _move_square(plane, window, y, x, sampling):
    """Move four samples of a plane at once by up to 1, so that known samples are missed by least; return whether any
    has moved."""
    place = 2 * y - 1, 2 * y + 4, 2 * x - 1, 2 * x + 4
    least = _missed(plane, window, place, sampling)
    if least == 0:
        return False
    square = plane[y : y + 2, x : x + 2]
    before, best = square.copy(), -1
    for way in range(81):
        left = way
        for i in range(4):
            square[i >> 1, i & 1] = clipped(before[i >> 1, i & 1] + left % 3 - 1)
            left //= 3
        missed = _missed(plane, window, place, sampling)
        if missed < least:
            least, best = missed, way
    left = best
    for i in range(4):
        square[i >> 1, i & 1] = before[i >> 1, i & 1] if best < 0 else clipped(before[i >> 1, i & 1] + left % 3 - 1)
        left //= 3
    return best >= 0


@jit
def _move(window, sampling, plane):
    """Move the samples of a plane, row by row, column by column and square by square, as long as known samples are
    missed by less."""
    costs, ways = np.zeros((2, _STATES), np.int64), np.zeros((max(plane.shape), _STATES), np.int64)
    rows, columns = np.ones(plane.shape[0], np.bool_), np.ones(plane.shape[1], np.bool_)
    squares = np.ones(plane.shape, np.bool_)
    everything = 0, 2 * plane.shape[0], 0, 2 * plane.shape[1]
    before = _missed(plane, window, everything, sampling)
    for _ in range(_ROUNDS):
        for line in range(plane.shape[0]):
            if rows[line]:
                rows[line] = _move_line(plane, window, line, False, sampling, costs, ways)
                if rows[line]:
                    rows[max(line - 1, 0) : line + 2], squares[max(line - 2, 0) : line + 2] = True, True
                    columns[:] = True
        for line in range(plane.shape[1] if sampling.down else 0):
            if columns[line]:
                columns[line] = _move_line(plane, window, line, True, sampling, costs, ways)
                if columns[line]:
                    columns[max(line - 1, 0) : line + 2], squares[:, max(line - 2, 0) : line + 2] = True, True
                    rows[:] = True
        for y in range(plane.shape[0] - 1 if sampling.down else 0):
            for x in range(plane.shape[1] - 1):
                if squares[y, x] and _move_square(plane, window, y, x, sampling):
                    squares[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3] = True
                    rows[max(y - 1, 0) : y + 3], columns[max(x - 1, 0) : x + 3] = True, True
                else:
                    squares[y, x] = False
        after = _missed(plane, window, everything, sampling)
        if after * _WORTH > before * (_WORTH - 1):
            break
        before = after


@inline
def _off(m, colours, y, x, planes, luma, channel):
    """Return by how much a sample differs from what planes with some Y make of it."""
    found = clipped(unclipped(m, channel, np.int64(planes[y, x, 0]), luma, np.int64(planes[y, x, 2])))
    return np.int64(colours[y, x, channel]) - found


@borrowing
def _settle(m, colours, planes, differences):
    """Choose Y of each pixel by chroma: the one whose colour comes nearest, of these the one nearest to what Y was or,
    at clipped colours, to what is beside and above; and fill in the differences."""
    for y in range(colours.shape[0]):
        for x in range(colours.shape[1]):
            likely = np.int64(planes[y, x, 1])
            least = min(min(colours[y, x, 0], colours[y, x, 1]), colours[y, x, 2])
            most = max(max(colours[y, x, 0], colours[y, x, 1]), colours[y, x, 2])
            if (least == 0 or most == 255) and (x or y):
                west = np.int64(planes[y, x - 1, 1]) if x else np.int64(planes[y - 1, x, 1])
                north = np.int64(planes[y - 1, x, 1]) if y else west
                likely = (west + north) >> 1
            best, far = likely, np.int64(1 << 40)
            for step in range(512):
                luma = likely + ((step + 1) >> 1) * (1 if step & 1 else -1)
                if not 0 <= luma < 256:
                    continue
                off = 0
                for channel in range(3):
                    off += abs(_off(m, colours, y, x, planes, luma, channel))
                if off < far:
                    best, far = luma, off
                    if off == 0:
                        break
            planes[y, x, 1] = best
            for channel in range(3):
                difference = _off(m, colours, y, x, planes, best, channel)
                differences[y, x, channel] = ((difference + 128) & 255) - 128
