"""Pictures to a file.

Pictures of one mode and size form a group; a group is cut into blocks of about a million pixels (several pictures, or
a band of one), and each block is coded alone, by a model or by the fallback codec, decoded again, compared, and kept.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, Future, wait
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from vaezip.codec import blocks, jobs, select
from vaezip.codec.blocks import Samples, check_group, new_group
from vaezip.codec.jobs import BlockJob
from vaezip.codec.select import AUTO, shortest
from vaezip.errors import ImageError, VaezipError
from vaezip.models import file as model_file
from vaezip.models.effort import DEFAULT_PRESET, Effort, chosen_effort
from vaezip.models.kinds import BILEVEL_GREY, MODE_NAMES, VERBATIM, coded_mode, fits, is_wide, misfit
from vaezip.models.library import Library, Reference
from vaezip.pictures.convert import PictureLike, as_picture, named
from vaezip.pictures.picture import BOXES, Picture
from vaezip.system.threads import Workers
from vaezip.vz import archive as vz
from vaezip.vz import limits
from vaezip.vz.records import NO_MODEL, Block, Group
from vaezip.vz.times import is_time


@dataclass(frozen=True)
class Options:
    """Say how to compress.

    Attributes:
        model: a shipped model's name, the path of a model file, or ``auto``: whatever is smallest
            among the models that fit and lossless WebP; of many pictures, or a large one, whatever is
            smallest on some of it. Of 16 bits models code the upper ones that are used, and a model
            that was chosen gives way where WebP is smaller. Alpha is coded by ``photo-gray`` or WebP.
        preset: 1 (fast) … 9 (small).
        steps: in the place of a preset, K: gradient steps on each posterior; or, by a model with a pixel network, what
            :func:`vaezip.models.effort.of_steps` makes of it. Repeated by the decoder.
        effort: in the place of both, each of its parts.
        embed_model: put the models that are used into the file, which then needs nothing else to be read;
            alpha goes by WebP.
        solid: blocks of 16 million pixels rather than one: a pixel network learns from all that is before.
        verify: decode every block again and compare.
        device: ``cpu``, or ``cuda`` where PyTorch sees one.
        threads: how many to use; the bytes are the same.
        executor: does the work in the place of threads of our own: any of :mod:`concurrent.futures`, threads or
            processes, or one that keeps to its protocol. It stays open.
    """

    model: str | os.PathLike[str] = AUTO
    preset: int = DEFAULT_PRESET
    steps: int | None = None
    effort: Effort | None = None
    embed_model: bool = False
    solid: bool = False
    verify: bool = True
    device: str = "cpu"
    threads: int = 1
    executor: Executor | None = None

    def chosen_effort(self) -> Effort:
        """Return the effort that preset, steps or effort ask for.

        Raises:
            VaezipError: preset or steps are out of range.
        """
        return self.effort or chosen_effort(self.steps, self.preset)


_MOST_ORIGINALS = 1 << 26
"""Bytes of originals that a set remembers. That of a picture alone is remembered whatever it takes."""


@dataclass
class _Pending:
    """Pictures of a group that wait for their block to fill; and of each block before, the forms it may take."""

    group: Group
    samples: list[Samples] = field(default_factory=list)
    jobs: list[Future[list[Block]]] = field(default_factory=list)


class Compressor:
    """Take pictures one by one, code them in blocks, and give the file at the end.

    The bytes depend on the pictures, their order, the models and the effort alone: not on ``threads``,
    ``device``, ``executor`` or the machine.
    """

    def __init__(self, options: Options | None = None, *, library: Library | None = None, **changes: Any) -> None:
        """Begin a file.

        Args:
            options: how to compress; ``changes`` are fields of them.
            library: opens models in the place of one of our own, and then tells the device.

        Raises:
            ModelError: the chosen model is missing or cannot be used.
            VaezipError: preset or steps are out of range.
            TypeError: there is no such option.
        """
        self.options = replace(options or Options(), **changes)
        self.effort = self.options.chosen_effort()
        chosen = None if self.options.model == AUTO else model_file.find(os.fspath(self.options.model))
        self.library = library or Library((chosen,) if chosen else (), self.options.device)
        self.chosen = self.library.by_path(chosen) if chosen else None
        self._chosen = Reference(chosen, self.chosen.fingerprint) if chosen and self.chosen else None
        self._block_pixels = blocks.SOLID_PIXELS if self.options.solid else blocks.BLOCK_PIXELS
        self._pending: dict[tuple[str, int, int], _Pending] = {}
        self._names: set[str] = set()
        self._running: list[Future[list[Block]]] = []
        self._budget = limits.Budget()
        self._made = False
        self._originals: dict[str, bytes] | None = {}
        self._original_bytes = 0
        self._resources = ExitStack()
        self._executor = self.options.executor or self._resources.enter_context(Workers(self.options.threads))

    def __enter__(self) -> Compressor:
        return self

    def __exit__(self, *_: object) -> None:
        for job in self._running:
            job.cancel()
        self._resources.close()

    def add(
        self, name: str, picture: PictureLike, *, original: bytes | None = None, modified: int | None = None
    ) -> None:
        """Add a picture.

        Args:
            name: must be new; "" for a picture alone.
            picture: what to code, in any form that :func:`vaezip.compress` takes.
            original: the file that it came in; where the whole file would be larger than all originals, it holds
                them in its place, byte for byte.
            modified: when it was last changed, in seconds since 1970; a set tells it.

        Raises:
            ImageError: the name is taken, the time beyond the years 1 to 9999, or a model was chosen that does not fit.
            VaezipError: the file is made.
        """
        if self._made:
            raise VaezipError("the file is made, and takes no more pictures; begin another")
        if name in self._names:
            raise ImageError(f"two pictures are called '{name}'; rename one")
        if not _is_unicode(name):
            raise ImageError("its name is not valid Unicode; rename it")
        if modified is not None and not is_time(modified):
            raise ImageError("its time of modification is beyond the years 1 to 9999")
        picture, data = as_picture(picture)
        original = data if original is None else original
        mode, samples = self._to_coded(picture)
        height, width = samples.shape[:2]
        pending = self._pending.get((mode, height, width))
        if pending is None:
            group = new_group(mode, (height, width), self._block_pixels)
            pending = self._pending[mode, height, width] = _Pending(group)
        if len(pending.samples) == pending.group.per_block:
            self._submit(pending)
        self._budget.take(limits.PICTURES, 1)
        self._budget.take(limits.PIECES, len(picture.boxes))
        self._names.add(name)
        self._keep(name, original)
        pending.group.names.append(name)
        pending.group.times.append(modified)
        pending.group.boxes.append(tuple((BOXES.index(tag), content) for tag, content in picture.boxes))
        pending.samples.append(samples)
        if len(pending.samples) == pending.group.per_block and self._names != {""}:  # which may become inline
            self._submit(pending)

    def close(self) -> bytes:
        """Code what is left and return the file.

        Raises:
            VaezipError: nothing was added, or a block did not decode to its pictures.
        """
        if not self._pending:
            raise ImageError("there is no picture to compress")
        self._made = True
        self._forget_times_of_none()
        data = self._close_inline() if self._is_inline() else self._close_archive()
        if self._originals and len(data) > self._original_bytes:
            return min(data, self._verbatim(self._originals), key=len)
        return data

    def _forget_times_of_none(self) -> None:
        """Tell no times where there are none, or for a picture alone, whose file has a time of its own."""
        groups = [pending.group for pending in self._pending.values()]
        if self._names == {""} or all(time is None for group in groups for time in group.times):
            for group in groups:
                group.times = []

    def _close_archive(self) -> bytes:
        for pending in self._pending.values():
            if pending.samples:
                self._submit(pending)
        coded = [job.result() for pending in self._pending.values() for job in pending.jobs]
        embedded = self._models_for(coded) if self.options.embed_model else {}
        for pending in self._pending.values():
            pending.group.blocks = [shortest(job.result(), embedded) for job in pending.jobs]
        groups = [p.group for p in self._pending.values()]
        used = {block.model for forms in coded for block in forms} - {NO_MODEL}
        names = {mark: self.library.name_of(mark, even_shipped=mark in embedded) for mark in used}
        return self._checked(vz.write_archive(groups, names, embedded), groups)

    def _keep(self, name: str, original: bytes | None) -> None:
        """Remember an original, until one is missing or those of a set take too much memory."""
        if self._originals is None:
            return
        self._original_bytes += len(original or b"")
        if original is None or (name and self._original_bytes > _MOST_ORIGINALS):
            self._originals = None
        else:
            self._originals[name] = original

    def _verbatim(self, originals: dict[str, bytes]) -> bytes:
        """Return the file that holds the originals as they are."""
        groups = []
        times = {n: [t] for p in self._pending.values() for n, t in zip(p.group.names, p.group.times)}
        for name, original in originals.items():
            samples = np.frombuffer(original, np.uint8).reshape(1, 1, -1, 1)
            group = Group(MODE_NAMES.index(VERBATIM), 1, len(original), 1, 1, [name], [()])
            group.times = times.get(name, [])
            header = b""
            if originals.keys() == {""}:
                header = vz.inline_header(replace(group, blocks=[Block(NO_MODEL, b"")]))
            job = BlockJob(VERBATIM, samples, (None,), None, self.library, self.effort, before=zlib.crc32(header))
            group.blocks = [jobs.code(job, None)]
            groups.append(group)
        return self._checked(header + group.blocks[0].payload if header else vz.write_archive(groups, {}), groups)

    def _checked(self, data: bytes, groups: list[Group]) -> bytes:
        """Return the file, once what a reader makes of all but the pixels is what it was made of."""
        if self.options.verify:
            found = vz.parse(data).groups
            for group in found:
                check_group(group, group.height * group.width)
            if found != groups:
                raise VaezipError("the file does not read back as what it was made of; please report this")
        return data

    def _models_for(self, coded: list[list[Block]]) -> dict[bytes, bytes]:
        """Return the files of the models to embed, by fingerprint: all, or of those to choose from what the file gains
        by."""
        found = {form.model for forms in coded for form in forms} - {NO_MODEL}
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
        if self.options.embed_model:
            return False
        pending = next(iter(self._pending.values()))
        return self._names == {""} and pending.group.bands == 1 and pending.group.mode < 16

    def _close_inline(self) -> bytes:
        pending = next(iter(self._pending.values()))
        group, job = pending.group, self._job(pending.group, np.stack(pending.samples))
        references = self._executor.submit(jobs.promising, job).result()
        return min((self._inline(group, job, reference) for reference in references), key=len)

    def _inline(self, group: Group, job: BlockJob, reference: Reference | None) -> bytes:
        model = self.library.by_reference(reference) if reference else None
        fingerprint = model.fingerprint if model else NO_MODEL
        native = model is not None and (group.height, group.width) == model.architecture.tile
        height, width = (0, 0) if native else (group.height, group.width)
        mark = Block(fingerprint, b"")
        written = replace(group, height=height, width=width, per_block=1, band=height, blocks=[mark])
        header = vz.inline_header(written, self.library.name_of(fingerprint) if model else "")
        job = replace(job, before=zlib.crc32(header))
        written.blocks = [self._executor.submit(jobs.code, job, reference).result()]
        return self._checked(header + written.blocks[0].payload, [written])

    def _submit(self, pending: _Pending) -> None:
        samples = np.stack(pending.samples)
        pending.samples.clear()
        for top in range(0, pending.group.height, pending.group.band):
            band = np.ascontiguousarray(samples[:, top : top + pending.group.band])
            self._wait_until_workers_are_few()
            self._running.append(self._executor.submit(jobs.encode, self._job(pending.group, band)))
            pending.jobs.append(self._running[-1])

    def _job(self, group: Group, samples: Samples) -> BlockJob:
        return BlockJob(
            mode=MODE_NAMES[group.mode],
            samples=samples,
            candidates=self._candidates(group),
            alpha=self._alpha_model(),
            library=self.library,
            effort=self.effort,
            verify=self.options.verify,
            open=self.options.embed_model and not self.chosen,
        )

    def _wait_until_workers_are_few(self) -> None:
        """Keep no more blocks in memory than the threads can soon take up, and end where one could not be coded."""
        running = [job for job in self._running if not job.done()]
        if len(running) > self.options.threads:
            wait(running[:1])
        done = [job for job in self._running if job.done()]
        self._running = [job for job in running if job not in done]
        for error in (job.exception() for job in done):
            if isinstance(error, VaezipError):
                raise error.behind("pictures before it could not be coded") from error
            if error:
                raise error

    def _candidates(self, group: Group) -> tuple[Reference | None, ...]:
        """Return the models to try, and None for the fallback codec: beside a chosen model, where that leaves a part
        of each sample to it."""
        mode, shape = MODE_NAMES[group.mode], (group.height, group.width)
        if not self.chosen:
            return (*self.library.fitting(mode, *shape), None)
        if not fits(self.chosen.architecture, mode, shape):
            return (None,)
        return (self._chosen, None) if is_wide(mode) else (self._chosen,)

    def _alpha_model(self) -> Reference | None:
        """Return None where the file shall need nothing that it does not hold."""
        path = None if self.options.embed_model else model_file.shipped().get(select.ALPHA_MODEL)
        return Reference(path, model_file.fingerprint(path)) if path else None


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


def _is_unicode(name: str) -> bool:
    """Tell whether a name can be written as UTF-8; those of other file names hold surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
