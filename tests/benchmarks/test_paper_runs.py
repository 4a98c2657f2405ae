"""Figures 7 and 8: what is kept of a call that was cut, and what is measured anew; nothing is compressed."""

import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from vaezip.bench.measure import Figures
from vaezip.bench.report import Facts, ModelRow, Report
from vaezip.models import file as model_file

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
        fingerprint = model_file.fingerprint(model_file.find(model)).hex()
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
    fingerprint = model_file.fingerprint(model_file.find("mnist-binary-classic")).hex()
    part.write_text(part.read_text().replace(fingerprint, "00000000"))
    assert figure7(*CALL) == [*BINARY[:3], BINARY[5]]


def test_rows_of_other_images_are_not_put_together(figure7, bench):
    figure7(*CALL, cut=2)
    bench.sha256 = "b"
    with pytest.raises(SystemExit, match="not those of the rows"):
        figure7(*CALL)


@pytest.fixture
def figure8(common):
    return importlib.import_module("figure8")


def runs_of(common, bench, *datasets):
    """Of both encoders, with no step, seven, and eight."""
    found = []
    for dataset in datasets:
        plans = [common.Plan(dataset, models=(dataset,), steps=(k,), repeats=1) for k in (0, 7, 8)]
        reports = [bench.run(plan) for plan in plans]
        rows = [row for report in reports for row in report.models]
        rows = [replace(row, figures=replace(row.figures, decompress_s=0.001 * (1 + row.steps))) for row in rows]
        found.append(common.Run(dataset, FIRST, replace(reports[0], models=rows)))
    return found


def test_each_data_set_stands_beside_what_the_paper_says_of_it(common, bench, figure8):
    lines = figure8.comparison(runs_of(common, bench, "mnist-binary", "mnist", "cifar10")).splitlines()
    paper = [line.rsplit("|", 2)[1].strip() for line in lines if "| paper |" in line]
    ours = [line.rsplit("|", 2)[1].strip() for line in lines if "decompress |" in line]
    assert paper == ["116.7 % (K = 7)", "–", "46.2 % (K = 8)"]
    assert ours == ["700 % (K = 7)", "700 % (K = 7)", "800 % (K = 8)"]


def test_times_stand_beside_the_commit_that_was_measured(common, bench, figure8):
    bench.commit = "0123456789abcdef"
    (run,) = runs_of(common, bench, "mnist")
    assert "| at commit 0123456789 | ours, compress and verify |" in figure8.document([run], {}, {})
    unknown = replace(run, images=ALL, report=replace(run.report, commit=None))
    text = figure8.document([run, unknown], {}, {})
    assert "| at an unknown commit | ours, compress and verify |" in text
    assert "\nTimes at different commits are not to be compared" in text


def test_the_profile_explains_what_the_steps_cost(common, bench, figure8):
    parts = {"encoder network": 1e-5, "decoder network": 2e-5, "K steps": 0.0, "the rest": 3e-5}
    works = {f"{work}, K = {k}": {**parts, "K steps": k * 5e-5} for work in figure8.WORKS for k in (0, 7)}
    runs = runs_of(common, bench, "mnist-binary", "mnist")
    text = figure8.document(runs, {run.title: works for run in runs}, {"x": "none"})
    binary, grey = (line for line in text.splitlines() if line.startswith("- "))
    assert "take 60 µs and 60 µs at K = 0, 100 and 100 times less than the paper's 6 ms" in binary
    assert "A step adds 50 µs and 50 µs, 22 and 22 times less than the paper's 1.1 ms" in binary
    assert "as much as 2.5 and 2.5 passes of the decoder network" in binary
    assert "The paper's 116.7 % at K = 7 would leave it 0.5 and 0.5 passes" in binary
    assert "would leave" not in grey
    assert text.endswith("Skipped: `x`: none.\n")


def test_what_is_committed_of_figure_8_is_what_the_results_give(common, figure8):
    results = PAPER / "results"
    found, profiles = (json.loads((results / f"figure{n}.json").read_text()) for n in (7, 8))
    runs = list(common._read(results / "figure7.json").values())
    made = figure8.document(runs, profiles["profiles"], found["skipped"])
    assert (results / "figure8.md").read_text() == made, "run: python benchmarks/paper/figure8.py --draw"


def test_figure_8_is_of_the_files_of_figure_7(common, bench, figure7, figure8, monkeypatch):
    figure7(*CALL)
    works = {
        f"{work}, K = {k}": {"decoder network": 2e-5, "K steps": k * 5e-5} for work in figure8.WORKS for k in (0, 7)
    }
    monkeypatch.setattr(figure8, "_profiles", lambda run, options: works)
    monkeypatch.setattr(sys, "argv", ["figure8.py"])
    bench.asked = []
    figure8.main()
    assert bench.asked == []
    text = (common.RESULTS / "figure8.md").read_text()
    assert f"binary MNIST, {FIRST}" in text
    monkeypatch.setattr(figure8, "_profiles", lambda *_: pytest.fail("profiled"))
    monkeypatch.setattr(sys, "argv", ["figure8.py", "--draw"])
    figure8.main()
    assert (common.RESULTS / "figure8.md").read_text() == text


def test_figure_8_without_figure_7_says_how_to_make_it(common, figure8, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["figure8.py"])
    with pytest.raises(SystemExit, match=r"figure7\.json is not there; make it: python benchmarks/paper/figure7\.py"):
        figure8.main()


def test_rows_come_back_from_the_file_as_they_were(common, bench):
    run = common.Run("mnist", FIRST, bench.run(replace(common.Plan("mnist", limit=1000), models=("mnist",))))
    common._write(common.RESULTS / "x.json", {}, [run])
    assert common._read(common.RESULTS / "x.json") == {("mnist", FIRST): run}
