"""Files by name, where ``-`` is standard input or output."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, NamedTuple

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


def or_piped(context: click.Context, parameter: click.Parameter, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Take standard input where no file is named and a file or a pipe is redirected to it, as zstd does.

    Raises:
        click.MissingParameter: nothing is.
    """
    if paths or context.resilient_parsing:
        return paths
    with suppress(ValueError, AttributeError, OSError):
        mode = os.fstat(sys.stdin.fileno()).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISREG(mode):
            return (STDIO,)
    raise click.MissingParameter(ctx=context, param=parameter)


def source_label(path: str) -> str:
    """Return the name of an input in messages."""
    return "standard input" if path == STDIO else path


def target_label(path: str) -> str:
    """Return the name of an output in messages."""
    return "standard output" if path == STDIO else path


class Bound(NamedTuple):
    """How much is read of an input, for some never end.

    Attributes:
        most: its greatest size in bytes.
        reason: why a greater one is refused.
        remedy: the key of what the user can do.
        files: whether the size of regular files is bounded, too.
        begins: tells of the first bytes whether it is worth reading on.
    """

    most: int
    reason: str
    remedy: str
    files: bool = True
    begins: Callable[[bytes], bool] = bool


def read(path: str, bound: Bound) -> bytes:
    """Read all bytes of an input, or a few where those are enough to refuse it.

    Raises:
        FormatError: it cannot be read, is too large, a terminal, a folder, a device or a socket.
    """
    try:
        if path == STDIO:
            return _read_stdin(bound)
        _refuse_unreadable(os.stat(path).st_mode)  # before it is opened, which may have effects
        with open(path, "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            _refuse_unreadable(status.st_mode)
            if not stat.S_ISREG(status.st_mode):
                return _read(file, bound)
            data = _read_file(file, status.st_size, bound)
            if _state(os.fstat(file.fileno())) != _state(status):
                raise FormatError("has changed while it was read; take it again once it is whole")
            return data
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror or error}") from error


def _state(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _read_stdin(bound: Bound) -> bytes:
    if sys.stdin is None or sys.stdin.isatty():
        raise FormatError("is a terminal; redirect a file to it" if sys.stdin else "is closed")
    with suppress(ValueError, AttributeError, io.UnsupportedOperation):  # where no file stands behind it
        _refuse_unreadable(os.fstat(sys.stdin.fileno()).st_mode)
    return _read(sys.stdin.buffer, bound)


def _read_file(file: io.FileIO, size: int, bound: Bound) -> bytes:
    if bound.files and size > bound.most:
        raise FormatError(bound.reason, bound.remedy)
    first = file.read(_FIRST if size > _PIECE else max(size, _FIRST))
    if not bound.begins(first[:_FIRST]):
        return first[:_FIRST]
    if len(first) == size:
        return first
    file.seek(0)
    return file.read(max(size, bound.most) + 1)  # and not without an end, where somebody adds to it


def _read(file: BinaryIO | io.FileIO, bound: Bound) -> bytes:
    """Read what has no known end."""
    data = bytearray()
    while more := file.read(_PIECE if data else _FIRST):
        data += more
        if len(data) > bound.most:
            raise FormatError(bound.reason, bound.remedy)
        if len(data) >= _FIRST and not bound.begins(bytes(data[:_FIRST])):
            break
    return bytes(data)


_FIRST, _PIECE = 16, 1 << 20
"""Bytes that are read at first, and bytes that are read at once."""


def _refuse_unreadable(mode: int) -> None:
    """Refuse what is neither a file nor a pipe."""
    if stat.S_ISDIR(mode):
        raise FormatError("is a folder; name the files in it")
    for name, asked in (("device", stat.S_ISCHR), ("device", stat.S_ISBLK), ("socket", stat.S_ISSOCK)):
        if asked(mode):
            raise FormatError(f"is a {name}, and no file; name a file or a pipe")


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
        written = _identity(path, follow=False)
        if written is None:  # nothing is called so
            return
        identity = _identity(path)
        if identity and identity in self._given:
            raise OutputError(f"{self._given[identity]}; name another output")
        if written in self._written:
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
        raise _without_remedy(error) from error


def _without_remedy(error: OSError) -> OutputError:
    """Return the error for standard output, for which the remedies of files are none."""
    return OutputError(str(system_files.refusal(error)))


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
        raise _without_remedy(error) from error


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
