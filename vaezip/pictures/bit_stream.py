"""Look at bits of a stream from compiled code."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.jit import jit

GUARD = bytes(8)
"""What must stand behind the last byte of a stream, so that looking ahead stays inside of it."""

REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
"""Each byte with its lowest bit first, for ``bytes.translate``."""


def _peek(stream: NDArray[np.uint8], at: int, count: int) -> int:
    """Return up to 16 bits from a place on, at most behind the last byte before the guard."""
    byte = min(at >> 3, len(stream) - 3)
    window = (np.int64(stream[byte]) << 16) | (np.int64(stream[byte + 1]) << 8) | np.int64(stream[byte + 2])
    return int((window >> (24 - (at & 7) - count)) & ((1 << count) - 1))


peek = jit(_peek)
"""Return up to 16 bits of (stream, place, count)."""
