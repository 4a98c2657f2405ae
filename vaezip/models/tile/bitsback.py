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

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.entropy.stack import Stack, StackExhausted
from vaezip.errors import FormatError
from vaezip.models import latents
from vaezip.models.tile.model import Mask, Pixels, TileModel

BATCH_CAP = 512
"""Tiles a batch at most; part of the file format."""

COARSE_STEPS = 16
"""Steps by which the encoder improves the z of coarse tiles; the decoder need not know."""

SEARCHED_LATENTS = 32
"""With no more latents than this, the z of coarse tiles is improved further by a search."""

Bins = NDArray[np.int32]

Fill = Callable[[Pixels, slice], None]
"""Restores, in place, what a mask hides of some tiles: fill(tiles of the slice, slice)."""


def batches(tiles: int, coarse: int) -> Iterator[slice]:
    """The batches after the coarse tiles: 1, 2, 4, … tiles, up to the cap.

    >>> [b.stop - b.start for b in batches(12, 1)]
    [1, 2, 4, 4]
    """
    start, size = coarse, 1
    while start < tiles:
        yield slice(start, min(start + size, tiles))
        start, size = start + size, min(2 * size, BATCH_CAP)


def encode(model: TileModel, x: Pixels, mask: Mask, steps: int, seed: int) -> bytes:
    """Code a chain of tiles.

    Args:
        model: prior, likelihood and posterior.
        x: uint8 (tiles, height, width, channels). Pixels outside the mask are not coded, but
            the posterior sees them: they must be what the decoder's ``fill`` makes of the rest.
        mask: pixels to be coded, bool (tiles, height, width).
        steps: K of Algorithm 2; 0 is Algorithm 1.
        seed: 32-bit checksum, found again by :func:`decode`.

    Returns:
        One byte that tells the number of coarse tiles, where there is more than one tile at
        all; then the stack.
    """
    doublings = 0
    while True:
        coarse = min(1 << doublings, len(x))
        try:
            stack = _encode(model, x, mask, steps, seed, coarse)
        except StackExhausted:  # the first tiles said too little to lend the next their bits
            doublings += 1
            continue
        return bytes([doublings] * (len(x) > 1)) + stack.to_bytes()


def decode(model: TileModel, data: bytes, mask: Mask, steps: int, fill: Fill) -> tuple[Pixels, int]:
    """Inverse of :func:`encode`.

    Returns:
        The tiles, and the seed that they were coded with.

    Raises:
        FormatError: the data is not what :func:`encode` made.
    """
    tiles, a = len(mask), model.architecture
    header = 1 if tiles > 1 else 0
    doublings = data[0] if header and data else 0
    if doublings > 32:
        raise FormatError("the coded data is damaged")
    coarse = min(1 << doublings, tiles)
    x = np.zeros((tiles, *a.tile, a.channels), np.uint8)
    stack = Stack.from_bytes(data[header:])
    try:
        for batch in reversed(list(batches(tiles, coarse))):
            _pop_batch(model, stack, x, mask, batch, steps, fill)
        _pop_coarse(model, stack, x, mask, coarse, fill)
    except StackExhausted:
        raise FormatError("the coded data is damaged or truncated") from None
    seed = stack.state & 0xFFFFFFFF
    if not stack.spent(seed):
        raise FormatError("the coded data is damaged")
    return x, seed


def elbo_bits(model: TileModel, x: Pixels, mask: Mask, steps: int, draws: int = 1) -> float:
    """−ELBO of all tiles in bits, by the very intervals of the coder, the mean over some draws of z.

    The bits from which z is drawn are pseudo-random, so this is what a chain would cost
    without headers, checksums and first tiles. All draws are from one posterior, whose steps are taken once.
    """
    total = 0.0
    noise = np.random.default_rng(0)
    for start in range(0, len(x), BATCH_CAP):
        part = slice(start, start + BATCH_CAP)
        q = _posterior(model, x[part], mask[part], steps)
        total += sum(_bits_of_draw(model, q, x[part], mask[part], noise) for _ in range(draws))
    return total / draws


def _bits_of_draw(model: TileModel, q: d.Gaussian, x: Pixels, mask: Mask, noise: np.random.Generator) -> float:
    """What one z of each tile, drawn from the posterior, and the tiles cost, less what drawing gives back."""
    bins = latents.sample(q, noise)
    p = model.coder(bins.reshape(-1, model.architecture.latents), mask)
    prior = latents.fine_prior(bins.size)
    bits = float(d.bits(p.intervals(_pixels(x, mask)), p.precision).sum())
    bits += float(d.bits(prior.intervals(bins), prior.precision).sum())
    return bits - float(d.bits(q.intervals(bins), q.precision).sum())


def _encode(model: TileModel, x: Pixels, mask: Mask, steps: int, seed: int, coarse: int) -> Stack:
    stack = Stack(seed)
    _push_coarse(model, stack, x, mask, coarse)
    for batch in batches(len(x), coarse):
        _push_batch(model, stack, x, mask, batch, steps)
    return stack


def _push_batch(model: TileModel, stack: Stack, x: Pixels, mask: Mask, batch: slice, steps: int) -> None:
    q = _posterior(model, x[batch], mask[batch], steps)
    bins = q.pop(stack)
    p = model.coder(bins.reshape(-1, model.architecture.latents), mask[batch])
    p.push(stack, _pixels(x[batch], mask[batch]))
    latents.fine_prior(bins.size).push(stack, bins)


def _pop_batch(model: TileModel, stack: Stack, x: Pixels, mask: Mask, batch: slice, steps: int, fill: Fill) -> None:
    bins = latents.fine_prior((batch.stop - batch.start) * model.architecture.latents).pop(stack)
    _pop_pixels(model, stack, x, mask, batch, bins, fill)
    _posterior(model, x[batch], mask[batch], steps).push(stack, bins)


def _push_coarse(model: TileModel, stack: Stack, x: Pixels, mask: Mask, coarse: int) -> None:
    prior = latents.coarse_prior(coarse, model.coarse)
    symbols = _choose(model, x[:coarse], mask[:coarse])
    p = model.coder(latents.centres(symbols, model.coarse), mask[:coarse])
    p.push(stack, _pixels(x[:coarse], mask[:coarse]))
    prior.push(stack, symbols.ravel())


def _pop_coarse(model: TileModel, stack: Stack, x: Pixels, mask: Mask, coarse: int, fill: Fill) -> None:
    symbols = latents.coarse_prior(coarse, model.coarse).pop(stack)
    bins = latents.centres(symbols.reshape(coarse, -1), model.coarse)
    _pop_pixels(model, stack, x, mask, slice(0, coarse), bins, fill)


def _pop_pixels(model: TileModel, stack: Stack, x: Pixels, mask: Mask, part: slice, bins: Bins, fill: Fill) -> None:
    p = model.coder(bins.reshape(-1, model.architecture.latents), mask[part])
    tiles = x[part]
    tiles[mask[part]] = p.pop(stack).reshape(-1, model.architecture.channels)
    fill(tiles, part)


def _choose(model: TileModel, x: Pixels, mask: Mask) -> Bins:
    """Coarse symbols (tiles, latents) that code each tile cheaply: those of the refined posterior
    mean, improved by a search where the latents are few."""
    means, _ = model.posterior(x, mask, COARSE_STEPS)
    symbols = latents.coarse_symbols(means, model.coarse)
    if model.architecture.latents > SEARCHED_LATENTS:
        return symbols
    return np.stack([_search(model, *tile) for tile in zip(symbols, x, mask)])


def _search(model: TileModel, symbols: Bins, x: Pixels, mask: Mask) -> Bins:
    """Steepest descent of one tile's bits over single steps of single latents."""
    steps = np.concatenate([np.zeros((1, symbols.size), np.int32), np.eye(symbols.size, dtype=np.int32)])
    steps = np.concatenate([steps, -steps[1:]])
    while True:
        candidates = np.clip(symbols + steps, 0, (d.LATENT_BINS >> model.coarse) - 1).astype(np.int32)
        best = candidates[int(np.argmin(_coarse_costs(model, candidates, x, mask)))]
        if np.array_equal(best, symbols):
            return symbols
        symbols = best


def _coarse_costs(model: TileModel, candidates: Bins, x: Pixels, mask: Mask) -> NDArray[np.int64]:
    """What one tile and its z cost, for each of some coarse z, in integers that every machine computes alike."""
    count = len(candidates)
    prior = latents.coarse_prior(count, model.coarse)
    masks = np.broadcast_to(mask, (count, *mask.shape))
    p = model.coder(latents.centres(candidates, model.coarse), masks)
    pixels = _pixels(np.broadcast_to(x, (count, *x.shape)), masks)
    for_z, for_x = d.costs(prior.intervals(candidates.ravel())), d.costs(p.intervals(pixels))
    return for_z.reshape(count, -1).sum(axis=1) + for_x.reshape(count, -1).sum(axis=1)


def _posterior(model: TileModel, x: Pixels, mask: Mask, steps: int) -> d.Gaussian:
    means, log_sigmas = model.posterior(x, mask, steps)
    return d.Gaussian(means.ravel(), log_sigmas.ravel())


def _pixels(x: Pixels, mask: Mask) -> NDArray[np.uint8]:
    """The coded values in the shape that the likelihood's coder takes: (pixels, channels), or flat."""
    values = x[mask]
    return values if values.shape[-1] > 1 else values.ravel()
