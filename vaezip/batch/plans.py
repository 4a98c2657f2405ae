"""How a batch is run."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from vaezip.batch.outcomes import Outcome
from vaezip.batch.shards import Shard
from vaezip.system.threads import usable_cores


@dataclass(frozen=True)
class Plan:
    """Say how a batch is run.

    Attributes:
        executor: does the jobs: any of :mod:`concurrent.futures`, or one that keeps to its protocol, such as those of
            Dask, loky and mpi4py; None for threads of this process. It stays open.
        threads: how many of our own, where there is no executor; 0 for as many as there are cores.
        update: do again what was made of another source, or in another way; else such a result is an error.
        force: do all again.
        retries: how often to begin again on a file that a machine, and not its content, made fail.
        mark: write a marker behind each result, by which a later call knows that it is done.
        shard: do this share alone.
        report: the path or URL of a file for the outcomes, one JSON object a line.
        tell: is called with each outcome, in the thread of the caller.
    """

    executor: Executor | None = None
    threads: int = field(default_factory=usable_cores)
    update: bool = False
    force: bool = False
    retries: int = 1
    mark: bool = True
    shard: Shard | None = None
    report: str | os.PathLike[str] | None = None
    tell: Callable[[Outcome], None] | None = None
