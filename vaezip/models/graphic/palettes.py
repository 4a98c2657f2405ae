"""Look at pictures before they are coded: how much they repeat themselves, and which colours they have."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.models.graphic import looks
from vaezip.models.graphic.model import Pixels

Samples = NDArray[Any]

_MOST_COLOURS, _FEW_COLOURS = 256, 32
_LOOKED_AT = 1 << 16
"""Pixels that are looked at, if a row has no more."""

_ORDER = {1: (0,), 2: (1, 0), 3: (1, 0, 2), 4: (3, 1, 0, 2)}
"""The channels of a pixel from its lowest byte on: alpha and green tell most of the others."""

_REPEATED = {1: 60, 2: 60, 3: 40, 4: 40}
_FEW_LEVELS, _SMALL = 64, 1 << 12
"""Pictures promise much where, of a hundred pixels, so many are the one to the left, by the number of channels; or
where few colours are, or levels of grey, which are always few enough for a try of so few pixels. Of 48 training
photographs the greatest share was 54 in grey and 37 in colours."""

_OF_NEW = 14
"""Where one pixel in so many is new, or fewer, no model comes near: on 53 pictures that promised much, the coder of
drawn pictures sufficed by a trial of all that had fewer new pixels than one in eleven."""

_SMALL_COLOURED = 1 << 14
"""Pixels, with colours, of which a try takes next to no time."""


def repeats(samples: Samples) -> bool:
    """Tell by some rows whether pixels are often the same as their neighbours, or change evenly, or have few colours or
    values."""
    rows, channels = samples.reshape(-1, *samples.shape[2:]), samples.shape[-1]
    if channels > 2 and rows.shape[0] * rows.shape[1] <= _SMALL_COLOURED:
        return True
    step = max(1, rows.shape[0] * rows.shape[1] // _LOOKED_AT)
    some = np.ascontiguousarray(rows[::step])
    if some.shape[1] > 1 and 100 * looks.count_expected(some) >= _REPEATED[channels] * some[:, 1:, 0].size:
        return True
    if _has_holes(some):
        return True
    is_grey = channels == 1 and rows.shape[0] * rows.shape[1] > _SMALL
    return colours_of(some, _FEW_LEVELS if is_grey else _MOST_COLOURS) is not None


def repeats_nearly_all(samples: Samples) -> bool:
    """Tell whether of pictures, (pictures, height, width, channels), nearly all pixels repeat one beside or above."""
    _, height, width, _ = samples.shape
    if height < 2 or width < 3:
        return False
    new = np.zeros((1, 1), np.int64)
    for picture in samples:
        looks.count_new(picture, 1, max(height, width), new)
    return _OF_NEW * int(new[0, 0]) <= samples[..., 0].size


def colours_of(samples: Samples, most: int) -> Samples | None:
    """Return the colours that occur, (count, channels), in any order; None where they are more than so many."""
    found = np.empty((most, samples.shape[-1]), np.uint8)
    count = looks.find_colours(np.ascontiguousarray(samples).reshape(-1, samples.shape[-1]), most, found)
    return found[:count] if count <= most else None


def _has_holes(samples: Samples) -> bool:
    """Tell whether half of the values or fewer occur, from the least to the greatest, in each channel that changes."""
    channels = [np.flatnonzero(np.bincount(samples[..., c].ravel())) for c in range(samples.shape[-1])]
    spreads = [(int(values[-1] - values[0]) + 1, values.size) for values in channels if values.size > 1]
    return bool(spreads) and all(spread >= 2 * count - 1 for spread, count in spreads)


def different(numbers: NDArray[Any]) -> NDArray[Any]:
    """Return the numbers that differ, sorted, in a small part of the time that np.unique takes, which hashes them."""
    ordered = np.sort(numbers, axis=None)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])]


def packed(samples: Samples) -> Pixels:
    """Return pixels as numbers."""
    found = np.zeros(samples.shape[:-1], np.uint32)
    for place, channel in enumerate(_ORDER[samples.shape[-1]]):
        found |= samples[..., channel].astype(np.uint32) << np.uint32(8 * place)
    return found


def unpacked(pixels: Pixels, count: int) -> Samples:
    """Invert :func:`packed`."""
    found = np.empty((*pixels.shape, count), np.uint8)
    for place, channel in enumerate(_ORDER[count]):
        found[..., channel] = pixels >> np.uint32(8 * place)
    return found


def of(pixels: Pixels, channels: int) -> Pixels | None:
    """Return the colours of pictures in the order in which they are numbered, or None where they are too many."""
    found = colours_of(pixels[..., None].view(np.uint8), _MOST_COLOURS)
    if found is None:
        return None
    colours = np.sort(found.view(np.uint32)[:, 0])
    return colours[np.argsort(_brightness(colours, channels), kind="stable")]


def _brightness(colours: Pixels, channels: int) -> NDArray[np.int64]:
    """Weigh the channels of pixels: the first most."""
    parts = [(colours >> np.uint32(8 * c)).astype(np.int64) & 255 for c in range(channels)]
    if channels == 4:  # alpha, green, red, blue
        return 4 * parts[0] + 2 * parts[1] + parts[2] + parts[3] // 2
    return np.sum([part * weight for part, weight in zip(parts, (4, 2, 1))], axis=0)


def may_be_photograph(palette: Pixels) -> bool:
    """Tell whether pictures have so many colours that their differences may tell more than their repetitions."""
    return palette.size > _FEW_COLOURS
