import errno
import os
from pathlib import Path

import numpy as np
import pytest

import vaezip
from vaezip.cli import names, remedies, streams
from vaezip.models import file as model_file
from vaezip.pictures.picture import Picture, same
from vaezip.vz import archive as vz

from .conftest import digit, files, noise, reason, wrong

pytestmark = pytest.mark.usefixtures("few_models")


@pytest.fixture
def one(save):
    """a.png.vz, alone in the folder; gives its picture."""
    picture = digit()
    Path("a.png.vz").write_bytes(vaezip.compress(picture))
    return picture


@pytest.fixture
def set_of():
    """set_of(names, path="set.vz"): write a set of pictures; gives them by name."""

    def call(*names, path="set.vz"):
        pictures = {name: digit(i) for i, name in enumerate(names)}
        Path(path).write_bytes(vaezip.compress(pictures.items()))
        return pictures

    return call


def renamed(path, old, new):
    """Give a picture of a set a name that :mod:`vaezip.cli` would not."""
    groups = vz.parse(Path(path).read_bytes()).groups
    for group in groups:
        group.names = [new if name == old else name for name in group.names]
    Path(path).write_bytes(vz.write_archive(groups))


def damage(path, offset):
    data = bytearray(Path(path).read_bytes())
    data[offset] ^= 0x10
    Path(path).write_bytes(data)


def test_suffix_is_taken_away_and_the_file_kept(run, one):
    assert run("decompress", "a.png.vz") == (0, "", "")
    assert files() == ["a.png", "a.png.vz"]
    assert same(vaezip.pictures.read("a.png"), one)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("a.vz", "a.png"),
        ("a.jpg.vz", "a.jpg.png"),
        ("a.b.vz", "a.b.png"),
        ("a.pgm.vz", "a.pgm"),
        ("a.PNG.VZ", "a.PNG"),
        ("a.webp.vz", "a.webp.png"),  # WebP has no grey
        ("a", "a.png"),
        ("in/a.png.vz", "in/a.png"),
    ],
)
def test_default_name(run, one, name, made):
    Path("in").mkdir()
    os.rename("a.png.vz", name)
    assert run("decompress", name) == (0, "", "")
    assert made in files()
    assert np.array_equal(vaezip.pictures.read(made).samples, one.samples)


def test_output_by_name(run, one):
    assert run("decompress", "a.png.vz", "-o", "b.png") == (0, "", "")
    assert files() == ["a.png.vz", "b.png"]


def test_format_follows_the_suffix(run, one):
    assert run("decompress", "a.png.vz", "-o", "b.TIF") == (0, "", "")
    assert Path("b.TIF").read_bytes()[:2] == b"II"
    assert np.array_equal(vaezip.pictures.read("b.TIF").samples, one.samples)


def test_a_level_of_png_changes_the_size_alone(run, one):
    for level in ("0", "9"):
        assert run("decompress", "a.png.vz", "--png-level", level, "-o", f"{level}.png") == (0, "", "")
        assert run("decompress", "a.png.vz", "--png-level", level, "--output-dir-mirror", f"out{level}").status == 0
        assert Path(f"out{level}/a.png").read_bytes() == Path(f"{level}.png").read_bytes()
    assert same(vaezip.pictures.read("0.png"), vaezip.pictures.read("9.png"))
    assert Path("9.png").stat().st_size < Path("0.png").stat().st_size


def test_lossy_format_is_refused_by_name(run, one):
    assert run("decompress", "a.png.vz", "-o", "b.jpg") == (
        1,
        "",
        f"vaezip: b.jpg: {reason(vaezip.pictures.check_suffix, '.jpg')}\n",
    )
    assert files() == ["a.png.vz"]


def test_format_that_cannot_hold_the_picture(run, one):
    expected = f"vaezip: b.ppm: {reason(vaezip.pictures.write, one, '.ppm')}\n"
    assert run("decompress", "a.png.vz", "-o", "b.ppm") == (1, "", expected)
    assert files() == ["a.png.vz"]


def test_output_without_suffix(run, one):
    expected = "vaezip: b: has no suffix to tell the format by; choose .png\n"
    assert run("decompress", "a.png.vz", "-o", "b") == (1, "", expected)


def test_output_to_a_folder_that_exists(run, one):
    Path("out").mkdir()
    assert run("decompress", "a.png.vz", "-o", "out") == (0, "", "")
    assert files() == ["a.png.vz", "out/a.png"]


def test_output_to_a_folder_that_is_missing(run, one):
    expected = "vaezip: new/: cannot be written: there is no folder 'new'; make it first\n"
    assert run("decompress", "a.png.vz", "-o", "new/") == (1, "", expected)


def test_several_each_go_beside_themselves(run, one, set_of):
    set_of("b.png", path="b.vz")
    assert run("decompress", "a.png.vz", "b.vz") == (0, "", "")
    assert files() == ["a.png", "a.png.vz", "b.vz", "b/b.png"]


def test_several_with_output_go_to_that_folder(run, one, set_of):
    set_of("b.png", path="b.vz")
    assert run("decompress", "a.png.vz", "b.vz", "-o", "out") == (0, "", "")
    assert files() == ["a.png.vz", "b.vz", "out/a.png", "out/b/b.png"]


def test_several_never_overwrite_each_other(run, one):
    Path("a.vz").write_bytes(Path("a.png.vz").read_bytes())
    assert run("decompress", "a.png.vz", "a.vz", "-f") == (
        1,
        "",
        "vaezip: a.png: was just written from another picture; name another output with -o\n",
    )


@pytest.mark.parametrize("order", [["a.bmp.png.vz", "a.bmp.vz"], ["a.bmp.vz", "a.bmp.png.vz"]])
def test_several_never_overwrite_what_another_became_for_its_format(run, order):
    for i, name in enumerate(order):  # BMP cannot hold 16 bits, so that both become a.bmp.png
        Path(name).write_bytes(vaezip.compress(noise("I;16", seed=i)))
    assert run("decompress", "-f", *order) == (
        1,
        "",
        "vaezip: a.bmp.png: was just written from another picture; name another output with -o\n",
    )
    assert same(vaezip.pictures.read("a.bmp.png"), noise("I;16", seed=0))


def test_several_never_overwrite_each_other_by_another_path(run, one):
    Path("in").mkdir()
    Path("a.vz").write_bytes(Path("a.png.vz").read_bytes())
    expected = f"vaezip: {Path('in/../a.png')}: was just written from another picture; name another output with -o\n"
    assert run("decompress", "a.png.vz", "in/../a.vz", "-f") == (1, "", expected)


def test_several_to_the_name_of_a_picture(run, one):
    Path("b.vz").write_bytes(Path("a.png.vz").read_bytes())
    expected = "vaezip: new.png: names one picture; name a folder for 2 FILEs\n"
    assert run("decompress", "a.png.vz", "b.vz", "-o", "new.png") == (1, "", expected)
    assert files() == ["a.png.vz", "b.vz"]


def test_one_that_fails_does_not_stop_the_others(run, one):
    Path("bad.vz").write_bytes(b"")
    assert run("decompress", "bad.vz", "none.vz", "a.png.vz") == (
        1,
        "",
        f"vaezip: bad.vz: {reason(vz.parse, b'')}\nvaezip: none.vz: cannot be read: No such file or directory\n",
    )
    assert "a.png" in files()


def test_folder_made_for_nothing_is_taken_away(run):
    Path("bad.vz").write_bytes(b"")
    Path("worse.vz").write_bytes(b"")
    assert run("decompress", "bad.vz", "worse.vz", "-o", "out").status == 1
    assert files() == ["bad.vz", "worse.vz"]


def test_verbose_sums_up(run, one):
    size = os.path.getsize("a.png.vz")
    status, out, err = run("decompress", "a.png.vz", "-o", "b.png", "-v")
    assert (status, out) == (0, "")
    assert err == f"a.png.vz: {size:,} → {os.path.getsize('b.png'):,} bytes (b.png)\n"


def test_verbose_tells_the_default_name(run, one):
    assert run("decompress", "a.png.vz", "-v") == (0, "", "a.png.vz: 1 picture → a.png\n")


# Sets


def test_set_goes_to_a_folder_of_its_name(run, set_of):
    pictures = set_of("a.png", "sub/b.png")
    assert run("decompress", "set.vz") == (0, "", "")
    assert files() == ["set.vz", "set/a.png", "set/sub/b.png"]
    assert all(same(vaezip.pictures.read(f"set/{name}"), picture) for name, picture in pictures.items())


def test_set_to_a_folder(run, set_of):
    set_of("a.png", "b.png")
    Path("out").mkdir()
    assert run("decompress", "set.vz", "-o", "out") == (0, "", "")
    assert files() == ["out/a.png", "out/b.png", "set.vz"]


def test_set_to_the_name_of_a_picture(run, set_of):
    set_of("a.png", "b.png")
    assert run("decompress", "set.vz", "-o", "c.png") == (
        1,
        "",
        "vaezip: set.vz: holds 2 pictures, and 'c.png' names one; name a folder, or one with --only\n",
    )
    assert files() == ["set.vz"]


def test_set_comes_back_as_it_went_in(run, save):
    pictures = {"a.png": digit(), "b.webp": noise("RGBA"), "c.png": noise("RGB;16"), "d/e.png": noise("P")}
    for name, picture in pictures.items():
        save(f"in/{name}", picture)
    assert run("compress", "in", "-o", "set.vz") == (0, "", "")
    assert run("decompress", "set.vz") == (0, "", "")
    assert files("set") == files("in") == list(pictures)
    assert all(same(vaezip.pictures.read(f"set/{name}"), picture) for name, picture in pictures.items())


def test_set_gives_back_the_times(run, save):
    for i, name in enumerate(("in/a.png", "in/b.jpg", "in/c.png")):
        save(str(Path(name).with_suffix(".png")), digit(i))
        os.utime(Path(name).with_suffix(".png"), ns=(0, 1_500_000_000_123_456_789 + i * 10**9))
    assert run("compress", "in", "-o", "set.vz") == (0, "", "")
    assert run("decompress", "set.vz") == (0, "", "")
    assert [int(Path("set", f"{n}.png").stat().st_mtime) - 1_500_000_000 for n in "abc"] == [0, 1, 2]
    assert run("decompress", "set.vz", "--only", "b.png", "-o", "one.png") == (0, "", "")
    assert int(Path("one.png").stat().st_mtime) == 1_500_000_001


def test_set_adds_png_to_names_that_cannot_be_written(run, set_of):
    set_of("a.jpg", "b", "c.webp")
    assert run("decompress", "set.vz") == (0, "", "")
    assert files("set") == ["a.jpg.png", "b.png", "c.webp.png"]


def test_set_adds_png_but_never_over_another_picture(run, set_of):
    pictures = set_of("a.webp", "a.webp.png")
    expected = f"vaezip: set.vz: a.webp: {reason(vaezip.pictures.write, pictures['a.webp'], '.webp')}\n"
    assert run("decompress", "set.vz") == (1, "", expected)
    assert same(vaezip.pictures.read("set/a.webp.png"), pictures["a.webp.png"])


def test_set_without_suffix_needs_an_output(run, set_of):
    set_of("a.png", path="set")
    assert run("decompress", "set") == (
        1,
        "",
        "vaezip: set: is a set, and its name does not end in .vz; name a folder with -o\n",
    )


def test_verbose_sums_up_a_set(run, set_of):
    set_of("a.png", "b.png")
    assert run("decompress", "set.vz", "-v") == (0, "", "set.vz: 2 pictures → set\n")


def test_existing_file_keeps_the_whole_set_from_being_written(run, set_of):
    set_of("a.png", "b.png")
    Path("set").mkdir()
    Path("set/b.png").write_bytes(b"old")
    expected = f"vaezip: {Path('set/b.png')}: exists already; use -f to overwrite it\n"
    assert run("decompress", "set.vz") == (1, "", expected)
    assert files() == ["set.vz", "set/b.png"]
    assert run("decompress", "set.vz", "-f") == (0, "", "")
    assert files() == ["set.vz", "set/a.png", "set/b.png"]


def test_several_existing_files_are_one_error(run, set_of):
    set_of("a.png", "b.png", "c.png")
    for name in ("b.png", "c.png"):
        Path("set").mkdir(exist_ok=True)
        Path("set", name).write_bytes(b"other")
    expected = "vaezip: set: 2 of 3 files exist already, such as b.png; use -f to overwrite them\n"
    assert run("decompress", "set.vz") == (1, "", expected)
    assert files() == ["set.vz", "set/b.png", "set/c.png"]
    assert run("decompress", "-f", "set.vz") == (0, "", "")


def test_file_where_the_folder_would_be(run, set_of):
    set_of("a.png")
    Path("set").write_bytes(b"old")
    assert run("decompress", "set.vz", "-f") == (1, "", "vaezip: set: is not a folder; name another with -o\n")


def test_set_to_a_folder_in_a_folder_that_is_missing(run, set_of):
    set_of("a.png")
    assert run("decompress", "set.vz", "-o", "x/y") == (
        1,
        "",
        f"vaezip: {Path('x/y')}: cannot be written: there is no folder 'x'; make it first\n",
    )


def test_set_of_more_than_is_written_ahead(run, set_of):
    set_of(*(f"{i}.png" for i in range(30)))
    assert run("decompress", "set.vz", "--threads", "2") == (0, "", "")
    assert len(files("set")) == 30


def no_space(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_full_disk_ends_a_set_and_leaves_nothing_half_done(run, set_of, monkeypatch):
    set_of("sub/a.png", "b.png")
    for function in ("link", "replace"):
        monkeypatch.setattr(os, function, no_space)
    reason = f"cannot be written: {os.strerror(errno.ENOSPC)}; {remedies.REMEDIES['more-space']}"
    expected = f"vaezip: {Path('set/sub/a.png')}: {reason}\n"
    assert run("decompress", "set.vz") == (1, "", expected)
    assert files() == ["set.vz"]


def test_name_that_the_disk_refuses_does_not_stop_the_others(run, set_of):
    name = "a" * 300 + ".png"
    set_of(name, "b.png")
    status, out, err = run("decompress", "set.vz")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"vaezip: {Path('set', name)}: cannot be written: ")
    assert files() == ["set.vz", "set/b.png"]


# One of a set


def test_only_one(run, set_of):
    pictures = set_of("a.png", "b.png")
    assert run("decompress", "set.vz", "--only", "b.png", "-o", "c.png") == (0, "", "")
    assert files() == ["c.png", "set.vz"]
    assert same(vaezip.pictures.read("c.png"), pictures["b.png"])


@pytest.mark.parametrize(
    ("patterns", "taken"),
    [
        (["2024/*"], ["2024/a.png", "2024/may/b.png"]),
        (["b.png"], ["2024/may/b.png", "2025/b.png"]),
        (["c.png", "2025/?.png"], ["2025/b.png", "c.png"]),
    ],
)
def test_only_some(run, set_of, patterns, taken):
    pictures = set_of("2024/a.png", "2024/may/b.png", "2025/b.png", "c.png")
    chosen = [word for pattern in patterns for word in ("--only", pattern)]
    assert run("decompress", "set.vz", *chosen, "-o", "out") == (0, "", "")
    assert files() == [*(f"out/{name}" for name in taken), "set.vz"]
    assert all(same(vaezip.pictures.read(f"out/{name}"), pictures[name]) for name in taken)


def test_only_one_goes_where_the_whole_set_would_put_it(run, set_of):
    set_of("a.png", "sub/b.png")
    assert run("decompress", "set.vz", "--only", "sub/b.png") == (0, "", "")
    assert files() == ["set.vz", "set/sub/b.png"]


def test_only_one_to_a_folder_that_exists(run, set_of):
    set_of("a.png", "b.png")
    Path("out").mkdir()
    assert run("decompress", "set.vz", "--only", "b.png", "-o", "out") == (0, "", "")
    assert files() == ["out/b.png", "set.vz"]


def test_only_one_that_there_is_not(run, set_of):
    set_of("a.png")
    assert run("decompress", "set.vz", "--only", "b.png") == (
        1,
        "",
        "vaezip: set.vz: holds no picture called 'b.png'; 'vaezip info -v' lists what it holds\n",
    )
    assert files() == ["set.vz"]


def test_only_one_of_a_single_picture(run, one):
    assert run("decompress", "a.png.vz", "--only", "a.png") == (
        1,
        "",
        "vaezip: a.png.vz: holds one picture without a name; leave --only out\n",
    )


def test_only_one_of_several_files(run):
    status, out, err = run("decompress", "a.vz", "b.vz", "--only", "a.png")
    assert (status, out) == (2, "")
    assert err == wrong("--only takes a picture out of one FILE", "decompress")


# Names that would leave the folder

EVIL = ["../b.png", "/b.png", "x/../../b.png", "C:b.png", "C:/b.png", "..\\b.png", "", ".", "x//b.png", "b\0.png"]


@pytest.mark.parametrize("name", EVIL)
def test_name_that_would_leave_the_folder(run, set_of, name):
    set_of("a.png", "b.png")
    renamed("set.vz", "b.png", name)
    shown = name.replace("\0", "\\x00")
    assert run("decompress", "set.vz") == (
        1,
        "",
        f"vaezip: set.vz: the name '{shown}' in it would leave the folder; take it out with --only NAME -o FILE\n",
    )
    assert files() == ["set.vz"]


def test_name_that_would_leave_the_folder_alone(run, set_of):
    set_of("a.png", "b.png")
    renamed("set.vz", "b.png", "../b.png")
    assert run("decompress", "set.vz", "--only", "../b.png").status == 1
    assert run("decompress", "set.vz", "--only", "../b.png", "-o", "c.png") == (0, "", "")
    assert files() == ["c.png", "set.vz"]


def test_names_of_one_file(run, set_of):
    set_of("a.jpg", "a.jpg.png")
    assert run("decompress", "set.vz") == (
        1,
        "",
        "vaezip: set.vz: 'a.jpg' and 'a.jpg.png' would be the same file; take it out with --only NAME -o FILE\n",
    )
    assert files() == ["set.vz"]


def test_names_of_a_file_and_its_folder(run, set_of):
    set_of("a.png", "a.png/b.png")
    assert run("decompress", "set.vz") == (
        1,
        "",
        "vaezip: set.vz: 'a.png' would be a file and the folder of 'a.png/b.png'; "
        "take it out with --only NAME -o FILE\n",
    )
    assert files() == ["set.vz"]


def test_names_that_some_systems_take_for_one(monkeypatch):
    assert list(names.file_names(["é.png", "É.png"])) == ["é.png", "É.png"]
    monkeypatch.setattr("sys.platform", "darwin")
    assert "would be the same file" in reason(names.file_names, ["é.png", "É.png"])


def test_name_cannot_steer_the_terminal(run, set_of):
    set_of("\x1b[2J\n.png", path="set.vz")
    damage("set.vz", 20)
    err = run("decompress", "set.vz").err
    assert err.startswith("vaezip: set.vz: \\x1b[2J .png: ")
    assert err.count("\n") == 1


# Damage


def test_intact_pictures_of_a_damaged_set_are_written(run, save):
    grey, colour = digit(), noise("RGB", 40, 40)
    Path("set.vz").write_bytes(vaezip.compress([("a.png", grey), ("b.png", colour)]))
    damage("set.vz", 25)
    archive = vaezip.open("set.vz")
    expected = f"vaezip: set.vz: a.png: {reason(archive.read, 'a.png')}\n"
    assert run("decompress", "set.vz") == (1, "", expected)
    assert files() == ["set.vz", "set/b.png"]
    assert same(vaezip.pictures.read("set/b.png"), colour)


def test_run_of_damaged_pictures_is_one_line(run, save):
    pictures = [(f"{i}.png", digit(i)) for i in range(3)]
    Path("set.vz").write_bytes(vaezip.compress([*pictures, ("x.png", noise("RGB", 40, 40))]))
    damage("set.vz", 25)
    why = reason(vaezip.open("set.vz").read, "0.png")
    assert run("decompress", "set.vz") == (1, "", f"vaezip: set.vz: 0.png … 2.png (3 pictures): {why}\n")
    assert files("set") == ["x.png"]


def test_damaged_picture_is_not_written(run, one):
    damage("a.png.vz", 30)
    expected = f"vaezip: a.png.vz: {reason(vaezip.open('a.png.vz').read)}\n"
    assert run("decompress", "a.png.vz") == (1, "", expected)
    assert run("decompress", "a.png.vz", "-o", "b.png") == (1, "", expected)
    assert files() == ["a.png.vz"]


def test_every_flipped_byte_is_found(run, one):
    data = Path("a.png.vz").read_bytes()
    for offset in range(0, len(data), 7):
        damage("a.png.vz", offset)
        status, out, err = run("decompress", "a.png.vz")
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert err.startswith("vaezip: a.png.vz: ")
        assert "unexpected" not in err
        assert files() == ["a.png.vz"]
        Path("a.png.vz").write_bytes(data)


def test_every_truncation_is_found(run, one):
    data = Path("a.png.vz").read_bytes()
    for length in range(0, len(data), 7):
        Path("a.png.vz").write_bytes(data[:length])
        status, out, err = run("decompress", "a.png.vz")
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert err.startswith("vaezip: a.png.vz: ")
        assert "unexpected" not in err
        assert files() == ["a.png.vz"]


def test_version_that_is_not_known(run, one):
    data = b"\xff" + Path("a.png.vz").read_bytes()[1:]
    Path("a.png.vz").write_bytes(data)
    assert run("decompress", "a.png.vz") == (1, "", f"vaezip: a.png.vz: {reason(vz.parse, data)}\n")


def test_model_that_is_not_known_is_told_once(run, other_model):
    data = vaezip.compress([("a.png", digit(0)), ("b.png", digit(1))], model=other_model)
    Path("set.vz").write_bytes(data)
    expected = f"vaezip: set.vz: {reason(vaezip.open('set.vz').read, 'a.png')}\n"
    assert run("decompress", "set.vz") == (1, "", expected)
    assert not Path("set").exists()


def test_model_by_path(run, other_model):
    Path("a.png.vz").write_bytes(vaezip.compress(digit(), model=other_model))
    assert run("decompress", "a.png.vz", "--model", str(other_model)) == (0, "", "")
    assert same(vaezip.pictures.read("a.png"), digit())


def test_model_file_that_is_none(run, one):
    status, out, err = run("decompress", "a.png.vz", "--model", "a.png.vz")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("vaezip: a.png.vz: not a vaezip model")


def test_model_file_that_is_missing(run, one):
    status, out, err = run("decompress", "a.png.vz", "--model", "none.safetensors")
    assert (status, out) == (2, "")
    assert err == wrong("invalid value for '--model': File 'none.safetensors' does not exist", "decompress")


def test_too_large_a_picture(run, one):
    expected = f"vaezip: a.png.vz: {reason(lambda: vaezip.open('a.png.vz', max_pixels=783))}\n"
    assert run("decompress", "a.png.vz", "--max-pixels", "783") == (1, "", expected)
    assert run("decompress", "a.png.vz", "--max-pixels", "784") == (0, "", "")


# Outputs


def test_existing_output(run, one):
    Path("a.png").write_bytes(b"old")
    for arguments in ([], ["-o", "a.png"]):
        assert run("decompress", "a.png.vz", *arguments) == (
            1,
            "",
            "vaezip: a.png: exists already; use -f to overwrite it\n",
        )
    assert Path("a.png").read_bytes() == b"old"
    assert run("decompress", "a.png.vz", "-f") == (0, "", "")
    assert same(vaezip.pictures.read("a.png"), one)


def test_input_is_never_the_output(run, one):
    os.rename("a.png.vz", "a.png")
    os.link("a.png", "b.png")
    for target in ("a.png", "b.png"):
        expected = (1, "", f"vaezip: {target}: is the input; name another output\n")
        assert run("decompress", "a.png", "-o", target, "-f") == expected


def test_another_input_is_never_the_output(run, one):
    before = Path("a.png.vz").read_bytes()
    Path("a.png").write_bytes(before)
    err = "vaezip: a.png: is the input; name another output\n"
    assert run("decompress", "-f", "a.png.vz", "a.png") == (1, "", err)
    assert Path("a.png").read_bytes() == before
    assert same(vaezip.pictures.read("a.png.png"), one)


@pytest.mark.parametrize("threads", ["1", "2"])
def test_pictures_that_a_file_system_takes_for_one_do_not_overwrite_each_other(run, monkeypatch, threads):
    first, second = digit(), noise("L", 4, 4)
    Path("set.vz").write_bytes(vaezip.compress([("a.png", first), ("A.png", second)]))
    honest = streams._identity

    def without_case(path, follow=True):
        found = [p for p in Path("set").glob("*") if p.name.lower() == Path(path).name.lower()]
        return honest(found[0] if found else path, follow)

    monkeypatch.setattr(streams, "_identity", without_case)
    status, out, err = run("decompress", "-f", "set.vz", "--threads", threads)
    told = "was just written from another picture; name another output with -o\n"
    assert (status, out) == (1, "")
    assert err in {f"vaezip: {Path('set', name)}: {told}" for name in ("a.png", "A.png")}
    (kept,) = Path("set").iterdir()
    assert same(vaezip.pictures.read(kept), {"a.png": first, "A.png": second}[kept.name])


def test_a_link_to_a_picture_just_written_is_replaced(run):
    first, second = digit(), noise("L", 4, 4)
    Path("set.vz").write_bytes(vaezip.compress([("a.png", first), ("b.png", second)]))
    Path("set").mkdir()
    os.symlink("a.png", "set/b.png")
    assert run("decompress", "-f", "set.vz") == (0, "", "")
    assert same(vaezip.pictures.read("set/a.png"), first)
    assert same(vaezip.pictures.read("set/b.png"), second)


# What is no .vz file


def test_picture(run, save):
    save("a.png")
    expected = "vaezip: a.png: not a .vz file; 'vaezip compress' makes one of a picture\n"
    assert run("decompress", "a.png") == (1, "", expected)


def test_folder(run):
    Path("in").mkdir()
    assert run("decompress", "in") == (1, "", "vaezip: in: holds no .vz files\n")


# Metadata


@pytest.fixture
def two_with_text():
    """Two pictures that WebP can hold, but for the text with them."""
    pictures = []
    for seed in range(2):
        plain = noise("RGB", seed=seed)
        pictures.append((f"{seed}.webp", Picture("RGB", plain.samples, (("text", b"Title\0\0\0x"),))))
    Path("set.vz").write_bytes(vaezip.compress(pictures))


TOLD = "without the metadata that only PNG would keep: text"


def test_metadata_that_a_format_does_not_keep(run, two_with_text):
    assert run("decompress", "set.vz") == (0, "", f"2 pictures: {TOLD}; -v lists them\n")
    assert run("decompress", "-qf", "set.vz") == (0, "", "")
    assert run("decompress", "set.vz", "--only", "1.webp", "-o", "a.tif") == (0, "", f"a.tif: {TOLD}\n")
    assert run("decompress", "set.vz", "--only", "1.webp", "-o", "a.png") == (0, "", "")


# Standard input and output


def test_standard_input_goes_to_standard_output_as_png(run, one):
    data = Path("a.png.vz").read_bytes()
    assert run("decompress", "-", stdin=data) == (0, vaezip.pictures.write(one, ".png"), "")


def test_standard_input_to_a_file(run, one):
    assert run("decompress", "-", "-o", "b.bmp", stdin=Path("a.png.vz").read_bytes()) == (0, b"", "")
    assert np.array_equal(vaezip.pictures.read("b.bmp").samples, one.samples)


def test_file_to_standard_output(run, one):
    assert run("decompress", "a.png.vz", "-o", "-", stdin=b"") == (0, vaezip.pictures.write(one, ".png"), "")


def test_one_of_a_set_to_standard_output(run, set_of):
    pictures = set_of("a.png", "b.png")
    expected = vaezip.pictures.write(pictures["b.png"], ".png")
    assert run("decompress", "set.vz", "--only", "b.png", "-o", "-", stdin=b"") == (0, expected, "")


def test_set_cannot_go_to_standard_output(run, set_of):
    set_of("a.png", "b.png")
    told = "holds 2 pictures; name a folder with -o, or one of them with --only\n"
    assert run("decompress", "set.vz", "-o", "-") == (1, "", f"vaezip: set.vz: {told}")
    data = Path("set.vz").read_bytes()
    assert run("decompress", "-", stdin=data) == (1, b"", f"vaezip: standard input: {told}")


def test_set_from_standard_input_to_a_folder(run, set_of):
    set_of("a.png", "b.png")
    assert run("decompress", "-", "-o", "out", stdin=Path("set.vz").read_bytes()) == (0, b"", "")
    assert files("out") == ["a.png", "b.png"]


@pytest.mark.parametrize("options", [[], ["-o", "out"]])
def test_set_from_standard_input_among_several(run, one, set_of, options):
    set_of("b.png")
    told = "is a set, and its name does not end in .vz; decompress it alone, with -o FOLDER"
    done = run("decompress", "-", "a.png.vz", *options, stdin=Path("set.vz").read_bytes())
    assert done == (1, b"", f"vaezip: standard input: {told}\n")


def test_several_cannot_go_to_standard_output(run):
    status, out, err = run("decompress", "a.vz", "b.vz", "-o", "-")
    assert (status, out) == (2, "")
    assert err == wrong("only one FILE can go to standard output", "decompress")


@pytest.mark.parametrize("mode", vaezip.pictures.MODES)
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 3)])
def test_every_mode_comes_back(run, save, mode, size):
    picture: Picture = save("a.png", noise(mode, *size))
    assert run("compress", "a.png", "-o", "b.vz") == (0, "", "")
    assert run("decompress", "b.vz") == (0, "", "")
    assert same(vaezip.pictures.read("b.png"), picture)


def test_model_in_the_file(run, other_model):
    picture = digit()
    Path("a.png.vz").write_bytes(vaezip.compress(picture, model=other_model, embed_model=True))
    other_model.unlink()
    assert run("decompress", "a.png.vz") == (0, "", "")
    assert vaezip.pictures.same(vaezip.pictures.read(Path("a.png").read_bytes()), picture)
    assert run("test", "a.png.vz") == (0, "a.png.vz: ok (1 picture)\n", "")


def test_pictures_without_the_damaged_model_in_the_file_are_written(run, other_model):
    grey, colour = digit(), noise("P", 4, 4)
    data = bytearray(vaezip.compress([("a.png", grey), ("b.png", colour)], model=other_model, embed_model=True))
    (model,) = vz.parse(bytes(data)).embedded.values()
    data[data.find(model.packed) + 100] ^= 1
    Path("set.vz").write_bytes(data)
    assert run("decompress", "set.vz") == (1, "", "vaezip: set.vz: a.png: the model in the file is damaged\n")
    assert same(vaezip.pictures.read("set/b.png"), colour)


@pytest.mark.parametrize("command", ["test", "decompress"])
def test_model_in_the_file_that_is_none(run, other_model, command):
    groups = vz.parse(vaezip.compress([("a.png", digit())], model=other_model)).groups
    mark = model_file.fingerprint(other_model)
    Path("a.vz").write_bytes(vz.write_archive(groups, {mark: "other"}, {mark: b"junk"}))
    status, out, err = run(command, "a.vz")
    assert (status, out) == (1, "")
    told = "vaezip: a.vz: a.png: the model in the file cannot be used: model 'other': not a vaezip model ("
    assert err.startswith(told)
    assert err.count("\n") == 1
    assert files() == ["a.vz", "models/other.safetensors"]


@pytest.mark.parametrize("command", ["test", "decompress"])
def test_model_in_the_file_of_another_fingerprint(run, other_model, command):
    groups = vz.parse(vaezip.compress([("a.png", digit())], model=other_model)).groups
    mark, path = model_file.fingerprint(other_model), model_file.find("mnist")
    Path("a.vz").write_bytes(vz.write_archive(groups, {}, {mark: path.read_bytes()}))
    found = model_file.fingerprint(path).hex()
    expected = f"the model in the file has fingerprint {found}, not {mark.hex()}, by which the file names it"
    assert run(command, "a.vz") == (1, "", f"vaezip: a.vz: a.png: {expected}; the file is damaged\n")


# Files that are kept as they were


@pytest.fixture
def plain(run, save):
    """The bytes of plain.pgm, and plain.pgm.vz, which keeps them."""
    save("plain.pgm", noise("L", 40, 40))
    assert run("compress", "plain.pgm") == (0, "", "")
    data = Path("plain.pgm").read_bytes()
    assert len(data) < os.path.getsize("plain.pgm.vz") <= len(data) + 32
    os.rename("plain.pgm", "before.pgm")
    return data


def test_file_that_is_kept_comes_back_where_the_suffix_is_of_its_format(run, plain):
    assert run("decompress", "plain.pgm.vz") == (0, "", "")
    assert run("decompress", "plain.pgm.vz", "-o", "other.PPM") == (0, "", "")
    assert Path("plain.pgm").read_bytes() == Path("other.PPM").read_bytes() == plain


def test_file_that_is_kept_becomes_a_picture_under_another_suffix_and_on_standard_output(run, plain):
    expected = vaezip.pictures.read("before.pgm")
    assert run("decompress", "plain.pgm.vz", "-o", "a.png").status == 0
    status, out, _ = run("decompress", "plain.pgm.vz", "-o", "-", stdin=b"")
    assert (status, out) == (0, Path("a.png").read_bytes())
    assert out[:4] == b"\x89PNG"
    assert np.array_equal(vaezip.pictures.read(out).samples, expected.samples)


def test_files_that_are_kept_in_a_set(run, save):
    pictures = {
        "a.pgm": noise("L", 30, 30),
        "b.pgm": noise("L", 31, 30, seed=1),
        "flat.pgm": Picture("L", np.zeros((25, 40, 1), np.uint8)),
    }
    for name, picture in pictures.items():
        save(f"in/{name}", picture)
    before = {name: Path("in", name).read_bytes() for name in pictures}
    Path("in/a.pgm").write_bytes(before["a.pgm"].replace(b"P5\n", b"P5 "))
    assert run("compress", "in", "-o", "set.vz") == (0, "", "")
    archive = vaezip.open("set.vz")
    assert archive.original("a.pgm") == Path("in/a.pgm").read_bytes()
    assert archive.original("flat.pgm") is None
    assert run("decompress", "set.vz") == (0, "", "")
    assert [Path("set", name).read_bytes() for name in pictures] == [Path("in", name).read_bytes() for name in pictures]
    assert run("decompress", "set.vz", "--only", "a.pgm", "-o", "a.png") == (0, "", "")
    assert same(vaezip.pictures.read("a.png"), pictures["a.pgm"])


@pytest.mark.parametrize("command", ["decompress", "test", "verify"])
def test_what_takes_more_than_is_granted_is_refused(run, save, command):
    save("b.png", noise("RGB", 200, 200))
    Path("a.vz").write_bytes(vaezip.compress(noise("RGB", 200, 200)))
    arguments = ["b.png", "a.vz"] if command == "verify" else ["a.vz"]
    for option in ("--memory", "--max-work"):
        status, out, err = run(command, *arguments, option, "1")
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert err.startswith("vaezip: a.vz: ")
        assert err.endswith(f"{option}\n")
    assert files() == ["a.vz", "b.png"]


@pytest.mark.parametrize(("number", "outcome"), [(783, 1), (784, 0)])
def test_the_limit_of_pixels_is_that_of_verify_too(run, save, one, number, outcome):
    save("b.png", one)
    assert run("verify", "b.png", "a.png.vz", "--max-pixels", str(number)).status == outcome
