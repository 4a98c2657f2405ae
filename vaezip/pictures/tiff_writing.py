"""Put the metadata of a picture into a TIFF, each value as it is, and hide those of a TIFF from its decoder.

An encoder would round or change some values, and a decoder may fail at metadata, or turn the picture as they say.
"""

from __future__ import annotations

import struct

from vaezip.pictures.exif import PLAIN_TAGS, directories_below
from vaezip.pictures.findings import Findings
from vaezip.pictures.picture import Picture
from vaezip.pictures.tiff_resolution import RESOLUTION_TAGS, exif_resolution, written_resolution
from vaezip.pictures.tiff_tags import (
    BYTE,
    EXIF_POINTER,
    GPS_POINTER,
    ICC,
    LAYOUT_TAGS,
    UNDEFINED,
    XMP,
    Tag,
    can_be_written,
    in_order,
    open_tiff,
    write_directories,
)


def with_metadata(data: bytes, picture: Picture) -> bytes:
    """Return a TIFF with the metadata of a picture: its directory, with more tags, stands anew behind all else."""
    tiff = open_tiff(data)
    first = tiff.directory(tiff.first) if tiff else None
    assert tiff is not None
    assert first is not None
    own, below = _exif_tags(picture, tiff.order)
    resolution = written_resolution(picture)
    more = [*own, *(resolution.tags(tiff.order) if resolution else ()), *_whole_boxes(picture)]
    if not more and not below:
        return data
    tags = first.tags | {tag.number: tag for tag in more}
    data += bytes(len(data) % 2)
    directories = write_directories(tiff.order, list(tags.values()), below, place=len(data))
    return data[:4] + struct.pack(tiff.order + "I", len(data)) + data[8:] + directories


def without_metadata(data: bytes) -> bytes:
    """Return a TIFF whose directory tells nothing but how its picture is stored; other files as they are.

    The directory stays at its place with fewer entries, so that no byte moves, and a file that was cut stays so.
    """
    tiff = open_tiff(data)
    if tiff is None or tiff.directory(tiff.first) is None:
        return data
    letter, size, pointer = ("Q", 20, 8) if tiff.big else ("H", 12, 4)
    start = tiff.first + struct.calcsize(letter)
    (count,) = struct.unpack_from(tiff.order + letter, data, tiff.first)
    end = start + size * count
    if end + pointer > len(data):
        return data
    entries = [data[place : place + size] for place in range(start, end, size)]
    kept = [entry for entry in entries if struct.unpack(tiff.order + "H", entry[:2])[0] in LAYOUT_TAGS]
    directory = b"".join([struct.pack(tiff.order + letter, len(kept)), *kept, bytes(pointer)])
    return data[: tiff.first] + directory + data[tiff.first + len(directory) :]


def keeps_exif(picture: Picture) -> bool:
    """Tell whether a TIFF gets all of the EXIF data of a picture."""
    exif = picture.box("exif") or b""
    tiff = open_tiff(exif)
    first = tiff.directory(tiff.first) if tiff else None
    if tiff is None or first is None or first.following or first.damaged:
        return False
    numbers = set(first.tags) - PLAIN_TAGS - {EXIF_POINTER, GPS_POINTER}
    exact = exif_resolution(exif)
    if exact is not None and written_resolution(picture) == exact:
        numbers -= set(RESOLUTION_TAGS)
    found = Findings()
    directories_below(tiff, first, found)
    return not numbers and not found.dropped


def _exif_tags(picture: Picture, order: str) -> tuple[list[Tag], dict[int, list[Tag]]]:
    """Return the tags of the EXIF data that describe the picture, and those of the directories below, in an order."""
    tiff = open_tiff(picture.box("exif") or b"")
    first = tiff.directory(tiff.first) if tiff else None
    if tiff is None or first is None:
        return [], {}
    own = [tag for number, tag in first.tags.items() if number in PLAIN_TAGS and can_be_written(tag)]
    below = directories_below(tiff, first, Findings())
    swapped = {name: [in_order(tag, tiff.order, order) for tag in tags] for name, tags in below.items()}
    return [in_order(tag, tiff.order, order) for tag in own], swapped


def _whole_boxes(picture: Picture) -> list[Tag]:
    boxes = ((XMP, BYTE, picture.box("xmp")), (ICC, UNDEFINED, picture.box("icc")))
    return [Tag(number, type, len(data), data) for number, type, data in boxes if data]
