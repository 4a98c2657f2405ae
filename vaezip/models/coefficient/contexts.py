"""Tell what is known of a coefficient before it is coded, as contexts of the decisions that code it.

A block is coded as the number of its coefficients that are not zero (DC apart); these in zigzag order, each by whether
it is zero, its sign, the number of its bits, and the bits below the first; and DC last. A coefficient is predicted from
the blocks above and to the left: the picture goes on across the border between two blocks, so the frequencies along
the border, at the border, are about the same on both sides, and what is known of this block is taken away from them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vaezip.entropy.decisions import bounded
from vaezip.entropy.mixing import new_record
from vaezip.exact.jit import borrowing, inline
from vaezip.pictures.jpeg.scans import BLOCK

COUNT, ZERO, SIGN, SIZE, BITS, DC = range(6)
"""Kinds of decisions."""

KINDS = 6
CHOICES = 1024
CORRECTIONS = 512

UNIT = 8
"""Predictions are in 1/8 of a quantisation step."""

_NUMBERS = {
    "the coder": ("decodes", "size", "is_short"),
    "the plane": ("plane", "rows", "columns", "is_first", "has_before"),
    "the block": ("across", "down", "left_count", "above_count", "around_count", "first_count", "before_count"),
    "what is left of the block": ("remaining", "sum", "last1", "last2", "last3"),
    "the coefficient": ("number", "z", "horizontal", "vertical", "expected", "around", "inside", "signs_inside"),
    "their grades": ("around_grade", "inside_grade", "remaining_grade"),
    "DC": ("before_rise", "first_rise"),
}
_BLOCKS = ("block", "left", "above", "corner", "beside", "far_left", "far_above", "before", "steps", "sums", "signed")

_GRADED = 1 << 10
_GRADES = np.zeros(_GRADED, np.uint8)
for _exponent in range(8):
    _first = 0 if _exponent == 0 else 4 << _exponent
    _GRADES[_first : 8 << _exponent] = (np.arange(_first, 8 << _exponent) >> _exponent) + 4 * _exponent


def new_known() -> Any:
    """Return a record of what is known: of the coder, the plane, the block with those around it, and a coefficient.

    ``sums`` and ``signed`` are sums of the first plane's coefficients, and ``borders`` the frequencies along the left
    and the upper border, less what is known of the block.
    """
    numbers = [(name, np.int64) for names in _NUMBERS.values() for name in names]
    blocks = [(name, np.int64, (BLOCK,)) for name in _BLOCKS]
    return new_record([("state", np.uint64), *numbers, *blocks, ("borders", np.int64, (2, 8))])


@inline
def graded(value):
    """Return |value| in steps that grow with it: 0 … 3, then four for each doubling."""
    value = abs(value)
    grade = 0
    while value >= _GRADED:
        value >>= 1
        grade += 4
    return grade + np.int64(_GRADES[value])


@inline
def sign_of(value):
    """Return 0, 1 where a value is more, and 2 where it is less."""
    return 2 if value < 0 else (1 if value > 0 else 0)


@inline
def _key(context, value, last):
    """Return a context of two numbers less than 2^20: those that differ in the last bits of the latter are close."""
    return (context << 40) | (value << 20) | last


@inline
def _pair(first, second):
    return (first << 10) | second


@borrowing
def count_contexts(m, k):
    """Set the contexts of the number of coefficients; return how many there are."""
    c, h, around = k.plane * 16, m.contexts, k.around_count
    h[0] = _key(c + 1, around, 0)
    h[1] = _key(c + 2, k.above_count, k.left_count << 4)
    h[2] = _key(c + 3, k.above_count >> 2, k.left_count >> 2 << 4)
    h[3] = _key(c + 4, k.first_count, around >> 2 << 4)
    h[4] = _key(c + 5, k.before_count, around >> 1 << 4)
    h[5] = _key(c + 6, k.before_count, k.first_count << 4)
    h[6] = _key(c + 7, _pair(around, graded(k.borders[0, 1] >> 8)), graded(k.borders[1, 1] >> 8) << 4)
    m.choices[1], m.choices[2] = 64 + around, k.plane
    return 7


@borrowing
def zero_contexts(m, k):
    """Set the contexts of whether a coefficient is zero; return how many there are."""
    z, h, c = k.z, m.contexts, (k.number + 64 * k.plane) * 64 + 1024
    left, above = min(abs(k.left[z]), 15), min(abs(k.above[z]), 15)
    around, inside, remaining = k.around_grade, k.inside_grade, k.remaining_grade
    share = k.remaining * 8 // (BLOCK - k.number)
    h[0] = _key(c, 0, k.remaining)
    h[1] = _key(c + 1, graded(k.horizontal), graded(k.vertical))
    h[2] = _key(c + 2, graded(k.expected), remaining)
    h[3] = _key(c + 3, inside, remaining)
    h[4] = _key(c + 4, (min(k.last1, 15) << 6) + (min(k.last2, 15) << 2) + min(k.last3, 3), remaining)
    if k.plane:
        h[5] = _key(c + 5, graded(k.sums[z]), min(abs(k.before[z]), 31))
    else:
        h[5] = _key(c + 5, min(abs(k.corner[z]), 15), min(abs(k.beside[z]), 15))
    h[6] = _key(c + 6, min(abs(k.far_left[z]), 7) * 8 + min(abs(k.far_above[z]), 7), min(left + above, 7))
    h[7] = _key(k.plane * 16, _pair(share, around), inside)
    m.choices[0] = k.number + 64 * k.plane
    m.choices[1] = min(k.remaining, 63)
    m.choices[2] = min(around, 15) * 16 + min(inside, 15)
    return 8


@borrowing
def sign_contexts(m, k):
    """Set the contexts of the sign of a coefficient; return how many there are."""
    z, h, c = k.z, m.contexts, (k.number + 64 * k.plane) * 64 + 1024
    signs = 3 * sign_of(k.above[z]) + sign_of(k.left[z])
    half = bounded(k.expected >> 1, 15)
    h[0] = _key(c + 16, 0, bounded(k.expected, 63))
    h[1] = _key(c + 17, bounded(k.horizontal, 31), bounded(k.vertical, 31))
    h[2] = _key(c + 18, 0, signs)
    h[3] = _key(k.plane * 16 + 3, 0, bounded(k.expected, 255))
    h[4] = _key(c + 20, bounded(k.before[z], 15), bounded(k.signed[z], 31))
    h[5] = _key(c + 21, half, signs)
    h[6] = _key(c + 22, k.signs_inside, half)
    h[7] = _key(c + 23, _pair(bounded(k.horizontal >> 1, 15), bounded(k.vertical >> 1, 15)), k.signs_inside)
    m.choices[0] = 128 + k.number + 64 * k.plane
    m.choices[1] = 64 + min(abs(k.expected), 60)
    m.choices[2] = 256 + k.across + 2 * k.down
    return 8


@inline
def _directed(value):
    """Return the grade of a value, and other ones where it is less than 0."""
    return graded(value) + (64 if value < 0 else 0)


@borrowing
def size_contexts(m, k, negative):
    """Set the contexts of the size of a coefficient of known sign; return how many there are."""
    z, h, c, d = k.z, m.contexts, (k.number + 64 * k.plane) * 64 + 1024, k.plane * 16
    around, inside, remaining = k.around_grade, k.inside_grade, k.remaining_grade
    sign = -1 if negative else 1
    likely = _directed(sign * k.expected)
    h[0] = _key(c + 32, 0, likely << 2)
    h[1] = _key(c + 33, around, remaining << 2)
    h[2] = _key(c + 34, _directed(sign * k.horizontal), _directed(sign * k.vertical) << 2)
    h[3] = _key(c + 35, min(abs(k.left[z]), 31), min(abs(k.above[z]), 31) << 2)
    h[4] = _key(c + 36, min(k.last1, 31), ((min(k.last2, 15) << 4) + min(k.last3, 15)) << 2)
    h[5] = _key(d + 1, likely, around << 2)
    if k.plane:
        h[6] = _key(c + 37, graded(k.sums[z]), min(abs(k.before[z]), 63) << 2)
    else:
        h[6] = _key(c + 37, min(abs(k.corner[z]), 15), min(abs(k.beside[z]), 15) << 2)
    h[7] = _key(c + 38, graded(k.sum), k.remaining << 2)
    h[8] = _key(d + 2, _pair(around, inside), graded(k.steps[z]) << 2)
    m.choices[0] = 256 + k.number + 64 * k.plane
    m.choices[2] = 260 + min(around, 15) * 16 + min(inside, 15)
    return 9


@borrowing
def bit_contexts(m, k, negative, size, known, bit):
    """Set further contexts of a bit below the first: where the prediction lies in what is left; return their number."""
    h = m.contexts
    c = (k.plane * 16 + size) * 16 + bit + (1 << 16)
    middle = (2 * known + 1) << bit
    sign = -1 if negative else 1
    h[9] = _key(c, bounded(((sign * k.horizontal - UNIT * middle) * 2) >> bit, 40), k.number << 2)
    h[10] = _key(c + (1 << 12), bounded(((sign * k.vertical - UNIT * middle) * 2) >> bit, 40), k.number << 2)
    h[11] = _key(c + (2 << 12), bounded(((sign * k.expected - UNIT * middle) * 2) >> bit, 40), 0)
    h[12] = _key(c + (3 << 12), bounded(((k.around - UNIT * middle) * 2) >> bit, 40), k.number << 2)
    return 13


@borrowing
def dc_contexts(m, k):
    """Set the contexts of the difference of DC to its prediction; return how many there are. The predictions are in
    whole quantisation steps."""
    h, c = m.contexts, k.plane * 16 + (1 << 17)
    spread = graded(k.horizontal - k.vertical)
    slope = 0
    if k.across and k.down:
        slope = bounded(k.left[0] + k.above[0] - k.corner[0] - k.expected, 40)
    h[0] = _key(c, 0, spread << 4)
    h[1] = _key(c + 1, min(k.remaining, 31), spread << 4)
    h[2] = _key(c + 2, 0, slope << 4)
    h[3] = _key(c + 3, bounded(k.horizontal - k.vertical, 20), slope >> 2 << 4)
    h[4] = _key(c + 4, graded(k.sum), spread << 4)
    h[5] = _key(c + 5, bounded(k.left[0] - k.expected, 20), bounded(k.above[0] - k.expected, 20) << 4)
    h[6] = _key(c + 6, k.before_rise, k.first_rise << 4)
    h[7] = _key(c + 7, k.before_rise, spread << 4)
    m.choices[0], m.choices[2] = 384 + k.plane, 600 + min(spread, 15)
    return 8
