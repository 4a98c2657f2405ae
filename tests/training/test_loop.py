import contextlib
import json
import math

import numpy as np
import pytest
import torch

from vaezip.errors import VaezipError
from vaezip.networks.floating import Vae
from vaezip.networks.mlp import mlp
from vaezip.training import recipes
from vaezip.training.loop import Stage, evaluate, fit
from vaezip.training.objectives import classic, half_asleep


@pytest.fixture(scope="module")
def images(discs):
    return discs(96, 28, 28, 1, 2)


def fresh():
    torch.manual_seed(0)
    return Vae(mlp("bernoulli", 2, 8))


def weights(vae):
    return {k: v.clone() for k, v in vae.state_dict().items()}


def equal(a, b):
    return all(torch.equal(a[k], b[k]) for k in a)


def stage(epochs=3, **more):
    return Stage("s", more.pop("objective", classic), epochs, 1e-3, batch=32, **more)


def test_a_stage_that_is_resumed_ends_like_one_that_was_not(images, tmp_path):
    whole, parts = fresh(), fresh()
    fit(whole, images[:64], images[64:], stage(augment=True), tmp_path / "whole.pt")
    calls = []

    def interrupted(vae, x):
        calls.append(1)
        if len(calls) == 4:  # in the middle of the second epoch
            raise KeyboardInterrupt
        return classic(vae, x)

    with pytest.raises(KeyboardInterrupt):
        fit(parts, images[:64], images[64:], stage(augment=True, objective=interrupted), tmp_path / "parts.pt")
    again = Vae(parts.architecture)
    fit(again, images[:64], images[64:], stage(augment=True), tmp_path / "parts.pt")
    assert equal(weights(again), weights(whole))
    lines = [json.loads(line) for line in (tmp_path / "parts.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert all(math.isfinite(line["train_bpd"] + line["valid_bpd"]) for line in lines)


def test_a_finished_stage_is_left_alone(images, tmp_path):
    vae = fresh()
    fit(vae, images[:64], images[64:], stage(1), tmp_path / "s.pt")
    done = weights(vae)
    fit(vae, images[:64], images[64:], stage(1), tmp_path / "s.pt")
    assert equal(weights(vae), done)


def test_training_lowers_the_rate(images, tmp_path):
    vae = fresh()
    before = evaluate(vae, images)
    fit(vae, images, images, stage(10), tmp_path / "s.pt")
    assert evaluate(vae, images) < before


def test_half_asleep_leaves_the_decoder_untouched(images, tmp_path):
    vae = fresh()
    before = weights(vae)
    fit(vae, images[:64], images[64:], stage(2, objective=half_asleep, encoder_only=True), tmp_path / "s.pt")
    after = weights(vae)
    assert all(torch.equal(before[k], after[k]) for k in before if k.startswith("decoder"))
    assert all(not torch.equal(before[k], after[k]) for k in before if k.startswith("encoder"))


def test_a_loss_that_diverges_is_reported_and_not_saved(images, tmp_path):
    with pytest.raises(VaezipError, match="diverged in epoch 0"):
        fit(
            fresh(), images[:64], images[64:], stage(objective=lambda v, x: classic(v, x) * math.nan), tmp_path / "s.pt"
        )
    assert not (tmp_path / "s.pt").exists()


def test_fewer_images_than_a_batch_are_refused_or_trained_on(images, tmp_path):
    vae = fresh()
    before = weights(vae)
    with contextlib.suppress(VaezipError):
        fit(vae, images[:20], images[64:], stage(1), tmp_path / "s.pt")
        assert not equal(weights(vae), before)


def test_evaluate_does_not_depend_on_the_batch_much_and_is_seeded(images):
    vae = fresh()
    assert evaluate(vae, images) == evaluate(vae, images)
    assert evaluate(vae, images, seed=1) != evaluate(vae, images, seed=2)
    assert evaluate(vae, images, batch=7) == pytest.approx(evaluate(vae, images), rel=0.02)


@pytest.mark.parametrize("name", sorted(recipes.RECIPES))
def test_recipes(name):
    recipe = recipes.RECIPES[name]
    assert [s.encoder_only for s in recipe.stages] == [False, True]
    torch.manual_seed(0)
    vae, a = Vae(recipe.architecture), recipe.architecture
    x = torch.randint(0, a.levels, (2, *a.tile, a.channels))
    for part in recipe.stages:
        assert torch.isfinite(part.objective(vae, x))


def test_the_held_out_images_are_no_training_images():
    recipe = recipes.RECIPES["mnist"]
    images = np.arange(3000, dtype=np.int64)
    train, valid = recipes.split(recipe, images)
    assert len(valid) == recipe.valid
    assert sorted([*train, *valid]) == list(range(3000))
    assert (recipes.split(recipe, images)[1] == valid).all()
