"""``vaezip sample``."""

from __future__ import annotations

import os

import click

import vaezip
from vaezip.cli import names, options, streams
from vaezip.cli.console import Console, blame, plural, with_console
from vaezip.cli.streams import PATH, STDIO
from vaezip.errors import OutputError
from vaezip.system.files import Folder, check_free


@click.command()
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    type=PATH,
    required=True,
    help="The picture, or for several the folder, to write; '-' for stdout.",
)
@click.option("--model", metavar="NAME|PATH", default="mnist", show_default=True, help="The model to draw from.")
@click.option(
    "-n", "count", type=click.IntRange(min=1), metavar="N", default=1, show_default=True, help="How many pictures."
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="S",
    default=0,
    show_default=True,
    help="Another seed gives other pictures, the same seed the same ones everywhere.",
)
@options.force
@with_console
def command(*, output: str, model: str, count: int, seed: int, force: bool, console: Console) -> None:
    """Draw pictures from a model.

    They look like what the model was trained on, more or less. One picture goes to the file OUT,
    in the format of its suffix; several to the folder OUT, as 00000.png, 00001.png and so on.
    """
    if output == STDIO and count > 1:
        raise click.UsageError("Only one picture can go to standard output.")
    alone = count == 1 and not os.path.isdir(output)
    with blame(streams.target_label(output)):
        if alone:
            streams.check(output, force)
            suffix = names.format_of(output)
        else:
            folder = _folder(output, count, force)
    pictures = _draw(model, count, seed)
    if alone:
        with blame(streams.target_label(output)):
            streams.write(output, vaezip.pictures.write(pictures[0], suffix), force=force)
    else:
        _write_all(folder, pictures, force)
    console.summary(f"{streams.target_label(output)}: {plural(count, 'picture')} drawn from {model}")


def _folder(path: str, count: int, force: bool) -> Folder:
    if names.is_picture(path):
        raise OutputError(f"names one picture; name a folder for {count}, or leave -n out")
    for index in range(count):
        with blame(_file(path, index)):
            check_free(_file(path, index), force)
    return Folder(path)


def _draw(model: str, count: int, seed: int) -> list[vaezip.Picture]:
    from vaezip.models import file as model_file
    from vaezip.models.sampling import sample

    with blame(None):
        return sample(vaezip.load_model(model_file.find(model)), count, seed)


def _write_all(folder: Folder, pictures: list[vaezip.Picture], force: bool) -> None:
    with folder:
        for index, picture in enumerate(pictures):
            file = _file(folder.path, index)
            with blame(file):
                folder.write(os.path.basename(file), vaezip.pictures.write(picture, ".png"), force=force)


def _file(folder: str | os.PathLike[str], index: int) -> str:
    return os.path.join(folder, f"{index:05d}.png")
