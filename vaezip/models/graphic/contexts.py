"""Tell what is known of a pixel before it is coded, as contexts of the decisions that code it.

A pixel is one number: its channels, 8 bits each, the first lowest. Around each picture stands a margin, so that all
neighbours exist: 0 above, the pixel above the first one to the left, and the last pixel of the row to the right.
"""

from __future__ import annotations

import numpy as np

from vaezip.entropy.histories import ask, combined
from vaezip.exact.jit import borrowing, inline

HIT, FLAT, INDEX, SAMPLE, BIT, FLAT_BIT, RUN = range(7)
"""Kinds of decisions."""

KINDS = 7
CHOICES = 1536
CORRECTIONS = 1280

TOP, SIDE = 4, 8
"""Rows of the margin above, and columns at each side."""

RUN_LENGTH = 16
"""Pixels that one decision codes where all around them are the same."""

MOST_CANDIDATES, FEW_CANDIDATES = 6, 3
"""What a pixel may be, and what it may be where decisions ask fewer contexts."""

_FACTORS = tuple(pow(0x9E3779B1, i, 1 << 32) for i in range(1, 18))
"""What neighbours are multiplied by in a hash: 17 odd numbers."""

MOST_CONTEXTS = 14
MISS = MOST_CANDIDATES

# Places in the array of what is known of a pixel
W, N, NW, NE, WW, NN, NEE, NNE, NWW, NNW, WWW = range(11)
LARGE, SIX, FOUR, TWO = range(12, 16)
MATCH, LENGTH, RANKS, SHAPE, PLACE = range(16, 21)
RECALLED = 21
TRUST = 25
RUN_END, RUNS, HERE = range(29, 32)
REACHES, SEEN = 48, 52
"""Where the reaches stand, two numbers each, and what is seen there, three rows each."""

BRIEF = 58
"""Where it stands whether decisions ask fewer contexts, and pixels have fewer candidates, which is quicker."""

LINES = 59
"""Where the contexts stand that all candidates of a pixel share."""

STATE_SIZE = 80


@inline
def graded(value):
    """Return |value| in steps that grow with it: 0 … 3, then two for each doubling."""
    value = abs(value)
    grade = 0
    while value >= 4:
        value >>= 1
        grade += 2
    return grade + value


@borrowing
def look_around(s, pixels, ranks, y, x):
    """Gather the neighbours of a pixel."""
    above, here, over = pixels[y - 1], pixels[y], pixels[y - 2]
    s[W], s[N], s[NW], s[NE] = here[x - 1], above[x], above[x - 1], above[x + 1]
    s[WW], s[NN], s[NEE], s[NNE] = here[x - 2], over[x], above[x + 2], over[x + 1]
    s[NWW], s[NNW], s[WWW] = above[x - 2], over[x - 1], here[x - 3]
    s[RANKS] = ranks[y, x - 1] * 512 + ranks[y - 1, x] * 64 + ranks[y - 1, x + 1] * 8 + ranks[y - 1, x - 1]


@inline
def is_flat(s):
    """Tell whether all near neighbours are the same."""
    w = s[W]
    same = w == s[N] and w == s[NW] and w == s[NE] and w == s[WW]
    return same and w == s[NN] and w == s[NEE] and w == s[NNE] and w == s[NWW] and w == s[NNW] and w == s[WWW]


@borrowing
def hash_neighbours(s, pixels, y, x):
    """Hash the neighbours in four sizes: sums of products, none of which waits for another."""
    total = s[W] * _FACTORS[0] + s[N] * _FACTORS[1]
    s[TWO] = _hashed(total)
    total += s[NW] * _FACTORS[2] + s[NE] * _FACTORS[3]
    s[FOUR] = _hashed(total)
    total += s[WW] * _FACTORS[4] + s[NN] * _FACTORS[5]
    s[SIX] = _hashed(total)
    total += s[NEE] * _FACTORS[6] + s[NNE] * _FACTORS[7] + s[NWW] * _FACTORS[8]
    total += s[NNW] * _FACTORS[9] + s[WWW] * _FACTORS[10]
    total += pixels[y - 1, x + 3] * _FACTORS[11] + pixels[y - 1, x - 3] * _FACTORS[12]
    total += pixels[y - 2, x + 2] * _FACTORS[13] + pixels[y - 2, x - 2] * _FACTORS[14]
    s[LARGE] = _hashed(total + pixels[y, x - 4] * _FACTORS[15] + pixels[y - 3, x] * _FACTORS[16])


@inline
def _hashed(total):
    """Return 32 bits of a sum of products."""
    mixed = (total & 0xFFFFFFFF) * 0x42B2AE35 & 0xFFFFFFFF
    return mixed ^ (mixed >> 15)


@borrowing
def shape_of(s):
    """Tell which neighbours are the same."""
    shape = 1 if s[W] == s[N] else 0
    shape |= 2 if s[W] == s[NW] else 0
    shape |= 4 if s[N] == s[NW] else 0
    shape |= 8 if s[N] == s[NE] else 0
    shape |= 16 if s[W] == s[WW] else 0
    shape |= 32 if s[N] == s[NN] else 0
    shape |= 64 if s[NE] == s[NEE] else 0
    shape |= 128 if s[NW] == s[NNW] else 0
    return shape | (256 if s[NW] == s[NWW] else 0)


@borrowing
def may_run(s, pixels, y, x, end):
    """Tell whether the pixels around a run that would begin here are the same, and no run failed here."""
    if x < s[RUN_END] or x + RUN_LENGTH > end:
        return False
    colour, above, over = pixels[y, x - 1], pixels[y - 1], pixels[y - 2]
    if colour != pixels[y, x - 2]:
        return False
    for i in range(x - 2, x + RUN_LENGTH + 2):  # noqa: SIM110 (numba compiles no generators)
        if above[i] != colour or over[i] != colour:
            return False
    return True


@borrowing
def run_contexts(m, s, pixels, flat, y, x):
    """Set the contexts of whether a run of pixels are that to the left; return their number."""
    h, c, matched = m.contexts, np.int64(pixels[y, x - 1]), 0
    if s[LENGTH]:
        matched = 1 + RUN_LENGTH
        for i in range(RUN_LENGTH - 1, -1, -1):
            if s[PLACE] + i < s[HERE] and flat[s[PLACE] + i] != c:
                matched = 1 + i
    third = 0
    for i in range(x - 2, x + RUN_LENGTH + 2, 3):
        third += np.int64(pixels[y - 3, i]) == c
    beyond = np.int64(pixels[y - 1, x + RUN_LENGTH + 7]) == c
    far = (np.int64(pixels[y, x - 8]) == c) + 2 * beyond + 4 * third
    h[0] = combined(combined(60, c), s[RUNS])
    h[1] = combined(combined(61, matched), min(s[LENGTH], 31))
    h[2] = combined(combined(62, far), matched)
    h[3] = combined(combined(63, x - SIDE), c)
    h[4] = combined(combined(64, far), s[RUNS])
    m.choices[0], m.choices[1], m.choices[2] = 1090 + matched, 1424 + far, 840 + s[RUNS]
    return 5


@borrowing
def flat_contexts(m, s, pixels, y, x):
    """Set the contexts of whether a pixel is that of its neighbours, which are all the same; return their number."""
    h, c = m.contexts, s[W]
    h[0] = combined(2, c)
    h[1] = combined(combined(3, s[RANKS]), s[MATCH] == c)
    h[2] = combined(combined(4, min(s[LENGTH], 31)), s[MATCH] == c)
    far = combined(combined(combined(5, c), pixels[y - 1, x + 3]), pixels[y - 1, x + 4])
    h[3] = combined(combined(combined(far, pixels[y, x - 4]), pixels[y - 3, x]), pixels[y - 2, x + 3])
    m.choices[0] = min(s[LENGTH], 15) + 16 * (s[MATCH] == c)
    m.choices[1] = 32 + min(s[RANKS], 31)
    m.choices[2] = s[RANKS] >> 9
    return 4


@borrowing
def hit_lines(m, s):
    """Find the contexts that all candidates of a pixel share, in whose lines each has a slot; ask for these lines."""
    if s[BRIEF]:
        return
    h = m.contexts
    s[LINES] = combined(9, s[LARGE])
    s[LINES + 1] = combined(combined(13, s[W]), s[SHAPE])
    s[LINES + 2] = combined(combined(14, s[N]), combined(s[NE], s[NW]))
    for i in range(3):
        h[i] = s[LINES + i]
    ask(m, 3)


@borrowing
def hit_contexts(m, s, c, k):
    """Set the contexts of whether a pixel is candidate number k, c; return how many there are."""
    h = m.contexts
    likeness = (c == s[W]) + 2 * (c == s[N]) + 4 * (c == s[NW]) + 8 * (c == s[NE])
    more = (c == s[WW]) + 2 * (c == s[NN]) + 4 * (c == s[NEE]) + 8 * (c == s[NNE]) + 16 * (c == s[NWW])
    more += 32 * (c == s[NNW]) + 64 * (c == s[WWW])
    recalled = 0
    for i in range(4):
        recalled = recalled * 5 + (1 + min(s[TRUST + i], 3) if c == s[RECALLED + i] else 0)
    matched = 1 + min(s[LENGTH], 31) if s[MATCH] == c else (0 if s[LENGTH] == 0 else 33 + min(s[LENGTH], 15))
    alike = (((likeness << 9) + s[SHAPE]) << 7) + more
    m.choices[0] = 64 + 52 * k + matched
    m.choices[1] = 64 + 16 * k + likeness + 128 * min(s[SHAPE] & 7, 6)
    m.choices[2] = 16 + recalled
    h[0] = combined(combined(7, s[TWO]), c >> 4) ^ (c & 15)
    h[1] = combined(combined(10, alike), k)
    h[2] = combined(combined(combined(17, c), matched), k)
    if s[BRIEF]:
        h[3] = combined(combined(12, s[RANKS]), likeness * 8 + k)
        return 4
    low = c ^ (c >> 8) ^ (c >> 16) ^ (c >> 24)
    for i in range(3):
        h[3 + i] = s[LINES + i] ^ ((low ^ ((low >> 4) * (2 * i + 3))) & 15)
    h[6] = combined(combined(11, matched), recalled)
    h[7] = combined(combined(15, (likeness << 9) + s[SHAPE]), recalled)
    return 8


@borrowing
def index_contexts(m, s):
    """Set the contexts of the bits of an index; return how many there are."""
    h = m.contexts
    h[0] = combined(20, s[RANKS] >> 9)
    h[1] = combined(21, s[W])
    h[2] = combined(22, s[N])
    h[3] = combined(combined(27, s[W]), s[WW])
    h[4] = combined(combined(28, s[N]), s[NN])
    h[5] = combined(combined(29, s[W] + s[N] - s[NW]), graded(s[W] - s[N]))
    return 6
