"""The paper's Figure 8, bits per dimension over time: ``python benchmarks/paper/figure8.py --data DIR``.

The rates and times are those that ``figure7.py`` measured; measured here is a profile at K = 0 and
K = 7 that tells where the time goes, on a machine that should do nothing else. Writes
``results/figure8.json``, ``.md`` and ``.png`` beside this file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import common
from common import HALF_ASLEEP, NO_MODEL, PAPER, Run
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from vaezip.bench import machine, worker
from vaezip.bench.ours import Ours
from vaezip.bench.plan import Plan
from vaezip.bench.plots import COLOURS, MARKERS, Label, duration, frame, limits_with_margin, name_lines, seconds_axis
from vaezip.bench.report import ModelRow
from vaezip.codec.compress_options import Options
from vaezip.models.effort import Effort

sys.path.insert(0, str(Path(__file__).parents[1]))
from profiling import PARTS, profile

FIGURE = "figure8"
STYLES = {NO_MODEL: (COLOURS[1], MARKERS[1]), HALF_ASLEEP: (COLOURS[0], MARKERS[0])}
PROFILED_STEPS = (0, 7)
WORKS = ("compress", "decompress")
_LEAST = 5e-7
"""Seconds an image that show in the table."""

Profiles = dict[str, dict[str, dict[str, float]]]
"""Seconds an image, by title of the run, work ("compress, K = 0") and part."""


def main() -> None:
    """Command line of this script."""
    options = common.arguments(__doc__, measures=False)
    runs, skipped = common.held(options)
    file = common.path(options, FIGURE, ".json")
    if options.draw:
        profiles = json.loads(file.read_text())["profiles"]
    else:
        profiles = {run.title: _profiles(run, options) for run in runs if run.images != common.ALL}
        found = {"figure": FIGURE, "quick": options.quick, **machine.this_run(), "profiles": profiles}
        file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    text = document(runs, profiles, skipped)
    common.path(options, FIGURE, ".md").write_text(text)
    draw(runs).savefig(common.path(options, FIGURE, ".png"), dpi=150)
    print(text)


def document(runs: list[Run], profiles: Profiles, skipped: dict[str, str]) -> str:
    """Tables, and why the steps cost what they do."""
    text = comparison(runs) + "".join(f"\n{what.capitalize()}.\n" for what in common.apart(runs))
    if profiles:
        text += "\nMilliseconds per image by part, one thread, without verification; K steps at K = 0 are those that\n"
        text += "choose the z of the first image of the file:\n\n"
        text += _profile_table(profiles) + "\n" + explanation(runs, profiles)
    return text + "".join(f"\nSkipped: `{name}`: {reason}.\n" for name, reason in skipped.items())


def comparison(runs: list[Run]) -> str:
    """Paper / ours, time per image; under the title of a run stands the commit that was measured."""
    head = ["", "", "K = 0", "largest K", "times faster at K = 0", "K steps add to K = 0"]
    rows = []
    for run in runs:
        p, last = PAPER[run.dataset], run.last
        start, end = (run.at(HALF_ASLEEP, k) or run.at(NO_MODEL, k) for k in (0, last))
        steps = p.matching or PROFILED_STEPS[-1]
        matching = run.at(HALF_ASLEEP, steps) or run.at(NO_MODEL, steps)
        if not start or not end:
            continue
        rows.append(
            [
                f"**{run.title}**",
                "paper",
                duration(p.seconds),
                f"{duration(p.seconds_refined)} (K = 10)",
                "1",
                "–" if p.extra is None else f"{p.extra} % (K = {steps})",
            ]
        )
        for under, what, name in (
            (f"at {run.commit}", "compress_s", "compress and verify"),
            ("", "encode_s", "compress"),
            ("", "decompress_s", "decompress"),
        ):
            t0, t1 = (getattr(row.figures, what) for row in (start, end))
            extra = f"{100 * (getattr(matching.figures, what) / t0 - 1):.0f} % (K = {steps})" if matching else "–"
            rows.append(
                [under, f"ours, {name}", duration(t0), f"{duration(t1)} (K = {last})", f"{p.seconds / t0:.0f}", extra]
            )
    return common.markdown(head, rows)


def explanation(runs: list[Run], profiles: Profiles) -> str:
    """Why the steps add more per cent than the paper's, from the profiles."""
    text = """Why the steps add more per cent to the time than in the paper: a step is a forward and a backward pass of
the decoder network, with the gradient of the likelihood between them and Adam after them; compressing takes it,
verifying what was compressed takes it again, and so does decompressing, which knows the image before it needs q. A
step takes less time here than in the paper, but what it is added to takes less still: one pass of each network, the
distributions and the stack.

"""
    return text + "".join(_explained(run, profiles[run.title]) for run in runs if run.title in profiles)


def _explained(run: Run, profiles: dict[str, dict[str, float]]) -> str:
    """A list item: what a step of a data set takes, and what it would have to take."""
    p, (_, most) = PAPER[run.dataset], PROFILED_STEPS
    at_zero = [profiles[f"{work}, K = 0"] for work in WORKS]
    at_most = [profiles[f"{work}, K = {most}"] for work in WORKS]
    bases = [sum(parts.values()) for parts in at_zero]
    steps = [(after["K steps"] - before["K steps"]) / most for before, after in zip(at_zero, at_most)]
    passes = [parts["decoder network"] for parts in at_zero]
    base_less, step_less = [p.seconds / base for base in bases], [p.step_s / step for step in steps]
    text = (
        f"- {p.title}: to compress and to decompress take {_both(bases, duration)} at K = 0, "
        f"{_both(base_less, _whole)} times less than the paper's {duration(p.seconds)}. A step adds "
        f"{_both(steps, duration)}, {_both(step_less, _whole)} times less than the paper's {duration(p.step_s)}, "
        f"and as much as {_both(_ratios(steps, passes), _tenths)} passes of the decoder network."
    )
    if p.matching and p.extra:
        allowed = [p.extra / 100 * base / p.matching for base in bases]
        text += (
            f" The paper's {p.extra} % at K = {p.matching} would leave it {_both(_ratios(allowed, passes), _tenths)} "
            "passes, and it cannot do with less than two, forward and backward."
        )
    return text + "\n"


def _ratios(seconds: list[float], passes: list[float]) -> list[float]:
    return [s / one for s, one in zip(seconds, passes)]


def _both(values: list[float], form: Callable[[float], str]) -> str:
    """To compress, and to decompress."""
    return " and ".join(form(value) for value in values)


def _whole(value: float) -> str:
    return f"{value:.0f}"


def _tenths(value: float) -> str:
    return f"{value:.1f}"


def draw(runs: list[Run]) -> Figure:
    """A panel a data set: of the images that the paper took, or of what there is."""
    shown = [run for run in runs if run.images != common.ALL] or runs
    layout = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.15)
    figure = Figure(figsize=(6.2 * len(shown), 4.6), layout=layout)
    for axes, run in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown):
        _panel(axes, run)
    return figure


def _panel(axes: Axes, run: Run) -> None:
    frame(axes, title=f"{run.title}, in one file", below=f"time per image, from K = 0 (top) to K = {run.last} (bottom)")
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
    limits_with_margin(axes)
    name_lines(axes, labels)


def _curve(axes: Axes, rows: list[ModelRow], text: str, colour: str, marker: str) -> list[Label]:
    """Compressing, with verification, as a full line; decompressing as a broken one."""
    rates = [row.figures.bpd for row in rows]
    compress, decompress = ([getattr(r.figures, f"{w}_s") for r in rows] for w in ("compress", "decompress"))
    axes.plot(compress, rates, color=colour, marker=marker, lw=2, ms=5)
    axes.plot(decompress, rates, color=colour, marker=marker, lw=1.2, ms=4, mfc="white", ls=(0, (3, 2)))
    return [
        Label(rates[-1], f"{text}, compress", colour, compress[-1]),
        Label(rates[-1], f"{text}, decompress", colour, decompress[-1]),
    ]


def _profiles(run: Run, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Seconds an image by part, with one thread."""
    limit = min(run.report.facts.images, 1000)
    plan = Plan(run.dataset, options.data, limit, run.report.facts.seed)
    pictures = [(f"{i:05d}", picture) for i, (_, picture) in enumerate(worker.select(plan))]
    found = {}
    for steps in PROFILED_STEPS:
        method = Ours(Options(model=run.report.models[-1].model, effort=Effort(steps)))
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
    parts = [part for part in PARTS if any(found.get(part, 0.0) >= _LEAST for found in works.values())]
    rows = [[work, *(f"{1e3 * found.get(part, 0.0):.3f}" for part in parts)] for work, found in works.items()]
    return common.markdown(["", *parts], rows)


if __name__ == "__main__":
    main()
