"""The origin header, which stands before a model's stream and says what samples its planes make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import FormatError
from vaezip.models.cost import Cost
from vaezip.origins import colour, differences, upsampling
from vaezip.origins.colour import ColourMap, Planes
from vaezip.origins.upsampling import Sampling
from vaezip.vz.wire import Reader, varint

FITTED = 0
"""The number of a map whose coefficients follow."""

_SUMS = 128
"""The bit of the number of a map that tells of sums."""

_HALVED = 64
"""The bit of the number of a map that tells of chroma at half the resolution."""

_WORK = 64
"""Operations of a pixel without differences."""


@dataclass(frozen=True)
class Origin:
    """Hold what colours were before: the map from planes to them, and what it does not explain.

    Attributes:
        number: of a map that has one, or :data:`FITTED`.
        map: from planes to colours.
        sums: whether the planes are coded as those of :func:`vaezip.origins.colour.summed`.
        sampling: how chroma was enlarged that was at half the resolution; None where it was as large as Y.
        unexplained: how many pixels have a difference.
        coded: the differences, by :mod:`vaezip.origins.differences`; nothing where there are none.
    """

    number: int
    map: ColourMap
    sums: bool = False
    sampling: Sampling | None = None
    unexplained: int = 0
    coded: bytes = b""

    def to_bytes(self) -> bytes:
        """Write the header."""
        head = bytes([self.number | _SUMS * self.sums | _HALVED * (self.sampling is not None)])
        head += bytes([self.sampling.to_byte()]) if self.sampling else b""
        head += colour.write_map(self.map) if self.number == FITTED else b""
        rest = varint(len(self.coded)) + self.coded if self.unexplained else b""
        return head + varint(self.unexplained) + rest

    def coded_shape(self, shape: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        """Return the shape of what a model codes for colours (pictures, height, width, 3)."""
        return (shape[0], *self.sampling.sheet(shape[1:3]), 1) if self.sampling else shape

    def samples(self, coded: Planes, size: tuple[int, int]) -> NDArray[Any]:
        """Compute the samples that planes make, as they are coded, of pictures of so many rows and columns.

        Raises:
            FormatError: the differences are damaged.
        """
        planes = self.sampling.planes(coded, size) if self.sampling else coded
        planes = colour.unsummed(planes) if self.sums else planes
        found = self.map.samples(planes)
        if self.unexplained:
            more = differences.decode(self.coded, planes)
            if np.count_nonzero(more.any(axis=-1)) != self.unexplained:
                raise FormatError("the coded data is damaged")
            found += more.view(np.uint8)
        return found

    def cost(self, pixels: int) -> Cost:
        """Compute what :meth:`samples` costs."""
        found = Cost((9 + 3 * (self.sampling is not None)) * pixels, _WORK * pixels)
        return found.beside(differences.cost(pixels)) if self.unexplained else found

    def describe(self, pixels: int) -> dict[str, Any]:
        """Describe it in what JSON holds: how people call such a picture, and how many of its pixels it explains."""
        name = f"{colour.named()[self.number - 1].name} colours" if self.number else "colours of another kind"
        explained = pixels - self.unexplained
        chroma = self.sampling.name if self.sampling else "4:4:4"
        return {"name": name, "chroma": chroma, "pixels": pixels, "explained": explained}


def read(data: bytes, pixels: int) -> tuple[Origin, bytes]:
    """Read the header of so many pixels, and return what is behind it.

    Raises:
        FormatError: it is damaged.
    """
    reader = Reader(data)
    first = reader.byte()
    number, sums = first & ~_SUMS & ~_HALVED, bool(first & _SUMS)
    if number > len(colour.named()):
        raise FormatError(f"colour map {number} is unknown; a newer vaezip may read it")
    sampling = upsampling.read(reader.byte()) if first & _HALVED else None
    if sampling and sums:
        raise FormatError("the coded data is damaged")
    found = colour.named()[number - 1].map if number else colour.read_map(reader.take(colour.MAP_BYTES))
    unexplained = reader.varint()
    if unexplained > pixels:
        raise FormatError("the coded data is damaged")
    coded = reader.take(reader.varint()) if unexplained else b""
    return Origin(number, found, sums, sampling, unexplained, coded), reader.take(reader.left)
