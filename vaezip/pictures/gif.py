"""Walk the blocks of a GIF."""

from __future__ import annotations

import struct

from vaezip.pictures.behind import look_behind
from vaezip.pictures.findings import Findings, label
from vaezip.pictures.picture import damage

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_PLAIN_TEXT, _CONTROL, _COMMENT, _APPLICATION = 0x01, 0xF9, 0xFE, 0xFF

# XMP stands in a GIF as it is, not cut into blocks; the 258 bytes behind it lead a reader of blocks to their end.
_XMP_NAME, _ICC_NAME = b"XMP DataXMP", b"ICCRGBG1012"
_XMP_TRAILER = bytes([1, *range(0xFF, -1, -1), 0])

_NO_BLOCKS = "the file ends, or is of no blocks, before its end mark"


def look_into_gif(data: bytes, found: Findings) -> None:
    """Find the pixel aspect ratio, the profile and the XMP of a GIF, name its other blocks, and look behind its end.

    Each step moves on in the file, so there are no more steps than bytes.

    Raises:
        ImageError: the file holds several pictures, or ends early, so that there may have been several.
    """
    if len(data) < 13:
        return
    flags, background, aspect = data[10:13]
    if aspect:  # width to height of a pixel, in 64ths, minus 15
        found.keep("resolution", struct.pack(">IIB", 64, aspect + 15, 0))
    if background and flags & 0x80:
        found.drop("background colour")
    place = 13 + _table_bytes(flags)
    while place < len(data) and data[place] in (_EXTENSION, _IMAGE):
        if data[place] == _IMAGE:
            table = data[place + 9] if place + 9 < len(data) else 0
            place = _end_of_blocks(data, place + 11 + _table_bytes(table))
        else:
            place = _look_into_extension(data, place, found)
    if data[place : place + 1] != bytes([_TRAILER]):
        raise damage(_NO_BLOCKS)
    look_behind(data, place + 1, found)


def extent_of_gif(data: bytes) -> tuple[int, int]:
    """Return width and height of the screen of a GIF and its first frame together, for which Pillow takes memory when
    it opens the file.

    Raises:
        ImageError: what stands before the frame are no blocks; Pillow would look for a frame behind it.
    """
    if len(data) < 13:
        raise damage(_NO_BLOCKS)
    width, height = struct.unpack_from("<HH", data, 6)
    place = 13 + _table_bytes(data[10])
    while place < len(data) and data[place] == _EXTENSION:
        place = _end_of_blocks(data, place + 2)
    if data[place : place + 1] != bytes([_IMAGE]) or place + 9 > len(data):
        raise damage(_NO_BLOCKS)
    x, y, across, down = struct.unpack_from("<4H", data, place + 1)
    return max(width, x + across), max(height, y + down)


def _table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _end_of_blocks(data: bytes, place: int) -> int:
    while place < len(data) and data[place]:
        place += 1 + data[place]
    return place + 1


def _look_into_extension(data: bytes, place: int, found: Findings) -> int:
    """Keep or name an extension, and return where it ends."""
    kind = data[place + 1] if place + 1 < len(data) else None
    end = _end_of_blocks(data, place + 2)
    match kind:
        case 0xF9:
            if data[place + 4 : place + 6] not in (b"", b"\0\0"):
                found.drop("delay")
        case 0xFE:
            found.drop("comment")
        case 0x01:
            found.drop("plain text")
        case 0xFF:
            _look_into_application(data, place + 3, min(end, len(data)), found)
        case _:
            found.drop("unknown extension")
    return end


def _look_into_application(data: bytes, place: int, end: int, found: Findings) -> None:
    name, body = data[place : place + 11], data[place + 11 : end]
    if name == _XMP_NAME:
        if body.endswith(_XMP_TRAILER):
            found.keep("xmp", body[: -len(_XMP_TRAILER)])
        else:
            found.drop("damaged XMP")
    elif name == _ICC_NAME:
        found.keep("icc", _joined(body))
    else:
        found.drop(label(name) or "unnamed application extension")


def _joined(blocks: bytes) -> bytes:
    """Return what some blocks hold together."""
    parts, place = [], 0
    while place < len(blocks) and blocks[place]:
        parts.append(blocks[place + 1 : place + 1 + blocks[place]])
        place += 1 + blocks[place]
    return b"".join(parts)
