"""How the local-autoregressive models are trained: ``python -m vaezip.training.local NAME --data DIR --runs DIR``.

All networks of a model maximise the ELBO of random tiles (:mod:`vaezip.training.tiles`). KL(q ‖ p) is
weighed little at first, so that the pixel network learns to use z before z has its price; and units that
have died, which large steps do to some, start anew. Run the same command again to go on; ``--publish``
then quantises, measures on what was held out and writes ``models/NAME.safetensors`` with its card.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaezip import checkpoint, raster
from vaezip.inference import Settings
from vaezip.local_model import LocalModel
from vaezip.networks.local.architecture import RADIUS, LocalArchitecture, local
from vaezip.networks.local.floating import LocalVae
from vaezip.training.muon import Muon
from vaezip.training.publish import beside
from vaezip.training.quantize_local import quantize_local, units
from vaezip.training.tiles import Photographs, Small, Source, tiles

TILES = 16
"""A step."""

_MATRIX_RATE, _RATE, _LATENT_RATE = 0.02, 2e-3, 5e-4
_RISE = 1000
_KL_STEPS = (0.3, 0.6)
"""The share of the steps over which the weight of the KL rises from its least to 1."""

_KL_LEAST = 0.02
_EVERY = 500
_REVIVED = 0.6
"""The share of the steps in which dead units start anew."""

_CALIBRATION = 128
_EVALUATED = 64
"""Tiles at once."""


@dataclass(frozen=True)
class Recipe:
    """An architecture, where its tiles come from, in words too, and the steps."""

    architecture: LocalArchitecture
    source: Callable[[Path], Source]
    about: str
    steps: int


RECIPES = {
    "photo": Recipe(local(hidden=128, blocks=1), Photographs, "photographs", 26_000),
    "photo-gray": Recipe(
        local(channels=1, hidden=64, head=32), functools.partial(Photographs, grey=True), "photographs in grey", 10_000
    ),
    "photo-small": Recipe(
        local(hidden=128), functools.partial(Small, "cifar10", mirrored=True), "CIFAR-10, training part", 12_000
    ),
    "mnist-best": Recipe(
        local(channels=1), functools.partial(Small, "mnist", mirrored=False), "MNIST, training part", 5_000
    ),
}


def main() -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("--data", type=Path, required=True, help="folder of photographs, or with the data sets")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for the state and the log")
    parser.add_argument("--publish", action="store_true", help="write the model file from the state")
    parser.add_argument("--note", default="", help="a sentence for the card: where the run departed from the recipe")
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder to write it to")
    arguments = parser.parse_args()
    recipe, state = RECIPES[arguments.name], arguments.runs / f"{arguments.name}.pt"
    source = recipe.source(arguments.data)
    torch.manual_seed(0)
    vae = LocalVae(recipe.architecture)
    if arguments.publish:
        saved = torch.load(state, weights_only=True)
        vae.load_state_dict(saved["vae"])
        publish(arguments.models / arguments.name, vae, source, recipe.about, saved["step"], arguments.note)
    else:
        fit(vae, source, recipe.steps, state)


def fit(vae: LocalVae, source: Source, steps: int, state: Path) -> None:
    """Train in place, going on from ``state`` where that file exists.

    Every 500 steps writes ``state``, and a JSON line to ``state`` with suffix ``.jsonl``: training loss,
    the held-out −ELBO in bits per dimension and the part of it that is KL, and how many units were dead.
    """
    matrices, latents, rest = _parameters(vae)
    optimisers = [
        Muon(matrices, _MATRIX_RATE),
        torch.optim.Adam(rest, lr=_RATE, betas=(0.9, 0.98)),
        torch.optim.Adam(latents, lr=_LATENT_RATE, betas=(0.9, 0.98)),
    ]
    rates = [o.param_groups[0]["lr"] for o in optimisers]
    first = _restore(vae, optimisers, state)
    started, total = time.time(), 0.0
    for step in range(first, steps):
        for optimiser, rate in zip(optimisers, rates):
            optimiser.param_groups[0]["lr"] = rate * _pace(step, steps)
        # the tiles of a step, and its noise, depend on its number alone
        torch.manual_seed(step)
        frame, mask = (torch.from_numpy(part) for part in source.batch(TILES, np.random.default_rng(step)))
        nats, kl = losses(vae, frame, mask)
        dims = int(mask.sum()) * vae.architecture.channels
        loss = (nats + _kl_weight(step / steps) * kl).sum() / (dims * math.log(2))
        vae.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 0.5)
        for optimiser in optimisers:
            optimiser.step()
        total += loss.item()
        if (step + 1) % _EVERY == 0:
            dead = revive(vae, frame, step < _REVIVED * steps)
            _save(vae, optimisers, step + 1, state)
            bpd, kl_bpd = evaluate(vae, source)
            bits = {"train_bpd": total / _EVERY, "held_bpd": bpd, "kl_bpd": kl_bpd}
            line: dict[str, Any] = {"step": step + 1} | {k: round(v, 5) for k, v in bits.items()}
            line |= {"dead": dead, "seconds": round(time.time() - started)}
            with state.with_suffix(".jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            total = 0.0


def losses(vae: LocalVae, frame: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """−log p(x|z), z ~ q(z|x), and KL(q(z|x) ‖ p(z)) of each tile in nats.

    Args:
        frame: tiles with their surroundings, float32 (tiles, *SIDE, channels).
        mask: which of their pixels count, bool (tiles, TILE, TILE).
    """
    mean, log_sigma = vae.posterior(frame[:, RADIUS:, RADIUS:-RADIUS].contiguous())
    z = mean + torch.exp(log_sigma) * torch.randn_like(mean)
    kl = 0.5 * (mean**2 + torch.exp(2 * log_sigma) - 1) - log_sigma
    log_p = vae.log_likelihood(frame, z) * mask.flatten(1)
    return -log_p.sum(1), kl.sum(1)


@torch.no_grad()
def revive(vae: LocalVae, frame: Tensor, allowed: bool) -> list[int]:
    """Count inner and head units that are 0 at every pixel of the tiles, by layer; where allowed, each
    gets random weights in and none out, so that nothing changes but that it can learn again."""
    mean, _ = vae.posterior(frame[:, RADIUS:, RADIUS:-RADIUS].contiguous())
    found = units(vae, frame, mean)
    counts = []
    pairs: list[Any] = [*zip(vae.inner, vae.outer, found["inner"]), *zip(vae.head, vae.out, found["head"])]
    for into, out_of, values in pairs:
        dead = (values.flatten(0, 1) == 0).all(0).nonzero()[:, 0]
        counts.append(len(dead))
        if allowed and len(dead):
            bound = into.in_features**-0.5
            into.weight[dead] = (torch.rand(len(dead), into.in_features) * 2 - 1) * bound
            into.bias[dead] = 0.0
            out_of.weight[:, dead] = 0.0
    return counts


@torch.no_grad()
def evaluate(vae: LocalVae, source: Source) -> tuple[float, float]:
    """−ELBO, and its KL, of what is held out, in bits per dimension."""
    torch.manual_seed(0)
    bits, dims = np.zeros(2), 0
    for pictures in source.held():
        dims += pictures.size
        for parts in zip(*(torch.split(torch.from_numpy(part), _EVALUATED) for part in tiles(pictures))):
            bits += [float(part.sum()) / math.log(2) for part in losses(vae, *parts)]
    return float(bits.sum()) / dims, float(bits[1]) / dims


def publish(stem: Path, vae: LocalVae, source: Source, about: str, steps: int, note: str) -> dict[str, Any]:
    """Quantise, measure on what is held out, and write model, figures and card."""
    torch.manual_seed(0)
    calibration, _ = source.batch(_CALIBRATION, np.random.default_rng(0))
    a = vae.architecture
    tensors = quantize_local(vae, torch.from_numpy(calibration))
    path = beside(stem, checkpoint.SUFFIX)
    information: dict[str, Any] = {"objective": "classic", "dataset": about, "steps": steps}
    checkpoint.save(path, a, Settings(), tensors, information)
    model = checkpoint.load(path)
    assert isinstance(model, LocalModel)
    held = list(source.held())
    floating, kl = evaluate(vae, source)
    integer = sum(raster.elbo_bits(model, p, 0) for p in held) / sum(p.size for p in held)
    information |= {
        "held_out": sum(map(len, held)),
        "float_bpd": round(floating, 5),
        "kl_bpd": round(kl, 5),
        "integer_bpd": round(integer, 5),
        "quantization_loss_percent": round(100 * (integer / floating - 1), 3),
    }
    checkpoint.save(path, a, Settings(), tensors, information)
    parameters = sum(t.size for name, t in tensors.items() if name.endswith((".weight", ".bias")))
    record = {"name": stem.name, "fingerprint": model.fingerprint.hex(), "parameters": parameters, **information}
    record |= {"note": note} if note else {}
    beside(stem, ".json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    beside(stem, ".md").write_text(card(record), encoding="utf-8")
    return record


def card(record: dict[str, Any]) -> str:
    """The model's card in Markdown."""
    return f"""# {record["name"]}

| | |
|-|-|
| Fingerprint | `{record["fingerprint"]}` |
| Trained on | {record["dataset"]}: {record["steps"]:,} steps of {TILES} tiles of 32×32 |
| Objective | ELBO, all networks together |
| Parameters | {record["parameters"]:,} |
| −ELBO on {record["held_out"]:,} pictures held out, float | {record["float_bpd"]} bits per dimension |
| of which KL | {record["kl_bpd"]} |
| −ELBO on the same, integers | {record["integer_bpd"]} bits per dimension |
| Lost by quantisation | {record["quantization_loss_percent"]} % |

Made by `python -m vaezip.training.local {record["name"]}`; the figures are those of `{record["name"]}.json`.
{record["note"] + chr(10) if "note" in record else ""}"""


def _parameters(vae: LocalVae) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The pixel network's hidden matrices, what belongs to z, and the rest."""
    hidden = [layer.weight for layers in (vae.inner, vae.outer, vae.head, [vae.first]) for layer in layers]
    latents = [*vae.encoder.parameters(), *vae.style.parameters()]
    taken = {id(p) for p in (*hidden, *latents)}
    return hidden, latents, [p for p in vae.parameters() if id(p) not in taken]  # type: ignore[return-value]


def _pace(step: int, steps: int) -> float:
    """The share of the learning rates: up, then down along a cosine to 1 %."""
    return min(1.0, (step + 1) / _RISE) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def _kl_weight(progress: float) -> float:
    start, end = _KL_STEPS
    return min(1.0, max(_KL_LEAST, (progress - start) / (end - start)))


def _restore(vae: LocalVae, optimisers: Sequence[torch.optim.Optimizer], state: Path) -> int:
    if not state.exists():
        return 0
    saved = torch.load(state, weights_only=True)
    vae.load_state_dict(saved["vae"])
    for optimiser, kept in zip(optimisers, saved["optimisers"]):
        optimiser.load_state_dict(kept)
    return int(saved["step"])


def _save(vae: LocalVae, optimisers: Sequence[torch.optim.Optimizer], step: int, state: Path) -> None:
    state.parent.mkdir(parents=True, exist_ok=True)
    partial = state.with_suffix(".partial")
    kept = [o.state_dict() for o in optimisers]
    torch.save({"vae": vae.state_dict(), "optimisers": kept, "step": step}, partial)
    os.replace(partial, state)


if __name__ == "__main__":
    main()
