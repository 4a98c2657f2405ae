"""``vaezip verify``."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

import vaezip
from vaezip.cli import inputs, options, streams
from vaezip.cli.ahead import ahead
from vaezip.cli.archives import Damage, Found, is_set, open_archive, picture_size, progress, require_models
from vaezip.cli.console import DROPPED, Console, LocatedError, Remarks, blame, plural, printable, with_console
from vaezip.cli.inputs import Source
from vaezip.cli.streams import STDIO
from vaezip.errors import VaezipError


@click.command()
@click.argument("images", nargs=-1, required=True, metavar="IMG...", type=streams.PATH)
@click.argument("file", metavar="FILE", type=streams.PATH)
@options.reading
@with_console
def command(*, images: tuple[str, ...], file: str, reading: options.Reading, console: Console) -> None:
    """Compare pictures with what a .vz file gives back.

    IMG and FILE are as for 'vaezip compress IMG... -o FILE': a picture and its file, or the pictures
    and folders of a set. Every sample, the mode and all metadata must be equal, and where FILE keeps a
    file as it was, every byte; times are not compared. Says what differs first. Of a folder, all
    pictures must be in FILE, and no other. '-' is standard input.
    """
    if (*images, file).count(STDIO) > 1:
        raise click.UsageError("'-' cannot be both IMG and FILE, or several of them.")
    with reading.opened() as how, console.attempt(streams.source_label(file)):
        job = _Job(how, console, file)
        job.compare(images)
        job.dropped.tell()


class _Job:
    """One command line: the file, and what of it was compared."""

    def __init__(self, how: options.Opened, console: Console, file: str) -> None:
        self.how, self.console, self.label = how, console, streams.source_label(file)
        self.dropped = Remarks(console, DROPPED)
        self.archive, _ = open_archive(file, how.options)
        self.frames: dict[str, vaezip.Picture] = {}

    def compare(self, images: tuple[str, ...]) -> None:
        """Compare all pictures, and report each that differs."""
        require_models(self.archive)
        failures = self.console.failures
        sources = self._sources(images)
        extra = [name for name in self.archive.names if name not in sources]
        if any(os.path.isdir(image) for image in images):
            for name in extra:
                self.console.report(LocatedError(self.label, f"holds '{name}', which is not among the pictures"))
        damage = Damage(self.console, self.label)
        found = self._watched(self._found(sources))
        for (name, picture), job in ahead(
            lambda found: self._difference(sources[found[0]], found), found, self.how.workers, size=picture_size
        ):
            if isinstance(picture, VaezipError):
                damage.add(name, picture)
                continue
            damage.end_run()
            where = streams.source_label(sources[name].path)
            with self.console.attempt(where):
                reason, dropped = job.result()
                self.dropped.add(where, dropped)
                if reason:
                    raise LocatedError(where, f"is not what {self.label} gives: {reason}")
        damage.end_run()
        if self.console.failures == failures and not self.console.quiet:
            self.console.tell(f"{printable(self.label)}: equal ({plural(len(sources), 'picture')})")

    def _watched(self, found: Iterator[Found]) -> Iterator[Found]:
        """Show how much is decoded."""
        with progress(self.console, self.archive, self.label):
            yield from found

    def _sources(self, images: tuple[str, ...]) -> dict[str, Source]:
        """Return the source of each picture of the file, by its name there."""
        if not is_set(self.archive):
            if len(images) > 1 or os.path.isdir(images[0]):
                raise LocatedError(self.label, "holds one picture without a name; name its source alone")
            return {"": Source(images[0], "")}
        if images == (STDIO,):
            raise LocatedError(self.label, "is a set, and standard input has no name in it")
        from vaezip.codec.sequences import described

        if len(images) == 1 and not os.path.isdir(images[0]) and described(self.archive):
            return self._frames(images[0])
        found, held = {}, set(self.archive.names)
        for source in inputs.find(images, self.console):
            if source.name in held:
                found[source.name] = source
            else:
                self.console.report(LocatedError(source.path, f"is not in {self.label}"))
        return found

    def _frames(self, path: str) -> dict[str, Source]:
        """Read an animation, or a file of pages, and return it as the source of each of its pictures."""
        with blame(path):
            data = streams.read(path, inputs.bound(self.how.options.max_pixels))
            self.frames = vaezip.pictures.read_all(data, self.how.options.max_pixels)
        if set(self.frames) != set(self.archive.names):
            raise LocatedError(path, f"holds {len(self.frames):,} pictures, not {len(self.archive.names):,}")
        return {name: Source(path, name) for name in self.frames}

    def _found(self, sources: dict[str, Source]) -> Iterator[Found]:
        """Give the pictures of the file that have a source, as they are decoded; of one alone, its block only."""
        if len(sources) > 1:
            yield from (found for found in self.archive.contents() if found[0] in sources)
        for name in sources if len(sources) == 1 else ():
            try:
                original = self.archive.original(name)
                yield name, self.archive.read(name) if original is None else original
            except VaezipError as error:
                yield name, error

    def _difference(self, source: Source, found: Found) -> tuple[str | None, tuple[str, ...]]:
        """Return what differs first, or None, and the metadata that no .vz file keeps."""
        _, picture = found
        if isinstance(picture, VaezipError):
            raise picture  # which is told by the caller
        with blame(streams.source_label(source.path)):
            data = streams.read(source.path, inputs.bound(self.how.options.max_pixels))
            if isinstance(picture, bytes):
                return _of_bytes(data, picture), ()
            read = self.frames.get(found[0]) or vaezip.pictures.read(data, self.how.options.max_pixels)
            return _of_pictures(read, picture), read.dropped


def _of_bytes(source: bytes, kept: bytes) -> str | None:
    """Return how two files differ, or None."""
    if source == kept:
        return None
    import numpy as np

    common = min(len(source), len(kept))
    differs = np.frombuffer(source, np.uint8, common) != np.frombuffer(kept, np.uint8, common)
    if differs.any():
        return f"byte {int(differs.argmax()):,} of the file differs"
    return f"it has {plural(len(source), 'byte')}, not {len(kept):,}"


def _of_pictures(source: vaezip.Picture, kept: vaezip.Picture) -> str | None:
    """Return what differs first: mode, size, a pixel or a kind of metadata; or None."""
    if source.mode != kept.mode:
        return f"its mode is {source.mode}, not {kept.mode}"
    if source.samples.shape != kept.samples.shape:
        sizes = [f"{samples.shape[1]}×{samples.shape[0]}" for samples in (source.samples, kept.samples)]
        return f"its size is {sizes[0]}, not {sizes[1]}"
    differs = (source.samples != kept.samples).any(axis=2)
    if differs.any():
        y, x = divmod(int(differs.argmax()), differs.shape[1])
        values = [", ".join(map(str, samples[y, x])) for samples in (source.samples, kept.samples)]
        return f"the pixel at ({x}, {y}) is {values[0]}, not {values[1]}"
    for kind in vaezip.pictures.BOXES:
        boxes = [[data for name, data in picture.boxes if name == kind] for picture in (source, kept)]
        if boxes[0] != boxes[1]:
            return f"its {kind} differs" if all(boxes) else f"its {kind} is {'not' if boxes[0] else 'only'} in the file"
    return None
