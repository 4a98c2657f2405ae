"""Section 10.5: a pixel network takes gradient steps on the pixels that are decoded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .context import Pixels
from .distributions import clamp_scale
from .exact import logistic_gradient
from .model_file import Model
from .networks import product
from .pixel_network import UNIT_LIMIT, Matrix, PixelNetwork, Trace, feature_counts, predictors_of, side_columns
from .posterior import ordered_sum, scale_gradient
from .waves import WHOLE, PictureSet, mixture_parameters

if TYPE_CHECKING:
    from .adaptation import Settings

BETA1, BETA2 = 0.6, 0.999
LAYER_FACTORS = {"first": 0.375, "inner": 1.5, "outer": 1.5, "head": 1.0, "out": 1.0}
KINDS = (2.0**-5, 2.0**-8, 2.0**-5)  # logits, means, log scales
DIFFERENCE, LEVEL, PREDICTION, LOG_VARIANCE, UNIT = 2.0**-4, 2.0**-6, 2.0**-7, 2.0**-8, 2.0**-7  # worths


class LearningMatrix:
    """Hold the rows of a matrix in all forms of section 10.5.1; a row is weights, side columns, and the bias column."""

    def __init__(
        self,
        matrix: Matrix,
        worth: list[float],
        kind: np.ndarray,
        factor: float,
        present: np.ndarray,
        limits: tuple[int, int],
    ) -> None:
        """Put the rows of the model on the coarser grid, and find the step units (section 10.5.2).

        `worth` is that of the units and then of the side inputs, `present` tells which side columns are there, and
        `limits` are the bounds of the inputs of units and of side inputs.
        """
        halved = (matrix.shift > 1).astype(np.int64)
        bias = matrix.constant - np.left_shift(1, matrix.shift - 1)
        self.shift = matrix.shift - halved
        weight = (matrix.weight + halved[:, None]) >> halved[:, None]
        constant = ((bias + halved) >> halved) + np.left_shift(1, self.shift - 1)
        self.low, self.high, self.limits = matrix.low, matrix.high, limits
        self.integers = np.concatenate([weight, constant[:, None]], axis=1)
        self.coding = self.integers.copy()
        self.master = self.integers.astype(np.float64)
        self.average = self.master.copy()
        self.m, self.v = np.zeros_like(self.master), np.zeros_like(self.master)
        self.find_step_units(worth, kind, factor, present)

    def find_step_units(self, worth: list[float], kind: np.ndarray, layer_factor: float, present: np.ndarray) -> None:
        """Find the length of a step of each column at a rate of 1 (section 10.5.2)."""
        sides = present.shape[1]
        units = self.integers.shape[1] - 1 - sides
        self.units, self.sides = units, sides
        factor = np.ldexp(1.0, -self.shift)[:, None] * kind[:, None] / np.array([*worth, 1.0])
        squares = (self.integers * factor)[:, :units] ** 2
        size = math.sqrt(math.fsum(squares.ravel().tolist()) / float(squares.size))
        self.step_unit = size / factor * layer_factor
        self.step_unit[:, units : units + sides][~present] = 0.0

    def matrix(self, integers: np.ndarray, rows: slice = slice(None)) -> Matrix:
        """Make a layer of some rows."""
        return Matrix(integers[rows, :-1], integers[rows, -1], self.shift[rows], self.low, self.high)

    def back(self, y: np.ndarray, g: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Find the gradient of the columns, and return that for the units among the inputs x (section 10.5.5)."""
        t = np.where((self.low < y) & (y < self.high), g * np.ldexp(1.0, -self.shift), 0.0)
        largest = float(np.abs(t).max())
        scale = 1.0 if largest == 0.0 else 2.0 ** max(-900, min(13 - math.frexp(largest)[1], 900))
        rounded = np.floor(t * scale + 0.5)
        one = 1.0 / scale
        columns = np.concatenate([x, np.ones((len(x), 1), np.int64)], axis=1)
        self.gradient = product(rounded.T, columns) * one
        return product(rounded, self.integers[:, : self.units]) * one

    def fits(self, rows: np.ndarray) -> np.ndarray:
        """Tell which rows of integers keep all sums within 31 bits (section 10.5.6)."""
        size = np.abs(rows)
        units = size[:, : self.units].sum(axis=1) * self.limits[0]
        sides = size[:, self.units : -1].sum(axis=1) * self.limits[1]
        small = (size[:, :-1] < 32768).all(axis=1)
        return small & (units + sides + size[:, -1] <= 2**31 - 1)

    def step(self, rate: float, c1: float, c2: float, share: float) -> None:
        """Take a step of Adam with the gradient of `back` (section 10.5.6)."""
        x = self.gradient
        self.m = self.m * BETA1 + x * (1.0 - BETA1)
        self.v = self.v * BETA2 + (x * x) * (1.0 - BETA2)
        new = self.master + (rate * self.step_unit) * ((self.m * c1) / (np.sqrt(self.v * c2) + 1e-30))
        rounded = np.floor(new + 0.5).astype(np.int64)
        fits = self.fits(rounded)
        self.master[fits] = new[fits]
        self.integers[fits] = rounded[fits]
        self.average = self.average + (self.master - self.average) * share

    def settle(self) -> None:
        """Find the coding integers after a row group (section 10.5.7)."""
        rounded = np.floor(self.average + 0.5).astype(np.int64)
        fits = self.fits(rounded)
        self.coding[fits] = rounded[fits]


class Learner:
    """Hold a network that learns while a block is decoded."""

    def __init__(self, model: Model, network: PixelNetwork, settings: Settings, rate: int, groups: int) -> None:
        """Begin a block of so many row groups."""
        self.settings, self.rate, self.groups = settings, rate, groups
        self.group = 0
        self.power1 = self.power2 = 1.0
        c, predictors = model.channels, predictors_of(model)
        self.channels, self.head = c, model.architecture["head"]
        hidden, mixture = model.architecture["hidden"], model.architecture["mixture"]
        self.side_limit = 1023 if predictors else 255
        worths = [DIFFERENCE, LEVEL, PREDICTION, LOG_VARIANCE, LOG_VARIANCE]
        features = list(np.repeat(worths, feature_counts(c, predictors)))
        sides = [DIFFERENCE] * c + [PREDICTION] * (predictors * c)
        present = np.zeros((c, len(sides)), bool)
        for j in range(c):
            present[j, side_columns(c, predictors, j)] = True

        def make(name: str, matrix: Matrix, worth: list[float], j: slice | None = None) -> LearningMatrix:
            """Make a matrix; j names the channels of its rows, where it has side columns."""
            rows = len(matrix.weight)
            there = np.zeros((rows, 0), bool)
            if j is not None:
                there = np.repeat(present[j], rows // len(present[j]), axis=0)
            kind = np.repeat(KINDS, mixture) if name == "out" else np.ones(rows)
            limit = self.side_limit if name == "first" else UNIT_LIMIT
            return LearningMatrix(matrix, worth, kind, LAYER_FACTORS[name], there, (limit, self.side_limit))

        heads = network.head
        all_heads = Matrix(
            np.concatenate([m.weight for m in heads]),
            np.concatenate([m.constant for m in heads]),
            np.concatenate([m.shift for m in heads]),
            heads[0].low,
            heads[0].high,
        )
        self.first = make("first", network.first, features)
        self.inner = [make("inner", m, [UNIT] * hidden) for m in network.inner]
        self.outer = [make("outer", m, [UNIT] * hidden) for m in network.outer]
        self.heads = make("head", all_heads, [UNIT] * hidden + sides, slice(None))
        self.out = [make("out", m, [UNIT] * self.head + sides, slice(j, j + 1)) for j, m in enumerate(network.out)]

    def matrices(self) -> list[LearningMatrix]:
        """List all matrices."""
        return [self.first, *self.inner, *self.outer, self.heads, *self.out]

    def network(self, form: str = "coding") -> PixelNetwork:
        """Build the network of the coding integers, or of the learning ones (`integers`)."""

        def build(m: LearningMatrix, rows: slice = slice(None)) -> Matrix:
            """Make a layer of some rows in this form."""
            return m.matrix(getattr(m, form), rows)

        return PixelNetwork(
            build(self.first),
            [build(m) for m in self.inner],
            [build(m) for m in self.outer],
            [build(self.heads, slice(j * self.head, (j + 1) * self.head)) for j in range(self.channels)],
            [build(m) for m in self.out],
        )

    def learn(self, pictures: PictureSet, pixels: Pixels, style: np.ndarray) -> None:
        """Take the steps of a row group, given its pixels in order (section 10.5.3)."""
        s, g = self.settings, self.group
        self.group += 1
        if self.group == self.groups:
            return
        fallen = (1.0 - s.final_rate / 256.0) * (float(g) / float(self.groups))
        rate = float(self.rate) / 16384.0 * (1.0 - fallen)
        share = 1.0 - s.average_decay / 256.0
        count = max(1, len(pixels) // (16 * s.batch))
        for i in range(-(-s.passes * count // s.stride)):
            chosen = pixels[np.arange((g + i * s.stride) % count, len(pixels), count)]
            self.find_gradients(pictures, chosen, style)
            self.power1 = self.power1 * BETA1
            self.power2 = self.power2 * BETA2
            c1, c2 = 1.0 / (1.0 - self.power1), 1.0 / (1.0 - self.power2)
            for matrix in self.matrices():
                matrix.step(rate, c1, c2, share)
        for matrix in self.matrices():
            matrix.settle()

    def find_gradients(self, pictures: PictureSet, pixels: Pixels, style: np.ndarray) -> None:
        """Run the network on the pixels of a step and go back (sections 10.5.4 and 10.5.5)."""
        context = pictures.context
        network = self.network("integers")
        features = pictures.features(pixels)
        sides = pictures.sides(pixels, context.residuals(pixels))
        p = context.median_edge(pixels)
        x = context.at(pixels, 0, 0).astype(np.float64)
        trace = Trace([], [], [], [])
        h = network.hidden(features, style, trace)
        for_heads = []
        for j, channel in enumerate(context.order):
            output = network.parameters(j, h, sides, trace)
            g = parameter_gradient(x[:, channel, None], output, p[:, channel])
            for_heads.append(self.out[j].back(output, g, np.concatenate([trace.heads[j], sides], axis=1)))
        inputs = np.concatenate([h, sides], axis=1)
        t = self.heads.back(np.concatenate(trace.heads, axis=1), np.concatenate(for_heads, axis=1), inputs)
        for i in range(len(self.inner) - 1, -1, -1):
            before, u = trace.hidden[i], trace.inner[i]
            t = free(trace.hidden[i + 1], t)
            b = free(u, self.outer[i].back(network.outer[i].run(u), t, u))
            t = t + self.inner[i].back(network.inner[i].run(before), b, before)
        self.first.back(network.first.run(features), free(trace.hidden[0], t), features)


def free(v: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Let a gradient pass where a hidden unit is not clamped."""
    return np.where((v > 0) & (v < UNIT_LIMIT), t, 0.0)


def parameter_gradient(x: np.ndarray, output: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Compute the gradient for the outputs of a channel, (pixels, 3 C), of values x (pixels, 1) (section 10.5.4)."""
    w, mean, scale = mixture_parameters(output, p, WHOLE)
    probability, d_mean, d_scale = logistic_gradient(x, mean, clamp_scale(scale))
    part = (w * 2.0**-14) * (probability + 1e-12)
    r = part / ordered_sum(part)
    for_logit = (r - w * 2.0**-14) * 2.0**-5
    return np.concatenate([for_logit, (d_mean * 0.0625) * r, scale_gradient(d_scale, scale) * r], axis=1)
