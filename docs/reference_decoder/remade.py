"""Chapter 17: pictures made of others."""

import zlib
from collections.abc import Callable

import numpy as np

from .modes import ALL_WITH_RANKS, MODES, NARROW
from .primitives import Reader, require

Shape = tuple[int, ...]
DecodePart = Callable[[bytes, int, Shape, bytes], tuple[np.ndarray, int]]


def decode_remade(data: bytes, number: int, shape: Shape, decode_part: DecodePart) -> tuple[np.ndarray, int]:
    """Decode samples (n, h, w, c) and the checksum; parts are decoded from payload, mode, shape and mark."""
    reader = Reader(data)
    kind = reader.number(1)
    require(kind < len(KINDS), "unknown kind of origin")
    origin = KINDS[kind](reader, number)
    *firsts, last = origin.parts(shape)
    parts = []
    for mode, size in firsts:
        mark = reader.take(4)
        parts.append(decode_part(reader.take(reader.varint()), mode, size, mark)[0])
    before = data[: reader.position]
    mark = reader.take(4)
    samples, checksum = decode_part(reader.rest(), *last, mark)
    return origin.samples([*parts, samples], shape), checksum ^ zlib.crc32(before)


class Values:
    """Hold the values that may occur (section 17.2)."""

    def __init__(self, reader: Reader, number: int) -> None:
        require(number in ALL_WITH_RANKS, "pictures of this mode have no ranks")
        self.number, mode = number, MODES[number]
        alike = reader.number(1)
        require(alike <= 1, "damaged values")
        colours, levels = mode.channels - mode.alpha, 1 << mode.bits
        sets = [read_set(reader, levels) for _ in range(1 if alike else colours)]
        self.sets = sets * colours if alike else sets
        if mode.alpha:
            self.sets.append(read_set(reader, levels))

    def parts(self, shape: Shape) -> list[tuple[int, Shape]]:
        """Return the mode of the ranks, and their shape."""
        narrow = all(len(values) <= 256 for values in self.sets)
        return [(NARROW.get(self.number, self.number) if narrow else self.number, shape)]

    def samples(self, parts: list[np.ndarray], shape: Shape) -> np.ndarray:
        """Compute the samples of ranks."""
        channels = []
        for i, values in enumerate(self.sets):
            ranks = parts[0][..., i]
            require(int(ranks.max()) < len(values), "there is no such rank")
            channels.append(values[ranks])
        return np.stack(channels, axis=-1).astype(np.uint16 if MODES[self.number].bits == 16 else np.uint8)


def read_set(reader: Reader, levels: int) -> np.ndarray:
    """Read the values of a channel."""
    form = reader.number(1)
    require(form <= 2, "unknown form of values")
    if form == 0:
        count, slope, start = reader.varint() + 1, reader.varint(), reader.varint()
        require(count <= levels and max(slope, start) < levels << 24, "damaged values")
        values = [(rank * slope + start) >> 24 for rank in range(count)]
    else:
        first, bits = reader.varint(), reader.take(reader.varint())
        if form == 2:
            bits = inflate(bits)
        require(len(bits) <= 8192, "damaged values")
        marks = np.unpackbits(np.frombuffer(bits, np.uint8))
        values = [first, *(first + 1 + int(i) for i in np.flatnonzero(marks))]
    require(values[-1] < levels and bool((np.diff(values) > 0).all()), "damaged values")
    return np.array(values)


def inflate(data: bytes) -> bytes:
    """Unpack a raw deflate stream."""
    inflater = zlib.decompressobj(-15)
    try:
        out = inflater.decompress(data, 8193)
    except zlib.error:
        require(False, "damaged values")
    require(inflater.eof and not inflater.unused_data, "damaged values")
    return out


class Repeated:
    """Hold how pixels were repeated (section 17.3)."""

    def __init__(self, reader: Reader, number: int) -> None:
        self.number, factors, phase = number, reader.number(1), reader.number(1)
        self.down, self.across, self.top, self.left = factors // 8 + 1, factors % 8 + 1, phase // 8, phase % 8
        allowed = 0 < factors < 64 and self.top < self.down and self.left < self.across
        require(allowed, "damaged factors or phase")

    def parts(self, shape: Shape) -> list[tuple[int, Shape]]:
        """Return the mode of the smaller pictures, and their shape."""
        n, h, w, c = shape
        return [(self.number, (n, -(-(h + self.top) // self.down), -(-(w + self.left) // self.across), c))]

    def samples(self, parts: list[np.ndarray], shape: Shape) -> np.ndarray:
        """Repeat the pixels of the smaller pictures."""
        rows = [(y + self.top) // self.down for y in range(shape[1])]
        columns = [(x + self.left) // self.across for x in range(shape[2])]
        return parts[0][:, rows][:, :, columns]


KINDS = (Values, Repeated)
