"""Turn the bytes of a ``.vz`` file into typed records and back. ``docs/format.md`` is its specification.

Two layouts share the records. *Inline*: one picture, one block; a header of a few bytes, then
the block to the end of the file. *Archive*: blocks, then a directory of all pictures, then its
checksum and length, so that blocks can be written as they come and one picture be found alone.
This module knows nothing of models or pixels; it checks that every number in a directory is
consistent with every other.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from itertools import chain

from vaezip.errors import FormatError
from vaezip.system.spans import timed
from vaezip.vz import limits
from vaezip.vz.index import MODELS, TIMES, Payloads, interleaved, plan, write_list
from vaezip.vz.limits import PICTURES, PIECES, Budget
from vaezip.vz.names import read_names, take_names, write_names
from vaezip.vz.records import NO_MODEL, REVISION, VERSION, Block, Box, Embedded, File, Group
from vaezip.vz.times import read_times, write_times
from vaezip.vz.wire import CRC, Reader, decoded, deflated, inflated, shorter, varint

_MAGIC = b"z\r\n"
_HIGH = 0xF0
_ARCHIVE, _NATIVE, _BOXES = 1, 2, 4
_BEGINNING = bytes([_HIGH | VERSION]) + _MAGIC + bytes([REVISION])
"""Every file begins so."""

_UNKNOWN = 8
"""The bit of the flags of an inline file that has no meaning yet."""

_EMBEDDED, _TIMED, _INDEXED = MODELS, TIMES, 8
"""In an archive, bit 1 tells that it holds models, bit 2 that it tells times of modification, and bit 3 that there are
indices between its blocks."""

_MODEL_NAME = 255
"""Tag of a box of an inline file that holds its model's name."""

_TRAILER = struct.Struct("<II")
"""The end of an archive: checksum and length of its directory."""


@timed("container")
def inline_header(group: Group, model_name: str = "") -> bytes:
    """Write all bytes before the payload of an inline file with the group's one picture and one block.

    ``model_name`` is for the message of a reader that lacks the model; shipped ones need none.
    """
    block, boxes = group.blocks[0], group.boxes[0]
    if model_name:
        boxes = (*boxes, (_MODEL_NAME, _encoded(model_name)))
    flags = (_NATIVE * (not group.height)) | (_BOXES * bool(boxes)) | group.mode << 4
    out = bytearray(_BEGINNING) + bytes([flags]) + block.model
    if group.height:
        out += varint(group.height) + varint(group.width)
    if boxes:
        packed = deflated(b"".join(bytes([tag]) + varint(len(content)) + content for tag, content in boxes))
        out += varint(len(packed)) + packed
        Budget(len(out)).take(PIECES, len(boxes))  # the whole file is larger, and may have more
    return bytes(out)


@timed("container")
def write_archive(
    groups: list[Group],
    model_names: Mapping[bytes, str] | None = None,
    embedded: Mapping[bytes, bytes] | None = None,
) -> bytes:
    """Write an archive file.

    Args:
        groups: what it holds.
        model_names: by fingerprint, for the message of a reader that lacks a model.
        embedded: model files by fingerprint, each of which a block names.

    Raises:
        FormatError: it would be more than a reader takes.
    """
    models = [(fingerprint, packed_model(data)) for fingerprint, data in sorted((embedded or {}).items())]

    def describe(some: list[Group], held: Sequence[tuple[bytes, bytes]]) -> bytes:
        return _write_directory(some, model_names or {}, held)

    indices = plan(groups, models, describe)
    directory = deflated(write_list(indices) + describe(groups, models))
    flags = _ARCHIVE | _EMBEDDED * bool(models) | _TIMED * any(group.times for group in groups)
    start = _BEGINNING + bytes([flags | _INDEXED * bool(indices)])
    payloads = interleaved([block.payload for group in groups for block in group.blocks], models, indices)
    trailer = _TRAILER.pack(zlib.crc32(directory), len(directory))
    data = b"".join([start, *payloads, directory, trailer])
    _check_spending(groups, len(data))
    return data


def packed_model(data: bytes) -> bytes:
    """Pack a model file as an archive holds it.

    Raises:
        FormatError: it is larger than what a file can hold.
    """
    if len(data) > limits.MAX_MODEL:
        most = limits.MAX_MODEL >> 20
        raise FormatError(
            f"the model takes {len(data) >> 20} MiB, more than the {most} that a file can hold", "not-embedded"
        )
    return shorter(data)


def is_vz(data: bytes) -> bool:
    """Tell whether a file begins as .vz files of any version do."""
    return len(data) >= 4 and data[1:4] == _MAGIC and data[0] >= _HIGH


@timed("container")
def parse(data: bytes) -> File:
    """Read a file's structure; no pixels are decoded.

    Raises:
        FormatError: not a .vz file, of an unknown version, or inconsistent.
    """
    if not data:
        raise FormatError("is empty")
    if not is_vz(data):
        raise FormatError("not a .vz file")
    version = data[0] & 0x0F
    if version < VERSION:
        raise FormatError(
            f"format version {version}, of a release before 0.2, is not read any more; use the release that wrote it"
        )
    if version > VERSION:
        raise FormatError(
            f"format version {version} is newer than this vaezip, which reads version {VERSION}; use a newer release"
        )
    reader = Reader(data, 4)
    revision = reader.byte()
    if revision != REVISION:
        raise FormatError(
            f"revision {revision} of the draft of format {VERSION} is not read, for this vaezip has revision "
            f"{REVISION}; use the vaezip that wrote the file"
        )
    flags = reader.byte()
    if flags & _ARCHIVE:
        if flags & ~(_EMBEDDED | _TIMED | _INDEXED) != _ARCHIVE:
            raise FormatError(f"unknown field 0x{flags:02x} in the header; a newer vaezip may read it")
        return _parse_archive(data, flags)
    group, names = _parse_inline(reader, flags)
    header = data[: reader.position]
    if len(data) - len(header) < limits.MIN_PAYLOAD:
        raise FormatError("the file is truncated")
    group.blocks[0] = Block(group.blocks[0].model, data[reader.position :])
    return File(True, header, [group], names)


def _parse_inline(reader: Reader, flags: int) -> tuple[Group, dict[bytes, str]]:
    model = reader.take(len(NO_MODEL))
    if flags & _UNKNOWN:
        raise FormatError(f"unknown field 0x{flags:02x} in the header; a newer vaezip may read it")
    height, width = (0, 0) if flags & _NATIVE else (reader.side(), reader.side())
    boxes: list[Box] = []
    if flags & _BOXES:
        inner, budget = Reader(inflated(reader.take(reader.varint()))), Budget(len(reader.data))
        while not inner.done:
            budget.take(PIECES, 1)
            boxes.append((inner.byte(), inner.take(inner.varint())))
    names = {}
    if boxes and boxes[-1][0] == _MODEL_NAME:
        names[model] = decoded(boxes.pop()[1], limits.MAX_MODEL_NAME)
    return Group(flags >> 4, height, width, 1, height, [""], [tuple(boxes)], [Block(model, b"")]), names


_Archive = tuple[list[Group], dict[bytes, str], dict[bytes, Embedded]]
"""Groups, names of models, and models."""


def _parse_archive(data: bytes, flags: int) -> File:
    if len(data) < len(_BEGINNING) + 9:
        raise FormatError("the file is truncated")
    checksum, length = _TRAILER.unpack(data[-_TRAILER.size :])
    directory = data[-8 - length : -8] if length <= len(data) - len(_BEGINNING) - 9 else b""
    if zlib.crc32(directory) != checksum or not directory:
        raise FormatError("the directory at the end is damaged or missing; the file may be truncated")
    reader = Reader(inflated(directory))
    payloads = Payloads(data, len(_BEGINNING) + 1, len(data) - _TRAILER.size - length)
    if flags & _INDEXED:
        payloads.read_indices(reader)
    return File(False, b"", *read_directory(reader, payloads, flags, budget=Budget(len(data))), payloads.damaged)


def _write_directory(
    groups: list[Group], model_names: Mapping[bytes, str], embedded: Sequence[tuple[bytes, bytes]] = ()
) -> bytes:
    models = sorted({b.model for group in groups for b in group.blocks} | {fingerprint for fingerprint, _ in embedded})
    contents = list(dict.fromkeys(content for group in groups for b in group.boxes for _, content in b))
    out = bytearray(varint(len(models)))
    if len(models) > limits.MAX_MODELS:
        raise FormatError(f"more than {limits.MAX_MODELS:,} models are more than a file can hold; use several")
    called = [_encoded(model_names.get(model, "")) for model in models]
    out += b"".join(model + varint(len(name)) + name for model, name in zip(models, called)) + varint(len(contents))
    for content in contents:
        out += varint(len(content)) + content
    index = {content: i for i, content in enumerate(contents)}
    numbers_of = {model: i for i, model in enumerate(models)}
    out += varint(len(groups))
    for group in groups:
        numbers = (group.mode, group.height, group.width, group.per_block, group.band, len(group.names))
        out += b"".join(map(varint, numbers)) + write_names(group.names)
        for block in group.blocks:
            out += varint(numbers_of[block.model]) + varint(len(block.payload))
        placed = [(i, tag, index[content]) for i, b in enumerate(group.boxes) for tag, content in b]
        out += varint(len(placed)) + b"".join(map(varint, chain.from_iterable(placed)))
    if embedded:
        out += varint(len(embedded))
    for fingerprint, packed in embedded:
        out += varint(models.index(fingerprint)) + varint(len(packed)) + CRC.pack(zlib.crc32(packed))
    return bytes(out) + write_times(groups)


def _check_spending(groups: list[Group], size: int) -> None:
    """Refuse groups that list more than a reader takes of a file of so many bytes."""
    budget = Budget(size)
    for group in groups:
        budget.take(PICTURES, len(group.names))
        take_names(group.names, budget)
        for boxes in group.boxes:
            budget.take(PIECES, len(boxes))
            budget.take_metadata(_sizes(boxes))


def _sizes(boxes: Sequence[Box]) -> list[int]:
    return [len(content) for _, content in boxes]


def _encoded(model_name: str) -> bytes:
    """Return the name of a model as a file has it: for messages, so that what is too long of it is cut."""
    cut = model_name.encode(errors="replace")[: limits.MAX_MODEL_NAME]
    return cut.decode(errors="ignore").encode()


def read_directory(
    reader: Reader, payloads: Payloads, flags: int, *, budget: Budget, lacking: tuple[int, int] = (0, 0)
) -> _Archive:
    """Read the directory of a file, or of a run whose first picture lacks so many blocks, and whose last so many.

    Raises:
        FormatError: it is inconsistent.
    """
    named = [
        (reader.take(len(NO_MODEL)), reader.text(limits.MAX_MODEL_NAME)) for _ in range(reader.count(limits.MAX_MODELS))
    ]
    models = [model for model, _ in named]
    contents = [reader.take(reader.varint()) for _ in range(reader.count(budget.left[PIECES]))]
    count = reader.count()
    groups = []
    for i in range(count):
        some = lacking[0] * (i == 0) + lacking[1] * (i == count - 1)
        groups.append(_read_group(reader, payloads, (models, contents), budget, some))
    if not groups:
        raise FormatError("the directory lists no picture")
    embedded = _read_models(reader, payloads, models) if flags & _EMBEDDED else {}
    if flags & _TIMED:
        read_times(reader, groups)
    if not reader.done:
        raise FormatError("the directory has an unknown field at its end; a newer vaezip may read it")
    payloads.finish()
    return groups, dict(named), embedded


def _read_models(reader: Reader, payloads: Payloads, models: list[bytes]) -> dict[bytes, Embedded]:
    found: dict[bytes, Embedded] = {}
    for _ in range(reader.count()):
        fingerprint, length, checksum = _pick(models, reader.varint()), reader.varint(), reader.take(CRC.size)
        if fingerprint == NO_MODEL or fingerprint in found:
            raise FormatError("the directory describes an impossible model")
        packed = payloads.take(length)
        found[fingerprint] = Embedded(packed, CRC.pack(zlib.crc32(packed)) == checksum)
    return found


def _read_group(
    reader: Reader, payloads: Payloads, listed: tuple[list[bytes], list[bytes]], budget: Budget, lacking: int
) -> Group:
    """Read a group, of whose blocks some are lacking; ``listed`` are models and contents."""
    mode, height, width = reader.varint(), reader.side(), reader.side()
    per_block, band, count = reader.varint(), reader.varint(), reader.varint()
    possible = 0 < band <= height and per_block > 0 and (band == height or per_block == 1)
    if not (possible and count > 0):
        raise FormatError("the directory describes impossible blocks")
    budget.take(PICTURES, count)
    group = Group(mode, height, width, per_block, band, read_names(reader, count, budget))
    blocks = group.block_count - lacking
    if blocks * limits.MIN_PAYLOAD > payloads.left:
        raise FormatError("the directory describes more blocks than the file holds")
    if blocks <= 0:
        raise FormatError("the directory describes impossible blocks")
    for _ in range(blocks):
        model, length = _pick(listed[0], reader.varint()), reader.varint()
        if length < limits.MIN_PAYLOAD:
            raise FormatError("the directory describes an empty block")
        group.blocks.append(payloads.block(model, length))
    group.boxes = _read_boxes(reader, count, listed[1], budget)
    return group


def _read_boxes(reader: Reader, count: int, contents: list[bytes], budget: Budget) -> list[tuple[Box, ...]]:
    found: dict[int, list[Box]] = {}
    known: dict[tuple[int, int], Box] = {}  # what many pictures share is in memory once
    listed = reader.count()
    budget.take(PIECES, listed)
    for _ in range(listed):
        picture, tag, index = reader.varint(), reader.varint(), reader.varint()
        if picture >= count:
            raise FormatError("the directory describes metadata of no picture")
        box = known.setdefault((tag, index), (tag, _pick(contents, index)))
        found.setdefault(picture, []).append(box)
    for boxes in found.values():
        budget.take_metadata(_sizes(boxes))
    return [tuple(found.get(i, ())) for i in range(count)]


def _pick(items: list[bytes], index: int) -> bytes:
    if index >= len(items):
        raise FormatError("the directory refers to an entry that it does not hold")
    return items[index]
