"""Copies: pictures of a set that equal others, which alone are coded; ``docs/format/layout.md``, section 1.4."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

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


class Taken:
    """The pictures of a set, while it is made.

    Attributes:
        copies: each with the name of its original.
        shared: originals in files that differ from those of their copies: these are coded, so that each picture can
            come back in a format of its own and with metadata of its own.
    """

    def __init__(self) -> None:
        self._seen: dict[bytes, tuple[str, bytes]] = {}
        self.copies: list[tuple[str, Entry]] = []
        self.shared: set[str] = set()

    def has(self, digest: bytes, entry: Entry) -> bool:
        """Take a picture, as a copy if it equals one before it, and tell whether it does."""
        file = digest_of_file(entry.original) if entry.original is not None else b""
        original, file_before = self._seen.setdefault(digest, (entry.name, file))
        if not entry.name or original == entry.name:
            return False
        if not file or file != file_before:
            self.shared.add(original)
        self.copies.append((original, replace(entry, original=None)))
        return True


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


def behind(found: Mapping[str, str | FormatError]) -> dict[str, list[str]]:
    """Return the copies of each original; under "" those that have none."""
    copies: dict[str, list[str]] = {}
    for copy, original in found.items():
        copies.setdefault(original if isinstance(original, str) else "", []).append(copy)
    return copies


def ordered(names: list[str], found: Mapping[str, str | FormatError]) -> list[str]:
    """Return names in the order in which pictures are given: copies behind their original, and at last those that have
    none."""
    if not found:
        return names
    copies = behind(found)
    coded = (name for name in names if name not in found)
    return [*chain.from_iterable((name, *copies.get(name, ())) for name in coded), *copies.get("", ())]


def described(pictures: list[dict[str, Any]], found: Mapping[str, str | FormatError]) -> list[dict[str, Any]]:
    """Describe copies as their originals, but for what they have of their own."""
    known = {picture["name"]: picture for picture in pictures}
    return [_described(known[name], known, found.get(name)) for name in ordered(list(known), found) if name in known]


def _described(
    picture: dict[str, Any], known: Mapping[str, dict[str, Any]], original: str | FormatError | None
) -> dict[str, Any]:
    if not isinstance(original, str):
        return picture
    of_its_own = ("name", "metadata", "modified", "blocks", "bytes")
    own: dict[str, Any] = {key: picture[key] for key in of_its_own if key in picture}
    return {**known[original], **own, "copy_of": original}


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
