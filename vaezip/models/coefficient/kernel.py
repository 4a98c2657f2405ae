"""Code the blocks of one plane of coefficients, a row of blocks at a time; encoder and decoder are one function."""

from __future__ import annotations

import numpy as np

from vaezip.entropy.decisions import bounded
from vaezip.entropy.mixing import PRECISION, predict, update
from vaezip.entropy.stack import drop, is_short, slot_of
from vaezip.exact.jit import borrowing, inline
from vaezip.models.coefficient import contexts as ctx
from vaezip.models.coefficient.contexts import BITS, COUNT, DC, SIGN, SIZE, UNIT, ZERO, graded, sign_of
from vaezip.pictures.jpeg.scans import BLOCK, NATURAL_ORDER

MOST_SIZE, MOST_DC_SIZE = 15, 17
MOST_DECISIONS = 6 + 63 * (2 + 2 * MOST_SIZE) + 2 + 2 * MOST_DC_SIZE
"""Of a block."""

_FIRST_SCALE, _SCALE = 181, 256
"""The values of the basis functions of a cosine transform at the border, 1/√8 and ½, in 1/512."""


@borrowing
def decode_row(head, m, k, planes, row, ratios):
    """Pop a row of blocks; a kernel of :meth:`vaezip.entropy.stack.Stack.run`. The arguments are those of
    :func:`_code_row`."""
    state, words, size = head
    k.decodes, k.state, k.size, k.is_short = 1, state, size, 0
    _code_row(m, k, words, planes, row, ratios)
    return k.state, np.int64(-1) if k.is_short else k.size


@borrowing
def encode_row(m, k, made, planes, row, ratios):
    """Put the decisions of a row of blocks, twice the frequency of a 1 plus the bit, into ``made``, and return their
    number. The other arguments are those of :func:`_code_row`."""
    k.decodes, k.size, k.is_short = 0, 0, 0
    _code_row(m, k, made, planes, row, ratios)
    return k.size


@borrowing
def _code_row(m, k, tape, planes, row, ratios):
    """Code a row of blocks.

    Args:
        m: what has been learned.
        k: what is known; of the coder, the plane and its steps before.
        tape: the words of the stack, or room for decisions.
        planes: the plane and its counts, the first plane and its counts, and the plane before. Counts have a margin of
            zeros, one above, one to the left and one to the right.
        row: its number.
        ratios: blocks of the first plane for one of this, down and across, as numerators and denominators.
    """
    plane, counts, first, first_counts, before = planes
    k.down = 1 if row else 0
    for column in range(k.columns):
        if k.is_short:
            break
        k.across = 1 if column else 0
        _copy(k.block, plane, row, column)
        _copy(k.left, plane, row, column - 1)
        _copy(k.far_left, plane, row, column - 2)
        _copy(k.above, plane, row - 1, column)
        _copy(k.far_above, plane, row - 2, column)
        _copy(k.corner, plane, row - 1, column - 1)
        _copy(k.beside, plane, row - 1, column + 1)
        _count_around(k, counts, row + 1, column + 1)
        _find_borders(k)
        if k.plane:
            _look_at_first(k, first, first_counts, row, column, ratios)
        if k.has_before:
            _look_at_before(k, before, row, column)
        counts[row + 1, column + 1] = _code_block(m, k, tape)
        for i in range(BLOCK):
            plane[row, column, i] = k.block[i]


@inline
def _copy(block, plane, y, x):
    """Copy a block of a plane; outside of it, all is 0."""
    if 0 <= y < plane.shape[0] and 0 <= x < plane.shape[1]:
        for i in range(BLOCK):
            block[i] = plane[y, x, i]
    else:
        for i in range(BLOCK):
            block[i] = 0


@borrowing
def _count_around(k, counts, y, x):
    above, left = np.int64(counts[y - 1, x]), np.int64(counts[y, x - 1])
    if k.across and k.down:
        k.around_count = (2 * above + 2 * left + counts[y - 1, x - 1] + counts[y - 1, x + 1] + 3) // 6
    else:
        k.around_count = above + left  # one of them is 0
    k.above_count = above if k.down else left
    k.left_count = left if k.across else above


@borrowing
def _find_borders(k):
    """Find the frequencies along the border of the block to the left and above, at the border."""
    for i in range(8):
        across = down = 0
        for j in range(8):
            scale = _SCALE if j else _FIRST_SCALE
            scale = -scale if j & 1 else scale
            across += scale * k.left[8 * i + j] * k.steps[8 * i + j]
            down += scale * k.above[8 * j + i] * k.steps[8 * j + i]
        k.borders[0, i], k.borders[1, i] = across, down


@borrowing
def _look_at_first(k, plane, counts, row, column, ratios):
    """Add up the coefficients of the blocks of the first plane that lie where a block lies."""
    for i in range(BLOCK):
        k.sums[i] = k.signed[i] = 0
    top, left = row * ratios[0] // ratios[1], column * ratios[2] // ratios[3]
    bottom = max(top + 1, (row + 1) * ratios[0] // ratios[1])
    right = max(left + 1, (column + 1) * ratios[2] // ratios[3])
    total = 0
    for y in range(top, bottom):
        for x in range(left, right):
            total += counts[y + 1, x + 1]
            for i in range(BLOCK):
                value = np.int64(plane[y, x, i])
                k.sums[i] += abs(value)
                k.signed[i] += value
    k.first_count = total // ((bottom - top) * (right - left))
    k.first_rise = _rise(plane, top, left) if k.across and k.down else 0


@borrowing
def _look_at_before(k, plane, y, x):
    _copy(k.before, plane, y, x)
    k.before_count = _filled(k.before)
    k.before_rise = _rise(plane, y, x) if k.across and k.down else 0


@inline
def _rise(plane, y, x):
    """Return how far DC lies from the mean of its neighbours, clamped."""
    left = np.int64(plane[y, x - 1, 0]) if x else 0
    above = np.int64(plane[y - 1, x, 0]) if y else 0
    return bounded(plane[y, x, 0] - ((left + above) >> 1), 20)


@inline
def _filled(block):
    """Count the coefficients that are not zero, DC apart."""
    count = 0
    for i in range(1, BLOCK):
        count += 1 if block[i] else 0
    return count


@borrowing
def _decide(m, k, tape, count, node, kind, correction, bit):
    """Code one bit, or decode it, and learn from it."""
    p = predict(m, count, node, kind, correction)
    if k.decodes:
        precision = np.uint64(PRECISION)
        bit = 1 if np.int64(slot_of(k.state, precision)) < p else 0
        start, freq = (0, p) if bit else (p, (1 << PRECISION) - p)
        if is_short(k.state, k.size, np.uint64(start), np.uint64(freq), precision):
            k.is_short = 1
            return bit
        k.state, k.size = drop(k.state, tape, k.size, np.uint64(start), np.uint64(freq), precision)
    else:
        tape[k.size] = (p << 1) | bit
        k.size += 1
    update(m, count, kind, correction, bit)
    return bit


@borrowing
def _code_block(m, k, tape):
    """Code a block, and return its number of coefficients."""
    count = ctx.count_contexts(m, k)
    filled, node = _filled(k.block), 1
    for i in range(5, -1, -1):
        m.choices[0] = node
        node = 2 * node + _decide(m, k, tape, count, node, COUNT, node, (filled >> i) & 1)
    filled = node - 64
    k.remaining, k.sum, k.last1, k.last2, k.last3 = filled, 0, 0, 0, 0
    dc, number = k.block[0], 1
    k.block[0] = 0  # which the decoder does not know yet
    while k.remaining and number < BLOCK:
        k.number, k.z = number, NATURAL_ORDER[number]
        _know(k)
        value = _code_coefficient(m, k, tape, k.block[k.z])
        k.block[k.z] = value
        k.last3, k.last2, k.last1 = k.last2, k.last1, abs(value)
        if value:
            k.remaining -= 1
            k.sum += abs(value)
            u, v = k.z & 7, k.z >> 3
            k.borders[0, v] -= (_SCALE if u else _FIRST_SCALE) * value * k.steps[k.z]
            k.borders[1, u] -= (_SCALE if v else _FIRST_SCALE) * value * k.steps[k.z]
        number += 1
    k.remaining = filled
    k.block[0] = _code_dc(m, k, tape, dc)
    return filled


@borrowing
def _know(k):
    """Gather what is known of a coefficient."""
    z, u, v, step = k.z, k.z & 7, k.z >> 3, k.steps[k.z]
    k.horizontal = UNIT * k.borders[0, v] // ((_SCALE if u else _FIRST_SCALE) * step) if k.across else 0
    k.vertical = UNIT * k.borders[1, u] // ((_SCALE if v else _FIRST_SCALE) * step) if k.down else 0
    k.expected = k.horizontal + k.vertical
    left, above = abs(k.left[z]), abs(k.above[z])
    if k.across and k.down:
        k.expected >>= 1
        k.around = (13 * (left + above) + 6 * abs(k.corner[z])) >> 2
    else:
        k.around = UNIT * (left + above)
    block, inside, signs = k.block, 0, 0
    if u:
        inside += 2 * abs(block[z - 1])
        signs = sign_of(block[z - 1])
    if v:
        inside += 2 * abs(block[z - 8])
        signs += 3 * sign_of(block[z - 8])
    inside += abs(block[z - 9]) if u and v else 0
    inside += abs(block[z - 2]) if u > 1 else 0
    inside += abs(block[z - 16]) if v > 1 else 0
    k.inside, k.signs_inside = inside, signs
    k.around_grade, k.inside_grade, k.remaining_grade = graded(k.around), graded(inside), graded(k.remaining)


@borrowing
def _code_coefficient(m, k, tape, value):
    if k.remaining < BLOCK - k.number:
        count = ctx.zero_contexts(m, k)
        if not _decide(m, k, tape, count, 0, ZERO, 64 + k.number, 1 if value else 0):
            return 0
    count = ctx.sign_contexts(m, k)
    correction = 128 + min(63, max(0, 32 + (k.expected >> 2)))
    negative = _decide(m, k, tape, count, 0, SIGN, correction, 1 if value < 0 else 0)
    magnitude = abs(value)
    size, most = _bits_of(magnitude), 1
    count = ctx.size_contexts(m, k, negative)
    around = min(k.around_grade, 7)
    while most < MOST_SIZE:
        m.choices[1] = 128 + most
        correction = 192 + min(most, 7) * 8 + around
        if not _decide(m, k, tape, count, _in_quarter(0, most - 1), SIZE, correction, 1 if size > most else 0):
            break
        most += 1
    known = 1
    m.choices[1] = 144 + most
    for i in range(most - 2, -1, -1):
        count = ctx.bit_contexts(m, k, negative, most, known, i)
        node = _in_quarter(most, known if known < 16 else 16 + i)
        known = 2 * known + _decide(m, k, tape, count, node, BITS, 256 + most, (magnitude >> i) & 1)
    return -known if negative else known


@inline
def _in_quarter(group, node):
    """Return a node whose contexts have a quarter of a line."""
    return ((group << 4) | (node >> 2)) << 4 | (node & 3)


@inline
def _bits_of(value):
    size = 0
    while value:
        value >>= 1
        size += 1
    return size


@borrowing
def _code_dc(m, k, tape, value):
    step = k.steps[0]
    k.horizontal = k.borders[0, 0] // (_FIRST_SCALE * step) if k.across else 0
    k.vertical = k.borders[1, 0] // (_FIRST_SCALE * step) if k.down else 0
    k.expected = k.horizontal + k.vertical
    if k.across and k.down:
        k.expected >>= 1
    count = ctx.dc_contexts(m, k)
    spread = min(graded(k.horizontal - k.vertical), 15)
    difference = value - k.expected
    m.choices[1] = 160
    if not _decide(m, k, tape, count, 0, DC, 300 + spread, 1 if difference else 0):
        return k.expected
    negative = _decide(m, k, tape, count, 1, DC, 320, 1 if difference < 0 else 0)
    magnitude = abs(difference)
    size, most = _bits_of(magnitude), 1
    while most < MOST_DC_SIZE:
        m.choices[1] = 161 + most
        node = 16 + 32 * negative + most
        if not _decide(m, k, tape, count, node, DC, 330 + most, 1 if size > most else 0):
            break
        most += 1
    known = 1
    m.choices[1] = 180 + most
    for i in range(most - 2, -1, -1):
        node = 128 + 32 * most + (known if known < 16 else 16 + i)
        known = 2 * known + _decide(m, k, tape, count, node, DC, 350 + most, (magnitude >> i) & 1)
    return k.expected + (-known if negative else known)
