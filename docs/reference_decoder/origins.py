"""Chapter 14: colours from the planes that they were before."""

import numpy as np

from .coefficients import Decisions, clamp, key
from .primitives import Reader, require
from .stack import Stack

Rows = list[list[int]]

MAPS = {
    1: (0, 16, [91881, 65536, 0, -11728000], [-46802, 65536, -22554, 8910336], [0, 65536, 116130, -14831872]),
    2: (8, 6, [26149, 19077, 0, -14234], [-13320, 19077, -6419, 8708], [0, 19077, 33050, -17685]),
    3: (
        *(0, 20),
        [1909981, 1424386, 0, -261667422],
        [-972180, 1424386, -451174, 203571787],
        [0, 1424386, 2325637, -362799327],
    ),
    4: (
        *(0, 20),
        [1673555, 1220945, 0, -233225916],
        [-852458, 1220945, -410793, 142685289],
        [0, 1220945, 2115221, -289759142],
    ),
    5: (
        *(0, 20),
        [1879825, 1220945, 0, -259628460],
        [-558796, 1220945, -223607, 81136797],
        [0, 1220945, 2215014, -302532595],
    ),
    6: (
        *(0, 20),
        [1651297, 1048576, 0, -210841790],
        [-490864, 1048576, -196424, 88497103],
        [0, 1048576, 1945738, -248530128],
    ),
}
FFMPEG = {
    7: (16, 9539, 13075, -6660, -3209, 16525),
    8: (16, 9539, 14686, -4366, -1747, 17305),
    9: (16, 9539, 13752, -5328, -1535, 17545),
    10: (0, 8192, 11485, -5850, -2819, 14516),
    11: (0, 8192, 12901, -3835, -1534, 15201),
    12: (0, 8192, 12080, -4680, -1348, 15412),
}
COPIED, TRIANGLE, LIBJPEG = range(3)


class Origin:
    """Hold what stands behind *steps* where its bit 7 is 1 (section 14.1)."""

    def __init__(self, reader: Reader, size: tuple[int, int, int]) -> None:
        first, pixels = reader.number(1), size[0] * size[1] * size[2]
        self.sums, self.halved, number = first >> 7, first >> 6 & 1, first & 63
        require(number == 0 or number in MAPS or number in FFMPEG, "unknown colour map")
        require(not (self.sums and self.halved), "the planes of halved chroma are no sums")
        self.shape = (*size, 3)
        if self.halved:
            self.read_sampling(reader.number(1), size)
        self.zeros = None
        if number in MAPS:
            self.inner, self.outer, *self.rows = MAPS[number]
        elif number in FFMPEG:
            black, luma, cr_red, cr_green, cb_green, cb_blue = FFMPEG[number]
            self.inner, self.outer, self.zeros = 13, 0, (128, black, 128)
            self.rows = [[cr_red, luma, 0, 0], [cr_green, luma, cb_green, 0], [0, luma, cb_blue, 0]]
        else:
            n = np.frombuffer(reader.take(48), "<i4").tolist()
            self.inner, self.outer, self.rows = 0, 20, [n[0:4], n[4:8], n[8:12]]
        self.differences = Differences(reader)
        self.differences.check(pixels)

    def read_sampling(self, sampling: int, size: tuple[int, int, int]) -> None:
        """Read how chroma was enlarged, and compute the size of the sheets (section 14.4)."""
        n, h, w = size
        self.width = w
        self.down, self.phase = sampling & 1, (sampling >> 1 & 1, sampling >> 2 & 1)
        self.filter = sampling >> 3
        require(self.filter <= LIBJPEG and self.phase[0] <= self.down, "unknown sampling of chroma")
        rows = (h + self.phase[0] + 1) // 2 if self.down else h
        self.small = rows, (w + self.phase[1] + 1) // 2
        self.shape = (n, rows + h, max(2 * self.small[1], w), 1)

    def cut(self, sheets: np.ndarray) -> np.ndarray:
        """Make planes (n, h, w, 3) of sheets (section 14.4)."""
        rows, columns = self.small
        h = sheets.shape[1] - rows
        w = self.width
        planes = np.zeros((len(sheets), h, w, 3), np.int64)
        planes[..., 1] = sheets[:, rows:, :w, 0]
        for i in range(len(sheets)):
            for k in (0, 1):
                plane = sheets[i, :rows, k * columns : (k + 1) * columns, 0]
                for y in range(h):
                    for x in range(w):
                        planes[i, y, x, 2 * k] = self.enlarged(plane, y + self.phase[0], x + self.phase[1])
        return planes

    def enlarged(self, plane: np.ndarray, r: int, c: int) -> int:
        """Compute a sample of enlarged chroma (section 14.4)."""
        rows, columns = plane.shape
        y, x = r // 2 if self.down else r, c // 2
        y2, x2 = clamp(beside(r), 0, rows - 1), clamp(beside(c), 0, columns - 1)
        if self.filter == COPIED:
            return int(plane[y, x])
        near, far = int(plane[y, x]), int(plane[y, x2])
        if not self.down:
            return (3 * near + far + (1 if self.filter == LIBJPEG and c % 2 == 0 else 2)) >> 2
        total = 9 * near + 3 * far + 3 * int(plane[y2, x]) + int(plane[y2, x2])
        return (total + (7 if self.filter == LIBJPEG and c % 2 else 8)) >> 4

    def colours(self, values: np.ndarray) -> np.ndarray:
        """Compute the samples (n, h, w, 3) of the values that the chain gave."""
        planes = (self.cut(values) if self.halved else values).astype(np.int64)
        if self.sums:
            planes[..., 0::2] = (planes[..., 0::2] - planes[..., 1:2] + 128) % 256
        found = np.stack([self.channel(row, planes) for row in self.rows], axis=-1)
        return self.differences.add(found, planes).astype(np.uint8)

    def channel(self, row: list[int], planes: np.ndarray) -> np.ndarray:
        """Compute a channel by the map (section 14.2)."""
        if self.zeros:
            parts = [(a * (planes[..., i] - self.zeros[i])) >> self.inner for i, a in enumerate(row[:3])]
            return np.clip((row[3] + sum(parts)) >> self.outer, 0, 255)
        total = row[3] + sum(np.sign(a) * ((abs(a) * planes[..., i]) >> self.inner) for i, a in enumerate(row[:3]) if a)
        return np.clip(total >> self.outer, 0, 255)


class Differences:
    """Hold what is not explained: fields *unexplained*, *length* and *differences* (section 14.1)."""

    def __init__(self, reader: Reader) -> None:
        self.unexplained = reader.varint()
        self.data = reader.take(reader.varint()) if self.unexplained else b""

    def check(self, pixels: int) -> None:
        """Refuse more than there are pixels."""
        require(self.unexplained <= pixels, "more pixels are unexplained than there are")

    def add(self, values: np.ndarray, planes: np.ndarray | None = None) -> np.ndarray:
        """Add the differences (section 14.3) to values (n, h, w, 3), which may be the planes."""
        if not self.unexplained:
            return values
        n, h, w, _ = values.shape
        stack = Stack(self.data)
        decisions = Decisions(stack)
        sheet, found = (values if planes is None else planes).reshape(n * h, w, 3), np.zeros((n * h, w, 3), np.int64)
        for y in range(n * h):
            for x in range(w):
                for k in range(3):
                    found[y, x, k] = decode_difference(decisions, sheet[y, x].tolist(), found, (y, x, k))
        require(stack.seed() == 0, "the differences are damaged")
        require(np.count_nonzero(found.any(axis=-1)) == self.unexplained, "another number of pixels is unexplained")
        return (values + found.reshape(values.shape)) % 256


def beside(place: int) -> int:
    """Return the sample, of a row with half as many, on the other side of one."""
    return place // 2 + (1 if place % 2 else -1)


def small(e: int) -> int:
    """Clamp a difference."""
    return clamp(e, -2, 2) + 2


def decode_difference(d: Decisions, planes: list[int], found: np.ndarray, place: tuple[int, int, int]) -> int:
    """Decode a difference behind those found before it."""
    y, x, k = place
    p0, p1, p2 = planes

    def at(down: int, across: int) -> int:
        inside = y + down >= 0 and 0 <= x + across < found.shape[1]
        return small(found[y + down, x + across, k]) if inside else 2

    w, n, nw, ne = at(0, -1), at(-1, 0), at(-1, -1), at(-1, 1)
    first = int(found[y, x, 0]) if k > 0 else 0
    second = int(found[y, x, 1]) if k == 2 else 0
    here = 5 * small(first) + small(second)
    around = sum(e != 2 for e in (w, n, nw, ne))
    d.h = [
        key(k, 5 * w + n, here),
        key(k + 4, 5 * w + n, 5 * nw + ne),
        key(k + 8, 0, here),
        key(k + 12, (first + 128) * 256 + second + 128, around),
        key(k + 16, p0, 256 * p1 + p2),
        key(k + 20, p0, p1),
        key(k + 24, p1, p2),
        key(k + 28, p0, p2),
        key(k + 32, p1, around),
        key(k + 36, 256 * p0 + p1, here),
    ]
    d.h = [16 * h for h in d.h]
    d.c = [5 * k + around, 48, 49]
    if not d.pop(0, 0, 5 * k + around):
        return 0
    d.c[2] = 50
    less, size, known = d.pop(1, 1, 16), 0, 1
    while size < 7:
        d.c[1], d.c[2] = 51 + size, 60 + less
        if not d.pop(2, 2 + size, 17 + size):
            break
        size += 1
    for i in range(size - 1, -1, -1):
        d.c[1], d.c[2] = 64 + size, 72 + i
        known = 2 * known + d.pop(3, 16 * (size + 1) + min(known, 15), 25 + size)
    return max(-known, -128) if less else min(known, 127)
