"""Tell which pictures the directories of a TIFF hold, and what its tags say beside the samples of the first."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import TiffTags

from vaezip.errors import SeveralError
from vaezip.pictures.exif import PLAIN_TAGS, exif_of_tiff
from vaezip.pictures.findings import Findings
from vaezip.pictures.picture import SEVERAL
from vaezip.pictures.tiff.directory import SUBFILE, WIDTH
from vaezip.pictures.tiff.resolution import RESOLUTION_TAGS, resolution_tags
from vaezip.pictures.tiff.tags import (
    EXIF_POINTER,
    GPS_POINTER,
    ICC,
    LAYOUT_TAGS,
    SUBDIRECTORIES,
    XMP,
    Directory,
    TiffFile,
    open_tiff,
)

_SUBFILE_TYPE = 0x00FF

_KNOWN_TAGS = PLAIN_TAGS | LAYOUT_TAGS | {SUBDIRECTORIES, *RESOLUTION_TAGS, EXIF_POINTER, GPS_POINTER, XMP, ICC}


def look_into_tiff(data: bytes, found: Findings) -> None:
    """Find the metadata of the first picture of a TIFF, and name what is not kept.

    Raises:
        ImageError: the file holds several pictures.
    """
    tiff = open_tiff(data)
    first = tiff.directory(tiff.first) if tiff else None
    if tiff is None or first is None:
        return
    _look_at_others(tiff, list(_others(tiff, first)), found)
    for box, number in (("icc", ICC), ("xmp", XMP)):
        if number in first.tags:
            found.keep(box, bytes(first.tags[number].data))
    found.keep("exif", exif_of_tiff(tiff, first, found) or b"")
    resolution = resolution_tags(tiff, first)
    found.keep("resolution", (resolution.box() if resolution else None) or b"")
    if resolution is None and not first.tags.keys().isdisjoint(RESOLUTION_TAGS):
        found.drop("incomplete resolution")
    for number in sorted({*first.tags, *first.damaged} - _KNOWN_TAGS):
        found.drop(_name(number))
    pointers = {SUBDIRECTORIES, EXIF_POINTER, GPS_POINTER}
    for number in sorted(_KNOWN_TAGS.intersection(first.damaged) - LAYOUT_TAGS - pointers):
        found.drop(f"damaged {_name(number)}")


def _others(tiff: TiffFile, first: Directory) -> Iterator[Directory]:
    """Yield the directories behind the first one, and those below any, such as the levels of a pyramid."""
    waiting = [first]
    while waiting:  # each directory is met once: TiffFile sees to it
        directory = waiting.pop()
        below = list(tiff.below(directory, SUBDIRECTORIES))
        following = tiff.directory(directory.following)
        others = [*below, *([following] if following else [])]
        yield from others
        waiting.extend(others)


def _look_at_others(tiff: TiffFile, others: list[Directory], found: Findings) -> None:
    """Refuse a second picture of full size; name smaller versions of the first, thumbnails and masks."""
    roles = [role(tiff, other) for other in others]
    if "picture" in roles:
        raise SeveralError(SEVERAL)
    for name in roles:
        found.drop(name)


def role(tiff: TiffFile, directory: Directory) -> str:
    """Return what the picture of a directory is to others: ``picture`` if it stands for itself, at full size."""
    if WIDTH not in directory.tags:
        return "thumbnail"  # as cameras store it, a whole JPEG
    new, old = (directory.tags.get(number) for number in (SUBFILE, _SUBFILE_TYPE))
    bits = (new.integer(tiff.order) if new else None) or 0
    if bits & 4:
        return "transparency mask"
    is_reduced = bits & 1 or (old is not None and old.integer(tiff.order) == 2)
    return "reduced pictures" if is_reduced else "picture"


def _name(number: int) -> str:
    name = TiffTags.lookup(number).name
    return f"tag {number}" if name == "unknown" else name
