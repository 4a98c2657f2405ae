"""Shifts of 32 bits are those of Python's integers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vaezip.exact.jit import jit
from vaezip.exact.shifts import shifted


@jit
def shift(number, by):
    return shifted(number, by)


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 31))
def test_the_sign_is_kept(number, by):
    assert shift(np.int32(number), np.int32(by)) == number >> by
