"""Join pictures side by side in one, a contact sheet, for codecs that know no sets."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaezip.pictures.picture import MODES, Picture

MAX_SIDE = 16383
"""Of WebP."""

MAX_PIXELS = 1 << 26


@dataclass(frozen=True)
class Layout:
    """Say which pictures stand on a sheet, row by row.

    Attributes:
        places: of the pictures in the set.
        columns: pictures a row; the last row may be short, and is filled up with zeros.
    """

    places: tuple[int, ...]
    columns: int

    @property
    def rows(self) -> int:
        """Count the rows of pictures."""
        return -(-len(self.places) // self.columns)


def layouts(pictures: Sequence[Picture]) -> list[Layout]:
    """Lay out sheets as square as possible; pictures of one mode, size and palette share them."""
    groups: dict[object, list[int]] = defaultdict(list)
    for place, picture in enumerate(pictures):
        groups[picture.mode, picture.samples.shape, picture.boxes].append(place)
    found = []
    for places in groups.values():
        height, width, _ = pictures[places[0]].samples.shape
        places_a_sheet = max(min(MAX_PIXELS // (height * width), (MAX_SIDE // height) * (MAX_SIDE // width)), 1)
        for start in range(0, len(places), places_a_sheet):
            part = tuple(places[start : start + places_a_sheet])
            found.append(Layout(part, columns(len(part), height, width)))
    return found


def columns(count: int, height: int, width: int) -> int:
    """Count how many pictures stand side by side, so that the sheet is nearly square.

    >>> columns(1000, 28, 28), columns(2, 10, 40)
    (32, 1)
    """
    fitting = max(MAX_SIDE // width, 1)
    least = -(-count // max(MAX_SIDE // height, 1))
    return max(1, min(max(math.ceil(math.sqrt(count * height / width)), least), count, fitting))


def join(pictures: Sequence[Picture], layout: Layout) -> Picture:
    """Join the pictures to the sheet."""
    first = pictures[layout.places[0]]
    height, width, channels = first.samples.shape
    cells = np.zeros((layout.rows * layout.columns, height, width, channels), first.samples.dtype)
    for cell, place in zip(cells, layout.places):
        cell[...] = pictures[place].samples
    grid = cells.reshape(layout.rows, layout.columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    samples = np.ascontiguousarray(grid.reshape(layout.rows * height, layout.columns * width, channels))
    return Picture(first.mode, samples, first.boxes)


def cut(sheet: Picture, layout: Layout, like: Picture) -> list[Picture]:
    """Cut the pictures out of a sheet, of the size of ``like``: inverse of :func:`join`."""
    height, width, _ = like.samples.shape
    grid = sheet.samples.reshape(layout.rows, height, layout.columns, width, -1).transpose(0, 2, 1, 3, 4)
    cells = grid.reshape(layout.rows * layout.columns, height, width, MODES[sheet.mode].channels)
    return [Picture(sheet.mode, np.ascontiguousarray(cell), sheet.boxes) for cell in cells[: len(layout.places)]]
