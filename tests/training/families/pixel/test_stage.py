import math

import numpy as np
import pytest
import torch

from vaezip.errors import ModelError
from vaezip.models import file as model_file
from vaezip.models.pixel import bitsback as pixel_bitsback
from vaezip.models.pixel.architecture import pixel_architecture
from vaezip.training.families.pixel import stage as training
from vaezip.training.families.pixel.draft import draft
from vaezip.training.families.pixel.tiles import tiles
from vaezip.training.loop import Samples, fit, learning_rate, read_log
from vaezip.training.muon import Muon
from vaezip.training.networks.pixel import PixelVae
from vaezip.training.publish import publish

GREY = pixel_architecture(1, hidden=32, blocks=1, head=8, mixture=2, latents=3)


class Discs:
    """A source of small pictures."""

    def __init__(self, images):
        self.images = images

    def prepare(self, epoch):
        self.epoch = epoch

    def batch(self, count, rng):
        return tiles(self.images[rng.integers(0, len(self.images), count)], GREY)

    def held_out(self):
        return iter([self.images[:4]])


@pytest.fixture
def source(discs):
    return Discs(discs(32, 32, 32, 1))


@pytest.fixture
def held(source):
    return np.concatenate([tiles(pictures, GREY) for pictures in source.held_out()])


@pytest.fixture
def new():
    def make(seed=0):
        torch.manual_seed(seed)
        return PixelVae(GREY)

    return make


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(training, "_EVERY", 3)
    monkeypatch.setattr(training, "RISE", 2)


def weights(vae):
    return torch.cat([p.detach().ravel() for p in vae.parameters()])


def rates(state):
    return [{k: v for k, v in line.items() if k != "seconds"} for line in read_log(state.with_suffix(".jsonl"))]


def stage(vae, epochs=4, batch=4, **fields):
    return training.stage_of(vae.architecture, epochs, warmup=2, batch=batch, **fields)


def test_training_gains_and_goes_on_where_it_was_cut(source, held, new, tmp_path):
    whole, cut = new(), new()
    before, _ = training.evaluate(whole, held)
    training.train(whole, source, steps=12, state=tmp_path / "whole.pt")
    after, kl = training.evaluate(whole, held)
    assert 0 < kl < after < before - 0.05
    original, count = source.batch, 0

    def dies(*arguments):
        nonlocal count
        count += 1
        if count > 8:
            raise KeyboardInterrupt
        return original(*arguments)

    source.batch = dies
    with pytest.raises(KeyboardInterrupt):
        training.train(cut, source, steps=12, state=tmp_path / "cut.pt")
    source.batch = original
    again = new()
    training.train(again, source, steps=12, state=tmp_path / "cut.pt")
    assert torch.equal(weights(again), weights(whole))
    assert rates(tmp_path / "cut.pt") == rates(tmp_path / "whole.pt")
    lines = read_log(tmp_path / "cut.jsonl")
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4]
    assert set(lines[0]) == {"stage", "epoch", "train_bpd", "valid_bpd", "kl_bpd", "dead", "seconds"}
    assert torch.load(tmp_path / "cut.pt", weights_only=True)["step"] == 12


def test_a_state_of_an_earlier_version_goes_on(source, new, tmp_path):
    """It held the last weights, the optimisers and the number of steps."""
    whole, again = new(), new(1)
    training.train(whole, source, steps=12, state=tmp_path / "whole.pt")
    saved = torch.load(tmp_path / "whole.pt", weights_only=True)
    torch.save({name: saved[name] for name in ("vae", "optimisers", "step")} | {"step": 9}, tmp_path / "old.pt")
    (tmp_path / "old.jsonl").write_text('{"step": 3}\n{"step": 6}\n{"step": 9}\n')
    training.train(again, source, steps=12, state=tmp_path / "old.pt")
    assert torch.load(tmp_path / "old.pt", weights_only=True)["step"] == 12
    assert [line.get("epoch") for line in read_log(tmp_path / "old.jsonl")] == [None, None, None, 4]
    assert 0 < float((weights(again) - weights(whole)).abs().max()) < 0.1


@pytest.mark.parametrize("when", range(1, 5))
def test_a_stage_on_arrays_that_is_killed_while_it_writes(source, new, tmp_path, killed_while_writing, when):
    whole, again = new(), new()
    train, valid = tiles(source.images[:9], GREY), tiles(source.images[9:12], GREY)
    fit(whole, Samples(train, valid), stage(whole, 2, best=True), state=tmp_path / "whole.pt")
    killed_while_writing(when)
    with pytest.raises(KeyboardInterrupt):
        fit(vae := new(), Samples(train, valid), stage(vae, 2, best=True), state=tmp_path / "parts.pt")
    fit(again, Samples(train, valid), stage(again, 2, best=True), state=tmp_path / "parts.pt")
    assert torch.equal(weights(again), weights(whole))
    assert rates(tmp_path / "parts.pt") == rates(tmp_path / "whole.pt")


def test_a_loss_that_diverges(source, new, tmp_path):
    train, vae = tiles(source.images[:8], GREY), new()
    wild = training.stage_of(vae.architecture, 1, warmup=1, learning_rate=1e30, batch=4)
    with pytest.raises(
        ModelError, match=r"elbo diverged in epoch 1 at a learning rate of 1e\+30, and nothing of this stage is kept"
    ):
        fit(vae, Samples(train, train), wild, state=tmp_path / "s.pt")
    assert not (tmp_path / "s.pt").exists()


def test_the_hidden_matrices_learn_by_muon(new):
    vae = new()
    muon, adam, latents = stage(vae).optimisers(vae)
    assert isinstance(muon, Muon)
    taught = [p for o in (muon, adam, latents) for p in o.param_groups[0]["params"]]
    assert sorted(map(id, taught)) == sorted(map(id, vae.parameters()))
    assert {id(p) for p in muon.param_groups[0]["params"]} == {
        id(layer.weight) for layer in (vae.first, *vae.inner, *vae.outer, *vae.head)
    }
    assert [o.param_groups[0]["lr"] for o in (muon, adam, latents)] == [0.02, 2e-3, 5e-4]


def test_the_learning_rate_falls_to_a_hundredth(new):
    falling = [learning_rate(stage(new(), 100), 1.0, epoch=epoch, step=0, steps=5) for epoch in (0, 1, 50, 99)]
    assert falling == pytest.approx([0.5, 0.9998, 0.505, 0.0102], abs=1e-4)


def test_the_kl_is_weighed_little_at_first(source, new):
    vae, x = new(), torch.from_numpy(tiles(source.images[:2], GREY))
    found = {}
    for progress in (0.0, 0.45, 0.6, 1.0):
        torch.manual_seed(0)
        found[progress] = stage(vae).loss(vae, x, progress).item()
    torch.manual_seed(0)
    nats, kl = (part.mean().item() for part in training.losses(vae, *training._parts(x)))
    assert found == pytest.approx({0.0: nats + 0.02 * kl, 0.45: nats + 0.5 * kl, 0.6: nats + kl, 1.0: nats + kl})


def test_the_kl_has_its_weight_from_the_start_where_z_is_used_already(source, new):
    vae, x = new(), torch.from_numpy(tiles(source.images[:2], GREY))
    begun = training.stage_of(GREY, 4, warmup=2, begun=True)
    torch.manual_seed(0)
    found = begun.loss(vae, x, 0.0).item()
    torch.manual_seed(0)
    nats, kl = (part.mean().item() for part in training.losses(vae, *training._parts(x)))
    assert found == pytest.approx(nats + kl)


def test_dead_units_start_anew_and_change_nothing(source, new):
    vae = new()
    frame, mask = training._parts(torch.from_numpy(source.batch(4, np.random.default_rng(0))))
    with torch.no_grad():
        vae.inner[0].weight[:5] = 0.0
        vae.inner[0].bias[:5] = -100.0
    torch.manual_seed(1)
    before = training.losses(vae, frame, mask)[0]
    assert training.dead(vae, frame)[0][2].tolist() == [0, 1, 2, 3, 4]
    training.revive(vae, frame, 1)
    torch.manual_seed(1)
    assert torch.allclose(training.losses(vae, frame, mask)[0], before)
    assert len(training.dead(vae, frame)[0][2]) < 5


@pytest.mark.parametrize(("step", "progress", "revived"), [(3, 0.5, True), (2, 0.5, False), (3, 0.7, False)])
def test_dead_units_start_anew_now_and_then(source, new, step, progress, revived):
    vae, x = new(), torch.from_numpy(tiles(source.images[:2], GREY))
    with torch.no_grad():
        vae.inner[0].bias[:5] = -1000.0
    stage(vae).tend(vae, x, step=step, progress=progress)
    assert (vae.inner[0].bias[:5] == 0).all() == revived


def test_pixels_outside_of_the_mask_do_not_count(source, new):
    frame, mask = training._parts(torch.from_numpy(source.batch(2, np.random.default_rng(0))))
    torch.manual_seed(0)
    nats, kl = training.losses(new(), frame, torch.zeros_like(mask))
    assert not nats.any()
    assert (kl > 0).all()


def test_rates_are_of_the_pixels_that_are_coded(source, new):
    vae, ragged = new(), tiles(source.images[:3, :20, :9], GREY)
    assert stage(vae).values(torch.from_numpy(ragged)) == 3 * 20 * 9
    torch.manual_seed(0)
    nats, kl = (part.sum().item() for part in training.losses(vae, *training._parts(torch.from_numpy(ragged))))
    bits = 3 * 20 * 9 * math.log(2)
    assert training.evaluate(vae, ragged) == pytest.approx(((nats + kl) / bits, kl / bits))


def test_losses_stay_on_the_device_of_the_tiles(new):
    """The device ``meta`` computes nothing, but minds that all is on it."""
    vae = new().to("meta")
    frame, mask = training._parts(torch.from_numpy(tiles(np.zeros((2, 32, 32, 1), np.uint8), GREY)).to("meta"))
    assert {part.device.type for part in training.losses(vae, frame, mask)} == {"meta"}


def test_a_model_is_published_with_its_card(source, local_models, tmp_path):
    vae = local_models["grey"].vae
    calibration, images = source.batch(8, np.random.default_rng(0)), source.images[:4]
    information = {"objective": "classic", "dataset": "discs", "steps": 6}
    details = {"batch": 16, "made_by": ["this test"], "note": "A note."}
    made = draft(vae, calibration, [images], information=information, details=details)
    record = publish(tmp_path / "discs", made)
    model = model_file.load(tmp_path / "discs.safetensors")
    assert model.information == {name: record[name] for name in model.information}
    assert model.information["steps"] == 6
    assert record["integer_bpd"] == pytest.approx(
        pixel_bitsback.elbo_bits(model, images, steps=0) / images.size, abs=1e-5
    )
    assert record["integer_bpd"] == pytest.approx(record["float_bpd"], rel=0.01)
    assert record["without_latents_bpd"] == pytest.approx(record["float_bpd"] - record["kl_bpd"], rel=0.2)
    assert record["without_latents_bpd"] != record["float_bpd"] - record["kl_bpd"]
    card = (tmp_path / "discs.md").read_text()
    assert record["fingerprint"] in card
    assert "discs: 6 steps of 16 tiles" in card
    assert "Made by `this test`;" in card
    assert card.endswith("A note.\n")
