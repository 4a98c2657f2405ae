"""Pictures with others in them: rectangles, such as the photographs of a screenshot, that are coded as pictures.

``docs/format/remade.md`` defines the fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import FormatError
from vaezip.models.cost import Cost
from vaezip.vz.wire import Reader, varint

Samples = NDArray[Any]
Shape = tuple[int, ...]

MODES = ("L", "LA", "RGB", "RGBA")
"""The modes of pictures with others in them."""

MOST = 64
"""The most rectangles of a picture."""

_BYTES, _WORK = 4, 4


class Rectangle(NamedTuple):
    """Rows and columns of a picture."""

    top: int
    left: int
    height: int
    width: int

    @property
    def area(self) -> int:
        """Count its pixels."""
        return self.height * self.width

    @property
    def place(self) -> tuple[slice, slice]:
        """Return the rows and the columns."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


@dataclass(frozen=True)
class Pieces:
    """Hold which rectangles are coded as pictures.

    Attributes:
        mode: of the picture.
        rectangles: them.
    """

    mode: str
    rectangles: tuple[Rectangle, ...]

    def to_bytes(self) -> bytes:
        """Write it."""
        return bytes([len(self.rectangles) - 1]) + b"".join(
            varint(one.top) + varint(one.left) + varint(one.height - 1) + varint(one.width - 1)
            for one in self.rectangles
        )

    def parts(self, shape: Shape) -> list[tuple[str, Shape]]:
        """Return mode and shape of the whole picture, and of each rectangle.

        Raises:
            FormatError: the picture has no such rectangles, or they have more pixels than it has.
        """
        n, height, width, channels = shape
        within = all(one.top + one.height <= height and one.left + one.width <= width for one in self.rectangles)
        if n != 1 or not within or sum(one.area for one in self.rectangles) > height * width:
            raise FormatError("the coded data is damaged")
        return [(self.mode, shape), *((self.mode, (1, one.height, one.width, channels)) for one in self.rectangles)]

    def samples(self, parts: list[Samples], shape: Shape) -> Samples:
        """Put the rectangles into the whole picture."""
        whole, *pieces = parts
        found = whole.copy()
        for one, piece in zip(self.rectangles, pieces):
            found[0][one.place] = piece[0]
        return found

    def cost(self, shape: Shape) -> Cost:
        """Compute what :meth:`samples` costs."""
        size = int(np.prod(shape))
        return Cost(_BYTES * size, _WORK * size)

    def describe(self, shape: Shape) -> dict[str, Any]:
        """Describe it in what JSON holds; it explains every pixel."""
        pixels = shape[0] * shape[1] * shape[2]
        areas = [one._asdict() for one in self.rectangles]
        name = f"drawing with {len(areas)} photograph{'s' * (len(areas) > 1)} in it"
        return {"name": name, "pixels": pixels, "explained": pixels, "rectangles": areas}


def read(reader: Reader, mode: str) -> Pieces:
    """Read which rectangles are coded as pictures.

    Raises:
        FormatError: they are too many, or pictures of the mode have none.
    """
    count = reader.byte() + 1
    if count > MOST or mode not in MODES:
        raise FormatError("the coded data is damaged")
    numbers = [reader.varint() for _ in range(4 * count)]
    each = zip(*(numbers[i::4] for i in range(4)))
    return Pieces(mode, tuple(Rectangle(top, left, high + 1, wide + 1) for top, left, high, wide in each))
