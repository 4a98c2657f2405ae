"""Code the pixels of black and white pictures, one decision each."""

from __future__ import annotations

import numpy as np

from vaezip.entropy.histories import combined, decide
from vaezip.exact.jit import borrowing, inline
from vaezip.models.graphic.contexts import BIT, BRIEF, FLAT_BIT, LARGE, LENGTH, MATCH, REACHES, SEEN

_HERE = 12
"""Pixels of the window to the left; around the place there are 13, 11, 9 and 7 in the rows above."""

DISTANT, NOWHERE = 2, -1
"""Distant places that are looked at, and what stands for how many rows above one is, where there is none."""


@inline
def _bit(pixels, y, x):
    return np.int64(pixels[y, x])


@borrowing
def fill_windows(s, pixels, y, x):
    """Fill the windows, s[0] … s[4], for the pixel before one."""
    for row in range(5):
        window = 0
        for i in range(max(x - _HERE, 0), x + _half(row)):
            window = (window << 1) | _bit(pixels, y - row, i)
        s[row] = window & ((1 << _wide(row)) - 1)
    for i in range(DISTANT):
        for row in range(3):
            s[SEEN + 3 * i + row] = 0
        for j in range(3):
            _see(s, pixels, y, x - 3 + j, i)


@inline
def _half(row):
    """Return how many pixels a window has to the right of the place."""
    return 0 if row == 0 else 7 - row


@inline
def _wide(row):
    return _HERE if row == 0 else 2 * (7 - row) + 1


@borrowing
def _see(s, pixels, y, x, i):
    """Move the three rows of three pixels around a distant place to a pixel."""
    up, right = s[REACHES + 2 * i], min(max(x + s[REACHES + 2 * i + 1] + 1, 0), pixels.shape[1] - 1)
    place = SEEN + 3 * i
    if up == NOWHERE:
        return
    s[place] = ((s[place] << 1) | _bit(pixels, max(y - up - 1, 0), right)) & 7
    s[place + 1] = ((s[place + 1] << 1) | _bit(pixels, max(y - up, 0), right)) & 7
    if up > 1:
        s[place + 2] = ((s[place + 2] << 1) | _bit(pixels, max(y - up + 1, 0), right)) & 7


@borrowing
def _tall(s, pixels, y, x):
    """Hash the windows and some pixels of the three rows above them."""
    found, fifth, sixth, seventh = np.int64(0), pixels[max(y - 5, 0)], pixels[max(y - 6, 0)], pixels[max(y - 7, 0)]
    for i in range(x - 2, x + 3, 2):
        found = (found << 3) | (np.int64(fifth[i]) << 2) | (np.int64(sixth[i]) << 1) | np.int64(seventh[i])
    return combined(s[LARGE], (found << 2) | (np.int64(fifth[x - 1]) << 1) | np.int64(fifth[x + 1]))


@borrowing
def look(s, pixels, y, x):
    """Move the windows to a pixel, and hash them."""
    for i in range(DISTANT):
        _see(s, pixels, y, x, i)
    for row in range(1, 5):
        s[row] = ((s[row] << 1) | _bit(pixels, y - row, x + _half(row))) & ((1 << _wide(row)) - 1)
    s[LARGE] = combined(combined(combined(combined(combined(53, s[0]), s[1]), s[2]), s[3]), s[4])


@borrowing
def code_bit(m, coder, words, made, s, pixels, y, x, bit):
    """Code a pixel."""
    here, above, second, third, fourth = s[0], s[1], s[2], s[3], s[4]
    h = m.contexts
    matched = (2 * min(s[LENGTH], 31) + s[MATCH]) if s[LENGTH] else 0
    if _is_flat(here & 255, above, second, third):
        h[0] = combined(combined(40, here & 1), fourth)
        h[1] = combined(combined(41, here & 1), matched)
        h[2] = combined(combined(42, here), _bit(pixels, y - 1, x + 7) + 2 * _bit(pixels, y - 1, x + 8))
        m.choices[0], m.choices[1], m.choices[2] = 1024 + (here & 1), 1152 + min(s[LENGTH], 15), 870 + (here & 1)
        bit = decide(m, coder, words, made, 3, 0, FLAT_BIT, 1152 + min(s[LENGTH], 15), bit)
    else:
        near = ((here & 15) << 8) | (((above >> 4) & 31) << 3) | ((second >> 4) & 7)
        ones = _ones((here << 40) | (above << 27) | (second << 16) | (third << 7) | fourth)
        count = _few_contexts(m, s) if s[BRIEF] else _all_contexts(m, s, pixels, y, x, near, matched, ones)
        if s[REACHES] != NOWHERE:
            for i in range(DISTANT):
                seen = (s[SEEN + 3 * i] << 6) | (s[SEEN + 3 * i + 1] << 3) | s[SEEN + 3 * i + 2]
                h[count] = combined(combined(55 + i, seen), near)
                count += 1
        m.choices[0], m.choices[2] = 1026 + matched, 900 + ones
        m.choices[1] = 1168 + ((here & 7) << 5 | ((above >> 4) & 31))
        bit = decide(m, coder, words, made, count, 0, BIT, 1168 + min(ones, 63), bit)
    s[0] = ((here << 1) | bit) & ((1 << _HERE) - 1)
    return bit


@borrowing
def _few_contexts(m, s):
    """Set the contexts that tell most of halftones, and return their number."""
    here, above, second = s[0], s[1], s[2]
    m.contexts[0] = combined(44, _more(here, above, second))
    m.contexts[1] = combined(combined(47, here), above)
    m.contexts[2] = combined(49, ((here & 3) << 5) | (((above >> 5) & 7) << 2) | ((second >> 5) & 1))
    return 3


@borrowing
def _all_contexts(m, s, pixels, y, x, near, matched, ones):
    """Set all contexts but those of distant places, and return their number."""
    here, above, second, third, fourth = s[0], s[1], s[2], s[3], s[4]
    h = m.contexts
    large = ((here & 63) << 16) | (((above >> 2) & 511) << 7) | ((second >> 2) & 127)
    larger = ((here & 255) << 20) | (((above >> 1) & 2047) << 9) | ((second >> 1) & 511)
    h[0] = combined(43, near)
    h[1] = combined(44, _more(here, above, second))
    h[2] = combined(45, large)
    h[3] = combined(46, combined(larger, (third >> 1) & 127))
    h[4] = s[LARGE]
    h[5] = combined(combined(47, here), above)
    column = (((above >> 5) & 7) << 9) | (((second >> 4) & 7) << 6) | (((third >> 3) & 7) << 3) | ((fourth >> 2) & 7)
    h[6] = combined(combined(48, here & 3), column)
    h[7] = combined(49, ((here & 3) << 5) | (((above >> 5) & 7) << 2) | ((second >> 5) & 1))
    h[8] = combined(combined(50, matched), near)
    h[9] = combined(combined(combined(51, here & 0xAAA), above & 0xAAA), (second & 0x555) * 4096 + (fourth & 0x55))
    h[10] = combined(combined(52, ones), near & 0x1FF)
    h[11] = combined(54, _tall(s, pixels, y, x))
    return 12


@inline
def _more(here, above, second):
    """Put sixteen pixels around into a number."""
    return ((here & 15) << 12) | (((above >> 3) & 127) << 5) | ((second >> 3) & 31)


@inline
def _is_flat(here, above, second, third):
    if here & 1:
        return here == 255 and above == 8191 and second == 2047 and third == 511
    return here == 0 and above == 0 and second == 0 and third == 0


@inline
def _ones(bits):
    """Count the ones among at most 63 bits, a pair, four and eight at a time."""
    bits -= (bits >> 1) & 0x5555555555555555
    bits = (bits & 0x3333333333333333) + ((bits >> 2) & 0x3333333333333333)
    return (((bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0F) * 0x0101010101010101) >> 56
