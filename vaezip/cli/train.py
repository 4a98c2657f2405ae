"""``vaezip train``."""

from __future__ import annotations

import math
import os
import shlex
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from vaezip.cli import gains, options, streams
from vaezip.cli.console import Console, blame, plural, with_console
from vaezip.cli.progress import duration
from vaezip.cli.streams import PATH
from vaezip.errors import DataError
from vaezip.system import signals
from vaezip.system.threads import usable_cores

if TYPE_CHECKING:
    from vaezip.models.base import Model
    from vaezip.training.data import Split, Survey
    from vaezip.training.families.base import Options
    from vaezip.training.loop import Progress
    from vaezip.training.processes import Processes
    from vaezip.training.trainer import Finished, Plan, Run

OBJECTIVES = {
    "elbo": False,
    "half-asleep": True,
    "reverse-sleep": True,
    "sleep": True,
    "wake-sleep": False,
    "denoising": True,
}
"""The objectives, and whether each keeps the decoder as it is; as
:data:`vaezip.training.objectives.OBJECTIVES`, which is too heavy to import for a help text."""

NUMBERS = {"half-asleep": "α", "denoising": "α:σ"}
"""Numbers that may follow some of them, each above 0 and at most 1."""

_SUFFIX = ".safetensors"
_START, _NOTHING = "auto", "none"
_MOST_SEED = (1 << 31) - 1


def _objectives(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    objectives = tuple(value.split(","))
    names = [_checked(objective) for objective in objectives]
    if OBJECTIVES[names[0]]:
        raise click.BadParameter(f"{names[0]} trains the encoder alone; put elbo or wake-sleep before it")
    return objectives


def _checked(objective: str) -> str:
    """Return the objective's name, if there is such a one and it takes such numbers."""
    name, *values = objective.split(":")
    if name not in OBJECTIVES:
        raise click.BadParameter(f"'{name}' is none of {', '.join(OBJECTIVES)}")
    form = f"{name}:{NUMBERS[name]}" if name in NUMBERS else name
    if len(values) > form.count(":") or not all(map(_is_share, values)):
        numbers = ", each above 0 and at most 1" if name in NUMBERS else ", with no numbers"
        raise click.BadParameter(f"'{objective}' is not of the form {form}{numbers}")
    return name


def _is_share(text: str) -> bool:
    try:
        return 0 < float(text) <= 1
    except ValueError:
        return False


def _epochs(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    if value is None:
        return None
    numbers = value.split(",")
    if not all(number.isdecimal() and int(number) > 0 for number in numbers):
        raise click.BadParameter("give whole numbers above 0, such as 50,10")
    return tuple(map(int, numbers))


def _finite(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    """Refuse what a range lets through: no number, and infinity where it has no end."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"give a finite number, not {value}")
    return value


def _model_file(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.endswith(_SUFFIX):
        raise click.BadParameter(f"the name must end in {_SUFFIX}")
    return value


@click.command()
@click.option(
    "--data",
    "source",
    required=True,
    metavar="NAME|FOLDER",
    help="A folder of pictures of one kind; or mnist, mnist-binary, cifar10 or cifar100 (their training images).",
)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    type=PATH,
    callback=_model_file,
    help="The model file to write, with its card and its figures beside it.  [default: NAME.safetensors]",
)
@click.option(
    "--start",
    metavar="NAME|PATH|auto|none",
    default=_START,
    show_default=True,
    help="The model to go on from: one that comes with vaezip, a model file, whatever of the former makes these "
    "pictures smallest, or none.",
)
@click.option(
    "--arch",
    type=click.Choice(["local", "mlp", "resnet"]),
    help="The network: local for grey and colour of any size, mlp for 28×28 in one channel, resnet for all of any "
    "size.  [default: that of --start; of none local, or for black and white mlp or resnet]",
)
@click.option(
    "--latents",
    type=click.IntRange(1, 4096),
    metavar="N",
    help="Latent variables of each 32×32 pixels of local, of an mlp, or of each 4×4 pixels of a resnet.  "
    "[default: 16, 10 or 4]",
)
@click.option(
    "--hidden",
    type=click.IntRange(1, 65536),
    metavar="N",
    help="Units of the hidden layers of local, a multiple of 32, or of an mlp; or channels of a resnet.  "
    "[default: 96, 500 or 96]",
)
@click.option(
    "--objective",
    "objectives",
    metavar="NAME,...",
    callback=_objectives,
    help=f"What to train for, one stage after the other: {', '.join(OBJECTIVES)}. half-asleep may be followed by "
    "its α, and denoising by α and σ, as in half-asleep:0.2 and denoising:0.5:0.4.  [default: elbo for local, which "
    "takes no other; else elbo,half-asleep]",
)
@click.option(
    "--epochs",
    metavar="N,...",
    callback=_epochs,
    help="Passes over the pictures, for each stage.  [default: by the number of pictures]",
)
@click.option(
    "--batch",
    type=click.IntRange(min=2),
    metavar="N",
    help="Tiles a step.  [default: 16 of local, else 64; fewer for few pictures]",
)
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, min_open=True),
    callback=_finite,
    metavar="R",
    help="Of Adam at the start; half of it in stages that train the encoder alone.  [default: 0.002 for local, "
    "else 0.001; a tenth of it where a model is gone on from]",
)
@click.option(
    "--valid",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    callback=_finite,
    metavar="SHARE",
    default=0.1,
    show_default=True,
    help="Of the pictures, held out to choose the best epoch and to try the model on.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, _MOST_SEED),
    metavar="S",
    default=0,
    show_default=True,
    help="Of the split, the first weights and all noise.",
)
@options.force
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True, help="Where to train.")
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    metavar="N",
    show_default="cores that can be used",
    help="For each process. Unlike elsewhere, another number may change the last digits.",
)
@with_console
def command(
    *, source: str, output: str | None, start: str, force: bool, device: str, console: Console, **chosen: Any
) -> None:
    """Train a model on pictures of your own.

    Cuts the pictures into tiles, goes on from the model that comes with vaezip and suits them best, puts
    the result on integers, and tries it on the pictures held out: beside that model, so that you see
    whether the training pays. What comes out works at once:

    \b
    vaezip train --data photos/
    vaezip compress --model photos.safetensors --embed-model photos/ -o photos.vz

    Until it is done the run lives in the folder OUT.training (photos.training). Stopped at any
    moment, it goes on when the same command is given again. 'torchrun --nproc-per-node N -m vaezip
    train ...' shares the work among N processes. 'docs/training.md' tells more.
    """
    if chosen["objectives"]:
        _check_count(chosen["epochs"], chosen["objectives"])
    if find_spec("torch") is None:
        raise DataError("train needs PyTorch", remedy="torch")
    target = Path(output or (os.path.basename(os.path.abspath(source)) + _SUFFIX))
    from vaezip.training import processes, trainer
    from vaezip.training.families.base import Options

    folder = _beside(target, ".training")
    for suffix in reversed(trainer.SUFFIXES):
        path = _beside(target, suffix)
        with blame(str(path)):
            streams.check(str(path), force or trainer.describes(path, folder / target.name))
    options.check_device(device)
    threads = chosen.pop("threads") or max(1, usable_cores() // processes.processes_here())
    with processes.started(device) as group:
        job = _Job(source, target, device, threads, group, console)
        job.run(Options(**chosen), start, force, _command_line(click.get_current_context()))


def _check_count(epochs: tuple[int, ...] | None, objectives: tuple[str, ...]) -> None:
    if epochs and len(epochs) != len(objectives):
        raise click.UsageError(f"--epochs must give {plural(len(objectives), 'number')}, one for each objective.")


class _Job:
    """One command line."""

    def __init__(self, source: str, target: Path, kind: str, threads: int, group: Processes, console: Console) -> None:
        self.source, self.target, self.kind, self.threads, self.group = source, target, kind, threads, group
        self.console = console if group.first else Console(quiet=True)
        self.shipped: Path | None = None

    def run(self, wanted: Options, start: str, force: bool, command: str) -> None:
        """Read, train, finish, compare."""
        import torch

        from vaezip.training import data, trainer
        from vaezip.training.processes import own_device

        device = own_device(self.kind)
        torch.set_num_threads(self.threads)
        with blame(self.source):
            found = data.survey(self.source, self.console.progress)
            asked = trainer.architecture_of(wanted, found)
            first = self._first(found, wanted, start)
            wanted = replace(wanted, begun=first is not None)
            architecture = first.architecture if first else asked
            _check_count(wanted.epochs, trainer.objectives_of(wanted, architecture))
            split = data.split(found, architecture, share=wanted.valid, seed=wanted.seed, report=self.console.progress)
        for reason in found.skipped:
            self.console.note(f"{reason}; skipped")
        plan = trainer.plan_of(wanted, architecture, split, name=found.collection.name)
        run = trainer.Run(plan, split, seed=wanted.seed, folder=_beside(self.target, ".training"), start=first)
        self._tell(_about(self.source, found, split, plan) + (f", from {first.name}" if first else ""))
        if self.group.first:
            with blame(None):
                resumed = run.open(force)
            if resumed:
                self._tell(f"going on in {run.folder}")
            self._tell_time(run, device)
        with blame(self.source):
            vae = run.train(device, self.group, _Clock(plan, split, self.console))
        if self.group.first:
            self._finish(run, run.finish(vae, self.target, command=[command], threads=self.threads))

    def _first(self, found: Survey, wanted: Options, start: str) -> Model | None:
        """Return the model to begin with, if there is one, and keep the best of those that come with vaezip."""
        from vaezip.models import file as model_file
        from vaezip.training import beginning, data

        paths = beginning.fitting(found)
        self.console.progress("comparing the models that come with vaezip")
        ranked = [path for path, _ in beginning.ranked(paths, data.sample(found, wanted.seed), self.threads)]
        self.shipped = ranked[0] if ranked else None
        if start == _NOTHING:
            return None
        if start != _START:
            return beginning.model_to_begin_with(model_file.find(start), wanted, found)
        fit = (path for path in ranked if beginning.can_begin(path, wanted, found))
        return next(map(model_file.load, fit), None)

    def _tell_time(self, run: Run, device: str) -> None:
        """Tell how long it will take, before it begins, and how it goes on once it was stopped."""
        seconds = run.seconds(device, self.group.count)
        signals.explain(f"the same command goes on after the last whole epoch, in {run.folder}")
        self._tell(f"about {duration(seconds)}; stopped at any moment, the same command goes on after the last epoch")

    def _finish(self, run: Run, finished: Finished) -> None:
        for line in run.best():
            if line["epoch"]:
                self.console.note(
                    f"{line['stage']}: best in epoch {line['epoch']}, {line['valid_bpd']} bpd of validation"
                )
            else:
                self._tell(f"{line['stage']}: no epoch was better than what it began with, which is kept")
        size = plural(self.target.stat().st_size, "byte")
        held_out = plural(len(finished.held_out), "picture")
        self._tell(
            f"{self.target}: {size}, fingerprint {finished.record['fingerprint']}; "
            f"{held_out} held out came back bit for bit"
        )
        signals.explain("the model is done")
        for row in gains.lines(
            finished, target=self.target, shipped=self.shipped, threads=self.threads, console=self.console
        ):
            self._tell(row)

    def _tell(self, text: str) -> None:
        if not self.console.quiet:
            self.console.clear()
            click.echo(text)


class _Clock:
    """Progress with the time that is left, from the steps done in this process."""

    def __init__(self, plan: Plan, split: Split, console: Console) -> None:
        self.console, self.plan = console, plan
        steps = [stage.epochs * stage.steps(split.train) for stage in plan.stages]
        self.before = [sum(steps[:i]) for i in range(len(steps))]
        self.all = sum(steps)
        self.start: tuple[int, float] | None = None

    def __call__(self, stage: int, progress: Progress) -> None:
        """Show a step, with the number of its stage, from 0."""
        done, now = self.before[stage] + progress.step, time.monotonic()
        if self.start is None:
            self.start = done, now
        first, began = self.start
        left = f", {duration((now - began) / (done - first) * (self.all - done))} left" if done > first else ""
        epochs = self.plan.stages[stage].epochs
        text = f"{progress.stage}, epoch {progress.epoch} of {epochs}, {progress.bpd:.3f} bpd"
        if progress.valid_bpd is None:
            self.console.progress(text + left)
        elif not self.console.shows_progress:
            self.console.remark(f"{text}, held out {progress.valid_bpd:.3f} bpd{left}")


def _about(source: str, found: Survey, split: Split, plan: Plan) -> str:
    height, width = plan.architecture.tile
    train, valid = split.counts
    tiles = f"{plural(len(split.train), 'tile')} of {width}×{height}"
    skipped = f", {len(found.skipped):,} skipped because they cannot be read" if found.skipped else ""
    stages = ", then ".join(f"{stage.name} for {plural(stage.epochs, 'epoch')}" for stage in plan.stages)
    return f"{source}: {plural(train, 'picture')} to train on ({tiles}), {valid:,} held out{skipped}\n{stages}"


def _beside(target: Path, suffix: str) -> Path:
    return target.with_name(target.name.removesuffix(_SUFFIX) + suffix)


_LEFT_OUT = ("force", "threads", "quiet", "verbose")


def _command_line(context: click.Context) -> str:
    """Word the command line for the card: what moves the result."""
    words = ["vaezip", "train"]
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in _LEFT_OUT and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            value = context.params[name]
            words += [parameter.opts[-1], ",".join(map(str, value)) if isinstance(value, tuple) else str(value)]
    return shlex.join(words)
