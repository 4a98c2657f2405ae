"""Arrays of Zarr, versions 2 and 3, by entry points."""

import json

import numpy as np
import pytest

from vaezip.errors import ImageError

from .test_chunks import stack

zarr = pytest.importorskip("zarr", minversion="3.1")
numcodecs = pytest.importorskip("numcodecs")

SERIALIZER = {"name": "vaezip.vz", "configuration": {"effort": 1}}


def array(store, data, chunks, **options):
    made = zarr.create_array(store, shape=data.shape, chunks=chunks, dtype=data.dtype, **options)
    made[:] = data
    return made


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint16])
def test_an_array_of_version_3(dtype, tmp_path):
    data = stack(2, 3, 20, 17, dtype=dtype)
    array(tmp_path, data, (1, 2, 12, 9), serializer=SERIALIZER, compressors=None)
    found = zarr.open_array(tmp_path, mode="r")
    assert np.array_equal(found[:], data)
    assert np.array_equal(found[1, 2, 3:9, ::2], data[1, 2, 3:9, ::2])
    (codec,) = json.loads((tmp_path / "zarr.json").read_text())["codecs"]
    assert codec["name"] == "vaezip.vz"
    assert set(codec["configuration"]) == {"effort", "model", "fingerprint", "channel_axis"}


def test_an_array_in_shards(tmp_path):
    data = stack(4, 16, 16)
    array(tmp_path, data, (1, 8, 8), shards=(2, 16, 16), serializer=SERIALIZER, compressors=None)
    assert np.array_equal(zarr.open_array(tmp_path, mode="r")[:], data)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint16])
def test_an_array_of_version_2(dtype, order, tmp_path):
    data, codec = stack(2, 3, 20, 17, dtype=dtype), numcodecs.get_codec({"id": "vaezip", "effort": 1})
    array(tmp_path, data, (1, 2, 12, 9), zarr_format=2, compressors=codec, order=order)
    assert np.array_equal(zarr.open_array(tmp_path, mode="r")[:], data)


def test_colours_in_the_first_axes_as_ome_zarr_has_them(tmp_path):
    data = np.random.default_rng(0).integers(0, 200, (2, 3, 1, 12, 10)).astype(np.uint8)
    options = {"configuration": {"effort": 1, "model": "photo", "channel_axis": 1}}
    group = zarr.create_group(
        tmp_path, attributes={"multiscales": [{"axes": list("tczyx"), "datasets": [{"path": "0"}]}]}
    )
    for level, some in enumerate((data, data[..., ::2, ::2])):
        made = group.create_array(
            str(level),
            shape=some.shape,
            chunks=(1, 3, 1, 8, 8),
            dtype=some.dtype,
            serializer={**SERIALIZER, **options},
            compressors=None,
        )
        made[:] = some
        assert np.array_equal(zarr.open_group(tmp_path, mode="r")[str(level)][:], some)
    (codec,) = json.loads((tmp_path / "0" / "zarr.json").read_text())["codecs"]
    assert len(codec["configuration"]["fingerprint"]) == 8


def test_an_array_of_something_else_is_refused_when_it_is_made(tmp_path):
    for dtype, shape in ((np.float32, (4, 4)), (np.int16, (4, 4)), (np.uint8, (4,))):
        with pytest.raises(ImageError, match="no pictures"):
            zarr.create_array(tmp_path, shape=shape, dtype=dtype, serializer=SERIALIZER, overwrite=True)


def test_a_damaged_chunk_is_an_error(tmp_path):
    array(tmp_path, stack(2, 8, 8)[1], (8, 8), serializer=SERIALIZER, compressors=None)
    (chunk,) = (path for path in tmp_path.rglob("*") if path.is_file() and path.name != "zarr.json")
    data = bytearray(chunk.read_bytes())
    data[-9] ^= 1
    chunk.write_bytes(data)
    with pytest.raises(Exception, match="damaged"):
        zarr.open_array(tmp_path, mode="r")[:]
