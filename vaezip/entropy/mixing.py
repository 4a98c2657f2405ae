"""Predict a bit from many contexts: adaptive counters, mixed in the logistic domain by weights that learn.

Each context finds a *slot*, a counter that knows how often a 1 came after it. The probabilities of all slots are
*stretched*, t = ln(p / (1 − p)), multiplied by weights, added and *squashed* back (Mahoney 2005, "Adaptive weighing of
context models"). Several sets of weights, each chosen by a small number that the caller gives, make one estimate each;
a last set mixes those, and a table that the bits so far have filled corrects the result.

All of it is integer arithmetic: logarithms come from tables, and every number is clamped, so that nothing leaves its
integers. The bounds: |t| < 2^11 and |weight| ≤ 2^19 make products below 2^30, which are shifted by 10 before at most
32 of them are added; an error is below 2^16, and its product with a learning rate of at most 2^4 and t below 2^31.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.exact import elementwise
from vaezip.exact.backend import backend
from vaezip.exact.jit import inline, jit

PRECISION = 15
"""log2 of the sum of the frequencies of 0 and 1."""

MOST_INPUTS, SETS = 24, 3
"""Contexts of a decision at most, and sets of weights that are chosen for it."""

LINE_BITS = 4
"""log2 of the slots of a line: decisions in the same context use one line, for memory is slow."""

_STRETCHED = 2047
_HALF = 1 << 31
_COUNT_BITS = 10
_COUNT_MASK = (1 << _COUNT_BITS) - 1
_LIMIT = 255
"""A slot moves by 1/(n + 1.6) of its error for its n-th bit, up to this n."""

_BIAS = 256
_WEIGHT_BOUND = 1 << 19
_FIRST_WEIGHT = int(0.15 * 65536)
_RATE, _LAST_RATE = 12, 3
_BUCKETS = 33
_LEAST = 12
"""The least frequency of a bit, of 2^15: a bit never costs more than 11.5 bits."""


@lru_cache
def tables() -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """Return t = 256 · ln(p / (1 − p)) for p = (i + ½) / 4096, 2^16 · p for t = −2048 … 2047, and 2^16 / (n + 1.6) for
    n = 0 … 1023: the second rounded by exact arithmetic, and the first its inverse."""
    squash = np.floor(65536.0 / (1.0 + elementwise.exp(backend(), -np.arange(-2048.0, 2048.0) / 256.0)) + 0.5)
    stretch = np.minimum(np.searchsorted(squash[1:], 16 * np.arange(4096) + 8) - _STRETCHED, _STRETCHED)
    return stretch.astype(np.int32), squash.astype(np.int32), (655360 // (10 * np.arange(1024) + 16)).astype(np.int64)


class Mixing(NamedTuple):
    """Hold what has been learned, and room for one decision.

    Attributes:
        slots: uint32 (inputs, slots), 22 bits of probability and 10 of count.
        weights: int32 (SETS, choices, inputs + 1), 2^16 for 1.
        last_weights: int64 (kinds, SETS).
        corrections: int64 (choices, 34) of 2^16.
        stretch, squash, paces: of :func:`tables`.
        contexts, places, inputs, choices, outputs: of the present decision.
    """

    slots: NDArray[np.uint32]
    weights: NDArray[np.int32]
    last_weights: NDArray[np.int64]
    corrections: NDArray[np.int64]
    stretch: NDArray[np.int32]
    squash: NDArray[np.int32]
    paces: NDArray[np.int64]
    contexts: NDArray[np.int64]
    places: NDArray[np.int64]
    inputs: NDArray[np.int32]
    choices: NDArray[np.int64]
    outputs: NDArray[np.int64]


def new_mixing(slot_bits: int, *, choices: int, kinds: int, corrections: int) -> Mixing:
    """Return a state that has learned nothing.

    Args:
        slot_bits: log2 of the slots of each context.
        choices: what a set of weights is chosen by is less.
        kinds: of decisions, each with its last weights.
        corrections: what a correction is chosen by is less.
    """
    stretch, squash, paces = tables()
    start = squash[np.clip(np.arange(_BUCKETS + 1) * 128, 1, 4095)].astype(np.int64)
    return Mixing(
        slots=np.full((MOST_INPUTS, 1 << slot_bits), _HALF, np.uint32),
        weights=np.full((SETS, choices, MOST_INPUTS + 1), _FIRST_WEIGHT, np.int32),
        last_weights=np.full((kinds, SETS), 65536 // SETS, np.int64),
        corrections=np.tile(start, (corrections, 1)),
        stretch=stretch,
        squash=squash,
        paces=paces,
        contexts=np.zeros(MOST_INPUTS, np.int64),
        places=np.zeros(MOST_INPUTS, np.int64),
        inputs=np.zeros(MOST_INPUTS + 1, np.int32),
        choices=np.zeros(SETS, np.int64),
        outputs=np.zeros(SETS + 1, np.int64),
    )


@inline
def combined(context, value):
    """Return the hash of a context and one number more, 32 bits."""
    mixed = ((context * 0x5EBCA6B + value + 1) & 0xFFFFFFFF) * 0x42B2AE35 & 0xFFFFFFFF
    return mixed ^ (mixed >> 15)


@inline
def _squashed(squash, t):
    return np.int64(squash[min(max(t, -_STRETCHED), _STRETCHED) + 2048])


@jit
def predict(m, count, node, kind, correction):
    """Return the frequency of a 1, of 2^PRECISION.

    Args:
        m: whose contexts and choices are set.
        count: of contexts.
        node: of the decision, within its contexts.
        kind: of the decision.
        correction: which table corrects the result.
    """
    slots, weights, inputs = m.slots, m.weights, m.inputs
    lines = slots.shape[1] >> LINE_BITS
    for i in range(count):
        line = ((m.contexts[i] + (node >> LINE_BITS) * 0x9E3779B1) & 0xFFFFFFFF) * 0x2545F491 & 0xFFFFFFFF
        place = (((line * lines) >> 32) << LINE_BITS) | (node & ((1 << LINE_BITS) - 1))
        m.places[i] = place
        slot = slots[i, place]
        seen = slot & np.uint32(_COUNT_MASK)
        t = m.stretch[slot >> np.uint32(20)]
        inputs[i] = 0 if seen == 0 else (t if seen > 2 else (t * 3) >> 2)
    inputs[count] = _BIAS
    for k in range(SETS):
        row = weights[k, m.choices[k]]
        total = np.int32(0)
        for i in range(count + 1):
            total += (row[i] * inputs[i]) >> np.int32(10)
        m.outputs[k] = min(max(np.int64(total) >> 6, -_STRETCHED), _STRETCHED)
    total = 0
    for k in range(SETS):
        total += m.last_weights[kind, k] * m.outputs[k]
    t = min(max(total >> 16, -_STRETCHED), _STRETCHED)
    m.outputs[SETS] = t
    position = (t + 2048) * (_BUCKETS - 1)
    bucket, part = position >> 12, position & 4095
    row = m.corrections[correction]
    corrected = (row[bucket] * (4096 - part) + row[bucket + 1] * part) >> 12
    p = (_squashed(m.squash, t) + corrected) >> 2
    return min(max(p, _LEAST), (1 << PRECISION) - _LEAST)


@jit
def update(m, count, kind, correction, bit):
    """Learn from a bit, after :func:`predict` with the same arguments."""
    slots, weights, inputs = m.slots, m.weights, m.inputs
    goal = np.int64(bit) << 16
    t = m.outputs[SETS]
    position = (t + 2048) * (_BUCKETS - 1)
    nearest = (position + 2048) >> 12
    row = m.corrections[correction]
    row[nearest] += (min(goal, 65535) - row[nearest]) >> 6
    error = (goal - _squashed(m.squash, t)) * _LAST_RATE
    last = m.last_weights[kind]
    for k in range(SETS):
        last[k] = min(max(last[k] + ((m.outputs[k] * error + (1 << 17)) >> 18), -_WEIGHT_BOUND), _WEIGHT_BOUND)
        step = np.int32(((goal - _squashed(m.squash, m.outputs[k])) * _RATE) >> 4)
        weight = weights[k, m.choices[k]]
        for i in range(count + 1):
            moved = weight[i] + ((inputs[i] * step + np.int32(1 << 13)) >> np.int32(14))
            weight[i] = min(max(moved, np.int32(-_WEIGHT_BOUND)), np.int32(_WEIGHT_BOUND))
    for i in range(count):
        slot = np.int64(slots[i, m.places[i]])
        seen, p = slot & _COUNT_MASK, slot >> _COUNT_BITS
        p += (((np.int64(bit) << 22) - p) * m.paces[seen]) >> 16
        p = min(max(p, 1), (1 << 22) - 1)
        slots[i, m.places[i]] = np.uint32((p << _COUNT_BITS) | min(seen + 1, _LIMIT))
