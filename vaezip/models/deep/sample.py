"""Code a sample: whether it lies in the step of its prediction, on which side, how far, and its lower bits."""

from __future__ import annotations

import numpy as np

from vaezip.entropy.decisions import bounded
from vaezip.entropy.histories import ask, ask_for, combined, decide, decide_given
from vaezip.exact.jit import borrowing, inline
from vaezip.models.deep.given import choose_part, choose_side, give_below, give_middle, give_split
from vaezip.models.deep.state import GIVEN, LINEAR, MEDIAN

SAMPLE, LOWER, HIT = range(3)
"""Kinds of decisions."""

KINDS, CHOICES, CORRECTIONS = 3, 1168, 264
OF_HITS = 528, 272, 328
"""From these choices of each set on they are those of hits."""

CONTEXTS, LOWER_CONTEXTS, HIT_CONTEXTS = 14, 2, 13
MOST_SIZE = 17
MOST_DECISIONS = 5 + 2 + 2 * MOST_SIZE + 16
"""Of a sample: hits, the step and the side, how far, and lower bits."""

_BESIDE = 4
"""Values on each side of the left one, of which it is looked at whether the row has had them."""

_LONGEST, _OLDEST = 15, 3
"""The longest run, and the most rows since a value occurred, that are told apart."""

_BRIEF = 7
"""Up to this size the decisions on the size of a distance stand in one line with those on the step and the side."""

W, N, NW, NE, WW, NN, NEE = range(7)
"""Places of neighbours among those that are looked at."""


@inline
def graded(value):
    """Return 4 · log2 of a value and 1, about."""
    value += 1
    bits = 0
    while value >> (bits + 1):
        bits += 1
    return 4 * bits + (((value << 2) >> bits) & 3)


@borrowing
def begin_sample(m, s, near, numbers):
    """Set the contexts of a sample, and ask for what is known of the first decisions; the arguments are those of
    :func:`code_sample`."""
    place, at, blend, k, energy, now, y, x, top, _ = numbers
    h, salt, shift = m.contexts, 1000 * place, k + 3
    w, n, nw, ne, ww, nn = near[W], near[N], near[NW], near[NE], near[WW], near[NN]
    relative = energy - 4 * k
    signed, predictions = s.signed[at], s.predictions
    expected = blend >> 3
    h[0] = combined(combined(salt, relative), (blend >> (shift - 2)) & 3)
    h[1] = combined(combined(salt + 1, relative >> 1), bounded((_slope(near) - 4 * k) >> 1, 14))
    h[2] = combined(
        combined(salt + 2, bounded(signed[now, x - 1] >> shift, 12)), bounded(signed[1 - now, x] >> shift, 12)
    )
    h[3] = combined(combined(salt + 3, _off(w, blend, shift)), _off(n, blend, shift))
    h[4] = combined(combined(salt + 4, _off(ne, blend, shift)), _off(nw, blend, shift))
    h[5] = combined(combined(salt + 5, bounded((predictions[MEDIAN] - blend) >> (shift - 1), 30)), relative >> 2)
    first, second = (predictions[LINEAR] - blend) >> (shift - 2), (predictions[LINEAR + 1] - blend) >> (shift - 2)
    h[6] = combined(combined(salt + 6, bounded(first, 20)), bounded(second, 20))
    if place:
        h[7] = combined(
            combined(salt + 7, bounded(s.left[0, place - 1] >> (s.left[1, place - 1] + 2), 24)), relative >> 2
        )
    else:
        far = bounded(signed[now, x - 2] >> shift, 8), bounded(signed[1 - now, x + 1] >> shift, 8)
        h[7] = combined(combined(salt + 7, far[0]), far[1])
    h[8] = combined(combined(salt + 8, _off(2 * w - ww, blend, shift)), _off(2 * n - nn, blend, shift))
    h[9] = combined(combined(salt + 9, expected), k)
    h[10] = combined(combined(combined(salt + 10, w), n), k)
    h[11] = combined(combined(combined(salt + 11, w - nw), n - ne), w - n)
    h[12] = combined(combined(salt + 12, expected >> max(k + 2, 4)), relative >> 1)
    beside = _values_beside(s.seen[at], w, y, top)
    h[13] = combined(combined(combined(salt + 13, beside), bounded(w - expected, 20)), k)
    ask(m, CONTEXTS)


@inline
def _slope(near):
    """Return the grade of how much goes on around a sample."""
    return graded(abs(near[W] - near[NW]) + abs(near[N] - near[NW]) + abs(near[N] - near[NE]))


@inline
def _values_beside(seen, w, y, top):
    """Return a bit for each of the values beside w: whether row y has had it, for scanners know few values in a row."""
    bits = 0
    for value in range(w - _BESIDE, w + _BESIDE + 1):
        if value != w:
            bits = 2 * bits + (1 if 0 <= value <= top and seen[value] == y else 0)
    return bits


@inline
def _off(value, blend, shift):
    return bounded((8 * value - blend) >> shift, 20)


@borrowing
def code_sample(m, coder, words, made, s, near, numbers, value):
    """Code a sample, and return it, after :func:`begin_sample`.

    Args:
        m, coder, words, made: as of :func:`vaezip.entropy.histories.decide`.
        s: the state of the picture.
        near: int64, its neighbours.
        numbers: place and number of the channel, the blend, log2 of the step, the grade of the errors around, the row's
            place, row and column, the greatest sample, and the row's streak.
        value: of the sample, to code.
    """
    place, _, blend, k, energy, _, _, _, top, _ = numbers
    around = min(max(energy - 4 * k - 12, 0), 15)
    expected = (blend >> 3) >> k
    up = (top >> k) - expected
    m.choices[0], m.choices[1], m.choices[2] = 32 * around, 64 * place, _slope(near)
    give_middle(m, s, expected << k, (expected + 1) << k, top)
    steps = (value >> k) - expected
    if decide_given(m, coder, words, made, GIVEN, CONTEXTS, 0, SAMPLE, around, 1 if steps else 0):
        is_less = 1 if steps < 0 else 0
        if expected == 0:
            is_less = 0
        elif up == 0:
            is_less = 1
        else:
            m.choices[0], m.choices[1] = 32 * around + 1, 64 * place + 1
            give_below(m, s)
            part = (blend >> (k + 1)) & 3
            is_less = decide_given(m, coder, words, made, GIVEN, CONTEXTS, 1, SAMPLE, 16 + part, is_less)
        choose_side(s, is_less)
        most = expected if is_less else up
        steps = _code_distance(m, coder, words, made, s, (around, place, expected, k, is_less, most), abs(steps))
        steps = -steps if is_less else steps
    else:
        steps = 0
    high = (expected + steps) << k
    return high | _code_lower(m, coder, words, made, s, (place, blend, k, high), value) if k else high


@borrowing
def _code_distance(m, coder, words, made, s, numbers, distance):
    """Code how many steps a sample lies from its prediction: in how many bits, and these."""
    around, place, expected, k, is_less, most = numbers
    size = 1
    while (1 << size) <= most:
        m.choices[0], m.choices[1] = 32 * around + 1 + min(size, 10), 64 * place + 2 + size
        give_split(m, s, _edge(expected, k, is_less, 1 << size), is_less)
        if size > 1:
            ask(m, CONTEXTS, _group(size, is_less))
        node = 1 + size + _BRIEF * is_less if size <= _BRIEF else 16 * (1 + is_less) + size - _BRIEF
        more = decide_given(
            m, coder, words, made, GIVEN, CONTEXTS, node, SAMPLE, 32 + size, 1 if distance >> size else 0
        )
        choose_part(s, more == is_less)
        if not more:
            break
        size += 1
    known = 1
    for i in range(size - 2, -1, -1):
        split = ((known << 1) | 1) << i
        if split > most:
            known = 2 * known
            continue
        m.choices[0], m.choices[1] = 32 * around + 12 + min(i, 10), 64 * place + 20 + size
        give_split(m, s, _edge(expected, k, is_less, split), is_less)
        node = _node_of_bit(size, is_less, known, i)
        correction = 64 + 8 * size + min(i, 7)
        bit = decide_given(m, coder, words, made, GIVEN, CONTEXTS, node, SAMPLE, correction, (distance >> i) & 1)
        choose_part(s, bit == is_less)
        known = 2 * known + bit
    return known


@inline
def _group(size, is_less):
    """Return the group of nodes of the bits of distances of a size: small ones share it."""
    return 3 if size < 4 else 4 if size == 4 else 2 * size + is_less


@inline
def _node_of_bit(size, is_less, known, i):
    """Return the node of bit i of a distance, the bits above which are known."""
    first = _group(size, is_less) << 4
    if size > 4:
        return first + (known if known < 8 else 8 + min(i, 7))
    return first + 8 * is_less + known + (4 if size == 3 else 0)


@inline
def _edge(expected, k, is_less, steps):
    """Return the value from which on, or below which, samples lie so many steps away."""
    return (expected - steps + 1) << k if is_less else (expected + steps) << k


@borrowing
def _code_lower(m, coder, words, made, s, numbers, value):
    """Code the bits of a sample below its step."""
    place, blend, k, high = numbers
    h, low = m.contexts, 0
    h[0] = combined(combined(2000 + place, k), bounded((blend - 8 * high) >> k, 16))
    h[1] = combined(3000 + place, k)
    for i in range(k - 1, -1, -1):
        m.choices[0], m.choices[1], m.choices[2] = 512 + i, 256 + k, 72 + 16 * i + k
        give_split(m, s, high | (2 * low + 1) << i, 0)
        before = min(2, k - 1 - i)
        node = (i << 3) + (1 << before | low & ((1 << before) - 1))
        bit = decide_given(m, coder, words, made, GIVEN, LOWER_CONTEXTS, node, LOWER, 208 + i, (value >> i) & 1)
        choose_part(s, bit == 0)
        low = 2 * low + bit
    return low


@borrowing
def begin_hits(m, s, near, numbers):
    """List what a sample is likely to equal, and set and ask for the contexts of that which wait for no prediction.

    Args:
        m, s, near: as of :func:`code_sample`.
        numbers: place and number of the channel, row and column, the greatest sample, and the row's streak.

    Returns:
        How many candidates there are; of how many contexts are asked for ahead, which is one where the samples to the
        left and above were hits; which neighbours are equal; and how those two were coded.
    """
    place, at, y, x, top, _ = numbers
    count = _list_candidates(s, near, top)
    equal, pair = _set_hit_contexts(m, s, near, numbers)
    ahead = 1 if s.ranks[at, 0, x - 1] and s.ranks[at, 1, x] else count
    for i in range(ahead):
        _set_early(s, near, (place, at, y, pair), i)
    ask_for(m, s.early, 2 * ahead)
    return count, ahead, equal, pair


@borrowing
def code_hit(m, coder, words, made, s, near, numbers, known, value):
    """Code whether a sample is equal to its neighbour to the left, above, or above to the right or left, or lies on the
    plane through three of them: return it, and 1 … 5, or 0 where it is not. The arguments are those of
    :func:`code_sample`, whose contexts are set where it is not, and what :func:`begin_hits` returned."""
    place, at, _, _, _, _, y, x, _, row = numbers
    column, (count, ahead, equal, pair) = s.streaks[at, x], known
    for i in range(ahead):
        _set_late(s, numbers, i)
    ask_for(m, s.late, 2 * ahead)
    for i in range(count):
        if i >= ahead:
            _set_early(s, near, (place, at, y, pair), i)
            _set_late(s, numbers, i)
        candidate, j = s.candidates[i, 0], s.candidates[i, 1]
        m.contexts[1], m.contexts[4], m.contexts[11] = s.late[2 * i], s.early[2 * i], s.late[2 * i + 1]
        m.contexts[12] = s.early[2 * i + 1]
        m.choices[0], m.choices[1] = OF_HITS[0] + 128 * j + equal, OF_HITS[1] + 36 * j + pair
        m.choices[2] = OF_HITS[2] + 16 * j + row
        correction = 224 + 8 * j + column
        if decide(m, coder, words, made, HIT_CONTEXTS, j, HIT, correction, 1 if value == candidate else 0):
            return candidate, j + 1
    begin_sample(m, s, near, numbers)
    return np.int64(value), 0


@borrowing
def _list_candidates(s, near, top):
    """List what a sample is likely to equal, each value once, with its place in the order; return of how many."""
    count = 0
    for j in range(5):
        if j < 4:
            candidate = near[W] if j == 0 else near[N] if j == 1 else near[NE] if j == 2 else near[NW]
        else:
            candidate = min(max(near[W] + near[N] - near[NW], 0), top)
        is_new = True
        for i in range(count):
            is_new = is_new and s.candidates[i, 0] != candidate
        if is_new:
            s.candidates[count, 0], s.candidates[count, 1] = candidate, j
            count += 1
    return count


@borrowing
def _set_hit_contexts(m, s, near, numbers):
    """Set the contexts that all candidates share, and ask for them; return which neighbours are equal, and how those to
    the left and above were coded."""
    place, at, y, x, _, row = numbers
    ranks, column = s.ranks[at], s.streaks[at, x]
    w, n, nw, ne = near[W], near[N], near[NW], near[NE]
    equal = _bit(w == n, 0) | _bit(w == nw, 1) | _bit(n == nw, 2) | _bit(n == ne, 3)
    equal |= _bit(ne == near[NEE], 4) | _bit(w == near[WW], 5) | _bit(n == near[NN], 6)
    above = ranks[1, x]
    pair, phase = 6 * ranks[0, x - 1] + above, 4 * (y & 3) | x & 3
    h, salt = m.contexts, 5000 + 100 * place
    h[0] = combined(combined(salt, equal), phase)
    h[2] = combined(combined(salt + 2, 36 * pair + 6 * ranks[1, x - 1] + ranks[1, x + 1]), phase)
    h[3] = combined(combined(salt + 3, 6 * pair + ranks[0, x - 2]), ranks[2, x])
    h[5] = combined(combined(salt + 5, w), n)
    h[6] = combined(combined(combined(combined(salt + 6, w), n), ne), nw)
    h[7] = combined(combined(salt + 7, 16 * column + row), pair)
    h[8] = combined(combined(salt + 8, 16 * column + row), 36 * ranks[3, x] + 6 * ranks[2, x] + above)
    h[9] = combined(combined(salt + 9, equal), 6 * pair + ranks[1, x + 1])
    h[10] = combined(combined(combined(salt + 10, w), s.runs[at, 1]), min(s.runs[at, 0], _LONGEST))
    h[1] = h[4] = h[0]  # which are not known yet
    ask(m, 11)
    return equal, pair


@inline
def _set_early(s, near, numbers, i):
    """Set those contexts of a candidate alone that wait for no prediction."""
    place, at, y, pair = numbers
    candidate, salt = s.candidates[i, 0], 5000 + 100 * place + 20 * s.candidates[i, 1]
    age = min(y - s.seen[at, candidate], _OLDEST)
    s.early[2 * i] = combined(combined(salt + 4, candidate), pair)
    s.early[2 * i + 1] = combined(combined(combined(salt + 12, age), near[W] - s.runs[at, 1]), near[N] - near[W])


@inline
def _set_late(s, numbers, i):
    """Set those contexts of a candidate alone that depend on the prediction."""
    place, at, blend, k, energy, _, y, _, _, _ = numbers
    candidate, salt = s.candidates[i, 0], 5000 + 100 * place + 20 * s.candidates[i, 1]
    off, age = bounded((8 * candidate - blend) >> (k + 2), 20), min(y - s.seen[at, candidate], _OLDEST)
    s.late[2 * i] = combined(combined(salt + 1, off), (energy - 4 * k) >> 1)
    s.late[2 * i + 1] = combined(combined(combined(salt + 11, age), min(s.runs[at, 0], _LONGEST)), off)


@inline
def _bit(holds, place):
    return (1 if holds else 0) << place
