import contextlib
import errno
import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from vaezip.errors import OutputError
from vaezip.system import files as system_files
from vaezip.system.files import Folder, NoSpaceError, check, is_temporary, remove_temporaries, settle, store, write

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
@pytest.mark.parametrize("force", [False, True])
def test_whatever_happens_no_temporary_file_stays(monkeypatch, error, force):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(os, "replace" if force else "link", fail)
    with pytest.raises(error):
        write("a", b"new", force=force)
    with Folder("out") as folder, pytest.raises(error):
        folder.write("in/a", b"new", force=force)
    assert files() == []


# A file that appears meanwhile


def appear_before(monkeypatch, function):
    """Let ``a`` and ``out/a`` appear after all checks, just before a call of a function of the system."""
    real = getattr(os, function)

    def late(*arguments, **places):
        for path in (Path("a"), Path("out/a")):
            if path.parent.is_dir():
                path.write_bytes(b"theirs")
        return real(*arguments, **places)

    monkeypatch.setattr(os, function, late)


def no_links(*_, **__):
    raise OSError(errno.EPERM, "Operation not permitted")


def test_a_file_that_appears_meanwhile_is_not_overwritten(monkeypatch):
    appear_before(monkeypatch, "link")
    with pytest.raises(OutputError, match=r"^exists already$") as caught:
        write("a", b"new")
    assert caught.value.remedy == "overwrite"
    with Folder("out") as folder, pytest.raises(OutputError, match=r"^exists already$"):
        folder.write("a", b"new")
    assert files() == ["a", "out/", "out/a"]
    assert Path("a").read_bytes() == Path("out/a").read_bytes() == b"theirs"


def test_nor_is_it_where_the_file_system_knows_no_links(monkeypatch):
    monkeypatch.setattr(os, "link", no_links)
    appear_before(monkeypatch, "link")
    for _ in range(2):
        with pytest.raises(OutputError, match=r"^exists already$"):
            write("a", b"new")
    assert files() == ["a"]
    assert Path("a").read_bytes() == b"theirs"


def test_a_file_system_without_links_takes_files_all_the_same(monkeypatch):
    monkeypatch.setattr(os, "link", no_links)
    write("a", b"new")
    with Folder("out") as folder:
        folder.write("in/b", b"newer")
    assert files() == ["a", "out/", "out/in/", "out/in/b"]
    assert (Path("a").read_bytes(), Path("out/in/b").read_bytes()) == (b"new", b"newer")


def test_with_force_what_appears_meanwhile_is_replaced(monkeypatch):
    appear_before(monkeypatch, "replace")
    write("a", b"new", force=True)
    assert files() == ["a"]
    assert Path("a").read_bytes() == b"new"


def test_of_many_that_write_one_file_one_does():
    done = []

    def attempt(i):
        with contextlib.suppress(OutputError):
            write("a", b"%d" % i)
            done.append(i)

    jobs = [threading.Thread(target=attempt, args=(i,)) for i in range(30)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert Path("a").read_bytes() == b"%d" % done[0]
    assert len(done) == 1
    assert files() == ["a"]


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


@pytest.fixture
def umask():
    """umask(bits): set it for the test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@posix
@pytest.mark.parametrize("like", [None, "pipe"])
def test_what_comes_from_a_pipe_follows_the_umask_and_is_no_program(umask, like):
    os.mkfifo("pipe")
    os.chmod("pipe", 0o777)
    for mask in (0o077, 0o022, 0):
        umask(mask)
        write("a", b"new", force=True, sources=["pipe"], like=like)
        os.remove("a")
        write("a", b"new", sources=["pipe"], like=like)
        with Folder("out") as folder:
            folder.write("a", b"new", force=True, sources=["pipe"], like=like)
        assert mode("a") == mode("out/a") == 0o666 & ~mask
        os.remove("out/a")
        os.remove("a")


@posix
def test_nothing_is_more_open_than_the_umask_allows_or_a_program(umask):
    Path("a").write_bytes(b"old")
    os.chmod("a", 0o777)
    umask(0o027)
    write("b", b"new", sources=["a"], like="a")
    assert mode("b") == 0o640


@posix
def test_like_another_file(umask):
    umask(0o002)
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
    link = os.link
    monkeypatch.setattr(os, "link", lambda source, target, **_: (seen.append(mode(source)), link(source, target)))
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


def test_a_file_that_fails_when_its_folder_is_left_leaves_no_folder(monkeypatch):
    folder = Folder("out")

    def leave(*_, **__):
        folder.__exit__()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", leave)
    with pytest.raises(NoSpaceError):
        folder.__enter__().write("sub/a", b"new")
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


# A folder's files stay in it


@pytest.fixture(params=[True, False], ids=["by descriptor", "by path"])
def by_descriptor(request, monkeypatch):
    """The two ways to go down into folders; not every system has the first."""
    monkeypatch.setattr(system_files, "_BY_DESCRIPTOR", request.param and system_files._BY_DESCRIPTOR)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", ["ln/a", "ln/deep/a", "in/ln/a"])
def test_a_link_in_a_folder_is_not_followed(by_descriptor, force, name):
    Path("away/deep").mkdir(parents=True)
    Path("out/in").mkdir(parents=True)
    for link in ("out/ln", "out/in/ln"):
        os.symlink(os.path.abspath("away"), link)
    said = rf"^cannot be written: 'out/{name.partition('ln')[0]}ln' is a link, which may lead elsewhere$"
    with Folder("out") as folder, pytest.raises(OutputError, match=said) as caught:
        folder.write(name, b"new", force=force)
    assert caught.value.remedy == "other-output"
    assert files() == ["away/", "away/deep/", "out/", "out/in/", "out/in/ln/", "out/ln/"]


def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere(monkeypatch):
    Path("away").mkdir()
    Path("out/in").mkdir(parents=True)
    create = system_files._Place._create

    def swapped(place, *arguments):
        if place.descriptor is None:
            pytest.skip("the system has no names that begin at an open folder")
        os.rename("out/in", "out/moved")
        os.symlink(os.path.abspath("away"), "out/in")
        return create(place, *arguments)

    monkeypatch.setattr(system_files._Place, "_create", swapped)
    with Folder("out") as folder:
        folder.write("in/a", b"new")
    assert os.listdir("away") == []
    assert Path("out/moved/a").read_bytes() == b"new"


def test_a_link_as_the_last_part_is_replaced_by_force_alone(by_descriptor):
    Path("out").mkdir()
    Path("a").write_bytes(b"old")
    os.symlink(os.path.abspath("a"), "out/a")
    with Folder("out") as folder:
        with pytest.raises(OutputError, match=r"^exists already$"):
            folder.write("a", b"new")
        folder.write("a", b"new", force=True)
    assert not Path("out/a").is_symlink()
    assert (Path("a").read_bytes(), Path("out/a").read_bytes()) == (b"old", b"new")


def test_the_folder_itself_may_be_a_link(by_descriptor):
    Path("away").mkdir()
    os.symlink("away", "out")
    with Folder("out") as folder:
        folder.write("in/a", b"new")
    assert Path("away/in/a").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["../a", "in/../../a", "/a", "", "in/", "./a", "in//a"])
def test_a_name_that_would_leave_a_folder_is_refused(name):
    with Folder("out") as folder, pytest.raises(OutputError, match=r"^would leave the folder$"):
        folder.write(name, b"new")
    assert files() == []


@posix
@pytest.mark.parametrize("force", [False, True])
def test_a_pipe_in_a_folder_is_left_alone(by_descriptor, force):
    Path("out").mkdir()
    os.mkfifo("out/pipe")
    os.symlink("pipe", "out/link")
    with Folder("out") as folder:
        with pytest.raises(OutputError, match=r"^exists and is no regular file$"):
            folder.write("pipe", b"new", force=force)
        if not force:
            with pytest.raises(OutputError, match=r"^exists already$"):
                folder.write("link", b"new")
    assert stat.S_ISFIFO(os.stat("out/pipe").st_mode)


def test_folders_are_made_however_deep_and_descriptors_are_given_back(by_descriptor):
    opened = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with Folder("out") as folder:
        folder.write("a/" * 250 + "b", b"new")
    assert os.path.isfile("out/" + "a/" * 250 + "b")
    assert opened == (len(os.listdir("/proc/self/fd")) if opened else 0)


@pytest.mark.parametrize("force", [False, True])
def test_a_special_file_that_became_a_regular_one_is_not_written_to(monkeypatch, force):
    Path("a").write_bytes(b"theirs")
    monkeypatch.setattr(system_files, "is_special", lambda _: True)
    with pytest.raises(OutputError, match=r"^exists already$"):
        write("a", b"new", force=force)
    assert Path("a").read_bytes() == b"theirs"


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

    def abandon(*_, **__):
        seen.extend(files())
        system_files.abandon()
        seen.append(files())
        raise OSError(errno.ENOENT, "gone")

    monkeypatch.setattr(system_files, "_abandoned", False)  # and so again after the test
    monkeypatch.setattr(os, "link", abandon)
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
    monkeypatch.setattr(os, "replace", lambda source, target, **_: (names.append(source), replace(source, target)))
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(descriptor), fsync(descriptor)))
    store(Path("a"), b"new")
    assert Path("a").read_bytes() == b"new"
    assert [is_temporary(Path(name)) for name in names] == [True]
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


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be opened there")
def test_files_and_their_names_are_put_on_the_disk(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    paths = [tmp_path / "a", tmp_path / "b"]
    for path in paths:
        path.write_bytes(b"x")
    settle(paths)
    assert synced == [path.stat().st_ino for path in (*paths, tmp_path)]


@pytest.mark.parametrize(("number", "told"), [(errno.EIO, True), (errno.ENOSPC, True), (errno.EINVAL, False)])
def test_a_disk_that_does_not_take_a_file_is_told(tmp_path, monkeypatch, number, told):
    path = tmp_path / "a"
    path.write_bytes(b"x")

    def fail(_):
        raise OSError(number, "no")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no") if told else contextlib.nullcontext():
        settle([path])
