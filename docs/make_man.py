"""Writes docs/vaezip.1, the manual page, from the help of every command: ``python docs/make_man.py``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

import vaezip
from vaezip.cli import COMMANDS, main

PAGE = Path(__file__).parent / "vaezip.1"

_TAIL = """\
.SH EXIT STATUS
0 if all went well, 1 if a file failed (the others are still done), 2 if the command line is wrong, 130 after an
interrupt.
.SH ENVIRONMENT
.TP
.B NO_COLOR
No colours in tables and pictures.
.TP
.B VAEZIP_DATA
The folder of named data sets.
.SH SEE ALSO
.BR zstd (1),
.BR cjxl (1),
.BR oxipng (1)
"""


def render() -> str:
    """The page."""
    group = click.Context(main, info_name="vaezip", **main.context_settings)
    parts = [
        f'.TH VAEZIP 1 "" "vaezip {vaezip.__version__}" "User Commands"',
        ".SH NAME",
        r"vaezip \- compress pictures without loss",
        ".SH SYNOPSIS",
        ".B vaezip",
        r"\fICOMMAND\fR [\fIOPTIONS\fR] \fIARGUMENTS\fR",
        ".SH DESCRIPTION",
        *_text(main.help or ""),
    ]
    for name in COMMANDS:
        command = main.get_command(group, name)
        assert command is not None
        parts += _command(name, command, click.Context(command, parent=group, info_name=name))
    return "\n".join(parts) + "\n" + _TAIL


def _command(name: str, command: click.Command, context: click.Context) -> Iterator[str]:
    yield f".SH {name.upper()}"
    usage = " ".join(command.collect_usage_pieces(context))
    yield rf"\fBvaezip {name}\fR {_escaped(usage)}"
    yield ".PP"
    yield from _text(command.help or "")
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            yield ".TP"
            yield rf"\fB{_escaped(record[0])}\fR"
            yield _escaped(" ".join(record[1].split()))


def _text(text: str) -> Iterator[str]:
    """The paragraphs of a help text; those behind a \\b keep their lines."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in paragraph.strip().splitlines()]
        kept = lines[0] == "\b"
        yield from [".PP", ".nf"] if kept else [".PP"]
        yield from (_escaped(line) for line in lines[kept:])
        if kept:
            yield ".fi"


def _escaped(text: str) -> str:
    """A text in which nothing is a request or an escape."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
