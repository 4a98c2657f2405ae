import numpy as np
import pytest

from vaezip.bench.measure import measure
from vaezip.bench.method import MismatchError
from vaezip.pictures.datasets import Collection
from vaezip.pictures.picture import Picture

COUNT = 12


class Raw:
    """A codec that copies samples, and counts."""

    name, suffix = "raw", ".raw"

    def __init__(self, verifies=True):
        self.verifies, self.calls = verifies, []

    def prepare(self, pictures):
        return pictures

    def encode(self, prepared, verify):
        self.calls.append(("encode", verify, [name for name, _ in prepared]))
        return [b"".join(picture.samples.tobytes() for _, picture in prepared)]

    def decode(self, files, prepared):
        self.calls.append(("decode", None, None))
        return np.frombuffer(files[0], np.uint8).reshape(-1, 4, 5, 3)

    def restore(self, decoded, pictures):
        return [Picture("RGB", samples.copy()) for samples in decoded]


@pytest.fixture
def pictures():
    samples = np.random.default_rng(0).integers(0, 256, (COUNT, 4, 5, 3), np.uint8)
    labels = tuple(f"p{i}" for i in range(COUNT))
    return Collection("x", tuple(range(COUNT)), labels, lambda i: Picture("RGB", samples[i]))


def test_set(pictures, tmp_path):
    raw = Raw()
    figures = measure(raw, pictures, order="set", repeats=3, folder=tmp_path)
    assert (figures.order, figures.bytes, figures.files, figures.bpd) == ("set", COUNT * 60, 1, 8.0)
    assert (figures.repeats, figures.lossless, figures.images) == (3, True, [])
    assert min(figures.compress_s, figures.encode_s, figures.decompress_s) > 0
    names = [f"p{i}" for i in range(COUNT)]
    assert (
        raw.calls[2:] == [("encode", True, names)] * 3 + [("encode", False, names)] * 3 + [("decode", None, None)] * 3
    )
    assert (tmp_path / "000000.raw").stat().st_size == COUNT * 60


def test_numbered_pictures_are_stored_by_their_place(pictures, tmp_path):
    from dataclasses import replace

    raw = Raw()
    measure(raw, replace(pictures, numbered=True).select(3, seed=1), order="set", repeats=1, folder=tmp_path)
    assert raw.calls[2] == ("encode", True, ["00000", "00001", "00002"])


def test_single(pictures, tmp_path):
    raw = Raw()
    figures = measure(raw, pictures, order="single", repeats=3, folder=tmp_path)
    assert (figures.order, figures.bytes, figures.files, figures.bpd) == ("single", COUNT * 60, COUNT, 8.0)
    assert figures.repeats == COUNT
    assert [(image.name, image.bytes, image.bpd) for image in figures.images] == [
        (f"p{i}", 60, 8.0) for i in range(COUNT)
    ]
    assert {tuple(names) for kind, _, names in raw.calls if kind == "encode"} == {("",)}


def test_few_images_are_repeated(pictures, tmp_path):
    figures = measure(Raw(), pictures.select(2), order="single", repeats=3, folder=tmp_path)
    assert (figures.repeats, figures.bytes, len(figures.images)) == (6, 120, 2)


@pytest.mark.parametrize("order", ["set", "single"])
def test_a_codec_that_cannot_verify_is_not_asked_twice(pictures, tmp_path, order):
    raw = Raw(verifies=False)
    figures = measure(raw, pictures, order=order, repeats=1, folder=tmp_path)
    assert figures.encode_s == figures.compress_s
    assert all(verify is not False for kind, verify, _ in raw.calls if kind == "encode")


@pytest.mark.parametrize("order", ["set", "single"])
def test_a_changed_pixel_ends_it_and_names_image_and_method(pictures, tmp_path, monkeypatch, order):
    def restore(self, decoded, wanted):
        changed = decoded.copy()
        changed[np.flatnonzero((changed == third).all(axis=(1, 2, 3)))] ^= 1
        return [Picture("RGB", samples) for samples in changed]

    third = pictures[3][1].samples
    monkeypatch.setattr(Raw, "restore", restore)
    with pytest.raises(MismatchError) as caught:
        measure(Raw(), pictures, order=order, repeats=1, folder=tmp_path)
    assert str(caught.value) == f"image 'p3' did not come back bit for bit from raw ({order})"


def test_a_lost_mode_is_a_mismatch(tmp_path, monkeypatch):
    grey = Collection("x", (0,), ("p",), lambda i: Picture("L", np.ones((4, 5, 1), np.uint8)))
    monkeypatch.setattr(Raw, "decode", lambda *_: None)
    monkeypatch.setattr(Raw, "restore", lambda *_: [Picture("1", np.ones((4, 5, 1), np.uint8))])
    with pytest.raises(MismatchError):
        measure(Raw(), grey, order="set", repeats=1, folder=tmp_path)


@pytest.mark.parametrize("order", ["set", "single"])
def test_files_that_differ_from_run_to_run_are_refused(pictures, tmp_path, monkeypatch, order):
    monkeypatch.setattr(Raw, "encode", lambda self, prepared, verify: [bytes([verify]) * 60])
    monkeypatch.setattr(Raw, "decode", lambda *_: None)
    with pytest.raises(MismatchError, match="raw made different files of the same pictures"):
        measure(Raw(), pictures, order=order, repeats=1, folder=tmp_path)
