"""Open a ``.vz`` file and decode its pictures, each block alone."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from vaezip.codec import payload as payloads
from vaezip.codec.blocks import MODE_NAMES, Samples, channels, check_group, samples_checksum
from vaezip.codec.compressor import thread_pool
from vaezip.errors import FormatError, ImageError, ModelError, VaezipError
from vaezip.models import file as model_file
from vaezip.models.kinds import BILEVEL_GREY, dtype
from vaezip.models.library import Library
from vaezip.models.pixel.model import AnyModel
from vaezip.pictures.picture import BOXES, DEFAULT_MAX_PIXELS, Picture
from vaezip.vz import archive as vz
from vaezip.vz import records
from vaezip.vz.records import CLASSIC, Block, Group


class Archive:
    """An open ``.vz`` file; nothing is decoded before it is asked for.

    Attributes:
        names: of the pictures, in the order of the file; [""] for a single picture without a name.
    """

    def __init__(
        self,
        data: bytes,
        models: Sequence[str | os.PathLike[str]] = (),
        device: str = "cpu",
        threads: int = 1,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        shelf: Library | None = None,
    ) -> None:
        """Read the structure.

        Args:
            data: the file.
            models: model files beside the shipped ones.
            device, threads: as for :func:`compress`.
            max_pixels: refuse larger pictures.
            shelf: saves loading models again, and then tells the models and the device.

        Raises:
            FormatError: the file is damaged or of an unknown version.
        """
        self.file = vz.parse(data)
        self.shelf = shelf or Library(models, device)
        self.threads = threads
        self._embedded: dict[bytes, AnyModel | FormatError] = {}
        self._lock = Lock()
        if self.file.inline:
            self._complete_inline()
        for group in self.file.groups:
            check_group(group, max_pixels)
        self.names = [name for group in self.file.groups for name in group.names]
        if len(set(self.names)) < len(self.names):
            raise FormatError("the directory lists a name twice")

    def read(self, name: str = "") -> Picture:
        """One picture; only its block is decoded.

        Raises:
            FormatError: there is none of this name, or its block is damaged.
        """
        for group in self.file.groups:
            if name in group.names:
                index = group.names.index(name)
                first = index // group.per_block * group.per_block
                with ExitStack() as resources:
                    samples = _assembled(group, self._decode_run(thread_pool(self.threads, resources), group, first))
                return _to_picture(group, index, samples[index - first])
        raise FormatError(f"it holds no picture called '{name}'")

    def pictures(self) -> Iterator[tuple[str, Picture | VaezipError]]:
        """Every picture in turn, or the error that its block met."""
        with ExitStack() as resources:
            pool = thread_pool(self.threads, resources)
            waiting: list[tuple[Group, int, list[Future[Samples]]]] = []
            for group in self.file.groups:
                for first in range(0, len(group.names), group.per_block):
                    waiting.append((group, first, self._decode_run(pool, group, first)))
                    while sum(len(jobs) for _, _, jobs in waiting) > self.threads:
                        yield from _results(*waiting.pop(0))
            for entry in waiting:
                yield from _results(*entry)

    def model(self, fingerprint: bytes) -> AnyModel:
        """The model of a block: the one in the file, or else a shipped one or one of ``models``.

        Raises:
            FormatError: the one in the file is damaged.
            ModelError: there is none.
        """
        name = self.file.model_names.get(fingerprint, "")
        if fingerprint not in self.file.embedded:
            return self.shelf.by_fingerprint(fingerprint, name)
        with self._lock:
            if fingerprint not in self._embedded:
                try:
                    self._embedded[fingerprint] = self._unpack_model(fingerprint, name)
                except FormatError as error:  # which many blocks may meet, and which may take long to find
                    self._embedded[fingerprint] = error
            found = self._embedded[fingerprint]
        if isinstance(found, FormatError):
            raise found
        return found

    def _unpack_model(self, fingerprint: bytes, name: str) -> AnyModel:
        try:
            model = model_file.loads(self.file.embedded[fingerprint].unpack(), name, self.shelf.device)
        except ModelError as error:
            raise FormatError(f"the model in the file cannot be used: {error}") from error
        if model.fingerprint != fingerprint:
            raise FormatError(
                f"the model in the file has fingerprint {model.fingerprint.hex()}, not {fingerprint.hex()}, "
                "by which the file names it; the file is damaged"
            )
        return model

    def info(self) -> dict[str, Any]:
        """What the file says of itself, ready for JSON; no pixels are decoded."""
        return {
            "version": records.VERSION,
            "layout": "inline" if self.file.inline else "archive",
            "pictures": [p for group in self.file.groups for p in _describe_pictures(group)],
            "blocks": [self._describe_block(block) for group in self.file.groups for block in group.blocks],
            "models": [
                {"name": self.file.model_names[mark], "fingerprint": mark.hex(), "bytes": len(model.packed)}
                for mark, model in self.file.embedded.items()
            ],
        }

    def _describe_block(self, block: Block) -> dict[str, Any]:
        name = "webp"
        if block.model in self.file.embedded:
            name = self._name(block)
        elif block.model != CLASSIC:
            try:
                name = model_file.by_fingerprint(block.model, self.shelf.extra).stem
            except ModelError:
                name = self._name(block) or "unknown"
        return {"method": name, "fingerprint": block.model.hex(), "steps": block.steps, "bytes": len(block.payload)}

    def _name(self, block: Block) -> str:
        """What the file calls a block's model."""
        return self.file.model_names.get(block.model, "")

    def _complete_inline(self) -> None:
        """Fill in the size of a picture that is of its model's own."""
        group = self.file.groups[0]
        if not group.height:
            if group.blocks[0].model == CLASSIC:
                raise FormatError("the header is damaged: the picture has no size")
            model = self.model(group.blocks[0].model)
            group.height, group.width = model.architecture.tile
        group.band = group.height

    def _decode_run(self, pool: ThreadPoolExecutor, group: Group, first: int) -> list[Future[Samples]]:
        """Start on the pictures that share a block, from ``first`` on, or on the bands of one picture."""
        count = min(group.per_block, len(group.names) - first)
        start = first // group.per_block * group.bands
        jobs = []
        for i, block in enumerate(group.blocks[start : start + group.bands]):
            rows = min(group.band, group.height - i * group.band)
            shape = (count, rows, group.width, channels(group))
            jobs.append(pool.submit(self._decode_block, group, block, shape))
        return jobs

    def _decode_block(self, group: Group, block: Block, shape: tuple[int, ...]) -> Samples:
        mode = MODE_NAMES[group.mode]
        model = None if block.model == CLASSIC else self.model(block.model)
        try:
            samples, checksum = payloads.decode(model, mode, block.payload, shape, block.steps, self.model)
        except MemoryError as error:
            raise VaezipError("there is not enough memory to decode it; use fewer threads") from error
        if checksum != samples_checksum(samples, zlib.crc32(self.file.header) if self.file.inline else 0):
            raise FormatError("the decoded pixels fail their checksum; the file is damaged")
        return samples


def open_file(
    path: str | os.PathLike[str],
    models: Sequence[str | os.PathLike[str]] = (),
    device: str = "cpu",
    threads: int = 1,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Archive:
    """The archive in a file; see :class:`Archive`.

    Raises:
        FormatError: it cannot be read, is damaged, or of an unknown version.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror}") from error
    return Archive(data, models, device, threads, max_pixels)


def decompress(
    data: bytes, models: Sequence[str | os.PathLike[str]] = (), max_pixels: int = DEFAULT_MAX_PIXELS
) -> Picture | dict[str, Picture]:
    """The picture of a file, or its pictures by name where it is a set; the arguments are those of :class:`Archive`.

    Raises:
        ImageError: a picture has more pixels than ``max_pixels``.
        FormatError: the file is damaged, or of an unknown version.
        ModelError: the model it was made with is not here.
    """
    archive = Archive(data, models, max_pixels=max_pixels)
    if archive.names == [""]:
        return archive.read()
    found = {}
    for name, picture in archive.pictures():
        if isinstance(picture, VaezipError):
            raise picture
        found[name] = picture
    return found


def _assembled(group: Group, jobs: list[Future[Samples]]) -> Samples:
    """The pictures of a run, (pictures, height, width, channels); a picture's bands are joined as they come."""
    if len(jobs) == 1:
        return jobs[0].result()
    out = np.empty((1, group.height, group.width, channels(group)), dtype(MODE_NAMES[group.mode]))
    for i, job in enumerate(jobs):
        out[:, i * group.band : (i + 1) * group.band] = job.result()
    return out


def _results(group: Group, first: int, jobs: list[Future[Samples]]) -> Iterator[tuple[str, Picture | VaezipError]]:
    try:
        samples = _assembled(group, jobs)
    except VaezipError as error:
        yield from ((name, error) for name in group.names[first : first + group.per_block])
        return
    for i, picture in enumerate(samples):
        try:
            yield group.names[first + i], _to_picture(group, first + i, picture)
        except ImageError as error:  # metadata that fits no such picture
            yield group.names[first + i], error


def _to_picture(group: Group, index: int, samples: Samples) -> Picture:
    """Inverse of :meth:`Compressor._to_coded`, with the picture's metadata."""
    boxes = tuple((BOXES[tag], content) for tag, content in group.boxes[index])
    if MODE_NAMES[group.mode] == BILEVEL_GREY:
        return Picture("L", samples * np.uint8(255), boxes)
    return Picture(MODE_NAMES[group.mode], np.ascontiguousarray(samples), boxes)


def _describe_pictures(group: Group) -> Iterator[dict[str, Any]]:
    for name, boxes in zip(group.names, group.boxes):
        yield {
            "name": name,
            "mode": MODE_NAMES[group.mode].removesuffix("/2"),
            "width": group.width,
            "height": group.height,
            "metadata": sorted({BOXES[tag] for tag, _ in boxes}),
        }
