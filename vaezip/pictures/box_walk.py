"""Walk the boxes of JPEG 2000 and AVIF files as far as they are whole: damage ends a search for metadata early."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class WholeBox(NamedTuple):
    """Hold the kind of a box, where its content begins, and where it ends."""

    kind: bytes
    start: int
    end: int


def whole_boxes(data: bytes, start: int, end: int) -> Iterator[WholeBox]:
    """Yield the boxes between two places, up to the first that is none.

    A box takes eight bytes at least, so there are no more of them than an eighth of the bytes.
    """
    while start + 8 <= end:
        size, kind, content = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8], start + 8
        if size == 1:
            size, content = int.from_bytes(data[content : content + 8], "big"), content + 8
        elif size == 0:
            size = end - start
        stop = start + size
        if stop < content or stop > end:
            return
        yield WholeBox(kind, content, stop)
        start = stop
