import json
from pathlib import Path

import pytest

from vaezip.training.families.pixel import draft as pixel
from vaezip.training.families.pixel import recipes as pixel_recipes
from vaezip.training.families.tile.draft import card
from vaezip.training.families.tile.recipes import RECIPES
from vaezip.training.objectives import numbers
from vaezip.training.publish import made_by

MODELS = Path(__file__).parents[2] / "models"


@pytest.mark.parametrize("suffix", ["", "-classic"])
@pytest.mark.parametrize("name", sorted(RECIPES))
def test_cards_are_those_of_the_figures_and_the_recipes(name, suffix):
    record = json.loads((MODELS / f"{name}{suffix}.json").read_text(encoding="utf-8"))
    assert (MODELS / f"{name}{suffix}.md").read_text(encoding="utf-8") == card(record)
    assert record["made_by"] == made_by(name)
    for stage, told in zip(RECIPES[name].stages, record["stages"], strict=True):
        expected = {"name": stage.name, "epochs": stage.epochs, "learning_rate": stage.learning_rate}
        assert told == expected | {"batch": stage.batch} | numbers(stage.objective)


@pytest.mark.parametrize("name", sorted(pixel_recipes.RECIPES))
def test_cards_of_pixel_networks_are_those_of_the_figures(name):
    record = json.loads((MODELS / f"{name}.json").read_text(encoding="utf-8"))
    assert (MODELS / f"{name}.md").read_text(encoding="utf-8") == pixel.card(record)
    assert record["made_by"] == made_by(name)


def test_a_card_tells_what_the_figures_are_of():
    record = json.loads((MODELS / "mnist.json").read_text(encoding="utf-8"))
    count = record.pop("test_images")
    assert f"\n| −ELBO on {count:,} test images, float |" in card(record | {"test_images": count})
    assert "\n| −ELBO on 1,234 tiles of pictures held out, float |" in card(record | {"held_out_tiles": 1234})


def test_cards_tell_the_share_of_samples():
    for name, alpha in (("mnist", 0.05), ("mnist-binary", 0.5), ("cifar10", 0.1)):
        assert f"| Encoder's objective | half-asleep (α = {alpha}), " in (MODELS / f"{name}.md").read_text("utf-8")
