import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vaezip.codec import webp
from vaezip.errors import FormatError


def samples(shape, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)


def assert_round_trip(array):
    back = webp.decode(webp.encode(array), array.shape, array.dtype.type)
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


# 16 bits


def of_bytes(array):
    """What it takes to code high bytes, then low bytes."""
    return sum(len(webp.encode(part.astype(np.uint8))) for part in (array >> 8, array & 255))


KINDS = {
    "8 bits": lambda x: x * 257,
    "8 bits by a curve": lambda x: x**2,
    "12 bits": lambda x: x * 16,
    "12 bits, left": lambda x: x << 8 | (x * 7 & 0xF0),
    "one value": lambda x: x * 0 + 40_000,
    "smooth": lambda x: np.cumsum(np.ones_like(x), axis=1) * 900,
    "all": lambda x: x * 256 + 255,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bits_of_few_values_or_smooth(kind, channels):
    base = samples((2, 30, 40, channels)).astype(np.int64)
    array = KINDS[kind](base).astype(np.uint16)
    assert_round_trip(array)
    high, rest = webp.split(array)
    back, data = webp.read_depth_header(rest + b"after", array.shape)
    assert data == b"after"
    assert np.array_equal(back.join(high), array)
    slack = 20  # of the form, and of a table
    assert len(webp.encode(array)) <= of_bytes(array) + slack


def test_8_bits_by_a_curve_cost_what_they_did_before():
    base = samples((1, 40, 40, 3))
    curved = np.sort(samples((256,), np.uint16, 1))[base]
    assert len(webp.encode(curved)) < len(webp.encode(base)) + 600


def deflated(data):
    deflater = zlib.compressobj(9, wbits=-15)
    return deflater.compress(data) + deflater.flush()


def with_table(packed, flags=2):
    return bytes([flags]) + struct.pack("<H", len(packed)) + packed


SHAPE = (1, 2, 3, 1)


@pytest.mark.parametrize(
    "rest",
    [
        with_table(deflated(b"")),
        with_table(deflated(bytes(100))),
        with_table(deflated(b"\xff" * 8193)),
        with_table(deflated(bytes(1 << 24))),
        with_table(deflated(b"\xf0")[:-1]),
        with_table(b"junk"),
        with_table(deflated(b"\xff"), flags=6),
        b"\4\xff\x00",
        b"\0\xff",
        b"\0\xff\xff",
        b"\0\xff\xff\xff\xff\xff\xff",
        b"\0\xff\x01" + struct.pack("<I", len(webp.encode(samples(SHAPE)))) + webp.encode(samples(SHAPE)),
    ],
)
def test_a_damaged_rest_is_refused(rest, limited_memory):
    high = webp.encode(np.zeros(SHAPE, np.uint8))
    with limited_memory(1 << 28), pytest.raises(FormatError):
        webp.decode(rest + high, SHAPE, np.uint16)


@pytest.mark.parametrize("rest", [with_table(deflated(b"\xc0")), b"\0\x01\x00"])
def test_ranks_beyond_the_values_are_refused(rest):
    for rank, fits in ((1, True), (2, False)):
        data = rest + webp.encode(np.full(SHAPE, rank, np.uint8))
        if fits:
            assert (webp.decode(data, SHAPE, np.uint16) == 1).all()
        else:
            with pytest.raises(FormatError):
                webp.decode(data, SHAPE, np.uint16)


# Damage


@pytest.mark.parametrize("shape", [(1, 6, 5, 3), (1, 6, 5, 1), (2, 3, 5, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_truncation_is_refused_or_seen(shape, dtype):
    array = samples(shape, dtype)
    data = webp.encode(array)
    for length in range(len(data)):
        assert_refused_or_seen(data[:length], array)


def assert_refused_or_seen(data, array):
    try:
        back = webp.decode(data, array.shape, array.dtype.type)
    except FormatError:
        return
    assert back.shape == array.shape  # the caller's checksum tells the rest


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_flipped_bit_is_refused_or_seen(dtype):
    array = samples((1, 5, 4, 3), dtype)
    data = webp.encode(array)
    for place in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[place // 8] ^= 1 << place % 8
        assert_refused_or_seen(bytes(damaged), array)


@given(st.binary(max_size=60))
def test_random_bytes_are_refused(data):
    assert_refused_or_seen(data, samples((1, 2, 2, 3)))


def test_a_stream_of_another_size_is_refused():
    with pytest.raises(FormatError):
        webp.decode(webp.encode(samples((1, 5, 4, 3))), (1, 4, 5, 3), np.uint8)


def test_a_stream_that_claims_to_be_huge_is_refused_before_it_is_decoded(limited_memory, recwarn):
    """16384×16384 pixels in a header of five bytes."""
    data = struct.pack("<BI", 0x2F, 0x3FFF | 0x3FFF << 14) + bytes(40)
    with limited_memory(1 << 28), pytest.raises(FormatError):
        webp.decode(data, (1, 2, 2, 3), np.uint8)
    smaller = struct.pack("<BI", 0x2F, 9999 | 9999 << 14) + bytes(40)
    with limited_memory(1 << 28), pytest.raises(FormatError):
        webp.decode(smaller, (1, 2, 2, 3), np.uint8)
    assert not recwarn.list
