"""``vaezip view``."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import vaezip
from vaezip.cli import inputs, names, options, streams
from vaezip.cli.archives import Damage, is_set, progress, require_models
from vaezip.cli.console import Console, blame, plural, with_console
from vaezip.cli.streams import PATH, STDIO
from vaezip.errors import IncompleteError, OutputError, VaezipError
from vaezip.vz.archive import is_vz

if TYPE_CHECKING:
    from vaezip.cli.contact import Entry

_MOST = 60
"""Of more pictures the others are counted: who looks at a terminal sees no more."""

_MOST_IN_ICON = 9


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=PATH)
@click.option("-o", "--output", metavar="OUT.png", type=PATH, help="Write the contact sheet as a picture.")
@click.option("--only", metavar="NAME", multiple=True, help="Show these pictures of a set alone, as decompress does.")
@click.option(
    "--most", type=click.IntRange(min=1), metavar="N", default=_MOST, show_default=True, help="Show so many pictures."
)
@click.option(
    "--size",
    type=click.IntRange(min=1),
    metavar="N",
    help="Make the PNG at most N pixels wide and high and without names, as a file manager shows it; of a set, the "
    "first nine pictures. Its name may be any.",
)
@options.force
@options.reading
@with_console
def command(
    *,
    files: tuple[str, ...],
    output: str | None,
    size: int | None,
    force: bool,
    reading: options.Reading,
    console: Console,
    **chosen: Any,
) -> None:
    """Show pictures in the terminal, or in one PNG.

    FILE is a .vz file, of which a set becomes one contact sheet, or a picture of any format that is
    read; '-' is standard input. The terminal shows two pixels in each character, in its colours, or
    in letters where NO_COLOR is set or standard output is no terminal. -o and --size make the small
    picture that a file manager shows.
    """
    if size is not None and output is None:
        raise click.UsageError("--size is that of a PNG; name it with -o.")
    if output is not None:
        _check(output, force, files, named=size is None)
    with reading.opened() as how:
        viewer = _Viewer(how, console, chosen["only"])
        most = chosen["most"] if size is None else min(chosen["most"], _MOST_IN_ICON)
        entries = list(itertools.islice(viewer.entries(files), most))
    if size is None and viewer.more(len(entries)):
        console.remark(f"{viewer.more(len(entries)):,} more pictures are not shown; raise --most")
    if entries:
        with blame(None if output is None else streams.target_label(output)):
            if output is None:
                _show(entries, console)
            else:
                _write(entries, size, output, force=force, files=files)
                console.summary(f"{streams.target_label(output)}: {plural(len(entries), 'picture')}")


def _check(output: str, force: bool, files: tuple[str, ...], *, named: bool) -> None:
    with blame(streams.target_label(output)):
        if named and output != STDIO and os.path.splitext(output)[1].lower() != ".png":
            raise OutputError("is no name of a PNG; a contact sheet is one, so give it the suffix .png")
        streams.check(output, force, files)


def _show(entries: list[Entry], console: Console) -> None:
    from vaezip.cli import contact

    on = contact.screen(sys.stdout is not None and sys.stdout.isatty(), shutil.get_terminal_size().columns)
    console.tell("\n".join(contact.lines(entries, on)).rstrip("\n"))


def _write(entries: list[Entry], size: int | None, output: str, *, force: bool, files: tuple[str, ...]) -> None:
    import numpy as np

    from vaezip.cli import contact

    image = contact.sheet(entries) if size is None else contact.icon(entries, size)
    picture = vaezip.Picture("RGB", np.asarray(image).copy())
    streams.write(output, vaezip.pictures.write(picture, ".png"), force=force, sources=files)


class _Viewer:
    """One command line: takes the pictures of files in turn."""

    def __init__(self, how: options.Opened, console: Console, only: tuple[str, ...]) -> None:
        self.how, self.console, self.only = how, console, only
        self._known = 0

    def more(self, shown: int) -> int:
        """Count the pictures of the files opened so far that are not among those shown."""
        return max(0, self._known - shown - self.console.failures)

    def entries(self, files: tuple[str, ...]) -> Iterator[Entry]:
        """Yield the thumbnails of all pictures; report those that cannot be had."""
        from vaezip.cli.contact import ALONE, THUMBNAIL, Entry
        from vaezip.pictures.thumbnail import thumbnail

        for path in files:
            label = streams.source_label(path)
            with self.console.attempt(label):
                for name, picture, alone in self._pictures(path):
                    side = ALONE if alone and len(files) == 1 else THUMBNAIL
                    height, width, _ = picture.samples.shape
                    yield Entry(thumbnail(picture, side, side), name or Path(label).name, f"{width}×{height}")

    def _pictures(self, path: str) -> Iterator[tuple[str, vaezip.Picture, bool]]:
        """Yield the pictures of a file, and whether each is its only one."""
        data = streams.read(path, inputs.bound(self.how.options.max_pixels))
        if not is_vz(data):
            yield from self._in_file(data)
            return
        archive = vaezip.Archive(data, self.how.options)
        require_models(archive)
        held = names.chosen(archive.names, self.only) if self.only and is_set(archive) else archive.names
        self._known += len(held)
        damage = Damage(self.console, streams.source_label(path))
        with progress(self.console, archive, streams.source_label(path)):
            for name, picture in self._decoded(archive, held):
                if isinstance(picture, IncompleteError):
                    damage.add(name, picture)
                    picture = picture.picture
                if isinstance(picture, VaezipError):
                    damage.add(name, picture)
                else:
                    yield name, picture, len(held) == 1
        damage.end_run()

    def _in_file(self, data: bytes) -> Iterator[tuple[str, vaezip.Picture, bool]]:
        """Yield the picture, or the frames or pages, of a file of another format."""
        found = vaezip.pictures.read_all(data, self.how.options.max_pixels)
        self._known += len(found)
        yield from ((name, picture, len(found) == 1) for name, picture in found.items())

    def _decoded(self, archive: vaezip.Archive, held: list[str]) -> Iterator[tuple[str, vaezip.Picture | VaezipError]]:
        if len(held) == len(archive.names):
            yield from archive.pictures()
            return
        for name in held:
            try:
                yield name, archive.read(name)
            except VaezipError as error:
                yield name, error
