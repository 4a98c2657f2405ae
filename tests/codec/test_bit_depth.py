import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vaezip.codec import bit_depth
from vaezip.codec.bit_depth import DepthHeader
from vaezip.errors import FormatError

SHAPES = st.tuples(st.integers(1, 2), st.integers(1, 5), st.integers(1, 5), st.integers(1, 4))


@given(SHAPES, st.data())
def test_splits_and_back(shape, data):
    greatest = data.draw(st.sampled_from([0, 1, 255, 256, 4095, 65535]))
    samples = data.draw(arrays(np.uint16, shape, elements=st.integers(0, greatest)))
    found = list(bit_depth.splits(samples))
    for high, rest in found:
        assert high.dtype == rest.low.dtype == np.uint8
        assert rest.low.max() >> bit_depth.low_bits(rest.values) == 0
        assert np.array_equal(rest.join(high), samples)
    assert len({bit_depth.low_bits(rest.values) for _, rest in found}) == len(found)


@given(SHAPES, st.integers(1, 8), st.data())
def test_differences_and_back(shape, bits, data):
    low = data.draw(arrays(np.uint8, shape, elements=st.integers(0, (1 << bits) - 1)))
    differences = bit_depth.differenced(low, bits)
    assert differences.max() >> bits == 0
    assert np.array_equal(bit_depth.undifferenced(differences, bits), low)


def test_a_ramp_has_no_differences():
    y, x = np.mgrid[:20, :30]
    low = (5 * x + 7 * y & 31).astype(np.uint8)[None, :, :, None]
    assert (bit_depth.differenced(low, 5)[:, 1:, 1:] == 0).all()


@pytest.mark.parametrize(("count", "bits"), [(1, 0), (2, 0), (256, 0), (257, 1), (512, 1), (513, 2), (65536, 8)])
def test_low_bits(count, bits):
    assert bit_depth.low_bits(np.arange(count)) == bits


def test_values_that_do_not_occur_are_left_out_where_that_saves_bits():
    samples = (np.arange(300, dtype=np.uint16) * 200).reshape(1, 15, 20, 1)
    (_, every), (high, used) = bit_depth.splits(samples)
    assert (bit_depth.low_bits(every.values), bit_depth.low_bits(used.values)) == (8, 1)
    assert np.array_equal(high.ravel(), np.arange(300) >> 1)


@pytest.mark.parametrize("count", [1, 3, 700])
def test_ranks_that_are_none_are_refused(count):
    rest = DepthHeader(np.arange(count), np.zeros((1, 1, 1, 1), np.uint8))
    last = np.full((1, 1, 1, 1), (count - 1) >> bit_depth.low_bits(rest.values), np.uint8)
    assert rest.join(last).max() < count
    with pytest.raises(FormatError):
        rest.join(last + np.uint8(1))
