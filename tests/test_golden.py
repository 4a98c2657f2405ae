"""Files of this revision of the format, and of every release from 0.2 on; see golden/make_golden.py."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest

import vaezip
from vaezip.codec import metadata
from vaezip.codec import payload as payloads
from vaezip.codec.coders import GRAPHIC
from vaezip.models import file as model_file
from vaezip.vz import archive as vz
from vaezip.vz.records import NO_MODEL, has_model

FOLDER = Path(__file__).parent / "golden"
FILES = sorted(set(FOLDER.glob("*.vz")) - set(FOLDER.glob("*.jpg.vz")))
JPEGS = sorted(FOLDER.glob("*.jpg"))

_spec = importlib.util.spec_from_file_location("make_golden", FOLDER / "make_golden.py")
make_golden = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make_golden)
cases = functools.cache(make_golden.cases)


def expected(path):
    with np.load(path.with_suffix(".npz")) as arrays:
        return make_golden.from_arrays(dict(arrays))


def blocks_of(data):
    return [block for group in vz.parse(data).groups for block in group.blocks]


def marks(name):
    """Return what stands in the place of fingerprints in a golden file."""
    return {block.model for block in blocks_of((make_golden.HERE / f"{name}.vz").read_bytes())}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_it_decodes(path):
    pictures = expected(path)
    found = vaezip.decompress(path.read_bytes())
    found = {"": found} if isinstance(found, vaezip.Picture) else found
    assert set(found) == set(pictures)
    for name, picture in pictures.items():
        assert vaezip.pictures.same(found[name], picture), name


QUICK = ("cifar10-k3", "mnist-binary-k3", "mnist-k3", "photo-small-k3")
"""Of the files with three steps of inference, which take longest, one of each kind of network."""


def again(path):
    """A file to make again."""
    slow = path.stem.endswith("-k3") and path.stem not in QUICK
    return pytest.param(path, id=path.stem, marks=pytest.mark.slow if slow else ())


@pytest.mark.parametrize("path", [again(path) for path in FILES])
def test_the_same_pictures_give_the_same_bytes(path):
    blocks = blocks_of(path.read_bytes())
    _, options = cases()[path.stem]
    is_chosen = path.stem in ("archive", "embedded", "predictors") or path.stem.startswith(
        "halved"
    )  # by several models, or another
    if has_model(blocks[0].model) and not is_chosen:  # whose bytes could change what is chosen
        options = options | {"model": model_file.by_fingerprint(blocks[0].model).stem}
    found = make_golden.compress(expected(path), options | {"verify": False})  # test_it_decodes does so
    assert blocks_of(found) == blocks


@pytest.mark.parametrize("name", sorted(model_file.shipped()))
def test_every_shipped_model_has_golden_files_with_steps_and_without(name):
    """Missing? Run tests/golden/make_golden.py, once the model is final."""
    fingerprint = model_file.fingerprint(model_file.find(name))
    blocks = [block for path in FILES for block in blocks_of(path.read_bytes()) if block.model == fingerprint]
    assert {payloads.steps_of(block.payload) > 0 for block in blocks} == {False, True}


def test_there_are_golden_files_of_files_that_are_kept():
    assert marks("verbatim") == marks("verbatim-set") == {NO_MODEL}


@pytest.mark.parametrize("mode", ["1", "p", "rgb", "rgba", "noise", "set"])
def test_there_are_golden_files_of_drawn_pictures(mode):
    assert marks(f"graphic-{mode}") == {GRAPHIC}


def test_there_is_a_golden_file_of_a_palette_by_count():
    (group,) = vaezip.Archive((make_golden.HERE / "graphic-counted.vz").read_bytes()).file.groups
    assert metadata.is_counted(group.boxes[0])


@pytest.mark.parametrize(("name", "by_model"), [("photo-alpha", True), ("photo-cut-out", False)])
def test_there_are_golden_files_of_alpha_by_a_model_and_without_one(name, by_model):
    (block,) = blocks_of((make_golden.HERE / f"{name}.vz").read_bytes())
    assert block.model == model_file.fingerprint(model_file.find("photo"))
    grey = model_file.fingerprint(model_file.find("photo-gray"))
    assert payloads._read_alpha(block.payload[1:])[0].model == (grey if by_model else GRAPHIC)


@pytest.mark.parametrize("path", JPEGS, ids=lambda path: path.name)
def test_jpeg_comes_back_and_gives_the_same_bytes(path):
    data, golden = path.read_bytes(), Path(f"{path}.vz").read_bytes()
    assert vaezip.Archive(golden).original() == data
    assert vaezip.compress(data) == golden


def test_arrays_and_back():
    for pictures, _ in cases().values():
        back = make_golden.from_arrays(make_golden.to_arrays(pictures))
        assert list(back) == list(pictures)
        assert all(vaezip.pictures.same(back[name], pictures[name]) for name in pictures)


def test_what_exists_is_never_written_again(tmp_path, monkeypatch):
    one = {k: v for k, v in cases().items() if k == "graphic-p"}
    monkeypatch.setattr(make_golden, "cases", lambda: one)
    make_golden.main(tmp_path)
    written = (tmp_path / "graphic-p.vz").read_bytes()
    assert vaezip.pictures.same(vaezip.decompress(written), one["graphic-p"][0][""])
    (tmp_path / "graphic-p.vz").write_bytes(b"precious")
    make_golden.main(tmp_path)
    assert (tmp_path / "graphic-p.vz").read_bytes() == b"precious"
