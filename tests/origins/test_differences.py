"""Differences come back, and cost little where the planes tell them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaezip.errors import FormatError
from vaezip.origins import differences

from .pictures import planes


@given(st.integers(0, 1 << 30), st.sampled_from([1, 3, 128]), st.floats(0, 1))
@settings(max_examples=5, deadline=None)
def test_differences_come_back(seed, most, share):
    draw = np.random.default_rng(seed)
    known = planes(9, 7, seed=seed, pictures=2)
    found = draw.integers(-most, most, known.shape) * (draw.random(known.shape) < share)
    found = found.astype(np.int8)
    assert np.array_equal(differences.decode(differences.encode(known, found), known), found)


def test_what_the_planes_tell_costs_little():
    known = planes(96, 96)
    told = np.zeros(known.shape, np.int8)
    told[..., 0] = known[..., 1] % 3 == 0
    random = np.random.default_rng(0).permutation(told.reshape(-1, 3)).reshape(told.shape)
    assert len(differences.encode(known, told)) < len(differences.encode(known, random)) / 4


@pytest.mark.parametrize("damage", [b"", b"\1\0\0\0\0", b"\xff" * 40])
def test_damage_is_refused(damage):
    with pytest.raises(FormatError):
        differences.decode(damage, planes(40, 40))


def test_it_costs_what_it_is_bounded_by():
    assert differences.cost(1).work > differences.MOST_DECISIONS * 256
