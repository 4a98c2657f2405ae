"""Open a ``.vz`` file and decode its pictures, each block alone."""

from __future__ import annotations

import itertools
import operator
import os
import zlib
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, SupportsIndex, overload

import numpy as np

from vaezip.codec import copies, decoding, describing, jpeg, metadata, salvage
from vaezip.codec.blocks import Samples, block_shape, check_group, picture_bytes
from vaezip.codec.decoded import DecodedBlocks
from vaezip.codec.decoding import DecodeJob
from vaezip.codec.read_options import ReadOptions
from vaezip.errors import FormatError, ImageError, MissingError, ModelError, VaezipError
from vaezip.models import file as model_file
from vaezip.models.base import Model
from vaezip.models.cost import Budget
from vaezip.models.kinds import BILEVEL_GREY, COPY, FILES, JPEG, MODE_NAMES
from vaezip.models.library import FileLibrary, Library
from vaezip.pictures import io
from vaezip.pictures.formats import format_name
from vaezip.pictures.picture import Box, Picture
from vaezip.system.threads import Workers, count_of
from vaezip.vz import archive as vz
from vaezip.vz import records
from vaezip.vz.records import Group, has_model
from vaezip.vz.salvage import Recovered, recover

_COPIES = 3
"""Of a picture: joined from its blocks, handed over, and written."""


class Archive:
    """Hold an open ``.vz`` file; nothing is decoded before it is asked for.

    It is a sequence of its pictures, ``archive[7]``, and a mapping from their names, ``archive["7.png"]``: ``len``
    counts the pictures, iteration gives them in turn, ``in`` looks for a name, and ``dict`` makes a dictionary of it.
    Threads may share one, a process that has one may fork, and it can be pickled.

    The order is that of the file, which keeps pictures of one mode and size together: where they differ, go by names.

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
            VaezipError: the number of threads is negative.
            TypeError: there is no such option.
        """
        asked = replace(options or ReadOptions(), **changes)
        self.options = replace(asked, threads=count_of(asked.threads))
        found = recover(data) if self.options.salvage else Recovered(vz.parse(data))
        self.file, self.lost, self.missing = found.file, found.lost, found.missing
        library = library or Library(self.options.models, self.options.device)
        self.library = FileLibrary(library, self.file.embedded, self.file.model_names)
        self._decoded = DecodedBlocks(self.options.cache)
        self._closed = False
        self._before = zlib.crc32(self.file.header) if self.file.inline else 0
        if self.file.inline:
            self._complete_inline()
        budget, memory = Budget(work=self.options.max_work), self.options.memory
        for group in self.file.groups:
            check_group(group, self.options.max_pixels, budget.within(memory))
        self._budget = budget.within(memory, held=_COPIES * max(map(picture_bytes, self.file.groups), default=0))
        self.names = [name for group in self.file.groups for name in group.names]
        self._places = {name: (group, i) for group in self.file.groups for i, name in enumerate(group.names)}
        if len(self._places) < len(self.names):
            raise FormatError("the directory lists a name twice")
        self._originals = copies.originals(self.file.groups, self._places)
        self.names = copies.ordered(self.names, self._originals)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "options": replace(self.options, executor=None)}

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<vaezip.Archive of {len(self)} {'picture' if len(self) == 1 else 'pictures'}>"

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Picture]:
        return (picture for _, picture in self.items())

    def __contains__(self, name: object) -> bool:
        return name in self._places

    @overload
    def __getitem__(self, key: SupportsIndex | str) -> Picture: ...

    @overload
    def __getitem__(self, key: slice) -> list[Picture]: ...

    def __getitem__(self, key: SupportsIndex | str | slice) -> Picture | list[Picture]:
        if isinstance(key, slice):
            return [self.read(i) for i in range(*key.indices(len(self)))]
        return self.read(key)

    def keys(self) -> list[str]:
        """Return the names."""
        return list(self.names)

    def items(self) -> Iterator[tuple[str, Picture]]:
        """Give every name and its picture in turn.

        Raises:
            VaezipError: the picture whose turn it is cannot be decoded.
        """
        for name, picture in self.pictures():
            if isinstance(picture, VaezipError):
                raise picture
            yield name, picture

    def close(self) -> None:
        """Let the file go, and what was decoded of it; no picture can be read afterwards."""
        self._closed, self.file = True, replace(self.file, groups=[], embedded={}, header=b"")
        self._places = {}
        self._decoded.clear()

    def read(self, key: SupportsIndex | str = 0) -> Picture:
        """Decode one picture; no block but its own is decoded, and that is kept for a while.

        Args:
            key: its name, or its number in the file; negative ones count from the end.

        Raises:
            FormatError: there is none, which is a KeyError and an IndexError, too, or its block is damaged.
            IncompleteError: a salvage found a part of it, which the error has as ``picture``.
        """
        group, index = self._place(key)
        name = group.names[index]
        if name not in self._originals:
            return self._read(group, index)
        return copies.with_own_boxes(self._read(*self._coded_place(name)), group, index)

    def _read(self, group: Group, index: int) -> Picture:
        first = index // group.per_block * group.per_block
        if self.options.salvage and MODE_NAMES[group.mode] not in FILES:
            with self._executor() as executor:
                found = dict(self._results(group, first, self._decode_run(executor, group, first)))[group.names[index]]
            if isinstance(found, VaezipError):
                raise found
            assert isinstance(found, Picture)
            return found
        samples = self._block(group, first)
        if MODE_NAMES[group.mode] in FILES:
            return _opened(samples.tobytes(), self.options.max_pixels)
        return _to_picture(group, index, samples[index - first].copy())  # whoever asked for it may write to it

    def _block(self, group: Group, first: int) -> Samples:
        """Return the pictures that share a block, from ``first`` on, or one picture of several bands."""

        def decode() -> Samples:
            with self._executor() as executor:
                return decoding.assembled(group, self._decode_run(executor, group, first))

        return self._decoded.get((id(group), first), decode)

    def original(self, key: SupportsIndex | str = 0) -> bytes | None:
        """Return the file that a picture came in, where that is kept byte for byte; else None.

        Raises:
            FormatError: its block is damaged.
        """
        group, index = self._coded_place(key)
        return self._block(group, index).tobytes() if MODE_NAMES[group.mode] in FILES else None

    def beginning(self, key: SupportsIndex | str = 0) -> bytes | None:
        """Return how the file begins that a picture came in, where that is kept byte for byte; else None.

        A JPEG ends where its pixels begin, so that nothing needs to be decoded.

        Raises:
            FormatError: its block is damaged.
        """
        group, index = self._coded_place(key)
        if MODE_NAMES[group.mode] == JPEG:
            return jpeg.beginning(group.blocks[index].payload, group.width)
        return self.original(key)

    def blocks(self) -> list[range]:
        """Return the numbers of the pictures of each block, or of the blocks of one picture's bands.

        Whoever reads all pictures of one block before those of another has each block decoded once.
        """
        found, first = [], 0
        for group in self.file.groups:
            end = first + len(group.names)
            found += [range(i, min(i + group.per_block, end)) for i in range(first, end, group.per_block)]
            first = end
        return found

    def boxes(self, key: SupportsIndex | str = 0) -> tuple[Box, ...]:
        """Return the metadata of a picture, but not those in a file that is kept byte for byte.

        Its pixels are decoded where they alone tell in which order the colours of a palette are.

        Raises:
            FormatError: there is no such picture, or a palette or such pixels are damaged.
        """
        group, index = self._place(key)
        if metadata.is_counted(group.boxes[index]):
            return self.read(key).boxes
        return metadata.named(group.boxes[index])

    def look(self, key: SupportsIndex | str = 0) -> dict[str, Any]:
        """Describe a picture as :meth:`info` does; no pixels are decoded.

        Raises:
            FormatError: there is none.
        """
        coded, own = (self._described(*place) for place in (self._coded_place(key), self._place(key)))
        return copies.described([coded, own], self._originals)[-1]

    def _described(self, group: Group, index: int) -> dict[str, Any]:
        before = itertools.takewhile(lambda other: other is not group, self.file.groups)
        return describing.picture(group, index, first_block=sum(len(other.blocks) for other in before))

    def modified(self, key: SupportsIndex | str = 0) -> int | None:
        """Return when a picture of a set was last changed, in seconds since 1970; None where the file does not tell.

        Raises:
            FormatError: there is none.
        """
        group, index = self._place(key)
        return group.times[index] if group.times else None

    def _place(self, key: SupportsIndex | str) -> tuple[Group, int]:
        """Return the group of a picture, and its index in that."""
        self._check_open()
        if isinstance(key, str):
            if key not in self._places:
                raise MissingError(f"it holds no picture called '{key}'")
            return self._places[key]
        number = operator.index(key)
        if not -len(self) <= number < len(self):
            raise MissingError(f"it holds no picture number {number}, but {len(self)}, from 0 on")
        return self._places[self.names[number]]

    def _coded_place(self, key: SupportsIndex | str) -> tuple[Group, int]:
        """Return the place of what is coded for a picture: of a copy that of its original.

        Raises:
            FormatError: a copy has none.
        """
        group, index = self._place(key)
        original = self._originals.get(group.names[index])
        if isinstance(original, FormatError):
            raise FormatError(str(original))  # a new one, for an error keeps all places where it was raised
        return self._places[original] if original is not None else (group, index)

    def _check_open(self) -> None:
        if self._closed:
            raise VaezipError("the archive is closed")

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
        found |= {name: found.get(str(original)) for name, original in self._originals.items()}
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

    def contents(self) -> Iterator[tuple[str, Picture | bytes | VaezipError]]:
        """Give every picture in turn, or the file that it came in where that is kept, or the error that its block met.

        The pixels in files are not looked at.
        """
        yield from copies.beside(self._coded_contents(), self._originals, self._places)

    def _coded_contents(self) -> Iterator[tuple[str, Picture | bytes | VaezipError]]:
        """Give all but copies."""
        with self._executor() as executor:
            waiting: list[tuple[Group, int, list[Future[Samples]]]] = []
            for group in (group for group in self.file.groups if MODE_NAMES[group.mode] != COPY):
                for first in range(0, len(group.names), group.per_block):
                    waiting.append((group, first, self._decode_run(executor, group, first)))
                    while sum(len(futures) for _, _, futures in waiting) > self.options.threads:
                        yield from self._results(*waiting.pop(0))
            for entry in waiting:
                yield from self._results(*entry)

    def _results(
        self, group: Group, first: int, futures: list[Future[Samples]]
    ) -> Iterator[tuple[str, Picture | bytes | VaezipError]]:
        try:
            samples = decoding.assembled(group, list(futures) if self.options.salvage else futures)
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
        return {
            "version": records.VERSION,
            "revision": records.REVISION,
            "layout": "inline" if self.file.inline else "archive",
            "pictures": copies.described(list(describing.pictures(self.file.groups)), self._originals),
            "blocks": [block for group in self.file.groups for block in describing.blocks(group, known)],
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
        self._check_open()
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
            shape, block = block_shape(group, number), group.blocks[number]
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


def _opened(original: bytes, max_pixels: int) -> Picture:
    """Return the picture in a file that is kept byte for byte."""
    return replace(io.read(original, max_pixels), original=original)


def _to_picture(group: Group, index: int, samples: Samples) -> Picture:
    """Invert :meth:`Compressor._to_coded`, and add the picture's metadata."""
    samples, boxes = metadata.restored(samples, group.boxes[index])
    if MODE_NAMES[group.mode] == BILEVEL_GREY:
        return Picture("L", samples * np.uint8(255), boxes)
    return Picture(MODE_NAMES[group.mode], np.ascontiguousarray(samples), boxes)
