"""Tones: the few colours of a picture that was grey, tinted or mapped to colours, coded as grey and a table of tones.

A sepia print, a heat map and a grey scan saved in colour have colours on a curve; the place of a pixel on the curve is
all that has to be coded. ``docs/format/remade.md`` defines the fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import FormatError
from vaezip.models.cost import Cost
from vaezip.vz.wire import Reader

Samples = NDArray[Any]
Shape = tuple[int, ...]

MODE, GREY = "RGB", "L"
"""The mode of pictures that have tones, and of the places on the curve."""

_BYTES, _WORK = 4, 4


@dataclass(frozen=True)
class Tones:
    """Hold how many tones there are.

    Attributes:
        count: of tones, 1 to 256.
    """

    count: int

    def to_bytes(self) -> bytes:
        """Write it."""
        return bytes([self.count - 1])

    def parts(self, shape: Shape) -> list[tuple[str, Shape]]:
        """Return mode and shape of the table, a row of tones, and of the places of pixels in it."""
        return [(MODE, (1, 1, self.count, 3)), (GREY, (*shape[:3], 1))]

    def samples(self, parts: list[Samples], shape: Shape) -> Samples:
        """Look the tone of each pixel up.

        Raises:
            FormatError: a place is beyond the table.
        """
        table, places = parts
        if places.max() >= self.count:
            raise FormatError("the coded data is damaged")
        return np.ascontiguousarray(table[0, 0][places[..., 0]])

    def cost(self, shape: Shape) -> Cost:
        """Compute what :meth:`samples` costs."""
        size = int(np.prod(shape))
        return Cost(_BYTES * size, _WORK * size)

    def describe(self, shape: Shape) -> dict[str, Any]:
        """Describe it in what JSON holds; it explains every pixel."""
        pixels = shape[0] * shape[1] * shape[2]
        return {"name": f"grey in {self.count} tones", "pixels": pixels, "explained": pixels}


def read(reader: Reader, mode: str) -> Tones:
    """Read how many tones there are.

    Raises:
        FormatError: pictures of the mode have none.
    """
    if mode != MODE:
        raise FormatError("the file is damaged: pictures of its mode have no tones")
    return Tones(reader.byte() + 1)
