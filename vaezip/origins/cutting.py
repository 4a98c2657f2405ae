"""The encoder's search for photographs within drawn pictures: rectangles of pixels that no neighbour foretells.

A pixel of a drawing nearly always equals one beside or above it, and one of a photograph seldom does. Cells of the
picture in which most do not are photographic. Rectangles around them are cut where that leaves out most cells that are
drawn, and their edges are then moved to the rows and columns where the photographs begin.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from vaezip.models.graphic import looks
from vaezip.models.graphic.model import Pixels
from vaezip.models.graphic.palettes import different, packed
from vaezip.origins.pieces import MODES, MOST, Pieces, Rectangle

Samples = NDArray[Any]
Mask = NDArray[np.bool_]

_CELL = 16
_NEW, _OF_NEW = 2, 5
"""The share of new pixels from which on a cell is photographic: of text it is 0.37 at most, in photographs mostly 0.9,
and less where these are smooth."""

_STEP, _ASIDE, _MANY = 4, 3, 5
"""One row of so many tells first whether so many of some cells, so many down and across, are photographic: in every
rectangle that is cut they are, and seldom where text is."""

_LEAST_SIDE, _LEAST_AREA = 32, 1 << 12
_LEAST_CUT = 12
"""Cells that a cut must leave out."""

_LEAST_LEFT, _MOST_NEW = 64, 10
"""One pixel of so many must be left, and one of so many of these may be new: of drawings there are fewer; of
photographs that are smooth or dark in places, more."""

_FEW_COLOURS, _MOST_ALIKE, _LOOKED_AT = 64, 6, 1 << 14
"""A photograph has more colours. Of pixels that are looked at, one of so many must differ from all others, together
with those beside and above it: of patterns and of scanned lines it is one of seven at most, of photographs mostly every
other one."""

_MULTIPLIERS = tuple(np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64))


class Box(NamedTuple):
    """Rows and columns of cells."""

    top: int
    bottom: int
    left: int
    right: int


class Cut(NamedTuple):
    """The rectangles, and the parts: the picture without them, and each of them."""

    origin: Pieces
    parts: list[Samples]


def rectangles_of(samples: Samples, mode: str) -> tuple[Rectangle, ...]:
    """Return the rectangles of a drawn picture that hold photographs, from the largest on; none of other pictures."""
    return tuple(_rectangles(samples[0])) if mode in MODES and len(samples) == 1 else ()


def find(samples: Samples, mode: str, rectangles: tuple[Rectangle, ...]) -> Cut:
    """Return what a picture, (1, height, width, channels), with such rectangles is made of, and its parts."""
    picture = samples[0]
    whole = picture.copy()
    for one in rectangles:
        whole[one.place] = _around(picture, one)
    pieces = [np.ascontiguousarray(picture[one.place])[None] for one in rectangles]
    return Cut(Pieces(mode, rectangles), [whole[None], *pieces])


def _rectangles(picture: Samples) -> list[Rectangle]:
    """Return the rectangles of a picture (height, width, channels) that hold photographs, from the largest on; none
    where not all else is drawn."""
    height, width, _ = picture.shape
    if min(height, width) < _LEAST_SIDE or not _may_have_photographs(picture):
        return []
    pixels = packed(picture)
    new = _new(pixels)
    found = []
    for box in _boxes(_photographic(new)):
        one = _settled(new, box)
        if min(one.height, one.width) >= _LEAST_SIDE and one.area >= _LEAST_AREA and _varies(pixels[one.place]):
            new[one.place] = False
            found.append(one)
    left = height * width - sum(one.area for one in found)
    is_drawn = left * _LEAST_LEFT >= height * width and _MOST_NEW * np.count_nonzero(new) <= left
    return sorted(found, key=lambda one: -one.area) if is_drawn and len(found) <= MOST else []


def _may_have_photographs(picture: Samples) -> bool:
    """Tell whether most of some neighbouring cells of a picture (height, width, channels) are photographic: by all
    rows, unless some of these tell that hardly any are, or all."""
    most = _most_neighbours(picture, _STEP)
    return most == _ASIDE**2 or (most >= _MANY and _most_neighbours(picture, 1) >= _MANY)


def _most_neighbours(picture: Samples, step: int) -> int:
    """Return how many of some neighbouring cells are photographic by one of so many rows, where most are."""
    height, width, _ = picture.shape
    counts = np.zeros((-(-height // _CELL), -(-width // _CELL)), np.int64)
    looks.count_new(np.ascontiguousarray(picture), step, _CELL, counts)
    rows = np.bincount(np.arange(step // 2, height, step) // _CELL, minlength=len(counts))
    columns = np.diff(np.arange(0, width, _CELL), append=width)
    cells = _OF_NEW * counts >= _NEW * np.maximum(rows, 1)[:, None] * columns
    if np.count_nonzero(cells) < _MANY:
        return 0
    around = sliding_window_view(np.pad(cells, _ASIDE - 1), (_ASIDE, _ASIDE))
    return int(around.sum(axis=(2, 3)).max())


def _varies(pixels: Pixels) -> bool:
    """Tell by the first rows of a rectangle whether pixels vary as those of photographs do: in many colours, of which
    one tells little of the next, neither from left to right nor from above, unlike in patterns."""
    some = pixels[: max(2, _LOOKED_AT // pixels.shape[1])].astype(np.uint64)
    here, left, above = some[1:, 1:], some[1:, :-1], some[:-1, 1:]
    three = here * _MULTIPLIERS[0] ^ left * _MULTIPLIERS[1] ^ above * _MULTIPLIERS[2]
    return len(different(some)) > _FEW_COLOURS and _MOST_ALIKE * len(different(three)) >= three.size


def _new(pixels: Pixels) -> Mask:
    """Return which pixels equal none of the four that stand beside and above them; those at the border do as those
    next to them."""
    here, above = pixels[1:, 1:-1], pixels[:-1]
    new = (here != pixels[1:, :-2]) & (here != above[:, 1:-1]) & (here != above[:, :-2]) & (here != above[:, 2:])
    return np.pad(new, ((1, 0), (1, 1)), mode="edge")


def _photographic(new: Mask) -> Mask:
    """Return which cells have many new pixels."""
    down, across = (np.arange(0, size, _CELL) for size in new.shape)
    counts = np.add.reduceat(np.add.reduceat(new, down, axis=0, dtype=np.int32), across, axis=1)
    high, wide = (np.diff(starts, append=size) for starts, size in zip((down, across), new.shape))
    return _OF_NEW * counts >= _NEW * high[:, None] * wide


def _boxes(cells: Mask) -> Iterator[Box]:
    """Yield boxes of cells around those that are photographic, with few others in them."""
    left = [Box(0, cells.shape[0], 0, cells.shape[1])]
    while left:
        box = _trimmed(cells, left.pop())
        if box is not None:
            parts = _cut(cells, box)
            left.extend(parts)
            if not parts:
                yield box


def _trimmed(cells: Mask, box: Box) -> Box | None:
    """Return the least box around the photographic cells of one, if there are any."""
    some = cells[box.top : box.bottom, box.left : box.right]
    rows, columns = np.flatnonzero(some.any(axis=1)), np.flatnonzero(some.any(axis=0))
    if not rows.size:
        return None
    (top, bottom), (left, right) = rows[[0, -1]].tolist(), columns[[0, -1]].tolist()
    return Box(box.top + top, box.top + bottom + 1, box.left + left, box.left + right + 1)


def _cut(cells: Mask, box: Box) -> list[Box]:
    """Return the two parts of a box, cut where the boxes around photographic cells have the fewest cells; none where
    they have nearly as many as it has."""
    some = cells[box.top : box.bottom, box.left : box.right]
    rows, columns = _sizes_of_parts(some), _sizes_of_parts(some.T)
    if min(rows.min(initial=some.size), columns.min(initial=some.size)) > some.size - _LEAST_CUT:
        return []
    if rows.min(initial=some.size) <= columns.min(initial=some.size):
        at = box.top + 1 + int(np.argmin(rows))
        return [box._replace(bottom=at), box._replace(top=at)]
    at = box.left + 1 + int(np.argmin(columns))
    return [box._replace(right=at), box._replace(left=at)]


def _sizes_of_parts(cells: Mask) -> NDArray[np.int64]:
    """Return how many cells the boxes around the photographic ones have, above and below a cut behind each row."""
    return _sizes_above(cells)[:-1] + _sizes_above(cells[::-1])[::-1][1:]


def _sizes_above(cells: Mask) -> NDArray[np.int64]:
    """Return how many cells the box around the photographic ones has down to each row, of which the first has one."""
    some, wide = cells.any(axis=1), cells.shape[1]
    first = np.minimum.accumulate(np.where(some, np.argmax(cells, axis=1), wide))
    last = np.maximum.accumulate(np.where(some, wide - np.argmax(cells[:, ::-1], axis=1), 0))
    return np.maximum.accumulate(np.where(some, np.arange(1, len(cells) + 1), 0)) * (last - first)


def _settled(new: Mask, box: Box) -> Rectangle:
    """Return the rectangle of a box of cells, whose edges are moved to where new pixels begin."""
    height, width = new.shape
    top, bottom = box.top * _CELL, min(box.bottom * _CELL, height)
    left, right = box.left * _CELL, min(box.right * _CELL, width)
    across, down = slice(left, right), slice(top, bottom)
    top, bottom = _begin(new[:, across], top), height - _begin(new[::-1, across], height - bottom)
    left, right = _begin(new[down].T, left), width - _begin(new[down, ::-1].T, width - right)
    return Rectangle(top, left, bottom - top, right - left)


def _begin(new: Mask, start: int) -> int:
    """Return the row near to one at which photographic rows begin."""
    first = max(start - _CELL, 0)
    counts = _OF_NEW * np.count_nonzero(new[first : start + _CELL], axis=1) - _NEW * new.shape[1]
    return first + int(np.argmax(np.cumsum(counts[::-1])[::-1]))


def _around(picture: Samples, one: Rectangle) -> Samples:
    """Return the pixel that occurs most around a rectangle."""
    top, left = max(one.top - 1, 0), max(one.left - 1, 0)
    around = picture[top : one.top + one.height + 1, left : one.left + one.width + 1]
    is_beside = np.ones(around.shape[:2], np.bool_)
    is_beside[one.top - top :, one.left - left :][: one.height, : one.width] = False
    beside = around[is_beside]
    _, places, counts = np.unique(packed(beside), return_index=True, return_counts=True)
    return beside[places[np.argmax(counts)]]
