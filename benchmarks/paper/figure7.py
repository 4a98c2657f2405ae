"""The paper's Figure 7, bits per dimension over K: ``python benchmarks/paper/figure7.py --data DIR``.

Measures the encoders trained by the classic objective and by reverse half-asleep at K = 0 … 10 on
binary MNIST, grey MNIST and CIFAR-10, over 1,000 test images and over all, each set in one ``.vz``
that is decoded and compared. Writes ``results/figure7.json``, ``.md`` and ``.png`` beside this file.

Times are taken in the same runs, for ``figure8.py``: the machine should do nothing else.
"""

from __future__ import annotations

from itertools import pairwise

import common
from common import HALF_ASLEEP, NO_MODEL, PAPER, Run
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from vaezip.bench.plots import COLOURS, MARKERS, Label, frame, limits_with_margin, name_lines

STYLES = {NO_MODEL: (COLOURS[1], MARKERS[1]), HALF_ASLEEP: (COLOURS[0], MARKERS[0])}


def main() -> None:
    """Command line of this script."""
    options = common.arguments(__doc__)
    runs, skipped = common.measure(options)
    if not runs:
        raise SystemExit(f"nothing to measure: {skipped}")
    checks = {run.title: verdicts(run) for run in runs}
    common.save(options, runs, skipped, checks=checks)
    text = comparison(runs) + "\n" + "\n".join(_spoken(title, found) for title, found in checks.items())
    text += "".join(f"\n\nSkipped: `{name}`: {reason}." for name, reason in skipped.items()) + "\n"
    common.path(options, common.CURVES, ".md").write_text(text)
    draw(runs).savefig(common.path(options, common.CURVES, ".png"), dpi=150)
    print(text)


def comparison(runs: list[Run]) -> str:
    """Paper / ours, bits per dimension."""
    head = [
        "",
        "",
        "classic, K = 0",
        "half-asleep, K = 0",
        "half-asleep, largest K",
        "saved by the steps",
        "over −ELBO, K = 0",
    ]
    rows = []
    for run in runs:
        p, last = PAPER[run.dataset], run.last
        whole = run.images == common.ALL
        classic, half, refined = (_bpd(run, o, k) for o, k in ((NO_MODEL, 0), (HALF_ASLEEP, 0), (HALF_ASLEEP, last)))
        gain = None if half is None or refined is None else half - refined
        paper = (
            (p.whole_classic, p.whole_half_asleep, None, None)
            if whole
            else (p.classic, p.half_asleep, p.refined, p.gain)
        )
        rows.append([f"**{run.title}**", "paper", *map(common.rate, paper), "–"])
        rows.append(
            [
                "",
                "ours",
                *map(common.rate, (classic, half)),
                f"{common.rate(refined)} (K = {last})",
                common.rate(gain),
                _overhead(run),
            ]
        )
    return common.markdown(head, rows)


def verdicts(run: Run) -> dict[str, bool | None]:
    """What the figure must show; None where a model is missing."""
    curves = {o: [row.figures.bpd for row in run.rows(o)] for o in (NO_MODEL, HALF_ASLEEP)}
    falls = {o: all(b < a for a, b in pairwise(rates)) if rates else None for o, rates in curves.items()}
    both = all(curves.values())
    gains = [rates[0] - rates[-1] for rates in curves.values() if rates]
    return {
        "falls with every K, classic": falls[NO_MODEL],
        "falls with every K, half-asleep": falls[HALF_ASLEEP],
        "half-asleep below classic at every K": all(h < c for c, h in zip(*curves.values())) if both else None,
        "the largest K saves at least the paper's bits": min(gains) >= PAPER[run.dataset].gain,
    }


def draw(runs: list[Run]) -> Figure:
    """A panel a run: a row for each choice of images, a column for each data set."""
    kinds = list(dict.fromkeys(_kind(run) for run in runs))
    names = [name for name in PAPER if any(run.dataset == name for run in runs)]
    layout = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.15)
    figure = Figure(figsize=(5.8 * len(names), 4.6 * len(kinds)), layout=layout)
    panels = figure.subplots(len(kinds), len(names), squeeze=False)
    for i, kind in enumerate(kinds):
        for axes, name in zip(panels[i], names):
            run = next((r for r in runs if r.dataset == name and _kind(r) == kind), None)
            axes.set_visible(run is not None)
            if run:
                _panel(axes, run)
    return figure


def _panel(axes: Axes, run: Run) -> None:
    frame(axes, title=f"{run.title}, in one file", below="K, steps of inference per image (dotted: −ELBO)")
    p, labels = PAPER[run.dataset], []
    for objective, (colour, marker) in STYLES.items():
        rows = run.rows(objective)
        if rows:
            axes.plot([r.steps for r in rows], [r.figures.bpd for r in rows], color=colour, marker=marker, lw=2, ms=6)
            axes.plot([r.steps for r in rows], [r.elbo_bpd for r in rows], color=colour, lw=1.2, ls=(0, (2, 2)))
            labels.append(Label(rows[-1].figures.bpd, objective, colour, rows[-1].steps))
    whole = run.images == common.ALL
    common.mark_paper(axes, 0, p.whole_classic if whole else p.classic, "classic, K = 0", above=True)
    common.mark_paper(axes, 0, p.whole_half_asleep if whole else p.half_asleep, "half-asleep, K = 0", above=False)
    if not whole:
        common.mark_paper(axes, 10, p.refined, "both, K = 10", above=False, left=True, drop=13)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    limits_with_margin(axes)
    name_lines(axes, labels)


def _kind(run: Run) -> str:
    """Whole test sets stand in a row of their own."""
    return "all" if run.images == common.ALL else "some"


def _bpd(run: Run, objective: str, steps: int) -> float | None:
    row = run.at(objective, steps)
    return row.figures.bpd if row else None


def _overhead(run: Run) -> str:
    row = run.at(HALF_ASLEEP, 0) or run.at(NO_MODEL, 0)
    return f"{100 * row.overhead:.2f} %" if row and row.overhead is not None else "–"


def _spoken(title: str, found: dict[str, bool | None]) -> str:
    words = {True: "yes", False: "**no**", None: "not measured"}
    return f"{title}: " + "; ".join(f"{what}: {words[value]}" for what, value in found.items()) + "."


if __name__ == "__main__":
    main()
