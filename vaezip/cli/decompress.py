"""``vaezip decompress``."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import click

import vaezip
from vaezip.cli import batches, inputs, names, options, streams
from vaezip.cli.ahead import ahead
from vaezip.cli.archives import Damage, Found, is_set, open_archive, picture_size, progress, require_models
from vaezip.cli.console import LACKING, Console, LocatedError, Remarks, blame, plural, with_console
from vaezip.cli.remedies import worded
from vaezip.cli.removal import Removal, digest
from vaezip.cli.streams import PATH, STDIO
from vaezip.errors import FormatError, ImageError, IncompleteError, OutputError, VaezipError
from vaezip.system.files import Folder, NoSpaceError, check_free, date

_Written: TypeAlias = tuple[Path, bytes, tuple[str, ...]]
"""A file that a picture became, its bytes, and the kinds of metadata that it lacks."""

_PNG_LEVEL = 6
"""As :data:`vaezip.pictures.png.metadata.LEVEL`, which is too heavy to import for a help text."""


@click.command()
@click.argument("files", nargs=-1, metavar="FILE...", type=PATH, callback=streams.or_piped)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    type=PATH,
    help="The picture, or for a set or several FILEs the folder, to write; '-' for stdout.",
)
@options.stdout
@click.option(
    "--only",
    metavar="NAME",
    multiple=True,
    help="Take these pictures alone out of a set: a name, a base name, or a pattern such as '2024/*'. May be repeated.",
)
@click.option(
    "--salvage",
    is_flag=True,
    help="Write what is left of a damaged or cut FILE, even without its directory; names and metadata may be lost.",
)
@click.option(
    "--png-level",
    type=click.IntRange(0, 9),
    metavar="N",
    default=_PNG_LEVEL,
    show_default=True,
    help="How hard zlib tries on the pixels of a PNG: from 0, fast, to 9, small.",
)
@options.force
@options.remove
@options.reading
@batches.writing
@with_console
def command(
    *,
    files: tuple[str, ...],
    output: str | None,
    only: tuple[str, ...],
    salvage: bool,
    reading: options.Reading,
    batch: batches.Batch,
    console: Console,
    **flags: Any,
) -> None:
    """Write the pictures of .vz files.

    photo.png.vz makes photo.png, and a set, set.vz, the folder set. The format follows the suffix:
    .png, .webp, .tif, .bmp, .ppm, .pgm or .pbm. Where a suffix is lossy or its format cannot hold the
    picture exactly, .png is added: photo.jp2.vz makes photo.jp2.png. PNG alone keeps all metadata.

    A JPEG comes back as the same file, under its own name: photo.jpg.vz makes photo.jpg. With
    -o photo.png, its pixels are written. DICOM and FITS files come back as they were, too.

    A folder stands for all .vz files below it, whose pictures go where they are, or with -o OUT into the
    same folders of OUT. '-' is standard input, whose picture goes to standard output as PNG, or as the
    JPEG that it was. FILE is kept, unless --rm is given. Of a damaged set, the pictures that are intact
    are written.
    """
    if only and len(files) > 1:
        raise click.UsageError("--only takes a picture out of one FILE.")
    if output == STDIO and len(files) > 1:
        raise click.UsageError("Only one FILE can go to standard output.")
    in_batch, folders = batch.asked_for((*files, output or "")), any(map(os.path.isdir, files))
    removal = Removal(flags["remove"], console)
    removal.check(files, output)
    if flags["remove"] and (only or salvage or in_batch or (folders and output is not None)):
        raise click.UsageError("--rm goes with neither --only nor --salvage, nor with folders that mirror.")
    if in_batch or (folders and output is not None):
        if only or STDIO in files or output == STDIO:
            raise click.UsageError("--only and '-' take one FILE, and no folders.")
        target = batch.destination(output) if in_batch else output or ""
        asked = replace(reading.options(), salvage=salvage)
        plan = {"threads": reading.threads, "force": flags["force"], "update": batch.update, "mark": in_batch}
        plan["png_level"] = flags["png_level"]
        found = batches.results(files, console)
        batches.run(_decompress, found, target, asked, batch=batch, console=console, **plan)
        return
    files = tuple(inputs.results(files, console))
    with reading.opened() as how, ExitStack() as stack:
        how = how._replace(options=replace(how.options, salvage=salvage))
        job = _Job(
            _Target(output, len(files) > 1, flags["force"], flags["png_level"]), how, console, streams.Protected(files)
        )
        job.removal = removal
        if job.target.many and output is not None:
            with blame(output):
                if names.is_picture(output):
                    raise OutputError(f"names one picture; name a folder for {plural(len(files), 'FILE')}")
                stack.enter_context(Folder(output)).make()
        for path in files:
            console.progress(f"{streams.source_label(path)} …")
            with console.attempt(streams.source_label(path)):
                if only:
                    job.take_some(path, only)
                else:
                    job.take_all(path)
        job.dropped.tell()


def _decompress(*arguments: Any, **plan: Any) -> Any:
    from vaezip.batch.calls import decompress  # late, as all that codes

    return decompress(*arguments, **plan)


class _Target(NamedTuple):
    """The target of the pictures: ``output`` as the command line says, whether there are several FILEs, and how hard
    zlib tries on PNGs."""

    output: str | None
    many: bool
    force: bool
    png_level: int


class _Job:
    """One command line; ``kept`` are its files, and what they became."""

    def __init__(self, target: _Target, how: options.Opened, console: Console, kept: streams.Protected) -> None:
        self.target, self.how, self.console, self.kept = target, how, console, kept
        self.dropped = Remarks(console, LACKING)
        self.removal = Removal(False, console)
        self._made: dict[str, bytes] = {}
        self._lacking: tuple[str, ...] = ()

    def take_all(self, path: str) -> None:
        """Write all that a file holds, and remove the file, where that is asked for and nothing failed."""
        self._made, self._lacking = {}, ()
        failures = self.console.failures
        source = {path: digest(Path(path).read_bytes())} if self.removal.wanted else {}
        self._take_all(path)
        if self.console.failures == failures:
            self.removal.take(source, self._made, self._lacking)

    def _take_all(self, path: str) -> None:
        archive, size = self._open(path)
        if self.how.options.salvage:
            self._tell_losses(path, archive)
        else:
            require_models(archive)
        with progress(self.console, archive, streams.source_label(path)):
            if is_set(archive):
                self._take_set(path, archive)
            elif self._names_a_file(path):
                self._write_named(path, archive, "", size)
            else:
                target = self._default_picture(path, archive)
                self._write_files(path, target.parent, {"": target.name}, archive, _one(archive, ""))

    def take_some(self, path: str, patterns: tuple[str, ...]) -> None:
        """Write some pictures of a set."""
        archive, size = self._open(path)
        if not is_set(archive):
            raise FormatError("holds one picture without a name; leave --only out")
        found = names.chosen(archive.names, patterns)
        if len(found) == 1 and self._names_a_file(path):
            self._write_named(path, archive, found[0], size)
            return
        folder = self._folder_of_set(path, len(found))
        files = names.file_names(found, archive.formats())
        self._write_files(path, folder, files, archive, _some(archive, found))

    def _tell_losses(self, path: str, archive: vaezip.Archive) -> None:
        """Report what a salvage could not find."""
        label = streams.source_label(path)
        for first, end in archive.lost:
            reason = f"nothing that is whole describes the {plural(end - first, 'byte')} from {first:,} on"
            self.console.report(LocatedError(label, reason))
        if archive.lost:
            known = f"; at least {len(archive.missing):,} more are lost" if archive.missing else ""
            self.console.remark(f"{label}: found {plural(len(archive.names), 'picture')}{known}")

    def _open(self, path: str) -> tuple[vaezip.Archive, int]:
        return open_archive(path, self.how.options)

    def _names_a_file(self, path: str) -> bool:
        """Tell whether one picture goes just where the user says, or from standard input to standard output."""
        if self.target.many or self.target.output is None:
            return path == STDIO and self.target.output is None
        return not os.path.isdir(self.target.output)

    def _default_picture(self, path: str, archive: vaezip.Archive) -> Path:
        from vaezip.codec.sequences import came_from

        format, stem = archive.formats().get("") or came_from(archive), names.without_suffix(path)
        if format is not None:
            file = Path(names.of_format(stem if stem is not None else path, format))
        else:
            file = Path(names.lossless(stem) if stem is not None else path + ".png")
        return Path(self.target.output, file.name) if self.target.output is not None else file

    def _folder(self, path: str) -> Path:
        """Return the folder for the pictures of a set."""
        if self.target.output is not None and not self.target.many:
            return Path(self.target.output)
        default = names.without_suffix(path)
        if default is None:
            remedy = "decompress it alone, with -o FOLDER" if self.target.many else "name a folder with -o"
            raise OutputError(f"is a set, and its name does not end in .vz; {remedy}")
        return Path(self.target.output, Path(default).name) if self.target.output is not None else Path(default)

    def _one_file(self, path: str) -> str | None:
        """Return the file that the frames of a set may become together, if its suffix is that of such a format."""
        from vaezip.pictures.sequences.files import can_write

        output = self.target.output
        if output is not None and not self.target.many and not os.path.isdir(output):
            return output if can_write(output) else None
        default = names.without_suffix(path)
        if default is None or not can_write(default):
            return None
        return default if output is None else os.path.join(output, os.path.basename(default))

    def _write_sequence(self, path: str, archive: vaezip.Archive, target: str) -> None:
        """Write all pictures of a set as the one file that they were, or another that holds them exactly."""
        from vaezip.codec.sequences import rejoined

        with blame(target):
            self.kept.refuse(target)
            streams.check(target, self.target.force)
        with blame(target), self.kept.writing(target):
            data = rejoined(archive, os.path.splitext(target)[1])
            streams.write(target, data, force=self.target.force, sources=[path], like=path)
            date(target, archive.modified(archive.names[0]))
        self._note(target, data, ())
        self._summarise(path, f"{plural(len(archive.names), 'picture')} → {target}")

    def _folder_of_set(self, path: str, pictures: int) -> Path:
        """Return the folder for some pictures of a set; refuse a target that takes one alone."""
        count = plural(pictures, "picture")
        if not self.target.many and (self.target.output == STDIO or (self.target.output is None and path == STDIO)):
            raise OutputError(f"holds {count}; name a folder with -o, or one of them with --only")
        folder = self._folder(path)
        if self.target.output is not None and not self.target.many and names.is_picture(self.target.output):
            raise OutputError(f"holds {count}, and '{self.target.output}' names one; name a folder, or one with --only")
        return folder

    def _take_set(self, path: str, archive: vaezip.Archive) -> None:
        from vaezip.codec import sequences

        target = self._one_file(path)
        if target is not None and sequences.described(archive):
            self._write_sequence(path, archive, target)
            return
        folder = self._folder_of_set(path, len(archive.names))
        files = names.file_names(archive.names, archive.formats())
        self._write_files(path, folder, files, archive, archive.contents())

    def _write_named(self, path: str, archive: vaezip.Archive, name: str, size: int) -> None:
        target = self.target.output or STDIO
        with blame(streams.target_label(target)):
            self.kept.refuse(target)
            streams.check(target, self.target.force)
            original = archive.original(name) if names.stands_for(target, archive.formats().get(name)) else None
            suffix = "" if original is not None else names.format_of(target)
        picture = self._read(path, archive, name) if original is None else None
        with blame(streams.target_label(target)):
            data = self._as_file(picture or original or b"", suffix)
            streams.write(target, data, force=self.target.force, sources=[path], like=None if name else path)
            if target != STDIO:
                date(target, archive.modified(name))
        self._note(target, data, vaezip.pictures.dropped_boxes(picture, suffix) if picture else ())
        self._summarise(path, f"{size:,} → {len(data):,} bytes ({streams.target_label(target)})")

    def _note(self, target: str, data: bytes, dropped: tuple[str, ...]) -> None:
        """Note a file that was written, and the kinds of metadata that it lacks."""
        self.dropped.add(streams.target_label(target), dropped)
        self._lacking += dropped
        if self.removal.wanted:
            self._made[target] = digest(data)

    def _read(self, path: str, archive: vaezip.Archive, name: str) -> vaezip.Picture:
        """Read a picture, also one of which some rows are lost, which is told."""
        try:
            return archive.read(name)
        except IncompleteError as error:
            self.console.report(LocatedError(streams.source_label(path), worded(error)))
            return error.picture

    def _write_files(
        self, path: str, where: Path, files: dict[str, str], archive: vaezip.Archive, pictures: Iterable[Found]
    ) -> None:
        """Write pictures to their files in a folder; nothing at all if one exists and may not be overwritten."""
        with blame(str(where)):
            folder = Folder(where)
            self._refuse_many(where, files)
        for file in files.values():
            with blame(str(where / file)):
                self.kept.refuse(where / file)
                check_free(where / file, self.target.force)
        label, taken = streams.source_label(path), frozenset(files.values())

        def write(found: Found) -> _Written:
            name, picture = found
            if isinstance(picture, IncompleteError):
                picture = picture.picture
            if isinstance(picture, VaezipError):
                raise picture  # which is told below
            with blame(f"{label}: {name}" if name else label):
                like = None if name or path == STDIO else path
                return self._write_file(folder, files[name], taken, picture, [path], like, archive.modified(name))

        written: list[Path] = []
        damage = Damage(self.console, label)
        with folder:
            for (name, picture), job in ahead(write, pictures, self.how.workers, size=picture_size):
                if isinstance(picture, VaezipError):
                    damage.add(name, picture)
                    if not isinstance(picture, IncompleteError):
                        continue
                damage.end_run()
                with self.console.attempt(label):
                    target, data, dropped = job.result()
                    written.append(target)
                    self._note(str(target), data, dropped)
                if isinstance(_cause(job), NoSpaceError):
                    break
        damage.end_run()
        if written:
            self._summarise(path, f"{plural(len(written), 'picture')} → {written[0] if len(files) == 1 else where}")

    def _refuse_many(self, where: Path, files: dict[str, str]) -> None:
        """Report in one line that several files exist."""
        taken = [] if self.target.force else [file for file in files.values() if os.path.lexists(where / file)]
        if len(taken) > 1:
            some = f"{len(taken):,} of {plural(len(files), 'file')} exist already, such as {taken[0]}"
            raise OutputError(f"{some}; use -f to overwrite them")

    def _write_file(
        self,
        folder: Folder,
        file: str,
        taken: frozenset[str],
        picture: vaezip.Picture | bytes,
        sources: list[str],
        like: str | None,
        modified: int | None,
    ) -> _Written:
        """Write one of the files; where its format cannot hold the picture, with ``.png`` added."""
        try:
            data = self._as_file(picture, os.path.splitext(file)[1])
        except ImageError:
            file += ".png"
            if file in taken:
                raise
            data = self._as_file(picture, ".png")
        with blame(str(folder.path / file)), self.kept.writing(folder.path / file):
            folder.write(file, data, force=self.target.force, sources=sources, like=like)
            date(folder.path / file, modified)
        if isinstance(picture, bytes):
            return folder.path / file, data, ()
        return folder.path / file, data, vaezip.pictures.dropped_boxes(picture, os.path.splitext(file)[1])

    def _as_file(self, picture: vaezip.Picture | bytes, suffix: str) -> bytes:
        """Return the file of a picture in the format of a suffix, or the file that is kept."""
        if isinstance(picture, bytes):
            return picture
        return vaezip.pictures.write(picture, suffix, level=self.target.png_level)

    def _summarise(self, path: str, text: str) -> None:
        self.console.summary(f"{streams.source_label(path)}: {text}")


def _one(archive: vaezip.Archive, name: str) -> Iterator[Found]:
    original = archive.original(name)
    try:
        yield name, archive.read(name) if original is None else original
    except IncompleteError as error:
        yield name, error


def _some(archive: vaezip.Archive, chosen: Collection[str]) -> Iterator[Found]:
    """Give some pictures of a set: few each alone, many by passing over the whole set."""
    if len(chosen) > 1 and len(chosen) * _MANY >= len(archive.names):
        yield from (found for found in archive.contents() if found[0] in chosen)
        return
    for name in chosen:
        try:
            yield from _one(archive, name)
        except VaezipError as error:
            if len(chosen) == 1:
                raise
            yield name, error


_MANY = 8
"""A pass over a set costs as much as so many of its pictures alone: pictures share blocks."""


def _cause(job: Future[_Written]) -> BaseException | None:
    """Return the error that made a job fail, if it failed."""
    error = job.exception()
    return error and error.__cause__
