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
from vaezip.pictures.exact_kinds import PALETTE, RGB, RGBA, Kind, Look, unsupported
from vaezip.pictures.picture import damage

_PLAIN, _RLE8, _RLE4, _MASKS, _MASKS_WITH_ALPHA = 0, 1, 2, 3, 6
_EMBEDDED = {4: "JPEG", 5: "PNG"}
_MASKS_OF_PLAIN = {16: (0x7C00, 0x03E0, 0x001F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}


def look_at_bmp(data: bytes) -> Look:
    """Tell what a BMP holds, by its header."""
    if len(data) < 30:
        raise damage("its header is not whole")
    (size,) = struct.unpack_from("<I", data, 14)
    if size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = _PLAIN
    elif size < 16 or len(data) < 14 + max(size, 20):
        raise damage("its header is not whole")
    else:
        width, height, _, bits = struct.unpack_from("<iiHH", data, 18)
        compression = struct.unpack_from("<I", data, 30)[0] if size >= 20 else _PLAIN
    if width < 1 or height == 0:
        raise damage("its header has a size that cannot be")
    kind, masks = _kind(data, size, bits, compression)
    if masks is None:
        return Look(kind, width, abs(height))
    view = data[:28] + struct.pack("<HI", 24, _PLAIN) + data[34:]  # opened by Pillow for the metadata alone
    return Look(kind, width, abs(height), decode=lambda: _decode(data, (width, height, bits), masks), view=view)


def _kind(data: bytes, size: int, bits: int, compression: int) -> tuple[Kind, tuple[int, ...] | None]:
    if bits == 0 and compression in _EMBEDDED and size >= 40:
        raise ImageError(f"is a {_EMBEDDED[compression]} in a BMP, which is not supported; convert to PNG first")
    match bits, compression:
        case (1 | 4 | 8, 0) | (8, 1) | (4, 2):
            return Kind("BMP", PALETTE, bits), None
        case 24, 0:
            return Kind("BMP", RGB, 8), None
        case 16 | 32, 0:
            masks: tuple[int, ...] = _MASKS_OF_PLAIN[bits]
        case 16 | 32, 3 | 6:
            masks = _masks(data, size, compression)
        case _:
            raise unsupported(f"{bits}-bit BMP in compression {compression}", "PNG")
    depth = max(mask.bit_count() for mask in masks)
    return Kind("BMP", RGBA if masks[3] else RGB, depth), masks


def _masks(data: bytes, size: int, compression: int) -> tuple[int, ...]:
    """Return the masks of red, green, blue and alpha, which later headers hold and the old one puts behind itself."""
    count = 4 if size >= 56 or compression == _MASKS_WITH_ALPHA else 3
    if len(data) < 54 + 4 * count:
        raise damage("its header is not whole")
    masks = (*struct.unpack_from(f"<{count}I", data, 54), 0)[:4]
    for mask in filter(None, masks):
        if (mask // (mask & -mask) + 1) & (mask // (mask & -mask)):
            raise unsupported("BMP with masks that have gaps", "PNG")
    if not all(masks[:3]) or sum(mask.bit_count() for mask in masks) > 32:
        raise unsupported("BMP with masks that are empty or overlap", "PNG")
    return masks


def _decode(data: bytes, size: tuple[int, int, int], masks: tuple[int, ...]) -> NDArray[Any]:
    width, height, bits = size
    (at,) = struct.unpack_from("<I", data, 10)
    row = (width * bits + 31) // 32 * 4
    if len(data) - at < row * abs(height) - (row - width * bits // 8):
        raise damage("it ends before its last row")
    whole = data[at : at + row * abs(height)].ljust(row * abs(height), b"\0")
    pixels = np.frombuffer(whole, "<u2" if bits == 16 else "<u4").reshape(abs(height), -1)[:, :width]
    channels = [_channel(pixels, mask) for mask in masks if mask]
    return np.stack(channels, axis=-1)[:: 1 if height < 0 else -1]


def _channel(pixels: NDArray[Any], mask: int) -> NDArray[np.uint8]:
    values = (pixels & mask) >> ((mask & -mask).bit_length() - 1)
    greatest = (1 << mask.bit_count()) - 1
    return (values.astype(np.uint32) * 255 // greatest).astype(np.uint8)
