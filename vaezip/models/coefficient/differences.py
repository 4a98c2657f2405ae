"""Code what coefficients do not explain of a picture: differences of samples, in the tiles of 8 × 8 that have any."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import decisions, mixing
from vaezip.entropy.decisions import DECODES, IS_SHORT, bounded, coder_of, head_of
from vaezip.entropy.mixing import Mixing, decide, key
from vaezip.entropy.stack import Stack
from vaezip.exact.jit import borrowing, jit
from vaezip.models.coefficient.contexts import graded

SIDE = 8
SLOT_BITS, CHOICES, KINDS, CORRECTIONS = 14, 256, 4, 256
_FLAG, _ZERO, _SIGN, _SIZE = range(KINDS)
_MOST_SIZE = 8
_MOST_DECISIONS = 2 + 2 * _MOST_SIZE

MEMORY = (25 << 16) + (1 << 16)
"""Bytes that counters, weights and corrections take."""

Differences = NDArray[np.int16]


def new_state() -> Mixing:
    """Return a state that has learned nothing."""
    return mixing.new_mixing(SLOT_BITS, choices=CHOICES, kinds=KINDS, corrections=CORRECTIONS)


def tiles(rows: int, columns: int) -> int:
    """Count the tiles of a plane."""
    return -(-rows // SIDE) * -(-columns // SIDE)


def flagged(differences: Differences) -> int:
    """Count the tiles of planes, (planes, height, width), in which a difference is not 0."""
    found = np.add.reduceat(
        np.add.reduceat((differences != 0).any(0), range(0, differences.shape[1], SIDE), 0),
        range(0, differences.shape[2], SIDE),
        1,
    )
    return int((found > 0).sum())


def encode(state: Mixing, differences: Differences, *, kind: int) -> list[NDArray[np.uint16]]:
    """Return the decisions of differences of −128 … 127, row of tiles by row.

    Args:
        state: what has been learned so far.
        differences: (planes, height, width).
        kind: of the first plane, and each other has that behind it; differences of one kind are alike.
    """
    most = -(-differences.shape[2] // SIDE) * (1 + SIDE * SIDE * len(differences) * _MOST_DECISIONS)
    made, rows = decisions.room(most), []
    for y in range(-(-differences.shape[1] // SIDE)):
        made[1][0] = 0
        _code_row(decisions.NO_STACK, False, state, made, differences, y, kind)
        rows.append(made[0][: made[1][0]].copy())
    return rows


def decode(state: Mixing, coded: Stack, differences: Differences, *, kind: int) -> None:
    """Pop differences into an array of zeros; the inverse of :func:`encode`."""
    made = decisions.room(1)
    for y in range(-(-differences.shape[1] // SIDE)):
        coded.run(_code_row, True, state, made, differences, y, kind)


@jit
def _code_row(head, decodes, m, made, differences, y, kind):
    """Pop a row of tiles, a kernel of :meth:`vaezip.entropy.stack.Stack.run`; or put its decisions into a list."""
    coder = coder_of(head, decodes)
    _code(m, coder, head[1], made, differences, y, kind)
    return head_of(coder)


@borrowing
def _has(differences, y, x):
    """Tell whether a tile has a difference that is not 0."""
    for c in range(differences.shape[0]):
        for i in range(8 * y, min(8 * y + 8, differences.shape[1])):
            for j in range(8 * x, min(8 * x + 8, differences.shape[2])):
                if differences[c, i, j]:
                    return True
    return False


@borrowing
def _code(m, coder, words, made, differences, y, kind):
    """Code a row of tiles: of each whether it has differences, and then these."""
    decodes = coder[DECODES] > 0
    planes, height, width = differences.shape
    for x in range((width + 7) // 8):
        left = 1 if x > 0 and _has(differences, y, x - 1) else 0
        above = 1 if y > 0 and _has(differences, y - 1, x) else 0
        beside = 1 if y > 0 and 8 * x + 8 < width and _has(differences, y - 1, x + 1) else 0
        around = 4 * kind + 16 * left + 32 * above + 64 * beside
        m.contexts[0], m.contexts[1] = key(1, 0, around), key(2, 0, kind)
        m.choices[0], m.choices[1], m.choices[2] = kind, 4 + left + 2 * above, 8
        bit = 0 if decodes else (1 if _has(differences, y, x) else 0)
        if not decide(m, coder, words, made, 2, 0, _FLAG, kind, bit):
            continue
        for i in range(8 * y, min(8 * y + 8, height)):
            for j in range(8 * x, min(8 * x + 8, width)):
                for c in range(planes):
                    if coder[IS_SHORT]:
                        return
                    differences[c, i, j] = _code_value(m, coder, words, made, differences, kind + c, c, i, j)


@borrowing
def _code_value(m, coder, words, made, differences, kind, c, i, j):
    """Code a difference, in the contexts of those to the left, above, and of the planes before."""
    value, width = np.int64(differences[c, i, j]), differences.shape[2]
    left = np.int64(differences[c, i, j - 1]) if j > 0 else 0
    above = np.int64(differences[c, i - 1, j]) if i > 0 else 0
    corner = np.int64(differences[c, i - 1, j - 1]) if i > 0 and j > 0 else 0
    is_decoded = i > 0 and j + 1 < width and ((j & 7) < 7 or (i & 7) == 0)
    beside = np.int64(differences[c, i - 1, j + 1]) if is_decoded else 0
    before = np.int64(differences[c - 1, i, j]) if c > 0 else 0
    first = np.int64(differences[0, i, j]) if c > 1 else 0
    around = graded(abs(left) + abs(above) + abs(corner) + abs(beside))
    h, k = m.contexts, 16 * kind + 3
    h[0] = key(k, bounded(left, 8), bounded(above, 8))
    h[1] = key(k + 1, around, bounded(before, 2))
    h[2] = key(k + 2, bounded(before, 40), bounded(first, 40))
    h[3] = key(k + 3, bounded(before, 20), bounded(left, 20))
    h[4] = key(k + 4, 5 * bounded(corner, 2) + bounded(above, 2), bounded(beside, 2))
    h[5] = key(k + 5, (i & 7) * 8 + (j & 7), min(around, 3))
    m.choices[0], m.choices[1] = 16 + kind, 32 + min(around, 31)
    m.choices[2] = 64 + 5 * bounded(left, 2) + bounded(before, 2)
    if not decide(m, coder, words, made, 6, 0, _ZERO, 8 + kind, 1 if value else 0):
        return 0
    negative = decide(m, coder, words, made, 6, 1, _SIGN, 16 + kind, 1 if value < 0 else 0)
    magnitude, size, most = abs(value), 0, 1
    while magnitude >> size:
        size += 1
    while most < _MOST_SIZE:
        if not decide(m, coder, words, made, 6, 1 + most, _SIZE, 32 + most, 1 if size > most else 0):
            break
        most += 1
    known = 1
    for b in range(most - 2, -1, -1):
        known = 2 * known + decide(m, coder, words, made, 6, 9 + b, _SIZE, 64 + 8 * most + b, (magnitude >> b) & 1)
    return -known if negative else known
