"""Predict a bit from contexts that remember the bits after them; a leaner and quicker kin of :mod:`.mixing`.

Each context finds a *slot*, which holds a probability, how often it was used, and its *history*: the last six bits
that came after it. A slot gives two inputs: its probability, and the probability that a table has learned for its
history. A caller may give inputs of its own, too. The inputs are *stretched*, multiplied by weights, added and
*squashed* as in :mod:`.mixing`, by three sets of weights, each chosen by a small number. A last set mixes what they
give, and two tables that the bits so far have filled correct the result.

All of it is integer arithmetic. The bounds: |t| < 2^12 and |weight| ≤ 2^19 make products below 2^31, which are shifted
by 10 before at most 40 of them are added; an error is below 2^16, and its product with a rate of at most 2^9 and an
input below 2^37. The last weights, bounded alike, meet numbers below 2^12.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy.decisions import IS_SHORT, code
from vaezip.exact import elementwise
from vaezip.exact.backend import backend
from vaezip.exact.jit import borrowing, inline
from vaezip.exact.prefetch import prefetch

PRECISION = 16
"""log2 of the sum of the frequencies of 0 and 1."""

MOST_CONTEXTS, MOST_GIVEN, SETS = 15, 5, 3
"""Contexts of a decision at most, inputs that are given at most, and sets of weights that are chosen for it."""

HISTORIES = 128
"""Histories: the last bits, as many as there were but six at most, behind a 1."""

_INPUTS = 48
"""Room for two inputs of each context, one that never changes, and those that are given: 36, and zeros up to a multiple
of what processors take at once."""

_STRETCHED, _WIDEST = 2047, 3071
"""The greatest input, and the greatest sum."""

_FIRST_SLOT = (1 << 31) | 1
_COUNT_BITS = _HISTORY_BITS = 7
_PROBABILITY_SHIFT = _COUNT_BITS + _HISTORY_BITS
_PROBABILITY_BITS = 18
_LIMIT = 126
_BIAS = 256
_WEIGHT_BOUND = 1 << 19
_BUCKETS = 25
_LEAST = 2
"""The least frequency of a bit, of 2^16."""

_USES = 255
"""A set of weights learns slower with each use, up to this one."""


@lru_cache
def tables() -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
    """Return t = 256 · ln(p / (1 − p)) for p = (i + ½) / 4096, 2^16 · p for t = −3072 … 3071, 2^16 / (n + 1.6) for n =
    0 … 255, and the rates of weights after n = 0 … 255 uses."""
    squash = np.floor(65536.0 / (1.0 + elementwise.exp(backend(), -np.arange(-3072.0, 3072.0) / 256.0)) + 0.5)
    stretch = np.searchsorted(squash[1:], 16 * np.arange(4096) + 8) - _WIDEST
    paces = 655360 // (10 * np.arange(256) + 16)
    rates = 2 + 1400 // (20 + np.arange(_USES + 1))
    return stretch.clip(-_STRETCHED, _STRETCHED).astype(np.int32), squash.astype(np.int32), paces, rates


class Histories(NamedTuple):
    """Hold what has been learned, and room for one decision.

    Attributes:
        slots: uint32 (contexts, slots): 18 bits of probability, 7 of count, 7 of history.
        maps: uint32 (kinds, contexts, HISTORIES), 22 bits of probability and 10 of count.
        weights: int32 (SETS, choices, inputs), 2^16 for 1.
        uses: of each set of weights, uint8 (SETS, choices).
        last: int64 (kinds, SETS), the weights of the sets, 2^16 for 1.
        corrections, seconds: int64 (…, 26) of 2^16, by the correction and by the second choice.
        stretch, squash, paces, rates: of :func:`tables`.
        contexts, places, inputs, choices, outputs: of the present decision.
    """

    slots: NDArray[np.uint32]
    maps: NDArray[np.uint32]
    weights: NDArray[np.int32]
    uses: NDArray[np.uint8]
    last: NDArray[np.int64]
    corrections: NDArray[np.int64]
    seconds: NDArray[np.int64]
    stretch: NDArray[np.int32]
    squash: NDArray[np.int32]
    paces: NDArray[np.int64]
    rates: NDArray[np.int64]
    contexts: NDArray[np.int64]
    places: NDArray[np.int64]
    found: NDArray[np.uint32]
    inputs: NDArray[np.int32]
    choices: NDArray[np.int64]
    outputs: NDArray[np.int64]


def new_histories(
    slot_bits: int, contexts: int, *, choices: int, kinds: int, corrections: int, given: int = 0
) -> Histories:
    """Return a state that has learned nothing.

    Args:
        slot_bits: log2 of the slots of each context.
        contexts: of a decision at most.
        choices: what a set of weights is chosen by is less.
        kinds: of decisions.
        corrections: what a correction is chosen by is less.
        given: inputs that the caller gives at most.
    """
    weights = np.full((SETS, choices, _INPUTS), FIRST_WEIGHT, np.int32)
    weights[..., :given] = FIRST_OF_GIVEN
    stretch, squash, paces, rates = tables()
    start = squash[np.clip(np.arange(_BUCKETS + 1) * 256, 1, 6143)].astype(np.int64)
    return Histories(
        slots=np.full((contexts, 1 << slot_bits), _FIRST_SLOT, np.uint32),
        maps=np.tile(_first_map(), (kinds, contexts, 1)),
        weights=weights,
        uses=np.zeros((SETS, choices), np.uint8),
        last=np.full((kinds, SETS), 65536 // SETS, np.int64),
        corrections=np.tile(start, (corrections, 1)),
        seconds=np.tile(start, (choices, 1)),
        stretch=stretch,
        squash=squash,
        paces=paces,
        rates=rates,
        contexts=np.zeros(MOST_CONTEXTS, np.int64),
        places=np.zeros(MOST_CONTEXTS, np.int64),
        found=np.zeros(MOST_CONTEXTS, np.uint32),
        inputs=np.zeros(_INPUTS, np.int32),
        choices=np.zeros(SETS, np.int64),
        outputs=np.zeros(SETS + 1, np.int64),
    )


FIRST_WEIGHT, FIRST_OF_GIVEN = 65536 * 3 // 40, 65536 // 4


def _first_map() -> NDArray[np.uint32]:
    """Return what is expected after each history: of n bits with k ones, (k + 0.4) / (n + 0.8)."""
    found = np.full(HISTORIES, 1 << 31, np.uint32)
    for history in range(2, HISTORIES):
        length = history.bit_length() - 1
        ones = history.bit_count() - 1
        found[history] = ((((10 * ones + 4) << 22) // (10 * length + 8)) << 10) | 4
    return found


@inline
def combined(context, value):
    """Return the hash of a context and one number more, 32 bits."""
    mixed = ((context * 0x5EBCA6B + value + 1) & 0xFFFFFFFF) * 0x42B2AE35 & 0xFFFFFFFF
    return mixed ^ (mixed >> 15)


@borrowing
def decide(m, coder, words, made, count, node, kind, correction, bit):
    """Code one bit, or decode it, learn from it, and return it.

    Args:
        m: whose contexts and choices are set.
        coder: of :mod:`.decisions`.
        words: of the stack.
        made: where a coder that does not decode puts its decisions, (frequency of a 1) · 2 + bit, and their number.
        count: of contexts.
        node: of the decision, within its contexts.
        kind: of the decision.
        correction: which table corrects the result.
        bit: to code.
    """
    return _decide(m, coder, words, made, 0, count, node, kind, correction, bit)


@borrowing
def decide_given(m, coder, words, made, given, count, node, kind, correction, bit):
    """Code one bit as :func:`decide` does, where the first inputs are ``given``, stretched."""
    return _decide(m, coder, words, made, given, count, node, kind, correction, bit)


@inline
def _decide(m, coder, words, made, given, count, node, kind, correction, bit):
    p = predict(m, given, count, node, kind, correction)
    bit = code(coder, words, made, p, PRECISION, bit)
    if not coder[IS_SHORT]:
        update(m, given, count, kind, correction, bit)
    return bit


@inline
def _line(context, group, lines):
    """Return the first slot of a line: a context has one for each group of 16 nodes."""
    found = ((context + group * 0x9E3779B1) & 0xFFFFFFFF) * 0x2545F491 & 0xFFFFFFFF
    return ((found * lines) >> 32) << 4


@inline
def fetch(m, count, group):
    """Fetch the slots of a group of 16 nodes for decisions that are likely to come soon."""
    lines = m.slots.shape[1] >> 4
    for i in range(count):
        prefetch(m.slots, i, _line(m.contexts[i], group, lines))  # type: ignore[call-arg]


@inline
def predict(m, given, count, node, kind, correction):
    """Return the frequency of a 1, of 2^PRECISION; arguments as of :func:`decide_given`."""
    slots, inputs = m.slots, m.inputs
    lines = slots.shape[1] >> 4
    maps = m.maps[kind]
    for i in range(count):
        context = m.contexts[i]
        place = _line(context, node >> 4, lines) | ((node ^ context) & 15)
        m.places[i] = place
        m.found[i] = slots[i, place]
    for i in range(count):
        slot = m.found[i]
        inputs[given + 2 * i] = m.stretch[slot >> np.uint32(20)]
        inputs[given + 2 * i + 1] = m.stretch[maps[i, slot & np.uint32(HISTORIES - 1)] >> np.uint32(20)]
    last = given + 2 * count
    inputs[last] = _BIAS
    for i in range(last + 1, _INPUTS):
        inputs[i] = 0
    rows = m.weights[0, m.choices[0]], m.weights[1, m.choices[1]], m.weights[2, m.choices[2]]
    a = b = c = np.int32(0)
    for i in range(_INPUTS):  # all sets at once: of a shorter loop LLVM makes no instructions for many numbers
        a = np.int32(a + np.int32(np.int32(rows[0][i] * inputs[i]) >> 10))
        b = np.int32(b + np.int32(np.int32(rows[1][i] * inputs[i]) >> 10))
        c = np.int32(c + np.int32(np.int32(rows[2][i] * inputs[i]) >> 10))
    mixed = 0
    for k in range(SETS):
        total = np.int64(a if k == 0 else b if k == 1 else c)
        m.outputs[k] = min(max(total >> 6, -_WIDEST), _WIDEST)
        mixed += m.last[kind, k] * m.outputs[k]
    t = min(max(mixed >> 16, -_WIDEST), _WIDEST)
    position = t + 3072
    bucket, part = position >> 8, position & 255
    first, second = m.corrections[correction], m.seconds[m.choices[1]]
    corrected = ((first[bucket] + second[bucket]) * (256 - part) + (first[bucket + 1] + second[bucket + 1]) * part) >> 8
    m.outputs[SETS] = t
    p = (2 * m.squash[position] + corrected) >> 2
    return min(max(p, _LEAST), (1 << PRECISION) - _LEAST)


@inline
def update(m, given, count, kind, correction, bit):
    """Learn from a bit, after :func:`predict` with the same arguments."""
    slots, inputs, maps = m.slots, m.inputs, m.maps[kind]
    goal = np.int64(bit) << 16
    t = m.outputs[SETS]
    nearest = (t + 3072 + 128) >> 8
    first, second = m.corrections[correction], m.seconds[m.choices[1]]
    first[nearest] += (min(goal, 65535) - first[nearest]) >> 6
    second[nearest] += (min(goal, 65535) - second[nearest]) >> 6
    error = goal - m.squash[t + 3072]
    for k in range(SETS):
        last = m.last[kind, k] + ((m.outputs[k] * error + (1 << 17)) >> 18)
        m.last[kind, k] = min(max(last, -_WEIGHT_BOUND), _WEIGHT_BOUND)
        used = np.int64(m.uses[k, m.choices[k]])
        step = np.int32((goal - m.squash[m.outputs[k] + 3072]) * m.rates[used])
        m.uses[k, m.choices[k]] = np.uint8(min(used + 1, _USES))
        weight = m.weights[k, m.choices[k]]
        for i in range(_INPUTS):  # products of 32 bits by 32, which such instructions take
            moved = weight[i] + ((np.int64(inputs[i]) * np.int64(step) + (1 << 17)) >> 18)
            weight[i] = min(max(moved, -_WEIGHT_BOUND), _WEIGHT_BOUND)
    for i in range(count):
        slot = np.int64(m.found[i])
        history = slot & (HISTORIES - 1)
        entry = np.int64(maps[i, history])
        p, seen = entry >> 10, entry & 1023
        p += (((np.int64(bit) << 22) - p) * m.paces[seen]) >> 16
        maps[i, history] = np.uint32((min(max(p, 1), (1 << 22) - 1) << 10) | min(seen + 1, 255))
        p, seen = slot >> _PROBABILITY_SHIFT, (slot >> _HISTORY_BITS) & 127
        p += (((np.int64(bit) << _PROBABILITY_BITS) - p) * m.paces[seen]) >> 16
        p = min(max(p, 1), (1 << _PROBABILITY_BITS) - 1)
        history = 2 * history + bit
        if history >= HISTORIES:
            history = (history & (HISTORIES // 2 - 1)) | (HISTORIES // 2)
        slots[i, m.places[i]] = np.uint32(
            (p << _PROBABILITY_SHIFT) | (min(seen + 1, _LIMIT) << _HISTORY_BITS) | history
        )
