import json
import subprocess
import sys
import time
from dataclasses import asdict, replace

import numpy as np
import pytest

import vaezip
from vaezip.bench import peers, runner, worker
from vaezip.bench.method import MismatchError, UnavailableError
from vaezip.bench.ours import Ours
from vaezip.errors import DataError, ModelError, VaezipError
from vaezip.pictures.datasets import INSTALL
from vaezip.pictures.picture import Picture


def test_models_steps_orders_and_peers(plan):
    said = []
    report = runner.run(plan(steps=(0, 2), peers=("png", "webp"), limit=5, per_image=True), said.append)
    assert [(row.model, row.steps, row.figures.order) for row in report.models] == [
        ("logistic", steps, order) for steps in (0, 2) for order in ("set", "single")
    ]
    assert [(row.peer, row.figures.order) for row in report.peers] == [
        (peer, order) for peer in ("png", "webp") for order in ("set", "single")
    ]
    facts = report.facts
    assert (facts.dataset, facts.images, facts.dims, facts.raw_bytes) == ("mnist", 5, 3920, 3920)
    assert (facts.shape, facts.modes, facts.limit, facts.seed) == ((28, 28, 1), {"L": 5}, 5, None)
    for row in report.rows("single"):
        assert [image.name for image in row.figures.images] == [f"{i:05d}" for i in range(5)]
    for row in report.models:
        assert row.figures.bpd == 8 * row.figures.bytes / 3920
        assert row.overhead > -0.05
    assert said[1:] == ["1 of 4: logistic, K = 0", "2 of 4: logistic, K = 2", "3 of 4: PNG", "4 of 4: WebP lossless"]


def test_both_encoders_with_and_without_steps_in_one_run(plan):
    both = ("mnist-binary-classic", "mnist-binary")
    report = runner.run(plan(dataset="mnist-binary", models=both, steps=(0, 2), orders=("set",), limit=3))
    assert [(row.model, row.objective, row.steps) for row in report.models] == [
        ("mnist-binary-classic", "classic", 0),
        ("mnist-binary-classic", "classic", 2),
        ("mnist-binary", "half-asleep", 0),
        ("mnist-binary", "half-asleep", 2),
    ]
    assert len({row.fingerprint for row in report.models}) == 2


def test_presets_beside_steps(plan, local_models):
    model = str(local_models["grey"].path)
    wanted = plan(models=(model,), steps=(1,), presets=(1, 3), orders=("set",), limit=2)
    found = [(row.steps, row.preset, row.figures.bytes) for row in runner.run(wanted).models]
    isolated = runner.run(replace(wanted, steps=(), presets=(3,), isolated=True))
    assert [(steps, preset) for steps, preset, _ in found] == [(1, None), (0, 1), (1, 3)]
    assert [(row.steps, row.preset, row.figures.bytes) for row in isolated.models] == found[-1:]


def test_a_seed_draws_other_images(plan):
    sums = {seed: runner.run(plan(limit=4, seed=seed, orders=("set",))).facts.sha256 for seed in (None, 1)}
    assert sums[None] != sums[1]


def test_a_missing_peer_is_named_and_skipped(plan, monkeypatch):
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    report = runner.run(plan(peers=("png", "jxl"), limit=2, orders=("set",)))
    reason = f"imagecodecs is not installed; {INSTALL}"
    assert report.skipped == {"JPEG XL effort 7": reason, "JPEG XL effort 9": reason}
    assert [row.peer for row in report.peers] == ["png"]


def test_a_peer_that_cannot_hold_a_picture_is_skipped_and_the_first_such_named(tmp_path, plan):
    deep = Picture("I;16", np.arange(20, dtype=np.uint16).reshape(4, 5, 1) * 999)
    for name in ("b.png", "c.png"):
        (tmp_path / name).write_bytes(vaezip.pictures.write(deep, ".png"))
    (tmp_path / "a.png").write_bytes(
        vaezip.pictures.write(Picture("L", np.arange(20, dtype=np.uint8).reshape(4, 5, 1)), ".png")
    )
    said = []
    report = runner.run(plan(dataset=str(tmp_path), models=("auto",), peers=("png", "webp")), said.append)
    assert report.skipped == {"WebP lossless": "b.png: WebP holds no 16-bit pictures"}
    assert said[1:] == ["1 of 2: auto, K = 0", "2 of 2: PNG"]
    assert report.models[0].elbo_bpd is None
    assert report.facts.raw_bytes == 100


def test_a_peer_that_crashes_is_skipped_and_the_others_are_measured(plan, monkeypatch):
    def crash(*_):
        raise RuntimeError("out of\nluck")

    monkeypatch.setitem(peers.CODECS, "png", replace(peers.CODECS["png"], encode=crash))
    report = runner.run(plan(peers=("png", "webp"), limit=1, orders=("set",)))
    assert report.skipped == {"PNG": "RuntimeError: out of luck"}
    assert [row.peer for row in report.peers] == ["webp"]
    assert len(report.models) == 1


def test_a_model_that_crashes_ends_the_run(plan, monkeypatch):
    def crash(*_):
        raise RuntimeError("boom")

    monkeypatch.setattr(Ours, "encode", crash)
    with pytest.raises(VaezipError, match=r"^logistic, K = 2 could not be measured: RuntimeError: boom$"):
        runner.run(plan(steps=(2,), limit=1))


def test_a_model_that_does_not_fit_a_picture_is_refused_before_any_work(tmp_path, plan):
    for name, mode in (("a.png", "RGB"), ("b.png", "L")):
        samples = np.arange(4 * 5 * vaezip.pictures.MODES[mode].channels, dtype=np.uint8).reshape(4, 5, -1)
        (tmp_path / name).write_bytes(vaezip.pictures.write(Picture(mode, samples), ".png"))
    said = []
    with pytest.raises(DataError) as caught:
        runner.run(plan(dataset=str(tmp_path), models=("auto", "photo")), said.append)
    fits = "RGB pictures of any size (to 262,144 a side)"
    assert str(caught.value) == f"b.png: model 'photo' codes {fits}, not L of 5×4"
    assert caught.value.remedy == "other-model"
    assert said == [f"reading {tmp_path}"]


def test_metadata_is_not_measured(tmp_path, plan):
    samples = np.zeros((4, 5, 1), np.uint8)
    boxes = (("palette", bytes(9)), ("icc", bytes(1000)))
    (tmp_path / "p.png").write_bytes(vaezip.pictures.write(Picture("P", samples, boxes), ".png"))
    ((_, picture),) = worker.select(plan(dataset=str(tmp_path)))
    assert picture.boxes == (("palette", bytes(9)),)


@pytest.mark.parametrize("order", ["set", "single"])
def test_a_decoder_that_errs_ends_the_run(plan, monkeypatch, order):
    def restore(self, decoded, pictures):
        back = original(self, decoded, pictures)
        back[-1].samples[5, 5] ^= 1
        return back

    original = Ours.restore
    monkeypatch.setattr(Ours, "restore", restore)
    with pytest.raises(
        MismatchError, match=rf"^image '0000\d' did not come back bit for bit from logistic with K = 2 \({order}\)$"
    ):
        runner.run(plan(steps=(2,), orders=(order,), limit=3))


def test_a_peer_that_errs_ends_the_run(plan, monkeypatch):
    monkeypatch.setattr(peers, "_decode_by_pillow", lambda data, _: None)
    broken = replace(peers.CODECS["png"], decode=lambda data, _: Picture("L", np.zeros((28, 28, 1), np.uint8)))
    monkeypatch.setitem(peers.CODECS, "png", broken)
    with pytest.raises(MismatchError, match="image '00000' did not come back bit for bit from PNG"):
        runner.run(plan(peers=("png",), limit=1, models=("auto",), orders=("single",)))


@pytest.mark.parametrize(("fields", "error"), [({"models": ("nope",)}, ModelError), ({"dataset": "nope"}, DataError)])
def test_what_is_missing_is_found_before_any_work(plan, fields, error):
    said = []
    with pytest.raises(error):
        runner.run(plan(**fields), said.append)
    assert not any("1 of" in text for text in said)


# In processes of their own


def test_isolated_figures_are_those_of_this_process(plan):
    wanted = plan(limit=4, orders=("set",), peers=("png",))
    here, there = runner.run(wanted), runner.run(replace(wanted, isolated=True))
    assert [row.figures.bytes for row in here.rows("set")] == [row.figures.bytes for row in there.rows("set")]
    peaks = [row.figures.peak_mb for row in there.rows("set")]
    if sys.platform == "linux":
        assert 50 < peaks[0] < 600
        assert 10 < peaks[1] < peaks[0]


@pytest.fixture
def in_place_of_the_worker(tmp_path, monkeypatch):
    """in_place_of_the_worker(script): what runs where the worker would."""

    def put(script):
        (tmp_path / "vaezip" / "bench").mkdir(parents=True)
        for package in ("vaezip", "vaezip/bench"):
            (tmp_path / package / "__init__.py").touch()
        (tmp_path / "vaezip" / "bench" / "worker.py").write_text(script)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    return put


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ('print(\'noise\'); print(\'{"error": "MismatchError", "reason": "x"}\')', MismatchError, "x"),
        ('print(\'{"error": "VaezipError", "reason": "y"}\')', VaezipError, "y"),
        ("raise RuntimeError('boom')", UnavailableError, "RuntimeError: boom"),
        ("import os; os._exit(3)", UnavailableError, "exit status 3"),
        ("", UnavailableError, "exit status 0"),
    ],
)
def test_errors_of_a_worker(plan, in_place_of_the_worker, answer, error, message):
    in_place_of_the_worker(answer)
    with pytest.raises(error) as caught:
        runner._measure(plan(isolated=True), {"peer": "png"})
    assert str(caught.value) == message


def test_a_worker_has_the_threads_that_are_asked_for(plan, in_place_of_the_worker, monkeypatch):
    """oxipng's package has no other way to learn of them."""
    monkeypatch.setenv("RAYON_NUM_THREADS", "64")
    in_place_of_the_worker("import json, os; print(json.dumps({'threads': os.environ['RAYON_NUM_THREADS']}))")
    assert runner._measure(plan(isolated=True, threads=3), {"peer": "oxipng"}) == {"threads": "3"}


def test_a_worker_ends_with_its_parent_and_leaves_nothing(plan, tmp_path):
    job = json.dumps({"plan": asdict(plan(models=(), orders=("set",))), "peer": "png"})
    slow = "import time\nfrom vaezip.bench import worker\nworker.run = lambda *_: time.sleep(60)\nworker.main()"
    environment = {"TMPDIR": str(tmp_path), "PYTHONPATH": ":".join(filter(None, sys.path))}
    process = subprocess.Popen([sys.executable, "-c", slow, job], stdin=subprocess.PIPE, env=environment)
    deadline = time.monotonic() + 20
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(tmp_path.iterdir())
    process.stdin.close()
    assert process.wait(20) == 1
    assert not list(tmp_path.iterdir())
