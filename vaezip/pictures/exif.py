"""Take from a TIFF the EXIF data that describe its picture, and change single tags of EXIF data.

The EXIF data of a TIFF are spread over the file, so they are put together anew, each value as it is. What holds
positions in the file would point nowhere then, and is named instead.
"""

from __future__ import annotations

import struct

from vaezip.pictures.findings import Findings
from vaezip.pictures.tiff_resolution import RESOLUTION_TAGS, resolution_tags
from vaezip.pictures.tiff_tags import (
    EXIF_POINTER,
    GPS_POINTER,
    INTEROPERABILITY_POINTER,
    SHORT,
    Directory,
    Tag,
    TiffFile,
    can_be_written,
    open_tiff,
    write_exif,
)

DESCRIPTION, ORIENTATION = 0x010E, 0x0112
# description, maker, model, orientation, software, date, artist, computer, copyright
PLAIN_TAGS = frozenset({DESCRIPTION, 0x010F, 0x0110, ORIENTATION, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298})

_MAKER_NOTE = 0x927C
# The notes of these makers count positions from their own beginning; those of others from that of the file.
_MOVABLE_NOTES = (b"Apple iOS\0", b"FUJIFILM", b"Nikon\0\2", b"OLYMPUS\0", b"OM SYSTEM\0", b"PENTAX \0")


def exif_of_tiff(tiff: TiffFile, first: Directory, found: Findings) -> bytes | None:
    """Return the EXIF data in a TIFF whose first directory is given, None where there are none.

    They hold the tags that describe the picture; the directories of EXIF, of the place (GPS) and of interoperability;
    and the resolution where the box of a picture alone would change it.
    """
    numbers = PLAIN_TAGS | set(RESOLUTION_TAGS if _needs_resolution_tags(tiff, first) else ())
    own = [tag for number, tag in first.tags.items() if number in numbers and can_be_written(tag)]
    below = directories_below(tiff, first, found)
    return write_exif(tiff.order, own, below) if own or below else None


def directories_below(tiff: TiffFile, first: Directory, found: Findings) -> dict[int, list[Tag]]:
    """Return the tags of the directories of EXIF, of the place and of interoperability, and name damaged ones."""
    below: dict[int, list[Tag]] = {}
    for name, pointer in (("EXIF", EXIF_POINTER), ("GPS", GPS_POINTER)):
        directory = next(tiff.below(first, pointer), None)
        if directory is None:
            if pointer in first.tags or pointer in first.damaged:
                found.drop(f"damaged {name}")
            continue
        below[pointer] = _written(directory, found)
        inner = next(tiff.below(directory, INTEROPERABILITY_POINTER), None) if pointer == EXIF_POINTER else None
        if inner is not None:
            below[INTEROPERABILITY_POINTER] = _written(inner, found)
    if sum(len(tag.data) for tags in below.values() for tag in tags) > tiff.size:
        found.drop("damaged EXIF")  # only overlapping values take more bytes than the file
        return {}
    return below


def _written(directory: Directory, found: Findings) -> list[Tag]:
    """Return the tags of a directory that mean the same in another file, and name the others."""
    for number in directory.damaged:
        found.drop(f"damaged EXIF tag {number}")
    unfit = {INTEROPERABILITY_POINTER}  # written anew
    if _is_bound_note(directory.tags.get(_MAKER_NOTE)):
        found.drop("MakerNote, which holds absolute positions")
        unfit.add(_MAKER_NOTE)
    return [tag for number, tag in directory.tags.items() if number not in unfit and can_be_written(tag)]


def _is_bound_note(tag: Tag | None) -> bool:
    """Tell whether a note of the maker of the camera holds positions in the file."""
    return tag is not None and not bytes(tag.data[:12]).startswith(_MOVABLE_NOTES)


def _needs_resolution_tags(tiff: TiffFile, first: Directory) -> bool:
    """Tell whether a box does not hold the resolution as it is, or the description counts on the tags, as ImageJ's."""
    resolution, description = resolution_tags(tiff, first), first.tags.get(DESCRIPTION)
    if resolution is None:
        return False
    if not resolution.is_exact_in_box or resolution.box() is None:
        return True
    return description is not None and bytes(description.data[:7]) == b"ImageJ="


def orientation_of(exif: bytes) -> int:
    """Return the orientation that EXIF data ask for, 1 where they ask for none."""
    tiff = open_tiff(exif)
    first = tiff.directory(tiff.first) if tiff else None
    tag = first.tags.get(ORIENTATION) if first else None
    return (tag.integer(tiff.order) if tiff and tag else None) or 1


def with_orientation(exif: bytes, orientation: int) -> bytes:
    """Return EXIF data with another orientation, and all else at its place, which maker's notes count on.

    A tag that is there gets the new value; else the first directory stands anew behind all else.
    """
    tiff = open_tiff(exif)
    first = tiff.directory(tiff.first) if tiff else None
    if tiff is None or first is None:
        return exif
    start = tiff.first + 2
    (count,) = struct.unpack_from(tiff.order + "H", exif, start - 2)
    end = start + 12 * count
    if tiff.big or end + 4 > len(exif):
        return exif
    entries = [exif[place : place + 12] for place in range(start, end, 12)]
    numbers = [struct.unpack(tiff.order + "H", entry[:2])[0] for entry in entries]
    fresh = struct.pack(tiff.order + "HHIHH", ORIENTATION, SHORT, 1, orientation, 0)
    if ORIENTATION in numbers:
        entries[numbers.index(ORIENTATION)] = fresh
        return exif[:start] + b"".join(entries) + exif[end:]
    entries.insert(sum(number < ORIENTATION for number in numbers), fresh)
    behind = exif + bytes(len(exif) % 2)
    directory = struct.pack(tiff.order + "H", count + 1) + b"".join(entries) + exif[end : end + 4]
    return exif[:4] + struct.pack(tiff.order + "I", len(behind)) + behind[8:] + directory
