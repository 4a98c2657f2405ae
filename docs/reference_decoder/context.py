"""Section 9.2: the context of a pixel, of pictures that are decoded together."""

from dataclasses import dataclass

import numpy as np

from .exact import log2_linear

MARGIN = 3
ABOVE = [(dy, dx) for dy in (-3, -2, -1) for dx in range(-3, 4)] + [(0, dx) for dx in (-3, -2, -1)]


def coding_order(channels: int) -> list[int]:
    """List the channels of the picture in the order in which they are coded."""
    return [1, 0, 2] if channels == 3 else [0]


@dataclass
class Pixels:
    """Name some pixels of a set of pictures: picture, row and column of each."""

    i: np.ndarray
    y: np.ndarray
    x: np.ndarray

    def __len__(self) -> int:
        """Count the pixels."""
        return len(self.i)

    def __getitem__(self, part: slice | np.ndarray) -> "Pixels":
        """Take some of the pixels."""
        return Pixels(self.i[part], self.y[part], self.x[part])

    def of(self, array: np.ndarray) -> np.ndarray:
        """Take what an array (pictures, rows, columns, ...) holds for the pixels."""
        return array[self.i, self.y, self.x]


class Context:
    """Hold the frames of a set of pictures, and what is kept for each pixel."""

    def __init__(self, pictures: int, height: int, width: int, channels: int, predictors: int) -> None:
        """Begin with nothing decoded; the model has so many predictors by least squares."""
        self.predictors = predictors
        self.pictures, self.height, self.width, self.channels = pictures, height, width, channels
        self.order = coding_order(channels)
        self.frame = np.zeros((pictures, height + MARGIN, width + 2 * MARGIN, channels), np.int64)
        self.frame[:, :MARGIN] = 128
        self.frame[:, MARGIN, :MARGIN] = 128
        self.expected, self.predicted = np.zeros((2, pictures, height, width, predictors, channels), np.int64)
        self.log_variance = np.zeros((pictures, height, width, channels), np.int64)
        self.energy = np.zeros((*self.frame.shape[:3], predictors), np.int64)  # with margins of 0

    @property
    def values(self) -> np.ndarray:
        """Return the values without the margins."""
        return self.frame[:, MARGIN:, MARGIN:-MARGIN]

    def at(self, pixels: Pixels, dy: int, dx: int) -> np.ndarray:
        """Take the values, (pixels, channels), so many rows below and columns to the right."""
        return self.frame[pixels.i, pixels.y + MARGIN + dy, pixels.x + MARGIN + dx]

    def set(self, pixels: Pixels, channel: int, values: np.ndarray) -> None:
        """Store values of one channel of the picture, and the margins that follow from them."""
        self.frame[pixels.i, pixels.y + MARGIN, pixels.x + MARGIN, channel] = values
        first = (pixels.x == 0) & (pixels.y + 1 < self.height)
        last = pixels.x == self.width - 1
        for m in range(MARGIN):
            self.frame[pixels.i[first], pixels.y[first] + MARGIN + 1, m, channel] = values[first]
            self.frame[pixels.i[last], pixels.y[last] + MARGIN, MARGIN + self.width + m, channel] = values[last]

    def median_edge(self, pixels: Pixels) -> np.ndarray:
        """Compute the median-edge prediction P of every channel, in the order of the picture."""
        a, b, d = self.at(pixels, 0, -1), self.at(pixels, -1, 0), self.at(pixels, -1, -1)
        return np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), a + b - d))

    def residuals(self, pixels: Pixels) -> np.ndarray:
        """Compute value - P of every channel, in coding order, once the values are known."""
        return (self.at(pixels, 0, 0) - self.median_edge(pixels))[:, self.order]

    def energies(self, pixels: Pixels, dy: int, dx: int) -> np.ndarray:
        """Take the energies, (pixels, predictors), so many rows below and columns to the right."""
        return self.energy[pixels.i, pixels.y + MARGIN + dy, pixels.x + MARGIN + dx]

    def nearby_energy(self, pixels: Pixels) -> np.ndarray:
        """Sum the energies around pixels that are not known yet."""
        beside = self.energies(pixels, 0, -1) + self.energies(pixels, -1, 0)
        return 2 * beside + self.energies(pixels, -1, -1) + self.energies(pixels, -1, 1)

    def features(self, pixels: Pixels) -> np.ndarray:
        """Compute the features of section 9.4.1."""
        p = self.median_edge(pixels)
        parts = [self.at(pixels, dy, dx) - p for dy, dx in ABOVE] + [p - 128]
        if self.predictors:
            parts += [pixels.of(self.expected).reshape(len(pixels), -1), pixels.of(self.log_variance)]
        if self.predictors > 1:
            total = (1 + self.nearby_energy(pixels)).astype(np.float64)
            level = np.trunc(log2_linear(total) * 32.0).astype(np.int64)
            level[:, 1:] -= level[:, :1]
            parts.append(level)
        return np.concatenate(parts, axis=1)
