"""How the photograph model is trained: ``python -m vaezip.training.photo --data FOLDER --runs DIR``.

All its networks maximise the ELBO of random tiles (:mod:`vaezip.training.photographs`). KL(q ‖ p) is
weighed little at first, so that the pixel network learns to use z before z has its price. Run the same
command again to go on; ``--publish`` then quantises, measures on the held-out photographs and writes
``models/photo.safetensors`` with its card.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaezip import checkpoint, raster
from vaezip.inference import Settings
from vaezip.local_model import LocalModel
from vaezip.networks.local.architecture import RADIUS, TILE, local
from vaezip.networks.local.floating import LocalVae
from vaezip.networks.local.neighbourhood import framed
from vaezip.training.muon import Muon
from vaezip.training.photographs import SIDE, Photograph, frames, split
from vaezip.training.publish import beside
from vaezip.training.quantize_local import quantize_local

NAME = "photo"
TILES = 16
"""A step."""

HELD_OUT = 24
_MATRIX_RATE, _RATE, _LATENT_RATE = 0.02, 2e-3, 5e-4
_RISE = 300
_KL_STEPS = (0.1, 0.35)
"""The share of the steps over which the weight of the KL rises from its least to 1."""

_KL_LEAST = 0.05
_EVERY = 500
_CALIBRATION = 128


def main() -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for the state and the log")
    parser.add_argument("--steps", type=int, default=14_000)
    parser.add_argument("--publish", action="store_true", help="write the model file from the state")
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder to write it to")
    arguments = parser.parse_args()
    train, held = split(arguments.data, HELD_OUT)
    vae, state = LocalVae(local()), arguments.runs / f"{NAME}.pt"
    if arguments.publish:
        vae.load_state_dict(torch.load(state, weights_only=True)["vae"])
        publish(arguments.models / NAME, vae, train, held, arguments.steps)
    else:
        fit(vae, train, held, arguments.steps, state)


def fit(vae: LocalVae, train: Sequence[Photograph], held: Sequence[Photograph], steps: int, state: Path) -> None:
    """Train in place, going on from ``state`` where that file exists.

    Every 500 steps writes ``state``, and a JSON line to ``state`` with suffix ``.jsonl``: training loss and
    the held-out ELBO in bits per dimension, and the part of it that is KL.
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
        x = _batch(train, step)
        nats, kl = losses(vae, x)
        loss = (nats + _kl_weight(step / steps) * kl).mean() / (vae.architecture.dims * math.log(2))
        vae.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 0.5)
        for optimiser in optimisers:
            optimiser.step()
        total += loss.item()
        if (step + 1) % _EVERY == 0:
            _save(vae, optimisers, step + 1, state)
            bpd, kl_bpd = evaluate(vae, held)
            line = {"step": step + 1, "train_bpd": total / _EVERY, "held_bpd": bpd, "kl_bpd": kl_bpd}
            line = {k: round(v, 5) for k, v in line.items()} | {"seconds": round(time.time() - started)}
            with state.with_suffix(".jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            total = 0.0


def losses(vae: LocalVae, frame: Tensor) -> tuple[Tensor, Tensor]:
    """−log p(x|z), z ~ q(z|x), and KL(q(z|x) ‖ p(z)) of each tile in nats.

    Args:
        frame: tiles with their surroundings, float32 (tiles, *SIDE, channels).
    """
    x = frame[:, RADIUS:, RADIUS:-RADIUS].contiguous()
    mean, log_sigma = vae.posterior(x)
    z = mean + torch.exp(log_sigma) * torch.randn_like(mean)
    kl = 0.5 * (mean**2 + torch.exp(2 * log_sigma) - 1) - log_sigma
    return -vae.log_likelihood(frame, x, z), kl.sum(1)


@torch.no_grad()
def evaluate(vae: LocalVae, photographs: Sequence[Photograph]) -> tuple[float, float]:
    """−ELBO, and its KL, of the whole tiles of some photographs in bits per dimension."""
    torch.manual_seed(0)
    bits = np.zeros(2)
    dims = 0
    for tiles in map(_tiles, photographs):
        bits += [float(part.sum()) / math.log(2) for part in losses(vae, tiles)]
        dims += len(tiles) * vae.architecture.dims
    return float(bits.sum()) / dims, float(bits[1]) / dims


def publish(
    stem: Path, vae: LocalVae, train: Sequence[Photograph], held: Sequence[Photograph], steps: int
) -> dict[str, Any]:
    """Quantise, measure on the held-out photographs, and write model, figures and card."""
    torch.manual_seed(0)
    calibration = torch.from_numpy(frames(train, _CALIBRATION, np.random.default_rng(0)))
    a = vae.architecture
    tensors = quantize_local(vae, calibration)
    path = beside(stem, checkpoint.SUFFIX)
    information: dict[str, Any] = {"objective": "classic", "dataset": "photographs", "steps": steps}
    checkpoint.save(path, a, Settings(), tensors, information)
    model = checkpoint.load(path)
    assert isinstance(model, LocalModel)
    cut = [p[: p.shape[0] // TILE * TILE, : p.shape[1] // TILE * TILE] for p in held]
    floating, kl = evaluate(vae, cut)
    integer = sum(raster.elbo_bits(model, p[None], 0) for p in cut) / sum(p.size for p in cut)
    information |= {
        "held_out": len(cut),
        "float_bpd": round(floating, 5),
        "kl_bpd": round(kl, 5),
        "integer_bpd": round(integer, 5),
        "quantization_loss_percent": round(100 * (integer / floating - 1), 3),
    }
    checkpoint.save(path, a, Settings(), tensors, information)
    parameters = sum(t.size for name, t in tensors.items() if name.endswith((".weight", ".bias")))
    record = {"name": stem.name, "fingerprint": model.fingerprint.hex(), "parameters": parameters, **information}
    beside(stem, ".json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    beside(stem, ".md").write_text(card(record), encoding="utf-8")
    return record


def card(record: dict[str, Any]) -> str:
    """The model's card in Markdown."""
    return f"""# {record["name"]}

| | |
|-|-|
| Fingerprint | `{record["fingerprint"]}` |
| Trained on | tiles of 32×32 from photographs, {record["steps"]:,} steps of {TILES} |
| Objective | ELBO, all networks together |
| Parameters | {record["parameters"]:,} |
| −ELBO on {record["held_out"]} crops of photographs held out, float | {record["float_bpd"]} bits per dimension |
| of which KL | {record["kl_bpd"]} |
| −ELBO on the same, integers | {record["integer_bpd"]} bits per dimension |
| Lost by quantisation | {record["quantization_loss_percent"]} % |

Made by `python -m vaezip.training.photo`; the figures are those of `{record["name"]}.json`.
"""


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


def _batch(train: Sequence[Photograph], step: int) -> Tensor:
    """The tiles of a step, which depend on its number alone; a fifth of the steps shows tiles as
    pictures of their own, framed as those are."""
    torch.manual_seed(step)
    found = frames(train, TILES, np.random.default_rng(step))
    if step % 5 == 4:
        found = framed(found[:, RADIUS:, RADIUS:-RADIUS].astype(np.uint8)).astype(np.float32)
    return torch.from_numpy(found)


def _tiles(photograph: Photograph) -> Tensor:
    """All whole tiles of a photograph with their surroundings."""
    rows, columns = (extent // TILE for extent in photograph.shape[:2])
    frame = framed(photograph[None])[0]
    corners: Iterator[tuple[int, int]] = ((i * TILE, j * TILE) for i in range(rows) for j in range(columns))
    found = [frame[y : y + SIDE[0], x : x + SIDE[1]] for y, x in corners]
    return torch.from_numpy(np.stack(found).astype(np.float32))


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
