"""The paper's Figure 4: ``python benchmarks/paper/figure4.py --data DIR [--quick]``.

The encoder of a VAE trained on binary MNIST is trained on with the decoder as it is: by reverse
half-asleep with α = 0 (data alone: the classic objective), 0.5 and 1 (the model's samples alone:
reverse sleep), and by forward sleep, each with three seeds of the VAE. Writes ``results/figure4.json``
and ``.png`` beside this file.
"""

from __future__ import annotations

import argparse

import training
from claims import claim, row
from curves import mean_line, panels
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from record import Record, record, write
from training import SEEDS, Setting, Trial, half_asleep_name

from vaezip.bench.plots import GREY, Label, frame, name_lines
from vaezip.training import objectives
from vaezip.training.networks.tile import TileVae

NAME = "figure4"
ALPHAS = (0.0, 0.5, 1.0)
ARMS = (*map(half_asleep_name, ALPHAS), "sleep")
STYLES = dict(zip(ARMS, ("classic", "half-asleep", "reverse sleep", "sleep")))
TEXTS = dict(zip(ARMS, ("α = 0 (data alone)", "α = 0.5 (half-asleep)", "α = 1 (reverse sleep)", "forward sleep")))


def main() -> None:
    """Command line of this script."""
    options = training.arguments(__doc__)
    setting = training.sizes(options)("mnist-binary", 10)
    found = measure(setting, options)
    write(options, NAME, found, draw(found))


def measure(setting: Setting, options: argparse.Namespace) -> Record:
    """Train every encoder with every seed."""
    before: list[float] = []
    curves: dict[str, list[list[float]]] = {arm: [] for arm in ARMS}
    final: dict[str, list[float]] = {arm: [] for arm in ARMS}
    for seed in SEEDS:
        trial = Trial(setting, seed, options)
        before.append(trial.bpd(trial.vae()))
        for arm in ARMS:
            final[arm].append(trial.bpd(trained(trial, arm)))
            curves[arm].append(list(trial.curve(arm).values()))
    rows = [row("the VAE before", before, 0.200), *(row(TEXTS[arm], final[arm]) for arm in ARMS)]
    half = half_asleep_name(0.5)
    claims = [claim(f"α = 0.5 < {TEXTS[arm]}", final[half], final[arm]) for arm in ARMS if arm != half]
    measured = {"before": before, "curves": curves, "final": final}
    title = "Figure 4: how much of the model's own samples the encoder should see"
    return record(title, [training.described(setting)], measured, rows, claims, training.differences(setting))


def trained(trial: Trial, arm: str) -> TileVae:
    """One encoder."""
    if arm == "sleep":
        return trial.encoder(arm, objectives.sleep)
    return trial.half_asleep(ALPHAS[ARMS.index(arm)])


def draw(found: Record) -> Figure:
    """Test BPD over the epochs of the encoder's training, less that of the VAE before: seeds differ in the decoder,
    and that would hide what the objectives do."""
    figure, (left, right) = panels(2)
    measured, title = found["measured"], found["settings"][0]["title"]
    frame(left, title=f"Test rate as the encoder is trained on: {title}", below="epoch of the encoder")
    frame(
        right,
        title="The same, less the VAE's before, seed by seed",
        below="epoch of the encoder",
        beside="bits per dimension saved",
    )
    epochs = range(len(measured["curves"][ARMS[0]][0]) + 1)
    for axes, relative in ((left, False), (right, True)):
        labels, shown = [], []
        for arm in ARMS:
            seeds = [[start, *curve] for start, curve in zip(measured["before"], measured["curves"][arm])]
            if relative:
                seeds = [[start - value for value in curve] for start, curve in zip(measured["before"], seeds)]
            if arm != "sleep":
                shown += [value for curve in seeds for value in curve]
            labels.append(mean_line(axes, STYLES[arm], epochs, seeds, TEXTS[arm]))
        margin = 0.15 * (max(shown) - min(shown))
        axes.set_ylim(min(shown) - margin, max(shown) + margin)
        if relative:
            axes.axhline(0, color=GREY, lw=1)
            labels.append(Label(0.0, "the VAE before", GREY))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        name_lines(axes, labels)
    return figure


if __name__ == "__main__":
    main()
