"""The report of a batch: a file of outcomes, one JSON object a line."""

from __future__ import annotations

import json
import os
from types import TracebackType
from typing import IO, Any

from vaezip.batch import places
from vaezip.batch.outcomes import Outcome
from vaezip.batch.shards import Shard
from vaezip.errors import OutputError


class Report:
    """A report that is being written; each line is there as soon as its outcome is, but for those of some URLs."""

    def __init__(self, path: str | os.PathLike[str], shard: Shard | None = None) -> None:
        """Begin a report in the place of an earlier one; that of a share has the share in its name.

        Raises:
            OutputError: something else is there, or it cannot be written.
        """
        self.path = _of_share(os.fspath(path), shard)
        try:
            self._file: IO[Any] = self._open()
        except OSError as error:
            raise OutputError(f"the report '{self.path}' cannot be written: {error.strerror or error}") from error

    def __enter__(self) -> Report:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, outcome: Outcome) -> None:
        """Write the line of one file."""
        self._file.write(outcome.to_json().encode() + b"\n")
        self._file.flush()

    def _open(self) -> IO[Any]:
        if places.is_url(self.path):
            try:
                import fsspec
            except ImportError:
                raise OutputError(f"the report '{self.path}' is a URL, which needs fsspec", "fsspec") from None
            opened: IO[Any] = fsspec.open(self.path, "wb").open()
            return opened
        path = places.local_path(self.path)
        if os.path.exists(path) and not _is_report(path):
            raise OutputError(f"'{self.path}' exists and is no report of a batch; name another")
        return open(path, "wb")


def _of_share(path: str, shard: Shard | None) -> str:
    """Return the name of the report of a share: the same command may run as many tasks."""
    if shard is None or shard.count == 1:
        return path
    stem, suffix = os.path.splitext(path)
    return f"{stem}-{shard.number}-of-{shard.count}{suffix}"


def _is_report(path: str) -> bool:
    """Tell whether a file is empty, or begins as a report does."""
    with open(path, "rb") as file:
        first = file.readline(1 << 20)
    try:
        return not first or {"source", "status"} <= set(json.loads(first))
    except (ValueError, TypeError):
        return False
