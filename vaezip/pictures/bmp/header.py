"""Read the header of a BMP: its own size tells which fields it has."""

from __future__ import annotations

import struct
from typing import NamedTuple

from vaezip.pictures.picture import damage

FILE_HEADER = 14
OS2, INFO, V4, V5 = 12, 40, 108, 124
"""The sizes of headers, each of which begins with the fields of the one before but for the first."""

PLAIN, MASKS, MASKS_WITH_ALPHA = 0, 3, 6


class BmpHeader(NamedTuple):
    """Hold what a header says about the samples; a height below zero means that the highest row comes first.

    Attributes:
        fields: the bytes of the header, without those of the file before it.
        rows: where the rows begin.
    """

    fields: bytes
    width: int
    height: int
    bits: int
    compression: int
    rows: int

    @property
    def row_bytes(self) -> int:
        """Return the bytes of a row that is not compressed: whole words."""
        return -(-self.width * self.bits // 32) * 4


def bmp_header(data: bytes) -> BmpHeader:
    """Read the header of a BMP.

    Raises:
        ImageError: it is not whole, or its size cannot be.
    """
    size = int.from_bytes(data[14:18], "little")
    fields = data[FILE_HEADER : FILE_HEADER + size]
    if len(fields) < size or (size < 16 and size != OS2):
        raise damage("its header is not whole")
    width, height, _, bits = struct.unpack_from("<4H" if size == OS2 else "<iiHH", fields, 4)
    if width < 1 or height == 0:
        raise damage("its header has a size that cannot be")
    compression = int.from_bytes(fields[16:20], "little") if size >= 20 else PLAIN
    return BmpHeader(fields, width, height, bits, compression, int.from_bytes(data[10:14], "little"))
