"""Turn pictures into the eight orientations: mirrored left to right, top to bottom, rows for columns.

They are numbered 0 … 7 by the bits below, which are applied in this order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MIRRORED, FLIPPED, TRANSPOSED = 1, 2, 4
COUNT = 8


def oriented(pictures: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn pictures (…, height, width, channels) into an orientation; a view."""
    pictures = _mirrored(pictures, orientation)
    return pictures.swapaxes(-3, -2) if orientation & TRANSPOSED else pictures


def oriented_shape(shape: tuple[int, int, int, int], orientation: int) -> tuple[int, int, int, int]:
    """Return the shape of pictures (pictures, height, width, channels) in an orientation."""
    n, h, w, c = shape
    return (n, w, h, c) if orientation & TRANSPOSED else shape


def unoriented(pictures: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Invert :func:`oriented`."""
    return _mirrored(pictures.swapaxes(-3, -2) if orientation & TRANSPOSED else pictures, orientation)


def _mirrored(pictures: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Mirror and flip pictures as the bits of the orientation say."""
    for bit, axis in ((MIRRORED, -2), (FLIPPED, -3)):
        pictures = np.flip(pictures, axis) if orientation & bit else pictures
    return pictures
