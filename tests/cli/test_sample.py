from pathlib import Path

import pytest

import vaezip
from vaezip.models import file as model_file
from vaezip.models.sampling import sample

from .conftest import files, reason, wrong


def drawn(count, seed, model="mnist"):
    return sample(vaezip.load_model(model_file.find(model)), count, seed)


def test_one_picture(run):
    assert run("sample", "-o", "a.png") == (0, "", "")
    assert vaezip.pictures.same(vaezip.pictures.read("a.png"), drawn(1, 0)[0])


def test_format_follows_the_suffix(run):
    assert run("sample", "-o", "a.pgm") == (0, "", "")
    assert Path("a.pgm").read_bytes().startswith(b"P5")


def test_several_go_to_a_folder(run):
    assert run("sample", "-n", "3", "--seed", "5", "-o", "out") == (0, "", "")
    assert files() == ["out/00000.png", "out/00001.png", "out/00002.png"]
    assert all(
        vaezip.pictures.same(vaezip.pictures.read(f"out/0000{i}.png"), picture) for i, picture in enumerate(drawn(3, 5))
    )


def test_one_to_a_folder_that_exists(run):
    Path("out").mkdir()
    assert run("sample", "-o", "out") == (0, "", "")
    assert files() == ["out/00000.png"]


@pytest.mark.parametrize("model", sorted(model_file.shipped()))
def test_every_model_draws_what_compresses(run, model):
    assert run("sample", "--model", model, "-o", "a.png") == (0, "", "")
    assert run("compress", "-1", "a.png") == (0, "", "")
    assert run("decompress", "a.png.vz", "-o", "b.png") == (0, "", "")
    assert vaezip.pictures.same(vaezip.pictures.read("b.png"), drawn(1, 0, model)[0])


def test_model_by_path(run, other_model):
    assert run("sample", "--model", str(other_model), "-o", "a.png") == (0, "", "")
    assert vaezip.pictures.same(vaezip.pictures.read("a.png"), drawn(1, 0, str(other_model))[0])


def test_standard_output(run):
    assert run("sample", "-o", "-", stdin=b"") == (0, vaezip.pictures.write(drawn(1, 0)[0], ".png"), "")


def test_verbose_sums_up(run):
    assert run("sample", "-n", "2", "-o", "out", "-v") == (0, "", "out: 2 pictures drawn from mnist\n")


def test_existing_output(run):
    Path("a.png").write_bytes(b"old")
    assert run("sample", "-o", "a.png") == (1, "", "vaezip: a.png: exists already; use -f to overwrite it\n")
    assert Path("a.png").read_bytes() == b"old"
    assert run("sample", "-o", "a.png", "-f") == (0, "", "")


def test_existing_picture_in_the_folder(run):
    Path("out").mkdir()
    Path("out/00001.png").write_bytes(b"old")
    expected = f"vaezip: {Path('out/00001.png')}: exists already; use -f to overwrite it\n"
    assert run("sample", "-n", "2", "-o", "out") == (1, "", expected)
    assert files() == ["out/00001.png"]
    assert run("sample", "-n", "2", "-o", "out", "-f") == (0, "", "")


def test_several_to_the_name_of_one(run):
    expected = "vaezip: a.png: names one picture; name a folder for 2, or leave -n out\n"
    assert run("sample", "-n", "2", "-o", "a.png") == (1, "", expected)
    assert files() == []


def test_several_to_standard_output(run):
    status, out, err = run("sample", "-n", "2", "-o", "-")
    assert (status, out) == (2, "")
    assert err == wrong("only one picture can go to standard output", "sample")


def test_lossy_format(run):
    expected = f"vaezip: a.jpg: {reason(vaezip.pictures.check_suffix, '.jpg')}\n"
    assert run("sample", "-o", "a.jpg") == (1, "", expected)


def test_model_that_there_is_not(run):
    assert run("sample", "-o", "a.png", "--model", "nope") == (1, "", f"vaezip: {reason(model_file.find, 'nope')}\n")


def test_output_is_asked_for(run):
    status, out, err = run("sample")
    assert (status, out) == (2, "")
    assert err == wrong("missing option '-o' / '--output'", "sample")
