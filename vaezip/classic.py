"""The classic codec that vaezip falls back on: lossless WebP, by Pillow.

Any array of samples becomes one or more 8-bit RGB or RGBA pictures: grey is copied into three
channels (WebP's colour transform makes that free), 16-bit samples are split into their high and
low bytes, and what is larger than WebP allows is cut into pieces. The 20 bytes of RIFF header
that every such file shares are left out.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaezip.errors import FormatError

Samples = NDArray[Any]
"""(pictures, height, width, channels), uint8 or uint16, 1 to 4 channels."""

_MAX_SIDE = 16383
_LENGTH = struct.Struct("<I")


def encode(samples: Samples) -> bytes:
    """All pictures of one size and type, one below the other."""
    streams = [_webp(piece) for plane in _byte_planes(samples) for piece in _pieces(_sheet(plane))]
    return b"".join(_LENGTH.pack(len(s)) + s for s in streams[:-1]) + streams[-1]


def decode(data: bytes, shape: tuple[int, int, int, int], dtype: type[np.generic]) -> Samples:
    """Inverse of :func:`encode`.

    Raises:
        FormatError: the data is not what :func:`encode` made of such an array.
    """
    n, h, w, c = shape
    bytes_a_sample = np.dtype(dtype).itemsize
    planes = np.empty((bytes_a_sample, n * h, w, c), np.uint8)
    pieces = [piece for plane in planes for piece in _pieces(plane)]
    for i, piece in enumerate(pieces):
        last = i == len(pieces) - 1
        length = len(data) if last else _LENGTH.unpack(_need(data, 4))[0]
        data = data if last else data[4:]
        piece[...] = _unwebp(_need(data, length), piece.shape)
        data = data[length:]
    if bytes_a_sample == 1:
        return planes[0].reshape(shape)
    return ((planes[0].astype(np.uint16) << 8) | planes[1]).reshape(shape)


def _need(data: bytes, length: int) -> bytes:
    if len(data) < length:
        raise FormatError("the coded data is truncated")
    return data[:length]


def _byte_planes(samples: Samples) -> list[Samples]:
    if samples.dtype == np.uint8:
        return [samples]
    return [(samples >> 8).astype(np.uint8), (samples & 255).astype(np.uint8)]


def _sheet(samples: Samples) -> Samples:
    n, h, w, c = samples.shape
    return samples.reshape(n * h, w, c)


def _pieces(sheet: Samples) -> Iterator[Samples]:
    """Views of what fits into one WebP picture, left to right, top to bottom."""
    for y in range(0, sheet.shape[0], _MAX_SIDE):
        for x in range(0, sheet.shape[1], _MAX_SIDE):
            yield sheet[y : y + _MAX_SIDE, x : x + _MAX_SIDE]


def _webp(piece: Samples) -> bytes:
    channels = piece.shape[2]
    if channels < 3:
        piece = np.concatenate([np.repeat(piece[..., :1], 3, axis=2), piece[..., 1:]], axis=2)
    out = io.BytesIO()
    # exact: keep the colour of fully transparent pixels
    Image.fromarray(np.ascontiguousarray(piece)).save(out, "WEBP", lossless=True, quality=90, method=5, exact=True)
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
    except Exception as error:  # Pillow raises many kinds
        raise FormatError("the coded data is damaged") from error
    return {1: pixels[..., :1], 2: pixels[..., [0, 3]], 3: pixels[..., :3], 4: pixels}[shape[2]]
