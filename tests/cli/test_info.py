import json
import math
import os
import re
from pathlib import Path

import pytest

import vaezip
from tests.origins.pictures import planes
from vaezip.cli import info
from vaezip.cli.tables import table
from vaezip.codec import payload as payloads
from vaezip.models import file as model_file
from vaezip.origins.colour import named
from vaezip.pictures.picture import Picture
from vaezip.vz import archive as vz
from vaezip.vz.records import REVISION, VERSION

from .conftest import digit, noise, reason

pytestmark = pytest.mark.usefixtures("few_models")


def fingerprint(path):
    return model_file.fingerprint(path).hex()


@pytest.fixture
def one():
    """a.vz, coded by the model 'mnist'; gives its size."""
    Path("a.vz").write_bytes(vaezip.compress(digit(), model="mnist", steps=0))
    return os.path.getsize("a.vz")


@pytest.fixture
def two():
    """set.vz, a picture that a coder without a model holds, with metadata, and one that a model holds."""
    dots = noise("P")
    dots = Picture(dots.mode, dots.samples, (*dots.boxes, ("resolution", bytes(9)), ("gamma", bytes(4))))
    Path("set.vz").write_bytes(vaezip.compress([("a b.png", digit()), ("dots.png", dots)]))
    return os.path.getsize("set.vz")


def test_single_picture(run, one):
    mark, size = fingerprint(model_file.find("mnist")), vaezip.open("a.vz").info()["blocks"][0]["bytes"]
    assert run("info", "a.vz") == (
        0,
        f"a.vz: 1 picture, {one} bytes, {one / 7.84:.1f} % of 784 raw, {8 * one / 784:.4f} bpd\n"
        "  name       mode  size   bytes  of raw  metadata\n"
        f"  (no name)  L     28×28  {size:>5}  {size / 7.84:.1f} %  -\n"
        "  method       model     steps  blocks  bytes\n"
        f"  model mnist  {mark}      0       1  {size:>5}\n",
        "",
    )


def test_set_and_coder_without_a_model(run, two):
    status, out, err = run("info", "set.vz")
    lines = out.splitlines()
    assert (status, err) == (0, "")
    raw = f"{two / 8.14:.1f} % of 814 raw"
    assert lines[0] == f"set.vz: 2 pictures, {two:,} bytes, {raw}, {8 * two / (784 + 30):.4f} bpd"
    assert [line.split("  ")[1] for line in lines[2:4]] == ["a b.png", "dots.png"]
    assert lines[3].endswith("  gamma, palette, resolution")
    drawn, model = sorted(lines[5:])
    assert drawn.startswith("  drawn picture (contexts and matches)  -")
    assert model.startswith("  model mnist")  # or mnist-classic


def test_json(run, two):
    status, out, err = run("info", "--json", "set.vz")
    (found,) = json.loads(out)
    assert (status, err) == (0, "")
    rate = found.pop("bits_per_dimension")
    assert rate == pytest.approx(8 * two / (784 + 30))
    assert (found.pop("sequence"), found.pop("raw_bytes")) == (None, 784 + 30)
    assert found == {"file": "set.vz", "bytes": two, **vaezip.open("set.vz").info()}
    assert list(found["pictures"][0]) == ["name", "mode", "width", "height", "metadata", "modified", "blocks", "bytes"]
    assert list(found["blocks"][0]) == ["method", "fingerprint", "bytes", "steps", "steps_on", "origin"]
    assert found["blocks"][1]["method"] == "graphic"


def test_json_of_several_goes_on_after_one_that_fails(run, one):
    status, out, err = run("info", "--json", "none.vz", "a.vz")
    assert (status, err) == (1, "vaezip: none.vz: cannot be read: No such file or directory\n")
    assert [found["file"] for found in json.loads(out)] == ["a.vz"]


def test_many_pictures_are_cut_short(run, monkeypatch):
    monkeypatch.setattr(info, "_FEW", 2)
    pictures = [(f"{i}.png", digit(i)) for i in range(3)]
    Path("set.vz").write_bytes(vaezip.compress([*pictures, ("x.png", noise("RGB"))]))
    share = vaezip.open("set.vz").info()["blocks"][0]["bytes"] // 3
    words = f"{share:>5}  {share / 7.84:>4.1f} %"
    lines = run("info", "set.vz").out.splitlines()
    assert lines[1:8] == [
        "  pictures  mode  size",
        "         3  L     28×28",
        "         1  RGB   6×5",
        "  name   mode  size   bytes  of raw  metadata",
        f"  0.png  L     28×28  {words}  -",
        f"  1.png  L     28×28  {words}  -",
        "  … and 2 more; -v lists all",
    ]
    listed = run("info", "-v", "set.vz").out.splitlines()
    assert [line.split()[0] for line in listed[2:6]] == ["0.png", "1.png", "2.png", "x.png"]


def test_standard_input(run, one):
    out = run("info", "-", stdin=Path("a.vz").read_bytes()).out
    assert out.decode().startswith(f"standard input: 1 picture, {one} bytes, ")


def test_blocks_of_a_kind_stand_together(run, two):
    blocks = [
        {"method": "deep", "fingerprint": "00000004", "bytes": 7, "steps": 0, "steps_on": ""},
        {"method": "m", "fingerprint": "01020304", "bytes": 1000, "steps": 3, "steps_on": "posterior"},
        {"method": "m", "fingerprint": "01020304", "bytes": 500, "steps": 3, "steps_on": "posterior"},
        {"method": "m", "fingerprint": "01020304", "bytes": 1, "steps": 0, "steps_on": "posterior"},
    ]
    assert list(info._block_rows(blocks)) == [
        ["model m", "01020304", "3 on the posterior", "2", "1,500"],
        ["deep picture (regression and contexts)", "-", "-", "1", "7"],
        ["model m", "01020304", "0", "1", "1"],
    ]


def test_what_pictures_were_before_is_told(run):
    samples = named()[0].map.samples(planes(24, 24))[0]
    samples[3, 4] = 255, 0, 7
    Path("a.vz").write_bytes(vaezip.compress(vaezip.Picture("RGB", samples), model="photo", preset=2))
    assert run("info", "a.vz").out.splitlines()[-1] == "  JPEG colours, 99.82 % explained"
    (found,) = json.loads(run("info", "--json", "a.vz").out)
    assert found["blocks"][0]["origin"] == {
        "name": "JPEG colours",
        "chroma": "4:4:4",
        "pixels": 576,
        "explained": 575,
    }


def test_chroma_at_half_the_resolution_is_told():
    whole = {"name": "WebP colours", "chroma": "4:4:4", "pixels": 100, "explained": 100}
    half = {"name": "WebP colours", "chroma": "4:2:0", "pixels": 10_000, "explained": 9_998}
    assert list(info.origins([{"origin": origin} for origin in (whole, half, half)])) == [
        "WebP colours, chroma 4:2:0, 99.98 % explained",
        "WebP colours, 100 % explained",
    ]


def test_model_that_is_not_here_has_the_name_that_the_file_gives(run, other_model):
    Path("set.vz").write_bytes(vaezip.compress([("a.png", digit())], model=other_model))
    assert run("info", "set.vz").out.splitlines()[-1].split()[:3] == ["model", "other", fingerprint(other_model)]
    known = run("info", "set.vz", "--model", str(other_model))
    assert known.out.splitlines()[-1].split()[:3] == ["model", "other", fingerprint(other_model)]


def test_no_pixels_are_decoded(run, one, monkeypatch):
    monkeypatch.delattr(payloads, "decode")
    assert run("info", "a.vz").status == 0


def test_file_without_its_end(run, one):
    data = Path("a.vz").read_bytes()
    Path("a.vz").write_bytes(data[:14])
    assert run("info", "a.vz") == (1, "", "vaezip: a.vz: the file is truncated\n")


def test_name_cannot_steer_the_terminal(run):
    Path("set.vz").write_bytes(vaezip.compress([("\x1b[2J.png", digit())]))
    assert "  \\x1b[2J.png  L  " in run("info", "set.vz").out


def test_model_in_the_file(run, other_model):
    Path("set.vz").write_bytes(vaezip.compress([("a.png", digit())], model=other_model, embed_model=True))
    mark = fingerprint(other_model)
    other_model.unlink()
    status, out, err = run("info", "set.vz")
    assert (status, err) == (0, "")
    *_, block, head, row = out.splitlines()
    assert block.split()[:3] == ["model", "other", mark]
    assert head.split("  ")[1] == "model in the file"
    (model,) = json.loads(run("info", "--json", "set.vz").out)[0]["models"]
    assert (model["name"], model["fingerprint"]) == ("other", mark)
    assert row.split() == ["other", mark, f"{model['bytes']:,}"]


def test_one_long_name_does_not_widen_the_lines_of_the_others():
    rows = [["name", "mode"], ["a" * 4000, "L"], *([f"{i}.png", "L"] for i in range(9))]
    lines = list(table(rows))
    assert lines[1] == "a" * 4000 + "  L"
    assert max(map(len, lines[2:])) <= 250


def test_times_of_a_set(run):
    with vaezip.Compressor(model="mnist") as compressor:
        compressor.add("a.png", digit(0), modified=1_700_000_000)
        compressor.add("b.png", digit(1))
        compressor.add("c.png", digit(2), modified=-62_135_596_800)
        Path("set.vz").write_bytes(compressor.close())
    lines = run("info", "set.vz").out.splitlines()
    assert lines[1].endswith("  metadata  modified (UTC)")
    ends = ["2023-11-14 22:13", "-", "0001-01-01 00:00"]
    assert [line.endswith(f"  -         {end}") for line, end in zip(lines[2:5], ends)] == [True] * 3
    (found,) = json.loads(run("info", "--json", "set.vz").out)
    assert [p["modified"] for p in found["pictures"]] == ["2023-11-14T22:13:20Z", None, "0001-01-01T00:00:00Z"]


def test_raw_bytes_are_those_of_the_samples(run, save):
    for mode, size in (("1", 3 * 5 / 8), ("P", 3 * 5), ("RGBA", 3 * 5 * 4), ("RGB;16", 3 * 5 * 6)):
        save("a.png", noise(mode, 3, 5))
        Path("a.vz").write_bytes(vaezip.compress("a.png"))
        (found,) = json.loads(run("info", "--json", "a.vz").out)
        assert found["raw_bytes"] in (math.ceil(size), None)  # None where the file is smaller
        assert (found["raw_bytes"] is None) == (found["pictures"][0]["mode"] == "verbatim")


# Damage that shows without pixels


def spoilt(path, place):
    """Change a byte of a file."""
    data = bytearray(Path(path).read_bytes())
    data[place] ^= 1
    Path(path).write_bytes(data)


def test_a_damaged_model_in_the_file_is_told(run, other_model):
    Path("own.vz").write_bytes(vaezip.compress([("a.png", digit())], model=other_model, embed_model=True))
    (model,) = vaezip.open("own.vz").file.embedded.values()
    spoilt("own.vz", Path("own.vz").read_bytes().index(model.packed) + 40)
    status, out, err = run("info", "own.vz")
    said = f"vaezip: own.vz: the model in the file (other, {fingerprint(other_model)}) is damaged\n"
    assert (status, err) == (1, said)
    assert out.startswith("own.vz: 1 picture, ")
    assert run("info", "--json", "own.vz")[::2] == (1, said)


def test_a_damaged_file_that_was_kept_is_told(run):
    for name, seed in (("a", 1), ("b", 2)):
        Path(f"{name}.pgm").write_bytes(vaezip.pictures.write(noise("L", 40, 40, seed), ".pgm"))
    assert run("compress", "a.pgm", "b.pgm", "-o", "set.vz") == (0, "", "")
    assert run("info", "set.vz").status == 0
    spoilt("set.vz", 500)
    said = f"vaezip: set.vz: a.pgm: {reason(vaezip.open('set.vz').original, 'a.pgm')}\n"
    assert run("info", "set.vz")[::2] == (1, said)


def test_a_copy_without_its_original_is_told(run):
    twice = noise("RGB", 40, 40)
    Path("set.vz").write_bytes(vaezip.compress([("a.png", twice), ("b.png", twice)]))
    data = Path("set.vz").read_bytes()
    spoilt("set.vz", data.index(b"a.png"))
    status, _, err = run("info", "set.vz")
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith("vaezip: set.vz: b.png: the name of the picture that it equals fails its checksum")


def documented(heading):
    """The fields that a section of docs/cli.md has in its table, with those of the objects in lists."""
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    rows = page.split(f"## `vaezip {heading} --json`\n")[1].split("\n## ")[0].splitlines()
    found = set()
    for row in rows:
        if row.startswith("| `"):
            first, *others = re.findall(r"`([^`]+)`", row.split(" | ")[0])
            parent = first.split(".")[0] if "[]" in first else ""
            found |= {first, *(parent + name if name.startswith(".") else name for name in others)}
    return found


def fields(found, parent=""):
    """The fields of an object and of the objects in its lists, in the words of docs/cli.md."""
    for name, value in found.items():
        yield parent + name
        if isinstance(value, list) and parent == "":
            for item in value:
                yield from fields(item, f"{name}[].")


def test_every_field_is_documented_and_there(run, one, two, other_model):
    Path("own.vz").write_bytes(vaezip.compress([("a.png", digit())], model=other_model, embed_model=True))
    found = json.loads(run("info", "--json", "a.vz", "set.vz", "own.vz").out)
    assert {name for some in found for name in fields(some)} == documented("info")
    assert [some["layout"] for some in found] == ["inline", "archive", "archive"]
    assert [some["file"] for some in found] == ["a.vz", "set.vz", "own.vz"]
    assert {(some["version"], some["revision"]) for some in found} == {(VERSION, REVISION)}


def test_file_that_is_kept_as_it_was(run):
    data = vaezip.pictures.write(noise("L", 40, 40), ".pgm")
    Path("a.pgm").write_bytes(data)
    assert run("compress", "a.pgm") == (0, "", "")
    (found,) = json.loads(run("info", "--json", "a.pgm.vz").out)
    place = {"blocks": [0], "bytes": found["blocks"][0]["bytes"]}
    kept = {"name": "", "mode": "verbatim", "file_bytes": len(data), **place, "metadata": [], "modified": None}
    assert found["pictures"] == [kept]
    (block,) = found["blocks"]
    assert (block["method"], block["fingerprint"], block["steps_on"]) == ("verbatim", "00000000", None)
    assert (found["bits_per_dimension"], found["raw_bytes"]) == (None, None)
    assert "the file as it was" in run("info", "a.pgm.vz").out


def test_single_picture_of_the_size_of_a_model_that_is_not_here(run, other_model):
    Path("a.vz").write_bytes(vaezip.compress(digit(), model=other_model))
    status, out, err = run("info", "--json", "a.vz")
    assert (status, json.loads(out)) == (1, [])
    assert err == f"vaezip: a.vz: {reason(vaezip.open, 'a.vz')}\n"
    assert run("info", "a.vz", "--model", str(other_model)).status == 0


def test_model_that_is_not_here_and_has_no_name(run, other_model):
    groups = vz.parse(vaezip.compress([("a.png", digit())], model=other_model)).groups
    Path("a.vz").write_bytes(vz.write_archive(groups, {}))
    (block,) = json.loads(run("info", "--json", "a.vz").out)[0]["blocks"]
    assert (block["method"], block["fingerprint"], block["steps_on"]) == ("unknown", fingerprint(other_model), None)


def test_quiet_tells_it_all_the_same(run, one):
    assert run("info", "-q", "a.vz") == run("info", "a.vz")
