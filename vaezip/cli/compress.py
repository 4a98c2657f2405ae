"""``vaezip compress``."""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

import vaezip
from vaezip.cli import batches, inputs, names, options, originals, streams
from vaezip.cli.ahead import ahead
from vaezip.cli.console import DROPPED, KEPT, Console, LocatedError, Remarks, blame, plural, with_console
from vaezip.cli.inputs import Source
from vaezip.cli.originals import Read
from vaezip.cli.prices import Prices
from vaezip.cli.progress import Progress
from vaezip.cli.removal import Removal, digest
from vaezip.cli.streams import PATH, STDIO
from vaezip.errors import OutputError
from vaezip.models.effort import DEFAULT_PRESET, PRESETS, Effort, chosen_effort
from vaezip.pictures.formats import has_picture_suffix
from vaezip.system import signals
from vaezip.system.files import Folder, check_free, is_special
from vaezip.system.threads import Workers
from vaezip.vz.archive import parse
from vaezip.vz.limits import MAX_STEPS

if TYPE_CHECKING:
    from vaezip.models.library import Library

_NO_HALF_SETS = "a set is written once it is whole; --output-dir-mirror DIR, for a file each, goes on where it was cut"

_NAMED = 5
"""Of the files that a set lacks, so many are named."""


def _presets(command: Callable[..., Any]) -> Callable[..., Any]:
    """``-1`` … ``-9``; the first stands for all of them in the help."""
    for n in reversed(PRESETS):
        text = (
            f"… to -{max(PRESETS)}: from the fastest to the smallest, in both directions.  [default: -{DEFAULT_PRESET}]"
        )
        flag = click.option(f"-{n}", "preset", flag_value=n, type=int, default=None, help=text, hidden=n > 1)
        command = flag(command)
    for name, n in (("--fast", min(PRESETS)), ("--best", max(PRESETS))):  # as gzip, zstd and others call them
        command = click.option(name, "preset", flag_value=n, type=int, default=None, hidden=True, help=f"As -{n}.")(
            command
        )
    return command


class _Compress(click.Command):
    """Knows that -19 is no level; click alone would read it as -1 -9."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See :meth:`click.Command.parse_args`."""
        for arg in itertools.takewhile(lambda arg: arg != "--", args):
            if re.fullmatch("-[0-9]+", arg) and int(arg[1:]) not in PRESETS:
                raise click.UsageError(f"There is no level {arg}; levels are -1 … -{max(PRESETS)}.", ctx)
        return super().parse_args(ctx, args)


@click.command(cls=_Compress)
@click.argument("images", nargs=-1, metavar="IMG...", type=PATH, callback=streams.or_piped)
@click.option(
    "-o", "--output", metavar="OUT", type=PATH, help="The file, or the folder for files, to write; '-' for stdout."
)
@options.stdout
@options.force
@options.remove
@click.option(
    "--model",
    metavar="NAME|PATH|auto",
    default=options.AUTO,
    show_default=True,
    help="A model that comes with vaezip, a model file, or whatever makes the file smallest.",
)
@_presets
@click.option(
    "--steps",
    type=click.IntRange(0, MAX_STEPS),
    metavar="K",
    default=None,
    help="Take at most K gradient steps in the place of a preset, in compressing and again in decompressing: on the "
    "posterior of each tile, or by a pixel network on its weights after every two rows. Smaller and slower; what was "
    "taken is in the file. A pixel network takes no more than two; from there on more orientations are tried.",
)
@click.option(
    "--embed-model",
    is_flag=True,
    help="Put the model into the file, which then needs nothing else to be read; for large sets.",
)
@click.option(
    "--solid",
    is_flag=True,
    help="Code up to 16 million pixels as one block, not one million: smaller where there is much to learn from, but "
    "one picture of a set cannot be read without those before it.",
)
@click.option(
    "--block",
    type=click.IntRange(min=1),
    metavar="N",
    default=None,
    help="Put at most N pictures of a set into one block. To read one, its block is decoded as a whole: by "
    "default as many as a second decodes, such as 128 of 32×32. With 8, one takes some hundredths of a second, "
    "and such a set about 0.2 % more bytes.",
)
@click.option(
    "--pixels",
    is_flag=True,
    help="Code the pixels of JPEG files, and not the files: much larger, and another file comes back.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Refuse a picture that has metadata which a .vz file does not keep, where else a remark names them.",
)
@options.device
@options.threads
@options.memory
@options.max_pixels
@batches.writing
@with_console
def command(
    images: tuple[str, ...], output: str | None, console: Console, *, batch: batches.Batch, **flags: Any
) -> None:
    """Compress pictures without loss.

    Each IMG gets a file of its own beside it: photo.png makes photo.png.vz. With -o, one IMG makes
    that file, and several make it together, as a set from which each can be read alone, with those
    that share its block (see --block); what is no picture that vaezip can read is told and left out.
    If OUT is a folder, each gets a file of its own there. Of several of -1 … -9 the last counts.

    A JPEG is kept as the file that it is, and decompress gives back the same bytes; of other formats
    the pixels and the metadata are, and all of DICOM and FITS.

    A folder stands for all pictures below it. With --output-dir-mirror DIR, each picture gets a file in
    DIR, in the folders that it was in, here or by the machines of a cluster. The same command goes on
    where that was cut, but a set, which is written once it is whole, begins anew. '-' is standard input,
    whose result goes to standard output. IMG is kept, unless --rm is given. Every result is decoded
    again and compared before it is written.
    """
    if STDIO in images and len(images) > 1:
        raise click.UsageError("'-' cannot be one of several IMG.")
    chosen = _Flags(**flags)
    if chosen.preset is not None and chosen.steps is not None:
        raise click.UsageError(f"-1 … -{max(PRESETS)} and --steps say the same; give one of them.")
    if chosen.solid and chosen.block is not None:
        raise click.UsageError("--solid and --block both say how large a block is; give one of them.")
    if batch.asked_for((*images, output or "")):
        if chosen.remove:
            raise click.UsageError("--rm does not go with a batch, of which other machines may read the results.")
        _compress_batch(images, batch.destination(output), batch, chosen, console)
        return
    with Workers(chosen.threads) as workers:
        job = _Job(chosen, workers, console)
        job.removal.check(images, output)
        if images == (STDIO,):
            job.alone(Source(STDIO, ""), output or STDIO)
        elif output is None or os.path.isdir(output) or output.endswith(("/", os.sep)):
            job.each(inputs.find(images, console), output)
        elif len(images) == 1 and not os.path.isdir(images[0]):
            job.alone(Source(images[0], ""), output)
        else:
            with signals.explaining(_NO_HALF_SETS):
                job.together(inputs.find(images, console), output)
        job.remark()


@dataclass(frozen=True)
class _Flags:
    """The options of a command line."""

    force: bool
    remove: bool
    model: str
    preset: int | None
    steps: int | None
    embed_model: bool
    solid: bool
    block: int | None
    pixels: bool
    strict: bool
    device: str
    threads: int
    memory: int | None
    max_pixels: int

    def options(self, workers: Workers | None = None) -> vaezip.Options:
        """Return what they mean to the codec."""
        return vaezip.Options(
            model=self.model,
            effort=_effort(self.preset, self.steps),
            embed_model=self.embed_model,
            solid=self.solid,
            block=self.block,
            pixels=self.pixels,
            strict=self.strict,
            max_pixels=self.max_pixels,
            memory=self.memory,
            device=self.device,
            threads=self.threads,
            executor=workers,
        )


def _compress_batch(
    images: tuple[str, ...], destination: str, batch: batches.Batch, flags: _Flags, console: Console
) -> None:
    """Compress each picture, here or on many machines, into a folder that mirrors theirs."""
    from vaezip.batch.calls import compress

    if STDIO in images:
        raise click.UsageError("'-' has no name in a folder of results.")
    options.check_device(flags.device)
    found = batches.pictures(images, console)
    plan = {"threads": flags.threads, "force": flags.force, "update": batch.update}
    batches.run(compress, found, destination, flags.options(), batch=batch, console=console, **plan)


class _Job:
    """The options of one command line, and the ways to go about it: alone, each or together; then remark."""

    def __init__(self, flags: _Flags, workers: Workers, console: Console) -> None:
        self.flags, self.workers, self.console = flags, workers, console
        self.options = flags.options(workers)
        self.dropped = Remarks(console, DROPPED)
        self.without_model = Remarks(
            console, f"coded without a model, as '{flags.model}' does not code pictures of mode {{}}"
        )
        self.damaged = Remarks(console, KEPT)
        self.without_embedded = Remarks(console, "written without the model {}, which would make it no smaller")
        self.removal = Removal(flags.remove, console)
        options.check_device(flags.device)
        self.model_files = () if flags.model == options.AUTO else (flags.model,)
        self.library = _library(flags.model, flags.device)
        self._readers = workers if flags.memory is None else None

    def alone(self, source: Source, target: str) -> None:
        """One picture to one file."""
        self._check(target, [source])
        self.console.progress(f"{streams.source_label(source.path)} …")
        with blame(streams.source_label(source.path)):
            read = self._read(source)
        progress = Progress(self.console, read.size)
        with progress.watched():
            progress.begin(streams.source_label(source.path), read.size, read.weight)
            self._compress(source, read, target)

    def each(self, sources: list[Source], folder: str | None) -> None:
        """Every picture to a file of its own, beside it or in a folder that exists."""
        kept = self._kept(sources)

        def target(source: Source) -> str:
            return (source.path if folder is None else os.path.join(folder, source.name)) + names.SUFFIX

        def check(source: Source) -> None:
            with blame(target(source)):
                kept.refuse(target(source))
                (streams.check if folder is None else check_free)(target(source), self.flags.force)

        def read(source: Source) -> Read:
            check(source)
            return self._read(source)

        free = self._free(sources, target)
        progress = Progress(self.console, sum(map(originals.size, free)))
        with blame(folder), Folder(folder) if folder is not None else nullcontext() as where, progress.watched():
            for i, (source, job) in enumerate(ahead(read, free, self._readers, size=originals.size)):
                with self.console.attempt(source.path):
                    found = job.result()
                    progress.begin(_place(i, len(free)) + source.path, found.size, found.weight)
                    self._compress(source, found, target(source), where, kept)

    def _free(self, sources: list[Source], target: Callable[[Source], str]) -> list[Source]:
        """Leave out what was compressed already, and report that in one line, or with -v in one for each."""
        if self.flags.force or self.console.verbose:
            return sources
        taken = {source for source in sources if os.path.isfile(target(source))}
        if len(taken) < 2:
            return sources
        some = target(next(source for source in sources if source in taken))
        reason = f"{len(taken):,} files exist already, such as {some}; use -f to overwrite them"
        self.console.report(LocatedError(None, reason))
        return [source for source in sources if source not in taken]

    def together(self, sources: list[Source], target: str) -> None:
        """All pictures to one file, without those that are unfit."""
        self._check(target, sources)
        inputs.check_distinct(sources)
        label, size, values, unfit = streams.target_label(target), 0, 0, dict.fromkeys(sources)
        taken: dict[str, bytes] = {}
        fit = self._looked_at(sources)
        progress, found = Progress(self.console, sum(map(originals.size, fit))), Prices(self.console)
        with found.watched(), self._compressor() as compressor, progress.watched():
            for i, (source, job) in enumerate(ahead(self._read, fit, self._readers, size=originals.size)):
                with self.console.attempt(source.path):
                    read = job.result()
                    progress.begin(f"{label}, {i + 1:,} of {len(fit):,} read", read.size, read.weight)
                    originals.add(compressor, source.name, read)
                    self._note(source, read)
                    size, values = size + read.size, values + read.values
                    del unfit[source]
                    if self.removal.wanted and not read.dropped:
                        taken[source.path] = digest(read.data)
            if len(unfit) == len(sources):
                raise LocatedError(label, "not written, because no picture could be compressed")
            with blame(label):
                data = compressor.close()
            self._note_kept(compressor, {source.name: source for source in sources})
        with blame(label):
            streams.write(target, data, force=self.flags.force, sources=[source.path for source in sources])
        if target != STDIO and not target.lower().endswith(names.SUFFIX) and not is_special(target):
            self.console.remark(f"{label}: is one .vz file of all pictures; end OUT in '/' for a file each in a folder")
        self._note_model(label, data)
        self._summarise(f"{label}: {plural(len(sources) - len(unfit), 'picture')}, ", size, values, data)
        found.tell(label)
        if unfit:
            count = f"{len(unfit):,} of {plural(len(sources), 'file')}"
            self.console.remark(f"{label}: written without {count}: {_few(unfit)}")
        self.removal.take(taken, {target: digest(data)})

    def _looked_at(self, sources: list[Source]) -> list[Source]:
        """Leave out, before the first is coded, what a look at names and first bytes shows to be unfit."""
        fit = []
        for source in sources:
            with self.console.attempt(source.path):
                names.check_storable(source.name)
                if not is_special(source.path):
                    originals.refuse_vz(originals.beginning(source.path))
                fit.append(source)
        return fit

    def _check(self, target: str, sources: list[Source]) -> None:
        """Find out early what forbids one file of this name."""
        with blame(streams.target_label(target)):
            if has_picture_suffix(target):  # perhaps from -o *.png, and one of the pictures
                suffix = os.path.splitext(target)[1]
                raise OutputError(f"'{suffix}' is the suffix of a picture; give -o a name that ends in .vz")
            self._kept(sources).refuse(target)
            streams.check(target, self.flags.force)

    def _kept(self, sources: list[Source]) -> streams.Protected:
        return streams.Protected((source.path for source in sources), self.model_files)

    def _compress(
        self,
        source: Source,
        read: Read,
        target: str,
        folder: Folder | None = None,
        kept: streams.Protected | None = None,
    ) -> None:
        found = Prices(self.console)
        with blame(streams.source_label(source.path)), found.watched(), self._compressor() as compressor:
            originals.add(compressor, "", read)
            data = compressor.close()
            self._note_kept(compressor, {"": source})
            if read.frames and len(data) >= read.size:
                data = self._as_it_is(read.data)
        with blame(streams.target_label(target)), kept.writing(target) if kept else nullcontext():
            if folder is None:
                streams.write(target, data, force=self.flags.force, sources=[source.path], like=source.path)
            else:
                name = source.name + names.SUFFIX
                folder.write(name, data, force=self.flags.force, sources=[source.path], like=source.path)
        self._note_model(streams.source_label(source.path), data)
        self._summarise(f"{streams.source_label(source.path)}: ", read.size, read.values, data)
        found.tell(streams.source_label(source.path))
        self._note(source, read)
        if self.removal.wanted:
            self.removal.take({source.path: digest(read.data)}, {target: digest(data)}, read.dropped)

    def _note_kept(self, compressor: vaezip.Compressor, sources: dict[str, Source]) -> None:
        """Note the JPEG files that could not be taken apart."""
        for name, reason in compressor.kept.items():
            self.damaged.add(streams.source_label(sources[name].path), [reason])

    def _note_model(self, where: str, data: bytes) -> None:
        """Note a file that was to hold the chosen model, and does not."""
        if self.flags.embed_model and self.flags.model != options.AUTO and not parse(data).embedded:
            self.without_embedded.add(where, [self.flags.model])

    def _as_it_is(self, data: bytes) -> bytes:
        """Return the file that keeps another as it is."""
        with self._compressor() as compressor:
            compressor.add("", None, original=data)
            return compressor.close()

    def _note(self, source: Source, read: Read) -> None:
        """Note what of a picture does not go the way that one may think."""
        from vaezip.models.kinds import PLANES

        self.dropped.add(streams.source_label(source.path), read.dropped)
        if self.flags.model == options.AUTO:
            return
        for picture in read.pictures:
            if picture.mode not in PLANES:
                self.without_model.add(streams.source_label(source.path), [picture.mode])
                return

    def remark(self) -> None:
        """Tell what was noted."""
        self.dropped.tell()
        self.without_model.tell()
        self.damaged.tell()
        self.without_embedded.tell()

    def _read(self, source: Source) -> Read:
        return originals.read(source, max_pixels=self.flags.max_pixels, pixels=self.flags.pixels)

    def _compressor(self) -> vaezip.Compressor:
        return vaezip.Compressor(self.options, library=self.library)

    def _summarise(self, head: str, size: int, values: int, data: bytes) -> None:
        if self.console.summarises:
            share = f"{100 * len(data) / size:.1f} %" if size else "-"
            rate = f"{8 * len(data) / values:.2f} bpd, " if values else ""
            self.console.summary(
                f"{head}{size:,} → {len(data):,} bytes ({share}, {rate}{_methods(data, self.model_files)})"
            )


def _place(index: int, count: int) -> str:
    """Word the place of a picture among several."""
    return f"{index + 1:,} of {count:,}: " if count > 1 else ""


def _few(sources: Collection[Source]) -> str:
    """Name the first of some files, and count the others."""
    first = [source.path for source in itertools.islice(sources, _NAMED)]
    more = f" and {len(sources) - _NAMED:,} more" if len(sources) > _NAMED else ""
    return ", ".join(first) + more


def _effort(preset: int | None, steps: int | None) -> Effort:
    with blame(None):
        return chosen_effort(steps, preset or DEFAULT_PRESET)


def _library(model: str, device: str) -> Library:
    """Models for however many files; the one that is asked for is loaded at once, lest each file report it missing."""
    from vaezip.models.library import Library

    with blame(None):
        library = Library(device=device)
        if model != options.AUTO:
            library.by_name(model)
        return library


def _methods(data: bytes, model_files: tuple[str, ...]) -> str:
    """Name what coded the blocks of a file, the most bytes first."""
    sizes: Counter[str] = Counter()
    models = tuple(file for file in model_files if os.path.isfile(file))
    for block in vaezip.Archive(data, models=models, max_pixels=1 << 62, memory=1 << 62).info()["blocks"]:
        sizes[block["method"]] += block["bytes"]
    return " + ".join(name for name, _ in sizes.most_common())
