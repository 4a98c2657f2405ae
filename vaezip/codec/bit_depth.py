"""Split samples of 16 bits into a high part, which a codec of 8-bit pictures takes, and a low part.

Few pictures use all 65,536 values: they come from sensors of 10 to 14 bits, from 8 bits through a curve, from means
of a few pixels. So what is split is not a value but its *rank* among those that may occur: all up to the greatest, or
only those that do. The upper eight bits of the ranks are a picture like any other. The lower ones, of a photograph, are
noise; of a smooth picture they are not, but wrap around so often that only differences of them are small.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import FormatError

Samples = NDArray[Any]
"""(pictures, height, width, channels)."""

Values = NDArray[np.intp]
"""The samples that may occur, in rising order."""


_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class DepthHeader:
    """The part of 16-bit samples beside their high part.

    Attributes:
        values: the samples that may occur.
        low: the lower bits of their ranks, uint8.
    """

    values: Values
    low: Samples

    def join(self, high: Samples) -> Samples:
        """Join the samples from the upper bits of their ranks.

        Raises:
            FormatError: there are no such ranks.
        """
        values, bits, out = self.values.astype(np.uint16), low_bits(self.values), np.empty(high.shape, np.uint16)
        upper, lower, joined = (part.reshape(-1) for part in (high, self.low, out))
        for start in range(0, out.size, _AT_ONCE):  # for a rank and its index take many times the memory of a sample
            part = slice(start, start + _AT_ONCE)
            ranks = upper[part].astype(np.uint16) << bits | lower[part]
            if ranks.max() >= len(values):
                raise FormatError("the coded data is damaged")
            joined[part] = values[ranks]
        return out


def low_bits(values: Values) -> int:
    """Count the bits of a rank below the upper eight."""
    return max(0, (len(values) - 1).bit_length() - 8)


def used(samples: Samples) -> Values:
    """Return the values that occur, in rising order."""
    seen = np.zeros(1 << 16, bool)
    seen[samples.ravel()] = True
    return np.flatnonzero(seen)


def splits(samples: Samples) -> Iterator[tuple[Samples, DepthHeader]]:
    """Yield the ways to split uint16 samples into a high part, uint8, and a depth header; one is the shortest."""
    occurring = used(samples)
    every = np.arange(occurring[-1] + 1)
    for values in (every, occurring) if low_bits(occurring) < low_bits(every) else (every,):
        ranks = np.zeros(len(every), np.uint16)
        ranks[values] = np.arange(len(values))
        ranked, bits = ranks[samples], low_bits(values)
        yield (ranked >> bits).astype(np.uint8), DepthHeader(values, (ranked & ((1 << bits) - 1)).astype(np.uint8))


def differenced(low: Samples, bits: int) -> Samples:
    """Subtract from each sample what those to the left and above make likely, modulo 2^bits."""
    across = np.diff(low, axis=2, prepend=np.uint8(0))
    return np.diff(across, axis=1, prepend=np.uint8(0)) & _mask(bits)


def undifferenced(low: Samples, bits: int) -> Samples:
    """Invert :func:`differenced`."""
    down = np.cumsum(low, axis=1, dtype=np.uint8)
    return np.cumsum(down, axis=2, dtype=np.uint8) & _mask(bits)


def _mask(bits: int) -> np.uint8:
    return np.uint8((1 << bits) - 1)
