"""Pictures whose pixels were repeated: each pixel of a smaller picture fills a rectangle of whole pixels.

``docs/format/remade.md`` defines the fields.
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

MOST = 8
"""The most rows, and columns, of a rectangle."""

_BYTES, _WORK = 4, 4


@dataclass(frozen=True)
class Enlarged:
    """Hold how pixels were repeated.

    Attributes:
        mode: of the picture.
        down, across: rows and columns that a pixel fills.
        top, left: those of them that are missing above and to the left of the first pixel.
    """

    mode: str
    down: int
    across: int
    top: int
    left: int

    def to_bytes(self) -> bytes:
        """Write it."""
        return bytes([(self.down - 1) * MOST + self.across - 1, self.top * MOST + self.left])

    def parts(self, shape: Shape) -> list[tuple[str, Shape]]:
        """Return mode and shape of the smaller pictures."""
        n, height, width, channels = shape
        size = -(-(height + self.top) // self.down), -(-(width + self.left) // self.across)
        return [(self.mode, (n, *size, channels))]

    def samples(self, parts: list[Samples], shape: Shape) -> Samples:
        """Repeat the pixels of the smaller pictures."""
        rows = (np.arange(shape[1]) + self.top) // self.down
        columns = (np.arange(shape[2]) + self.left) // self.across
        return np.ascontiguousarray(parts[0][:, rows][:, :, columns])

    def cost(self, shape: Shape) -> Cost:
        """Compute what :meth:`samples` costs."""
        size = int(np.prod(shape))
        return Cost(_BYTES * size, _WORK * size)

    def describe(self, shape: Shape) -> dict[str, Any]:
        """Describe it in what JSON holds; it explains every pixel."""
        pixels = shape[0] * shape[1] * shape[2]
        return {"name": f"pixels repeated {self.across}×{self.down}", "pixels": pixels, "explained": pixels}


def read(reader: Reader, mode: str) -> Enlarged:
    """Read how pixels were repeated.

    Raises:
        FormatError: it is damaged.
    """
    factors, phase = reader.byte(), reader.byte()
    down, across, top, left = factors // MOST + 1, factors % MOST + 1, phase // MOST, phase % MOST
    if factors in (0, *range(MOST * MOST, 256)) or top >= down or left >= across:
        raise FormatError("the coded data is damaged")
    return Enlarged(mode, down, across, top, left)
