"""Section 9.1: how the pixels of some rows are decoded, wave by wave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .context import Context, Pixels
from .distributions import clamp_scale, mixture_starts, softmax
from .least_squares import Regression
from .pixel_network import PixelNetwork
from .stack import Stack

if TYPE_CHECKING:
    from .calibration import Calibration

LAG = 4
CHUNK = 32
WHOLE = 1 << 14


class PictureSet:
    """Hold pictures that are decoded together: their context and, where the model has one, their regression."""

    def __init__(self, shape: tuple[int, ...], predictors: int) -> None:
        """Begin with nothing decoded of pictures (n, H, W, c), for a model of so many predictors by least squares."""
        self.context = Context(*shape, predictors)
        self.regression = Regression(self.context) if predictors else None

    def features(self, pixels: Pixels) -> np.ndarray:
        """Compute the features of pixels."""
        return self.context.features(pixels)

    def sides(self, pixels: Pixels, residuals: np.ndarray) -> np.ndarray:
        """Join all side inputs, given residuals (0 where they are not known yet)."""
        return np.concatenate([residuals, pixels.of(self.context.predicted).reshape(len(pixels), -1)], axis=1)


def joined_sets(shape: tuple[int, ...]) -> list[range]:
    """Join the pictures of a block to sets."""
    across = -(-shape[2] // 32)
    size = max(1, 64 // across)
    return [range(i, min(i + size, shape[0])) for i in range(0, shape[0], size)]


def wave_pixels(context: Context, top: int, rows: int, t: int) -> Pixels:
    """List the pixels of wave t of so many rows."""
    r = np.arange(rows)
    x = t - LAG * r
    inside = (x >= 0) & (x < context.width)
    r, x = r[inside], x[inside]
    i = np.repeat(np.arange(context.pictures), len(r))
    return Pixels(i, np.tile(r + top, context.pictures), np.tile(x, context.pictures))


def all_pixels(context: Context, top: int, rows: int) -> Pixels:
    """List the pixels of so many rows, picture by picture, row by row, from the left."""
    i, y, x = np.indices((context.pictures, rows, context.width)).reshape(3, -1)
    return Pixels(i, y + top, x)


def mixture_parameters(output: np.ndarray, p: np.ndarray, whole: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn outputs of the network into weights, means and log scales (not clamped), (pixels, C) each."""
    logit, mean, scale = np.split(output, 3, axis=-1)
    return softmax(logit, whole), 16 * p[:, None] + mean, scale


class RowDecoder:
    """Decode rows with one network or two, and with a calibration or without."""

    def __init__(self, stack: Stack, networks: list[PixelNetwork], calibration: Calibration | None = None) -> None:
        """Take what decodes the values."""
        self.stack, self.networks, self.calibration = stack, networks, calibration

    def decode(self, pictures: PictureSet, top: int, rows: int, style: np.ndarray) -> None:
        """Decode so many rows of a set; `style` holds the style biases (pictures, tiles in a row, biases)."""
        context, regression = pictures.context, pictures.regression
        segments = -(-context.width // LAG)
        if regression:
            regression.begin(top, rows)
        for t in range(LAG * (segments + rows - 1)):
            begins = t % LAG == 0
            if begins and regression:
                regression.solve(t)
            if begins and self.calibration and t < context.width + LAG * (rows - 1):
                self.calibration.step()
            wave = wave_pixels(context, top, rows, t)
            for first in range(0, len(wave), CHUNK):
                self.decode_chunk(pictures, wave[first : first + CHUNK], style)
            if t % LAG == LAG - 1 and regression:
                regression.add(t)

    def decode_chunk(self, pictures: PictureSet, pixels: Pixels, style: np.ndarray) -> None:
        """Decode the pixels of a chunk, channel by channel."""
        context, regression = pictures.context, pictures.regression
        if regression:
            regression.expect(pixels)
        features = pictures.features(pixels)
        biases = style[pixels.i, pixels.x // 32]
        hidden = [network.hidden(features, biases) for network in self.networks]
        p = context.median_edge(pixels)
        residuals = np.zeros((len(pixels), context.channels), np.int64)
        for j, channel in enumerate(context.order):
            if regression:
                regression.predict(pixels, j, residuals)
            sides = pictures.sides(pixels, residuals)
            parts = [
                mixture_parameters(network.parameters(j, h, sides), p[:, channel], WHOLE // len(self.networks))
                for network, h in zip(self.networks, hidden, strict=True)
            ]
            w, m, a = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
            a = clamp_scale(a)
            if self.calibration:
                m, a = self.calibration.move(pictures, pixels, j, p[:, channel], residuals, (w, m, a))
            values = np.array([self.stack.pop_table(starts, 22) for starts in mixture_starts(w, m, a)])
            if self.calibration:
                self.calibration.observe(values)
            context.set(pixels, channel, values)
            residuals[:, j] = values - p[:, channel]
        if regression:
            regression.learn(pixels, residuals)
