"""Recipes of the shipped pixel models: one stage, on tiles drawn anew for each step."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from vaezip.errors import DataError
from vaezip.models.pixel.architecture import PixelArchitecture, pixel_architecture
from vaezip.training import publish
from vaezip.training.families.pixel import draft as drafts
from vaezip.training.families.pixel.stage import RATE, TILES, PixelStage, drawn_stage, samples_of
from vaezip.training.families.pixel.tiles import PlanesOfPhotographs, RegressedPhotographs, Small, TileSource
from vaezip.training.loop import Samples, Stage
from vaezip.training.networks.pixel import PixelVae
from vaezip.training.publish import Draft


@dataclass(frozen=True)
class PixelRecipe:
    """An architecture, where its tiles come from, in words too, and the steps.

    Attributes:
        source: makes the source of tiles from a folder.
        begun: whether the first weights come from a model.
    """

    architecture: PixelArchitecture
    source: Callable[[Path | None, PixelArchitecture], TileSource]
    about: str
    steps: int
    learning_rate: float = RATE
    begun: bool = False

    seed: ClassVar[int] = 0

    @property
    def stages(self) -> tuple[PixelStage, ...]:
        """Give the one stage."""
        return (drawn_stage(self.architecture, self.steps, self.learning_rate, begun=self.begun),)

    def changed(self, *, steps: int | None, learning_rate: float | None, begun: bool) -> PixelRecipe:
        """Depart from the recipe; see :class:`vaezip.training.families.base.Recipe`."""
        steps, learning_rate = steps or self.steps, learning_rate or self.learning_rate
        return replace(self, steps=steps, learning_rate=learning_rate, begun=begun)

    def load(self, data: Path | None) -> Samples:
        """Take the pictures of a folder as a source."""
        return samples_of(self.source(data, self.architecture), self.architecture)

    def state(self, runs: Path, name: str, stage: Stage) -> Path:
        """Name the state of the stage in the folder of its runs."""
        return runs / f"{name}.pt"

    def drafts(
        self, name: str, runs: Path, data: Path | None, *, limit: int | None, note: str
    ) -> Iterator[tuple[str, Draft]]:
        """Draft the model, as far as it is trained; see :class:`vaezip.training.families.base.Recipe`."""
        if limit:
            raise DataError("a pixel model is measured on all that is held out")
        source = self.source(data, self.architecture)
        saved = torch.load(self.state(runs, name, self.stages[0]), map_location="cpu", weights_only=True)
        vae = PixelVae(self.architecture)
        vae.load_state_dict(saved["vae"])
        source.prepare(0)
        calibration = source.batch(drafts.CALIBRATION, np.random.default_rng(0))
        information = {"objective": "classic", "dataset": self.about, "steps": saved["step"]}
        details = {"batch": TILES, "made_by": publish.made_by(name)} | publish.noted(note)
        held_out = list(source.held_out())
        yield name, drafts.draft(vae, calibration, held_out, information=information, details=details)


RECIPES = {
    "photo": PixelRecipe(
        pixel_architecture(hidden=128, blocks=1, predictors=1),
        RegressedPhotographs,
        "photographs",
        50_000,
    ),
    "photo-planes": PixelRecipe(
        pixel_architecture(hidden=128, blocks=1, predictors=1),
        PlanesOfPhotographs,
        "Cr, Y and Cb of photographs",
        16_000,
    ),
    "photo-gray": PixelRecipe(
        pixel_architecture(channels=1, hidden=96, blocks=1, head=32, predictors=1),
        RegressedPhotographs,
        "photographs in grey",
        22_000,
    ),
    "photo-small": PixelRecipe(
        pixel_architecture(hidden=128),
        functools.partial(Small, "cifar10", mirrored=True),
        "CIFAR-10, training part",
        12_000,
    ),
    "mnist-best": PixelRecipe(
        pixel_architecture(channels=1), functools.partial(Small, "mnist", mirrored=False), "MNIST, training part", 5_000
    ),
    "mnist-binary-best": PixelRecipe(
        pixel_architecture(channels=1),
        functools.partial(Small, "mnist-binary", mirrored=False),
        "MNIST, training part, black and white as 0 and 255",
        30_000,
    ),
}
