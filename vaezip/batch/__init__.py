"""Do the same to many pictures: compress them, decompress them, or test what was made, here or on many machines.

Each picture is a job of its own for an executor: threads of this process, or any other of :mod:`concurrent.futures`,
such as those of Dask, Ray, loky and mpi4py. A result is written whole or not at all, and behind it a *marker* that
tells what it was made of; so the same call again does what is left, and a picture that fails, fails alone.

    >>> import vaezip.batch
    >>> vaezip.batch.Shard.parse("2/8").holds("photos/0001.png")
    False

Sources and destinations are paths, or URLs that fsspec knows, such as ``s3://bucket/photos``.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as in typing, which takes time
if TYPE_CHECKING:
    from typing import Any

    from vaezip.batch.calls import compress, decompress, test
    from vaezip.batch.engines import dask
    from vaezip.batch.outcomes import Outcome, Summary
    from vaezip.batch.plans import Plan
    from vaezip.batch.shards import Shard
    from vaezip.batch.sources import Source

__all__ = ["Outcome", "Plan", "Shard", "Source", "Summary", "compress", "dask", "decompress", "test"]

_HOMES = {
    "Outcome": "outcomes",
    "Plan": "plans",
    "Shard": "shards",
    "Source": "sources",
    "Summary": "outcomes",
    "compress": "calls",
    "dask": "engines",
    "decompress": "calls",
    "test": "calls",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'vaezip.batch' has no attribute '{name}'")
    return getattr(import_module(f"vaezip.batch.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({"__doc__", *__all__})
