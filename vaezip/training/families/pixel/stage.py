"""A stage of training a pixel model, and the rates by which it is judged.

All networks of a model maximise the ELBO of tiles (:mod:`vaezip.training.families.pixel.tiles`). KL(q ‖ p) is weighed
little at first, so that the pixel network learns to use z before z has its price; and units that have
died, which large steps do to some, start anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.training.families.pixel.quantize import units
from vaezip.training.families.pixel.tiles import CODED, Tiles, TileSource, tiles
from vaezip.training.loop import Samples, Stage, device_of, fit, summed
from vaezip.training.muon import Muon
from vaezip.training.networks.pixel import PixelVae

TILES = 16
"""Tiles a step."""

RATE = 2e-3
_MATRICES, _LATENTS = 10.0, 0.25
"""Adam's learning rate for the pixel network; and what Muon's for its hidden matrices, and Adam's for all
that belongs to z, are to it."""

RISE = 1000
"""Steps over which the learning rates rise."""

_FLOOR = 0.01
_CLIP = 0.5
"""The largest norm of the gradient of the loss in bits per dimension."""

_KL_STEPS = (0.3, 0.6)
"""The share of the steps over which the weight of the KL rises from its least to 1."""

_KL_LEAST = 0.02
_EVERY = 500
_REVIVED = 0.6
"""The share of the steps in which dead units start anew, after every so many."""

_EVALUATED = 64
"""Tiles at once."""


def train(vae: PixelVae, source: TileSource, *, steps: int, state: Path, learning_rate: float = RATE) -> None:
    """Train in place on tiles drawn from a source; state and log as :func:`vaezip.training.loop.fit` has
    them, where an epoch is 500 steps."""
    fit(vae, samples_of(source, vae.architecture), drawn_stage(vae.architecture, steps, learning_rate), state=state)


def samples_of(source: TileSource, architecture: PixelArchitecture) -> Samples:
    """Take a source for what to train on, and all tiles of what it holds out for what to watch the training by."""
    return Samples(source, np.concatenate([tiles(pictures, architecture) for pictures in source.held_out()]))


def negative_elbo(vae: PixelVae, x: Tensor, kl_weight: float = 1.0) -> Tensor:
    """Compute −log p(x|z) + kl_weight · KL(q(z|x) ‖ p(z)), z ~ q(z|x), in nats per tile, of tiles x."""
    nats, kl = losses(vae, *_parts(x))
    return (nats + kl_weight * kl).mean()


@dataclass(frozen=True)
class PixelStage(Stage):
    """A stage of a :class:`PixelVae`, on arrays of tiles.

    Attributes:
        channels: of the pictures.
        begun: whether the weights come from a model that has learnt to use z, which then has its price from the start.
    """

    channels: int = 3
    begun: bool = False

    def optimisers(self, vae: PixelVae) -> list[torch.optim.Optimizer]:
        """Make Muon for the hidden matrices, Adam for all others; see :class:`Stage`."""
        matrices, latents, others = _parameters(vae)
        rate, betas = self.learning_rate, (0.9, 0.98)
        return [
            Muon(matrices, _MATRICES * rate),
            torch.optim.Adam(others, lr=rate, betas=betas),
            torch.optim.Adam(latents, lr=_LATENTS * rate, betas=betas),
        ]

    def loss(self, vae: PixelVae, x: Tensor, progress: float) -> Tensor:
        """Compute the loss, where the KL gets its weight by and by; see :class:`Stage`."""
        return self.objective(vae, x, 1.0 if self.begun else _kl_weight(progress))

    def values(self, x: Tensor) -> int:
        """Count the values of a batch that are coded; see :class:`Stage`."""
        return int(x[(*CODED, -1)].sum()) * self.channels

    @property
    def replayable(self) -> bool:
        """Tell that no step is replayed: the KL's weight changes, and Muon takes its rate as a number."""
        return False

    def tend(self, vae: PixelVae, x: Tensor, *, step: int, progress: float) -> None:
        """Have dead units start anew, now and then; see :class:`Stage`."""
        if step % _EVERY == 0 and progress < _REVIVED:
            revive(vae, _parts(_on_device(vae, x))[0], step)

    def figures(self, vae: PixelVae, valid: Tiles) -> dict[str, float]:
        """Measure the rate, also the part of it that is KL, and count the dead units; see :class:`Stage`."""
        bpd, kl = evaluate(vae, valid)
        frame, _ = _parts(_on_device(vae, torch.from_numpy(valid[:_EVALUATED])))
        return {"valid_bpd": bpd, "kl_bpd": kl, "dead": sum(len(found) for _, _, found in dead(vae, frame))}


class DrawnStage(PixelStage):
    """A stage on tiles that are drawn anew for each step."""

    def steps(self, train: TileSource) -> int:
        """Count the steps of an epoch; see :class:`Stage`."""
        return _EVERY

    def batches(self, train: TileSource, epoch: int, seed: int) -> Iterator[Tensor]:
        """Yield the tiles of an epoch; those of a step depend on its number alone."""
        train.prepare(epoch)
        for step in range(epoch * _EVERY, (epoch + 1) * _EVERY):
            yield torch.from_numpy(train.batch(self.batch, np.random.default_rng(step)))


def stage_of(
    architecture: PixelArchitecture, epochs: int, *, kind: type[PixelStage] = PixelStage, **fields: Any
) -> PixelStage:
    """Make the one stage of training a model.

    Args:
        architecture: of the model.
        epochs: passes over the tiles.
        kind: of the stage.
        fields: other fields of it, where they are not the usual ones.
    """
    usual = {
        "learning_rate": RATE,
        "floor": _FLOOR,
        "batch": TILES,
        "warmup": RISE,
        "clip": _CLIP * architecture.dims * math.log(2),
        "channels": architecture.channels,
    }
    return kind("elbo", negative_elbo, epochs, **(usual | fields))


def drawn_stage(
    architecture: PixelArchitecture, steps: int, learning_rate: float, *, begun: bool = False
) -> PixelStage:
    """Make a stage of so many steps on tiles that are drawn anew; see :class:`PixelStage` for ``begun``."""
    return stage_of(architecture, steps // _EVERY, kind=DrawnStage, learning_rate=learning_rate, begun=begun)


def losses(vae: PixelVae, frame: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Compute −log p(x|z), z ~ q(z|x), and KL(q(z|x) ‖ p(z)) of each tile in nats.

    Args:
        frame: tiles with their surroundings, float32 (tiles, *SIDE, planes).
        mask: which of their pixels count, bool (tiles, TILE, TILE).
    """
    mean, log_sigma = vae.posterior(_values(vae, frame))
    z = mean + torch.exp(log_sigma) * torch.randn_like(mean)
    kl = 0.5 * (mean**2 + torch.exp(2 * log_sigma) - 1) - log_sigma
    log_p = vae.log_likelihood(frame, z) * mask.flatten(1)
    return -log_p.sum(1), kl.sum(1)


@torch.no_grad()
def dead(vae: PixelVae, frame: Tensor) -> list[tuple[Any, Any, Tensor]]:
    """Find the inner and head units that are 0 at every pixel of the tiles: for each of these layers the layer
    itself, the one that its units go into, and their numbers."""
    mean, _ = vae.posterior(_values(vae, frame))
    found = units(vae, frame, mean)
    layers = [*zip(vae.inner, vae.outer, found["inner"]), *zip(vae.head, vae.out, found["head"])]
    return [(into, out_of, (u.flatten(0, 1) == 0).all(0).nonzero()[:, 0]) for into, out_of, u in layers]


@torch.no_grad()
def revive(vae: PixelVae, frame: Tensor, seed: int) -> None:
    """Give each dead unit random weights in and none out, so that nothing changes but that it can learn again."""
    generator = torch.Generator().manual_seed(seed)
    for into, out_of, which in dead(vae, frame):
        bound = into.in_features**-0.5
        drawn = (torch.rand(len(which), into.in_features, generator=generator) * 2 - 1) * bound
        into.weight[which] = drawn.to(into.weight.device)
        into.bias[which] = 0.0
        out_of.weight[:, which] = 0.0


def rate_without_latents(vae: PixelVae, held_out: Tiles) -> float:
    """Compute −log p(x | z = 0) of tiles in bits per dimension, which z must beat, since its most likely value costs
    nothing."""

    def terms(x: Tensor) -> list[Tensor]:
        frame, mask = _parts(x)
        z = torch.zeros(len(frame), vae.architecture.latents, device=frame.device)
        return [-(vae.log_likelihood(frame, z) * mask.flatten(1))]

    return float(summed(vae, held_out, terms, batch=_EVALUATED)[0]) / math.log(2) / _dims(vae, held_out)


def evaluate(vae: PixelVae, held_out: Tiles) -> tuple[float, float]:
    """Estimate −ELBO, and its KL, of tiles, in bits per dimension."""
    bits = summed(vae, held_out, lambda x: losses(vae, *_parts(x)), batch=_EVALUATED) / math.log(2)
    return float(bits.sum()) / _dims(vae, held_out), float(bits[1]) / _dims(vae, held_out)


def frames_of(x: Tiles) -> Tensor:
    """Take tiles without the plane that says which of their pixels are coded, float32 (tiles, *SIDE, planes)."""
    return _parts(torch.from_numpy(x))[0]


def _dims(vae: PixelVae, held_out: Tiles) -> int:
    """Count the values of tiles that are coded."""
    return int(held_out[(*CODED, -1)].sum()) * vae.architecture.channels


def _parameters(vae: PixelVae) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Sort the weights: the pixel network's hidden matrices, what belongs to z, and all others."""
    hidden = [layer.weight for layers in (vae.inner, vae.outer, vae.head, [vae.first]) for layer in layers]
    latents = [*vae.encoder.parameters(), *vae.style.parameters()]
    taken = {id(p) for p in (*hidden, *latents)}
    return hidden, latents, [p for p in vae.parameters() if id(p) not in taken]  # type: ignore[return-value]


def _kl_weight(progress: float) -> float:
    start, end = _KL_STEPS
    return min(1.0, max(_KL_LEAST, (progress - start) / (end - start)))


def _parts(x: Tensor) -> tuple[Tensor, Tensor]:
    """Part tiles into frame and mask, as :func:`losses` takes them."""
    return x[..., :-1].float(), x[(*CODED, -1)].bool()


def _values(vae: PixelVae, frame: Tensor) -> Tensor:
    """Take the pixels of tiles, (tiles, TILE, TILE, channels), without their surroundings."""
    return frame[(*CODED, slice(vae.architecture.channels))].contiguous()


def _on_device(vae: PixelVae, x: Tensor) -> Tensor:
    return x.to(device_of(vae))
