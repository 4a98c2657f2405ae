"""Pictures to a file.

Pictures of one mode and size form a group; a group is cut into blocks (several pictures, or a band of one, of about a
million pixels), and each block is coded alone, by a model or by a coder without one, decoded again, compared, and kept.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from vaezip.codec import choice, coders, encoding, flight, forms, jobs, metadata, select, taken
from vaezip.codec.blocks import Samples, check_group, gathered, group_of, picture_bytes
from vaezip.codec.compress_options import Options
from vaezip.codec.jobs import BlockJob, Candidate
from vaezip.codec.kept import FileJob, KeptFile, keep
from vaezip.codec.runs import Entry, Pending, Run
from vaezip.codec.select import AUTO
from vaezip.errors import ImageError, VaezipError
from vaezip.models import file as model_file
from vaezip.models.cost import UNLIMITED, Budget
from vaezip.models.kinds import BILEVEL_GREY, FILES, JPEG, MODE_NAMES, coded_mode, fits, misfit
from vaezip.models.library import Library, Reference
from vaezip.pictures.convert import PictureLike, as_picture, file_of, named
from vaezip.pictures.formats import is_jpeg
from vaezip.pictures.jpeg.parts import shape_of
from vaezip.pictures.picture import Picture, check_size, refuse_dropped
from vaezip.system import meter
from vaezip.system.threads import Workers, count_of
from vaezip.vz import archive as vz
from vaezip.vz import limits
from vaezip.vz.names import is_unicode
from vaezip.vz.records import Block, Group, has_model
from vaezip.vz.times import forget_times_of_none, is_time


@dataclass
class _File:
    """A file that is kept byte for byte; the job, once it has begun, holds its bytes."""

    name: str
    original: bytes
    modified: int | None = None
    verbatim: bool = False
    job: Future[KeptFile] | None = None


class _Inline(NamedTuple):
    """One picture as a file without a directory, and the job and the candidate that coded it."""

    job: BlockJob
    candidate: Candidate
    group: Group
    data: bytes


class Compressor:
    """Take pictures one by one, code them in blocks, and give the file at the end.

    Pixels are coded as they come, so that what is held of them are the coded bytes, and the files that they came in
    as long as those may be shorter. No byte of a set can be written before the last picture is added: in a file the
    blocks of one mode and size stand together.

    The bytes depend on the pictures, their order, the models and the effort alone: not on ``threads``,
    ``device``, ``executor`` or the machine.

    Attributes:
        kept: by name, why a JPEG file is kept as it is; complete once the file is made.
    """

    def __init__(self, options: Options | None = None, *, library: Library | None = None, **changes: Any) -> None:
        """Begin a file.

        Args:
            options: how to compress; ``changes`` are fields of them.
            library: opens models in the place of one of our own, and then tells the device.

        Raises:
            ModelError: the chosen model is missing or cannot be used.
            VaezipError: preset, steps, block or threads are out of range.
            TypeError: there is no such option.
        """
        asked = replace(options or Options(), **changes)
        self.options = replace(asked, threads=count_of(asked.threads))
        self.effort = self.options.chosen_effort()
        chosen = None if self.options.model == AUTO else model_file.find(os.fspath(self.options.model))
        self.library = library or Library((chosen,) if chosen else (), self.options.device)
        self.chosen = self.library.by_path(chosen) if chosen else None
        self._chosen = Reference(chosen, self.chosen.fingerprint) if chosen and self.chosen else None
        if self.options.block is not None and (self.options.block < 1 or self.options.solid):
            raise VaezipError("a block holds one picture or more, and is solid only where nobody says how many")
        self._pending: dict[tuple[str, int, int], Pending] = {}
        self._names: set[str] = set()
        self._files: list[_File] = []
        self._taken = taken.Taken()
        self.kept: dict[str, str] = {}
        self._unsettled: list[Run] = []
        self._listed = limits.Budget()
        self._made = False
        self._resources = ExitStack()
        self._executor = self.options.executor or self._resources.enter_context(Workers(self.options.threads))
        self._flight = flight.Flight(self._executor, self.options.threads)

    def __enter__(self) -> Compressor:
        return self

    def __exit__(self, *_: object) -> None:
        self._flight.cancel()
        self._resources.close()

    def add(
        self, name: str, picture: PictureLike | None, *, original: bytes | None = None, modified: int | None = None
    ) -> None:
        """Add a picture.

        Args:
            name: must be new; "" for a picture alone.
            picture: what to code, in any form that :func:`vaezip.compress` takes; None for a JPEG whose pixels are
                not coded, or for a file of another format that is to be kept as it is.
            original: the file that it came in. A JPEG is kept byte for byte, unless its pixels are asked for; of other
                formats, a file is where that is shorter.
            modified: when it was last changed, in seconds since 1970; a set tells it.

        Raises:
            ImageError: the name is taken, the time beyond the years 1 to 9999, a model was chosen that does not fit, or
                a JPEG is too large.
            FormatError: name or metadata are more than a file can hold.
            VaezipError: the file is made.
        """
        self._check_name(name)
        if modified is not None and not is_time(modified):
            raise ImageError("its time of modification is beyond the years 1 to 9999")
        data = file_of(picture)
        original = data if original is None else original
        if original is not None and is_jpeg(original):
            if not self.options.pixels:
                self._add_file(name, original, modified)
                return
            original = None
        if picture is None and not original:
            raise ImageError("has no pixels to code")
        if picture is None:
            self._add_file(name, original or b"", modified, verbatim=True)
            return
        picture, _ = as_picture(picture if data is None or isinstance(picture, Picture) else data)
        if self.options.strict:
            refuse_dropped(picture.dropped)
        mode, samples = self._to_coded(picture)
        key = mode, samples.shape[0], samples.shape[1]
        pending = self._pending.get(key)
        group = pending.group if pending else self._new_group(*key)
        self._budget_beside(group).check_memory(flight.memory_of(mode, (1, group.band, *samples.shape[1:])))
        entry = Entry(name, metadata.numbered(picture.boxes), original, modified)
        self._take(name, entry.boxes)
        if samples.nbytes >= taken.LEAST and self._taken.has(taken.digest(mode, samples), entry):
            return
        if pending is None:
            pending = self._pending[key] = Pending(group, gathered(group))
        if len(pending.samples) == pending.most:
            self._submit(pending)
        pending.entries.append(entry)
        pending.samples.append(samples)
        if len(pending.samples) == pending.most and self._names != {""}:  # which may become inline
            self._submit(pending)

    def _new_group(self, mode: str, height: int, width: int) -> Group:
        return group_of(mode, (height, width), pictures=self.options.block, solid=self.options.solid)

    def _take(self, name: str, boxes: tuple[tuple[int, bytes], ...]) -> None:
        """Take a picture and its metadata from what a file may list."""
        self._listed.take(limits.PICTURES, 1)
        self._listed.take(limits.PIECES, len(boxes))
        self._listed.take_metadata([len(content) for _, content in boxes])
        self._names.add(name)

    def _check_name(self, name: str) -> None:
        if self._made:
            raise VaezipError("the file is made, and takes no more pictures; begin another")
        if name in self._names:
            raise ImageError(f"two pictures are called '{name}'; rename one")
        if not is_unicode(name):
            raise ImageError("its name is not valid Unicode; rename it")
        limits.check_name(name)

    def _add_file(self, name: str, original: bytes, modified: int | None, *, verbatim: bool = False) -> None:
        """Add a JPEG as a file, or any file as it is; one without a name may become inline, and waits."""
        height, width, channels = shape_of(original) or (0, 0, 0)
        check_size(width, height, self.options.max_pixels)
        if not verbatim:
            UNLIMITED.within(self.options.memory).check_memory(flight.memory_of(JPEG, (height, width, channels)))
        self._take(name, ())
        if self._taken.has(taken.digest_of_file(original), Entry(name, (), original, modified)):
            return
        self._files.append(_File(name, original, modified, verbatim))
        if self._names != {""}:
            self._submit_files()

    def _submit_files(self) -> None:
        for file in self._files:
            if file.job is None:
                file.job = self._flight.begin(keep, self._file_job(file.original, verbatim=file.verbatim))
                file.original = b""

    def _file_job(self, data: bytes, *, inline: bool = False, verbatim: bool = False) -> FileJob:
        budget = UNLIMITED.within(self.options.memory)
        return FileJob(data, self.library, self.effort, self.options.verify, inline, verbatim, budget)

    def close(self) -> bytes:
        """Code what is left and return the file.

        Raises:
            VaezipError: nothing was added, or a block did not decode to its pictures.
        """
        if not self._names:
            raise ImageError("there is no picture to compress")
        self._made = True
        if self._names == {""}:
            return self._close_alone()
        return self._close_archive()

    def _close_alone(self) -> bytes:
        """Return the file of one picture without a name: the picture coded, or its original."""
        if self._files:
            return self._close_file(self._files[0].original, verbatim=self._files[0].verbatim)
        entry = next(iter(self._pending.values())).entries[0]
        data = self._close_inline() if self._is_inline() else self._close_archive()
        if entry.original is None or len(data) <= len(entry.original):
            return data
        return min(data, self._close_file(entry.original, verbatim=True), key=len)

    def _close_file(self, original: bytes, *, verbatim: bool = False) -> bytes:
        """Return the inline file that keeps a file byte for byte."""
        found = self._executor.submit(keep, self._file_job(original, inline=True, verbatim=verbatim)).result()
        self._note("", found)
        return self._checked(found.header + found.group.blocks[0].payload, [found.group])

    def _note(self, name: str, file: KeptFile) -> None:
        if file.reason:
            self.kept[name] = file.reason

    def _close_archive(self) -> bytes:
        for pending in self._pending.values():
            if pending.samples:
                self._submit(pending)
        self._submit_files()
        runs = [run for pending in self._pending.values() for run in pending.runs]
        embedded = self._models_for([block for run in runs for block in run.forms()])
        data = self._archive(embedded)
        originals = [run.originals() for run in runs] if not self._taken.shared else [[]]
        if embedded and all(originals) and len(data) > sum(len(file) for files in originals for file in files):
            return min(data, self._archive({}, verbatim=True), key=len)
        return data

    def _archive(self, embedded: dict[bytes, bytes], *, verbatim: bool = False) -> bytes:
        """Return the archive of all runs, each coded or, where that is shorter or asked for, as its originals."""
        groups, kept = [], []
        for pending in self._pending.values():
            group = replace(pending.group, names=[], boxes=[], blocks=[], times=[])
            for run in pending.runs:
                found = run.blocks(embedded)
                is_shared = any(entry.name in self._taken.shared for entry in run.entries)
                if verbatim or (not is_shared and run.is_shorter_verbatim(found)):
                    kept += [self._verbatim_group(entry) for entry in run.entries]
                    continue
                group.names += [entry.name for entry in run.entries]
                group.boxes += [entry.boxes for entry in run.entries]
                group.times += [entry.modified for entry in run.entries]
                group.blocks += found
            groups += [group] if group.names else []
        groups += kept + self._file_groups()
        in_files = {name for group in groups if MODE_NAMES[group.mode] in FILES for name in group.names}
        groups += taken.groups_of(self._taken.copies, in_files)
        forget_times_of_none(groups)
        used = {block.model for group in groups for block in group.blocks if has_model(block.model)}
        models = {mark: data for mark, data in embedded.items() if mark in used}
        names = {mark: self.library.name_of(mark, even_shipped=mark in models) for mark in used}
        return self._checked(vz.write_archive(groups, names, models), groups)

    def _verbatim_group(self, entry: Entry) -> Group:
        """Return the group that holds the original of a picture as it is."""
        job = self._file_job(entry.original or b"", verbatim=True)
        group = self._executor.submit(keep, job).result().group
        return replace(group, names=[entry.name], times=[entry.modified] if entry.name else [])

    def _file_groups(self) -> list[Group]:
        """Return the groups of the files that are kept byte for byte, one for each."""
        groups = []
        for file in self._files:
            assert file.job is not None
            found = file.job.result()
            self._note(file.name, found)
            groups.append(replace(found.group, names=[file.name], times=[file.modified] if file.name else []))
        return groups

    def _checked(self, data: bytes, groups: list[Group]) -> bytes:
        """Return the file, once what a reader makes of all but the pixels is what it was made of."""
        if self.options.verify:
            found = vz.parse(data).groups
            for group in found:
                check_group(group, group.height * group.width, UNLIMITED)
            if found != groups:
                raise VaezipError("the file does not read back as what it was made of; please report this")
        return data

    def _models_for(self, coded: list[list[Block]]) -> dict[bytes, bytes]:
        """Return the files of the models to embed, by fingerprint: all, or of those to choose from what the file gains
        by; none where none are to be embedded."""
        if not self.options.embed_model:
            return {}
        found = {one.model for block in coded for one in block if has_model(one.model)}
        files = {fingerprint: self.library.file(fingerprint) for fingerprint in found}
        if self.chosen:
            return files
        sizes = {fingerprint: len(vz.packed_model(data)) for fingerprint, data in files.items()}
        return {fingerprint: files[fingerprint] for fingerprint in select.worth_embedding(coded, sizes)}

    def _to_coded(self, picture: Picture) -> tuple[str, Samples]:
        """Return the mode and samples to code, if the chosen model can."""
        mode = coded_mode(picture, self.chosen.architecture if self.chosen else None)
        reason = misfit(self.chosen.name, self.chosen.architecture, picture, coded=mode) if self.chosen else None
        if reason:
            raise ImageError(reason, "other-model")
        return mode, picture.samples >> 7 if mode == BILEVEL_GREY else picture.samples

    def _is_inline(self) -> bool:
        """Tell whether the one picture can do without a directory."""
        group = next(iter(self._pending.values())).group
        return not self.options.embed_model and group.bands == 1 and group.mode < 16

    def _close_inline(self) -> bytes:
        pending = next(iter(self._pending.values()))
        group = pending.group
        samples, boxes = metadata.by_brightness(np.stack(pending.samples), pending.entries[0].boxes)
        group.names, group.boxes, job = [""], [boxes], self._job(group, samples)
        with meter.part(job.samples.size):
            with meter.part(encoding.CHOICE):
                job = self._executor.submit(flight.within_memory, jobs.prepared, job).result()
                candidates = self._executor.submit(flight.within_memory, choice.promising, job).result()
            share = (1 - encoding.CHOICE) / (len(candidates) + 1)
            made = []
            for candidate in candidates:
                with meter.part(share):
                    made.append(self._inline(group, job, candidate))
            best = min(made, key=lambda one: len(one.data))
            with meter.part(share):
                self._executor.submit(
                    flight.within_memory, forms.check, best.job, best.candidate, best.group.blocks[0]
                ).result()
        return self._checked(best.data, [best.group])

    def _inline(self, group: Group, job: BlockJob, candidate: Candidate) -> _Inline:
        model = self.library.by_reference(candidate) if isinstance(candidate, Reference) else None
        mark = jobs.mark_of(candidate)
        native = model is not None and (group.height, group.width) == model.architecture.tile
        height, width = (0, 0) if native else (group.height, group.width)
        empty = Block(mark, b"")
        written = replace(group, height=height, width=width, per_block=1, band=height, blocks=[empty])
        header = vz.inline_header(written, self.library.name_of(mark) if model else "")
        job = replace(job, before=zlib.crc32(header))
        written.blocks = [self._executor.submit(flight.within_memory, encoding.form, job, candidate).result()]
        return _Inline(job, candidate, written, header + written.blocks[0].payload)

    def _submit(self, pending: Pending) -> None:
        """Begin to code the pictures that wait."""
        samples, run = np.stack(pending.samples), Run(pending.entries, [])
        pending.entries, pending.samples = [], []
        pending.runs.append(run)
        for top in range(0, pending.group.height, pending.group.band):
            band = np.ascontiguousarray(samples[:, top : top + pending.group.band])
            job, pictures = self._job(pending.group, band), pending.group.per_block
            if pending.runs[0] is not run and encoding.keeps_models(job):
                self._flight.wait_for(pending.runs[0].jobs)
                job = job.by_models_of(pending.runs[0].blocks())
            run.jobs.append(self._flight.begin(flight.within_memory, encoding.encode_run, job, pictures))
        if not self.options.embed_model:  # with models in it, the whole file alone tells what is shorter
            self._unsettled = [*(one for one in self._unsettled if not one.settle()), run]

    def _job(self, group: Group, samples: Samples) -> BlockJob:
        shape = (min(len(samples), group.per_block), *samples.shape[1:])
        return BlockJob(
            mode=MODE_NAMES[group.mode],
            samples=samples,
            candidates=self._candidates(group),
            alpha=None if self.options.embed_model else _shipped(select.ALPHA_MODEL),  # which no file would hold
            library=self.library,
            effort=self.effort,
            verify=self.options.verify,
            open=self.options.embed_model and not self.chosen,
            planes=None if self.chosen else _shipped(select.PLANES_MODEL),
            budget=self._budget_beside(group),
            memory=flight.memory_of(MODE_NAMES[group.mode], shape),
        )

    def _budget_beside(self, group: Group) -> Budget:
        """Return what jobs may take beside a picture of a group, which whoever added it holds, and so do we."""
        return UNLIMITED.within(self.options.memory, held=2 * picture_bytes(group))

    def _candidates(self, group: Group) -> tuple[Candidate, ...]:
        """Return what to try: all models and coders that fit, or a chosen model, in the place of which a coder without
        one codes pictures of modes that no model codes."""
        mode, shape = MODE_NAMES[group.mode], (group.height, group.width)
        if not self.chosen or not self._chosen:
            return (*self.library.fitting(mode, *shape), *coders.fitting(mode, (group.band, group.width)))
        return (self._chosen if fits(self.chosen.architecture, mode, shape) else coders.of_any(mode),)


def compress(
    pictures: PictureLike | Mapping[str, PictureLike] | Iterable[tuple[str, PictureLike]],
    options: Options | None = None,
    **changes: Any,
) -> bytes:
    """Make the ``.vz`` file of one picture, or of a set of named pictures.

    Args:
        pictures: a picture: a :class:`Picture`, the path or the bytes of a picture file, an open file, an array of
            bool, uint8 or uint16 with the shape (height, width) or (height, width, channels), or a PIL image. Or a
            set: pairs of name and picture, or a dictionary; same-shaped pictures share a chain.
        options: how to compress; ``changes`` are fields of them.

    Raises:
        ImageError: a picture is unfit.
        ModelError: the model is missing or cannot be used.
        VaezipError: preset or steps are out of range.
        TypeError: there is no such option.
    """
    with Compressor(options, **changes) as compressor:
        for name, picture in named(pictures):
            compressor.add(name, picture)
        return compressor.close()


def _shipped(name: str) -> Reference | None:
    """Return the shipped model of a name, if there is one."""
    path = model_file.shipped().get(name)
    return Reference(path, model_file.fingerprint(path)) if path else None
