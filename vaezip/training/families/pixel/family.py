"""The family of pixel models, for training; see :class:`vaezip.training.families.base.Family`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import DataError
from vaezip.models.base import Architecture, Model
from vaezip.models.kinds import BLACK_AND_WHITE
from vaezip.models.pixel.architecture import PixelArchitecture, pixel_architecture
from vaezip.training.families.base import BEGUN_RATE, Family, MostTiles, Options, Recipe, Tiles, Trained, pace_of
from vaezip.training.families.pixel import draft as drafts
from vaezip.training.families.pixel import stage as stages
from vaezip.training.families.pixel.quantize import dequantize
from vaezip.training.families.pixel.recipes import RECIPES
from vaezip.training.families.pixel.stage import PixelStage
from vaezip.training.families.pixel.tiles import tiles
from vaezip.training.networks.pixel import PixelVae
from vaezip.training.publish import Draft, noted

if TYPE_CHECKING:
    from vaezip.training.data import Survey

_ARCH = "local"
_OBJECTIVES = ("elbo",)

_HIDDEN, _BLOCKS = 96, 1
_HIDDEN_UNIT, _MOST_UNITS = 32, 1024
"""A number that the hidden units must be a multiple of, and the most units of any layer."""

_IMAGES = 160_000
"""Tiles that are seen where the epochs are left open: some minutes to an hour on a CPU."""


class PixelFamily(Family):
    """A network predicts each pixel from those before it, and from z: ``local``, for grey and colour of any size."""

    kind: ClassVar[str] = PixelArchitecture.kind
    arches: ClassVar[tuple[str, ...]] = (_ARCH,)
    objectives: ClassVar[tuple[str, ...]] = _OBJECTIVES
    most_tiles: ClassVar[MostTiles] = MostTiles(15_000, 1_500)
    """Few, for such models have few weights and learn from each pixel; with what regression makes of it, a tile takes
    35 kB of memory."""
    recipes: ClassVar[Mapping[str, Recipe]] = RECIPES

    def suited(self, survey: Survey) -> str | None:
        """Name the network for pictures of a survey, unless they are black and white."""
        return None if survey.planes == BLACK_AND_WHITE else _ARCH

    def architecture(self, arch: str, options: Options, survey: Survey) -> Architecture:
        """Size the network for pictures.

        Raises:
            DataError: they are black and white, or a size or an objective does not suit it.
        """
        hidden = options.hidden or _HIDDEN
        if survey.planes == BLACK_AND_WHITE:
            reason = "local codes pictures in grey or in colour, and these are black and white"
            raise DataError(reason, remedy="resnet")
        if hidden % _HIDDEN_UNIT or hidden > _MOST_UNITS:
            reason = f"local takes a multiple of {_HIDDEN_UNIT} hidden units, up to {_MOST_UNITS}, not {hidden}"
            raise DataError(reason, remedy="other-hidden")
        if options.latents and options.latents > _MOST_UNITS:
            reason = f"local takes at most {_MOST_UNITS} latents, not {options.latents}"
            raise DataError(reason, remedy="other-latents")
        if options.objectives not in (None, _OBJECTIVES):
            raise DataError(
                "local is trained by the objective elbo alone: the others need pictures drawn from the model, "
                "which takes it too long",
                remedy="elbo-alone",
            )
        latents = {"latents": options.latents} if options.latents else {}
        return pixel_architecture(
            channels=survey.planes.channels, hidden=hidden, blocks=_BLOCKS, predictors=1, **latents
        )

    def stages(self, architecture: PixelArchitecture, options: Options, count: int) -> tuple[PixelStage, ...]:
        """Plan the one stage, for so many tiles."""
        pace = pace_of(options, count, stages=1, images=_IMAGES, batch=stages.TILES)
        rate = options.learning_rate or stages.RATE * (BEGUN_RATE if options.begun else 1)
        warmup = pace.warmup(0, stages.RISE)
        epochs, batch = pace.epochs[0], pace.batch
        fields: dict[str, Any] = {
            "learning_rate": rate,
            "batch": batch,
            "warmup": warmup,
            "best": True,
            "begun": options.begun,
        }
        return (stages.stage_of(architecture, epochs, **fields),)

    def vae(self, architecture: PixelArchitecture) -> PixelVae:
        """Make float networks with random weights, by PyTorch's generator."""
        return PixelVae(architecture)

    def cut(self, architecture: PixelArchitecture, pixels: NDArray[np.uint8]) -> Tiles:
        """Cut a picture into tiles with what surrounds them; see :mod:`vaezip.training.families.pixel.tiles`."""
        return tiles(pixels[None], architecture)

    def draft(self, vae: PixelVae, trained: Trained) -> Draft:
        """Quantise float networks, and say how to measure them and what is on their card."""
        (stage,) = trained.stages
        steps = stage.epochs * stage.steps(trained.train)
        details = {
            "latents": vae.architecture.latents,
            "epochs": stage.epochs,
            "batch": stage.batch,
            "learning_rate": stage.learning_rate,
            "made_by": list(trained.made_by),
        }
        return drafts.draft(
            vae,
            trained.train[: drafts.CALIBRATION],
            _by_shape(trained.held_out),
            information={"objective": stage.name, "dataset": trained.dataset, "steps": steps},
            details=details | noted(trained.note),
        )

    def card(self, record: Mapping[str, Any]) -> str:
        """Write a model's card in Markdown from what its ``.json`` holds."""
        return drafts.card(record)

    def dequantize(self, vae: PixelVae, model: Model) -> None:
        """Give float networks the weights of a model file.

        Raises:
            ModelError: the sizes differ.
        """
        dequantize(vae, model)


def _by_shape(pictures: Iterable[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Stack pictures of one shape into one array, (pictures, height, width, channels)."""
    found: dict[tuple[int, ...], list[NDArray[np.uint8]]] = {}
    for pixels in pictures:
        found.setdefault(pixels.shape, []).append(pixels)
    return [np.stack(alike) for alike in found.values()]
