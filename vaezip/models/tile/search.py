"""The encoder's choices for a tile model: the latents of coarse tiles, and how many steps pay."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.models import latents
from vaezip.models.base import Coded, Mask, Pixels, seed_with
from vaezip.models.cost import affordable
from vaezip.models.effort import Effort
from vaezip.models.tile import bitsback
from vaezip.models.tile.bitsback import Bins, Tiles, values_of
from vaezip.models.tile.cost import cost
from vaezip.models.tile.model import TileModel
from vaezip.models.tile.networks import TileNetworks
from vaezip.models.tiling import Tiling
from vaezip.system.threads import spread

COARSE_STEPS = 16
"""Steps by which the encoder improves the z of coarse tiles; the decoder need not know."""

FEW_PIXELS = 1 << 18
"""The pixels of a block up to which all lesser numbers of steps are tried, too. Beyond, what more steps gain is above
the chance of which latents bits-back draws (``benchmarks/monotony.py``)."""

SEARCHED_LATENTS = 32
"""With no more latents than this, the z of coarse tiles is improved further by a search."""

MANY_TILES = 256
"""Of so many tiles the search alone improves the z of coarse ones: steps would gain some bits, and take as long as
fifty tiles."""


def encode(model: TileModel, pictures: Pixels, *, effort: Effort, seed: int) -> Coded:
    """Code pictures of one size, with at most K steps on each posterior; see :class:`vaezip.models.base.Search`.

    Of few pixels every number of steps on the ladder is tried, for a short chain may take more bytes by more steps. No
    number is used that costs more than a reader spends.
    """
    tiles, shape = _tiles(model, pictures), pictures.shape
    most = affordable(effort.steps, shape, lambda steps: cost(model.architecture, shape, coarse=1, steps=steps))

    is_quick = len(tiles.pixels) >= MANY_TILES and model.architecture.latents <= SEARCHED_LATENTS
    choice = partial(choose, steps=0) if is_quick else choose

    def code(steps: int) -> Coded:
        data = bitsback.encode(model, tiles, choice, steps=steps, seed=seed_with(seed, steps))
        return Coded(steps, data)

    numbers = replace(effort, steps=most).numbers_of_steps(shape, FEW_PIXELS)
    return min(spread(code, numbers), key=lambda coded: len(coded.data))


def bound_bits(model: TileModel, pictures: Pixels, *, effort: Effort, draws: int = 1) -> float:
    """Return −ELBO of all pictures in bits, by the very intervals of the coder."""
    return bitsback.elbo_bits(model, _tiles(model, pictures), steps=effort.steps, draws=draws)


def choose(model: TileNetworks, tiles: Tiles, *, steps: int = COARSE_STEPS) -> Bins:
    """Choose coarse symbols (tiles, latents) that code each tile cheaply: those of the refined posterior
    mean, improved by a search where the latents are few."""
    means, _ = model.posterior(tiles.pixels, tiles.mask, steps)
    symbols = latents.coarse_symbols(means, model.coarse)
    if model.architecture.latents > SEARCHED_LATENTS:
        return symbols
    return np.stack([_search(model, *tile) for tile in zip(symbols, tiles.pixels, tiles.mask)])


def _tiles(model: TileModel, pictures: Pixels) -> Tiles:
    tiling = Tiling(pictures.shape, model.architecture.tile)
    return Tiles(tiling.split(pictures), tiling.mask)


def _search(model: TileNetworks, symbols: Bins, x: Pixels, mask: Mask) -> Bins:
    """Descend steepest in one tile's bits over single steps of single latents."""
    steps = np.concatenate([np.zeros((1, symbols.size), np.int32), np.eye(symbols.size, dtype=np.int32)])
    steps = np.concatenate([steps, -steps[1:]])
    while True:
        candidates = np.clip(symbols + steps, 0, (d.LATENT_BINS >> model.coarse) - 1).astype(np.int32)
        best = candidates[int(np.argmin(_coarse_costs(model, candidates, x, mask)))]
        if np.array_equal(best, symbols):
            return symbols
        symbols = best


def _coarse_costs(model: TileNetworks, candidates: Bins, x: Pixels, mask: Mask) -> NDArray[np.int64]:
    """Return what one tile and its z cost, for each of some coarse z, in integers that every machine computes alike."""
    count = len(candidates)
    prior = latents.coarse_prior(count, model.coarse)
    masks = np.broadcast_to(mask, (count, *mask.shape))
    p = model.coder(latents.centres(candidates, model.coarse), masks)
    values = values_of(np.broadcast_to(x, (count, *x.shape)), masks)
    for_z, for_x = d.costs(prior.intervals(candidates.ravel())), d.costs(p.intervals(values))
    return for_z.reshape(count, -1).sum(axis=1) + for_x.reshape(count, -1).sum(axis=1)
