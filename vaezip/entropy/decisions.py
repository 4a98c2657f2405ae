"""Code binary decisions whose probabilities are learned, by one function for both directions.

A kernel gets a *coder*, uint64: whether it decodes, and then the state of the stack, the size of its words, and whether
it was too short. One that encodes puts twice the frequency of a 1 plus the bit into a list, (decisions, count).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy.stack import Stack, drop, is_short, slot_of
from vaezip.exact.jit import borrowing, inline, jit

DECODES, STATE, SIZE, IS_SHORT = range(4)
"""The entries of a coder."""

Made = tuple[NDArray[Any], NDArray[np.int64]]

NO_STACK = np.uint64(0), np.zeros(1, np.uint32), 0
"""What a kernel that decodes gets from :meth:`vaezip.entropy.stack.Stack.run`, for one that does not."""


def room(most: int, dtype: type[np.generic] = np.uint16) -> Made:
    """Return a list for at most so many decisions, of a type that holds their precision and a bit more."""
    return np.zeros(most, dtype), np.zeros(1, np.int64)


def push(coded: Stack, made: NDArray[Any], precision: int) -> None:
    """Push decisions, the last one first."""
    bits, ones = (made & 1)[::-1].astype(np.int64), (made >> 1)[::-1].astype(np.int64)
    coded.push(np.where(bits, 0, ones), np.where(bits, ones, (1 << precision) - ones), precision)


@jit
def coder_of(head, decodes):
    """Return a coder that pops from a stack, by the head that :meth:`vaezip.entropy.stack.Stack.run` lends, or one that
    puts decisions into a list."""
    coder = np.zeros(4, np.uint64)
    if decodes:
        coder[DECODES], coder[STATE], coder[SIZE] = np.uint64(1), head[0], np.uint64(head[2])
    return coder


@borrowing
def head_of(coder):
    """Return the head of the stack that a coder leaves, as :meth:`vaezip.entropy.stack.Stack.run` takes it."""
    return coder[STATE], np.int64(-1) if coder[IS_SHORT] else np.int64(coder[SIZE])


@inline
def code(coder, words, made, p, precision, bit):
    """Code one bit by the frequency p of a 1, of 2^precision, or decode it; return it."""
    if coder[DECODES]:
        state, size = coder[STATE], np.int64(coder[SIZE])
        bit = 1 if np.int64(slot_of(state, np.uint64(precision))) < p else 0
        start, freq = (0, p) if bit else (p, (1 << precision) - p)
        if is_short(state, size, np.uint64(start), np.uint64(freq), np.uint64(precision)):
            coder[IS_SHORT] = np.uint64(1)
        else:
            state, size = drop(state, words, size, np.uint64(start), np.uint64(freq), np.uint64(precision))
            coder[STATE], coder[SIZE] = state, np.uint64(size)
    else:
        made[0][made[1][0]] = (p << 1) | bit
        made[1][0] += 1
    return bit


@inline
def bounded(value, most):
    """Return the value clamped to −most … most, plus most: a small number for a context."""
    return min(max(value, -most), most) + most
