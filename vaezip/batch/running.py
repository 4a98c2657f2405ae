"""Run the jobs of a batch by an executor: a few ahead of their outcomes, and what is lost once more."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import replace
from itertools import islice
from queue import SimpleQueue
from typing import Any

from vaezip.batch.jobs import Attempt, Job, look, work
from vaezip.batch.outcomes import Outcome, failed
from vaezip.errors import VaezipError

_AHEAD = 512
"""Jobs that are submitted and not done: more than there are workers, and few beside a million."""

_AT_ONCE = 32
"""Files that one task looks at, whether they are done: that takes less than it takes to send a task."""


def outcomes(jobs: Iterable[Job], executor: Executor, *, retries: int, may_be_done: bool) -> Iterator[Outcome]:
    """Yield the outcome of each job, in whatever order they come.

    A job that was lost with its worker, as it may be what killed it, waits until all others are done, and then runs
    alone.

    Args:
        jobs: taken as there is room.
        executor: runs them.
        retries: how often a job is begun again.
        may_be_done: whether to look first for those that an earlier run did.

    Raises:
        VaezipError: the executor takes no more jobs.
    """
    run = _Run(iter(jobs), executor, retries)
    try:
        yield from run.go(may_be_done)
    finally:
        run.cancel()


class _Run:
    """The state of a run: what is to be done, what is submitted, and what was lost."""

    def __init__(self, fresh: Iterator[Job], executor: Executor, retries: int) -> None:
        self._fresh, self._executor, self._retries = fresh, executor, retries
        self._waiting: deque[Job] = deque()
        self._lost: deque[Job] = deque()
        self._submitted: dict[Future[Any], tuple[Job, ...]] = {}
        self._done: SimpleQueue[Future[Any]] = SimpleQueue()

    def go(self, may_be_done: bool) -> Iterator[Outcome]:
        while True:
            self._fill(may_be_done)
            if not self._submitted and self._lost:
                self._submit(work, (self._lost.popleft(),))
            if not self._submitted:
                return
            future = self._done.get()
            yield from self._results(future, self._submitted.pop(future))

    def cancel(self) -> None:
        for future in self._submitted:
            future.cancel()

    def _fill(self, may_be_done: bool) -> None:
        """Submit jobs until there are enough."""
        while len(self._submitted) < _AHEAD:
            if self._waiting:
                self._submit(work, (self._waiting.popleft(),))
                continue
            some = tuple(islice(self._fresh, _AT_ONCE))
            if not some:
                return
            if may_be_done:
                self._submit(look, some)
            else:
                self._waiting += some

    def _submit(self, function: Any, jobs: tuple[Job, ...]) -> None:
        try:
            future = self._executor.submit(function, jobs if function is look else jobs[0])
        except Exception as error:  # each executor has its own words for being broken or closed
            raise VaezipError(f"the executor takes no more jobs ({error}); the same call goes on with them") from error
        self._submitted[future] = jobs
        future.add_done_callback(self._done.put)

    def _results(self, future: Future[Any], jobs: tuple[Job, ...]) -> Iterator[Outcome]:
        try:
            found: Any = future.result()
        except (Exception, CancelledError) as error:  # noqa: BLE001 (an executor says by its own that a worker died)
            yield from self._after_loss(jobs, error)
            return
        if isinstance(found, Attempt):
            yield from self._after_attempt(jobs[0], found)
            return
        for job, outcome in zip(jobs, found):
            if outcome is None:
                self._waiting.append(job)
            else:
                yield outcome

    def _after_attempt(self, job: Job, found: Attempt) -> Iterator[Outcome]:
        if found.may_help and job.attempt <= self._retries:
            self._waiting.append(replace(job, attempt=job.attempt + 1))
        else:
            yield found.outcome

    def _after_loss(self, jobs: tuple[Job, ...], error: BaseException) -> Iterator[Outcome]:
        for job in jobs:
            if job.attempt <= self._retries:
                self._lost.append(replace(job, attempt=job.attempt + 1))
            else:
                words = str(error) or type(error).__name__
                reason = VaezipError(f"the worker that had it was lost ({type(error).__name__}: {words})")
                yield replace(failed(job.outcome(), reason), worker="")
