"""Two commits taking turns on the same pictures, and the table of their times."""

import argparse
import importlib
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from vaezip.pictures.picture import Picture

ROOT = Path(__file__).parents[2]


@pytest.fixture
def history(monkeypatch):
    """The script."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("history")


@pytest.fixture
def change(history, monkeypatch):
    """A change whose two sides are the source that is tested, on three digits of noise."""

    @contextmanager
    def child(commit, folder):
        with subprocess.Popen(
            [sys.executable, "-c", history.CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        ) as process:
            yield process

    noise = np.random.default_rng(0).integers(0, 2, (3, 28, 28, 1), np.uint8)
    monkeypatch.setattr(history, "child", child)
    monkeypatch.setattr(history, "_git", lambda *arguments: arguments[-1])
    monkeypatch.setattr(history, "_pictures", lambda work, options: [Picture("1", digit) for digit in noise])
    return history.Change("b", "a change", (history.Work("mnist-binary", 3, 1),), "a")


def test_two_sides_take_turns(history, change):
    found = history.measured(change, argparse.Namespace(data=None, repeats=1))
    (work,) = found["works"]
    assert found["commits"] == {"before": "a", "after": "b"}
    assert work["bytes"]["before"] == work["bytes"]["after"] > 0
    assert all(work[key][side] > 0 for key in ("compress_s", "decompress_s") for side in history.SIDES)


def test_a_side_that_fails_is_told(history, change, monkeypatch):
    monkeypatch.setattr(history, "CHILD", "raise SystemExit(1)")
    with pytest.raises((SystemExit, BrokenPipeError)):
        history.measured(change, argparse.Namespace(data=None, repeats=1))


def test_table(history):
    work = {"title": "digits", "bytes": {"before": 1000, "after": 1000}}
    work |= {key: {"before": 2.0, "after": 1.0} for key in ("compress_s", "decompress_s")}
    other = work | {"bytes": {"before": 1000, "after": 900}}
    found = {"changes": [{"what": "faster", "commits": {"before": "a", "after": "b"}, "works": [work, other]}]}
    first, second = history.table(found).splitlines()[2:]
    assert first == "| faster (b) | digits | 2 s → 1 s (× 0.50) | 2 s → 1 s (× 0.50) | 1,000 |"
    assert second.startswith("|  | digits |")
    assert second.endswith("| 1,000 → 900 |")
