"""Sixteen slots at once are found, and learn, as they do one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaezip.entropy import slots
from vaezip.entropy.mixing import LINE_BITS
from vaezip.exact.jit import jit
from vaezip.exact.lanes import LANES


@jit
def find(contexts, node, shift, places):
    slots.find(contexts, node, shift, places)


@jit
def teach(found, expected, bit, taught):
    slots.teach(found, expected, bit, taught)


@given(st.integers(0, 2**32 - 1), st.integers(0, 700), st.integers(8, 26))
@settings(max_examples=50, deadline=None)
def test_places_are_those_of_single_contexts(seed, node, shift):
    contexts = np.random.default_rng(seed).integers(0, 1 << 32, LANES).astype(np.uint32)
    places, plain = np.zeros((2, LANES), np.uint32)
    find(contexts, node, shift, places)
    slots._find_plainly(contexts, node, shift, plain)
    assert np.array_equal(places, plain)
    assert places.max() < 1 << (32 - shift + LINE_BITS)


@pytest.mark.parametrize("bit", [0, 1])
def test_slots_learn_as_single_ones_do_after_any_number_of_bits(bit):
    """Of each number, the least and the greatest probability and some between, each history, in the end."""
    rng = np.random.default_rng(bit)
    for start in range(0, 256, 2):
        seen = np.repeat([start, start + 1], LANES // 2)
        p = rng.integers(1, 1 << 22, LANES)
        p[[0, 1, -2, -1]] = 1, (1 << 22) - 1, 1, (1 << 22) - 1
        history = rng.integers(1, slots.HISTORIES, LANES)
        expected = ((p << 10) | seen).astype(np.uint32)
        found = (((p >> 4).clip(1) << 14) | (np.minimum(seen, 126) << 7) | history).astype(np.uint32)
        taught, plain, other = np.zeros(LANES, np.uint32), np.zeros(LANES, np.uint32), expected.copy()
        teach(found, expected, bit, taught)
        slots._teach_plainly(found, other, bit, plain)
        assert np.array_equal(taught, plain)
        assert np.array_equal(expected, other)
