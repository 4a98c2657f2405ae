"""Count the samples of pixels that nothing recalls, so that a colour that occurred before is likely to come again.

Smoothed text and edges are made of some hundred to some thousand colours, which come again where their neighbours do
not. A *source* counts the samples of a channel that came where something was the same as now: the channels before, and
for two sources a neighbour, roughly. What the bits so far leave of the 256 samples, a decision parts in two, and the
share of one part among those counted is an input of the decision.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy.histories import combined
from vaezip.exact.jit import borrowing
from vaezip.exact.prefetch import prefetch
from vaezip.models.graphic.contexts import N, W

SOURCES = 3

ENTRIES = 8
"""Samples that a row counts; a new one takes the place of the rarest."""

STATES = 21
"""States of :func:`state_of`."""

_ROW, _LEFT, _PART = 64, 67, 70
"""Where stand, in the array of what is known of a pixel, the row of each source, how many of its samples the bits so
far leave, and how many of these are in the part that a decision asks for."""

_SAMPLES, _SAMPLE_BITS = 256, 8
_MOST = 65535
_ALIKE = 0xF8F8F8F8
"""The bits in which neighbours are the same, roughly."""

_MOST_BITS = 6

Colours = tuple[NDArray[np.uint32], NDArray[np.uint32]]
"""How often each sample of channel 0 came; and rows of counts, in each entry a sample in the lowest 8 bits."""


def new_colours(bits: int) -> Colours:
    """Return counts of nothing, with 2^bits rows."""
    return np.zeros(_SAMPLES, np.uint32), np.zeros((1 << bits, ENTRIES), np.uint32)


@borrowing
def find_rows(s, colours, c, known):
    """Find the row of each source for channel c, where the channels before are known, and ask for it."""
    rows = colours[1].shape[0] - 1
    s[_ROW] = combined(c, known) & rows
    s[_ROW + 1] = combined(combined(c + 4, known), s[W] & _ALIKE) & rows
    s[_ROW + 2] = combined(combined(c + 8, known), s[N] & _ALIKE) & rows
    flat = colours[1].reshape(-1)
    for j in range(SOURCES):
        prefetch(flat, s[_ROW + j] * ENTRIES)


@borrowing
def begin(s, colours, c):
    """Begin with a sample of channel c, of which nothing is known: all 256 are left."""
    for j in range(SOURCES):
        s[_LEFT + j] = _counted(s, colours, c, j, 0, _SAMPLES)


@borrowing
def _counted(s, colours, c, j, first, end):
    """Return how often a source counted the samples from first to end − 1."""
    found = np.uint32(0)  # 32 bits fill vectors
    if c == 0 and j == 0:
        for sample in range(first, end):
            found += colours[0][sample]
        return np.int64(found)
    row, least, width = s[_ROW + j], np.uint32(first), np.uint32(end - first)
    for i in range(ENTRIES):
        entry = colours[1][row, i]
        inside = np.uint32((entry & np.uint32(_SAMPLES - 1)) - least) < width
        found += entry >> np.uint32(_SAMPLE_BITS) if inside else np.uint32(0)
    return np.int64(found)


@borrowing
def part(m, s, colours, c, first, end, is_one):
    """Part the samples that are left in two: those from first to end − 1, for which a 1 stands, or else a 0, and the
    others; give the decision the shares of a 1."""
    for j in range(SOURCES):
        left = s[_LEFT + j]
        inside = _counted(s, colours, c, j, first, end) if left else 0
        ones = inside if is_one else left - inside
        s[_PART + j] = ones
        m.given[j] = m.stretch[((32 * ones + 1) << 12) // (32 * left + 2)]


@borrowing
def state_of(s):
    """Tell what the first source knows of a decision: how many samples are left, and whether all are on one side."""
    left, ones, bits = s[_LEFT], s[_PART], 0
    while bits < _MOST_BITS and left >> bits:
        bits += 1
    return 3 * bits + (0 if ones == 0 else (1 if ones == left else 2))


@borrowing
def keep(s, bit):
    """Go on with the part for which a bit stands."""
    for j in range(SOURCES):
        s[_LEFT + j] = s[_PART + j] if bit else s[_LEFT + j] - s[_PART + j]


@borrowing
def count(s, colours, c, sample):
    """Count a sample in each source."""
    for j in range(SOURCES):
        if c == 0 and j == 0:
            colours[0][sample] = min(np.int64(colours[0][sample]) + 1, _MOST)
        else:
            _count_in(colours[1][s[_ROW + j]], sample)


@borrowing
def _count_in(row, sample):
    """Count a sample in a row, where it stands or else in the place of the rarest."""
    place, least = 0, np.int64(row[0])
    for i in range(ENTRIES):
        entry = np.int64(row[i])
        if entry >> _SAMPLE_BITS and entry & (_SAMPLES - 1) == sample:
            row[i] = min(entry + _SAMPLES, (_MOST << _SAMPLE_BITS) | sample)
            return
        if entry < least:
            place, least = i, entry
    row[place] = _SAMPLES | sample
