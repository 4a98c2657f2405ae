"""Functions are compiled once, alone and as parts of others; what keeps them may fail, the functions may not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from vaezip.exact.jit import borrowing, inline, jit
from vaezip.exact.kernel_cache import KernelCache

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
{before}
import mine
print(mine.twice(21))
"""

MODULE = """
from vaezip.exact.jit import jit
@jit
def twice(x):
    return 2 * x
"""


LISTENING = "import logging; logging.basicConfig(level=logging.INFO, stream=sys.stdout, format='%(message)s')"


def run(folder: Path, before: str = "") -> tuple[str, list[str]]:
    """What a compiled function of a folder prints, in a process of its own, and the files of its cache."""
    cache = folder / "cache"
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(before=before), str(folder)],
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout, sorted(f.name.split("-")[0] for f in cache.rglob("*") if f.is_file())


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """The folder of a fresh module, and what came of its first run."""
    folder = tmp_path_factory.mktemp("compiled")
    (folder / "mine.py").write_text(MODULE)
    return folder, run(folder, LISTENING)


@pytest.fixture
def once(compiled, tmp_path):
    """The same folder once more, to be changed."""
    shutil.copytree(compiled[0], tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_functions_are_compiled_once_which_is_told(compiled, once):
    out, files = compiled[1]
    assert "compiling" in out
    assert out.endswith("42\n")
    assert files == ["twice"]
    assert run(once, LISTENING) == ("42\n", ["twice"])


def test_processes_that_need_the_same_at_once_compile_it_once(tmp_path):
    (tmp_path / "mine.py").write_text(MODULE)
    with ThreadPoolExecutor() as several:
        found = list(several.map(lambda _: run(tmp_path, LISTENING), range(3)))
    assert [text.endswith("42\n") for text, _ in found] == [True] * 3
    assert sum("compiling" in text for text, _ in found) == 1


def test_a_function_whose_file_changed_is_compiled_anew(once):
    (once / "mine.py").write_text(MODULE.replace("2 * x", "3 * x"))
    assert run(once) == ("63\n", ["twice", "twice"])


def test_a_damaged_file_is_compiled_anew(once):
    (file,) = (once / "cache").rglob("*.kernel")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert "compiling" in run(once, LISTENING)[0]
    assert run(once, LISTENING)[0] == "42\n"


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    pytest.importorskip("resource")
    (tmp_path / "mine.py").write_text(MODULE)
    out, files = run(tmp_path, "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))")
    assert (out, files) == ("42\n", [])


def test_a_cache_that_cannot_be_read_is_done_without(once):
    unreadable = "import pathlib\n"
    unreadable += "def refuse(self): raise PermissionError(13, 'Permission denied')\n"
    assert run(once, unreadable + "pathlib.Path.read_bytes = refuse")[0] == "42\n"


@pytest.fixture
def kernels(monkeypatch):
    """Three functions, of which nothing is on disk: a kernel, its part, and the part of that."""
    monkeypatch.setattr(KernelCache, "load_overload", lambda *_: None)
    monkeypatch.setattr(KernelCache, "save_overload", lambda *_: None)

    @inline
    def added(a, b):
        return a + b

    @borrowing
    def second(row, k):
        return added(row[k], 1)

    @jit
    def both(rows):
        made = np.empty(2, np.int64)
        made[0], made[1] = second(rows[0], 0), second(rows[1], 1)
        return made

    return both, second, added


def test_a_part_is_compiled_once_whatever_numbers_stand_in_its_calls(kernels):
    both, second, added = kernels
    assert both(np.arange(4).reshape(2, 2)).tolist() == [1, 4]
    assert len(second.part.overloads) == len(added.part.overloads) == 1
    assert both.part is None


def test_a_part_is_a_kernel_where_python_calls_it(kernels):
    both, second, _ = kernels
    both(np.arange(4).reshape(2, 2))
    assert second(np.arange(3), 2) == 3
