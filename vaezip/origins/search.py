"""The encoder's search for an origin: a look at a sample of a picture's colours, which costs next to nothing.

Where no map that is known reaches most of them, a map is fitted, if they lie on a lattice.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.models.graphic import palettes
from vaezip.origins import fitting, inverse
from vaezip.origins.colour import ColourMap, chart, named
from vaezip.origins.header import FITTED

_SAMPLED = 1 << 13
"""Pixels that are looked at, about."""

_FEWEST = 48
"""Of fewer colours nothing can be said, and little is gained."""

_MORE, _FEWEST_FITTED = 1 << 16, 1 << 11
"""Pixels from which a map is fitted, and the fewest colours of them."""

_FIRST, _HOPEFUL = 8, 50
"""Of each so many colours one is looked at before all; so many of a hundred must be reached, or all are too few."""

_ENOUGH, _ENOUGH_FITTED = 80, 60
"""Of a hundred colours that are looked at, so many must be reached: by chance 25 are, or fewer."""


class Candidate(NamedTuple):
    """A map that colours may have gone through, and its number in a file."""

    number: int
    map: ColourMap


def find(samples: NDArray[Any]) -> Candidate | None:
    """Return the map that colours (pictures, height, width, 3), of 8 bits, most likely went through, if any."""
    colours = distinct(_sampled(samples, _SAMPLED))
    if len(colours) < _FEWEST:
        return None
    shares = [_share(known.map, colours) for known in named()]
    best = int(np.argmax(shares))
    if shares[best] >= _ENOUGH:
        return Candidate(best + 1, named()[best].map)
    more = distinct(_sampled(samples, _MORE))
    found = fitting.fitted(more) if len(more) >= _FEWEST_FITTED else None
    found = fitting.moved(found, different(samples)) if found else None
    return Candidate(FITTED, found) if found and _share(found, colours) >= _ENOUGH_FITTED else None


def _share(known: ColourMap, colours: NDArray[np.uint8]) -> int:
    """Return how many of a hundred colours a map reaches, or of some where these leave no hope."""
    back = inverse.inverse(known)
    for some in (np.ascontiguousarray(colours[::_FIRST]), colours):
        share = inverse.explained(back, some) * 100 // len(some) if back else 0
        if share < _HOPEFUL:
            break
    return share


def distinct(colours: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the colours (count, 3) that differ, are not clipped, and are no greys, which any map reaches."""
    found = different(colours)
    least, most = found.min(axis=-1), found.max(axis=-1)
    return np.ascontiguousarray(found[(least > 0) & (most < 255) & (least < most)])


def different(colours: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the colours (count, 3) that differ."""
    numbers = chart(colours).ravel()
    changed = numbers[1:] != numbers[:-1]  # of drawn pictures few are left to sort
    found = palettes.different(np.append(numbers[:1], numbers[1:][changed]))
    return np.stack([found >> 16, found >> 8 & 255, found & 255], axis=-1).astype(np.uint8)


def _sampled(samples: NDArray[Any], most: int) -> NDArray[Any]:
    """Return about so many pixels (count, 3), spread evenly over pictures."""
    pixels = samples.reshape(-1, samples.shape[-1])
    step = max(1, len(pixels) // most)
    step += step % 2 == 0  # so that it shares no factor with most widths
    return pixels[::step, :3]
