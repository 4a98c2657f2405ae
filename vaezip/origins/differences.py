"""Code what a colour map does not explain: differences from its colours, learned by the planes.

Most pixels have none. Where a converter rounds otherwise than the map does, its difference is a function of the planes,
or of two of them; where something was pasted over a picture, there are differences of neighbours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import decisions, mixing, stack
from vaezip.entropy.decisions import DECODES, IS_SHORT, bounded, coder_of, head_of
from vaezip.entropy.mixing import PRECISION, decide, key
from vaezip.entropy.stack import Stack
from vaezip.errors import FormatError
from vaezip.exact.jit import borrowing, jit
from vaezip.models.cost import Cost
from vaezip.origins.colour import Planes

Differences = NDArray[np.int8]
"""Of each channel modulo 256, as −128 … 127: (pictures, height, width, 3)."""

SLOT_BITS = 18
CONTEXTS = 10
CHOICES, KINDS, CORRECTIONS = 80, 4, 48

MOST_DECISIONS = 3 * 16
"""Of a pixel."""

_LEARNED = 1 << 25
_WORK = 1 << 14
"""More bytes than counters and weights take, and operations of a pixel."""


def encode(planes: Planes, differences: Differences) -> bytes:
    """Code the differences of pixels by their planes; all pictures lie one below the other."""
    height, width = _sheet(planes.shape)
    known, found = planes.reshape(height, width, 3), differences.reshape(height, width, 3)
    state, rows, made = _new_mixing(), [], decisions.room(width * MOST_DECISIONS)
    for y in range(height):
        made[1][0] = 0
        _code_rows(decisions.NO_STACK, False, state, made, known, found, (y, y + 1))
        rows.append(made[0][: made[1][0]].copy())
    coded = Stack()
    for row in reversed(rows):
        decisions.push(coded, row, PRECISION)
    return coded.to_bytes()


def decode(data: bytes, planes: Planes) -> Differences:
    """Invert :func:`encode`.

    Raises:
        FormatError: the data are damaged.
    """
    height, width = _sheet(planes.shape)
    out = np.zeros((height, width, 3), np.int8)
    with stack.decoding(data) as coded:
        made, known = decisions.room(1), planes.reshape(height, width, 3)
        coded.run(_code_rows, True, _new_mixing(), made, known, out, (0, height))
        if coded.finish():
            raise FormatError("the coded data is damaged")
    return out.reshape(planes.shape)


def cost(pixels: int) -> Cost:
    """Compute what it costs to :func:`decode` the differences of so many pixels."""
    return Cost(_LEARNED + 3 * pixels, _WORK * pixels)


def _sheet(shape: tuple[int, ...]) -> tuple[int, int]:
    return shape[0] * shape[1], shape[2]


def _new_mixing() -> Any:
    return mixing.new_mixing(SLOT_BITS, choices=CHOICES, kinds=KINDS, corrections=CORRECTIONS)


@borrowing
def _code(m, coder, words, made, difference, around):
    """Code a difference whose contexts are set: whether there is one, its sign, how many bits it has, and these."""
    m.choices[0], m.choices[1], m.choices[2] = around, 48, 49
    if not decide(m, coder, words, made, CONTEXTS, 0, 0, around, 1 if difference else 0):
        return 0
    m.choices[2] = 50
    less = decide(m, coder, words, made, CONTEXTS, 1, 1, 16, 1 if difference < 0 else 0)
    magnitude, size = abs(difference), 0
    while size < 7:
        m.choices[1], m.choices[2] = 51 + size, 60 + less
        if not decide(m, coder, words, made, CONTEXTS, 2 + size, 2, 17 + size, 1 if magnitude >> (size + 1) else 0):
            break
        size += 1
    known = 1
    for i in range(size - 1, -1, -1):
        m.choices[1], m.choices[2] = 64 + size, 72 + i
        bit = decide(
            m, coder, words, made, CONTEXTS, 16 * (size + 1) + min(known, 15), 3, 25 + size, (magnitude >> i) & 1
        )
        known = 2 * known + bit
    return max(-known, -128) if less else min(known, 127)


@borrowing
def _code_pixel(m, coder, words, made, planes, differences, y, x):
    """Code the differences of the channels of a pixel."""
    p0, p1, p2 = np.int64(planes[y, x, 0]), np.int64(planes[y, x, 1]), np.int64(planes[y, x, 2])
    last = planes.shape[1] - 1
    for channel in range(3):
        w = bounded(np.int64(differences[y, x - 1, channel]), 2) if x else 2
        n = bounded(np.int64(differences[y - 1, x, channel]), 2) if y else 2
        nw = bounded(np.int64(differences[y - 1, x - 1, channel]), 2) if x and y else 2
        ne = bounded(np.int64(differences[y - 1, x + 1, channel]), 2) if x < last and y else 2
        first = np.int64(differences[y, x, 0]) if channel else 0
        second = np.int64(differences[y, x, 1]) if channel == 2 else 0
        here = bounded(first, 2) * 5 + bounded(second, 2)
        around = (w != 2) + (n != 2) + (nw != 2) + (ne != 2)
        c = m.contexts
        c[0] = key(channel, w * 5 + n, here)
        c[1] = key(channel + 4, w * 5 + n, nw * 5 + ne)
        c[2] = key(channel + 8, 0, here)
        c[3] = key(channel + 12, (first + 128) * 256 + second + 128, around)
        c[4] = key(channel + 16, p0, p1 * 256 + p2)
        c[5] = key(channel + 20, p0, p1)
        c[6] = key(channel + 24, p1, p2)
        c[7] = key(channel + 28, p0, p2)
        c[8] = key(channel + 32, p1, around)
        c[9] = key(channel + 36, p0 * 256 + p1, here)
        found = _code(m, coder, words, made, np.int64(differences[y, x, channel]), channel * 5 + around)
        if coder[DECODES]:
            differences[y, x, channel] = found


@jit
def _code_rows(head, decodes, m, made, planes, differences, rows):
    """Pop rows, a kernel of :meth:`vaezip.entropy.stack.Stack.run`; or put their decisions into a list."""
    coder = coder_of(head, decodes)
    for y in range(rows[0], rows[1]):
        for x in range(planes.shape[1]):
            if coder[IS_SHORT]:
                return head_of(coder)
            _code_pixel(m, coder, head[1], made, planes, differences, y, x)
    return head_of(coder)
