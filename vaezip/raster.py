"""Bits-back coding of whole pictures by a local-autoregressive model, strip after strip.

A *strip* is one row of 32×32 tiles, of one picture or of the same row of some small ones. The decoder
takes the strips from the top: it pops each tile's z, then the strip's pixels, which see those above,
then pushes z back under q(z|x). The encoder undoes that from the last strip to the first: it pops z
under q(z|x), pushes the pixels, then z under p(z), then one bit that says that z was popped. Where the
stack holds too few bits to pop z, z is chosen on a coarse grid instead, and the bit says that; the
strip that the encoder starts with is always such, and has no bit.

The stack is seeded with the checksum of the pixels, as in :mod:`vaezip.bitsback`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip import distributions as d
from vaezip import latents
from vaezip.ans import Stack, StackExhausted
from vaezip.errors import FormatError
from vaezip.exact.cholesky import room
from vaezip.local_model import LocalModel
from vaezip.networks.local import correction, kernel
from vaezip.networks.local.architecture import RADIUS, TILE
from vaezip.networks.local.neighbourhood import empty_frame
from vaezip.networks.local.regression import State, shown, size, start, with_planes
from vaezip.tiling import Pixels, Tiling

STRIP_TILES = 64
"""Pictures are joined until a strip has about as many tiles; part of the file format."""

Frame = NDArray[np.int16]
Bins = NDArray[np.int32]
Intervals = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Strip:
    """Rows ``top`` … ``top + rows − 1`` of the pictures of a slice."""

    pictures: slice
    top: int
    rows: int


def strips(shape: tuple[int, int, int, int]) -> Iterator[Strip]:
    """The strips of pictures (pictures, height, width, channels), in the decoder's order.

    >>> [(s.pictures.start, s.top, s.rows) for s in strips((1, 70, 500, 3))]
    [(0, 0, 32), (0, 32, 32), (0, 64, 6)]
    """
    n, h, w, _ = shape
    together = max(1, STRIP_TILES // -(-w // TILE))
    for first in range(0, n, together):
        for top in range(0, h, TILE):
            yield Strip(slice(first, min(n, first + together)), top, min(TILE, h - top))


def encode(model: LocalModel, pictures: Pixels, steps: int, seed: int, threads: int = 1) -> bytes:
    """Code pictures of one size.

    Args:
        model: prior, likelihood and posterior.
        pictures: uint8 (pictures, height, width, channels).
        steps: K of Algorithm 2.
        seed: 32-bit checksum, found again by :func:`decode`.
        threads: how many to use; the bytes are the same.
    """
    stack, upwards = Stack(seed), list(reversed(list(strips(pictures.shape))))
    with ThreadPoolExecutor(threads) as pool:
        regression = pool.submit(shown, model.architecture, pictures)
        if steps:
            posteriors = [pool.submit(posterior, model, regression.result()[s.pictures], s, steps) for s in upwards]
        else:  # they do not wait for the regression
            rows = (pictures[s.pictures, s.top : s.top + s.rows] for s in upwards)
            posteriors = [pool.submit(_posterior, model, part, None, 0) for part in rows]
        frame = regression.result()
        for number, (strip, q) in enumerate(zip(upwards, (future.result() for future in posteriors))):
            part = frame[strip.pictures]
            bins, coarse = (_choose(model, q), True) if number == 0 else _take(model, stack, q)
            found = intervals(model, part, strip, model.networks, model.shifts(bins), None, threads, pool.map)
            stack.push(*found, d.LOGISTIC_PRECISION)
            _prior(model, bins.shape[0], coarse).push(stack, (bins >> model.coarse * coarse).ravel())
            if number:
                d.Uniform(1, 1).push(stack, np.array([int(coarse)]))
    return stack.to_bytes()


def decode(model: LocalModel, data: bytes, shape: tuple[int, int, int, int], steps: int) -> tuple[Pixels, int]:
    """Inverse of :func:`encode`: the pictures and the seed.

    Raises:
        FormatError: the data is not what :func:`encode` made.
    """
    stack, frame = Stack.from_bytes(data), unknown(model, shape)
    last = list(strips(shape))[-1]
    try:
        for strip, known in walk(model, frame):
            coarse = strip == last or bool(d.Uniform(1, 1).pop(stack)[0])
            _pop_strip(model, stack, known, strip, coarse, steps)
    except StackExhausted:
        raise FormatError("the coded data is damaged or truncated") from None
    seed = stack.state & 0xFFFFFFFF
    if not stack.spent(seed):
        raise FormatError("the coded data is damaged")
    return unframed(model, frame), seed


def draw(model: LocalModel, stack: Stack, shape: tuple[int, int, int, int]) -> Pixels:
    """Pictures drawn from the model by the random bits of a stack: z ~ p(z), then x ~ p(x|z)."""
    frame = unknown(model, shape)
    for strip, known in walk(model, frame):
        bins = _prior(model, len(known.frame) * across(known.frame), False).pop(stack)
        shifts = model.shifts(bins.reshape(-1, model.architecture.latents))
        pop_pixels(model, stack, known, strip, model.networks, shifts)
    return unframed(model, frame)


def elbo_bits(model: LocalModel, pictures: Pixels, steps: int, draws: int = 1) -> float:
    """−ELBO of all pictures in bits, by the very intervals of the coder, the mean over some draws of z
    by pseudo-random bits."""
    total, frame, noise = 0.0, shown(model.architecture, pictures), np.random.default_rng(0)
    for strip in strips(pictures.shape):
        part = frame[strip.pictures]
        means, log_sigmas = posterior(model, part, strip, steps)
        q = d.Gaussian(means.ravel(), log_sigmas.ravel())
        prior = _prior(model, len(means), False)
        for _ in range(draws):
            bins = latents.sample(q, noise)
            shifts = model.shifts(bins.reshape(means.shape))
            total += float(d.bits(intervals(model, part, strip, model.networks, shifts), d.LOGISTIC_PRECISION).sum())
            total += float(d.bits(prior.intervals(bins), prior.precision).sum())
            total -= float(d.bits(q.intervals(bins), q.precision).sum())
    return total / draws


class Known(NamedTuple):
    """What the decoder knows of the pictures of a strip: their frame, and the state of the regression."""

    frame: Frame
    state: State


def unknown(model: LocalModel, shape: tuple[int, int, int, int]) -> Frame:
    """The frame of pictures of which no pixel is known yet."""
    return with_planes(empty_frame(shape), model.architecture)


def walk(model: LocalModel, frame: Frame) -> Iterator[tuple[Strip, Known]]:
    """The strips of a frame in the decoder's order, with what is known before each."""
    _, height, width, _ = frame.shape
    for strip in strips((len(frame), height - RADIUS, width - 2 * RADIUS, model.architecture.channels)):
        part = frame[strip.pictures]
        if strip.top == 0:
            state = start(len(part), width - 2 * RADIUS, model.architecture)
        yield strip, Known(part, state)


def _pop_strip(model: LocalModel, stack: Stack, known: Known, strip: Strip, coarse: bool, steps: int) -> None:
    tiles = len(known.frame) * across(known.frame)
    symbols = _prior(model, tiles, coarse).pop(stack).reshape(tiles, -1)
    bins = latents.centres(symbols, model.coarse) if coarse else symbols
    pop_pixels(model, stack, known, strip, model.networks, model.shifts(bins))
    if not coarse:
        means, log_sigmas = posterior(model, known.frame, strip, steps)
        d.Gaussian(means.ravel(), log_sigmas.ravel()).push(stack, bins.ravel())


def pop_pixels(
    model: LocalModel,
    stack: Stack,
    known: Known,
    strip: Strip,
    networks: kernel.Networks,
    shifts: Bins,
    correcting: correction.State | None = None,
) -> None:
    """Take the pixels of a strip, or of some rows of one, off the stack, and write them into the frame.

    Args:
        networks: the pixel network, or several side by side.
        shifts: of the style network, for each tile of the strip.
        correcting: sets mixtures right, and goes on; nothing does where it is not given.
    """
    a, head = model.architecture, (np.uint64(stack.state), stack.words, stack.size)
    given = networks, shifts, a.mixture, model.tables
    rest = known.state, room(size(a.channels)), correcting or _nothing(a.channels), head
    stack.settle(*kernel.pop_strip(known.frame, strip.top, strip.rows, *given, *rest))


def _nothing(channels: int) -> correction.State:
    """Sets nothing right."""
    return correction.start(channels, classes=0)


def unframed(model: LocalModel, frame: Frame) -> Pixels:
    """The pictures of a frame."""
    return frame[:, RADIUS:, RADIUS:-RADIUS, : model.architecture.channels].astype(np.uint8)


def _take(model: LocalModel, stack: Stack, q: tuple[Bins, Bins]) -> tuple[Bins, bool]:
    """Bins of z popped under q, or, where the stack is too short, chosen; and whether they were."""
    try:
        return d.Gaussian(q[0].ravel(), q[1].ravel()).pop(stack).reshape(q[0].shape), False
    except StackExhausted:
        return _choose(model, q), True


def _choose(model: LocalModel, q: tuple[Bins, Bins]) -> Bins:
    """The fine bins in the middle of the coarse ones in which the posterior means lie."""
    return latents.centres(latents.coarse_symbols(q[0], model.coarse), model.coarse)


def _prior(model: LocalModel, tiles: int, coarse: bool) -> d.StandardNormal:
    return latents.coarse_prior(tiles, model.coarse * int(coarse))


def intervals(
    model: LocalModel,
    frame: Frame,
    strip: Strip,
    networks: kernel.Networks,
    shifts: Bins,
    correcting: correction.State | None = None,
    parts: int = 1,
    each: Callable[..., Iterable[None]] = map,
) -> Intervals:
    """Starts and freqs of what :func:`pop_pixels` takes, in the order of pushing: what is popped first comes last.

    Args:
        correcting: as there.
        parts, each: the waves are cut into so many parts, each of which goes through this ``map``.
    """
    width, a = frame.shape[2] - 2 * RADIUS, model.architecture
    values = len(frame) * strip.rows * width * a.channels
    starts, freqs = np.empty(values, np.int64), np.empty(values, np.int64)
    found = np.empty((values, 3, a.mixture * len(networks)), np.int32)

    def fill(waves: tuple[int, int]) -> None:
        kernel.mixtures(frame, strip.top, strip.rows, waves, networks, shifts, a.mixture, model.tables, found)

    cuts = [i * kernel.wave_count(strip.rows, width) // parts for i in range(parts + 1)]
    list(each(fill, pairwise(cuts)))
    rest = found, model.tables, correcting or _nothing(a.channels), starts, freqs
    kernel.intervals(frame, strip.top, strip.rows, networks[0].order, *rest)
    return starts[::-1], freqs[::-1]


def posterior(model: LocalModel, frame: Frame, strip: Strip, steps: int) -> tuple[Bins, Bins]:
    """q(z|x) of the strip's tiles; all its pixels must be in the frame."""
    channels = model.architecture.channels
    rows = frame[:, RADIUS + strip.top : RADIUS + strip.top + strip.rows, RADIUS:-RADIUS, :channels]
    frames = tile_frames(frame, strip.top, strip.rows) if steps else None
    return _posterior(model, rows.astype(np.uint8), frames, steps)


def _posterior(model: LocalModel, rows: Pixels, frames: Frame | None, steps: int) -> tuple[Bins, Bins]:
    """The same of a strip's rows, and, to take steps, of its tiles with what surrounds them."""
    tiling = Tiling(rows.shape, (TILE, TILE))
    tiles = tiling.split(rows)
    seen = np.zeros((len(tiles), 0), np.int16) if frames is None else frames
    return model.posterior(tiles, seen, tiling.mask, steps)


def tile_frames(frame: NDArray[Any], top: int, rows: int) -> NDArray[Any]:
    """Each tile of a strip with its causal surroundings, (tiles, TILE + RADIUS, TILE + 2 RADIUS, planes);
    what lies outside of the picture repeats its edge."""
    n, _, w, c = frame.shape
    part = frame[:, top : top + rows + RADIUS]
    columns = across(frame)
    beside = columns * TILE + 2 * RADIUS - w
    part = np.pad(part, ((0, 0), (0, TILE - rows), (0, beside), (0, 0)), mode="edge")
    tiles = [part[:, :, i * TILE : i * TILE + TILE + 2 * RADIUS] for i in range(columns)]
    return np.stack(tiles, axis=1).reshape(n * columns, TILE + RADIUS, TILE + 2 * RADIUS, c)


def across(frame: Frame) -> int:
    """Tiles in a row of a frame's pictures."""
    return -(-(frame.shape[2] - 2 * RADIUS) // TILE)
