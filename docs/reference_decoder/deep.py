"""Chapter 18: deep pictures."""

from __future__ import annotations

import math
import zlib

import numpy as np

from .coefficients import bounded, clamp
from .exact import LOGISTIC_CDF, interpolate
from .histories import STRETCH, Decisions, hashes
from .primitives import Reader, require
from .stack import Stack

ORDERS = {1: [0], 2: [0, 1], 3: [1, 0, 2], 4: [1, 0, 2, 3]}
OWN = [(0, -1), (1, 0), (1, -1), (1, 1), (0, -2), (2, 0), (1, -2), (1, 2), (2, -1), (2, 1)]
OWN += [(2, -2), (2, 2), (0, -3), (3, 0), (1, -3), (1, 3), (3, -1), (3, 1)]
BEFORE = [(0, 0), (0, -1), (1, 0), (1, -1), (1, 1)]
PAST = [(0, 0), (0, -1), (1, 0), (0, 1), (-1, 0), (1, -1)]
SEEN, DECAYS = (6, 18), ((0.85, 0.65), (0.93, 0.85))
Q = 41_672_000_000
ONE = 1 << 30


def decode_deep(data: bytes, shape: tuple[int, int, int, int], depth: int = 16) -> tuple[np.ndarray, int]:
    """Decode samples (n, h, w, c) of so many bits, and their checksum (section 18.1)."""
    n, h, w, channels = shape
    reader = Reader(data)
    form, top = reader.number(1), reader.number(2)
    require(form < 4, "a block of the deep coder has an unknown form")
    require(top < 1 << depth, "a sample has more bits than its mode")
    stack = Stack(reader.rest())
    bits = clamp((n * h * w * channels).bit_length() + 6, 16, 24)
    decisions = Decisions(stack, bits)
    decisions.first_weights = [16384] * 5 + [4915] * 31
    pictures: list[Picture] = []
    for _ in range(n):
        past = pictures[-1] if pictures and form & 2 else None
        pictures.append(Picture(decisions, (h, w, channels), top, bool(form & 1), past))
        pictures[-1].decode()
    samples = np.stack([[plane.inside() for plane in picture.planes] for picture in pictures])
    return samples.transpose(0, 2, 3, 1).astype(np.uint16 if depth == 16 else np.uint8), stack.seed() ^ zlib.crc32(
        data[:3]
    )


def grade(x: int) -> int:
    """Compute 4 log2 of x + 1, about."""
    b = (x + 1).bit_length() - 1
    return 4 * b + (((4 * (x + 1)) >> b) % 4)


def median(a: int, b: int, d: int) -> int:
    """Return the middle one of a, b and a + b - d."""
    return sorted((a, b, a + b - d))[1]


class Plane:
    """Hold the samples of a channel, or errors, with margins of three rows and columns."""

    def __init__(self, h: int, w: int, first: int) -> None:
        self.cells = [[first] * (w + 6) for _ in range(3)] + [[0] * (w + 6) for _ in range(h)]
        self.w = w

    def at(self, y: int, x: int, u: int, r: int) -> int:
        """Return the cell u rows above and r columns to the right."""
        return self.cells[min(y - u + 3, len(self.cells) - 1)][x + r + 3]

    def set(self, y: int, x: int, value: int) -> None:
        """Set a cell."""
        self.cells[y + 3][x + 3] = value

    def begin_row(self, y: int) -> None:
        """Fill the margin to the left."""
        self.cells[y + 3][:3] = [self.cells[y + 2][3]] * 3

    def end_row(self, y: int) -> None:
        """Fill the margin to the right."""
        self.cells[y + 3][self.w + 3 :] = [self.cells[y + 3][self.w + 2]] * 3

    def extend_above(self, x: int) -> None:
        """Fill the margin above a sample of row 0."""
        for u in (1, 2, 3):
            for r in range(0 if x else -3, 4):
                self.cells[3 - u][x + r + 3] = self.cells[3][x + 2]

    def median(self, y: int, x: int) -> int:
        """Return the median prediction."""
        return median(self.at(y, x, 0, -1), self.at(y, x, 1, 0), self.at(y, x, 1, -1))

    def around(self, y: int, x: int) -> int:
        """Add up four neighbours."""
        near = 2 * (self.at(y, x, 0, -1) + self.at(y, x, 1, 0))
        return near + self.at(y, x, 1, -1) + self.at(y, x, 1, 1)

    def inside(self) -> list[list[int]]:
        """Return all but the margins."""
        return [row[3 : self.w + 3] for row in self.cells[3:]]


class Predictor:
    """Predict the samples of one channel by least squares (section 18.3)."""

    def __init__(self, r: int, others: int, segments: int) -> None:
        self.own, (self.d0, self.d1) = SEEN[r], DECAYS[r]
        self.q = self.own + others
        self.above = [self.nothing() for _ in range(segments)]
        self.beside = self.sums = self.nothing()

    def nothing(self) -> list[list[float]]:
        """Return a triangle of zeros."""
        return [[0.0] * (i + 1) for i in range(self.q + 1)]

    def regressors(self, v: list[int]) -> list[int]:
        """Choose what it sees."""
        return v[: self.own] + v[18:]

    def solve(self, k: int) -> None:
        """Solve for the coefficients of segment k."""
        q, after = self.q, self.above[min(k + 1, len(self.above) - 1)]
        joined = [[self.d0 * b + self.d1 * a for b, a in zip(*rows)] for rows in zip(self.beside, after)]
        trace = 0.0
        for i in range(q):
            trace += joined[i][i]
        ridge = (1 / 8192) * (trace / q) + 1 / 1024
        u = [[0.0] * q for _ in range(q)]
        for i in range(q):
            for j in range(i):
                total = joined[i][j]
                for m in range(j):
                    total -= u[i][m] * u[j][m]
                u[i][j] = total * u[j][j]
            total = joined[i][i] + ridge
            for m in range(i):
                total -= u[i][m] * u[i][m]
            u[i][i] = 1.0 / math.sqrt(total)
        a = [0.0] * q
        for i in range(q):
            total = joined[q][i]
            for m in range(i):
                total -= u[i][m] * a[m]
            a[i] = total * u[i][i]
        for i in range(q - 1, -1, -1):
            for m in range(i + 1, q):
                a[i] -= u[m][i] * a[m]
            a[i] *= u[i][i]
        self.coefficients, self.sums = a, self.nothing()

    def predict(self, v: list[int], base: int, top: int) -> int:
        """Predict, in eighths."""
        total = 0.0
        for a, x in zip(self.coefficients, self.regressors(v)):
            total += a * x
        return math.floor(8.0 * min(max(total + base, 0.0), float(top)) + 0.5)

    def observe(self, v: list[int], weight: float, target: int) -> None:
        """Add a sample to the sums."""
        seen = self.regressors(v)
        for i, x in enumerate(seen):
            weighed = weight * x
            for j in range(i + 1):
                self.sums[i][j] += weighed * seen[j]
            self.sums[self.q][i] += weighed * target

    def fold(self, k: int) -> None:
        """Fold the sums of segment k into those of the rows."""
        after = self.above[min(k + 1, len(self.above) - 1)]
        self.beside = [[self.d0 * b + s for b, s in zip(*rows)] for rows in zip(self.beside, self.sums)]
        self.above[k] = [[b + self.d1 * a for b, a in zip(*rows)] for rows in zip(self.beside, after)]


class Channel:
    """Hold what is known of one channel."""

    def __init__(self, size: tuple[int, int], place: int, others: int) -> None:
        h, w = size
        self.place = place
        self.predictors = [Predictor(r, others, -(-w // 16)) for r in (0, 1)]
        self.errors = [Plane(h, w, 0) for _ in range(6)]
        self.off, self.ranks = Plane(h, w, 0), Plane(h, w, 0)
        self.noise, self.usual = [400] * 66, 1024
        self.columns, self.row = [0] * w, 0
        self.run, self.other, self.seen = 0, 0, {}
        self.last = (0, 0)


class Picture:
    """Decode one picture (section 18.2)."""

    def __init__(
        self, decisions: Decisions, shape: tuple[int, int, int], top: int, hits: bool, past: Picture | None
    ) -> None:
        self.decisions, self.top, self.hits, self.past = decisions, top, hits, past
        self.h, self.w, self.c = shape
        self.order = ORDERS[self.c]
        self.planes = [Plane(self.h, self.w, top // 2) for _ in range(self.c)]
        sees = 6 if past else 0
        size = self.h, self.w
        self.channels = {c: Channel(size, place, 5 * place + sees) for place, c in enumerate(self.order)}

    def decode(self) -> None:
        """Decode all samples."""
        for y in range(self.h):
            for c, channel in self.channels.items():
                for plane in (self.planes[c], *channel.errors):
                    plane.begin_row(y)
                channel.row, channel.run, channel.other = 0, 0, self.planes[c].at(y, 0, 1, 0)
                for predictor in channel.predictors:
                    predictor.beside = predictor.nothing()
            for x in range(self.w):
                if x % 16 == 0:
                    for channel in self.channels.values():
                        for predictor in channel.predictors:
                            predictor.solve(x // 16)
                for c in self.order:
                    if y == 0:
                        self.planes[c].extend_above(x)
                    self.decode_sample(c, y, x)
                if x % 16 == 15 or x == self.w - 1:
                    for channel in self.channels.values():
                        for predictor in channel.predictors:
                            predictor.fold(x // 16)
            for c, channel in self.channels.items():
                for plane in (self.planes[c], *channel.errors):
                    plane.end_row(y)

    def regressors(self, c: int, y: int, x: int) -> list[int]:
        """Return v of a sample."""
        v = [self.planes[c].at(y, x, *place) - self.planes[c].median(y, x) for place in OWN]
        for before in self.order[: self.channels[c].place]:
            plane = self.planes[before]
            v += [plane.at(y, x, *place) - plane.median(y, x) for place in BEFORE]
        if self.past:
            plane = self.past.planes[c]
            v += [plane.at(y, x, *place) - plane.median(y, x) for place in PAST]
        return v

    def decode_sample(self, c: int, y: int, x: int) -> None:
        """Decode a sample, and learn from it (sections 18.4 to 18.6)."""
        plane, channel, top = self.planes[c], self.channels[c], self.top
        v, base = self.regressors(c, y, x), plane.median(y, x)
        names = {"W": (0, -1), "N": (1, 0), "NW": (1, -1), "NE": (1, 1), "WW": (0, -2), "NN": (2, 0), "NEE": (1, 2)}
        near = {name: plane.at(y, x, *place) for name, place in names.items()}
        slope = near["NE"] - near["NW"]
        predictions = [predictor.predict(v, base, top) for predictor in channel.predictors]
        predictions += [8 * base, 8 * clamp(near["W"] + (slope >> 1), 0, top)]
        predictions.append(clamp(4 * (near["W"] + near["N"]) + 2 * slope, 0, 8 * top))
        total = weights = 0.0
        for error, prediction in zip(channel.errors, predictions):
            off = float(error.around(y, x) + 4)
            weight = 1.0 / (off * off)
            total += weight * prediction
            weights += weight
        blend = clamp(math.floor(total / weights + 0.5), 0, 8 * top)
        sample = Sample(self, c, y, x, near, predictions, blend)
        value, rank = sample.decode_hit() if self.hits else (None, 0)
        if value is None:
            value = sample.decode()
        plane.set(y, x, value)
        for error, prediction in zip(channel.errors, [*predictions, blend]):
            error.set(y, x, abs(8 * value - prediction))
        channel.off.set(y, x, 8 * value - blend)
        channel.ranks.set(y, x, rank)
        channel.columns[x] = min(channel.columns[x] + 1, 7) if value == near["W"] else 0
        channel.row = min(channel.row + 1, 15) if value == near["N"] else channel.row >> 2
        if value == near["W"]:
            channel.run += 1
        else:
            channel.run, channel.other = 0, near["W"]
        channel.seen[value] = y
        channel.last = 8 * value - blend, sample.k
        channel.noise[sample.level] += (8 * abs(8 * value - blend) - channel.noise[sample.level]) >> 4
        first = channel.errors[0]
        off = 16 * (2 * first.at(y, x, 0, 0) + first.at(y, x, 0, -1) + first.at(y, x, 1, 0))
        weight = (channel.usual + 16.0) / (channel.usual + 16.0 + off)
        channel.usual += (off - channel.usual) >> 8
        for predictor, e in zip(channel.predictors, (1.0, weight)):
            predictor.observe(v, e, value - base)


class Sample:
    """Decode one sample (sections 18.5 and 18.6)."""

    def __init__(
        self, picture: Picture, c: int, y: int, x: int, near: dict[str, int], predictions: list[int], blend: int
    ) -> None:
        self.channel, self.pop = picture.channels[c], picture.decisions.pop
        self.y, self.x, self.near, self.blend, self.top = y, x, near, blend, picture.top
        place, errors = self.channel.place, self.channel.errors
        around = errors[5].around(y, x) + errors[5].at(y, x, 0, -2)
        self.place, energy = place, grade(around)
        self.k = max(0, energy // 4 - 6)
        self.z = energy - 4 * self.k
        self.level = min(blend * 8 // (self.top + 1), 63)
        noise = (2 * self.channel.noise[self.level] + self.channel.noise[self.level + 1]) // 3
        wide = around + 2 * errors[5].at(y, x, 1, -2) + errors[5].at(y, x, 1, 2) + errors[5].at(y, x, 0, -3)
        self.given = [
            (blend, Q // (around + 6)),
            (blend, 2 * Q // (7 * noise // 8 + around + 6)),
            (blend, 11 * Q // 7 // (wide + 10)),
            *((predictions[r], Q // (errors[r].around(y, x) + errors[r].at(y, x, 0, -2) + 6)) for r in (0, 1)),
        ]
        self.predictions = predictions
        before = picture.order[place - 1] if place else c
        self.last = picture.channels[before].last

    def below(self, d: int, x: int) -> int:
        """Return F(d, x)."""
        centre, pace = self.given[d]
        t = ((8 * x - 4 - centre) * pace) >> 20
        return int(interpolate(LOGISTIC_CDF, np.int64(clamp(t, -(2**40), 2**40)), 22))

    def contexts(self) -> tuple[list[int], int]:
        """Return h, and the grade of the slope."""
        near, blend, k, z, s = self.near, self.blend, self.k, self.z, self.k + 3
        w, n, nw, ne = (near[name] for name in ("W", "N", "NW", "NE"))
        slope = grade(abs(w - nw) + abs(n - nw) + abs(n - ne))
        d = self.channel.off
        beside = [
            bounded(d.at(self.y, self.x, u, r) >> s, m) for u, r, m in ((0, -1, 12), (1, 0, 12), (0, -2, 8), (1, 1, 8))
        ]

        def off(x: int) -> int:
            return bounded((8 * x - blend) >> s, 20)

        p0, p1, p2 = ((p - blend) >> (k + 1) for p in self.predictions[:3])
        seventh = (bounded(self.last[0] >> (self.last[1] + 2), 24), z >> 2) if self.place else (beside[2], beside[3])
        parts: list[tuple[int, ...]] = [
            (z, (blend >> (k + 1)) % 4),
            (z >> 1, bounded((slope - 4 * k) >> 1, 14)),
            (beside[0], beside[1]),
            (off(w), off(n)),
            (off(ne), off(nw)),
            (bounded(p2 >> 1, 30), z >> 2),
            (bounded(p0, 20), bounded(p1, 20)),
            seventh,
            (off(2 * w - near["WW"]), off(2 * n - near["NN"])),
            (blend >> 3, k),
            (w, n, k),
            (w - nw, n - ne, w - n),
            ((blend >> 3) >> max(k + 2, 4), z >> 1),
            (self.beside(w), bounded(w - (blend >> 3), 20), k),
        ]
        return [hashes(1000 * self.place + i, *part) for i, part in enumerate(parts)], slope

    def beside(self, w: int) -> int:
        """Return which values beside w the row has had."""
        bits = 0
        for value in (*range(w - 4, w), *range(w + 1, w + 5)):
            bits = 2 * bits + (self.channel.seen.get(value) == self.y)
        return bits

    def decode(self) -> int:
        """Decode it where it is no hit."""
        h, slope = self.contexts()
        k, p, a = self.k, self.place, clamp(self.z - 12, 0, 15)
        g = (self.blend >> 3) >> k
        up = (self.top >> k) - g
        ends = [
            [self.below(d, g << k) if g else 0, self.below(d, (g + 1) << k) if (g + 1) << k <= self.top else ONE]
            for d in range(5)
        ]
        given = [give(ONE - (high - low), ONE) for low, high in ends]
        steps = 0
        if self.pop(0, 0, h, (32 * a, 64 * p, slope), a, given):
            less = 0 if g == 0 else 1
            if g and up:
                given = [give(low, low + ONE - high) for low, high in ends]
                correction = 16 + (self.blend >> (k + 1)) % 4
                less = self.pop(0, 1, h, (32 * a + 1, 64 * p + 1, slope), correction, given)
            ends = [[0, low] if less else [high, ONE] for low, high in ends]
            most, size = g if less else up, 1

            def split(y: int, choices: tuple[int, int], node: int, correction: int) -> int:
                x = (g - y + 1) << k if less else (g + y) << k
                return self.split(ends, x, less, (0, node, h, (*choices, slope), correction))

            while 1 << size <= most:
                choices = 32 * a + 1 + min(size, 10), 64 * p + 2 + size
                node = 1 + size + 7 * less if size <= 7 else 16 * (1 + less) + size - 7
                if not split(1 << size, choices, node, 32 + size):
                    break
                size += 1
            steps = 1
            for i in range(size - 2, -1, -1):
                y, bit = (2 * steps + 1) << i, 0
                if y <= most:
                    choices = 32 * a + 12 + min(i, 10), 64 * p + 20 + size
                    if size <= 3:
                        node = 48 + 8 * less + steps + 4 * (size - 2)
                    elif size == 4:
                        node = 64 + 8 * less + steps
                    else:
                        node = 16 * (2 * size + less) + (steps if steps < 8 else 8 + min(i, 7))
                    bit = split(y, choices, node, 64 + 8 * size + min(i, 7))
                steps = 2 * steps + bit
            steps = -steps if less else steps
        high, low = (g + steps) << k, 0
        h = [hashes(2000 + p, k, bounded((self.blend - 8 * high) >> k, 16)), hashes(3000 + p, k)]
        for i in range(k - 1, -1, -1):
            o = min(2, k - 1 - i)
            node, choices3 = 8 * i + 2**o + low % 2**o, (512 + i, 256 + k, 72 + 16 * i + k)
            low = 2 * low + self.split(ends, high + ((2 * low + 1) << i), 0, (1, node, h, choices3, 208 + i))
        return min(high + low, self.top)

    def split(self, ends: list[list[int]], x: int, less: int, decision: tuple) -> int:
        """Pop a decision that splits at x, and move the ends."""
        splits = [clamp(self.below(d, x), *ends[d]) for d in range(5)]
        parts = [(s - low if less else high - s, high - low) for s, (low, high) in zip(splits, ends)]
        bit = self.pop(*decision, [give(*part) for part in parts])
        for end, s in zip(ends, splits):
            end[1 if bit == less else 0] = s
        return bit

    def decode_hit(self) -> tuple[int | None, int]:
        """Decode whether it equals a neighbour: which, and its rank."""
        near, channel, p = self.near, self.channel, self.place
        w, n, nw, ne = (near[name] for name in ("W", "N", "NW", "NE"))
        equals = (w == n, w == nw, n == nw, n == ne, ne == near["NEE"], w == near["WW"], n == near["NN"])
        equal = sum(2**i for i, holds in enumerate(equals) if holds)

        def rank(u: int, r: int) -> int:
            return channel.ranks.at(self.y, self.x, u, r)

        t, o, q = channel.columns[self.x], channel.row, 6 * rank(0, -1) + rank(1, 0)
        candidates = w, n, ne, nw, clamp(w + n - nw, 0, self.top)
        phase = 4 * ((self.y + 3) % 4) + (self.x + 3) % 4
        for j, z in enumerate(candidates):
            if z in candidates[:j]:
                continue
            age, run = min(self.y - channel.seen.get(z, -3), 3), min(channel.run, 15)
            parts: list[tuple[int, ...]] = [
                (equal, phase),
                (bounded((8 * z - self.blend) >> (self.k + 2), 20), self.z >> 1),
                (36 * q + 6 * rank(1, -1) + rank(1, 1), phase),
                (6 * q + rank(0, -2), rank(2, 0)),
                (z, q),
                (w, n),
                (w, n, ne, nw),
                (16 * t + o, q),
                (16 * t + o, 36 * rank(3, 0) + 6 * rank(2, 0) + rank(1, 0)),
                (equal, 6 * q + rank(1, 1)),
                (w, channel.other, run),
                (age, run, bounded((8 * z - self.blend) >> (self.k + 2), 20)),
                (age, w - channel.other, n - w),
            ]
            own = {1, 4, 11, 12}  # those that depend on the candidate
            h = [hashes(5000 + 100 * p + i + 20 * j * (i in own), *part) for i, part in enumerate(parts)]
            choices = 528 + 128 * j + equal, 272 + 36 * j + q, 328 + 16 * j + o
            if self.pop(2, j, h, choices, 224 + 8 * j + t):
                return z, j + 1
        return None, 0


def give(part: int, whole: int) -> int:
    """Return an input of a decision."""
    return STRETCH[min((part * 4096) // whole, 4095)] if whole >= 64 else 0
