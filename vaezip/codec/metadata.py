"""Name the boxes of a picture and number them; the palette of an inline file may be coded by the coder of drawings."""

from __future__ import annotations

import zlib
from typing import Any

from numpy.typing import NDArray

from vaezip.codec import counted
from vaezip.codec.coders import packed_palette, unpacked_palette
from vaezip.pictures.picture import BOXES, Box
from vaezip.vz.records import Box as Stored

CODED_PALETTE, COUNTED_PALETTE = 254, 253
"""The tags of boxes that stand in the place of a palette, which is the first box: of one that is coded, and of one that
is coded by brightness, but stands by how many pixels have each colour."""

_IN_ITS_PLACE = CODED_PALETTE, COUNTED_PALETTE

_PALETTE = BOXES.index("palette")

Samples = NDArray[Any]


def is_known(boxes: tuple[Stored, ...]) -> bool:
    """Tell whether all tags have names."""
    return all(tag < len(BOXES) or (tag in _IN_ITS_PLACE and not place) for place, (tag, _) in enumerate(boxes))


def names(boxes: tuple[Stored, ...]) -> list[str]:
    """Return the names of boxes."""
    return [BOXES[_PALETTE if tag in _IN_ITS_PLACE else tag] for tag, _ in boxes]


def numbered(boxes: tuple[Box, ...]) -> tuple[Stored, ...]:
    """Return boxes with their tags."""
    return tuple((BOXES.index(name), content) for name, content in boxes)


def named(boxes: tuple[Stored, ...]) -> tuple[Box, ...]:
    """Invert :func:`numbered`, and :func:`shortened`. A counted palette is that of the indices as they are coded.

    Raises:
        FormatError: a palette is damaged.
    """
    contents = (unpacked_palette(content) if tag in _IN_ITS_PLACE else content for tag, content in boxes)
    return tuple(zip(names(boxes), contents))


def shortened(boxes: tuple[Stored, ...]) -> tuple[Stored, ...]:
    """Code a palette, where that takes fewer bytes than it does as it is, and deflated."""
    if not _has_palette(boxes):
        return boxes
    coded, plain = packed_palette(boxes[0][1]), boxes[0][1]
    return ((CODED_PALETTE, coded), *boxes[1:]) if len(coded) < _bytes_of(plain) else boxes


def by_brightness(indices: Samples, boxes: tuple[Stored, ...]) -> tuple[Samples, tuple[Stored, ...]]:
    """Return indices and boxes as if the colours of the palette stood by brightness, where pixels tell in which order
    they are and that takes fewer bytes; else the indices, and boxes as :func:`shortened` leaves them."""
    short = shortened(boxes)
    found = counted.by_brightness(indices, boxes[0][1]) if _has_palette(boxes) else None
    if found is None or len(found[1]) >= min(len(short[0][1]), _bytes_of(boxes[0][1])):
        return indices, short
    return found[0], ((COUNTED_PALETTE, found[1]), *boxes[1:])


def is_counted(boxes: tuple[Stored, ...]) -> bool:
    """Tell whether pixels alone tell in which order the colours of the palette are."""
    return bool(boxes) and boxes[0][0] == COUNTED_PALETTE


def restored(samples: Samples, boxes: tuple[Stored, ...]) -> tuple[Samples, tuple[Box, ...]]:
    """Invert :func:`by_brightness` and :func:`numbered`; samples that are no indices have no such palette.

    Raises:
        FormatError: a palette is damaged.
    """
    if not is_counted(boxes):
        return samples, named(boxes)
    indices, palette = counted.restored(samples, boxes[0][1])
    return indices, named(((_PALETTE, palette), *boxes[1:]))


def _has_palette(boxes: tuple[Stored, ...]) -> bool:
    return bool(boxes) and boxes[0][0] == _PALETTE


def _bytes_of(plain: bytes) -> int:
    """Return what a box takes as it is or deflated, whichever is less."""
    return min(len(plain), len(zlib.compress(plain, 9)))
