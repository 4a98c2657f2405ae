"""Find the strips or tiles of a TIFF, and refuse those that show damage which its decoders pass over."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from vaezip.pictures.bit_stream import REVERSED
from vaezip.pictures.exact_kinds import GREY, Kind
from vaezip.pictures.inflating import inflated_size
from vaezip.pictures.jpeg.kind import check_jpeg
from vaezip.pictures.picture import damage
from vaezip.pictures.tiff.directory import (
    BITS,
    CHANNELS,
    COMPRESSION,
    FILL_ORDER,
    HEIGHT,
    JPEG_TABLES,
    PLANAR,
    ROWS,
    STRIP_BYTES,
    STRIPS,
    T4_OPTIONS,
    TILE_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    TILES,
    WIDTH,
    FirstDirectory,
)
from vaezip.pictures.tiff.fax import GROUP_3, GROUP_3_2D, GROUP_4, RLE, RLE_WORDS, check_fax

GREATEST_TILE = 1 << 24
"""The pixels that a tile may have, however small the picture is."""

NO_COMPRESSION, OLD_JPEG, JPEG_TODAY = 1, 6, 7
_DEFLATE = (8, 32946)
_FAX = {2: RLE, 3: GROUP_3, 4: GROUP_4, 32771: RLE_WORDS}

_MOST_SHARED = 16
"""How many times the bytes of the file its strips or tiles may take together: some writers store equal ones once."""


class _Grid(NamedTuple):
    """Hold the size of a strip or tile, and how many there are across, down and in planes of one channel each."""

    width: int
    height: int
    across: int
    down: int
    planes: int


def _grid(tags: FirstDirectory) -> _Grid:
    tiled, height = tags.has(TILES), tags.value(HEIGHT, 1)
    width = max(1, tags.value(TILE_WIDTH if tiled else WIDTH, 1))
    rows = tags.value(TILE_HEIGHT if tiled else ROWS, height)
    rows = max(1, rows if tiled else min(rows, height))
    planes = tags.value(CHANNELS, 1) if tags.value(PLANAR, 1) == 2 else 1
    return _Grid(width, rows, -(-tags.value(WIDTH, 1) // width), -(-height // rows), planes)


def segments(tags: FirstDirectory) -> Iterator[tuple[int, int, int]]:
    """Yield the place, the bytes and the bytes when decoded of each strip or tile of the picture."""
    grid, height = _grid(tags), tags.value(HEIGHT, 1)
    row = (grid.width * (tags.value(CHANNELS, 1) if grid.planes == 1 else 1) * tags.value(BITS, 1) + 7) // 8
    places, counts = _places(tags), _counts(tags)
    if not places or len(places) != len(counts):
        raise damage("its directory does not tell where the samples are")
    number = grid.across * grid.down * grid.planes
    for index, (place, count) in enumerate(islice(zip(places, counts), number)):
        last = not tags.has(TILES) and index % grid.down == grid.down - 1
        yield place, count, row * (height - grid.height * (grid.down - 1) if last else grid.height)


def _places(tags: FirstDirectory) -> tuple[int, ...]:
    return tags.values(TILES if tags.has(TILES) else STRIPS)


def _counts(tags: FirstDirectory) -> tuple[int, ...]:
    return tags.values(TILE_BYTES if tags.has(TILES) else STRIP_BYTES)


def check_segments(tags: FirstDirectory, kind: Kind) -> None:
    """Refuse samples that show damage by their checksums or codes, which libtiff does not look at or goes on after."""
    compression = tags.value(COMPRESSION, 1)
    if compression != OLD_JPEG:  # which stands in the file as a whole
        _check_places(tags)
    if compression not in (*_DEFLATE, *_FAX, JPEG_TODAY):
        return
    lowest_first = tags.value(FILL_ORDER, 1) == 2
    width = tags.value(TILE_WIDTH if tags.has(TILES) else WIDTH, 1)
    scheme = _FAX.get(compression, GROUP_4)
    scheme = GROUP_3_2D if scheme == GROUP_3 and tags.value(T4_OPTIONS, 0) & 1 else scheme
    most = tags.value(WIDTH, 1) * tags.value(HEIGHT, 1) + GREATEST_TILE
    common = _shared_tables(tags)
    for place, count, size in segments(tags):
        segment = tags.data[place : place + count]
        segment = segment.translate(REVERSED) if lowest_first else segment
        if compression in _DEFLATE:
            _check_deflate(segment, size)
        elif compression == JPEG_TODAY:
            check_jpeg(common + segment[2:] if common else segment, most)
        elif kind[1:3] == (GREY, 1):
            check_fax(segment, (width, size // ((width + 7) // 8)), scheme)


def _shared_tables(tags: FirstDirectory) -> bytes:
    """Return the beginning that the JPEGs of all strips or tiles share."""
    values = tags.values(JPEG_TABLES)
    if not all(0 <= value < 256 for value in values):
        raise damage("the tables of its JPEGs are not bytes")
    return bytes(values)[:-2]


def _check_places(tags: FirstDirectory) -> None:
    """Refuse strips or tiles that are too few, or share so many bytes that a short file would take long to decode."""
    places, length, grid = _places(tags), len(tags.data), _grid(tags)
    if 0 < len(places) < grid.across * grid.down * grid.planes:
        raise damage("some of its strips or tiles are missing")
    if tags.value(COMPRESSION, 1) == NO_COMPRESSION:
        return  # no more bytes are read than samples
    total = sum(min(count, max(0, length - place)) for place, count in zip(places, _counts(tags)))
    if total + len(tags.values(JPEG_TABLES)) * len(places) > _MOST_SHARED * length:
        raise damage("its strips or tiles overlap")


def _check_deflate(segment: bytes, size: int) -> None:
    """Inflate a segment, so that its checksum is looked at."""
    try:
        length, _ = inflated_size(segment, size)
    except zlib.error as error:
        raise damage(f"{error}") from error
    if length < size:
        raise damage("a strip or tile of it ends early")
