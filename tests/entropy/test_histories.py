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
    learn,
    new_histories,
    update,
)
from vaezip.exact.jit import jit
from vaezip.exact.lanes import LANES


def learning(slot_bits=8):
    return new_histories(slot_bits, MOST_CONTEXTS, most_bits=8, choices=4, kinds=2, corrections=3)


def test_tables_are_those_of_the_format():
    digests = [zlib.crc32(table.astype("<i8").tobytes()) for table in histories.tables()]
    assert digests == DIGESTS


DIGESTS = [2956469693, 2833970673, 3132361859]


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


def test_what_is_learned_early_is_what_the_next_decision_had_learned():
    rng = np.random.default_rng(3)
    contexts, bits = rng.integers(0, 40, (300, 9)), rng.integers(0, 2, 300)
    coder, words = np.zeros(4, np.uint64), np.zeros(1, np.uint32)
    late, early, made = learning(), learning(), [room(300, np.uint32) for _ in range(2)]
    for i, bit in enumerate(bits):
        _decide(late, contexts[i], coder, words, made[0], bit, False)
        _decide(early, contexts[i], coder, words, made[1], bit, True)
    _learn(late)
    assert np.array_equal(made[0][0], made[1][0])
    assert np.array_equal(late.slots, early.slots)
    assert np.array_equal(late.weights, early.weights)


@jit
def _decide(m, contexts, coder, words, made, bit, early):
    for i in range(9):
        m.contexts[i] = contexts[i]
    for k in range(3):
        m.choices[k] = contexts[k] & 3
    decide(m, coder, words, made, 9, 0, 0, 1, bit)
    if early:
        learn(m)


@jit
def _learn(m):
    learn(m)


def test_contexts_that_differ_in_their_lowest_bits_share_a_line():
    m = learning()
    m.contexts[:] = np.arange(LANES)
    predicted(m, MOST_CONTEXTS)
    assert len(set(m.places >> 4)) == 1
    assert len(set(m.places)) == LANES


def test_lines_begin_where_memory_is_read():
    m = learning()
    for name in ("slots", "weights", "contexts", "ahead", "found", "expected", "taught", "inputs"):
        assert m[name].ctypes.data % 64 == 0
