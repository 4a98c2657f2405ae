"""A Protocol that every family of models fulfils towards training.

A family is one folder of ``families/``, one module of ``networks/`` and one line of
:data:`vaezip.training.families.FAMILIES`. Nothing outside of its folder asks which family a model belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from vaezip.models.base import Architecture, Model
from vaezip.training.loop import Samples, Stage
from vaezip.training.networks.base import Vae
from vaezip.training.publish import Draft

if TYPE_CHECKING:
    from vaezip.training.data import Survey

Tiles = NDArray[Any]
"""Arrays of tiles, the first axis of which counts them, as a family trains on them."""

_MOST_EPOCHS = 500
_LATER_SHARE = 4

_BEGUN_SHARE, _BEGUN_EPOCHS = 8, 12
"""Of the images of a whole training, one that begins with a model sees a part in so many, in at most so many epochs."""

BEGUN_RATE = 1 / 10
"""The learning rate of a training that begins with a model, as a share of the usual one."""


@dataclass(frozen=True)
class Options:
    """Wishes of the user; None where one is left to the pictures.

    Attributes:
        arch: the name of a network.
        latents: length of z of a tile, or channels of z, as the network has them.
        hidden: units or channels of its hidden layers.
        objectives: one a stage, as :func:`vaezip.training.objectives.named` takes them.
        epochs: of each stage.
        batch: images a step.
        learning_rate: Adam's, before it falls; half of it where the encoder alone is trained.
        valid: share of the pictures that is held out.
        seed: of everything drawn.
        begun: whether the first weights come from a model, which then needs fewer and smaller steps.
    """

    arch: str | None = None
    latents: int | None = None
    hidden: int | None = None
    objectives: tuple[str, ...] | None = None
    epochs: tuple[int, ...] | None = None
    batch: int | None = None
    learning_rate: float | None = None
    valid: float = 0.1
    seed: int = 0
    begun: bool = False


class MostTiles(NamedTuple):
    """Counts of tiles to train on and to watch the training by; from larger sets, so many are drawn at random."""

    train: int
    valid: int


class Pace(NamedTuple):
    """Size and number of the steps of a plan.

    Attributes:
        batch: tiles a step.
        steps: steps of an epoch.
        epochs: epochs of each stage.
    """

    batch: int
    steps: int
    epochs: tuple[int, ...]

    def warmup(self, stage: int, most: int) -> int:
        """Count the steps over which a stage's learning rate rises: a tenth of all, but ``most`` at the most."""
        return min(most, self.epochs[stage] * self.steps // 10)


def pace_of(options: Options, count: int, *, stages: int, images: int, batch: int) -> Pace:
    """Set the pace for so many tiles, where the options leave it open.

    Args:
        count: tiles to train on.
        stages: how many there are.
        images: how many the first stage sees in all its epochs, if they are not too many.
        batch: the largest.
    """
    size = options.batch or min(batch, _power_of_two(count // 4))
    images, most = (images // _BEGUN_SHARE, _BEGUN_EPOCHS) if options.begun else (images, _MOST_EPOCHS)
    first = min(most, -(-images // count))
    later = -(-first // _LATER_SHARE)
    return Pace(size, count // size, options.epochs or (first, *[later] * (stages - 1)))


def _power_of_two(limit: int) -> int:
    """Find the largest that is within the limit, so that it divides among processes; but at least 2, to be
    shared by data and model samples."""
    return 1 << max(1, limit.bit_length() - 1)


@dataclass(frozen=True)
class Trained:
    """The training of a float model, and the pictures that it may be measured on.

    Attributes:
        dataset: its name.
        stages: all that are done, in turn.
        train: the tiles that it was trained on.
        held_out: pixels of pictures that it was not trained on, (height, width, channels) each.
        seed: of what is drawn from these.
        made_by: command lines, for the card.
        note: another sentence for it.
        published: whether the pictures are published test images, by which no epoch was chosen.
    """

    dataset: str
    stages: tuple[Stage, ...]
    train: Tiles
    held_out: Sequence[NDArray[np.uint8]]
    seed: int
    made_by: Sequence[str]
    note: str
    published: bool


class Recipe(Protocol):
    """The way a shipped model is trained."""

    @property
    def architecture(self) -> Architecture:
        """Give the sizes of the networks."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Give the stages in turn."""

    @property
    def seed(self) -> int:
        """Give the seed of the first weights."""

    def changed(self, *, steps: int | None, learning_rate: float | None, begun: bool) -> Recipe:
        """Depart from the recipe.

        Args:
            steps: other than its own.
            learning_rate: other than its own.
            begun: whether the first weights come from a model.

        Raises:
            DataError: it is not to be changed so.
        """

    def load(self, data: Path | None) -> Samples:
        """Read what to train on from a folder, or from wherever data sets are."""

    def state(self, runs: Path, name: str, stage: Stage) -> Path:
        """Name the state of a stage of a model in the folder of its runs."""

    def drafts(
        self, name: str, runs: Path, data: Path | None, *, limit: int | None, note: str
    ) -> Iterator[tuple[str, Draft]]:
        """Draft the models that the states of a recipe give, each with its name.

        Args:
            name: of the recipe.
            runs: the folder of the states.
            data: as for :meth:`load`.
            limit: test images to measure on, if not all.
            note: a sentence for the cards.

        Raises:
            DataError: a stage is not done.
        """


class Family(Protocol):
    """One family of models: from pictures to a plan, from a plan to float networks, and from these to integers.

    Attributes:
        kind: as its architectures have it.
        arches: names of its networks, for users.
        objectives: the names of its stages' objectives, where the user names none.
        most_tiles: of a set of pictures.
        recipes: of its shipped models, by their names.
    """

    kind: ClassVar[str]
    arches: ClassVar[tuple[str, ...]]
    objectives: ClassVar[tuple[str, ...]]
    most_tiles: ClassVar[MostTiles]
    recipes: ClassVar[Mapping[str, Recipe]]

    def suited(self, survey: Survey) -> str | None:
        """Name the network for pictures of a survey where the user names none, if the family has one."""

    def architecture(self, arch: str, options: Options, survey: Survey) -> Architecture:
        """Size a network for pictures.

        Args:
            arch: one of ``arches``.
            options: the sizes that the user asks for.
            survey: what the pictures are.

        Raises:
            DataError: the pictures, or the other options, do not suit it.
        """

    def stages(self, architecture: Any, options: Options, count: int) -> tuple[Stage, ...]:
        """Plan the stages for so many tiles."""

    def vae(self, architecture: Any) -> Vae:
        """Make float networks with random weights, by PyTorch's generator."""

    def cut(self, architecture: Any, pixels: NDArray[np.uint8]) -> Tiles:
        """Cut a picture (height, width, channels) into tiles to train on."""

    def draft(self, vae: Any, trained: Trained) -> Draft:
        """Quantise float networks on the CPU, and say how to measure them and what is on their card."""

    def card(self, record: Mapping[str, Any]) -> str:
        """Write a model's card in Markdown from what its ``.json`` holds."""

    def dequantize(self, vae: Any, model: Model) -> None:
        """Give float networks the weights of a model file.

        Raises:
            ModelError: the sizes differ.
        """
