"""Section 9.4: the pixel network, and section 8.7: going back through it to the style biases."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .exact import grid_scale
from .model_file import Model
from .networks import gradient_bound, product
from .primitives import require

UNIT_LIMIT = 4095
F32 = np.float32


def unit(v: np.ndarray) -> np.ndarray:
    """Clamp hidden units."""
    return np.clip(v, 0, UNIT_LIMIT)


def free(v: np.ndarray) -> np.ndarray:
    """Tell with 1.0 where a hidden unit is not clamped, and with 0.0 where it is."""
    return ((v > 0) & (v < UNIT_LIMIT)).astype(F32)


@dataclass
class Matrix:
    """Hold the rows of a layer; `constant` is the bias with the rounding of the requantisation."""

    weight: np.ndarray  # (rows, inputs)
    constant: np.ndarray
    shift: np.ndarray
    low: np.ndarray | int
    high: np.ndarray | int

    def __post_init__(self) -> None:
        """Keep the weights as binary64 too, in the order in which products use them."""
        self.columns = self.weight.T.astype(np.float64, order="C")

    def run(self, x: np.ndarray) -> np.ndarray:
        """Compute the outputs for inputs (pixels, inputs)."""
        return np.clip((product(x, self.columns) + self.constant) >> self.shift, self.low, self.high)

    def back(self, y: np.ndarray | int, g: np.ndarray) -> np.ndarray:
        """Go back from the outputs y and the gradient g of one tile to the gradient for the inputs (section 8.6)."""
        t = g * np.asarray((self.low < y) & (y < self.high), F32) * np.ldexp(F32(1), -self.shift).astype(F32)
        t = t.astype(np.float64)
        scale = grid_scale(float(np.abs(t).max()), gradient_bound(self.weight))
        sums = product(np.rint(t * scale), self.weight)
        return np.clip(sums.astype(np.float64) / scale, -(2.0**60), 2.0**60).astype(F32)


@dataclass
class Trace:
    """Hold what the network computed for some pixels, for going back."""

    hidden: list[np.ndarray]  # h_0 ... h_B
    inner: list[np.ndarray]  # u_i
    heads: list[np.ndarray]
    outs: list[np.ndarray]


@dataclass
class PixelNetwork:
    """Hold the matrices of a pixel network.

    The rows of `head` and `out` have a column for each of all side inputs: the residuals of all channels, then the
    predictions of all channels by each predictor. Those that section 9.4.2 does not name have weight 0.
    """

    first: Matrix
    inner: list[Matrix]
    outer: list[Matrix]
    head: list[Matrix]
    out: list[Matrix]

    def hidden(self, features: np.ndarray, style: np.ndarray, trace: Trace | None = None) -> np.ndarray:
        """Compute the hidden units of pixels from their features and style biases."""
        styles = np.split(style, 1 + len(self.inner), axis=-1)
        h = unit(self.first.run(features) + styles[0])
        hidden, inner = [h], []
        for i, (first, second) in enumerate(zip(self.inner, self.outer, strict=True)):
            u = unit(first.run(h) + styles[i + 1])
            h = unit(h + second.run(u))
            hidden.append(h)
            inner.append(u)
        if trace:
            trace.hidden, trace.inner = hidden, inner
        return h

    def parameters(self, j: int, h: np.ndarray, sides: np.ndarray, trace: Trace | None = None) -> np.ndarray:
        """Compute the outputs for channel j."""
        u = self.head[j].run(np.concatenate([h, sides], axis=-1))
        o = self.out[j].run(np.concatenate([u, sides], axis=-1))
        if trace:
            trace.heads.append(u)
            trace.outs.append(o)
        return o

    def style_gradient(self, trace: Trace, gradients: list[np.ndarray]) -> np.ndarray:
        """Go back from the gradients for the outputs of all channels of one tile to the style biases (section 8.7)."""
        total = np.zeros(trace.hidden[-1].shape, F32)
        for j, g in enumerate(gradients):
            t = self.out[j].back(trace.outs[j], g)[:, : trace.heads[j].shape[1]]
            total = total + self.head[j].back(trace.heads[j], t)[:, : total.shape[1]]
        styles = []
        for i in range(len(self.inner) - 1, -1, -1):
            total = total * free(trace.hidden[i + 1])
            t = self.outer[i].back(self.outer[i].run(trace.inner[i]), total) * free(trace.inner[i])
            styles.append(pixel_sum(t))
            total = total + self.inner[i].back(0, t)
        styles.append(pixel_sum(total * free(trace.hidden[0])))
        return np.concatenate(styles[::-1])


def pixel_sum(t: np.ndarray) -> np.ndarray:
    """Sum over the pixels of a tile on a grid of the tile (section 8.7)."""
    t = t.astype(np.float64)
    scale = grid_scale(float(np.abs(t).max()), 1 << 24)
    return (np.rint(t * scale).sum(axis=0) / scale).astype(F32)


def predictors_of(model: Model) -> int:
    """Count the least-squares predictors that the network sees."""
    return model.architecture.get("predictors", 1) if model.architecture.get("regressed", False) else 0


def side_limit(model: Model) -> int:
    """Return the bound of side inputs and of features."""
    return 1023 if predictors_of(model) else 255


def load_layer(model: Model, name: str, sides: int) -> Matrix:
    """Take a layer from the tensors of a model and check it (section 9.4); its last inputs, `sides`, are side inputs.

    Features count as side inputs here, because they have the same bound.
    """
    parts = (model.tensors[f"{name}.{part}"].astype(np.int64) for part in ("weight", "bias", "shift", "clamp"))
    weight, bias, shift, clamp = parts
    in_range = (np.abs(weight) < 1 << 15).all() and ((shift >= 1) & (shift <= 30)).all()
    require(bool(in_range), "a weight or a shift of the pixel network is out of range")
    half = np.left_shift(1, shift - 1)
    units = weight.shape[1] - sides
    size = np.abs(weight)
    sums = size[:, :units].sum(axis=1) * UNIT_LIMIT + size[:, units:].sum(axis=1) * side_limit(model)
    sums += np.abs(bias) + half
    require(bool((sums < 1 << 31).all()), "a layer of the pixel network has sums beyond 31 bits")
    return Matrix(weight, bias + half, shift, int(clamp[0]), int(clamp[1]))


def side_columns(channels: int, predictors: int, j: int) -> list[int]:
    """List which of all side inputs channel j has, in its order (section 9.4.2)."""
    return list(range(j)) + [channels * (1 + r) + j for r in range(predictors)]


def feature_counts(channels: int, predictors: int) -> list[int]:
    """Count the features of section 9.4.1: differences, P, expected, log variances and levels of energy."""
    levels = predictors if predictors > 1 else 0
    return [24 * channels, channels, predictors * channels, channels if predictors else 0, levels]


def load_network(model: Model) -> PixelNetwork:
    """Build the pixel network of a model."""
    c, blocks, predictors = model.channels, model.architecture["blocks"], predictors_of(model)

    def widen(name: str, j: int) -> Matrix:
        """Spread the side columns of a head or out over all side inputs."""
        own = side_columns(c, predictors, j)
        matrix = load_layer(model, name, len(own))
        units = matrix.weight.shape[1] - len(own)
        sides = np.zeros((len(matrix.weight), (1 + predictors) * c), np.int64)
        sides[:, own] = matrix.weight[:, units:]
        return replace(matrix, weight=np.concatenate([matrix.weight[:, :units], sides], axis=1))

    return PixelNetwork(
        load_layer(model, "first", sum(feature_counts(c, predictors))),
        [load_layer(model, f"inner.{i}", 0) for i in range(blocks)],
        [load_layer(model, f"outer.{i}", 0) for i in range(blocks)],
        [widen(f"head.{j}", j) for j in range(c)],
        [widen(f"out.{j}", j) for j in range(c)],
    )
