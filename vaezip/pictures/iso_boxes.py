"""Walk the boxes of ISO files: JPEG 2000 and AVIF are made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vaezip.pictures.picture import damage


class IsoBox(NamedTuple):
    """Name a box of an ISO file: its type, and where its content begins and ends."""

    type: bytes
    start: int
    end: int


def iso_boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[IsoBox]:
    """Yield the boxes between two places of a file.

    A box takes eight bytes at least, so there are no more of them than an eighth of the bytes.

    Raises:
        ImageError: a box ends behind the second place.
    """
    end = len(data) if end is None else end
    while start + 8 <= end:
        box = _box(data, start, end)
        if box is None:
            raise damage(f"its box {data[start + 4 : start + 8].decode('latin-1')!r} ends behind it")
        yield box
        start = box.end


def whole_boxes(data: bytes, start: int, end: int) -> Iterator[IsoBox]:
    """Yield the boxes between two places up to the first that is damaged, which ends a search for metadata early."""
    while start + 8 <= end and (box := _box(data, start, end)) is not None:
        yield box
        start = box.end


def _box(data: bytes, start: int, end: int) -> IsoBox | None:
    """Return the box that begins at a place, None where it ends behind another place."""
    size, content = int.from_bytes(data[start : start + 4], "big"), start + 8
    if size == 1:
        size, content = int.from_bytes(data[content : content + 8], "big"), content + 8
    stop = start + size if size else end
    return IsoBox(data[start + 4 : start + 8], content, stop) if content <= stop <= end else None


def find_box(data: bytes, path: tuple[bytes, ...], within: IsoBox | None = None) -> IsoBox | None:
    """Return the first box on a path of types, None where there is none."""
    start, end = (within.start, within.end) if within else (0, len(data))
    for box in iso_boxes(data, start, end):
        if box.type == path[0]:
            box = IsoBox(box.type, box.start + 4, box.end) if box.type == b"meta" else box
            return box if len(path) == 1 else find_box(data, path[1:], box)
    return None
