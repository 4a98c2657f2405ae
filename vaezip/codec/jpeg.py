"""JPEG files kept byte for byte: the payload of their blocks; ``docs/format/jpeg-files.md``.

A file is taken apart into the coefficients, which a model of their own codes, and what is beside them, which is
deflated.
"""

from __future__ import annotations

import functools
import zlib

import numpy as np
from numpy.typing import NDArray

from vaezip.codec.jpeg_dictionary import dictionary
from vaezip.errors import FormatError
from vaezip.models.coefficient import model as coefficient
from vaezip.models.cost import Cost
from vaezip.pictures.jpeg.parts import (
    MOST_SCANS,
    MOST_SIDE,
    JpegFile,
    UnfitJpeg,
    build,
    coefficient_bytes,
    frame_of,
    parse,
    skeleton,
)
from vaezip.vz.wire import Reader, varint

_MOST_FIRST = (1 << 26) - (1 << 12)
"""The first piece has no more bytes, so that it is found, and the frame in it, before the head is unpacked."""

_LENGTHS = 1 << 12
"""What stands in the head before the first piece takes no more bytes."""

_WORK, _WORK_OF_SCAN, _WORK_OF_BYTE = 1 << 19, 1 << 10, 1 << 8
"""Operations: of a block of 8 × 8, of one in a scan, and of a byte of the file."""

_DICTIONARY = functools.cache(dictionary)


def take_apart(data: bytes) -> JpegFile:
    """Take a JPEG apart that can be made again.

    Raises:
        UnfitJpeg: there is none, and the message says why.
    """
    file = parse(data, MOST_SIDE**2)
    if len(file.pieces[0]) > _MOST_FIRST:
        raise UnfitJpeg("has too much before its picture")
    if build(file, len(data)) != data:
        raise UnfitJpeg("is coded in a way of its own")
    return file


def encode(data: bytes, checksum: int) -> bytes:
    """Code a JPEG file.

    Args:
        data: the file.
        checksum: of the file, which :func:`decode` finds again.

    Raises:
        UnfitJpeg: it cannot be made again from its coefficients.
    """
    file = take_apart(data)
    head = _write_head(file)
    return head + coefficient.encode(file, checksum ^ zlib.crc32(head))


def decode(payload: bytes, length: int, max_pixels: int) -> tuple[bytes, int]:
    """Return the file of a payload, and its checksum; the inverse of :func:`encode`.

    Args:
        payload: the bytes.
        length: of the file.
        max_pixels: larger pictures are refused, before memory is taken for them.

    Raises:
        FormatError: the payload is damaged.
        ImageError: the picture is larger.
    """
    reader = Reader(payload)
    pieces, pads, fills = _read_head(reader, length)
    before = zlib.crc32(payload[: reader.position])
    try:
        file = skeleton(pieces, pads, max_pixels, fills=fills)
        seed = coefficient.decode(payload[reader.position :], file)
        return build(file, length), seed ^ before
    except UnfitJpeg as error:
        raise FormatError("the coded data is damaged") from error


def describe(payload: bytes, length: int) -> tuple[int, int, int]:
    """Return the height, width and number of components of the picture in a payload.

    Raises:
        FormatError: the payload is damaged.
    """
    file, _ = _look(payload, length)
    return *file.size, len(file.components)


def beginning(payload: bytes, length: int) -> bytes:
    """Return the bytes of the file before its first pixels.

    Raises:
        FormatError: the payload is damaged.
    """
    return _first_piece(payload, length)[0]


def pixels(payload: bytes, length: int) -> int:
    """Count the pixels of the picture in a payload; raises what :func:`cost` does."""
    height, width = _look(payload, length)[0].size
    return height * width


def cost(payload: bytes, length: int) -> Cost:
    """Compute what :func:`decode` costs, from the beginning of the head.

    Raises:
        FormatError: the payload is damaged.
    """
    file, scans = _look(payload, length)
    blocks = sum(component.size[0] * component.size[1] for component in file.components)
    memory = 8 * length + 2 * len(payload) + coefficient_bytes(file) + coefficient.memory(file) + (1 << 14)
    return Cost(memory, blocks * (_WORK + _WORK_OF_SCAN * scans) + _WORK_OF_BYTE * (length + _LENGTHS))


def _look(payload: bytes, length: int) -> tuple[JpegFile, int]:
    """Return what the beginning of the head tells: a file without coefficients, and its number of scans."""
    first, count = _first_piece(payload, length)
    try:
        return frame_of(first), count - 1
    except UnfitJpeg as error:
        raise FormatError("the coded data is damaged") from error


def _first_piece(payload: bytes, length: int) -> tuple[bytes, int]:
    """Return the first piece of a file, and the number of all."""
    reader = Reader(payload)
    most = min(2 * length + 16 * MOST_SCANS, _LENGTHS + _MOST_FIRST)
    count, lengths, head = _read_lengths(_beginning(reader.take(reader.varint()), most)[0])
    return head.take(lengths[0]), count


def _write_head(file: JpegFile) -> bytes:
    lengths = [len(file.pieces), *map(len, file.pieces)]
    out = b"".join(map(varint, lengths)) + b"".join(file.pieces)
    out += b"".join(varint(len(pads)) + pads.astype(np.uint8).tobytes() for pads in file.pads)
    if any(fills.size for fills in file.fills):
        out += b"".join(varint(n) for fills in file.fills for n in (len(fills), *fills.tolist()))
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=_DICTIONARY())
    packed = deflater.compress(out) + deflater.flush()
    return varint(len(packed)) + packed


def _read_head(
    payload: Reader, length: int
) -> tuple[list[bytes], list[NDArray[np.uint8]], list[NDArray[np.int64]] | None]:
    """Read the pieces of a file of a length, the pads, and the fills where there are any."""
    data, whole = _beginning(payload.take(payload.varint()), 2 * length + 16 * MOST_SCANS)
    _, lengths, reader = _read_lengths(data)
    pieces = [reader.take(length) for length in lengths]
    pads = [np.frombuffer(reader.take(reader.varint()), np.uint8) for _ in pieces[1:]]
    fills = None if reader.done else [_read_fills(reader, length) for _ in pads]
    if not whole or not reader.done:
        raise FormatError("the coded data is damaged")
    return pieces, pads, fills


def _read_fills(reader: Reader, length: int) -> NDArray[np.int64]:
    """Read how many bytes fill up before each restart marker of a scan."""
    count = reader.varint()
    if count > length:
        raise FormatError("the coded data is damaged")
    fills = [reader.varint() for _ in range(count)]
    if sum(fills) > length:
        raise FormatError("the coded data is damaged")
    return np.array(fills, np.int64)


def _read_lengths(head: bytes) -> tuple[int, list[int], Reader]:
    """Return the number of pieces, their lengths, and what reads on behind these."""
    reader = Reader(head)
    count = reader.varint()
    if not 2 <= count <= MOST_SCANS + 1:
        raise FormatError("the coded data is damaged")
    lengths = [reader.varint() for _ in range(count)]
    if lengths[0] > _MOST_FIRST:
        raise FormatError("the coded data is damaged")
    return count, lengths, reader


def _beginning(packed: bytes, most: int) -> tuple[bytes, bool]:
    """Inflate no more than so many bytes; tell whether these are all."""
    inflater = zlib.decompressobj(-15, zdict=_DICTIONARY())
    try:
        data = inflater.decompress(packed, most)
    except zlib.error as error:
        raise FormatError("the coded data is damaged") from error
    return data, inflater.eof and not inflater.unused_data
