"""Planes of chroma at half the resolution, and how a converter made them as large as its picture, in integers.

Video frames, lossy WebPs and most JPEGs have one sample of Cb and of Cr for two columns, and mostly for two rows. A
model of grey codes them and Y as one *sheet*: Cr and Cb side by side, and Y below them. ``docs/format/origins.md``
defines it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import FormatError
from vaezip.exact.jit import borrowing, inline
from vaezip.origins.colour import Planes

COPIED, TRIANGLE, LIBJPEG = range(3)
"""Filters: samples are copied; means of neighbours, rounded half up, as by libwebp; or rounded as by libjpeg."""

FILTERS = (COPIED, TRIANGLE, LIBJPEG)

_DOWN, _ROW, _COLUMN, _FILTER_SHIFT = 1, 2, 4, 3

Size = tuple[int, int]


class Sampling(NamedTuple):
    """Say how planes of chroma became as large as the picture.

    Attributes:
        down: whether a sample stands for two rows; it always does for two columns.
        phase: how many rows and columns of the first sample lie outside of the picture, 0 or 1.
        filter: one of :data:`FILTERS`.
    """

    down: bool
    phase: tuple[int, int]
    filter: int

    @property
    def name(self) -> str:
        """Return what people call it."""
        return "4:2:0" if self.down else "4:2:2"

    def to_byte(self) -> int:
        """Return the byte that says it in a file."""
        row, column = self.phase
        return _DOWN * self.down | _ROW * row | _COLUMN * column | self.filter << _FILTER_SHIFT

    def small(self, size: Size) -> Size:
        """Return rows and columns of Cr and of Cb for a picture of so many."""
        height, width = size
        rows = (height + self.phase[0] + 1) // 2 if self.down else height
        return rows, (width + self.phase[1] + 1) // 2

    def sheet(self, size: Size) -> Size:
        """Return rows and columns of what the model codes for a picture of so many."""
        rows, columns = self.small(size)
        return rows + size[0], max(2 * columns, size[1])

    def joined(self, luma: Planes, chroma: Planes) -> Planes:
        """Return sheets (pictures, rows, columns, 1) of Y (pictures, height, width), and of Cr and Cb (2, pictures,
        rows, columns); what they leave empty repeats what is beside it."""
        columns = self.sheet(luma.shape[1:])[1]
        parts = [np.concatenate([*chroma], axis=2), luma]
        wide = [np.pad(part, ((0, 0), (0, 0), (0, columns - part.shape[2])), "edge") for part in parts]
        return np.concatenate(wide, axis=1)[..., None]

    def planes(self, sheets: Planes, size: Size) -> Planes:
        """Return the planes Cr, Y and Cb of pictures, (pictures, height, width, 3), that sheets make."""
        rows, columns = self.small(size)
        out = np.empty((len(sheets), *size, 3), np.uint8)
        out[..., 1] = sheets[:, rows:, : size[1], 0]
        for number in range(2):
            left = number * columns
            for sheet, plane in zip(sheets, out[..., 2 * number]):
                self.enlarge(np.ascontiguousarray(sheet[:rows, left : left + columns, 0]), plane)
        return out

    def enlarge(self, plane: NDArray[Any], out: NDArray[np.uint8]) -> None:
        """Fill in a plane (height, width) by its samples at half the resolution."""
        _enlarge(plane, self, out)


def read(byte: int) -> Sampling:
    """Read what :meth:`Sampling.to_byte` wrote.

    Raises:
        FormatError: it says nothing that there is.
    """
    found = Sampling(bool(byte & _DOWN), (byte // _ROW & 1, byte // _COLUMN & 1), byte >> _FILTER_SHIFT)
    if found.filter not in FILTERS or (found.phase[0] and not found.down):
        raise FormatError("the coded data is damaged")
    return found


@inline
def beside(place, count):
    """Return the sample, of ``count`` in a row, that lies on the other side of one of twice as many."""
    return min(max((place >> 1) + (1 if place & 1 else -1), 0), count - 1)


@inline
def enlarged(plane, r, c, sampling):
    """Return the sample in row r and column c of a plane that was enlarged by a sampling."""
    down, by, x = sampling.down, sampling.filter, c >> 1
    y = r >> 1 if down else r
    if by == COPIED:
        return np.int64(plane[y, x])
    x2 = beside(c, plane.shape[1])
    near, far = np.int64(plane[y, x]), np.int64(plane[y, x2])
    if not down:
        half = 2 if by == TRIANGLE or c & 1 else 1
        return (3 * near + far + half) >> 2
    y2 = beside(r, plane.shape[0])
    total = 9 * near + 3 * far + 3 * np.int64(plane[y2, x]) + np.int64(plane[y2, x2])
    return (total + (7 if by == LIBJPEG and c & 1 else 8)) >> 4


@borrowing
def _enlarge(plane, sampling, out):
    phase = sampling.phase
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            out[row, column] = enlarged(plane, row + phase[0], column + phase[1], sampling)
