"""One run of ``vaezip train``: a recipe made from options, its stages, and the finished model.

The run lives in a folder of its own until the model is finished and verified: ``settings.json`` (what
makes it this run and no other), and for each stage a state and a log as :func:`vaezip.training.loop.fit`
writes them.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import vaezip
from vaezip import checkpoint, images
from vaezip.errors import DataError, ModelError, OutputError, VaezipError
from vaezip.images import Picture
from vaezip.networks.architecture import Architecture
from vaezip.networks.floating import Vae
from vaezip.networks.mlp import mlp
from vaezip.networks.resnet import resnet
from vaezip.training.data import Split, Survey
from vaezip.training.loop import Progress, Stage, fit, read_log
from vaezip.training.objectives import OBJECTIVES
from vaezip.training.processes import Processes
from vaezip.training.publish import beside, publish
from vaezip.training.quantize import Precision
from vaezip.training.recipes import Recipe

SUFFIXES = (".json", ".md", checkpoint.SUFFIX)
"""Of the files that a finished run leaves: figures, card and model, which comes last."""

_MLP_SIZE = (28, 28)
_BATCH = 64
_IMAGES = {"mlp": 3_000_000, "resnet": 250_000}
"""How many images the first stage sees where the epochs are not given: some minutes to an hour on a CPU."""
_EPOCHS = 500
_LATER_SHARE = 4
_WARMUP = 300
_TEST, _REFINED = 1000, 100
"""Tiles to measure the finished model on, and those of them that are measured with K = 10 steps, too."""

_SETTINGS = "settings.json"


@dataclass(frozen=True)
class Options:
    """What the user asks for; None where that is left to the pictures.

    Attributes:
        arch: ``mlp`` or ``resnet``.
        latents: length of z of an mlp, channels of z of a resnet.
        hidden: units or channels of its hidden layers.
        objectives: one a stage, names of :data:`vaezip.training.objectives.OBJECTIVES`.
        epochs: of each stage.
        batch: images a step.
        learning_rate: Adam's at the start; half of it where the encoder alone is trained.
        valid: share of the pictures that is held out.
        seed: of everything drawn.
    """

    arch: str | None = None
    latents: int | None = None
    hidden: int | None = None
    objectives: tuple[str, ...] = ("elbo", "half-asleep")
    epochs: tuple[int, ...] | None = None
    batch: int | None = None
    learning_rate: float = 1e-3
    valid: float = 0.1
    seed: int = 0


def architecture_of(options: Options, found: Survey) -> Architecture:
    """The network for a data set.

    Raises:
        DataError: the pictures do not suit the one that was asked for.
    """
    small = found.sizes == {_MLP_SIZE} and found.likelihood != "colour-logistic"
    arch = options.arch or ("mlp" if small else "resnet")
    if arch == "mlp" and not small:
        raise DataError(
            "mlp codes pictures of 28×28 in grey or black and white, and these are others; use --arch resnet"
        )
    sizes = {
        "latents" if arch == "mlp" else "latent_channels": options.latents,
        "hidden": options.hidden,
    }
    given = {name: size for name, size in sizes.items() if size is not None}
    return mlp(found.likelihood, **given) if arch == "mlp" else resnet(likelihood=found.likelihood, **given)


def recipe_of(options: Options, name: str, architecture: Architecture, data: Split) -> Recipe:
    """The stages for a data set."""
    count = len(data.train)
    batch = options.batch or min(_BATCH, _power_of_two(count // 4))
    first = min(_EPOCHS, -(-_IMAGES["resnet" if architecture.tiled else "mlp"] // count))
    later = -(-first // _LATER_SHARE)
    epochs = options.epochs or (first, *[later] * (len(options.objectives) - 1))
    stages = [
        _stage(options, architecture, objective, some, batch, count)
        for objective, some in zip(options.objectives, epochs)
    ]
    wide = ("decoder.out",) if architecture.tiled else ()  # its outputs are the pixels' own means and scales
    return Recipe(name, architecture, tuple(stages), len(data.valid), Precision(wide=wide))


def _power_of_two(limit: int) -> int:
    """The largest that is within the limit, so that it divides among processes; but at least 2, to be
    shared by data and model samples."""
    return 1 << max(1, limit.bit_length() - 1)


def _stage(options: Options, a: Architecture, name: str, epochs: int, batch: int, count: int) -> Stage:
    objective = OBJECTIVES[name]
    loss = objective.loss
    if a.tiled and name in ("half-asleep", "reverse-sleep"):  # its prior and aggregate posterior disagree
        loss = functools.partial(loss, source="posterior")
    return Stage(
        name,
        loss,
        epochs,
        options.learning_rate / (2 if objective.encoder_only else 1),
        encoder_only=objective.encoder_only,
        batch=batch,
        warmup=min(_WARMUP, epochs * (count // batch) // 10),
        augment=a.channels == 3,
    )


class Run:
    """A recipe with its data, and the folder that it lives in.

    Attributes:
        folder: holds settings, states and logs.
    """

    def __init__(self, recipe: Recipe, data: Split, seed: int, folder: Path) -> None:
        self.recipe, self.data, self.seed, self.folder = recipe, data, seed, folder

    def open(self, force: bool) -> bool:
        """Make the folder, or go on in it.

        Args:
            force: whether the folder of another run may be emptied.

        Returns:
            Whether there is something to go on from.

        Raises:
            OutputError: the folder holds something else.
        """
        settings = self._settings()
        if self.folder.exists():
            kept = self._kept_settings()
            if kept == settings:
                return True
            trained = any(self.folder.glob("*.pt"))
            if kept is None or (trained and not force):
                raise OutputError(_refusal(self.folder, kept, settings))
            shutil.rmtree(self.folder)
        self.folder.mkdir()
        (self.folder / _SETTINGS).write_text(json.dumps(settings, indent=1) + "\n")
        return False

    def train(self, device: str, processes: Processes, progress: Callable[[Progress], None]) -> Vae:
        """Run the stages that are not done.

        Args:
            device: ``cpu``, ``cuda`` or ``cuda:N``.

        Returns:
            The float model, on the CPU.
        """
        torch.backends.cudnn.deterministic = True
        torch.manual_seed(self.seed)
        vae = Vae(self.recipe.architecture).to(device)
        for i, stage in enumerate(self.recipe.stages):
            fit(
                vae,
                self.data.train,
                self.data.valid,
                stage,
                self._state(i),
                seed=self.seed,
                best=True,
                processes=processes,
                progress=progress,
            )
        return vae.cpu()

    def best(self) -> list[dict[str, Any]]:
        """The log's line of the best epoch of each stage."""
        logs = [read_log(self._state(i).with_suffix(".jsonl")) for i in range(len(self.recipe.stages))]
        return [min(log, key=lambda line: line["valid_bpd"]) for log in logs]

    def finish(self, vae: Vae, target: Path, command: Sequence[str], threads: int) -> Finished:
        """Quantise, measure, try on the pictures held out, and write model, figures and card.

        Args:
            vae: of :meth:`train`.
            target: of the model, with its suffix.
            command: the command line, for the card.
            threads: for coding.

        Raises:
            ModelError: a picture did not come back; nothing is written.
        """
        stem = self.folder / target.name.removesuffix(checkpoint.SUFFIX)
        test = self.data.test(self.recipe.architecture)
        test = np.random.default_rng(self.seed).permutation(test)[:_TEST]
        last = self.recipe.stages[-1]
        record = publish(
            stem, self.recipe, last.name, last.epochs, vae, self.data.train, test, made_by=command, refined=_REFINED
        )
        size = verified(self.data.held_out, beside(stem, checkpoint.SUFFIX), threads)
        for suffix in SUFFIXES:
            os.replace(beside(stem, suffix), beside(target.with_name(stem.name), suffix))
        return Finished(record, self.data.held_out, size)

    def _state(self, i: int) -> Path:
        return self.folder / f"{i + 1}-{self.recipe.stages[i].name}.pt"

    def _settings(self) -> dict[str, Any]:
        """All that the result depends on."""
        stages = [
            [s.name, s.epochs, s.learning_rate, s.batch, s.warmup, s.augment, s.moved] for s in self.recipe.stages
        ]
        digest = hashlib.sha256()
        for pixels in (self.data.train, self.data.valid):
            digest.update(str(pixels.shape).encode() + pixels.tobytes())
        return {
            "pictures": digest.hexdigest(),
            "architecture": json.loads(self.recipe.architecture.to_json()),
            "stages": stages,
            "seed": self.seed,
        }

    def _kept_settings(self) -> dict[str, Any] | None:
        """None where the folder is not that of a run."""
        try:
            kept = json.loads((self.folder / _SETTINGS).read_text())
        except (OSError, ValueError):
            return None
        return kept if isinstance(kept, dict) else None


@dataclass(frozen=True)
class Finished:
    """A model that is done.

    Attributes:
        record: its figures.
        held_out: the pictures that it was tried on.
        size: of the .vz file of all of them, in bytes.
    """

    record: dict[str, Any]
    held_out: list[tuple[str, Picture]]
    size: int

    @property
    def values(self) -> int:
        """Samples of the pictures held out."""
        return sum(picture.samples.size for _, picture in self.held_out)


def verified(pictures: list[tuple[str, Picture]], model: Path, threads: int) -> int:
    """Compress pictures by a model, decompress, and compare; the bytes of the file.

    Raises:
        ModelError: a picture did not come back.
    """
    data = vaezip.compress(pictures, model, threads=threads, verify=False)
    decoded = dict(vaezip.Archive(data, [model], threads=threads).pictures())
    for name, picture in pictures:
        found = decoded[name]
        if isinstance(found, VaezipError) or not images.same(found, picture):
            raise ModelError(f"the model does not give back '{name}', so it is not written; please report this")
    return len(data)


def _refusal(folder: Path, kept: dict[str, Any] | None, settings: dict[str, Any]) -> str:
    if kept is None:
        return f"the folder '{folder}' is in the way; choose another -o"
    differing = [name for name in settings if kept.get(name) != settings[name]]
    return f"'{folder}' holds a training with other {', '.join(differing)}; use -f to begin anew, or another -o"
