"""Mixed predictions: what a decision costs falls as its contexts teach it, and nothing leaves its integers."""

import zlib

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.entropy.helpers import bits_of
from vaezip.entropy import mixing
from vaezip.entropy.mixing import LINE_BITS, MOST_INPUTS, PRECISION, SETS, new_mixing, predict, update


def mixed(slot_bits=8):
    return new_mixing(slot_bits, choices=4, kinds=2, corrections=3)


def test_tables_are_those_of_the_format():
    digests = [zlib.crc32(table.astype("<i8").tobytes()) for table in mixing.tables()]
    assert digests == DIGESTS


DIGESTS = [2956469693, 497350944, 169980748]


def test_stretch_is_the_inverse_of_squash():
    stretch, squash, _ = mixing.tables()
    assert (np.diff(stretch) >= 0).all()
    assert (np.diff(squash) >= 0).all()
    assert np.abs(stretch + stretch[::-1]).max() <= 17
    middle = np.arange(256, 4096 - 256)
    assert np.abs(squash[stretch[middle] + 2048] - (16 * middle + 8)).max() < 64


def test_a_context_that_tells_the_bit_makes_it_cheap():
    rng = np.random.default_rng(0)
    told = [([int(bit), 7], int(bit)) for bit in rng.integers(0, 2, 2000)]
    untold = [([7, 9], bit) for _, bit in told]
    assert bits_of(mixing, mixed(), told) < 100
    assert 1900 < bits_of(mixing, mixed(), untold) < 2200


def test_a_decision_never_costs_more_than_its_floor():
    m = mixed()
    bits_of(mixing, m, [([1, 2, 3], 1)] * 3000)
    assert bits_of(mixing, m, [([1, 2, 3], 0)]) < 11.5


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 1), st.integers(0, 3)), max_size=60))
@settings(max_examples=40, deadline=None)
def test_state_stays_within_its_bounds(decisions):
    m = mixed(LINE_BITS)  # one line: all contexts meet in it
    m.weights[:] = np.where(np.arange(m.weights.shape[2]) % 2, 1 << 19, -(1 << 19))
    m.slots[:] = ((1 << 32) - 1) & ~1023  # as sure as can be, and never seen
    for context, bit, choice in decisions:
        m.contexts[:] = context
        m.choices[:] = choice
        for node in range(1 << LINE_BITS):
            p = predict(m, MOST_INPUTS, node, 0, 0)
            assert 0 < p < 1 << PRECISION
            update(m, MOST_INPUTS, 0, 0, bit)
    assert np.abs(m.weights).max() <= 1 << 19
    assert np.abs(m.last_weights).max() <= 1 << 19
    assert 0 <= m.corrections.min() <= m.corrections.max() <= 65535
    assert m.slots.dtype == np.uint32
    assert ((m.slots >> 10) > 0).all()
    assert len(m.outputs) == SETS + 1
