"""``--rm`` removes nothing that is not safe elsewhere."""

import errno
import os
import sys
from pathlib import Path

import pytest

import vaezip
from vaezip.cli import removal
from vaezip.pictures.picture import Picture

from .conftest import digit, files, noise

QUICK = ("--model", "mnist", "-1")


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch):
    """Let no test wait for the disk of the machine."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def test_an_input_is_removed_once_its_file_is_whole(run, save):
    kept = save("a.png")
    assert run("compress", "--rm", *QUICK, "a.png") == (0, "", "")
    assert files() == ["a.png.vz"]
    assert run("decompress", "--rm", "a.png.vz") == (0, "", "")
    assert files() == ["a.png"]
    assert vaezip.pictures.same(vaezip.pictures.read("a.png"), kept)


def test_inputs_are_kept_by_default_and_where_the_last_word_says_so(run, save):
    save("a.png")
    assert run("compress", *QUICK, "a.png") == (0, "", "")
    assert run("compress", "-f", "--rm", "-k", *QUICK, "a.png") == (0, "", "")
    assert files() == ["a.png", "a.png.vz"]


def test_inputs_of_a_set_are_removed_but_those_left_out(run, save):
    save("p/a.png")
    save("p/b.png", digit(1))
    Path("p/c.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert run("compress", "--rm", *QUICK, "p", "-o", "p.vz").status == 1
    assert files() == ["p.vz", "p/c.png"]
    Path("p/c.png").unlink()
    assert run("decompress", "--rm", "p.vz") == (0, "", "")
    assert files() == ["p/a.png", "p/b.png"]


def test_an_input_whose_metadata_are_dropped_is_kept(run):
    Path("a.pgm").write_bytes(b"P5 # a comment\n28 28 255\n" + digit().samples.tobytes())
    status, out, err = run("compress", "--rm", *QUICK, "a.pgm")
    assert (status, out) == (0, "")
    assert "a.pgm: kept, as its result lacks metadata: comment\n" in err
    assert files() == ["a.pgm", "a.pgm.vz"]


def test_a_file_whose_picture_was_written_without_its_metadata_is_kept(run):
    picture = Picture("L", digit().samples, (("text", b"Title\0\0\0x"),))
    Path("a.pgm.vz").write_bytes(vaezip.compress(picture, model="mnist", preset=1))
    status, out, err = run("decompress", "--rm", "a.pgm.vz")
    assert (status, out) == (0, "")
    assert "a.pgm.vz: kept, as its result lacks metadata: text\n" in err
    assert files() == ["a.pgm", "a.pgm.vz"]


def test_nothing_is_removed_where_the_output_does_not_read_back(run, save, monkeypatch):
    save("a.png")
    monkeypatch.setattr(removal, "_holds", lambda path, expected: not path.endswith(".vz"))
    assert run("compress", "--rm", *QUICK, "a.png") == (
        1,
        "",
        "vaezip: a.png.vz: does not read back as it was written; no input is removed\n",
    )
    assert files() == ["a.png", "a.png.vz"]


def test_nothing_is_removed_before_the_output_is_on_the_disk(run, save, monkeypatch):
    save("a.png")

    def fail(_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    told = "vaezip: a.png.vz: does not reach the disk (Input/output error); no input is removed\n"
    assert run("compress", "--rm", *QUICK, "a.png") == (1, "", told)
    assert files() == ["a.png", "a.png.vz"]


def test_an_input_that_has_changed_meanwhile_is_kept(run, save, monkeypatch):
    save("a.png")
    monkeypatch.setattr(removal, "_holds", lambda path, expected: path.endswith(".vz"))
    assert (
        run("compress", "--rm", *QUICK, "a.png").err == "vaezip: a.png: is kept, as it has changed since it was read\n"
    )
    assert files() == ["a.png", "a.png.vz"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_a_link_is_kept(run, save):
    save("real/a.png")
    os.symlink("real/a.png", "a.png")
    assert run("compress", "--rm", *QUICK, "a.png") == (0, "", "a.png: kept, as it is a link\n")
    assert files() == ["a.png", "a.png.vz", "real/a.png"]


def test_a_damaged_file_is_kept(run):
    data = bytearray(vaezip.compress([("a.png", noise("RGB")), ("b.png", digit())], preset=1))
    data[20] ^= 1
    Path("s.vz").write_bytes(data)
    assert run("decompress", "--rm", "s.vz").status == 1
    assert "s.vz" in files()


@pytest.mark.parametrize(
    "arguments",
    [
        ("compress", "--rm", "-c", "a.png"),
        ("compress", "--rm", "-"),
        ("decompress", "--rm", "-o", "-", "a.vz"),
        ("decompress", "--rm", "--only", "x", "a.vz"),
        ("decompress", "--rm", "--salvage", "a.vz"),
    ],
)
def test_what_could_not_be_read_back_is_refused(run, arguments):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert "--rm" in err
