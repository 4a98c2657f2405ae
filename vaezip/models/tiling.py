"""Pictures to the tiles that a model codes, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.models.base import Mask, Pixels
from vaezip.system.spans import timed


class Tiling:
    """The grid of tiles over an array of pictures of one size.

    Tiles run picture by picture, in rows from the top left. Those on the right and lower edge
    may be partly empty: their mask tells which pixels are real, and the rest repeats the last
    real column and row.
    """

    def __init__(self, shape: tuple[int, int, int, int], tile: tuple[int, int]) -> None:
        """Pictures of ``shape`` (pictures, height, width, channels), tiles of ``tile`` (height, width)."""
        self.shape, self.tile = shape, tile
        self.rows, self.columns = -(-shape[1] // tile[0]), -(-shape[2] // tile[1])

    @property
    def count(self) -> int:
        """Count the tiles."""
        return self.shape[0] * self.rows * self.columns

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Real pixels, bool (tiles, tile height, tile width)."""
        n, h, w, _ = self.shape
        inside = np.zeros((1, self.rows * self.tile[0], self.columns * self.tile[1], 1), np.bool_)
        inside[:, :h, :w] = True
        return np.tile(self._cut(inside)[..., 0], (n, 1, 1))

    @timed("pictures and tiles")
    def split(self, pictures: Pixels) -> Pixels:
        """(pictures, height, width, channels) to (tiles, tile height, tile width, channels)."""
        _, h, w, _ = self.shape
        below, beside = self.rows * self.tile[0] - h, self.columns * self.tile[1] - w
        if below or beside:
            pictures = np.pad(pictures, ((0, 0), (0, below), (0, beside), (0, 0)), mode="edge")
        return self._cut(pictures)

    @timed("pictures and tiles")
    def join(self, tiles: Pixels) -> Pixels:
        """Inverse of :meth:`split`."""
        n, h, w, c = self.shape
        grid = tiles.reshape(n, self.rows, self.columns, *self.tile, c).transpose(0, 1, 3, 2, 4, 5)
        return np.ascontiguousarray(
            grid.reshape(n, self.rows * self.tile[0], self.columns * self.tile[1], c)[:, :h, :w]
        )

    @timed("pictures and tiles")
    def fill(self, tiles: Pixels, which: slice) -> None:
        """Repeat, in place, the last real row and column of some tiles into their empty part."""
        _, h, w, _ = self.shape
        height, width = h - (self.rows - 1) * self.tile[0], w - (self.columns - 1) * self.tile[1]
        index = np.arange(which.start, which.stop)
        right = index % self.columns == self.columns - 1
        lower = index // self.columns % self.rows == self.rows - 1
        tiles[right, :, width:] = tiles[right, :, width - 1 : width]
        tiles[lower, height:] = tiles[lower, height - 1 : height]

    def _cut(self, padded: NDArray[np.generic]) -> Pixels:
        n, _, _, c = padded.shape
        grid = padded.reshape(n, self.rows, self.tile[0], self.columns, self.tile[1], c).transpose(0, 1, 3, 2, 4, 5)
        return np.ascontiguousarray(grid.reshape(-1, *self.tile, c))


def inside(values: NDArray[Any], mask: Mask) -> NDArray[Any]:
    """Return the values inside a mask, those of a pixel together; where that is all of them, a view, which is quicker
    to make."""
    return values.reshape(-1, *values.shape[mask.ndim :]) if mask.all() else values[mask]
