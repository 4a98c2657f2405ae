"""The Protocol of models: a third family, one folder and one line of the registry, does all that others do."""

import ast
import functools
import re
from pathlib import Path

import numpy as np
import pytest

import vaezip
from vaezip.bench import runner
from vaezip.bench.plan import Plan
from vaezip.errors import FormatError, ModelError
from vaezip.models import file as model_file
from vaezip.models import registry
from vaezip.models.posterior import Settings
from vaezip.models.registry import Family
from vaezip.models.sampling import sample
from vaezip.pictures import Picture

from .histogram.model import KIND, HistogramArchitecture

PACKAGE = Path(vaezip.__file__).parent
OWN_ROOMS = ("models/tile", "models/pixel", "training/families", "training/networks")
"""The folders that belong to a family."""


@pytest.fixture
def family(monkeypatch):
    """One line of the registry."""
    folder = "tests.models.histogram"
    monkeypatch.setitem(registry.FAMILIES, KIND, Family(f"{folder}.model", f"{folder}.search"))


@pytest.fixture
def path(family, tmp_path):
    """A model file of the family: dark pictures are likely."""
    counts = np.full(256, 64, np.int32)
    counts[:128] += 384 - 192
    counts[:128] += ((1 << 16) - counts.sum()) // 128
    path = tmp_path / "dark.safetensors"
    model_file.save(
        path,
        HistogramArchitecture(),
        settings=Settings(),
        tensors={"counts": counts},
        information={"objective": "counting"},
    )
    return path


def dark(height, width, seed=0):
    samples = np.random.default_rng(seed).integers(0, 100, (height, width, 1)).astype(np.uint8)
    return Picture("L", samples)


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (37, 41)])
def test_it_compresses_and_decompresses(path, size):
    picture = dark(*size)
    data = vaezip.compress(picture, model=path)
    assert vaezip.Archive(data, models=(path,)).info()["blocks"][0]["method"] == "dark"
    assert vaezip.pictures.same(vaezip.decompress(data, models=(path,)), picture)


def test_sets_and_files_that_hold_the_model(path):
    pictures = {f"{i}.png": dark(20, 30, i) for i in range(5)}
    data = vaezip.compress(pictures.items(), model=path, embed_model=True)
    found = vaezip.decompress(data)
    assert all(vaezip.pictures.same(found[name], picture) for name, picture in pictures.items())


def test_its_own_payload_is_checked(path):
    data = bytearray(vaezip.compress(dark(9, 9), model=path))
    data[-5] ^= 1
    with pytest.raises(FormatError):
        vaezip.decompress(bytes(data), models=(path,))


def test_it_samples(path):
    pictures = sample(model_file.load(path), 3, seed=1)
    assert [p.samples.shape for p in pictures] == [(8, 8, 1)] * 3
    assert np.mean([p.samples.mean() for p in pictures]) < 110
    assert not vaezip.pictures.same(*pictures[:2])


def test_it_is_measured(path, tmp_path):
    (tmp_path / "set").mkdir()
    for i in range(3):
        (tmp_path / "set" / f"{i}.png").write_bytes(vaezip.pictures.write(dark(40, 50, i), ".png"))
    plan = Plan(str(tmp_path / "set"), models=(str(path),), peers=(), orders=("set",), isolated=False)
    (row,) = runner.run(plan, lambda _: None).models
    assert row.figures.bpd == pytest.approx(row.elbo_bpd, rel=0.05)


def test_a_family_that_is_not_known_is_refused(path, monkeypatch):
    monkeypatch.delitem(registry.FAMILIES, KIND)
    with pytest.raises(ModelError, match="models of kind 'histogram' are unknown"):
        model_file.load(path)


def test_nothing_asks_for_the_kind_of_a_model():
    """Outside the folders of the families: no isinstance, no comparison of kinds, no hasattr."""
    guilty = []
    for file in PACKAGE.rglob("*.py"):
        name = file.relative_to(PACKAGE).as_posix()
        if name.startswith((*OWN_ROOMS, "pictures")):  # which knows no models: a kind is that of samples there
            continue
        guilty += [f"{name}:{node.lineno}" for node in ast.walk(ast.parse(file.read_text())) if _asks(node)]
    assert guilty == []


@functools.cache
def _classes() -> set[str]:
    """Return the names of all classes of the families."""
    files = [file for room in OWN_ROOMS for file in (PACKAGE / room).rglob("*.py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    return {node.name for node in nodes if isinstance(node, ast.ClassDef)}


def _asks(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        text = ast.unparse(node)
        return (node.func.id == "isinstance" and not _classes().isdisjoint(re.findall(r"\w+", text))) or (
            node.func.id == "hasattr" and ("model" in text or "architecture" in text)
        )
    return isinstance(node, ast.Compare) and ".kind" in ast.unparse(node).replace("dtype.kind", "")
