"""Recipes of the shipped tile models.

Each recipe trains encoder and decoder by the ELBO, then the encoder alone by reverse half-asleep. It gives two models
on one decoder: NAME has the half-asleep encoder, NAME-classic the encoder before that stage.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from vaezip.errors import DataError
from vaezip.models.layers import weighted_layers
from vaezip.models.tile.architecture import TileArchitecture
from vaezip.models.tile.mlp import mlp
from vaezip.models.tile.resnet import resnet
from vaezip.pictures import datasets
from vaezip.training import publish
from vaezip.training.families.tile import draft as drafts
from vaezip.training.families.tile.stage import TileStage
from vaezip.training.loop import Samples, Stage
from vaezip.training.networks.tile import TileVae
from vaezip.training.objectives import classic, half_asleep
from vaezip.training.publish import Draft
from vaezip.training.quantize import Precision

_REFINED = 1000
"""Test images that are measured with K = 10 steps, too."""


@dataclass(frozen=True)
class TileRecipe:
    """A data set, an architecture, stages in turn, and the bits of the integer network; the last
    ``valid`` training images (after a fixed shuffle) are held out to watch the training."""

    dataset: str
    architecture: TileArchitecture
    stages: tuple[TileStage, ...]
    valid: int = 1000
    precision: Precision = field(default_factory=Precision)

    seed: ClassVar[int] = 1

    def changed(self, *, steps: int | None, learning_rate: float | None, begun: bool) -> TileRecipe:
        """Depart from the recipe in nothing but the weights that it begins with.

        Raises:
            DataError: more is asked for.
        """
        if steps or learning_rate:
            raise DataError("a recipe of several stages has steps and learning rates of its own")
        return self

    def load(self, data: Path | None) -> Samples:
        """Read the training part of the data set."""
        return self.split(datasets.load(self.dataset, "train", data))

    def split(self, images: NDArray[np.uint8]) -> Samples:
        """Split the images of a data set's training part, after a fixed shuffle."""
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(7)).numpy()
        return Samples(images[order[: -self.valid]], images[order[-self.valid :]])

    def state(self, runs: Path, name: str, stage: Stage) -> Path:
        """Name the state of a stage in the folder of its runs."""
        return runs / f"{name}.{stage.name}.pt"

    def drafts(
        self, name: str, runs: Path, data: Path | None, *, limit: int | None, note: str
    ) -> Iterator[tuple[str, Draft]]:
        """Draft the models of the last two stages; see :class:`vaezip.training.families.base.Recipe`."""
        train, _ = self.load(data)
        test = datasets.load(self.dataset, "test", data)
        test = test[np.random.default_rng(0).permutation(len(test))][:limit]
        for stage, suffix in zip(self.stages[-2:], ("-classic", "")):
            path = self.state(runs, name, stage)
            state = torch.load(path, map_location="cpu", weights_only=True)
            if state["epoch"] < stage.epochs:
                again, _ = publish.made_by(name)
                raise DataError(f"{path}: at epoch {state['epoch']} of {stage.epochs}; go on with: {again}")
            vae = TileVae(self.architecture)
            vae.load_state_dict(state["vae"])
            yield (
                name + suffix,
                drafts.draft(
                    vae,
                    train,
                    drafts.Test(test, _REFINED, published=True),
                    precision=self.precision,
                    information=drafts.information(stage, self.dataset, state["epoch"]),
                    details=drafts.details(vae, self.stages, publish.made_by(name), note=note),
                ),
            )


_GREY, _COLOUR = mlp("logistic"), resnet()


def _all_layers(architecture: TileArchitecture) -> tuple[str, ...]:
    return tuple(layer.name for layer in weighted_layers(architecture.encoder + architecture.decoder))


RECIPES = {
    "mnist-binary": TileRecipe(
        "mnist-binary",
        mlp("bernoulli"),
        (
            TileStage("classic", classic, epochs=100, learning_rate=1e-3),
            TileStage("half-asleep", half_asleep, epochs=50, learning_rate=5e-4, encoder_only=True),
        ),
    ),
    "mnist": TileRecipe(
        "mnist",
        _GREY,
        (
            TileStage("fitted", classic, epochs=160, learning_rate=1e-3, floor=0.2, average=0.9997),
            TileStage("classic", classic, epochs=200, learning_rate=1e-3, floor=0.05, average=0.9997, moved=0.5),
            TileStage(
                "half-asleep",
                functools.partial(half_asleep, alpha=0.05),  # with more, validation images would cost more
                epochs=8,
                learning_rate=1e-4,
                floor=0.02,
                average=0.998,
                encoder_only=True,
                moved=0.8,
            ),
        ),
        precision=Precision(11, wide=_all_layers(_GREY)),
    ),
    "cifar10": TileRecipe(
        "cifar10",
        _COLOUR,
        (
            TileStage("fitted", classic, epochs=115, learning_rate=1e-3, batch=64, warmup=300, augment=True),
            TileStage("classic", classic, epochs=60, learning_rate=5e-4, batch=64, warmup=300, augment=True),
            TileStage(
                "half-asleep",
                functools.partial(half_asleep, alpha=0.1, source="posterior"),  # with more, validation images cost more
                epochs=3,
                learning_rate=3e-5,
                encoder_only=True,
                batch=64,
                augment=True,
            ),
        ),
        precision=Precision(12, wide=_all_layers(_COLOUR)),  # 10 bits and sums of 24 would lose ten times as much
    ),
}
