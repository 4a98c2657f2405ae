"""The ``.vz`` file: bytes to typed records and back. ``docs/format.md`` is its specification.

Two layouts share the records. *Inline*: one picture, one block; a header of a few bytes, then
the block to the end of the file. *Archive*: blocks, then a directory of all pictures, then its
checksum and length, so that blocks can be written as they come and one picture be found alone.
This module knows nothing of models or pixels; it checks that every number in a directory is
consistent with every other.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from vaezip.errors import FormatError

VERSION = 4
CLASSIC = bytes(4)
"""Stands in the place of a model's fingerprint for a block without a model."""

_CRC = struct.Struct("<I")
_MAGIC = b"z\r\n"
_HIGH = 0xF0
_ARCHIVE, _NATIVE, _BOXES, _STEPS = 1, 2, 4, 8
_EMBEDDED = 2
"""In an archive, bit 1 tells that it holds models."""

MAX_STEPS = 255

# What a hostile file can make a reader allocate. A writer keeps to it, too.
_MAX_DIRECTORY = 1 << 26
PICTURES, CHARACTERS, PIECES = "pictures", "characters of names", "pieces of metadata"
_MOST = {PICTURES: 1 << 22, CHARACTERS: 1 << 28, PIECES: 1 << 22}
_MAX_MODELS = 1 << 10
_MIN_PAYLOAD = 5
_MAX_SIDE = 1 << 30
MAX_MODEL = 1 << 26
"""Bytes of a model file that an archive can hold."""

_MODEL_NAME = 255
"""Tag of a box of an inline file that holds its model's name."""


@dataclass(frozen=True)
class Block:
    """One chain, or one run of classic pictures.

    Attributes:
        model: fingerprint of the model, or :data:`CLASSIC`.
        steps: K: gradient steps on each posterior, or the most that a pixel network goes through a band.
        payload: the coded pixels.
    """

    model: bytes
    steps: int
    payload: bytes


@dataclass
class Group:
    """Pictures of one mode and size, which share blocks.

    A block holds ``per_block`` whole pictures, or, where ``band`` < ``height``, ``band`` rows
    of one picture.

    Attributes:
        mode: number of the mode.
        height, width: in pixels; 0 in an inline file whose picture is of its model's own size.
        names: one a picture, in the order of coding; [""] in an inline file.
        boxes: per picture, (number of the tag, content).
        blocks: in the order of coding.
    """

    mode: int
    height: int
    width: int
    per_block: int = 1
    band: int = 0
    names: list[str] = field(default_factory=list)
    boxes: list[tuple[tuple[int, bytes], ...]] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    @property
    def bands(self) -> int:
        """Blocks a picture, 1 where a block holds whole pictures."""
        return -(-self.height // self.band) if self.height else 1

    @property
    def block_count(self) -> int:
        """How many blocks its pictures fill."""
        return -(-len(self.names) // self.per_block) * self.bands


def inline_header(group: Group, model_name: str = "") -> bytes:
    """All bytes before the payload of an inline file with the group's one picture and one block.

    ``model_name`` is for the message of a reader that lacks the model; shipped ones need none.
    """
    block, boxes = group.blocks[0], group.boxes[0]
    if model_name:
        boxes = (*boxes, (_MODEL_NAME, model_name.encode(errors="replace")))
    flags = (_NATIVE * (not group.height)) | (_BOXES * bool(boxes)) | (_STEPS * bool(block.steps)) | group.mode << 4
    out = bytearray([_HIGH | VERSION]) + _MAGIC + bytes([flags]) + block.model
    if block.steps:
        out.append(block.steps)
    if group.height:
        out += _varint(group.height) + _varint(group.width)
    if boxes:
        packed = _deflated(b"".join(bytes([tag]) + _varint(len(content)) + content for tag, content in boxes))
        out += _varint(len(packed)) + packed
    return bytes(out)


def write_archive(
    groups: list[Group],
    model_names: Mapping[bytes, str] | None = None,
    embedded: Mapping[bytes, bytes] | None = None,
) -> bytes:
    """An archive file.

    Args:
        groups: what it holds.
        model_names: by fingerprint, for the message of a reader that lacks a model.
        embedded: model files by fingerprint, each of which a block names.

    Raises:
        FormatError: it would be more than a reader takes.
    """
    models = [(fingerprint, packed_model(data)) for fingerprint, data in sorted((embedded or {}).items())]
    directory = _deflated(_write_directory(groups, model_names or {}, models))
    payloads = [block.payload for group in groups for block in group.blocks]
    trailer = struct.pack("<II", zlib.crc32(directory), len(directory))
    flags = _ARCHIVE | _EMBEDDED * bool(models)
    start = bytes([_HIGH | VERSION]) + _MAGIC + bytes([flags])
    return b"".join([start, *payloads, *(packed for _, packed in models), directory, trailer])


@dataclass(frozen=True)
class Embedded:
    """A model that an archive holds.

    Attributes:
        packed: its file, as :func:`packed_model` gives it.
        intact: whether that has its checksum; where not, blocks without this model still decode.
    """

    packed: bytes
    intact: bool

    def unpack(self) -> bytes:
        """The model file.

        Raises:
            FormatError: it is damaged or too large.
        """
        if not self.intact:
            raise FormatError("the model in the file is damaged")
        return _inflated(self.packed, "the model in the file", MAX_MODEL)


def packed_model(data: bytes) -> bytes:
    """A model file as an archive holds it.

    Raises:
        FormatError: it is larger than what a file can hold.
    """
    if len(data) > MAX_MODEL:
        raise FormatError(
            f"the model takes {len(data) >> 20} MiB, more than the {MAX_MODEL >> 20} that a file can hold; "
            "leave out --embed-model"
        )
    return _shorter(data)


@dataclass(frozen=True)
class File:
    """A parsed file.

    Attributes:
        inline: whether it is of the inline layout.
        header: the bytes before the payload of an inline file; its checksum covers them.
        groups: what it holds.
        model_names: by fingerprint, as far as the file tells.
        embedded: models that it holds, by fingerprint.
    """

    inline: bool
    header: bytes
    groups: list[Group]
    model_names: dict[bytes, str]
    embedded: dict[bytes, Embedded] = field(default_factory=dict)


def is_vz(data: bytes) -> bool:
    """Whether a file begins as .vz files of any version do."""
    return len(data) >= 4 and data[1:4] == _MAGIC and data[0] >= _HIGH


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
            f"format version {version}, of a release before 1.0, is not read any more; use the release that wrote it"
        )
    if version > VERSION:
        raise FormatError(
            f"format version {version} is newer than this vaezip, which reads version {VERSION}; use a newer release"
        )
    reader = _Reader(data, 4)
    flags = reader.byte()
    if flags & _ARCHIVE:
        if flags & ~_EMBEDDED != _ARCHIVE:
            raise FormatError(f"unknown field 0x{flags:02x} in the header; a newer vaezip may read it")
        return File(False, b"", *_parse_archive(data, bool(flags & _EMBEDDED)))
    group, names = _parse_inline(reader, flags)
    header = data[: reader.position]
    if len(data) - len(header) < _MIN_PAYLOAD:
        raise FormatError("the file is truncated")
    group.blocks[0] = Block(group.blocks[0].model, group.blocks[0].steps, data[reader.position :])
    return File(True, header, [group], names)


def _parse_inline(reader: _Reader, flags: int) -> tuple[Group, dict[bytes, str]]:
    model = reader.take(len(CLASSIC))
    steps = reader.byte() if flags & _STEPS else 0
    height, width = (0, 0) if flags & _NATIVE else (reader.side(), reader.side())
    boxes: list[tuple[int, bytes]] = []
    if flags & _BOXES:
        inner, room = _Reader(_inflated(reader.take(reader.varint()))), Room()
        while not inner.done:
            room.take(PIECES, 1)
            boxes.append((inner.byte(), inner.take(inner.varint())))
    names = {}
    if boxes and boxes[-1][0] == _MODEL_NAME:
        names[model] = _decoded(boxes.pop()[1])
    return Group(flags >> 4, height, width, 1, height, [""], [tuple(boxes)], [Block(model, steps, b"")]), names


_Archive = tuple[list[Group], dict[bytes, str], dict[bytes, Embedded]]
"""Groups, names of models, and models."""


class Room:
    """What a file may still list. All groups share it, so that many cannot do what one may not."""

    def __init__(self) -> None:
        self.left = dict(_MOST)

    def take(self, what: str, count: int) -> None:
        """So many of :data:`_MOST`."""
        self.left[what] -= count
        if self.left[what] < 0:
            raise FormatError(f"more than {_MOST[what]:,} {what} are more than a file can hold; use several")


def _parse_archive(data: bytes, has_models: bool) -> _Archive:
    if len(data) < 13:
        raise FormatError("the file is truncated")
    checksum, length = struct.unpack("<II", data[-8:])
    directory = data[-8 - length : -8] if length <= len(data) - 13 else b""
    if zlib.crc32(directory) != checksum or not directory:
        raise FormatError("the directory at the end is damaged or missing; the file may be truncated")
    return _read_directory(_Reader(_inflated(directory)), data[5 : -8 - length], has_models)


def _write_directory(
    groups: list[Group], model_names: Mapping[bytes, str], embedded: Sequence[tuple[bytes, bytes]] = ()
) -> bytes:
    models = sorted({block.model for group in groups for block in group.blocks})
    contents = list(dict.fromkeys(content for group in groups for b in group.boxes for _, content in b))
    out = bytearray(_varint(len(models)))
    out += b"".join(model + _text(model_names.get(model, "")) for model in models) + _varint(len(contents))
    for content in contents:
        out += _varint(len(content)) + content
    index = {content: i for i, content in enumerate(contents)}
    out += _varint(len(groups))
    room = Room()
    for group in groups:
        room.take(PICTURES, len(group.names))
        numbers = (group.mode, group.height, group.width, group.per_block, group.band, len(group.names))
        out += b"".join(map(_varint, numbers)) + _write_names(group.names, room)
        for block in group.blocks:
            out += _varint(models.index(block.model)) + bytes([block.steps]) + _varint(len(block.payload))
        placed = [(i, tag, index[content]) for i, b in enumerate(group.boxes) for tag, content in b]
        room.take(PIECES, len(placed))
        out += _varint(len(placed)) + b"".join(map(_varint, chain.from_iterable(placed)))
    if embedded:
        out += _varint(len(embedded))
    for fingerprint, packed in embedded:
        out += _varint(models.index(fingerprint)) + _varint(len(packed)) + _CRC.pack(zlib.crc32(packed))
    return bytes(out)


def _read_directory(reader: _Reader, payloads: bytes, has_models: bool) -> _Archive:
    named = [(reader.take(len(CLASSIC)), reader.text()) for _ in range(reader.count(_MAX_MODELS))]
    models = [model for model, _ in named]
    contents = [reader.take(reader.varint()) for _ in range(reader.count(_MOST[PIECES]))]
    rest, room = _Reader(payloads), Room()
    groups = [_read_group(reader, rest, models, contents, room) for _ in range(reader.count())]
    if not groups:
        raise FormatError("the directory lists no picture")
    embedded = _read_models(reader, rest, models) if has_models else {}
    if not reader.done:
        raise FormatError("the directory has an unknown field at its end; a newer vaezip may read it")
    if not rest.done:
        raise FormatError("the file holds data that its directory does not list")
    return groups, dict(named), embedded


def _read_models(reader: _Reader, payloads: _Reader, models: list[bytes]) -> dict[bytes, Embedded]:
    found: dict[bytes, Embedded] = {}
    for _ in range(reader.count()):
        fingerprint, length, checksum = _pick(models, reader.varint()), reader.varint(), reader.take(_CRC.size)
        if fingerprint == CLASSIC or fingerprint in found:
            raise FormatError("the directory describes an impossible model")
        packed = payloads.take(length)
        found[fingerprint] = Embedded(packed, _CRC.pack(zlib.crc32(packed)) == checksum)
    return found


def _read_group(reader: _Reader, payloads: _Reader, models: list[bytes], contents: list[bytes], room: Room) -> Group:
    mode, height, width = reader.varint(), reader.side(), reader.side()
    per_block, band, count = reader.varint(), reader.varint(), reader.varint()
    possible = 0 < band <= height and per_block > 0 and (band == height or per_block == 1)
    if not (possible and count > 0):
        raise FormatError("the directory describes impossible blocks")
    room.take(PICTURES, count)
    group = Group(mode, height, width, per_block, band, _read_names(reader, count, room))
    if group.block_count * _MIN_PAYLOAD > len(payloads.data) - payloads.position:
        raise FormatError("the directory describes more blocks than the file holds")
    for _ in range(group.block_count):
        model, steps, length = _pick(models, reader.varint()), reader.byte(), reader.varint()
        if length < _MIN_PAYLOAD:
            raise FormatError("the directory describes an empty block")
        group.blocks.append(Block(model, steps, payloads.take(length)))
    group.boxes = _read_boxes(reader, count, contents, room)
    return group


def _read_boxes(reader: _Reader, count: int, contents: list[bytes], room: Room) -> list[tuple[tuple[int, bytes], ...]]:
    boxes: dict[int, list[tuple[int, bytes]]] = {}
    listed = reader.count()
    room.take(PIECES, listed)
    for _ in range(listed):
        picture, tag, content = reader.varint(), reader.varint(), _pick(contents, reader.varint())
        if picture >= count:
            raise FormatError("the directory describes metadata of no picture")
        boxes.setdefault(picture, []).append((tag, content))
    return [tuple(boxes.get(i, ())) for i in range(count)]


def _pick(items: list[bytes], index: int) -> bytes:
    if index >= len(items):
        raise FormatError("the directory refers to an entry that it does not hold")
    return items[index]


@dataclass
class _Run:
    """Names that differ in their last number alone, which counts up: 00000.png … 09999.png.

    ``width`` is the number of digits, 0 for numbers without leading zeros; a name without a
    number is a run of one with width 255.
    """

    before: str
    after: str
    width: int
    first: int
    count: int = 1

    @property
    def most_characters(self) -> int:
        """Of all names together."""
        return self.count * (len(self.before) + len(self.after) + _MAX_DIGITS)

    def goes_on(self, other: _Run) -> bool:
        """Whether ``other`` is the next name of this run."""
        same = (self.before, self.after, self.width) == (other.before, other.after, other.width)
        return same and self.width != _NO_NUMBER and other.first == self.first + self.count

    def names(self) -> list[str]:
        """The names, in order."""
        if self.width == _NO_NUMBER:
            return [self.before]
        numbers = range(self.first, self.first + self.count)
        return [f"{self.before}{number:0{self.width}d}{self.after}" for number in numbers]


_MAX_DIGITS = 15
_NUMBERED = re.compile(r"(.*?)([0-9]{1,15})([^0-9]*)", re.DOTALL)
_NO_NUMBER = 255


def _run_of(name: str) -> _Run:
    match = _NUMBERED.fullmatch(name)
    if not match:
        return _Run(name, "", _NO_NUMBER, 0)
    before, digits, after = match.groups()
    return _Run(before, after, len(digits) if digits[0] == "0" else 0, int(digits))


def _write_names(names: list[str], room: Room) -> bytes:
    runs: list[_Run] = []
    for run in map(_run_of, names):
        if runs and runs[-1].goes_on(run):
            runs[-1].count += 1
        else:
            runs.append(run)
    room.take(CHARACTERS, sum(run.most_characters for run in runs))
    return b"".join(
        _varint(run.count) + _text(run.before) + _text(run.after) + bytes([run.width]) + _varint(run.first)
        for run in runs
    )


def _read_names(reader: _Reader, count: int, room: Room) -> list[str]:
    names: list[str] = []
    while len(names) < count:
        length = reader.varint()
        run = _Run(reader.text(), reader.text(), reader.byte(), reader.varint(), length)
        limit = 1 if run.width == _NO_NUMBER else count - len(names)
        if not 0 < length <= limit or _MAX_DIGITS < run.width < _NO_NUMBER:
            raise FormatError("the directory lists impossible names")
        room.take(CHARACTERS, run.most_characters)
        names += run.names()
    return names


def _text(value: str) -> bytes:
    data = value.encode(errors="replace")
    return _varint(len(data)) + data


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise FormatError("the file holds a name that is not UTF-8") from error


def _deflated(data: bytes) -> bytes:
    """One byte that tells whether zlib follows, and the shorter of the two forms."""
    if len(data) > _MAX_DIRECTORY:
        raise FormatError(f"names and metadata take more than the {_MAX_DIRECTORY >> 20} MiB that the format allows")
    return _shorter(data)


def _shorter(data: bytes) -> bytes:
    packed = zlib.compress(data, 9)
    return b"\1" + packed if len(packed) < len(data) else b"\0" + data


def _inflated(data: bytes, what: str = "the directory or metadata", most: int = _MAX_DIRECTORY) -> bytes:
    if data[:1] == b"\0":
        return data[1:]
    inflater = zlib.decompressobj()
    try:
        if data[:1] != b"\1":
            raise FormatError(f"unknown compression of {what}; a newer vaezip may read it")
        out = inflater.decompress(data[1:], most)
    except zlib.error as error:
        raise FormatError(f"{what} is damaged") from error
    if not inflater.eof:
        raise FormatError(f"{what} is damaged or too large")
    return out


def _varint(value: int) -> bytes:
    """Seven bits a byte, lowest first; the high bit says that more follow."""
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


class _Reader:
    """Reads fields off bytes; every over-run is an error."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data, self.position = data, position

    @property
    def done(self) -> bool:
        return self.position == len(self.data)

    def take(self, length: int) -> bytes:
        if length > len(self.data) - self.position:
            raise FormatError("the file is truncated or damaged")
        self.position += length
        return self.data[self.position - length : self.position]

    def byte(self) -> int:
        return self.take(1)[0]

    def varint(self) -> int:
        value = 0
        for shift in range(0, 63, 7):
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise FormatError("the file is damaged: a number in it is too large")

    def count(self, most: int = 1 << 62) -> int:
        """A number of entries, each at least a byte long."""
        value = self.varint()
        if value > min(most, len(self.data) - self.position):
            raise FormatError("the directory is truncated or damaged")
        return value

    def side(self) -> int:
        value = self.varint()
        if not 0 < value <= _MAX_SIDE:
            raise FormatError("the file is damaged: a picture has no or too large a side")
        return value

    def text(self) -> str:
        return _decoded(self.take(self.varint()))
