"""Predict a bit from many contexts: adaptive counters, mixed in the logistic domain by weights that learn.

Each context finds a *slot*, a counter that knows how often a 1 came after it. The probabilities of all slots are
*stretched*, t = ln(p / (1 − p)), multiplied by weights, added and *squashed* back (Mahoney 2005, "Adaptive weighing of
context models"). Several sets of weights, each chosen by a small number that the caller gives, make one estimate each;
a last set mixes those, and a table that the bits so far have filled corrects the result.

All of it is integer arithmetic: logarithms come from tables, and every number is clamped, so that nothing leaves its
integers. The bounds: |t| < 2^11 and |weight| ≤ 2^19 make products below 2^30, which are shifted by 10 before at most
32 of them are added; an error is below 2^16, and its product with a learning rate of at most 2^4 and t below 2^31.

Most of the time goes into waiting for slots. They stand in *lines* of the size that memory is read in, and contexts
that differ in their four lowest bits, and decisions in the same context, share a line. What is learned stands in one
record, which a kernel is handed as one address; and inputs are as many as vector units take, with zeros behind them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy.decisions import IS_SHORT, code
from vaezip.exact import elementwise
from vaezip.exact.backend import backend
from vaezip.exact.jit import borrowing, inline

PRECISION = 15
"""log2 of the sum of the frequencies of 0 and 1."""

MOST_INPUTS, SETS = 24, 3
"""Contexts of a decision at most, and sets of weights that are chosen for it."""

LINE_BITS = 4
"""log2 of the slots of a line: 64 bytes, and as many nodes of a decision, or contexts of neighbouring values."""

_VECTOR = 16
_WIDTH = 2 * _VECTOR
"""Inputs in the record: those of a decision, the bias behind them, and zeros up to a multiple of _VECTOR."""

_ALIGNMENT = 64

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

_SPREAD, _SPREAD_AGAIN, _SPREAD_NODE = (
    np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, 0xC2B2AE3D27D4EB4F)
)
_1, _FOLD, _LINE_BITS, _WITHIN = np.uint64(1), np.uint64(29), np.uint64(LINE_BITS), np.uint64((1 << LINE_BITS) - 1)

Mixing = Any
"""The record of :func:`new_mixing`. numba knows its fields, and mypy does not."""


@lru_cache
def tables() -> tuple[NDArray[np.int16], NDArray[np.uint16], NDArray[np.int32]]:
    """Return t = 256 · ln(p / (1 − p)) for p = (i + ½) / 4096, 2^16 · p for t = −2048 … 2047, and 2^16 / (n + 1.6) for
    n = 0 … 255: the second rounded by exact arithmetic, and the first its inverse."""
    squash = np.floor(65536.0 / (1.0 + elementwise.exp(backend(), -np.arange(-2048.0, 2048.0) / 256.0)) + 0.5)
    stretch = np.minimum(np.searchsorted(squash[1:], 16 * np.arange(4096) + 8) - _STRETCHED, _STRETCHED)
    paces = 655360 // (10 * np.arange(_LIMIT + 1) + 16)
    return stretch.astype(np.int16), squash.astype(np.uint16), paces.astype(np.int32)


def new_mixing(slot_bits: int, *, choices: int, kinds: int, corrections: int) -> Mixing:
    """Return a record of what has been learned, which is nothing, with room for one decision.

    Its fields are ``slots``, of 22 bits of probability and 10 of count, for each context; ``weights``, 2^16 for 1, by
    set and choice; ``last_weights`` by kind; ``corrections`` of 2^16; the three :func:`tables`; ``shift``, 63 less the
    bits of a line's number; and, for the present decision, ``contexts``, any numbers, ``choices``, ``places`` of slots,
    ``inputs`` and ``outputs``.

    Args:
        slot_bits: log2 of the slots of each context.
        choices: what a set of weights is chosen by is less.
        kinds: of decisions, each with its last weights.
        corrections: what a correction is chosen by is less.
    """
    stretch, squash, paces = tables()
    fields = [
        ("slots", np.uint32, (MOST_INPUTS, 1 << slot_bits)),
        ("weights", np.int32, (SETS, choices, _WIDTH)),
        ("inputs", np.int32, (_WIDTH,)),
        ("contexts", np.int64, (_WIDTH,)),
        ("places", np.uint64, (_WIDTH,)),
        ("choices", np.int64, (SETS,)),
        ("outputs", np.int64, (SETS + 1,)),
        ("last_weights", np.int64, (kinds, SETS)),
        ("corrections", np.int64, (corrections, _BUCKETS + 1)),
        ("shift", np.uint64),
        ("stretch", stretch.dtype, stretch.shape),
        ("squash", squash.dtype, squash.shape),
        ("paces", paces.dtype, paces.shape),
    ]
    m = new_record(fields)
    m.slots[:], m.weights[:], m.last_weights[:] = _HALF, _FIRST_WEIGHT, 65536 // SETS
    m.corrections[:] = squash[np.clip(np.arange(_BUCKETS + 1) * 128, 1, 4095)]
    m.shift = 63 - (slot_bits - LINE_BITS)
    m.stretch[:], m.squash[:], m.paces[:] = stretch, squash, paces
    return m


def new_record(fields: list[Any]) -> Any:
    """Return a record of zeros that begins where a line of memory does."""
    form = np.dtype(fields, align=True)
    room = np.zeros(form.itemsize + _ALIGNMENT, np.uint8)
    start = -room.ctypes.data % _ALIGNMENT
    return room[start : start + form.itemsize].view(form).view(np.recarray)[0]


@inline
def key(context, a, b):
    """Return a context of three numbers, the last two below 2^20, alone in its line."""
    return ((np.int64(context) << 40) + (np.int64(a) << 20) + np.int64(b)) << LINE_BITS


@borrowing
def decide(m, coder, words, made, count, node, kind, correction, bit):
    """Code one bit, or decode it, and learn from it; ``coder`` is of :mod:`.decisions`, the rest as of
    :func:`predict`."""
    p = predict(m, count, node, kind, correction)
    bit = code(coder, words, made, p, PRECISION, bit)
    if not coder[IS_SHORT]:
        update(m, count, kind, correction, bit)
    return bit


@inline
def _squashed(m, t):
    return np.int64(m.squash[min(max(t, -_STRETCHED), _STRETCHED) + 2048])


@inline
def _width(count):
    """Return how many inputs are looked at: those of ``count`` contexts, the bias, and zeros."""
    return (count & _VECTOR) + _VECTOR


@borrowing
def predict(m, count, node, kind, correction):
    """Return the frequency of a 1, of 2^PRECISION.

    Args:
        m: whose contexts and choices are set.
        count: of contexts.
        node: of the decision, within its contexts.
        kind: of the decision.
        correction: which table corrects the result.
    """
    _find(m, count, node)
    for i in range(count):
        slot = np.int64(m.slots[i, m.places[i]])
        seen, t = slot & _COUNT_MASK, np.int32(m.stretch[slot >> 20])
        m.inputs[i] = 0 if seen == 0 else (t if seen > 2 else (t * 3) >> 2)
    m.inputs[count] = _BIAS
    for i in range(count + 1, _width(count)):
        m.inputs[i] = 0
    total = np.int64(0)
    for k in range(SETS):
        output = min(max(np.int64(_mixed(m, k, m.choices[k], _width(count))) >> 6, -_STRETCHED), _STRETCHED)
        m.outputs[k] = output
        total += m.last_weights[kind, k] * output
    t = min(max(total >> 16, -_STRETCHED), _STRETCHED)
    m.outputs[SETS] = t
    position = (t + 2048) * (_BUCKETS - 1)
    bucket, part = position >> 12, position & 4095
    here, there = m.corrections[correction, bucket], m.corrections[correction, bucket + 1]
    p = (_squashed(m, t) + ((here * (4096 - part) + there * part) >> 12)) >> 2
    return min(max(p, _LEAST), (1 << PRECISION) - _LEAST)


@inline
def _find(m, count, node):
    """Find the places of slots: the line by a hash, and the slot in it by the lowest bits of context and node."""
    more = np.uint64(node >> LINE_BITS) * _SPREAD_NODE
    for i in range(count):
        context = np.uint64(m.contexts[i])
        line = ((context >> _LINE_BITS) + more) * _SPREAD
        line = ((line ^ (line >> _FOLD)) * _SPREAD_AGAIN) >> _1 >> m.shift
        m.places[i] = (line << _LINE_BITS) | ((context ^ np.uint64(node)) & _WITHIN)


@inline
def _mixed(m, k, choice, width):
    """Return the sum of the weighted inputs; every number is cast, for numba would take 64 bits."""
    total = np.int32(0)
    for i in range(width):
        product = np.int32(m.weights[k, choice, i] * m.inputs[i])
        total = np.int32(total + np.int32(product >> 10))
    return total


@borrowing
def update(m, count, kind, correction, bit):
    """Learn from a bit, after :func:`predict` with the same arguments."""
    goal = np.int64(bit) << 16
    t = m.outputs[SETS]
    nearest = ((t + 2048) * (_BUCKETS - 1) + 2048) >> 12
    m.corrections[correction, nearest] += (min(goal, 65535) - m.corrections[correction, nearest]) >> 6
    error = (goal - _squashed(m, t)) * _LAST_RATE
    for k in range(SETS):
        output = m.outputs[k]
        last = m.last_weights[kind, k] + ((output * error + (1 << 17)) >> 18)
        m.last_weights[kind, k] = min(max(last, -_WEIGHT_BOUND), _WEIGHT_BOUND)
        _move(m, k, m.choices[k], np.int32(((goal - _squashed(m, output)) * _RATE) >> 4), _width(count))
    for i in range(count):
        slot = np.int64(m.slots[i, m.places[i]])
        seen, p = slot & _COUNT_MASK, slot >> _COUNT_BITS
        p += (((goal << 6) - p) * m.paces[seen]) >> 16
        p = min(max(p, 1), (1 << 22) - 1)
        m.slots[i, m.places[i]] = np.uint32((p << _COUNT_BITS) | min(seen + 1, _LIMIT))


@inline
def _move(m, k, choice, step, width):
    """Move weights by a step in the direction of the inputs."""
    for i in range(width):
        moved = np.int32(np.int32(m.inputs[i] * step) + np.int32(1 << 13))
        moved = np.int32(np.int32(moved >> 14) + m.weights[k, choice, i])
        m.weights[k, choice, i] = min(max(moved, np.int32(-_WEIGHT_BOUND)), np.int32(_WEIGHT_BOUND))
