"""The training loop: epochs of Adam with a cosine schedule, resumable after every epoch."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaezip.errors import ModelError
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
        learning_rate: Adam's at the start; it falls to zero along a cosine.
        encoder_only: keep the decoder fixed.
        batch: images a step.
        augment: mirror each picture left to right with probability ½.
    """

    name: str
    objective: Objective
    epochs: int
    learning_rate: float
    encoder_only: bool = False
    batch: int = 100
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
    first = _restore(vae, optimiser, state)
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
            optimiser.param_groups[0]["lr"] = stage.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
            x = images[order[step * stage.batch : (step + 1) * stage.batch]]
            if stage.augment:
                x = torch.where(torch.rand(len(x), 1, 1, 1, generator=generator) < 0.5, x, x.flip(2))
            loss = stage.objective(vae, x.long())
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(weights, 2000.0)
            optimiser.step()
            total += loss.item()
        if not math.isfinite(total):
            raise ModelError(
                f"the loss diverged in epoch {epoch}; the last good state is {state}: lower the learning rate"
            )
        _save(vae, optimiser, epoch + 1, state)
        bits = math.log(2) * vae.architecture.dims
        line = {
            "stage": stage.name,
            "epoch": epoch + 1,
            "train_bpd": round(total / steps / bits, 5),
            "valid_bpd": round(evaluate(vae, valid), 5),
            "seconds": round(time.time() - started, 1),
        }
        with state.with_suffix(".jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")


def evaluate(vae: Vae, images: NDArray[np.uint8], batch: int = 500) -> float:
    """−ELBO in bits per dimension, averaged over the images, one sample each (seed fixed)."""
    torch.manual_seed(0)
    with torch.no_grad():
        total = sum(
            -elbo(vae, torch.from_numpy(images[i : i + batch]).long()).sum().item()
            for i in range(0, len(images), batch)
        )
    return total / len(images) / vae.architecture.dims / math.log(2)


def _restore(vae: Vae, optimiser: torch.optim.Optimizer, state: Path) -> int:
    if not state.exists():
        return 0
    saved = torch.load(state, weights_only=True)
    vae.load_state_dict(saved["vae"])
    optimiser.load_state_dict(saved["optimiser"])
    return int(saved["epoch"])


def _save(vae: Vae, optimiser: torch.optim.Optimizer, epoch: int, state: Path) -> None:
    state.parent.mkdir(parents=True, exist_ok=True)
    partial = state.with_suffix(".partial")
    torch.save({"vae": vae.state_dict(), "optimiser": optimiser.state_dict(), "epoch": epoch}, partial)
    os.replace(partial, state)
