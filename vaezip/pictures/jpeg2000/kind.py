"""Find out from the codestream and the boxes of a JPEG 2000 file what its samples are.

Pillow shifts samples of 9 to 15 bits, cuts those of deep colour, takes the sign away, and confuses equal colours of a
palette; so imagecodecs decodes the first two, and the palette is read here.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.pictures.exact_kinds import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGBA,
    Kind,
    Look,
    deep_samples,
    depth_remarks,
    unsupported,
)
from vaezip.pictures.iso_boxes import IsoBox, find_box
from vaezip.pictures.picture import damage

CODESTREAM = b"\xff\x4f\xff\x51"
_LEAST_TILE = 14
"""The bytes of a tile without samples: its header, and the mark of its data."""

_COLOURS = {1: GREY, 2: GREY_ALPHA, 3: RGB, 4: RGBA}
_SPACES = {12: "CMYK", 14: "Lab", 18: "YCbCr"}
_PLAIN_SPACES = (16, 17)  # sRGB, grey


class _Stream(NamedTuple):
    """Hold what SIZ, the first marker of a codestream, says."""

    width: int
    height: int
    depths: tuple[int, ...]
    signed: bool
    subsampled: bool
    tiles: int


def look_at_jpeg2000(data: bytes) -> Look:
    """Tell what a JPEG 2000 file or a bare codestream holds."""
    header = None if data.startswith(CODESTREAM) else find_box(data, (b"jp2h",))
    body = None if data.startswith(CODESTREAM) else find_box(data, (b"jp2c",))
    start, end = (body.start, body.end) if body else (0, len(data))
    if data[start : start + 4] != CODESTREAM:
        raise damage("it has no codestream")
    stream = _siz(data, start + 4)
    if header and (ihdr := find_box(data, (b"ihdr",), header)):
        size = data[ihdr.start : ihdr.start + 8]  # by which Pillow takes memory
        if size != struct.pack(">2I", stream.height, stream.width):
            raise damage("its header and its codestream tell different sizes")
    if stream.tiles * _LEAST_TILE > end - start:  # and OpenJPEG would walk through all of them
        raise damage(f"it is too short for {stream.tiles} tiles")
    if data.rfind(b"\xff\xd9", start, end) < 0:
        raise damage("it has no end")
    kind = Kind("JPEG2000", _colour(data, header, stream), stream.depths[0], "signed" if stream.signed else "unsigned")
    colours = np.frombuffer(palette(data), np.uint8) if kind.colour == PALETTE else None
    if kind.bits <= 8 or kind[1:3] == (GREY, 16):
        return Look(kind, stream.width, stream.height, palette=colours)

    def decode() -> NDArray[Any]:
        return deep_samples(data, kind, "jpeg2k_decode")

    return Look(kind, stream.width, stream.height, decode=decode, remarks=depth_remarks(kind.bits))


def _siz(data: bytes, at: int) -> _Stream:
    try:
        right, bottom, left, top = struct.unpack_from(">4I", data, at + 4)
        tile_width, tile_height, tile_left, tile_top = struct.unpack_from(">4I", data, at + 20)
        (count,) = struct.unpack_from(">H", data, at + 36)
        components = [struct.unpack_from(">3B", data, at + 38 + 3 * index) for index in range(count)]
    except struct.error as error:
        raise damage("its codestream ends early") from error
    if not components or right <= left or bottom <= top or not tile_width or not tile_height:
        raise damage("its header has a size that cannot be")
    tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    depths = tuple((depth & 0x7F) + 1 for depth, _, _ in components)
    signed = any(depth & 0x80 for depth, _, _ in components)
    subsampled = any((x, y) != (1, 1) for _, x, y in components)
    return _Stream(right - left, bottom - top, depths, signed, subsampled, tiles)


def _colour(data: bytes, header: IsoBox | None, stream: _Stream) -> str:
    if len(set(stream.depths)) != 1:
        raise unsupported("JPEG 2000 with channels of different depths", "PNG")
    if stream.subsampled:
        raise unsupported("JPEG 2000 with channels of different sizes", "PNG")
    space = _space(data, header)
    if space:
        return space
    if header and find_box(data, (b"pclr",), header):
        return PALETTE
    if header:
        _check_channels(data, header, len(stream.depths))
    return _COLOURS.get(len(stream.depths), "multi-channel")


def _space(data: bytes, header: IsoBox | None) -> str | None:
    """Return the name of a colour space that no mode has, None of grey and RGB."""
    box = find_box(data, (b"colr",), header) if header else None
    if not box or data[box.start] != 1:  # or an ICC profile, which speaks of itself
        return None
    number = int.from_bytes(data[box.start + 3 : box.start + 7], "big")
    return None if number in _PLAIN_SPACES else _SPACES.get(number, f"colour space {number}")


def _check_channels(data: bytes, header: IsoBox, count: int) -> None:
    """Refuse channels that are premultiplied, or in another order than that of their colours."""
    if not (box := find_box(data, (b"cdef",), header)):
        return
    (entries,) = struct.unpack_from(">H", data, box.start)
    for channel, meaning, colour in struct.iter_unpack(">3H", data[box.start + 2 : box.start + 2 + 6 * entries]):
        if meaning == 2:
            raise unsupported("JPEG 2000 with premultiplied alpha", "alpha that is not premultiplied")
        alpha = count in (2, 4) and channel == count - 1
        if meaning not in (0, 1) or (meaning == 1) != alpha or (meaning == 0 and colour not in (0, channel + 1)):
            raise unsupported("JPEG 2000 with channels in another order", "PNG")


def palette(data: bytes) -> bytes:
    """Return the palette of a JPEG 2000 file, three bytes for each colour.

    Raises:
        ImageError: it has other channels than red, green and blue of 8 bits, or the file does not use it plainly.
    """
    header = find_box(data, (b"jp2h",))
    box = find_box(data, (b"pclr",), header) if header else None
    if not header or not box or box.end - box.start < 3:
        raise damage("its palette is not whole")
    colours, channels = struct.unpack_from(">HB", data, box.start)
    depths = data[box.start + 3 : box.start + 3 + channels]
    if channels != 3 or any(depth != 7 for depth in depths) or not 1 <= colours <= 256:
        raise unsupported(f"{channels}-channel palette JPEG 2000", "PNG")
    entries = data[box.start + 3 + channels : box.end]
    if len(entries) < 3 * colours:
        raise damage("its palette is not whole")
    mapping = find_box(data, (b"cmap",), header)
    if mapping and data[mapping.start : mapping.end] != bytes((0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 2)):
        raise unsupported("JPEG 2000 whose palette is not used plainly", "PNG")
    return entries[: 3 * colours]
