"""The two commands that make a shipped model, with a recipe that takes a second."""

import json
import sys

import pytest
import torch

import vaezip
from vaezip.models.tile.mlp import mlp
from vaezip.training import publish, recipes
from vaezip.training.loop import Stage
from vaezip.training.objectives import classic, half_asleep


@pytest.fixture
def tiny(discs, monkeypatch, tmp_path):
    """A recipe, and a data set for it."""
    stages = (
        Stage("fitted", classic, epochs=1, learning_rate=1e-3, batch=16),
        Stage("classic", classic, epochs=2, learning_rate=1e-3, batch=16),
        Stage("half-asleep", half_asleep, epochs=1, learning_rate=1e-3, batch=16, encoder_only=True),
    )
    recipe = recipes.Recipe("mnist-binary", mlp("bernoulli", 2, 8), stages, valid=16)
    monkeypatch.setattr(recipes, "RECIPES", {"tiny": recipe})
    monkeypatch.setattr(publish, "RECIPES", {"tiny": recipe})
    images = {"train": discs(64, 28, 28, 1, 2), "test": discs(32, 28, 28, 1, 2)}
    monkeypatch.setattr("vaezip.pictures.datasets.load", lambda dataset, split, data: images[split])
    return tmp_path


def call(module, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", [module.__name__, "tiny", *map(str, arguments)])
    module.main()


def test_a_recipe_is_trained_and_published(tiny, monkeypatch):
    call(recipes, monkeypatch, "--runs", tiny)
    states = {path.name: path.read_bytes() for path in tiny.glob("tiny.*.pt")}
    assert set(states) == {"tiny.fitted.pt", "tiny.classic.pt", "tiny.half-asleep.pt"}
    call(recipes, monkeypatch, "--runs", tiny)
    assert states == {path.name: path.read_bytes() for path in tiny.glob("tiny.*.pt")}
    call(publish, monkeypatch, "--runs", tiny, "--models", tiny, "--limit", "20", "--note", "Of discs.")
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


def test_a_half_done_stage_is_not_published_as_done(tiny, monkeypatch):
    call(recipes, monkeypatch, "--runs", tiny)
    state = torch.load(tiny / "tiny.classic.pt", weights_only=True)
    torch.save({**state, "epoch": 1}, tiny / "tiny.classic.pt")
    with pytest.raises(SystemExit, match=r"tiny\.classic\.pt: at epoch 1 of 2; go on with: python -m vaezip\.train"):
        call(publish, monkeypatch, "--runs", tiny, "--models", tiny)
    assert not list(tiny.glob("*.safetensors"))
