"""The calls of a batch: compress, decompress, test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import fields, replace
from typing import Any

from vaezip.batch import engines, places, sources
from vaezip.batch.jobs import Job
from vaezip.batch.outcomes import Summary
from vaezip.batch.plans import Plan
from vaezip.batch.reports import Report
from vaezip.batch.running import outcomes
from vaezip.batch.sources import Named, Source
from vaezip.batch.tasks import Compressing, Decompressing, Task, Testing, loaded
from vaezip.codec.compress_options import Options
from vaezip.codec.read_options import ReadOptions
from vaezip.errors import FormatError, OutputError
from vaezip.pictures.png.metadata import LEVEL


def compress(
    given: Named | Iterable[Named], destination: str | os.PathLike[str], options: Options | None = None, **changes: Any
) -> Summary:
    """Compress pictures, each into a file of its own in a folder that mirrors theirs.

    A picture that fails is told in its outcome, and the others are done. What an earlier call did of the same source
    in the same way is skipped.

    Args:
        given: paths or URLs of picture files, and of folders for all pictures below them; or one of these.
        destination: the folder; it is made.
        options: how to compress; its executor and threads are those of the plan.
        changes: fields of :class:`vaezip.batch.Plan`, which says how the batch is run, or of the options.

    Raises:
        ModelError: the chosen model is missing or cannot be used.
        OutputError: folder or report cannot be written.
        VaezipError: there is nothing to do, or the executor takes no more jobs.
        TypeError: there is no such field.
    """
    plan, options = _split(options or Options(), changes)
    options = replace(options, executor=None)
    loaded(options)
    return _run(given, sources.is_picture, os.fspath(destination), Compressing(options), plan)


def decompress(
    given: Named | Iterable[Named],
    destination: str | os.PathLike[str],
    options: ReadOptions | None = None,
    *,
    png_level: int = LEVEL,
    **changes: Any,
) -> Summary:
    """Write the pictures of ``.vz`` files into a folder that mirrors theirs: those of a set into a folder of its name.

    Arguments and errors are as those of :func:`compress`, and ``png_level`` is the ``level`` of
    :func:`vaezip.pictures.write`.
    """
    plan, options = _split(options or ReadOptions(), changes)
    task = Decompressing(replace(options, executor=None), png_level)
    return _run(given, sources.is_result, os.fspath(destination), task, plan)


def test(
    given: Named | Iterable[Named],
    options: ReadOptions | None = None,  # noqa: PT028 (this is no test)
    **changes: Any,
) -> Summary:
    """Decode ``.vz`` files, and write nothing; arguments and errors are as those of :func:`compress`."""
    plan, options = _split(options or ReadOptions(), changes)
    return _run(given, sources.is_result, None, Testing(replace(options, executor=None)), plan)


def _run(
    given: Named | Iterable[Named], wanted: Callable[[str], bool], destination: str | None, task: Task, plan: Plan
) -> Summary:
    found = sources.find(given, wanted)
    share = _shared(found, task, plan)
    may_be_done = destination is not None and not plan.force and _prepared(destination)
    summary = Summary()
    with ExitStack() as stack:
        report = stack.enter_context(Report(plan.report, plan.shard)) if plan.report is not None else None
        executor = stack.enter_context(engines.lent(plan.executor, plan.threads))
        how = task.how()
        over = plan.force or plan.update
        jobs = (Job(source, task, how, destination, over, plan.mark) for source in share)
        for outcome in outcomes(jobs, executor, retries=plan.retries, may_be_done=may_be_done):
            summary.add(outcome)
            if report:
                report.add(outcome)
            if plan.tell:
                plan.tell(outcome)
    return summary


def _shared(found: Iterator[Source], task: Task, plan: Plan) -> Iterator[Source]:
    """Yield the files of this share.

    Raises:
        FormatError: there are no files, in any share, or two would become one.
    """
    names: set[str] = set()
    over = plan.force or plan.update  # else the second finds the file of the first, and leaves it
    for source in found:
        name = task.result(source.name) if over else source.name
        if name in names:
            raise FormatError(f"two files are called '{name}', and would become one; take them one by one")
        names.add(name)
        if plan.shard is None or plan.shard.holds(source.name):
            yield source
    if not names:
        raise FormatError("there is no file to take")


def _prepared(destination: str) -> bool:
    """Make the folder for results, if it is here, and tell whether an earlier run left markers in it.

    Raises:
        OutputError: it cannot be made.
    """
    place = places.open_folder(destination)
    if isinstance(place, places.Local):
        try:
            os.makedirs(place.root, exist_ok=True)
        except OSError as error:
            raise OutputError(f"the folder '{place.root}' cannot be made: {error.strerror}") from error
    return places.open_folder(place.join(places.MARKERS)).is_folder()


def _split(options: Any, changes: dict[str, Any]) -> tuple[Plan, Any]:
    """Return the plan and the options that have these fields; those of both are the plan's."""
    of_plan = {one.name for one in fields(Plan)}
    mine = {name: changes.pop(name) for name in list(changes) if name in of_plan}
    return Plan(**mine), replace(options, **changes)
