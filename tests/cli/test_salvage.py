"""``vaezip decompress --salvage``: what is left of damaged sets."""

import os
from pathlib import Path

import numpy as np
import pytest

import vaezip
from vaezip.codec import blocks
from vaezip.pictures.picture import Picture, same
from vaezip.vz import index
from vaezip.vz.index import MAGIC

from .conftest import files, noise

pytestmark = pytest.mark.usefixtures("few_models")


@pytest.fixture(autouse=True)
def small_runs(monkeypatch):
    """Every block has an index, with names where a picture takes 60 bytes."""
    monkeypatch.setattr(index, "_RUN", 1)
    monkeypatch.setattr(index, "_LEAST", 1)
    monkeypatch.setattr(index, "_SHARE", 0)
    monkeypatch.setattr(index, "_NAMED", 60)


def write_set(pictures, path="set.vz", **options):
    with vaezip.Compressor(**options) as compressor:
        for i, (name, picture) in enumerate(pictures.items()):
            compressor.add(name, picture, modified=1_500_000_000 + i)
        Path(path).write_bytes(compressor.close())


@pytest.fixture
def three():
    """set.vz of three pictures of different sizes, and so of three blocks."""
    pictures = {f"{i}.png": noise("L", 20 + i, 30, seed=i) for i in range(3)}
    write_set(pictures)
    return pictures


def cut(length):
    Path("set.vz").write_bytes(Path("set.vz").read_bytes()[:length])


def assert_written(pictures):
    for name, picture in pictures.items():
        assert same(vaezip.pictures.read(Path("set", name)), picture), name


def test_a_whole_set_is_as_without(run, three):
    assert run("decompress", "--salvage", "set.vz") == (0, "", "")
    assert_written(three)


def test_a_set_without_its_directory(run, three):
    cut(-3)
    assert run("decompress", "set.vz")[0] == 1
    assert files() == ["set.vz"]
    status, out, err = run("decompress", "--salvage", "set.vz")
    assert (status, out) == (1, "")
    first, second = err.splitlines()
    assert first.startswith("vaezip: set.vz: nothing that is whole describes the ")
    assert second == "set.vz: found 3 pictures"
    assert_written(three)
    assert int(Path("set/2.png").stat().st_mtime) == 1_500_000_002


def test_a_set_that_was_cut(run, three):
    data = Path("set.vz").read_bytes()
    cut(data.rindex(MAGIC) + 2)
    status, _, err = run("decompress", "--salvage", "set.vz")
    assert status == 1
    assert err.splitlines()[-1] == "set.vz: found 2 pictures"
    assert files("set") == ["0.png", "1.png"]
    assert_written(dict(list(three.items())[:2]))


def test_a_damaged_index(run, three):
    data = bytearray(Path("set.vz").read_bytes())
    data[data.index(MAGIC, data.index(MAGIC) + 1) + 8] ^= 1
    Path("set.vz").write_bytes(data)
    assert run("decompress", "set.vz")[0] == 0  # the directory is whole
    status, _, err = run("test", "set.vz")
    assert (status, err.count("\n")) == (1, 1)
    assert "the index at byte " in err
    Path("set.vz").write_bytes(data[:-3])
    status, _, err = run("decompress", "--salvage", "-o", "out", "set.vz")
    assert (status, err.splitlines()[-1]) == (1, "set.vz: found 2 pictures; at least 1 more are lost")
    assert files("out") == ["0.png", "2.png"]


def test_a_damaged_block_and_no_directory(run, three):
    data = bytearray(Path("set.vz").read_bytes())
    data[40] ^= 1
    Path("set.vz").write_bytes(data[:-3])
    status, _, err = run("decompress", "--salvage", "set.vz")
    assert status == 1
    assert "vaezip: set.vz: 0.png: " in err
    assert files("set") == ["1.png", "2.png"]


def test_small_pictures_are_called_by_their_numbers(run):
    pictures = {f"{name}.png": noise("L", 5 + i, 6, seed=i) for i, name in enumerate("abc")}
    index._NAMED = 1 << 20
    write_set(pictures)
    cut(-3)
    assert run("decompress", "--salvage", "set.vz")[0] == 1
    assert files("set") == ["0.png", "1.png", "2.png"]
    assert_written(dict(zip(files("set"), pictures.values())))


@pytest.fixture
def tall(monkeypatch):
    """A picture of four bands, three of 32 rows and one of 4."""
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 1 << 10)
    picture = noise("RGB", 100, 32)
    return picture


@pytest.mark.parametrize("name", ["", "a.png"])
def test_a_part_of_a_picture(run, tall, name, monkeypatch):
    write_set({name: tall})
    data = Path("set.vz").read_bytes()
    second = data.index(MAGIC, data.index(MAGIC) + 1)
    cut(data.index(MAGIC, second + 1))
    status, _, err = run("decompress", "--salvage", "set.vz")
    assert status == 1
    label = f"set.vz: {name}" if name else "set.vz"
    assert f"vaezip: {label}: its rows 64 to 99 are lost, and zero\n" in err
    found = vaezip.pictures.read(Path("set", name) if name else "set.png")
    assert np.array_equal(found.samples[:64], tall.samples[:64])
    assert not found.samples[64:].any()
    assert run("decompress", "--salvage", "set.vz", *(["--only", name] if name else []), "-o", "one.png")[0] == 1
    assert same(vaezip.pictures.read("one.png"), found)


def test_a_band_that_is_damaged_where_the_directory_is_whole(run, tall):
    write_set({"a.png": tall})
    data = bytearray(Path("set.vz").read_bytes())
    data[data.index(MAGIC) + 200] ^= 1
    Path("set.vz").write_bytes(data)
    assert run("decompress", "set.vz")[0] == 1
    assert files() == ["set.vz"]
    expected = "vaezip: set.vz: a.png: its rows 32 to 63 are lost, and zero\n"
    assert run("decompress", "--salvage", "set.vz") == (1, "", expected)
    found = vaezip.pictures.read("set/a.png")
    assert np.array_equal(found.samples[64:], tall.samples[64:])


def test_a_picture_without_its_palette_is_written_as_grey(run):
    one = noise("P", 20, 30)
    write_set({"a.png": one})
    cut(-3)
    status, _, err = run("decompress", "--salvage", "set.vz")
    assert status == 1
    reason = "its metadata is lost; without a palette its indices are written as grey"
    assert f"vaezip: set.vz: a.png: {reason}\n" in err
    assert same(vaezip.pictures.read("set/a.png"), Picture("L", one.samples))


def test_a_set_with_its_model_in_it(run, other_model):
    from .conftest import digit

    pictures = {f"{i}.png": digit(i) for i in range(3)}
    write_set(pictures, model=other_model, embed_model=True)
    os.remove(other_model)
    cut(-3)
    assert run("decompress", "--salvage", "set.vz")[0] == 1
    assert_written(dict(zip(files("set"), pictures.values())))
    assert len(files("set")) == 3


def test_what_cannot_be_salvaged(run, three):
    cut(100)
    status, out, err = run("decompress", "--salvage", "set.vz")
    assert (status, out) == (1, "")
    assert err.startswith("vaezip: set.vz: nothing of it can be recovered: the directory at the end is damaged")
    Path("a.vz").write_bytes(b"no such file")
    assert run("decompress", "--salvage", "a.vz")[0] == 1
    assert files() == ["a.vz", "set.vz"]
