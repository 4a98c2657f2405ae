"""Figures 7 and 8: what is kept of a call that was cut, and what is measured anew; nothing is compressed."""

import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from vaezip import checkpoint
from vaezip.bench.measure import Figures
from vaezip.bench.report import Facts, ModelRow, Report

PAPER = Path(__file__).parents[2] / "benchmarks" / "paper"
FIRST, ALL = "the first 1,000 test images", "all 10,000 test images"


class Bench:
    """Stands in for ``vaezip bench``: tells what it was asked for, and is cut after so many rows."""

    def __init__(self):
        self.asked = []
        self.left = None
        self.sha256 = "a"
        self.commit = "c"

    def run(self, plan):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left = None if self.left is None else self.left - 1
        (model,), (steps,) = plan.models, plan.steps
        self.asked.append((model, plan.limit, steps))
        facts = Facts(
            plan.dataset, plan.limit or 10000, 784, 784, {"L": 1}, (28, 28, 1), plan.limit, None, self.sha256, True
        )
        fingerprint = checkpoint.fingerprint(checkpoint.find(model)).hex()
        objective = "classic" if model.endswith("-classic") else "half-asleep"
        bpd = (0.2 if objective == "classic" else 0.19) - steps / 1000
        figures = Figures("set", 100, 1, bpd, 0.001, 0.001, 0.001, 1.0, 1.0, plan.repeats)
        row = ModelRow(model, fingerprint, objective, steps, bpd, figures)
        return Report(
            facts, [row], [], {}, plan.device, plan.threads, {"cpu": "x"}, {"vaezip": "1"}, self.commit, "now"
        )


@pytest.fixture
def common(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(PAPER))
    script = importlib.import_module("common")
    monkeypatch.setattr(script, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(script, "STEPS", (0, 1, 2))
    return script


@pytest.fixture
def bench(common, monkeypatch):
    found = Bench()
    monkeypatch.setattr(common.runner, "run", found.run)
    monkeypatch.setattr(common.machine, "describe", lambda device: {"cpu": "x"})
    monkeypatch.setattr(common.machine, "versions", lambda device: {"vaezip": "1"})
    monkeypatch.setattr(common.machine, "commit", lambda: found.commit)
    return found


@pytest.fixture
def figure7(common, bench, monkeypatch):
    """figure7(*arguments): the rows that a call measures, until it is done or cut."""
    script = importlib.import_module("figure7")

    def call(*arguments, cut=None):
        monkeypatch.setattr(sys, "argv", ["figure7.py", *arguments])
        bench.asked, bench.left = [], cut
        if cut is None:
            script.main()
        else:
            with pytest.raises(KeyboardInterrupt):
                script.main()
        return bench.asked

    return call


def results(common):
    runs = json.loads((common.RESULTS / "figure7.json").read_text())["runs"]
    return {
        (run["dataset"], run["images"]): [(row["model"], row["steps"]) for row in run["report"]["methods"]]
        for run in runs
    }


BINARY = [("mnist-binary-classic", 1000, k) for k in range(3)] + [("mnist-binary", 1000, k) for k in range(3)]
ROWS = [(model, steps) for model, _, steps in BINARY]
CALL = ("--only", "mnist-binary", "--images", "first")


def test_a_call_that_was_cut_goes_on_and_measures_no_row_twice(common, figure7):
    assert figure7(*CALL, cut=2) == BINARY[:2]
    assert not (common.RESULTS / "figure7.json").exists()
    assert figure7(*CALL, cut=3) == BINARY[2:5]
    assert figure7(*CALL) == BINARY[5:]
    assert results(common) == {("mnist-binary", FIRST): ROWS}
    assert not (common.RESULTS / "figure7-part.json").exists()


def test_data_sets_before_the_cut_are_not_measured_again(common, figure7):
    call = ("--only", "mnist-binary", "--only", "mnist", "--images", "first")
    assert len(figure7(*call, cut=7)) == 7
    assert figure7(*call) == [
        ("mnist-classic", 1000, 1),
        ("mnist-classic", 1000, 2),
        *(("mnist", 1000, k) for k in range(3)),
    ]
    assert list(results(common)) == [("mnist-binary", FIRST), ("mnist", FIRST)]


def test_a_finished_call_measures_anew_what_it_is_asked_for_and_keeps_the_rest(common, figure7):
    figure7(*CALL)
    assert figure7(*CALL) == BINARY
    assert figure7("--only", "mnist-binary", "--images", "all") == [(model, None, k) for model, _, k in BINARY]
    assert results(common) == {("mnist-binary", FIRST): ROWS, ("mnist-binary", ALL): ROWS}


def test_another_call_leaves_what_was_cut(common, figure7):
    figure7(*CALL, cut=2)
    figure7("--only", "mnist", "--images", "first")
    assert list(results(common)) == [("mnist", FIRST)]
    assert figure7(*CALL) == BINARY[2:]
    assert results(common)["mnist-binary", FIRST] == ROWS


def test_rows_of_another_source_are_measured_again(figure7, bench):
    figure7(*CALL, cut=2)
    bench.commit = "d"
    assert figure7(*CALL) == BINARY


def test_rows_of_another_model_are_measured_again(common, figure7):
    figure7(*CALL, cut=5)
    part = common.RESULTS / "figure7-part.json"
    fingerprint = checkpoint.fingerprint(checkpoint.find("mnist-binary-classic")).hex()
    part.write_text(part.read_text().replace(fingerprint, "00000000"))
    assert figure7(*CALL) == [*BINARY[:3], BINARY[5]]


def test_rows_of_other_images_are_not_put_together(figure7, bench):
    figure7(*CALL, cut=2)
    bench.sha256 = "b"
    with pytest.raises(SystemExit, match="not those of the rows"):
        figure7(*CALL)


def test_rows_come_back_from_the_file_as_they_were(common, bench):
    run = common.Run("mnist", FIRST, bench.run(replace(common.Plan("mnist", limit=1000), models=("mnist",))))
    common._write(common.RESULTS / "x.json", {}, [run])
    assert common._read(common.RESULTS / "x.json") == {("mnist", FIRST): run}
