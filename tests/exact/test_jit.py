"""The cache of compiled functions may fail; the functions may not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

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


@pytest.fixture
def twice(tmp_path):
    """twice(before=""): what a compiled function of a fresh module prints, and the files of its cache."""
    (tmp_path / "mine.py").write_text(MODULE)
    cache = tmp_path / "cache"

    def call(before: str = "") -> tuple[str, list[str]]:
        result = subprocess.run(
            [sys.executable, "-c", SCRIPT.format(before=before), str(tmp_path)],
            env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
            capture_output=True,
            text=True,
            check=True,
        )
        return result.stdout, sorted(f.suffix for f in cache.rglob("mine.*") if f.is_file())

    return call


def test_functions_are_cached(twice):
    assert twice() == ("42\n", [".nbc", ".nbi"])
    assert twice() == ("42\n", [".nbc", ".nbi"])


def test_compiling_is_told(twice):
    listening = "import logging; logging.basicConfig(level=logging.INFO, stream=sys.stdout, format='%(message)s')"
    assert "compiling" in twice(listening)[0]
    assert twice(listening)[0] == "42\n"


def test_a_cache_that_cannot_be_written_is_done_without(twice):
    pytest.importorskip("resource")
    assert twice("import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))") == ("42\n", [])


def test_a_cache_that_cannot_be_read_is_done_without(twice):
    twice()
    unreadable = "import builtins; opened = builtins.open\n"
    unreadable += "def refuse(name, *mode, **more):\n"
    unreadable += "    if str(name).endswith('.nbi'): raise PermissionError(13, 'Permission denied')\n"
    unreadable += "    return opened(name, *mode, **more)\n"
    assert twice(unreadable + "builtins.open = refuse")[0] == "42\n"
