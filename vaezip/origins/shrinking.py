"""The encoder's search for repeated pixels: between which rows and columns a picture changes at all."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.models.kinds import FILES
from vaezip.origins.enlarged import MOST, Enlarged

Samples = NDArray[Any]

_LOOKED_AT = 32
"""Rows and columns that are looked at first."""

_MIDDLE = 64
"""Rows, or columns, in the middle that are looked at before."""

_FEWEST = 8
"""A picture of fewer rows or columns, or one that changes between fewer, is not made smaller."""


class Shrunk(NamedTuple):
    """How pixels were repeated, and the smaller pictures."""

    origin: Enlarged
    parts: list[Samples]


def promises(samples: Samples, mode: str) -> bool:
    """Tell whether all pixels are repeated, in one direction at least."""
    return mode not in FILES and _found(samples, mode) is not None


def settles(samples: Samples, mode: str) -> bool:
    """Tell whether the smaller picture is the best that there is to code: always."""
    return True


def find(samples: Samples, mode: str) -> Shrunk:
    """Return how the pixels of pictures, (pictures, height, width, channels), were repeated.

    Raises:
        ValueError: they were not.
    """
    origin = _found(samples, mode)
    if origin is None:
        raise ValueError("no pixels are repeated")
    rows = np.maximum(np.arange(0, samples.shape[1] + origin.top, origin.down) - origin.top, 0)
    columns = np.maximum(np.arange(0, samples.shape[2] + origin.left, origin.across) - origin.left, 0)
    return Shrunk(origin, [np.ascontiguousarray(samples[:, rows][:, :, columns])])


def _found(samples: Samples, mode: str) -> Enlarged | None:
    if min(samples.shape[1:3]) < _FEWEST:
        return None
    across, left = _grid(samples.transpose(0, 2, 1, 3))
    down, top = _grid(samples)
    return Enlarged(mode, down, across, top, left) if down * across > 1 else None


def _grid(samples: Samples) -> tuple[int, int]:
    """Return the greatest grid between whose lines no rows differ, and how many rows are missing above; (1, 0) where
    there is none."""
    few = samples[:, :, :: -(-samples.shape[2] // _LOOKED_AT)]
    middle = samples.shape[1] // 2 - _MIDDLE // 2
    if _changes_anywhere(few[:, max(middle, 0) : middle + _MIDDLE]) or _grid_of(_changes(few))[0] == 1:
        return 1, 0
    return _grid_of(_changes(samples))


def _changes_anywhere(samples: Samples) -> bool:
    """Tell whether some rows change at such places that no grid of 2 or more has all of them as lines."""
    rows = _changes(samples)
    return len(rows) > 1 and int(np.gcd.reduce(np.diff(rows))) == 1


def _changes(samples: Samples) -> NDArray[np.intp]:
    """Return the rows that differ from those above them, in any picture."""
    return 1 + np.flatnonzero((samples[:, 1:] != samples[:, :-1]).any(axis=(0, 2, 3)))


def _grid_of(rows: NDArray[np.intp]) -> tuple[int, int]:
    if len(rows) < _FEWEST:
        return 1, 0
    step = int(np.gcd.reduce(np.diff(rows)))
    size = next(size for size in range(MOST, 0, -1) if step % size == 0)
    return size, int(-rows[0]) % size
