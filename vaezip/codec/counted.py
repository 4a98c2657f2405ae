"""Palettes whose colours stand by how many pixels have them: pixels and colours tell that order, which nothing writes.

Programs that make PNGs small sort palettes so. Neighbours then have far indices, and colours are in no order at all; so
both are coded as they are by brightness.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.codec.coders import packed_palette, unpacked_palette
from vaezip.errors import FormatError

Samples = NDArray[Any]

_LEAST = 3
"""Colours of which the order is worth a try."""

_BRIGHTNESS = 2, 4, 1
"""How much red, green and blue weigh."""


def by_brightness(indices: Samples, palette: bytes) -> tuple[Samples, bytes] | None:
    """Return indices and a coded palette whose colours go by their brightness; None where :func:`restored` would not
    find the order that they have."""
    colours = np.frombuffer(palette, np.uint8).reshape(-1, 3)
    count = len(colours)
    if count < _LEAST or indices.max() >= count or not np.array_equal(_order(indices, colours), np.arange(count)):
        return None
    order = np.argsort(colours @ np.array(_BRIGHTNESS), kind="stable")
    return _renamed(indices, order), packed_palette(colours[order].tobytes())


def restored(indices: Samples, coded: bytes) -> tuple[Samples, bytes]:
    """Invert :func:`by_brightness`: indices, and the colours of the palette.

    Raises:
        FormatError: the palette is damaged, or has no colour for an index.
    """
    colours = np.frombuffer(unpacked_palette(coded), np.uint8).reshape(-1, 3)
    if indices.dtype != np.uint8 or indices.max() >= len(colours):  # which are the indices of no palette
        raise FormatError("the palette in the file is damaged")
    order = _order(indices, colours)
    return _renamed(indices, order), colours[order].tobytes()


def _order(indices: Samples, colours: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the colours in the order of how many pixels have them, the most first; of as many, the greater blue, then
    green, then red is first; and equal ones stay as they are."""
    counts = np.bincount(indices.reshape(-1), minlength=len(colours))
    red, green, blue = colours.T.astype(np.int64)
    return np.lexsort((-red, -green, -blue, -counts))


def _renamed(indices: Samples, order: NDArray[np.int64]) -> Samples:
    """Return the indices of the same colours in another order."""
    places = np.empty(len(order), np.uint8)
    places[order] = np.arange(len(order))
    return places[indices]
