"""Chapter 16: pictures that were JPEGs."""

import zlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .coefficients import ZIGZAG, Decisions, Plane, bounded, decode_planes, grade, key
from .cost import check_pixels_work
from .jpeg_dictionary import CHROMINANCE, LUMINANCE
from .primitives import Reader, require
from .stack import Stack

Array = NDArray[np.int64]
SAMPLINGS = [(1, 1), (1, 2), (2, 2), (2, 1)]  # V, H
LINE_BITS = 10
C = (131072, 181802, 171254, 154124, 131072, 102983, 70936, 36163)


@dataclass
class Part:
    """Hold what stands before the stack of a part (section 16.1), and the bytes of the stack."""

    size: tuple[int, int]
    factors: tuple[int, int]
    fancy: bool
    once: bool
    phase: tuple[int, int]
    tiles: int = 0
    steps: list[list[int]] = field(default_factory=list)
    head: bytes = b""
    stack: bytes = b""

    def blocks(self, component: int) -> tuple[int, int]:
        """Count the blocks of a component, down and across (section 16.3)."""
        mcus = (-(-(p + s) // (8 * f)) for p, s, f in zip(self.phase, self.size, self.factors, strict=True))
        down, across = (m * (1 if component else f) for m, f in zip(mcus, self.factors, strict=True))
        return down, across

    def shown(self, component: int) -> tuple[int, int]:
        """Count the shown samples of a component, down and across (section 16.4)."""
        factors = self.factors if component else (1, 1)
        down, across = (-(-(p + s) // f) for p, s, f in zip(self.phase, self.size, factors, strict=True))
        return down, across


def read_part(data: bytes, size: tuple[int, int], components: int) -> Part:
    """Read a part up to its stack."""
    reader = Reader(data)
    require(reader.number(1) == 0, "an unknown version of a description")
    kind = reader.number(1)
    once, kind = bool(kind & 8), kind & ~8
    require(kind < 8 and kind != 4 and (components == 3 or kind == 0), "an unknown sampling")
    factors = SAMPLINGS[kind % 4]
    phase = reader.number(1), reader.number(1)
    require(phase[0] < 8 * factors[0] and phase[1] < 8 * factors[1], "the phase is out of range")
    part = Part(size, factors, kind >= 4, once, phase)
    for c in range(components):
        part.steps.append(read_steps(reader, c, part.steps))
    part.tiles = reader.varint()
    part.head, part.stack = data[: reader.position], reader.rest()
    return part


def read_steps(reader: Reader, component: int, before: list[list[int]]) -> list[int]:
    """Read the steps of a component (section 16.2)."""
    b = reader.number(1)
    if b == 0:
        steps = [0] * 64
        for place in ZIGZAG:
            steps[place] = reader.varint()
        require(all(1 <= step <= 65535 for step in steps), "a step is out of range")
        return steps
    if b == 101 and before:
        return before[-1]
    require(b <= 100, "unknown steps")
    scale = 5000 // b if b < 50 else 200 - 2 * b
    return [min(max((step * scale + 50) // 100, 1), 255) for step in (CHROMINANCE if component else LUMINANCE)]


def turn(x: list[int], shift: int) -> list[int]:
    """Transform eight numbers (section 16.4)."""
    z = (x[2] + x[6]) * 4433
    t2, t3 = z - x[6] * 15137, z + x[2] * 6270
    t0, t1 = (x[0] + x[4]) << 13, (x[0] - x[4]) << 13
    even = [t0 + t3, t1 + t2, t1 - t2, t0 - t3]
    z1, z2, z3, z4 = x[7] + x[1], x[5] + x[3], x[7] + x[3], x[5] + x[1]
    z5 = (z3 + z4) * 9633
    z1, z2, z3, z4 = -z1 * 7373, -z2 * 20995, z5 - z3 * 16069, z5 - z4 * 3196
    odd = [x[1] * 12299 + z1 + z4, x[3] * 25172 + z2 + z3, x[5] * 16819 + z2 + z4, x[7] * 2446 + z1 + z3]
    pairs, half = list(zip(even, odd, strict=True)), 1 << (shift - 1)
    return [(e + o + half) >> shift for e, o in pairs] + [(e - o + half) >> shift for e, o in reversed(pairs)]


def turn_once(x: list[int]) -> list[int]:
    """Transform eight numbers without a rounding (section 16.4)."""
    c = C
    even = [
        (x[0] + x[4]) * c[4] + x[2] * c[2] + x[6] * c[6],
        (x[0] - x[4]) * c[4] + x[2] * c[6] - x[6] * c[2],
        (x[0] - x[4]) * c[4] - x[2] * c[6] + x[6] * c[2],
        (x[0] + x[4]) * c[4] - x[2] * c[2] - x[6] * c[6],
    ]
    odd = [
        x[1] * c[1] + x[3] * c[3] + x[5] * c[5] + x[7] * c[7],
        x[1] * c[3] - x[3] * c[7] - x[5] * c[1] - x[7] * c[5],
        x[1] * c[5] - x[3] * c[1] + x[5] * c[7] + x[7] * c[3],
        x[1] * c[7] - x[3] * c[5] + x[5] * c[3] - x[7] * c[1],
    ]
    pairs = list(zip(even, odd, strict=True))
    return [e + o for e, o in pairs] + [e - o for e, o in reversed(pairs)]


def inverse(block: list[list[int]], once: bool) -> Array:
    """Make the samples of a block (section 16.4)."""
    columns = [[row[i] for row in block] for i in range(8)]
    turned = [turn_once(column) if once else turn(column, 11) for column in columns]
    rows = [[column[i] for column in turned] for i in range(8)]
    if once:
        return np.array([[(value + 2**36) >> 37 for value in turn_once(row)] for row in rows])
    return np.array([turn(row, 18) for row in rows])


def transform(plane: Plane, steps: list[int], once: bool) -> Array:
    """Make the samples of a component from its blocks."""
    out = np.zeros((8 * plane.rows, 8 * plane.columns), np.int64)
    for y in range(plane.rows):
        for x in range(plane.columns):
            block = np.clip(plane.blocks[y, x] * np.array(steps), -32767, 32767).reshape(8, 8).tolist()
            out[8 * y : 8 * y + 8, 8 * x : 8 * x + 8] = np.clip(inverse(block, once) + 128, 0, 255)
    return out


def upsample(part: Part, samples: Array, across: Array, down: Array) -> Array:
    """Bring the shown samples of Cb or Cr to the size of the picture, by their frame."""
    S = np.pad(samples, 1, "edge")  # noqa: N806
    S[0, 1:-1] += across[0, 0]
    S[-1, 1:-1] += across[1, 0]
    S[1:-1, 0] += down[0, 0]
    S[1:-1, -1] += down[1, 0]
    S %= 256  # noqa: N806
    for row in (0, -1):
        S[row, 0], S[row, -1] = S[row, 1], S[row, -2]
    (V, H), (R, C) = part.factors, (np.arange(s) + p for s, p in zip(part.size, part.phase, strict=True))  # noqa: N806
    y, x = (R // V + 1)[:, None], (C // H + 1)[None]
    y2, x2 = y + np.where(R % 2, 1, -1)[:, None], x + np.where(C % 2, 1, -1)[None]
    if not part.fancy:
        return S[y, x]
    if (V, H) == (2, 2):
        return (9 * S[y, x] + 3 * S[y2, x] + 3 * S[y, x2] + S[y2, x2] + np.where(C % 2, 7, 8)) >> 4
    if H == 2:
        return (3 * S[y, x] + S[y, x2] + np.where(C % 2, 2, 1)) >> 2
    return (3 * S[y, x] + S[y2, x] + np.where(R % 2, 2, 1)[:, None]) >> 2


class Differences:
    """Decode arrays of differences (section 16.5)."""

    def __init__(self, stack: Stack) -> None:
        self.d = Decisions(stack, LINE_BITS)
        self.tiles = 0

    def decode(self, shape: tuple[int, int, int], K: int) -> Array:  # noqa: N803
        """Decode an array."""
        out = np.zeros(shape, np.int64)
        down, across = -(-shape[1] // 8), -(-shape[2] // 8)
        marked = np.zeros((down + 1, across + 2), int)  # with a margin above and at both sides
        for y in range(down):
            for x in range(across):
                self.d.h = [16 * key(1, 0, self.around(marked, y, x, K)), 16 * key(2, 0, K)]
                self.d.c = [K, int(4 + marked[y + 1, x] + 2 * marked[y, x + 1]), 8]
                if self.d.pop(0, 0, K):
                    self.tile(out, 8 * y, 8 * x, K)
                    marked[y + 1, x + 1] = out[:, 8 * y : 8 * y + 8, 8 * x : 8 * x + 8].any()
        self.tiles += int(marked.sum())
        return out

    @staticmethod
    def around(marked: Array, y: int, x: int, K: int) -> int:  # noqa: N803
        """Put together which tiles around one have differences."""
        return int(4 * K + 16 * marked[y + 1, x] + 32 * marked[y, x + 1] + 64 * marked[y, x + 2])

    def tile(self, out: Array, top: int, start: int, K: int) -> None:  # noqa: N803
        """Decode the numbers of a tile."""
        planes, rows, columns = out.shape
        for i in range(top, min(top + 8, rows)):
            for j in range(start, min(start + 8, columns)):
                for p in range(planes):
                    out[p, i, j] = self.number(out, p, i, j, K + p)

    def number(self, out: Array, p: int, i: int, j: int, k: int) -> int:
        """Decode a number."""
        d, width = self.d, out.shape[2]
        left = int(out[p, i, j - 1]) if j else 0
        above = int(out[p, i - 1, j]) if i else 0
        corner = int(out[p, i - 1, j - 1]) if i and j else 0
        beside = int(out[p, i - 1, j + 1]) if i and j + 1 < width and not (j % 8 == 7 and i % 8) else 0
        before, first = int(out[p - 1, i, j]) if p else 0, int(out[0, i, j]) if p > 1 else 0
        N, s = grade(abs(left) + abs(above) + abs(corner) + abs(beside)), 16 * k + 3  # noqa: N806
        d.h = [
            key(s, bounded(left, 8), bounded(above, 8)),
            key(s + 1, N, bounded(before, 2)),
            key(s + 2, bounded(before, 40), bounded(first, 40)),
            key(s + 3, bounded(before, 20), bounded(left, 20)),
            key(s + 4, 5 * bounded(corner, 2) + bounded(above, 2), bounded(beside, 2)),
            key(s + 5, 8 * (i % 8) + j % 8, min(N, 3)),
        ]
        d.h = [16 * h for h in d.h]
        d.c = [16 + k, 32 + min(N, 31), 64 + 5 * bounded(left, 2) + bounded(before, 2)]
        if not d.pop(1, 0, 8 + k):
            return 0
        less, e, known = d.pop(2, 1, 16 + k), 1, 1
        while e < 8 and d.pop(3, 1 + e, 32 + e):
            e += 1
        for m in range(e - 2, -1, -1):
            known = 2 * known + d.pop(3, 9 + m, 64 + 8 * e + m)
        return -known if less else known


def decode_part(part: Part) -> tuple[Array, int]:
    """Decode the pixels (h, w, c) of a part, and the seed of its stack."""
    stack, components = Stack(part.stack), range(len(part.steps))
    planes = [Plane(*part.blocks(c), (1, 1) if c else part.factors[::-1]) for c in components]
    decode_planes(stack, planes, [np.array(steps) for steps in part.steps])
    differences, shown = Differences(stack), [part.shown(c) for c in components]

    def array(shape: tuple[int, int, int], kind: int) -> Array:
        return differences.decode(shape, kind) if part.tiles else np.zeros(shape, np.int64)

    of_components = [array((1, *size), min(c, 1)) for c, size in enumerate(shown)]
    borders = []
    for h, w in shown[1:]:
        kinds = (array((2, 1, w), 5), array((2, 1, h), 5)) if part.fancy else (np.zeros((2, 1, w)), np.zeros((2, 1, h)))
        borders.append([kind.astype(np.int64) for kind in kinds])
    of_pixels = array((len(part.steps), *part.size), 2)
    require(differences.tiles == part.tiles, "another number of tiles has differences")
    samples = []
    for plane, steps, (h, w), difference in zip(planes, part.steps, shown, of_components, strict=True):
        samples.append((transform(plane, steps, part.once)[:h, :w] + difference[0]) % 256)
    (top, left), (height, width) = part.phase, part.size
    Y = samples[0][top : top + height, left : left + width]  # noqa: N806
    if len(samples) == 1:
        return (Y[..., None] + of_pixels.transpose(1, 2, 0)) % 256, stack.seed()
    b, r = (upsample(part, plane, *border) - 128 for plane, border in zip(samples[1:], borders, strict=True))
    moves = [91881 * r, -22554 * b - 46802 * r, 116130 * b]
    colours = np.stack([np.clip(Y + ((move + 32768) >> 16), 0, 255) for move in moves], -1)
    return (colours + of_pixels.transpose(1, 2, 0)) % 256, stack.seed()


def decode_pictures(data: bytes, number: int, shape: tuple[int, ...]) -> tuple[np.ndarray, int]:
    """Decode the pictures (n, h, w, c) of a block whose mode has a number, and the checksum (section 16.1)."""
    n, h, w, c = shape
    require(number in (1, 3) and min(h, w) >= 8, "such pictures were no JPEGs")
    reader = Reader(data)
    parts = [read_part(reader.take(reader.varint()), (h, w), c) for _ in range(n - 1)]
    before = data[: reader.position]
    parts.append(read_part(reader.rest(), (h, w), c))
    check_pixels_work([sum(down * across for down, across in map(p.blocks, range(c))) for p in parts], shape)
    pictures = []
    for i, part in enumerate(parts):
        pixels, seed = decode_part(part)
        checksum = seed ^ zlib.crc32(part.head if i < n - 1 else before + part.head)
        require(i == n - 1 or checksum == 0, "the checksum of a part differs")
        pictures.append(pixels.astype(np.uint8))
    return np.stack(pictures), checksum
