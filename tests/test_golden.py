"""Files of this revision of the format, and of every release from 0.2 on; see golden/make_golden.py."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest

import vaezip
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


def learned_blocks(data):
    """Return (fingerprint, steps, payload) of the blocks by models; those by WebP depend on what Pillow brings."""
    groups = vz.parse(data).groups
    return [(b.model, payloads.steps_of(b.payload), b.payload) for g in groups for b in g.blocks if b.model != NO_MODEL]


def webp_is_the_same():
    """As what made the golden files."""
    path = make_golden.HERE / "classic.vz"
    return make_golden.compress(expected(path), cases()["classic"][1]) == path.read_bytes()


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
    blocks = learned_blocks(path.read_bytes())
    by_webp_too = any(p.mode in ("LA", "RGBA") or p.samples.dtype == np.uint16 for p in expected(path).values())
    if not blocks or (by_webp_too and not webp_is_the_same()):
        pytest.skip("WebP's bytes depend on the encoder that Pillow brings")
    _, options = cases()[path.stem]
    is_chosen = path.stem == "embedded" or path.stem.startswith("halved")  # of whose parts no model can be chosen
    if not by_webp_too and has_model(blocks[0][0]) and not is_chosen:  # whose bytes could change what is chosen
        options = options | {"model": model_file.by_fingerprint(blocks[0][0]).stem}
    found = make_golden.compress(expected(path), options | {"verify": False})  # test_it_decodes does so
    assert learned_blocks(found) == blocks


@pytest.mark.parametrize("name", sorted(model_file.shipped()))
def test_every_shipped_model_has_golden_files_with_steps_and_without(name):
    """Missing? Run tests/golden/make_golden.py, once the model is final."""
    fingerprint = model_file.fingerprint(model_file.find(name))
    steps = {k > 0 for path in FILES for model, k, _ in learned_blocks(path.read_bytes()) if model == fingerprint}
    assert steps == {False, True}


def test_there_are_golden_files_without_models():
    for name in ("classic", "classic-16", "verbatim", "verbatim-set"):
        assert not learned_blocks((make_golden.HERE / f"{name}.vz").read_bytes())


def test_there_are_golden_files_of_drawn_pictures():
    for mode in ("1", "p", "rgb", "rgba", "set"):
        blocks = learned_blocks((make_golden.HERE / f"graphic-{mode}.vz").read_bytes())
        assert {mark for mark, _, _ in blocks} == {GRAPHIC}


def test_there_are_golden_files_of_what_models_code_in_part():
    """The upper bits of 16, and alpha."""
    for name in ("photo-16", "photo-gray-16", "photo-alpha"):
        assert learned_blocks((make_golden.HERE / f"{name}.vz").read_bytes())
    ((_, _, payload),) = learned_blocks((make_golden.HERE / "photo-alpha.vz").read_bytes())
    assert payloads._read_alpha(payload[1:])[0] == model_file.fingerprint(model_file.find("photo-gray"))


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
    classic = {k: v for k, v in cases().items() if k == "classic"}
    monkeypatch.setattr(make_golden, "cases", lambda: classic)
    make_golden.main(tmp_path)
    written = (tmp_path / "classic.vz").read_bytes()
    assert vaezip.pictures.same(vaezip.decompress(written), classic["classic"][0][""])
    (tmp_path / "classic.vz").write_bytes(b"precious")
    make_golden.main(tmp_path)
    assert (tmp_path / "classic.vz").read_bytes() == b"precious"
