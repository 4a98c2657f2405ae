"""Count the bytes of a deflated stream, which looks at its checksum."""

from __future__ import annotations

import zlib

_AT_ONCE = 1 << 14  # compressed bytes; they take a thousand times as many at most


def inflated_size(stream: bytes | bytearray, most: int) -> tuple[int, bool]:
    """Return how many bytes a deflated stream holds, up to some more than ``most``, and whether bytes stand behind it.

    Raises:
        zlib.error: it is damaged.
    """
    inflater, size, place = zlib.decompressobj(), 0, 0
    while place < len(stream) and size <= most and not inflater.eof:
        size += len(inflater.decompress(stream[place : place + _AT_ONCE]))
        place += _AT_ONCE
    return size, len(inflater.unused_data) > 0 or place < len(stream)
