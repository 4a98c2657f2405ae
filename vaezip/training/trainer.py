"""One run of ``vaezip train``: a plan made from options, its stages, and the finished model.

The run lives in a folder of its own until the model is finished and verified: ``settings.json`` (what
makes it this run and no other), and for each stage a state and a log as :func:`vaezip.training.loop.fit`
writes them.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import vaezip
from vaezip.errors import DataError, ModelError, OutputError, VaezipError
from vaezip.models import file as model_file
from vaezip.models.base import Architecture
from vaezip.models.pixel.architecture import PixelArchitecture, pixel_architecture
from vaezip.models.tile.architecture import TileArchitecture
from vaezip.models.tile.mlp import mlp
from vaezip.models.tile.resnet import resnet
from vaezip.pictures.picture import Picture
from vaezip.system.files import is_temporary, remove_temporaries, store
from vaezip.training import local as local_training
from vaezip.training.data import Pixels, Split, Survey, pixels_of
from vaezip.training.loop import AnyVae, Progress, Stage, fit, read_log
from vaezip.training.networks.pixel import PixelVae
from vaezip.training.networks.tile import TileVae
from vaezip.training.objectives import named
from vaezip.training.processes import Processes
from vaezip.training.publish import beside, publish
from vaezip.training.quantize import Precision
from vaezip.training.recipes import Recipe

SUFFIXES = (".json", ".md", model_file.SUFFIX)
"""Of the files that a finished run leaves: figures, card and model, which comes last."""

_MLP_SIZE = (28, 28)
_BLACK_AND_WHITE, _COLOUR = "bernoulli", "colour-logistic"
_LOCAL_HIDDEN, _LOCAL_BLOCKS = 96, 1
_HIDDEN_UNIT, _MOST_UNITS = 32, 1024
"""What sizes a :class:`~vaezip.models.pixel.architecture.PixelArchitecture` may have."""

_BATCH = 64
_IMAGES = {"mlp": 3_000_000, "resnet": 250_000, "local": 160_000}
"""How many images the first stage sees where the epochs are not given: some minutes to an hour on a CPU."""
_EPOCHS = 500
_LATER_SHARE = 4
_RATE = 1e-3
_WARMUP = 300
_TEST, _REFINED = 1000, 100
"""Tiles to measure the finished model on, and those of them that are measured with K = 10 steps, too."""

_NO_BETTER = "No epoch of {} was better on the pictures held out than the encoder it began with, which is this one."

_SETTINGS = "settings.json"


@dataclass(frozen=True)
class Options:
    """What the user asks for; None where that is left to the pictures.

    Attributes:
        arch: ``local``, ``mlp`` or ``resnet``.
        latents: length of z of an mlp or of a tile of local, channels of z of a resnet.
        hidden: units or channels of its hidden layers.
        objectives: one a stage, as :func:`vaezip.training.objectives.named` takes them.
        epochs: of each stage.
        batch: images a step.
        learning_rate: Adam's, before it falls; half of it where the encoder alone is trained.
        valid: share of the pictures that is held out.
        seed: of everything drawn.
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


@dataclass(frozen=True)
class Plan:
    """The data set's name, the network, and its stages in turn."""

    name: str
    architecture: Architecture
    stages: tuple[Stage, ...]


def architecture_of(options: Options, found: Survey) -> Architecture:
    """The network for a data set.

    Raises:
        DataError: the pictures, or the other options, do not suit the one that was asked for.
    """
    kind = found.likelihood
    small = found.sizes == {_MLP_SIZE} and kind != _COLOUR
    arch = options.arch or ("local" if kind != _BLACK_AND_WHITE else "mlp" if small else "resnet")
    if arch == "mlp" and not small:
        raise DataError(
            "mlp codes pictures of 28×28 in grey or black and white, and these are others; use --arch resnet"
        )
    if arch == "local":
        return _local(options, kind)
    sizes = {
        "latents" if arch == "mlp" else "latent_channels": options.latents,
        "hidden": options.hidden,
    }
    given = {name: size for name, size in sizes.items() if size is not None}
    return mlp(kind, **given) if arch == "mlp" else resnet(likelihood=kind, **given)


def _local(options: Options, likelihood: str) -> PixelArchitecture:
    hidden = options.hidden or _LOCAL_HIDDEN
    if likelihood == _BLACK_AND_WHITE:
        raise DataError("local codes pictures in grey or in colour, and these are black and white; use --arch resnet")
    if hidden % _HIDDEN_UNIT or hidden > _MOST_UNITS:
        raise DataError(f"--hidden of local must be a multiple of {_HIDDEN_UNIT}, up to {_MOST_UNITS}")
    if options.latents and options.latents > _MOST_UNITS:
        raise DataError(f"--latents of local must be at most {_MOST_UNITS}")
    if options.objectives not in (None, ("elbo",)):
        raise DataError(
            "local is trained by the objective elbo alone: the others need pictures drawn from the model, "
            "which takes it too long; leave --objective out, or use --arch resnet"
        )
    latents: dict[str, Any] = {"latents": options.latents} if options.latents else {}
    return pixel_architecture(3 if likelihood == _COLOUR else 1, hidden, _LOCAL_BLOCKS, regressed=True, **latents)


def objectives_of(options: Options, architecture: Architecture) -> tuple[str, ...]:
    """Those asked for, or those that suit the network."""
    default = ("elbo",) if isinstance(architecture, PixelArchitecture) else ("elbo", "half-asleep")
    return options.objectives or default


def plan_of(options: Options, name: str, architecture: Architecture, data: Split) -> Plan:
    """The stages for a data set."""
    count, objectives = len(data.train), objectives_of(options, architecture)
    kind = "local" if isinstance(architecture, PixelArchitecture) else "resnet" if architecture.tiled else "mlp"
    largest = local_training.TILES if kind == "local" else _BATCH
    batch = options.batch or min(largest, _power_of_two(count // 4))
    first = min(_EPOCHS, -(-_IMAGES[kind] // count))
    later = -(-first // _LATER_SHARE)
    epochs = options.epochs or (first, *[later] * (len(objectives) - 1))
    if isinstance(architecture, PixelArchitecture):
        warmup = min(local_training.RISE, epochs[0] * (count // batch) // 10)
        rate = options.learning_rate or local_training.RATE
        return Plan(name, architecture, (local_training.stage_of(architecture, epochs[0], warmup, rate, batch),))
    stages = [
        _stage(options, architecture, objective, some, batch, count) for objective, some in zip(objectives, epochs)
    ]
    return Plan(name, architecture, tuple(stages))


def _power_of_two(limit: int) -> int:
    """The largest that is within the limit, so that it divides among processes; but at least 2, to be
    shared by data and model samples."""
    return 1 << max(1, limit.bit_length() - 1)


def _stage(options: Options, a: TileArchitecture, name: str, epochs: int, batch: int, count: int) -> Stage:
    objective = named(name)
    loss = objective.loss
    kind, *_ = name.split(":")
    if a.tiled and kind in ("half-asleep", "reverse-sleep"):  # its prior and aggregate posterior disagree
        loss = functools.partial(loss, source="posterior")
    return Stage(
        name,
        loss,
        epochs,
        (options.learning_rate or _RATE) / (2 if objective.encoder_only else 1),
        encoder_only=objective.encoder_only,
        batch=batch,
        warmup=min(_WARMUP, epochs * (count // batch) // 10),
        augment=a.channels == 3,
    )


class Run:
    """A plan with its data, and the folder that it lives in.

    Attributes:
        folder: holds settings, states and logs.
    """

    def __init__(self, plan: Plan, data: Split, seed: int, folder: Path) -> None:
        self.plan, self.data, self.seed, self.folder = plan, data, seed, folder

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
        if not self._is_unused():
            kept = self._kept_settings()
            if kept == settings:
                remove_temporaries(self.folder)
                return True
            trained = any(self.folder.glob("*.pt"))
            if kept is None or (trained and not force):
                raise OutputError(_refusal(self.folder, kept, settings))
            self._empty()
        self.folder.mkdir(exist_ok=True)
        remove_temporaries(self.folder)
        store(self.folder / _SETTINGS, (json.dumps(settings, indent=1) + "\n").encode())
        return False

    def train(self, device: str, processes: Processes, progress: Callable[[int, Progress], None]) -> AnyVae:
        """Run the stages that are not done.

        Args:
            device: ``cpu``, ``cuda`` or ``cuda:N``.
            progress: told of every step, with the number of its stage, from 0: two may have one name.

        Returns:
            The float model, on the CPU.
        """
        torch.backends.cudnn.deterministic = True
        torch.manual_seed(self.seed)
        architecture = self.plan.architecture
        vae: AnyVae = PixelVae(architecture) if isinstance(architecture, PixelArchitecture) else TileVae(architecture)
        vae.to(device)
        for i, stage in enumerate(self.plan.stages):
            fit(
                vae,
                self.data.train,
                self.data.valid,
                stage,
                self._state(i),
                seed=self.seed,
                best=True,
                processes=processes,
                progress=functools.partial(progress, i),
            )
        return vae.cpu()

    def best(self) -> list[dict[str, Any]]:
        """The log's line of the best epoch of each stage; with epoch 0 and the rate of the weights that it began with
        where no epoch was better, for these are what it gives then."""
        found: list[dict[str, Any]] = []
        for i in range(len(self.plan.stages)):
            line = min(read_log(self._state(i).with_suffix(".jsonl")), key=lambda line: line["valid_bpd"])
            if found and found[-1]["valid_bpd"] <= line["valid_bpd"]:
                line = {**found[-1], "stage": line["stage"], "epoch": 0}
            found.append(line)
        return found

    def finish(self, vae: AnyVae, target: Path, command: Sequence[str], threads: int) -> Finished:
        """Quantise, measure, try on the pictures held out, and write model, figures and card.

        Args:
            vae: of :meth:`train`.
            target: of the model, with its suffix.
            command: the command line, for the card.
            threads: for coding.

        Raises:
            ModelError: a picture did not come back; nothing is written.
        """
        stem = self.folder / target.name.removesuffix(model_file.SUFFIX)
        record = self._publish(stem, vae, command)
        size = verified(self.data.held_out, beside(stem, model_file.SUFFIX), threads)
        for suffix in SUFFIXES:
            os.replace(beside(stem, suffix), beside(target.with_name(stem.name), suffix))
        return Finished(record, self.data.held_out, size)

    def _publish(self, stem: Path, vae: AnyVae, command: Sequence[str]) -> dict[str, Any]:
        if isinstance(vae, PixelVae):
            return self._publish_local(stem, vae, command)
        a, stages, train = vae.architecture, self.plan.stages, self.data.train
        test = np.random.default_rng(self.seed).permutation(self.data.test(a))[:_TEST]
        wide = ("decoder.out",) if a.tiled else ()  # its outputs are the pixels' own means and scales
        recipe = Recipe(self.plan.name, a, stages, precision=Precision(wide=wide))
        last = stages[-1]
        return publish(
            stem,
            recipe,
            last.name,
            last.epochs,
            vae,
            train,
            test,
            made_by=command,
            note="" if self.best()[-1]["epoch"] else _NO_BETTER.format(last.name),
            refined=_REFINED,
            published=self.data.published,
        )

    def _publish_local(self, stem: Path, vae: PixelVae, command: Sequence[str]) -> dict[str, Any]:
        (stage,), train = self.plan.stages, self.data.train
        steps = stage.epochs * stage.steps(train)
        information = {"objective": stage.name, "dataset": self.plan.name, "steps": steps}
        details = {
            "latents": vae.architecture.latents,
            "epochs": stage.epochs,
            "batch": stage.batch,
            "learning_rate": stage.learning_rate,
            "made_by": list(command),
        }
        held = _by_shape(pixels_of(vae.architecture, picture) for _, picture in self.data.held_out)
        return local_training.publish(stem, vae, train[: local_training.CALIBRATION], held, information, details)

    def _state(self, i: int) -> Path:
        name = self.plan.stages[i].name.replace(":", "-")  # which no file of Windows may have
        return self.folder / f"{i + 1}-{name}.pt"

    def _is_unused(self) -> bool:
        """Whether there is no folder yet, or one that was left before its settings were in place."""
        if self.folder.is_dir():
            return all(is_temporary(path) for path in self.folder.iterdir())
        return not self.folder.exists()

    def _empty(self) -> None:
        """Remove the files but the settings, states before logs: cut at any moment, it is still the folder of a run."""
        for path in sorted(self.folder.iterdir(), key=lambda path: path.suffix != ".pt"):
            if path.name != _SETTINGS and not path.is_dir():
                path.unlink()

    def _settings(self) -> dict[str, Any]:
        """What makes it this training. Threads, processes and device do not: they move the result a little, and another
        machine that goes on with the training may have others."""
        stages = [[s.name, s.epochs, s.learning_rate, s.batch, s.warmup, s.augment, s.moved] for s in self.plan.stages]
        digest = hashlib.sha256()
        for pixels in (self.data.train, self.data.valid):
            digest.update(str(pixels.shape).encode() + pixels.tobytes())
        return {
            "pictures": digest.hexdigest(),
            "architecture": json.loads(self.plan.architecture.to_json()),
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


def _by_shape(pictures: Iterable[Pixels]) -> list[Pixels]:
    """Pictures of one shape as one array, (pictures, height, width, channels)."""
    found: dict[tuple[int, ...], list[Pixels]] = {}
    for pixels in pictures:
        found.setdefault(pixels.shape, []).append(pixels)
    return [np.stack(alike) for alike in found.values()]


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
    data = vaezip.compress(pictures, model=model, threads=threads, verify=False)
    decoded = dict(vaezip.Archive(data, models=(model,), threads=threads).pictures())
    for name, picture in pictures:
        found = decoded[name]
        if isinstance(found, VaezipError) or not vaezip.pictures.same(found, picture):
            raise ModelError(f"the model does not give back '{name}', so it is not written; please report this")
    return len(data)


def describes(path: Path, model: Path) -> bool:
    """Whether figures or a card are those of a model: of one that is still in the folder of its run, they were put in
    place by that run, which was cut then."""
    try:
        return model_file.fingerprint(model).hex() in path.read_text(encoding="utf-8")
    except (ModelError, OSError, ValueError):
        return False


def _refusal(folder: Path, kept: dict[str, Any] | None, settings: dict[str, Any]) -> str:
    if kept is None:
        return f"the folder '{folder}' is in the way; choose another -o"
    differing = [name for name in settings if kept.get(name) != settings[name]]
    return f"'{folder}' holds a training with other {', '.join(differing)}; use -f to begin anew, or another -o"
