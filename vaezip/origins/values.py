"""Values: which samples of a channel may occur, so that their ranks can be coded in the place of them.

A picture whose contrast was stretched, whose curve was bent, or whose 12 bits were spread over 16, has holes among its
values. Its ranks have none, and often no more than 8 bits. ``docs/format/remade.md`` defines the fields.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import FormatError
from vaezip.models.cost import Cost
from vaezip.models.kinds import channels, has_alpha, is_wide
from vaezip.vz.wire import Reader, varint

Samples = NDArray[Any]
Shape = tuple[int, ...]

Set = NDArray[np.int64]
"""The samples of a channel that may occur, in rising order."""

LINE, BITS, DEFLATED = 0, 1, 2
"""Forms of a set: values on a line; a bit for each value from the first to the last; the same, deflated."""

SHIFT = 24
"""log2 of what the slope and the start of a line are over."""

NARROW = {"L": "L", "LA": "LA", "RGB": "RGB", "RGBA": "RGBA", "I;16": "L", "LA;16": "LA", "RGB;16": "RGB"} | {
    "RGBA;16": "RGBA"
}
"""The mode of ranks of 8 bits, of each mode whose samples may have holes."""

_EIGHT_BITS = 256
_RAW = -15
"""The window bits of zlib without a header."""

_MOST_BITS = 1 << 13
"""Bytes of the bits of a set."""

_ALIKE = 1
"""The bit that tells that all colours share one set."""

_BYTES, _WORK, _TABLE = 12, 16, 1 << 21
"""Bytes of a sample, operations of one, and bytes beside."""


def line(count: int, slope: int, start: int) -> Set:
    """Return the values ⌊(rank · slope + start) / 2^24⌋ of so many ranks."""
    return (np.arange(count, dtype=np.int64) * slope + start) >> SHIFT


@dataclass(frozen=True)
class Line:
    """A set whose values lie on a line; see :func:`line`."""

    count: int
    slope: int
    start: int

    def values(self) -> Set:
        """Compute the set."""
        return line(self.count, self.slope, self.start)

    def to_bytes(self) -> bytes:
        """Write the set."""
        return bytes([LINE]) + varint(self.count - 1) + varint(self.slope) + varint(self.start)


def listed(values: Set) -> bytes:
    """Write any set: its first value, and a bit for each value behind that."""
    marks = np.zeros(int(values[-1] - values[0]) + 1, np.uint8)
    marks[values - values[0]] = 1
    plain = np.packbits(marks[1:]).tobytes()
    deflater = zlib.compressobj(9, zlib.DEFLATED, _RAW)
    packed = deflater.compress(plain) + deflater.flush()
    form, bits = (DEFLATED, packed) if len(packed) < len(plain) else (BITS, plain)
    return bytes([form]) + varint(int(values[0])) + varint(len(bits)) + bits


def read_set(reader: Reader, levels: int) -> tuple[Set, bytes]:
    """Read a set of samples below so many levels, and return it with the bytes that tell it.

    Raises:
        FormatError: it is damaged.
    """
    start = reader.position
    form = reader.byte()
    if form == LINE:
        found = _read_line(reader, levels)
    elif form in (BITS, DEFLATED):
        first, bits = reader.varint(), reader.take(reader.varint())
        marks = _inflated(bits) if form == DEFLATED else bits
        if first >= levels or len(marks) > _MOST_BITS:
            raise FormatError("the coded data is damaged")
        found = first + np.append(0, 1 + np.flatnonzero(np.unpackbits(np.frombuffer(marks, np.uint8))))
    else:
        raise FormatError(f"values of form {form} are unknown; a newer vaezip may read them")
    if found[-1] >= levels or (np.diff(found) <= 0).any():
        raise FormatError("the coded data is damaged")
    return found.astype(np.int64), reader.data[start : reader.position]


def _read_line(reader: Reader, levels: int) -> Set:
    count, slope, start = reader.varint() + 1, reader.varint(), reader.varint()
    if count > levels or max(slope, start) >= levels << SHIFT:
        raise FormatError("the coded data is damaged")
    return line(count, slope, start)


def _inflated(data: bytes) -> bytes:
    inflater = zlib.decompressobj(_RAW)
    try:
        marks = inflater.decompress(data, _MOST_BITS + 1)
    except zlib.error as error:
        raise FormatError("the coded data is damaged") from error
    if not inflater.eof or inflater.unused_data:
        raise FormatError("the coded data is damaged")
    return marks


@dataclass(frozen=True)
class Values:
    """Hold which samples of each channel may occur.

    Attributes:
        mode: of the picture.
        sets: one for each channel; all colours may share one.
        coded: the bytes that tell them.
    """

    mode: str
    sets: tuple[Set, ...]
    coded: bytes

    def to_bytes(self) -> bytes:
        """Write them."""
        return self.coded

    def parts(self, shape: Shape) -> list[tuple[str, Shape]]:
        """Return mode and shape of the ranks: of 8 bits, if no channel has more."""
        narrow = max(map(len, self.sets)) <= _EIGHT_BITS
        return [(NARROW[self.mode] if narrow else self.mode, shape)]

    def samples(self, parts: list[Samples], shape: Shape) -> Samples:
        """Compute the samples of ranks.

        Raises:
            FormatError: there are no such ranks.
        """
        (ranks,) = parts
        out = np.empty(shape, np.uint16 if is_wide(self.mode) else np.uint8)
        for channel, values in enumerate(self.sets):
            if ranks[..., channel].max() >= len(values):
                raise FormatError("the coded data is damaged")
            out[..., channel] = values.astype(out.dtype)[ranks[..., channel]]
        return out

    def cost(self, shape: Shape) -> Cost:
        """Compute what :meth:`samples` costs."""
        size = int(np.prod(shape))
        return Cost(_BYTES * size + _TABLE, _WORK * size)

    def describe(self, shape: Shape) -> dict[str, Any]:
        """Describe them in what JSON holds: how many values of how many occur, which explains every pixel."""
        counts = [f"{len(values):,} of {int(values[-1] - values[0]) + 1:,}" for values in self.sets]
        pixels = shape[0] * shape[1] * shape[2]
        return {
            "name": f"values with holes ({', '.join(dict.fromkeys(counts))})",
            "pixels": pixels,
            "explained": pixels,
        }


def of_sets(mode: str, coded: list[tuple[Set, bytes]], *, alike: bool) -> Values:
    """Return the values of sets and the bytes that tell each: one of all colours if they are ``alike``, or else one of
    each; and one of alpha."""
    sets = [values for values, _ in coded]
    if alike:
        sets = [sets[0]] * (channels(mode) - len(sets)) + sets
    return Values(mode, tuple(sets), bytes([_ALIKE * alike]) + b"".join(data for _, data in coded))


def read(reader: Reader, mode: str) -> Values:
    """Read the values of a picture.

    Raises:
        FormatError: they are damaged.
    """
    if mode not in NARROW:
        raise FormatError("the file is damaged: pictures of its mode have no values with holes")
    alike = reader.byte()
    if alike > _ALIKE:
        raise FormatError("the coded data is damaged")
    count = 1 + has_alpha(mode) if alike else channels(mode)
    levels = 1 << 16 if is_wide(mode) else _EIGHT_BITS
    return of_sets(mode, [read_set(reader, levels) for _ in range(count)], alike=bool(alike))
