"""Rows that stand for pictures in a trial of coders that learn along rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[Any]
"""(pictures, height, width, channels)."""

SAMPLES = 1 << 13
"""About so many samples are taken."""

_PLACES, _ROWS = 3, 4
"""In how many places rows are taken, and how many of each at least."""


def bands(samples: Samples) -> Samples:
    """Return the first of many pictures; of large ones rows of the first two; of one rows from the middle of each
    third, below one another, for there is often nothing at the edges."""
    n, height, width, channels = samples.shape
    rows = max(_ROWS, SAMPLES // (_PLACES * width * channels))
    if _PLACES * rows >= height:
        return samples[: max(2, SAMPLES // (height * width * channels))]
    if n > 1:
        top = (height - _PLACES * rows) // 2
        return samples[:2, top : top + _PLACES * rows]
    tops = [(2 * place + 1) * height // (2 * _PLACES) - rows // 2 for place in range(_PLACES)]
    return np.concatenate([samples[:, top : top + rows] for top in tops], axis=1)
