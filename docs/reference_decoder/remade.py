"""Chapter 17: pictures made of others."""

import zlib
from collections.abc import Callable

import numpy as np

from .modes import ALL_WITH_RANKS, MODES, NARROW
from .origins import Differences
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


AROUND = ((-1, -1), (-1, 1), (1, -1), (1, 1), (-1, 0), (1, 0), (0, -1), (0, 1))


class Mosaic:
    """Hold how colours follow from a mosaic (section 17.4)."""

    def __init__(self, reader: Reader, number: int) -> None:
        require(number == 3, "pictures of this mode have no mosaic")
        layout = reader.number(1)
        require(layout < 16, "damaged layout")
        self.down, self.across, self.up, self.copied = (layout >> i & 1 for i in range(4))
        self.weights = np.frombuffer(reader.take(16), "<i2").tolist()
        self.constant = int(np.frombuffer(reader.take(4), "<i4")[0])
        self.differences = Differences(reader)

    def parts(self, shape: Shape) -> list[tuple[int, Shape]]:
        """Return the modes and shapes of the two parts."""
        n, h, w, _ = shape
        require(min(h, w) >= 4, "the picture is too small for a mosaic")
        self.differences.check(n * h * w)
        return [(3, (n, -(-h // 2), -(-w // 2), 3)), (1, (n, -(-h // 2), -(-w // 2), 1))]

    def samples(self, parts: list[np.ndarray], shape: Shape) -> np.ndarray:
        """Compute the samples from both parts."""
        pictures = [self.picture(q.astype(int), e.astype(int), shape[1:3]) for q, e in zip(*parts)]
        return self.differences.add(np.stack(pictures)).astype(np.uint8)

    def picture(self, q: np.ndarray, e: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Compute the values of one picture."""
        h, w = size
        y, x = np.mgrid[:h, :w]
        red_row, red_column = (y + self.down) % 2 == 0, (x + self.across) % 2 == 0
        channel = np.where(red_row, np.where(red_column, 0, 1), 2)
        late = ~red_row & red_column
        m = np.where(late, 0, q[y // 2, x // 2, channel])
        total = self.constant + sum(w * mirrored(m, dy, dx) for w, (dy, dx) in zip(self.weights, AROUND))
        guess = np.clip((total + 2**11) >> 12, 0, 255)
        m = np.where(late, (guess + e[y // 2, x // 2, 0] - 128) % 256, m)
        beside = mirrored(m, 0, -1) + mirrored(m, 0, 1)
        above = mirrored(m, -1, 0) + mirrored(m, 1, 0)
        across, down, plus = (beside + self.up) >> 1, (above + self.up) >> 1, (beside + above + 2 * self.up) >> 2
        cross = (sum(mirrored(m, dy, dx) for dy, dx in AROUND[:4]) + 2 * self.up) >> 2
        is_green = red_row != red_column
        red = np.where(is_green, np.where(red_row, across, down), np.where(red_row, m, cross))
        blue = np.where(is_green, np.where(red_row, down, across), np.where(red_row, cross, m))
        values = np.stack([red, np.where(is_green, m, plus), blue], axis=-1)
        return np.pad(values[1:-1, 1:-1], ((1, 1), (1, 1), (0, 0)), mode="edge") if self.copied else values


def mirrored(m: np.ndarray, dy: int, dx: int) -> np.ndarray:
    """Return M[y + dy][x + dx] for all y and x, mirrored beyond the border."""
    h, w = m.shape
    return np.pad(m, 1, mode="reflect")[1 + dy : 1 + dy + h, 1 + dx : 1 + dx + w]


class Tones:
    """Hold how many tones there are (section 17.5)."""

    def __init__(self, reader: Reader, number: int) -> None:
        require(number == 3, "pictures of this mode have no tones")
        self.count = reader.number(1) + 1

    def parts(self, shape: Shape) -> list[tuple[int, Shape]]:
        """Return the modes and shapes of the table and of the places in it."""
        return [(3, (1, 1, self.count, 3)), (1, (*shape[:3], 1))]

    def samples(self, parts: list[np.ndarray], shape: Shape) -> np.ndarray:
        """Look the tone of each pixel up."""
        tones, places = parts
        require(int(places.max()) < self.count, "there is no such tone")
        return tones[0, 0][places[..., 0]]


class Pieces:
    """Hold which rectangles are coded as pictures (section 17.6)."""

    def __init__(self, reader: Reader, number: int) -> None:
        require(number in (1, 2, 3, 4), "pictures of this mode are not cut")
        self.number, count = number, reader.number(1) + 1
        require(count <= 64, "there are too many rectangles")
        self.rectangles = [self.rectangle(reader) for _ in range(count)]

    @staticmethod
    def rectangle(reader: Reader) -> tuple[int, int, int, int]:
        """Read first row, first column, rows and columns."""
        top, left = reader.varint(), reader.varint()
        return top, left, reader.varint() + 1, reader.varint() + 1

    def parts(self, shape: Shape) -> list[tuple[int, Shape]]:
        """Return the mode of the parts, and their shapes."""
        n, h, w, c = shape
        require(n == 1, "several pictures are not cut")
        require(all(t + rows <= h and x + columns <= w for t, x, rows, columns in self.rectangles), "beyond the border")
        require(sum(rows * columns for _, _, rows, columns in self.rectangles) <= h * w, "the rectangles are too large")
        return [(self.number, shape), *((self.number, (1, *size, c)) for _, _, *size in self.rectangles)]

    def samples(self, parts: list[np.ndarray], shape: Shape) -> np.ndarray:
        """Put the rectangles into the first part."""
        found = parts[0].copy()
        for (top, left, rows, columns), part in zip(self.rectangles, parts[1:]):
            found[:, top : top + rows, left : left + columns] = part
        return found


KINDS = (Values, Repeated, Mosaic, Tones, Pieces)
