"""The jobs of a batch, pure functions of what can be pickled: look whether a file is done, and do it."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from dataclasses import dataclass, replace

from vaezip.batch import places
from vaezip.batch.outcomes import DONE, SKIPPED, Outcome, failed
from vaezip.batch.places import MARKERS, Place
from vaezip.batch.sources import Source
from vaezip.batch.tasks import Task, Writer
from vaezip.errors import OutputError, VaezipError
from vaezip.system.threads import products_on_one_thread


@dataclass(frozen=True)
class Job:
    """All that decides what becomes of a file.

    Attributes:
        source: the file.
        task: what is done to it.
        how: what decides the result beside the source; the same for all jobs, and computed once.
        destination: path or URL of the folder for results; None where nothing is written.
        force: whether what is there may be overwritten.
        mark: whether a marker is written.
        attempt: how often it was begun, with this time.
    """

    source: Source
    task: Task
    how: str
    destination: str | None
    force: bool = False
    mark: bool = True
    attempt: int = 1

    @property
    def marker(self) -> str:
        """The name of the file, in the destination, that tells that the job is done."""
        digest = hashlib.sha256(self.source.name.encode(errors="surrogateescape")).hexdigest()
        return f"{MARKERS}/{self.task.kind}/{digest[:2]}/{digest[2:40]}.json"

    def outcome(self) -> Outcome:
        """Return what is known before the work."""
        return Outcome(self.source.path, self.source.name, DONE, attempts=self.attempt, worker=_worker())


@dataclass(frozen=True)
class Attempt:
    """Tell what came of a job, and whether another attempt may do better."""

    outcome: Outcome
    may_help: bool = False


def look(jobs: tuple[Job, ...]) -> list[Outcome | None]:
    """Return for each job the outcome that an earlier run had, if its source and its way are still the same."""
    return [_earlier(job) for job in jobs]


def work(job: Job) -> Attempt:
    """Do a job: read, do, write, and last of all mark it as done."""
    began, outcome = time.perf_counter(), job.outcome()
    try:
        place = places.open_folder(job.destination) if job.destination is not None else None
        data = places.read(job.source.path, job.task.most_bytes())
        outcome = replace(outcome, source_bytes=len(data), source_sha256=hashlib.sha256(data).hexdigest())
        with products_on_one_thread():
            made = job.task.do(job.source, data, Writer(place, job.force))
        outcome = replace(
            outcome,
            target=place.join(made.target) if place and made.target is not None else None,
            pictures=made.pictures,
            target_bytes=made.target_bytes,
            target_sha256=made.target_sha256,
            pixels_sha256=made.pixels_sha256,
            remarks=made.remarks or {},
            seconds=time.perf_counter() - began,
        )
        if place and job.mark:
            _mark(place, job, outcome, made.target)
    except Exception as error:  # noqa: BLE001 (a file that fails must fail alone, whatever its content does)
        outcome = replace(failed(outcome, error), seconds=time.perf_counter() - began)
        return Attempt(outcome, not isinstance(error, VaezipError) or _is_of_machine(error))
    return Attempt(outcome)


def _is_of_machine(error: VaezipError) -> bool:
    """Tell whether a machine, and not what a file holds, made a job fail."""
    return isinstance(error, OutputError) and isinstance(error.__cause__, OSError)


def _mark(place: Place, job: Job, outcome: Outcome, target: str | None) -> None:
    """Write the marker, which lives in the destination, so its paths are names in there."""
    marked = replace(outcome, target=target, remarks=outcome.remarks | {"how": [job.how]})
    place.write(job.marker, marked.to_json().encode(), force=True)


def _earlier(job: Job) -> Outcome | None:
    if job.destination is None:
        return None
    place = places.open_folder(job.destination)
    try:
        found = Outcome.from_json(place.read(job.marker, _MOST_OF_MARKER))
        if found.remarks.pop("how", None) != [job.how] or found.target is None:
            return None
        if found.target_sha256 is not None and place.size(found.target) != found.target_bytes:
            return None
        if found.target_sha256 is None and not places.open_folder(place.join(found.target)).is_folder():
            return None
        data = places.read(job.source.path, job.task.most_bytes())
        if hashlib.sha256(data).hexdigest() != found.source_sha256:
            return None
    except (OSError, ValueError, VaezipError):  # no marker, or no source: the work will tell
        return None
    return replace(found, source=job.source.path, status=SKIPPED, target=place.join(found.target))


_MOST_OF_MARKER = 1 << 20


def _worker() -> str:
    return f"{platform.node()}:{os.getpid()}"
