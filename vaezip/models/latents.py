"""Latents on their grids: the fine bins that bits-back codes, and the coarse ones that stand in for them.

Where no bits are there to draw z from, z is *chosen*: the coarse bin in which the posterior mean lies,
coded under the prior's mass of it, and the decoder's networks see the fine bin in its middle.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.entropy.stack import Stack
from vaezip.errors import ModelError
from vaezip.models.base import Tensors

Bins = NDArray[np.int32]


def coarse_symbols(means: NDArray[np.integer], coarse: NDArray[np.int64]) -> Bins:
    """The coarse bins in which posterior means lie.

    Args:
        means: (tiles, latents), in units of 2^−POSTERIOR_MEAN_BITS.
        coarse: log2 of the fine bins that a coarse one of each latent spans, (latents,).
    """
    fine = (means.astype(np.int64) >> (d.POSTERIOR_MEAN_BITS - d.LATENT_BITS)) + d.LATENT_BINS // 2
    return (np.clip(fine, 0, d.LATENT_BINS - 1) >> coarse).astype(np.int32)


def centres(symbols: NDArray[np.integer], coarse: NDArray[np.int64]) -> Bins:
    """The fine bins in the middle of coarse ones, (tiles, latents)."""
    return ((symbols.astype(np.int64) << coarse) + ((1 << coarse) >> 1)).astype(np.int32)


def coarse_prior(tiles: int, coarse: NDArray[np.int64]) -> d.StandardNormal:
    """p(z) of the coarse bins of some tiles, latent by latent."""
    return d.StandardNormal(np.tile(coarse, tiles))


def fine_prior(count: int) -> d.StandardNormal:
    """p(z) of ``count`` fine bins."""
    return d.StandardNormal(np.zeros(count, np.int64))


def sample(q: d.Gaussian, noise: np.random.Generator) -> Bins:
    """Fine bins drawn from a posterior by pseudo-random bits, flat."""
    return q.pop(Stack.random(q.means.size + 2, noise))


def coarse_grid(tensors: Tensors, latents: int) -> NDArray[np.int64]:
    """log2 of the fine bins that a coarse one of each latent spans, int64 (latents,).

    Raises:
        ModelError: the model lacks it, or it is out of range.
    """
    coarse = tensors.get("coarse")
    if coarse is None or coarse.shape != (latents,) or coarse.dtype.kind not in "iu":
        raise ModelError("the model lacks the coarse grid of its latents")
    if coarse.min() < 0 or coarse.max() >= d.LATENT_BINS.bit_length() - 1:
        raise ModelError("the coarse grid of the model's latents is out of range")
    return coarse.astype(np.int64)
