import contextlib
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from vaezip.errors import DataError, ModelError, VaezipError
from vaezip.models.tile.mlp import mlp
from vaezip.training import loop
from vaezip.training.families.tile import stage as tile_stage
from vaezip.training.families.tile.recipes import RECIPES
from vaezip.training.families.tile.stage import TileStage, evaluate
from vaezip.training.loop import Samples, fit, read_log
from vaezip.training.networks.tile import TileVae
from vaezip.training.objectives import classic, half_asleep
from vaezip.training.processes import Processes


@pytest.fixture(scope="module")
def images(discs):
    return discs(96, 28, 28, 1, 2)


def fresh():
    torch.manual_seed(0)
    return TileVae(mlp("bernoulli", 2, 8))


def weights(vae):
    return {k: v.clone() for k, v in vae.state_dict().items()}


def equal(a, b):
    return all(torch.equal(a[k], b[k]) for k in a)


def rates(log):
    return [{k: v for k, v in line.items() if k != "seconds"} for line in read_log(log)]


def stage(epochs=3, **more):
    return TileStage("s", more.pop("objective", classic), epochs, 1e-3, batch=32, **more)


def test_a_stage_that_is_resumed_ends_like_one_that_was_not(images, tmp_path):
    whole, parts = fresh(), fresh()
    fit(whole, Samples(images[:64], images[64:]), stage(augment=True, moved=0.5), state=tmp_path / "whole.pt")
    calls = []

    def interrupted(vae, x):
        calls.append(1)
        if len(calls) == 4:  # in the middle of the second epoch
            raise KeyboardInterrupt
        return classic(vae, x)

    with pytest.raises(KeyboardInterrupt):
        fit(
            parts,
            Samples(images[:64], images[64:]),
            stage(augment=True, moved=0.5, objective=interrupted),
            state=tmp_path / "parts.pt",
        )
    again = TileVae(parts.architecture)
    fit(again, Samples(images[:64], images[64:]), stage(augment=True, moved=0.5), state=tmp_path / "parts.pt")
    assert equal(weights(again), weights(whole))
    lines = [json.loads(line) for line in (tmp_path / "parts.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert all(math.isfinite(line["train_bpd"] + line["valid_bpd"]) for line in lines)


def test_batches_made_ahead_are_the_same_and_so_is_what_ends_them(images):
    batches = list(stage(augment=True).batches(images, 0, 0))
    ahead = list(loop._ahead(stage(augment=True).batches(images, 0, 0)))
    assert len(ahead) == 3
    assert all(map(torch.equal, ahead, batches))

    def broken():
        yield batches[0]
        raise DataError("no more")

    found = loop._ahead(broken())
    assert torch.equal(next(found), batches[0])
    with pytest.raises(DataError, match="no more"):
        next(found)


def test_a_finished_stage_is_left_alone(images, tmp_path):
    vae = fresh()
    fit(vae, Samples(images[:64], images[64:]), stage(1), state=tmp_path / "s.pt")
    done = weights(vae)
    fit(vae, Samples(images[:64], images[64:]), stage(1), state=tmp_path / "s.pt")
    assert equal(weights(vae), done)


def test_training_lowers_the_rate(images, tmp_path):
    vae = fresh()
    before = evaluate(vae, images)
    fit(vae, Samples(images, images), stage(10), state=tmp_path / "s.pt")
    assert evaluate(vae, images) < before - 0.01


def test_half_asleep_leaves_the_decoder_untouched(images, tmp_path):
    vae = fresh()
    before = weights(vae)
    fit(
        vae,
        Samples(images[:64], images[64:]),
        stage(2, objective=half_asleep, encoder_only=True),
        state=tmp_path / "s.pt",
    )
    after = weights(vae)
    assert all(torch.equal(before[k], after[k]) for k in before if k.startswith("decoder"))
    assert all(not torch.equal(before[k], after[k]) for k in before if k.startswith("encoder"))


@pytest.mark.parametrize("when", range(1, 7))
def test_a_stage_that_is_killed_while_it_writes_ends_like_one_that_was_not(
    images, tmp_path, killed_while_writing, when
):
    """The log and the state of each of three epochs are put in place one after the other."""
    whole, parts = fresh(), fresh()
    fit(whole, Samples(images[:64], images[64:]), stage(), state=tmp_path / "whole.pt")
    killed_while_writing(when)
    with pytest.raises(KeyboardInterrupt):
        fit(parts, Samples(images[:64], images[64:]), stage(), state=tmp_path / "parts.pt")
    again = TileVae(parts.architecture) if when > 2 else fresh()  # the first weights come from the seed alone
    fit(again, Samples(images[:64], images[64:]), stage(), state=tmp_path / "parts.pt")
    assert equal(weights(again), weights(whole))
    assert rates(tmp_path / "parts.jsonl") == rates(tmp_path / "whole.jsonl")


def test_the_best_epoch_is_given_where_it_is_asked_for(images, tmp_path, monkeypatch):
    bpds = iter([1.0, 0.9, 0.5, 0.7])
    monkeypatch.setattr(tile_stage, "evaluate", lambda *_: next(bpds))
    vae = fresh()
    fit(vae, Samples(images[:64], images[64:]), stage(best=True), state=tmp_path / "best.pt")
    bpds = iter([0.9, 0.5])
    with pytest.raises(StopIteration):  # the third epoch is trained, but not kept
        fit(fresh(), Samples(images[:64], images[64:]), stage(), state=tmp_path / "two.pt")
    second = torch.load(tmp_path / "two.pt", weights_only=True)
    assert second["epoch"] == 2
    assert equal(weights(vae), second["vae"])
    fit(again := fresh(), Samples(images[:64], images[64:]), stage(best=True), state=tmp_path / "best.pt")
    assert equal(weights(again), weights(vae))


def test_where_no_epoch_is_better_a_stage_gives_what_it_began_with(images, tmp_path):
    began, worse = weights(fresh()), stage(objective=lambda vae, x: -classic(vae, x))
    for epochs in (1, 2):  # the second time it goes on from the first's state
        vae = fresh()
        fit(vae, Samples(images[:64], images[64:]), replace(worse, epochs=epochs, best=True), state=tmp_path / "s.pt")
        assert equal(weights(vae), began)
    assert not equal(torch.load(tmp_path / "s.pt", weights_only=True)["last"], began)


def test_a_state_past_the_end_of_its_stage_is_refused(images, tmp_path):
    fit(fresh(), Samples(images[:64], images[64:]), stage(2), state=tmp_path / "s.pt")
    with pytest.raises(ModelError, match=r"s\.pt' is of epoch 2, and s ends with epoch 1; remove it"):
        fit(fresh(), Samples(images[:64], images[64:]), stage(1), state=tmp_path / "s.pt")


def test_another_seed_is_another_run(images, tmp_path):
    found = []
    for i, seed in enumerate((0, 1, 1, 2)):
        vae = fresh()
        fit(vae, Samples(images[:64], images[64:]), stage(1), state=tmp_path / f"{i}.pt", seed=seed)
        found.append(weights(vae))
    assert equal(found[1], found[2])
    assert not any(equal(found[i], found[j]) for i, j in ((0, 1), (0, 3), (1, 3)))


def test_every_process_draws_noise_of_its_own():
    assert (
        len({loop._seed(1000 + epoch, seed, rank) for epoch in range(9) for seed in range(9) for rank in range(9)})
        == 729
    )


def test_progress_is_told_of_every_step(images, tmp_path):
    told = []
    fit(fresh(), Samples(images[:64], images[64:]), stage(2), state=tmp_path / "s.pt", progress=told.append)
    assert [(p.stage, p.epoch, p.step, p.steps, p.valid_bpd is None) for p in told] == [
        ("s", 1, 1, 4, True),
        ("s", 1, 2, 4, True),
        ("s", 1, 2, 4, False),
        ("s", 2, 3, 4, True),
        ("s", 2, 4, 4, True),
        ("s", 2, 4, 4, False),
    ]


def test_the_last_good_epoch_is_kept_when_the_loss_diverges(images, tmp_path):
    steps = []

    def objective(vae, x):
        steps.append(1)
        return classic(vae, x) * (math.nan if len(steps) > 3 else 1.0)

    with pytest.raises(ModelError) as caught:
        fit(fresh(), Samples(images[:64], images[64:]), stage(objective=objective), state=tmp_path / "s.pt")
    assert str(caught.value) == (
        "the loss of s diverged in epoch 2 at a learning rate of 0.001, "
        f"and the state after epoch 1 is kept in {tmp_path / 's.pt'}"
    )
    assert caught.value.remedy == "lower-rate-elsewhere"
    saved = torch.load(tmp_path / "s.pt", weights_only=True)
    assert saved["epoch"] == 1
    assert all(torch.isfinite(tensor).all() for tensor in saved["vae"].values())


def test_weights_that_are_no_longer_finite_are_not_kept(images, tmp_path, monkeypatch):
    monkeypatch.setattr(tile_stage, "evaluate", lambda *_: math.nan)
    with pytest.raises(ModelError, match=r"diverged in epoch 1 .* nothing of this stage is kept$") as caught:
        fit(fresh(), Samples(images[:64], images[64:]), stage(), state=tmp_path / "s.pt")
    assert caught.value.remedy == "lower-rate"
    assert not (tmp_path / "s.pt").exists()


@pytest.mark.parametrize(("bpd", "good"), [(9.9, True), (10.1, False), (3e11, False)])
def test_a_rate_far_beyond_raw_pixels_has_diverged(images, tmp_path, monkeypatch, bpd, good):
    """The pixels here are bits; an epoch may be bad, and the next ones make up for it."""
    bpds = iter([0.9, 0.9, bpd, 0.7])
    monkeypatch.setattr(tile_stage, "evaluate", lambda *_: next(bpds))
    told = contextlib.nullcontext() if good else pytest.raises(ModelError, match="diverged in epoch 2")
    with told:
        fit(fresh(), Samples(images[:64], images[64:]), stage(best=True), state=tmp_path / "s.pt")
    assert torch.load(tmp_path / "s.pt", weights_only=True)["epoch"] == (3 if good else 1)


@pytest.mark.parametrize("likelihood", ["bernoulli", "logistic"])
def test_new_weights_are_not_taken_for_diverged_ones(likelihood, tmp_path):
    """Not even where they learn nothing, and the pixels are noise."""
    architecture = mlp(likelihood, 2, 8)
    noise = np.random.default_rng(0).integers(0, architecture.levels, (32, 28, 28, 1), np.uint8)
    torch.manual_seed(0)
    slow = TileStage("s", classic, 1, 1e-9, batch=32)
    fit(TileVae(architecture), Samples(noise, noise), slow, state=tmp_path / "s.pt")
    assert read_log(tmp_path / "s.jsonl")[0]["valid_bpd"] < 2 * math.log2(architecture.levels)


@pytest.mark.parametrize("count", [3, 32])
def test_a_batch_that_does_not_divide_among_processes_is_refused(images, tmp_path, count):
    with pytest.raises(DataError, match=f"a batch of 32 does not divide among {count} processes, 2 or more pictures"):
        fit(fresh(), Samples(images[:64], images[64:]), stage(), state=tmp_path / "s.pt", processes=Processes(0, count))


def test_a_loss_that_diverges_is_reported_and_not_saved(images, tmp_path):
    with pytest.raises(VaezipError, match="diverged in epoch 1"):
        fit(
            fresh(),
            Samples(images[:64], images[64:]),
            stage(objective=lambda v, x: classic(v, x) * math.nan),
            state=tmp_path / "s.pt",
        )
    assert not (tmp_path / "s.pt").exists()


def test_fewer_images_than_a_batch_are_refused_or_trained_on(images, tmp_path):
    vae = fresh()
    before = weights(vae)
    with contextlib.suppress(VaezipError):
        fit(vae, Samples(images[:20], images[64:]), stage(1), state=tmp_path / "s.pt")
        assert not equal(weights(vae), before)


def test_evaluate_does_not_depend_on_the_batch_much_and_is_seeded(images):
    vae = fresh()
    assert evaluate(vae, images) == evaluate(vae, images)
    assert evaluate(vae, images, seed=1) != evaluate(vae, images, seed=2)
    assert evaluate(vae, images, batch=7) == pytest.approx(evaluate(vae, images), rel=0.02)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_recipes(name):
    recipe = RECIPES[name]
    assert [s.name for s in recipe.stages[-2:]] == ["classic", "half-asleep"]
    assert [s.encoder_only for s in recipe.stages] == [False] * (len(recipe.stages) - 1) + [True]
    torch.manual_seed(0)
    vae, a = TileVae(recipe.architecture), recipe.architecture
    x = torch.randint(0, a.levels, (2, *a.tile, a.channels))
    for part in recipe.stages:
        assert torch.isfinite(part.objective(vae, x))


def test_the_held_out_images_are_no_training_images():
    recipe = RECIPES["mnist"]
    images = np.arange(3000, dtype=np.int64)
    train, valid = recipe.split(images)
    assert len(valid) == recipe.valid
    assert sorted([*train, *valid]) == list(range(3000))
    assert (recipe.split(images)[1] == valid).all()


def test_moved_pictures_are_the_same_pixels_elsewhere():
    x = torch.arange(10 * 4 * 5, dtype=torch.uint8).reshape(10, 4, 5, 1)
    seen = set()
    for seed in range(30):
        found = loop._moved(x, 0.6, torch.Generator().manual_seed(seed))
        assert torch.equal(found[:4], x[:4])
        for half in (slice(4, 7), slice(7, 10)):
            by = [
                (i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if torch.equal(found[half], x[half].roll((i, j), (1, 2)))
            ]
            assert len(by) == 1
            seen.add(by[0])
    assert len(seen) == 9
