"""``vaezip verify``: the source against what the file gives."""

import os
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vaezip
from vaezip.pictures.picture import Picture

from .conftest import digit, noise

pytestmark = pytest.mark.usefixtures("few_models")

TEXT = ("text", b"Comment\0\0\0made")


@pytest.fixture
def kept(save):
    """a.png with a text, and its file."""
    picture = replace(digit(), boxes=(TEXT,))
    save("a.png", picture)
    Path("a.png.vz").write_bytes(vaezip.compress(picture))
    return picture


@pytest.fixture
def folder_and_set(save, run):
    """in/a.png, in/b.png and in/c/d.png, and their set."""
    for i, name in enumerate(("in/a.png", "in/b.png", "in/c/d.png")):
        save(name, digit(i))
    assert run("compress", "in", "-o", "set.vz") == (0, "", "")


def test_picture_and_its_file(run, kept):
    os.utime("a.png", (5, 5))
    assert run("verify", "a.png", "a.png.vz") == (0, "a.png.vz: equal (1 picture)\n", "")
    assert run("verify", "-q", "a.png", "a.png.vz") == (0, "", "")


def changed(picture):
    samples = picture.samples.copy()
    samples[9, 5] ^= 1
    return replace(picture, samples=samples), samples[9, 5, 0]


def test_what_differs_first_is_told(run, save, kept):
    other, value = changed(kept)
    cases = {
        "its mode is RGB, not L": Picture("RGB", kept.samples.repeat(3, axis=2)),
        "its size is 27×28, not 28×28": Picture("L", np.ascontiguousarray(kept.samples[:, 1:])),
        f"the pixel at (5, 9) is {value}, not {value ^ 1}": replace(other, boxes=()),
        "its text is only in the file": replace(kept, boxes=()),
        "its text differs": replace(kept, boxes=(("text", b"Comment\0\0\0other"),)),
        "its gamma is not in the file": replace(kept, boxes=(TEXT, ("gamma", bytes([0, 0, 177, 143])))),
    }
    for reason, picture in cases.items():
        save("a.png", picture)
        expected = f"vaezip: a.png: is not what a.png.vz gives: {reason}\n"
        assert run("verify", "a.png", "a.png.vz") == (1, "", expected)


def test_file_that_is_kept_as_it_was_is_compared_by_bytes(run):
    data = vaezip.pictures.write(noise("L", 40, 40), ".pgm")
    Path("a.pgm").write_bytes(data)
    assert run("compress", "a.pgm") == (0, "", "")
    assert vaezip.open("a.pgm.vz").original() == data
    assert run("verify", "a.pgm", "a.pgm.vz") == (0, "a.pgm.vz: equal (1 picture)\n", "")
    for other, reason in [
        (data[:50] + bytes([data[50] ^ 1]) + data[51:], "byte 50 of the file differs"),
        (data + b"\n", f"it has {len(data) + 1:,} bytes, not {len(data):,}"),
    ]:
        Path("a.pgm").write_bytes(other)
        expected = f"vaezip: a.pgm: is not what a.pgm.vz gives: {reason}\n"
        assert run("verify", "a.pgm", "a.pgm.vz") == (1, "", expected)


def test_folder_and_its_set(run, folder_and_set):
    assert run("verify", "in", "set.vz") == (0, "set.vz: equal (3 pictures)\n", "")
    assert run("verify", "in/b.png", "set.vz") == (0, "set.vz: equal (1 picture)\n", "")


def test_folder_that_is_another_than_its_set(run, save, folder_and_set):
    Path("in/a.png").unlink()
    save("in/b.png", digit(5))
    save("in/e.png")
    status, out, err = run("verify", "in", "set.vz")
    assert (status, out) == (1, "")
    assert err.splitlines()[:2] == [
        f"vaezip: {Path('in/e.png')}: is not in set.vz",
        "vaezip: set.vz: holds 'a.png', which is not among the pictures",
    ]
    assert err.splitlines()[2].startswith(f"vaezip: {Path('in/b.png')}: is not what set.vz gives: the pixel at ")
    assert len(err.splitlines()) == 3


def test_damaged_file(run, kept):
    data = bytearray(Path("a.png.vz").read_bytes())
    data[-9] ^= 1
    Path("a.png.vz").write_bytes(data)
    status, out, err = run("verify", "a.png", "a.png.vz")
    assert (status, out) == (1, "")
    assert err.startswith("vaezip: a.png.vz: ")


def test_what_cannot_be_compared(run, save, kept, folder_and_set):
    for arguments, reason in [
        (("none.png", "a.png.vz"), "none.png: cannot be read: No such file or directory"),
        (("in", "a.png.vz"), "a.png.vz: holds one picture without a name; name its source alone"),
        (("a.png", "in/a.png"), f"{Path('in/a.png')}: not a .vz file; 'vaezip compress' makes one of a picture"),
    ]:
        assert run("verify", *arguments) == (1, "", f"vaezip: {reason}\n")
    assert run("verify", "a.png")[0] == 2
    assert run("verify", "-", "-")[0] == 2


def test_metadata_that_no_file_keeps_is_remarked(run, save):
    data = vaezip.pictures.write(digit(), ".png")
    chunk = b"caBX" + b"signed"
    data = data[:33] + (6).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") + data[33:]
    Path("a.png").write_bytes(data)
    run("compress", "-q", "a.png")
    status, out, err = run("verify", "a.png", "a.png.vz")
    assert (status, out) == (0, "a.png.vz: equal (1 picture)\n")
    assert err.startswith("a.png: metadata that a .vz file does not keep: caBX")


def test_standard_input_on_either_side(run, kept):
    equal = b"equal (1 picture)\n"
    assert run("verify", "-", "a.png.vz", stdin=Path("a.png").read_bytes()) == (0, b"a.png.vz: " + equal, "")
    assert run("verify", "a.png", "-", stdin=Path("a.png.vz").read_bytes()) == (0, b"standard input: " + equal, "")


def test_pictures_and_folders_are_named_as_for_compress(run, save, folder_and_set):
    save("other/b.png", digit(7))
    assert run("compress", "in/c", "other/b.png", "-o", "two.vz") == (0, "", "")
    assert run("verify", "in/c", "other/b.png", "two.vz") == (0, "two.vz: equal (2 pictures)\n", "")
    assert run("verify", "in/c", "in/b.png", "two.vz").status == 1
