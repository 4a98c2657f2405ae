"""Tell what became of each file of a batch, and of all together."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from vaezip.errors import VaezipError

DONE, SKIPPED, FAILED = "done", "skipped", "failed"


@dataclass(frozen=True)
class Outcome:
    """Tell what became of one file.

    Attributes:
        source: its path or URL.
        name: its name in the batch.
        status: ``done``, ``skipped`` where an earlier run had done it, or ``failed``.
        error: why it failed, or None.
        remedy: the key of what the caller can do about that, or None.
        target: the path or URL of the result: a file, or the folder of a set; None where there is none.
        pictures: how many the file holds.
        source_bytes, target_bytes: sizes; of a set those of all its files together.
        source_sha256, target_sha256: digests of the bytes; None of a folder.
        pixels_sha256: digest of mode, size and samples; None of several pictures, and where none were decoded.
        seconds: that the work took, in the process that did it.
        attempts: how often it was begun.
        worker: machine and process that did it.
        remarks: by a kind, what should be known though it is no error.
    """

    source: str
    name: str
    status: str
    error: str | None = None
    remedy: str | None = None
    target: str | None = None
    pictures: int = 0
    source_bytes: int | None = None
    target_bytes: int | None = None
    source_sha256: str | None = None
    target_sha256: str | None = None
    pixels_sha256: str | None = None
    seconds: float = 0.0
    attempts: int = 1
    worker: str = ""
    remarks: dict[str, list[str]] = field(default_factory=dict)

    def to_json(self) -> str:
        """Write it as one line of JSON."""
        return json.dumps(asdict(self) | {"seconds": round(self.seconds, 6)}, ensure_ascii=True)

    @classmethod
    def from_json(cls, data: bytes | str) -> Outcome:
        """Read what :meth:`to_json` wrote; fields that are unknown are left out.

        Raises:
            ValueError: it is none.
        """
        found = json.loads(data)
        known = {one.name for one in fields(cls)}
        try:
            return cls(**{key: value for key, value in found.items() if key in known})
        except (TypeError, AttributeError) as error:
            raise ValueError("this is no outcome") from error


@dataclass
class Summary:
    """Count what became of the files of a batch.

    Attributes:
        done, skipped, failed: how many.
        source_bytes, target_bytes: of those that are done.
        seconds: that the work on them took, in all processes together.
        failures: the outcomes of those that failed.
    """

    done: int = 0
    skipped: int = 0
    failed: int = 0
    source_bytes: int = 0
    target_bytes: int = 0
    seconds: float = 0.0
    failures: list[Outcome] = field(default_factory=list, repr=False)

    def add(self, outcome: Outcome) -> None:
        """Count one."""
        if outcome.status == SKIPPED:
            self.skipped += 1
            return
        self.seconds += outcome.seconds
        if outcome.status == FAILED:
            self.failed += 1
            self.failures.append(outcome)
            return
        self.done += 1
        self.source_bytes += outcome.source_bytes or 0
        self.target_bytes += outcome.target_bytes or 0


def failed(outcome: Outcome, error: BaseException) -> Outcome:
    """Return an outcome with the error that it met."""
    if isinstance(error, VaezipError):
        return replace(outcome, status=FAILED, error=str(error), remedy=error.remedy)
    if isinstance(error, MemoryError):
        return replace(outcome, status=FAILED, error="there is not enough memory")
    if isinstance(error, FileNotFoundError):  # of which not every file system has words
        return replace(outcome, status=FAILED, error="there is no such file")
    if isinstance(error, OSError):
        return replace(outcome, status=FAILED, error=error.strerror or str(error) or type(error).__name__)
    return replace(outcome, status=FAILED, error=f"unexpected error ({type(error).__name__}: {error})")


def described(value: dict[str, Any]) -> str:
    """Write what decides a result as a text that is the same in every process."""
    return json.dumps(value, sort_keys=True, default=str)
