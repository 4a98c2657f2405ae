"""Lend what runs the jobs of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from vaezip.errors import VaezipError
from vaezip.system.threads import Workers


@contextmanager
def dask(address: str) -> Iterator[Executor]:
    """Lend the executor of the Dask cluster whose scheduler has an address, such as ``tcp://host:8786``.

    A job whose worker is killed goes to another; one that kills several workers fails alone.

    Raises:
        VaezipError: Dask is not installed, or the scheduler does not answer.
    """
    try:
        from distributed import Client
    except ImportError:
        raise VaezipError("Dask is not installed", "dask") from None
    try:
        client = Client(address, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise VaezipError(f"the scheduler '{address}' does not answer ({error})") from error
    with client:
        yield client.get_executor(pure=False)  # else a job that is begun again has the result of before


@contextmanager
def lent(executor: Executor | None, threads: int) -> Iterator[Executor]:
    """Lend an executor, or threads of our own where there is none."""
    if executor is not None:
        yield executor
        return
    with Workers(threads) as workers:
        yield workers
