"""The encoder's search for colours on a curve, which it follows from the darkest on, from each colour to the next."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.jit import borrowing
from vaezip.models.graphic.palettes import colours_of
from vaezip.origins.colour import chart
from vaezip.origins.search import different
from vaezip.origins.tones import MODE, Tones

Samples = NDArray[Any]
Colours = NDArray[np.uint8]

_FEWEST, _MOST = 24, 256
"""Of fewer colours a picture is a drawing; more have no place in 8 bits."""

_DETOUR = 5
"""A curve moves, in all channels together, at most so many halves of what lies between their least and greatest
values. Colours of a quantised photograph make it move ten times that."""

_LOOKED_AT = 1 << 12

_LUMA = np.array([2, 5, 1])


class Toned(NamedTuple):
    """How many tones pictures have, and the table of tones and the places of pixels in it."""

    origin: Tones
    parts: list[Samples]


def promises(samples: Samples, mode: str) -> bool:
    """Tell whether all colours lie on a curve."""
    if mode != MODE:
        return False
    pixels = samples.reshape(-1, samples.shape[-1])
    for some in (pixels[:: max(1, len(pixels) // _LOOKED_AT)], pixels):
        colours = colours_of(some, _MOST)
        if colours is None or not _is_curve(_followed(different(colours))):
            return False
    return len(colours) >= _FEWEST


def settles(samples: Samples, mode: str) -> bool:
    """Tell whether grey is the best that there is to code: always."""
    return True


def find(samples: Samples, mode: str) -> Toned:
    """Return the tones of pictures, (pictures, height, width, 3), of at most 256 colours."""
    colours = _followed(different(samples.reshape(-1, 3)))
    charted = chart(colours)
    order = np.argsort(charted)
    places = order[np.searchsorted(charted[order], chart(samples))].astype(np.uint8)
    return Toned(Tones(len(colours)), [colours[None, None], places[..., None]])


def _followed(colours: Colours) -> Colours:
    """Return colours in the order in which they lie on a curve from the darkest of them on."""
    found = colours[np.argsort(colours.astype(np.int64) @ _LUMA, kind="stable")]
    _follow(found)
    return found


@borrowing
def _follow(colours):
    """Put behind each colour, (count, 3), the one of those behind it that is nearest; the others keep their order."""
    for place in range(1, colours.shape[0]):
        nearest, least = place, 1 << 20
        for other in range(place, colours.shape[0]):
            far = 0
            for channel in range(3):
                apart = np.int64(colours[other, channel]) - np.int64(colours[place - 1, channel])
                far += apart * apart
            if far < least:
                nearest, least = other, far
        for channel in range(3):
            value = colours[nearest, channel]
            for other in range(nearest, place, -1):
                colours[other, channel] = colours[other - 1, channel]
            colours[place, channel] = value


def _is_curve(colours: Colours) -> bool:
    """Tell whether colours move evenly, from each to the next."""
    moved = int(np.abs(np.diff(colours.astype(np.int64), axis=0)).sum())
    return 2 * moved <= _DETOUR * int(np.ptp(colours, axis=0).astype(np.int64).sum())
