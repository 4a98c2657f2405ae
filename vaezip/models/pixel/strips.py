"""Strips: rows of 32×32 tiles, the unit in which a pixel model codes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy.stack import Stack
from vaezip.models.base import Pixels
from vaezip.models.pixel import calibration, kernel, pushing
from vaezip.models.pixel.constants import RADIUS, STRIP_TILES, TILE
from vaezip.models.pixel.context import empty_frame
from vaezip.models.pixel.least_squares import States, start, workspace
from vaezip.models.pixel.networks import PixelNetworks
from vaezip.models.pixel.weights import Networks
from vaezip.system.spans import span, timed
from vaezip.system.threads import spread

Frame = NDArray[np.int16]
Bins = NDArray[np.int32]
Intervals = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Strip:
    """A strip: rows ``top`` … ``top + rows − 1`` of the pictures of a slice."""

    pictures: slice
    top: int
    rows: int


def strips(shape: tuple[int, int, int, int]) -> Iterator[Strip]:
    """List the strips of pictures (pictures, height, width, channels), in the decoder's order.

    >>> [(s.pictures.start, s.top, s.rows) for s in strips((1, 70, 500, 3))]
    [(0, 0, 32), (0, 32, 32), (0, 64, 6)]
    """
    n, h, w, _ = shape
    together = max(1, STRIP_TILES // -(-w // TILE))
    for first in range(0, n, together):
        for top in range(0, h, TILE):
            yield Strip(slice(first, min(n, first + together)), top, min(TILE, h - top))


class Known(NamedTuple):
    """The decoder's knowledge of a strip's pictures: their frame, and the states of the least-squares predictors."""

    frame: Frame
    states: States


def unknown(model: PixelNetworks, shape: tuple[int, int, int, int]) -> Frame:
    """Frame pictures of which no pixel is known yet."""
    return empty_frame(shape, model.architecture.planes)


def walk(model: PixelNetworks, frame: Frame) -> Iterator[tuple[Strip, Known]]:
    """Walk through the strips of a frame in the decoder's order, with what is known before each."""
    _, height, width, _ = frame.shape
    for strip in strips((len(frame), height - RADIUS, width - 2 * RADIUS, model.architecture.channels)):
        part = frame[strip.pictures]
        if strip.top == 0:
            states = start(len(part), width - 2 * RADIUS, model.architecture)
        yield strip, Known(part, states)


class Predictors(NamedTuple):
    """The predictors of the pixels of a strip.

    Attributes:
        networks: the pixel network, or several side by side.
        offsets: what the style network adds, for each tile of the strip.
        calibration: moves and stretches mixtures, and goes on in place.
    """

    networks: Networks
    offsets: Bins
    calibration: calibration.State


def uncalibrated(model: PixelNetworks, offsets: Bins) -> Predictors:
    """Return the model's own network, whose mixtures stay as they are."""
    return Predictors(model.networks, offsets, calibration.identity(model.architecture.channels))


@timed("pixel network")
def pop_pixels(model: PixelNetworks, stack: Stack, known: Known, *, strip: Strip, predictors: Predictors) -> None:
    """Take the pixels of a strip, or of some rows of one, off the stack, and write them into the frame."""
    a = model.architecture
    by = predictors.networks, predictors.offsets, a.mixture, model.tables
    inputs = calibration.scratch_for(predictors.calibration, a.mixture * len(predictors.networks))
    states = known.states, workspace(len(known.frame), a), predictors.calibration, inputs
    stack.run(kernel.pop_strip, known.frame, strip.top, strip.rows, *by, *states)


def unframed(model: PixelNetworks, frame: Frame) -> Pixels:
    """Take the pictures out of a frame."""
    return frame[:, RADIUS:, RADIUS:-RADIUS, : model.architecture.channels].astype(np.uint8)


def intervals(model: PixelNetworks, frame: Frame, strip: Strip, *, predictors: Predictors, parts: int = 1) -> Intervals:
    """Return starts and freqs of what :func:`pop_pixels` takes, in the order of pushing: what is popped first comes
    last.

    Args:
        model: has the tables of the mixtures.
        frame: the pictures of the strip, all of whose pixels are known.
        strip: the rows.
        predictors: as there.
        parts: the waves are cut into so many parts, which workers share.
    """
    networks, offsets, calibrated = predictors
    width, a = frame.shape[2] - 2 * RADIUS, model.architecture
    values = len(frame) * strip.rows * width * a.channels
    starts, freqs = np.empty(values, np.int64), np.empty(values, np.int64)
    found = np.empty((values, 3, a.mixture * len(networks)), np.int32)

    def fill(waves: tuple[int, int]) -> None:
        with span("pixel network"):
            kernel.mixtures(frame, strip.top, strip.rows, waves, networks, offsets, a.mixture, model.tables, found)

    cuts = [i * kernel.wave_count(strip.rows, width) // parts for i in range(parts + 1)]
    spread(fill, pairwise(cuts))
    by = model.tables, calibrated, calibration.scratch_for(calibrated, found.shape[2])
    with span("calibration and intervals"):
        pushing.intervals(frame, strip.top, strip.rows, networks[0].order, found, *by, starts, freqs)
    return starts[::-1], freqs[::-1]


def tile_frames(frame: NDArray[Any], top: int, rows: int) -> NDArray[Any]:
    """Cut out each tile of a strip with its causal surroundings, (tiles, TILE + RADIUS, TILE + 2 RADIUS, planes);
    what lies outside of the picture repeats its edge."""
    n, _, w, c = frame.shape
    part = frame[:, top : top + rows + RADIUS]
    columns = across(frame)
    beside = columns * TILE + 2 * RADIUS - w
    part = np.pad(part, ((0, 0), (0, TILE - rows), (0, beside), (0, 0)), mode="edge")
    tiles = [part[:, :, i * TILE : i * TILE + TILE + 2 * RADIUS] for i in range(columns)]
    return np.stack(tiles, axis=1).reshape(n * columns, TILE + RADIUS, TILE + 2 * RADIUS, c)


def across(frame: Frame) -> int:
    """Count the tiles in a row of a frame's pictures."""
    return -(-(frame.shape[2] - 2 * RADIUS) // TILE)
