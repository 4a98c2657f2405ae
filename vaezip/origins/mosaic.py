"""The encoder's search for a Bayer mosaic: whether green samples are the means of their neighbours, and which are."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.origins import bayer, differences
from vaezip.origins.bayer import COPIED, MIRRORED, SHIFT, Bayer, Layout, Mosaic, Weights, neighbours, places
from vaezip.origins.fitting import solve

Samples = NDArray[Any]

_SMALLEST, _ROWS = 16, 16
"""Rows and columns of the smallest picture, and how many rows are looked at."""

_FEWEST, _ENOUGH = 64, 90
"""So many means must be looked at whose four samples are not all the same, and so many of a hundred must be right."""

_MOST_UNEXPLAINED, _SETTLED = 4, 50
"""One pixel of so many may be unexplained; and with fewer no other way is tried."""


class Parted(NamedTuple):
    """How colours follow from a mosaic, and the parts."""

    origin: Bayer
    parts: list[Samples]


def promises(samples: Samples, mode: str) -> bool:
    """Tell whether the green samples of one pixel in two are means of their neighbours."""
    return mode == "RGB" and _layout(samples) is not None


def settles(samples: Samples, mode: str) -> bool:
    """Tell whether nearly all colours follow from a mosaic."""
    layout = _layout(samples)
    return layout is not None and _unexplained(samples, layout) * _SETTLED <= samples[..., 0].size


def find(samples: Samples, mode: str) -> Parted:
    """Return the mosaic of pictures, (pictures, height, width, 3).

    Raises:
        ValueError: there is none.
    """
    layout = _layout(samples)
    if layout is None:
        raise ValueError("there is no mosaic")
    mosaic = _mosaic(samples, layout)
    made = layout.colours(mosaic).astype(np.uint8)
    more = (samples - made).view(np.int8)
    unexplained = int(np.count_nonzero(more.any(axis=-1)))
    weights = _weights(mosaic, layout)
    coded = differences.encode(made, np.ascontiguousarray(more)) if unexplained else b""
    return Parted(Bayer(layout, weights, unexplained, coded), _parts(mosaic, layout, weights))


def _parts(mosaic: Mosaic, layout: Layout, weights: Weights) -> list[Samples]:
    """Return the colours of half as many rows and columns, and what the other green samples are beside a guess."""
    planes = [mosaic[:, y::2, x::2] for y, x in places(layout)]
    planes[3] = (planes[3] - bayer.guesses(mosaic, layout, weights) + 128) & 255
    half = [-(-side // 2) for side in mosaic.shape[1:]]
    full = [np.pad(one, ((0, 0), *((0, n - m) for n, m in zip(half, one.shape[1:]))), mode="edge") for one in planes]
    return [np.stack(full[:3], axis=-1).astype(np.uint8), full[3][..., None].astype(np.uint8)]


def _layout(samples: Samples) -> Layout | None:
    """Return how a converter worked by which most of some samples are means; None where there is none."""
    if min(samples.shape[1:3]) < _SMALLEST:
        return None
    tops = np.arange(2, samples.shape[1] - 2)  # for the border may be otherwise
    rows = tops[:: -(-len(tops) // _ROWS) | 1][: 2 * _ROWS]
    around = [samples[:, rows + dy].astype(np.int64) for dy in (-1, 0, 1)]
    found = [(phase, up) for phase in (0, 1) for up in (0, 1) if _are_green_means(around, rows, phase, up)]
    if len(found) != 1:
        return None
    ((phase, up),) = found
    ways = [Layout(down, (down + phase) % 2, up, border) for down in (0, 1) for border in (MIRRORED, COPIED)]
    counts = [_unexplained(samples, layout) for layout in ways]
    best = min(range(len(ways)), key=counts.__getitem__)
    return ways[best] if counts[best] * _MOST_UNEXPLAINED <= samples[..., 0].size else None


def _are_green_means(around: list[NDArray[np.int64]], rows: NDArray[np.intp], phase: int, up: int) -> bool:
    """Tell whether the green samples of rows are means where row and column together are odd, or even, by the phase."""
    above, here, below = (rows_of[..., 1] for rows_of in around)
    four = [above[:, :, 2:-2], below[:, :, 2:-2], here[:, :, 1:-3], here[:, :, 3:-1]]
    x = np.arange(2, here.shape[2] - 2)
    looked_at = (rows[:, None] + x) % 2 == phase
    looked_at = looked_at & ((four[0] != four[1]) | (four[2] != four[3]) | (four[0] != four[2]))
    right = (sum(four) + 2 * up) >> 2 == here[:, :, 2:-2]
    count = int(looked_at.sum())
    return count >= _FEWEST and int((right & looked_at).sum()) * 100 >= _ENOUGH * count


def _unexplained(samples: Samples, layout: Layout) -> int:
    """Count the pixels that do not follow from the mosaic."""
    return int((layout.colours(_mosaic(samples, layout)) != samples).any(axis=-1).sum())


def _mosaic(samples: Samples, layout: Layout) -> Mosaic:
    """Return the samples of the sensor; where the border of a picture does not show them, some that explain most."""
    channel = layout.channels(*samples.shape[1:3])
    wide = samples.astype(np.int64)
    mosaic = np.take_along_axis(wide, np.broadcast_to(channel, samples.shape[:3])[..., None], axis=-1)[..., 0]
    if layout.border == COPIED:
        mosaic = np.pad(mosaic[:, 1:-1, 1:-1], ((0, 0), (1, 1), (1, 1)), mode="reflect")
        for m, w in zip(mosaic, wide):
            for turned in (False, True):
                m, w, c = (m.T, w.transpose(1, 0, 2), channel.T) if turned else (m, w, channel)
                _complete(m, w, c, layout.up)
                _complete(m[::-1], w[::-1], c[::-1], layout.up)
    return mosaic


def _complete(m: Mosaic, wide: NDArray[np.int64], channel: NDArray[np.int64], up: int) -> None:
    """Put samples into the first row of a mosaic by which the means in the second row come out as they are."""
    inner = np.arange(1, m.shape[1] - 1)
    means = wide[1, inner, channel[0, inner]]
    two, four = 2 * means - m[2, inner] - up, 4 * means - m[2, inner] - m[1, inner - 1] - m[1, inner + 1] - 2 * up
    is_green = channel[0, inner] == 1
    old = m[0, inner]
    m[0, inner] = np.clip(np.where(is_green, np.clip(old, four, four + 3), two), 0, 255)
    sites = inner[~is_green]
    if len(sites) > 1:
        _choose(m, wide[1, :, channel[0, sites[0]]], sites, up)


def _choose(m: Mosaic, means: NDArray[np.int64], sites: NDArray[np.intp], up: int) -> None:
    """Choose for each sample at the sites, of which a mean of two tells all but whether it is one more, so that most
    means of four samples come out."""
    costs, ways = [0, 0], []
    for left, right in pairwise(sites):
        four, mean = int(m[0, left] + m[0, right] + m[2, left] + m[2, right]) + 2 * up, int(means[(left + right) // 2])
        paths = [[costs[a] + ((four + a + b) >> 2 != mean) for a in (0, 1)] for b in (0, 1)]
        ways.append([int(one[1] < one[0]) for one in paths])
        costs = [min(one) for one in paths]
    more = int(costs[1] < costs[0])
    for site, way in zip(sites[::-1], [*ways[::-1], [0, 0]]):
        m[0, site] = min(int(m[0, site]) + more, 255)
        more = way[more]


def _weights(mosaic: Mosaic, layout: Layout) -> Weights:
    """Return the weights by which green samples in the rows of blue ones are predicted best, by least squares."""
    down, across = places(layout)[3]
    goals = mosaic[:, down::2, across::2].ravel()
    planes = [*(plane.ravel() for plane in neighbours(mosaic, layout)), np.ones(goals.size, np.int64)]
    inputs = np.stack(planes, axis=1)
    found = solve(inputs.T @ inputs, inputs.T @ goals, Fraction(1 << SHIFT))
    if found is None or max(map(abs, found[:-1])) >= 1 << 15 or abs(found[-1]) >= 1 << 30:
        return (*(1 << (SHIFT - 2),) * 4, 0, 0, 0, 0, 0)
    return tuple(found)
