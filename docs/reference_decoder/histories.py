"""Section 15.2: decisions that contexts with histories predict."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from .coefficients import clamp
from .exact import exp
from .stack import Stack

STRETCH: list[int] = []
SQUASH: list[int] = []
FIRST_MAP: list[tuple[int, int]] = []
FIRST_TABLE: list[int] = []


def hashes(a: int, *values: int) -> int:
    """Hash a number and those that follow."""
    for v in values:
        m = ((a * 0x5EBCA6B + int(v) + 1) % 2**32 * 0x42B2AE35) % 2**32
        a = m ^ (m >> 15)
    return a


def fill_tables() -> None:
    """Make the tables of section 15.2."""
    if STRETCH:
        return
    SQUASH.extend(np.floor(65536 / (1 + exp(-(np.arange(6144) - 3072) / 256)) + 0.5).astype(int).tolist())
    STRETCH.extend(clamp(bisect_left(SQUASH[1:], 16 * i + 8) - 3071, -2047, 2047) for i in range(4096))
    FIRST_TABLE.extend(SQUASH[clamp(256 * j, 1, 6143)] for j in range(26))
    FIRST_MAP.extend([(2**21, 0)] * 2)
    for history in range(2, 128):
        length = history.bit_length() - 1
        ones = bin(history).count("1") - 1
        FIRST_MAP.append((((10 * ones + 4) << 22) // (10 * length + 8), 4))


def pace(n: int) -> int:
    """Tell how far a probability moves after n bits, in 1/2^16 of its error."""
    return 655360 // (10 * n + 16)


class Decisions:
    """Pop decisions that learn."""

    def __init__(self, stack: Stack, slot_bits: int) -> None:
        fill_tables()
        self.stack, self.shift = stack, 36 - slot_bits
        self.slots: dict[int, tuple[int, int, int]] = {}
        self.maps: dict[tuple[int, int, int], list[int]] = {}
        self.weights: dict[tuple[int, int], list[int]] = {}
        self.uses: dict[tuple[int, int], int] = {}
        self.last: dict[int, list[int]] = {}
        self.tables: dict[int, list[int]] = {}
        self.seconds: dict[int, list[int]] = {}
        self.first_weights = [4915] * 32

    def pop(
        self,
        kind: int,
        node: int,
        h: list[int],
        choices: tuple[int, int, int],
        correction: int,
        given: tuple[int, ...] = (),
    ) -> int:
        """Pop a decision, some of whose inputs may be given (section 18.1)."""
        places, slots, maps, x = [], [], [], list(given)
        for i, context in enumerate(h):
            line = ((context - context % 16 + (node >> 4) * 0x9E3779B1) % 2**32 * 0x2545F491) % 2**32
            places.append((line >> self.shift) * 16 + (node ^ context) % 16)
            slots.append(self.slots.get(places[-1], (2**17, 0, 1)))
            history = slots[-1][2]
            maps.append(self.maps.setdefault((kind, i, history), list(FIRST_MAP[history])))
            x += [STRETCH[slots[-1][0] >> 6], STRETCH[maps[-1][0] >> 10]]
        x.append(256)
        rows = [self.weights.setdefault((s, choices[s]), list(self.first_weights)) for s in range(3)]
        y = [clamp(sum((w * v) >> 10 for w, v in zip(row, x)) >> 6, -3071, 3071) for row in rows]
        last = self.last.setdefault(kind, [21845] * 3)
        t = clamp(sum(w * v for w, v in zip(last, y)) >> 16, -3071, 3071)
        table = self.tables.setdefault(correction, list(FIRST_TABLE))
        second = self.seconds.setdefault(choices[1], list(FIRST_TABLE))
        j, part = (t + 3072) >> 8, (t + 3072) % 256
        corrected = ((table[j] + second[j]) * (256 - part) + (table[j + 1] + second[j + 1]) * part) >> 8
        f = clamp((2 * SQUASH[t + 3072] + corrected) >> 2, 2, 2**16 - 2)
        b = 1 if self.stack.slot(16) < f else 0
        self.stack.drop(0 if b else f, f if b else 2**16 - f, 16)
        j = (t + 3072 + 128) >> 8
        for corrections in (table, second):
            corrections[j] += (min(65536 * b, 65535) - corrections[j]) >> 6
        error = 65536 * b - SQUASH[t + 3072]
        for s in range(3):
            last[s] = clamp(last[s] + ((y[s] * error + 2**17) >> 18), -(2**19), 2**19)
            used = self.uses.get((s, choices[s]), 0)
            self.uses[s, choices[s]] = min(used + 1, 255)
            step = ((65536 * b - SQUASH[y[s] + 3072]) * (2 + 1400 // (20 + used))) >> 3
            for i, v in enumerate(x):
                rows[s][i] = clamp(rows[s][i] + ((v * step + 2**14) >> 15), -(2**19), 2**19)
        for place, slot, entry in zip(places, slots, maps):
            p, n = entry
            entry[:] = [clamp(p + (((b * 2**22 - p) * pace(n)) >> 16), 1, 2**22 - 1), min(n + 1, 255)]
            p, n, history = slot
            history = 2 * history + b
            if history >= 128:
                history = history % 64 + 64
            p = clamp(p + (((b * 2**18 - p) * pace(n)) >> 16), 1, 2**18 - 1)
            self.slots[place] = p, min(n + 1, 126), history
        return b
