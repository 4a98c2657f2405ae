"""Sixteen numbers at once are what they are one by one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vaezip.exact import lanes
from vaezip.exact.jit import jit

SIZE = 3 * lanes.LANES + 22


@jit
def dots_of_two(weights, places, inputs):
    return lanes.dots_of_two(weights, places, inputs)


@jit
def dots_of_three(weights, places, inputs):
    return lanes.dots_of_three(weights, places, inputs)


@jit
def move(weights, place, inputs, first, step, bound):
    lanes.move(weights, place, inputs, first, step, bound)


@given(st.integers(0, 2**32 - 1), st.integers(-589824, 589824), st.integers(0, 19))
@settings(max_examples=50, deadline=None)
def test_sums_and_steps_are_those_of_single_numbers(seed, step, place):
    """At their bounds, too: no product leaves 32 bits."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(-(1 << 19), (1 << 19) + 1, SIZE).astype(np.int32)
    inputs = rng.choice([-2047, 2047, 0, 256, 5], SIZE).astype(np.int32)
    places = place, 22 - place, 7
    for made, plainly in ((dots_of_two, lanes._dots_plainly), (dots_of_three, lanes._longer_dots_plainly)):
        assert made(weights, places, inputs) == plainly(weights, places, inputs)
    plain = weights.copy()
    lanes._move_plainly(plain, place, inputs, 3, step, 1 << 19)
    move(weights, place, inputs, 3, step, 1 << 19)
    assert np.array_equal(weights, plain)
