import errno
import json
import os
import re
import stat
import struct
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vaezip
from vaezip.cli import ahead, compress, remedies
from vaezip.codec import blocks, payload
from vaezip.models import file as model_file
from vaezip.models import library
from vaezip.vz import limits

from .conftest import digit, files, noise, reason, wrong

pytestmark = pytest.mark.usefixtures("few_models")


def names_in(path):
    return vaezip.open(path).names


def test_file_goes_beside_the_picture_which_is_kept(run, save):
    save("in/a.png")
    before = Path("in/a.png").read_bytes()
    assert run("compress", "in/a.png") == (0, "", "")
    assert files() == ["in/a.png", "in/a.png.vz"]
    assert Path("in/a.png").read_bytes() == before


def test_file_is_what_the_library_makes(run, save):
    picture = save("a.png")
    run("compress", "a.png")
    assert Path("a.png.vz").read_bytes() == vaezip.compress(picture)


def test_output_by_name(run, save):
    save("a.png")
    assert run("compress", "a.png", "-o", "b.vz") == (0, "", "")
    assert files() == ["a.png", "b.vz"]
    assert names_in("b.vz") == [""]


def test_verbose_sums_up(run, save):
    save("a.png")
    status, out, err = run("compress", "a.png", "--model", "mnist", "-v")
    size, coded = os.path.getsize("a.png"), os.path.getsize("a.png.vz")
    rate = f"{100 * coded / size:.1f} %, {8 * coded / 784:.2f} bpd"
    assert (status, out) == (0, "")
    assert err.startswith(f"a.png: {size:,} → {coded:,} bytes ({rate}, mnist)\n")


def test_verbose_names_a_coder_without_a_model(run, save):
    save("a.png", noise("P"))
    assert ", graphic)\n" in run("compress", "a.png", "-v").err


def test_verbose_sums_up_a_set(run, save):
    save("a.png")
    save("b.png", noise("RGBA"))
    status, out, err = run("compress", "a.png", "b.png", "-o", "set.vz", "-v")
    size, coded = os.path.getsize("a.png") + os.path.getsize("b.png"), os.path.getsize("set.vz")
    assert (status, out) == (0, "")
    assert err.startswith(f"set.vz: 2 pictures, {size:,} → {coded:,} bytes ({100 * coded / size:.1f} %, ")


def test_quiet_and_verbose_exclude_each_other(run, save):
    save("a.png")
    status, out, err = run("compress", "a.png", "-q", "-v")
    assert (status, out, files()) == (2, "", ["a.png"])
    assert err == wrong("-q and -v exclude each other; give one of them")


def test_several_each_get_a_file(run, save):
    save("a.png")
    save("b.webp", noise("RGB"))
    assert run("compress", "a.png", "b.webp") == (0, "", "")
    assert files() == ["a.png", "a.png.vz", "b.webp", "b.webp.vz"]


def test_one_that_fails_does_not_stop_the_others(run, save):
    save("a.png")
    save("c.png")
    assert run("compress", "a.png", "b.png", "c.png") == (
        1,
        "",
        "vaezip: b.png: cannot be read: No such file or directory\n",
    )
    assert files() == ["a.png", "a.png.vz", "c.png", "c.png.vz"]


# Sets


def test_several_with_output_are_a_set(run, save):
    pictures = {f"{i}.png": save(f"in/{i}.png", digit(i)) for i in range(3)}
    assert run("compress", "in/0.png", "in/1.png", "in/2.png", "-o", "set.vz") == (0, "", "")
    found = dict(vaezip.open("set.vz").pictures())
    assert list(found) == list(pictures)
    assert all(vaezip.pictures.same(found[name], pictures[name]) for name in pictures)


def test_like_base_names_in_a_set_are_told_apart_by_their_folders(run, save):
    for path in ("in/x/a.png", "in/y/a.png", "in/b.png"):
        save(path)
    assert run("compress", "in/x/a.png", "in/y/a.png", "in/b.png", "-o", "set.vz") == (0, "", "")
    assert names_in("set.vz") == ["x/a.png", "y/a.png", "b.png"]


def test_folder_in_a_set_gives_paths_below_it(run, save):
    for path in ("in/b.png", "in/a/c.png", "d.png"):
        save(path)
    assert run("compress", "in", "d.png", "-o", "set.vz") == (0, "", "")
    assert names_in("set.vz") == ["a/c.png", "b.png", "d.png"]


def test_folder_of_one_picture_is_a_set(run, save):
    save("in/a.png")
    run("compress", "in", "-o", "set.vz")
    assert names_in("set.vz") == ["a.png"]


def test_folder_without_output_gives_files_beside_the_pictures(run, save):
    save("in/a.png")
    save("in/sub/b.png")
    assert run("compress", "in") == (0, "", "")
    assert files() == ["in/a.png", "in/a.png.vz", "in/sub/b.png", "in/sub/b.png.vz"]


@pytest.fixture
def mixed(save):
    """A folder 'in' with a picture, and a file and a link to a folder that are skipped."""
    save("in/a.png")
    save("other/b.png")
    Path("in/x.tga").write_bytes(b"no picture")
    os.symlink(os.path.abspath("other"), "in/linked", target_is_directory=True)


@pytest.mark.parametrize(("options", "told"), [([], "in: 2 files skipped; -v lists them\n"), (["-q"], "")])
def test_what_is_no_picture_in_a_folder_is_skipped_and_counted(run, mixed, options, told):
    assert run("compress", "in", "-o", "set.vz", *options) == (0, "", told)
    assert names_in("set.vz") == ["a.png"]


def test_vz_files_in_a_folder_are_counted_apart(run, mixed):
    run("compress", "in", "-q")
    assert run("compress", "in", "-o", "set.vz").err == "in: 2 files and 1 .vz file skipped; -v lists them\n"
    assert f"{Path('in/a.png.vz')}: a .vz file, skipped\n" in run("compress", "in", "-o", "set.vz", "-f", "-v").err


def test_one_that_is_skipped(run, save):
    Path("in").mkdir()
    Path("in/photo").write_bytes(b"a picture, but who knows")
    expected = "in: 1 file skipped; -v lists it\nvaezip: in: holds no pictures\n"
    assert run("compress", "in") == (1, "", expected)


def test_verbose_tells_what_is_skipped(run, mixed):
    err = run("compress", "in", "-o", "set.vz", "-v").err
    assert err.splitlines()[:2] == [
        f"{Path('in/linked')}: a link to a folder, skipped",
        f"{Path('in/x.tga')}: not a picture by its suffix, skipped",
    ]


def test_folder_without_pictures(run):
    Path("in").mkdir()
    assert run("compress", "in") == (1, "", "vaezip: in: holds no pictures\n")


@pytest.fixture
def closed(monkeypatch):
    """Folders called 'closed' cannot be read, not even by root."""

    def scandir(path, real=os.scandir):
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)


def test_folder_that_cannot_be_read_does_not_stop_the_others(run, save, closed):
    for path in ("in/a.png", "in/closed/b.png", "in/z/c.png"):
        save(path)
    expected = f"vaezip: {Path('in/closed')}: cannot be read: Permission denied\n"
    assert run("compress", "in") == (1, "", expected)
    assert files() == ["in/a.png", "in/a.png.vz", "in/z/c.png", "in/z/c.png.vz"]  # as seen without 'closed'
    assert run("compress", "in/closed") == (1, "", expected)


def test_set_is_written_without_a_folder_that_cannot_be_read(run, save, closed):
    save("in/a.png")
    save("in/closed/b.png")
    expected = f"vaezip: {Path('in/closed')}: cannot be read: Permission denied\n"
    assert run("compress", "in", "-o", "set.vz") == (1, "", expected)
    assert vaezip.open("set.vz").names == ["a.png"]


def test_set_is_written_without_what_is_unfit_which_is_told_at_once_and_at_the_end(run, save):
    pictures = {"a.png": save("a.png", digit(0)), "e.png": save("e.png", digit(1))}
    Path("b.png").write_bytes(b"")
    Path("d.png").write_bytes(vaezip.compress(digit()))
    assert run("compress", "a.png", "b.png", "c.png", "d.png", "e.png", "-o", "set.vz") == (
        1,
        "",
        "vaezip: c.png: cannot be read: No such file or directory\n"
        "vaezip: d.png: is a .vz file already; 'vaezip decompress' gives back its picture\n"
        f"vaezip: b.png: {reason(vaezip.pictures.read, b'')}\n"
        "set.vz: written without 3 of 5 files: b.png, c.png, d.png\n",
    )
    found = vaezip.decompress(Path("set.vz").read_bytes())
    assert list(found) == list(pictures)
    assert all(vaezip.pictures.same(found[name], pictures[name]) for name in pictures)


def test_many_that_a_set_lacks_are_counted(run, save):
    save("a.png")
    status, _, err = run("compress", "a.png", *(f"{i}.png" for i in range(9)), "-o", "set.vz")
    assert status == 1
    last = "set.vz: written without 9 of 10 files: 0.png, 1.png, 2.png, 3.png, 4.png and 4 more"
    assert err.splitlines()[-1] == last


def test_set_of_unfit_files_alone_is_not_written(run):
    Path("in").mkdir()
    Path("in/a.png").write_bytes(b"")
    Path("in/b.png").write_bytes(b"\x89PNG")
    status, _, err = run("compress", "in", "-o", "set.vz")
    assert (status, len(err.splitlines())) == (1, 3)
    assert err.splitlines()[-1] == "vaezip: set.vz: not written, because no picture could be compressed"
    assert files() == ["in/a.png", "in/b.png"]


def test_set_is_written_without_what_the_model_does_not_code(run, save):
    save("a.png")
    save("b.png", noise("RGB"))
    status, _, err = run("compress", "a.png", "b.png", "-o", "set.vz", "--model", "mnist")
    assert (status, err.splitlines()[-1]) == (1, "set.vz: written without 1 of 2 files: b.png")
    assert vaezip.open("set.vz").names == ["a.png"]


def test_second_run_is_one_error(run, save):
    for name in ("in/a.png", "in/b.png"):
        save(name)
    assert run("compress", "in")[0] == 0
    save("in/c.png")
    expected = f"vaezip: 2 files exist already, such as {Path('in/a.png.vz')}; use -f to overwrite them\n"
    assert run("compress", *map(str, sorted(Path("in").glob("*.png")))) == (1, "", expected)
    assert files() == sorted(f"in/{name}.png{suffix}" for name in "abc" for suffix in ("", ".vz"))
    assert run("compress", "-v", "in").err.count("exists already; use -f to overwrite it\n") == 3
    assert run("compress", "-f", "in")[0] == 0


def test_set_has_the_times_of_the_files(run, save):
    for i, name in enumerate(("a.png", "b.png")):
        save(name)
        os.utime(name, ns=(0, 1_700_000_000_999_999_999 + i * 10**9))
    save("old.png")
    os.utime("old.png", ns=(0, -1))
    assert run("compress", "a.png", "b.png", "old.png", "-o", "set.vz") == (0, "", "")
    archive = vaezip.open("set.vz")
    assert [archive.modified(name) for name in archive.names] == [1_700_000_000, 1_700_000_001, -1]


def test_picture_given_twice_to_a_set(run, save):
    save("a.png")
    assert run("compress", "a.png", "./a.png", "-o", "set.vz") == (
        1,
        "",
        "vaezip: a.png: is given twice; name it once\n",
    )
    assert files() == ["a.png"]


def test_name_that_no_set_may_hold(run, save):
    save("a.png")
    os.rename("a.png", "C:a.png")
    save("b.png")
    assert run("compress", "C:a.png", "b.png", "-o", "set.vz") == (
        1,
        "",
        "vaezip: C:a.png: its name would not do in a set on every system; rename it without '\\' and 'X:'\n"
        "set.vz: written without 1 of 2 files: C:a.png\n",
    )


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, names of files are Unicode")
def test_name_that_is_not_unicode(run, save):
    save("a.png")
    os.rename(b"a.png", b"\xff.png")
    save("b.png")
    status, _, err = run("compress", os.fsdecode(b"\xff.png"), "b.png", "-o", "set.vz")
    assert (status, err.splitlines()[0]) == (
        1,
        "vaezip: \\xff.png: its name is not UTF-8, as names in a set must be; rename it",
    )


def test_set_of_more_than_is_read_ahead_keeps_the_order(run, save, monkeypatch):
    monkeypatch.setattr(ahead, "_BYTES", 400)
    for i in range(30):
        save(f"in/{i:02d}.png", digit(i))
    assert run("compress", "in", "-o", "set.vz", "--threads", "2") == (0, "", "")
    assert names_in("set.vz") == [f"{i:02d}.png" for i in range(30)]


# Standard input and output


def test_standard_input_goes_to_standard_output(run, save):
    picture = save("a.png")
    assert run("compress", "-", stdin=Path("a.png").read_bytes()) == (0, vaezip.compress(picture), "")


def test_standard_input_to_a_file(run, save):
    save("a.png")
    assert run("compress", "-", "-o", "b.vz", stdin=Path("a.png").read_bytes()) == (0, b"", "")
    assert files() == ["a.png", "b.vz"]


def test_empty_standard_input(run):
    assert run("compress", "-", stdin=b"") == (1, b"", f"vaezip: standard input: {reason(vaezip.pictures.read, b'')}\n")


def test_standard_input_is_called_so_in_the_summary(run, save):
    save("a.png")
    err = run("compress", "-", "-v", stdin=Path("a.png").read_bytes()).err
    assert err.startswith(f"standard input: {os.path.getsize('a.png'):,} → ")


def test_set_to_standard_output(run, save):
    save("a.png")
    save("b.png")
    status, out, err = run("compress", "a.png", "b.png", "-o", "-", stdin=b"")
    assert (status, err) == (0, "")
    assert vaezip.Archive(out).names == ["a.png", "b.png"]


def test_standard_input_among_several(run):
    status, out, err = run("compress", "-", "a.png", stdin=b"")
    assert (status, out) == (2, b"")
    assert err == wrong("'-' cannot be one of several IMG", "compress")


# Outputs that are refused


def test_existing_output(run, save):
    save("a.png")
    Path("a.png.vz").write_bytes(b"old")
    assert run("compress", "a.png") == (1, "", "vaezip: a.png.vz: exists already; use -f to overwrite it\n")
    assert Path("a.png.vz").read_bytes() == b"old"


def test_existing_output_by_force(run, save):
    save("a.png")
    Path("a.png.vz").write_bytes(b"old")
    assert run("compress", "a.png", "-f") == (0, "", "")
    assert names_in("a.png.vz") == [""]


def test_input_is_never_the_output(run, save):
    save("a.png")
    before = Path("a.png").read_bytes()
    os.link("a.png", "hard.vz")
    os.symlink("a.png", "soft.vz")
    for target in ("hard.vz", "./hard.vz", "soft.vz"):
        expected = (1, "", f"vaezip: {target}: is the input; name another output\n")
        assert run("compress", "a.png", "-o", target, "-f") == expected
    assert Path("a.png").read_bytes() == before


def test_another_input_is_never_the_output(run, save):
    save("a.png")
    before = Path("a.png").read_bytes()
    Path("a.png.vz").write_bytes(before)
    err = "vaezip: a.png.vz: is the input; name another output\n"
    assert run("compress", "-f", "a.png", "a.png.vz") == (1, "", err)
    assert Path("a.png.vz").read_bytes() == before
    assert names_in("a.png.vz.vz") == [""]


@pytest.mark.parametrize("pictures", [["a.png"], ["a.png", "b.png"]])
def test_the_model_is_never_the_output(run, save, pictures, other_model):
    for path in pictures:
        save(path)
    before = other_model.read_bytes()
    expected = (1, "", f"vaezip: {other_model}: is the model; name another output\n")
    assert run("compress", *pictures, "--model", str(other_model), "-f", "-o", str(other_model)) == expected
    assert other_model.read_bytes() == before


def test_input_of_a_set_is_never_the_output(run, save):
    save("a.png")
    save("b.png")
    os.link("b.png", "b.vz")
    assert run("compress", "a.png", "b.png", "-o", "b.vz", "-f") == (
        1,
        "",
        "vaezip: b.vz: is the input; name another output\n",
    )


@pytest.mark.parametrize("others", [["b.png"], ["b.png", "c.png"], ["-"]])
@pytest.mark.parametrize("target", ["a.png", "a.JPG", "new.webp"])
def test_output_is_never_named_like_a_picture(run, save, others, target):
    for path in ("a.png", "b.png", "c.png"):
        save(path)
    Path("a.JPG").write_bytes(b"old")
    before = {path: Path(path).read_bytes() for path in files()}
    told = f"'{Path(target).suffix}' is the suffix of a picture; give -o a name that ends in .vz"
    assert run("compress", "-f", "-o", target, *others) == (1, "", f"vaezip: {target}: {told}\n")
    assert {path: Path(path).read_bytes() for path in files()} == before


def test_output_to_a_folder_that_exists(run, save):
    pictures = {"a.png": save("in/a.png"), "b.png": save("b.png", noise("RGB"))}
    save("in/sub/c.png")
    Path("out").mkdir()
    assert run("compress", "in", "b.png", "-o", "out/") == (0, "", "")
    assert files("out") == ["a.png.vz", "b.png.vz", "sub/c.png.vz"]
    for name, picture in pictures.items():
        assert vaezip.pictures.same(vaezip.open(f"out/{name}.vz").read(), picture)
    expected = f"vaezip: {Path('out/b.png.vz')}: exists already; use -f to overwrite it\n"
    assert run("compress", "b.png", "-o", "out") == (1, "", expected)
    assert run("compress", "b.png", "-o", "out", "-f") == (0, "", "")


def test_output_in_a_folder_that_is_missing(run, save):
    save("a.png")
    assert run("compress", "a.png", "-o", "none/a.vz") == (
        1,
        "",
        "vaezip: none/a.vz: cannot be written: there is no folder 'none'; make it first\n",
    )


@pytest.mark.parametrize("sources", [["a.png"], ["a.png", "b.png"]])
def test_output_to_a_folder_that_is_missing(run, save, sources):
    """A slash at the end says that a folder is meant."""
    for path in sources:
        save(path)
    assert run("compress", "-1", *sources, "-o", "new/") == (0, "", "")
    assert files("new") == [f"{path}.vz" for path in sources]


def test_a_set_whose_name_may_mean_a_folder_is_remarked(run, save):
    for path in ("a.png", "b.png"):
        save(path)
    told = "is one .vz file of all pictures; end OUT in '/' for a file each in a folder"
    assert run("compress", "-1", "a.png", "b.png", "-o", "mirror") == (0, "", f"mirror: {told}\n")
    assert run("compress", "-q", "-f", "-1", "a.png", "b.png", "-o", "mirror") == (0, "", "")


def test_standard_input_to_a_folder(run):
    Path("out").mkdir()
    assert run("compress", "-", "-o", "out", stdin=b"") == (1, b"", "vaezip: out: is a folder; name a file in it\n")


def test_unwritable_folder(run, save, monkeypatch):
    save("a.png")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    assert run("compress", "a.png") == (
        1,
        "",
        "vaezip: a.png.vz: cannot be written: the folder '.' is not writable; name another with -o\n",
    )


def test_full_disk(run, save, monkeypatch):
    def no_space(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    save("a.png")
    Path("a.png.vz").write_bytes(b"old")
    monkeypatch.setattr(os, "replace", no_space)
    assert run("compress", "a.png", "-f") == (
        1,
        "",
        f"vaezip: a.png.vz: cannot be written: {os.strerror(errno.ENOSPC)}; {remedies.REMEDIES['more-space']}\n",
    )
    assert files() == ["a.png", "a.png.vz"]
    assert Path("a.png.vz").read_bytes() == b"old"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_full_device(run, save):
    save("a.png")
    assert run("compress", "a.png", "-o", "/dev/full") == (
        1,
        "",
        f"vaezip: /dev/full: cannot be written: {os.strerror(errno.ENOSPC)}; {remedies.REMEDIES['more-space']}\n",
    )


@pytest.mark.skipif(sys.platform == "win32", reason="needs permission bits")
def test_permissions_and_time_are_those_of_the_picture(run, save):
    save("a.png")
    save("b.png")
    os.chmod("a.png", 0o600)
    os.utime("a.png", (1.0, 1_500_000_000.0))
    Path("out").mkdir()
    assert run("compress", "a.png") == run("compress", "a.png", "-o", "out") == (0, "", "")
    assert run("compress", "a.png", "b.png", "-o", "set.vz") == (0, "", "")
    for path, is_as_old in (("a.png.vz", True), ("out/a.png.vz", True), ("set.vz", False)):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert (os.stat(path).st_mtime == 1.5e9) == is_as_old
    os.chmod("a.png.vz", 0o644)
    assert run("decompress", "-f", "a.png.vz") == (0, "", "")
    assert (stat.S_IMODE(os.stat("a.png").st_mode), os.stat("a.png").st_mtime) == (0o600, 1.5e9)
    assert run("decompress", "a.png.vz", "-o", "c.png") == run("decompress", "set.vz") == (0, "", "")
    assert (stat.S_IMODE(os.stat("c.png").st_mode), os.stat("c.png").st_mtime) == (0o644, 1.5e9)
    assert stat.S_IMODE(os.stat("set/b.png").st_mode) == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="needs permission bits")
def test_permissions_of_standard_input_follow_the_umask(run, save):
    save("a.png")
    before = os.umask(0o027)
    try:
        run("compress", "-", "-o", "a.vz", stdin=Path("a.png").read_bytes())
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat("a.vz").st_mode) == 0o640


# Inputs that are refused


def test_not_a_picture(run):
    Path("a.png").write_bytes(b"not a picture")
    expected = f"vaezip: a.png: {reason(vaezip.pictures.read, b'not a picture')}\n"
    assert run("compress", "a.png") == (1, "", expected)
    assert files() == ["a.png"]


def test_vz_file(run, save):
    save("a.png")
    run("compress", "a.png")
    expected = "vaezip: a.png.vz: is a .vz file already; 'vaezip decompress' gives back its picture\n"
    assert run("compress", "a.png.vz") == (1, "", expected)


@pytest.mark.parametrize("arguments", [[""], ["a.png", "-o", ""], ["a.png", ""]])
def test_name_without_a_character(run, save, arguments):
    save("a.png")
    status, out, err = run("compress", *arguments)
    assert (status, out, files()) == (2, "", ["a.png"])
    assert err.endswith(": a name cannot be empty; see 'vaezip compress --help'\n")


def test_metadata_that_is_not_kept(run):
    for name in ("a", "b"):
        Image.new("RGB", (3, 2)).save(f"{name}.jpg", comment=b"here")
    told = "metadata that a .vz file does not keep: comment"
    assert run("compress", "--pixels", "a.jpg") == (0, "", f"a.jpg: {told}\n")
    assert run("compress", "--pixels", "-f", "a.jpg", "b.jpg") == (0, "", f"2 pictures: {told}; -v lists them\n")
    assert run("compress", "--pixels", "a.jpg", "b.jpg", "-o", "set.vz") == (
        0,
        "",
        f"2 pictures: {told}; -v lists them\n",
    )
    assert run("compress", "--pixels", "-qf", "a.jpg") == (0, "", "")
    assert run("compress", "--pixels", "-vf", "a.jpg").err.splitlines()[-1] == f"a.jpg: {told}"


def test_strict_refuses_what_would_not_be_kept_whole(run, save):
    save("in/a.png")
    Image.new("RGB", (3, 2)).save("in/b.jpg", comment=b"here")
    reason = "has metadata that a .vz file does not keep: comment; leave out --strict to compress it without"
    refused = f"vaezip: in/b.jpg: {reason}\n"
    assert run("compress", "--strict", "--pixels", "in/b.jpg") == (1, "", refused)
    assert run("compress", "--strict", "in/b.jpg") == (0, "", "")  # the file, which is kept whole
    Path("in/b.jpg.vz").unlink()
    assert run("compress", "--strict", "--pixels", "in", "-o", "out/") == (1, "", refused)
    assert files("out") == ["a.png.vz"]
    told = "set.vz: written without 1 of 2 files: in/b.jpg\n"
    assert run("compress", "--strict", "--pixels", "in", "-o", "set.vz") == (1, "", refused + told)
    assert vaezip.open("set.vz").names == ["a.png"]
    done = "vaezip: 1 file done, 1 failed; the same command takes these again"
    status, _, err = run("compress", "--strict", "--pixels", "in", "--output-dir-mirror", "mirror")
    assert (status, err.startswith(refused + done)) == (1, True)


def test_strict_adds_no_frame_of_a_file_of_which_something_would_be_dropped(run, save):
    save("in/a.png")
    frames = [Image.new("L", (8, 8), 90 * i) for i in range(3)]
    frames[0].save("in/b.gif", save_all=True, append_images=frames[1:], comment=b"here")
    assert run("compress", "--strict", "in", "-o", "set.vz").status == 1
    assert vaezip.open("set.vz").names == ["a.png"]


def test_truncated_picture(run, save):
    save("a.png")
    data = Path("a.png").read_bytes()[:-20]
    Path("a.png").write_bytes(data)
    assert run("compress", "a.png") == (1, "", f"vaezip: a.png: {reason(vaezip.pictures.read, data)}\n")
    assert files() == ["a.png"]


def test_too_large_a_picture(run, save):
    save("a.png")
    expected = f"vaezip: a.png: {reason(vaezip.pictures.read, 'a.png', 783)}\n"
    assert run("compress", "a.png", "--max-pixels", "783") == (1, "", expected)
    assert run("compress", "a.png", "--max-pixels", "784") == (0, "", "")


# Presets


@pytest.mark.parametrize(("given", "meant"), [("-4 -7", 7), ("-7 -4", 4), ("--best --fast", 1)])
def test_of_several_presets_the_last_counts(given, meant):
    assert compress.command.make_context("compress", [*given.split(), "a.png"]).params["preset"] == meant


# Models


def test_model_by_name_that_there_is_not(run, save):
    save("a.png")
    expected = f"vaezip: {reason(model_file.find, 'nope')}\n"
    assert run("compress", "a.png", "--model", "nope") == (1, "", expected)


def test_model_file_that_is_none(run, save):
    save("a.png")
    status, out, err = run("compress", "a.png", "--model", "a.png")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("vaezip: a.png: not a vaezip model (")


def test_model_that_does_not_fit(run, save):
    picture = save("a.png", noise("RGB"))
    expected = f"vaezip: a.png: {reason(lambda: vaezip.compress(picture, model='mnist'))}\n"
    assert run("compress", "a.png", "--model", "mnist") == (1, "", expected)
    assert files() == ["a.png"]


@pytest.mark.parametrize("mode", ["P", "RGB;16"])
def test_model_that_is_not_for_such_pictures(run, save, mode):
    save("a.png", noise(mode))
    told = f"coded without a model, as 'mnist' does not code pictures of mode {mode}"
    assert run("compress", "a.png", "--model", "mnist") == (0, "", f"a.png: {told}\n")
    assert run("compress", "-f", "a.png") == (0, "", "")


def test_model_by_path(run, save, other_model):
    save("a.png")
    status, _, err = run("compress", "a.png", "--model", str(other_model), "-v")
    assert (status, ", other)\n" in err) == (0, True)
    assert vaezip.open("a.png.vz", models=[other_model]).info()["blocks"][0]["method"] == "other"


@pytest.mark.parametrize(
    ("options", "most"),
    [([], 1), (["-1"], 0), (["-7"], 2), (["-9"], 8), (["--steps", "0"], 0), (["--steps", "3"], 3)],
)
def test_presets_and_steps(run, save, options, most):
    """One picture alone seldom gains by steps; of several, the later ones take back the bits of the earlier."""
    names = [f"{i}.png" for i in range(8)]
    for i, name in enumerate(names):
        save(name, digit(i))
    assert run("compress", "--solid", "--model", "mnist", *options, *names, "-o", "a.vz").status == 0
    (block,) = json.loads(run("info", "--json", "a.vz").out)[0]["blocks"]
    assert min(most, 1) <= block["steps"] <= most


@pytest.mark.parametrize("level", ["-19", "-10", "-0"])
def test_levels_that_there_are_not(run, save, level):
    save("a.png")
    status, out, err = run("compress", level, "a.png")
    assert (status, out, files()) == (2, "", ["a.png"])
    assert err == wrong(f"there is no level {level}; levels are -1 … -9")


def test_presets_and_steps_exclude_each_other(run, save):
    save("a.png", digit())
    status, out, err = run("compress", "a.png", "-3", "--steps", "2")
    assert (status, out) == (2, "")
    assert "give one of them" in err
    assert not Path("a.png.vz").exists()


def test_solid(run, save):
    for i in range(3):
        save(f"{i}.png", digit(i))
    assert run("compress", "--solid", "--model", "mnist", "0.png", "1.png", "2.png", "-o", "a.vz")[0] == 0
    assert run("test", "a.vz")[0] == 0
    assert len(json.loads(run("info", "--json", "a.vz").out)[0]["blocks"]) == 1


def test_threads_do_not_change_the_file(run, save):
    for i in range(3):
        save(f"{i}.png", digit(i))
    for threads in ("1", "2"):
        run("compress", "0.png", "1.png", "2.png", "-o", f"{threads}.vz", "--threads", threads)
    assert Path("1.vz").read_bytes() == Path("2.vz").read_bytes()


@pytest.mark.parametrize(
    ("option", "value", "range"),
    [("--max-pixels", "0", "x>=1"), ("--steps", "-1", "0<=x<=127"), ("--steps", "128", "0<=x<=127")],
)
def test_number_out_of_range(run, option, value, range):
    status, out, err = run("compress", "a.png", option, value)
    assert (status, out) == (2, "")
    assert err == wrong(f"invalid value for '{option}': {value} is not in the range {range}", "compress")


def test_as_many_steps_as_the_help_promises(run, save):
    save("a.png")
    assert run("compress", "a.png", "--steps", "127", "--model", "mnist").status == 0


# Whatever else may happen


def _raise(error):
    def fail(*_, **__):
        raise error

    return fail


def test_unexpected_error_asks_for_a_report(run, save, monkeypatch):
    save("a.png")
    monkeypatch.setattr(vaezip.Compressor, "close", _raise(RuntimeError("two\nlines")))
    assert run("compress", "a.png") == (
        1,
        "",
        "vaezip: a.png: unexpected error (RuntimeError: two lines); please report it with what -v says\n",
    )
    assert files() == ["a.png"]


def test_unexpected_error_shows_where_with_verbose(run, save, monkeypatch):
    save("a.png")
    monkeypatch.setattr(vaezip.Compressor, "close", _raise(RuntimeError("odd")))
    err = run("compress", "a.png", "-v").err.splitlines()
    assert err[1] == "Traceback (most recent call last):"
    assert err[-1] == "RuntimeError: odd"


def test_too_little_memory(run, save, monkeypatch):
    save("a.png")
    monkeypatch.setattr(vaezip.Compressor, "close", _raise(MemoryError()))
    expected = "vaezip: a.png: there is not enough memory; try --threads 1\n"
    assert run("compress", "a.png") == (1, "", expected)


def test_interrupt_without_signal_handlers(run, save, monkeypatch):
    save("a.png")
    monkeypatch.setattr(os, "link", _raise(KeyboardInterrupt()))
    assert run("compress", "a.png") == (130, "", "vaezip: interrupted\n")
    assert files() == ["a.png"]


def test_models_are_loaded_once_for_many_files(run, save, monkeypatch):
    loads = []
    for i in range(3):
        save(f"{i}.png", digit(i))
    monkeypatch.setattr(library, "_loaded", {})  # other tests have loaded models before
    monkeypatch.setattr(model_file, "load", lambda path, device, real=model_file.load: loads.append(path) or real(path))
    assert run("compress", "0.png", "1.png", "2.png", "--model", "mnist").status == 0
    assert loads == [model_file.find("mnist")]


def test_embedded_model(run, save, other_model):
    """It costs more than the file of one small picture, which would be kept as it was; so the file is a large one."""
    picture = save("a.png")
    data, chunk = Path("a.png").read_bytes(), b"caBX" + bytes(1 << 22)
    chunk = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    Path("a.png").write_bytes(data[:33] + chunk + data[33:])
    assert run("compress", "-q", "--model", str(other_model), "--embed-model", "a.png") == (0, "", "")
    other_model.unlink()
    assert [m["name"] for m in vaezip.open("a.png.vz").info()["models"]] == ["other"]
    assert vaezip.pictures.same(vaezip.decompress(Path("a.png.vz").read_bytes()), picture)


def test_embedded_model_of_a_set(run, save, other_model):
    pictures = {name: save(name, digit(i)) for i, name in enumerate(("a.png", "b.png"))}
    assert run("compress", "-q", "--model", str(other_model), "--embed-model", *pictures, "-o", "set.vz") == (0, "", "")
    other_model.unlink()
    found = vaezip.decompress(Path("set.vz").read_bytes())
    assert all(vaezip.pictures.same(found[name], picture) for name, picture in pictures.items())


def test_a_chosen_model_that_is_not_embedded_is_told(run, save, other_model):
    save("in/a.png")
    told = f"set.vz: written without the model {other_model}, which would make it no smaller\n"
    assert run("compress", "--model", str(other_model), "--embed-model", "in", "-o", "set.vz") == (0, "", told)
    assert vaezip.open("set.vz").info()["models"] == []


def test_model_that_costs_more_than_it_saves_is_not_embedded(run, save):
    save("a.png")
    assert run("compress", "--embed-model", "a.png") == (0, "", "")
    assert os.path.getsize("a.png.vz") < 1500


def test_model_that_is_too_large_to_embed(run, save, other_model, monkeypatch):
    save("a.png")
    monkeypatch.setattr(limits, "MAX_MODEL", 1 << 20)
    expected = (
        f"vaezip: a.png: the model takes {other_model.stat().st_size >> 20} MiB, "
        "more than the 1 that a file can hold; leave out --embed-model\n"
    )
    assert run("compress", "--model", str(other_model), "--embed-model", "a.png") == (1, "", expected)
    assert files() == ["a.png", "models/other.safetensors"]


# What is promised of every result


def test_result_that_does_not_decode_to_the_picture_is_not_written(run, save, monkeypatch):
    def other(*arguments, real=payload.decode, **options):
        samples, checksum = real(*arguments, **options)
        return samples ^ 1, checksum

    save("a.png")
    monkeypatch.setattr(payload, "decode", other)
    status, out, err = run("compress", "a.png")
    assert (status, out, err.count("\n"), files()) == (1, "", 1, ["a.png"])
    assert err.startswith("vaezip: a.png: the coded picture does not decode to itself")


@pytest.mark.parametrize("steps", ["1", "2", "5", "127"])
def test_pixel_network_takes_no_more_than_two_steps(run, save, steps):
    rows = np.arange(24, dtype=np.uint8)[:, None, None]
    save("a.png", vaezip.Picture("RGB", np.ascontiguousarray(np.broadcast_to(rows, (24, 20, 3)) * 3)))
    assert run("compress", "a.png", "--model", "photo-small", "--steps", steps, "-o", "a.vz") == (0, "", "")
    (block,) = json.loads(run("info", "--json", "a.vz").out)[0]["blocks"]
    if block["steps_on"] == "pixel network":
        assert block["steps"] <= min(int(steps), 2)


def test_device_that_there_is_not(run, save):
    save("a.png")
    status, out, err = run("compress", "a.png", "--device", "tpu")
    assert (status, out, files()) == (2, "", ["a.png"])
    assert "'--device'" in err


@pytest.mark.parametrize("command", ["compress", "decompress"])
def test_cuda_without_pytorch_is_one_line(run, save, monkeypatch, command):
    picture = save("a.png")
    Path("b.png.vz").write_bytes(vaezip.compress(picture))
    monkeypatch.setitem(sys.modules, "torch", None)
    status, out, err = run(command, "a.png" if command == "compress" else "b.png.vz", "--device", "cuda")
    assert (status, out, err.count("\n"), files()) == (1, "", 1, ["a.png", "b.png.vz"])
    assert "PyTorch" in err


def test_hidden_picture_in_a_folder_is_skipped(run, save):
    save("in/a.png")
    os.rename("in/a.png", "in/.a.png")
    save("in/b.png")
    assert run("compress", "in", "-o", "set.vz", "-v").err.startswith(f"{Path('in/.a.png')}: hidden, skipped\n")
    assert names_in("set.vz") == ["b.png"]


def test_blocks_have_as_many_pixels_as_the_help_says():
    assert (blocks.BLOCK_PIXELS, blocks.SOLID_PIXELS) == (1 << 20, 1 << 24)  # a million, and sixteen
    assert blocks.group_of("RGB", (32, 32)).per_block == 128


def test_a_set_in_blocks_of_so_many_pictures(run, save):
    for i in range(5):
        save(f"in/{i}.png", digit(i))
    assert run("compress", "in", "-o", "set.vz", "--block", "2") == (0, "", "")
    archive = vaezip.open("set.vz")
    assert [group.per_block for group in archive.file.groups] == [2]
    assert len(archive.info()["blocks"]) == 3
    status, _, err = run("compress", "in", "-o", "b.vz", "--block", "2", "--solid")
    assert status == 2
    assert "give one of them" in err


def test_what_came_through_a_pipe_has_no_time_but_its_own(run, save, monkeypatch):
    dated = []
    monkeypatch.setattr(os, "utime", lambda path, *arguments, **options: dated.append(path))
    save("a.png")
    assert run("compress", "-", "-o", "a.vz", stdin=Path("a.png").read_bytes()) == (0, b"", "")
    assert run("decompress", "-", "-o", "b.png", stdin=Path("a.vz").read_bytes()) == (0, b"", "")
    assert dated == []
    assert run("compress", "a.png", "-o", "b.vz") == (0, "", "")
    assert len(dated) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_picture_of_a_pipe_has_no_time_in_a_set(run, save):
    save("a.png")
    os.mkfifo("b.png")
    writer = threading.Thread(target=Path("b.png").write_bytes, args=(Path("a.png").read_bytes(),))
    writer.start()
    status, _, err = run("compress", "a.png", "b.png", "-o", "set.vz")
    writer.join()
    assert (status, err) == (0, "")
    archive = vaezip.open("set.vz")
    assert [archive.modified(name) is None for name in ("a.png", "b.png")] == [False, True]


def test_what_takes_more_memory_than_there_may_be_is_refused(run, save):
    save("a.png", noise("RGB", 20, 20))
    save("b.png", noise("L", 4, 4))
    for arguments in (["a.png"], ["a.png", "-o", "a.vz"]):
        error = "it takes 273 MiB of memory, more than the limit of 272; raise it with --memory"
        assert run("compress", *arguments, "-M", "272") == (1, "", f"vaezip: a.png: {error}\n")
    status, out, err = run("compress", "b.png", "a.png", "--memory", "278537K", "-o", "set.vz")
    assert (status, out) == (1, "")
    assert err.startswith("vaezip: a.png: it takes 273 MiB of memory, more than the limit of 272; ")
    assert vaezip.open("set.vz").names == ["b.png"]


@pytest.mark.parametrize("size", ["300", "300M", "300MiB", "307200k", "1G", "1gb"])
def test_a_size_of_memory_has_a_suffix_or_is_in_mib(run, save, size):
    save("a.png", noise("L", 4, 4))
    assert run("compress", "a.png", "-1", "--memory", size) == (0, "", "")


@pytest.mark.parametrize("size", ["0", "-1", "1.5G", "G", "5X", ""])
def test_what_is_no_size_of_memory_is_a_usage_error(run, save, size):
    save("a.png", noise("L", 4, 4))
    status, out, err = run("compress", "a.png", f"--memory={size}")
    assert (status, out) == (2, "")
    assert f"'{size}' is no size; give MiB, or a number with K, M or G" in err


def test_verbose_tells_the_price_of_each_candidate(run, save):
    save("a.png", digit(0))
    save("b.png", digit(1))
    for arguments, label in ((["a.png"], "a.png"), (["a.png", "b.png", "-o", "s.vz"], "s.vz")):
        status, out, err = run("compress", *arguments, "-v", "-1")
        assert (status, out) == (0, "")
        summary, coded, beside = (line for line in err.splitlines() if line.startswith(f"{label}: "))
        assert re.fullmatch(rf"{label}: coded by (\S+( \S+)? \d+ bytes in \d+\.\d\d s(, |$))+", coded)
        sizes = [int(size) for size in re.findall(r"(\d+) bytes", coded)]
        assert len(sizes) > 1
        assert sizes == sorted(sizes)
        assert re.fullmatch(rf"{label}: decoded again in \d+\.\d\d s", beside)
        assert "→" in summary
