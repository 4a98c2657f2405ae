"""Remember what followed each neighbourhood, the last time that it occurred."""

from __future__ import annotations

import numpy as np

from vaezip.exact.jit import borrowing
from vaezip.exact.prefetch import prefetch
from vaezip.models.graphic.contexts import HERE, LARGE, LENGTH, MATCH, PLACE, RECALLED, TRUST

SIZES = 4
"""Sizes of neighbourhoods whose next pixels are kept."""

_MOST_LENGTH = 65535
_TRUST_BITS = 8
_MOST_TRUST = (1 << _TRUST_BITS) - 1


@borrowing
def ask(s, memory):
    """Ask for the memory of what followed the neighbourhoods."""
    size = memory[1].size
    prefetch(memory[1], s[LARGE] & (size - 1))
    flat = memory[0].reshape(-1)
    for i in range(SIZES):
        prefetch(flat, i * size + (s[LARGE + i] & (size - 1)))


@borrowing
def follow_on(s, flat):
    """Find the pixel behind a match that was found before."""
    value = np.int64(flat[s[PLACE] if s[LENGTH] else 0])
    s[MATCH] = value if s[LENGTH] else np.int64(-1)


@borrowing
def follow(s, places, flat):
    """Find the pixel that followed the last time that the large neighbourhood was as here."""
    slot = s[LARGE] & (places.size - 1)
    place, length = places[slot], s[LENGTH]
    begins = (length == 0) & (place != 0)  # no branch, which would wait for the memory
    s[PLACE] = place if begins else s[PLACE]
    s[LENGTH] = 1 if begins else length
    places[slot] = s[HERE]
    follow_on(s, flat)


@borrowing
def go_on(s, value):
    """Go on behind a match that was right, and nearly forget one that was not."""
    if s[LENGTH]:
        s[PLACE] += 1
        s[LENGTH] = min(s[LENGTH] + 1, _MOST_LENGTH) if s[MATCH] == value else min(s[LENGTH] >> 2, 3)


@borrowing
def recall(s, memory):
    """Find what followed the neighbourhoods of all sizes, and how often."""
    for i in range(SIZES):
        entry = memory[i, s[LARGE + i] & (memory.shape[1] - 1)]
        s[TRUST + i] = entry & _MOST_TRUST
        s[RECALLED + i] = entry >> _TRUST_BITS if entry & _MOST_TRUST else np.int64(-1)


@borrowing
def learn(s, memory, value):
    """Keep a pixel behind the neighbourhoods of all sizes, where not another was there three times."""
    for i in range(SIZES):
        kept, trust = s[RECALLED + i], s[TRUST + i]
        is_right = kept == value
        kept = value if is_right or trust < 3 else kept
        trust = min(trust + 1, _MOST_TRUST) if is_right else 1
        memory[i, s[LARGE + i] & (memory.shape[1] - 1)] = (kept << _TRUST_BITS) | trust
