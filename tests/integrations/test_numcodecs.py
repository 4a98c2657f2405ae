"""The codec of numcodecs, by its entry point."""

import numpy as np
import pytest

from vaezip.errors import ImageError

from .test_chunks import stack

numcodecs = pytest.importorskip("numcodecs")


def codec(**options):
    return numcodecs.get_codec({"id": "vaezip", "effort": 1, **options})


def test_a_chunk_comes_back():
    chunk = stack(3, 9, 8, dtype=np.uint16)
    out = np.empty_like(chunk)
    for source in (chunk, chunk[:, ::2][:, :1], memoryview(chunk)):
        assert np.array_equal(codec().decode(codec().encode(source)), np.asarray(source))
    codec().decode(codec().encode(chunk), out=out)
    assert np.array_equal(out, chunk)
    assert np.array_equal(codec().decode(np.frombuffer(codec().encode(chunk), np.uint8)), chunk)


def test_the_configuration_makes_the_codec_again():
    made = codec(model="photo-gray", channel_axis=-1)
    assert set(made.get_config()) == {"id", "effort", "model", "fingerprint", "channel_axis"}
    assert numcodecs.get_codec(made.get_config()) == made


def test_memory_in_fortrans_order_comes_back_as_memory():
    chunk = np.asfortranarray(stack(2, 5, 7))
    found = codec().decode(codec().encode(chunk))
    assert found.tobytes() == chunk.tobytes(order="A")
    with pytest.raises(ImageError, match="Fortran"):
        codec(channel_axis=-1).encode(np.asfortranarray(stack(5, 7, 3)))


def test_another_byte_order_is_refused():
    foreign = np.dtype(np.uint16).newbyteorder()
    with pytest.raises(ImageError, match="use uint16"):
        codec().encode(stack(4, 4, dtype=np.uint16).astype(foreign))
