"""The paper's Figure 3: ``python benchmarks/paper/figure3.py --data DIR [--quick]``.

The decoder of a trained VAE is taken for the world: 10,000 training and 1,000 test images are drawn
from it. New encoders are trained for it by wake (the ELBO of the training images), forward sleep and
reverse sleep, with three seeds. Since the model is known, so is log p(x) (by importance sampling), and
with it KL(q(z|x) ‖ p(z|x)). Writes ``results/figure3.json`` and ``.png`` beside this file.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
import training
from claims import claim, row
from curves import mean_line, panels
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from record import Record, record, write
from training import RATE, SEEDS, Pixels, Setting, Trial

from vaezip.bench.plots import Label, frame, name_lines
from vaezip.training import objectives
from vaezip.training.families.tile.stage import TileStage
from vaezip.training.loop import Samples, fit
from vaezip.training.networks.tile import TileVae

NAME = "figure3"
FULL = Setting("mnist-binary", 10, 500, 60_000, 10_000, (100,), 100, 100)
QUICK = Setting("mnist-binary", 10, 200, 10_000, 1_000, (20,), 20, 40)
"""``snapshots`` is the training of the VAE whose decoder is the world, the epochs those of the encoders."""

DRAWN, DRAWN_TEST = 10_000, 1_000
SAMPLES = 500
"""Of z, for log p(x)."""

ARMS = {"wake": objectives.classic, "sleep": objectives.sleep, "reverse sleep": objectives.reverse_sleep}
STYLES = {"wake": "classic", "sleep": "sleep", "reverse sleep": "reverse sleep"}
TEXTS = {"wake": "wake", "sleep": "forward sleep", "reverse sleep": "reverse sleep"}


def main() -> None:
    """Command line of this script."""
    options = training.arguments(__doc__, partial=False)
    found = measure(QUICK if options.quick else FULL, options)
    write(options, NAME, found, draw(found))


def measure(setting: Setting, options: argparse.Namespace, drawn: int = DRAWN, drawn_test: int = DRAWN_TEST) -> Record:
    """Train every encoder with every seed, and take its distance to the optimum."""
    # Others keep their VAE at other epochs of this training, so its states stand in a folder of their own.
    own = argparse.Namespace(**vars(options) | {"runs": options.runs / NAME})
    trial = Trial(setting, SEEDS[0], own)
    world, folder = trial.vae(), trial.folder / f"known-model-{drawn}"
    test = draws(world, drawn_test, seed=0)
    curves: dict[str, list[list[float]]] = {arm: [] for arm in ARMS}
    final: dict[str, list[float]] = {arm: [] for arm in ARMS}
    for seed in SEEDS:
        images = draws(world, drawn, seed)
        for arm in ARMS:
            vae, state = encoder(world, arm, seed, images, test, setting, folder)
            curves[arm].append([training.nats(rate, vae) for rate in training.curve(state).values()])
            final[arm].append(training.nats(training.bpd(vae, test), vae))
    # From the last encoder, of reverse sleep: the nearest to the optimum, if the paper is right.
    stage = TileStage(
        "optimal", objectives.optimal, setting.optimal_epochs, RATE, encoder_only=True, batch=setting.batch
    )
    fit(vae, Samples(test, test), stage, state=folder / "optimal.pt")
    optimal, log_p = training.nats(training.bpd(vae, test), vae), marginal(vae, test)
    measured = {"curves": curves, "final": final, "optimal": optimal, "log_p": log_p}
    title = "Figure 3: which objective finds the posterior of a known model"
    return record(
        title,
        [training.described(setting)],
        measured,
        rows(final, optimal, log_p),
        claims(final),
        differences(setting, drawn, drawn_test),
    )


def rows(final: dict[str, list[float]], optimal: float, log_p: float) -> list[dict[str, Any]]:
    """−ELBO and KL of each objective and of the optimum."""
    rates = {TEXTS[arm]: values for arm, values in final.items()} | {"optimal inference": [optimal]}
    negative_elbo = [row(f"−ELBO, {text}", values, unit="nats") for text, values in rates.items()]
    kl = [row(f"KL(q ‖ p(z|x)), {text}", [v + log_p for v in values], unit="nats") for text, values in rates.items()]
    return negative_elbo + kl


def claims(final: dict[str, list[float]]) -> list[dict[str, Any]]:
    """The paper's order."""
    pairs = (("reverse sleep", "sleep"), ("sleep", "wake"), ("reverse sleep", "wake"))
    return [claim(f"{TEXTS[less]} < {TEXTS[more]}", final[less], final[more], "nats") for less, more in pairs]


def encoder(
    world: TileVae, arm: str, seed: int, images: Pixels, test: Pixels, setting: Setting, folder: Path
) -> tuple[TileVae, Path]:
    """A new encoder, trained for the world's decoder; and where its state is."""
    torch.manual_seed(seed)
    vae = TileVae(setting.architecture).to(next(world.parameters()).device)
    vae.decoder.load_state_dict(world.decoder.state_dict())
    name = f"{arm.replace(' ', '-')}-seed{seed}"
    print(f"  {name}", flush=True)
    stage = TileStage(name, ARMS[arm], setting.encoder_epochs, RATE, encoder_only=True, batch=setting.batch, warmup=100)
    fit(vae, Samples(images, test), stage, state=folder / f"{name}.pt", seed=seed)
    return vae, folder / f"{name}.pt"


def draws(world: TileVae, count: int, seed: int) -> Pixels:
    """x ~ p(x)."""
    torch.manual_seed(10_000 + seed)
    _, images = objectives.dream(world, torch.empty(count, device=next(world.parameters()).device), "prior")
    return images.cpu().numpy().astype(np.uint8)


@torch.no_grad()
def marginal(vae: TileVae, images: Pixels) -> float:
    """log p(x) in nats an image, by importance sampling with a q near the posterior."""
    torch.manual_seed(0)
    parts = torch.from_numpy(images).long().to(next(vae.parameters()).device).split(500)
    return float(torch.cat([objectives.iwae(vae, part, SAMPLES) for part in parts]).mean())


def differences(setting: Setting, drawn: int, drawn_test: int) -> list[str]:
    """Why our figures are not the paper's."""
    return [
        f"the world is the decoder of our own VAE ({setting.hidden} hidden units, {setting.epochs} epochs on "
        f"{setting.train:,} images), so that only the order of the three can be compared; {drawn:,} training and "
        f"{drawn_test:,} test images are drawn from it",
        f"the encoders are trained for {setting.encoder_epochs} epochs, Adam falling from {RATE:g} to 0 "
        f"along a cosine; each seed draws its own training images and starts from its own weights",
        f"log p(x) is a bound of {SAMPLES} importance samples from the optimal q: the KL may be a little too small",
    ]


def draw(found: Record) -> Figure:
    """−ELBO on the left, KL on the right."""
    figure, (left, right) = panels(2)
    measured = found["measured"]
    frame(left, title="−ELBO of test images from a known model", below="epoch", beside="nats an image (less is better)")
    panel(left, measured, 0.0, "optimal inference")
    frame(
        right,
        title="Distance to the true posterior",
        below="epoch",
        beside="KL(q(z|x) ‖ p(z|x)), nats an image (less is better)",
    )
    panel(right, measured, measured["log_p"], "optimal inference")
    return figure


def panel(axes: Axes, measured: dict[str, Any], shift: float, bound: str) -> None:
    """A line for each objective, from where the first of them has settled."""
    labels, values = [], []
    for arm, seeds in measured["curves"].items():
        shifted = np.asarray(seeds) + shift
        values.append(shifted[:, shifted.shape[1] // 6 :])  # the first epochs would flatten all others
        labels.append(mean_line(axes, STYLES[arm], range(1, shifted.shape[1] + 1), shifted, TEXTS[arm]))
    optimal = measured["optimal"] + shift
    axes.axhline(optimal, color="#009E73", lw=1.5, ls=(0, (5, 3)))
    labels.append(Label(optimal, bound, "#009E73"))
    high = max(float(v.max()) for v in values)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(optimal - 0.08 * (high - optimal), high + 0.05 * (high - optimal))
    name_lines(axes, labels, lambda value: f"{value:.2f}")


if __name__ == "__main__":
    main()
