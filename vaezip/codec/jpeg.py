"""JPEG files kept byte for byte: the payload of their blocks; ``docs/format/jpeg-files.md``.

A file is taken apart into the coefficients, which a model of their own codes, and what is beside them, which is
deflated.
"""

from __future__ import annotations

import functools
import zlib

import numpy as np

from vaezip.codec.jpeg_dictionary import dictionary
from vaezip.errors import FormatError
from vaezip.models.coefficient import model as coefficient
from vaezip.models.cost import Cost
from vaezip.pictures.jpeg import parts
from vaezip.pictures.jpeg.parts import (
    MOST_SCANS,
    JpegFile,
    UnfitJpeg,
    build,
    coefficient_bytes,
    parse,
    shape_of,
    skeleton,
)
from vaezip.vz.wire import Reader, varint

_MOST_PIXELS = 65535**2
"""A frame has no more."""

_LEARNED, _TIMES, _WORK = 1 << 27, 3, 1 << 14
"""The memory of what is learned; how often coefficients are in memory; and operations for a byte of them."""

_DICTIONARY = functools.cache(dictionary)


def take_apart(data: bytes) -> JpegFile:
    """Take a JPEG apart that can be made again.

    Raises:
        UnfitJpeg: there is none, and the message says why.
    """
    file = parse(data, _MOST_PIXELS)
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
    pieces, pads = _read_head(reader, length)
    before = zlib.crc32(payload[: reader.position])
    try:
        file = skeleton(pieces, pads, max_pixels)
        seed = coefficient.decode(payload[reader.position :], file)
        return build(file, length), seed ^ before
    except UnfitJpeg as error:
        raise FormatError("the coded data is damaged") from error


def cost(payload: bytes, length: int) -> Cost:
    """Compute what it costs to :func:`decode` a payload, from its head.

    Raises:
        FormatError: the payload is damaged.
    """
    pieces, pads = _read_head(Reader(payload), length)
    try:
        memory = coefficient_bytes(parts.frame(pieces, pads, _MOST_PIXELS))
    except UnfitJpeg as error:
        raise FormatError("the coded data is damaged") from error
    return Cost(_LEARNED + _TIMES * memory + 4 * length, _WORK * memory)


def describe(payload: bytes, length: int) -> tuple[int, int, int]:
    """Return the height, width and number of components of the picture in a payload.

    Raises:
        FormatError: the payload is damaged.
    """
    shape = shape_of(_read_head(Reader(payload), length)[0][0])
    if shape is None:
        raise FormatError("the coded data is damaged")
    return shape


def _write_head(file: JpegFile) -> bytes:
    lengths = [len(file.pieces), *map(len, file.pieces)]
    out = b"".join(map(varint, lengths)) + b"".join(file.pieces)
    out += b"".join(varint(len(pads)) + pads.astype(np.uint8).tobytes() for pads in file.pads)
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=_DICTIONARY())
    packed = deflater.compress(out) + deflater.flush()
    return varint(len(packed)) + packed


def _read_head(payload: Reader, length: int) -> tuple[list[bytes], list[np.ndarray[tuple[int], np.dtype[np.int64]]]]:
    """Read the pieces and pads of a file of a length."""
    reader = Reader(_inflated(payload.take(payload.varint()), 2 * length + 16 * MOST_SCANS))
    count = reader.varint()
    if not 2 <= count <= MOST_SCANS + 1:
        raise FormatError("the coded data is damaged")
    lengths = [reader.varint() for _ in range(count)]
    pieces = [reader.take(length) for length in lengths]
    pads = [np.frombuffer(reader.take(reader.varint()), np.uint8).astype(np.int64) for _ in pieces[1:]]
    if not reader.done:
        raise FormatError("the coded data is damaged")
    return pieces, pads


def _inflated(packed: bytes, most: int) -> bytes:
    inflater = zlib.decompressobj(-15, zdict=_DICTIONARY())
    try:
        data = inflater.decompress(packed, most)
    except zlib.error as error:
        raise FormatError("the coded data is damaged") from error
    if not inflater.eof or inflater.unused_data:
        raise FormatError("the coded data is damaged")
    return data
