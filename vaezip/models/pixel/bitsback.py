"""Bits-back coding of whole pictures by a local-autoregressive model, strip after strip.

A *strip* is one row of 32×32 tiles, of one picture or of the same row of some small ones. The decoder
takes the strips from the top: it pops each tile's z, then the strip's pixels, which see those above,
then pushes z back under q(z|x). The encoder undoes that from the last strip to the first: it pops z
under q(z|x), pushes the pixels, then z under p(z), then one bit that says that z was popped. Where the
stack holds too few bits to pop z, z is chosen on a coarse grid instead, and the bit says that; the
strip that the encoder starts with is always such, and has no bit.

The stack is seeded with the checksum of the pixels, as in :mod:`vaezip.models.tile.bitsback`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from vaezip.entropy import distributions as d
from vaezip.entropy.stack import Stack, StackExhausted, decoding
from vaezip.models import latents
from vaezip.models.base import Pixels, Shape
from vaezip.models.pixel.constants import RADIUS, TILE
from vaezip.models.pixel.least_squares import frame_with_predictions
from vaezip.models.pixel.networks import PixelNetworks
from vaezip.models.pixel.strips import (
    Bins,
    Frame,
    Known,
    Strip,
    across,
    intervals,
    pop_pixels,
    strips,
    tile_frames,
    uncalibrated,
    unframed,
    unknown,
    walk,
)
from vaezip.models.tiling import Tiling
from vaezip.system import meter
from vaezip.system.threads import parts, spread, together


def encode(model: PixelNetworks, pictures: Pixels, *, steps: int, seed: int) -> bytes:
    """Code pictures of one size.

    Args:
        model: prior, likelihood and posterior.
        pictures: uint8 (pictures, height, width, channels).
        steps: K of Algorithm 2.
        seed: 32-bit checksum, found again by :func:`decode`.
    """
    stack, upwards = Stack(seed), list(reversed(list(strips(pictures.shape))))
    frame, posteriors = _frame_and_posteriors(model, pictures, upwards, steps)
    for number, (strip, q) in enumerate(zip(upwards, posteriors)):
        bins, coarse = (_choose(model, q), True) if number == 0 else _take(model, stack, q)
        predictors = uncalibrated(model, model.style_offsets(bins))
        found = intervals(model, frame[strip.pictures], strip, predictors=predictors, parts=parts())
        stack.push(*found, d.LOGISTIC_PRECISION)
        _prior(model, bins.shape[0], coarse).push(stack, (bins >> model.coarse * coarse).ravel())
        if number:
            d.Uniform(1, 1).push(stack, np.array([int(coarse)]))
        meter.advance(1 / len(upwards))
    return stack.to_bytes()


def _frame_and_posteriors(
    model: PixelNetworks, pictures: Pixels, upwards: list[Strip], steps: int
) -> tuple[Frame, list[tuple[Bins, Bins]]]:
    """Return the frame of the pictures, and the posteriors of the strips, which wait for the frame if there are
    steps."""

    def frame() -> Any:
        return frame_with_predictions(model.architecture, pictures)

    if steps:
        made = frame()
        return made, spread(lambda s: posterior(model, made[s.pictures], s, steps=steps), upwards)

    def amortized(s: Strip) -> Any:
        return _posterior(model, pictures[s.pictures, s.top : s.top + s.rows], None, 0)

    made, *posteriors = together(frame, *(partial(amortized, s) for s in upwards))
    return made, posteriors


def decode(model: PixelNetworks, data: bytes, shape: Shape, *, steps: int) -> tuple[Pixels, int]:
    """Invert :func:`encode`: return the pictures and the seed.

    Raises:
        FormatError: the data is not what :func:`encode` made.
    """
    with decoding(data) as stack:
        frame, listed = unknown(model, shape), list(strips(shape))
        for strip, known in walk(model, frame):
            coarse = strip == listed[-1] or bool(d.Uniform(1, 1).pop(stack)[0])
            _pop_strip(model, stack, known, strip, coarse, steps)
            meter.advance(1 / len(listed))
    return unframed(model, frame), stack.finish()


def draw(model: PixelNetworks, stack: Stack, shape: Shape) -> Pixels:
    """Draw pictures from the model by the random bits of a stack: z ~ p(z), then x ~ p(x|z)."""
    frame = unknown(model, shape)
    for strip, known in walk(model, frame):
        bins = _prior(model, len(known.frame) * across(known.frame), False).pop(stack)
        offsets = model.style_offsets(bins.reshape(-1, model.architecture.latents))
        pop_pixels(model, stack, known, strip=strip, predictors=uncalibrated(model, offsets))
    return unframed(model, frame)


def elbo_bits(model: PixelNetworks, pictures: Pixels, *, steps: int, draws: int = 1) -> float:
    """Compute −ELBO of all pictures in bits, by the very intervals of the coder, the mean over some draws of z
    by pseudo-random bits."""
    total, frame, noise = 0.0, frame_with_predictions(model.architecture, pictures), np.random.default_rng(0)
    for strip in strips(pictures.shape):
        part = frame[strip.pictures]
        means, log_sigmas = posterior(model, part, strip, steps=steps)
        q = d.Gaussian(means.ravel(), log_sigmas.ravel())
        prior = _prior(model, len(means), False)
        for _ in range(draws):
            bins = latents.sample(q, noise)
            predictors = uncalibrated(model, model.style_offsets(bins.reshape(means.shape)))
            found = intervals(model, part, strip, predictors=predictors)
            total += float(d.bits(found, d.LOGISTIC_PRECISION).sum())
            total += float(d.bits(prior.intervals(bins), prior.precision).sum())
            total -= float(d.bits(q.intervals(bins), q.precision).sum())
    return total / draws


def _pop_strip(model: PixelNetworks, stack: Stack, known: Known, strip: Strip, coarse: bool, steps: int) -> None:
    tiles = len(known.frame) * across(known.frame)
    symbols = _prior(model, tiles, coarse).pop(stack).reshape(tiles, -1)
    bins = latents.centres(symbols, model.coarse) if coarse else symbols
    pop_pixels(model, stack, known, strip=strip, predictors=uncalibrated(model, model.style_offsets(bins)))
    if not coarse:
        means, log_sigmas = posterior(model, known.frame, strip, steps=steps)
        d.Gaussian(means.ravel(), log_sigmas.ravel()).push(stack, bins.ravel())


def _take(model: PixelNetworks, stack: Stack, q: tuple[Bins, Bins]) -> tuple[Bins, bool]:
    """Pop bins of z under q, or choose them where the stack is too short; tell whether they were chosen."""
    try:
        return d.Gaussian(q[0].ravel(), q[1].ravel()).pop(stack).reshape(q[0].shape), False
    except StackExhausted:
        return _choose(model, q), True


def _choose(model: PixelNetworks, q: tuple[Bins, Bins]) -> Bins:
    """Choose the fine bins in the middle of the coarse ones in which the posterior means lie."""
    return latents.centres(latents.coarse_symbols(q[0], model.coarse), model.coarse)


def _prior(model: PixelNetworks, tiles: int, coarse: bool) -> d.StandardNormal:
    return latents.coarse_prior(tiles, model.coarse * int(coarse))


def posterior(model: PixelNetworks, frame: Frame, strip: Strip, *, steps: int) -> tuple[Bins, Bins]:
    """Compute q(z|x) of the strip's tiles; all its pixels must be in the frame."""
    channels = model.architecture.channels
    rows = frame[:, RADIUS + strip.top : RADIUS + strip.top + strip.rows, RADIUS:-RADIUS, :channels]
    frames = tile_frames(frame, strip.top, strip.rows) if steps else None
    return _posterior(model, rows.astype(np.uint8), frames, steps)


def _posterior(model: PixelNetworks, rows: Pixels, frames: Frame | None, steps: int) -> tuple[Bins, Bins]:
    """Compute the same of a strip's rows, and, to take steps, of its tiles with what surrounds them."""
    tiling = Tiling(rows.shape, (TILE, TILE))
    tiles = tiling.split(rows)
    seen = np.zeros((len(tiles), 0), np.int16) if frames is None else frames
    return model.posterior(tiles, seen, tiling.mask, steps=steps)
