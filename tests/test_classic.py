import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vaezip import classic
from vaezip.errors import FormatError


def samples(shape, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)


def assert_round_trip(array):
    back = classic.decode(classic.encode(array), array.shape, array.dtype.type)
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1, 1), (1, 3, 5), (4, 7, 2), (1, 1, 300), (1, 300, 1)])
def test_round_trip(size, channels, dtype):
    assert_round_trip(samples((*size, channels), dtype))


@given(st.tuples(st.integers(1, 2), st.integers(1, 6), st.integers(1, 6), st.integers(1, 4)), st.data())
@settings(max_examples=40)
def test_round_trip_of_any_samples(shape, data):
    dtype = data.draw(st.sampled_from([np.uint8, np.uint16]))
    assert_round_trip(data.draw(arrays(dtype, shape)))


@pytest.mark.parametrize("shape", [(1, 1, 20_000, 1), (1, 20_000, 1, 1), (1, 1, 16_384, 3), (2, 16_383, 1, 2)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_is_larger_than_webp_allows(shape, dtype):
    assert_round_trip(samples(shape, dtype))


def test_colour_under_alpha_zero_is_kept():
    array = samples((1, 8, 8, 4))
    array[..., 3] = 0
    assert_round_trip(array)


def test_opaque_alpha_comes_back():
    array = samples((1, 8, 8, 4))
    array[..., 3] = 255
    assert_round_trip(array)


@pytest.mark.parametrize("shape", [(1, 6, 5, 3), (1, 6, 5, 1), (2, 3, 5, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_truncation_is_refused_or_seen(shape, dtype):
    array = samples(shape, dtype)
    data = classic.encode(array)
    for length in range(len(data)):
        assert_refused_or_seen(data[:length], array)


def assert_refused_or_seen(data, array):
    try:
        back = classic.decode(data, array.shape, array.dtype.type)
    except FormatError:
        return
    assert back.shape == array.shape  # the caller's checksum tells the rest


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_flipped_bit_is_refused_or_seen(dtype):
    array = samples((1, 5, 4, 3), dtype)
    data = classic.encode(array)
    for place in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[place // 8] ^= 1 << place % 8
        assert_refused_or_seen(bytes(damaged), array)


@given(st.binary(max_size=60))
def test_random_bytes_are_refused(data):
    assert_refused_or_seen(data, samples((1, 2, 2, 3)))


def test_a_stream_of_another_size_is_refused():
    with pytest.raises(FormatError):
        classic.decode(classic.encode(samples((1, 5, 4, 3))), (1, 4, 5, 3), np.uint8)


def test_a_stream_that_claims_to_be_huge_is_refused_before_it_is_decoded(limited_memory, recwarn):
    """16384×16384 pixels in a header of five bytes."""
    data = struct.pack("<BI", 0x2F, 0x3FFF | 0x3FFF << 14) + bytes(40)
    with limited_memory(1 << 28), pytest.raises(FormatError):
        classic.decode(data, (1, 2, 2, 3), np.uint8)
    smaller = struct.pack("<BI", 0x2F, 9999 | 9999 << 14) + bytes(40)
    with limited_memory(1 << 28), pytest.raises(FormatError):
        classic.decode(smaller, (1, 2, 2, 3), np.uint8)
    assert not recwarn.list
