"""JPEG files on the command line: the same bytes come back, and pixels where they are asked for."""

import json
from pathlib import Path

import pytest

import vaezip

from ..pictures.jpeg.jpegs import jpeg

PHOTO, OTHER, CMYK = jpeg("L"), jpeg(), jpeg("CMYK")
ARITHMETIC = PHOTO.replace(b"\xff\xc0", b"\xff\xc9")
CUT = PHOTO[:-40]
APART = "the JPEG file is kept as it is, as it"


def write(**files):
    for name, data in files.items():
        path = Path(name.replace("_", "."))
        path.write_bytes(data)


def removed(name):
    """The bytes of a file, which is there no more."""
    data = Path(name).read_bytes()
    Path(name).unlink()
    return data


@pytest.mark.parametrize("data", [PHOTO, CMYK, PHOTO + OTHER], ids=["grey", "CMYK", "two pictures"])
def test_the_same_file_comes_back(run, data):
    write(photo_jpg=data)
    assert run("compress", "photo.jpg") == (0, "", "")
    assert removed("photo.jpg") == data
    assert len(Path("photo.jpg.vz").read_bytes()) < len(data)
    assert run("test", "photo.jpg.vz") == (0, "photo.jpg.vz: ok (1 picture)\n", "")
    assert run("decompress", "photo.jpg.vz") == (0, "", "")
    assert removed("photo.jpg") == data


@pytest.mark.parametrize("name", ["photo", "photo.JPEG", "photo.png", "photo.old.jpe"])
def test_the_file_has_the_name_that_it_had(run, name):
    """Or one of a JPEG, if it had no suffix of a picture."""
    Path(name).write_bytes(PHOTO)
    assert run("compress", name) == (0, "", "")
    Path(name).unlink()
    assert run("decompress", f"{name}.vz") == (0, "", "")
    assert removed(name if "." in name else f"{name}.jpg") == PHOTO


def test_pixels_are_written_where_another_format_is_asked_for(run):
    write(photo_jpg=PHOTO)
    assert run("compress", "photo.jpg", "-o", "p.vz") == (0, "", "")
    assert run("decompress", "p.vz", "-o", "x.png") == (0, "", "")
    assert vaezip.pictures.same(vaezip.pictures.read("x.png"), vaezip.pictures.read("photo.jpg"))
    assert run("decompress", "p.vz", "-o", "x.jpg") == (0, "", "")
    assert removed("x.jpg") == PHOTO
    assert run("decompress", "p.vz") == (0, "", "")
    assert removed("p.jpg") == PHOTO


def test_pixels_that_are_refused_cannot_be_written(run):
    write(photo_jpg=CMYK)
    assert run("compress", "photo.jpg", "-o", "p.vz") == (0, "", "")
    expected = "vaezip: p.vz: 8-bit CMYK JPEG pictures are not supported; convert to RGB first\n"
    assert run("decompress", "p.vz", "-o", "x.png") == (1, "", expected)
    assert not Path("x.png").exists()


def test_standard_input_and_output(run):
    made = run("compress", "-", stdin=PHOTO)
    assert made.status == 0
    assert run("decompress", "-", stdin=made.out) == (0, PHOTO, "")


def test_what_cannot_be_taken_apart_is_kept_with_a_remark(run):
    write(a_jpg=ARITHMETIC, b_jpg=CUT)
    assert run("compress", "a.jpg") == (0, "", f"a.jpg: {APART} is arithmetic-coded\n")
    told = f"2 pictures: {APART} is arithmetic-coded, is damaged; -v lists them\n"
    assert run("compress", "a.jpg", "b.jpg", "-o", "set.vz") == (0, "", told)
    assert run("compress", "-q", "a.jpg", "b.jpg", "-o", "quiet.vz") == (0, "", "")
    assert removed("a.jpg") == ARITHMETIC
    assert run("decompress", "a.jpg.vz") == (0, "", "")
    assert removed("a.jpg") == ARITHMETIC


def test_a_folder_of_mixed_files_goes_into_one_archive(run, save):
    Path("in").mkdir()
    files = {"in/a.jpg": PHOTO, "in/b.jpg": CMYK, "in/cut.jpg": CUT, "in/odd.png": OTHER}
    for name, data in files.items():
        Path(name).write_bytes(data)
    save("in/z.png")
    assert run("compress", "in", "-o", "set.vz") == (0, "", f"in/cut.jpg: {APART} is damaged\n")
    assert run("test", "set.vz") == (0, "set.vz: ok (5 pictures)\n", "")
    assert run("decompress", "set.vz", "-o", "out") == (0, "", "")
    assert {name: Path(name.replace("in", "out", 1)).read_bytes() for name in files} == files
    assert vaezip.pictures.same(vaezip.pictures.read("out/z.png"), vaezip.pictures.read("in/z.png"))
    assert run("decompress", "set.vz", "--only", "a.jpg", "-o", "one.jpg") == (0, "", "")
    assert removed("one.jpg") == PHOTO
    assert run("decompress", "set.vz", "--only", "b.jpg") == (0, "", "")
    assert Path("set/b.jpg").read_bytes() == CMYK


def test_pixels_are_coded_where_they_are_asked_for(run, few_models):
    write(a_jpg=PHOTO, b_jpg=CMYK, c_jpg=CUT)
    assert run("compress", "--pixels", "a.jpg") == (0, "", "")
    assert run("decompress", "a.jpg.vz") == (0, "", "")
    assert vaezip.pictures.same(vaezip.pictures.read("a.jpg.png"), vaezip.pictures.read("a.jpg"))
    assert run("compress", "--pixels", "b.jpg", "c.jpg").status == 1
    assert not Path("b.jpg.vz").exists()


def test_too_large_a_file(run):
    write(a_jpg=PHOTO)
    expected = "vaezip: a.jpg: 594 pixels are more than the limit of 500; raise it with --max-pixels\n"
    assert run("compress", "--max-pixels", "500", "a.jpg") == (1, "", expected)
    assert run("compress", "--max-pixels", "594", "a.jpg") == (0, "", "")
    expected = "vaezip: a.jpg.vz: 594 pixels are more than the limit of 500; raise it with --max-pixels\n"
    assert run("test", "--max-pixels", "500", "a.jpg.vz").err == expected


def test_info(run):
    write(a_jpg=PHOTO)
    run("compress", "a.jpg")
    size = len(Path("a.jpg.vz").read_bytes())
    out = run("info", "a.jpg.vz").out
    assert "L     33×18" in out
    assert "the file as it was (JPEG)" in out
    told = json.loads(run("info", "--json", "a.jpg.vz").out)[0]
    assert told["bits_per_dimension"] == 8 * size / (33 * 18)
    (picture,) = told["pictures"]
    assert picture.pop("bytes") < size
    assert picture == {
        "name": "",
        "mode": "L",
        "file_bytes": len(PHOTO),
        "width": 33,
        "height": 18,
        "blocks": [0],
        "metadata": [],
        "modified": None,
    }
    assert [block["method"] for block in told["blocks"]] == ["jpeg"]


def test_a_summary_tells_the_share(run):
    write(a_jpg=PHOTO)
    told = run("compress", "-v", "a.jpg").err
    size = len(Path("a.jpg.vz").read_bytes())
    share = f"{len(PHOTO):,} → {size:,} bytes ({100 * size / len(PHOTO):.1f} %, {8 * size / 594:.2f} bpd, jpeg)"
    assert share in told
