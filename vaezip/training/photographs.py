"""Training tiles cut from photographs, with what surrounds them, and made more various."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaezip import datasets
from vaezip.networks.local.architecture import RADIUS, TILE

SIDE = (TILE + RADIUS, TILE + 2 * RADIUS)
"""Height and width of a tile with its causal surroundings."""

Photograph = NDArray[np.uint8]
Frames = NDArray[np.float32]


def split(folder: Path, held_out: int) -> tuple[list[Photograph], list[Photograph]]:
    """Training and held-out RGB photographs of a folder.

    Crops of one photograph (file names that differ in what follows the last ``_``) stay together;
    ``held_out`` photographs, drawn by a fixed seed, are held out. Too small ones are left out.
    """
    found = ((name, p) for name, p in datasets.collection(folder) if p.mode == "RGB")
    pictures = [(name.rsplit("_", 1)[0], np.asarray(p.samples, np.uint8)) for name, p in found]
    sources = sorted({source for source, _ in pictures})
    held = set(np.random.default_rng(3).permutation(sources)[:held_out])
    large = [(source, p) for source, p in pictures if min(p.shape[:2]) >= SIDE[1]]
    return [p for source, p in large if source not in held], [p for source, p in large if source in held]


def frames(photographs: Sequence[Photograph], count: int, rng: np.random.Generator) -> Frames:
    """Random tiles with their surroundings, float32 (count, *SIDE, channels), each pixel of the
    photographs equally likely; mirrored, turned, and some of them changed by :func:`varied`."""
    weights = np.array([p.shape[0] * p.shape[1] for p in photographs], np.float64)
    out = np.empty((count, *SIDE, photographs[0].shape[2]), np.float32)
    for i, which in enumerate(rng.choice(len(photographs), count, p=weights / weights.sum())):
        photograph = photographs[which]
        y, x = (rng.integers(0, extent - SIDE[1] + 1) for extent in photograph.shape[:2])
        square = photograph[y : y + SIDE[1], x : x + SIDE[1]].astype(np.float32)
        out[i] = varied(turned(square, int(rng.integers(8))), rng)[: SIDE[0]]
    return out


def turned(square: Frames, which: int) -> Frames:
    """One of the eight mirrorings and quarter turns."""
    square = square[:, ::-1] if which & 1 else square
    square = square[::-1] if which & 2 else square
    return square.transpose(1, 0, 2) if which & 4 else square


def varied(square: Frames, rng: np.random.Generator) -> Frames:
    """Sometimes other channel orders, gain and gamma, or grain: the world is less clean than a training set."""
    order, tone, grain = rng.random(3)
    x = square.astype(np.float64)
    if order < 0.15:
        x = x[..., rng.permutation(x.shape[2])]
    if tone < 0.15:
        gain, gamma = np.exp(rng.normal(0, 0.2)), np.exp(rng.normal(0, 0.15))
        x = 255 * np.clip(gain * (x / 255) ** gamma, 0, 1) + rng.uniform(-0.5, 0.5, x.shape)
    if grain < 0.12:
        sigma = np.exp(rng.uniform(np.log(0.7), np.log(8)))
        shared = rng.normal(0, sigma, (*x.shape[:2], 1)) * rng.uniform(0.3, 1)
        x = x + shared + rng.normal(0, sigma, x.shape) * rng.uniform(0, 1)
    return np.clip(np.rint(x), 0, 255).astype(np.float32)
