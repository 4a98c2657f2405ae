"""The paper's Figures 1 and 2: ``python benchmarks/paper/figure1.py --data DIR [--quick]``.

Trains a VAE on binary MNIST and shows over the epochs the bits per dimension of training images, of
test images, and of test images under optimal inference (the encoder trained on with the test images
themselves, the decoder as it is). Test minus optimal is the amortized inference gap, optimal minus
training the generative gap. Writes ``results/figure1.json`` and ``.png`` beside this file.
"""

from __future__ import annotations

import argparse
from typing import Any

import training
from claims import claim, opening, row
from curves import line, panels
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from record import Record, record, write
from training import Setting, Trial

from vaezip.bench.plots import GREY, frame, limits_with_margin, name_lines

NAME = "figure1"
SEED = 1

Point = dict[str, float]
"""Epoch, and the three rates after it."""


def main() -> None:
    """Command line of this script."""
    options = training.arguments(__doc__)
    setting = training.sizes(options)("mnist-binary", 10)
    found = measure(setting, options)
    write(options, NAME, found, draw(found))


def measure(setting: Setting, options: argparse.Namespace) -> Record:
    """Train one VAE, and evaluate it at every epoch at which it is kept."""
    trial = Trial(setting, SEED, options)
    points = [point(trial, epoch) for epoch in setting.snapshots]
    test = trial.curve("classic")
    measured = {"points": points, "test_by_epoch": test, "opens": training.gap_opens(test)}
    title = "Figures 1 and 2: what overfits, the encoder or the decoder"
    settings, why = [training.described(setting)], differences(setting, points[-1])
    return record(title, settings, measured, rows(points[-1], test), claims(points, test), why)


def rows(last: Point, test: dict[int, float]) -> list[dict[str, Any]]:
    """Rates and gaps at the end, and where test is lowest."""
    end = f"epoch {last['epoch']}"
    return [
        row(f"test, {end}", [last["test"]], 0.200),
        row(f"train, {end}", [last["train"]]),
        row(f"optimal inference on test, {end}", [last["optimal"]]),
        row(f"amortized inference gap, {end}", [amortized_gap(last)]),
        row(f"generative gap, {end}", [generative_gap(last)]),
        opening("", training.gap_opens(test), int(last["epoch"])),
        row("lowest test of all epochs", [min(test.values())]),
    ]


def claims(points: list[Point], test: dict[int, float]) -> list[dict[str, Any]]:
    """That it is the encoder that overfits."""
    first, last, lowest = points[0], points[-1], min(points, key=lambda p: p["test"])
    since = f"from epoch {lowest['epoch']} to {last['epoch']}"
    rises = {key: [last[key] - lowest[key]] for key in ("test", "optimal")}
    return [
        claim("the VAE overfits: its last test rate is above its lowest", [min(test.values())], [last["test"]]),
        claim("the amortized inference gap grows with the epochs", [amortized_gap(first)], [amortized_gap(last)]),
        claim(f"{since}, optimal inference loses less than the encoder", rises["optimal"], rises["test"]),
        claim(
            f"at epoch {last['epoch']} the generative gap is below the amortized one",
            [generative_gap(last)],
            [amortized_gap(last)],
        ),
    ]


def differences(setting: Setting, last: Point) -> list[str]:
    """Why ours are not the paper's; no encoder is trained on here but by optimal inference."""
    found = training.differences(setting, encoder=False, optimal=True)
    if generative_gap(last) > amortized_gap(last):
        found.append(
            f"the decoder, too, learns {setting.train:,} images by heart in {setting.epochs} epochs, which makes the "
            f"generative gap the larger one; the paper has {training.full('mnist-binary', 10).train:,}"
        )
    return found


def point(trial: Trial, epoch: int) -> Point:
    """The three rates after an epoch."""
    vae = trial.vae(epoch)
    return {
        "epoch": epoch,
        "train": trial.bpd(vae, trial.train),
        "test": trial.bpd(vae),
        "optimal": trial.bpd(trial.optimal(epoch)),
    }


def amortized_gap(at: Point) -> float:
    """What optimal inference saves."""
    return at["test"] - at["optimal"]


def generative_gap(at: Point) -> float:
    """By how much test images cost more than training images, had both their best posterior."""
    return at["optimal"] - at["train"]


def draw(found: Record) -> Figure:
    """Rates on the left, gaps on the right."""
    figure, (left, right) = panels(2)
    points, title = found["measured"]["points"], found["settings"][0]["title"]
    epochs = [p["epoch"] for p in points]
    frame(left, title=f"Rates over training: {title}", below="epoch")
    curves = {"test": "classic", "optimal": "optimal", "train": "train"}
    texts = {"test": "test", "optimal": "test, optimal inference", "train": "train"}
    labels = [line(left, style, epochs, [p[key] for p in points], texts[key]) for key, style in curves.items()]
    limits_with_margin(left)
    if found["measured"]["opens"] is not None:
        mark_opening(left, found["measured"]["opens"])
    name_lines(left, labels)
    frame(right, title=f"The two gaps: {title}", below="epoch", beside="bits per dimension")
    labels = [
        line(right, "classic", epochs, [amortized_gap(p) for p in points], "amortized inference gap"),
        line(right, "optimal", epochs, [generative_gap(p) for p in points], "generative gap"),
    ]
    right.axhline(0, color=GREY, lw=1)
    limits_with_margin(right)
    name_lines(right, labels)
    return figure


def mark_opening(axes: Axes, epoch: int) -> None:
    """A line where the test rate is lowest."""
    axes.axvline(epoch, color=GREY, lw=1, ls=(0, (5, 3)))
    axes.annotate(
        f"test is lowest: epoch {epoch}",
        (epoch, 0.98),
        (5, 0),
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        va="top",
        fontsize=9,
        color=GREY,
    )


if __name__ == "__main__":
    main()
