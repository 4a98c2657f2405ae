"""Predict a bit from contexts that remember the bits after them; a leaner and quicker kin of :mod:`.mixing`.

Each context finds a *slot*, which holds a probability, how often it was used, and its *history*: the last six bits
that came after it. A slot gives two inputs: its probability, and the probability that a table has learned for its
history. A caller may give inputs of its own, too. The inputs are *stretched*, multiplied by weights, added and
*squashed* as in :mod:`.mixing`, by three sets of weights, each chosen by a small number. A last set mixes what they
give, and two tables that the bits so far have filled correct the result.

Most of the time goes into waiting for slots. They stand in *lines* of sixteen, the size that memory is read in; all
contexts share the lines. Contexts that differ in their four lowest bits alone, and decisions in the same context, share
one of them. What a bit tells is learned only once the slots of the next decision are asked for, so that there is work
until they come.

All of it is integer arithmetic. The bounds: |t| < 2^11 and |weight| ≤ 2^19 make products below 2^30, which are shifted
by 10 before at most 48 of them are added; a *step*, an error below 2^16 times a rate of at most 72, shifted by 3, is
below 2^20 · 0.57, and its product with an input below 2^31 − 2^14. The last weights, bounded alike, meet numbers below
2^12.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy.decisions import IS_SHORT, code
from vaezip.entropy.mixing import LINE_BITS, new_record
from vaezip.entropy.slots import FIRST_SLOT, HISTORIES, find, teach
from vaezip.exact import elementwise
from vaezip.exact.backend import backend
from vaezip.exact.jit import borrowing, inline
from vaezip.exact.lanes import LANES, dots_of_three, dots_of_two, move
from vaezip.exact.prefetch import prefetch

PRECISION = 16
"""log2 of the sum of the frequencies of 0 and 1."""

MOST_CONTEXTS, MOST_GIVEN, SETS = LANES - 1, 5, 3
"""Contexts of a decision at most, inputs that are given at most, and sets of weights that are chosen for it."""

_OF_HISTORIES, _OF_GIVEN = LANES, 2 * LANES
"""Where the inputs of histories begin, and those that are given; first stand those of slots, and the bias."""

_STRETCHED, _WIDEST = 2047, 3071
"""The greatest input, and the greatest sum."""

_BIAS = 256
_WEIGHT_BOUND = 1 << 19
_BUCKETS = 25
_NOTES = 5
_LEAST = 2
"""The least frequency of a bit, of 2^16."""

_USES = 255
"""A set of weights learns slower with each use, up to this one."""


@lru_cache
def tables() -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """Return t = 256 · ln(p / (1 − p)) for p = (i + ½) / 4096, 2^16 · p for t = −3072 … 3071, and the rates of weights
    after n = 0 … 255 uses."""
    squash = np.floor(65536.0 / (1.0 + elementwise.exp(backend(), -np.arange(-3072.0, 3072.0) / 256.0)) + 0.5)
    stretch = np.searchsorted(squash[1:], 16 * np.arange(4096) + 8) - _WIDEST
    rates = 2 + 1400 // (20 + np.arange(_USES + 1))
    return stretch.clip(-_STRETCHED, _STRETCHED).astype(np.int32), squash.astype(np.int32), rates


class Given(NamedTuple):
    """Say what inputs a caller gives.

    Attributes:
        count: how many, where it gives any.
        weight: what their weights begin with.
        ends: of each set, the choices from which on it gives none. There as many others begin as those of given inputs
            do: of the first contexts, slot and history in turn. Where all weights begin alike, ends change nothing.
    """

    count: int
    weight: int
    ends: tuple[int, int, int] = (0, 0, 0)


NO_INPUTS = Given(0, 0)

Histories = Any
"""The record of :func:`new_histories`. numba knows its fields, and mypy does not."""


def new_histories(
    slot_bits: int,
    contexts: int,
    *,
    most_bits: int,
    choices: int,
    kinds: int,
    corrections: int,
    given: Given = NO_INPUTS,
) -> Histories:
    """Return a record of what has been learned, which is nothing, with room for one decision.

    Its fields are ``slots``, of all contexts: 18 bits of probability, 7 of count and 7 of history, exclusive-or what
    they begin with, so that nobody touches those that are not used; ``maps`` by kind, context and history, 22 bits of
    probability and 10 of count; ``weights``, 2^16 for 1, by set and choice, one after another, and ``uses`` of these;
    ``last``, the weights of the sets, by kind; ``corrections`` and ``seconds``, of 2^16, by the correction and by the
    second choice; the :func:`tables`; ``shift``, 32 less the bits of a line's number; for the next decision,
    ``contexts``, ``choices`` and ``given`` inputs, which the caller sets, and places of slots ``ahead``; for the
    present one, ``places``, what was ``found`` there and is ``expected`` after it, and what is ``taught``, ``chosen``
    weights, ``inputs`` and ``outputs``; and what is ``noted`` of it, if anything, until it is learned: contexts, kind,
    correction, bit and given inputs. What is read by vectors stands first, for it is to begin where a line does.

    Args:
        slot_bits: log2 of the slots.
        contexts: of a decision at most.
        most_bits: log2 of the slots at most; kernels are compiled for these.
        choices: what a set of weights is chosen by is less.
        kinds: of decisions.
        corrections: what a correction is chosen by is less.
        given: what inputs the caller gives.
    """
    stretch, squash, rates = tables()
    inputs = _OF_GIVEN + (LANES if given.count else 0)
    lines = ("contexts", "ahead", "places", "found", "expected", "taught")
    fields = [
        ("inputs", np.int32, (inputs,)),
        *((name, np.uint32, (LANES,)) for name in lines),
        ("slots", np.uint32, (1 << most_bits,)),
        ("weights", np.int32, (SETS * choices * inputs,)),
        ("choices", np.uint32, (SETS,)),
        ("given", np.int32, (MOST_GIVEN,)),
        ("chosen", np.uint32, (SETS,)),
        ("noted", np.int64, (_NOTES,)),
        ("is_noted", np.int64),
        ("outputs", np.int64, (SETS + 1,)),
        ("last", np.int64, (kinds, SETS)),
        ("shift", np.uint32),
        ("stretch", stretch.dtype, stretch.shape),
        ("squash", squash.dtype, squash.shape),
        ("rates", rates.dtype, rates.shape),
        ("maps", np.uint32, (kinds, contexts, HISTORIES)),
        ("uses", np.uint8, (SETS, choices)),
        ("corrections", np.int64, (corrections, _BUCKETS + 1)),
        ("seconds", np.int64, (choices, _BUCKETS + 1)),
    ]
    m = new_record(fields)
    m.weights[:], m.last[:], m.maps[:] = FIRST_WEIGHT, 65536 // SETS, _first_map()
    for rows, end in zip(m.weights.reshape(SETS, choices, inputs), given.ends):
        rows[:end, _OF_GIVEN:] = given.weight
        rows[end:, [i // 2 + i % 2 * _OF_HISTORIES for i in range(given.count)]] = given.weight
    m.corrections[:] = m.seconds[:] = squash[np.clip(np.arange(_BUCKETS + 1) * 256, 1, 6143)]
    m.stretch[:], m.squash[:], m.rates[:] = stretch, squash, rates
    m.shift = 32 - (slot_bits - LINE_BITS)
    return m


FIRST_WEIGHT = 65536 * 3 // 40


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
    """Code one bit, or decode it, and return it; what it tells is learned with the next one.

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
    return decide_here(m, coder, words, made, 0, count, node, kind, correction, bit)


@borrowing
def decide_given(m, coder, words, made, given, count, node, kind, correction, bit):
    """Code one bit as :func:`decide` does, where so many inputs are given, stretched."""
    return decide_here(m, coder, words, made, given, count, node, kind, correction, bit)


@inline
def decide_here(m, coder, words, made, given, count, node, kind, correction, bit):
    """Code one bit as :func:`decide_given` does, within the function that calls this: quicker, and longer."""
    _begin(m, count, node)
    p = _predict(m, given, count, kind, correction)
    bit = code(coder, words, made, p, PRECISION, bit)
    if not coder[IS_SHORT]:
        m.noted[0], m.noted[1], m.noted[2], m.noted[3], m.noted[4] = count, kind, correction, bit, given
        m.is_noted = 1
    return bit


@inline
def _begin(m, count, node):
    """Find the slots of a decision, whose contexts and choices are set, and ask for them; learn from the one before."""
    _ask(m, m.contexts, count, node)
    learn(m)
    for i in range(LANES):
        m.places[i] = m.ahead[i]
    for k in range(SETS):
        m.chosen[k] = m.choices[k]


@inline
def _predict(m, given, count, kind, correction):
    """Return the frequency of a 1 by the slots that were found."""
    for i in range(m.inputs.size):
        m.inputs[i] = 0
    for i in range(given):
        m.inputs[_OF_GIVEN + i] = m.given[i]
    m.inputs[count] = _BIAS
    for i in range(count):
        slot = np.int64(m.slots[m.places[i]] ^ np.uint32(FIRST_SLOT))
        expected = np.int64(m.maps[kind, i, slot & (HISTORIES - 1)])
        m.found[i], m.expected[i] = slot, expected
        m.inputs[i] = m.stretch[slot >> 20]
        m.inputs[_OF_HISTORIES + i] = m.stretch[expected >> 20]
    mixed = 0
    rows = _row(m, 0), _row(m, 1), _row(m, 2)
    totals = dots_of_three(m.weights, rows, m.inputs) if given else dots_of_two(m.weights, rows, m.inputs)
    for k in range(SETS):
        m.outputs[k] = min(max(totals[k] >> 6, -_WIDEST), _WIDEST)
        mixed += m.last[kind, k] * m.outputs[k]
    t = min(max(mixed >> 16, -_WIDEST), _WIDEST)
    m.outputs[SETS] = t
    position = t + 3072
    bucket, part = position >> 8, position & 255
    here = m.corrections[correction, bucket] + m.seconds[m.chosen[1], bucket]
    there = m.corrections[correction, bucket + 1] + m.seconds[m.chosen[1], bucket + 1]
    p = (2 * m.squash[position] + ((here * (256 - part) + there * part) >> 8)) >> 2
    return min(max(p, _LEAST), (1 << PRECISION) - _LEAST)


@inline
def ask(m, count, group=0):
    """Ask for the lines of contexts that are set, of a group of 16 nodes, of which decisions are likely to come."""
    _ask(m, m.contexts, count, group << LINE_BITS)


@inline
def ask_for(m, contexts, count):
    """Ask for the lines of contexts that are going to be set, so many of LANES, of the first group of nodes."""
    _ask(m, contexts, count, 0)


@inline
def _ask(m, contexts, count, node):
    """Find the places of slots, and ask for their lines."""
    find(contexts, node, np.int64(m.shift), m.ahead)
    for i in range(count):
        prefetch(m.slots, np.int64(m.ahead[i]))


@inline
def _row(m, k):
    """Return the place of the weights that a set chose."""
    return (k * m.uses.shape[1] + np.int64(m.chosen[k])) * m.inputs.size


@inline
def learn(m):
    """Learn from the last decision, unless that is done: before the next one, or sooner, while memory comes."""
    if m.is_noted:
        m.is_noted = 0
        update(m, m.noted[4], m.noted[0], m.noted[1], m.noted[2], m.noted[3])


@inline
def update(m, given, count, kind, correction, bit):
    """Learn from a bit, after :func:`_predict` with the same arguments."""
    goal = np.int64(bit) << 16
    t = m.outputs[SETS]
    nearest = (t + 3072 + 128) >> 8
    _near(m.corrections, correction, nearest, goal)
    _near(m.seconds, m.chosen[1], nearest, goal)
    error = goal - m.squash[t + 3072]
    for k in range(SETS):
        last = m.last[kind, k] + ((m.outputs[k] * error + (1 << 17)) >> 18)
        m.last[kind, k] = min(max(last, -_WEIGHT_BOUND), _WEIGHT_BOUND)
        used = np.int64(m.uses[k, m.chosen[k]])
        m.uses[k, m.chosen[k]] = np.uint8(min(used + 1, _USES))
        step = ((goal - m.squash[m.outputs[k] + 3072]) * m.rates[used]) >> 3
        move(m.weights, _row(m, k), m.inputs, 0, step, _WEIGHT_BOUND)
        move(m.weights, _row(m, k) + LANES, m.inputs, LANES, step, _WEIGHT_BOUND)
        if given:
            move(m.weights, _row(m, k) + _OF_GIVEN, m.inputs, _OF_GIVEN, step, _WEIGHT_BOUND)
    teach(m.found, m.expected, np.int64(bit), m.taught)
    for i in range(count):
        m.slots[m.places[i]] = m.taught[i]
        m.maps[kind, i, np.int64(m.found[i]) & (HISTORIES - 1)] = m.expected[i]


@inline
def _near(tables, row, column, goal):
    """Move what corrects a result to what came."""
    tables[row, column] += (min(goal, 65535) - tables[row, column]) >> 6
