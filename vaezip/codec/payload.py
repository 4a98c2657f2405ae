"""The planes of pictures: the payload of a block, by a model or the classic codec; ``docs/format.md``, 5 and 6.

A model codes the planes that it was made for. What is beside them, alpha and the lower bits of 16, goes before its
stream.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.codec import webp
from vaezip.entropy.distributions import LOGISTIC_PRECISION
from vaezip.errors import FormatError
from vaezip.models.effort import Effort
from vaezip.models.kinds import COLOUR_PLANES, dtype, fits, is_wide
from vaezip.models.pixel import search
from vaezip.models.pixel.model import AnyModel
from vaezip.vz.records import CLASSIC

Samples = NDArray[Any]
Find = Callable[[bytes], AnyModel]

_CRC = _LENGTH = struct.Struct("<I")
_BY_MODEL = 1 << 31

_LEAST_ALPHA, _PIXELS_A_BYTE = 64, 128
"""Of the alpha that a model is tried on WebP makes more bytes than so many and one for so many pixels: sharp edges
take less."""

_BITS_A_NAT = 1.4426950408889634
"""1 / ln 2; no library's logarithm decides what is read."""

_ALPHA_MODES: dict[type[np.generic], str] = {np.uint8: "L", np.uint16: "I;16"}


def encode(
    model: AnyModel | None,
    mode: str,
    samples: Samples,
    effort: Effort,
    checksum: int,
    threads: int = 1,
    alpha_model: AnyModel | None = None,
) -> bytes:
    """Code (pictures, height, width, channels) by a model, or classically where there is none.

    Args:
        alpha_model: of grey pictures, to try beside WebP for the alpha that a model of colours leaves.
    """
    if model is None:
        coded = webp.encode(samples)
        return _CRC.pack(checksum ^ zlib.crc32(coded)) + coded
    colours = COLOUR_PLANES[mode][0]
    colour, alpha = samples[..., :colours], samples[..., colours:]
    prefix = encode_alpha(alpha_model, alpha, effort, threads) if alpha.size else b""
    if is_wide(mode):
        colour, rest = webp.split(colour)
        prefix += rest
    checksum ^= zlib.crc32(prefix)
    return prefix + search.encode(model, colour * _value_of_one(model, mode), effort, checksum, threads)


def decode(
    model: AnyModel | None, mode: str, payload: bytes, shape: tuple[int, ...], steps: int, find: Find
) -> tuple[Samples, int]:
    """Inverse of :func:`encode`: samples and checksum.

    Args:
        find: the model of a fingerprint.

    Raises:
        FormatError: the payload is not what :func:`encode` made of such pictures.
    """
    n, height, width, channels = shape
    if model is None:
        if len(payload) < _CRC.size:
            raise FormatError("the coded data is truncated")
        checksum = _CRC.unpack(payload[:4])[0] ^ zlib.crc32(payload[4:])
        return webp.decode(payload[4:], (n, height, width, channels), dtype(mode)), checksum
    if not fits(model.architecture, mode, height, width):
        raise FormatError(f"the file is damaged: model '{model.name}' does not code such pictures")
    colours, stream = model.architecture.channels, payload
    if len(payload) < _least_length(model.architecture.levels, n * height * width * colours):
        raise FormatError("the coded data is truncated")
    alpha = rest = None
    if channels > colours:
        coder, coded, stream = _read_alpha(payload)
        alpha = _decode_alpha(coder, coded, dtype(mode), (n, height, width, channels - colours), steps, find)
    if is_wide(mode):
        rest, stream = webp.read_rest(stream, (n, height, width, colours))
    found, checksum = search.decode(model, stream, (n, height, width, colours), steps)
    found //= _value_of_one(model, mode)
    colour = rest.join(found) if rest else found
    samples = colour if alpha is None else np.concatenate([colour, alpha], axis=3)
    return samples, checksum ^ zlib.crc32(payload[: len(payload) - len(stream)])


def encode_alpha(model: AnyModel | None, alpha: Samples, effort: Effort, threads: int) -> bytes:
    """What stands before the stream of the colours: alpha by WebP, or by a model where that is shorter; which is not
    tried on what takes WebP next to nothing."""
    coded = webp.encode(alpha)
    found = _LENGTH.pack(len(coded)) + coded
    if model is None or len(coded) < _LEAST_ALPHA + alpha.size // _PIXELS_A_BYTE:
        return found
    coded = model.fingerprint + encode(model, _ALPHA_MODES[alpha.dtype.type], alpha, effort, 0, threads)
    return min(found, _LENGTH.pack(len(coded) | _BY_MODEL) + coded, key=len)


def _read_alpha(payload: bytes) -> tuple[bytes, bytes, bytes]:
    """The model of alpha, or CLASSIC; what it coded; and what comes after."""
    if len(payload) < _LENGTH.size:
        raise FormatError("the coded data is truncated")
    length = _LENGTH.unpack(payload[: _LENGTH.size])[0]
    end = _LENGTH.size + (length & ~_BY_MODEL)
    start = _LENGTH.size + len(CLASSIC) * bool(length & _BY_MODEL)
    coder = payload[_LENGTH.size : start] or CLASSIC
    return coder, payload[start:end], payload[end:]


def _decode_alpha(
    coder: bytes, coded: bytes, kind: type[np.generic], shape: tuple[int, int, int, int], steps: int, find: Find
) -> Samples:
    if coder == CLASSIC:
        return webp.decode(coded, shape, kind)
    return decode(find(coder), _ALPHA_MODES[kind], coded, shape, steps, find)[0]


def _least_length(levels: int, values: int) -> float:
    """Bytes without which there are not so many values, known before they are given memory: each value that does not
    occur takes 1 of 2^22. Of that an eighth, since z may give back a little more than it takes."""
    return values * (levels - 1) / (1 << LOGISTIC_PRECISION) * _BITS_A_NAT / 8 / 8


def _value_of_one(model: AnyModel, mode: str) -> np.uint8:
    """The model's value of a sample of 1: a model of grey levels codes black and white as 0 and 255."""
    return np.uint8((model.architecture.levels - 1) // (COLOUR_PLANES[mode][1] - 1))
