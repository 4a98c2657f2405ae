"""The paper's Figure 8, bits per dimension over time: ``python benchmarks/paper/figure8.py --data DIR``.

The same as Figure 7, with times that are medians over repeats, on a machine that should do nothing
else; and a profile at K = 0 and K = 7 that tells where they go. Writes ``results/figure8.json``,
``.md`` and ``.png`` beside this file.
"""

from __future__ import annotations

import argparse

import common
from common import CLASSIC, HALF_ASLEEP, PAPER, Run
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from vaezip.bench import worker
from vaezip.bench.ours import Ours
from vaezip.bench.plan import Plan
from vaezip.bench.plots import COLOURS, MARKERS, Label, duration, frame, name_lines, room, seconds_axis
from vaezip.bench.profile import PARTS, profile
from vaezip.bench.report import ModelRow
from vaezip.effort import Effort

FIGURE = "figure8"
STYLES = {CLASSIC: (COLOURS[1], MARKERS[1]), HALF_ASLEEP: (COLOURS[0], MARKERS[0])}
_LEAST = 5e-7
"""Seconds an image that show in the table."""


def main() -> None:
    """Command line of this script."""
    options = common.arguments(__doc__)
    runs, skipped = common.measure(options, FIGURE, repeats=3)
    if not runs:
        raise SystemExit(f"nothing to measure: {skipped}")
    profiles = {run.title: _profiles(run, options) for run in runs if run.images != common.ALL}
    common.save(options, FIGURE, runs, skipped, profiles=profiles)
    text = comparison(runs) + "\nMilliseconds per image by part, one thread:\n\n" + _profile_table(profiles)
    text += "".join(f"\nSkipped: `{name}`: {reason}.\n" for name, reason in skipped.items())
    common.path(options, FIGURE, ".md").write_text(text)
    draw(runs).savefig(common.path(options, FIGURE, ".png"), dpi=150)
    print(text)


def comparison(runs: list[Run]) -> str:
    """Paper / ours, time per image."""
    head = ["", "", "K = 0", "largest K", "times faster at K = 0", "K = 7 adds to K = 0"]
    rows = []
    for run in runs:
        p, last = PAPER[run.dataset], run.last
        start, end = (run.at(HALF_ASLEEP, k) or run.at(CLASSIC, k) for k in (0, last))
        seven = run.at(HALF_ASLEEP, 7) or run.at(CLASSIC, 7)
        if not start or not end:
            continue
        rows.append(
            [
                f"**{run.title}**",
                "paper",
                duration(p.seconds),
                f"{duration(p.seconds_refined)} (K = 10)",
                "1",
                "116.7 %",
            ]
        )
        for what, name in (
            ("compress_s", "compress and verify"),
            ("encode_s", "compress"),
            ("decompress_s", "decompress"),
        ):
            t0, t1 = (getattr(row.figures, what) for row in (start, end))
            extra = f"{100 * (getattr(seven.figures, what) / t0 - 1):.0f} %" if seven else "–"
            rows.append(
                ["", f"ours, {name}", duration(t0), f"{duration(t1)} (K = {last})", f"{p.seconds / t0:.0f}", extra]
            )
    return common.markdown(head, rows)


def draw(runs: list[Run]) -> Figure:
    """A panel a data set: of the images that the paper took, or of what there is."""
    shown = [run for run in runs if run.images != common.ALL] or runs
    layout = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.15)
    figure = Figure(figsize=(6.2 * len(shown), 4.6), layout=layout)
    for axes, run in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown):
        _panel(axes, run)
    return figure


def _panel(axes: Axes, run: Run) -> None:
    frame(axes, f"{run.title}, in one file", f"time per image, from K = 0 (top) to K = {run.last} (bottom)")
    seconds_axis(axes)
    labels = []
    for objective, (colour, marker) in STYLES.items():
        rows = run.rows(objective)
        if rows:
            labels += _curve(axes, rows, objective, colour, marker)
    p = PAPER[run.dataset]
    common.mark_paper(axes, p.seconds, p.classic, "classic, K = 0", above=True, left=True)
    common.mark_paper(axes, p.seconds, p.half_asleep, "half-asleep, K = 0", above=False, left=True)
    common.mark_paper(axes, p.seconds_refined, p.refined, "both, K = 10", above=False, left=True, drop=13)
    room(axes)
    name_lines(axes, labels)


def _curve(axes: Axes, rows: list[ModelRow], text: str, colour: str, marker: str) -> list[Label]:
    """Compressing, with verification, as a full line; decompressing as a broken one."""
    rates = [row.figures.bpd for row in rows]
    compress, decompress = ([getattr(r.figures, f"{w}_s") for r in rows] for w in ("compress", "decompress"))
    axes.plot(compress, rates, color=colour, marker=marker, lw=2, ms=5)
    axes.plot(decompress, rates, color=colour, marker=marker, lw=1.2, ms=4, mfc="white", ls=(0, (3, 2)))
    return [
        Label(rates[-1], f"{text}, compress", colour, compress[-1]),
        Label(rates[0], f"{text}, decompress", colour, decompress[0]),
    ]


def _profiles(run: Run, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Seconds an image by part, with one thread."""
    limit = min(run.report.facts.images, 1000)
    plan = Plan(run.dataset, options.data, limit, run.report.facts.seed)
    pictures = [(f"{i:05d}", picture) for i, (_, picture) in enumerate(worker.select(plan))]
    found = {}
    for steps in (0, 7):
        method = Ours(run.report.models[-1].model, Effort(steps))
        files = method.encode(pictures, False)
        method.decode(files)
        for name, work in (
            ("compress", lambda method=method: method.encode(pictures, False)),
            ("decompress", lambda method=method, files=files: method.decode(files)),
        ):
            found[f"{name}, K = {steps}"] = {k: v / len(pictures) for k, v in profile(work).items()}
    return found


def _profile_table(profiles: dict[str, dict[str, dict[str, float]]]) -> str:
    """A row for each work, a column for each part that takes any time."""
    works = {
        f"{title.partition(',')[0]}: {work}": parts for title, ws in profiles.items() for work, parts in ws.items()
    }
    parts = [part for part in PARTS if any(found[part] >= _LEAST for found in works.values())]
    rows = [[work, *(f"{1e3 * found[part]:.3f}" for part in parts)] for work, found in works.items()]
    return common.markdown(["", *parts], rows)


if __name__ == "__main__":
    main()
