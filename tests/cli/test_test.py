from pathlib import Path

import pytest

import vaezip
from vaezip.vz import archive as vz

from .conftest import digit, files, noise, reason

pytestmark = pytest.mark.usefixtures("few_models")


@pytest.fixture
def one():
    Path("a.vz").write_bytes(vaezip.compress(digit()))


@pytest.fixture
def two():
    Path("set.vz").write_bytes(vaezip.compress([("a.png", digit()), ("b.png", noise("RGB", 40, 40))]))


def damage(path, offset):
    data = bytearray(Path(path).read_bytes())
    data[offset] ^= 0x10
    Path(path).write_bytes(data)


def test_intact_files(run, one, two):
    assert run("test", "a.vz", "set.vz") == (0, "a.vz: ok (1 picture)\nset.vz: ok (2 pictures)\n", "")
    assert files() == ["a.vz", "set.vz"]


def test_quiet(run, one):
    assert run("test", "-q", "a.vz") == (0, "", "")


def test_damaged_picture_of_a_set_is_named(run, one, two):
    damage("set.vz", 25)
    expected = f"vaezip: set.vz: a.png: {reason(vaezip.open('set.vz').read, 'a.png')}\n"
    assert run("test", "set.vz", "a.vz") == (1, "a.vz: ok (1 picture)\n", expected)


def test_run_of_damaged_pictures_is_one_line(run):
    pictures = [(f"{i}.png", digit(i)) for i in range(3)]
    Path("set.vz").write_bytes(vaezip.compress([*pictures, ("x.png", noise("RGB", 40, 40))]))
    damage("set.vz", 25)
    why = reason(vaezip.open("set.vz").read, "0.png")
    assert run("test", "set.vz") == (1, "", f"vaezip: set.vz: 0.png … 2.png (3 pictures): {why}\n")
    assert run("test", "set.vz", "-v") == (1, "", "".join(f"vaezip: set.vz: {i}.png: {why}\n" for i in range(3)))


def test_damaged_picture(run, one):
    damage("a.vz", 30)
    assert run("test", "-q", "a.vz") == (1, "", f"vaezip: a.vz: {reason(vaezip.open('a.vz').read)}\n")


def test_no_such_file(run):
    assert run("test", "a.vz") == (1, "", "vaezip: a.vz: cannot be read: No such file or directory\n")


def test_folder(run):
    Path("a").mkdir()
    assert run("test", "a") == (1, "", "vaezip: a: holds no .vz files\n")


def test_no_vz_file(run):
    Path("a.vz").write_bytes(b"hello")
    assert run("test", "a.vz") == (1, "", f"vaezip: a.vz: {reason(vz.parse, b'hello')}\n")


def test_standard_input(run, one):
    assert run("test", "-", stdin=Path("a.vz").read_bytes()) == (0, b"standard input: ok (1 picture)\n", "")


def test_model_that_is_not_known(run, other_model):
    Path("a.vz").write_bytes(vaezip.compress([("a.png", digit(0)), ("b.png", digit(1))], model=other_model))
    expected = f"vaezip: a.vz: {reason(vaezip.open('a.vz').read, 'a.png')}\n"
    assert run("test", "a.vz") == (1, "", expected)
    assert run("test", "a.vz", "--model", str(other_model)) == (0, "a.vz: ok (2 pictures)\n", "")


def test_threads(run, two):
    assert run("test", "set.vz", "--threads", "2") == (0, "set.vz: ok (2 pictures)\n", "")


def test_too_large_a_picture(run, one):
    expected = f"vaezip: a.vz: {reason(lambda: vaezip.open('a.vz', max_pixels=9))}\n"
    assert run("test", "a.vz", "--max-pixels", "9") == (1, "", expected)


def test_what_takes_more_work_or_memory_than_is_granted(run, one):
    for option, keyword, least, scale in (("--max-work", "max_work", 1, 1), ("--memory", "memory", 1, 1 << 20)):
        expected = reason(lambda limit={keyword: least * scale}: vaezip.open("a.vz", **limit).read())
        assert run("test", "a.vz", option, str(least)) == (1, "", f"vaezip: a.vz: {expected}\n")
        assert option in expected
