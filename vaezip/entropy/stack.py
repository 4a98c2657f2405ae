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
4. A pop that finds too few bits raises :class:`StackExhausted` and leaves the stack as it was.

The head belongs to :class:`Stack` alone: other modules pop through :meth:`Stack.run`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import FormatError
from vaezip.exact.jit import borrowing, inline
from vaezip.system.spans import timed

MAX_PRECISION = 32

_LOW = np.uint64(1 << 32)
_MASK = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_64 = np.uint64(64)
_1 = np.uint64(1)


class StackExhausted(Exception):  # noqa: N818 (a state of the stack, not always an error)
    """A pop asked for more bits than the stack holds."""


@inline
def slot_of(state, precision):
    """Return the place in [0, 2^precision) that lies in the top symbol's interval; all uint64."""
    return state & ((_1 << precision) - _1)


@inline
def drop(state, words, size, start, freq, precision):
    """Take the top symbol off the stack by its interval, and return the new state and size."""
    state = freq * (state >> precision) + (state & ((_1 << precision) - _1)) - start
    if state < _LOW:
        if size == 0:
            raise StackExhausted
        size -= 1
        state = (state << _32) | np.uint64(words[size])
    return state, size


@inline
def is_short(state, size, start, freq, precision):
    """Tell whether :func:`drop` would find too few bits, for kernels of large arrays: compiled code that raises an
    error never frees what it was given."""
    return size == 0 and freq * (state >> precision) + (state & ((_1 << precision) - _1)) - start < _LOW


@borrowing
def _push(state, words, size, starts, freqs, precision):
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

    >>> stack = Stack(seed=7)
    >>> stack.push(np.array([3, 0]), np.array([1, 3]), precision=2)
    >>> len(stack.to_bytes())
    5
    """

    def __init__(self, seed: int = 0) -> None:
        """Hold the 32-bit ``seed`` alone."""
        self._state = (1 << 32) | (seed & 0xFFFFFFFF)
        self._words: NDArray[np.uint32] = np.empty(1024, np.uint32)  # the first ``_size`` lie below the head
        self._size = 0

    @classmethod
    def from_words(cls, words: NDArray[np.uint32]) -> Stack:
        """Make a stack of uint32 words: the first is the seed, on top, and the others lie below it."""
        stack = cls(int(words[0]))
        stack._words, stack._size = words[1:].copy(), words.size - 1
        return stack

    @classmethod
    def random(cls, words: int, noise: np.random.Generator) -> Stack:
        """Make a stack of a pseudo-random seed and so many pseudo-random words, from which symbols can be drawn."""
        seed = noise.integers(0, 1 << 32)
        return cls.from_words(np.append(np.uint32(seed), noise.integers(0, 1 << 32, words, dtype=np.uint32)))

    @timed("stack")
    def push(self, starts: NDArray[np.int64], freqs: NDArray[np.int64], precision: int) -> None:
        """Push symbols in the order of the arrays, each by its interval out of 2^precision.

        Args:
            starts, freqs: integers, any shape but the same, 1 ≤ freq < 2^precision.
            precision: 1 … 32.
        """
        if self._size + starts.size > self._words.size:  # a symbol spills one word at most
            self._words = np.concatenate([self._words[: self._size], np.empty(self._size + 2 * starts.size, np.uint32)])
        self._adopt(_push(*self._head, starts.ravel(), freqs.ravel(), np.uint64(precision)))

    def run(self, kernel: Callable[..., tuple[np.uint64, int]], *arguments: Any) -> None:
        """Let a compiled kernel pop symbols.

        Args:
            kernel: called with the tuple (state, words, size), and then the arguments; it takes symbols off by
                :func:`slot_of` and :func:`drop`, and returns the state and the size that it leaves, a size below 0
                where it was short of bits.
            arguments: of the kernel, in which it writes the symbols.

        Raises:
            StackExhausted: the kernel asked for more bits than there are; the stack is as it was.
        """
        state, size = kernel(self._head, *arguments)
        if size < 0:
            raise StackExhausted
        self._adopt((state, size))

    @property
    def _head(self) -> tuple[np.uint64, NDArray[np.uint32], int]:
        return np.uint64(self._state), self._words, self._size

    def _adopt(self, head: tuple[np.uint64, int]) -> None:
        self._state, self._size = int(head[0]), int(head[1])

    @property
    def bits(self) -> float:
        """Information on the stack in bits, the 32 of the seed included."""
        return 32.0 * self._size + float(np.log2(float(self._state)))

    def finish(self) -> int:
        """Return the 32-bit seed, at the end of a decoder.

        Raises:
            FormatError: more than a seed is left.
        """
        if self._size or self._state >> 32 != 1:
            raise FormatError("the coded data is damaged")
        return self._state & 0xFFFFFFFF

    @timed("stack")
    def to_bytes(self) -> bytes:
        """Write the words, oldest first, then the head in 5 to 8 bytes; all little-endian."""
        head = self._state.to_bytes((self._state.bit_length() + 7) // 8, "little")
        return self._words[: self._size].astype("<u4").tobytes() + head

    @classmethod
    def from_bytes(cls, data: bytes) -> Stack:
        """Read what :meth:`to_bytes` wrote; the length tells how long the head is.

        Raises:
            FormatError: no stack has this form.
        """
        size = (len(data) - 5) // 4
        head = data[4 * size :] if size >= 0 else b""
        state = int.from_bytes(head, "little")
        if state < 1 << 32 or head[-1] == 0:
            raise FormatError("the coded data is damaged or truncated")
        stack = cls()
        stack._state, stack._size = state, size
        stack._words = np.frombuffer(data, "<u4", size).astype(np.uint32)
        return stack


@contextmanager
def decoding(data: bytes) -> Iterator[Stack]:
    """Open the stack that a decoder pops from, and report data that run out of bits as damaged.

    Raises:
        FormatError: the data are no stack, or hold fewer bits than the decoder asks for.
    """
    try:
        yield Stack.from_bytes(data)
    except StackExhausted:
        raise FormatError("the coded data is damaged or truncated") from None
