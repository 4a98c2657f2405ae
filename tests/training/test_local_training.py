import json

import numpy as np
import pytest
import torch

from vaezip import checkpoint, raster
from vaezip.networks.local.architecture import local
from vaezip.networks.local.floating import LocalVae
from vaezip.training import local as training
from vaezip.training.tiles import tiles


class Discs:
    """A source of small pictures."""

    def __init__(self, images):
        self.images = images

    def batch(self, count, rng):
        return tiles(self.images[rng.integers(0, len(self.images), count)])

    def held(self):
        return iter([self.images[:4]])


@pytest.fixture
def source(discs):
    return Discs(discs(32, 32, 32, 1))


@pytest.fixture
def new():
    def make():
        torch.manual_seed(0)
        return LocalVae(local(1, hidden=32, blocks=1, head=8, mixture=2, latents=3))

    return make


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(training, "_EVERY", 3)
    monkeypatch.setattr(training, "_RISE", 2)


def weights(vae):
    return torch.cat([p.detach().ravel() for p in vae.parameters()])


def test_training_gains_and_goes_on_where_it_was_cut(source, new, tmp_path):
    whole, cut = new(), new()
    before, _ = training.evaluate(whole, source)
    training.fit(whole, source, 12, tmp_path / "whole.pt")
    after, kl = training.evaluate(whole, source)
    assert 0 < kl < after < before
    original, count = source.batch, 0

    def dies(*arguments):
        nonlocal count
        count += 1
        if count > 8:
            raise KeyboardInterrupt
        return original(*arguments)

    source.batch = dies
    with pytest.raises(KeyboardInterrupt):
        training.fit(cut, source, 12, tmp_path / "cut.pt")
    source.batch = original
    again = new()
    training.fit(again, source, 12, tmp_path / "cut.pt")
    assert torch.equal(weights(again), weights(whole))
    lines = [json.loads(line) for line in (tmp_path / "cut.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [3, 6, 9, 12]
    assert set(lines[0]) == {"step", "train_bpd", "held_bpd", "kl_bpd", "dead", "seconds"}


def test_dead_units_start_anew_and_change_nothing(source, new):
    vae = new()
    frame, mask = (torch.from_numpy(part) for part in source.batch(4, np.random.default_rng(0)))
    with torch.no_grad():
        vae.inner[0].weight[:5] = 0.0
        vae.inner[0].bias[:5] = -100.0
    torch.manual_seed(1)
    before = training.losses(vae, frame, mask)[0]
    assert training.revive(vae, frame, False)[0] == 5
    assert training.revive(vae, frame, True)[0] == 5
    torch.manual_seed(1)
    assert torch.allclose(training.losses(vae, frame, mask)[0], before)
    assert training.revive(vae, frame, False)[0] < 5


def test_pixels_outside_of_the_mask_do_not_count(source, new):
    frame, mask = (torch.from_numpy(part) for part in source.batch(2, np.random.default_rng(0)))
    torch.manual_seed(0)
    nats, kl = training.losses(new(), frame, torch.zeros_like(mask))
    assert not nats.any()
    assert (kl > 0).all()


def test_a_model_is_published_with_its_card(source, new, tmp_path):
    vae = new()
    training.fit(vae, source, 6, tmp_path / "state.pt")
    record = training.publish(tmp_path / "discs", vae, source, "discs", 6, "A note.")
    model = checkpoint.load(tmp_path / "discs.safetensors")
    assert model.information["steps"] == 6
    images = source.images[:4]
    assert record["integer_bpd"] == pytest.approx(raster.elbo_bits(model, images, 0) / images.size, abs=1e-5)
    assert record["integer_bpd"] == pytest.approx(record["float_bpd"], rel=0.01)
    card = (tmp_path / "discs.md").read_text()
    assert record["fingerprint"] in card
    assert "discs: 6 steps" in card
    assert card.endswith("A note.\n")


def test_recipes_fit_their_pictures():
    for name, recipe in training.RECIPES.items():
        assert recipe.architecture.channels == (1 if name.startswith(("photo-gray", "mnist")) else 3)
        recipe.architecture.check()
