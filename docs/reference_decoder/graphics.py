"""Chapter 15: drawn pictures."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator

import numpy as np

from .coefficients import bounded, clamp
from .histories import STRETCH, Decisions, hashes
from .primitives import Reader, require
from .stack import Stack

HIT, FLAT, INDEX, SAMPLE, BIT, FLAT_BIT, RUN = range(7)
ORDERS = {1: [0], 2: [1, 0], 3: [1, 0, 2], 4: [3, 1, 0, 2]}
RUN_LENGTH = 16
REACH = (0, 6, 5, 4, 3)  # of the windows above; that of the row itself holds twelve pixels to the left

Hashes = tuple[int, int, int, int]


def decode_graphic(data: bytes, shape: tuple[int, int, int, int]) -> tuple[np.ndarray, int]:
    """Decode samples (n, h, w, c) and their checksum (section 15.1)."""
    n, h, w, channels = shape
    reader = Reader(data)
    form = reader.number(1)
    brief, form = bool(form & 8), form & ~8
    require(form in (0, 1, 3, 5, 7), "a block of the graphics coder has an unknown form")
    size = reader.number(1) + 1 if form else 0
    distant = read_distant(reader, size) if form & 2 else []
    head = data[: reader.position]
    stack = Stack(reader.rest())
    palette = Drawing(stack, (1, 1, size), channels, 0).decode()[0, 0] if form in (1, 3) else np.arange(size)
    drawing = Drawing(stack, (n, h, w), channels, size)
    drawing.distant, drawing.brief = distant, brief
    pixels = drawing.decode()
    if form:
        pixels = palette[pixels]
    samples = np.empty(shape, np.uint8)
    for place, channel in enumerate(ORDERS[channels]):
        samples[..., channel] = (pixels >> (8 * place)) & 255
    return samples, stack.seed() ^ zlib.crc32(head)


def decode_palette(data: bytes) -> bytes:
    """Decode the content of a box (section 15.10): red, green and blue of each colour."""
    reader = Reader(data)
    size = reader.number(1) + 1
    stack = Stack(reader.rest())
    colours = Drawing(stack, (1, 1, size), 3, 0).decode()[0, 0]
    require(stack.seed() == 0, "the palette is damaged")
    return b"".join(bytes((int(pixel) >> shift) & 255 for shift in (8, 0, 16)) for pixel in colours)


def read_distant(reader: Reader, levels: int) -> list[tuple[int, int]]:
    """Read the two distant places: rows up and columns to the right."""
    require(levels == 2, "only pictures of two levels have distant places")
    places = [(reader.number(1), reader.number(1) - 32) for _ in range(2)]
    for up, right in places:
        require(up <= 31 and right <= 31 and (up > 0 or right <= -2), "a distant place is out of reach")
    return places


def grade(x: int) -> int:
    """Grade a magnitude in steps that grow (section 15.3)."""
    x, g = abs(x), 0
    while x >= 4:
        x, g = x >> 1, g + 2
    return g + x


def hash_of_all(values: list[int]) -> int:
    """Hash neighbours (section 15.6)."""
    total = sum(v * 0x9E3779B1 ** (i + 1) for i, v in enumerate(values))
    m = total * 0x42B2AE35 % 2**32
    return m ^ (m >> 15)


def node_of(known: int) -> int:
    """Return the node of a bit of an index, of which some are known behind a 1 (section 15.7)."""
    more = known.bit_length() - 5
    return known if more < 0 else 16 * (known >> more) + (known & (1 << more) - 1 | 1 << more)


def median(w: int, n: int, nw: int) -> int:
    """Predict a sample from its neighbours."""
    if nw >= max(w, n):
        return min(w, n)
    return max(w, n) if nw <= min(w, n) else w + n - nw


class Drawing:
    """Decode the pixels of pictures of one size; of indices, ``levels`` is how many there are."""

    def __init__(self, stack: Stack, shape: tuple[int, int, int], channels: int, levels: int) -> None:
        self.n, self.h, self.w = shape
        self.channels, self.levels = channels, levels
        bits = min(max((self.n * self.h * self.w).bit_length() + 1, 12), 18)
        self.decisions, self.mask = Decisions(stack, bits + 4), (1 << bits) - 1
        self.memory: dict[tuple[int, int], list[int]] = {}  # what followed a neighbourhood: pixel and trust
        self.places: dict[int, int] = {}
        self.width = self.w + 16
        self.cells = np.zeros(self.n * (self.h + 4) * self.width, np.int64)
        self.ranks = np.zeros(self.cells.size, np.int64)
        self.runs = 0
        self.errors = [0] * 8
        self.first = [[0, sample] for sample in range(256)]  # how often each sample of channel 0 came
        self.rows: dict[int, list[list[int]]] = {}  # counts and samples
        self.place = self.length = 0
        self.distant: list[tuple[int, int]] = []
        self.brief = False

    def decode(self) -> np.ndarray:
        """Decode all pixels, (n, h, w)."""
        for picture in range(self.n):
            for y in range(4, self.h + 4):
                self.decode_row((picture * (self.h + 4) + y) * self.width)
        shown = self.cells.reshape(self.n, self.h + 4, self.width)
        return shown[:, 4:, 8:-8]

    def at(self, up: int, right: int) -> int:
        """Return a cell near the present one."""
        return int(self.cells[self.here - up * self.width + right])

    def far_at(self, up: int, right: int) -> int:
        """Return a cell that may lie beyond the margin."""
        row = self.here // self.width % (self.h + 4)
        column = clamp(self.x + right, 0, self.width - 1)
        return self.at(up, column - self.x) if up <= row else 0

    def rank(self, up: int, right: int) -> int:
        """Return the rank of a cell near the present one."""
        return int(self.ranks[self.here - up * self.width + right])

    def decode_row(self, row: int) -> None:
        """Decode a row, whose first cell is known (section 15.3)."""
        self.cells[row : row + 8] = self.cells[row - self.width + 8]
        self.length, no_run, x = 0, 0, 8
        while x < self.w + 8:
            self.here, self.x = row + x, x
            if x >= no_run and self.may_run():
                if self.run():
                    x += RUN_LENGTH
                    continue
                no_run = x + RUN_LENGTH
            value, rank = self.bit() if self.levels == 2 else self.pixel()
            self.cells[self.here], self.ranks[self.here] = value, rank
            x += 1
        self.cells[row + x : row + x + 8] = self.cells[row + x - 1]

    # --- runs (section 15.4) ---

    def may_run(self) -> bool:
        """Tell whether a run may begin here."""
        c = self.at(0, -1)
        if self.x + RUN_LENGTH > self.w + 8 or self.at(0, -2) != c:
            return False
        return all(self.at(up, i) == c for up in (1, 2) for i in range(-2, RUN_LENGTH + 2))

    def run(self) -> bool:
        """Pop whether there is a run, and decode it."""
        c, matched = self.at(0, -1), 0
        if self.length:
            matched = 1 + RUN_LENGTH
            for i in range(RUN_LENGTH - 1, -1, -1):
                if self.place + i < self.here and self.cells[self.place + i] != c:
                    matched = 1 + i
        third = sum(self.at(3, i) == c for i in range(-2, RUN_LENGTH + 2, 3))
        far = (self.at(0, -8) == c) + 2 * (self.at(1, RUN_LENGTH + 7) == c) + 4 * third
        h = [
            hashes(60, c, self.runs),
            hashes(61, matched, min(self.length, 31)),
            hashes(62, far, matched),
            hashes(63, self.x - 8, c),
            hashes(64, far, self.runs),
        ]
        same = self.decisions.pop(RUN, 0, h, (1090 + matched, 1424 + far, 840 + self.runs), 1232)
        self.runs = (2 * self.runs + same) % 16
        if same:
            self.cells[self.here : self.here + RUN_LENGTH] = c
            self.ranks[self.here : self.here + RUN_LENGTH] = 0
            self.place += RUN_LENGTH
        return bool(same)

    # --- matches (section 15.5) ---

    def look_up(self, large: int) -> None:
        """Find the pixel behind the last large neighbourhood that was like this."""
        slot = large & self.mask
        if self.length == 0 and slot in self.places:
            self.place, self.length = self.places[slot], 1
        self.places[slot] = self.here

    def match(self) -> int:
        """Return the pixel of the match, or −1."""
        return int(self.cells[self.place]) if self.length else -1

    def go_on(self, value: int) -> None:
        """Move the match behind a pixel."""
        if self.length:
            right = self.match() == value
            self.place += 1
            self.length = min(self.length + 1, 65535) if right else min(self.length >> 2, 3)

    # --- pixels (section 15.6) ---

    def pixel(self) -> tuple[int, int]:
        """Decode a pixel and its rank."""
        W, N, NW, NE = self.at(0, -1), self.at(1, 0), self.at(1, -1), self.at(1, 1)
        WW, NN, NEE, NNE = self.at(0, -2), self.at(2, 0), self.at(1, 2), self.at(2, 1)
        NWW, NNW, WWW = self.at(1, -2), self.at(2, -1), self.at(0, -3)
        self.W, self.N, self.NW, self.NE, self.WW, self.NN = W, N, NW, NE, WW, NN
        neighbours = [W, N, NW, NE, WW, NN, NEE, NNE, NWW, NNW, WWW]
        for place in ((1, 3), (1, -3), (2, 2), (2, -2), (0, -4), (3, 0)):
            neighbours.append(self.at(*place))
        two, four, six, large = (hash_of_all(neighbours[:count]) for count in (2, 4, 6, 17))
        self.around = 512 * self.rank(0, -1) + 64 * self.rank(1, 0) + 8 * self.rank(1, 1) + self.rank(1, -1)
        flat = {W, N, NW, NE, WW, NN, NEE, NNE, NWW, NNW, WWW} == {W}
        if not flat or self.length == 0:
            self.look_up(large)
        if flat and self.pop_flat(W):
            self.go_on(W)
            return W, 0
        slots = [(i, hashed & self.mask) for i, hashed in enumerate((large, six, four, two))]
        kept = [self.memory.get(slot, [-1, 0]) for slot in slots]
        self.recalled, self.trust = [pixel for pixel, _ in kept], [trust for _, trust in kept]
        equal = (W == N, W == NW, N == NW, N == NE, W == WW, N == NN, NE == NEE, NW == NNW, NW == NWW)
        self.shape = sum(bit << i for i, bit in enumerate(equal))
        self.more = (WW, NN, NEE, NNE, NWW, NNW, WWW)
        found = self.candidates(flat)
        value, rank = -1, 7
        for k in range(1 if flat else 0, len(found)):
            if self.pop_hit(found[k], k, two, large):
                value, rank = found[k], k + 1
                break
        if value < 0 and self.levels:
            value = self.pop_index(found)
        elif value < 0:
            value = self.pop_sample()
        for slot, (pixel, trust) in zip(slots, kept):
            if trust and pixel == value:
                self.memory[slot] = [value, min(trust + 1, 255)]
            else:
                self.memory[slot] = [value if trust < 3 else pixel, 1]
        self.go_on(value)
        return value, rank

    def pop_flat(self, c: int) -> int:
        """Pop whether a pixel is that of its neighbours."""
        matched, length = self.match() == c, self.length
        h = [
            hashes(2, c),
            hashes(3, self.around, matched),
            hashes(4, min(length, 31), matched),
            hashes(5, c, self.at(1, 3), self.at(1, 4), self.at(0, -4), self.at(3, 0), self.at(2, 3)),
        ]
        choices = min(length, 15) + 16 * matched, 32 + min(self.around, 31), self.around >> 9
        return self.decisions.pop(FLAT, 0, h, choices, min(length, 15))

    def candidates(self, flat: bool) -> list[int]:
        """List what the pixel may be, the likeliest first."""
        found: list[int] = [self.W] if flat else []

        def listed() -> Iterator[int]:
            if self.length > 15:
                yield self.match()
            yield from (self.recalled[i] for i in range(3) if self.trust[i] > 1)
            yield from (self.W, self.N, *self.recalled[:3], self.NE, self.NW)
            yield from (self.recalled[3], self.match(), self.WW, self.NN)

        for value in listed():
            if value >= 0 and value not in found and len(found) < (3 if self.brief else 6):
                found.append(value)
        return found

    def pop_hit(self, c: int, k: int, two: int, large: int) -> int:
        """Pop whether a pixel is candidate k."""
        likeness = sum((c == v) << i for i, v in enumerate((self.W, self.N, self.NW, self.NE)))
        more = sum((c == v) << i for i, v in enumerate(self.more))
        recalled = 0
        for pixel, trust in zip(self.recalled, self.trust):
            recalled = 5 * recalled + (1 + min(trust, 3) if c == pixel else 0)
        matched = 0 if self.length == 0 else 33 + min(self.length, 15)
        if self.match() == c:
            matched = 1 + min(self.length, 31)
        shape = self.shape
        h = [
            hashes(7, two, c >> 4) ^ c % 16,
            hashes(10, (likeness * 512 + shape) * 128 + more, k),
            hashes(17, c, matched, k),
        ]
        if self.brief:
            h.append(hashes(12, self.around, 8 * likeness + k))
        else:
            low = c ^ c >> 8 ^ c >> 16 ^ c >> 24
            high = low >> 4
            h += [
                hashes(9, large) ^ (low ^ 3 * high) % 16,
                hashes(13, self.W, shape) ^ (low ^ 5 * high) % 16,
                hashes(14, self.N, hashes(self.NE, self.NW)) ^ (low ^ 7 * high) % 16,
                hashes(11, matched, recalled),
                hashes(15, 512 * likeness + shape, recalled),
            ]
        choices = 64 + 52 * k + matched, 64 + 16 * k + likeness + 128 * min(shape % 8, 6), 16 + recalled
        return self.decisions.pop(HIT, 0, h, choices, 16 + 8 * k + min(self.length, 7))

    # --- indices (section 15.7) ---

    def pop_index(self, excluded: list[int]) -> int:
        """Pop an index that is none of the candidates."""
        W, N = self.W, self.N
        h = [
            hashes(20, self.around >> 9),
            hashes(21, W),
            hashes(22, N),
            hashes(27, W, self.WW),
            hashes(28, N, self.NN),
            hashes(29, W + N - self.NW, grade(W - N)),
        ]
        left = [value for value in range(self.levels) if value not in excluded]
        bits = (self.levels - 1).bit_length()
        known, first = 1, 0
        for i in range(bits - 1, -1, -1):
            middle, end = first + (1 << i), first + (2 << i)
            if not any(middle <= value < end for value in left):
                b = 0
            elif not any(first <= value < middle for value in left):
                b = 1
            else:
                choices = 512 + known, 960 + 8 * i + (self.around >> 9), 648 + i
                b = self.decisions.pop(INDEX, node_of(known), h, choices, 256 + known)
            known = 2 * known + b
            first += b << i
        return first

    # --- samples (section 15.8) ---

    def pop_sample(self) -> int:
        """Pop a pixel that is none of the candidates, channel by channel."""
        pixel = rise = 0
        self.differences: list[int] = []
        for c in range(self.channels):
            w, n, nw, ne, ww, nn = ((v >> 8 * c) & 255 for v in (self.W, self.N, self.NW, self.NE, self.WW, self.NN))
            plain = median(w, n, nw)
            risen = clamp(plain + rise, 0, 255)
            errors = self.errors[2 * c : 2 * c + 2]
            P, Q = (risen, plain) if errors[0] > errors[1] else (plain, risen)
            recalled = next((v for v in self.recalled[1:] if v >= 0), -1)
            guess = ((recalled >> 8 * c) & 255) - P if recalled >= 0 else 999
            a = grade(abs(w - nw) + abs(n - nw) + abs(n - ne))
            before = bounded(self.differences[c - 1], 63) if c else 0
            earlier = bounded(self.differences[c - 2], 31) if c > 1 else bounded(nn - n, 31)
            coarse = [v & 0xE0E0E0E0 for v in (self.W, self.N, self.NE, self.NW)]
            S = 64 + 256 * c
            h = [
                hashes(S, a),
                hashes(S + 2, bounded(w - P, 40), bounded(n - P, 40)),
                hashes(S + 4, self.shape, before, self.around % 64),
                hashes(S + 5, P, pixel),
                hashes(S + 6, grade(ne - n) + 16 * grade(w - ww), 16 * grade(w - nw) + grade(n - nw)),
                hashes(S + 7, bounded(Q - P, 31), a),
                hashes(S + 8, guess, before),
                hashes(S + 10, before, earlier),
                hashes(S + 11, *coarse, before),
            ]
            if self.brief:
                h = [h[i] for i in (0, 3, 4, 7)]
            sources = self.sources(c, pixel)
            difference = self.pop_difference(h, P, c, min(a, 15), sources)
            sample = P + difference
            for source in sources:
                self.count(source, sample)
            for i, predicted in enumerate((plain, risen)):
                self.errors[2 * c + i] += 16 * abs(sample - predicted) - (errors[i] >> 4)
            self.differences.append(difference)
            rise = sample - plain
            pixel |= sample << 8 * c
        return pixel

    def sources(self, c: int, known: int) -> list[list[list[int]]]:
        """Return the counts that tell of a sample: those of channel 0, or a row, and two rows."""
        W, N = self.W & 0xF8F8F8F8, self.N & 0xF8F8F8F8
        places = [hashes(c, known), hashes(c + 4, known, W), hashes(c + 8, known, N)]
        found = [self.rows.setdefault(place & self.mask, [[0, 0] for _ in range(8)]) for place in places]
        return [self.first, *found[1:]] if c == 0 else found

    @staticmethod
    def count(source: list[list[int]], sample: int) -> None:
        """Count a sample in a source."""
        if len(source) == 256:
            source[sample][0] = min(source[sample][0] + 1, 65535)
            return
        for entry in source:
            if entry[0] and entry[1] == sample:
                entry[0] = min(entry[0] + 1, 65535)
                return
        min(source)[:] = [1, sample]

    def pop_difference(self, h: list[int], P: int, c: int, a: int, sources: list[list[list[int]]]) -> int:
        """Pop the difference of a sample to what is expected."""
        K, L, C = 768 + 64 * c + 4 * a, 1024 + 32 * c, 512 + 160 * c
        left: Collection[int] = range(256)
        counts = [{sample: count for count, sample in source if count} for source in sources]

        def counted(source: dict[int, int], samples: Collection[int]) -> int:
            return sum(count for sample, count in source.items() if sample in samples)

        def pop(node: int, row: int, second: int, correction: int, ones: Collection[int]) -> int:
            nonlocal left
            shares = [(counted(source, ones), counted(source, left)) for source in counts]
            given = tuple(STRETCH[((32 * one + 1) << 12) // (32 * all + 2)] for one, all in shares)
            one, all = shares[0]
            state = 3 * min(all.bit_length(), 6) + (0 if one == 0 else 1 if one == all else 2)
            choices = K + row, L + second, 1000 + 21 * (4 * c + row) + state
            b = self.decisions.pop(SAMPLE, node, h, choices, C + correction, given)
            left = set(left).intersection(ones) if b else set(left).difference(ones)
            return b

        if not pop(0, 0, 0, a, {*range(256)} - {P}):
            return 0
        less = P == 255
        if 0 < P < 255:
            less = bool(pop(1, 1, 1, 16, range(P)))
        most, e = P if less else 255 - P, 1

        def side(least: int, end: int) -> range:
            end = min(end, most + 1)
            return range(P - end + 1, P - least + 1) if less else range(P + least, P + end)

        while 1 << e <= most and pop(1 + 7 * less + e, 2, 2 + e, 32 + e, side(1 << e, 256)):
            e += 1
        known = 1
        for i in range(e - 2, -1, -1):
            b, upper = 0, 2 * known + 1
            if upper << i <= most:
                node = 16 * (48 + 2 * e + less) + (known if known < 8 else 8 + i)
                b = pop(node, 3, 12 + i, 64 + 8 * e + i, side(upper << i, (upper + 1) << i))
            known = 2 * known + b
        return -known if less else known

    # --- black and white (section 15.9) ---

    def bit(self) -> tuple[int, int]:
        """Decode a pixel of two levels."""
        row, x = self.here - self.x, self.x
        windows = []
        for up, reach in enumerate(REACH):
            first, end = (max(x - 12, 0), x) if up == 0 else (x - reach, x + reach + 1)
            cells = self.cells[row - up * self.width :][first:end].tolist()
            windows.append(sum(bit << i for i, bit in enumerate(reversed(cells))))
        r0, r1, r2, r3, r4 = windows
        large = hashes(53, *windows)
        self.look_up(large)
        length = self.length
        matched = 2 * min(length, 31) + self.match() if length else 0
        if (r0 % 256, r1, r2, r3) in ((0, 0, 0, 0), (255, 8191, 2047, 511)):
            beyond = self.at(1, 7) + 2 * self.at(1, 8)
            h = [hashes(40, r0 & 1, r4), hashes(41, r0 & 1, matched), hashes(42, r0, beyond)]
            choices = 1024 + (r0 & 1), 1152 + min(length, 15), 870 + (r0 & 1)
            b = self.decisions.pop(FLAT_BIT, 0, h, choices, 1152 + min(length, 15))
        else:
            near = (r0 % 16) << 8 | ((r1 >> 4) % 32) << 3 | (r2 >> 4) % 8
            wide = (r0 % 256) << 20 | ((r1 >> 1) % 2048) << 9 | (r2 >> 1) % 512
            column = ((r1 >> 5) % 8) << 9 | ((r2 >> 4) % 8) << 6 | ((r3 >> 3) % 8) << 3 | (r4 >> 2) % 8
            ones = sum(bin(window).count("1") for window in windows)
            h = [
                hashes(43, near),
                hashes(44, (r0 % 16) << 12 | ((r1 >> 3) % 128) << 5 | (r2 >> 3) % 32),
                hashes(45, (r0 % 64) << 16 | ((r1 >> 2) % 512) << 7 | (r2 >> 2) % 128),
                hashes(46, hashes(wide, (r3 >> 1) % 128)),
                large,
                hashes(47, r0, r1),
                hashes(48, r0 % 4, column),
                hashes(49, (r0 % 4) << 5 | ((r1 >> 5) % 8) << 2 | (r2 >> 5) % 2),
                hashes(50, matched, near),
                hashes(51, r0 & 0xAAA, r1 & 0xAAA, (r2 & 0x555) * 4096 + (r4 & 0x55)),
                hashes(52, ones, near % 512),
                hashes(54, hashes(large, self.tall())),
            ]
            if self.brief:
                h = [h[i] for i in (1, 5, 7)]
            h += [hashes(55 + i, self.seen(*place), near) for i, place in enumerate(self.distant)]
            choices = 1026 + matched, 1168 + ((r0 % 8) << 5 | (r1 >> 4) % 32), 900 + ones
            b = self.decisions.pop(BIT, 0, h, choices, 1168 + min(ones, 63))
        self.go_on(b)
        return b, 0

    def tall(self) -> int:
        """Put eleven pixels of the rows above the windows into a number."""
        places = [(up, right) for right in (-2, 0, 2) for up in (5, 6, 7)] + [(5, -1), (5, 1)]
        return sum(self.far_at(*place) << i for i, place in enumerate(reversed(places)))

    def seen(self, up: int, right: int) -> int:
        """Put the pixels around a distant place into a number."""
        found = 0
        for row in (up + 1, up, up - 1):
            for column in (right - 1, right, right + 1):
                found = 2 * found + (self.far_at(row, column) if row >= up or up > 1 else 0)
        return found
