"""Files and inputs that somebody made to do harm: each ends in one line that names the reason."""

import inspect
import io
import os
import socket
import sys
import threading
from pathlib import Path

import pytest

from tests.cli.conftest import digit, files, noise
from tests.vz import hostile
from vaezip.cli import archives, streams
from vaezip.cli.console import Console
from vaezip.cli.inputs import bound, find
from vaezip.errors import FormatError
from vaezip.system.files import Folder

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


@pytest.mark.parametrize("attack", hostile.REFUSED)
def test_a_hostile_file_ends_in_one_line(run, attack):
    make, reason = hostile.REFUSED[attack]
    Path("bad.vz").write_bytes(make())
    for command in ("info", "test", "decompress"):
        status, out, err = run(command, "bad.vz")
        if command == "info" and reason is None:  # what breaks no limit of the structure is listed
            assert status == 0
            continue
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert err.startswith("vaezip: bad.vz: ")
        assert reason is None or reason in err
        assert "unexpected" not in err
        assert "memory" not in err
    assert files() == ["bad.vz"]


@pytest.mark.parametrize("attack", ["deep", "texts", "groups"])
def test_the_worst_that_is_allowed_is_told_and_tested(run, attack):
    Path("bad.vz").write_bytes(hostile.GREATEST[attack]())
    for command in ("info", "test"):
        status, _, err = run(command, "bad.vz")
        assert (status, err) == (0, "")


def test_a_deep_picture_is_written_where_its_name_says(run):
    Path("deep.vz").write_bytes(hostile.deep(100))
    assert run("decompress", "deep.vz", "-o", "out") == (0, "", "")
    assert files() == ["deep.vz", "out/" + "a/" * 100 + "b.png"]


@posix
@pytest.mark.parametrize("force", [[], ["-f"]])
def test_a_link_in_the_output_folder_leads_nowhere(run, force):
    Path("away").mkdir()
    Path("out").mkdir()
    os.symlink(os.path.abspath("away"), "out/ln")
    Path("set.vz").write_bytes(hostile.through_link())
    expected = "vaezip: out/ln/evil.png: cannot be written: 'out/ln' is a link, which may lead elsewhere"
    assert run("decompress", "set.vz", "-o", "out", *force) == (1, "", f"{expected}; name another with -o\n")
    assert os.listdir("away") == []
    assert Path("out/ok.png").is_file()


@posix
def test_outputs_of_a_pipe_follow_the_umask(run, save):
    before = os.umask(0o077)
    try:
        save("a.png", noise("L"))
        for command, source, target in (("compress", "a.png", "a.vz"), ("decompress", "a.vz", "b.png")):
            os.mkfifo("pipe")
            writer = threading.Thread(target=Path("pipe").write_bytes, args=(Path(source).read_bytes(),))
            writer.start()
            assert run(command, "pipe", "-o", target) == (0, "", "")
            writer.join()
            os.unlink("pipe")
            assert os.stat(target).st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


# Inputs without an end


@posix
@pytest.mark.parametrize("command", ["compress", "decompress", "info", "test"])
def test_devices_and_sockets_are_refused_by_name(run, command):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s.sock")
        reason = "and no file; name a file or a pipe"
        assert run(command, "/dev/zero") == (1, "", f"vaezip: /dev/zero: is a device, {reason}\n")
        assert run(command, "s.sock") == (1, "", f"vaezip: s.sock: is a socket, {reason}\n")
    Path("in").mkdir()
    if command != "compress":
        assert run(command, "in") == (1, "", "vaezip: in: holds no .vz files\n")


class Endless(io.RawIOBase):
    """A stream without an end, which counts what was read of it."""

    def __init__(self, beginning):
        self.beginning, self.taken = beginning, 0

    def read(self, size=-1):
        assert size >= 0, "it was asked for all"
        first = self.beginning[self.taken : self.taken + size]
        self.taken += size
        return first + bytes(size - len(first))


def test_of_an_endless_stream_no_more_is_read_than_the_bound():
    stream = Endless(b"")
    with pytest.raises(FormatError, match=r"^too much$") as caught:
        streams._read(stream, streams.Bound(1 << 22, "too much", "more-pixels"))
    assert caught.value.remedy == "more-pixels"
    assert stream.taken <= (1 << 22) + (1 << 20)


def test_a_stream_that_begins_as_nothing_that_is_wanted_is_left_alone():
    stream = Endless(b"y\n" * 99)
    bound = streams.Bound(1 << 22, "too much", "more-pixels", begins=lambda first: first[:1] == b"\xf5")
    assert streams._read(stream, bound) == (b"y\n" * 99)[: stream.taken]
    assert stream.taken == 16


def test_what_comes_in_small_pieces_is_read_whole():
    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 5))

    data = bytes(range(99))
    bound = streams.Bound(1 << 22, "too much", "", begins=lambda first: len(first) == 16)
    assert streams._read(Slow(data), bound) == data


def test_a_picture_file_above_the_bound_is_refused_before_it_is_read(run):
    with open("a.tif", "wb") as file:
        file.truncate((1 << 26) + 8 * 100 + 1)  # on most file systems it takes no room
    reason = "has more than the 67,109,664 bytes that a picture of 100 pixels may take; raise it with --max-pixels"
    assert run("compress", "a.tif", "--max-pixels", "100") == (1, "", f"vaezip: a.tif: {reason}\n")


def test_of_a_large_file_that_is_no_vz_file_the_beginning_is_read_alone(run):
    with open("a.vz", "wb") as file:
        file.truncate(1 << 40)
    for command in ("decompress", "info", "test"):
        assert run(command, "a.vz") == (1, "", "vaezip: a.vz: not a .vz file\n")


# Folders


@posix
def test_what_is_no_file_in_a_folder_is_skipped(run, save):
    save("in/a.png", noise("L"))
    os.mkfifo("in/b.png")
    os.symlink("nowhere", "in/c.png")
    status, out, err = run("compress", "in", "-v")
    assert "in/b.png: a device, pipe or socket, skipped\n" in err
    assert (status, out) == (1, "")
    assert "vaezip: in/c.png: cannot be read: No such file or directory\n" in err
    assert Path("in/a.png.vz").is_file()


def test_a_deep_folder_is_walked_without_recursion(save):
    deep = "in/" + "a/" * 300
    save(deep + "b.png", noise("L"))
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 150)
    try:
        found = find(["in"], Console(quiet=True))
    finally:
        sys.setrecursionlimit(before)
    assert [source.name for source in found] == ["a/" * 300 + "b.png"]


def test_bounds_of_what_is_read_are_those_that_the_page_states():
    assert bound(100).most == 8 * 100 + (64 << 20)
    assert (archives._BOUND.most, archives._BOUND.files) == (2 << 30, False)


def test_a_file_that_changes_while_it_is_read_is_refused(run, save, monkeypatch):
    save("a.png")
    read_file = streams._read_file

    def grows(file, size, bound):
        data = read_file(file, size, bound)
        with open("a.png", "ab") as more:
            more.write(b"more")
        return data

    monkeypatch.setattr(streams, "_read_file", grows)
    said = "vaezip: a.png: has changed while it was read; take it again once it is whole\n"
    assert run("compress", "a.png") == (1, "", said)
    assert files() == ["a.png"]


def test_a_file_that_is_removed_meanwhile_is_named(run, save, monkeypatch):
    save("a.png")
    look = streams.check
    monkeypatch.setattr(streams, "check", lambda *a, **k: (look(*a, **k), Path("a.png").unlink(missing_ok=True)))
    assert run("compress", "a.png") == (1, "", "vaezip: a.png: cannot be read: No such file or directory\n")
    assert files() == []


@pytest.mark.parametrize("command", ["compress", "decompress"])
def test_a_name_that_is_too_long_is_told_with_a_remedy(run, save, command):
    save("a.png")
    run("compress", "a.png")
    source, name = ("a.png", "n" * 256 + ".vz") if command == "compress" else ("a.png.vz", "n" * 256 + ".png")
    assert run(command, source, "-o", name) == (
        1,
        "",
        f"vaezip: {name}: cannot be written: File name too long; name another with -o\n",
    )
    assert files() == ["a.png", "a.png.vz"]


def test_names_that_the_file_system_of_the_output_takes_for_one_lose_no_picture(run, save, monkeypatch):
    save("a/X.png", digit(0))
    save("b/x.png", digit(1))
    Path("out").mkdir()
    write = Folder.write
    monkeypatch.setattr(Folder, "write", lambda self, name, data, **how: write(self, name.lower(), data, **how))
    monkeypatch.setattr(streams, "_identity", _of_lower_case(streams._identity))
    status, _, err = run("compress", "a/X.png", "b/x.png", "-o", "out", "-f", "--rm")
    # here, where capitals are others, what was made of the first does not stand by its name, and it stays, too
    assert (status, err.splitlines()[1:]) == (1, [f"vaezip: {WRITTEN_JUST_NOW}"])
    assert {"b/x.png", "out/x.png.vz"} <= set(files())


WRITTEN_JUST_NOW = "out/x.png.vz: was just written from another picture; name another output with -o"


def _of_lower_case(identity):
    """The identity of files in a folder that takes small letters and capitals for one."""
    return lambda path, follow=True: identity(str(path).replace("X.png.vz", "x.png.vz"), follow)
