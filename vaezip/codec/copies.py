"""Copies: pictures of a set that equal others, which alone are coded; ``docs/format/layout.md``, section 1.4."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Iterable, Mapping

from vaezip.codec.blocks import Samples
from vaezip.codec.runs import Entry
from vaezip.errors import FormatError
from vaezip.models.kinds import COPY, MODE_NAMES
from vaezip.vz.records import NO_MODEL, Block, Group

_CRC = 4
"""Bytes of the checksum before the name in a payload."""


def digest(mode: str, samples: Samples) -> bytes:
    """Return what is equal for equal pictures, whatever their metadata."""
    found = hashlib.sha256(f"{mode} {samples.shape}".encode())
    found.update(samples.astype(samples.dtype.newbyteorder("<"), copy=False).tobytes())
    return found.digest()


def digest_of_file(data: bytes) -> bytes:
    """Return what is equal for equal files that are kept byte for byte."""
    return hashlib.sha256(b"file " + data).digest()


def groups_of(copies: Iterable[tuple[str, Entry]], kept: Collection[str]) -> list[Group]:
    """Return the groups of copies, each with the name of its original; those of ``kept`` files have all metadata in
    themselves."""
    groups: dict[int, Group] = {}
    for original, entry in copies:
        name = original.encode()
        group = groups.setdefault(len(name), Group(MODE_NAMES.index(COPY), 1, len(name), 1, 1))
        group.names.append(entry.name)
        group.boxes.append(() if original in kept else entry.boxes)
        group.times.append(entry.modified)
        group.blocks.append(Block(NO_MODEL, zlib.crc32(name).to_bytes(_CRC, "little") + name))
    return list(groups.values())


def originals(groups: Iterable[Group], places: Mapping[str, tuple[Group, int]]) -> dict[str, str | FormatError]:
    """Return the name of the original of each copy, or why there is none."""
    found: dict[str, str | FormatError] = {}
    for group in groups:
        if MODE_NAMES[group.mode] == COPY:
            for name, block in zip(group.names, group.blocks):
                try:
                    found[name] = _original(block, group.width, places)
                except FormatError as error:
                    found[name] = error
    return found


def described(pictures: list[dict[str, object]], found: Mapping[str, str | FormatError]) -> list[dict[str, object]]:
    """Describe copies as their originals, but for what they have of their own."""
    known = {picture["name"]: picture for picture in pictures}
    made = []
    for picture in pictures:
        original = found.get(str(picture["name"]))
        if isinstance(original, str):
            own = {key: picture[key] for key in ("name", "metadata", "modified")}
            own["metadata"] = own["metadata"] or known[original]["metadata"]
            picture = {**known[original], **own, "copy_of": original}
        made.append(picture)
    return made


def _original(block: Block, length: int, places: Mapping[str, tuple[Group, int]]) -> str:
    checksum, name = block.payload[:_CRC], block.payload[_CRC:]
    if block.model != NO_MODEL or len(name) != length or zlib.crc32(name).to_bytes(_CRC, "little") != checksum:
        raise FormatError("the name of the picture that it equals fails its checksum; the file is damaged")
    try:
        original = name.decode()
    except UnicodeDecodeError:
        raise FormatError("the name of the picture that it equals is no text; the file is damaged") from None
    if original not in places or MODE_NAMES[places[original][0].mode] == COPY:
        raise FormatError("the picture that it equals is not there; the file is damaged")
    return original
