"""Remove inputs once what was made of them is safe: ``--rm``."""

from __future__ import annotations

import hashlib
import os

import click

from vaezip.cli.console import Console, LocatedError
from vaezip.cli.streams import STDIO
from vaezip.system.files import is_special, settle


def digest(data: bytes) -> bytes:
    """Return what tells whether a file still holds these bytes."""
    return hashlib.sha256(data).digest()


class Removal:
    """The removal of inputs, where the command line asks for it.

    An input is removed only if the output is on the disk and, read back, holds the bytes that were written, which the
    compressor decoded and compared, if the input still holds what was read of it, and if nothing of it was dropped.
    """

    def __init__(self, wanted: bool, console: Console) -> None:
        self.wanted, self.console = wanted, console

    def check(self, inputs: tuple[str, ...], output: str | None) -> None:
        """Refuse a command line in which nothing could be read back."""
        if self.wanted and (STDIO in inputs or output == STDIO or (output is not None and is_special(output))):
            raise click.UsageError("--rm needs files: what went to standard output or a device cannot be read back.")

    def take(self, inputs: dict[str, bytes], written: dict[str, bytes], dropped: tuple[str, ...] = ()) -> None:
        """Remove files, if each holds the bytes of its digest and so do the files that were made of them.

        Args:
            inputs: their digests, by path.
            written: likewise, of what was made of them.
            dropped: kinds of metadata that the result lacks.
        """
        if not self.wanted or not inputs:
            return
        if dropped:
            for path in inputs:
                self.console.remark(f"{path}: kept, as its result lacks metadata: {', '.join(dropped)}")
            return
        try:
            settle(written)
        except OSError as error:
            reason = f"does not reach the disk ({error.strerror}); no input is removed"
            self.console.report(LocatedError(error.filename, reason))
            return
        for path, expected in written.items():
            if not _holds(path, expected):
                self.console.report(LocatedError(path, "does not read back as it was written; no input is removed"))
                return
        for path, expected in inputs.items():
            self._remove(path, expected)

    def _remove(self, path: str, expected: bytes) -> None:
        if os.path.islink(path):
            self.console.remark(f"{path}: kept, as it is a link")
            return
        if not _holds(path, expected):
            self.console.report(LocatedError(path, "is kept, as it has changed since it was read"))
            return
        try:
            os.unlink(path)
        except OSError as error:
            self.console.report(LocatedError(path, f"cannot be removed: {error.strerror}"))


def _holds(path: str, expected: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            return digest(file.read()) == expected
    except OSError:
        return False
