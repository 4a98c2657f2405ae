"""Bits-back coding of a chain of tiles: Algorithms 1 and 2 of the paper.

A chain is coded in batches. For each batch the encoder

1. pops z from the stack under q(z|x)   (the bits that come back),
2. pushes x under p(x|z),
3. pushes z under p(z);

the decoder undoes the three in reverse. Only the first tiles lack bits to pop: they are
*coarse*, that is, their z is chosen, not popped, on a grid so wide (about √12 standard
deviations of the posterior, per latent) that choosing costs a quarter of a bit a latent more
than bits-back would. Batches then grow 1, 2, 4, … up to a cap, as the stack fills.

The chain's stack is seeded with the checksum of its pixels, so nothing on it is waste.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.entropy.stack import Stack, StackExhausted, decoding
from vaezip.errors import FormatError
from vaezip.models import latents
from vaezip.models.base import Mask, Pixels
from vaezip.models.tile.networks import TileNetworks
from vaezip.models.tiling import Tiling, inside

BATCH_CAP = 512
"""Tiles a batch at most; part of the file format."""

Bins = NDArray[np.int32]


@dataclass(frozen=True)
class Tiles:
    """Tiles to code.

    Attributes:
        pixels: uint8 (tiles, height, width, channels). Those outside the mask are not coded, but the posterior sees
            them: they must be what :meth:`vaezip.models.tiling.Tiling.fill` makes of the others.
        mask: pixels to be coded, bool (tiles, height, width).
    """

    pixels: Pixels
    mask: Mask

    def __getitem__(self, part: slice) -> Tiles:
        """Return some of the tiles, as views."""
        return Tiles(self.pixels[part], self.mask[part])

    @property
    def coded_values(self) -> NDArray[np.uint8]:
        """Return the coded values as the likelihood's coder takes them: (pixels, channels), or flat."""
        return values_of(self.pixels, self.mask)


def values_of(pixels: Pixels, mask: Mask) -> NDArray[np.uint8]:
    """Return the values inside a mask: (pixels, channels), or flat where there is one channel."""
    values = inside(pixels, mask)
    return values if values.shape[-1] > 1 else values.ravel()


Choose = Callable[[TileNetworks, Tiles], Bins]
"""Chooses coarse symbols (tiles, latents) for the first tiles: the encoder's part."""


def batches(tiles: int, coarse: int) -> Iterator[slice]:
    """The batches after the coarse tiles: 1, 2, 4, … tiles, up to the cap.

    >>> [b.stop - b.start for b in batches(12, 1)]
    [1, 2, 4, 4]
    """
    start, size = coarse, 1
    while start < tiles:
        yield slice(start, min(start + size, tiles))
        start, size = start + size, min(2 * size, BATCH_CAP)


def encode(model: TileNetworks, tiles: Tiles, choose: Choose, *, steps: int, seed: int) -> bytes:
    """Code a chain of tiles.

    Args:
        model: prior, likelihood and posterior.
        tiles: what to code.
        choose: coarse symbols for the first tiles.
        steps: K of Algorithm 2; 0 is Algorithm 1.
        seed: 32-bit checksum, found again by :func:`decode`.

    Returns:
        One byte that tells the number of coarse tiles, where there is more than one tile at
        all; then the stack.
    """
    doublings = 0
    while True:
        coarse = min(1 << doublings, len(tiles.pixels))
        try:
            stack = _encode(model, tiles, choose(model, tiles[:coarse]), steps=steps, seed=seed)
        except StackExhausted:  # the first tiles said too little to lend the next their bits
            doublings += 1
            continue
        return bytes([doublings] * (len(tiles.pixels) > 1)) + stack.to_bytes()


def decode(model: TileNetworks, data: bytes, tiling: Tiling, *, steps: int) -> tuple[Pixels, int]:
    """Inverse of :func:`encode`.

    Returns:
        The tiles, and the seed that they were coded with.

    Raises:
        FormatError: the data is not what :func:`encode` made.
    """
    a, mask = model.architecture, tiling.mask
    header, coarse = coarse_tiles(data, len(mask))
    tiles = Tiles(np.zeros((len(mask), *a.tile, a.channels), np.uint8), mask)
    with decoding(data[header:]) as stack:
        for batch in reversed(list(batches(len(mask), coarse))):
            _pop_batch(model, stack, tiles, tiling, batch, steps)
        _pop_coarse(model, stack, tiles, tiling, coarse)
    return tiles.pixels, stack.finish()


def coarse_tiles(data: bytes, tiles: int) -> tuple[int, int]:
    """Read the bytes before the stack of a chain; return how many there are, and how many tiles are coarse.

    Raises:
        FormatError: there are more than any picture has.
    """
    header = 1 if tiles > 1 else 0
    doublings = data[0] if header and data else 0
    if doublings > 32:
        raise FormatError("the coded data is damaged")
    return header, min(1 << doublings, tiles)


def elbo_bits(model: TileNetworks, tiles: Tiles, *, steps: int, draws: int = 1) -> float:
    """Return −ELBO of all tiles in bits, by the very intervals of the coder, the mean over some draws of z.

    The bits from which z is drawn are pseudo-random, so this is what a chain would cost
    without headers, checksums and first tiles. All draws are from one posterior, whose steps are taken once.
    """
    total = 0.0
    noise = np.random.default_rng(0)
    for start in range(0, len(tiles.pixels), BATCH_CAP):
        part = tiles[start : start + BATCH_CAP]
        q = _posterior(model, part, steps)
        total += sum(_bits_of_draw(model, q, part, noise) for _ in range(draws))
    return total / draws


def _bits_of_draw(model: TileNetworks, q: d.Gaussian, tiles: Tiles, noise: np.random.Generator) -> float:
    """Return what one z of each tile, drawn from the posterior, and the tiles cost, less what drawing gives back."""
    bins = latents.sample(q, noise)
    p = model.coder(bins.reshape(-1, model.architecture.latents), tiles.mask)
    prior = latents.fine_prior(bins.size)
    bits = float(d.bits(p.intervals(tiles.coded_values), p.precision).sum())
    bits += float(d.bits(prior.intervals(bins), prior.precision).sum())
    return bits - float(d.bits(q.intervals(bins), q.precision).sum())


def _encode(model: TileNetworks, tiles: Tiles, coarse: Bins, *, steps: int, seed: int) -> Stack:
    stack = Stack(seed)
    _push_coarse(model, stack, tiles[: len(coarse)], coarse)
    for batch in batches(len(tiles.pixels), len(coarse)):
        _push_batch(model, stack, tiles[batch], steps)
    return stack


def _push_batch(model: TileNetworks, stack: Stack, tiles: Tiles, steps: int) -> None:
    bins = _posterior(model, tiles, steps).pop(stack)
    p = model.coder(bins.reshape(-1, model.architecture.latents), tiles.mask)
    p.push(stack, tiles.coded_values)
    latents.fine_prior(bins.size).push(stack, bins)


def _pop_batch(model: TileNetworks, stack: Stack, tiles: Tiles, tiling: Tiling, batch: slice, steps: int) -> None:
    bins = latents.fine_prior((batch.stop - batch.start) * model.architecture.latents).pop(stack)
    _pop_pixels(model, stack, tiles[batch], bins)
    tiling.fill(tiles.pixels[batch], batch)
    _posterior(model, tiles[batch], steps).push(stack, bins)


def _push_coarse(model: TileNetworks, stack: Stack, tiles: Tiles, symbols: Bins) -> None:
    p = model.coder(latents.centres(symbols, model.coarse), tiles.mask)
    p.push(stack, tiles.coded_values)
    latents.coarse_prior(len(symbols), model.coarse).push(stack, symbols.ravel())


def _pop_coarse(model: TileNetworks, stack: Stack, tiles: Tiles, tiling: Tiling, coarse: int) -> None:
    symbols = latents.coarse_prior(coarse, model.coarse).pop(stack)
    _pop_pixels(model, stack, tiles[:coarse], latents.centres(symbols.reshape(coarse, -1), model.coarse))
    tiling.fill(tiles.pixels[:coarse], slice(0, coarse))


def _pop_pixels(model: TileNetworks, stack: Stack, tiles: Tiles, bins: Bins) -> None:
    """Pop pixels, and write them into the tiles in place; the last tiles first, as many as the networks see at once."""
    bins, most = bins.reshape(-1, model.architecture.latents), model.at_once()
    for start in reversed(range(0, len(bins), most)):
        part = tiles[start : start + most]
        p = model.coder(bins[start : start + most], part.mask)
        values = p.pop(stack).reshape(-1, model.architecture.channels)
        if part.mask.all():  # which is quicker to write
            part.pixels[...] = values.reshape(part.pixels.shape)
        else:
            part.pixels[part.mask] = values


def _posterior(model: TileNetworks, tiles: Tiles, steps: int) -> d.Gaussian:
    means, log_sigmas = model.posterior(tiles.pixels, tiles.mask, steps)
    return d.Gaussian(means.ravel(), log_sigmas.ravel())
