import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaezip.errors import FormatError
from vaezip.vz.wire import Reader, inflated, shorter, varint

MOST = 1000


@given(st.binary(max_size=MOST))
def test_packed_and_back(data):
    assert inflated(shorter(data), most=MOST) == data


@pytest.mark.parametrize("packed", [bytes(MOST + 2), shorter(bytes(MOST + 1))], ids=["stored", "deflated"])
def test_data_above_the_limit_are_refused(packed):
    with pytest.raises(FormatError, match="too large"):
        inflated(packed, most=MOST)


def test_data_of_the_limit_are_read():
    assert inflated(bytes(MOST + 1), most=MOST) == inflated(shorter(bytes(MOST)), most=MOST) == bytes(MOST)


def test_bytes_after_the_stream_are_refused():
    packed = shorter(bytes(MOST))
    assert packed[0] == 1
    with pytest.raises(FormatError, match="damaged"):
        inflated(packed + b"!")


def test_unknown_compression_is_refused():
    with pytest.raises(FormatError, match="unknown compression"):
        inflated(b"\2abc")


@given(st.integers(0, (1 << 63) - 1))
def test_varint_and_back(value):
    reader = Reader(varint(value))
    assert (reader.varint(), reader.position) == (value, len(varint(value)))
