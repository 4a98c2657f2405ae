"""What the paper's README says of Figures 7 and 8, from results of no meaning."""

import argparse
import importlib
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from vaezip.bench.measure import Figures
from vaezip.bench.report import Facts, ModelRow, Report
from vaezip.models import file as model_file

PAPER = Path(__file__).parents[2] / "benchmarks" / "paper"
FIRST, ALL = "the first 1,000 test images", "all 10,000 test images"
NO_MODEL = [1.0, 0.8, 0.7, 0.65, 0.62, 0.6, 0.59, 0.58, 0.57]


@pytest.fixture(scope="module", autouse=True)
def scripts_on_path():
    sys.path.insert(0, str(PAPER))
    yield
    sys.path.remove(str(PAPER))


@pytest.fixture
def files():
    return importlib.import_module("files")


def figure(classic, half, dataset="mnist", images=FIRST, count=1000, steps=None, commit="c"):
    """The result of Figures 7 and 8 with one run, as JSON."""
    rows = [
        ModelRow(name, "00", name, k, rate, Figures("set", 1, 1, rate, 0.002 * (k + 1), 0.001, 0.001, 1.0, 1.0, 3))
        for name, curve in (("classic", classic), ("half-asleep", half))
        for k, rate in zip(steps or range(len(curve)), curve)
    ]
    facts = Facts(dataset, count, 784, 784, {"L": 1}, (28, 28, 1), None, None, "a", True)
    report = Report(facts, rows, [], {}, "cpu", 1, {"cpu": "a CPU"}, {}, commit, "now")
    checks = {"half-asleep below classic at every K": False, "as yet unknown": True, "of a model that is missing": None}
    titles = {"mnist-binary": "binary MNIST", "mnist": "grey MNIST", "cifar10": "CIFAR-10"}
    title = f"{titles[dataset]}, {images}"
    runs = [{"dataset": dataset, "images": images, "report": report.to_dict()}]
    return json.loads(json.dumps({"figure": "figure7", "quick": False, "checks": {title: checks}, "runs": runs}))


@pytest.mark.parametrize(
    ("half", "k"), [([0.9], 0.5), ([0.8], 1.0), ([0.575], 7.5), ([1.1], 0.0), ([0.1], math.inf), ([], None)]
)
def test_the_k_of_classic_that_equals_half_asleep(files, half, k):
    (run,) = files.runs(figure(NO_MODEL, half))
    assert files.reaches(run) == (k if k is None else pytest.approx(k))


def test_it_is_not_told_where_k_between_is_missing(files):
    (run,) = files.runs(figure([1.0, 0.5], [0.9, 0.5], steps=(0, 10)))
    assert files.reaches(run) is None


@pytest.mark.parametrize(
    ("half", "verdict", "by"),
    [(0.9, "**does not hold**", "K = 0.5"), (0.575, "holds", "K = 7.5"), (0.1, "holds", "K > 8")],
)
def test_the_claims_are_those_of_the_result(files, half, verdict, by):
    experiment = f"Figure 7, binary MNIST, {FIRST}"
    assert files.claims(figure(NO_MODEL, [half, 0.9], "mnist-binary")) == [
        [experiment, "half-asleep below classic at every K", "**does not hold**", "-0.10000"],
        [experiment, "as yet unknown", "holds", "–"],
        [experiment, "of a model that is missing", "not measured", "–"],
        [experiment, "half-asleep at K = 0 equal to classic at K = 7 or more", verdict, by],
    ]


def test_the_k_of_the_claim_is_the_one_that_the_paper_says(files):
    *_, last = files.claims(figure(NO_MODEL, [0.575, 0.9], "cifar10"))
    assert last[1:] == ["half-asleep at K = 0 equal to classic at K = 8 or more", "**does not hold**", "K = 7.5"]
    assert all("equal to classic" not in text for _, text, *_ in files.claims(figure(NO_MODEL, [0.9, 0.9])))


def test_the_k_are_told_where_some_between_were_not_measured(files):
    for steps, told in (((0, 10), ", K = 0 and 10"), ((0, 5, 10), ", K = 0, 5 and 10"), ((0, 1, 2), "")):
        rates = [1.0, 0.9, 0.8][: len(steps)]
        ((experiment, *_), *_) = files.claims(figure(rates, rates, "cifar10", ALL, 10000, steps))
        assert experiment == f"Figure 7, CIFAR-10, {ALL}{told}"


def test_times_are_told_with_their_commits(files):
    found = figure([1.0, 0.8], [0.9, 0.75], commit="0123456789abcdef")
    assert "(commit 0123456789; paper: 50 ms to 65 ms)" in files.times(found)
    assert "times at different commits" not in files.times(found)
    found["runs"] += figure([1.0, 0.8], [0.9, 0.75], images=ALL, commit="0123456789abcdff-dirty")["runs"]
    assert "(commit 0123456789-dirty; paper: 50 ms to 65 ms)" in files.times(found)
    assert "\n- times at different commits are not to be compared" in files.times(found)


def test_what_was_tried_is_told_of_what_does_not_hold(files):
    starts = {
        "mnist": "grey MNIST: α = ½ on a VAE of 70 epochs",
        "cifar10": "CIFAR-10: on a VAE of 115 epochs α = ½ and ¼ from",
    }
    for dataset, start in starts.items():
        (told,) = files.tried(figure(NO_MODEL, [0.9, 0.9], dataset))
        assert told.startswith(f"Figure 7, {start}")
    assert files.tried(figure(NO_MODEL, [0.9, 0.9], "mnist-binary")) == []


def test_what_was_not_measured_is_listed(files):
    assert files.missing(figure(NO_MODEL, NO_MODEL, dataset="cifar10", count=50)) == [
        "Figures 7 and 8, binary MNIST on 1,000 images",
        "Figures 7 and 8, binary MNIST on all 10,000 test images",
        "Figures 7 and 8, grey MNIST on 1,000 images",
        "Figures 7 and 8, grey MNIST on all 10,000 test images",
        "Figures 7 and 8, CIFAR-10 on 1,000 images (on 50 only)",
        "Figures 7 and 8, CIFAR-10 on all 10,000 test images",
    ]


def test_sections_tell_gains_and_times_of_the_result(files):
    found = figure([1.0, 0.8], [0.9, 0.75])
    text = files.rates(found)
    assert "results/figure7.png" in text
    assert f"grey MNIST, {FIRST}: 0.1000 (paper: 0.0100)" in text
    assert "grey MNIST: 360, not 1,000" in text
    text = files.times(found)
    assert "ours are of a CPU with 1 thread, for sets that take seconds medians of as many as 3 passes;" in text
    assert f"grey MNIST, {FIRST}: 2 ms to 4 ms (commit c; paper: 50 ms to 65 ms)" in text


def test_the_readme_lists_what_has_a_quick_form_alone(monkeypatch, tmp_path):
    table = importlib.import_module("table")
    monkeypatch.setattr(table.common, "RESULTS", tmp_path)
    common = {"title": "Figure 3: which", "rows": [], "claims": [], "differences": [], "measured": {}}
    (tmp_path / "figure3-quick.json").write_text(json.dumps({"figure": "figure3", "quick": True, **common}))
    assert "- Figure 3: the quick form alone.\n- Figures 7 and 8.\n" in table.document()
    (tmp_path / "figure3.json").write_text(json.dumps({"figure": "figure3", "quick": False, **common}))
    (tmp_path / "figure7.json").write_text(json.dumps(figure(NO_MODEL, NO_MODEL)))
    text = table.document()
    assert "- Figure 3: the quick form alone." not in text
    assert "- Figures 7 and 8, CIFAR-10 on 1,000 images.\n" in text
    assert "\n## Figure 7: rates of files over K\n" in text


def test_the_readme_tells_where_a_training_stopped(monkeypatch, tmp_path):
    table, record = (importlib.import_module(name) for name in ("table", "record"))
    monkeypatch.setattr(table.common, "RESULTS", tmp_path)
    found = record.record("Figure 1: what", [], {}, [], [], [])
    record.write(argparse.Namespace(quick=False, results=None, device="cpu", epochs=300), "figure1", found, Figure())
    record.write(argparse.Namespace(quick=False, results=None, device="cpu"), "figure3", found, Figure())
    text = table.document()
    assert text.count("stopped after 300 epochs") == 1
    assert "`python benchmarks/paper/figure1.py --data DIR --epochs 300`" in text
    assert "`python benchmarks/paper/figure3.py --data DIR`" in text


def test_the_readme_gives_a_command_for_each_call(monkeypatch):
    table = importlib.import_module("table")
    parts = {"a": {"call": {"epochs": 2, "sigma": [0.1, 0.2]}}, "b": {"call": {"device": "cuda"}}, "c": {"call": {}}}
    result = {"figure": "table1", "quick": False, "measured": parts}
    script = "python benchmarks/paper/table1.py --data DIR"
    assert table.commands(result) == [
        f"{script} --only a --epochs 2 --sigma 0.1 --sigma 0.2",
        f"{script} --only b --device cuda",
        f"{script} --only c",
    ]
    quick = {**result, "quick": True, "measured": {"b": {"call": {}}, "c": {"call": {}}}}
    assert table.commands(quick) == [f"{script} --quick"]
    assert table.commands({**result, "epochs": 3, "measured": {"points": []}}) == [f"{script} --epochs 3"]


@pytest.mark.parametrize("name", ["figure7.json", "overfitting.json"])
def test_results_are_of_the_shipped_models(files, name):
    found = json.loads((files.common.RESULTS / name).read_text())
    if name == "figure7.json":
        seen = {(row.model, row.fingerprint) for run in files.runs(found) for row in run.report.models}
    else:
        seen = {(f"{dataset}-classic", part["classic"]["fingerprint"]) for dataset, part in found.items()}
        seen |= {(dataset, part["half-asleep"]["fingerprint"]) for dataset, part in found.items()}
    assert seen
    for model, fingerprint in seen:
        assert model_file.fingerprint(model_file.find(model)).hex() == fingerprint, model


def test_overfitting_is_measured_on_both_parts_by_both_encoders(monkeypatch, tmp_path):
    script = importlib.import_module("overfitting")
    monkeypatch.setattr(script, "IMAGES", 3)
    monkeypatch.setattr(script, "RESULT", tmp_path / "overfitting.json")
    images = np.random.default_rng(0).integers(0, 2, (1100, 28, 28, 1), np.uint8)
    monkeypatch.setattr(script.datasets, "load", lambda dataset, part, data: images if part == "train" else images[:2])
    monkeypatch.setattr("sys.argv", ["overfitting.py", "--only", "mnist-binary"])
    script.main()
    found = json.loads(script.RESULT.read_text())["mnist-binary"]
    assert found["images"] == {"train": 3, "test": 2}
    assert found["classic"]["fingerprint"] != found["half-asleep"]["fingerprint"]
    assert all(found[encoder][part] > 0.5 for encoder in ("classic", "half-asleep") for part in ("train", "test"))


def test_parts_that_stopped_elsewhere_are_told_each(monkeypatch, tmp_path):
    table = importlib.import_module("table")
    settings = [{"title": "one", "snapshots": [10, 50]}, {"title": "other", "snapshots": [10]}]
    assert table.stop({"epochs": 20, "settings": settings[1:]}) == "20 epochs"
    assert table.stop({"epochs": 20, "settings": settings}) == "50 epochs of one; 10 epochs of other"
