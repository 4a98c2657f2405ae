"""How the local-autoregressive models are trained: ``python -m vaezip.training.local NAME --data DIR --runs DIR``.

All networks of a model maximise the ELBO of tiles (:mod:`vaezip.training.tiles`). KL(q ‖ p) is weighed
little at first, so that the pixel network learns to use z before z has its price; and units that have
died, which large steps do to some, start anew. Run the same command again to go on; ``--publish`` then
quantises, measures on what was held out and writes ``models/NAME.safetensors`` with its card.
"""

from __future__ import annotations

import argparse
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaezip.models import file as model_file
from vaezip.models.base import Model
from vaezip.models.pixel import bitsback as pixel_bitsback
from vaezip.models.pixel.architecture import PixelArchitecture, pixel_architecture
from vaezip.models.pixel.model import PixelModel
from vaezip.training.loop import Stage, fit
from vaezip.training.muon import Muon
from vaezip.training.networks.pixel import PixelVae
from vaezip.training.publish import note_of, noted, write
from vaezip.training.quantize_local import dequantize_local, quantize_local, units
from vaezip.training.tiles import CODED, Pictures, RegressedPhotographs, Small, Source, Tiles, tiles

TILES = 16
"""A step."""

RATE = 2e-3
_MATRICES, _LATENTS = 10.0, 0.25
"""Learning rates: Adam's for the pixel network; and what Muon's for its hidden matrices, and Adam's for all
that belongs to z, are to it."""

RISE = 1000
"""Steps over which they rise."""

_FLOOR = 0.01
_CLIP = 0.5
"""Of the gradient of the loss in bits per dimension."""

_KL_STEPS = (0.3, 0.6)
"""The share of the steps over which the weight of the KL rises from its least to 1."""

_KL_LEAST = 0.02
_EVERY = 500
_REVIVED = 0.6
"""The share of the steps in which dead units start anew, after every so many."""

CALIBRATION = 128
_EVALUATED = 64
"""Tiles at once."""


@dataclass(frozen=True)
class Recipe:
    """An architecture, where its tiles come from, in words too, and the steps."""

    architecture: PixelArchitecture
    source: Callable[[Path, PixelArchitecture], Source]
    about: str
    steps: int


RECIPES = {
    "photo": Recipe(
        pixel_architecture(hidden=128, blocks=1, regressed=True), RegressedPhotographs, "photographs", 50_000
    ),
    "photo-gray": Recipe(
        pixel_architecture(channels=1, hidden=96, blocks=1, head=32, regressed=True),
        RegressedPhotographs,
        "photographs in grey",
        22_000,
    ),
    "photo-small": Recipe(
        pixel_architecture(hidden=128),
        functools.partial(Small, "cifar10", mirrored=True),
        "CIFAR-10, training part",
        12_000,
    ),
    "mnist-best": Recipe(
        pixel_architecture(channels=1), functools.partial(Small, "mnist", mirrored=False), "MNIST, training part", 5_000
    ),
    "mnist-binary-best": Recipe(
        pixel_architecture(channels=1),
        functools.partial(Small, "mnist-binary", mirrored=False),
        "MNIST, training part, black and white as 0 and 255",
        30_000,
    ),
}


def main() -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("--data", type=Path, required=True, help="folder of photographs, or with the data sets")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for the state and the log")
    parser.add_argument("--start", type=Path, metavar="MODEL", help="model file whose weights to start from")
    parser.add_argument("--steps", type=int, help="other than the recipe's")
    parser.add_argument("--learning-rate", type=float, default=RATE, help="Adam's, before it falls")
    parser.add_argument("--publish", action="store_true", help="write the model file from the state")
    parser.add_argument("--note", default="", help="a sentence for the card: where the run departed from the recipe")
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder to write it to")
    arguments = parser.parse_args()
    recipe, state = RECIPES[arguments.name], arguments.runs / f"{arguments.name}.pt"
    source = recipe.source(arguments.data, recipe.architecture)
    torch.manual_seed(0)
    vae = PixelVae(recipe.architecture)
    if arguments.start:
        dequantize_local(vae, model_file.load(arguments.start))
    if arguments.publish:
        saved = torch.load(state, weights_only=True)
        vae.load_state_dict(saved["vae"])
        information = {"objective": "classic", "dataset": recipe.about, "steps": saved["step"]}
        made_by = [f"python -m vaezip.training.local {arguments.name}"]
        details = {"batch": TILES, "made_by": made_by, **noted(arguments.note)}
        source.prepare(0)
        calibration = source.batch(CALIBRATION, np.random.default_rng(0))
        publish(arguments.models / arguments.name, vae, calibration, list(source.held()), information, details)
    else:
        steps, rate = arguments.steps or recipe.steps, arguments.learning_rate
        train(vae, source, steps, state, rate, arguments.start is not None)


def train(
    vae: PixelVae, source: Source, steps: int, state: Path, learning_rate: float = RATE, begun: bool = False
) -> None:
    """Train in place on tiles drawn from a source; state and log as :func:`vaezip.training.loop.fit` has
    them, where an epoch is 500 steps. See :class:`LocalStage` for ``begun``."""
    stage = stage_of(vae.architecture, steps // _EVERY, RISE, learning_rate, kind=Drawn, begun=begun)
    fit(vae, source, np.concatenate([tiles(p, vae.architecture) for p in source.held()]), stage, state)


def negative_elbo(vae: PixelVae, x: Tensor, kl_weight: float = 1.0) -> Tensor:
    """−log p(x|z) + kl_weight · KL(q(z|x) ‖ p(z)), z ~ q(z|x), in nats per tile, of tiles x."""
    nats, kl = losses(vae, *_parts(x))
    return (nats + kl_weight * kl).mean()


@dataclass(frozen=True)
class LocalStage(Stage):
    """A stage of a :class:`PixelVae`, on arrays of tiles.

    Attributes:
        channels: of the pictures.
        begun: whether the weights come from a model that has learnt to use z, which then has its price from the start.
    """

    channels: int = 3
    begun: bool = False

    def optimisers(self, vae: PixelVae) -> list[torch.optim.Optimizer]:
        """See :class:`Stage`: Muon for the hidden matrices, Adam for the rest."""
        matrices, latents, rest = _parameters(vae)
        rate, betas = self.learning_rate, (0.9, 0.98)
        return [
            Muon(matrices, _MATRICES * rate),
            torch.optim.Adam(rest, lr=rate, betas=betas),
            torch.optim.Adam(latents, lr=_LATENTS * rate, betas=betas),
        ]

    def loss(self, vae: PixelVae, x: Tensor, progress: float) -> Tensor:
        """See :class:`Stage`; the KL gets its weight by and by."""
        return self.objective(vae, x, 1.0 if self.begun else _kl_weight(progress))

    def values(self, x: Tensor) -> int:
        """See :class:`Stage`."""
        return int(x[(*CODED, -1)].sum()) * self.channels

    @property
    def replayable(self) -> bool:
        """See :class:`Stage`: the KL's weight changes, and Muon takes its rate as a number."""
        return False

    def tend(self, vae: PixelVae, x: Tensor, step: int, progress: float) -> None:
        """See :class:`Stage`: dead units start anew."""
        if step % _EVERY == 0 and progress < _REVIVED:
            revive(vae, _parts(_on_device(vae, x))[0], step)

    def figures(self, vae: PixelVae, valid: Tiles) -> dict[str, float]:
        """See :class:`Stage`; also the part of the rate that is KL, and how many units are dead."""
        bpd, kl = evaluate(vae, valid)
        frame, _ = _parts(_on_device(vae, torch.from_numpy(valid[:_EVALUATED])))
        return {"valid_bpd": bpd, "kl_bpd": kl, "dead": sum(len(units) for _, _, units in dead(vae, frame))}


class Drawn(LocalStage):
    """A stage on tiles that are drawn anew for each step."""

    def steps(self, train: Source) -> int:
        """See :class:`Stage`."""
        return _EVERY

    def batches(self, train: Source, epoch: int, seed: int) -> Iterator[Tensor]:
        """See :class:`Stage`; the tiles of a step depend on its number alone."""
        train.prepare(epoch)
        for step in range(epoch * _EVERY, (epoch + 1) * _EVERY):
            yield torch.from_numpy(train.batch(self.batch, np.random.default_rng(step)))


def stage_of(
    architecture: PixelArchitecture,
    epochs: int,
    warmup: int,
    learning_rate: float = RATE,
    batch: int = TILES,
    kind: type[LocalStage] = LocalStage,
    begun: bool = False,
) -> LocalStage:
    """The one stage of training a model."""
    clip = _CLIP * architecture.dims * math.log(2)
    return kind(
        "elbo",
        negative_elbo,
        epochs,
        learning_rate,
        _FLOOR,
        batch=batch,
        warmup=warmup,
        clip=clip,
        channels=architecture.channels,
        begun=begun,
    )


def losses(vae: PixelVae, frame: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """−log p(x|z), z ~ q(z|x), and KL(q(z|x) ‖ p(z)) of each tile in nats.

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
    """The inner and head units that are 0 at every pixel of the tiles: of each of these layers the layer
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


@torch.no_grad()
def rate_without_latents(vae: PixelVae, held: Tiles) -> float:
    """−log p(x | z = 0) of tiles in bits per dimension: what z must beat, since its most likely value costs nothing."""
    nats, dims = 0.0, int(held[(*CODED, -1)].sum()) * vae.architecture.channels
    for i in range(0, len(held), _EVALUATED):
        frame, mask = _parts(_on_device(vae, torch.from_numpy(held[i : i + _EVALUATED])))
        z = torch.zeros(len(frame), vae.architecture.latents, device=frame.device)
        nats -= float((vae.log_likelihood(frame, z) * mask.flatten(1)).sum())
    return nats / math.log(2) / dims


@torch.no_grad()
def evaluate(vae: PixelVae, held: Tiles) -> tuple[float, float]:
    """−ELBO, and its KL, of tiles, in bits per dimension."""
    torch.manual_seed(0)
    nats, dims = np.zeros(2), int(held[(*CODED, -1)].sum()) * vae.architecture.channels
    for i in range(0, len(held), _EVALUATED):
        x = _on_device(vae, torch.from_numpy(held[i : i + _EVALUATED]))
        found = losses(vae, *_parts(x))
        nats += [float(part.sum()) for part in found]
    bits = nats / math.log(2)
    return float(bits.sum()) / dims, float(bits[1]) / dims


def publish(
    stem: Path,
    vae: PixelVae,
    calibration: Tiles,
    held: Sequence[Pictures],
    information: dict[str, Any],
    details: dict[str, Any],
) -> dict[str, Any]:
    """Quantise, measure on what is held out, and write model, figures and card.

    Args:
        stem: path without suffix.
        vae: in float, on the CPU.
        calibration: some of the tiles that it was trained on.
        held: arrays of pictures (pictures, height, width, channels).
        information, details: as for :func:`vaezip.training.publish.write`.

    Returns:
        What the ``.json`` holds.
    """
    frames, _ = _parts(torch.from_numpy(calibration))
    tensors = quantize_local(vae, frames)
    return write(stem, vae.architecture, tensors, information, lambda m: measure(vae, m, held), details, card)


def measure(vae: PixelVae, model: Model, held: Sequence[Pictures]) -> dict[str, Any]:
    """−ELBO in bits per dimension of pictures, in float and by the integers that code."""
    assert isinstance(model, PixelModel)
    found = np.concatenate([tiles(p, vae.architecture) for p in held])
    floating, kl = evaluate(vae, found)
    integer = sum(pixel_bitsback.elbo_bits(model, p, steps=0) for p in held) / sum(p.size for p in held)
    return {
        "held_out": sum(map(len, held)),
        "float_bpd": round(floating, 5),
        "kl_bpd": round(kl, 5),
        "without_latents_bpd": round(rate_without_latents(vae, found), 5),
        "integer_bpd": round(integer, 5),
        "quantization_loss_percent": round(100 * (integer / floating - 1), 3),
    }


def card(record: dict[str, Any]) -> str:
    """The model's card in Markdown."""
    key = "without_latents_bpd"  # which models of before it was measured lack
    without = f"| the same with z = 0 | {record[key]} |\n" if key in record else ""
    return f"""# {record["name"]}

| | |
|-|-|
| Fingerprint | `{record["fingerprint"]}` |
| Trained on | {record["dataset"]}: {record["steps"]:,} steps of {record["batch"]} tiles of 32×32 |
| Objective | ELBO, all networks together |
| Parameters | {record["parameters"]:,} |
| −ELBO on {record["held_out"]:,} pictures held out, float | {record["float_bpd"]} bits per dimension |
| of which KL | {record["kl_bpd"]} |
{without}| −ELBO on the same, integers | {record["integer_bpd"]} bits per dimension |
| Lost by quantisation | {record["quantization_loss_percent"]} % |

Made by `{"` and `".join(record["made_by"])}`; the figures are those of `{record["name"]}.json`.
{note_of(record)}"""


def _parameters(vae: PixelVae) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The pixel network's hidden matrices, what belongs to z, and the rest."""
    hidden = [layer.weight for layers in (vae.inner, vae.outer, vae.head, [vae.first]) for layer in layers]
    latents = [*vae.encoder.parameters(), *vae.style.parameters()]
    taken = {id(p) for p in (*hidden, *latents)}
    return hidden, latents, [p for p in vae.parameters() if id(p) not in taken]  # type: ignore[return-value]


def _kl_weight(progress: float) -> float:
    start, end = _KL_STEPS
    return min(1.0, max(_KL_LEAST, (progress - start) / (end - start)))


def _parts(x: Tensor) -> tuple[Tensor, Tensor]:
    """Frame and mask of tiles, as :func:`losses` takes them."""
    return x[..., :-1].float(), x[(*CODED, -1)].bool()


def _values(vae: PixelVae, frame: Tensor) -> Tensor:
    """The pixels of tiles, (tiles, TILE, TILE, channels)."""
    return frame[(*CODED, slice(vae.architecture.channels))].contiguous()


def _on_device(vae: PixelVae, x: Tensor) -> Tensor:
    return x.to(vae.first.weight.device)


if __name__ == "__main__":
    main()
