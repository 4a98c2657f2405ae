"""Pictures of a sensor behind a Bayer mosaic of colours, whose other samples are means of their neighbours.

A pixel of the mosaic has one of three colours; a converter makes the two others, by the mean of two or four neighbours,
rounded. ``docs/format/remade.md`` defines the fields.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import FormatError
from vaezip.models.cost import Cost
from vaezip.origins import differences
from vaezip.vz.wire import Reader, varint

Samples = NDArray[Any]
Shape = tuple[int, ...]

Mosaic = NDArray[np.int64]
"""The samples of the sensor: (pictures, height, width)."""

Weights = tuple[int, ...]
"""Of the neighbours of a green sample in a row of blue ones, over 2^12, and a constant."""

MIRRORED, COPIED = 0, 1
"""What is beyond the border: rows and columns are mirrored; or the outermost ones are those beside them again."""

NEIGHBOURS = ((-1, -1), (-1, 1), (1, -1), (1, 1), (-1, 0), (1, 0), (0, -1), (0, 1))
"""Of a green sample in a row of blue ones: the rows below it and the columns to the right of it."""

SHIFT = 12

_WEIGHTS = struct.Struct("<8hi")
_FLAGS = 16
_SMALLEST = 4
"""Rows and columns of the smallest picture."""

_BYTES, _WORK = 160, 256
"""Bytes and operations of a pixel without differences."""


class Layout(NamedTuple):
    """How a converter works.

    Attributes:
        down, across: the row and the column of the first red sample, 0 or 1.
        up: whether halves are rounded up, or down.
        border: :data:`MIRRORED` or :data:`COPIED`.
    """

    down: int
    across: int
    up: int
    border: int

    def channels(self, height: int, width: int) -> NDArray[np.int64]:
        """Return the channel of each sample of the mosaic: (height, width)."""
        y, x = np.arange(height)[:, None] + self.down, np.arange(width) + self.across
        return y % 2 + x % 2

    def colours(self, mosaic: Mosaic) -> NDArray[np.int64]:
        """Compute the colours of mosaics: (pictures, height, width, 3)."""
        found = self._means(np.pad(mosaic, ((0, 0), (1, 1), (1, 1)), mode="reflect"))
        if self.border == COPIED:
            found = np.pad(found[:, 1:-1, 1:-1], ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
        return found

    def _means(self, m: Mosaic) -> NDArray[np.int64]:
        """Return the colours of a mosaic that has a row and a column more on each side."""
        here, up = m[:, 1:-1, 1:-1], self.up
        beside, above = m[:, 1:-1, :-2] + m[:, 1:-1, 2:], m[:, :-2, 1:-1] + m[:, 2:, 1:-1]
        corners = m[:, :-2, :-2] + m[:, :-2, 2:] + m[:, 2:, :-2] + m[:, 2:, 2:]
        across, down, four = (beside + up) >> 1, (above + up) >> 1, (corners + 2 * up) >> 2
        channel = self.channels(*here.shape[1:])
        in_red_row = (np.arange(here.shape[1])[:, None] + self.down) % 2 == 0
        red = np.choose(channel, [here, np.where(in_red_row, across, down), four])
        blue = np.choose(channel, [four, np.where(in_red_row, down, across), here])
        green = np.where(channel == 1, here, (beside + above + 2 * up) >> 2)
        return np.stack([red, green, blue], axis=-1)


def guesses(mosaic: Mosaic, layout: Layout, weights: Weights) -> Mosaic:
    """Predict the green samples in the rows of blue ones from the three other kinds of samples around them."""
    found = np.zeros_like(mosaic[:, 1 - layout.down :: 2, layout.across :: 2]) + weights[-1]
    for plane, weight in zip(neighbours(mosaic, layout), weights):
        found += weight * plane
    return np.clip((found + (1 << (SHIFT - 1))) >> SHIFT, 0, 255)


def neighbours(mosaic: Mosaic, layout: Layout) -> list[Mosaic]:
    """Return the neighbours of the green samples in the rows of blue ones."""
    m = np.pad(mosaic, ((0, 0), (1, 1), (1, 1)), mode="reflect")
    height, width = mosaic.shape[1:]
    return [
        m[:, 1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width][:, 1 - layout.down :: 2, layout.across :: 2]
        for dy, dx in NEIGHBOURS
    ]


def places(layout: Layout) -> list[tuple[int, int]]:
    """Return the first row and column of each kind of samples: red, green beside red, blue, green beside blue."""
    down, across = layout.down, layout.across
    return [(down, across), (down, 1 - across), (1 - down, 1 - across), (1 - down, across)]


@dataclass(frozen=True)
class Bayer:
    """Hold how the colours follow from the mosaic.

    Attributes:
        layout: how the converter works.
        weights: by which green samples in the rows of blue ones are predicted.
        unexplained: how many pixels have a difference.
        coded: the differences, by :mod:`vaezip.origins.differences`; nothing where there are none.
    """

    layout: Layout
    weights: Weights
    unexplained: int = 0
    coded: bytes = b""

    def to_bytes(self) -> bytes:
        """Write it."""
        down, across, up, border = self.layout
        head = bytes([down + 2 * across + 4 * up + 8 * border]) + _WEIGHTS.pack(*self.weights)
        return head + varint(self.unexplained) + (varint(len(self.coded)) + self.coded if self.unexplained else b"")

    def parts(self, shape: Shape) -> list[tuple[str, Shape]]:
        """Return modes and shapes of the parts: red, green and blue; and the other green samples.

        Raises:
            FormatError: such pictures have no mosaic.
        """
        n, height, width, _ = shape
        if min(height, width) < _SMALLEST or self.unexplained > n * height * width:
            raise FormatError("the coded data is damaged")
        half = n, -(-height // 2), -(-width // 2)
        return [("RGB", (*half, 3)), ("L", (*half, 1))]

    def samples(self, parts: list[Samples], shape: Shape) -> Samples:
        """Compute the colours.

        Raises:
            FormatError: the differences are damaged.
        """
        colours, others = parts
        mosaic = np.zeros(shape[:3], np.int64)
        *firsts, (top, left) = places(self.layout)
        for channel, (y, x) in enumerate(firsts):
            room = mosaic[:, y::2, x::2]
            room[...] = colours[:, : room.shape[1], : room.shape[2], channel]
        room = mosaic[:, top::2, left::2]
        more = others[:, : room.shape[1], : room.shape[2], 0]
        room[...] = (guesses(mosaic, self.layout, self.weights) + more - 128) & 255
        found = self.layout.colours(mosaic).astype(np.uint8)
        if self.unexplained:
            different = differences.decode(self.coded, found)
            if np.count_nonzero(different.any(axis=-1)) != self.unexplained:
                raise FormatError("the coded data is damaged")
            found = found + different.view(np.uint8)
        return found

    def cost(self, shape: Shape) -> Cost:
        """Compute what :meth:`samples` costs."""
        pixels = shape[0] * shape[1] * shape[2]
        found = Cost(_BYTES * pixels, _WORK * pixels)
        return found.beside(differences.cost(pixels)) if self.unexplained else found

    def describe(self, shape: Shape) -> dict[str, Any]:
        """Describe it in what JSON holds: the colours of four pixels of the mosaic, and how many pixels it explains."""
        pixels = shape[0] * shape[1] * shape[2]
        four = "".join("RGB"[channel] for channel in self.layout.channels(2, 2).ravel())
        return {"name": f"Bayer mosaic ({four})", "pixels": pixels, "explained": pixels - self.unexplained}


def read(reader: Reader, mode: str) -> Bayer:
    """Read how colours follow from a mosaic.

    Raises:
        FormatError: it is damaged.
    """
    flags = reader.byte()
    if mode != "RGB" or flags >= _FLAGS:
        raise FormatError("the coded data is damaged")
    layout = Layout(flags & 1, flags >> 1 & 1, flags >> 2 & 1, flags >> 3)
    weights = _WEIGHTS.unpack(reader.take(_WEIGHTS.size))
    unexplained = reader.varint()
    return Bayer(layout, weights, unexplained, reader.take(reader.varint()) if unexplained else b"")
