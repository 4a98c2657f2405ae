"""Code the blocks of one plane of coefficients, a row of blocks at a time; encoder and decoder are one function."""

from __future__ import annotations

import numpy as np

from vaezip.entropy.mixing import PRECISION, predict, update
from vaezip.entropy.stack import drop, is_short, slot_of
from vaezip.exact.jit import inline, jit
from vaezip.models.coefficient import contexts as ctx
from vaezip.models.coefficient.contexts import (
    ABOVE_COUNT,
    ABOVE_HERE,
    ACROSS,
    AROUND,
    BEFORE_COUNT,
    BEFORE_HERE,
    BESIDE,
    BITS,
    BLOCK_STATE,
    CORNER,
    COUNT,
    COUNTS,
    DC,
    DOWN,
    EXPECTED,
    FAR_ABOVE,
    FAR_LEFT,
    FIRST_COUNT,
    FIRST_SIGNED,
    FIRST_SUM,
    HORIZONTAL,
    INSIDE,
    LAST1,
    LAST2,
    LAST3,
    LEFT_COUNT,
    LEFT_HERE,
    NUMBER,
    PLACES,
    PLANE,
    REMAINING,
    SIGN,
    SIZE,
    STATE,
    STEP,
    SUM,
    UNIT,
    VERTICAL,
    ZERO,
    bounded,
    graded,
)
from vaezip.pictures.jpeg.scans import BLOCK, NATURAL_ORDER

MOST_SIZE, MOST_DC_SIZE = 15, 17
MOST_DECISIONS = 6 + 63 * (2 + 2 * MOST_SIZE) + 2 + 2 * MOST_DC_SIZE
"""Of a block."""

_DECODES, _STATE, _SIZE, _IS_SHORT = range(4)
_FIRST_SCALE, _SCALE = 181, 256
"""The values of the basis functions of a cosine transform at the border, 1/√8 and ½, in 1/512."""


@jit
def _decide(m, coder, words, made, count, node, kind, correction, bit):
    """Code one bit, or decode it, and learn from it."""
    p = predict(m, count, node, kind, correction)
    if coder[_DECODES]:
        precision = np.uint64(PRECISION)
        state = coder[_STATE]
        bit = 1 if np.int64(slot_of(state, precision)) < p else 0
        start, freq = (0, p) if bit else (p, (1 << PRECISION) - p)
        size = np.int64(coder[_SIZE])
        if is_short(state, size, np.uint64(start), np.uint64(freq), precision):
            coder[_IS_SHORT] = np.uint64(1)
            return bit
        state, size = drop(state, words, size, np.uint64(start), np.uint64(freq), precision)
        coder[_STATE], coder[_SIZE] = state, np.uint64(size)
    else:
        made[0][made[1][0]] = (p << 1) | bit
        made[1][0] += 1
    update(m, count, kind, correction, bit)
    return bit


@jit
def decode_row(head, m, rows, numbers, made):
    """Pop a row of blocks; a kernel of :meth:`vaezip.entropy.stack.Stack.run`."""
    state, words, size = head
    coder = np.zeros(4, np.uint64)
    coder[_DECODES], coder[_STATE], coder[_SIZE] = np.uint64(1), state, np.uint64(size)
    _code_row(m, coder, words, rows, numbers, made)
    return coder[_STATE], np.int64(-1) if coder[_IS_SHORT] else np.int64(coder[_SIZE])


@jit
def encode_row(m, rows, numbers, made):
    """Put the decisions of a row of blocks, twice the frequency of a 1 plus the bit, into ``made``."""
    _code_row(m, np.zeros(4, np.uint64), np.zeros(1, np.uint32), rows, numbers, made)


@jit
def _code_row(m, coder, words, rows, numbers, made):
    """Code a row of blocks.

    Args:
        m: what has been learned.
        coder: whether it decodes, and the head of the stack.
        words: of the stack.
        rows: the plane and its counts; the first plane and its counts; the plane before. Each has a margin of blocks
            of zeros: one above (two for the plane), one to the left (two) and one to the right.
        numbers: the plane's number, the row, the columns, and blocks of the first plane for one of this, down and
            across, as the numerators and denominators of two fractions; whether there is a plane before.
        made: decisions, and their number.
    """
    plane, counts, steps = rows[0], rows[1], rows[5]
    y = numbers[1] + 2
    b, s = np.zeros(BLOCK_STATE, np.int64), np.zeros(STATE, np.int64)
    horizontal, vertical = np.zeros(8, np.int64), np.zeros(8, np.int64)
    sums, signed = np.zeros(BLOCK, np.int64), np.zeros(BLOCK, np.int64)
    b[PLANE] = numbers[0]
    b[DOWN] = 1 if numbers[1] else 0
    for column in range(numbers[2]):
        if coder[_IS_SHORT]:
            break
        x = column + 2
        b[ACROSS] = 1 if column else 0
        _borders(plane, y, x, steps, horizontal, vertical)
        _count_around(b, counts, y, x)
        if numbers[0]:
            _first_plane(b, rows[2], rows[3], numbers, column, sums, signed)
        if numbers[7]:
            b[BEFORE_COUNT] = _filled(rows[4][y, x])
        _code_block(m, coder, words, made, b, s, rows, numbers, y, x, horizontal, vertical, sums, signed)


@jit
def _filled(block):
    count = 0
    for i in range(1, BLOCK):
        if block[i]:
            count += 1
    return count


@jit
def _borders(plane, y, x, steps, horizontal, vertical):
    """Find the frequencies along the border of the block to the left and above, at the border."""
    left, above = plane[y, x - 1], plane[y - 1, x]
    for i in range(8):
        across = down = 0
        for j in range(8):
            scale = _SCALE if j else _FIRST_SCALE
            across += (-scale if j & 1 else scale) * left[8 * i + j] * steps[8 * i + j]
            down += (-scale if j & 1 else scale) * above[8 * j + i] * steps[8 * j + i]
        horizontal[i], vertical[i] = across, down


@jit
def _count_around(b, counts, y, x):
    above, left = np.int64(counts[y - 1, x]), np.int64(counts[y, x - 1])
    if b[ACROSS] and b[DOWN]:
        b[COUNTS] = (2 * above + 2 * left + counts[y - 1, x - 1] + counts[y - 1, x + 1] + 3) // 6
    else:
        b[COUNTS] = above + left  # one of them is 0
    b[ABOVE_COUNT] = above if b[DOWN] else left
    b[LEFT_COUNT] = left if b[ACROSS] else above


@jit
def _first_plane(b, plane, counts, numbers, column, sums, signed):
    """Add up the coefficients of the blocks of the first plane that lie where a block lies."""
    sums[:] = 0
    signed[:] = 0
    top, left = numbers[1] * numbers[3] // numbers[4], column * numbers[5] // numbers[6]
    bottom = max(top + 1, (numbers[1] + 1) * numbers[3] // numbers[4])
    right = max(left + 1, (column + 1) * numbers[5] // numbers[6])
    total = 0
    for y in range(top + 2, bottom + 2):
        for x in range(left + 2, right + 2):
            total += counts[y, x]
            block = plane[y, x]
            for i in range(1, BLOCK):
                value = np.int64(block[i])
                sums[i] += abs(value)
                signed[i] += value
    b[FIRST_COUNT] = total // ((bottom - top) * (right - left))


@jit
def _code_block(m, coder, words, made, b, s, rows, numbers, y, x, horizontal, vertical, sums, signed):
    block, steps = rows[0][y, x], rows[5]
    count = ctx.count_contexts(m, b, horizontal[1], vertical[1])
    filled, node = _filled(block), 1
    for i in range(5, -1, -1):
        m.choices[0] = node
        node = 2 * node + _decide(m, coder, words, made, count, node, COUNT, node, (filled >> i) & 1)
    filled = node - 64
    rows[1][y, x] = filled
    s[REMAINING], s[SUM], s[LAST1], s[LAST2], s[LAST3] = filled, 0, 0, 0, 0
    dc = block[0]
    block[0] = 0  # which the decoder does not know yet
    k = 1
    while s[REMAINING] and k < BLOCK:
        z = NATURAL_ORDER[k]
        _know(b, s, rows, numbers, y, x, k, z, horizontal, vertical, sums, signed)
        value = _code_coefficient(m, coder, words, made, b, s, block, z)
        block[z] = value
        s[LAST3], s[LAST2], s[LAST1] = s[LAST2], s[LAST1], abs(value)
        if value:
            s[REMAINING] -= 1
            s[SUM] += abs(value)
            u, v = z & 7, z >> 3
            horizontal[v] -= (_SCALE if u else _FIRST_SCALE) * value * steps[z]
            vertical[u] -= (_SCALE if v else _FIRST_SCALE) * value * steps[z]
        k += 1
    s[REMAINING] = filled
    block[0] = dc
    block[0] = _code_dc(m, coder, words, made, b, s, rows, numbers, y, x, horizontal[0], vertical[0])


@jit
def _know(b, s, rows, numbers, y, x, k, z, horizontal, vertical, sums, signed):
    """Gather what is known of a coefficient."""
    plane, step = rows[0], rows[5][z]
    block, u, v = plane[y, x], z & 7, z >> 3
    s[NUMBER], s[PLACES], s[STEP] = k, BLOCK - k, step
    s[LEFT_HERE], s[ABOVE_HERE] = plane[y, x - 1, z], plane[y - 1, x, z]
    s[CORNER], s[BESIDE] = plane[y - 1, x - 1, z], plane[y - 1, x + 1, z]
    s[FAR_LEFT], s[FAR_ABOVE] = plane[y, x - 2, z], plane[y - 2, x, z]
    s[HORIZONTAL] = UNIT * horizontal[v] // ((_SCALE if u else _FIRST_SCALE) * step) if b[ACROSS] else 0
    s[VERTICAL] = UNIT * vertical[u] // ((_SCALE if v else _FIRST_SCALE) * step) if b[DOWN] else 0
    s[EXPECTED] = s[HORIZONTAL] + s[VERTICAL]
    left, above, corner = abs(s[LEFT_HERE]), abs(s[ABOVE_HERE]), abs(s[CORNER])
    if b[ACROSS] and b[DOWN]:
        s[EXPECTED] >>= 1
        s[AROUND] = (13 * (left + above) + 6 * corner) >> 2
    else:
        s[AROUND] = UNIT * (left + above)
    inside = 2 * abs(np.int64(block[z - 1])) if u else 0
    inside += 2 * abs(np.int64(block[z - 8])) if v else 0
    inside += abs(np.int64(block[z - 9])) if u and v else 0
    inside += abs(np.int64(block[z - 2])) if u > 1 else 0
    inside += abs(np.int64(block[z - 16])) if v > 1 else 0
    s[INSIDE] = inside
    s[FIRST_SUM], s[FIRST_SIGNED] = sums[z], signed[z]
    s[BEFORE_HERE] = rows[4][y, x, z] if numbers[7] else 0


@jit
def _code_coefficient(m, coder, words, made, b, s, block, z):
    value = np.int64(block[z])
    k = s[NUMBER]
    if s[REMAINING] < s[PLACES]:
        count = ctx.zero_contexts(m, b, s)
        if not _decide(m, coder, words, made, count, 0, ZERO, 64 + k, 1 if value else 0):
            return 0
    u, v = z & 7, z >> 3
    signs = _sign(block[z - 1]) if u else 0
    signs += 3 * _sign(block[z - 8]) if v else 0
    count = ctx.sign_contexts(m, b, s, signs)
    correction = 128 + min(63, max(0, 32 + (s[EXPECTED] >> 2)))
    negative = _decide(m, coder, words, made, count, 0, SIGN, correction, 1 if value < 0 else 0)
    magnitude = abs(value)
    size, most = _bits_of(magnitude), 1
    count = ctx.size_contexts(m, b, s, negative)
    around = min(graded(s[AROUND]), 7)
    while most < MOST_SIZE:
        m.choices[1] = 128 + most
        correction = 192 + min(most, 7) * 8 + around
        if not _decide(m, coder, words, made, count, most, SIZE, correction, 1 if size > most else 0):
            break
        most += 1
    known = 1
    m.choices[1] = 144 + most
    for i in range(most - 2, -1, -1):
        count = ctx.bit_contexts(m, b, s, negative, most, known, i)
        node = (most << 4) + (known if known < 16 else i)
        known = 2 * known + _decide(m, coder, words, made, count, node, BITS, 256 + most, (magnitude >> i) & 1)
    return -known if negative else known


@inline
def _sign(value):
    return 2 if value < 0 else (1 if value > 0 else 0)


@jit
def _bits_of(value):
    size = 0
    while value:
        value >>= 1
        size += 1
    return size


@jit
def _code_dc(m, coder, words, made, b, s, rows, numbers, y, x, horizontal, vertical):
    plane, step = rows[0], rows[5][0]
    s[HORIZONTAL] = horizontal // (_FIRST_SCALE * step) if b[ACROSS] else 0
    s[VERTICAL] = vertical // (_FIRST_SCALE * step) if b[DOWN] else 0
    s[EXPECTED] = s[HORIZONTAL] + s[VERTICAL]
    if b[ACROSS] and b[DOWN]:
        s[EXPECTED] >>= 1
    first = before = 0
    if b[ACROSS] and b[DOWN]:
        if numbers[7]:
            before = _rise(rows[4], y, x)
        if numbers[0]:
            row, column = numbers[1] * numbers[3] // numbers[4], (x - 2) * numbers[5] // numbers[6]
            first = _rise(rows[2], row + 2, column + 2)
    count = ctx.dc_contexts(m, b, s, plane, y, x, first, before)
    spread = min(graded(s[HORIZONTAL] - s[VERTICAL]), 15)
    difference = plane[y, x, 0] - s[EXPECTED]
    m.choices[1] = 160
    if not _decide(m, coder, words, made, count, 0, DC, 300 + spread, 1 if difference else 0):
        return s[EXPECTED]
    negative = _decide(m, coder, words, made, count, 1, DC, 320, 1 if difference < 0 else 0)
    magnitude = abs(difference)
    size, most = _bits_of(magnitude), 1
    while most < MOST_DC_SIZE:
        m.choices[1] = 161 + most
        node = 16 + 32 * negative + most
        if not _decide(m, coder, words, made, count, node, DC, 330 + most, 1 if size > most else 0):
            break
        most += 1
    known = 1
    m.choices[1] = 180 + most
    for i in range(most - 2, -1, -1):
        node = 128 + 32 * most + (known if known < 16 else 16 + i)
        known = 2 * known + _decide(m, coder, words, made, count, node, DC, 350 + most, (magnitude >> i) & 1)
    return s[EXPECTED] + (-known if negative else known)


@jit
def _rise(plane, y, x):
    """Return how far DC lies from the mean of its neighbours, clamped."""
    return bounded(plane[y, x, 0] - ((np.int64(plane[y, x - 1, 0]) + plane[y - 1, x, 0]) >> 1), 20)
