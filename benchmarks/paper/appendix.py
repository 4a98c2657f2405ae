"""The paper's appendix: ``python benchmarks/paper/appendix.py --data DIR [--quick]``.

A better encoder is a better proposal and a better representation: the importance-weighted bound of
test images of binary MNIST under each encoder, classic and half-asleep, and the accuracy of a linear
and of a 5-nearest-neighbour classifier of the digits on the means of q(z|x), with three seeds. Writes
``results/appendix.json`` and ``.png`` beside this file.
"""

from __future__ import annotations

import argparse
import math
from typing import Any

import classifiers
import numpy as np
import torch
import training
from claims import claim, row
from curves import STYLES, panels
from matplotlib.figure import Figure
from numpy.typing import NDArray
from record import Record, record, write
from training import SEEDS, Pixels, Setting, Trial

from vaezip.bench.plots import Label, frame, limits_with_margin, name_lines
from vaezip.errors import DataError
from vaezip.pictures import datasets
from vaezip.training import objectives
from vaezip.training.networks.tile import TileVae

NAME = "appendix"
SAMPLES = (1, 10, 100, 1000)
QUICK_SAMPLES = (1, 10, 100)
BOUNDED = 1_000
"""Test images for the bound."""

ENCODERS = ("classic", "half-asleep")


def main() -> None:
    """Command line of this script."""
    options = training.arguments(__doc__)
    setting = training.sizes(options)("mnist-binary", 10)
    found = measure(setting, options, QUICK_SAMPLES if options.quick else SAMPLES)
    write(options, NAME, found, draw(found))


def measure(setting: Setting, options: argparse.Namespace, samples: tuple[int, ...]) -> Record:
    """Bounds and accuracies of each encoder, by seed."""
    bounds: dict[str, list[list[float]]] = {encoder: [] for encoder in ENCODERS}
    accuracies: dict[str, dict[str, list[float]]] = {e: {c: [] for c in classifiers.ALL} for e in ENCODERS}
    digits = {split: labels(setting, split, options.data) for split in ("train", "test")}
    for seed in SEEDS:
        trial = Trial(setting, seed, options)
        for encoder in ENCODERS:
            vae = trial.vae() if encoder == "classic" else trial.half_asleep()
            bounds[encoder].append([bound(vae, trial.test[:BOUNDED], count) for count in samples])
            known, asked = means(vae, trial.train), means(vae, trial.test)
            for name, classify in classifiers.ALL.items():
                right = classify(known, digits["train"], asked) == digits["test"]
                accuracies[encoder][name].append(100 * float(right.mean()))
    measured = {"samples": samples, "bounds": bounds, "accuracies": accuracies}
    title = "Appendix: half-asleep encoders as proposals and as representations"
    differences = [
        *training.differences(setting),
        f"the bounds are of {min(BOUNDED, setting.test):,} of the {setting.test:,} test images",
        "no figures of the paper's appendix are at hand to put beside ours",
    ]
    return record(title, [training.described(setting)], measured, rows(measured), claims(measured), differences)


def rows(measured: dict[str, Any]) -> list[dict[str, Any]]:
    """Every bound, then every accuracy."""
    bounds = [
        row(f"IWAE bound, {count} samples, {encoder}", [seed[i] for seed in measured["bounds"][encoder]])
        for i, count in enumerate(measured["samples"])
        for encoder in ENCODERS
    ]
    accuracies = [
        row(f"{name} on the latent means, {encoder}", measured["accuracies"][encoder][name], unit="%")
        for name in classifiers.ALL
        for encoder in ENCODERS
    ]
    return bounds + accuracies


def claims(measured: dict[str, Any]) -> list[dict[str, Any]]:
    """That half-asleep is the better encoder in every respect."""
    classic, half = (measured["bounds"][encoder] for encoder in ENCODERS)
    bounds = [
        claim(f"IWAE bound, {count} samples: half-asleep < classic", [s[i] for s in half], [s[i] for s in classic])
        for i, count in enumerate(measured["samples"])
    ]
    right = measured["accuracies"]
    accuracies = [
        claim(f"{name}: half-asleep more often right", right["classic"][name], right["half-asleep"][name], "%")
        for name in classifiers.ALL
    ]
    return bounds + accuracies


@torch.no_grad()
def bound(vae: TileVae, images: Pixels, samples: int) -> float:
    """The importance-weighted bound on −log p(x) in bits per dimension."""
    torch.manual_seed(0)
    parts = torch.from_numpy(images).long().to(next(vae.parameters()).device).split(500)
    total = sum(-objectives.iwae(vae, part, samples).sum().item() for part in parts)
    return total / len(images) / vae.architecture.dims / math.log(2)


@torch.no_grad()
def means(vae: TileVae, images: Pixels) -> NDArray[np.float32]:
    """Of q(z|x)."""
    parts = torch.from_numpy(images).to(next(vae.parameters()).device).split(500)
    return torch.cat([vae.posterior(part)[0] for part in parts]).cpu().numpy()


def labels(setting: Setting, split: str, data: str | None) -> NDArray[np.uint8]:
    """The digits of the images that :func:`training.chosen` takes, from the IDX file beside theirs."""
    name = {"train": "train-labels-idx1-ubyte.gz", "test": "t10k-labels-idx1-ubyte.gz"}[split]
    try:
        digits = np.frombuffer(datasets.content(f"mnist/{name}", data), np.uint8, offset=8)
    except DataError as error:
        raise SystemExit(str(error)) from error
    return digits[training.choice(len(digits), setting.train if split == "train" else setting.test)]


def draw(found: Record) -> Figure:
    """Bounds on the left, accuracies on the right."""
    figure, (left, right) = panels(2)
    measured, title = found["measured"], found["settings"][0]["title"]
    frame(left, title=f"Importance-weighted bound on −log p(x): {title}", below="samples of z an image")
    left.set_xscale("log")
    frame(right, title=f"Digits told from the latent means: {title}", below="", beside="% right (more is better)")
    names, bound_labels, accuracy_labels = list(classifiers.ALL), [], []
    for shift, encoder in zip((-0.06, 0.06), ENCODERS):
        colour, marker = STYLES[encoder]
        style = {"color": colour, "marker": marker, "ms": 6, "capsize": 4, "lw": 2}
        values = np.asarray(measured["bounds"][encoder])
        left.errorbar(measured["samples"], values.mean(0), values.std(0, ddof=1), **style)
        bound_labels.append(Label(float(values.mean(0)[-1]), encoder, colour, measured["samples"][-1]))
        values = np.asarray([measured["accuracies"][encoder][name] for name in names])
        places = np.arange(len(names)) + shift
        right.errorbar(places, values.mean(1), values.std(1, ddof=1), **{**style, "ls": ""})
        accuracy_labels.append(Label(float(values.mean(1)[-1]), encoder, colour, float(places[-1])))
    left.set_xticks(measured["samples"], map(str, measured["samples"]))
    left.minorticks_off()
    right.set_xticks(range(len(names)), names)
    right.set_xlim(-0.5, len(names) - 0.5)
    limits_with_margin(left)
    limits_with_margin(right)
    name_lines(left, bound_labels)
    name_lines(right, accuracy_labels, lambda value: f"{value:.1f} %")
    return figure


if __name__ == "__main__":
    main()
