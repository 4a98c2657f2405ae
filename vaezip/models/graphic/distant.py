"""Find the distant places that a halftone or a repeated pattern is most like, and read and write them.

Some rows are compared with themselves, moved: integers alone, the same everywhere.
"""

from __future__ import annotations

import numpy as np

from vaezip.errors import FormatError
from vaezip.models.graphic.bilevel import DISTANT
from vaezip.models.graphic.model import Pixels, Reaches

MOST_UP, MOST_SIDE = 31, 32
"""How far away a place may lie: rows above, and columns to the left; one less to the right."""

SIZE = 2 * DISTANT
"""Bytes that tell all places."""

_LOOKED_AT = 1 << 15
_LEAST = 1 << 13
"""Pixels that are compared, and pixels of a picture of which this is worth the bytes."""

_NEAR_UP, _NEAR_SIDE, _APART = 4, 6, 3
"""What the windows around a pixel show is not distant, and two places do not show the same."""


def find(pixels: Pixels) -> Reaches | None:
    """Return the places where pixels of two levels are most often the same; None for small pictures."""
    rows = pixels.reshape(-1, pixels.shape[-1])
    wide = rows.shape[1] - 2 * MOST_SIDE
    if rows.size < _LEAST or wide < MOST_SIDE or rows.shape[0] <= MOST_UP:
        return None
    step = max(1, (rows.shape[0] - MOST_UP) * wide // _LOOKED_AT)
    chosen = np.arange(MOST_UP, rows.shape[0], step)
    bits = (rows != rows[0, 0]).view(np.uint8)
    here = bits[chosen, MOST_SIDE:-MOST_SIDE]
    found = []
    for up in range(MOST_UP + 1):
        moved = bits[chosen - up]
        for right in range(-MOST_SIDE, MOST_SIDE if up else -1):
            if up > _NEAR_UP or abs(right) > _NEAR_SIDE:
                same = np.count_nonzero(here == moved[:, MOST_SIDE + right : MOST_SIDE + right + wide])
                found.append((-same, up, right))
    return _apart([place for _, *place in sorted(found)])


def _apart(places: list[list[int]]) -> Reaches:
    """Return the first places that do not lie side by side."""
    kept: list[tuple[int, int]] = []
    for up, right in places:
        if all(max(abs(up - u), abs(right - r)) >= _APART for u, r in kept):
            kept.append((up, right))
        if len(kept) == DISTANT:
            break
    return tuple(kept)


def written(reaches: Reaches) -> bytes:
    """Return two bytes for each place."""
    return bytes(number for up, right in reaches for number in (up, right + MOST_SIDE))


def read(data: bytes) -> Reaches:
    """Invert :func:`written`.

    Raises:
        FormatError: a place is too far away, or not decoded before the pixel.
    """
    reaches = tuple((data[i], data[i + 1] - MOST_SIDE) for i in range(0, SIZE, 2))
    for up, right in reaches:
        if up > MOST_UP or right >= MOST_SIDE or (up == 0 and right > -2):
            raise FormatError("the coded data is damaged")
    return reaches
