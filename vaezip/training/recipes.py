"""Train the shipped models by their recipes, and write their files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from vaezip.models import file as model_file
from vaezip.training import families
from vaezip.training.families.base import Recipe
from vaezip.training.loop import fit
from vaezip.training.processes import own_device, started
from vaezip.training.publish import publish

RECIPES: dict[str, Recipe] = {name: recipe for family in families.FAMILIES for name, recipe in family.recipes.items()}
"""The recipes of all families by the names of their models."""


def train(
    name: str,
    data: Path | None,
    runs: Path,
    *,
    device: str = "cpu",
    start: Path | None = None,
    steps: int | None = None,
    learning_rate: float | None = None,
) -> None:
    """Train a shipped model, or go on where that was cut.

    Args:
        name: of the recipe.
        data: folder of what it trains on, if that is not where data sets are.
        runs: folder for states and logs.
        device: ``cpu`` or ``cuda``.
        start: model file whose weights to start from.
        steps: other than the recipe's.
        learning_rate: other than the recipe's.

    Raises:
        DataError: the recipe has no such steps or rate of its own.
        ModelError: the file to start from has networks of other sizes.
    """
    recipe = RECIPES[name].changed(steps=steps, learning_rate=learning_rate, begun=start is not None)
    family = families.of(recipe.architecture)
    samples = recipe.load(data)
    torch.manual_seed(recipe.seed)
    with started(device) as processes:
        vae = family.vae(recipe.architecture)
        if start:
            family.dequantize(vae, model_file.load(start))
        vae.to(own_device(device))
        for stage in recipe.stages:
            fit(vae, samples, stage, state=recipe.state(runs, name, stage), processes=processes)


def write(
    name: str, data: Path | None, runs: Path, *, models: Path, limit: int | None = None, note: str = ""
) -> Iterator[dict[str, Any]]:
    """Quantise, measure and write the models of a recipe, whose states are in place.

    Args:
        name: of the recipe.
        data: as for :func:`train`.
        runs: folder with the states.
        models: folder to write to.
        limit: test images to measure the rates on, if not all.
        note: a sentence for the cards: where the run departed from the recipe.

    Yields:
        What the ``.json`` of each model holds.

    Raises:
        DataError: a stage is not done.
    """
    for stem, draft in RECIPES[name].drafts(name, runs, data, limit=limit, note=note):
        yield publish(models / stem, draft)
