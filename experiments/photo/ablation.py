"""What the parts of the photograph model bring: ``python experiments/photo/ablation.py --train FOLDER``.

Small float variants of the local-autoregressive VAE, each unlike the base in one thing, learn for as many steps
from the same tiles in the same order; −ELBO is that of photographs of the same folder that are held out. Two rows
go on with the base and train its encoder alone, on data and by reverse half-asleep (the decoder stays as it is; one
half of the tiles is drawn from the model, pixel after pixel, z ~ q(z|x)). Rows of other seeds tell how much of a
difference is chance.

Writes ``ablation.json`` after each row, then ``ablation.png`` and ``README.md``; a call that was cut is gone on
with by the same call. ``--quick`` (steps of no meaning) writes ``ablation-quick.json`` and its plot.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import readme
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray
from torch import Tensor
from variants import MARGIN, WINDOW, Design, Variant, macs

from vaezip.bench import machine
from vaezip.bench.plots import COLOURS, GREY, MARKERS, frame
from vaezip.models.pixel.constants import RADIUS, TILE
from vaezip.models.pixel.context import framed
from vaezip.models.pixel.orientation import oriented
from vaezip.training.families.pixel import tiles
from vaezip.training.muon import Muon

Pixels = NDArray[np.uint8]
Found = dict[str, Any]
Loss = Callable[[Variant, Tensor, float], tuple[Tensor, Tensor]]

ROOT = Path(__file__).parent.parent.parent
STEPS, QUICK_STEPS = 1500, 4
HELD_SIDE, QUICK_HELD_SIDE = 256, 32
"""Of each held-out photograph, its middle of at most so many pixels to a side."""

TILES = 16
"""A step."""

BASE = Design()
DESIGNS: dict[str, Design] = {
    "base": BASE,
    **{f"radius-{r}": replace(BASE, radius=r) for r in (1, 2, 4, 5)},
    **{f"hidden-{h}": replace(BASE, hidden=h) for h in (32, 128, 192)},
    **{f"mixture-{k}": replace(BASE, mixture=k) for k in (1, 3, 10)},
    **{f"latents-{kind}": replace(BASE, latents=kind) for kind in ("none", "film", "map", "both")},
}
SEEDS = (1, 2)
REPEATED = {f"{name}, seed {seed}": (name, seed) for name in ("base", "latents-none") for seed in SEEDS}
"""Designs with other first weights, tiles and noise; all else has seed 0."""

AXES = {
    "context radius": {"1": "radius-1", "2": "radius-2", "3": "base", "4": "radius-4", "5": "radius-5"},
    "hidden units": {"32": "hidden-32", "64": "base", "128": "hidden-128", "192": "hidden-192"},
    "logistics a channel": {"1": "mixture-1", "3": "mixture-3", "5": "base", "10": "mixture-10"},
    "latents of a tile": {
        "none": "latents-none",
        "style: shifts": "base",
        "style: FiLM": "latents-film",
        "map 8×8×4": "latents-map",
        "style and map": "latents-both",
    },
    "encoder": {
        "with the decoder": "base",
        "trained on, data": "encoder-classic",
        "trained on, half-asleep": "encoder-half-asleep",
    },
    "seed": {"0": "base", **{str(seed): f"base, seed {seed}" for seed in SEEDS}},
    "seed, no latents": {"0": "latents-none", **{str(seed): f"latents-none, seed {seed}" for seed in SEEDS}},
}
"""What varies along each axis, and the row that stands there."""

_MATRIX_RATE, _RATE, _LATENT_RATE = 0.02, 2e-3, 5e-4
_RISE = 0.1
"""The share of the steps over which the rates rise."""

_KL_LEAST, _KL_STEPS = 0.02, (0.3, 0.6)
_CLIP = 0.5
_EVALUATED = 32
"""Tiles at once."""


# Command line


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this script."""
    options = parsed(arguments)
    torch.set_num_threads(1)
    path: Path = options.out / f"ablation{'-quick' if options.quick else ''}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    source = Source(options.train, QUICK_HELD_SIDE if options.quick else HELD_SIDE)
    table = Table(path, source, options.steps, options.again, options.runs)
    for name in options.only or NAMES:
        table.fill(name)
    draw(table.found).savefig(path.with_suffix(".png"), dpi=150)
    if not options.quick:
        readme.write(options.out)


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True, metavar="FOLDER", help="folder with training photographs")
    parser.add_argument("--steps", type=int, help=f"of each variant  [default: {STEPS}]")
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="NAME", help=f"these rows: {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_STEPS} steps: to see it run")
    parser.add_argument("--again", action="store_true", help="measure anew what is there already")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder for the results")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "photo-ablation", help="folder for the base")
    options = parser.parse_args(arguments)
    options.steps = options.steps or (QUICK_STEPS if options.quick else STEPS)
    return options


# Tiles


class Source:
    """Photographs of a folder, those held out being the ones that the shipped model's training holds out.

    Attributes:
        train: RGB photographs to learn from.
        held: middles of the others, of whole tiles.
    """

    def __init__(self, folder: Path, side: int) -> None:
        """``side``: of the middles, at most."""
        train, held = tiles.split_photographs(folder, tiles.HELD_OUT)
        self.train = [p for p in train if min(p.shape[:2]) >= WINDOW[1]]
        self.held = [middle(p, side) for p in held]
        if not self.train or not self.held:
            sys.exit(f"{folder} holds too few RGB photographs")

    def batch(self, rng: np.random.Generator) -> Tensor:
        """Random windows, float32 (TILES, *WINDOW, channels), chosen, turned and varied as in the package's
        training; in a fifth of the batches the tiles are pictures of their own."""
        weights = np.array([p.shape[0] * p.shape[1] for p in self.train], np.float64)
        chosen = rng.choice(len(self.train), TILES, p=weights / weights.sum())
        found = np.stack([window(self.train[i], rng) for i in chosen])
        if rng.random() < 0.2:
            found = surrounded(found[:, MARGIN:, MARGIN:-MARGIN].astype(np.uint8))
        return torch.from_numpy(found)

    def facts(self) -> Found:
        """What the photographs are, with a checksum of those held out."""
        checksum = hashlib.sha256()
        for p in self.held:
            checksum.update(repr(p.shape).encode() + p.tobytes())
        values = sum(p.size for p in self.held)
        return {
            "photographs": len(self.train),
            "held_out": len(self.held),
            "values": values,
            "sha256": checksum.hexdigest(),
        }


def middle(photograph: Pixels, side: int) -> Pixels:
    """Whole tiles from the middle, at most ``side`` pixels high and wide."""
    height, width = (min(side, extent) // TILE * TILE for extent in photograph.shape[:2])
    top, left = (photograph.shape[0] - height) // 2, (photograph.shape[1] - width) // 2
    return np.ascontiguousarray(photograph[top : top + height, left : left + width])


def window(photograph: Pixels, rng: np.random.Generator) -> NDArray[np.float32]:
    """A random place of a photograph, (*WINDOW, channels)."""
    side = WINDOW[1]
    y, x = (rng.integers(0, extent - side + 1) for extent in photograph.shape[:2])
    square = photograph[y : y + side, x : x + side].astype(np.float32)
    return tiles.varied(oriented(square, int(rng.integers(8))), rng)[: WINDOW[0]]


def surrounded(pictures: Pixels) -> NDArray[np.float32]:
    """All tiles of pictures of whole tiles, with what the coder puts around a picture: (tiles, *WINDOW, channels)."""
    wider = MARGIN - RADIUS
    frames = np.pad(framed(pictures), ((0, 0), (wider, 0), (wider, wider), (0, 0)), mode="edge")
    views = np.lib.stride_tricks.sliding_window_view(frames, WINDOW, (1, 2))[:, ::TILE, ::TILE]
    return np.moveaxis(views, 3, -1).reshape(-1, *WINDOW, pictures.shape[3]).astype(np.float32)


# Training


@dataclass(frozen=True)
class Stage:
    """A training.

    Attributes:
        seed: of tiles and noise.
        steps: how many.
        loss: −log p(x|z) and weighted KL of a step's tiles, from the share of the steps done.
    """

    seed: int
    steps: int
    loss: Loss


def together(variant: Variant, windows: Tensor, progress: float) -> tuple[Tensor, Tensor]:
    """−ELBO, its KL weighed little at first, as in the package's training."""
    nats, kl = variant.losses(windows)
    start, end = _KL_STEPS
    return nats, min(1.0, max(_KL_LEAST, (progress - start) / (end - start))) * kl


def classic(variant: Variant, windows: Tensor, _: float) -> tuple[Tensor, Tensor]:
    """−ELBO on data."""
    return variant.losses(windows)


def half_asleep(variant: Variant, windows: Tensor, _: float) -> tuple[Tensor, Tensor]:
    """−ELBO, half of the tiles being dreams: x̃ ~ p(x|z, surroundings), z ~ q(z|x) (the paper's eq. 21)."""
    awake, asleep = windows.chunk(2)
    with torch.no_grad():
        mean, log_sigma = variant.posterior(asleep[:, MARGIN:, MARGIN:-MARGIN].contiguous())
        dreams = variant.sample(asleep, mean + torch.exp(log_sigma) * torch.randn_like(mean))
    return variant.losses(torch.cat([awake, dreams]))


LOSSES: dict[str, Loss] = {"encoder-classic": classic, "encoder-half-asleep": half_asleep}
"""Trainings of the base's encoder alone."""

NAMES = (*DESIGNS, *LOSSES, *REPEATED)


def fit(variant: Variant, source: Source, stage: Stage, optimisers: list[torch.optim.Optimizer]) -> None:
    """Train in place, at rates that rise, then fall along a cosine to 1 %."""
    rates = [o.param_groups[0]["lr"] for o in optimisers]
    for step in range(stage.steps):
        progress = step / stage.steps
        pace = min(1.0, (step + 1) / (_RISE * stage.steps)) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
        for optimiser, rate in zip(optimisers, rates):
            optimiser.param_groups[0]["lr"] = rate * pace
        # tiles and noise depend on seed and number of the step alone
        rng = np.random.default_rng([stage.seed, step])
        windows = source.batch(rng)
        torch.manual_seed(int(rng.integers(1 << 31)))
        nats, kl = stage.loss(variant, windows, progress)
        variant.zero_grad(set_to_none=True)
        ((nats + kl).sum() / (dims(windows) * math.log(2))).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(variant.parameters(), _CLIP)
        for optimiser in optimisers:
            optimiser.step()


def optimisers_of(variant: Variant) -> list[torch.optim.Optimizer]:
    """Muon for the hidden matrices of the pixel network, Adam for the rest, slower for what belongs to z."""
    hidden = {id(layer.weight) for layer in (*variant.inner, *variant.outer, *variant.head, variant.first)}
    parts: dict[str, list[Tensor]] = {"matrices": [], "latents": [], "rest": []}
    for name, parameter in variant.named_parameters():
        of_z = name.removeprefix("map.").startswith(("encoder.", "style."))
        parts["latents" if of_z else "matrices" if id(parameter) in hidden else "rest"].append(parameter)
    found: list[torch.optim.Optimizer] = [Muon(parts["matrices"], _MATRIX_RATE), _adam(parts["rest"], _RATE)]
    return found + ([_adam(parts["latents"], _LATENT_RATE)] if parts["latents"] else [])


def encoder_optimiser(variant: Variant) -> list[torch.optim.Optimizer]:
    """Adam for the encoder; all else is kept as it is."""
    variant.requires_grad_(False)
    variant.encoder.requires_grad_(True)
    return [_adam(list(variant.encoder.parameters()), _LATENT_RATE)]


def _adam(parameters: Sequence[Tensor], rate: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=rate, betas=(0.9, 0.98))


@torch.no_grad()
def evaluate(variant: Variant, source: Source) -> tuple[float, float]:
    """−ELBO, and its KL, of what is held out, in bits per dimension."""
    torch.manual_seed(0)
    bits, total = np.zeros(2), 0
    for picture in source.held:
        for windows in torch.split(torch.from_numpy(surrounded(picture[None])), _EVALUATED):
            bits += [float(part.sum()) / math.log(2) for part in variant.losses(windows)]
            total += dims(windows)
    return float(bits.sum()) / total, float(bits[1]) / total


def dims(windows: Tensor) -> int:
    """Values of the tiles of windows."""
    return len(windows) * TILE**2 * windows.shape[-1]


# The rows, kept as they come


class Table:
    """What the JSON holds."""

    def __init__(self, path: Path, source: Source, steps: int, again: bool, runs: Path) -> None:
        """Begin, or go on with what is there, if it is of the same steps and photographs."""
        self.path, self.source, self.again = path, source, again
        self.steps, self.encoder_steps = steps, max(1, steps // 2)
        self.kept = runs / f"{path.stem}-base.pt"
        self.settings = {
            "steps": steps,
            "encoder_steps": self.encoder_steps,
            "tiles": TILES,
            "base": asdict(BASE),
            "data": source.facts(),
        }
        self.found: Found = json.loads(path.read_text()) if path.exists() else {}
        if self.found.get("settings") != self.settings:
            if self.found and not again:
                sys.exit(f"{path} holds figures of other settings; give --again to measure anew, or another --out")
            self.found = {"settings": self.settings, "axes": AXES, "runs": [], "rows": {}}
        versions = machine.versions("cpu") | {"torch": torch.__version__}
        self.run = {"machine": machine.describe("cpu"), "versions": versions, "commit": machine.commit()}

    def fill(self, name: str) -> None:
        """Train and evaluate a variant, unless its row is there."""
        if name in self.found["rows"] and not self.again:
            return
        design, seed = REPEATED.get(name, (name, 0))
        torch.manual_seed(seed)
        variant = self._base() if name in LOSSES else DESIGNS[design].build()
        started = time.perf_counter()
        steps = self._train(name, variant)
        seconds = time.perf_counter() - started
        bpd, kl = evaluate(variant, self.source)
        self.found["rows"][name] = {
            "bpd": round(bpd, 5),
            "kl_bpd": round(kl, 5),
            "parameters": sum(p.numel() for p in variant.parameters()),
            "mac_per_pixel": macs(variant),
            "steps": steps,
            "seconds": round(seconds, 2),
            "run": self._run(),
        }
        text = json.dumps(self.found, indent=1, ensure_ascii=False) + "\n"
        replaced(self.path, lambda partial: partial.write_text(text))
        print(name, json.dumps(self.found["rows"][name]), flush=True)

    def _train(self, name: str, variant: Variant) -> int:
        """The steps that it took."""
        if name in LOSSES:
            # tiles that the base has not seen
            stage = Stage(len(SEEDS) + 1, self.encoder_steps, LOSSES[name])
            fit(variant, self.source, stage, encoder_optimiser(variant))
            return stage.steps
        _, seed = REPEATED.get(name, (name, 0))
        stage = Stage(seed, self.steps, together)
        fit(variant, self.source, stage, optimisers_of(variant))
        if name == "base":
            self.kept.parent.mkdir(parents=True, exist_ok=True)
            state = {"settings": self.settings, "weights": variant.state_dict()}
            replaced(self.kept, lambda partial: torch.save(state, partial))
        return stage.steps

    def _base(self) -> Variant:
        """The base as its row left it, or trained anew."""
        variant = BASE.build()
        state = torch.load(self.kept, weights_only=True) if self.kept.exists() else {}
        if state.get("settings") == self.settings:
            variant.load_state_dict(state["weights"])
        else:
            self._train("base", variant)
        return variant

    def _run(self) -> int:
        """The number of this machine and commit."""
        runs: list[Found] = self.found["runs"]
        if self.run not in runs:
            runs.append(self.run)
        return runs.index(self.run)


def replaced(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file so that it is there whole or not at all."""
    partial = path.with_suffix(".partial")
    write(partial)
    os.replace(partial, path)


# What is shown of them


def draw(found: Found) -> Figure:
    """A panel an axis; the grey band is what seeds make of the base."""
    axes_with_rows = {axis: _shown(found, axis) for axis in found["axes"] if not axis.startswith("seed")}
    figure = Figure(figsize=(15, 8.4), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12))
    seeds = [row["bpd"] for _, row in _shown(found, "seed")]
    for i, (axis, rows) in enumerate(axes_with_rows.items()):
        _panel(figure.add_subplot(2, 3, i + 1), axis, rows, seeds)
    return figure


def _shown(found: Found, axis: str) -> list[tuple[str, Found]]:
    """The rows of an axis that are there, with where they stand on it."""
    return [(label, found["rows"][name]) for label, name in found["axes"][axis].items() if name in found["rows"]]


def _panel(axes: Axes, title: str, rows: list[tuple[str, Found]], seeds: list[float]) -> None:
    frame(axes, title=title.capitalize(), below="", beside="−ELBO, bits per dimension")
    places, rates = range(len(rows)), [row["bpd"] for _, row in rows]
    numbers = all(label.isdigit() for label, _ in rows)
    axes.plot(places, rates, color=COLOURS[0], marker=MARKERS[0], lw=2 if numbers else 0, ms=7)
    if seeds:
        axes.axhspan(min(seeds), max(seeds), color=GREY, alpha=0.25, lw=0)
    for place, rate in zip(places, rates):
        axes.annotate(f"{rate:.4f}", (place, rate), (0, 9), textcoords="offset points", ha="center", fontsize=9)
    axes.set_xticks(list(places), [label.replace(", ", ",\n") for label, _ in rows])
    axes.set_xlim(-0.5, len(rows) - 0.5)
    axes.margins(y=0.25)


if __name__ == "__main__":
    main()
