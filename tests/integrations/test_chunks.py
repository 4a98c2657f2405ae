"""Chunks of arrays, whoever cuts them."""

from pathlib import Path

import numpy as np
import pytest

import vaezip
from vaezip.errors import FormatError, ImageError, ModelError
from vaezip.integrations.chunks import ChunkCoder
from vaezip.models import file as model_file

BERNOULLI = Path(__file__).parents[1] / "models" / "bernoulli.safetensors"


def stack(*shape, dtype=np.uint8, seed=0):
    """A ramp with noise; its last picture is black and white."""
    y, x = np.mgrid[: shape[-2], : shape[-1]]
    found = x * 3 + y * 2 + np.random.default_rng(seed).integers(0, 6, shape)
    found.reshape(-1, *shape[-2:])[0] = 0
    return (found * (100 if dtype == np.uint16 else 1)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(9, 8), (1, 9, 8), (3, 9, 8), (2, 1, 3, 9, 8), (11, 2, 4, 3)])
def test_chunks_come_back(shape, dtype):
    chunk, coder = stack(*shape, dtype=dtype), ChunkCoder(1)
    found = coder.decode(coder.encode(chunk))
    assert found.dtype == dtype
    assert np.array_equal(found.reshape(shape), chunk)
    if np.prod(shape[:-2]) > 1:
        assert found.shape == shape


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((9, 8, 3), -1),
        ((2, 9, 8, 4), -1),
        ((2, 9, 8, 1), -1),
        ((3, 9, 8), -3),
        ((3, 9, 8), 0),
        ((1, 3, 1, 9, 8), 1),
        ((2, 3, 4, 9, 8), 1),
        ((2, 3, 9, 8), -3),
        ((1, 1, 9, 8), 1),
    ],
)
def test_an_axis_may_hold_the_channels_of_pixels(shape, axis):
    chunk, coder = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8), ChunkCoder(1, channel_axis=axis)
    data = coder.encode(chunk)
    (mode,) = {one["mode"] for one in vaezip.Archive(data).info()["pictures"]}
    assert mode == {1: "L", 3: "RGB", 4: "RGBA"}[shape[axis]]
    assert np.array_equal(coder.decode(data).reshape(shape), chunk)


@pytest.mark.parametrize(
    ("coder", "chunk", "reason"),
    [
        (ChunkCoder(), np.zeros((4, 4), np.float32), "float32 are no pictures"),
        (ChunkCoder(), np.zeros((4, 4), np.int16), "int16 are no pictures"),
        (ChunkCoder(), np.zeros(4, np.uint8), "1 axes are no pictures"),
        (ChunkCoder(channel_axis=-1), np.zeros((4, 4), np.uint8), "2 axes are no pictures"),
        (ChunkCoder(channel_axis=-2), np.zeros((4, 4, 4), np.uint8), "the axis of the channels"),
        (ChunkCoder(channel_axis=2), np.zeros((4, 4, 3), np.uint8), "the axis of the channels"),
        (ChunkCoder(channel_axis=-5), np.zeros((4, 4, 3), np.uint8), "the axis of the channels"),
        (ChunkCoder(channel_axis=-1), np.zeros((4, 4, 5), np.uint8), "array of uint8 with the shape"),
    ],
)
def test_what_is_no_picture_is_refused(coder, chunk, reason):
    with pytest.raises(ImageError, match=reason):
        coder.encode(chunk)


def test_a_file_of_something_else_is_no_chunk():
    coder, one = ChunkCoder(), np.zeros((3, 3), np.uint8)
    sets = ["a.png"], ["0,1"], ["-1", "1"], ["0", "00"], ["2", "0", "00"], ["0", "1,5"], ["0", "٣"], ["0", "1" * 20]
    for pictures in (*(dict.fromkeys(names, one) for names in sets), {"0": one, "1": one[1:]}):
        with pytest.raises(FormatError, match="not the file of a chunk"):
            coder.decode(vaezip.compress(pictures, preset=1))
    with pytest.raises(FormatError):
        coder.decode(b"something")


def test_a_model_is_known_by_its_fingerprint(monkeypatch):
    coder = ChunkCoder(1, "photo-gray").settled()
    assert coder.configuration() == {
        "effort": 1,
        "model": "photo-gray",
        "fingerprint": model_file.fingerprint(model_file.find("photo-gray")).hex(),
        "channel_axis": None,
    }
    assert ChunkCoder(**coder.configuration()) == coder
    with pytest.raises(ModelError, match="the array needs 01020304"):
        ChunkCoder(1, "photo-gray", "01020304").encode(np.zeros((8, 8), np.uint8))
    with pytest.raises(ModelError, match="no model is called 'nothing'"):
        ChunkCoder(model="nothing").settled()


def test_a_missing_model_is_named(tmp_path):
    model = tmp_path / "mine.safetensors"
    model.write_bytes(BERNOULLI.read_bytes())
    shape = model_file.architecture(model).tile
    coder = ChunkCoder(1, str(model)).settled()
    chunk = np.random.default_rng(0).integers(0, 2, (3, *shape)).astype(np.bool_)
    data = coder.encode(chunk)
    assert np.array_equal(coder.decode(data), chunk)
    model.unlink()
    with pytest.raises(ModelError, match="mine"):
        coder.decode(data)
