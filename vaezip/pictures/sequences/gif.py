"""Cut an animated GIF into GIFs of one frame each, and put frames together."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from vaezip.pictures.behind import look_behind
from vaezip.pictures.findings import Findings
from vaezip.pictures.picture import Picture, damage
from vaezip.pictures.sequences.frame import GIF, ONCE, Frame, InexactError

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_CONTROL, _APPLICATION = 0xF9, 0xFF
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_TRANSPARENT, _LOCAL, _INTERLACED = 1, 0x80, 0x40


def split(data: bytes) -> Iterator[tuple[bytes, Frame]]:
    """Yield each frame as a GIF of its own, as large as the part of the screen that it covers.

    Raises:
        ImageError: the file is cut, or holds other pictures behind its end.
    """
    if len(data) < 13:
        raise damage("the file ends in its header")
    wide, high = struct.unpack_from("<HH", data, 6)
    table = data[13 : 13 + _table_bytes(data[10])]
    place, loops, others, control = 13 + len(table), _loops(data), b"", bytes(4)
    while place < len(data) and data[place] in (_EXTENSION, _IMAGE):
        if data[place] == _EXTENSION:
            end = _end_of_blocks(data, place + 2)
            if data[place + 1 : place + 3] == bytes([_CONTROL, 4]):
                control = data[place + 3 : place + 7]
            elif data[place + 3 : place + 14] not in _LOOPS or data[place + 1] != _APPLICATION:
                others += data[place:end]
            place = end
            continue
        if place + 10 > len(data):
            raise damage("the file ends in a frame")
        x, y, width, height, flags = struct.unpack_from("<4HB", data, place + 1)
        end = _end_of_blocks(data, place + 11 + _table_bytes(flags))
        flag, delay, index = struct.unpack("<BHB", control)
        head = data[:6] + struct.pack("<HH", width, height) + data[10:11] + b"\0" + data[12:13] + table
        shown = bytes([_EXTENSION, _CONTROL, 4, flag & _TRANSPARENT, 0, 0, index, 0])
        image = struct.pack("<B4H", _IMAGE, 0, 0, width, height) + data[place + 9 : end]
        frame = Frame(GIF, wide, high, x, y, (delay, 100), flag >> 2 & 7, 0, loops)
        yield b"".join([head, others, shown, image, bytes([_TRAILER])]), frame
        place, others, control = end, b"", bytes(4)
    look_behind(data, place + 1, Findings())


def _table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & _LOCAL else 0


def _end_of_blocks(data: bytes, place: int) -> int:
    while place < len(data) and data[place]:
        place += 1 + data[place]
    if place >= len(data):
        raise damage("the file ends in a block")
    return place + 1


def _loops(data: bytes) -> int:
    """Return how often the animation is shown."""
    for name in _LOOPS:
        place = data.find(bytes([_EXTENSION, _APPLICATION, 11]) + name + b"\3\1")
        if place >= 0 and place + 18 <= len(data):
            return int(struct.unpack_from("<H", data, place + 16)[0])
    return ONCE


def join(pictures: Sequence[Picture], frames: Sequence[Frame]) -> bytes:
    """Return an animated GIF of frames, each with a table of its own colours.

    Raises:
        InexactError: a GIF cannot hold them.
    """
    first = frames[0]
    if max(first.width, first.height) > 0xFFFF:
        raise InexactError("a GIF cannot be so large")
    parts = [b"GIF89a", struct.pack("<HHBBB", first.width, first.height, 0x70, 0, _aspect(pictures[0]))]
    if first.loops != ONCE:
        parts.append(bytes([_EXTENSION, _APPLICATION, 11]) + _LOOPS[0] + struct.pack("<BBHB", 3, 1, first.loops, 0))
    for picture, frame in zip(pictures, frames):
        parts += _frame(picture, frame)
    return b"".join([*parts, bytes([_TRAILER])])


def _aspect(picture: Picture) -> int:
    """Return the byte of the shape of pixels, as :func:`vaezip.pictures.gif.look_into_gif` reads it."""
    box = picture.box("resolution")
    if box is None:
        return 0
    across, down, unit = struct.unpack(">IIB", box)
    return down - 15 if across == 64 and unit == 0 and 16 <= down <= 270 else 0


def _frame(picture: Picture, frame: Frame) -> Iterator[bytes]:
    if picture.mode not in ("P", "L"):
        raise InexactError(f"a GIF cannot hold {picture.mode} pictures exactly")
    hundredths, rest = divmod(100 * frame.delay[0], frame.delay[1] or 100)
    if rest or hundredths > 0xFFFF:
        raise InexactError("a GIF tells delays in hundredths of a second, and these are others")
    palette = bytes(range(256)) if picture.mode == "L" else picture.box("palette") or b""
    palette = bytes(np.repeat(np.frombuffer(palette, np.uint8), 3)) if picture.mode == "L" else palette
    bits = max(1, (len(palette) // 3 - 1).bit_length())
    index = _transparent(picture)
    flags = frame.disposal << 2 & 0x1C | (_TRANSPARENT if index is not None else 0)
    yield bytes([_EXTENSION, _CONTROL, 4]) + struct.pack("<BHBB", flags, hundredths, index or 0, 0)
    height, width, _ = picture.samples.shape
    yield struct.pack("<B4HB", _IMAGE, frame.x, frame.y, width, height, _LOCAL | bits - 1)
    yield palette.ljust(3 << bits, b"\0")
    yield _packed(picture)


def _transparent(picture: Picture) -> int | None:
    """Return the transparent index of a picture.

    Raises:
        InexactError: it has other transparency than one index.
    """
    box = picture.box("transparency")
    if box is None:
        return None
    if picture.mode == "L":
        return int.from_bytes(box, "big")
    if box[:-1].strip(b"\xff") or box[-1:] != b"\0":
        raise InexactError("a GIF has one transparent colour, and these pictures have other transparency")
    return len(box) - 1


def _packed(picture: Picture) -> bytes:
    """Return the samples as the compressed blocks of a GIF, which Pillow makes of grey without changing a value."""
    file = io.BytesIO()
    Image.fromarray(picture.samples[..., 0]).save(file, "GIF", optimize=False, interlace=False)
    data = file.getvalue()
    place = 13 + _table_bytes(data[10])
    while data[place] == _EXTENSION:
        place = _end_of_blocks(data, place + 2)
    place += 10 + _table_bytes(data[place + 9])
    return data[place : _end_of_blocks(data, place + 1)]
