"""Open a ``.vz`` file and decode its pictures, each block alone."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from vaezip.codec import coders, copies, decoding, jpeg, metadata, payload, remade, salvage
from vaezip.codec.blocks import Samples, check_group
from vaezip.codec.decoding import DecodeJob
from vaezip.errors import FormatError, ImageError, ModelError, VaezipError
from vaezip.models import file as model_file
from vaezip.models.base import Model
from vaezip.models.cost import MAX_MEMORY, MAX_WORK, Budget
from vaezip.models.kinds import BILEVEL_GREY, COPY, FILES, JPEG, MODE_NAMES, ROWS, channels, dtype
from vaezip.models.library import FileLibrary, Library
from vaezip.pictures import io
from vaezip.pictures.formats import format_name
from vaezip.pictures.picture import DEFAULT_MAX_PIXELS, Picture
from vaezip.system.threads import Workers
from vaezip.vz import archive as vz
from vaezip.vz import records
from vaezip.vz.records import Block, Group, has_model
from vaezip.vz.salvage import Recovered, recover

Content = tuple[str, Picture | bytes | VaezipError]
"""The name of a picture, and the picture, the file that it came in, or the error that it met."""

_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class ReadOptions:
    """Say how to decode.

    Attributes:
        models: model files beside the shipped ones.
        device: ``cpu``, or ``cuda`` where PyTorch sees one.
        threads: how many to use.
        max_pixels: larger pictures are refused.
        executor: does the work in the place of threads of our own; see :class:`vaezip.Options`.
        max_memory: bytes that the blocks may take that are decoded at once; one that takes more is refused, and so are
            larger pictures.
        max_work: operations for each pixel; a block that takes more is refused.
        salvage: take what is left of a damaged set: where the directory is lost, what stands in the indices between
            its blocks. Names and metadata may be lost, too. :meth:`Archive.pictures` gives, for a picture of which only
            a part is left, an error whose ``picture`` is that part.
    """

    models: tuple[str | os.PathLike[str], ...] = ()
    device: str = "cpu"
    threads: int = 1
    max_pixels: int = DEFAULT_MAX_PIXELS
    executor: Executor | None = None
    max_memory: int = MAX_MEMORY
    max_work: int = MAX_WORK
    salvage: bool = False


class Archive:
    """Hold an open ``.vz`` file; nothing is decoded before it is asked for.

    Attributes:
        names: of the pictures, in the order of the file; [""] for a single picture without a name.
        lost: ranges of bytes, first and end, in which a salvage found nothing that is whole.
        missing: numbers of pictures of which a salvage knows that nothing is left.
    """

    def __init__(
        self, data: bytes, options: ReadOptions | None = None, *, library: Library | None = None, **changes: Any
    ) -> None:
        """Read the structure.

        Args:
            data: the file.
            options: how to decode; ``changes`` are fields of them.
            library: opens models in the place of one of our own, and then tells the models and the device.

        Raises:
            FormatError: the file is damaged or of an unknown version.
            TypeError: there is no such option.
        """
        self.options = replace(options or ReadOptions(), **changes)
        found = recover(data) if self.options.salvage else Recovered(vz.parse(data))
        self.file, self.lost, self.missing = found.file, found.lost, found.missing
        library = library or Library(self.options.models, self.options.device)
        self.library = FileLibrary(library, self.file.embedded, self.file.model_names)
        self._budget = Budget(self.options.max_memory, self.options.max_work)
        self._before = zlib.crc32(self.file.header) if self.file.inline else 0
        if self.file.inline:
            self._complete_inline()
        for group in self.file.groups:
            check_group(group, self.options.max_pixels, self._budget)
        self.names = [name for group in self.file.groups for name in group.names]
        self._places = {name: (group, i) for group in self.file.groups for i, name in enumerate(group.names)}
        if len(self._places) < len(self.names):
            raise FormatError("the directory lists a name twice")
        self._originals = copies.originals(self.file.groups, self._places)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "options": replace(self.options, executor=None)}

    def read(self, name: str = "") -> Picture:
        """Decode one picture; no block but its own is decoded.

        Raises:
            FormatError: there is none of this name, or its block is damaged.
            IncompleteError: a salvage found a part of it, which the error has as ``picture``.
        """
        if name in self._originals:
            return self._with_own_boxes(name, self.read(self._coded(name)))
        group, index = self._place(name)
        first = index // group.per_block * group.per_block
        with self._executor() as executor:
            futures = self._decode_run(executor, group, first)
            if self.options.salvage and MODE_NAMES[group.mode] not in FILES:
                found = dict(self._results(group, first, futures))[name]
                if isinstance(found, VaezipError):
                    raise found
                assert isinstance(found, Picture)
                return found
            samples = _assembled(group, futures)
        if MODE_NAMES[group.mode] in FILES:
            return _opened(samples.tobytes(), self.options.max_pixels)
        return _to_picture(group, index, samples[index - first])

    def original(self, name: str = "") -> bytes | None:
        """Return the file that a picture came in, where that is kept byte for byte; else None.

        Raises:
            FormatError: its block is damaged.
        """
        group, index = self._place(self._coded(name))
        if MODE_NAMES[group.mode] not in FILES:
            return None
        with self._executor() as executor:
            return _assembled(group, self._decode_run(executor, group, index)).tobytes()

    def modified(self, name: str = "") -> int | None:
        """Return when a picture of a set was last changed, in seconds since 1970; None where the file does not tell.

        Raises:
            FormatError: there is none of this name.
        """
        group, index = self._place(name)
        return group.times[index] if group.times else None

    def _place(self, name: str) -> tuple[Group, int]:
        """Return the group of a picture, and its index in that."""
        if name not in self._places:
            raise FormatError(f"it holds no picture called '{name}'")
        return self._places[name]

    def _coded(self, name: str) -> str:
        """Return the name of the picture that is coded for a name: of a copy that of its original.

        Raises:
            FormatError: a copy has none.
        """
        original = self._originals.get(name, name)
        if isinstance(original, FormatError):
            raise original
        return original

    def _with_own_boxes(self, name: str, original: Picture) -> Picture:
        """Return a copy: its original with the metadata of its own, unless that stands in a file that both are."""
        if original.original is not None:
            return original
        group, index = self._places[name]
        return replace(original, boxes=metadata.named(group.boxes[index]))

    def formats(self) -> dict[str, str]:
        """Name the formats, as Pillow does, of the files that are kept byte for byte, by the names of their pictures.

        No JPEG is decoded for it. A file whose format is unknown, or whose block is damaged, is not among them.
        """
        found: dict[str, str | None] = {}
        with self._executor() as executor:
            for group in self.file.groups:
                mode = MODE_NAMES[group.mode]
                for i, name in enumerate(group.names if mode in FILES else ()):
                    with suppress(VaezipError):
                        data = b"" if mode == JPEG else self._decode_run(executor, group, i)[0].result().tobytes()
                        found[name] = format_name(data) if data else "JPEG"
        for name, original in self._originals.items():
            found[name] = found.get(original) if isinstance(original, str) else None
        return {name: format for name, format in found.items() if format}

    def pictures(self) -> Iterator[tuple[str, Picture | VaezipError]]:
        """Give every picture in turn, or the error that its block met."""
        for name, found in self.contents():
            if not isinstance(found, bytes):
                yield name, found
                continue
            try:
                yield name, _opened(found, self.options.max_pixels)
            except ImageError as error:
                yield name, error

    def contents(self) -> Iterator[Content]:
        """Give every picture in turn, or the file that it came in where that is kept, or the error that its block met.

        The pixels in files are not looked at. A copy comes behind its original.
        """
        yield from self._with_copies(self._coded_contents())
        yield from ((name, error) for name, error in self._originals.items() if isinstance(error, FormatError))

    def _with_copies(self, found: Iterator[Content]) -> Iterator[Content]:
        named: dict[str, list[str]] = {}
        for name, original in self._originals.items():
            if isinstance(original, str):
                named.setdefault(original, []).append(name)
        for name, picture in found:
            yield name, picture
            for copy in named.get(name, ()):
                try:
                    yield copy, self._with_own_boxes(copy, picture) if isinstance(picture, Picture) else picture
                except (ImageError, FormatError) as error:  # metadata that fits no such picture
                    yield copy, error

    def _coded_contents(self) -> Iterator[Content]:
        """Give all that is coded."""
        with self._executor() as executor:
            waiting: list[tuple[Group, int, list[Future[Samples]]]] = []
            for group in (group for group in self.file.groups if MODE_NAMES[group.mode] != COPY):
                for first in range(0, len(group.names), group.per_block):
                    waiting.append((group, first, self._decode_run(executor, group, first)))
                    while sum(len(futures) for _, _, futures in waiting) > self.options.threads:
                        yield from self._results(*waiting.pop(0))
            for entry in waiting:
                yield from self._results(*entry)

    def _results(self, group: Group, first: int, futures: list[Future[Samples]]) -> Iterator[Content]:
        try:
            samples = _assembled(group, list(futures) if self.options.salvage else futures)
        except VaezipError as error:
            part = salvage.part(group, first, futures) if self.options.salvage else None
            yield from ((name, part or error) for name in group.names[first : first + group.per_block])
            return
        if MODE_NAMES[group.mode] in FILES:
            yield group.names[first], samples.tobytes()
            return
        for i, picture in enumerate(samples):
            try:
                yield group.names[first + i], _to_picture(group, first + i, picture)
            except (ImageError, FormatError) as error:  # metadata that fits no such picture
                bare = salvage.without_boxes(group, first + i, picture) if self.options.salvage else None
                yield group.names[first + i], bare or error

    def model(self, fingerprint: bytes) -> Model:
        """Return the model of a block: the one in the file, or else a shipped one or one of ``models``.

        Raises:
            FormatError: the one in the file is damaged.
            ModelError: there is none.
        """
        return self.library.by_fingerprint(fingerprint)

    def info(self) -> dict[str, Any]:
        """Describe the file in what JSON holds; no pixels are decoded."""
        marks = {block.model for group in self.file.groups for block in group.blocks if has_model(block.model)}
        known = {mark: self._describe_model(mark) for mark in marks}
        pictures = [picture for group in self.file.groups for picture in _describe_pictures(group)]
        return {
            "version": records.VERSION,
            "revision": records.REVISION,
            "layout": "inline" if self.file.inline else "archive",
            "pictures": copies.described(pictures, self._originals),
            "blocks": [block for group in self.file.groups for block in _describe_blocks(group, known)],
            "models": [
                {"name": self.file.model_names[mark], "fingerprint": mark.hex(), "bytes": len(model.packed)}
                for mark, model in self.file.embedded.items()
            ],
        }

    def _describe_model(self, fingerprint: bytes) -> tuple[str, str | None]:
        """Return the name of a model, and what it takes steps on, as far as they are known."""
        name, steps_on = self.file.model_names.get(fingerprint, "") or "unknown", None
        if fingerprint not in self.file.embedded:
            with suppress(ModelError):
                path = model_file.by_fingerprint(fingerprint, self.library.extra)
                name, steps_on = path.stem, model_file.architecture(path).steps_on
        else:
            with suppress(FormatError):
                steps_on = self.model(fingerprint).architecture.steps_on
        return name, steps_on

    def _complete_inline(self) -> None:
        """Fill in the size of a picture that is of its model's own."""
        group = self.file.groups[0]
        if not group.height:
            if not has_model(group.blocks[0].model):
                raise FormatError("the header is damaged: the picture has no size")
            model = self.model(group.blocks[0].model)
            group.height, group.width = model.architecture.tile
        group.band = group.height

    @contextmanager
    def _executor(self) -> Iterator[Executor]:
        """Lend the executor of the options, or threads of our own."""
        if self.options.executor:
            yield self.options.executor
            return
        workers = Workers(self.options.threads)
        try:
            yield workers
        finally:
            workers.shutdown(cancel_futures=True)

    def _decode_run(self, executor: Executor, group: Group, first: int) -> list[Future[Samples]]:
        """Start on the pictures that share a block, from ``first`` on, or on the bands of one picture."""
        start = first // group.per_block * group.bands
        mode = MODE_NAMES[group.mode]
        futures = []
        for number in range(start, min(start + group.bands, len(group.blocks))):
            shape, block = _block_shape(group, number), group.blocks[number]
            job = DecodeJob(mode, shape, block, self.library, self._before, self._budget, self.options.max_pixels)
            futures.append(executor.submit(decoding.decode, job))
        return futures


def open_file(path: str | os.PathLike[str], options: ReadOptions | None = None, **changes: Any) -> Archive:
    """Open the archive in a file; see :class:`Archive`.

    Raises:
        FormatError: it cannot be read, is damaged, or of an unknown version.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror}") from error
    return Archive(data, options, **changes)


def decompress(data: bytes, options: ReadOptions | None = None, **changes: Any) -> Picture | dict[str, Picture]:
    """Decode the picture of a file, or its pictures by name where it is a set.

    Args:
        data: the file.
        options: how to decode; ``changes`` are fields of them.

    Raises:
        ImageError: a picture has more pixels than ``max_pixels``.
        FormatError: the file is damaged, or of an unknown version.
        ModelError: the model it was made with is not here.
    """
    archive = Archive(data, options, **changes)
    if archive.names == [""]:
        return archive.read()
    found = {}
    for name, picture in archive.pictures():
        if isinstance(picture, VaezipError):
            raise picture
        found[name] = picture
    return found


def _assembled(group: Group, futures: list[Future[Samples]]) -> Samples:
    """Return the pictures of a run, (pictures, height, width, channels); join a picture's bands as they come."""
    if len(futures) == 1:
        return futures[0].result()
    out = np.empty((1, group.height, group.width, channels(MODE_NAMES[group.mode])), dtype(MODE_NAMES[group.mode]))
    for top in range(0, group.height, group.band):
        out[:, top : top + group.band] = futures.pop(0).result()  # and keep no band of which there is a copy
    return out


def _opened(original: bytes, max_pixels: int) -> Picture:
    """Return the picture in a file that is kept byte for byte."""
    return replace(io.read(original, max_pixels), original=original)


def _to_picture(group: Group, index: int, samples: Samples) -> Picture:
    """Invert :meth:`Compressor._to_coded`, and add the picture's metadata."""
    boxes = metadata.named(group.boxes[index])
    if MODE_NAMES[group.mode] == BILEVEL_GREY:
        return Picture("L", samples * np.uint8(255), boxes)
    return Picture(MODE_NAMES[group.mode], np.ascontiguousarray(samples), boxes)


def _describe_blocks(group: Group, models: Mapping[bytes, tuple[str, str | None]]) -> Iterator[dict[str, Any]]:
    """Describe each block, and what its colours were before, if they were anything."""
    for number in range(len(group.blocks)):
        yield {**_describe_block(group, number, models), "origin": _describe_origin(group, number)}


def _block_shape(group: Group, number: int) -> tuple[int, int, int, int]:
    """Return (pictures, height, width, channels) of a block."""
    run, band = divmod(number, group.bands)
    count = min(group.per_block, len(group.names) - run * group.per_block)
    rows = min(group.band, group.height - band * group.band)
    return count, rows, group.width, channels(MODE_NAMES[group.mode])


def _describe_block(group: Group, number: int, models: Mapping[bytes, tuple[str, str | None]]) -> dict[str, Any]:
    block = group.blocks[number]
    described = {"fingerprint": block.model.hex(), "bytes": len(block.payload)}
    if not has_model(block.model):
        mode = MODE_NAMES[group.mode]
        method = mode if mode in ROWS else coders.name_of(block.model).lower()
        note = coders.note_on(block.model, block.payload, _block_shape(group, number))
        return {"method": method, **described, "steps": 0, "steps_on": None} | ({"note": note} if note else {})
    name, steps_on = models[block.model]
    return {"method": name, **described, "steps": payload.steps_of(block.payload), "steps_on": steps_on}


def _describe_origin(group: Group, number: int) -> dict[str, Any] | None:
    """Describe what the pictures of a block were before, or what they are made of, if that is known."""
    block, shape = group.blocks[number], _block_shape(group, number)
    if not has_model(block.model) and block.model != coders.REMADE:
        return None
    with suppress(FormatError):
        if block.model == coders.REMADE:
            return remade.describe_origin(block.payload, MODE_NAMES[group.mode], shape)
        origin = payload.origin_of(block.payload, MODE_NAMES[group.mode], shape)
        return origin.describe(shape[0] * shape[1] * shape[2]) if origin else None
    return None


def _describe_pictures(group: Group) -> Iterator[dict[str, Any]]:
    """Describe each picture."""
    mode = MODE_NAMES[group.mode]
    times = group.times or [None] * len(group.names)
    for i, (name, boxes, time) in enumerate(zip(group.names, group.boxes, times)):
        known: dict[str, Any] = {"mode": mode.removesuffix("/2"), "width": group.width, "height": group.height}
        if mode in FILES:
            known = _describe_file(mode, group.blocks[i], group.width)
        yield {
            "name": name,
            **known,
            "metadata": sorted(set(metadata.names(boxes))),
            "modified": None if time is None else (_EPOCH + timedelta(seconds=time)).isoformat() + "Z",
        }


def _describe_file(mode: str, block: Block, length: int) -> dict[str, Any]:
    """Describe the picture in a file that is kept byte for byte; of a verbatim one, the length alone is known."""
    known: dict[str, Any] = {"mode": mode, "file_bytes": length}
    with suppress(FormatError):
        if mode == JPEG:
            height, width, components = jpeg.describe(block.payload, length)
            known |= {"mode": _JPEG_MODES.get(components, mode), "width": width, "height": height}
    return known


_JPEG_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
"""The mode of the picture in a JPEG, by its number of components."""
