"""What the plots of the training experiments share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import ArrayLike

from vaezip.bench.plots import COLOURS, GREY, MARKERS, Label

STYLES = {
    "train": (GREY, "v"),
    "classic": (COLOURS[1], MARKERS[1]),
    "half-asleep": (COLOURS[0], MARKERS[0]),
    "optimal": (COLOURS[2], MARKERS[2]),
    "sleep": (COLOURS[3], MARKERS[3]),
    "reverse sleep": (COLOURS[4], MARKERS[4]),
    "denoising": (COLOURS[5], MARKERS[5]),
}
"""The same colour for the same thing in every figure; classic and half-asleep as in Figure 7."""


def panels(count: int, columns: int = 2) -> tuple[Figure, list[Axes]]:
    """A figure of so many plots, with room at the right of each for the names of its lines."""
    columns = min(columns, count)
    rows = -(-count // columns)
    layout = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.15)
    figure = Figure(figsize=(7.0 * columns, 4.6 * rows), layout=layout)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for spare in axes[count:]:
        spare.set_visible(False)
    return figure, axes[:count]


def line(axes: Axes, style: str, x: Sequence[float], y: Sequence[float], text: str | None = None) -> Label:
    """A line with a marker at each point."""
    colour, marker = STYLES[style]
    axes.plot(x, y, color=colour, marker=marker, lw=2, ms=6)
    return Label(y[-1], text or style, colour, x[-1])


def mean_line(axes: Axes, style: str, x: Sequence[float], seeds: ArrayLike, text: str) -> Label:
    """The mean over seeds as a line, the deviation as a band."""
    colour, _ = STYLES[style]
    values = np.asarray(seeds, float)
    mean = values.mean(axis=0)
    axes.plot(x, mean, color=colour, lw=2)
    if len(values) > 1:
        deviation = values.std(axis=0, ddof=1)
        axes.fill_between(x, mean - deviation, mean + deviation, color=colour, alpha=0.18, lw=0)
    return Label(float(mean[-1]), text, colour, x[-1])


def level(axes: Axes, style: str, seeds: Sequence[float], text: str) -> Label:
    """The mean over seeds as a line over the whole width, the deviation as a band."""
    colour, _ = STYLES[style]
    mean = float(np.mean(seeds))
    axes.axhline(mean, color=colour, lw=2)
    if len(seeds) > 1:
        deviation = float(np.std(seeds, ddof=1))
        axes.axhspan(mean - deviation, mean + deviation, color=colour, alpha=0.15, lw=0)
    return Label(mean, text, colour)
