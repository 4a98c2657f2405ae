"""Files by name, where ``-`` is standard input or output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import click

from vaezip.errors import FormatError, OutputError
from vaezip.system import files as system_files

STDIO = "-"


class _Path(click.Path):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("a name cannot be empty.", param, ctx)
        return super().convert(value, param, ctx)


PATH = _Path(readable=False)
"""For arguments: what cannot be read is no fault of the command line, and told file by file; a name without a
character is."""


def source_label(path: str) -> str:
    """Return the name of an input in messages."""
    return "standard input" if path == STDIO else path


def target_label(path: str) -> str:
    """Return the name of an output in messages."""
    return "standard output" if path == STDIO else path


def read(path: str) -> bytes:
    """Read all bytes of an input.

    Raises:
        FormatError: it cannot be read, or is a terminal or a folder.
    """
    try:
        if path != STDIO:
            return Path(path).read_bytes()
        if sys.stdin is None or sys.stdin.isatty():
            raise FormatError("is a terminal; redirect a file to it" if sys.stdin else "is closed")
        return sys.stdin.buffer.read()
    except IsADirectoryError as error:
        raise FormatError("is a folder; name the files in it") from error
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror or error}") from error


class Protected:
    """The files that nothing is written over, not even by force: under whatever name, so also on file systems that take
    several names for one."""

    def __init__(self, inputs: Iterable[str], models: Iterable[str] = ()) -> None:
        self._given = {_identity(path): "is the model" for path in models}
        self._given |= {_identity(path): "is the input" for path in inputs}
        self._written: set[tuple[int, int] | None] = set()
        self._lock = Lock()

    def refuse(self, path: str | Path) -> None:
        """Raise an :class:`OutputError` if it is one of them."""
        identity, written = _identity(path), _identity(path, follow=False)
        if identity and identity in self._given:
            raise OutputError(f"{self._given[identity]}; name another output")
        if written and written in self._written:
            raise OutputError("was just written from another picture; name another output with -o")

    @contextmanager
    def writing(self, path: str | Path) -> Iterator[None]:
        """Guard the writing of a file, which is one of them from then on; one at a time."""
        with self._lock:
            self.refuse(path)
            yield
            self._written.add(_identity(path, follow=False))


def _identity(path: str | Path, follow: bool = True) -> tuple[int, int] | None:
    """Identify a file, or a link where it is not to be followed; return None where there is none."""
    try:
        status = os.stat(path, follow_symlinks=follow)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def check(path: str, force: bool = False, sources: Iterable[str] = ()) -> None:
    """Find out early what would keep :func:`write` from writing."""
    if path != STDIO:
        system_files.check(path, force, sources)
    elif sys.stdout is None or sys.stdout.isatty():
        raise OutputError("is a terminal; redirect it, or name a file with -o" if sys.stdout else "is closed")


def write(path: str, data: bytes, *, force: bool = False, sources: Sequence[str] = (), like: str | None = None) -> None:
    """Write an output; the arguments are those of :func:`vaezip.system.files.write`.

    Raises:
        OutputError: it exists, is the input, or cannot be written.
    """
    check(path, force, sources)
    if path != STDIO:
        system_files.write(path, data, force=force, sources=sources, like=None if like == STDIO else like)
        return
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise system_files.refusal(error) from error


def tell(text: str) -> None:
    """Print lines.

    Raises:
        OutputError: standard output is closed, or takes nothing.
        BrokenPipeError: it is a pipe that nobody reads any more.
    """
    if sys.stdout is None:
        raise OutputError("is closed")
    try:
        click.echo(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise system_files.refusal(error) from error


def flush() -> None:
    """Give up what standard output and error did not take; at its end Python would complain of it, or fail."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def forgive_names() -> None:
    """Let text with characters that the terminal or its encoding does not know be printed escaped."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
