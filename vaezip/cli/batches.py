"""Many files, here or on many machines: options of several commands, and the batch that they ask for."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from vaezip.batch import places, shards, sources
from vaezip.batch.places import is_url
from vaezip.batch.shards import Shard
from vaezip.batch.sources import Source
from vaezip.cli import inputs, streams
from vaezip.cli.console import DROPPED, KEPT, LACKING, Console, LocatedError, Remarks, blame, plural
from vaezip.cli.remedies import REMEDIES
from vaezip.errors import VaezipError

if TYPE_CHECKING:
    from vaezip.batch.outcomes import Outcome, Summary

_REMARKS = {"dropped": DROPPED, "kept": KEPT, "lacking": LACKING}
"""How the remarks of outcomes are worded, by their kind."""


class _ShardType(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "K/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return value if isinstance(value, Shard) else Shard.parse(value)
        except VaezipError as error:
            self.fail(f"{error}.", param, ctx)


_SHARED = (
    click.option(
        "--report", metavar="FILE", type=streams.PATH, help="Write a JSON object for each file, one a line, to FILE."
    ),
    click.option(
        "--retries",
        type=click.IntRange(min=0),
        metavar="N",
        default=None,
        help="Begin again up to N times on a file that a machine, and not its content, made fail.  [default: 1]",
    ),
    click.option(
        "--shard",
        type=_ShardType(),
        metavar="K/N",
        help="Take one share of N alone, K from 1 to N, by the hash of each name. An array task of SLURM or SGE, and a "
        "process of srun or mpiexec, takes its own.",
    ),
    click.option(
        "--scheduler", metavar="ADDRESS", help="Have the Dask cluster work whose scheduler is there, tcp://HOST:8786."
    ),
)

_WRITING = (
    click.option("-r", "--recursive", is_flag=True, help="Take all below a folder, which is also done without it."),
    click.option(
        "--output-dir-mirror",
        "mirror",
        metavar="DIR",
        type=streams.PATH,
        help="Write into DIR, a folder or a URL such as s3://BUCKET/DIR, with the folders of the input. What an "
        "earlier run did there is skipped, so the same command goes on where it was cut.",
    ),
    click.option(
        "--update",
        is_flag=True,
        help="Do again what DIR has of another source, by its digest, or by other options; else that is an error.",
    ),
)


@dataclass(frozen=True)
class Batch:
    """Hold what a command line says of a batch."""

    mirror: str | None = None
    update: bool = False
    recursive: bool = False
    report: str | None = None
    retries: int | None = None
    shard: Shard | None = None
    scheduler: str | None = None

    def asked_for(self, paths: Sequence[str]) -> bool:
        """Tell whether the command line, which names these paths, means a batch."""
        said = (self.mirror, self.update, self.report, self.shard, self.scheduler)
        return any(said) or self.retries is not None or any(map(is_url, paths))

    def destination(self, output: str | None) -> str:
        """Return the folder for results.

        Raises:
            UsageError: there is none.
        """
        if self.mirror is not None and output is not None:
            raise click.UsageError("-o and --output-dir-mirror both say where to write; give one of them.")
        if self.mirror is not None:
            return self.mirror
        if output is None or not (is_url(output) or os.path.isdir(output)):
            raise click.UsageError("Name the folder for the results with --output-dir-mirror DIR.")
        return output


def _options(chosen: Sequence[Any], command: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(command)
    def gathered(*args: Any, **values: Any) -> Any:
        said = {field.name: values.pop(field.name) for field in fields(Batch) if field.name in values}
        return command(*args, batch=Batch(**said), **values)

    for option in reversed(chosen):
        gathered = option(gathered)
    return gathered


def writing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that writes results; it gets them as one :class:`Batch`."""
    return _options((*_WRITING, *_SHARED), command)


def reading(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that writes nothing; likewise."""
    return _options(_SHARED, command)


def pictures(paths: Sequence[str], console: Console) -> list[Source]:
    """Return the pictures that are meant, here and elsewhere."""
    here = [places.local_path(path) for path in paths if not is_url(path)]
    found = inputs.find(here, console) if here else []
    found += _elsewhere(paths, sources.is_picture, console, "pictures")
    inputs.check_distinct(found)
    return found


def results(paths: Sequence[str], console: Console) -> list[Source]:
    """Return the .vz files that are meant, here and elsewhere."""
    found: list[Source] = []
    for path in (places.local_path(path) for path in paths if not is_url(path)):
        for file in inputs.results([path], console):
            name = os.path.relpath(file, path) if os.path.isdir(path) else os.path.basename(file)
            found.append(Source(file, name.replace(os.sep, "/")))
    found += _elsewhere(paths, sources.is_result, console, ".vz files")
    inputs.check_distinct(found)
    return found


def _elsewhere(paths: Sequence[str], wanted: Callable[[str], bool], console: Console, what: str) -> list[Source]:
    found: list[Source] = []
    for path in filter(is_url, paths):
        with console.attempt(path), blame(path):
            below = list(sources.find(path, wanted))
            if not below:
                raise LocatedError(path, f"holds no {what}")
            found += below
    return found


def run(
    call: Callable[..., Summary], found: list[Source], *arguments: Any, batch: Batch, console: Console, **plan: Any
) -> None:
    """Run a batch, and tell of it: errors as they come, progress, and at the end how many are done.

    Args:
        call: of :mod:`vaezip.batch.calls`.
        found: all files, of which a share may be done here.
        arguments: of the call, behind the files.
        batch: the command line.
        console: is told.
        plan: fields of :class:`vaezip.batch.Plan` that are not of the batch.
    """
    if not found:
        return
    shard = batch.shard or _given_shard(console)
    teller = _Teller(console, sum(shard.holds(source.name) for source in found) if shard else len(found))
    plan |= {"report": batch.report, "shard": shard, "tell": teller.tell}
    plan |= {} if batch.retries is None else {"retries": batch.retries}
    from vaezip.batch.engines import dask

    with blame(None), dask(batch.scheduler) if batch.scheduler else nullcontext() as executor:
        summary = call(found, *arguments, executor=executor, **plan)
    teller.close(summary)


def _given_shard(console: Console) -> Shard | None:
    shard = shards.from_environment()
    if shard is not None:
        console.remark(f"vaezip: takes share {shard} of the files, as a task of the scheduler; --shard 1/1 takes all")
    return shard


class _Teller:
    """Tells of a batch."""

    def __init__(self, console: Console, count: int) -> None:
        self.console, self.count, self.seen = console, count, 0
        self._remarks = {kind: Remarks(console, text) for kind, text in _REMARKS.items()}

    def tell(self, outcome: Outcome) -> None:
        """Tell of one file."""
        self.seen += 1
        self.console.progress(f"{self.seen:,} of {self.count:,}: {outcome.source}")
        if outcome.error is not None:
            reason = "; ".join(filter(None, (outcome.error, REMEDIES.get(outcome.remedy or ""))))
            self.console.report(LocatedError(outcome.source, reason))
            return
        for kind, words in outcome.remarks.items():
            if kind in self._remarks:
                self._remarks[kind].add(outcome.source, words)
        if outcome.status == "skipped":
            self.console.note(f"{outcome.source}: done before")
        elif outcome.target_bytes is not None:
            self.console.note(f"{outcome.source}: {outcome.source_bytes:,} → {outcome.target_bytes:,} bytes")
        else:
            self.console.note(f"{outcome.source}: ok ({plural(outcome.pictures, 'picture')})")

    def close(self, summary: Summary) -> None:
        """Tell of all together."""
        for remarks in self._remarks.values():
            remarks.tell()
        parts = [f"{plural(summary.done, 'file')} done"]
        parts += [f"{summary.skipped:,} done before"] if summary.skipped else []
        parts += [f"{summary.failed:,} failed; the same command takes these again"] if summary.failed else []
        sizes = f", {summary.source_bytes:,} → {summary.target_bytes:,} bytes" if summary.target_bytes else ""
        self.console.remark(f"vaezip: {', '.join(parts)}{sizes}")
