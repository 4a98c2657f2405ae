"""The planes of pictures: the payload of a block, by a model or a coder without one; ``docs/format/payload.md``.

A model codes the planes that it was made for, or those that the colours were before. What is beside them, their origin
and alpha, goes before its stream.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.codec import coders, jpeg, remade
from vaezip.codec.remade import Part
from vaezip.errors import FormatError
from vaezip.models.base import Model, seed_with
from vaezip.models.cost import Cost
from vaezip.models.kinds import COLOUR, GREY, JPEG, PLANES, VERBATIM, fits
from vaezip.models.registry import search_of
from vaezip.origins import header
from vaezip.origins.header import Origin
from vaezip.pictures.picture import DEFAULT_MAX_PIXELS
from vaezip.vz.records import NO_MODEL, Block, has_model

if TYPE_CHECKING:
    from vaezip.models.effort import Effort
    from vaezip.origins.inverse import Found

Samples = NDArray[Any]
Find = Callable[[bytes], Model]

_CRC = _LENGTH = struct.Struct("<I")
_BY_MODEL = 1 << 31

_HAS_ORIGIN = 128
"""The bit of the byte of steps that tells of an origin."""

_LEAST_ALPHA, _PIXELS_A_BYTE = 64, 128
"""Of the alpha that a model is tried on the coder of drawn pictures makes more bytes than so many and one for so many
pixels: sharp edges take less."""


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
        alpha_model: codes grey; is tried for the alpha that a model of colours leaves.

    Raises:
        UnfitJpeg: the file of a JPEG block cannot be made again from its coefficients.
    """
    if mode == VERBATIM:
        return _CRC.pack(checksum) + samples.tobytes()
    if mode == JPEG:
        return jpeg.encode(samples.tobytes(), checksum)
    if model is None:
        return coders.by_mark(coder).encode(samples, mode, checksum, effort=effort)
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
    if model is None and coder == coders.REMADE:
        return remade.decode(payload, mode, shape, part=lambda part: _decode_part(part, find))
    if model is None and coder != NO_MODEL:
        return coders.of_block(coder, mode, shape).decode(payload, mode, shape)
    if model is None and mode == JPEG:
        data, checksum = jpeg.decode(payload, shape[2], max_pixels)
        return np.frombuffer(data, np.uint8).reshape(shape), checksum
    if model is None:
        return _verbatim(payload, mode, shape)
    found = _read(payload, mode, shape, model)
    alpha = _decode_part(found.alpha, find)[0] if found.alpha else None
    steps = steps_of(payload)
    planes, checksum = model.decode(found.stream, found.shape, steps)
    planes //= _value_of_one(model, mode)
    colour = found.origin.samples(planes, (shape[1], shape[2])) if found.origin else planes
    samples = colour if alpha is None else np.concatenate([colour, alpha], axis=3)
    beside = zlib.crc32(payload[1 : len(payload) - len(found.stream)])
    return samples, seed_with(checksum, steps) ^ _mark(payload[0] & _HAS_ORIGIN) ^ beside


def cost(
    payload: bytes, mode: str, shape: tuple[int, ...], *, model: Model | None, coder: bytes = NO_MODEL, find: Find
) -> Cost:
    """Compute what it costs to :func:`decode` a payload, from its first bytes; arguments are as there.

    Raises:
        FormatError: the payload cannot be what :func:`encode` made of such pictures.
    """
    if model is None and coder == coders.REMADE:
        return remade.cost(payload, mode, shape, part=lambda part: _part_cost(part, find))
    if model is None and coder != NO_MODEL:
        return coders.of_block(coder, mode, shape).cost(payload, mode, shape)
    if model is None and mode == JPEG:
        return jpeg.cost(payload, shape[2])
    if model is None:  # no more than the file itself, which is in memory
        return Cost(0, len(payload))
    found = _read(payload, mode, shape, model)
    total = model.cost(found.stream, found.shape, steps_of(payload))
    if found.alpha:  # which is joined with the colours
        total = total.beside(_part_cost(found.alpha, find).beside(Cost(2 * math.prod(shape), 0)))
    return total.beside(found.origin.cost(math.prod(shape[:3]))) if found.origin else total


def _decode_part(part: Part, find: Find) -> tuple[Samples, int]:
    """Decode a part of pictures, such as their alpha, or what they are made of: samples and checksum."""
    model, block = _part_model(part, find), part.block
    return decode(block.payload, part.mode, part.shape, model=model, coder=block.model, find=find)


def _part_cost(part: Part, find: Find) -> Cost:
    model, block = _part_model(part, find), part.block
    return cost(block.payload, part.mode, part.shape, model=model, coder=block.model, find=find)


def _part_model(part: Part, find: Find) -> Model | None:
    """Return the model of a part, which is not made of others again; None where a coder without one made it."""
    if part.block.model == coders.REMADE:
        raise FormatError("the coded data is damaged")
    return find(part.block.model) if has_model(part.block.model) else None


def pixels(payload: bytes, mode: str, shape: tuple[int, ...]) -> int:
    """Count the pixels in a payload, which the budget of a block goes by; of a JPEG file, those of its picture.

    Raises:
        FormatError: the payload is damaged.
    """
    return jpeg.pixels(payload, shape[2]) if mode == JPEG else shape[0] * shape[1] * shape[2]


class _Read(NamedTuple):
    """Hold what stands in a payload by a model.

    Attributes:
        origin: what the colours were before, if they were anything.
        alpha: where there is any.
        stream: of the model.
        shape: of what the model codes.
    """

    origin: Origin | None
    alpha: Part | None
    stream: bytes
    shape: tuple[int, int, int, int]


def _read(payload: bytes, mode: str, shape: tuple[int, ...], model: Model) -> _Read:
    """Take a payload by a model apart; refuse a model that does not code such pictures, and too few bytes."""
    n, height, width, channels = shape
    origin, stream = _read_origin(payload, mode, shape) if payload else (None, b"")
    colours = PLANES[mode].channels if mode in PLANES else 0
    coded = n, height, width, colours
    coded = origin.coded_shape(coded) if origin else coded
    if not fits_coded(model, mode, coded):
        raise FormatError(f"the file is damaged: model '{model.name}' does not code such pictures")
    if len(payload) < model.least_bytes(math.prod(coded)):
        raise FormatError("the coded data is truncated")
    if channels == colours:
        return _Read(origin, None, stream, coded)
    block, stream = _read_alpha(stream)
    return _Read(origin, Part(GREY.mode, (n, height, width, 1), block), stream, coded)


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
    return mode in PLANES and PLANES[mode] is COLOUR


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


def _verbatim(data: bytes, mode: str, shape: tuple[int, ...]) -> tuple[Samples, int]:
    """Read a file that is kept as it is, whose bytes are the samples."""
    if mode != VERBATIM:
        raise FormatError("the file is damaged: it does not tell what codes its pictures")
    if len(data) != _CRC.size + shape[2]:
        raise FormatError("the coded data is truncated")
    return np.frombuffer(data, np.uint8, offset=_CRC.size).reshape(shape).copy(), _CRC.unpack_from(data)[0]


def _encode_alpha(alpha: Samples, model: Model | None, effort: Effort) -> bytes:
    """Return what stands before the stream of the colours: alpha by the coder of drawn pictures, unless it promises
    nothing, or by a model where that is shorter, which is not tried on what takes next to nothing."""
    drawn, forms = coders.by_mark(coders.GRAPHIC), []
    if model is None or drawn.promises(alpha, GREY.mode):
        coded = drawn.encode(alpha, GREY.mode, 0, effort=effort)
        forms = [_LENGTH.pack(len(coded)) + coded]
    if model and (not forms or len(forms[0]) >= _LEAST_ALPHA + alpha.size // _PIXELS_A_BYTE):
        coded = model.fingerprint + encode(alpha, GREY.mode, 0, model=model, effort=effort)
        forms.append(_LENGTH.pack(len(coded) | _BY_MODEL) + coded)
    return min(forms, key=len)


def _read_alpha(payload: bytes) -> tuple[Block, bytes]:
    """Return the block of alpha, and what comes after."""
    if len(payload) < _LENGTH.size:
        raise FormatError("the coded data is truncated")
    length = _LENGTH.unpack(payload[: _LENGTH.size])[0]
    end = _LENGTH.size + (length & ~_BY_MODEL)
    start = _LENGTH.size + len(NO_MODEL) * bool(length & _BY_MODEL)
    coder = payload[_LENGTH.size : start] if length & _BY_MODEL else coders.GRAPHIC
    if length & _BY_MODEL and not has_model(coder):
        raise FormatError("the coded data is damaged")
    return Block(coder, payload[start:end]), payload[end:]


def _value_of_one(model: Model, mode: str) -> np.uint8:
    """Return the model's value of a sample of 1: a model of grey levels codes black and white as 0 and 255."""
    return np.uint8((model.architecture.levels - 1) // (PLANES[mode].levels - 1))
