"""What docs/architecture.md names is there."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vaezip

PACKAGE = Path(vaezip.__file__).parent
PAGE = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
ROOMS = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
TABLE = re.findall(r"^\| `([\w/]+)` \| .*? \| (.*?) \|$", PAGE.split("## The invariants")[0], re.MULTILINE)
NAMED = sorted(set(re.findall(rf"`((?:{'|'.join(sorted(ROOMS))})/[\w/]+)\.(\w+)`", PAGE)))
NAMED = [(module, name) for module, name in NAMED if "NAME" not in module]


def defined(module):
    """Return the names that a module defines, and the modules of a package."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    found = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def test_every_room_has_a_line():
    rooms = {room.split("/")[0] for room, _ in TABLE}
    assert rooms == ROOMS | {"errors"}


@pytest.mark.parametrize(("module", "name"), NAMED)
def test_what_it_names_is_there(module, name):
    if name == "py":
        assert (PACKAGE / f"{module}.py").is_file()
    else:
        assert name in defined(PACKAGE / f"{module}.py")


def test_it_names_much():
    assert len(NAMED) > 50


@pytest.mark.parametrize("shape", [(28, 28, 1), (20, 30, 3)])
def test_decoding_imports_nothing_of_the_encoder(tmp_path, shape):
    samples = np.arange(np.prod(shape)).reshape(shape).astype(np.uint8)
    picture = vaezip.Picture("L" if shape[2] == 1 else "RGB", samples)
    path = tmp_path / "a.vz"
    path.write_bytes(vaezip.compress(picture, model="mnist" if shape[2] == 1 else "photo", preset=3))
    code = f"import sys, vaezip; vaezip.open({str(path)!r}).read(); print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "vaezip.codec.payload" in found
    encoders = ("search", "effort", "compressor", "training")
    assert [m for m in found if m.startswith("vaezip.") and any(part in encoders for part in m.split("."))] == []


def test_nothing_is_unpickled_and_nothing_is_downloaded_while_decoding():
    """SECURITY.md promises it. A training reads its own state by PyTorch, as numbers alone. Kernels, which are code,
    come from the user's own folder."""
    for path in sorted(PACKAGE.rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        imported = {a.name.split(".")[0] for n in nodes if isinstance(n, ast.Import) for a in n.names}
        imported |= {(n.module or "").split(".")[0] for n in nodes if isinstance(n, ast.ImportFrom)}
        called = [(ast.unparse(n.func), n) for n in nodes if isinstance(n, ast.Call)]
        name = path.relative_to(PACKAGE).as_posix()
        if name != "exact/kernel_cache.py":
            assert not imported & {"pickle", "marshal", "shelve"}, name
        assert not {function for function, _ in called} & {"eval", "exec", "np.load"}, name
        for call in (call for function, call in called if function == "torch.load"):
            assert "weights_only=True" in ast.unparse(call), name
        if name != "pictures/datasets.py":
            assert not imported & {"urllib", "http", "socket", "ssl", "requests", "pooch"}, name
