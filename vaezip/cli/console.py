"""The messages to the user: errors in one line, summaries, progress; and the exit status."""

from __future__ import annotations

import functools
import logging
import re
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from threading import RLock
from typing import Any

import click

from vaezip.cli import streams
from vaezip.cli.remedies import worded
from vaezip.errors import OutputError, VaezipError

_SECONDS_BETWEEN_PROGRESS = 0.1

_UNDECODED = re.compile("[\udc80-\udcff]+")
"""Stand for the bytes of a file name that are no text in the encoding of the file system."""


class LocatedError(Exception):
    """An error, and the file that it befell, or None where that is no single file."""

    def __init__(self, where: str | None, reason: str, expected: bool = True) -> None:
        super().__init__(reason)
        self.where, self.reason, self.expected = where, reason, expected


@contextmanager
def blame(where: str | None) -> Iterator[None]:
    """Lay any error inside at the door of ``where``; the innermost ``blame`` counts."""
    try:
        yield
    except (LocatedError, click.ClickException, click.exceptions.Exit, BrokenPipeError):
        raise
    except VaezipError as error:
        raise LocatedError(where, worded(error)) from error
    except MemoryError as error:
        raise LocatedError(where, "there is not enough memory; try --threads 1") from error
    except OSError as error:
        raise LocatedError(where, error.strerror or str(error)) from error
    except Exception as error:
        reason = f"unexpected error ({type(error).__name__}: {error}); please report it with what -v says"
        raise LocatedError(where, reason, expected=False) from error


def printable(text: str) -> str:
    """Make a text one line that no name in it can break or use to steer the terminal; the bytes of a name that Python
    could not decode are shown as UTF-8, or by their numbers.

    >>> printable("d\\udcc3\\udcafgit, x\\udcff")
    'dïgit, x\\\\xff'
    """
    line = _UNDECODED.sub(
        lambda some: some[0].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"), text
    )
    line = " ".join(line.splitlines())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def plural(count: int, noun: str) -> str:
    """Word a count with its noun.

    >>> plural(1, "picture"), plural(10000, "picture")
    ('1 picture', '10,000 pictures')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


class _Attempt(AbstractContextManager[None]):
    """See :meth:`Console.attempt`; a class, for thousands of files are attempted, and most of them succeed."""

    def __init__(self, console: Console, where: str | None) -> None:
        self._console, self._where = console, where

    def __exit__(self, _: object, error: BaseException | None, trace: object) -> bool:
        if error is None:
            return False
        try:
            with blame(self._where):
                raise error
        except LocatedError as failed:
            self._console.report(failed)
            return True
        except BaseException:  # noqa: BLE001 (what is not to be reported goes on as it came)
            return False


class Console:
    """Standard error, and lines on standard output, as one command uses them.

    Attributes:
        failures: errors reported so far.
        summarises: whether summaries are shown, which may cost something to make.
        shows_progress: whether progress is.
        width: of the terminal that standard output is, in characters; None if it is none.
        quiet, verbose: whether to tell less or more.
    """

    def __init__(self, quiet: bool = False, verbose: bool = False) -> None:
        terminal = sys.stderr is not None and sys.stderr.isatty()
        self.failures = 0
        self.width = shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else None
        self.quiet, self.verbose = quiet, verbose
        self.summarises = self.verbose or (terminal and not quiet)
        self.shows_progress = terminal and not quiet
        self._lock = RLock()  # threads that work show progress, too
        self._awaited: set[str] = set()
        self._shown = 0  # length of the progress line on the screen
        self._shown_at = 0.0

    def attempt(self, where: str | None = None) -> AbstractContextManager[None]:
        """Report an error inside and go on after it."""
        return _Attempt(self, where)

    def report(self, failed: LocatedError) -> None:
        """Report an error as ``vaezip: FILE: reason``."""
        self.failures += 1
        self._say(": ".join(filter(None, ["vaezip", failed.where, failed.reason])))
        if not failed.expected and self.verbose:
            _print("".join(traceback.format_exception(failed.__cause__)))

    def tell(self, text: str) -> None:
        """Print lines on standard output, which the command is for: it ends where they cannot be written."""
        self.clear()
        try:
            streams.tell(text)
        except OutputError as error:
            self.report(LocatedError(streams.target_label(streams.STDIO), str(error)))
            raise click.exceptions.Exit(1) from error

    def note(self, text: str) -> None:
        """Report what only -v asks for."""
        if self.verbose:
            self._say(text)

    def remark(self, text: str) -> None:
        """Report what is no error but should be known; only -q leaves it out."""
        if not self.quiet:
            self._say(text)

    def summary(self, text: str) -> None:
        """Report in one line on a file that is done."""
        if self.summarises:
            self._say(text)

    def progress(self, text: str) -> None:
        """Show a line that the next one overwrites; not too often."""
        now = time.monotonic()
        with self._lock:
            if self.shows_progress and now - self._shown_at >= _SECONDS_BETWEEN_PROGRESS:
                self.clear()
                text = printable(text)[:78]
                _print(text)
                self._shown, self._shown_at = len(text), now

    def awaited(self, text: str) -> None:
        """Report what takes long: as progress on a terminal, elsewhere once as a line."""
        if self.shows_progress:
            self.progress(text)
        elif text not in self._awaited:
            self._awaited.add(text)
            self.remark(f"vaezip: {text}")

    def close(self) -> None:
        """Leave the terminal clean, and end with status 1 if anything failed."""
        self.clear()
        if self.failures:
            raise click.exceptions.Exit(1)

    def _say(self, text: str) -> None:
        with self._lock:
            self.clear()
            _print(printable(text) + "\n")

    def clear(self) -> None:
        """Take the progress line off the screen."""
        with self._lock:
            if self._shown:
                _print("\r" + " " * self._shown + "\r")
                self._shown = 0


DROPPED = "metadata that a .vz file does not keep: {}"
LACKING = "without the metadata that only PNG would keep: {}"
KEPT = "the JPEG file is kept as it is, as it {}"
"""Remarks on a picture that several commands make; the braces stand for the kinds of what is remarked."""


class Remarks:
    """Remarks of one sort on some pictures: one line for all, or with -v one for each."""

    def __init__(self, console: Console, text: str) -> None:
        """Begin with none; ``text`` has braces in the place of the kinds of what is remarked."""
        self.console, self.text = console, text
        self._places: list[str] = []
        self._kinds: dict[str, None] = {}

    def add(self, where: str, kinds: Iterable[str]) -> None:
        """Add the kinds of one picture, which may be none."""
        found = list(kinds)
        if found and self.console.verbose:
            self.console.note(f"{where}: {self.text.replace('{}', ', '.join(found))}")
        elif found:
            self._places.append(where)
            self._kinds.update(dict.fromkeys(found))

    def tell(self) -> None:
        """Report the line for all, if there is any remark."""
        told = self.text.replace("{}", ", ".join(self._kinds))
        if len(self._places) == 1:
            self.console.remark(f"{self._places[0]}: {told}")
        elif self._places:
            self.console.remark(f"{plural(len(self._places), 'picture')}: {told}; -v lists them")


def _print(text: str) -> None:
    """Print to standard error, if it takes it: no work stops because nobody reads of it."""
    with suppress(OSError):
        click.echo(text, err=True, nl=False)


class _Awaited(logging.Handler):
    """A handler that shows what the package logs: that something takes long."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self.console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record; see :class:`logging.Handler`."""
        self.console.awaited(record.getMessage())


@contextmanager
def _told_what_takes_long(console: Console) -> Iterator[None]:
    logger, handler = logging.getLogger("vaezip"), _Awaited(console)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def with_console(function: Callable[..., None]) -> Callable[..., None]:
    """Add -q and -v to a command, which gets the argument ``console`` in their place."""

    @click.option("-q", "--quiet", is_flag=True, help="No progress, summaries and remarks; errors are still told.")
    @click.option("-v", "--verbose", is_flag=True, help="Tell more, also where standard error is no terminal.")
    @functools.wraps(function)
    def run(quiet: bool, verbose: bool, **arguments: Any) -> None:
        if quiet and verbose:
            raise click.UsageError("-q and -v exclude each other; give one of them.")
        console = Console(quiet, verbose)
        with _told_what_takes_long(console), console.attempt():
            function(console=console, **arguments)
        console.close()

    return run
