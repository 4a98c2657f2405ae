"""Errors of the command line itself, in one line as all others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

from vaezip.cli.console import printable

_SHOWS_HELP = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""The error of a program without a command, for which its help is shown; older releases of click have none."""


class CommandLineError(click.ClickException):
    """Report a command line that is wrong, as ``vaezip: reason; remedy``."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line."""
        click.echo(f"vaezip: {printable(self.message)}", file=file, err=True)


@contextmanager
def in_one_line(program: click.Context | None = None) -> Iterator[None]:
    """Turn click's report of a wrong command line, of three lines and more, into one; the context is that in which a
    command runs, if it does."""
    try:
        yield
    except click.UsageError as error:
        if isinstance(error, _SHOWS_HELP):
            raise
        command = f"vaezip {program.invoked_subcommand}" if program and program.invoked_subcommand else "vaezip"
        reason = worded(error.format_message())
        raise CommandLineError(reason if ";" in reason else f"{reason}; see '{command} --help'") from error


def worded(message: str) -> str:
    """Make click's sentences a part of a line.

    >>> worded("No such option '--fo'. Did you mean '--force'?")
    "no such option '--fo'; did you mean '--force'?"
    """
    line = re.sub(r"\. \((Did you mean [^)]*)\)$", r". \1", " ".join(message.split())).rstrip(".")
    return re.sub(r"(^|\. )([A-Z])(?=[a-z])", lambda found: "; "[: len(found[1])] + found[2].lower(), line)
