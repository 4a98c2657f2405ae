"""Pictures that are made of others: the payload of their blocks; ``docs/format/remade.md``.

An origin says how samples follow from those of its parts, such as the ranks of values. Each part is the payload of a
block of its own, by whatever codes it best.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from vaezip.errors import FormatError
from vaezip.models.cost import Cost
from vaezip.models.kinds import ROWS
from vaezip.origins import bayer, enlarged, pieces, tones, values
from vaezip.vz.records import NO_MODEL, Block
from vaezip.vz.wire import Reader, varint

NAME = "remade"

Samples = NDArray[Any]
Shape = tuple[int, ...]


class Origin(Protocol):
    """How samples follow from those of parts."""

    def to_bytes(self) -> bytes:
        """Write it."""

    def parts(self, shape: Shape) -> list[tuple[str, Shape]]:
        """Return mode and shape of each part of a block of a shape, (pictures, height, width, channels)."""

    def samples(self, parts: list[Samples], shape: Shape) -> Samples:
        """Compute the samples of those of the parts.

        Raises:
            FormatError: there are none.
        """

    def cost(self, shape: Shape) -> Cost:
        """Compute what :meth:`samples` costs."""

    def describe(self, shape: Shape) -> dict[str, Any]:
        """Describe it in what JSON holds."""


KINDS: tuple[Callable[[Reader, str], Origin], ...] = (values.read, enlarged.read, bayer.read, tones.read, pieces.read)
"""What reads the origin of a kind, whose number in files is its place here, which it keeps for ever."""


class Part(NamedTuple):
    """A part as it stands in a payload."""

    mode: str
    shape: Shape
    block: Block


class Remade(NamedTuple):
    """Hold what a payload tells.

    Attributes:
        origin: how samples follow from those of the parts.
        parts: the blocks.
        head: all bytes before the last part, which its checksum covers, too.
    """

    origin: Origin
    parts: list[Part]
    head: bytes


def fits(mode: str, shape: Shape) -> bool:
    """Tell whether pictures of a mode may be made of others."""
    return mode not in ROWS


def head(kind: int, origin: Origin, blocks: list[Block]) -> bytes:
    """Write all that stands before the last part: the origin, and all other parts."""
    parts = b"".join(block.model + varint(len(block.payload)) + block.payload for block in blocks)
    return bytes([kind]) + origin.to_bytes() + parts


def read(data: bytes, mode: str, shape: Shape) -> Remade:
    """Read what a payload tells; no part is decoded.

    Raises:
        FormatError: it is damaged.
    """
    reader = Reader(data)
    kind = reader.byte()
    if kind >= len(KINDS):
        raise FormatError(f"origin {kind} is unknown; a newer vaezip may know it")
    origin, parts = KINDS[kind](reader, mode), []
    *firsts, last = origin.parts(shape)
    for of_mode, of_shape in firsts:
        parts.append(Part(of_mode, of_shape, Block(_mark(reader), reader.take(reader.varint()))))
    first = data[: reader.position]
    return Remade(origin, [*parts, Part(*last, Block(_mark(reader), reader.take(reader.left)))], first)


def decode(data: bytes, mode: str, shape: Shape, *, part: Callable[[Part], tuple[Samples, int]]) -> tuple[Samples, int]:
    """Decode pictures: samples and checksum.

    Args:
        data: the payload.
        mode, shape: of the samples.
        part: decodes a part.

    Raises:
        FormatError: the payload is damaged.
    """
    found = read(data, mode, shape)
    parts, checksum = [], 0
    for one in found.parts:
        samples, checksum = part(one)
        parts.append(samples)
    return found.origin.samples(parts, shape), checksum ^ zlib.crc32(found.head)


def cost(data: bytes, mode: str, shape: Shape, *, part: Callable[[Part], Cost]) -> Cost:
    """Compute what :func:`decode` costs; arguments are as there.

    Raises:
        FormatError: the payload is damaged.
    """
    found = read(data, mode, shape)
    total = found.origin.cost(shape)
    for one in found.parts:
        total = total.beside(part(one))
    return total


def describe_origin(data: bytes, mode: str, shape: Shape) -> dict[str, Any]:
    """Describe the origin of a payload, and what its parts are coded by, in what JSON holds.

    Raises:
        FormatError: it is damaged.
    """
    found = read(data, mode, shape)
    parts = [
        {"mode": one.mode, "fingerprint": one.block.model.hex(), "bytes": len(one.block.payload)} for one in found.parts
    ]
    return found.origin.describe(shape) | {"parts": parts}


def _mark(reader: Reader) -> bytes:
    return reader.take(len(NO_MODEL))
