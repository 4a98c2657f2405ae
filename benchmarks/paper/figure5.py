"""The paper's Figure 5: ``python benchmarks/paper/figure5.py --data DIR [--quick] [--only PART]``.

Trains a VAE and shows over the epochs the test rate of its own encoder, of the encoder trained on by
reverse half-asleep, and under optimal inference, the decoder being the same: binary MNIST, grey MNIST
with 16 and 32 latents, and CIFAR-10; CIFAR-100 with ``--only cifar100``. Writes
``results/figure5.json`` and ``.png`` beside this file, after each part.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import training
from claims import claim, opening, row
from curves import line, panels
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from record import Record, kept, record, write
from training import Setting, Trial

from vaezip.bench.plots import frame, limits_with_margin, name_lines

NAME = "figure5"
TITLE = "Figure 5: what half-asleep wins back, over the epochs"
SEED = 1
PARTS = {
    "mnist-binary": ("mnist-binary", 10),
    "mnist-16": ("mnist", 16),
    "mnist-32": ("mnist", 32),
    "cifar10": ("cifar10", 256),
    "cifar100": ("cifar100", 256),
}
DEFAULT = tuple(part for part in PARTS if part != "cifar100")
PAPER = {
    "mnist-binary": {"classic": 0.200, "half-asleep": 0.187},
    "cifar10": {"classic": 4.592, "half-asleep": 4.572},
    "cifar100": {"classic": 5.288, "half-asleep": 5.275},
}
"""At the last epoch; of its Table 1, which has no grey MNIST with 16 or 32 latents."""

ENCODERS = ("classic", "half-asleep", "optimal")


def main() -> None:
    """Command line of this script."""
    options = training.arguments(__doc__, tuple(PARTS))
    sizes = training.sizes(options)
    measured = kept(options, NAME)
    for part in options.only or DEFAULT:
        print(part, flush=True)
        measured[part] = measure(sizes(*PARTS[part]), options)
        found = summary({p: measured[p] for p in PARTS if p in measured}, sizes)
        write(options, NAME, found, draw(found))


def measure(setting: Setting, options: argparse.Namespace) -> dict[str, Any]:
    """Train one VAE, and its encoder further from every epoch at which it is kept; from the last also by the
    classic objective, to tell what more training alone does."""
    trial = Trial(setting, SEED, options)
    points = [point(trial, epoch) for epoch in setting.snapshots]
    continued = trial.bpd(trial.half_asleep(0.0))
    opens = training.gap_opens(trial.curve("classic"))
    return training.part(setting, options, points=points, continued=continued, opens=opens)


def point(trial: Trial, epoch: int) -> dict[str, float]:
    """The three rates after an epoch."""
    return {
        "epoch": epoch,
        "classic": trial.bpd(trial.vae(epoch)),
        "half-asleep": trial.bpd(trial.half_asleep(epoch=epoch)),
        "optimal": trial.bpd(trial.optimal(epoch)),
    }


def summary(measured: dict[str, Any], sizes: Callable[[str, int], Setting]) -> Record:
    """Rows and claims of every part that was measured.

    Args:
        measured: results of :func:`measure`.
        sizes: gives the setting of a part whose result does not tell its own.
    """
    rows, claims, settings, differences = [], [], [], []
    for part, found in measured.items():
        setting = training.of_part(found) or sizes(*PARTS[part])
        settings.append(training.described(setting))
        differences += training.differences(setting, optimal=True)
        title, last = found["title"], found["points"][-1]
        for encoder in ENCODERS:
            paper = PAPER.get(part, {}).get(encoder)
            rows.append(row(f"{title}: {encoder}, epoch {last['epoch']}", [last[encoder]], paper))
        rows += [
            row(f"{title}: classic trained on as long", [found["continued"]]),
            opening(f"{title}: ", found["opens"], int(last["epoch"])),
        ]
        text, half = f"{title}, epoch {last['epoch']}: half-asleep < classic", [last["half-asleep"]]
        claims += [
            claim(text, half, [last["classic"]]),
            claim(f"{text} trained on as long", half, [found["continued"]]),
        ]
    differences += training.not_measured(PARTS[part] for part in PARTS if part not in measured)
    return record(TITLE, settings, measured, rows, claims, differences)


def draw(found: Record) -> Figure:
    """A plot for each part."""
    figure, axes = panels(len(found["measured"]))
    for panel, part in zip(axes, found["measured"].values()):
        frame(panel, title=f"Test rate over training: {part['title']}", below="epoch of the VAE")
        epochs = [p["epoch"] for p in part["points"]]
        labels = [line(panel, e, epochs, [p[e] for p in part["points"]]) for e in ENCODERS]
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        limits_with_margin(panel)
        name_lines(panel, labels)
    return figure


if __name__ == "__main__":
    main()
