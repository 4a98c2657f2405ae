"""One run of training: a plan made from options, its stages, and the finished model.

The run lives in a folder of its own until the model is finished and verified: ``settings.json`` (what
makes it this run and no other), and for each stage a state and a log as :func:`vaezip.training.loop.fit`
writes them.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import vaezip
from vaezip.errors import ModelError, OutputError, VaezipError
from vaezip.models import file as model_file
from vaezip.models.base import Architecture, Model
from vaezip.pictures.picture import Picture, same
from vaezip.system.files import is_temporary, remove_temporaries, store
from vaezip.training import families
from vaezip.training.data import Split, Survey, pixels_of
from vaezip.training.families.base import Options, Trained
from vaezip.training.loop import Progress, Samples, Stage, fit, read_log, seconds_of_step
from vaezip.training.networks.base import Vae
from vaezip.training.processes import Processes
from vaezip.training.publish import beside, publish

SUFFIXES = (".json", ".md", model_file.SUFFIX)
"""The files that a finished run leaves: figures, card and model, which comes last."""

_NO_BETTER = "No epoch of {} was better on the pictures held out than the encoder it began with, which is this one."

_SETTINGS = "settings.json"

_WATCHING = 3
"""Tiles that are watched in the time in which one is trained on."""


@dataclass(frozen=True)
class Plan:
    """The data set's name, the network, and its stages in turn."""

    name: str
    architecture: Architecture
    stages: tuple[Stage, ...]


def architecture_of(options: Options, found: Survey) -> Architecture:
    """Size the network for a data set: the one that was asked for, or one that suits the pictures.

    Raises:
        DataError: the pictures, or the other options, do not suit the one that was asked for.
    """
    arch = options.arch or families.suited(found)
    return families.named(arch).architecture(arch, options, found)


def objectives_of(options: Options, architecture: Architecture) -> tuple[str, ...]:
    """Name the objectives that were asked for, or those that suit the network."""
    return options.objectives or families.of(architecture).objectives


def plan_of(options: Options, architecture: Architecture, data: Split, *, name: str) -> Plan:
    """Plan the stages for a data set of a name."""
    return Plan(name, architecture, families.of(architecture).stages(architecture, options, len(data.train)))


class Run:
    """A plan with its data, and the folder that it lives in.

    Attributes:
        folder: holds settings, states and logs.
    """

    def __init__(self, plan: Plan, data: Split, *, seed: int, folder: Path, start: Model | None = None) -> None:
        """``start`` is the model whose weights it begins with; where there is none, they are random."""
        self.plan, self.data, self.seed, self.folder, self.start = plan, data, seed, folder, start

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
                raise _refusal(self.folder, kept, settings)
            self._empty()
        self.folder.mkdir(exist_ok=True)
        remove_temporaries(self.folder)
        store(self.folder / _SETTINGS, (json.dumps(settings, indent=1) + "\n").encode())
        return False

    def train(self, device: str, processes: Processes, progress: Callable[[int, Progress], None]) -> Vae:
        """Run the stages that are not done.

        Args:
            device: ``cpu``, ``cuda`` or ``cuda:N``.
            processes: which share every batch.
            progress: called after every step with the number of its stage, from 0: two may have one name.

        Returns:
            The float model, on the CPU.
        """
        torch.backends.cudnn.deterministic = True
        torch.manual_seed(self.seed)
        vae = self._first().to(device)
        for i, stage in enumerate(self.plan.stages):
            fit(
                vae,
                Samples(self.data.train, self.data.valid),
                stage,
                state=self._state(i),
                seed=self.seed,
                processes=processes,
                progress=functools.partial(progress, i),
            )
        return vae.cpu()

    def _first(self) -> Vae:
        """Make the networks with their first weights."""
        architecture = self.plan.architecture
        family = families.of(architecture)
        vae = family.vae(architecture)
        if self.start:
            family.dequantize(vae, self.start)
        return vae

    def seconds(self, device: str, processes: int) -> float:
        """Measure how long the training will take from where it stands, by some steps on weights of its own."""
        torch.manual_seed(self.seed)
        vae, total = self._first().to(device), 0.0
        for i, stage in enumerate(self.plan.stages):
            epochs = stage.epochs - len(read_log(self._state(i).with_suffix(".jsonl")))
            step = seconds_of_step(vae, stage, self.data.train, processes=processes)
            watched = len(self.data.valid) / stage.batch / _WATCHING
            total += epochs * step * (stage.steps(self.data.train) + watched)
        return total

    def best(self) -> list[dict[str, Any]]:
        """Find the log's line of the best epoch of each stage.

        Where no epoch was better than the weights that a stage began with, these are what it gives, and the line has
        epoch 0 and their rate.
        """
        found: list[dict[str, Any]] = []
        for i in range(len(self.plan.stages)):
            line = min(read_log(self._state(i).with_suffix(".jsonl")), key=lambda line: line["valid_bpd"])
            if i == 0 and self.start:
                kept = torch.load(self._state(0), weights_only=True)["valid_bpd"]
                line = line if line["valid_bpd"] <= kept else {**line, "valid_bpd": kept, "epoch": 0}
            if found and found[-1]["valid_bpd"] <= line["valid_bpd"]:
                line = {**found[-1], "stage": line["stage"], "epoch": 0}
            found.append(line)
        return found

    def finish(self, vae: Vae, target: Path, *, command: Sequence[str], threads: int) -> Finished:
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

    def _publish(self, stem: Path, vae: Vae, command: Sequence[str]) -> dict[str, Any]:
        a, stages = self.plan.architecture, self.plan.stages
        trained = Trained(
            dataset=self.plan.name,
            stages=stages,
            train=self.data.train,
            held_out=[pixels_of(a, picture) for _, picture in self.data.held_out],
            seed=self.seed,
            made_by=command,
            note="" if self.best()[-1]["epoch"] else _NO_BETTER.format(stages[-1].name),
            published=self.data.published,
        )
        return publish(stem, families.of(a).draft(vae, trained))

    def _state(self, i: int) -> Path:
        name = self.plan.stages[i].name.replace(":", "-")  # which no file of Windows may have
        return self.folder / f"{i + 1}-{name}.pt"

    def _is_unused(self) -> bool:
        """Tell whether there is no folder yet, or one that was left before its settings were in place."""
        if self.folder.is_dir():
            return all(is_temporary(path) for path in self.folder.iterdir())
        return not self.folder.exists()

    def _empty(self) -> None:
        """Remove the files but the settings, states before logs: cut at any moment, it is still the folder of a run."""
        for path in sorted(self.folder.iterdir(), key=lambda path: path.suffix != ".pt"):
            if path.name != _SETTINGS and not path.is_dir():
                path.unlink()

    def _settings(self) -> dict[str, Any]:
        """Collect what makes it this training.

        Threads, processes and device do not: they move the result a little, and another machine that goes on with the
        training may have others.
        """
        stages = [[s.name, s.epochs, s.learning_rate, s.batch, s.warmup, s.augment, s.moved] for s in self.plan.stages]
        digest = hashlib.sha256()
        for pixels in (self.data.train, self.data.valid):
            digest.update(str(pixels.shape).encode() + pixels.tobytes())
        begun = {"start": self.start.fingerprint.hex()} if self.start else {}
        return {
            "pictures": digest.hexdigest(),
            "architecture": json.loads(self.plan.architecture.to_json()),
            "stages": stages,
            "seed": self.seed,
            **begun,
        }

    def _kept_settings(self) -> dict[str, Any] | None:
        """Read the settings in the folder; None where it is not that of a run."""
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
        """Count the samples of the pictures held out."""
        return sum(picture.samples.size for _, picture in self.held_out)


def verified(pictures: list[tuple[str, Picture]], model: Path, threads: int) -> int:
    """Compress pictures by a model, decompress, and compare; return the bytes of the file.

    Raises:
        ModelError: a picture did not come back.
    """
    data = vaezip.compress(pictures, model=model, threads=threads, verify=False)
    decoded = dict(vaezip.Archive(data, models=(model,), threads=threads).pictures())
    for name, picture in pictures:
        found = decoded[name]
        if isinstance(found, VaezipError) or not same(found, picture):
            raise ModelError(f"the model does not give back '{name}', so it is not written; please report this")
    return len(data)


def describes(path: Path, model: Path) -> bool:
    """Tell whether figures or a card are those of a model. Where it is still in the folder of its run, that run put
    them in place and was cut then."""
    try:
        return model_file.fingerprint(model).hex() in path.read_text(encoding="utf-8")
    except (ModelError, OSError, ValueError):
        return False


def _refusal(folder: Path, kept: dict[str, Any] | None, settings: dict[str, Any]) -> OutputError:
    if kept is None:
        return OutputError(f"the folder '{folder}' is in the way", remedy="other-output")
    differing = [name for name in {**settings, **kept} if kept.get(name) != settings.get(name)]
    return OutputError(f"'{folder}' holds a training with other {', '.join(differing)}", remedy="begin-anew")
