"""Name the boxes of a picture and number them; the palette of an inline file may be coded by the coder of drawings."""

from __future__ import annotations

import zlib

from vaezip.codec.coders import packed_palette, unpacked_palette
from vaezip.pictures.picture import BOXES, Box
from vaezip.vz.records import Box as Stored

CODED_PALETTE = 254
"""The tag of a box that stands in the place of a palette, which is the first box."""

_PALETTE = BOXES.index("palette")


def is_known(boxes: tuple[Stored, ...]) -> bool:
    """Tell whether all tags have names."""
    return all(tag < len(BOXES) or (tag == CODED_PALETTE and not place) for place, (tag, _) in enumerate(boxes))


def names(boxes: tuple[Stored, ...]) -> list[str]:
    """Return the names of boxes."""
    return [BOXES[_PALETTE if tag == CODED_PALETTE else tag] for tag, _ in boxes]


def numbered(boxes: tuple[Box, ...]) -> tuple[Stored, ...]:
    """Return boxes with their tags."""
    return tuple((BOXES.index(name), content) for name, content in boxes)


def named(boxes: tuple[Stored, ...]) -> tuple[Box, ...]:
    """Invert :func:`numbered`, and :func:`shortened`.

    Raises:
        FormatError: a palette is damaged.
    """
    contents = (unpacked_palette(content) if tag == CODED_PALETTE else content for tag, content in boxes)
    return tuple(zip(names(boxes), contents))


def shortened(boxes: tuple[Stored, ...]) -> tuple[Stored, ...]:
    """Code a palette, where that takes fewer bytes than it does as it is, and deflated."""
    if not boxes or boxes[0][0] != _PALETTE:
        return boxes
    coded, plain = packed_palette(boxes[0][1]), boxes[0][1]
    return ((CODED_PALETTE, coded), *boxes[1:]) if len(coded) < min(len(plain), len(zlib.compress(plain, 9))) else boxes
