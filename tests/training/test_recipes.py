"""The two commands that make a shipped model, with recipes that take a second."""

import json

import pytest
import torch
from click.testing import CliRunner

import vaezip
from vaezip.cli.recipes import main
from vaezip.models import file as model_file
from vaezip.models.pixel.architecture import pixel_architecture
from vaezip.models.tile.mlp import mlp
from vaezip.training.families.pixel import stage as pixel_stage
from vaezip.training.families.pixel.recipes import RECIPES as PIXEL_RECIPES
from vaezip.training.families.pixel.recipes import PixelRecipe
from vaezip.training.families.pixel.tiles import tiles
from vaezip.training.families.tile.recipes import TileRecipe
from vaezip.training.families.tile.stage import TileStage
from vaezip.training.loop import read_log
from vaezip.training.objectives import classic, half_asleep
from vaezip.training.recipes import RECIPES


@pytest.fixture
def tiny(discs, monkeypatch, tmp_path):
    """A recipe of a tile model, and a data set for it."""
    stages = (
        TileStage("fitted", classic, epochs=1, learning_rate=1e-3, batch=16),
        TileStage("classic", classic, epochs=2, learning_rate=1e-3, batch=16),
        TileStage("half-asleep", half_asleep, epochs=1, learning_rate=1e-3, batch=16, encoder_only=True),
    )
    monkeypatch.setitem(RECIPES, "tiny", TileRecipe("mnist-binary", mlp("bernoulli", latents=2, hidden=8), stages, 16))
    images = {"train": discs(64, 28, 28, 1, 2), "test": discs(32, 28, 28, 1, 2)}
    monkeypatch.setattr("vaezip.pictures.datasets.load", lambda dataset, split, data: images[split])
    return tmp_path


def call(*arguments):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_a_recipe_is_trained_and_published(tiny):
    assert call("train", "tiny", "--runs", tiny) == (0, "")
    states = {path.name: path.read_bytes() for path in tiny.glob("tiny.*.pt")}
    assert set(states) == {"tiny.fitted.pt", "tiny.classic.pt", "tiny.half-asleep.pt"}
    assert call("train", "tiny", "--runs", tiny) == (0, "")
    assert states == {path.name: path.read_bytes() for path in tiny.glob("tiny.*.pt")}
    status, out = call("publish", "tiny", "--runs", tiny, "--models", tiny, "--limit", 20, "--note", "Of discs.")
    assert (status, out.count("bits per dimension")) == (0, 2)
    for name, objective, epochs in (("tiny-classic", "classic", 2), ("tiny", "half-asleep", 1)):
        record = json.loads((tiny / f"{name}.json").read_text())
        assert (record["objective"], record["epochs"], record["test_images"]) == (objective, epochs, 20)
        assert [stage["epochs"] for stage in record["stages"]] == [1, 2, 1]
        assert "\nOf discs.\n" in (tiny / f"{name}.md").read_text()
        model = vaezip.load_model(tiny / f"{name}.safetensors")
        assert model.fingerprint.hex() == record["fingerprint"]
    first, second = (
        torch.load(tiny / f"tiny.{name}.pt", weights_only=True)["vae"] for name in ("classic", "half-asleep")
    )
    assert all(torch.equal(first[name], second[name]) for name in first if name.startswith("decoder"))


def test_a_half_done_stage_is_not_published_as_done(tiny):
    assert call("train", "tiny", "--runs", tiny) == (0, "")
    state = torch.load(tiny / "tiny.classic.pt", weights_only=True)
    torch.save({**state, "epoch": 1}, tiny / "tiny.classic.pt")
    status, out = call("publish", "tiny", "--runs", tiny, "--models", tiny)
    assert status == 1
    assert f"{tiny / 'tiny.classic.pt'}: at epoch 1 of 2; go on with: python -m vaezip.training train tiny\n" in out
    assert not list(tiny.glob("*.safetensors"))


def test_a_recipe_of_stages_has_steps_of_its_own(tiny):
    status, out = call("train", "tiny", "--runs", tiny, "--steps", 5)
    assert status == 1
    assert "steps and learning rates of its own" in out


def test_an_unknown_recipe(tiny):
    status, out = call("train", "huge")
    assert status == 2
    assert "'huge' is none of cifar10, mnist, " in out


class Discs:
    """A source of small pictures."""

    def __init__(self, images, architecture):
        self.images, self.architecture = images, architecture

    def prepare(self, epoch):
        pass

    def batch(self, count, rng):
        return tiles(self.images[rng.integers(0, len(self.images), count)], self.architecture)

    def held_out(self):
        return iter([self.images[:4]])


def test_a_pixel_model_is_trained_published_and_trained_on(discs, monkeypatch, tmp_path):
    images = discs(32, 32, 32, 1)
    monkeypatch.setattr(pixel_stage, "_EVERY", 3)
    monkeypatch.setattr(pixel_stage, "RISE", 2)
    a = pixel_architecture(channels=1, hidden=32, blocks=1, head=8, mixture=2, latents=3)
    monkeypatch.setitem(RECIPES, "discs", PixelRecipe(a, lambda data, a: Discs(images, a), "discs", 6))
    runs = tmp_path / "runs"
    assert call("train", "discs", "--data", "x", "--runs", runs) == (0, "")
    saved = torch.load(runs / "discs.pt", weights_only=True)
    torch.save({name: saved[name] for name in ("vae", "optimisers", "step")}, runs / "discs.pt")
    status, _ = call("publish", "discs", "--runs", runs, "--models", tmp_path, "--note", "Cut short.")
    assert status == 0
    assert call("train", "discs", "--start", tmp_path / "discs.safetensors", "--runs", tmp_path) == (0, "")
    going_on, beginning = (read_log(tmp_path / part / "discs.jsonl")[0]["valid_bpd"] for part in ("", "runs"))
    assert going_on < beginning - 0.03
    assert model_file.load(tmp_path / "discs.safetensors").information["steps"] == 6
    card = (tmp_path / "discs.md").read_text()
    assert "Made by `python -m vaezip.training train discs` and `python -m vaezip.training publish discs`" in card
    assert "Cut short." in card


def test_recipes_of_pixel_models_fit_their_pictures():
    for name, recipe in PIXEL_RECIPES.items():
        assert recipe.architecture.channels == (1 if name.startswith(("photo-gray", "mnist")) else 3)
        recipe.architecture.check()


def test_a_recipe_that_is_changed():
    photo = PIXEL_RECIPES["photo"]
    (stage,) = photo.changed(steps=1000, learning_rate=None, begun=True).stages
    assert (stage.epochs, stage.learning_rate, stage.begun) == (2, 2e-3, True)
    (stage,) = photo.stages
    assert (stage.epochs, stage.learning_rate, stage.begun, stage.warmup) == (100, 2e-3, False, 1000)


def test_photographs_are_in_no_data_set():
    status, out = call("train", "photo")
    assert (status, out) == (1, "Error: no data set holds photographs; name a folder of them\n")
