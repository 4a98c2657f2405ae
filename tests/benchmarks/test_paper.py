"""The paper's experiments, in sizes of no meaning: that they run, go on, and agree with what stands in the table."""

import argparse
import gzip
import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vaezip.system import files as system_files

PAPER = Path(__file__).parents[2] / "benchmarks" / "paper"
TINY = {
    "train": 40,
    "test": 20,
    "snapshots": (1, 2),
    "encoder_epochs": 2,
    "optimal_epochs": 1,
    "batch": 20,
    "hidden": 8,
}


@pytest.fixture(scope="module", autouse=True)
def scripts_on_path():
    """As when a script is started."""
    sys.path.insert(0, str(PAPER))
    yield
    sys.path.remove(str(PAPER))


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    """With fifty random images of each part in the layout of MNIST."""
    folder = tmp_path_factory.mktemp("paper")
    (folder / "mnist").mkdir()
    rng = np.random.default_rng(0)
    for part in ("train", "t10k"):
        pixels = np.array([2051, 50, 28, 28], ">u4").tobytes() + rng.integers(0, 256, (50, 28, 28), np.uint8).tobytes()
        labels = np.array([2049, 50], ">u4").tobytes() + rng.integers(0, 10, 50, np.uint8).tobytes()
        (folder / "mnist" / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(pixels))
        (folder / "mnist" / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    given = {
        "data": str(folder),
        "runs": folder / "runs",
        "quick": True,
        "only": None,
        "device": "cpu",
    }
    return argparse.Namespace(**given, results=None, sigma=None, alpha=None)


def tiny(dataset="mnist-binary", latents=4):
    training = importlib.import_module("training")
    return replace(training.quick(dataset, latents), **TINY)


def checked(script, found):
    """A result that can be written and drawn, with figures that are numbers."""
    assert found["rows"]
    assert found["claims"]
    assert found["differences"]
    assert all(np.isfinite(row["ours"]) for row in found["rows"])
    assert {claim["verdict"] for claim in found["claims"]} <= {"holds", "does not hold", "within the deviation"}
    as_json = json.loads(json.dumps(found))
    script.draw(as_json)
    section = importlib.import_module("table").section({"figure": script.NAME, "quick": True, **as_json})
    assert found["title"] in section
    assert f"{script.NAME}-quick.png" in section


@pytest.mark.parametrize("name", ["figure1", "figure4"])
def test_an_experiment_of_one_setting_runs(name, options):
    script = importlib.import_module(name)
    checked(script, script.measure(tiny(), options))


@pytest.mark.parametrize(("name", "part"), [("figure5", "mnist-16"), ("table1", "mnist")])
def test_an_experiment_of_several_data_sets_runs(name, part, options):
    script = importlib.import_module(name)
    found = {part: script.measure(tiny("mnist"), options)}
    checked(script, script.summary(found, lambda *_: tiny("mnist")))


def test_some_deviations_of_the_noise_alone_and_other_shares_of_samples_may_be_asked_for(options):
    script = importlib.import_module("table1")
    few = argparse.Namespace(**{**vars(options), "sigma": [0.2, 0.4], "alpha": [0.25]})
    found = {"mnist-binary": script.measure(tiny(), few)}
    rates = found["mnist-binary"]["rates"]
    assert {name for name in rates if name.startswith("denoising")} == {"denoising-0.2", "denoising-0.4"}
    found["mnist-binary"]["note"] = "from a log"
    summary = script.summary(found, lambda *_: tiny())
    assert f"{tiny().title}: from a log" in summary["differences"]
    assert found["mnist-binary"]["call"] == {"sigma": [0.2, 0.4], "alpha": [0.25]}
    (other,) = (row for row in summary["rows"] if row["what"].endswith("half-asleep with α = 0.25, tried besides"))
    assert other["ours"] == np.mean(rates["half-asleep-0.25"])
    assert any(what.endswith("denoising without σ = 0.1, 0.6, 0.8, 1") for what in summary["differences"])
    checked(script, summary)


def test_the_known_model_runs(options):
    script = importlib.import_module("figure3")
    script.SAMPLES = 3
    checked(script, script.measure(tiny(), options, drawn=40, drawn_test=20))


@pytest.mark.parametrize("known_first", [True, False])
def test_the_known_model_and_the_other_experiments_may_come_in_any_order(options, tmp_path, known_first):
    script, training = importlib.import_module("figure3"), importlib.import_module("training")
    script.SAMPLES = 3
    options = argparse.Namespace(**{**vars(options), "runs": tmp_path})
    known = replace(tiny(), snapshots=(2,))

    def figure3():
        script.measure(known, options, drawn=40, drawn_test=20)

    def others():
        training.Trial(tiny(), 1, options).vae()

    for experiment in (figure3, others) if known_first else (others, figure3):
        experiment()


def test_the_appendix_runs(options):
    script = importlib.import_module("appendix")
    checked(script, script.measure(tiny(), options, (1, 3)))


def test_labels_are_looked_for_where_the_images_are(options, monkeypatch, tmp_path):
    script = importlib.import_module("appendix")
    given = script.labels(tiny(), "test", options.data)
    monkeypatch.setenv("VAEZIP_DATA", options.data)
    monkeypatch.chdir(tmp_path)
    assert np.array_equal(script.labels(tiny(), "test", None), given)
    assert np.array_equal(script.labels(tiny(), "test", str(tmp_path)), given)
    monkeypatch.setenv("VAEZIP_DATA", str(tmp_path))
    monkeypatch.setattr(script.datasets, "_cache", lambda: None)
    with pytest.raises(SystemExit, match=r"'mnist/t10k-labels-idx1-ubyte\.gz' is not here; put it at"):
        script.labels(tiny(), "test", None)


def test_a_second_call_trains_nothing_and_finds_the_same(options, monkeypatch):
    script, training = importlib.import_module("figure1"), importlib.import_module("training")
    first = script.measure(tiny(), options)
    monkeypatch.setattr(training.objectives, "elbo", None, raising=True)
    assert script.measure(tiny(), options) == first


def test_states_of_another_setting_are_refused(options):
    training = importlib.import_module("training")
    training.Trial(tiny(), 1, options)
    with pytest.raises(SystemExit, match="another setting"):
        training.Trial(replace(tiny(), batch=10), 1, options)
    with pytest.raises(SystemExit, match="another setting"):
        training.Trial(replace(tiny(), snapshots=(2, 3)), 1, options)


def test_a_training_may_go_further_than_before(options, tmp_path):
    training = importlib.import_module("training")
    options = argparse.Namespace(**{**vars(options), "runs": tmp_path})
    whole = replace(tiny(), snapshots=(1, 2))
    first = training.Trial(training.until(whole, 1), 1, options)
    first.vae()
    again = training.Trial(whole, 1, options)
    again.vae()
    assert list(again.curve("classic")) == [1, 2]
    assert first.bpd(first.vae()) == again.bpd(again.vae(1))
    with pytest.raises(SystemExit, match="--epochs 0"):
        training.until(whole, 0)


def test_a_training_that_is_past_an_epoch_whose_vae_is_gone_is_refused(options, tmp_path):
    training = importlib.import_module("training")
    options = argparse.Namespace(**{**vars(options), "runs": tmp_path})
    trial = training.Trial(tiny(), 1, options)
    trial.vae()
    kept = trial.folder / "classic-at-1.pt"
    before = kept.read_bytes()
    kept.unlink()
    with pytest.raises(
        SystemExit, match=r"classic\.pt: the training is at epoch 2 already.* put classic-at-1\.pt back"
    ):
        trial.vae(1)
    assert not kept.exists()
    kept.write_bytes(before)
    trial.vae(1)
    (trial.folder / "classic-at-2.pt").unlink()
    trial.vae()


def test_a_vae_is_kept_whole_or_not_at_all(options, tmp_path, monkeypatch):
    training = importlib.import_module("training")
    options = argparse.Namespace(**{**vars(options), "runs": tmp_path})
    trial = training.Trial(replace(tiny(), snapshots=(1,)), 1, options)

    def cut(place, temporary, name, force, honest=system_files._Place._rename):
        if name.startswith("classic-at-"):
            raise KeyboardInterrupt
        honest(place, temporary, name, force)

    monkeypatch.setattr(system_files._Place, "_rename", cut)
    with pytest.raises(KeyboardInterrupt):
        trial.vae()
    assert not (trial.folder / "classic-at-1.pt").exists()
    monkeypatch.undo()
    assert np.isfinite(trial.bpd(trial.vae()))


def test_a_figure_tells_what_it_trains_on_and_how_long():
    training = importlib.import_module("training")
    encoder = "falling from 0.0005 to 0 along a cosine in 2 epochs for an encoder that is trained on"
    optimal = "falling from 0.001 to 0 along a cosine in 1 epochs of the test images for optimal inference"
    for kinds in ({}, {"optimal": True}, {"encoder": False, "optimal": True}):
        *_, told = training.differences(tiny(), **kinds)
        assert (encoder in told) == kinds.get("encoder", True)
        assert (optimal in told) == ("optimal" in kinds)
    assert any(
        what.endswith("2 epochs of 2 steps for the VAE, not 1,000 of 600") for what in training.differences(tiny())
    )
    last = {"epoch": 2, "test": 3.0, "optimal": 2.0, "train": 1.5}
    (told,) = (what for what in importlib.import_module("figure1").differences(tiny(), last) if "Adam" in what)
    assert optimal in told
    assert encoder not in told


PARTS = {"figure5": {"mnist-16": {"points": [{"epoch": 2, "classic": 2.0, "half-asleep": 1.5, "optimal": 1.0}]}}}
PARTS["figure5"]["mnist-16"] |= {"continued": 1.7, "opens": None}
ENCODERS = ("classic", "classic continued", "half-asleep", *(f"denoising-{s}" for s in (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)))
PARTS["table1"] = {"mnist": {"rates": {encoder: [1.0, 1.1] for encoder in ENCODERS}}}


@pytest.mark.parametrize("name", ["figure5", "table1"])
def test_a_part_that_is_kept_is_described_by_its_own_setting(name):
    script, training = importlib.import_module(name), importlib.import_module("training")
    ((part, found),) = PARTS[name].items()
    own = tiny("mnist")
    found = {part: {**found, "title": own.title, "setting": training.described(own)}}

    def others(dataset, latents):
        return training.until(training.quick(dataset, latents), 30)

    described = script.summary(json.loads(json.dumps(found)), others)
    assert described["settings"] == [training.described(own)]
    assert any("2 epochs of 2 steps for the VAE" in what for what in described["differences"])
    del found[part]["setting"]
    assert script.summary(found, others)["settings"][0]["snapshots"] == (30,)


def test_what_no_result_has_is_told():
    for name, lacking in (
        ("figure5", "binary MNIST, 10 latents; grey MNIST, 32 latents; CIFAR-10, 256 latents; CIFAR-100, 256 latents"),
        ("table1", "binary MNIST, 10 latents; CIFAR-10, 256 latents"),
    ):
        script, training = importlib.import_module(name), importlib.import_module("training")
        found = {part: {**result, "title": "x"} for part, result in PARTS[name].items()}
        assert script.summary(found, training.quick)["differences"][-1] == f"not measured: {lacking}"
    assert importlib.import_module("training").not_measured([]) == []


@pytest.mark.parametrize(
    ("less", "more", "verdict"),
    [
        ([1.0, 1.0], [1.2, 1.3], "holds"),
        ([1.2, 1.3], [1.0, 1.0], "does not hold"),
        ([1.0, 1.0], [1.1, 0.9], "within the deviation"),
        ([1.0], [1.1], "holds"),
    ],
)
def test_a_claim_is_judged_against_the_deviation(less, more, verdict):
    assert importlib.import_module("claims").claim("a < b", less, more)["verdict"] == verdict


def test_the_gap_opens_where_test_is_lowest_if_it_does():
    training = importlib.import_module("training")
    assert training.gap_opens({1: 3.0, 2: 1.0, 3: 2.0}) == 2
    assert training.gap_opens({1: 3.0, 2: 2.0, 3: 1.0}) is None


@pytest.mark.parametrize("name", ["linear", "nearest"])
def test_a_classifier_tells_clusters_apart(name):
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 10, 400).astype(np.uint8)
    centres = rng.normal(0, 10, (10, 5))
    features = (centres[classes] + rng.normal(0, 0.1, (400, 5))).astype(np.float32)
    classify = getattr(importlib.import_module("classifiers"), name)
    assert (classify(features[:300], classes[:300], features[300:]) == classes[300:]).mean() > 0.98


def test_the_table_is_up_to_date():
    table = importlib.import_module("table")
    assert table.README.read_text() == table.document()
