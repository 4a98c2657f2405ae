"""Frame pictures, and take each pixel's causal context from the frame, over NumPy or PyTorch alike.

Above a picture all is BLANK; to the left of a row stands the first pixel of the row above, to its right the row's own
last pixel. So every neighbour is known when its pixel's turn comes, in pictures of every size.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.jit import inline
from vaezip.models.median import median_of
from vaezip.models.pixel.constants import BLANK, RADIUS

Array = Any

OFFSETS = [(y, x) for y in range(-RADIUS, 1) for x in range(-RADIUS, RADIUS + 1) if y < 0 or x < 0]
"""(rows down, columns right) of the neighbours, in the order of the features."""


def framed(pictures: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Frame pictures (pictures, height, width, channels): int16 (…, height + RADIUS, width + 2 RADIUS, …)."""
    n, h, w, c = pictures.shape
    out = np.full((n, h + RADIUS, w + 2 * RADIUS, c), BLANK, np.int16)
    out[:, RADIUS:, RADIUS:-RADIUS] = pictures
    out[:, RADIUS + 1 :, :RADIUS] = pictures[:, :-1, :1]
    out[:, RADIUS:, -RADIUS:] = pictures[:, :, -1:]
    return out


def empty_frame(shape: tuple[int, int, int, int], planes: int) -> NDArray[np.int16]:
    """Frame pictures of which no pixel is known yet, with so many entries a pixel: the channels, and any beside them.

    Nothing but what lies around the first rows is written, so that the system gives memory as pixels become known.
    """
    n, h, w, c = shape
    out = np.zeros((n, h + RADIUS, w + 2 * RADIUS, planes), np.int16)
    out[:, :RADIUS, :, :c] = BLANK
    out[:, RADIUS, :RADIUS, :c] = BLANK
    return out


def features(xp: Any, frame: Array) -> tuple[Array, Array]:
    """Compute differences to the neighbours, and the median-edge prediction P.

    Args:
        xp: namespace of the array API.
        frame: (pictures, height + RADIUS, width + 2 RADIUS, channels), signed integers or floats.

    Returns:
        Differences neighbour − P (pictures, height, width, neighbours · channels) and P (pictures,
        height, width, channels).
    """
    h, w = frame.shape[1] - RADIUS, frame.shape[2] - 2 * RADIUS

    def at(y: int, x: int) -> Array:
        return frame[:, RADIUS + y : RADIUS + y + h, RADIUS + x : RADIUS + x + w]

    prediction = median_edge(xp, west=at(0, -1), north=at(-1, 0), north_west=at(-1, -1))
    return xp.concat([at(y, x) - prediction for y, x in OFFSETS], axis=-1), prediction


def median_edge(xp: Any, *, west: Array, north: Array, north_west: Array) -> Array:
    """Take the median of W, N and W + N − NW (Weinberger et al. 2000)."""
    low, high = xp.minimum(west, north), xp.maximum(west, north)
    return xp.maximum(low, xp.minimum(high, west + north - north_west))


@inline
def median_edge_at(frame, i, y, x, c):
    """Compute the same for channel c of the pixel at frame position (y, x) of picture i, compiled."""
    return median_of(frame[i, y, x - 1, c], frame[i, y - 1, x, c], frame[i, y - 1, x - 1, c])
