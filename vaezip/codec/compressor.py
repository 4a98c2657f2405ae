"""The conductor: pictures to blocks to a file, and back.

Compressing, pictures of one mode and size form a group; a group is cut into blocks of about a
million pixels (several pictures, or a band of one), and each block is coded alone, by a model or
by the classic codec, decoded again, compared, and kept. Decompressing, blocks are independent.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import numpy as np

from vaezip.codec import blocks, select
from vaezip.codec import payload as payloads
from vaezip.codec.blocks import MODE_NAMES, Samples, check_group, new_group, samples_checksum
from vaezip.codec.select import AUTO, payload_length, shortest, trial_part
from vaezip.errors import ImageError, VaezipError
from vaezip.models import file as model_file
from vaezip.models import kinds
from vaezip.models.effort import DEFAULT, DEFAULT_PRESET, Effort, chosen_effort
from vaezip.models.kinds import BILEVEL_GREY, coded_mode, fits, is_wide, misfit
from vaezip.models.library import Library
from vaezip.models.pixel.model import AnyModel
from vaezip.pictures.picture import BOXES, Picture
from vaezip.system.threads import products_on_one_thread
from vaezip.vz import archive as vz
from vaezip.vz import limits
from vaezip.vz.records import CLASSIC, Block, Group


@dataclass
class _Pending:
    """Pictures of a group that wait for their block to fill; and of each block before, the forms it may take."""

    group: Group
    samples: list[Samples] = field(default_factory=list)
    jobs: list[Future[list[Block]]] = field(default_factory=list)


class Compressor:
    """Takes pictures one by one, codes them in blocks, and gives the file at the end.

    The bytes depend on the pictures, their order, the models and the effort alone: not on ``threads``,
    ``device`` or the machine.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = AUTO,
        effort: Effort = DEFAULT,
        device: str = "cpu",
        threads: int = 1,
        verify: bool = True,
        shelf: Library | None = None,
        embed_model: bool = False,
        solid: bool = False,
    ) -> None:
        """See :func:`compress`; a ``shelf`` saves loading models again, and then tells the device."""
        self.shelf = shelf or Library(device=device)
        self.chosen = None if model == AUTO else self.shelf.by_name(model)
        self.effort, self.verify, self.threads, self.embed_model = effort, verify, threads, embed_model
        self.block_pixels = blocks.SOLID_PIXELS if solid else blocks.BLOCK_PIXELS
        self._pending: dict[tuple[str, int, int], _Pending] = {}
        self._names: set[str] = set()
        self._running: list[Future[list[Block]]] = []
        self._room = limits.Budget()
        self._made = False
        self._resources = ExitStack()
        self._pool = thread_pool(threads, self._resources)

    def __enter__(self) -> Compressor:
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def add(self, name: str, picture: Picture) -> None:
        """Add a picture; ``name`` must be new.

        Raises:
            ImageError: the name is taken, or a model was asked for that does not fit.
            VaezipError: the file is made.
        """
        if self._made:
            raise VaezipError("the file is made, and takes no more pictures; begin another")
        if name in self._names:
            raise ImageError(f"two pictures are called '{name}'; rename one")
        if not _is_unicode(name):
            raise ImageError("its name is not valid Unicode; rename it")
        mode, samples = self._to_coded(picture)
        height, width = samples.shape[:2]
        pending = self._pending.get((mode, height, width))
        if pending is None:
            pending = self._pending[mode, height, width] = _Pending(new_group(mode, height, width, self.block_pixels))
        if len(pending.samples) == pending.group.per_block:
            self._submit(pending)
        self._room.take(limits.PICTURES, 1)
        self._room.take(limits.PIECES, len(picture.boxes))
        self._names.add(name)
        pending.group.names.append(name)
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
        if self._is_inline():
            return self._pool.submit(self._close_inline).result()  # there Ctrl-C need not wait for WebP
        for pending in self._pending.values():
            if pending.samples:
                self._submit(pending)
        blocks = [job.result() for pending in self._pending.values() for job in pending.jobs]
        embedded = self._models_for(blocks) if self.embed_model else {}
        for pending in self._pending.values():
            pending.group.blocks = [shortest(job.result(), embedded) for job in pending.jobs]
        groups = [p.group for p in self._pending.values()]
        names = {m.fingerprint: m.name if m.fingerprint in embedded else _name_to_store(m) for m in self.shelf.loaded}
        return self._checked(vz.write_archive(groups, names, embedded), groups)

    def _checked(self, data: bytes, groups: list[Group]) -> bytes:
        """The file, once what a reader makes of all but the pixels is what it was made of."""
        if self.verify:
            found = vz.parse(data).groups
            for group in found:
                check_group(group, group.height * group.width)
            if found != groups:
                raise VaezipError("the file does not read back as what it was made of; please report this")
        return data

    def _models_for(self, blocks: list[list[Block]]) -> dict[bytes, bytes]:
        """The files of the models to embed, by fingerprint: all, or of those to choose from what the file gains by."""
        found = {form.model for forms in blocks for form in forms} - {CLASSIC}
        files = {fingerprint: self.shelf.file(fingerprint) for fingerprint in found}
        if self.chosen:
            return files
        sizes = {fingerprint: len(vz.packed_model(data)) for fingerprint, data in files.items()}
        return {fingerprint: files[fingerprint] for fingerprint in select.worth_embedding(blocks, sizes)}

    def _to_coded(self, picture: Picture) -> tuple[str, Samples]:
        """The mode and samples to code, if the model that was asked for can."""
        mode = coded_mode(picture, self.chosen.architecture if self.chosen else None)
        reason = misfit(self.chosen.name, self.chosen.architecture, picture, mode) if self.chosen else None
        if reason:
            raise ImageError(reason)
        return mode, picture.samples >> 7 if mode == BILEVEL_GREY else picture.samples

    def _is_inline(self) -> bool:
        if self.embed_model:
            return False
        pending = next(iter(self._pending.values()))
        return self._names == {""} and pending.group.bands == 1 and pending.group.mode < 16

    def _close_inline(self) -> bytes:
        pending = next(iter(self._pending.values()))
        group, samples = pending.group, np.stack(pending.samples)
        models = self._promising(group, samples)
        return min((self._inline(group, samples, model) for model in models), key=len)

    def _inline(self, group: Group, samples: Samples, model: AnyModel | None) -> bytes:
        fingerprint = model.fingerprint if model else CLASSIC
        native = model is not None and (group.height, group.width) == model.architecture.tile
        height, width = (0, 0) if native else (group.height, group.width)
        steps = self.effort.steps if model else 0
        mark = Block(fingerprint, steps, b"")
        written = replace(group, height=height, width=width, per_block=1, band=height, blocks=[mark])
        header = vz.inline_header(written, _name_to_store(model) if model else "")
        checksum = samples_checksum(samples, zlib.crc32(header))
        written.blocks = [self._code(model, MODE_NAMES[group.mode], samples, checksum)]
        return self._checked(header + written.blocks[0].payload, [written])

    def _submit(self, pending: _Pending) -> None:
        samples = np.stack(pending.samples)
        pending.samples.clear()
        for top in range(0, pending.group.height, pending.group.band):
            band = np.ascontiguousarray(samples[:, top : top + pending.group.band])
            self._wait_for_room()
            self._running.append(self._pool.submit(self._forms, pending.group, band))
            pending.jobs.append(self._running[-1])

    def _wait_for_room(self) -> None:
        """Keep no more blocks in memory than the threads can soon take up, and end where one could not be coded."""
        running = [job for job in self._running if not job.done()]
        if len(running) > self.threads:
            wait(running[:1])
        done = [job for job in self._running if job.done()]
        self._running = [job for job in running if job not in done]
        for error in (job.exception() for job in done):
            if isinstance(error, VaezipError):
                raise type(error)(f"pictures before it could not be coded: {error}") from error
            if error:
                raise error

    def _candidates(self, group: Group) -> list[AnyModel | None]:
        """Models to try, and None for the classic codec: beside a model that was asked for, where that leaves a part
        of each sample to it."""
        mode, shape = MODE_NAMES[group.mode], (group.height, group.width)
        if not self.chosen:
            return [*self.shelf.fitting(mode, *shape), None]
        if not fits(self.chosen.architecture, mode, *shape):
            return [None]
        return [self.chosen, None] if is_wide(mode) else [self.chosen]

    def _forms(self, group: Group, samples: Samples) -> list[Block]:
        """The block by the best candidate, or by all, where only the whole file tells which models are worth it."""
        mode, checksum = MODE_NAMES[group.mode], samples_checksum(samples)
        forms = [self._code(model, mode, samples, checksum) for model in self._promising(group, samples)]
        return forms if self._is_open() else [min(forms, key=payload_length)]

    def _promising(self, group: Group, samples: Samples) -> list[AnyModel | None]:
        """The candidates to code with: all, or of many pixels the one that is best on some of them, beside the
        classic codec where a model has yet to prove worth embedding."""
        candidates, some = self._candidates(group), trial_part(samples)
        if len(candidates) == 1 or some.size == samples.size:
            return candidates
        mode = MODE_NAMES[group.mode]
        still = replace(self.effort, steps=0)
        sizes = [len(payloads.encode(model, mode, some, still, 0)) for model in candidates]
        best = candidates[int(np.argmin(sizes))]
        return [best, None] if self._is_open() and best else [best]

    def _is_open(self) -> bool:
        """Whether only the whole file tells which models are worth embedding."""
        return self.embed_model and not self.chosen

    def _code(self, model: AnyModel | None, mode: str, samples: Samples, checksum: int) -> Block:
        steps = self.effort.steps if model else 0
        alpha_model = self._alpha_model() if model and kinds.has_alpha(mode) else None
        payload = payloads.encode(model, mode, samples, self.effort, checksum, self.threads, alpha_model)
        if self.verify:
            decoded, found = payloads.decode(model, mode, payload, samples.shape, steps, self.shelf.by_fingerprint)
            if found != checksum or not np.array_equal(decoded, samples):
                raise VaezipError("the coded picture does not decode to itself on this machine; please report this")
        return Block(model.fingerprint if model else CLASSIC, steps, payload)

    def _alpha_model(self) -> AnyModel | None:
        """None where the file shall need nothing that it does not hold."""
        known = select.ALPHA_MODEL in model_file.shipped() and not self.embed_model
        return self.shelf.by_name(select.ALPHA_MODEL) if known else None


def compress(
    pictures: Picture | Iterable[tuple[str, Picture]],
    model: str | os.PathLike[str] = AUTO,
    steps: int | None = None,
    device: str = "cpu",
    threads: int = 1,
    verify: bool = True,
    embed_model: bool = False,
    preset: int = DEFAULT_PRESET,
    solid: bool = False,
) -> bytes:
    """The ``.vz`` file of one picture, or of a set of named pictures.

    Args:
        pictures: a picture, or pairs of name and picture; same-shaped pictures share a chain.
        model: a shipped model's name, the path of a model file, or ``auto``: whatever is smallest
            among the models that fit and lossless WebP; of many pictures, or a large one, whatever is
            smallest on some of it. Of 16 bits models code the upper ones that are used, and a model
            that was asked for gives way where WebP is smaller. Alpha is coded by ``photo-gray`` or WebP.
        steps: K: gradient steps on each posterior; or, by a model with a pixel network, what
            :func:`vaezip.models.effort.of_steps` makes of it. Repeated by the decoder.
        device: ``cpu``, or ``cuda`` where PyTorch sees one.
        threads: how many to use; the bytes are the same.
        verify: decode every block again and compare.
        embed_model: put the models that are used into the file, which then needs nothing else to be read;
            alpha goes by WebP.
        preset: where no ``steps`` are given, 1 (fast) … 9 (small).
        solid: blocks of 16 million pixels rather than one: a pixel network learns from all that is before.

    Raises:
        ImageError, ModelError: a picture or model is unfit.
        VaezipError: ``steps`` or ``preset`` is out of range.
    """
    effort = chosen_effort(steps, preset)
    with Compressor(model, effort, device, threads, verify, embed_model=embed_model, solid=solid) as compressor:
        for name, picture in [("", pictures)] if isinstance(pictures, Picture) else pictures:
            compressor.add(name, picture)
        return compressor.close()


def _is_unicode(name: str) -> bool:
    """Whether a name can be written as UTF-8; those of other file names hold surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _name_to_store(model: AnyModel) -> str:
    """A model's name for readers that lack it; every vaezip has the shipped ones."""
    return "" if model.name in model_file.shipped() else model.name


def thread_pool(threads: int, resources: ExitStack) -> ThreadPoolExecutor:
    """Threads for blocks."""
    resources.enter_context(products_on_one_thread())
    pool = ThreadPoolExecutor(threads)
    resources.callback(pool.shutdown, wait=True, cancel_futures=True)
    return pool
