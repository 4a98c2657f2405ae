"""Filter and compress the pixels of a PNG: the bytes of rows to the data of its chunks IDAT."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vaezip.pictures.picture import Samples

Rows = NDArray[np.uint8]
"""The bytes of rows, (height, bytes of a row)."""

_AT_ONCE = 1 << 20
"""Bytes of rows that are filtered at once."""

_BANDS, _TRIED = 4, 1 << 14
"""In so many places of a picture, so many bytes of rows tell whether filters pay."""

_MEMORY = 9
"""The level of memory of zlib, which is its greatest."""


def rows_of(samples: Samples, depth: int) -> Rows:
    """Return the bytes of rows, whose samples take so many bits."""
    flat = samples.reshape(len(samples), -1)
    if depth == 16:
        return np.ascontiguousarray(flat, ">u2").view(np.uint8)
    if depth == 8:
        return flat.astype(np.uint8, copy=False)
    flat = flat.astype(np.uint8, copy=False)
    if depth == 1:
        return np.packbits(flat, axis=1)
    in_byte = 8 // depth
    padded = np.pad(flat, ((0, 0), (0, -flat.shape[1] % in_byte)))
    packed = np.zeros((len(flat), padded.shape[1] // in_byte), np.uint8)
    for place in range(in_byte):
        packed |= padded[:, place::in_byte] << np.uint8(8 - depth * (place + 1))
    return packed


def deflated(rows: Rows, step: int, level: int) -> Iterator[bytes]:
    """Yield the compressed rows, each filtered by what suits it, or all as they are: whatever is shorter on some.

    Args:
        rows: the bytes of all rows.
        step: bytes of a pixel; 0 where that is less, whose neighbours no filter finds.
        level: of zlib, 0 to 9.
    """
    if step and rows.size <= _TRIED:
        yield min((b"".join(_pieces(rows, step, level, filters)) for filters in (False, True)), key=len)
    else:
        yield from _pieces(rows, step, level, bool(step) and _pays(rows, step, level))


def _pieces(rows: Rows, step: int, level: int, filters: bool) -> Iterator[bytes]:
    stream, count = _stream(level, filters), max(1, _AT_ONCE // rows.shape[1])
    for top in range(0, len(rows), count):
        piece = stream.compress(_line_bytes(rows, (top, top + count), step, filters))
        if piece:
            yield piece
    yield stream.flush()


def _pays(rows: Rows, step: int, level: int) -> bool:
    """Tell whether filters make some rows of a picture shorter: they do on photographs, and seldom on drawings."""
    count = max(1, _TRIED // rows.shape[1])
    bands = [(top, top + count) for top in range(0, len(rows), max(count, len(rows) // _BANDS))]
    sizes = []
    for filters in (False, True):
        stream = _stream(level, filters)
        size = sum(len(stream.compress(_line_bytes(rows, band, step, filters))) for band in bands)
        sizes.append(size + len(stream.flush()))
    return sizes[1] < sizes[0]


def _stream(level: int, filters: bool) -> zlib._Compress:
    strategy = zlib.Z_FILTERED if filters else zlib.Z_DEFAULT_STRATEGY
    return zlib.compressobj(level, zlib.DEFLATED, zlib.MAX_WBITS, _MEMORY, strategy)


def _line_bytes(rows: Rows, band: tuple[int, int], step: int, filters: bool) -> bytes:
    """Return rows from a first to an end, each behind the number of its filter, which is 0 where there is none."""
    some = rows[slice(*band)]
    lines = np.empty((len(some), 1 + rows.shape[1]), np.uint8)
    lines[:, 0], lines[:, 1:] = 0, some
    if filters:
        above = rows[band[0] - 1] if band[0] else np.zeros_like(rows[0])
        _filter(lines, np.concatenate([above[None], some[:-1]]), step)
    return lines.tobytes()


def _filter(lines: Rows, up: Rows, step: int) -> None:
    """Replace each row by what its filter leaves: the one whose bytes, with a sign, have the smallest sum of sizes."""
    raw = lines[:, 1:].copy()
    left, corner = np.zeros_like(raw), np.zeros_like(raw)
    left[:, step:], corner[:, step:] = raw[:, :-step], up[:, :-step]
    average = ((left.astype(np.uint16) + up) >> 1).astype(np.uint8)
    least = _size(raw)
    for number, prediction in enumerate((left, up, average, _paeth(left, up, corner)), start=1):
        rest = raw - prediction
        size = _size(rest)
        better = size < least
        least[better] = size[better]
        lines[better, 0] = number
        lines[better, 1:] = rest[better]


def _size(rest: Rows) -> NDArray[np.int64]:
    """Return of each row the sum of sizes of its bytes with a sign."""
    return np.abs(rest.view(np.int8).astype(np.int16)).sum(axis=1, dtype=np.int64)


def _paeth(left: Rows, up: Rows, corner: Rows) -> Rows:
    """Return the prediction of Paeth: of three neighbours, the one that is nearest to the plane through them."""
    down, across = up.astype(np.int16) - corner, left.astype(np.int16) - corner
    to_left, to_up, to_corner = np.abs(down), np.abs(across), np.abs(down + across)
    of_two = np.where(to_up <= to_corner, up, corner)
    return np.where((to_left <= to_up) & (to_left <= to_corner), left, of_two)
