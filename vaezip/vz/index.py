"""Write and read the indices between the blocks of an archive, by which a file without its directory is recovered.

An index describes the run of blocks before it, in the form of a directory. The directory of the file lists the places
of the indices, so that whoever has the directory steps over them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from vaezip.errors import FormatError
from vaezip.vz.records import Block, Group
from vaezip.vz.wire import CRC, Reader, deflated, varint

MAGIC = b"\xf5i\n"

MODELS, TIMES = 2, 4
"""The bits of the flags of an index, as of a file."""

MAX_INDEX = 1 << 20
"""Bytes of an index; a writer keeps far below."""

_RUN, _LEAST = 1 << 19, 1 << 16
"""Bytes after which an index follows; and bytes of payloads and models of a file from which on it has indices."""

_SHARE, _SHARE_WITH_BOXES = 7, 13
"""An index takes at most one of 2^so many bytes of its run; with boxes, too."""

_NAMED = 1 << 12
"""Where pictures take so many bytes on average, an index holds their names and times, too."""

Describe = Callable[[list[Group], Sequence[tuple[bytes, bytes]]], bytes]
"""Writes the directory of some groups and packed models."""


@dataclass(frozen=True)
class Index:
    """An index, and the number of blocks before it, from the one before on."""

    blocks: int
    data: bytes


@dataclass(frozen=True)
class _Place:
    """A block: its group, and its index in that; and the number of pictures in groups before."""

    group: Group
    index: int
    pictures_before: int

    @property
    def size(self) -> int:
        return len(self.group.blocks[self.index].payload)


def plan(groups: Sequence[Group], models: Sequence[tuple[bytes, bytes]], describe: Describe) -> list[Index]:
    """Return the indices of a file: one after each run, and one at the end; none where they would take too much.

    Args:
        groups: of the file.
        models: its packed models, which the last index describes, too.
        describe: writes a directory.
    """
    places = list(_places(groups))
    weight = sum(len(packed) for _, packed in models)
    if sum(place.size for place in places) + weight < _LEAST:
        return []
    found, start, size, due = [], 0, 0, _RUN
    for end, place in enumerate(places, 1):
        size += place.size
        last = end == len(places)
        if size < due and not last:
            continue
        data = _write(places[start:end], size + weight * last, models if last else (), describe)
        if len(data) <= (size + weight * last) >> _SHARE:
            found.append(Index(end - start, data))
            start, size, due = end, 0, _RUN
        else:
            due = 2 * size  # not to write it anew at each of many small blocks
    return found


def _places(groups: Sequence[Group]) -> Iterator[_Place]:
    before = 0
    for group in groups:
        for index in range(len(group.blocks)):
            yield _Place(group, index, before)
        before += len(group.names)


def _write(run: Sequence[_Place], size: int, models: Sequence[tuple[bytes, bytes]], describe: Describe) -> bytes:
    """Write the index of a run of so many bytes: as fully as the pictures are large."""
    parts = _parts(run)
    pictures = sum(len(part.names) for part in parts)
    first = _first_picture(run[0])
    if size < _NAMED * pictures:
        return _index(run, _numbered(parts, first), models, describe)
    full = _index(run, parts, models, describe)
    if len(full) <= size >> _SHARE_WITH_BOXES:
        return full
    return _index(run, [replace(part, boxes=[()] * len(part.names)) for part in parts], models, describe)


def _index(
    run: Sequence[_Place], parts: list[Group], models: Sequence[tuple[bytes, bytes]], describe: Describe
) -> bytes:
    flags = MODELS * bool(models) | TIMES * any(part.times for part in parts)
    bands = run[-1].group.bands
    head = _first_picture(run[0]), run[0].index % run[0].group.bands, -(run[-1].index + 1) % bands
    packed = deflated(bytes([flags]) + b"".join(map(varint, head)) + describe(parts, models))
    return MAGIC + varint(len(packed)) + CRC.pack(zlib.crc32(packed)) + packed


def _first_picture(place: _Place) -> int:
    """Return the number of the first picture of a block in the file."""
    return place.pictures_before + place.index // place.group.bands * place.group.per_block


def _parts(run: Sequence[_Place]) -> list[Group]:
    """Return the groups of a run, with the pictures and blocks that are in it."""
    spans: dict[int, list[_Place]] = {}
    for place in run:
        spans.setdefault(id(place.group), []).append(place)
    parts = []
    for places in spans.values():
        group, first, end = places[0].group, places[0].index, places[-1].index + 1
        pictures = slice(first // group.bands * group.per_block, -(-end // group.bands) * group.per_block)
        parts.append(
            replace(
                group,
                names=group.names[pictures],
                boxes=group.boxes[pictures],
                times=group.times[pictures],
                blocks=group.blocks[first:end],
            )
        )
    return parts


def _numbered(parts: list[Group], first: int) -> list[Group]:
    """Return groups whose pictures are called by their number in the file, without boxes and times."""
    found = []
    for part in parts:
        count = len(part.names)
        names = [str(first + i) for i in range(count)]
        found.append(replace(part, names=names, boxes=[()] * count, times=[]))
        first += count
    return found


def write_list(indices: Sequence[Index]) -> bytes:
    """Write the beginning of a directory that tells where indices stand; nothing where there are none."""
    if not indices:
        return b""
    return varint(len(indices)) + b"".join(varint(index.blocks) + varint(len(index.data)) for index in indices)


def interleaved(
    payloads: Sequence[bytes], models: Sequence[tuple[bytes, bytes]], indices: Sequence[Index]
) -> Iterator[bytes]:
    """Yield payloads, models and indices in the order of the file: an index that ends with the last block stands behind
    the models."""
    left = iter(payloads)
    done = 0
    for index in indices:
        yield from islice(left, index.blocks)
        done += index.blocks
        if done == len(payloads):
            yield from (packed for _, packed in models)
            models = ()
        yield index.data
    yield from left
    yield from (packed for _, packed in models)


class Payloads(Reader):
    """Hands out the payloads and models of a file in their order, and steps over the indices between."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        super().__init__(data, start, end)
        self.damaged: list[int] = []
        self._indices: list[list[int]] = []  # blocks that are left before it, and its bytes; the next one last

    def read_indices(self, reader: Reader) -> None:
        """Read from the directory where indices stand: after how many blocks, and their bytes."""
        count = reader.count()
        self._indices = [[reader.varint(), reader.varint()] for _ in range(count)][::-1]
        if not all(blocks for blocks, _ in self._indices):
            raise FormatError("the directory describes an impossible index")

    def block(self, model: bytes, length: int) -> Block:
        """Take the next block, behind the index where a run has ended."""
        self._step_over_index()
        if self._indices:
            self._indices[-1][0] -= 1
        return Block(model, self.take(length))

    def finish(self) -> None:
        """Step over the index behind the models, and see that nothing is left."""
        self._step_over_index()
        if self._indices:
            raise FormatError("the directory describes an impossible index")
        if self.left:
            raise FormatError("the file holds data that its directory does not list")

    def _step_over_index(self) -> None:
        """Go past an index, and note where it is damaged, which costs no picture as long as there is a directory."""
        if self._indices and self._indices[-1][0] == 0:
            start, (_, size) = self.position, self._indices.pop()
            index = self.take(size)
            try:
                whole = packed_index(index, 0)[1] == size
            except FormatError:
                whole = False
            if not whole:
                self.damaged.append(start)


class Measure(Payloads):
    """Counts how many bytes an index describes, of which nobody knows yet where they begin."""

    def finish(self) -> None:
        """Leave what stands before the run."""

    def take(self, length: int) -> bytes:
        """Count so many bytes."""
        if length > self.left:
            raise FormatError("the index describes more than the file holds")
        self.position += length
        return b""


def packed_index(data: bytes, position: int) -> tuple[bytes, int]:
    """Return the packed data of the index at a position, and where it ends.

    Raises:
        FormatError: there is none, or it is damaged.
    """
    reader = Reader(data, position)
    length, checksum = packed_length(reader), reader.take(CRC.size)
    packed = reader.take(length)
    if CRC.pack(zlib.crc32(packed)) != checksum:
        raise FormatError("the index is damaged")
    return packed, reader.position


def packed_length(reader: Reader) -> int:
    """Read the beginning of an index, and return the bytes of its packed data.

    Raises:
        FormatError: there is none, or it is too long.
    """
    if reader.take(len(MAGIC)) != MAGIC:
        raise FormatError("there is no index")
    length = reader.varint()
    if length > MAX_INDEX:
        raise FormatError("the index is too long")
    return length
