"""Copies: pictures of a set that equal others, which alone are coded; ``docs/format/layout.md``, section 1.4."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from vaezip.codec import metadata
from vaezip.errors import FormatError, ImageError, VaezipError
from vaezip.models.kinds import COPY, MODE_NAMES
from vaezip.pictures.picture import Picture
from vaezip.vz.records import NO_MODEL, Block, Group

Places = Mapping[str, tuple[Group, int]]
"""The group of each picture, and its index in that."""

Content = Picture | bytes | VaezipError

CRC_BYTES = 4
"""Bytes of the checksum before the name in a payload."""


def originals(groups: Iterable[Group], places: Places) -> dict[str, str | FormatError]:
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


def with_own_boxes(original: Picture, group: Group, index: int) -> Picture:
    """Return a copy: its original with the metadata of its own, unless that stands in a file that both are.

    Raises:
        ImageError: it fits no such picture.
        FormatError: it is damaged.
    """
    if original.original is not None:
        return original
    samples, boxes = metadata.restored(original.samples.copy(), group.boxes[index])
    return replace(original, samples=samples, boxes=boxes)


def beside(
    coded: Iterable[tuple[str, Content]], found: Mapping[str, str | FormatError], places: Places
) -> Iterator[tuple[str, Content]]:
    """Yield what is coded, behind each original its copies, and at last the errors of those that have none."""
    copies = behind(found)
    for name, content in coded:
        yield name, content
        for copy in copies.get(name, ()):
            try:
                yield copy, with_own_boxes(content, *places[copy]) if isinstance(content, Picture) else content
            except (ImageError, FormatError) as error:  # metadata that fits no such picture
                yield copy, error
    yield from ((name, error) for name, error in found.items() if isinstance(error, FormatError))


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


def _original(block: Block, length: int, places: Places) -> str:
    checksum, name = block.payload[:CRC_BYTES], block.payload[CRC_BYTES:]
    if block.model != NO_MODEL or len(name) != length or zlib.crc32(name).to_bytes(CRC_BYTES, "little") != checksum:
        raise FormatError("the name of the picture that it equals fails its checksum; the file is damaged")
    try:
        original = name.decode()
    except UnicodeDecodeError:
        raise FormatError("the name of the picture that it equals is no text; the file is damaged") from None
    if original not in places or MODE_NAMES[places[original][0].mode] == COPY:
        raise FormatError("the picture that it equals is not there; the file is damaged")
    return original
