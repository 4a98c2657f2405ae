"""Draw two plots for each order: rate over K, and rate over time, other codecs as lines."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator

from vaezip.bench.measure import Figures
from vaezip.bench.report import ModelRow, PeerRow, Report

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C6D1F", "#56B4E9")
"""Okabe and Ito's, told apart by most colour-blind eyes."""

MARKERS = "osD^vP"
GREY = "#5A5A5A"

_LINE = 0.06
"""Height of a line of text beside a plot, as a share of the plot's."""

_PANEL = (7.4, 4.8)
_ORDERS = {
    "set": "{images:,} {dataset} images in one {solid}file",
    "single": "each of {images:,} {dataset} images in a {solid}file of its own",
}


@dataclass(frozen=True)
class Curve:
    """Hold a model's rows over K, or over presets."""

    label: str
    rows: Sequence[ModelRow]
    colour: str
    marker: str

    @property
    def by_preset(self) -> bool:
        """Tell whether the rows are those of presets."""
        return self.rows[0].preset is not None

    @property
    def range(self) -> str:
        """Word the values of K, or the presets, for people."""
        first, last = self.rows[0].called, self.rows[-1].called
        return first if first == last else f"{first} … {last.removeprefix('K = ')}"


@dataclass(frozen=True)
class Label:
    """Name a line.

    Attributes:
        rate: its rate at ``x``, or at the right edge of the plot where there is none.
    """

    rate: float
    text: str
    colour: str
    x: float | None = None


def render(report: Report, suffix: str) -> bytes:
    """Return the plots as a file of this format, ``.png`` or ``.svg``."""
    out = io.BytesIO()
    draw(report).savefig(out, format=suffix.lower().removeprefix("."), dpi=150)
    return out.getvalue()


def draw(report: Report) -> Figure:
    """Draw a row of two plots for each order, or of one where all models were measured by presets, which have no K."""
    orders = report.orders
    presets_alone = bool(report.models) and all(row.preset for row in report.models)
    plots = (over_seconds,) if presets_alone else (over_steps, over_seconds)
    width, height = _PANEL
    figure = Figure(
        figsize=(width * len(plots), height * len(orders)), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
    )
    panels = figure.subplots(len(orders), len(plots), squeeze=False)
    solid = "solid " if report.solid else ""
    for row, order in zip(panels, orders):
        title = _ORDERS[order].format(images=report.facts.images, dataset=report.facts.dataset, solid=solid)
        peers = [peer for peer in report.peers if peer.figures.order == order]
        for axes, plot in zip(row, plots):
            plot(axes, curves(report, order), peers=peers, title=title)
    figure.supxlabel(_made_on(report), x=0.01, ha="left", size="x-small", color=GREY)
    return figure


def _made_on(report: Report) -> str:
    """Word what the times hold for."""
    threads = f"{report.threads} thread" + ("s" if report.threads != 1 else "")
    commit = f"commit {report.commit[:10]}" if report.commit else "an unknown commit"
    return ", ".join((str(report.machine.get("cpu") or "an unknown processor"), report.device, threads, commit))


def curves(report: Report, order: str) -> list[Curve]:
    """Make a curve of each model, and another of its presets; its objective stands in the label where the name does not
    tell it."""
    groups: dict[tuple[str, str | None, bool], list[ModelRow]] = defaultdict(list)
    for row in report.models:
        if row.figures.order == order:
            groups[row.model, row.objective, row.preset is None].append(row)
    return [
        Curve(model if not objective or objective in model else f"{model} ({objective})", rows, colour, marker)
        for ((model, objective, _), rows), colour, marker in zip(groups.items(), COLOURS * 9, MARKERS * 9)
    ]


def over_steps(axes: Axes, shown: Sequence[Curve], *, peers: Sequence[PeerRow], title: str) -> None:
    """Plot bits per dimension over K, without presets; peers are lines where near, or names beyond the edge."""
    frame(axes, title=f"Rate over K: {title}", below="K, steps of inference per image")
    labels = []
    for curve in (curve for curve in shown if not curve.by_preset):
        last = curve.rows[-1]
        axes.plot([r.steps for r in curve.rows], [r.figures.bpd for r in curve.rows], **_style(curve))
        labels.append(Label(last.figures.bpd, curve.label, curve.colour, last.steps))
        known = [(row.steps, row.elbo_bpd) for row in curve.rows if row.elbo_bpd]
        if known:
            axes.plot(*zip(*known), color=curve.colour, lw=1.2, ls=(0, (2, 2)))
            labels.append(Label(known[-1][1], "its −ELBO", curve.colour, known[-1][0]))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    low, high = limits_with_margin(axes)
    near = [peer for peer in peers if low <= peer.figures.bpd <= high]
    labels += _peer_lines(axes, near)
    labels += [Label(p.figures.bpd, p.label, GREY) for p in peers if p not in near]
    name_lines(axes, labels)


def over_seconds(axes: Axes, shown: Sequence[Curve], *, peers: Sequence[PeerRow], title: str) -> None:
    """Plot bits per dimension over seconds an image, to compress; a peer is a dot at its own time.

    The seconds are without vaezip's verification, for other codecs do not verify.
    """
    frame(axes, title=f"Rate over time: {title}", below="time to compress, per image, without verification")
    seconds_axis(axes)
    labels = []
    for curve in shown:
        last = curve.rows[-1].figures
        axes.plot([r.figures.encode_s for r in curve.rows], [r.figures.bpd for r in curve.rows], **_style(curve))
        labels.append(Label(last.bpd, f"{curve.label}, {curve.range}", curve.colour, last.encode_s))
        for row in _marked(curve, curve is shown[0]):
            _mark(axes, row.figures, row.called, curve.colour)
    for peer in peers:
        axes.plot([peer.figures.encode_s], [peer.figures.bpd], marker="o", color=GREY, ms=5)
        labels.append(Label(peer.figures.bpd, peer.label, GREY, peer.figures.encode_s))
    limits_with_margin(axes)
    name_lines(axes, labels)


def spread(wanted: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Find positions as near as may be to the wanted ones, in their order, ``gap`` apart, between two bounds.

    >>> spread([1.0, 1.0, 5.0], gap=1.0, low=0.0, high=9.0)
    [0.5, 1.5, 5.0]
    >>> spread([1.0, 5.0, 5.0], gap=1.0, low=0.0, high=5.0)
    [1.0, 4.0, 5.0]
    """
    clusters: list[list[int]] = []
    for i in sorted(range(len(wanted)), key=lambda i: wanted[i]):
        clusters.append([i])
        while len(clusters) > 1 and _top(clusters[-2], wanted, gap) + gap > _bottom(clusters[-1], wanted, gap):
            last = clusters.pop()
            clusters[-1] += last
    placed = [0.0] * len(wanted)
    for cluster in clusters:
        for rank, i in enumerate(cluster):
            placed[i] = _bottom(cluster, wanted, gap) + rank * gap
    order = [i for cluster in clusters for i in cluster]
    for rank, i in enumerate(reversed(order)):
        placed[i] = min(placed[i], high - rank * gap)
    for rank, i in enumerate(order):
        placed[i] = max(placed[i], low + rank * gap)
    return placed


def _bottom(cluster: list[int], wanted: Sequence[float], gap: float) -> float:
    return sum(wanted[i] for i in cluster) / len(cluster) - gap * (len(cluster) - 1) / 2


def _top(cluster: list[int], wanted: Sequence[float], gap: float) -> float:
    return _bottom(cluster, wanted, gap) + gap * (len(cluster) - 1)


def frame(axes: Axes, *, title: str, below: str, beside: str = "bits per dimension (less is better)") -> None:
    """Give a plot its title, the names of its axes, and a grid."""
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", pad=14)
    axes.set_xlabel(below)
    axes.set_ylabel(beside)
    axes.grid(color="#E3E3E3", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def seconds_axis(axes: Axes) -> None:
    """Make the axis of seconds logarithmic, in µs, ms or s."""
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: duration(x)))


def duration(seconds: float) -> str:
    """Word a time in the unit that fits.

    >>> duration(0.00025), duration(0.01), duration(2.0)
    ('250 µs', '10 ms', '2 s')
    """
    for unit, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= 0.9995 * unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds * 1e9:.3g} ns"


def limits_with_margin(axes: Axes) -> tuple[float, float]:
    """Make the range of rates a little wider than what is drawn, and return it."""
    rates = [float(y) for line in axes.lines for y in np.asarray(line.get_ydata(), float)]
    if not rates:
        return axes.get_ylim()
    low, high = min(rates), max(rates)
    margin = 0.12 * (high - low) or 0.05 * high or 1.0
    axes.set_ylim(low - margin, high + margin)
    return low - margin, high + margin


def name_lines(axes: Axes, labels: Sequence[Label], form: Callable[[float], str] | None = None) -> None:
    """Name each line to the right of the plot, with its rate; those that lie above or below it together, behind an
    arrow."""
    low, high = axes.get_ylim()
    gap, form = _LINE * (high - low), form or bits
    labels = sorted(labels, key=lambda label: label.rate)
    inside = [label for label in labels if low <= label.rate <= high]
    above = _beyond(axes, [label for label in labels if label.rate > high], "↑", form)
    below = _beyond(axes, [label for label in labels if label.rate < low], "↓", form)
    places = spread([label.rate for label in inside], gap=gap, low=low + below * gap, high=high - above * gap)
    for label, place in zip(inside, places):
        at_edge = label.x is None
        axes.annotate(
            f"{label.text}  {form(label.rate)}",
            (1.0 if at_edge else label.x, label.rate),
            (1.04, place),
            xycoords=axes.get_yaxis_transform() if at_edge else "data",
            textcoords=axes.get_yaxis_transform(),
            color=label.colour,
            fontsize=9,
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": label.colour,
                "lw": 0.7,
                "relpos": (0, 0.5),
                "shrinkA": 1,
                "shrinkB": 2,
            },
        )


def _beyond(axes: Axes, labels: Sequence[Label], arrow: str, form: Callable[[float], str]) -> int:
    """Name the lines beyond an edge of the plot in its corner, two in a row; return how many rows that takes."""
    named = [f"{label.text}  {form(label.rate)}" for label in reversed(labels)]
    rows = [f"{arrow} " + ",  ".join(named[i : i + 2]) for i in range(0, len(named), 2)]
    if rows:
        at, side = (1.0, "top") if arrow == "↑" else (0.0, "bottom")
        axes.annotate(
            "\n".join(rows),
            (1.04, at),
            xycoords="axes fraction",
            color=labels[0].colour,
            fontsize=8,
            linespacing=1.4,
            va=side,
            annotation_clip=False,
        )
    return len(rows)


def bits(rate: float) -> str:
    """Word bits per dimension with four digits that matter."""
    return f"{rate:.4f}" if rate < 1 else f"{rate:.3f}"


def _style(curve: Curve) -> dict[str, Any]:
    return {"color": curve.colour, "marker": curve.marker, "lw": 2, "ms": 6}


def _marked(curve: Curve, first: bool) -> Sequence[ModelRow]:
    """Choose the rows that get their K or preset beside them: presets, and the ends of the first curve if far apart."""
    ends = (curve.rows[0], curve.rows[-1])
    if curve.by_preset:
        return curve.rows
    return ends if first and ends[1].figures.encode_s > 2 * ends[0].figures.encode_s else ()


def _mark(axes: Axes, figures: Figures, text: str, colour: str) -> None:
    axes.annotate(
        text,
        (figures.encode_s, figures.bpd),
        (0, -8),
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=8,
        color=colour,
    )


def _peer_lines(axes: Axes, peers: Iterable[PeerRow]) -> list[Label]:
    labels = []
    for peer in peers:
        axes.axhline(peer.figures.bpd, color=GREY, lw=1, ls=(0, (5, 3)))
        labels.append(Label(peer.figures.bpd, peer.label, GREY))
    return labels
