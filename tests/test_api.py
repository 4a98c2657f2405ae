import doctest
import importlib
import pickle
import pkgutil
import runpy
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import vaezip
from vaezip.models import file as model_file

ROOT = Path(__file__).parents[1]
MODULES = [m.name for m in pkgutil.walk_packages(vaezip.__path__, "vaezip.") if not m.name.endswith("__main__")]
OTHERS = [f"vaezip.integrations.{name}" for name in ("numcodecs", "zarr") if find_spec(name) is None]
MODULES = [name for name in MODULES if name not in OTHERS]


@pytest.mark.parametrize("name", vaezip.__all__)
def test_every_public_name_is_there(name):
    assert getattr(vaezip, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = vaezip.nonsense


def test_errors_have_one_root():
    names = [n for n in vaezip.__all__ if n.endswith("Error")]
    assert len(names) == 6
    assert all(issubclass(getattr(vaezip, n), vaezip.VaezipError) for n in names)


@pytest.mark.parametrize("name", MODULES)
def test_every_module_can_be_imported_and_says_what_it_is(name):
    assert importlib.import_module(name).__doc__


def test_examples_in_the_documentation():
    found = {name: doctest.testmod(importlib.import_module(name)) for name in ("vaezip", *MODULES)}
    assert {name for name, result in found.items() if result.failed} == set()
    assert {name for name, result in found.items() if result.attempted} >= {"vaezip", "vaezip.models.tile.bitsback"}


def test_compress_open_and_read(tmp_path):
    picture = vaezip.Picture("L", np.arange(784, dtype=np.uint16).astype(np.uint8).reshape(28, 28, 1))
    data = vaezip.compress({"a": picture}.items())
    (tmp_path / "a.vz").write_bytes(data)
    archive = vaezip.open(tmp_path / "a.vz")
    assert isinstance(archive, vaezip.Archive)
    assert vaezip.pictures.same(archive.read("a"), picture)
    assert vaezip.load_model(model_file.find("mnist")).name == "mnist"


def test_compress_takes_what_people_have(tmp_path):
    picture = vaezip.Picture("L", np.arange(48, dtype=np.uint8).reshape(6, 8, 1))
    (tmp_path / "a.png").write_bytes(vaezip.pictures.write(picture, ".png"))
    for source in (tmp_path / "a.png", np.asarray(picture), np.asfortranarray(picture.samples[..., 0])):
        assert vaezip.pictures.same(vaezip.decompress(vaezip.compress(source), threads=2), picture)
    found = vaezip.decompress(vaezip.compress({"a": tmp_path / "a.png", "b": np.asarray(picture)}))
    assert all(vaezip.pictures.same(found[name], picture) for name in "ab")


def test_what_compress_cannot_take_is_an_error_of_ours():
    for source in (5, [5], np.zeros((2, 2), np.float32)):
        with pytest.raises(vaezip.VaezipError):
            vaezip.compress(source)


def test_an_archive_can_be_pickled():
    picture = vaezip.Picture("L", np.arange(48, dtype=np.uint8).reshape(6, 8, 1))
    with ThreadPoolExecutor(1) as executor:
        archive = vaezip.Archive(vaezip.compress({"a": picture}), executor=executor)
        again = pickle.loads(pickle.dumps(archive))
    assert again.names == ["a"]
    assert vaezip.pictures.same(again.read("a"), picture)


def test_names_are_listed():
    assert set(dir(vaezip)) >= set(vaezip.__all__)
    assert set(dir(vaezip.pictures)) >= set(vaezip.pictures.__all__)


def test_the_page_of_the_interface_is_what_its_script_makes():
    made = runpy.run_path(str(ROOT / "docs" / "make_api.py"))
    assert made["PAGE"].read_text(encoding="utf-8") == made["render"](), "run: python docs/make_api.py"


def test_the_package_has_types():
    assert (Path(vaezip.__file__).parent / "py.typed").is_file()


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_importing_the_package_imports_nothing_heavy():
    heavy = "[m for m in ('numpy', 'numba', 'torch', 'PIL', 'safetensors') if m in sys.modules]"
    assert run(f"import sys, vaezip; print({heavy})").strip() == "[]"


def test_coding_on_a_cpu_does_not_import_pytorch():
    code = """
import sys, numpy as np, vaezip
picture = vaezip.Picture("1", np.eye(28, dtype=np.uint8)[..., None])
assert vaezip.pictures.same(vaezip.decompress(vaezip.compress(picture, model="mnist-binary", steps=2)), picture)
print("torch" in sys.modules)
"""
    assert run(code).strip() == "False"


def test_coding_without_pytorch_installed():
    code = """
import sys
sys.modules["torch"] = None
import numpy as np, vaezip
picture = vaezip.Picture("1", np.eye(28, dtype=np.uint8)[..., None])
assert vaezip.pictures.same(vaezip.decompress(vaezip.compress(picture)), picture)
try:
    vaezip.compress(picture, model="mnist-binary", device="cuda")
except vaezip.ModelError as error:
    print(error, error.remedy)
"""
    assert run(code).strip() == "device cuda needs PyTorch torch"


def test_an_unknown_device_is_refused():
    picture = vaezip.Picture("1", np.eye(28, dtype=np.uint8)[..., None])
    with pytest.raises(vaezip.ModelError, match="no device is called 'tpu'"):
        vaezip.compress(picture, model="mnist-binary", device="tpu")
