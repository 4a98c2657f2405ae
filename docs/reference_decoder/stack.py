"""Chapter 3: the entropy coder, a stack of integers on which intervals are pushed and popped."""

from collections.abc import Callable

import numpy as np

from .primitives import require


class Stack:
    """Hold the state of the coder: a head of 64 bits and a list of 32-bit words."""

    def __init__(self, data: bytes) -> None:
        """Read a stack from its bytes (section 3.4)."""
        require(len(data) >= 5, "a stack has at least five bytes")
        count = (len(data) - 5) // 4
        self.words = np.frombuffer(data[: 4 * count], "<u4").tolist()
        self.head = int.from_bytes(data[4 * count :], "little")
        require(data[-1] != 0 and self.head >= 1 << 32, "the head of the stack is out of range")

    def push(self, start: int, freq: int, precision: int) -> None:
        """Push the interval [start, start + freq)."""
        require(freq > 0, "a bin of frequency 0 would have to be pushed")
        if self.head >= freq << (64 - precision):
            self.words.append(self.head & 0xFFFFFFFF)
            self.head >>= 32
        self.head = (self.head // freq << precision) + start + self.head % freq

    def slot(self, precision: int) -> int:
        """Look at the slot, which tells the symbol that was pushed last."""
        return self.head & ((1 << precision) - 1)

    def drop(self, start: int, freq: int, precision: int) -> None:
        """Pop the interval that holds the slot."""
        self.head = freq * (self.head >> precision) + self.slot(precision) - start
        if self.head < 1 << 32:
            require(len(self.words) > 0, "the stack is empty")
            self.head = self.head << 32 | self.words.pop()

    def pop(self, cumulative: Callable[[int], int], symbols: int, precision: int) -> int:
        """Pop one of so many symbols, whose intervals begin at cumulative(symbol), by bisection (section 3.2)."""
        slot = self.slot(precision)
        low, high = 0, symbols
        while high - low > 1:
            middle = (low + high) // 2
            if cumulative(middle) <= slot:
                low = middle
            else:
                high = middle
        start = cumulative(low)
        self.drop(start, cumulative(low + 1) - start, precision)
        return low

    def pop_table(self, table: np.ndarray, precision: int) -> int:
        """Pop a symbol whose intervals begin at the entries of a table."""
        symbol = int(np.searchsorted(table, self.slot(precision), side="right")) - 1
        start = int(table[symbol])
        self.drop(start, int(table[symbol + 1]) - start, precision)
        return symbol

    def seed(self) -> int:
        """Return the seed, once everything is popped."""
        require(not self.words and self.head < 1 << 33, "the data are damaged: the stack does not end as it began")
        return self.head - (1 << 32)
