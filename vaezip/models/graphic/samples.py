"""Code a pixel that nothing recalls, channel by channel, as differences to what its neighbours let expect."""

from __future__ import annotations

from vaezip.entropy.decisions import bounded
from vaezip.entropy.histories import combined, decide
from vaezip.exact.jit import borrowing, inline
from vaezip.models.graphic.contexts import (
    BRIEF,
    NE,
    NN,
    NW,
    RANKS,
    RECALLED,
    SAMPLE,
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

CONTEXTS, FEW_CONTEXTS = 9, 4
"""Of a difference, and of one that asks fewer."""


@inline
def _channel(pixel, shift):
    return (pixel >> shift) & 255


@borrowing
def code_sample(m, coder, words, made, s, channels, value):
    """Code a pixel; its channels one after another, each expected to rise from its neighbours as the one before."""
    pixel = rise = 0
    contexts = FEW_CONTEXTS if s[BRIEF] else CONTEXTS
    for c in range(channels):
        shift = 8 * c
        plain = median_of(_channel(s[W], shift), _channel(s[N], shift), _channel(s[NW], shift))
        risen = min(max(plain + rise, 0), 255)
        errors = ERRORS + 2 * c
        first, second = (risen, plain) if s[errors] > s[errors + 1] else (plain, risen)
        around = _sample_contexts(m, s, c, pixel, first, second)
        m.choices[0], m.choices[1] = 768 + c * 64 + min(around, 15) * 4, 1024 + c * 32
        m.choices[2] = 700 + c * 32 + min(graded(s[errors] >> 7), 31)
        difference = _code_difference(
            m, coder, words, made, contexts, first, _channel(value, shift), c, min(around, 15)
        )
        sample = first + difference
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
    h[2] = combined(combined(salt + 4, s[W]), pixel)
    h[3] = combined(combined(salt + 5, first), pixel)
    h[4] = combined(combined(salt + 6, graded(ne - n) + 16 * graded(w - ww)), 16 * graded(w - nw) + graded(n - nw))
    h[5] = combined(combined(salt + 7, bounded(second - first, 31)), around)
    h[6] = combined(combined(salt + 8, guess), before)
    h[7] = combined(combined(salt + 10, before), earlier)
    h[8] = combined(combined(salt + 11, ((w + n) >> 1) - first), (s[RANKS] >> 3) & 63)
    return around


@borrowing
def _code_difference(m, coder, words, made, contexts, expected, sample, c, around):
    """Code how far a sample lies from what is expected: whether, on which side, in how many bits, and these."""
    base0, base1 = m.choices[0], m.choices[1]
    difference = sample - expected
    correction = 512 + c * 160
    if not decide(m, coder, words, made, contexts, 0, SAMPLE, correction + around, 1 if difference else 0):
        return 0
    negative = 1 if difference < 0 else 0
    m.choices[0], m.choices[1] = base0 + 1, base1 + 1
    if expected == 0:
        negative = 0
    elif expected == 255:
        negative = 1
    else:
        negative = decide(m, coder, words, made, contexts, 1, SAMPLE, correction + 16, negative)
    magnitude = abs(difference)
    most = expected if negative else 255 - expected
    size = 1
    m.choices[0] = base0 + 2
    while (1 << size) <= most:
        m.choices[1] = base1 + 2 + size
        node = 1 + 7 * negative + size  # in the line of the nodes before
        if not decide(
            m, coder, words, made, contexts, node, SAMPLE, correction + 32 + size, 1 if magnitude >> size else 0
        ):
            break
        size += 1
    known = 1
    m.choices[0] = base0 + 3
    for i in range(size - 2, -1, -1):
        if (((known << 1) | 1) << i) > most:
            known = 2 * known
            continue
        m.choices[1] = base1 + 12 + i
        node = ((48 + size * 2 + negative) << 4) + (known if known < 8 else 8 + i)
        bit = decide(
            m, coder, words, made, contexts, node, SAMPLE, correction + 64 + size * 8 + i, (magnitude >> i) & 1
        )
        known = 2 * known + bit
    return -known if negative else known
