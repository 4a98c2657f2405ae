"""``vaezip bench``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaezip.bench.plan import DEFAULT_PEERS, ORDERS, PEERS, Plan, parse_peers, parse_presets, parse_steps
from vaezip.cli import options, streams
from vaezip.cli.console import Console, blame, with_console
from vaezip.cli.streams import STDIO
from vaezip.errors import DataError

if TYPE_CHECKING:
    from vaezip.bench.report import Report

_PLOT_SUFFIXES = (".png", ".svg")


def _parsed(parse: Callable[[str], tuple[Any, ...]]) -> Callable[..., tuple[Any, ...] | None]:
    """Return the callback that parses an option; an option that is left out stays None."""

    def callback(_: click.Context, __: click.Parameter, value: str | None) -> tuple[Any, ...] | None:
        try:
            return None if value is None else parse(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return callback


def _name(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value == "":
        raise click.BadParameter("the name is empty; give one")
    return value


def _plot(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and Path(value).suffix.lower() not in _PLOT_SUFFIXES:
        raise click.BadParameter("the name must end in .png or .svg")
    return value


@click.command()
@click.option(
    "--dataset",
    required=True,
    callback=_name,
    metavar="NAME|FOLDER",
    help="mnist, mnist-binary, cifar10 or cifar100 (their test images), or a folder of pictures.",
)
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(file_okay=False),
    callback=_name,
    help="Where the named data sets lie, in subfolders mnist, cifar-10-batches-bin, cifar-100-binary.  "
    "[default: $VAEZIP_DATA, then the user's cache, then a download]",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME|PATH|auto",
    help="A model to measure. May be repeated.  [default: the one named like the data set, or auto]",
)
@click.option(
    "--steps",
    metavar="K,...",
    callback=_parsed(parse_steps),
    help="Gradient steps, as --steps of 'compress': 5, or 0,5,10, or 0..10.  [default: 0, unless --presets are given]",
)
@click.option(
    "--presets",
    metavar="N,...",
    callback=_parsed(parse_presets),
    help="What -1 … -9 of 'compress' do: 4, or 1,4,6, or 1..6.",
)
@click.option("--solid", is_flag=True, help="Code up to 16 million pixels as one block, as --solid of 'compress' does.")
@click.option("--order", type=click.Choice(ORDERS), help="All images in one file, or a file an image.  [default: both]")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Measure N images.  [default: all]")
@click.option("--seed", type=click.IntRange(min=0), metavar="S", help="Draw the images at random, not the first ones.")
@click.option(
    "--peers",
    metavar="LIST",
    default=",".join(DEFAULT_PEERS),
    show_default=True,
    callback=_parsed(parse_peers),
    help=f"Other codecs to measure: any of {','.join(PEERS)}; or all; or none.",
)
@click.option("--per-image", is_flag=True, help="Tell the figures of every image, too.")
@click.option(
    "--json",
    "json_file",
    metavar="FILE",
    type=click.Path(),
    callback=_name,
    help="Write all figures to FILE; '-' for stdout.",
)
@click.option(
    "--plot", metavar="FILE", type=click.Path(), callback=_plot, help="Draw rate over K and over time: .png or .svg."
)
@options.force
@options.device
@options.threads
@with_console
def command(*, json_file: str | None, plot: str | None, force: bool, console: Console, **chosen: Any) -> None:
    """Measure rate, time and memory, beside other codecs.

    Rates are those of files that are written, read back, decoded and compared with the images; if one
    of them differs, the exit status is 1. 'docs/bench.md' says what the figures mean.

    \b
    vaezip bench --dataset mnist --steps 0..10 --limit 1000 --plot rates.png
    vaezip bench --dataset photos/ --model auto --presets 1..6 --peers webp,jxl
    """
    plan = _plan(**chosen)
    _check_installed(["rich", *(["matplotlib"] if plot else [])])
    targets = _Targets(json_file, plot, force, _inputs(plan))
    targets.check()
    options.check_device(plan.device)
    from vaezip.bench import runner

    report = runner.run(plan, console.progress)
    targets.write(report)
    console.clear()
    if json_file != STDIO:
        from vaezip.bench import table

        table.show(report, sys.stdout, plan.per_image)


def _plan(steps: tuple[int, ...] | None, presets: tuple[int, ...] | None, order: str | None, **chosen: Any) -> Plan:
    """Return the plan of a command line, whose other options are called as the fields of a plan."""
    steps = steps or (() if presets else (0,))
    return Plan(steps=steps, presets=presets or (), orders=(order,) if order else ORDERS, **chosen)


def _check_installed(packages: list[str]) -> None:
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise DataError(f"bench needs {' and '.join(missing)}", "bench")


def _inputs(plan: Plan) -> list[str]:
    """List the files that must not be overwritten: pictures, and models.

    Raises:
        DataError, ModelError: one of them is missing.
    """
    from vaezip.models import file as model_file
    from vaezip.pictures import datasets

    models = [model_file.find(model) for model in plan.models if model != options.AUTO]
    return [str(path) for path in (*datasets.files(plan.dataset, data=plan.data), *models)]


@dataclass(frozen=True)
class _Targets:
    """The files that the figures go to; None for a file that nobody asks for."""

    json: str | None
    plot: str | None
    force: bool
    inputs: list[str]

    def check(self) -> None:
        """Find out before anything is measured what would keep :meth:`write` from writing."""
        if self.json and self.plot and os.path.realpath(self.json) == os.path.realpath(self.plot):
            raise click.UsageError("--json and --plot name the same file; name two.")
        for target in filter(None, (self.json, self.plot)):
            with blame(streams.target_label(target)):
                streams.check(target, self.force, self.inputs)

    def write(self, report: Report) -> None:
        """Write JSON and plot."""
        if self.json:
            with blame(streams.target_label(self.json)):
                streams.write(self.json, report.to_json().encode(), force=self.force, sources=self.inputs)
        if self.plot:
            from vaezip.bench import plots

            with blame(self.plot):
                streams.write(
                    self.plot, plots.render(report, Path(self.plot).suffix), force=self.force, sources=self.inputs
                )
