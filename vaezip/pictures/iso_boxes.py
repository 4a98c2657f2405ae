"""Walk the boxes of ISO files: JPEG 2000 and AVIF are made of them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from vaezip.pictures.picture import damage


class IsoBox(NamedTuple):
    """Name a box of an ISO file: its type, and where its content begins and ends."""

    type: bytes
    start: int
    end: int


def iso_boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[IsoBox]:
    """Yield the boxes between two places of a file."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, type = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1 and start + 16 <= end:
            (size,), head = struct.unpack_from(">Q", data, start + 8), 16
        size = size or end - start
        if size < head or start + size > end:
            raise damage(f"its box {type.decode('latin-1')!r} ends behind it")
        yield IsoBox(type, start + head, start + size)
        start += size


def find_box(data: bytes, path: tuple[bytes, ...], within: IsoBox | None = None) -> IsoBox | None:
    """Return the first box on a path of types, None where there is none."""
    start, end = (within.start, within.end) if within else (0, len(data))
    for box in iso_boxes(data, start, end):
        if box.type == path[0]:
            box = IsoBox(box.type, box.start + 4, box.end) if box.type == b"meta" else box
            return box if len(path) == 1 else find_box(data, path[1:], box)
    return None
