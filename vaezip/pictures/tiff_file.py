"""Find out from the directory of a TIFF what its samples are, and decode those that Pillow would change.

Pillow, by libtiff, decodes up to 8 bits and grey of 16; tifffile, where it is installed, the rest.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import ImageError
from vaezip.pictures.bit_stream import REVERSED
from vaezip.pictures.exact_kinds import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    PALETTE_ALPHA,
    RGB,
    Kind,
    Look,
    depth_remarks,
    library,
    unsupported,
)
from vaezip.pictures.fax import GROUP_3, GROUP_3_2D, GROUP_4, RLE, RLE_WORDS, check_fax
from vaezip.pictures.jpeg_file import check_jpeg
from vaezip.pictures.picture import damage

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
STRIPS, CHANNELS, ROWS, STRIP_BYTES, PLANAR, COLOURS = 273, 277, 278, 279, 284, 320
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES, EXTRA, SAMPLE_FORMAT, DEPTH = 322, 323, 324, 325, 338, 339, 32997
SUBFILE, T4_OPTIONS, PREDICTOR, JPEG_TABLES = 254, 292, 317, 347

_STUB = {WIDTH: 1, HEIGHT: 1, BITS: 8, COMPRESSION: 1, PHOTOMETRIC: 1, STRIPS: 0, CHANNELS: 1, ROWS: 1, STRIP_BYTES: 1}
_LAYOUT = {
    *_STUB,
    FILL_ORDER,
    PLANAR,
    COLOURS,
    TILE_WIDTH,
    TILE_HEIGHT,
    TILES,
    TILE_BYTES,
    EXTRA,
    SAMPLE_FORMAT,
    PREDICTOR,
}

_INTEGERS = {1: "B", 7: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

_JPEG_TODAY = 7
_JPEG = (6, _JPEG_TODAY)
_DEFLATE = (8, 32946)
_FAX = {2: RLE, 3: GROUP_3, 4: GROUP_4, 32771: RLE_WORDS}
_WITH_PREDICTOR = {5, 8, 32946, 34925, 50000}
"""LZW, deflate, LZMA, zstd. In others libtiff leaves a predictor undone, and tifffile undoes it."""

_BY_PILLOW = {1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32809, 32946, 34925, 50000}
_BY_TIFFFILE = {1, 5, 8, 32773, 32946, 34712, 34887, 34925, 50000, 50001}

_SAMPLES = {1: "unsigned", 2: "signed", 3: "floating-point", 5: "complex signed", 6: "complex"}
_GREATEST_TILE = 1 << 24
"""The pixels that a tile may have, however small the picture is."""

_PART = 1 << 20
"""The bytes that are inflated at once."""

_OTHER_COLOURS = {
    4: "mask",
    5: "CMYK",
    6: "YCbCr",
    8: "Lab",
    9: "Lab",
    10: "Lab",
    32803: "sensor (CFA)",
    32844: "LogL",
    32845: "LogLuv",
    34892: "linear raw",
}


class _Entry(NamedTuple):
    """Hold one tag of a directory: its type, the number of its values, and the field that holds them or their place."""

    type: int
    length: int
    field: bytes


@dataclass(frozen=True)
class Directory:
    """Hold the first directory of a TIFF: its tags, unread but for those that lay out the picture."""

    data: bytes
    order: str
    big: bool
    entries: dict[int, _Entry]
    next: int

    def values(self, tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Return the integers of a tag, or a default where it is absent."""
        entry = self.entries.get(tag)
        if entry is None:
            return default
        if entry.type not in _INTEGERS:
            raise damage(f"tag {tag} holds no integers")
        format = f"{self.order}{entry.length}{_INTEGERS[entry.type]}"
        size = entry.length * _SIZES[entry.type]
        if size <= len(entry.field):
            return struct.unpack_from(format, entry.field)
        (at,) = struct.unpack(self.order + ("Q" if self.big else "I"), entry.field)
        if at + size > len(self.data):
            raise damage(f"tag {tag} lies behind its end")
        return struct.unpack_from(format, self.data, at)

    def value(self, tag: int, default: int) -> int:
        """Return the first integer of a tag, or a default where it is absent."""
        return (self.values(tag) or (default,))[0]


def directory(data: bytes) -> Directory:
    """Parse the first directory of a TIFF or a BigTIFF."""
    order = "<" if data[:2] == b"II" else ">"
    try:
        big = struct.unpack_from(order + "H", data, 2)[0] == 43
        (at,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        if at == 0:
            raise ImageError("holds no picture")
        (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
        head, size = (8, 20) if big else (2, 12)
        if at + head + count * size > len(data):
            raise damage("its directory lies behind its end")
        entries = {}
        for place in range(at + head, at + head + count * size, size):
            tag, type, length = struct.unpack_from(order + ("HHQ" if big else "HHI"), data, place)
            entries[tag] = _Entry(type, length, data[place + size - (8 if big else 4) : place + size])
        after = data[at + head + count * size :][: 8 if big else 4]
        return Directory(data, order, big, entries, int.from_bytes(after, "little" if order == "<" else "big"))
    except struct.error as error:
        raise damage("its directory lies behind its end") from error


def look_at_tiff(data: bytes) -> Look:
    """Tell what a TIFF holds, by the tags of its first directory."""
    tags = directory(data)
    width, height = tags.value(WIDTH, 0), tags.value(HEIGHT, 0)
    if width < 1 or height < 1:
        raise damage("it has no width or no height")
    if tags.big and tags.order == ">":
        raise unsupported("big-endian BigTIFF", "TIFF of the other byte order")  # Pillow finds no metadata there
    if tags.value(SUBFILE, 0) & 1:
        raise ImageError("begins with a thumbnail of another picture in it, as raw files of cameras do")
    if tags.value(PREDICTOR, 1) != 1 and tags.value(COMPRESSION, 1) not in _WITH_PREDICTOR:
        raise unsupported("TIFF with a predictor in a compression that has none", "TIFF in compression 8 (deflate)")
    if tags.value(TILE_WIDTH, 1) * tags.value(TILE_HEIGHT, 1) > max(width * height * 4, _GREATEST_TILE):
        raise damage("its tiles are larger than the picture")
    if tags.value(DEPTH, 1) != 1:
        raise unsupported("three-dimensional TIFF", "single slices")
    kind = _kind(tags)
    colours = _palette(tags, kind) if kind.colour in (PALETTE, PALETTE_ALPHA) else None
    look = Look(kind, width, height, palette=colours, remarks=depth_remarks(kind.bits))
    look = replace(look, check=lambda: _check_segments(tags, kind))
    if _is_for_pillow(tags, kind):
        return look
    _check_compression(tags, kind)
    return replace(look, decode=lambda: _by_tifffile(tags, look), view=_view(tags), needs=("tifffile", "imagecodecs"))


def _palette(tags: Directory, kind: Kind) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return the colours of a palette: of 8 bits where those are all that the 16 stored bits say."""
    stored = np.array(tags.values(COLOURS), np.uint16)
    if len(stored) != 3 << kind.bits:
        raise damage("its palette has not the right number of colours")
    colours = stored.reshape(3, -1).T
    deep = (colours % 256 != 0) & (colours % 257 != 0)
    if deep.any() and kind.colour == PALETTE_ALPHA:
        raise unsupported("16-bit palette and alpha TIFF", "16-bit PNG")
    return np.ascontiguousarray(colours) if deep.any() else (colours >> 8).astype(np.uint8)


def _kind(tags: Directory) -> Kind:
    channels = tags.value(CHANNELS, 1)
    bits, formats = set(tags.values(BITS, (1,))), set(tags.values(SAMPLE_FORMAT, (1,)))
    if len(bits) != 1 or len(formats) != 1:
        raise unsupported("TIFF with channels of different depths", "PNG")
    (format,) = formats
    return Kind("TIFF", _colour(tags, channels), bits.pop(), _SAMPLES.get(format, "undefined"))


def _colour(tags: Directory, channels: int) -> str:
    photometric = tags.value(PHOTOMETRIC, 0)
    if photometric == 6 and tags.value(COMPRESSION, 1) in _JPEG:
        return RGB if channels == 3 else "multi-channel"  # libjpeg's, as of any JPEG
    base = {0: GREY, 1: GREY, 2: RGB, 3: PALETTE}.get(photometric)
    if base is None:
        return _OTHER_COLOURS.get(photometric, f"photometric {photometric}")
    extra = channels - (3 if base == RGB else 1)
    if extra == 0:
        return base
    meaning = tags.value(EXTRA, 2 if base == RGB else 0)  # some writers leave it out for RGBA
    if extra == 1 and meaning in (2, 999):  # 999: an old CorelDRAW
        return f"{base} and alpha"
    return f"{base} and premultiplied alpha" if extra == 1 and meaning == 1 else "multi-channel"


def _is_for_pillow(tags: Directory, kind: Kind) -> bool:
    """Tell whether Pillow decodes a TIFF exactly, so far as its kind is exact at all."""
    if tags.value(COMPRESSION, 1) not in _BY_PILLOW:
        return False
    if tags.value(PLANAR, 1) == 2 and kind.colour in (GREY_ALPHA, PALETTE_ALPHA):
        return False  # Pillow takes the second plane for more of the first
    plain = kind.colour == GREY and tags.value(PHOTOMETRIC, 0) == 1 and tags.value(FILL_ORDER, 1) == 1
    return kind.bits <= 8 or (plain and (kind.bits == 16 or (kind.bits == 12 and tags.order == "<")))


def _check_compression(tags: Directory, kind: Kind) -> None:
    compression = tags.value(COMPRESSION, 1)
    if compression not in _BY_TIFFFILE or kind.bits < 8 or kind.colour == PALETTE_ALPHA:
        raise unsupported(f"{kind} in compression {compression}", "TIFF in compression 8 (deflate)")


def _view(tags: Directory) -> bytes:
    """Return the file with a directory of one grey pixel that has all tags of the first but those of its layout.

    Pillow finds the metadata in it by its own rules, though it could not open the file.
    """
    order, code = tags.order, "Q" if tags.big else "I"
    entries = {tag: entry for tag, entry in tags.entries.items() if tag not in _LAYOUT}
    entries |= {
        tag: _Entry(4, 1, struct.pack(order + "I", value).ljust(8 if tags.big else 4, b"\0"))
        for tag, value in _STUB.items()
    }
    at = len(tags.data) + len(tags.data) % 2
    body = b"".join(
        struct.pack(order + "HH" + code, tag, *entries[tag][:2]) + entries[tag].field for tag in sorted(entries)
    )
    head = struct.pack(order + ("Q" if tags.big else "H"), len(entries))
    start = 8 if tags.big else 4
    link = struct.pack(order + code, at)
    padded = tags.data.ljust(at, b"\0")
    return padded[:start] + link + padded[start + len(link) :] + head + body + struct.pack(order + code, tags.next)


# The segments


def _segments(tags: Directory, kind: Kind) -> Iterator[tuple[int, int, int]]:
    """Yield the place, the bytes and the bytes when decoded of each strip or tile, as the directory has them."""
    tiled = TILES in tags.entries
    width, height = (TILE_WIDTH, TILE_HEIGHT) if tiled else (WIDTH, ROWS)
    rows = tags.value(height, tags.value(HEIGHT, 1))
    rows = rows if tiled else min(rows, tags.value(HEIGHT, 1))
    channels = 1 if tags.value(PLANAR, 1) == 2 else tags.value(CHANNELS, 1)
    row = (tags.value(width, 1) * channels * kind.bits + 7) // 8
    places = tags.values(TILES if tiled else STRIPS)
    counts = tags.values(TILE_BYTES if tiled else STRIP_BYTES)
    if not places or len(places) != len(counts):
        raise damage("its directory does not tell where the samples are")
    in_plane = max(1, -(-tags.value(HEIGHT, 1) // max(1, rows)))
    for index, (place, count) in enumerate(zip(places, counts)):
        last = not tiled and index % in_plane == in_plane - 1
        yield place, count, row * (tags.value(HEIGHT, 1) - rows * (in_plane - 1) if last else rows)


def _check_segments(tags: Directory, kind: Kind) -> None:
    """Refuse samples that show damage by their checksums or codes, which libtiff does not look at or goes on after."""
    compression = tags.value(COMPRESSION, 1)
    if compression not in (*_DEFLATE, *_FAX, _JPEG_TODAY):
        return
    lowest_first = tags.value(FILL_ORDER, 1) == 2
    width = tags.value(TILE_WIDTH if TILES in tags.entries else WIDTH, 1)
    scheme = _FAX.get(compression, GROUP_4)
    scheme = GROUP_3_2D if scheme == GROUP_3 and tags.value(T4_OPTIONS, 0) & 1 else scheme
    most = tags.value(WIDTH, 1) * tags.value(HEIGHT, 1) + _GREATEST_TILE
    common = bytes(tags.values(JPEG_TABLES))[:-2]
    for place, count, size in _segments(tags, kind):
        segment = tags.data[place : place + count]
        segment = segment.translate(REVERSED) if lowest_first else segment
        if compression in _DEFLATE:
            _check_deflate(segment, size)
        elif compression == _JPEG_TODAY:
            check_jpeg(common + segment[2:] if common else segment, most)
        elif kind[1:3] == (GREY, 1):
            check_fax(segment, (width, size // ((width + 7) // 8)), scheme)


def _check_deflate(segment: bytes, size: int) -> None:
    """Inflate a segment, a part at a time, so that its checksum is looked at."""
    inflater = zlib.decompressobj()
    length = 0
    try:
        while length < size and not inflater.eof:
            part = len(inflater.decompress(segment, _PART))
            length += part
            segment = inflater.unconsumed_tail
            if part == 0 and not segment:
                break
        inflater.decompress(segment, 1)
    except zlib.error as error:
        raise damage(f"{error}") from error
    if length < size:
        raise damage("a strip or tile of it ends early")


def _by_tifffile(tags: Directory, look: Look) -> NDArray[Any]:
    """Decode the samples of the first directory by tifffile."""
    kind, data = look.kind, tags.data
    for place, count, size in _segments(tags, kind):
        if count == 0 or place + count > len(data):
            raise damage("a strip or tile of it lies behind its end")
        if tags.value(COMPRESSION, 1) == 1 and count < size:
            raise damage("a strip or tile of it ends early")
    with library("tifffile", kind).TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        array = np.asarray(page.asarray(maxworkers=1))
        if page.axes.startswith("S"):
            array = np.moveaxis(array, 0, -1)
    if array.shape[:2] != (look.height, look.width) or array.dtype.kind != "u":
        raise damage(f"its samples are {array.shape} of {array.dtype}")
    greatest = (1 << kind.bits) - 1
    if array.max() > greatest:
        raise damage(f"a sample has more than {kind.bits} bits")
    return greatest - array if tags.value(PHOTOMETRIC, 0) == 0 else array
