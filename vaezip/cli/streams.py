"""Files by name, where ``-`` is standard input or output."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from vaezip import output
from vaezip.errors import FormatError, OutputError

STDIO = "-"

PATH = click.Path(readable=False)
"""For arguments: what cannot be read is no fault of the command line, and told file by file."""


def source_label(path: str) -> str:
    """What messages call an input."""
    return "standard input" if path == STDIO else path


def target_label(path: str) -> str:
    """What messages call an output."""
    return "standard output" if path == STDIO else path


def read(path: str) -> bytes:
    """All bytes of an input.

    Raises:
        FormatError: it cannot be read, or is a terminal.
    """
    try:
        if path != STDIO:
            return Path(path).read_bytes()
        if sys.stdin is None or sys.stdin.isatty():
            raise FormatError("is a terminal; redirect a file to it" if sys.stdin else "is closed")
        return sys.stdin.buffer.read()
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror or error}") from error


def check(path: str, force: bool = False, sources: Iterable[str] = ()) -> None:
    """Find out early what would keep :func:`write` from writing."""
    if path != STDIO:
        output.check(path, force, sources)
    elif sys.stdout is None or sys.stdout.isatty():
        raise OutputError("is a terminal; redirect it, or name a file with -o" if sys.stdout else "is closed")


def write(path: str, data: bytes, force: bool = False, sources: Iterable[str] = ()) -> None:
    """Write an output.

    Raises:
        OutputError: it exists, is the input, or cannot be written.
    """
    check(path, force, sources)
    if path != STDIO:
        output.write(path, data, force, sources)
        return
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}") from error


def forgive_names() -> None:
    """Let text with characters that the terminal or its encoding does not know be printed escaped."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
