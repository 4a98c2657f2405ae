"""Find the grid of blocks in a plane, and the quantisation steps, by the transforms of its blocks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.backend import backend
from vaezip.exact.elementwise import log
from vaezip.exact.jit import borrowing, jit
from vaezip.origins.jpeg.description import SIDE, Steps, standard_steps
from vaezip.origins.jpeg.search.blocks import basis, basis_of_blocks, solve, transform

_HIGH = 8
"""Frequencies whose numbers across and down add up to this or more are high."""

_VANISHED = 0.6
_CLOSE, _PEAK = 6.0, 0.32
"""1 / (2 σ²) of what the rounding of samples adds to a coefficient, and the logarithm of the greatest density."""

_UNIT = 256
"""Likelihoods are integers, in 1/256: their sums are the same in any order."""

_MOST_FLAT = 6
"""Rows, or columns, of a block that are flat: from so many on, what rounding adds is alike in all, and great."""

_NOTHING = 1.7
"""A coefficient below this may be 0."""

_WORST = 6
"""What a coefficient far from any multiple counts, as one that is so unlikely: damage and edits are rare, not never."""

_MOST_STEP = 255
_FEW_BLOCKS, _MOST_BLOCKS = 8, 800
_HOPELESS = 32
"""Blocks, not one of which is exact: then no others are looked at, for each takes a whole search."""

_SURE, _BETTER, _MIDDLE = 3, 0.02, 49
"""How much likelier a step must be than one in proportion to a table; how much greater the share of exact blocks, where
steps or the transform are not libjpeg's; and the place of that table, of quality 50."""

_FEWEST_BORDERS, _FEWER = 64, 0.1875
"""Of fewer borders of flat areas nothing is told; and for each of them at least so many more blocks vary at other
phases than at that of a grid. Of drawings that had been JPEGs of qualities 30 to 95 it was 0.208 or more, of the
drawings themselves 0.173 or less, but for one."""

_ALL = 0.98
"""The share of exact blocks from which on no other transform is looked at."""

Windows = list[tuple[NDArray[np.uint8], NDArray[np.bool_]]]
"""Parts of a plane, and which of their samples are known; each begins at a multiple of 16 rows and columns."""


def shares(windows: Windows, spread: int = 1) -> NDArray[np.float64]:
    """Return, for each phase of the grid, which share of the high frequencies vanishes; (8, 8).

    Args:
        windows: of the plane.
        spread: of so many blocks down and across one is looked at.
    """
    counts, one = np.zeros((SIDE, SIDE, 2), np.int64), basis()
    for plane, known in windows:
        _count_vanished(np.ascontiguousarray(plane), known, one, spread, counts)
    return (counts[..., 0] + 1) / (counts[..., 1] + 2)


def has_no_grid(windows: Windows) -> bool:
    """Tell whether some areas are flat, but blocks vary as often at one phase as at others: flat areas of what was a
    JPEG end where its blocks do.

    Args:
        windows: of luma.
    """
    counts = np.zeros((SIDE, SIDE, 4), np.int64)
    for plane, _ in windows:
        _count_varying(np.ascontiguousarray(plane), counts)
    varying, borders = (counts[..., i] / counts[..., i + 1].clip(1) for i in (0, 2))
    more = float(np.median(varying) - varying.min())
    return bool(np.median(counts[..., 2]) >= _FEWEST_BORDERS and more < _FEWER * float(np.median(borders)))


@jit
def _count_varying(plane, counts):
    """Count, for each phase, the blocks of more than one value, and all; and the pairs of blocks, one beside or above
    the other, of which one does, and all."""
    height, width = plane.shape[0] - SIDE + 1, plane.shape[1] - SIDE + 1
    down, varies = np.zeros(plane.shape[1], np.int64), np.zeros((height, width), np.bool_)
    for y in range(plane.shape[0]):
        across = 0
        for x in range(plane.shape[1] - 1, -1, -1):
            across = across + 1 if x + 1 < plane.shape[1] and plane[y, x] == plane[y, x + 1] else 1
            goes_on = y > 0 and plane[y, x] == plane[y - 1, x]
            down[x] = (down[x] * goes_on + 1) if across >= SIDE else 0
            if y >= SIDE - 1 and x < width:
                varies[y - SIDE + 1, x] = down[x] < SIDE
    for y in range(height):
        for x in range(width):
            a, b, here = -y & 7, -x & 7, varies[y, x]
            above, beside = varies[y - SIDE, x] if y >= SIDE else here, varies[y, x - SIDE] if x >= SIDE else here
            counts[a, b, 0] += here
            counts[a, b, 1] += 1
            counts[a, b, 2] += (here != above) + (here != beside)
            counts[a, b, 3] += (y >= SIDE) + (x >= SIDE)


def steepest(windows: Windows) -> int:
    """Return the phase, 8 · down + across, on whose borders of blocks the plane is steepest beside what is around."""
    sums = np.zeros((2, SIDE), np.int64)
    for plane, _ in windows:
        for axis in (0, 1):
            steps = np.abs(np.diff(plane.astype(np.int64), axis=axis)).sum(1 - axis)
            bends = 2 * steps[1:-1] - steps[:-2] - steps[2:]
            np.add.at(sums[axis], -(np.arange(len(bends)) + 2) % SIDE, bends)
    return int(SIDE * np.argmax(sums[0]) + np.argmax(sums[1]))


@borrowing
def _is_known(known, top, left):
    for i in range(top, top + 8):
        for j in range(left, left + 8):
            if not known[i, j]:
                return False
    return True


@borrowing
def _transform(one, plane, top, left, room, out):
    for i in range(64):
        room[64 + i] = float(plane[top + (i >> 3), left + (i & 7)]) - 128.0
    rows = columns = 0
    for i in range(8):
        same_row = same_column = True
        for j in range(8):
            same_row = same_row and room[64 + 8 * i + j] == room[64 + 8 * i]
            same_column = same_column and room[64 + 8 * j + i] == room[64 + i]
        rows += same_row
        columns += same_column
    if max(rows, columns) >= _MOST_FLAT:
        return True
    transform(one, room[64:], room, out)
    return False


@borrowing
def _look_along(plane, known, x, sums, one, rows):
    """Look at eight columns of a plane: sum up, from the top down to each row, how many rows are known there, and how
    many are flat; and transform those that are not."""
    for y in range(plane.shape[0]):
        is_known, is_flat = True, True
        for j in range(x, x + 8):
            is_known = is_known and known[y, j]
            is_flat = is_flat and plane[y, j] == plane[y, x]
        sums[0, y + 1], sums[1, y + 1] = sums[0, y] + is_known, sums[1, y] + is_flat
        if is_known:
            for u in range(8):
                total = 0.0
                for j in range(8):
                    total += one[u, j] * (float(plane[y, x + j]) - 128.0)
                rows[y, u] = total


@borrowing
def _flat_columns(plane, y, x):
    """Count the columns of a block that are flat."""
    count = 0
    for j in range(x, x + 8):
        i = y + 1
        while i < y + 8 and plane[i, j] == plane[y, j]:
            i += 1
        count += i == y + 8
    return count


@jit
def _count_vanished(plane, known, one, spread, counts):
    """Count the high frequencies of blocks that are not flat, and those that vanish. The blocks of one column share the
    transforms of their rows."""
    sums, rows = np.zeros((2, plane.shape[0] + 1), np.int64), np.zeros((plane.shape[0], 8))
    for b in range(8):
        for x in range((8 - b) % 8, plane.shape[1] - 7, 8 * spread):
            _look_along(plane, known, x, sums, one, rows)
            if sums[1, plane.shape[0]] == plane.shape[0]:
                continue
            for a in range(8):
                for y in range((8 - a) % 8, plane.shape[0] - 7, 8 * spread):
                    is_known, flat = sums[0, y + 8] - sums[0, y] == 8, sums[1, y + 8] - sums[1, y]
                    if not is_known or max(flat, _flat_columns(plane, y, x)) >= _MOST_FLAT:
                        continue
                    for v in range(1, 8):
                        for u in range(_HIGH - v, 8):
                            total = 0.0
                            for i in range(8):
                                total += one[v, i] * rows[y + i, u]
                            counts[a, b, 1] += 1
                            counts[a, b, 0] += abs(total) < _VANISHED


def transforms(windows: Windows, phase: tuple[int, int], most: int) -> NDArray[np.float64]:
    """Return the coefficients, not quantised, of no more than so many blocks of known samples."""
    found, one, size = np.zeros((most, 64)), basis(), 0
    for plane, known in windows:
        size = _gather(plane, known, one, np.array(phase), found, size)
    return found[:size]


@jit
def _gather(plane, known, one, phase, found, size):
    room = np.zeros(128)
    for y in range((8 - phase[0]) % 8, plane.shape[0] - 7, 8):
        for x in range((8 - phase[1]) % 8, plane.shape[1] - 7, 8):
            if size < found.shape[0] and _is_known(known, y, x):
                size += not _transform(one, plane, y, x, room, found[size])
    return size


class Likely(NamedTuple):
    """Steps that coefficients are most likely multiples of, and how likely they are of those of libjpeg's."""

    tables: list[Steps]
    evidence: int


def tables(windows: Windows, phase: tuple[int, int], *, is_chroma: bool = False) -> Likely:
    """Return the steps that coefficients are most likely multiples of: libjpeg's at some quality (of luma, those of the
    qualities beside it, too), and others where these are far likelier; none of too few blocks.

    Args:
        windows: of the plane.
        phase: of the grid.
        is_chroma: which of libjpeg's tables to scale.
    """
    coefficients = transforms(windows, phase, _MOST_BLOCKS)
    if len(coefficients) < _FEW_BLOCKS:
        return Likely([], 0)
    points = np.zeros((64, _MOST_STEP + 1), np.int64)
    logarithms = log(backend(), np.arange(_MOST_STEP + 1.0).clip(1)) + _PEAK
    _likelihoods(coefficients, np.floor(_UNIT * logarithms + 0.5).astype(np.int64), points)
    places = np.arange(64)
    standard = [standard_steps(quality, is_chroma) for quality in range(1, 101)]
    sums = [int(points[places, table].sum()) for table in standard]
    quality = int(np.argmax(sums))
    best = standard[quality]
    near = [] if is_chroma else [standard[other] for other in (quality + 1, quality - 1) if 0 <= other < len(standard)]
    own = [table for table in _own(points, standard[_MIDDLE]) if not np.array_equal(best, table)]
    return Likely([best, *near, *own], sums[quality])


def _own(points: NDArray[np.int64], base: Steps) -> list[Steps]:
    """Return the likeliest step of each frequency, or one in proportion to a table where nothing tells it; and the same
    without steps of less than half of that, which noise may cause."""
    places, best = np.arange(64), points.argmax(1)
    is_known = points.max(1) > _SURE * _UNIT
    ratios = np.sort((best[is_known] << 10) // base[is_known])
    ratio = int(ratios[len(ratios) // 2]) if len(ratios) else 1 << 10
    filled = np.clip((base * ratio + 512) >> 10, 1, _MOST_STEP)
    own = np.where(points.max(1) > points[places, filled] + _SURE * _UNIT, best, filled).clip(1).astype(np.int64)
    return [own, np.where(2 * own < filled, filled, own)]


class Fit(NamedTuple):
    """Steps, the share of blocks that multiples of them give exactly, and by which transform."""

    steps: Steps
    exact: float
    rounds_once: bool


def steps_of(windows: Windows, phase: tuple[int, int]) -> Fit | None:
    """Return the likeliest steps of known samples, and the transform that fits best."""
    found: Fit | None = None
    for table in tables(windows, phase).tables:
        share = exact_share(windows, phase, table)
        if found is None or share > found.exact + (_BETTER if share < 1.0 else 0.0):
            found = Fit(table, share, False)
    if found and found.exact < _ALL:
        share = exact_share(windows, phase, found.steps, rounds_once=True)
        if share > found.exact + _BETTER:
            return Fit(found.steps, share, True)
    return found


def exact_share(windows: Windows, phase: tuple[int, int], steps: Steps, *, rounds_once: bool = False) -> float:
    """Return the share of blocks of known samples, not flat, that multiples of the steps give exactly."""
    counts, bases = np.zeros(2, np.int64), (basis(), basis_of_blocks())
    for plane, known in windows:
        _count_exact(plane, known, bases, np.array(phase), steps, rounds_once, counts)
    return float(counts[0] / max(1, counts[1]))


@jit
def _count_exact(plane, known, bases, phase, steps, rounds_once, counts):
    room, out = np.zeros(128), np.zeros(64)
    block, bounds, found = np.zeros(64), np.zeros(64, np.int64), np.zeros(64, np.int64)
    for y in range((8 - phase[0]) % 8, plane.shape[0] - 7, 8):
        for x in range((8 - phase[1]) % 8, plane.shape[1] - 7, 8):
            if not _is_known(known, y, x) or _transform(bases[0], plane, y, x, room, out):
                continue
            for i in range(64):
                bounds[i] = plane[y + (i >> 3), x + (i & 7)]
                block[i] = bounds[i]
            if counts[0] == 0 and counts[1] == _HOPELESS:
                return
            counts[1] += 1
            if solve(bases, block, bounds, bounds, steps, rounds_once, found) == 0:
                counts[0] += 1


@borrowing
def _likelihoods(coefficients, logarithms, points):
    """Add up, for each frequency and step, how much likelier multiples of the step are than anything."""
    for n in range(coefficients.shape[0]):
        for i in range(64):
            value = coefficients[n, i]
            if abs(value) < _NOTHING:  # a multiple of anything
                continue
            for step in range(1, points.shape[1]):
                off = value - step * np.floor(value / step + 0.5)
                likely = logarithms[step] - np.int64(np.floor(off * off * (_CLOSE * _UNIT)))
                points[i, step] += max(likely, -_WORST * _UNIT)
