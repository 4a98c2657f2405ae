"""Everything is compiled ahead, by processes that share the kinds of pictures."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from vaezip.codec import warming

NEVER_CALLED = {
    "vaezip.entropy.kernels.intervals_mixture",
    "vaezip.entropy.kernels.pop_mixture",
    "vaezip.entropy.kernels.softmax_rows",
    "vaezip.models.pixel.least_squares._sum_weighted",
    "vaezip.models.pixel.least_squares._weight",
    "vaezip.models.pixel.least_squares._write_all_energies",
}
"""These are for pixels that are independent given z and have mixtures, and for several predictors; no shipped model has
either."""

COMPILE = "from vaezip.codec import warming; warming.warm(1); print(*warming.missing(), sep='\\n')"


def test_each_kind_is_done_once(monkeypatch):
    done = []
    kinds = {str(i): lambda i=i: done.append(i) for i in range(3)}
    monkeypatch.setattr(warming, "_KINDS", kinds)
    warming.warm(1)
    assert done == [0, 1, 2]


def test_another_process_does_some(monkeypatch):
    monkeypatch.setattr(warming, "_KINDS", {})  # of this process
    warming._feed(iter(["facsimiles"]))


@pytest.mark.slow
def test_nothing_is_missing(tmp_path):
    """In a folder of its own, for a kernel from disk does not tell its parts."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", COMPILE], capture_output=True, text=True, check=True, env=environment)
    assert set(done.stdout.split()) == NEVER_CALLED
