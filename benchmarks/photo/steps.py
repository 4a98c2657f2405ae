"""What K steps on the posteriors of z bring a photograph model:
``python benchmarks/photo/steps.py --photos FOLDER --data DIR``.

* ``photographs``: RGB pictures of a folder, drawn at random, by ``photo``, each a file of its own.
* ``cifar10``: test images of CIFAR-10, drawn at random, because the first may all be of one class, by
  ``photo-small``, in one file.

The pixel network stays as it is (an ``Effort`` with no rows): what is gained when it learns is in
``benchmarks/learning``. Sizes are those of ``.vz`` files; each is decoded and compared bit for bit, and the first
that differs ends the script. Seconds to compress are without the codec's own verification. Writes ``steps.json``
after each K, then ``steps.png`` and ``README.md``; a call that was cut is gone on with by the same call.
``--quick`` (a picture or two, K = 0 and 1) writes ``steps-quick.json`` and its plot.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import readme
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from threadpoolctl import threadpool_limits

from vaezip.bench import ours, runner, worker
from vaezip.bench.measure import measure
from vaezip.bench.method import Named
from vaezip.bench.ours import Ours
from vaezip.bench.plan import Plan, parse_steps
from vaezip.bench.plots import COLOURS, MARKERS, Label, frame, limits_with_margin, name_lines, seconds_axis
from vaezip.bench.report import ModelRow, Report
from vaezip.codec.compress_options import Options
from vaezip.models.effort import Effort

STEPS = "1..3,5,7,10"
SEED = 0
"""Of the photographs and images drawn."""

QUICK = {"steps": "1", "limit": 1, "cifar": 8}
TITLES = {"photographs": "{model}, photographs", "cifar10": "{model}, CIFAR-10"}
_CHANNELS = 3


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this script."""
    options = parsed(arguments)
    path: Path = options.out / f"steps{'-quick' if options.quick else ''}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    found = Reports(path)
    with threadpool_limits(1):
        for name, plan in plans(options).items():
            found.fill(name, plan)
    found.draw().savefig(path.with_suffix(".png"), dpi=150)
    if not options.quick:
        readme.write(options.out)


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", required=True, metavar="FOLDER", help="folder with RGB photographs")
    parser.add_argument("--limit", type=int, default=4, metavar="N", help="how many of them  [default: 4]")
    parser.add_argument("--data", metavar="DIR", help="folder with the data sets")
    parser.add_argument("--cifar", type=int, default=1000, metavar="N", help="images of CIFAR-10; 0 leaves them out")
    parser.add_argument("--steps", default=STEPS, metavar="K", help=f"values of K beside 0  [default: {STEPS}]")
    parser.add_argument("--model", default="photo", help="for photographs: name of a shipped model, or path")
    parser.add_argument("--small-model", default="photo-small", help="for CIFAR-10")
    parser.add_argument("--quick", action="store_true", help="a picture or two at K = 0 and 1: to see it run")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder for the results")
    options = parser.parse_args(arguments)
    if options.quick:
        parser.set_defaults(**QUICK)
        options = parser.parse_args(arguments)
    try:
        options.steps = parse_steps(f"0,{options.steps}")
    except ValueError as error:
        parser.error(str(error))
    return options


def plans(options: argparse.Namespace) -> dict[str, Plan]:
    """What is measured, by the name of the set."""
    alone = {"steps": options.steps, "peers": (), "repeats": 1}
    found = {
        "photographs": Plan(
            options.photos, limit=options.limit, seed=SEED, models=(options.model,), orders=("single",), **alone
        )
    }
    if options.cifar:
        images = {"limit": options.cifar, "seed": SEED}
        found["cifar10"] = Plan(
            "cifar10", options.data, models=(options.small_model,), orders=("set",), **images, **alone
        )
    return found


class OnPosteriors(Ours):
    """vaezip with K steps on each posterior, and a pixel network that learns nothing."""

    verifies = False

    def __init__(self, model: str, steps: int) -> None:
        super().__init__(Options(model=model, effort=Effort(steps, rows=0)))

    def encode(self, prepared: Sequence[Named], verify: bool) -> list[bytes]:
        """One file; the pictures are compared by who measures."""
        return super().encode(prepared, False)


def measured(plan: Plan, steps: int) -> ModelRow:
    """One K."""
    method = OnPosteriors(plan.models[0], steps)
    with tempfile.TemporaryDirectory(prefix="vaezip-steps-") as folder:
        figures = measure(method, worker.select(plan), order=plan.orders[0], repeats=plan.repeats, folder=Path(folder))
    figures = replace(figures, peak_mb=None)  # of a process that did more than this
    return ModelRow(model=method.label, steps=steps, elbo_bpd=None, figures=figures, **ours.information(method.chosen))


@dataclass
class Reports:
    """What the JSON holds: a report for each set."""

    path: Path

    def __post_init__(self) -> None:
        found = json.loads(self.path.read_text())["sets"] if self.path.exists() else {}
        self.sets = {name: Report.from_dict(fields) for name, fields in found.items()}

    def fill(self, name: str, plan: Plan) -> None:
        """Measure every K; rows that are there stay, where pictures, model, machine and source are the same."""
        report = runner.run(replace(plan, steps=()))
        fingerprint = ours.information(OnPosteriors(plan.models[0], 0).chosen)["fingerprint"]
        old = self.sets.get(name)
        known: dict[int, ModelRow] = {}
        if old and _comparable(old) == _comparable(report):
            known = {row.steps: row for row in old.models if row.fingerprint == fingerprint}
        for steps in plan.steps:
            if steps not in known:
                known[steps] = measured(plan, steps)
                print(name, json.dumps(_line(known[steps])), flush=True)
            self.sets[name] = replace(report, models=[known[k] for k in sorted(known)])
            self.save()

    def save(self) -> None:
        """Write the file."""
        fields = {"sets": {name: report.to_dict() for name, report in self.sets.items()}}
        self.path.write_text(json.dumps(fields, indent=1, ensure_ascii=False) + "\n")

    def draw(self) -> Figure:
        """What is saved over K, and over the time to decompress, a curve a set."""
        figure = Figure(figsize=(14.8, 4.8), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12))
        left, right = figure.subplots(1, 2)
        saved = "bytes against K = 0, %"
        frame(left, title="K steps on the posteriors of z", below="K", beside=saved)
        frame(right, title="The same over time", below="time to decompress a megapixel, one thread", beside=saved)
        left.xaxis.set_major_locator(MaxNLocator(integer=True))
        seconds_axis(right)
        right.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        right.xaxis.set_minor_formatter(NullFormatter())
        for axes, x_of in ((left, _steps), (right, _seconds_a_megapixel)):
            labels = []
            for (name, report), colour, marker in zip(self.sets.items(), COLOURS, MARKERS):
                x, y = [x_of(row) for row in report.models], against_first(report)
                axes.plot(x, y, color=colour, marker=marker, lw=2, ms=6)
                labels.append(Label(y[-1], TITLES[name].format(model=report.models[0].model), colour, x[-1]))
            limits_with_margin(axes)
            name_lines(axes, labels, lambda percent: f"{percent:+.3f} %")
        return figure


def against_first(report: Report) -> list[float]:
    """What the files of each row are larger than those of the first, in percent."""
    return [100 * (row.figures.bytes / report.models[0].figures.bytes - 1) for row in report.models]


def _steps(row: ModelRow) -> float:
    return row.steps


def _seconds_a_megapixel(row: ModelRow) -> float:
    return _CHANNELS / row.figures.decompress_mb_s


def _comparable(report: Report) -> dict[str, Any]:
    return replace(report, models=[], created="").to_dict()


def _line(row: ModelRow) -> dict[str, Any]:
    f = row.figures
    return {
        "K": row.steps,
        "bytes": f.bytes,
        "bpd": f.bpd,
        "compress_s": f.compress_s,
        "decompress_s": f.decompress_s,
    }


if __name__ == "__main__":
    main()
