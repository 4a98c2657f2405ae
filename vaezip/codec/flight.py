"""The jobs of a compressor that are in flight, few enough for threads and memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, wait
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from vaezip.errors import VaezipError
from vaezip.models import kinds
from vaezip.system.memory import taking
from vaezip.system.threads import alone, parts

if TYPE_CHECKING:
    from vaezip.codec.jobs import BlockJob

Result = TypeVar("Result")

_TO_BEGIN, _TO_BEGIN_WIDE, _A_SAMPLE, _A_SAMPLE_OF_JPEG = 1 << 24, 1 << 26, 28, 16
"""Bytes that it takes a thread to code a block: to begin one of 8 bits, and one of 16; and for each sample of these,
and of the picture in a JPEG file. ``benchmarks/in_flight.py`` measures what they add up to."""


class Flight:
    """Jobs that an executor does, no more at once than its threads can soon take up."""

    def __init__(self, executor: Executor, threads: int) -> None:
        """Begin with none."""
        self.executor, self.threads = executor, threads
        self.running: list[Future[Any]] = []

    def begin(self, function: Callable[..., Result], *arguments: Any) -> Future[Result]:
        """Have a job done, once those before it leave room; end where one of these failed.

        Raises:
            VaezipError: one did.
        """
        self._wait_until_workers_are_few()
        job = self.executor.submit(function, *arguments)
        self.running.append(job)
        return job

    def wait_for(self, jobs: Iterable[Future[Any]]) -> None:
        """Wait for some of the jobs; end where one failed.

        Raises:
            VaezipError: one did.
        """
        wait(jobs)
        self._wait_until_workers_are_few()

    def cancel(self) -> None:
        """Begin none of those that wait."""
        for job in self.running:
            job.cancel()

    def _wait_until_workers_are_few(self) -> None:
        running = [job for job in self.running if not job.done()]
        if len(running) > self.threads:
            wait(running[:1])
        done = [job for job in self.running if job.done()]
        self.running = [job for job in running if job not in done]
        for error in (job.exception() for job in done):
            if isinstance(error, VaezipError):
                raise error.behind("pictures before it could not be coded") from error
            if error:
                raise error


def memory_of(mode: str, shape: tuple[int, ...]) -> int:
    """Bound the bytes that it takes a thread to code a block, (pictures, height, width, channels), and to decode it
    again; of a JPEG file the shape of its picture."""
    if mode == kinds.JPEG:
        return _TO_BEGIN + _A_SAMPLE_OF_JPEG * math.prod(shape)
    return (_TO_BEGIN_WIDE if kinds.is_wide(mode) else _TO_BEGIN) + _A_SAMPLE * math.prod(shape)


def within_memory(function: Callable[..., Result], job: BlockJob, *others: Any) -> Result:
    """Call one of the functions of a job once there is memory for it; in this thread alone, where there is not for all.

    Raises:
        ImageError: it takes more than there may be.
    """
    budget, memory = job.budget, job.memory
    budget.check_memory(memory)
    is_scarce = memory * parts() > budget.memory
    with taking(memory, budget.memory), alone() if is_scarce else nullcontext():
        return function(job, *others)
