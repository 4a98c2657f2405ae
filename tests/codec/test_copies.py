"""Equal pictures stand once in a set."""

import numpy as np
import pytest

import vaezip
from vaezip import Picture
from vaezip.codec import taken
from vaezip.errors import FormatError, VaezipError


@pytest.fixture(autouse=True)
def _of_any_size(monkeypatch):
    monkeypatch.setattr(taken, "LEAST", 0)


def drawn(seed, mode="RGB", boxes=()):
    rng = np.random.default_rng(seed)
    shape = (24, 20, {"L": 1, "P": 1, "RGB": 3}[mode])
    return Picture(mode, rng.integers(0, 256, shape).astype(np.uint8), boxes)


def text(word):
    return (("text", b"Title\0\0\0" + word),)


def made(pictures, originals=None, **options):
    with vaezip.Compressor(preset=1, **options) as compressor:
        for i, (name, picture) in enumerate(pictures.items()):
            compressor.add(name, picture, original=(originals or {}).get(name), modified=i)
        return compressor.close()


def assert_back(data, pictures):
    archive = vaezip.Archive(data)
    assert set(archive.names) == set(pictures)
    for found in (dict(archive.pictures()), {name: archive.read(name) for name in pictures}):
        assert all(vaezip.pictures.same(found[name], picture) for name, picture in pictures.items())
    assert [archive.modified(name) for name in pictures] == list(range(len(pictures)))


def test_equal_pictures_are_coded_once_and_come_back_with_names_and_times():
    pictures = {"a.png": drawn(1), "b/c.png": drawn(2), "b/a again.png": drawn(1), "d.png": drawn(1)}
    data = made(pictures)
    assert_back(data, pictures)
    once = made({name: pictures[name] for name in ("a.png", "b/c.png")})
    assert len(data) < len(once) + 120


@pytest.mark.parametrize("names", [("", "a", "b"), ("a", "", "b")])
def test_a_picture_without_a_name_is_neither_copy_nor_original(names):
    pictures = {name: drawn(1) for name in names}
    data = made(pictures)
    assert_back(data, pictures)
    assert [picture.get("copy_of") for picture in vaezip.Archive(data).info()["pictures"]].count("a") == 1


def test_metadata_may_differ():
    pictures = {
        "a.png": drawn(1, boxes=text(b"one")),
        "b.png": drawn(1),
        "c.png": drawn(1, boxes=text(b"two")),
        "p.png": drawn(3, "P", (("palette", bytes(768)),)),
        "q.png": drawn(3, "P", (("palette", b"\1" * 768),)),
    }
    assert_back(made(pictures), pictures)


def test_files_that_are_kept_stand_once():
    small = drawn(1, "L")
    original = vaezip.pictures.write(small, ".pgm")
    data = made(dict.fromkeys(["a.pgm", "b.pgm"], small), dict.fromkeys(["a.pgm", "b.pgm"], original))
    archive = vaezip.Archive(data)
    assert [archive.original(name) for name in ("a.pgm", "b.pgm")] == [original] * 2
    assert archive.formats() == {"a.pgm": "PPM", "b.pgm": "PPM"}
    assert dict(archive.contents()) == {"a.pgm": original, "b.pgm": original}


def test_a_picture_in_files_that_differ_is_no_file():
    """For each has a format and metadata of its own."""
    small = Picture("L", np.full((1, 1, 1), 7, np.uint8))
    originals = {"a.pgm": vaezip.pictures.write(small, ".pgm"), "b.png": vaezip.pictures.write(small, ".png")}
    pictures = dict.fromkeys(originals, small)
    data = made(pictures, originals)
    assert vaezip.Archive(data).formats() == {}
    assert_back(data, pictures)


def test_equal_jpeg_files_stand_once(tmp_path):
    from PIL import Image

    Image.fromarray(drawn(5).samples).save(tmp_path / "a.jpg", quality=90)
    file = (tmp_path / "a.jpg").read_bytes()
    once = vaezip.compress({"a.jpg": file}, preset=1)
    data = vaezip.compress({"a.jpg": file, "b.jpg": file, "c.jpg": file}, preset=1)
    assert len(data) < len(once) + 80
    archive = vaezip.Archive(data)
    assert [archive.original(name) for name in archive.names] == [file] * 3


def test_info_tells_of_what_a_picture_is_a_copy():
    found = vaezip.Archive(made({"a": drawn(1), "b": drawn(1)})).info()["pictures"]
    assert [picture.get("copy_of") for picture in found] == [None, "a"]
    assert found[1]["width"] == 20


def test_with_models_in_the_file_as_well():
    pictures = {"a.png": drawn(1), "b.png": drawn(1)}
    assert_back(made(pictures, embed_model=True), pictures)


def damaged(data, name):
    place = data.index(name) + 1
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize("word", [b"original.png"])
def test_a_copy_that_is_damaged_fails_alone(word):
    pictures = {"original.png": drawn(1), "b.png": drawn(2), "c.png": drawn(1)}
    archive = vaezip.Archive(damaged(made(pictures), word))
    found = dict(archive.pictures())
    assert isinstance(found["c.png"], FormatError)
    assert vaezip.pictures.same(found["original.png"], pictures["original.png"])
    with pytest.raises(VaezipError, match="fails its checksum"):
        archive.read("c.png")


def test_small_pictures_are_no_copies(monkeypatch):
    monkeypatch.setattr(taken, "LEAST", 24 * 20 * 3 + 1)
    pictures = {"a.png": drawn(1), "b.png": drawn(1)}
    data = made(pictures)
    assert_back(data, pictures)
    assert all("copy_of" not in picture for picture in vaezip.Archive(data).info()["pictures"])
