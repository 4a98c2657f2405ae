"""The stack: range asymmetric numeral systems (rANS) with a 64-bit state and 32-bit words.

A symbol with the integer interval [start, start + freq) out of 2^precision is pushed by
state ← (state // freq) · 2^precision + start + state mod freq, and popped by the inverse
(Duda 2009). What is pushed last is popped first.

Invariants:

1. 2^32 ≤ state < 2^64 before and after every operation; words beyond that lie on the stack.
2. pop undoes push and push undoes pop, bit for bit, whatever the intervals.
3. A new stack holds a 32-bit seed and nothing else. A decoder that has undone every
   operation therefore finds exactly the seed: used for a checksum, it costs its own 32 bits
   and makes the stack full enough for the first symbols to be coded without loss.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import FormatError
from vaezip.exact.jit import inline, jit

MAX_PRECISION = 32

_LOW = np.uint64(1 << 32)
_MASK = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_64 = np.uint64(64)
_1 = np.uint64(1)


class StackExhausted(Exception):  # noqa: N818 (a state of the stack, not always an error)
    """A pop asked for more bits than the stack holds."""


@inline
def slot_of(state, precision):  # type: ignore[no-untyped-def]
    """Where in [0, 2^precision) the top symbol's interval must lie; all uint64."""
    return state & ((_1 << precision) - _1)


@inline
def drop(state, words, size, start, freq, precision):  # type: ignore[no-untyped-def]
    """Take the top symbol, whose interval is given, off the stack; new (state, size)."""
    state = freq * (state >> precision) + (state & ((_1 << precision) - _1)) - start
    if state < _LOW:
        if size == 0:
            raise StackExhausted
        size -= 1
        state = (state << _32) | np.uint64(words[size])
    return state, size


@jit
def _push(state, words, size, starts, freqs, precision):  # type: ignore[no-untyped-def]
    for i in range(starts.size):
        freq = np.uint64(freqs[i])
        if state >= freq << (_64 - precision):
            words[size] = np.uint32(state & _MASK)
            size += 1
            state >>= _32
        quotient = state // freq
        state = (quotient << precision) + np.uint64(starts[i]) + (state - quotient * freq)
    return state, size


class Stack:
    """A rANS stack.

    Attributes:
        state: the head, 2^32 ≤ state < 2^64.
        words: uint32 array; the first ``size`` of them are the stack below the head.
        size: number of words.
    """

    def __init__(self, seed: int = 0) -> None:
        """A stack that holds the 32-bit ``seed`` alone."""
        self.state = (1 << 32) | (seed & 0xFFFFFFFF)
        self.words: NDArray[np.uint32] = np.empty(1024, np.uint32)
        self.size = 0

    def push(self, starts: NDArray[np.int64], freqs: NDArray[np.int64], precision: int) -> None:
        """Push symbols in the order of the arrays, each by its interval out of 2^precision.

        Args:
            starts, freqs: integers, any shape but the same, 1 ≤ freq < 2^precision.
            precision: 1 … 32.
        """
        if self.size + starts.size > self.words.size:  # a symbol spills one word at most
            self.words = np.concatenate([self.words[: self.size], np.empty(self.size + 2 * starts.size, np.uint32)])
        state, size = _push(
            np.uint64(self.state), self.words, self.size, starts.ravel(), freqs.ravel(), np.uint64(precision)
        )
        self.state, self.size = int(state), int(size)

    def settle(self, state: np.uint64, size: int) -> None:
        """Take over what a pop kernel of :mod:`vaezip.entropy.distributions` returned."""
        self.state, self.size = int(state), int(size)

    @property
    def bits(self) -> float:
        """Information on the stack in bits, the 32 of the seed included."""
        return 32.0 * self.size + float(np.log2(float(self.state)))

    def spent(self, seed: int) -> bool:
        """Whether nothing but this seed is left."""
        return self.size == 0 and self.state == (1 << 32) | (seed & 0xFFFFFFFF)

    def to_bytes(self) -> bytes:
        """The words, oldest first, then the head in 5 to 8 bytes; all little-endian."""
        head = self.state.to_bytes((self.state.bit_length() + 7) // 8, "little")
        return self.words[: self.size].astype("<u4").tobytes() + head

    @staticmethod
    def from_bytes(data: bytes) -> Stack:
        """Inverse of :meth:`to_bytes`; the length tells how long the head is.

        Raises:
            FormatError: no stack has this form.
        """
        size = (len(data) - 5) // 4
        head = data[4 * size :] if size >= 0 else b""
        stack = Stack()
        stack.state = int.from_bytes(head, "little")
        if stack.state < 1 << 32 or head[-1] == 0:
            raise FormatError("the coded data is damaged or truncated")
        stack.words = np.frombuffer(data, "<u4", size).astype(np.uint32)
        stack.size = size
        return stack
