"""Predictions from histories: what a decision costs falls as its contexts teach it, and nothing leaves its integers."""

import zlib

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.entropy.helpers import bits_of, predicted
from vaezip.entropy import histories
from vaezip.entropy.decisions import room
from vaezip.entropy.histories import (
    FIRST_SLOT,
    HISTORIES,
    MOST_CONTEXTS,
    PRECISION,
    decide,
    decide_ahead,
    look_ahead,
    new_histories,
    turn,
    update,
)
from vaezip.exact.jit import jit


def learning(slot_bits=8):
    return new_histories(slot_bits, MOST_CONTEXTS, most_bits=8, choices=4, kinds=2, corrections=3)


def test_tables_are_those_of_the_format():
    digests = [zlib.crc32(table.astype("<i8").tobytes()) for table in histories.tables()]
    assert digests == DIGESTS


DIGESTS = [2956469693, 2833970673, 169980748, 3132361859]


def test_a_context_that_tells_the_bit_makes_it_cheap():
    rng = np.random.default_rng(0)
    known = [([int(bit), 7], int(bit)) for bit in rng.integers(0, 2, 2000)]
    unknown = [([7, 9], bit) for _, bit in known]
    assert bits_of(histories, learning(), known) < 60
    assert 1900 < bits_of(histories, learning(), unknown) < 2200


def test_a_history_tells_what_a_probability_does_not():
    alternating = [([5], i & 1) for i in range(1000)]
    assert bits_of(histories, learning(), alternating) < 100


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 1), st.integers(0, 3)), max_size=60))
@settings(max_examples=40, deadline=None)
def test_nothing_leaves_its_bounds(decisions):
    m = learning(5)
    for context, bit, choice in decisions:
        m.contexts[:] = context
        m.choices[:] = choice
        p = predicted(m, MOST_CONTEXTS, node=context & 255, kind=0, correction=1)
        assert 0 < p < 1 << PRECISION
        update(m, 0, MOST_CONTEXTS, 0, 1, bit)
    assert (np.abs(m.weights) <= 1 << 19).all()
    kept = m.slots ^ np.uint32(FIRST_SLOT)
    assert ((kept & np.uint32(HISTORIES - 1)) > 0).all()
    assert ((m.corrections >= 0) & (m.corrections <= 65536)).all()


def test_slots_that_are_looked_for_ahead_are_those_of_the_decision():
    rng = np.random.default_rng(3)
    contexts, bits = rng.integers(0, 40, (300, 9)), rng.integers(0, 2, 300)
    coder, words = np.zeros(4, np.uint64), np.zeros(1, np.uint32)
    once, ahead, made = learning(), learning(), [room(300, np.uint32) for _ in range(2)]
    _set(ahead, contexts[0])
    for i, bit in enumerate(bits):
        _set(once, contexts[i])
        _at_once(once, coder, words, made[0], bit)
        _before(ahead, contexts[min(i + 1, len(bits) - 1)], coder, words, made[1], bit)
    assert np.array_equal(made[0][0], made[1][0])
    assert np.array_equal(once.slots, ahead.slots)


@jit
def _set(m, contexts):
    for i in range(9):
        m.contexts[i] = contexts[i]
    for k in range(3):
        m.choices[k] = contexts[k] & 3
    look_ahead(m, 9, 0)


@jit
def _at_once(m, coder, words, made, bit):
    decide(m, coder, words, made, 9, 0, 0, 1, bit)


@jit
def _before(m, next_contexts, coder, words, made, bit):
    """Decide once the next decision is asked for."""
    turn(m, 9)
    _set(m, next_contexts)
    decide_ahead(m, coder, words, made, 9, 0, 1, bit)
