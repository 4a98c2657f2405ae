"""Walk the segments of a JPEG to the end of its picture."""

from __future__ import annotations

import re
from typing import NamedTuple

EOI, COM = 0xD9, 0xFE
APP = range(0xE0, 0xF0)
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_MARKER = re.compile(rb"\xff([^\x00\xff])")


class Segment(NamedTuple):
    """Hold application data or a comment: the marker, the bytes behind their length, and the place of these."""

    marker: int
    data: memoryview
    place: int


class Jpeg(NamedTuple):
    """Hold what one JPEG has beside its samples, and where it ends, which is None where it has no end."""

    segments: list[Segment]
    end: int | None


def walk_jpeg(data: bytes, start: int = 0) -> Jpeg:
    """Walk a JPEG from its first marker to its end.

    Between two segments, and in the scans, the next marker is searched for, so that damage does not hide the end.
    Each step begins where the one before ended, so the work is one pass over the bytes.
    """
    view = memoryview(data)
    segments: list[Segment] = []
    place = start + 2
    while (match := _MARKER.search(data, place)) is not None:
        marker, place = match.group(1)[0], match.end()
        if marker == EOI:
            return Jpeg(segments, place)
        if marker in _ALONE:
            continue
        end = place + int.from_bytes(data[place : place + 2], "big")
        if end < place + 2 or end > len(data):
            continue
        if marker in APP or marker == COM:
            segments.append(Segment(marker, view[place + 2 : end], place + 2))
        place = end
    return Jpeg(segments, None)
