"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vaezip.cli.console import blame
from vaezip.system.threads import usable_cores

AUTO = "auto"
"""As :data:`vaezip.codec.select.AUTO`, which is too heavy to import for a help text."""

MAX_PIXELS = 1 << 28
"""As :data:`vaezip.pictures.picture.DEFAULT_MAX_PIXELS`, likewise."""


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
    "--threads",
    type=click.IntRange(min=1),
    metavar="N",
    callback=_count_cores,
    show_default="cores that can be used",
    help="Threads to use; the result is the same.",
)

max_pixels = click.option(
    "--max-pixels",
    type=click.IntRange(min=1),
    metavar="N",
    default=MAX_PIXELS,
    show_default=True,
    help="Refuse larger pictures, which need much memory.",
)

models = click.option(
    "--model",
    "models",
    type=click.Path(exists=True, dir_okay=False),
    metavar="PATH",
    multiple=True,
    help="A model file that FILE may need beside the models that come with vaezip. May be repeated.",
)


def reading(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every command takes that decodes .vz files."""
    for option in (max_pixels, threads, device, models):
        command = option(command)
    return command
