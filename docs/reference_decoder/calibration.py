"""Section 10.4: how far earlier predictions were off moves and stretches the mixtures of later ones."""

import numpy as np

from .context import MARGIN, Context, Pixels
from .exact import SCALE_RECIPROCAL, log2_linear, logistic_gradient
from .posterior import ordered_sum
from .waves import PictureSet

CLASSES = 14
DEVIATION_CLASSES = 6
FADING = float.fromhex("0x1.b4e81b4e81b4fp-15")  # 0.02 / 384
FIRST_SIZE = 300.0
RATE = 0.7
PI_BY_ROOT_3 = float.fromhex("0x1.d05527b6e43d2p+0")
PLACES = [(0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-1, 2), (-1, -2), (-2, -1), (-2, 1), (0, -3), (-3, 0)]
Mixture = tuple[np.ndarray, np.ndarray, np.ndarray]


class Weights:
    """Hold the weights of the moves or of the stretches, with the sums from which they learn."""

    def __init__(self, channels: int, inputs: int) -> None:
        """Begin with weights of 0."""
        self.weight, self.gradient = (np.zeros((CLASSES, channels, inputs)) for _ in range(2))
        self.size = np.full((CLASSES, channels, inputs), FIRST_SIZE)

    def apply(self, classes: list[np.ndarray], j: int, inputs: np.ndarray) -> np.ndarray:
        """Compute the weighted sum of the inputs of each pixel."""
        weight = self.weight[classes[0], j] + self.weight[classes[1], j]
        return ordered_sum(weight * inputs)[:, 0]

    def observe(self, classes: list[np.ndarray], j: int, inputs: np.ndarray, slope: np.ndarray) -> None:
        """Add pixels to the sums, one after the other."""
        for index in classes:
            np.add.at(self.gradient, (index, j), slope[:, None] * inputs)
            np.add.at(self.size, (index, j), inputs * inputs)

    def step(self, kept: float) -> None:
        """Move the weights, and fade the sums (section 10.4.4)."""
        self.weight = self.weight + (RATE * self.gradient) / self.size
        self.size = FIRST_SIZE + (self.size - FIRST_SIZE) * kept
        self.gradient[:] = 0.0


class Calibration:
    """Hold the state of the calibration of a block."""

    def __init__(self, channels: int, predictors: int) -> None:
        """Begin a block."""
        self.channels = channels
        others = channels - 1
        of_predictors = 2 * predictors - 1 if predictors > 1 else 0
        self.moves = Weights(channels, 12 + 2 * others + others + 4 + of_predictors)
        self.stretches = Weights(channels, 4 + others + 2)
        self.pixels = 0

    def begin_set(self, context: Context) -> None:
        """Begin a set of pictures: no errors are known."""
        self.error = np.zeros(context.frame.shape, np.int64)

    def step(self) -> None:
        """Learn from the pixels since the last step (section 10.4.4)."""
        if self.pixels > 0:
            kept = max(0.5, 1.0 - FADING * float(self.pixels))
            self.moves.step(kept)
            self.stretches.step(kept)
            self.pixels = 0

    def errors(self, pixels: Pixels, dy: int, dx: int, j: int) -> np.ndarray:
        """Look up how far predictions of channel j nearby were off."""
        return self.error[pixels.i, pixels.y + MARGIN + dy, pixels.x + MARGIN + dx, j] / 256.0

    def move(
        self, pictures: PictureSet, pixels: Pixels, j: int, p: np.ndarray, residuals: np.ndarray, mixture: Mixture
    ) -> tuple[np.ndarray, np.ndarray]:
        """Move and stretch the mixtures of channel j: return their means and log scales (section 10.4.2)."""
        w, m, a = mixture
        mean = (w * m).sum(axis=-1).astype(np.float64) * 2.0**-14 * 2.0**-4
        sum_of_scales = ordered_sum(w.astype(np.float64) / SCALE_RECIPROCAL[a + 96])[:, 0]
        deviation = (sum_of_scales * 2.0**-14) * PI_BY_ROOT_3
        by_deviation = (deviation[:, None] >= 2.0 ** np.arange(DEVIATION_CLASSES - 1)).sum(axis=1)
        by_mean = DEVIATION_CLASSES + np.trunc(np.clip(mean, 0.0, 255.0)).astype(np.int64) * 8 // 256
        classes = [by_deviation, by_mean]
        f, g = self.inputs(pictures, pixels, j, p.astype(np.float64), residuals, mean, deviation)
        x = self.moves.apply(classes, j, f)
        s = self.stretches.apply(classes, j, g)
        by = np.floor((np.clip(x, -2.0, 2.0) * deviation) * 16.0 + 0.5).astype(np.int64)
        wider = np.floor(np.clip(s, -1.0, 1.0) * 32.0 + 0.5).astype(np.int64)
        m, a = m + by[:, None], np.clip(a + wider[:, None], -96, 176)
        self.kept = (pixels, j, classes, f, g, mean, deviation, (w, m, a))
        return m, a

    def inputs(
        self,
        pictures: PictureSet,
        pixels: Pixels,
        j: int,
        p: np.ndarray,
        residuals: np.ndarray,
        mean: np.ndarray,
        deviation: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Gather the inputs of the move and of the stretch."""
        context, c = pictures.context, self.channels
        zero = np.zeros(len(pixels))
        f = [self.errors(pixels, dy, dx, j) for dy, dx in PLACES]
        g = [np.abs(error) - 0.75 for error in f[:4]]
        for dy, dx in PLACES[:2]:
            f += [self.errors(pixels, dy, dx, (j + i) % c) for i in range(1, c)]
        here = [self.errors(pixels, 0, 0, i) for i in range(j)]
        missing = [zero] * (c - 1 - j)
        f += here + missing
        g += [np.abs(error) - 0.75 for error in here] + missing
        if context.predictors:
            predicted = pixels.of(context.predicted)[:, 0, j].astype(np.float64)
            log_variance = pixels.of(context.log_variance)[:, j].astype(np.float64)
            f.append(off(((p + predicted * 0.125) - mean) / deviation))
            g.append(off(0.5 * (log_variance * 0.03125 - log2_linear(deviation * deviation))))
        else:
            f.append(zero)
            g.append(zero)
        f.append(off((p - mean) / deviation))
        f.append(off(residuals[:, j - 1].astype(np.float64) / deviation) if j > 0 else zero)
        f.append(zero + 1.0)
        if context.predictors > 1:
            f += self.of_predictors(context, pixels, j, p, mean, deviation)
        g.append(zero + 1.0)
        return np.stack(f, axis=1), np.stack(g, axis=1)

    def of_predictors(
        self, context: Context, pixels: Pixels, j: int, p: np.ndarray, mean: np.ndarray, deviation: np.ndarray
    ) -> list[np.ndarray]:
        """Gather the inputs of the move that there are for several predictors."""
        predicted = pixels.of(context.predicted)[:, :, j].astype(np.float64)
        f = [off(((each - predicted[:, 0]) * 0.125) * 2.0 / deviation) for each in predicted.T[1:]]
        nearby = context.nearby_energy(pixels).astype(np.float64) / 24.0 + 0.3
        variance = deviation * deviation
        for each, energy in zip(predicted.T, nearby.T, strict=True):
            f.append(off(((p + each * 0.125) - mean) / deviation) * (variance / (variance + energy)))
        return f

    def observe(self, values: np.ndarray) -> None:
        """Learn how far the values just popped are off (section 10.4.3)."""
        pixels, j, classes, f, g, mean, deviation, (w, m, a) = self.kept
        x = values.astype(np.float64)
        p, d_mean, d_scale = logistic_gradient(x[:, None], m, a)
        part = w.astype(np.float64) * (p + 1e-12)
        whole, for_mean, for_scale = (ordered_sum(terms)[:, 0] for terms in (part, part * d_mean, part * d_scale))
        self.moves.observe(classes, j, f, np.clip(deviation * (for_mean / whole), -4.0, 4.0))
        self.stretches.observe(classes, j, g, np.clip(for_scale / whole, -4.0, 4.0))
        error = np.clip(np.floor(((x - mean) / deviation) * 256.0 + 0.5), -1024, 1024)
        self.error[pixels.i, pixels.y + MARGIN, pixels.x + MARGIN, j] = error
        if j == 0:
            self.pixels += len(pixels)


def off(d: np.ndarray) -> np.ndarray:
    """Clamp a number of deviations."""
    return np.clip(d, -2.0, 2.0)
