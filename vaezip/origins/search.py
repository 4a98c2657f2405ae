"""The encoder's search for an origin: a look at a sample of a picture's colours, which costs next to nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.origins import inverse
from vaezip.origins.colour import ColourMap, chart, named

_SAMPLED = 1 << 13
"""Pixels that are looked at, about."""

_FEWEST = 48
"""Of fewer colours nothing can be said, and little is gained."""

_SHARE = (4, 5)
"""Of the colours that are looked at, so many must be reached: by chance one in four is, or fewer."""


class Candidate(NamedTuple):
    """A map that colours may have gone through, and its number in a file."""

    number: int
    map: ColourMap


def find(samples: NDArray[Any]) -> Candidate | None:
    """Return the map that colours (pictures, height, width, 3), of 8 bits, most likely went through, if any."""
    colours = distinct(_sampled(samples))
    if len(colours) < _FEWEST:
        return None
    counts = []
    for known in named():
        back = inverse.inverse(known.map)
        counts.append(inverse.explained(back, colours) if back else 0)
    best = int(np.argmax(counts))
    if counts[best] * _SHARE[1] < len(colours) * _SHARE[0]:
        return None
    return Candidate(best + 1, named()[best].map)


def distinct(colours: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the colours (count, 3) that differ, are not clipped, and are no greys, which any map reaches."""
    found = np.unique(chart(colours))
    split = np.stack([found >> 16, found >> 8 & 255, found & 255], axis=-1).astype(np.uint8)
    least, most = split.min(axis=-1), split.max(axis=-1)
    return np.ascontiguousarray(split[(least > 0) & (most < 255) & (least < most)])


def _sampled(samples: NDArray[Any]) -> NDArray[Any]:
    """Return pixels (count, 3) spread evenly over pictures."""
    pixels = samples.reshape(-1, samples.shape[-1])
    step = max(1, len(pixels) // _SAMPLED)
    step += step % 2 == 0  # so that it shares no factor with most widths
    return pixels[::step, :3]
