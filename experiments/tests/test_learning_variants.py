"""Experiments with learning while coding, on pictures of no meaning."""

import importlib
import itertools
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import vaezip
from vaezip.models import file as model_file
from vaezip.models.effort import Effort
from vaezip.models.pixel import adaptive
from vaezip.models.pixel.search import chosen_settings
from vaezip.pictures.picture import Picture

LEARNING = Path(__file__).parents[1] / "learning"
HEIGHT, WIDTH = 40, 64
SOME = ["no learning", "as the codec", "rates × 0.5 and × 2 mixed", "set right, no learning"]

pytestmark = pytest.mark.skipif("photo" not in model_file.shipped(), reason="the model is not shipped")


@pytest.fixture(scope="module")
def scripts():
    """The scripts, their pictures small, and few held out."""
    sys.path.insert(0, str(LEARNING))
    names = ("pixelnet", "online", "after", "shown", "variants", "passes", "meta", "sets")
    found = SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    sys.path.remove(str(LEARNING))
    found.variants.ROWS, found.variants.COLUMNS, found.variants.HELD_OUT = HEIGHT, WIDTH, 2
    found.passes.HELD_OUT = 2
    found.meta.ROWS, found.meta.COLUMNS, found.meta.HELD_OUT = 16, WIDTH, 2
    found.meta.TESTED = found.meta.REPORTS = found.meta.CROPS = 1
    return found


@pytest.fixture(scope="module")
def model():
    return model_file.load(model_file.find("photo"))


@pytest.fixture(scope="module")
def net(scripts, model):
    return scripts.pixelnet.Network(model)


@pytest.fixture(scope="module")
def samples(discs):
    return discs(1, HEIGHT, WIDTH, 3)[0]


@pytest.fixture(scope="module")
def prior(scripts, net, model, discs):
    return scripts.online.learnt_prior(net, [scripts.pixelnet.prepared(model, x) for x in discs(2, HEIGHT, WIDTH, 3)])


def test_without_learning_it_is_the_codec(scripts, net, model, samples):
    picture = scripts.pixelnet.prepared(model, samples, with_latents=True)
    coded = scripts.online.code(net, picture, scripts.online.NO_LEARNING)
    ours = (coded.bits.sum() + picture.latent_bits) / samples.size
    assert ours == pytest.approx(scripts.variants.exact_bpd(model, samples), rel=2e-3)


def test_with_learning_it_is_the_codec(scripts, net, model, samples):
    picture = scripts.pixelnet.prepared(model, samples)
    assert not picture.latent_bits
    for setting, rows, effort in (
        (scripts.online.Setting(), scripts.online.Setting().rows, Effort(1)),
        (scripts.online.Setting("none"), 32, Effort(0)),
    ):
        coded = scripts.online.code(net, picture, setting)
        ours = scripts.after.corrected(coded.parameters, picture, rows=rows).sum()
        codec = adaptive.bits(model, samples[None], chosen_settings(model, effort, 1))
        assert ours == pytest.approx(codec, rel=2e-3)


def test_mixtures_side_by_side_are_their_mean(scripts, net, model, samples):
    picture = scripts.pixelnet.prepared(model, samples)
    learnt, still = (scripts.online.code(net, picture, scripts.online.Setting(x)) for x in ("adam", "none"))
    together = scripts.after.side_by_side([learnt.parameters, still.parameters])
    x = picture.inputs
    nats, _ = scripts.pixelnet.mixture(
        together.astype(np.float32), x.values, x.prediction, 2 * model.architecture.mixture
    )
    mean = (np.exp2(-learnt.bits) + np.exp2(-still.bits)) / 2
    np.testing.assert_allclose(np.exp(nats), mean, rtol=1e-3, atol=1e-9)


def test_the_gradient_is_that_of_the_likelihood(scripts, net, model, samples):
    picture = scripts.pixelnet.prepared(model, samples)
    x = scripts.pixelnet.pixels(picture.inputs, slice(0, None, 61))
    mix = model.architecture.mixture

    def log_p(weights):
        trace = net.forward(x, picture.shifts, net.views(weights))
        return trace, *scripts.pixelnet.mixture(trace.parameters, x.values, x.prediction, mix)

    weights = net.weights.astype(np.float64)
    trace, _, gradient = log_p(weights)
    found = np.zeros_like(weights)
    net.backward(x, trace, gradient, net.views(weights), found)
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(7):  # of which some cross the bend of a unit
        way = rng.standard_normal(weights.size) * net.pace
        measured = (log_p(weights + 1e-5 * way)[1].sum() - log_p(weights - 1e-5 * way)[1].sum()) / 2e-5
        errors.append(abs(measured - found @ way) / np.linalg.norm(found * net.pace))
    assert np.median(errors) < 2e-3


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimiser": "layer"},
        {"optimiser": "rms", "carried": False},
        {"optimiser": "sign", "rate": 0.5},
        {"rows": 1, "average": 0.9, "averaged": ("head", "out.")},
        {"whitened": True},
        {"warm": 100, "latents": True},
        {"scales": True},
        {"rank": 4, "both": True},
    ],
)
def test_nothing_is_known_before_its_turn(scripts, net, model, samples, prior, changes):
    setting = scripts.online.Setting(**changes)
    other = samples.copy()
    other[24:] = 255 - other[24:]  # z of the first strip is told: it may depend on them
    first, second = (scripts.pixelnet.prepared(model, x, setting.latents) for x in (samples, other))
    second.shifts = first.shifts
    bits = [scripts.online.code(net, picture, setting, prior) for picture in (first, second)]
    known, later = slice(0, 24 * WIDTH), slice(24 * WIDTH, None)
    np.testing.assert_array_equal(bits[0].bits[known], bits[1].bits[known])
    assert not np.array_equal(bits[0].bits[later], bits[1].bits[later])
    for after in (
        lambda coded, picture: scripts.after.mixed([coded.bits, coded.bits + 1.0], WIDTH),
        lambda coded, picture: scripts.after.corrected(coded.parameters, picture, rows=8),
    ):
        made = [after(coded, picture) for coded, picture in zip(bits, (first, second))]
        np.testing.assert_array_equal(made[0][known], made[1][known])


def test_only_chosen_layers_learn(scripts, net, model, samples):
    picture = scripts.pixelnet.prepared(model, samples)
    x = scripts.pixelnet.pixels(picture.inputs, slice(0, 128))
    for setting, moving in (
        (scripts.online.Setting(layers=("out.",)), {"out.0", "out.1", "out.2"}),
        (scripts.online.Setting(layers=("first",)), {"first"}),
    ):
        learner = scripts.online.Learner(net, setting)
        learner.step(x, picture.shifts, 1e-3)
        before, now = net.views(net.weights), net.views(learner.weights)
        assert {name for name in now if not np.array_equal(now[name], before[name])} == moving


@pytest.mark.parametrize("changes", [{}, {"scales": True}, {"rank": 3}, {"rank": 99, "both": True}])
def test_gradients_of_what_learns(scripts, net, changes):
    form = scripts.online.Learner(net, scripts.online.Setting(**changes)).form
    np.testing.assert_array_equal(form.weights(form.start), net.weights)
    rng = np.random.default_rng(0)
    learnt = form.start + 0.1 * rng.standard_normal(form.start.size).astype(np.float32)
    for_weights = rng.standard_normal(net.weights.size).astype(np.float32)
    if "rank" in changes:
        assert not (form.weights(learnt) - net.weights)[net.pace == 0].any()  # what is not there stays away
    else:
        for_weights *= net.pace > 0
    found = form.gradient(learnt, for_weights).astype(np.float64)
    for _ in range(3):
        way = 0.01 * rng.standard_normal(learnt.size).astype(np.float32)
        ahead, behind = (form.weights(learnt + sign * way).astype(np.float64) for sign in (1, -1))
        measured = (ahead - behind) @ for_weights / 2
        assert measured == pytest.approx(found @ way, abs=1e-3 * np.linalg.norm(found) * np.linalg.norm(way))


def test_only_scales_of_the_weights_learn(scripts, net, model, samples):
    picture = scripts.pixelnet.prepared(model, samples)
    learner = scripts.online.Learner(net, scripts.online.Setting(scales=True))
    learner.step(scripts.pixelnet.pixels(picture.inputs, slice(0, 128)), picture.shifts, 1e-2)
    for name, layer in net.views(learner.weights).items():
        before, now = net.layers[name][0][:, :-1].astype(np.float64), layer[:, :-1].astype(np.float64)
        scale = (before * now).sum(axis=1, keepdims=True) / (before * before).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(now, scale * before, atol=1e-6)
        assert np.abs(scale - 1).max() > 1e-3


def test_mixing_comes_near_the_better(scripts):
    rng = np.random.default_rng(0)
    good, bad = rng.uniform(1.0, 2.0, (2000, 3)), rng.uniform(4.0, 5.0, (2000, 3))
    found = scripts.after.mixed([bad, good], 20)
    assert found[:20].mean() > good[:20].mean() + 0.7
    assert found[-200:].mean() < good[-200:].mean() + 0.3


def test_a_part_is_the_same_whichever_way_a_picture_is_turned(scripts, net, samples):
    subject = scripts.variants.Subject(net, samples, None)
    ways = [subject.picture(False, way) for way in range(8)]
    assert {p.samples.shape[:2] for p in ways} == {(HEIGHT, WIDTH), (WIDTH, HEIGHT)}
    assert all(np.array_equal(np.sort(p.samples.ravel()), np.sort(samples.ravel())) for p in ways)
    whole = [net_bits(scripts, net, p) for p in ways]
    assert subject.probed_way in (0, 4)
    assert len({round(bits, 3) for bits in whole}) == 8  # a picture's cost depends on the way round


def net_bits(scripts, net, picture):
    return float(scripts.online.predicted(net, picture.inputs, picture.shifts, net.weights)[0].sum())


@pytest.fixture(scope="module")
def folder(tmp_path_factory, discs):
    """Photographs, two of which are held out, and a CIFAR-10 of some training images."""
    root = tmp_path_factory.mktemp("variants")
    for name in ("photos", "data/cifar-10-batches-bin"):
        (root / name).mkdir(parents=True)
    for i, samples in enumerate(discs(4, HEIGHT + 8, WIDTH, 3)):
        (root / "photos" / f"{i}_0.png").write_bytes(vaezip.pictures.write(Picture("RGB", samples), ".png"))
    for i in range(1, 6):
        planes = discs(2, 32, 32, 3, seed=i).transpose(0, 3, 1, 2).reshape(2, -1)
        records = np.concatenate([np.zeros((2, 1), np.uint8), planes], axis=1)
        (root / "data" / "cifar-10-batches-bin" / f"data_batch_{i}.bin").write_bytes(records.tobytes())
    return root


def call(folder, out, *only):
    chosen = [part for name in only for part in ("--only", name)]
    return ["--photos", str(folder / "photos"), "--pictures", "2", "--out", str(out), *chosen]


def test_the_table_is_kept_gone_on_with_and_shown(scripts, folder, tmp_path, monkeypatch):
    path = tmp_path / "variants.json"
    scripts.variants.main(call(folder, tmp_path, *SOME[:3]))
    first = json.loads(path.read_text())
    scripts.variants.main(call(folder, tmp_path, *SOME))
    found = json.loads(path.read_text())
    assert list(found["variants"]) == SOME
    assert all(found["variants"][name] == first["variants"][name] for name in SOME[:3])
    assert [facts["kind"] for facts in found["pictures"].values()] == list(scripts.variants.KINDS[:2])
    for row in found["variants"].values():
        assert row["bpd"] == pytest.approx(np.mean([cell["bpd"] for cell in row["cells"].values()]))
    assert found["variants"]["as the codec"]["of_codec"] == 1.0
    text = (tmp_path / "README.md").read_text()
    assert all(f"| {name} | {found['variants'][name]['bpd']:.4f} |" in text for name in SOME)
    monkeypatch.setattr(scripts.variants, "code", None)
    scripts.variants.main(call(folder, tmp_path, *SOME))
    assert json.loads(path.read_text()) == found


META = ["no learning", "as the codec", "meta-trained, no learning", "meta-trained"]


def test_meta_training_is_gone_on_with_and_measured(scripts, folder, tmp_path, monkeypatch, capsys):
    """Each step takes a second of processor time."""
    path, out = tmp_path / "meta.npz", tmp_path / "table"
    arguments = ["--photos", str(folder / "photos"), "--out", str(path)]
    out.mkdir()
    seconds = itertools.count()
    monkeypatch.setattr(scripts.meta, "time", SimpleNamespace(process_time=lambda: next(seconds)))
    with monkeypatch.context() as patched:
        patched.setattr(scripts.meta.State, "save", cut_after(scripts.meta.State.save))
        with pytest.raises(KeyboardInterrupt):
            scripts.meta.main([*arguments, "--minutes", "0.033"])
    before = scripts.meta.read(path)
    assert before.steps == 1
    scripts.meta.main([*arguments, "--minutes", "0.033"])
    state = scripts.meta.read(path)
    assert state.steps == 2
    assert state.done == 1.0
    assert not np.array_equal(state.weights, before.weights)
    assert capsys.readouterr().out.count("bits per value") == 3
    with pytest.raises(SystemExit, match="another training"):
        scripts.meta.main([*arguments, "--minutes", "1"])

    scripts.variants.main([*call(folder, out, *META), "--meta", str(path)])
    found = json.loads((out / "variants.json").read_text())
    assert list(found["variants"]) == META
    assert found["variants"]["meta-trained"]["trained"] == state.told()
    assert found["variants"]["meta-trained"]["bpd"] != found["variants"]["as the codec"]["bpd"]
    assert f"{state.steps} steps of 1 crops" in (out / "README.md").read_text()


def cut_after(save):
    def saved_and_cut(state, path):
        save(state, path)
        raise KeyboardInterrupt

    return saved_and_cut


def test_without_meta_trained_weights_their_rows_are_skipped(scripts, folder, tmp_path, monkeypatch, capsys):
    chosen = {name: scripts.variants.VARIANTS[name] for name in META}
    monkeypatch.setattr(scripts.variants, "VARIANTS", chosen)
    scripts.variants.main(call(folder, tmp_path))
    assert list(json.loads((tmp_path / "variants.json").read_text())["variants"]) == META[:2]
    assert "no `--meta FILE` was given" in (tmp_path / "README.md").read_text()
    with pytest.raises(SystemExit):
        scripts.variants.main(call(folder, tmp_path, "meta-trained"))
    assert "--meta is missing" in capsys.readouterr().err


def test_figures_of_other_pictures_or_models_are_refused(scripts, folder, tmp_path):
    scripts.variants.main(call(folder, tmp_path, SOME[0]))
    found = json.loads((tmp_path / "variants.json").read_text())
    for key, what in (("fingerprint", "another model"), ("pictures", "other pictures")):
        changed = {**found, key: "00" if key == "fingerprint" else {"0": {"kind": "another"}}}
        (tmp_path / "variants.json").write_text(json.dumps(changed))
        with pytest.raises(SystemExit, match=what):
            scripts.variants.main(call(folder, tmp_path, SOME[0]))


def test_rates_for_sets_are_the_codecs_bits(scripts, folder, tmp_path, model):
    arguments = ["--data", str(folder / "data"), "--images", "3", "--out", str(tmp_path), "--rates", "0", "6"]
    scripts.sets.main(arguments)
    found = json.loads((tmp_path / "sets.json").read_text())
    assert found["images"] == 3
    assert list(found["rows"]) == ["0", "6"]
    assert f"| 6, the codec's | {found['rows']['6']['bpd']:.4f} |" in (tmp_path / "README.md").read_text()
    before = (tmp_path / "sets.json").stat().st_mtime_ns
    scripts.sets.main(arguments)
    assert (tmp_path / "sets.json").stat().st_mtime_ns == before


def test_passes_are_the_codecs_bits(scripts, folder, tmp_path, model):
    call = ["--photos", str(folder / "photos"), "--pictures", "1", "--passes", "1", "3", "--out", str(tmp_path)]
    scripts.passes.main(call)
    found = json.loads((tmp_path / "passes.json").read_text())
    rows = found["rows"]
    rates = [scripts.passes.RATES[k] for k in (1, 3)]
    assert [(row["passes"], row["rate"]) for row in rows.values() if row["passes"]] == [
        (k, rate) for k, chosen in zip((1, 3), rates) for rate in (chosen // 2, chosen, chosen * 2)
    ]
    assert len({row["bits"] for row in rows.values()}) == len(rows)
    row = rows[f"3 at {rates[1]}"]
    assert f"| 3 | {rates[1]} | {row['bpd']:.4f} |" in (tmp_path / "README.md").read_text()
    cut = {**found, "rows": dict(list(rows.items())[:-1])}
    (tmp_path / "passes.json").write_text(json.dumps(cut))
    scripts.passes.main(call)
    assert json.loads((tmp_path / "passes.json").read_text()) == found
