"""Read the directories of a TIFF, or of EXIF data, which have the same form, and write small ones.

A hostile file may chain its directories in a circle, let them overlap, or point a thousand tags at the same bytes.
So a walk visits no place twice, all its directories together have no more entries and pointers than the file has room
for, and the values are views of the file, which cost nothing until they are kept.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""How many bytes one value of each type takes."""

BYTE, SHORT, LONG, RATIONAL, UNDEFINED = 1, 3, 4, 5, 7
UNSIGNED = frozenset({BYTE, SHORT, LONG, 13, 16, 18})
"""The types of integers without a sign."""

_LETTERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_NUMBER_BYTES = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4}
_NEWEST_OF_TIFF = 13  # the types behind it are of BigTIFF alone


class Tag(NamedTuple):
    """One entry of a directory: its number, the type and number of its values, and their bytes."""

    number: int
    type: int
    length: int
    data: memoryview | bytes

    def integers(self, order: str) -> tuple[int, ...]:
        """Return the values as integers, none where they are of another type; ``order`` is ``<`` or ``>``."""
        letter = _LETTERS.get(self.type)
        return struct.unpack(f"{order}{self.length}{letter}", self.data) if letter else ()

    def integer(self, order: str) -> int | None:
        """Return the one value as an integer, None where it is of another type, or one of several."""
        return next(iter(self.integers(order)), None) if self.length == 1 else None

    def beginning(self) -> Tag:
        """Return the tag with no more than the first of its values."""
        return self._replace(length=min(1, self.length), data=self.data[: SIZES[self.type]])

    def fraction(self, order: str) -> Fraction | None:
        """Return the one value as a fraction, None where it is none, or infinite."""
        if self.length != 1:
            return None
        if self.type == RATIONAL:
            above, below = struct.unpack(f"{order}II", self.data)
            return Fraction(above, below) if below else None
        value = self.integer(order)
        return None if value is None else Fraction(value)


class Directory(NamedTuple):
    """Hold the entries of one directory by number, the first of each.

    Attributes:
        tags: the entries whose values are in the file.
        damaged: the numbers of the others.
        following: where the next directory begins.
        start: where the entries begin.
        end: where they end, which is behind the file if that was cut.
    """

    tags: dict[int, Tag]
    damaged: tuple[int, ...]
    following: int
    start: int
    end: int


class TiffFile:
    """Read directories from the bytes of a TIFF or of EXIF data.

    Attributes:
        order: ``<`` or ``>``, as :mod:`struct` names the order of bytes.
        big: whether it is a BigTIFF.
        size: how many bytes there are.
        first: where the first directory begins.
    """

    def __init__(self, data: bytes | bytearray, order: str, big: bool) -> None:
        self.order, self.size = order, len(data)
        self._data = memoryview(data)
        self.big = big
        self._visited: set[int] = set()
        self._room = len(data) // 12 + 1  # entries, which take 12 bytes at least
        self.first = self._number("Q" if big else "I", 8 if big else 4) or 0

    def _number(self, letter: str, place: int) -> int | None:
        size = struct.calcsize(letter)
        if place < 0 or place + size > len(self._data):
            return None
        return int(struct.unpack_from(self.order + letter, self._data, place)[0])

    def directory(self, place: int) -> Directory | None:
        """Return the directory at a place; None outside the file, on a second visit, and where there is no room."""
        count = self._number("Q" if self.big else "H", place)
        if place < 8 or place in self._visited or count is None or count > self._room:
            return None
        self._visited.add(place)
        self._room -= count
        start, size = (place + 8, 20) if self.big else (place + 2, 12)
        tags: dict[int, Tag] = {}
        damaged = []
        end = start + count * size
        for entry in range(start, end, size):
            if entry + size > len(self._data):
                break
            tag = self._tag(entry)
            if isinstance(tag, Tag):
                tags.setdefault(tag.number, tag)
            else:
                damaged.append(tag)
        following = self._number("Q" if self.big else "I", end)
        return Directory(tags, tuple(damaged), following or 0, start, end)

    def _tag(self, entry: int) -> Tag | int:
        """Return the tag of an entry, or only its number where its values are outside of the file."""
        number, type = struct.unpack_from(self.order + "HH", self._data, entry)
        count = self._number("Q" if self.big else "I", entry + 4) or 0
        size, inline = SIZES.get(type, 0) * count, 8 if self.big else 4
        place = entry + 4 + inline
        if size > inline:
            place = self._number("Q" if self.big else "I", place) or len(self._data)
        if type not in SIZES or place + size > len(self._data):
            return int(number)
        return Tag(number, type, count, self._data[place : place + size])

    def below(self, directory: Directory, number: int) -> Iterator[Directory]:
        """Yield the directories that a tag of another one points at."""
        tag = directory.tags.get(number)
        if tag is None or tag.length > self._room:
            return
        self._room -= tag.length
        for place in tag.integers(self.order):
            found = self.directory(place)
            if found is not None:
                yield found


def open_tiff(data: bytes | bytearray) -> TiffFile | None:
    """Open the bytes of a TIFF, a BigTIFF or EXIF data; None where they begin as none of these."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    if order is None or len(data) < 8:
        return None
    version = struct.unpack_from(order + "H", data, 2)[0]
    return TiffFile(data, order, version == 43) if version in (42, 43) else None


def can_be_written(tag: Tag) -> bool:
    """Tell whether :func:`write_directories` takes a tag: its type is not of BigTIFF alone."""
    return tag.type <= _NEWEST_OF_TIFF


EXIF_POINTER, GPS_POINTER, INTEROPERABILITY_POINTER = 0x8769, 0x8825, 0xA005
"""The tags that point at directories: the first two stand in the first directory, the third in that of EXIF."""

SUBDIRECTORIES = 0x014A
"""The tag that points at directories of what serves the picture of this one, such as smaller versions."""

XMP, ICC = 0x02BC, 0x8773
"""The tags that hold an XMP packet and a profile whole."""

LAYOUT_TAGS = frozenset({*range(0xFE, 0x10D), *range(0x111, 0x11A), 0x11C, 0x120, 0x121, 0x124, 0x125, 0x13D, 0x140})
LAYOUT_TAGS -= {0x112}  # the orientation
LAYOUT_TAGS |= {*range(0x142, 0x149), 0x14C, 0x152, 0x153, 0x15B, *range(0x200, 0x20A), *range(0x211, 0x215), 0xC5F2}
"""The tags that tell the palette, and how the samples are stored."""


def write_exif(order: str, first: list[Tag], below: dict[int, list[Tag]]) -> bytes:
    """Return EXIF data: a header, and directories as :func:`write_directories` takes them."""
    mark = {"<": b"II", ">": b"MM"}[order]
    return mark + struct.pack(order + "HI", 42, 8) + write_directories(order, first, below)


def write_directories(
    order: str, first: list[Tag], below: dict[int, list[Tag]], *, place: int = 8, following: int = 0
) -> bytes:
    """Return the bytes of a directory and of those below it.

    Args:
        order: ``<`` or ``>``.
        first: the tags of the first directory, without pointers.
        below: the tags of others, each by the number of the tag that points at it.
        place: where in the file the bytes will stand.
        following: where the directory stands that the first one points on to, 0 for none.
    """
    exif = list(below.get(EXIF_POINTER, ()))
    if INTEROPERABILITY_POINTER in below:
        exif.append(Tag(INTEROPERABILITY_POINTER, LONG, 1, b""))
    pointers = [Tag(number, LONG, 1, b"") for number in (EXIF_POINTER, GPS_POINTER) if number in below]
    directories = {0: [*first, *pointers], **below} | ({EXIF_POINTER: exif} if EXIF_POINTER in below else {})
    places = {}
    for number, tags in directories.items():
        places[number] = place
        place += _directory_size(tags)
    parts = []
    for number, tags in directories.items():
        pointed = [_filled(tag, order, places) for tag in tags]
        behind = 0 if number else following
        parts.append(_directory_bytes(order, sorted(pointed, key=lambda tag: tag.number), places[number], behind))
    return b"".join(parts)


def in_order(tag: Tag, before: str, after: str) -> Tag:
    """Return a tag with the bytes of each number in another order."""
    size = _NUMBER_BYTES.get(tag.type, 1)
    if before == after or size == 1:
        return tag
    data = bytes(tag.data)
    return tag._replace(data=b"".join(data[at : at + size][::-1] for at in range(0, len(data), size)))


def _filled(tag: Tag, order: str, places: dict[int, int]) -> Tag:
    """Return a tag with the place of the directory that it points at, if it is a pointer, which came empty."""
    is_pointer = tag.number in places and not tag.data
    return tag._replace(data=struct.pack(order + "I", places[tag.number])) if is_pointer else tag


def _directory_size(tags: list[Tag]) -> int:
    values = (len(tag.data) + len(tag.data) % 2 for tag in tags if len(tag.data) > 4)
    return 2 + 12 * len(tags) + 4 + sum(values)


def _directory_bytes(order: str, tags: list[Tag], place: int, following: int) -> bytes:
    """Return the bytes of a directory that begins at a place and points on to another, with its values behind it."""
    entries = [struct.pack(order + "H", len(tags))]
    values: list[bytes] = []
    behind = place + 2 + 12 * len(tags) + 4
    for tag in tags:
        value = bytes(tag.data)
        if len(value) > 4:
            value += bytes(len(value) % 2)
            values.append(value)
            value, behind = struct.pack(order + "I", behind), behind + len(value)
        entries.append(struct.pack(order + "HHI4s", tag.number, tag.type, tag.length, value))
    return b"".join([*entries, struct.pack(order + "I", following), *values])
