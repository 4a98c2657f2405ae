"""Options that several commands share."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import click

import vaezip
from vaezip.cli.console import blame
from vaezip.system.threads import Workers, usable_cores

AUTO = "auto"
"""As :data:`vaezip.codec.select.AUTO`, which is too heavy to import for a help text."""

MAX_PIXELS = 1 << 28
"""As :data:`vaezip.pictures.picture.DEFAULT_MAX_PIXELS`, likewise."""

MAX_WORK = 1 << 23
"""As that of :mod:`vaezip.models.cost`, likewise."""


class _Size(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the bytes: of a number, so many MiB, or what its suffix says."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([1-9][0-9]*)(?:([KMGT])(?:i?B)?)?", value, re.IGNORECASE)
        if not found:
            self.fail(f"{value!r} is no size; give MiB, or a number with K, M or G.", param, ctx)
        return int(found[1]) << 10 * (1 + "KMGT".index((found[2] or "M").upper()))


def check_device(device: str) -> None:
    """Fail before any work where the device is not there."""
    if device != "cpu":
        from vaezip.exact import backend

        with blame(None):
            backend(device)


def check_models(models: tuple[str, ...]) -> None:
    """Fail before any work where a model file is none."""
    if models:
        from vaezip.models import file as model_file

        with blame(None):
            for model in models:
                model_file.architecture(Path(model))


def _count_cores(_: click.Context, __: click.Parameter, value: int | None) -> int:
    return value or usable_cores()


force = click.option("-f", "--force", is_flag=True, help="Overwrite what exists; never the input.")

device = click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    show_default=True,
    help="Where the networks run; the result is the same. cuda needs PyTorch.",
)

threads = click.option(
    "-T",
    "--threads",
    type=click.IntRange(min=0),
    metavar="N",
    callback=_count_cores,
    show_default="cores that can be used",
    help="Threads to use, 0 for as many as there are cores; the result is the same.",
)

stdout = click.option("-c", "--stdout", "output", flag_value="-", help="Write to standard output, as -o - does.")

remove = click.option(
    "--rm/--keep",
    " /-k",
    "remove",
    default=False,
    help="Remove each input once its output was read back and is whole, unless metadata were dropped; or keep it.  "
    "[default: --keep]",
)

max_pixels = click.option(
    "--max-pixels",
    type=click.IntRange(min=1),
    metavar="N",
    default=MAX_PIXELS,
    show_default=True,
    help="Refuse larger pictures, which need much memory.",
)

memory = click.option(
    "-M",
    "--memory",
    type=_Size(),
    metavar="SIZE",
    default=None,
    help="Take no more memory than SIZE, in MiB, or with a suffix such as 2G: fewer threads work at once where they "
    "take more, and what takes more alone is refused. 256 MiB of it are for the program itself.",
)

max_work = click.option(
    "--max-work",
    type=click.IntRange(min=1),
    metavar="N",
    default=MAX_WORK,
    show_default=True,
    help="Refuse what takes more operations for each pixel.",
)

models = click.option(
    "--model",
    "models",
    type=click.Path(exists=True, dir_okay=False),
    metavar="PATH",
    multiple=True,
    help="A model file that FILE may need beside the models that come with vaezip. May be repeated.",
)


class Opened(NamedTuple):
    """How archives are read, and the threads of the command."""

    options: vaezip.ReadOptions
    workers: Workers


@dataclass(frozen=True)
class Reading:
    """How a command decodes .vz files, as its command line says."""

    models: tuple[str, ...]
    device: str
    threads: int
    max_pixels: int
    memory: int | None
    max_work: int

    def options(self) -> vaezip.ReadOptions:
        """Return what they mean to the codec, where each file is decoded by one of many.

        Raises:
            LocatedError: the device or a model is not there.
        """
        check_device(self.device)
        check_models(self.models)
        options = vaezip.ReadOptions(self.models, self.device, max_pixels=self.max_pixels)
        return replace(options, memory=self.memory, max_work=self.max_work)

    @contextmanager
    def opened(self) -> Iterator[Opened]:
        """Start the threads of the command, and give them and the options of its archives.

        Raises:
            LocatedError: the device or a model is not there.
        """
        options = self.options()
        with Workers(self.threads) as workers:
            yield Opened(replace(options, threads=self.threads, executor=workers), workers)


def reading(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what every command takes that decodes .vz files; the command gets it as one :class:`Reading`."""

    @functools.wraps(command)
    def gathered(*args: Any, **values: Any) -> Any:
        return command(
            *args, reading=Reading(**{field.name: values.pop(field.name) for field in fields(Reading)}), **values
        )

    for option in (max_work, memory, max_pixels, threads, device, models):
        gathered = option(gathered)
    return gathered
