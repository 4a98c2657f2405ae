"""Code whole pictures from the top by a pixel model that adapts to what it has coded.

The strips of :mod:`vaezip.models.pixel.strips` are cut into *row groups*. The mixtures of the pixel network are
calibrated by its errors so far (:mod:`vaezip.models.pixel.calibration`). After each row group, encoder and decoder may
also train the network on it (:mod:`vaezip.models.pixel.adaptation`). So what codes a row group depends on all pixels
above. The encoder must therefore go from the top as the decoder does, keeps the intervals of all pixels, and
pushes them from the last to the first. It could not draw z from what it has coded below; z is 0, its most likely
value, and costs nothing: what z would tell of a picture is soon known.

The stream begins with the settings. One of them is the orientation of the pictures: what is above and left of a
pixel tells more, and teaches more, in one orientation than in another.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.entropy.stack import Stack, decoding
from vaezip.errors import FormatError
from vaezip.models.base import Pixels, Shape
from vaezip.models.pixel import calibration, orientation, strips
from vaezip.models.pixel.adaptation import Learners
from vaezip.models.pixel.constants import RADIUS
from vaezip.models.pixel.least_squares import frame_with_predictions
from vaezip.models.pixel.networks import PixelNetworks
from vaezip.models.pixel.settings import Adaptation
from vaezip.models.pixel.strips import Predictors, Strip
from vaezip.system import meter
from vaezip.system.threads import parts, together

Intervals = tuple[NDArray[np.uint32], NDArray[np.uint32]]


def encode(
    model: PixelNetworks, pictures: Pixels, settings: Adaptation, *, seed: int, frame: strips.Frame | None = None
) -> bytes:
    """Code pictures of one size.

    Args:
        model: prior, likelihood and posterior; it stays as it is.
        pictures: uint8 (pictures, height, width, channels).
        settings: passes, row groups and rates.
        seed: 32-bit checksum, found again by :func:`decode`.
        frame: that of the pictures in the orientation of the settings, with predictions, where it is known.
    """
    head, pictures = settings.to_bytes(), orientation.oriented(pictures, settings.orientation)
    stack = Stack(seed ^ zlib.crc32(head))  # so that no bit of the settings is unprotected
    for starts, freqs in reversed(list(_intervals(model, pictures, settings, frame))):
        stack.push(starts.astype(np.int64), freqs.astype(np.int64), d.LOGISTIC_PRECISION)
    return head + stack.to_bytes()


def bits(model: PixelNetworks, pictures: Pixels, settings: Adaptation) -> float:
    """Return what the pixels cost in bits, by the intervals of :func:`encode`."""
    found = _intervals(model, orientation.oriented(pictures, settings.orientation), settings)
    return sum(float(d.bits(part, d.LOGISTIC_PRECISION).sum()) for part in found)


def _intervals(
    model: PixelNetworks, pictures: Pixels, settings: Adaptation, frame: strips.Frame | None = None
) -> Iterator[Intervals]:
    """Yield the intervals of each row group, from the top, adapting all the while.

    Where the network learns, the intervals of a row group are made while it learns from it.
    """
    frame = frame_with_predictions(model.architecture, pictures) if frame is None else frame
    share = 1 / _count_row_groups(pictures.shape, settings)
    learners = _learners(model, pictures.shape, settings)
    state = calibration.start(model.architecture.channels, model.architecture.predictors)
    for strip in strips.strips(pictures.shape):
        part = frame[strip.pictures]
        state = calibration.begin_pictures(state, part) if strip.top == 0 else state
        offsets = _style_offsets(model, part)
        for group in _row_groups(strip, settings.row_group):
            if learners is None:
                predictors = Predictors(model.networks, offsets, state)
                found = strips.intervals(model, part, group, predictors=predictors, parts=parts())
            else:
                networks = tuple(weights.copied() for weights in learners.networks)
                predictors = Predictors(networks, offsets, state)
                make = partial(strips.intervals, model, part, group, predictors=predictors)
                learn = partial(learners.learn, part, top=group.top, rows=group.rows, offsets=offsets)
                found, _ = together(make, learn)
            starts, freqs = found
            meter.advance(share)
            yield starts.astype(np.uint32), freqs.astype(np.uint32)  # half the memory


def decode(model: PixelNetworks, data: bytes, shape: Shape, *, steps: int) -> tuple[Pixels, int]:
    """Undo :func:`encode`, and return the pictures and the seed.

    Args:
        steps: those of the settings, as the block has them.

    Raises:
        FormatError: the data is not what :func:`encode` made.
    """
    settings, length = read_settings(data, steps)
    shape = orientation.oriented_shape(shape, settings.orientation)
    with decoding(data[length:]) as stack:
        frame = strips.unknown(model, shape)
        _pop(model, stack, frame, settings)
    seed = stack.finish()
    pictures = orientation.unoriented(strips.unframed(model, frame), settings.orientation)
    return np.ascontiguousarray(pictures), seed ^ zlib.crc32(data[:length])


def read_settings(data: bytes, steps: int) -> tuple[Adaptation, int]:
    """Read the settings before the stack, and return them and the number of their bytes.

    Raises:
        FormatError: there are none, or they tell another number of steps.
    """
    try:
        settings, length = Adaptation.from_bytes(data)
    except ValueError:
        raise FormatError("the coded data is damaged or truncated") from None
    if settings.steps != steps:
        raise FormatError("the coded data is damaged")
    return settings, length


def _pop(model: PixelNetworks, stack: Stack, frame: strips.Frame, settings: Adaptation) -> None:
    """Pop all pixels into the frame."""
    a = model.architecture
    shape = len(frame), frame.shape[1] - RADIUS, frame.shape[2] - 2 * RADIUS, a.channels
    learners, state = _learners(model, shape, settings), calibration.start(a.channels, a.predictors)
    share = 1 / _count_row_groups(shape, settings)
    for strip, known in strips.walk(model, frame):
        state = calibration.begin_pictures(state, known.frame) if strip.top == 0 else state
        offsets = _style_offsets(model, known.frame)
        for group in _row_groups(strip, settings.row_group):
            networks = learners.networks if learners else model.networks
            predictors = Predictors(networks, offsets, state)
            strips.pop_pixels(model, stack, known, strip=group, predictors=predictors)
            if learners:
                learners.learn(known.frame, top=group.top, rows=group.rows, offsets=offsets)
            meter.advance(share)


def _style_offsets(model: PixelNetworks, frame: strips.Frame) -> NDArray[np.int32]:
    """Return what z = 0 adds to the hidden units of a strip's tiles, (tiles, style offsets)."""
    nothing = np.full((1, model.architecture.latents), d.LATENT_BINS // 2, np.int32)
    return np.repeat(model.style_offsets(nothing), len(frame) * strips.across(frame), axis=0)


def _learners(model: PixelNetworks, shape: Shape, settings: Adaptation) -> Learners | None:
    """Make the copies of the network that learn, where the settings ask for passes."""
    if not settings.passes:
        return None
    groups = _count_row_groups(shape, settings)
    return Learners(model.architecture, model.layers, settings=settings, groups=groups)


def _count_row_groups(shape: Shape, settings: Adaptation) -> int:
    return sum(1 for strip in strips.strips(shape) for _ in _row_groups(strip, settings.row_group))


def _row_groups(strip: Strip, rows: int) -> Iterator[Strip]:
    end = strip.top + strip.rows
    return (replace(strip, top=top, rows=min(rows, end - top)) for top in range(strip.top, end, rows))
