"""The paper's Table 1 and Figure 6: ``python benchmarks/paper/table1.py --data DIR [--quick] [--only DATASET]``.

The encoder of a trained VAE is trained on with the decoder as it is: by the denoising regulariser with
σ from 0.1 to 1 (``--sigma``: with some of these alone), by reverse half-asleep (``--alpha``: also with
other shares of the model's samples than ½), and, to tell what more training alone does, by the classic
objective; each with three seeds of the VAE. Writes ``results/table1.json`` and ``.png`` beside this file,
after each data set.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import training
from claims import TRIED, claim, row
from curves import STYLES, level, panels
from matplotlib.figure import Figure
from record import Record, kept, record, write
from training import SEEDS, Setting, Trial

from vaezip.bench.plots import GREY, Label, frame, limits_with_margin, name_lines
from vaezip.training import objectives

NAME = "table1"
SIGMAS = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
PARTS = {"mnist-binary": 10, "mnist": 10, "cifar10": 256}
PAPER = {
    "mnist-binary": {"classic": 0.200, "denoising": 0.191, "half-asleep": 0.187},
    "mnist": {"classic": 1.543, "denoising": 1.515, "half-asleep": 1.513},
    "cifar10": {"classic": 4.592, "denoising": 4.591, "half-asleep": 4.572},
}
NO_MODEL, CONTINUED, HALF = "classic", "classic continued", "half-asleep"
OTHER = "half-asleep-"
"""Before the α of one that is not ½."""


def main() -> None:
    """Command line of this script."""
    options = training.arguments(__doc__, tuple(PARTS), sigmas=SIGMAS, alphas=True)
    sizes = training.sizes(options)
    measured = kept(options, NAME)
    for dataset in options.only or PARTS:
        print(dataset, flush=True)
        measured[dataset] = measure(sizes(dataset, PARTS[dataset]), options)
        found = summary({d: measured[d] for d in PARTS if d in measured}, sizes)
        write(options, NAME, found, draw(found))


def measure(setting: Setting, options: argparse.Namespace) -> dict[str, Any]:
    """Test BPD of every encoder, by seed."""
    rates: dict[str, list[float]] = {}
    for seed in SEEDS:
        trial = Trial(setting, seed, options)
        rates.setdefault(NO_MODEL, []).append(trial.bpd(trial.vae()))
        rates.setdefault(CONTINUED, []).append(trial.bpd(trial.half_asleep(0.0)))
        rates.setdefault(HALF, []).append(trial.bpd(trial.half_asleep()))
        for alpha in options.alpha or ():
            rates.setdefault(f"{OTHER}{alpha:g}", []).append(trial.bpd(trial.half_asleep(alpha)))
        for sigma in (s for s in SIGMAS if not options.sigma or s in options.sigma):
            objective = functools.partial(objectives.denoising, sigma=sigma)
            rates.setdefault(denoising(sigma), []).append(trial.bpd(trial.encoder(denoising(sigma), objective)))
    return training.part(setting, options, rates=rates)


def denoising(sigma: float) -> str:
    """What an encoder is called."""
    return f"denoising-{sigma}"


def sigmas(rates: dict[str, list[float]]) -> list[float]:
    """Those that were measured."""
    return [sigma for sigma in SIGMAS if denoising(sigma) in rates]


def best_sigma(rates: dict[str, list[float]]) -> float:
    """With the lowest mean rate on the test images, as the paper chooses it."""
    return min(sigmas(rates), key=lambda sigma: np.mean(rates[denoising(sigma)]))


def summary(measured: dict[str, Any], sizes: Callable[[str, int], Setting]) -> Record:
    """Rows and claims of every data set that was measured.

    Args:
        measured: results of :func:`measure`.
        sizes: gives the setting of a data set whose result does not tell its own.
    """
    rows, claims, settings, differences = [], [], [], []
    for dataset, found in measured.items():
        setting = training.of_part(found) or sizes(dataset, PARTS[dataset])
        rates, paper = found["rates"], PAPER[dataset]
        settings.append(training.described(setting))
        differences += training.differences(setting)
        sigma, title = best_sigma(rates), found["title"]
        if lacking := [f"{s:g}" for s in SIGMAS if s not in sigmas(rates)]:
            differences.append(f"{title}: denoising without σ = {', '.join(lacking)}")
        if "note" in found:  # where its figures are not from the end of a call
            differences.append(f"{title}: {found['note']}")
        best = rates[denoising(sigma)]
        rows += [
            row(f"{title}: VAE", rates[NO_MODEL], paper["classic"]),
            row(f"{title}: its encoder trained on by the classic objective", rates[CONTINUED]),
            row(f"{title}: denoising, best σ = {sigma}", best, paper["denoising"]),
            row(f"{title}: half-asleep", rates[HALF], paper["half-asleep"]),
        ]
        rows += [
            row(f"{title}: half-asleep with α = {name.removeprefix(OTHER)}, {TRIED}", found)
            for name, found in rates.items()
            if name.startswith(OTHER)
        ]
        claims += [
            claim(f"{title}: half-asleep < denoising (best σ)", rates[HALF], best),
            claim(f"{title}: denoising (best σ) < classic", best, rates[NO_MODEL]),
            claim(f"{title}: half-asleep < classic", rates[HALF], rates[NO_MODEL]),
            claim(f"{title}: half-asleep < classic trained on as long", rates[HALF], rates[CONTINUED]),
            claim(f"{title}: denoising (best σ) < classic trained on as long", best, rates[CONTINUED]),
        ]
    differences += training.not_measured(part for part in PARTS.items() if part[0] not in measured)
    title = "Table 1 and Figure 6: denoising against half-asleep"
    return record(title, settings, measured, rows, claims, differences)


def draw(found: Record) -> Figure:
    """A plot for each data set: rate over σ, the others as levels. Each seed's VAE is subtracted, because seeds
    differ in the decoder, and that would hide what the objectives do."""
    figure, axes = panels(len(found["measured"]))
    colour, marker = STYLES["denoising"]
    for panel, part in zip(axes, found["measured"].values()):
        saved = {
            name: [v - r for v, r in zip(part["rates"][NO_MODEL], values)] for name, values in part["rates"].items()
        }
        frame(
            panel,
            title=f"Saved to the VAE: {part['title']}",
            below="σ of the noise",
            beside="bits per dimension (more is better)",
        )
        measured = sigmas(part["rates"])
        means = [float(np.mean(saved[denoising(s)])) for s in measured]
        deviations = [float(np.std(saved[denoising(s)], ddof=1)) for s in measured]
        panel.errorbar(measured, means, deviations, color=colour, marker=marker, lw=2, ms=6, capsize=4)
        labels = [
            Label(means[-1], "denoising", colour, measured[-1]),
            level(panel, "half-asleep", saved[HALF], "half-asleep"),
            level(panel, "classic", saved[CONTINUED], "classic, as long"),
        ]
        panel.axhline(0, color=GREY, lw=1)
        limits_with_margin(panel)
        name_lines(panel, labels)
    return figure


if __name__ == "__main__":
    main()
