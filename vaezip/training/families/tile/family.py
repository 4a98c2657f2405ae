"""The family of tile models, for training; see :class:`vaezip.training.families.base.Family`."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import DataError
from vaezip.models.base import Architecture, Model
from vaezip.models.kinds import COLOUR
from vaezip.models.tile.architecture import TileArchitecture
from vaezip.models.tile.mlp import mlp
from vaezip.models.tile.resnet import resnet
from vaezip.training.families.base import BEGUN_RATE, Family, MostTiles, Options, Pace, Recipe, Tiles, Trained, pace_of
from vaezip.training.families.tile import draft as drafts
from vaezip.training.families.tile.quantize import dequantize
from vaezip.training.families.tile.recipes import RECIPES
from vaezip.training.families.tile.stage import TileStage
from vaezip.training.networks.tile import TileVae
from vaezip.training.objectives import named
from vaezip.training.publish import Draft
from vaezip.training.quantize import Precision

if TYPE_CHECKING:
    from vaezip.training.data import Survey

_MLP_SIZE = (28, 28)
_BATCH = 64
_IMAGES = {"mlp": 3_000_000, "resnet": 250_000}
"""Images that the first stage sees where the epochs are left open: some minutes to an hour on a CPU."""

_RATE = 1e-3
_WARMUP = 300
_TEST, _REFINED = 1000, 100
"""Tiles to measure the finished model on, and those of them that are measured with K = 10 steps, too."""


class TileFamily(Family):
    """Pixels are independent given z: ``mlp`` for pictures of 28×28, and ``resnet`` for any size."""

    kind: ClassVar[str] = TileArchitecture.kind
    arches: ClassVar[tuple[str, ...]] = ("mlp", "resnet")
    objectives: ClassVar[tuple[str, ...]] = ("elbo", "half-asleep")
    most_tiles: ClassVar[MostTiles] = MostTiles(100_000, 5_000)
    recipes: ClassVar[Mapping[str, Recipe]] = RECIPES

    def suited(self, survey: Survey) -> str | None:
        """Name the network for pictures of a survey: small ones of one channel are the mlp's."""
        return "mlp" if _is_small(survey) else "resnet"

    def architecture(self, arch: str, options: Options, survey: Survey) -> Architecture:
        """Size a network for pictures.

        Raises:
            DataError: they are not of the mlp's size.
        """
        likelihood = survey.planes.likelihood
        hidden = {} if options.hidden is None else {"hidden": options.hidden}
        if arch == "resnet":
            channels = {} if options.latents is None else {"latent_channels": options.latents}
            return resnet(likelihood=likelihood, **channels, **hidden)
        if not _is_small(survey):
            reason = "mlp codes pictures of 28×28 in grey or black and white, and these are others"
            raise DataError(reason, remedy="resnet")
        latents = {} if options.latents is None else {"latents": options.latents}
        return mlp(likelihood, **latents, **hidden)

    def stages(self, architecture: TileArchitecture, options: Options, count: int) -> tuple[TileStage, ...]:
        """Plan a stage for each objective, for so many tiles."""
        names = options.objectives or self.objectives
        images = _IMAGES["resnet" if architecture.tiled else "mlp"]
        pace = pace_of(options, count, stages=len(names), images=images, batch=_BATCH)
        return tuple(_stage(architecture, options, pace, i, name) for i, name in enumerate(names[: len(pace.epochs)]))

    def vae(self, architecture: TileArchitecture) -> TileVae:
        """Make float networks with random weights, by PyTorch's generator."""
        return TileVae(architecture)

    def cut(self, architecture: TileArchitecture, pixels: NDArray[np.uint8]) -> Tiles:
        """Cut a picture into tiles (tiles, height, width, channels).

        Tiles of the last row and column are moved inwards to be whole; a picture that is smaller than a
        tile is continued by its last row and column, as in coding.
        """
        height, width = architecture.tile
        below, beside = (max(0, t - s) for t, s in zip(architecture.tile, pixels.shape))
        pixels = np.pad(pixels, ((0, below), (0, beside), (0, 0)), mode="edge")
        corners = [(y, x) for y in _starts(pixels.shape[0], height) for x in _starts(pixels.shape[1], width)]
        return np.stack([pixels[y : y + height, x : x + width] for y, x in corners])

    def draft(self, vae: TileVae, trained: Trained) -> Draft:
        """Quantise float networks, and say how to measure them and what is on their card."""
        a, last = vae.architecture, trained.stages[-1]
        tiles = np.concatenate([self.cut(a, pixels) for pixels in trained.held_out])
        tiles = np.random.default_rng(trained.seed).permutation(tiles)[:_TEST]
        wide = ("decoder.out",) if a.tiled else ()  # its outputs are the pixels' own means and scales
        return drafts.draft(
            vae,
            trained.train,
            drafts.Test(tiles, _REFINED, trained.published),
            precision=Precision(wide=wide),
            information=drafts.information(last, trained.dataset, last.epochs),
            details=drafts.details(vae, trained.stages, trained.made_by, note=trained.note),
        )

    def card(self, record: Mapping[str, Any]) -> str:
        """Write a model's card in Markdown from what its ``.json`` holds."""
        return drafts.card(record)

    def dequantize(self, vae: TileVae, model: Model) -> None:
        """Give float networks the weights of a model file.

        Raises:
            ModelError: the sizes differ.
        """
        dequantize(vae, model)


def _is_small(survey: Survey) -> bool:
    return survey.sizes == {_MLP_SIZE} and survey.planes != COLOUR


def _stage(a: TileArchitecture, options: Options, pace: Pace, i: int, name: str) -> TileStage:
    objective = named(name)
    loss = objective.loss
    kind, *_ = name.split(":")
    if a.tiled and kind in ("half-asleep", "reverse-sleep"):  # its prior and aggregate posterior disagree
        loss = functools.partial(loss, source="posterior")
    return TileStage(
        name,
        loss,
        pace.epochs[i],
        (options.learning_rate or _RATE * (BEGUN_RATE if options.begun else 1)) / (2 if objective.encoder_only else 1),
        best=True,
        encoder_only=objective.encoder_only,
        batch=pace.batch,
        warmup=pace.warmup(i, _WARMUP),
        augment=a.channels == 3,
    )


def _starts(length: int, tile: int) -> list[int]:
    return [min(start, length - tile) for start in range(0, length, tile)]
