"""Pictures that were JPEGs: the payload of their blocks; ``docs/format/jpeg-pixels.md``.

The coefficients are coded as those of JPEG files are, and beside them whatever they do not explain.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy.stack import Stack
from vaezip.errors import FormatError, VaezipError
from vaezip.models.coefficient import differences
from vaezip.models.coefficient import model as coefficient
from vaezip.models.cost import Cost
from vaezip.origins.jpeg import description as describing
from vaezip.origins.jpeg.description import SIDE, Description
from vaezip.origins.jpeg.picture import Plane, picture, planes
from vaezip.pictures.jpeg.parts import JpegFile, coefficient_bytes
from vaezip.pictures.jpeg.scans import BLOCK
from vaezip.vz.wire import Reader, varint

if TYPE_CHECKING:
    from vaezip.models.effort import Effort
    from vaezip.origins.jpeg.search.find import Found

NAME = "jpeg pixels"

_CHANNELS = {"L": 1, "RGB": 3}
_MOST_PICTURES = 64
"""In a block; of more it is not tried."""

_CLEAR = 0.85
"""The share of blocks, and of chroma, that come from a JPEG exactly, by a look, from which on no model comes near."""

_WORK, _WORK_OF_SAMPLE, _BYTES_OF_SAMPLE = 1 << 19, 1 << 13, 16
"""Operations of a block of 8 × 8, and of a sample; memory of a sample."""

_PIXELS, _BORDERS = 2, 5
"""Kinds of differences, beside 0 for those of Y and 1 for those of Cb and Cr; the first channel of the pixels has kind
2, and the others have those behind it."""

Samples = NDArray[Any]


def fits(mode: str, shape: tuple[int, ...]) -> bool:
    """Tell whether such pictures may have been JPEGs."""
    return mode in _CHANNELS and min(shape) >= SIDE


def promises(samples: Samples, mode: str) -> bool:
    """Tell whether all pictures show the traces of a JPEG."""
    from vaezip.origins.jpeg.search.find import traces

    return len(samples) <= _MOST_PICTURES and all(traces(one) is not None for one in samples)


def settles(samples: Samples, mode: str) -> bool:
    """Tell whether the traces are so clear that no model comes near."""
    from vaezip.origins.jpeg.search.find import explained

    return all(explained(one) > _CLEAR for one in samples)


def encode(samples: Samples, mode: str, checksum: int, *, effort: Effort) -> bytes:
    """Code pictures that were JPEGs.

    Raises:
        VaezipError: one was none.
    """
    from vaezip.origins.jpeg.search.find import find

    out = b""
    for i, one in enumerate(samples):
        found = find(one)
        if found is None:
            raise VaezipError("the picture was no JPEG", "other-model")
        if i == len(samples) - 1:
            return out + _encode(one, found, out, checksum)
        data = _encode(one, found, b"", 0)
        out += varint(len(data)) + data
    raise VaezipError("there is no picture to compress")


def decode(data: bytes, mode: str, shape: tuple[int, ...]) -> tuple[Samples, int]:
    """Invert :func:`encode`: samples and checksum.

    Raises:
        FormatError: the data is not what it made of such pictures.
    """
    out = np.zeros(shape, np.uint8)
    reader, checksum = Reader(data), 0
    for i in range(shape[0]):
        start = reader.position if i == shape[0] - 1 else 0
        part = data[start:] if i == shape[0] - 1 else reader.take(reader.varint())
        out[i], checksum = _decode(part, data[:start], shape[1:])
        if checksum and i < shape[0] - 1:
            raise FormatError("the coded data is damaged")
    return out, checksum


def cost(data: bytes, mode: str, shape: tuple[int, ...]) -> Cost:
    """Compute what :func:`decode` costs.

    Raises:
        FormatError: the data cannot be what :func:`encode` made of such pictures.
    """
    reader, found = Reader(data), Cost(0, 0)
    for i in range(shape[0]):
        part = reader if i == shape[0] - 1 else Reader(reader.take(reader.varint()))
        description, _ = _read_head(part, shape[1:])
        file = description.file()
        blocks = sum(component.size[0] * component.size[1] for component in file.components)
        samples = BLOCK * blocks + int(np.prod(shape[1:]))
        memory = coefficient_bytes(file) + coefficient.memory(file) + differences.MEMORY + _BYTES_OF_SAMPLE * samples
        found = Cost(max(found.memory, memory), found.work + _WORK * blocks + _WORK_OF_SAMPLE * samples)
    return found._replace(memory=found.memory + 2 * int(np.prod(shape)) + 2 * len(data))


def describe(data: bytes, shape: tuple[int, ...]) -> str:
    """Say what the first picture of a payload was.

    Raises:
        FormatError: the payload is damaged.
    """
    description, _ = _first_head(data, shape)
    right, total = explained(data, shape)
    share = 1000 * right // total
    return f"was a JPEG, {description.name()}; {share // 10}.{share % 10} % of blocks"


def explained(data: bytes, shape: tuple[int, ...]) -> tuple[int, int]:
    """Count the blocks of the first picture of a payload that need no differences, at least, and all its blocks.

    Raises:
        FormatError: the payload is damaged.
    """
    description, wrong = _first_head(data, shape)
    total = sum(component.size[0] * component.size[1] for component in description.file().components)
    return total - min(wrong, total), total


def _first_head(data: bytes, shape: tuple[int, ...]) -> tuple[Description, int]:
    reader = Reader(data)
    if shape[0] > 1:
        reader.varint()
    return _read_head(reader, shape[1:])


def _encode(samples: Samples, found: Found, before: bytes, checksum: int) -> bytes:
    """Code a picture; the seed of its stack is a checksum, and protects what is before the stack, too."""
    file = _file(found.description)
    for plane, coefficients in zip(file.planes(), found.coefficients, strict=True):
        plane[...] = coefficients
    parts, rooms = planes(found.description, file.planes()), _Rooms(found.description)
    for part, room, target in zip(parts, rooms.components, found.targets, strict=True):
        place = slice(0, room.shape[1]), slice(0, room.shape[2])
        room[0] = _signed(target[place], part[place])
    for pair, border in zip(rooms.borders, found.borders, strict=False):
        pair[0][...], pair[1][...] = border
    rooms.pixels[...] = _signed(samples, _explained(found.description, parts, rooms)).transpose(2, 0, 1)
    count, state, behind = rooms.flagged(), differences.new_state(), []
    for kind, one in rooms.all() if count else ():
        behind += differences.encode(state, one, kind=kind)
    head = describing.write(found.description) + varint(count)
    return head + coefficient.encode(file, checksum ^ zlib.crc32(before + head), behind)


def _decode(data: bytes, before: bytes, shape: tuple[int, ...]) -> tuple[Samples, int]:
    """Return a picture and what its seed was made of."""
    reader = Reader(data)
    description, count = _read_head(reader, shape)
    file, rooms = _file(description), _Rooms(description)

    def pop_differences(coded: Stack) -> None:
        state = differences.new_state()
        for kind, room in rooms.all():
            differences.decode(state, coded, room, kind=kind)

    head = data[: reader.position]
    seed = coefficient.decode(data[reader.position :], file, pop_differences if count else None)
    if rooms.flagged() != count:
        raise FormatError("the coded data is damaged")
    found = _explained(description, planes(description, file.planes()), rooms)
    return (found + rooms.pixels.transpose(1, 2, 0)).astype(np.uint8), seed ^ zlib.crc32(before + head)


class _Rooms:
    """Differences of a picture, 0 at first.

    Attributes:
        components: of each component, (1, rows, columns).
        borders: of Cb and Cr where they were filtered: above and below, and to the left and right.
        pixels: (channels, height, width).
    """

    def __init__(self, description: Description) -> None:
        channels = len(description.steps)
        sizes = [description.samples(c) for c in range(channels)]
        self.components = [np.zeros((1, *size), np.int16) for size in sizes]
        self.borders = [
            (np.zeros((2, 1, w), np.int16), np.zeros((2, 1, h), np.int16)) for h, w in sizes[1:] if description.fancy
        ]
        self.pixels = np.zeros((channels, *description.size), np.int16)

    def all(self) -> Iterator[tuple[int, NDArray[np.int16]]]:
        """Yield the differences in the order of the file, each with its kind."""
        for c, room in enumerate(self.components):
            yield min(c, 1), room
        for pair in self.borders:
            for room in pair:
                yield _BORDERS, room
        yield _PIXELS, self.pixels

    def flagged(self) -> int:
        """Count the tiles that have differences."""
        return sum(differences.flagged(room) for _, room in self.all())


def _read_head(reader: Reader, shape: tuple[int, ...]) -> tuple[Description, int]:
    """Return a description, and in how many tiles there are differences."""
    description = describing.read(reader, (shape[0], shape[1]), shape[2])
    return description, reader.varint()


def _file(description: Description) -> JpegFile:
    """Return the components and steps of a description, and coefficients of 0."""
    file = description.file()
    file.coefficients = np.zeros((coefficient_bytes(file) // (2 * BLOCK), BLOCK), np.int16)
    return file


def _explained(description: Description, parts: list[Plane], rooms: _Rooms) -> Samples:
    """Return the pixels that components and their differences give."""
    for part, room in zip(parts, rooms.components, strict=True):
        part[: room.shape[1], : room.shape[2]] += room[0].astype(np.uint8)
    return picture(description, parts, rooms.borders or None)


def _signed(wanted: Samples, found: Samples) -> NDArray[np.int16]:
    """Return what leads from 8-bit samples to others, −128 … 127, modulo 256."""
    return (wanted - found).astype(np.int8).astype(np.int16)
