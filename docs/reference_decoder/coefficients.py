"""Chapter 13: the coefficients of JPEG files."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .exact import exp
from .primitives import require
from .stack import Stack

Block = NDArray[np.int64]

ZIGZAG = sorted(range(64), key=lambda z: (z // 8 + z % 8, z // 8 if (z // 8 + z % 8) % 2 else z % 8))
EMPTY = np.zeros(64, np.int64)


def grade(x: int) -> int:
    """Grade a magnitude in steps that grow."""
    x, g = abs(int(x)), 0
    while x >= 8:
        x, g = x >> 1, g + 4
    return g + x


def clamp(x: int, low: int, high: int) -> int:
    """Clamp a number."""
    return min(max(int(x), low), high)


def bounded(x: int, most: int) -> int:
    """Clamp a number to −most … most, and add most."""
    return clamp(x, -most, most) + most


def sign(x: int) -> int:
    """Tell the sign of a number: 1 or 2."""
    return 2 if x < 0 else 1 if x > 0 else 0


def like(x: int) -> int:
    """Grade a number with its sign."""
    return grade(x) + (64 if x < 0 else 0)


def key(c: int, a: int, b: int) -> int:
    """Return a context of three numbers."""
    return (c << 40) + (int(a) << 20) + int(b)


def pair(a: int, b: int) -> int:
    """Join two small numbers."""
    return (a << 10) + b


def quarter(group: int, node: int) -> int:
    """Return a node whose contexts have a quarter of a line."""
    return 16 * (16 * group + (node >> 2)) + node % 4


def place_of(h: int, node: int, line_bits: int) -> int:
    """Find the slot of a context and a node."""
    line = ((h >> 4) + (node >> 4) * 0xC2B2AE3D27D4EB4F) * 0x9E3779B97F4A7C15 % 2**64
    line = (line ^ (line >> 29)) * 0xD6E8FEB86659FD93 % 2**64
    return (line >> (64 - line_bits)) * 16 + (h ^ node) % 16


def basis(i: int) -> int:
    """Return the value of a basis function at the border, in 1/512."""
    return 181 if i == 0 else 256


STRETCH: list[int] = []
SQUASH: list[int] = []


def fill_tables() -> None:
    """Make the tables of section 13.2."""
    if STRETCH:
        return
    SQUASH.extend(np.floor(65536 / (1 + exp(-(np.arange(4096) - 2048) / 256)) + 0.5).astype(int).tolist())
    STRETCH.extend(min(2047, bisect_left(SQUASH[1:], 16 * i + 8) - 2047) for i in range(4096))


def squash(t: int) -> int:
    """Invert STRETCH, times 2^16."""
    return SQUASH[clamp(t, -2047, 2047) + 2048]


class Decisions:
    """Pop decisions that learn (section 13.2)."""

    def __init__(self, stack: Stack, line_bits: int = 14) -> None:
        fill_tables()
        self.stack, self.line_bits = stack, line_bits
        self.slots: dict[tuple[int, int], list[int]] = {}
        self.weights: dict[tuple[int, int], list[int]] = {}
        self.last = [[21845] * 3 for _ in range(6)]
        self.tables: dict[int, list[int]] = {}
        self.h: list[int] = []
        self.c = [0, 0, 0]

    def pop(self, kind: int, node: int, correction: int) -> int:
        """Pop a decision."""
        m, x, slots = len(self.h), [], []
        for i in range(m):
            slot = self.slots.setdefault((i, place_of(self.h[i], node, self.line_bits)), [2**21, 0])
            t = STRETCH[slot[0] >> 10]
            x.append(0 if slot[1] == 0 else t if slot[1] > 2 else (3 * t) >> 2)
            slots.append(slot)
        x.append(256)
        rows = [self.weights.setdefault((s, self.c[s]), [9830] * 25) for s in range(3)]
        y = [clamp(sum((w * v) >> 10 for w, v in zip(row, x)) >> 6, -2047, 2047) for row in rows]
        last = self.last[kind]
        t = clamp(sum(w * v for w, v in zip(last, y)) >> 16, -2047, 2047)
        table = self.tables.setdefault(correction, [SQUASH[clamp(128 * j, 1, 4095)] for j in range(34)])
        position = (t + 2048) * 32
        j, part = position >> 12, position % 4096
        corrected = (table[j] * (4096 - part) + table[j + 1] * part) >> 12
        f = clamp((squash(t) + corrected) >> 2, 12, 2**15 - 12)
        b = 1 if self.stack.slot(15) < f else 0
        self.stack.drop(0 if b else f, f if b else 2**15 - f, 15)
        goal = 65536 * b
        j = (position + 2048) >> 12
        table[j] += (min(goal, 65535) - table[j]) >> 6
        error = 3 * (goal - squash(t))
        for s in range(3):
            last[s] = clamp(last[s] + ((y[s] * error + 2**17) >> 18), -(2**19), 2**19)
            step = (12 * (goal - squash(y[s]))) >> 4
            for i in range(m + 1):
                rows[s][i] = clamp(rows[s][i] + ((x[i] * step + 2**13) >> 14), -(2**19), 2**19)
        for slot in slots:
            p, n = slot
            slot[0] = clamp(p + (((b * 2**22 - p) * (655360 // (10 * n + 16))) >> 16), 1, 2**22 - 1)
            slot[1] = min(n + 1, 255)
        return b


class Plane:
    """A plane of blocks, empty outside."""

    def __init__(self, rows: int, columns: int, factors: tuple[int, int]) -> None:
        self.rows, self.columns = rows, columns
        self.factors = factors  # across, down
        self.blocks = np.zeros((rows, columns, 64), np.int64)
        self.numbers = np.zeros((rows, columns), np.int64)

    def block(self, y: int, x: int) -> Block:
        """Return a block."""
        return self.blocks[y, x] if 0 <= y < self.rows and 0 <= x < self.columns else EMPTY

    def number(self, y: int, x: int) -> int:
        """Return the number of coefficients of a block."""
        return int(self.numbers[y, x]) if 0 <= y < self.rows and 0 <= x < self.columns else 0

    def rise(self, y: int, x: int) -> int:
        """Tell how far DC of a block lies from its neighbours."""
        around = int(self.block(y, x - 1)[0]) + int(self.block(y - 1, x)[0])
        return bounded(int(self.block(y, x)[0]) - (around >> 1), 20)


def decode_planes(stack: Stack, planes: Sequence[Plane], tables: Sequence[Block]) -> None:
    """Decode all planes; ``tables`` are their quantisation tables, row by row."""
    decisions = Decisions(stack)
    for c, plane in enumerate(planes):
        first = planes[0] if c else None
        same = c > 1 and planes[c - 1].blocks.shape == plane.blocks.shape
        before = planes[c - 1] if same else None
        q = [max(1, int(step)) for step in tables[c]]
        for y in range(plane.rows):
            for x in range(plane.columns):
                BlockDecoder(decisions, plane, first, before, q, y, x).decode()


class BlockDecoder:
    """Decode one block (sections 13.3 and 13.4)."""

    def __init__(
        self, d: Decisions, plane: Plane, first: Plane | None, before: Plane | None, q: list[int], y: int, x: int
    ) -> None:
        self.d, self.plane, self.q, self.y, self.x = d, plane, q, y, x
        self.P = 0 if first is None else 1
        self.left, self.above = x > 0, y > 0
        self.A, self.L = plane.block(y - 1, x), plane.block(y, x - 1)
        self.D, self.R = plane.block(y - 1, x - 1), plane.block(y - 1, x + 1)
        self.AA, self.LL = plane.block(y - 2, x), plane.block(y, x - 2)
        sides = [((-1) ** j * basis(j), j) for j in range(8)]
        self.H = [sum(s * int(self.L[8 * i + j]) * q[8 * i + j] for s, j in sides) for i in range(8)]
        self.V = [sum(s * int(self.A[8 * j + i]) * q[8 * j + i] for s, j in sides) for i in range(8)]
        self.S, self.T, self.nF = EMPTY, EMPTY, 0
        self.B, self.nB, self.first, self.before = EMPTY, 0, 0, 0
        if first is not None:
            self.look_at_first(first)
        if before is not None:
            self.B, self.nB = before.block(y, x), before.number(y, x)
            self.before = before.rise(y, x) if self.left and self.above else 0
        n = plane.number
        self.nA = n(y - 1, x) if self.above else n(y, x - 1)
        self.nL = n(y, x - 1) if self.left else n(y - 1, x)
        self.around = n(y - 1, x) + n(y, x - 1)
        if self.left and self.above:
            self.around = (2 * self.around + n(y - 1, x - 1) + n(y - 1, x + 1) + 3) // 6

    def look_at_first(self, first: Plane) -> None:
        """Gather what the first plane tells of the block."""
        (h, v), (h0, v0) = self.plane.factors, first.factors
        top, start = self.y * v0 // v, self.x * h0 // h
        rows = range(top, max(top + 1, (self.y + 1) * v0 // v))
        columns = range(start, max(start + 1, (self.x + 1) * h0 // h))
        blocks = [first.block(y, x) for y in rows for x in columns]
        self.S, self.T = sum(np.abs(block) for block in blocks), sum(blocks)  # type: ignore[assignment]
        self.nF = sum(first.number(y, x) for y in rows for x in columns) // len(blocks)
        self.first = first.rise(top, start) if self.left and self.above else 0

    def decode(self) -> None:
        """Decode the block into its plane."""
        block, self.sum, self.last = self.plane.blocks[self.y, self.x], 0, [0, 0, 0]
        n = self.r = self.decode_number()
        self.plane.numbers[self.y, self.x] = n
        k = 1
        while self.r and k < 64:
            z = ZIGZAG[k]
            value = self.decode_coefficient(block, k, z)
            block[z] = value
            self.last = [abs(value), *self.last[:2]]
            if value:
                u, v = z % 8, z // 8
                self.r -= 1
                self.sum += abs(value)
                self.H[v] -= basis(u) * value * self.q[z]
                self.V[u] -= basis(v) * value * self.q[z]
            k += 1
        block[0] = self.decode_dc(n)
        require(int(np.abs(block).max()) < 1 << 15, "a coefficient is too large")

    def decode_number(self) -> int:
        """Decode how many coefficients are not 0."""
        d, C, node, around = self.d, 16 * self.P, 1, self.around
        d.h = [
            key(C + 1, around, 0),
            key(C + 2, self.nA, 16 * self.nL),
            key(C + 3, self.nA >> 2, 16 * (self.nL >> 2)),
            key(C + 4, self.nF, 16 * (around >> 2)),
            key(C + 5, self.nB, 16 * (around >> 1)),
            key(C + 6, self.nB, 16 * self.nF),
            key(C + 7, pair(around, grade(self.H[1] >> 8)), 16 * grade(self.V[1] >> 8)),
        ]
        d.c[1:] = [64 + self.around, self.P]
        for _ in range(6):
            d.c[0] = node
            node = 2 * node + d.pop(0, node, node)
        return node - 64

    def decode_coefficient(self, X: Block, k: int, z: int) -> int:
        """Decode a coefficient."""
        d, P, q, r, u, v = self.d, self.P, self.q, self.r, z % 8, z // 8
        C, D, both = 64 * (k + 64 * P) + 1024, 16 * P, self.left and self.above
        horizontal = 8 * self.H[v] // (basis(u) * q[z]) if self.left else 0
        vertical = 8 * self.V[u] // (basis(v) * q[z]) if self.above else 0
        expected = (horizontal + vertical) >> 1 if both else horizontal + vertical
        l, a, corner = (abs(int(block[z])) for block in (self.L, self.A, self.D))  # noqa: E741
        near = (13 * (l + a) + 6 * corner) >> 2 if both else 8 * (l + a)
        inside = sum(
            weight * abs(int(X[z - back]))
            for weight, back, there in ((2, 1, u), (2, 8, v), (1, 9, u and v), (1, 2, u > 1), (1, 16, v > 1))
            if there
        )
        N, I, g, share = grade(near), grade(inside), grade(r), 8 * r // (64 - k)  # noqa: E741
        lz, az, B, R = min(l, 15), min(a, 15), int(self.B[z]), abs(int(self.R[z]))
        l1, l2, l3 = self.last
        corners = (min(corner, 15), min(R, 15))
        if r < 64 - k:
            d.h = [
                key(C, 0, r),
                key(C + 1, grade(horizontal), grade(vertical)),
                key(C + 2, grade(expected), g),
                key(C + 3, I, g),
                key(C + 4, 64 * min(l1, 15) + 4 * min(l2, 15) + min(l3, 3), g),
                key(C + 5, grade(self.S[z]), min(abs(B), 31)) if P else key(C + 5, *corners),
                key(C + 6, 8 * min(abs(self.LL[z]), 7) + min(abs(self.AA[z]), 7), min(lz + az, 7)),
                key(D, pair(share, N), I),
            ]
            d.c = [k + 64 * P, min(r, 63), 16 * min(N, 15) + min(I, 15)]
            if not d.pop(1, 0, 64 + k):
                return 0
        signs = 3 * sign(self.A[z]) + sign(self.L[z])
        inner = (sign(X[z - 1]) if u else 0) + (3 * sign(X[z - 8]) if v else 0)
        half = bounded(expected >> 1, 15)
        d.h = [
            key(C + 16, 0, bounded(expected, 63)),
            key(C + 17, bounded(horizontal, 31), bounded(vertical, 31)),
            key(C + 18, 0, signs),
            key(D + 3, 0, bounded(expected, 255)),
            key(C + 20, bounded(B, 15), bounded(self.T[z], 31)),
            key(C + 21, half, signs),
            key(C + 22, inner, half),
            key(C + 23, pair(bounded(horizontal >> 1, 15), bounded(vertical >> 1, 15)), inner),
        ]
        d.c = [128 + k + 64 * P, 64 + min(abs(expected), 60), 256 + self.left + 2 * self.above]
        less = d.pop(2, 0, 128 + clamp(32 + (expected >> 2), 0, 63))
        if less:
            expected, horizontal, vertical = -expected, -horizontal, -vertical
        d.h = [
            key(C + 32, 0, 4 * like(expected)),
            key(C + 33, N, 4 * g),
            key(C + 34, like(horizontal), 4 * like(vertical)),
            key(C + 35, min(l, 31), 4 * min(a, 31)),
            key(C + 36, min(l1, 31), 4 * (16 * min(l2, 15) + min(l3, 15))),
            key(D + 1, like(expected), 4 * N),
            key(C + 37, grade(self.S[z]), 4 * min(abs(B), 63)) if P else key(C + 37, corners[0], 4 * corners[1]),
            key(C + 38, grade(self.sum), 4 * r),
            key(D + 2, pair(N, I), 4 * grade(q[z])),
        ]
        d.c[0], d.c[2] = 256 + k + 64 * P, 260 + 16 * min(N, 15) + min(I, 15)
        e = 1
        while e < 15:
            d.c[1] = 128 + e
            if not d.pop(3, quarter(0, e - 1), 192 + 8 * min(e, 7) + min(N, 7)):
                break
            e += 1
        known, fixed = 1, d.h
        d.c[1] = 144 + e
        for i in range(e - 2, -1, -1):
            K, middle = 16 * (16 * P + e) + i + 2**16, (2 * known + 1) << i
            h, s, t, w = (bounded((2 * (x - 8 * middle)) >> i, 40) for x in (horizontal, vertical, expected, near))
            d.h = [
                *fixed,
                key(K, h, 4 * k),
                key(K + 2**12, s, 4 * k),
                key(K + 2 * 2**12, t, 0),
                key(K + 3 * 2**12, w, 4 * k),
            ]
            known = 2 * known + d.pop(4, quarter(e, known if known < 16 else 16 + i), 256 + e)
        return -known if less else known

    def decode_dc(self, n: int) -> int:
        """Decode DC."""
        d, q, both = self.d, self.q[0], self.left and self.above
        horizontal = self.H[0] // (181 * q) if self.left else 0
        vertical = self.V[0] // (181 * q) if self.above else 0
        E = (horizontal + vertical) >> 1 if both else horizontal + vertical
        W, C, l, a = grade(horizontal - vertical), 16 * self.P + 2**17, int(self.L[0]), int(self.A[0])  # noqa: E741
        slope = bounded(l + a - int(self.D[0]) - E, 40) if both else 0
        d.h = [
            key(C, 0, 16 * W),
            key(C + 1, min(n, 31), 16 * W),
            key(C + 2, 0, 16 * slope),
            key(C + 3, bounded(horizontal - vertical, 20), 16 * (slope >> 2)),
            key(C + 4, grade(self.sum), 16 * W),
            key(C + 5, bounded(l - E, 20), 16 * bounded(a - E, 20)),
            key(C + 6, self.before, 16 * self.first),
            key(C + 7, self.before, 16 * W),
        ]
        d.c = [384 + self.P, 160, 600 + min(W, 15)]
        if not d.pop(5, 0, 300 + min(W, 15)):
            return E
        less, e, known = d.pop(5, 1, 320), 1, 1
        while e < 17:
            d.c[1] = 161 + e
            if not d.pop(5, 16 + 32 * less + e, 330 + e):
                break
            e += 1
        d.c[1] = 180 + e
        for i in range(e - 2, -1, -1):
            known = 2 * known + d.pop(5, 128 + 32 * e + (known if known < 16 else 16 + i), 350 + e)
        return E - known if less else E + known
