"""Read the size of the coded picture from the sequence header of an AV1 stream.

A decoder of AVIF stretches a picture that is smaller than the file says, and so changes its samples.
"""

from __future__ import annotations

_SEQUENCE_HEADER = 1

_MOST_UNITS, _MOST_BYTES = 8, 128
"""The units among which the header is searched, and the bytes of it that are looked at."""


def coded_size(stream: bytes) -> tuple[int, int] | None:
    """Return the width and the height that a stream of AV1 tells; None where its header is damaged, or of a film."""
    at = 0
    for _ in range(_MOST_UNITS):
        if at >= len(stream):
            return None
        kind, at = stream[at] >> 3 & 15, at + (2 if stream[at] & 4 else 1)  # with an extension
        size = shift = 0
        while stream[at : at + 1] >= b"\x80" and shift < 28:
            size, shift, at = size | (stream[at] & 127) << shift, shift + 7, at + 1
        size, at = size | int.from_bytes(stream[at : at + 1], "big") << shift, at + 1
        if kind == _SEQUENCE_HEADER:
            return _size(_Bits(stream[at : at + min(size, _MOST_BYTES)]))
        at += size
    return None


def _size(bits: _Bits) -> tuple[int, int] | None:
    bits.take(4)  # the profile, and whether it is a still picture
    if bits.take(1):  # a short header
        bits.take(5)
    elif not _pass_over_points(bits):
        return None
    across, down = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(across) + 1, bits.take(down) + 1


def _pass_over_points(bits: _Bits) -> bool:
    """Pass over what a full header tells of operating points; return whether it tells nothing of times and delays."""
    if bits.take(1) or bits.take(1):
        return False
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
    return True


class _Bits:
    """Take numbers from the front of some bytes, the highest bit first; behind their end, each bit is zero."""

    def __init__(self, data: bytes) -> None:
        self._number, self._left = int.from_bytes(data, "big") << 1024, 8 * len(data) + 1024

    def take(self, count: int) -> int:
        """Return the next number of so many bits."""
        self._left -= count
        return self._number >> self._left & ((1 << count) - 1)
