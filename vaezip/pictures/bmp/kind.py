"""Find out from the header of a BMP what its samples are, and decode those of 16 and 32 bits a pixel.

Their channels lie where masks say; a channel of fewer than eight bits is stretched to 255, rounded down, as Pillow
stretches those that it knows.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import ImageError
from vaezip.pictures.bmp.header import FILE_HEADER, INFO, MASKS_WITH_ALPHA, BmpHeader, bmp_header
from vaezip.pictures.exact_kinds import PALETTE, RGB, RGBA, Kind, Look, unsupported
from vaezip.pictures.picture import damage

_EMBEDDED = {4: "JPEG", 5: "PNG"}
_MASKS_OF_PLAIN = {16: (0x7C00, 0x03E0, 0x001F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}


def look_at_bmp(data: bytes) -> Look:
    """Tell what a BMP holds, by its header."""
    header = bmp_header(data)
    kind, masks = _kind(data, header)
    width, height = header.width, abs(header.height)
    return Look(kind, width, height, decode=(lambda: _decode(data, header, masks)) if masks else None)


def _kind(data: bytes, header: BmpHeader) -> tuple[Kind, tuple[int, ...]]:
    """Return the kind, and the masks of the channels where a pixel has them."""
    bits, compression = header.bits, header.compression
    if bits == 0 and compression in _EMBEDDED and len(header.fields) >= INFO:
        raise ImageError(f"is a {_EMBEDDED[compression]} in a BMP, which is not supported; convert to PNG first")
    match bits, compression:
        case (1 | 4 | 8, 0) | (8, 1) | (4, 2):
            return Kind("BMP", PALETTE, bits), ()
        case 24, 0:
            return Kind("BMP", RGB, 8), ()
        case 16 | 32, 0:
            masks: tuple[int, ...] = _MASKS_OF_PLAIN[bits]
        case 16 | 32, 3 | 6:
            masks = _masks(data, header)
        case _:
            raise unsupported(f"{bits}-bit BMP in compression {compression}", "PNG")
    depth = max(mask.bit_count() for mask in masks)
    return Kind("BMP", RGBA if masks[3] else RGB, depth), masks


def _masks(data: bytes, header: BmpHeader) -> tuple[int, ...]:
    """Return the masks of red, green, blue and alpha, which later headers hold and the old one puts behind itself."""
    count = 4 if len(header.fields) >= 56 or header.compression == MASKS_WITH_ALPHA else 3
    if len(data) < FILE_HEADER + INFO + 4 * count:
        raise damage("its header is not whole")
    masks = (*struct.unpack_from(f"<{count}I", data, FILE_HEADER + INFO), 0)[:4]
    for mask in filter(None, masks):
        if (mask // (mask & -mask) + 1) & (mask // (mask & -mask)):
            raise unsupported("BMP with masks that have gaps", "PNG")
    if any(mask >> header.bits for mask in masks):
        raise damage("its masks are beyond its bits")
    if not all(masks[:3]) or sum(mask.bit_count() for mask in masks) > 32:
        raise unsupported("BMP with masks that are empty or overlap", "PNG")
    return masks


def _decode(data: bytes, header: BmpHeader, masks: tuple[int, ...]) -> NDArray[Any]:
    size = header.row_bytes * abs(header.height)
    padding = header.row_bytes - header.width * header.bits // 8
    if len(data) - header.rows < size - padding:
        raise damage("it ends before its last row")
    whole = data[header.rows : header.rows + size].ljust(size, b"\0")
    pixels = np.frombuffer(whole, "<u2" if header.bits == 16 else "<u4").reshape(abs(header.height), -1)
    pixels = pixels[:, : header.width]
    channels = [_channel(pixels, mask) for mask in masks if mask]
    return np.stack(channels, axis=-1)[:: 1 if header.height < 0 else -1]


def _channel(pixels: NDArray[Any], mask: int) -> NDArray[np.uint8]:
    values = (pixels & mask) >> ((mask & -mask).bit_length() - 1)
    greatest = (1 << mask.bit_count()) - 1
    return (values.astype(np.uint32) * 255 // greatest).astype(np.uint8)
