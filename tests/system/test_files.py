import errno
import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from vaezip.errors import OutputError
from vaezip.system import files as system_files
from vaezip.system.files import Folder, NoSpaceError, check, is_temporary, remove_temporaries, store, write

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def full_disk(monkeypatch):
    """The disk takes the bytes of no file."""

    class Full:
        def __init__(self, descriptor, _):
            self.descriptor = descriptor

        def __enter__(self):
            return self

        def __exit__(self, *_):
            os.close(self.descriptor)

        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(system_files, "open", Full, raising=False)


def files():
    return sorted(p.relative_to(".").as_posix() + "/" * p.is_dir() for p in Path(".").rglob("*"))


def test_new_file():
    write("a", b"new")
    assert files() == ["a"]
    assert Path("a").read_bytes() == b"new"


def test_existing_file_needs_force():
    Path("a").write_bytes(b"old")
    with pytest.raises(OutputError, match=r"^exists already$") as caught:
        write("a", b"new")
    assert caught.value.remedy == "overwrite"
    assert Path("a").read_bytes() == b"old"
    write("a", b"new", force=True)
    assert Path("a").read_bytes() == b"new"


def test_link_is_replaced_and_not_followed():
    Path("a").write_bytes(b"old")
    os.symlink("a", "b")
    write("b", b"new", force=True)
    assert Path("a").read_bytes() == b"old"
    assert not Path("b").is_symlink()


def test_dangling_link_exists_already():
    os.symlink("nothing", "a")
    with pytest.raises(OutputError, match="exists already"):
        check("a")


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_source_under_another_name(link):
    Path("a").write_bytes(b"old")
    link("a", "b")
    for target in ("a", "b", "./a"):
        with pytest.raises(OutputError, match=r"^is the input; name another output$"):
            write(target, b"new", force=True, sources=["x", "a"])
    assert Path("a").read_bytes() == b"old"


@pytest.mark.parametrize("target", ["in", "in/"])
def test_target_is_a_folder(target):
    Path("in").mkdir()
    with pytest.raises(OutputError, match=r"^is a folder; name a file in it$"):
        write(target, b"new", force=True)


def test_target_is_a_folder_that_is_missing():
    with pytest.raises(OutputError, match=r"^cannot be written: there is no folder 'new'; make it first$"):
        write("new/", b"new")


def test_folder_of_the_target_is_missing():
    with pytest.raises(OutputError, match=r"^cannot be written: there is no folder 'none'; make it first$"):
        write("none/a", b"new")


@posix
@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() == 0, reason="root may write everywhere")
def test_folder_of_the_target_is_not_writable():
    Path("in").mkdir(0o500)
    with pytest.raises(OutputError, match=r"^cannot be written: the folder 'in' is not writable$"):
        write("in/a", b"new")


def test_folder_that_may_not_be_looked_at(monkeypatch):
    def closed(path, *_, real=os.stat, **__):
        if "closed" in os.fspath(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "stat", closed)
    for open_it in (lambda: write("closed/in/a", b"new"), lambda: Folder("closed/in/out")):
        with pytest.raises(OutputError, match=r"^cannot be written: Permission denied$"):
            open_it()


@posix
def test_name_too_long():
    with pytest.raises(OutputError, match=r"^cannot be written: File name too long$"):
        write("a" * 300, b"new")
    assert files() == []


@posix
def test_name_as_long_as_names_can_be():
    write("a" * 255, b"new")
    assert files() == ["a" * 255]


def test_full_disk_leaves_what_was_there(full_disk):
    Path("a").write_bytes(b"old")
    with pytest.raises(NoSpaceError, match=r"^cannot be written: No space left on device$"):
        write("a", b"new", force=True)
    assert files() == ["a"]
    assert Path("a").read_bytes() == b"old"


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, RuntimeError])
def test_whatever_happens_no_temporary_file_stays(monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(error):
        write("a", b"new")
    assert files() == []


@posix
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0, 0o666)])
def test_permissions_follow_the_umask(mask, mode):
    before = os.umask(mask)
    try:
        write("a", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat("a").st_mode) == mode


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@posix
def test_like_another_file():
    Path("a").write_bytes(b"old")
    os.chmod("a", 0o664)
    os.utime("a", ns=(1, 1_500_000_000_123_456_000))
    write("b", b"new", sources=["a"], like="a")
    with Folder("out") as folder:
        folder.write("b", b"new", sources=["a"], like="a")
    for path in ("b", "out/b"):
        assert mode(path) == 0o664
        assert os.stat(path).st_mtime_ns // 1000 == 1_500_000_000_123_456


@posix
def test_no_permission_that_one_of_the_sources_lacks():
    for name, permissions in (("a", 0o640), ("b", 0o604), ("c", 0o755)):
        Path(name).write_bytes(b"old")
        os.chmod(name, permissions)
    write("d", b"new", sources=["a", "c"])
    write("e", b"new", sources=["a", "b", "none"])
    assert (mode("d"), mode("e")) == (0o640, 0o600)


@posix
@pytest.mark.parametrize("like", [None, "a"])
def test_what_was_private_stays_private(like):
    for name, permissions in (("a", 0o644), ("b", 0o600)):
        Path(name).write_bytes(b"old")
        os.chmod(name, permissions)
    write("b", b"new", force=True, sources=["a"], like=like)
    assert mode("b") == 0o600


@posix
def test_it_is_never_more_open_than_at_the_end(monkeypatch):
    Path("a").write_bytes(b"old")
    os.chmod("a", 0o600)
    seen = []
    monkeypatch.setattr(os, "replace", lambda source, target: seen.append(mode(source)))
    monkeypatch.setattr(os, "chmod", lambda *_: None)
    write("b", b"new", sources=["a"], like="a")
    assert seen == [0o600]


@posix
def test_special_files_are_written_directly():
    os.mkfifo("pipe")
    found = []
    reader = threading.Thread(target=lambda: found.append(Path("pipe").read_bytes()))
    reader.start()
    write("pipe", b"new")
    reader.join()
    assert found == [b"new"]
    assert stat.S_ISFIFO(os.stat("pipe").st_mode)


@posix
def test_full_device():
    with pytest.raises(OutputError, match=r"^cannot be written: No space left on device$"):
        write("/dev/full", b"new")


def test_folder_is_made_for_the_first_file():
    with Folder("out") as folder:
        assert files() == []
        folder.write("a", b"new")
        folder.write("sub/deep/b", b"new")
    assert files() == ["out/", "out/a", "out/sub/", "out/sub/deep/", "out/sub/deep/b"]


def test_folder_that_stays_empty_is_taken_away(full_disk):
    with Folder("out") as folder, pytest.raises(OutputError):
        folder.write("sub/a", b"new")
    assert files() == []


def test_folder_that_was_there_stays():
    Path("out").mkdir()
    with Folder("out") as folder:
        folder.make()
    assert files() == ["out/"]


def test_folder_that_is_not_writable(monkeypatch):
    Path("out").mkdir()
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    for path, told in (("out", "out"), ("new", r"\.")):
        with pytest.raises(OutputError, match=rf"^cannot be written: the folder '{told}' is not writable$"):
            Folder(path)


def test_folder_that_is_a_file():
    Path("out").write_bytes(b"old")
    with pytest.raises(OutputError, match=r"^is not a folder$") as caught:
        Folder("out")
    assert caught.value.remedy == "other-output"


def test_folder_in_a_folder_that_is_missing():
    with pytest.raises(OutputError, match=r"^cannot be written: there is no folder 'none'; make it first$"):
        Folder("none/out")


def test_folder_below_a_file():
    with Folder("out") as folder:
        folder.write("a", b"new")
        with pytest.raises(OutputError, match=r"^cannot be written: "):
            folder.write("a/b", b"new")
    assert files() == ["out/", "out/a"]


def test_folder_takes_files_from_many_threads():
    with Folder("out") as folder:
        jobs = [threading.Thread(target=folder.write, args=(f"{i % 7}/{i}", b"new")) for i in range(50)]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
    assert sum(path.is_file() for path in Path("out").rglob("*")) == 50


def test_abandon_undoes_what_is_unfinished_and_stops_what_begins(monkeypatch):
    seen = []

    def abandon(*_):
        seen.extend(files())
        system_files.abandon()
        seen.append(files())
        raise OSError(errno.ENOENT, "gone")

    monkeypatch.setattr(system_files, "_abandoned", False)  # and so again after the test
    monkeypatch.setattr(os, "replace", abandon)
    with Folder("out") as folder, pytest.raises(OutputError):
        folder.write("a", b"new")
    assert len(seen) == 3  # the folder and the temporary file; then nothing
    assert seen[-1] == []
    with pytest.raises(OutputError, match=r"^cannot be written: interrupted$"):
        write("b", b"new")
    assert files() == []


@pytest.mark.parametrize("there", [False, True])
def test_a_file_of_a_training_is_stored_by_the_same_writer(monkeypatch, there):
    if there:
        Path("a").write_bytes(b"old")
    names, synced = [], []
    replace, fsync = os.replace, os.fsync
    monkeypatch.setattr(os, "replace", lambda source, target: (names.append(source), replace(source, target)))
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(descriptor), fsync(descriptor)))
    store(Path("a"), b"new")
    assert Path("a").read_bytes() == b"new"
    assert [is_temporary(name) for name in names] == [True]
    assert len(synced) == there


def test_a_file_of_a_training_that_cannot_be_stored_is_named(full_disk):
    Path("a").write_bytes(b"old")
    said = r"^'a' cannot be written: No space left on device; once it can, the same command goes on$"
    with pytest.raises(NoSpaceError, match=said):
        store(Path("a"), b"new")
    assert files() == ["a"]
    assert Path("a").read_bytes() == b"old"


def test_temporary_files_of_a_process_that_was_killed_are_removed():
    for name in (".vaezip-0123456789abcdef.tmp", ".vaezip-notes", "a.tmp"):
        Path(name).touch()
    remove_temporaries(Path("."))
    assert files() == [".vaezip-notes", "a.tmp"]
