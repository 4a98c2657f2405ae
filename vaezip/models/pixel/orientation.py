"""The eight orientations of pictures: mirrored left to right, top to bottom, rows for columns.

They are numbered 0 … 7 by the bits below, which are applied in this order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MIRRORED, FLIPPED, TRANSPOSED = 1, 2, 4
COUNT = 8


def turned(pictures: NDArray[Any], turn: int) -> NDArray[Any]:
    """Pictures (…, height, width, channels) in orientation ``turn``; a view."""
    pictures = _flipped(pictures, turn)
    return pictures.swapaxes(-3, -2) if turn & TRANSPOSED else pictures


def turned_back(pictures: NDArray[Any], turn: int) -> NDArray[Any]:
    """Inverse of :func:`turned`."""
    return _flipped(pictures.swapaxes(-3, -2) if turn & TRANSPOSED else pictures, turn)


def _flipped(pictures: NDArray[Any], turn: int) -> NDArray[Any]:
    for bit, axis in ((MIRRORED, -2), (FLIPPED, -3)):
        pictures = np.flip(pictures, axis) if turn & bit else pictures
    return pictures
