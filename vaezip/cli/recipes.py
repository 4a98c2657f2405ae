"""The program that makes the shipped models: ``python -m vaezip.training``.

``train NAME`` trains by a recipe; the same command again goes on where it was cut. ``torchrun --nproc-per-node N -m
vaezip.training train NAME`` shares each batch among N processes. ``publish NAME`` then quantises, measures, and writes
``models/NAME.safetensors`` with figures and card.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vaezip.cli.remedies import worded
from vaezip.errors import VaezipError
from vaezip.training import recipes


def _known(_: click.Context, __: click.Parameter, value: str | tuple[str, ...]) -> Any:
    for name in [value] if isinstance(value, str) else value:
        if name not in recipes.RECIPES:
            raise click.BadParameter(f"'{name}' is none of {', '.join(sorted(recipes.RECIPES))}")
    return value


_REMEDY = "data-folder"
"""The key of the only remedy that this program has an option for; the others name options of ``vaezip train``."""

_FOLDER = click.Path(path_type=Path)
_data = click.option("--data", type=_FOLDER, help="Folder of photographs, or with the data sets.")
_runs = click.option("--runs", type=_FOLDER, default=Path("runs"), show_default=True, help="Folder of states and logs.")


class _Group(click.Group):
    """The commands of the program, which report an error in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except VaezipError as error:
            reason = worded(error) if error.remedy == _REMEDY else str(error)
            raise click.ClickException(reason) from error


@click.group(cls=_Group, help=__doc__)
def main() -> None:
    """Choose a command."""


@main.command()
@click.argument("name", callback=_known)
@_data
@_runs
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True, help="Where to train.")
@click.option("--start", type=_FOLDER, metavar="MODEL", help="Model file whose weights to start from.")
@click.option("--steps", type=click.IntRange(min=1), help="Steps, other than the recipe's.")
@click.option("--learning-rate", type=float, help="Adam's before it falls, other than the recipe's.")
def train(name: str, data: Path | None, runs: Path, **chosen: Any) -> None:
    """Train a shipped model by its recipe, or go on where that was cut."""
    recipes.train(name, data, runs, **chosen)


@main.command()
@click.argument("names", nargs=-1, required=True, callback=_known)
@_data
@_runs
@click.option("--models", type=_FOLDER, default=Path("models"), show_default=True, help="Folder to write to.")
@click.option("--limit", type=click.IntRange(min=1), help="Test images to measure on, if not all.")
@click.option("--note", default="", help="A sentence for the card: where the run departed from the recipe.")
def publish(names: tuple[str, ...], data: Path | None, runs: Path, **chosen: Any) -> None:
    """Quantise, measure and write the models of recipes that are trained."""
    for name in names:
        for record in recipes.write(name, data, runs, **chosen):
            click.echo(f"{record['name']}: {record['integer_bpd']} bits per dimension")
