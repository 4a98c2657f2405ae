"""The planes of pictures: the payload of a block, by a model or the fallback codec; ``docs/format/payload.md``.

A model codes the planes that it was made for, or those that the colours were before. What is beside them, their origin,
alpha and the lower bits of 16, goes before its stream.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vaezip.codec import coders, jpeg, remade, webp
from vaezip.errors import FormatError
from vaezip.models.base import Model, seed_with
from vaezip.models.cost import Cost
from vaezip.models.kinds import COLOUR, GREY, JPEG, PLANES, VERBATIM, dtype, fits, is_wide, levels
from vaezip.models.registry import search_of
from vaezip.origins import header
from vaezip.origins.header import Origin
from vaezip.pictures.picture import DEFAULT_MAX_PIXELS
from vaezip.vz.records import NO_MODEL, has_model

if TYPE_CHECKING:
    from vaezip.codec.remade import Part
    from vaezip.models.effort import Effort
    from vaezip.origins.inverse import Found

Samples = NDArray[Any]
Find = Callable[[bytes], Model]

_CRC = _LENGTH = struct.Struct("<I")
_BY_MODEL = 1 << 31

_HAS_ORIGIN = 128
"""The bit of the byte of steps that tells of an origin."""

_LEAST_ALPHA, _PIXELS_A_BYTE = 64, 128
"""Of the alpha that a model is tried on WebP makes more bytes than so many and one for so many pixels: sharp edges
take less."""

_ALPHA_MODES: dict[type[np.generic], str] = {np.uint8: "L", np.uint16: "I;16"}


def encode(
    samples: Samples,
    mode: str,
    checksum: int,
    *,
    model: Model | None,
    coder: bytes = NO_MODEL,
    effort: Effort,
    alpha_model: Model | None = None,
) -> bytes:
    """Code pictures by a model, or where there is none by a coder without one.

    Args:
        samples: (pictures, height, width, channels).
        mode: theirs.
        checksum: of the samples, which :func:`decode` finds again.
        model: codes the planes that it was made for.
        coder: the mark of the coder, where there is no model.
        effort: what is done for fewer bytes.
        alpha_model: codes grey; is tried beside WebP for the alpha that a model of colours leaves.

    Raises:
        UnfitJpeg: the file of a JPEG block cannot be made again from its coefficients.
    """
    if model is None and coder != NO_MODEL:
        return coders.by_mark(coder).encode(samples, mode, checksum, effort=effort)
    if mode == VERBATIM:
        return _CRC.pack(checksum) + samples.tobytes()
    if mode == JPEG:
        return jpeg.encode(samples.tobytes(), checksum)
    if model is None:
        coded = webp.encode(samples)
        return _CRC.pack(checksum ^ zlib.crc32(coded)) + coded
    return encode_planes(samples, mode, checksum, model=model, effort=effort, alpha_model=alpha_model)


def encode_planes(
    samples: Samples,
    mode: str,
    checksum: int,
    *,
    model: Model,
    effort: Effort,
    alpha_model: Model | None = None,
    found: Found | None = None,
) -> bytes:
    """Code pictures by a model; arguments are as for :func:`encode`, and the planes that their colours were before,
    which the model codes in the place of the colours."""
    colours = PLANES[mode].channels
    colour, alpha = samples[..., :colours], samples[..., colours:]
    prefix = _encode_alpha(alpha, alpha_model, effort) if alpha.size else b""
    if is_wide(mode):
        colour, depth_header = webp.split(colour)
        prefix += depth_header
    planes, marked = colour * _value_of_one(model, mode), 0
    if found:
        prefix, planes, marked = found.origin.to_bytes() + prefix, found.planes, _HAS_ORIGIN
    seed = checksum ^ zlib.crc32(prefix) ^ _mark(marked)
    steps, stream = search_of(model).encode(model, planes, effort=effort, seed=seed)
    return bytes([steps | marked]) + prefix + stream


def decode(
    payload: bytes,
    mode: str,
    shape: tuple[int, ...],
    *,
    model: Model | None,
    coder: bytes = NO_MODEL,
    find: Find,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> tuple[Samples, int]:
    """Inverse of :func:`encode`: samples and checksum.

    Args:
        payload: the bytes.
        mode, shape: of the samples.
        model: the one that coded them.
        coder: the mark of the coder, where there was no model.
        find: gives the model of a fingerprint.
        max_pixels: a JPEG of more is refused.

    Raises:
        FormatError: the payload is not what :func:`encode` made of such pictures.
        ImageError: the picture of a JPEG has more pixels.
    """
    n, height, width, channels = shape
    if model is None and coder == coders.REMADE:
        return remade.decode(payload, mode, shape, part=lambda part: _decode_part(part, find))
    if model is None and coder != NO_MODEL:
        return coders.of_block(coder, mode, shape).decode(payload, mode, shape)
    if model is None and mode == JPEG:
        data, checksum = jpeg.decode(payload, width, max_pixels)
        return np.frombuffer(data, np.uint8).reshape(shape), checksum
    if model is None:
        if len(payload) < _CRC.size:
            raise FormatError("the coded data is truncated")
        (checksum,), coded = _CRC.unpack(payload[:4]), payload[4:]
        if mode == VERBATIM:  # whose samples are these very bytes
            return _verbatim(coded, shape), checksum
        samples = webp.decode(coded, (n, height, width, channels), dtype(mode))
        if levels(mode) == 2 and samples.max() > 1:
            raise FormatError("the coded data is damaged")
        return samples, checksum ^ zlib.crc32(coded)
    origin, stream, coded_shape = _read_head(payload, mode, shape, model)
    colours, steps = PLANES[mode].channels, steps_of(payload)
    alpha = depth = None
    if channels > colours:
        fingerprint, coded, stream = _read_alpha(stream)
        alpha_shape = n, height, width, channels - colours
        alpha = _decode_alpha(coded, mode, alpha_shape, fingerprint=fingerprint, find=find)
    if is_wide(mode):
        depth, stream = webp.read_depth_header(stream, (n, height, width, colours))
    planes, checksum = model.decode(stream, coded_shape, steps)
    planes //= _value_of_one(model, mode)
    planes = origin.samples(planes, (height, width)) if origin else planes
    colour = depth.join(planes) if depth else planes
    samples = colour if alpha is None else np.concatenate([colour, alpha], axis=3)
    beside = zlib.crc32(payload[1 : len(payload) - len(stream)])
    return samples, seed_with(checksum, steps) ^ _mark(payload[0] & _HAS_ORIGIN) ^ beside


def cost(
    payload: bytes, mode: str, shape: tuple[int, ...], *, model: Model | None, coder: bytes = NO_MODEL, find: Find
) -> Cost:
    """Compute what it costs to :func:`decode` a payload, from its first bytes; arguments are as there.

    Raises:
        FormatError: the payload cannot be what :func:`encode` made of such pictures.
    """
    n, height, width, channels = shape
    if model is None and coder == coders.REMADE:
        return remade.cost(payload, mode, shape, part=lambda part: _part_cost(part, find))
    if model is None and coder != NO_MODEL:
        return coders.of_block(coder, mode, shape).cost(payload, mode, shape)
    if mode == VERBATIM:  # no more than the file itself, which is in memory
        return Cost(0, len(payload))
    if model is None and mode == JPEG:
        return jpeg.cost(payload, width)
    if model is None:
        return webp.cost((n, height, width, channels), dtype(mode))
    origin, stream, coded_shape = _read_head(payload, mode, shape, model)
    colours, steps = PLANES[mode].channels, steps_of(payload)
    before = origin.cost(n * height * width) if origin else Cost(0, 0)
    alpha = depth = Cost(0, 0)
    if channels > colours:
        fingerprint, coded, stream = _read_alpha(stream)
        alpha = _alpha_cost(coded, mode, (n, height, width, channels - colours), fingerprint=fingerprint, find=find)
    if is_wide(mode):
        depth, stream = webp.depth_cost((n, height, width, colours)), webp.without_depth_header(stream)
    beside = channels > colours or is_wide(mode)
    joined = Cost(2 * n * height * width * channels * dtype(mode)().itemsize * beside, 0)
    by_model = model.cost(stream, coded_shape, steps)
    return by_model.beside(alpha).beside(depth).beside(joined).beside(before)


def _decode_part(part: Part, find: Find) -> tuple[Samples, int]:
    """Decode a part of pictures that are made of others: samples and checksum."""
    model, block = _part_model(part, find), part.block
    return decode(block.payload, part.mode, part.shape, model=model, coder=block.model, find=find)


def _part_cost(part: Part, find: Find) -> Cost:
    model, block = _part_model(part, find), part.block
    return cost(block.payload, part.mode, part.shape, model=model, coder=block.model, find=find)


def _part_model(part: Part, find: Find) -> Model | None:
    """Return the model of a part, which is not made of others again."""
    if part.block.model == coders.REMADE:
        raise FormatError("the coded data is damaged")
    return find(part.block.model) if has_model(part.block.model) else None


def pixels(payload: bytes, mode: str, shape: tuple[int, ...]) -> int:
    """Count the pixels in a payload, which the budget of a block goes by; of a JPEG file, those of its picture.

    Raises:
        FormatError: the payload is damaged.
    """
    return jpeg.pixels(payload, shape[2]) if mode == JPEG else shape[0] * shape[1] * shape[2]


def _read_head(
    payload: bytes, mode: str, shape: tuple[int, ...], model: Model
) -> tuple[Origin | None, bytes, tuple[int, int, int, int]]:
    """Return the origin, what stands behind it, and the shape of what the model codes; refuse a model that does not
    code such pictures, and too few bytes."""
    n, height, width, _ = shape
    origin, stream = _read_origin(payload, mode, shape) if payload else (None, b"")
    coded = n, height, width, PLANES[mode].channels if mode in PLANES else 0
    coded = origin.coded_shape(coded) if origin else coded
    if not fits_coded(model, mode, coded):
        raise FormatError(f"the file is damaged: model '{model.name}' does not code such pictures")
    if len(payload) < model.least_bytes(math.prod(coded)):
        raise FormatError("the coded data is truncated")
    return origin, stream, coded


def fits_coded(model: Model, mode: str, coded: tuple[int, ...]) -> bool:
    """Tell whether a model codes the planes, or the sheets, of pictures of a mode."""
    is_sheet = takes_origin(mode) and coded[3] == GREY.channels
    return fits(model.architecture, GREY.mode if is_sheet else mode, coded[1:3])


def steps_of(payload: bytes) -> int:
    """Return the gradient steps that the decoder of a payload by a model repeats, which its first byte tells."""
    if not payload:
        raise FormatError("the coded data is truncated")
    return payload[0] & ~_HAS_ORIGIN


def origin_of(payload: bytes, mode: str, shape: tuple[int, ...]) -> Origin | None:
    """Return the origin that a payload by a model tells, if there is one.

    Raises:
        FormatError: the payload is damaged.
    """
    return _read_origin(payload, mode, shape)[0]


def takes_origin(mode: str) -> bool:
    """Tell whether the colours of a mode may have been other planes before."""
    return mode in PLANES and PLANES[mode] is COLOUR and not is_wide(mode)


def _read_origin(payload: bytes, mode: str, shape: tuple[int, ...]) -> tuple[Origin | None, bytes]:
    """Return the origin, if there is one, and what stands behind it."""
    if not payload[0] & _HAS_ORIGIN:
        return None, payload[1:]
    if not takes_origin(mode):
        raise FormatError("the file is damaged: pictures of its mode were no other colours before")
    return header.read(payload[1:], shape[0] * shape[1] * shape[2])


def _mark(marked: int) -> int:
    """Return what the bit that tells of an origin changes of the CRC-32 of the byte of steps, whatever these are."""
    return zlib.crc32(bytes([marked])) ^ zlib.crc32(b"\0")


def _verbatim(data: bytes, shape: tuple[int, ...]) -> Samples:
    if len(data) != shape[2]:
        raise FormatError("the coded data is truncated")
    return np.frombuffer(data, np.uint8).reshape(shape).copy()


def _encode_alpha(alpha: Samples, model: Model | None, effort: Effort) -> bytes:
    """Return what stands before the stream of the colours: alpha by WebP, by a coder without a model, or by a model,
    whichever is shortest; a model is not tried on what takes next to nothing."""
    coded, mode = webp.encode(alpha), _ALPHA_MODES[alpha.dtype.type]
    found = _LENGTH.pack(len(coded)) + coded
    drawn = coders.GRAPHIC in coders.fitting(mode, alpha.shape[1:3])
    if drawn and coders.by_mark(coders.GRAPHIC).promises(alpha, mode):
        coded = coders.GRAPHIC + coders.by_mark(coders.GRAPHIC).encode(alpha, mode, 0, effort=effort)
        found = min(found, _LENGTH.pack(len(coded) | _BY_MODEL) + coded, key=len)
    if model is None or len(found) < _LEAST_ALPHA + alpha.size // _PIXELS_A_BYTE:
        return found
    coded = model.fingerprint + encode(alpha, mode, 0, model=model, effort=effort)
    return min(found, _LENGTH.pack(len(coded) | _BY_MODEL) + coded, key=len)


def _read_alpha(payload: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the fingerprint of the model of alpha, or NO_MODEL; what it coded; and what comes after."""
    if len(payload) < _LENGTH.size:
        raise FormatError("the coded data is truncated")
    length = _LENGTH.unpack(payload[: _LENGTH.size])[0]
    end = _LENGTH.size + (length & ~_BY_MODEL)
    start = _LENGTH.size + len(NO_MODEL) * bool(length & _BY_MODEL)
    coder = payload[_LENGTH.size : start] or NO_MODEL
    return coder, payload[start:end], payload[end:]


def _alpha_model(fingerprint: bytes, find: Find) -> Model | None:
    """Return the model of alpha; None for the coder of drawn pictures, which is the only one without a model there."""
    if fingerprint == coders.GRAPHIC:
        return None
    if not has_model(fingerprint):
        raise FormatError("the coded data is damaged")
    return find(fingerprint)


def _decode_alpha(
    coded: bytes, mode: str, shape: tuple[int, int, int, int], *, fingerprint: bytes, find: Find
) -> Samples:
    if fingerprint == NO_MODEL:
        return webp.decode(coded, shape, dtype(mode))
    model = _alpha_model(fingerprint, find)
    return decode(coded, _ALPHA_MODES[dtype(mode)], shape, model=model, coder=fingerprint, find=find)[0]


def _alpha_cost(coded: bytes, mode: str, shape: tuple[int, int, int, int], *, fingerprint: bytes, find: Find) -> Cost:
    if fingerprint == NO_MODEL:
        return webp.cost(shape, dtype(mode))
    model = _alpha_model(fingerprint, find)
    return cost(coded, _ALPHA_MODES[dtype(mode)], shape, model=model, coder=fingerprint, find=find)


def _value_of_one(model: Model, mode: str) -> np.uint8:
    """Return the model's value of a sample of 1: a model of grey levels codes black and white as 0 and 255."""
    return np.uint8((model.architecture.levels - 1) // (PLANES[mode].levels - 1))
