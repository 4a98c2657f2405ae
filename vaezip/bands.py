"""Coding of whole pictures by a local-autoregressive model that learns while it codes.

The strips of :mod:`vaezip.raster` are cut into *bands* of a few rows. After each, encoder and decoder
train the pixel network on it (:mod:`vaezip.networks.local.learning`), so the weights that code a band
depend on all pixels above. The encoder must therefore go from the top as the decoder does, and cannot
draw z from what it has coded below: z is chosen, on the coarse grid. It keeps the intervals of all
pixels, and pushes them from the last to the first.

The stream begins with the settings of the learning, a byte each.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vaezip import distributions as d
from vaezip import latents, raster
from vaezip.ans import Stack, StackExhausted
from vaezip.errors import FormatError
from vaezip.latents import Bins
from vaezip.local_model import LocalModel
from vaezip.model import Pixels
from vaezip.networks.local.learning import Learner, Learning
from vaezip.networks.local.neighbourhood import empty_frame, framed
from vaezip.raster import Strip

_SETTINGS = 5

Intervals = tuple[NDArray[np.uint32], NDArray[np.uint32]]


def encode(model: LocalModel, pictures: Pixels, learning: Learning, seed: int) -> bytes:
    """Code pictures of one size.

    Args:
        model: prior, likelihood and posterior; it stays as it is.
        pictures: uint8 (pictures, height, width, channels).
        learning: K, the bands and the rates.
        seed: 32-bit checksum, found again by :func:`decode`.
    """
    head = learning.to_bytes()
    stack = Stack(seed ^ zlib.crc32(head))  # so that no bit of the settings is unprotected
    for symbols, found in reversed(list(_strips(model, pictures, learning))):
        for starts, freqs in reversed(found):
            stack.push(starts.astype(np.int64), freqs.astype(np.int64), d.LOGISTIC_PRECISION)
        latents.coarse_prior(len(symbols), model.coarse).push(stack, symbols.ravel())
    return head + stack.to_bytes()


def bits(model: LocalModel, pictures: Pixels, learning: Learning) -> float:
    """What z and pixels cost, by the intervals of :func:`encode`."""
    total = 0.0
    for symbols, found in _strips(model, pictures, learning):
        prior = latents.coarse_prior(len(symbols), model.coarse)
        total += float(d.bits(prior.intervals(symbols.ravel()), prior.precision).sum())
        total += sum(float(d.bits(part, d.LOGISTIC_PRECISION).sum()) for part in found)
    return total


def _strips(model: LocalModel, pictures: Pixels, learning: Learning) -> Iterator[tuple[Bins, list[Intervals]]]:
    """Coarse symbols of z, and the intervals of each band, strip after strip, learning all the while."""
    frame = framed(pictures)
    learner = _learner(model, pictures.shape, learning)
    for strip in raster.strips(pictures.shape):
        part = frame[strip.pictures]
        means, _ = raster.posterior(model, part, strip, 0)
        symbols = latents.coarse_symbols(means, model.coarse)
        shifts = model.shifts(latents.centres(symbols, model.coarse))
        found = []
        for band in _bands(strip, learning.rows):
            starts, freqs = raster.intervals(model, part, band, learner.weights, shifts)
            found.append((starts.astype(np.uint32), freqs.astype(np.uint32)))  # half the memory
            learner.after(part, band.top, band.rows, shifts)
        yield symbols, found


def decode(model: LocalModel, data: bytes, shape: tuple[int, int, int, int], steps: int) -> tuple[Pixels, int]:
    """Inverse of :func:`encode`: the pictures and the seed.

    Raises:
        FormatError: the data is not what :func:`encode` made.
    """
    if len(data) < _SETTINGS:
        raise FormatError("the coded data is damaged or truncated")
    try:
        learning = Learning(steps, *data[:_SETTINGS])
    except ValueError:
        raise FormatError("the coded data is damaged") from None
    stack, frame = Stack.from_bytes(data[_SETTINGS:]), empty_frame(shape)
    learner = _learner(model, shape, learning)
    try:
        for strip in raster.strips(shape):
            part = frame[strip.pictures]
            tiles = len(part) * raster.across(part)
            symbols = latents.coarse_prior(tiles, model.coarse).pop(stack).reshape(tiles, -1)
            shifts = model.shifts(latents.centres(symbols, model.coarse))
            for band in _bands(strip, learning.rows):
                raster.pop_pixels(model, stack, part, band, learner.weights, shifts)
                learner.after(part, band.top, band.rows, shifts)
    except StackExhausted:
        raise FormatError("the coded data is damaged or truncated") from None
    seed = stack.state & 0xFFFFFFFF
    if not stack.spent(seed):
        raise FormatError("the coded data is damaged")
    return raster.unframed(frame), seed ^ zlib.crc32(data[:_SETTINGS])


def _learner(model: LocalModel, shape: tuple[int, int, int, int], learning: Learning) -> Learner:
    bands = sum(1 for strip in raster.strips(shape) for _ in _bands(strip, learning.rows))
    return Learner(model.architecture, model.layers, learning, bands)


def _bands(strip: Strip, rows: int) -> Iterator[Strip]:
    end = strip.top + strip.rows
    return (replace(strip, top=top, rows=min(rows, end - top)) for top in range(strip.top, end, rows))
