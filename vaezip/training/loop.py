"""The training loop: epochs of Adam with a cosine schedule, resumable after every epoch."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from vaezip.errors import DataError, ModelError
from vaezip.networks.floating import Vae
from vaezip.training.objectives import elbo

Objective = Callable[[Vae, Tensor], Tensor]


@dataclass(frozen=True)
class Stage:
    """One stage of training.

    Attributes:
        name: names the log lines and the checkpoint.
        objective: loss in nats per image.
        epochs: passes over the training images.
        learning_rate: Adam's at the start.
        floor: the share of it that is left at the end of its fall along a cosine.
        average: decay of the running mean of the weights, which is what a stage gives; 0 gives the
            last weights. The mean over steps of a learning rate that stays high generalises
            better than weights that were annealed onto the training set.
        encoder_only: keep the decoder fixed.
        batch: images a step.
        warmup: steps over which the learning rate rises from zero, so that no unit dies at the start.
        augment: mirror each picture left to right with probability ½.
    """

    name: str
    objective: Objective
    epochs: int
    learning_rate: float
    floor: float = 0.0
    average: float = 0.0
    encoder_only: bool = False
    batch: int = 100
    warmup: int = 0
    augment: bool = False


def fit(vae: Vae, train: NDArray[np.uint8], valid: NDArray[np.uint8], stage: Stage, state: Path) -> None:
    """Run a stage, going on from ``state`` where that file exists.

    Writes ``state`` after every epoch and one JSON line an epoch to ``state`` with
    suffix ``.jsonl``: epoch, training loss and validation ELBO in bits per dimension.

    Args:
        vae: trained in place.
        train, valid: uint8 pixels (images, height, width, channels).
        state: checkpoint of this stage (weights, optimiser, epoch).

    Raises:
        ModelError: the loss is no longer a finite number.
    """
    weights = list((vae.encoder if stage.encoder_only else vae).parameters())
    vae.decoder.requires_grad_(not stage.encoder_only)
    optimiser = torch.optim.Adam(weights, lr=stage.learning_rate)
    averaged = AveragedModel(vae, multi_avg_fn=get_ema_multi_avg_fn(stage.average))  # type: ignore[no-untyped-call]
    first = _restore(vae, averaged, optimiser, state)
    if len(train) < stage.batch:
        raise DataError(f"{len(train)} training pictures are fewer than a batch of {stage.batch}; give more")
    images = torch.from_numpy(train)
    steps = len(train) // stage.batch
    for epoch in range(first, stage.epochs):
        started = time.time()
        generator = torch.Generator().manual_seed(epoch)
        torch.manual_seed(1000 + epoch)
        order = torch.randperm(len(train), generator=generator)
        total = 0.0
        for step in range(steps):
            progress = (epoch + step / steps) / stage.epochs
            risen = min(1.0, (epoch * steps + step + 1) / max(1, stage.warmup))
            cosine = stage.floor + (1 - stage.floor) * 0.5 * (1 + math.cos(math.pi * progress))
            optimiser.param_groups[0]["lr"] = stage.learning_rate * risen * cosine
            x = images[order[step * stage.batch : (step + 1) * stage.batch]]
            if stage.augment:
                x = torch.where(torch.rand(len(x), 1, 1, 1, generator=generator) < 0.5, x, x.flip(2))
            loss = stage.objective(vae, x.long())
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(weights, 2000.0)
            optimiser.step()
            averaged.update_parameters(vae)
            total += loss.item()
        if not math.isfinite(total):
            raise ModelError(
                f"the loss diverged in epoch {epoch}; the last good state is {state}: lower the learning rate"
            )
        _save(vae, averaged, optimiser, epoch + 1, state)
        bits = math.log(2) * vae.architecture.dims
        line = {
            "stage": stage.name,
            "epoch": epoch + 1,
            "train_bpd": round(total / steps / bits, 5),
            "valid_bpd": round(evaluate(cast(Vae, averaged.module), valid), 5),
            "seconds": round(time.time() - started, 1),
        }
        with state.with_suffix(".jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")
    vae.load_state_dict(averaged.module.state_dict())


def evaluate(vae: Vae, images: NDArray[np.uint8], batch: int = 500, seed: int = 0) -> float:
    """−ELBO in bits per dimension, averaged over the images, one sample each."""
    torch.manual_seed(seed)
    with torch.no_grad():
        total = sum(
            -elbo(vae, torch.from_numpy(images[i : i + batch]).long()).sum().item()
            for i in range(0, len(images), batch)
        )
    return total / len(images) / vae.architecture.dims / math.log(2)


def _restore(vae: Vae, averaged: AveragedModel, optimiser: torch.optim.Optimizer, state: Path) -> int:
    if not state.exists():
        return 0
    saved = torch.load(state, weights_only=True)
    vae.load_state_dict(saved["last"])
    averaged.load_state_dict(saved["averaged"])
    optimiser.load_state_dict(saved["optimiser"])
    return int(saved["epoch"])


def _save(vae: Vae, averaged: AveragedModel, optimiser: torch.optim.Optimizer, epoch: int, state: Path) -> None:
    state.parent.mkdir(parents=True, exist_ok=True)
    partial = state.with_suffix(".partial")
    saved = {
        "vae": averaged.module.state_dict(),
        "last": vae.state_dict(),
        "averaged": averaged.state_dict(),
        "optimiser": optimiser.state_dict(),
        "epoch": epoch,
    }
    torch.save(saved, partial)
    os.replace(partial, state)
