"""Find, while a set is made, the pictures that equal others; see :mod:`vaezip.codec.copies`."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Iterable
from dataclasses import replace

from vaezip.codec.blocks import Samples, plain_bytes
from vaezip.codec.copies import CRC_BYTES
from vaezip.codec.runs import Entry
from vaezip.models.kinds import COPY, MODE_NAMES
from vaezip.vz.records import NO_MODEL, Block, Group

LEAST = 1 << 12
"""Bytes of samples. Of smaller pictures, in one block with their equals, one more may take no more than its name."""


def digest(mode: str, samples: Samples) -> bytes:
    """Return what is equal for equal pictures, whatever their metadata."""
    found = hashlib.sha256(f"{mode} {samples.shape}".encode())
    found.update(plain_bytes(samples))
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
        """Take a picture, as a copy if it equals one before it, and tell whether it does; one without a name, by which
        a copy tells its original, is neither."""
        if not entry.name:
            return False
        file = digest_of_file(entry.original) if entry.original is not None else b""
        original, file_before = self._seen.setdefault(digest, (entry.name, file))
        if original == entry.name:
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
        group.blocks.append(Block(NO_MODEL, zlib.crc32(name).to_bytes(CRC_BYTES, "little") + name))
    return list(groups.values())
