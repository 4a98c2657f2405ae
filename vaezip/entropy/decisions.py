"""Code binary decisions that :mod:`.mixing` predicts, by one function for both directions.

A kernel gets a *coder*, uint64: whether it decodes, and then the state of the stack, the size of its words, and whether
it was too short; or it puts twice the frequency of a 1 plus the bit into a list, (uint16 decisions, int64 count).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy.mixing import LINE_BITS, PRECISION, predict, update
from vaezip.entropy.stack import Stack, drop, is_short, slot_of
from vaezip.exact.jit import inline, jit

DECODES, STATE, SIZE, IS_SHORT = range(4)
"""The entries of a coder."""

Made = tuple[NDArray[np.uint16], NDArray[np.int64]]


def encoder() -> NDArray[np.uint64]:
    """Return a coder that puts decisions into a list."""
    return np.zeros(4, np.uint64)


def room(most: int) -> Made:
    """Return a list for at most so many decisions."""
    return np.zeros(most, np.uint16), np.zeros(1, np.int64)


def push(coded: Stack, row: NDArray[np.uint16]) -> None:
    """Push decisions, the last one first."""
    bits, ones = (row & 1)[::-1].astype(np.int64), (row >> 1)[::-1].astype(np.int64)
    coded.push(np.where(bits, 0, ones), np.where(bits, ones, (1 << PRECISION) - ones), PRECISION)


@inline
def key(context, a, b):
    """Return a context of three numbers, the last two below 2^20, alone in its line."""
    return ((np.int64(context) << 40) + (np.int64(a) << 20) + np.int64(b)) << LINE_BITS


@jit
def decider(head):
    """Return a coder that pops from a stack, by the head that :meth:`vaezip.entropy.stack.Stack.run` lends."""
    coder = np.zeros(4, np.uint64)
    coder[DECODES], coder[STATE], coder[SIZE] = np.uint64(1), head[0], np.uint64(head[2])
    return coder


@jit
def left_of(coder):
    """Return what a kernel of :meth:`vaezip.entropy.stack.Stack.run` returns."""
    return coder[STATE], np.int64(-1) if coder[IS_SHORT] else np.int64(coder[SIZE])


@jit
def decide(m, coder, words, made, count, node, kind, correction, bit):
    """Code one bit, or decode it, and learn from it."""
    p = predict(m, count, node, kind, correction)
    if coder[DECODES]:
        precision = np.uint64(PRECISION)
        state, size = coder[STATE], np.int64(coder[SIZE])
        bit = 1 if np.int64(slot_of(state, precision)) < p else 0
        start, freq = (0, p) if bit else (p, (1 << PRECISION) - p)
        if is_short(state, size, np.uint64(start), np.uint64(freq), precision):
            coder[IS_SHORT] = np.uint64(1)
            return bit
        state, size = drop(state, words, size, np.uint64(start), np.uint64(freq), precision)
        coder[STATE], coder[SIZE] = state, np.uint64(size)
    else:
        made[0][made[1][0]] = (p << 1) | bit
        made[1][0] += 1
    update(m, count, kind, correction, bit)
    return bit
