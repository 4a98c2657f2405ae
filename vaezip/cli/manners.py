"""The manners of other programs: what users of zstd, tar, cjxl, cwebp and oxipng type, and what says the same here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

COMMAND_FLAGS = {
    "-z": "compress",
    "--compress": "compress",
    "-d": "decompress",
    "--decompress": "decompress",
    "--uncompress": "decompress",
    "-x": "decompress",
    "-t": "test",
    "--test": "test",
    "-l": "info",
    "--list": "info",
}
"""Of the flags that name a command where zstd takes them, that command."""

OTHER_NAMES = {
    "decompress": "d uncompress decode extract x unpack unzip expand",
    "compress": "a c encode pack add zip",
    "test": "t check",
    "verify": "cmp diff",
    "info": "i l ls list show identify",
    "view": "display open preview",
    "models": "model",
    "bench": "benchmark b",
}
"""Of the names that other programs have for a command, separated by spaces."""

_THREADS = "give --threads N, or -T N"
_LOSSLESS = "every result is without loss; leave it out"
_FOLDERS = "a folder stands for all pictures below it; leave it out"
_KEPT = "metadata are always kept; leave it out"
_CHECKED = "every result has a checksum, and is decoded and compared before it is written; leave it out"
_OUTPUT = "name a file or a folder with -o"

_EVERYWHERE = {
    "-j": _THREADS,
    "--jobs": _THREADS,
    "--num_threads": _THREADS,
    "-p": _THREADS,
    "--no-progress": "-q leaves progress out",
    "--progress": "progress is shown on a terminal; leave it out",
    "--no-color": "set NO_COLOR",
    "-y": "-f overwrites",
    "--overwrite": "-f overwrites",
    "-V": "'vaezip --version' tells the version",
    "--help-all": "see --help",
}

_OUTPUTS = dict.fromkeys(
    ("-C", "--directory", "--out", "--dir", "--outdir", "--output-dir", "--output-dir-flat"),
    _OUTPUT,
)

HINTS: dict[str, dict[str, str]] = {
    "compress": {
        **_EVERYWHERE,
        **_OUTPUTS,
        "-d": "'vaezip decompress' gives pictures back; a distance there is none, for every result is without loss",
        "--decompress": "'vaezip decompress' gives pictures back",
        "-x": "'vaezip decompress' gives pictures back",
        "-t": "'vaezip test' decodes files and writes nothing",
        "--test": "'vaezip test' decodes files and writes nothing",
        "-l": "'vaezip info' tells what files hold",
        "--list": "'vaezip info' tells what files hold",
        **dict.fromkeys(("-e", "--effort", "--level", "-m", "-Z", "--ultra", "--opt", "--max"), "give -1 … -9"),
        **dict.fromkeys(
            ("--distance", "--lossless", "--lossless_jpeg", "--quality", "-z", "--near_lossless"), _LOSSLESS
        ),
        "-R": _FOLDERS,
        **dict.fromkeys(("-P", "--preserve", "--strip", "-s", "-metadata", "-a"), _KEPT),
        **dict.fromkeys(("--check", "--no-check", "--verify"), _CHECKED),
        "--long": "--solid codes larger blocks",
        "--max-memory": "--memory bounds what all takes together",
        "--train": "'vaezip train' trains a model, which --model then names",
        "-D": "'vaezip train' trains a model, which --model then names",
    },
    "decompress": {
        **_EVERYWHERE,
        **_OUTPUTS,
        "-d": _OUTPUT,
        "-x": "that is what decompress does; leave it out",
        "-t": "'vaezip test' decodes files and writes nothing",
        "--test": "'vaezip test' decodes files and writes nothing",
        "-l": "'vaezip info' tells what files hold",
        "--list": "'vaezip info' tells what files hold",
        "--max-memory": "--memory bounds what all takes together",
        "--output_format": "the format follows the suffix of -o",
        **{f"-{n}": "a file tells itself how it is to be decoded; leave it out" for n in range(1, 10)},
    },
}
"""Of the options that a command does not have, what does the same."""


def arguments(args: Sequence[str]) -> list[str]:
    """Put the command first that a flag of zstd names, as in ``vaezip -d FILE`` and ``vaezip -k -dc FILE``.

    >>> arguments(["-dc", "a.vz"]), arguments(["-k", "-d", "a.vz"]), arguments(["info", "-l"])
    (['decompress', '-c', 'a.vz'], ['decompress', '-k', 'a.vz'], ['info', '-l'])
    """
    for i, arg in enumerate(args):
        if not arg.startswith("-") or arg in ("-", "--"):
            break
        flag, others = (arg[:2], arg[2:]) if re.fullmatch("-[zdtlx][a-zA-Z0-9]*", arg) else (arg, "")
        if flag in COMMAND_FLAGS:
            return [COMMAND_FLAGS[flag], *args[:i], *([f"-{others}"] if others else []), *args[i + 1 :]]
    return list(args)


def command_for(name: str) -> str | None:
    """Return the command that other programs call by a name."""
    return next((command for command, names in OTHER_NAMES.items() if name in names.split()), None)


@contextmanager
def hints() -> Iterator[None]:
    """Add to the error of an option that a command does not have what does the same, if anything does."""
    try:
        yield
    except click.NoSuchOption as error:
        command = error.ctx.info_name if error.ctx else None
        hint = HINTS.get(command or "", _EVERYWHERE).get(error.option_name)
        if hint is None:
            raise
        raise click.UsageError(f"No such option '{error.option_name}'; {hint}.", error.ctx) from None
