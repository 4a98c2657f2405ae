"""The fallback codec: lossless WebP, by Pillow.

Any array of samples becomes one or more 8-bit RGB or RGBA pictures: grey is copied into three
channels (WebP's colour transform makes that free), 16-bit samples are split in two
(:mod:`vaezip.codec.bit_depth`), and what is larger than WebP allows is cut into pieces. The 20 bytes of RIFF
header that every such file shares are left out.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaezip.codec import bit_depth
from vaezip.codec.bit_depth import DepthHeader, Values
from vaezip.errors import FormatError
from vaezip.models.cost import Cost
from vaezip.system.spans import timed

Samples = NDArray[Any]
"""(pictures, height, width, channels), uint8 or uint16, 1 to 4 channels."""

_MAX_SIDE = 16383

_PIECE_BYTES = 40
"""Bytes that WebP's decoder and Pillow take for each pixel of a picture."""

_BYTES, _WIDE_BYTES, _WORK = 2, 6, 256
"""Bytes for each sample of 8 bits and of 16, and operations for each pixel of a stream."""

_SMALL, _SAMPLES_A_BYTE = 4096, 4
"""WebP's slowest search takes 20 times as long and gains a thousandth on photographs; so it is for so few pixels, or
for more than so many samples a byte."""

_LENGTH = struct.Struct("<I")
_DIFFERENCED, _USED = 1, 2
_MAX_MARKS = (1 << 16) // 8
_PILLOW_ERRORS = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)
"""What Pillow raises on a stream that is damaged."""

_GREATEST = struct.Struct("<H")
_DEFLATE = -15
"""The window bits of zlib without a header: the checksum of the block protects this, too."""


@timed("WebP")
def encode(samples: Samples) -> bytes:
    """Code all pictures of one size and type, one below the other."""
    if samples.dtype == np.uint8:
        return _encode_bytes(samples)
    return min((_depth_header(depth) + _encode_bytes(high) for high, depth in bit_depth.splits(samples)), key=len)


@timed("WebP")
def decode(data: bytes, shape: tuple[int, int, int, int], dtype: type[np.generic]) -> Samples:
    """Invert :func:`encode`.

    Raises:
        FormatError: the data is not what :func:`encode` made of such an array.
    """
    if dtype == np.uint8:
        return _decode_bytes(data, shape)
    depth, data = read_depth_header(data, shape)
    return depth.join(_decode_bytes(data, shape))


@timed("WebP")
def split(samples: Samples) -> tuple[Samples, bytes]:
    """Split uint16 samples into a high part, uint8, and the coded depth header, in the way that WebP makes shortest."""
    found = [(high, _depth_header(depth)) for high, depth in bit_depth.splits(samples)]
    if len(found) == 1:
        return found[0]
    return min(found, key=lambda parts: len(_encode_bytes(parts[0])) + len(parts[1]))


@timed("WebP")
def length_beside(depth: DepthHeader) -> int:
    """Return how many bytes tell what is beside the high part of samples, about."""
    return len(_depth_header(depth, quickly=True))


def cost(shape: tuple[int, int, int, int], dtype: type[np.generic]) -> Cost:
    """Compute what :func:`decode` costs: of WebP's own pictures, each at once, and of all samples."""
    n, h, w, c = shape
    pixels = n * h * w
    piece = min(n * h, _MAX_SIDE) * min(w, _MAX_SIDE)
    each = c * (_BYTES if dtype == np.uint8 else _WIDE_BYTES)
    streams = 1 if dtype == np.uint8 else 2
    return Cost(_PIECE_BYTES * piece + each * pixels + (1 << 20), streams * _WORK * pixels)


def depth_cost(shape: tuple[int, int, int, int]) -> Cost:
    """Compute what :func:`read_depth_header` and joining the samples cost, likewise."""
    found = cost(shape, np.uint16)
    return found._replace(work=found.work // 2)


def without_depth_header(data: bytes) -> bytes:
    """Return the data after a depth header, nothing of which is decoded.

    Raises:
        FormatError: there is none.
    """
    values, data = _read_values(data)
    if not bit_depth.low_bits(values):
        return data
    length, data = _taken(data, _LENGTH.size)
    return _taken(data, _LENGTH.unpack(length)[0])[1]


@timed("WebP")
def read_depth_header(data: bytes, shape: tuple[int, int, int, int]) -> tuple[DepthHeader, bytes]:
    """Read the depth header of samples that :func:`split` made, and return it with the data after it.

    Raises:
        FormatError: there is none.
    """
    kind = data[0] if data else 0
    values, data = _read_values(data)
    bits = bit_depth.low_bits(values)
    if not bits:
        return DepthHeader(values, np.zeros(shape, np.uint8)), data
    length, data = _taken(data, _LENGTH.size)
    streams, data = _taken(data, _LENGTH.unpack(length)[0])
    low = _decode_bytes(streams, shape)
    if low.max() >> bits:
        raise FormatError("the coded data is damaged")
    return DepthHeader(values, bit_depth.undifferenced(low, bits) if kind & _DIFFERENCED else low), data


def _depth_header(depth: DepthHeader, *, quickly: bool = False) -> bytes:
    """Code a depth header in its shorter form."""
    values, low, bits = depth.values, depth.low, bit_depth.low_bits(depth.values)
    every = len(values) == values[-1] + 1
    table = _GREATEST.pack(values[-1]) if every else _used(values)
    if not bits:
        return bytes([_USED * (not every)]) + table
    plain, differenced = (_encode_bytes(one, quickly=quickly) for one in (low, bit_depth.differenced(low, bits)))
    streams = min(plain, differenced, key=len)
    kind = _USED * (not every) | _DIFFERENCED * (streams is differenced)
    return bytes([kind]) + table + _LENGTH.pack(len(streams)) + streams


def _used(values: Values) -> bytes:
    """Code the values as bits, one for each up to the greatest, deflated."""
    marks = np.zeros(values[-1] + 1, np.uint8)
    marks[values] = 1
    deflater = zlib.compressobj(9, wbits=_DEFLATE)
    packed = deflater.compress(np.packbits(marks).tobytes()) + deflater.flush()
    return _GREATEST.pack(len(packed)) + packed


def _read_values(data: bytes) -> tuple[Values, bytes]:
    """Read the kind of a depth header and the values that may occur."""
    (kind,), data = _taken(data, 1)
    if kind > (_USED | _DIFFERENCED):
        raise FormatError("the coded data is damaged")
    return _read_used(data) if kind & _USED else _read_every(data)


def _read_every(data: bytes) -> tuple[Values, bytes]:
    greatest, data = _taken(data, _GREATEST.size)
    return np.arange(_GREATEST.unpack(greatest)[0] + 1), data


def _read_used(data: bytes) -> tuple[Values, bytes]:
    length, data = _taken(data, _GREATEST.size)
    packed, data = _taken(data, _GREATEST.unpack(length)[0])
    inflater = zlib.decompressobj(_DEFLATE)
    try:
        marks = inflater.decompress(packed, _MAX_MARKS + 1)
    except zlib.error as error:
        raise FormatError("the coded data is damaged") from error
    values = np.flatnonzero(np.unpackbits(np.frombuffer(marks, np.uint8)))
    if not (inflater.eof and len(marks) <= _MAX_MARKS and len(values)):
        raise FormatError("the coded data is damaged")
    return values, data


def _encode_bytes(samples: Samples, *, quickly: bool = False) -> bytes:
    streams = [_webp(piece, quickly=quickly) for piece in _pieces(_sheet(samples))]
    return b"".join(_LENGTH.pack(len(s)) + s for s in streams[:-1]) + streams[-1]


def _decode_bytes(data: bytes, shape: tuple[int, int, int, int]) -> Samples:
    n, h, w, c = shape
    sheet = np.empty((n * h, w, c), np.uint8)
    *pieces, last = _pieces(sheet)
    for piece in pieces:
        length, data = _taken(data, _LENGTH.size)
        stream, data = _taken(data, _LENGTH.unpack(length)[0])
        piece[...] = _unwebp(stream, piece.shape)
    last[...] = _unwebp(data, last.shape)
    return sheet.reshape(shape)


def _taken(data: bytes, length: int) -> tuple[bytes, bytes]:
    """Take so many bytes, and return them with those after them."""
    if len(data) < length:
        raise FormatError("the coded data is truncated")
    return data[:length], data[length:]


def _sheet(samples: Samples) -> Samples:
    n, h, w, c = samples.shape
    return samples.reshape(n * h, w, c)


def _pieces(sheet: Samples) -> Iterator[Samples]:
    """Yield views of what fits into one WebP picture, left to right, top to bottom."""
    for y in range(0, sheet.shape[0], _MAX_SIDE):
        for x in range(0, sheet.shape[1], _MAX_SIDE):
            yield sheet[y : y + _MAX_SIDE, x : x + _MAX_SIDE]


def _webp(piece: Samples, *, quickly: bool) -> bytes:
    """Code one WebP picture, once more with all of its encoder's effort where that pays."""
    stream = _streamed(piece, quality=90, method=5)
    if quickly or (piece[..., 0].size > _SMALL and len(stream) * _SAMPLES_A_BYTE > piece.size):
        return stream
    return min(stream, _streamed(piece, quality=100, method=6), key=len)


def _streamed(piece: Samples, *, quality: int, method: int) -> bytes:
    channels = piece.shape[2]
    if channels < 3:
        piece = np.concatenate([np.repeat(piece[..., :1], 3, axis=2), piece[..., 1:]], axis=2)
    out = io.BytesIO()
    # exact: keep the colour of fully transparent pixels
    image = Image.fromarray(np.ascontiguousarray(piece))
    image.save(out, "WEBP", lossless=True, quality=quality, method=method, exact=True)
    data = out.getvalue()
    assert data[8:16] == b"WEBPVP8L", "Pillow wrote another kind of WebP than asked for"
    return data[20 : 20 + _LENGTH.unpack(data[16:20])[0]]


def _unwebp(stream: bytes, shape: tuple[int, ...]) -> Samples:
    # a signature byte, then width − 1 and height − 1 in 14 bits each: look before Pillow allocates
    sides = int.from_bytes(stream[1:5], "little")
    if len(stream) < 5 or ((sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1) != (shape[1], shape[0]):
        raise FormatError("the coded data is damaged")
    padded = stream + b"\0" * (len(stream) % 2)
    chunk = b"WEBPVP8L" + _LENGTH.pack(len(stream)) + padded
    try:
        with Image.open(io.BytesIO(b"RIFF" + _LENGTH.pack(len(chunk)) + chunk), formats=["WEBP"]) as image:
            pixels = np.asarray(image.convert("RGBA"))
    except _PILLOW_ERRORS as error:
        raise FormatError("the coded data is damaged") from error
    return {1: pixels[..., :1], 2: pixels[..., [0, 3]], 3: pixels[..., :3], 4: pixels}[shape[2]]
