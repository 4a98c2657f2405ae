"""Code a pixel that nothing recalls, channel by channel, as differences to what its neighbours let expect."""

from __future__ import annotations

from vaezip.entropy.decisions import bounded
from vaezip.entropy.histories import combined, decide_given
from vaezip.exact.jit import borrowing, inline
from vaezip.models.graphic.colours import SOURCES, STATES, begin, count, find_rows, keep, part, state_of
from vaezip.models.graphic.contexts import (
    BRIEF,
    NE,
    NN,
    NW,
    RANKS,
    RECALLED,
    SAMPLE,
    SHAPE,
    WW,
    N,
    W,
    graded,
)
from vaezip.models.median import median_of

ERRORS = 32
"""Where the errors of two predictions of each channel stand, in the array of what is known of a pixel."""

DIFFERENCES = 44
"""And the differences of the channels before."""

_COARSE = 0xE0E0E0E0
"""The bits of a pixel that tell roughly what it is."""

CONTEXTS, FEW_CONTEXTS = 9, 4
"""Of a difference, and of one that asks fewer."""


@inline
def _channel(pixel, shift):
    return (pixel >> shift) & 255


@borrowing
def code_sample(m, coder, words, made, s, colours, channels, value):
    """Code a pixel; its channels one after another, each expected to rise from its neighbours as the one before."""
    pixel = rise = 0
    contexts = FEW_CONTEXTS if s[BRIEF] else CONTEXTS
    for c in range(channels):
        shift = 8 * c
        find_rows(s, colours, c, pixel)
        plain = median_of(_channel(s[W], shift), _channel(s[N], shift), _channel(s[NW], shift))
        risen = min(max(plain + rise, 0), 255)
        errors = ERRORS + 2 * c
        first, second = (risen, plain) if s[errors] > s[errors + 1] else (plain, risen)
        around = min(_sample_contexts(m, s, c, pixel, first, second), 15)
        begin(s, colours, c)
        difference = _code_difference(
            m, coder, words, made, s, colours, contexts, first, _channel(value, shift), c, around
        )
        sample = first + difference
        count(s, colours, c, sample)
        s[errors] += 16 * abs(sample - plain) - (s[errors] >> 4)
        s[errors + 1] += 16 * abs(sample - risen) - (s[errors + 1] >> 4)
        s[DIFFERENCES + c] = difference
        rise = sample - plain
        pixel |= sample << shift
    return pixel


@borrowing
def _sample_contexts(m, s, c, pixel, first, second):
    """Set the contexts of a difference, CONTEXTS or FEW_CONTEXTS, and tell how much goes on around the pixel."""
    shift = 8 * c
    w, n, nw = _channel(s[W], shift), _channel(s[N], shift), _channel(s[NW], shift)
    ne, ww, nn = _channel(s[NE], shift), _channel(s[WW], shift), _channel(s[NN], shift)
    recalled = s[RECALLED + 1] if s[RECALLED + 1] >= 0 else s[RECALLED + 2]
    recalled = recalled if recalled >= 0 else s[RECALLED + 3]
    guess = _channel(recalled, shift) - first if recalled >= 0 else 999
    around = graded(abs(w - nw) + abs(n - nw) + abs(n - ne))
    before = bounded(s[DIFFERENCES + c - 1], 63) if c else 0
    earlier = bounded(s[DIFFERENCES + c - 2], 31) if c > 1 else bounded(nn - n, 31)
    h, salt = m.contexts, 64 + 256 * c
    if s[BRIEF]:
        h[0] = combined(salt, around)
        h[1] = combined(combined(salt + 5, first), pixel)
        h[2] = combined(combined(salt + 6, graded(ne - n) + 16 * graded(w - ww)), 16 * graded(w - nw) + graded(n - nw))
        h[3] = combined(combined(salt + 10, before), earlier)
        return around
    h[0] = combined(salt, around)
    h[1] = combined(combined(salt + 2, bounded(w - first, 40)), bounded(n - first, 40))
    h[2] = combined(combined(combined(salt + 4, s[SHAPE]), before), s[RANKS] & 63)
    h[3] = combined(combined(salt + 5, first), pixel)
    h[4] = combined(combined(salt + 6, graded(ne - n) + 16 * graded(w - ww)), 16 * graded(w - nw) + graded(n - nw))
    h[5] = combined(combined(salt + 7, bounded(second - first, 31)), around)
    h[6] = combined(combined(salt + 8, guess), before)
    h[7] = combined(combined(salt + 10, before), earlier)
    coarse = combined(combined(salt + 11, s[W] & _COARSE), s[N] & _COARSE)
    h[8] = combined(combined(combined(coarse, s[NE] & _COARSE), s[NW] & _COARSE), before)
    return around


@borrowing
def _code_difference(m, coder, words, made, s, colours, contexts, expected, sample, c, around):
    """Code how far a sample lies from what is expected: whether, on which side, in how many bits, and these."""
    first, second, third = 768 + 64 * c + 4 * around, 1024 + 32 * c, 1000 + 4 * STATES * c
    correction, difference = 512 + 160 * c, sample - expected
    part(m, s, colours, c, expected, expected + 1, False)
    choices, bit = (first, second, third), 1 if difference else 0
    if not _decide(m, coder, words, made, s, choices, contexts, 0, correction + around, bit):
        return 0
    negative = 1 if difference < 0 else 0
    if expected == 0:
        negative = 0
    elif expected == 255:
        negative = 1
    else:
        part(m, s, colours, c, 0, expected, True)
        choices = first + 1, second + 1, third + STATES
        negative = _decide(m, coder, words, made, s, choices, contexts, 1, correction + 16, negative)
    magnitude = abs(difference)
    most = expected if negative else 255 - expected
    size = 1
    while (1 << size) <= most:
        _part_magnitudes(m, s, colours, c, expected, negative, 1 << (size - 1), 1 << size, False)
        choices, bit = (first + 2, second + 2 + size, third + 2 * STATES), 1 if magnitude >> size else 0
        node = 1 + 7 * negative + size  # in the line of the nodes before
        if not _decide(m, coder, words, made, s, choices, contexts, node, correction + 32 + size, bit):
            break
        size += 1
    known = 1
    for i in range(size - 2, -1, -1):
        upper = (known << 1) | 1
        if (upper << i) > most:
            known = 2 * known
            continue
        _part_magnitudes(m, s, colours, c, expected, negative, upper << i, (upper + 1) << i, True)
        choices, bit = (first + 3, second + 12 + i, third + 3 * STATES), (magnitude >> i) & 1
        node = ((48 + size * 2 + negative) << 4) + (known if known < 8 else 8 + i)
        corrected = correction + 64 + size * 8 + i
        known = 2 * known + _decide(m, coder, words, made, s, choices, contexts, node, corrected, bit)
    return -known if negative else known


@inline
def _decide(m, coder, words, made, s, choices, contexts, node, correction, bit):
    """Code one bit of a difference, whose parts are known, also by what the counts of colours tell of it, and leave the
    part that it stands for."""
    m.choices[0], m.choices[1], m.choices[2] = choices[0], choices[1], choices[2] + state_of(s)
    bit = decide_given(m, coder, words, made, SOURCES, contexts, node, SAMPLE, correction, bit)
    keep(s, bit)
    return bit


@inline
def _part_magnitudes(m, s, colours, c, expected, negative, least, end, is_one):
    """Part what is left by magnitudes from least to end − 1, on one side of what is expected."""
    if negative:
        part(m, s, colours, c, max(expected - end + 1, 0), expected - least + 1, is_one)
    else:
        part(m, s, colours, c, expected + least, min(expected + end, 256), is_one)
