"""The training loop: epochs of gradient steps with a cosine schedule, resumable after every epoch.

Invariants:

1. The state on disk is always that after a whole epoch, and the log holds a line for each of its epochs.
2. A stage that was stopped at any moment and run again gives the weights of one that was not, bit
   for bit on a CPU: all randomness of an epoch comes from its number and the seed.
"""

from __future__ import annotations

import functools
import io
import itertools
import json
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from vaezip.errors import DataError, ModelError
from vaezip.system.files import store
from vaezip.training.networks.base import Vae
from vaezip.training.processes import Processes
from vaezip.training.replayed import Replayed

_DIVERGED = 10.0
"""Times the bits of raw pixels: a validation rate that is higher has diverged. New weights give little more than 1;
such as predict nothing right give 3, because the likelihoods have a floor. Only a KL out of all proportion is more."""

_DIGITS = 5
"""Digits of the log's figures. The best epoch is chosen by these, so that the log tells which it was."""

Objective = Callable[..., Tensor]


@dataclass(frozen=True)
class Stage:
    """One stage of training. Its methods are what the loop leaves to a family of models; each gives its own figures.

    Attributes:
        name: names the log lines and the checkpoint.
        objective: loss in nats per image; of weights, batch and PyTorch's random numbers alone, without a look at
            any of the values, for a GPU may record what it does and replay that.
        epochs: passes over the training images.
        learning_rate: Adam's, before it falls.
        floor: the share of it that is left at the end of its fall along a cosine.
        average: decay of the running mean of the weights, which is what a stage gives; 0 gives the
            last weights. The mean over steps of a learning rate that stays high generalises
            better than weights that were annealed onto the training set.
        best: whether a stage gives the weights with the best validation ELBO of all epochs, and of what it began
            with, not the last ones.
        encoder_only: keep the decoder fixed.
        batch: images a step.
        warmup: steps over which the learning rate rises from zero, so that no unit dies at the start.
        augment: mirror each picture left to right with probability ½.
        moved: share of each batch that is moved by up to a pixel either way, around the edges: for
            pictures whose edges are blank. It keeps the decoder from learning them by heart.
        clip: the largest norm of a gradient; a longer one is shortened to it.
    """

    name: str
    objective: Objective
    epochs: int
    learning_rate: float
    floor: float = 0.0
    average: float = 0.0
    best: bool = False
    encoder_only: bool = False
    batch: int = 100
    warmup: int = 0
    augment: bool = False
    moved: float = 0.0
    clip: float = 2000.0

    def steps(self, train: Any) -> int:
        """Count the steps of an epoch."""
        return len(train) // self.batch

    def batches(self, train: Any, epoch: int, seed: int) -> Iterator[Tensor]:
        """Yield the batches of an epoch, which depend on its number and the seed alone.

        Args:
            train: uint8 pixels (images, height, width, channels).
        """
        images, generator = torch.from_numpy(train), torch.Generator().manual_seed(_seed(epoch, seed))
        order = torch.randperm(len(images), generator=generator)
        for step in range(self.steps(train)):
            x = images[order[step * self.batch : (step + 1) * self.batch]]
            if self.augment:
                x = torch.where(torch.rand(len(x), 1, 1, 1, generator=generator) < 0.5, x, x.flip(2))
            if self.moved:
                x = _moved(x, self.moved, generator)
            yield x

    def optimisers(self, vae: Any) -> list[torch.optim.Optimizer]:
        """Make the optimisers of the trained weights, each with its learning rate before it falls."""
        return [torch.optim.Adam(trained_weights(vae), lr=self.learning_rate, fused=True)]

    def loss(self, vae: Any, x: Tensor, progress: float) -> Tensor:
        """Compute a batch's mean loss in nats per image; ``progress`` is the share of the steps that are done."""
        return self.objective(vae, x.long())

    def values(self, x: Tensor) -> int:
        """Count the values of a batch that are coded."""
        return x.numel()

    @property
    def replayable(self) -> bool:
        """Tell whether the loss is the same function at every step, so that a GPU may record one and replay it."""
        return True

    def tend(self, vae: Any, x: Tensor, *, step: int, progress: float) -> None:
        """Look after the weights when a step, the first of which is 1, is done with its batch."""

    def figures(self, vae: Any, valid: NDArray[Any]) -> dict[str, float]:
        """Measure what the log tells of an epoch; ``valid_bpd`` is −ELBO in bits per dimension."""
        raise NotImplementedError


class Samples(NamedTuple):
    """Arrays that a stage trains on, and that it is watched by.

    Attributes:
        train: uint8 pixels (images, height, width, channels); or what the stage takes for them.
        valid: likewise, but always an array.
    """

    train: Any
    valid: NDArray[Any]


@dataclass(frozen=True)
class Progress:
    """Where a stage stands.

    Attributes:
        stage: its name.
        epoch: the one under way, from 1.
        step, steps: those done in this stage and all of it.
        bpd: the last batch's loss in bits per dimension, or at the end of an epoch the mean of all.
        valid_bpd: at the end of an epoch, −ELBO of the pictures held out; else None.
    """

    stage: str
    epoch: int
    step: int
    steps: int
    bpd: float
    valid_bpd: float | None = None


def fit(
    vae: Vae,
    samples: Samples,
    stage: Stage,
    *,
    state: Path,
    seed: int = 0,
    processes: Processes = Processes(),  # noqa: B008, it is immutable
    progress: Callable[[Progress], None] | None = None,
) -> None:
    """Run a stage, going on from ``state`` where that file exists.

    Writes ``state`` after every epoch, and to ``state`` with suffix ``.jsonl`` one JSON line an
    epoch: training loss and validation −ELBO in bits per dimension.

    Args:
        vae: trained in place, on the device that it is on.
        samples: to train on, and to watch the training by.
        stage: what is done.
        state: checkpoint of this stage (weights, optimisers, epoch).
        seed: of the order of the images and of all noise.
        processes: which share every batch.
        progress: called with where the stage stands after every step, and in the first process after every epoch.

    Raises:
        DataError: fewer images than a batch, or a batch that does not divide among the processes.
        ModelError: ``state`` cannot be read, or is past the stage's end; or the loss has diverged: ``state`` is then
            that of the last good epoch.
    """
    train, valid = samples
    steps = stage.steps(train)
    if not steps:
        raise DataError(
            f"the tiles to train on ({len(train):,}) do not fill a batch of {stage.batch}", remedy="smaller-batch"
        )
    if processes.count > 1 and (stage.batch % processes.count or stage.batch < 2 * processes.count):
        raise DataError(
            f"a batch of {stage.batch} does not divide among {processes.count} processes, 2 or more pictures for each",
            remedy="other-batch",
        )
    run = _Run(vae, stage, steps, state, processes)
    if stage.best and not run.epoch and processes.first:
        run.best_bpd = round(stage.figures(run.model, valid)["valid_bpd"], _DIGITS)
    for epoch in range(run.epoch, stage.epochs):
        started = time.time()
        train_bpd = _epoch(run, train, epoch, seed, progress)
        if processes.first:
            figures = {"train_bpd": train_bpd} | stage.figures(run.model, valid)
            run.keep(epoch + 1, figures, time.time() - started)
            if progress:
                done = (epoch + 1) * steps, stage.epochs * steps
                progress(Progress(stage.name, epoch + 1, *done, train_bpd, figures["valid_bpd"]))
    run.replayed = None  # which holds the run, and the memory of the GPU, until there is a garbage collection
    vae.load_state_dict(processes.share(run.result))


def seconds_of_step(vae: Vae, stage: Stage, train: Any, *, processes: int) -> float:
    """Measure how long a step of a stage takes; the weights are changed by it."""
    optimisers, batches = stage.optimisers(vae), stage.batches(train, 0, 0)
    times = []
    for x in itertools.islice(batches, _MEASURED):
        began = time.monotonic()
        stage.loss(vae, x[::processes].to(device_of(vae)), 0.0).backward()  # type: ignore[no-untyped-call]
        for optimiser in optimisers:
            optimiser.param_groups[0]["lr"] = 0.0
            optimiser.step()
            optimiser.zero_grad()
        if device_of(vae).type == "cuda":
            torch.cuda.synchronize()
        times.append(time.monotonic() - began)
    return statistics.median(times[1:] or times or [0.0])


_MEASURED = 4
"""Steps that are measured; the first is slower."""


@torch.no_grad()
def summed(
    vae: Vae, images: NDArray[Any], terms: Callable[[Tensor], Sequence[Tensor]], *, batch: int, seed: int = 0
) -> NDArray[np.float64]:
    """Sum terms of a bound over images, batch by batch, on the device of the weights.

    Args:
        terms: from a batch to the terms of its images, in nats.
        batch: images at once.
        seed: of the noise.

    Returns:
        The sum of each term in nats.
    """
    torch.manual_seed(seed)
    parts = (torch.from_numpy(images[i : i + batch]).to(device_of(vae)) for i in range(0, len(images), batch))
    nats = [[term.sum().item() for term in terms(part)] for part in parts]
    return np.array([sum(found) for found in zip(*nats)])


class _Run:
    """The state of a stage: what is trained, by what, and how far.

    Attributes:
        steps: steps of an epoch.
        weights: the weights that are trained.
        rates: the learning rate of each optimiser, before it falls.
        epoch: how many are done.
        result: the weights that the stage gives, as far as it has come.
    """

    def __init__(self, vae: Vae, stage: Stage, steps: int, state: Path, processes: Processes) -> None:
        self.vae, self.stage, self.steps, self.state, self.processes = vae, stage, steps, state, processes
        vae.requires_grad_(not stage.encoder_only)
        vae.encoder.requires_grad_(True)
        self.weights = trained_weights(vae)
        self.optimisers = stage.optimisers(vae)
        self.rates = [o.param_groups[0]["lr"] for o in self.optimisers]
        average = get_ema_multi_avg_fn(stage.average)  # type: ignore[no-untyped-call]
        self.averaged = AveragedModel(vae, multi_avg_fn=average) if stage.average else None
        self.epoch, self.best_bpd = 0, math.inf
        self.log: list[dict[str, Any]] = []
        self._restore()
        self.replayed = self._replayed()

    @property
    def model(self) -> nn.Module:
        """Return the weights that the stage would give now."""
        return self.averaged.module if self.averaged else self.vae

    def step(self, x: Tensor, progress: float) -> Tensor:
        """Take a step on this process's share of a batch; return the loss of the whole batch before it."""
        loss = self.replayed(x) if self.replayed else self._step(x.to(device_of(self.vae)), progress)
        if self.averaged:
            self.averaged.update_parameters(self.vae)
        return loss

    def _step(self, x: Tensor, progress: float) -> Tensor:
        loss = self.stage.loss(self.vae, x, progress)
        self.vae.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        mean = loss.detach().reshape(1)
        self.processes.average([mean, *(w.grad for w in self.weights if w.grad is not None)])
        torch.nn.utils.clip_grad_norm_(self.weights, self.stage.clip)
        for optimiser in self.optimisers:
            optimiser.step()
        return mean

    def _replayed(self) -> Replayed | None:
        """Make the step that a GPU replays, where one process trains on one."""
        device = device_of(self.vae)
        if device.type != "cuda" or self.processes.count > 1 or not self.stage.replayable:
            return None
        return Replayed(functools.partial(self._step, progress=0.0), self.optimisers, device)

    def keep(self, epoch: int, figures: dict[str, float], seconds: float) -> None:
        """Write the state after an epoch.

        The log comes first: should the state not follow, its last line is dropped by :meth:`_restore`.

        Raises:
            ModelError: the weights are so far astray that they code pictures much worse than raw, or are no numbers.
        """
        rounded = {name: round(value, _DIGITS) for name, value in figures.items()}
        valid_bpd = rounded["valid_bpd"]
        if not valid_bpd <= _DIVERGED * math.log2(self.vae.architecture.levels):
            raise diverged(self.stage, epoch, self.state)
        if not self.stage.best or valid_bpd < self.best_bpd:
            self.result, self.best_bpd = _copy(self.model.state_dict()), valid_bpd
        self.epoch = epoch
        self.log.append({"stage": self.stage.name, "epoch": epoch, **rounded, "seconds": round(seconds, 1)})
        self.state.parent.mkdir(parents=True, exist_ok=True)
        self._write_log()
        self._write_state()

    def _restore(self) -> None:
        saved = self.processes.share(self._saved())
        if saved is None:
            self.vae.load_state_dict(self.processes.share(_copy(self.vae.state_dict())))
            self.result = _copy(self.vae.state_dict())
            return
        # where the names are others, an earlier version wrote the state
        self.vae.load_state_dict(saved.get("last", saved["vae"]))
        if self.averaged:
            self.averaged.load_state_dict(saved["averaged"])
        for optimiser, kept in zip(self.optimisers, saved.get("optimisers") or [saved["optimiser"]]):
            optimiser.load_state_dict(kept)
        self.result, self.epoch = saved["vae"], saved["epoch"] if "epoch" in saved else saved["step"] // self.steps
        if self.epoch > self.stage.epochs:
            raise ModelError(
                f"the state '{self.state}' is of epoch {self.epoch}, and {self.stage.name} ends with epoch "
                f"{self.stage.epochs}; remove it to begin this stage anew"
            )
        self.best_bpd = saved.get("valid_bpd", math.inf)
        if self.processes.first:
            self.log = read_log(self._log)[: self.epoch]

    def _saved(self) -> dict[str, Any] | None:
        """Read the state on disk, in the first process, where there is one."""
        if not self.processes.first or not self.state.exists():
            return None
        try:
            return torch.load(self.state, map_location="cpu", weights_only=True)
        except Exception as error:  # PyTorch has one of its own for each kind of damage
            raise ModelError(f"the state '{self.state}' cannot be read; remove it to begin its stage anew") from error

    @property
    def _log(self) -> Path:
        return self.state.with_suffix(".jsonl")

    def _write_log(self) -> None:
        store(self._log, "".join(json.dumps(line) + "\n" for line in self.log).encode())

    def _write_state(self) -> None:
        saved = {
            "vae": self.result,
            "valid_bpd": self.best_bpd,
            "last": self.vae.state_dict(),
            "optimisers": [o.state_dict() for o in self.optimisers],
            "epoch": self.epoch,
            "step": self.epoch * self.steps,
        }
        if self.averaged:
            saved["averaged"] = self.averaged.state_dict()
        save_state(saved, self.state)


def save_state(saved: dict[str, Any], path: Path) -> None:
    """Write what :func:`torch.load` reads, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    whole = io.BytesIO()  # PyTorch tells of a full disk in words of its own
    torch.save(saved, whole)
    store(path, whole.getvalue())


def _epoch(run: _Run, train: Any, epoch: int, seed: int, report: Callable[[Progress], None] | None) -> float:
    """Pass once over the training images; return the mean loss in bits per dimension."""
    stage, all_steps = run.stage, run.stage.epochs * run.steps
    torch.manual_seed(_seed(1000 + epoch, seed, run.processes.rank))
    total = 0.0
    batches = stage.batches(train, epoch, seed)
    for step, x in enumerate(_ahead(batches) if device_of(run.vae).type == "cuda" else batches):
        done = epoch * run.steps + step
        for optimiser, rate in zip(run.optimisers, run.rates):
            optimiser.param_groups[0]["lr"] = learning_rate(stage, rate, epoch=epoch, step=step, steps=run.steps)
        loss = run.step(x[run.processes.rank :: run.processes.count], done / all_steps).item()
        if not math.isfinite(loss):
            raise diverged(stage, epoch + 1, run.state)
        stage.tend(run.vae, x, step=done + 1, progress=done / all_steps)
        bpd = loss * len(x) / stage.values(x) / math.log(2)
        total += bpd
        if report:
            report(Progress(stage.name, epoch + 1, done + 1, all_steps, bpd))
    return total / run.steps


def _ahead(batches: Iterator[Tensor]) -> Iterator[Tensor]:
    """Yield the same batches, each made by a thread while a GPU computes on the one before it."""
    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(next, batches, None)
        while (x := following.result()) is not None:
            following = thread.submit(next, batches, None)
            yield x


def _moved(x: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Move two groups at the end of the batch, ``share`` of it together, each by its own −1, 0 or 1 rows
    and columns. They are at the end, because half-asleep has samples take the place of the beginning."""
    steps = torch.randint(-1, 2, (2, 2), generator=generator).tolist()
    half = round(share * len(x) / 2)
    kept, groups = x[: len(x) - 2 * half], x[len(x) - 2 * half :].chunk(2)
    return torch.cat([kept, *(torch.roll(group, step, (1, 2)) for group, step in zip(groups, steps))])


def learning_rate(stage: Stage, rate: float, *, epoch: int, step: int, steps: int) -> float:
    """Compute a step's learning rate: ``rate``, which rises over the warm-up and falls along a cosine over all epochs.

    Args:
        epoch: number of the epoch, from 0.
        step: number of the step in it, from 0.
        steps: steps of an epoch.
    """
    progress = (epoch + step / steps) / stage.epochs
    risen = min(1.0, (epoch * steps + step + 1) / max(1, stage.warmup))
    cosine = stage.floor + (1 - stage.floor) * 0.5 * (1 + math.cos(math.pi * progress))
    return rate * risen * cosine


def read_log(path: Path) -> list[dict[str, Any]]:
    """Read the lines of a log, oldest first; none where there is no such file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def diverged(stage: Stage, epoch: int, state: Path) -> ModelError:
    """Word the error of a loss that is no longer finite, or far beyond what raw pixels take."""
    kept = f"the state after epoch {epoch - 1} is kept in {state}" if epoch > 1 else "nothing of this stage is kept"
    return ModelError(
        f"the loss of {stage.name} diverged in epoch {epoch} at a learning rate of {stage.learning_rate:g}, and {kept}",
        remedy="lower-rate-elsewhere" if any(state.parent.glob("*.pt")) else "lower-rate",
    )


def _seed(epoch: int, seed: int, rank: int = 0) -> int:
    """Put seeds and ranks far apart, in the 32 bits that PyTorch's generator takes."""
    return (epoch + 0x9E3779B1 * seed + 0x85EBCA6B * rank) % (1 << 32)


def trained_weights(vae: nn.Module) -> list[nn.Parameter]:
    """List the weights that are not kept as they are."""
    return [p for p in vae.parameters() if p.requires_grad]


def device_of(vae: nn.Module) -> torch.device:
    """Find the device of the weights."""
    return next(vae.parameters()).device


def _copy(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}
