"""The paper's figures, and how ours are measured to stand beside them.

The paper is Zhang, Hayes, Barber, "Generalization Gap in Amortized Inference", NeurIPS 2022. Its
rates are net of 6,400 random initial bits an image, and nothing is written to disk; ours are those
of ``.vz`` files with all that they hold. Its times are those of a CPU that it does not name.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from vaezip.bench import machine, runner
from vaezip.bench.plan import Plan
from vaezip.bench.plots import GREY, bits
from vaezip.bench.report import ModelRow, Report
from vaezip.models import file as model_file
from vaezip.pictures import datasets

RESULTS = Path(__file__).parent / "results"

FIRST = "the first {:,} test images"
DRAWN = "{:,} test images drawn at random"
ALL = "all 10,000 test images"
QUICK = "100 test images"

STEPS = tuple(range(11))
QUICK_STEPS = (0, 3)
LONG_STEPS = (0, 10)
"""K for whole test sets that take hours at every K."""
REPEATS = 3
"""Of the work on a set, where that is not long."""
_SHORT = 10
"""Digits of a commit that are shown."""
CURVES = "figure7"
"""The result that holds the rates and times of Figures 7 and 8, which are of the same files."""


@dataclass(frozen=True)
class Paper:
    """What the paper reports of a data set; bits per dimension, and seconds an image on a CPU.

    Attributes:
        classic, half_asleep: rate at K = 0 of the first 1,000 test images, by training of the encoder.
        refined: rate at K = 10, by either.
        gain: bits that the K = 10 steps save.
        seconds, seconds_refined: at K = 0 and K = 10.
        whole_classic, whole_half_asleep: Table 1, whole test set, K = 0.
        matching: K with which the classic encoder reaches what half-asleep gives at K = 0; None where the
            paper does not say.
        extra: what these steps add to the time at K = 0, in per cent; None where the paper does not say.
    """

    title: str
    classic: float
    half_asleep: float
    refined: float
    gain: float
    seconds: float
    seconds_refined: float
    whole_classic: float
    whole_half_asleep: float
    matching: int | None = None
    extra: float | None = None

    @property
    def step_s(self) -> float:
        """Seconds that one step adds."""
        return (self.seconds_refined - self.seconds) / 10


PAPER = {
    "mnist-binary": Paper("binary MNIST", 0.1854, 0.1789, 0.1725, 0.0064, 0.006, 0.017, 0.200, 0.187, 7, 116.7),
    "mnist": Paper("grey MNIST", 1.562, 1.552, 1.537, 0.015, 0.05, 0.065, 1.543, 1.513),
    "cifar10": Paper("CIFAR-10", 4.605, 4.586, 4.572, 0.0146, 0.24, 0.42, 4.592, 4.572, 8, 46.2),
}

NO_MODEL, HALF_ASLEEP = "classic", "half-asleep"


@dataclass(frozen=True)
class Run:
    """One data set, some of its images."""

    dataset: str
    images: str
    report: Report

    @property
    def title(self) -> str:
        """For people."""
        return f"{PAPER[self.dataset].title}, {self.images}"

    def rows(self, objective: str) -> list[ModelRow]:
        """The figures of one encoder, by K; empty where there is no such model."""
        return [row for row in self.report.models if _objective(row) == objective]

    def at(self, objective: str, steps: int) -> ModelRow | None:
        """The figures of one encoder at one K."""
        return next((row for row in self.rows(objective) if row.steps == steps), None)

    @property
    def commit(self) -> str:
        """Of the source that was measured, for people."""
        if not self.report.commit:
            return "an unknown commit"
        known, dirty, _ = self.report.commit.partition("-dirty")
        return f"commit {known[:_SHORT]}{dirty}"

    @property
    def last(self) -> int:
        """The largest K."""
        return max(row.steps for row in self.report.models)


def arguments(description: str | None, measures: bool = True) -> argparse.Namespace:
    """The command line that the scripts share; what is measured is said to the one that does."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", default=None, help="folder with the data sets")
    parser.add_argument("--quick", action="store_true", help="100 images at K = 0 and 3: minutes, not hours")
    add_results(parser)
    parser.add_argument("--draw", action="store_true", help="measure nothing: draw what the results hold")
    if measures:
        parser.add_argument("--only", choices=list(PAPER), action="append", help="measure these anew, keep the rest")
        parser.add_argument(
            "--images", choices=("first", "all"), action="append", help="which images; both if not given"
        )
        parser.add_argument("--count", type=int, default=1000, help="how many are the first images")
        parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def add_results(parser: argparse.ArgumentParser) -> None:
    """The option that says where results are written; those of a quick run stand apart from the committed ones."""
    parser.add_argument(
        "--results",
        type=Path,
        metavar="DIR",
        help="folder for results; if not given, results, or with --quick results/quick, which git ignores",
    )


def held(options: argparse.Namespace) -> tuple[list[Run], dict[str, str]]:
    """What the results hold: runs in the order of the paper, and what was skipped, and why."""
    file = path(options, CURVES, ".json")
    if not file.exists():
        sys.exit(f"{file} is not there; make it: python benchmarks/paper/{CURVES}.py --data DIR")
    return list(_read(file).values()), json.loads(file.read_text())["skipped"]


def measure(options: argparse.Namespace) -> tuple[list[Run], dict[str, str]]:
    """Measure what the command line asks for, and read what is kept.

    A call that was cut is gone on with by the same call, row by row, until :func:`save`.

    Args:
        options: of :func:`arguments`.

    Returns:
        The runs in the order of the paper, and what was skipped, and why.
    """
    if options.draw:
        return held(options)
    kept, unfinished = _kept(options), Unfinished(options)
    skipped: dict[str, str] = {}
    for dataset in options.only or PAPER:
        models = [name for name in (f"{dataset}-classic", dataset) if name in model_file.shipped()]
        for name in {f"{dataset}-classic", dataset} - set(models):
            skipped[name] = "no model of this name is shipped"
        if not models:
            continue
        for images, plan in _plans(options, dataset):
            plan = replace(plan, models=tuple(models), repeats=REPEATS)
            print(f"{PAPER[dataset].title}, {images}", flush=True)
            kept[dataset, images] = unfinished.measure(dataset, images, plan)
    runs = sorted(kept.values(), key=lambda run: list(PAPER).index(run.dataset))
    return runs, skipped


def save(options: argparse.Namespace, runs: list[Run], skipped: dict[str, str], **more: Any) -> None:
    """Write the results as JSON; these runs are finished then."""
    fields = {"figure": CURVES, "quick": options.quick, "skipped": skipped, **more}
    _write(path(options, CURVES, ".json"), fields, runs)
    Unfinished(options).drop(runs)


class Unfinished:
    """Rows of runs that are not in the results yet, in a file of their own, ``-part.json``.

    They stand apart, so that the results hold whole runs only, and no file that git knows changes while commits are
    told.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.path = path(options, CURVES, "-part.json")
        self.runs = _read(self.path) if self.path.exists() else {}

    def measure(self, dataset: str, images: str, plan: Plan) -> Run:
        """A run: each model with each K in turn, unless it is there already; each is kept as it comes."""
        run = self._begun(dataset, images, plan)
        done = {(row.model, row.steps) for row in run.report.models} if run else set()
        for model, steps in product(plan.models, plan.steps):
            if (model, steps) in done:
                continue
            report = runner.run(replace(plan, models=(model,), steps=(steps,)))
            print(f"  {model}, K = {steps}: {rate(report.models[0].figures.bpd)} bits per dimension", flush=True)
            run = Run(dataset, images, _joined(run.report, report) if run else report)
            self.runs[dataset, images] = run
            self._save()
        assert run
        return run

    def drop(self, runs: list[Run]) -> None:
        """Forget runs that are finished."""
        finished = {(run.dataset, run.images) for run in runs}
        self.runs = {key: run for key, run in self.runs.items() if key not in finished}
        self._save()

    def _begun(self, dataset: str, images: str, plan: Plan) -> Run | None:
        """What there is of a run, if the same source measured it as it would now; of the same models alone."""
        run = self.runs.get((dataset, images))
        if not run or _circumstances(run.report) != (
            plan.device,
            plan.threads,
            machine.describe(plan.device),
            machine.versions(plan.device),
            machine.commit(),
        ):
            return None
        own = {name: model_file.fingerprint(model_file.find(name)).hex() for name in plan.models}
        rows = [r for r in run.report.models if r.steps in plan.steps and own.get(r.model) == r.fingerprint]
        return replace(run, report=replace(run.report, models=rows))

    def _save(self) -> None:
        if self.runs:
            _write(self.path, {}, list(self.runs.values()))
        else:
            self.path.unlink(missing_ok=True)


def _circumstances(report: Report) -> tuple[Any, ...]:
    return report.device, report.threads, report.machine, report.versions, report.commit


def _joined(one: Report, other: Report) -> Report:
    """Rows of both, which must be of the same images."""
    if one.facts != other.facts:
        sys.exit("the images are not those of the rows measured before; remove the -part.json beside the results")
    return replace(other, models=[*one.models, *other.models])


def _write(file: Path, fields: dict[str, Any], runs: list[Run]) -> None:
    """What :func:`_read` reads, in one step, so that a call cut while it writes leaves the file whole."""
    file.parent.mkdir(exist_ok=True)
    listed = [{"dataset": run.dataset, "images": run.images, "report": run.report.to_dict()} for run in runs]
    new = file.with_suffix(".tmp")
    new.write_text(json.dumps({**fields, "runs": listed}, indent=1, ensure_ascii=False) + "\n")
    new.replace(file)


def apart(runs: list[Run]) -> list[str]:
    """That times are not to be held against each other, where runs are of different source."""
    if len({run.report.commit for run in runs}) < 2:
        return []
    return ["times at different commits are not to be compared: the source may have become faster between them"]


def path(options: argparse.Namespace, figure: str, suffix: str) -> Path:
    """Of a result, whose folder is made."""
    folder: Path = options.results or (RESULTS / "quick" if options.quick else RESULTS)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{figure}{'-quick' if options.quick else ''}{suffix}"


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A table."""
    lines = [head, ["-"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def mark_paper(axes: Axes, x: float, bpd: float, text: str, above: bool, left: bool = False, drop: float = 0) -> None:
    """A cross where the paper is, with its name and rate beside it, ``drop`` points lower than usual."""
    axes.plot([x], [bpd], marker="x", ms=9, mew=2, ls="", color=GREY)
    axes.annotate(
        f"paper, {text}  {bits(bpd)}",
        (x, bpd),
        (-7 if left else 7, (3 if above else -3) - drop),
        textcoords="offset points",
        ha="right" if left else "left",
        va="bottom" if above else "top",
        fontsize=9,
        color=GREY,
    )


def rate(value: float | None) -> str:
    """Bits per dimension, as many digits as matter."""
    return "–" if value is None else f"{value:.4f}"


def _objective(row: ModelRow) -> str:
    return row.objective or (NO_MODEL if row.model.endswith(f"-{NO_MODEL}") else HALF_ASLEEP)


def _kept(options: argparse.Namespace) -> dict[tuple[str, str], Run]:
    """Runs of an earlier call, if only some are to be measured now."""
    file = path(options, CURVES, ".json")
    return _read(file) if (options.only or options.images) and file.exists() else {}


def _read(file: Path) -> dict[tuple[str, str], Run]:
    """The runs of a file of results."""
    runs = json.loads(file.read_text())["runs"]
    return {
        (run["dataset"], run["images"]): Run(run["dataset"], run["images"], Report.from_dict(run["report"]))
        for run in runs
    }


def _plans(options: argparse.Namespace, dataset: str) -> Iterator[tuple[str, Plan]]:
    """Which images, and K."""
    seed = 0 if _is_sorted(dataset, options.data) else None
    base = Plan(dataset, options.data, orders=("set",), peers=(), threads=options.threads)
    if options.quick:
        yield QUICK, replace(base, limit=100, seed=seed, steps=QUICK_STEPS)
        return
    asked = options.images or ("first", "all")
    if "first" in asked:
        images = (FIRST if seed is None else DRAWN).format(options.count)
        yield images, replace(base, limit=options.count, seed=seed, steps=STEPS)
    if "all" in asked:
        yield ALL, replace(base, steps=LONG_STEPS if dataset == "cifar10" else STEPS)


def _is_sorted(dataset: str, data: str | None) -> bool:
    """Whether the images stand in order of their classes, unlike the published ones: then the first are all alike.

    Neighbours of a class have much more alike mean colours over a thousand images than the whole has.
    """
    if dataset != "cifar10":
        return False
    means = datasets.load(dataset, "test", data).mean(axis=(1, 2, 3))
    blocks = means.reshape(10, -1).mean(axis=1)
    return bool(blocks.std() > 4 * means.std() / np.sqrt(means.size / 10))
