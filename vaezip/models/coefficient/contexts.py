"""Tell what is known of a coefficient before it is coded, as contexts of the decisions that code it.

A block is coded as the number of its coefficients that are not zero (DC apart); these in zigzag order, each by whether
it is zero, its sign, the number of its bits, and the bits below the first; and DC last. A coefficient is predicted from
the blocks above and to the left: the picture goes on across the border between two blocks, so the frequencies along
the border, at the border, are about the same on both sides, and what is known of this block is taken away from them.
"""

from __future__ import annotations

import numpy as np

from vaezip.entropy.mixing import combined
from vaezip.exact.jit import inline, jit

COUNT, ZERO, SIGN, SIZE, BITS, DC = range(6)
"""Kinds of decisions."""

KINDS = 6
CHOICES = 1024
CORRECTIONS = 512

UNIT = 8
"""Predictions are in 1/8 of a quantisation step."""

# Places in the array of what is known of a block
PLANE, ACROSS, DOWN, LEFT_COUNT, ABOVE_COUNT, COUNTS, FIRST_COUNT, BEFORE_COUNT, BLOCK_STATE = range(9)

# Places in the array of what is known of a coefficient
NUMBER, LEFT_HERE, ABOVE_HERE, CORNER, BESIDE, FAR_LEFT, FAR_ABOVE, HORIZONTAL, VERTICAL, EXPECTED = range(10)
AROUND, INSIDE, REMAINING, PLACES, LAST1, LAST2, LAST3, SUM, FIRST_SUM, FIRST_SIGNED, BEFORE_HERE, STEP = range(10, 22)
STATE = 22


@inline
def graded(value):
    """Return |value| in steps that grow with it: 0 … 3, then four for each doubling."""
    value = abs(value)
    grade = 0
    while value >= 8:
        value >>= 1
        grade += 4
    return grade + value


@inline
def bounded(value, most):
    """Return the value clamped to −most … most, plus most."""
    return min(max(value, -most), most) + most


@inline
def _sign(value):
    return 2 if value < 0 else (1 if value > 0 else 0)


@jit
def count_contexts(m, b, horizontal, vertical):
    """Set the contexts of the number of coefficients; return how many there are."""
    c, h = b[PLANE] * 16, m.contexts
    h[0] = combined(c + 1, b[COUNTS])
    h[1] = combined(combined(c + 2, b[ABOVE_COUNT]), b[LEFT_COUNT])
    h[2] = combined(combined(c + 3, b[ABOVE_COUNT] >> 2), b[LEFT_COUNT] >> 2)
    h[3] = combined(combined(c + 4, b[FIRST_COUNT]), b[COUNTS] >> 2)
    h[4] = combined(combined(c + 5, b[BEFORE_COUNT]), b[COUNTS] >> 1)
    h[5] = combined(combined(c + 6, b[BEFORE_COUNT]), b[FIRST_COUNT])
    h[6] = combined(combined(combined(c + 7, b[COUNTS]), graded(horizontal >> 8)), graded(vertical >> 8))
    m.choices[1], m.choices[2] = 64 + b[COUNTS], b[PLANE]
    return 7


@jit
def zero_contexts(m, b, s):
    """Set the contexts of whether a coefficient is zero; return how many there are."""
    c, h = (s[NUMBER] + 64 * b[PLANE]) * 64 + 1024, m.contexts
    left, above = min(abs(s[LEFT_HERE]), 15), min(abs(s[ABOVE_HERE]), 15)
    around, inside, expected = graded(s[AROUND]), graded(s[INSIDE]), graded(s[EXPECTED])
    remaining, share = graded(s[REMAINING]), s[REMAINING] * 8 // s[PLACES]
    h[0] = combined(c, s[REMAINING])
    h[1] = combined(combined(c + 1, around), remaining)
    h[2] = combined(combined(c + 2, graded(s[HORIZONTAL])), graded(s[VERTICAL]))
    h[3] = combined(combined(c + 3, expected), remaining)
    h[4] = combined(combined(c + 4, left), above)
    h[5] = combined(combined(c + 5, inside), remaining)
    h[6] = combined(combined(c + 6, (min(s[LAST1], 15) << 6) + (min(s[LAST2], 15) << 2) + min(s[LAST3], 3)), remaining)
    h[7] = combined(combined(c + 7, around), inside)
    h[8] = combined(combined(c + 8, expected), around)
    if b[PLANE]:
        h[9] = combined(combined(c + 9, graded(s[FIRST_SUM])), min(abs(s[BEFORE_HERE]), 31))
    else:
        h[9] = combined(combined(c + 9, min(abs(s[CORNER]), 15)), min(abs(s[BESIDE]), 15))
    h[10] = combined(combined(c + 10, b[ABOVE_COUNT]), b[LEFT_COUNT])
    h[11] = combined(combined(c + 11, s[REMAINING]), graded(s[SUM]))
    h[12] = combined(combined(combined(b[PLANE] * 16 + 12, expected * 64 + around), graded(s[STEP])), remaining)
    h[13] = combined(combined(combined(c + 13, expected), inside), share)
    h[14] = combined(
        combined(combined(c + 14, min(abs(s[FAR_LEFT]), 7)), min(abs(s[FAR_ABOVE]), 7)), min(left + above, 7)
    )
    h[15] = combined(combined(combined(b[PLANE] * 16 + 15, share), around), inside)
    m.choices[0] = s[NUMBER] + 64 * b[PLANE]
    m.choices[1] = min(s[REMAINING], 63)
    m.choices[2] = min(around, 15) * 16 + min(inside, 15)
    return 16


@jit
def sign_contexts(m, b, s, signs_inside):
    """Set the contexts of the sign of a coefficient; return how many there are."""
    c, h = (s[NUMBER] + 64 * b[PLANE]) * 64 + 1024, m.contexts
    signs = 3 * _sign(s[ABOVE_HERE]) + _sign(s[LEFT_HERE])
    expected, half = bounded(s[EXPECTED], 63), bounded(s[EXPECTED] >> 1, 15)
    h[0] = combined(c + 16, expected)
    h[1] = combined(combined(c + 17, bounded(s[HORIZONTAL], 31)), bounded(s[VERTICAL], 31))
    h[2] = combined(c + 18, signs)
    h[3] = combined(b[PLANE] * 16 + 3 + 64, bounded(s[EXPECTED], 255))
    h[4] = combined(combined(c + 20, bounded(s[BEFORE_HERE], 15)), bounded(s[FIRST_SIGNED], 31))
    h[5] = combined(combined(c + 21, half), signs)
    h[6] = combined(combined(c + 22, signs_inside), half)
    h[7] = combined(
        combined(combined(c + 23, bounded(s[HORIZONTAL] >> 1, 15)), bounded(s[VERTICAL] >> 1, 15)), signs_inside
    )
    m.choices[0] = 128 + s[NUMBER] + 64 * b[PLANE]
    m.choices[1] = 64 + min(abs(s[EXPECTED]), 60)
    m.choices[2] = 256 + b[ACROSS] + 2 * b[DOWN]
    return 8


@jit
def size_contexts(m, b, s, negative):
    """Set the contexts of the size of a coefficient of known sign; return how many there are."""
    c, h = (s[NUMBER] + 64 * b[PLANE]) * 64 + 1024, m.contexts
    around, inside = graded(s[AROUND]), graded(s[INSIDE])
    expected = -s[EXPECTED] if negative else s[EXPECTED]
    horizontal = -s[HORIZONTAL] if negative else s[HORIZONTAL]
    vertical = -s[VERTICAL] if negative else s[VERTICAL]
    likely = graded(expected) + (64 if expected < 0 else 0)
    left, above = min(abs(s[LEFT_HERE]), 31), min(abs(s[ABOVE_HERE]), 31)
    h[0] = combined(c + 32, likely)
    h[1] = combined(combined(c + 33, around), graded(s[REMAINING]))
    h[2] = combined(
        combined(c + 34, graded(horizontal) + (64 if horizontal < 0 else 0)),
        graded(vertical) + (64 if vertical < 0 else 0),
    )
    h[3] = combined(combined(c + 35, left), above)
    h[4] = combined(combined(c + 36, inside), around)
    h[5] = combined(c + 37, (min(s[LAST1], 31) << 8) + (min(s[LAST2], 15) << 4) + min(s[LAST3], 15))
    h[6] = combined(combined(b[PLANE] * 16 + 128 + 6, likely), around)
    if b[PLANE]:
        h[7] = combined(combined(c + 39, graded(s[FIRST_SUM])), min(abs(s[BEFORE_HERE]), 63))
    else:
        h[7] = combined(combined(c + 39, min(abs(s[CORNER]), 15)), min(abs(s[BESIDE]), 15))
    h[8] = combined(combined(c + 40, likely), inside)
    h[9] = combined(combined(c + 41, graded(s[SUM])), s[REMAINING])
    h[10] = combined(combined(combined(b[PLANE] * 16 + 128 + 10, likely), around), inside)
    h[11] = combined(combined(combined(b[PLANE] * 16 + 128 + 11, around), inside), graded(s[STEP]))
    m.choices[0] = 256 + s[NUMBER] + 64 * b[PLANE]
    m.choices[2] = 260 + min(around, 15) * 16 + min(inside, 15)
    return 12


@jit
def bit_contexts(m, b, s, negative, size, known, bit):
    """Set further contexts of a bit below the first: where the prediction lies in what is left; return their number."""
    h = m.contexts
    c = (b[PLANE] * 16 + size) * 16 + bit + 4096 * 64
    middle = (2 * known + 1) << bit
    number = s[NUMBER]
    for i in range(3):
        value = s[HORIZONTAL] if i == 0 else (s[VERTICAL] if i == 1 else s[EXPECTED])
        value = -value if negative else value
        place = bounded(((value - UNIT * middle) * 2) >> bit, 40)
        h[12 + i] = combined(combined(c + (i << 20), place), 0 if i == 2 else number)
    place = bounded(((s[AROUND] - UNIT * middle) * 2) >> bit, 40)
    h[15] = combined(combined(c + (3 << 20), place), number)
    return 16


@jit
def dc_contexts(m, b, s, plane, row, column, first, rise):
    """Set the contexts of the difference of DC to its prediction; return how many there are.

    Args:
        m, b, s: as for the others; HORIZONTAL, VERTICAL and EXPECTED in whole quantisation steps.
        plane: coefficients, one row above and one column to the left of the first block.
        row, column: of the block in it.
        first, rise: how far DC of the other planes lies from the mean of its neighbours, clamped.
    """
    c, h = b[PLANE] * 16 + 8192 * 64, m.contexts
    spread = graded(s[HORIZONTAL] - s[VERTICAL])
    left, above = np.int64(plane[row, column - 1, 0]), np.int64(plane[row - 1, column, 0])
    slope = 0
    if b[ACROSS] and b[DOWN]:
        slope = bounded(left + above - plane[row - 1, column - 1, 0] - s[EXPECTED], 40)
    h[0] = combined(c, spread)
    h[1] = combined(combined(c + 1, min(s[REMAINING], 31)), spread)
    h[2] = combined(c + 2, slope)
    h[3] = combined(combined(c + 3, bounded(s[HORIZONTAL] - s[VERTICAL], 20)), slope >> 2)
    h[4] = combined(combined(c + 4, graded(s[SUM])), spread)
    h[5] = combined(combined(c + 5, bounded(left - s[EXPECTED], 20)), bounded(above - s[EXPECTED], 20))
    h[6] = combined(combined(c + 6, rise), first)
    h[7] = combined(combined(c + 7, rise), spread)
    m.choices[0], m.choices[2] = 384 + b[PLANE], 600 + min(spread, 15)
    return 8
