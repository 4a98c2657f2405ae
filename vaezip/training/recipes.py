"""How the shipped models are trained: ``python -m vaezip.training.recipes NAME --data DIR --runs DIR``.

Each recipe trains encoder and decoder by the ELBO, then the encoder alone by reverse
half-asleep. Every stage is resumable: run the same command again to go on. ``torchrun --nproc-per-node N -m
vaezip.training.recipes …`` shares each batch among N processes.
"""

from __future__ import annotations

import argparse
import functools
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from vaezip.models.layers import weighted_layers
from vaezip.models.tile.architecture import TileArchitecture
from vaezip.models.tile.mlp import mlp
from vaezip.models.tile.resnet import resnet
from vaezip.pictures import datasets
from vaezip.training.loop import Stage, fit
from vaezip.training.networks.tile import TileVae
from vaezip.training.objectives import classic, half_asleep
from vaezip.training.processes import own_device, started
from vaezip.training.quantize import Precision


@dataclass(frozen=True)
class Recipe:
    """A data set, an architecture, stages in turn, and the bits of the integer network; the last
    ``valid`` training images (after a fixed shuffle) are held out to watch the training."""

    dataset: str
    architecture: TileArchitecture
    stages: tuple[Stage, ...]
    valid: int = 1000
    precision: Precision = field(default_factory=Precision)


_GREY, _COLOUR = mlp("logistic"), resnet()


def _all_layers(architecture: TileArchitecture) -> tuple[str, ...]:
    return tuple(layer.name for layer in weighted_layers(architecture.encoder + architecture.decoder))


RECIPES = {
    "mnist-binary": Recipe(
        "mnist-binary",
        mlp("bernoulli"),
        (
            Stage("classic", classic, epochs=100, learning_rate=1e-3),
            Stage("half-asleep", half_asleep, epochs=50, learning_rate=5e-4, encoder_only=True),
        ),
    ),
    "mnist": Recipe(
        "mnist",
        _GREY,
        (
            Stage("fitted", classic, epochs=160, learning_rate=1e-3, floor=0.2, average=0.9997),
            Stage("classic", classic, epochs=200, learning_rate=1e-3, floor=0.05, average=0.9997, moved=0.5),
            Stage(
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
    "cifar10": Recipe(
        "cifar10",
        _COLOUR,
        (
            Stage("fitted", classic, epochs=115, learning_rate=1e-3, batch=64, warmup=300, augment=True),
            Stage("classic", classic, epochs=60, learning_rate=5e-4, batch=64, warmup=300, augment=True),
            Stage(
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


def split(recipe: Recipe, images: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Training and validation images of a data set's training part, after a fixed shuffle."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(7)).numpy()
    return images[order[: -recipe.valid]], images[order[-recipe.valid :]]


def main() -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("--data", default=None, help="folder with the data sets")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for states and logs")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    arguments = parser.parse_args()
    recipe = RECIPES[arguments.name]
    train, valid = split(recipe, datasets.load(recipe.dataset, "train", arguments.data))
    torch.manual_seed(1)
    with started(arguments.device) as processes:
        vae = TileVae(recipe.architecture).to(own_device(arguments.device))
        for stage in recipe.stages:
            state = arguments.runs / f"{arguments.name}.{stage.name}.pt"
            fit(vae, train, valid, stage, state, processes=processes)


if __name__ == "__main__":
    main()
