"""Hold the layers of an adapting network: master weights, their average, and the integers next to both."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.exact.layer import Layer
from vaezip.exact.product16 import ROWS, empty, pack
from vaezip.models.pixel import adaptation_kernels as kernels
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.pixel.constants import (
    DIFFERENCE_SCALE,
    GRADIENT_BITS,
    GRADIENT_EXPONENT_BOUND,
    LEVEL_SCALE,
    PREDICTION_SCALE,
    SPREAD_SCALE,
)
from vaezip.models.pixel.weights import PackedLayers, Weights

Floats = NDArray[np.float64]
Units = NDArray[np.int16]


class Integers(NamedTuple):
    """The integers of a layer.

    Plain: weight (outputs, units), hint_weight (outputs, hints), bias with the rounding's ½ (outputs,).
    Packed, as the compiled coder takes them: weight of :func:`vaezip.exact.product16.pack`, hint_weight
    (hints, outputs), bias.
    """

    weight: NDArray[np.int16]
    hint_weight: NDArray[np.int32]
    bias: NDArray[np.int32]

    def copied(self) -> Integers:
        """Copy all arrays."""
        return Integers._make(array.copy() for array in self)


class Gradient(NamedTuple):
    """The gradient for the integers of a layer, less a factor ``unit``."""

    weight: Floats
    hint_weight: Floats
    bias: Floats
    unit: float


@dataclass
class AdaptiveLayers:
    """One layer, or several of the same inputs one above the other, that learn.

    Attributes:
        integers: those next to the master weights, plain.
        shift, clamp: of the output.
        pace: length of the steps of weights, weights of hints and bias, side by side, at a rate of 1; 0 where
            there is no weight.
        bounds: of the units and of the hints.
        packed: for each of the layers the same integers, packed, which learn.
        packed_average: for each of the layers the integers next to the average, packed, which code.
    """

    integers: Integers
    shift: NDArray[np.int32]
    clamp: tuple[int, int]
    pace: Floats
    bounds: tuple[int, int]
    packed: list[Integers]
    packed_average: list[Integers]

    def __post_init__(self) -> None:
        weight, hint_weight, bias = self.integers
        self.master = np.concatenate((weight, hint_weight, bias[:, None]), axis=1).astype(np.float64)
        self.average = self.master.copy()
        self.average_integers = self.integers.copied()
        self.mean, self.square = np.zeros_like(self.master), np.zeros_like(self.master)
        self.outputs, self.units = weight.shape
        self.scale = np.ldexp(1.0, -self.shift)
        self.transposed = empty(self.units, self.outputs)
        self.for_weight = np.empty((padded(self.outputs), self.transposed.shape[1]))
        self._repack()

    def resize(self, pixels: int) -> None:
        """Make arrays for the outputs of a step and for gradients, which are used again in each step."""
        rows, columns = padded(pixels), even(self.outputs)
        self.output = np.zeros((rows, columns), np.int16)
        self.for_sums = np.empty((pixels, self.outputs))
        self.halves = np.zeros((2, rows, columns), np.int16)
        self.halves_by_output = np.zeros((2, padded(self.outputs), rows), np.int16)
        self.inputs = empty(self.units, rows)
        self.for_units = np.empty((rows, self.transposed.shape[1]))

    def __call__(self, x: Units, hints: NDArray[np.int32]) -> Units:
        """Compute ``output``, within the clamp, from units (pixels, units) and hints (pixels, hints)."""
        rows = self.outputs // len(self.packed)
        for i, integers in enumerate(self.packed):
            part = slice(i * rows, (i + 1) * rows)
            kernels.forward(len(hints), x, integers, hints, self.shift[part], self.clamp, self.output[:, part])
        return self.output

    def gradients(self, gradient: Floats, x: Units, hints: NDArray[np.int32]) -> Gradient:
        """Compute gradients for weights, weights of hints and bias.

        Args:
            gradient: for ``output``; where that is at its clamp nothing flows back.
            x, hints: the inputs.
        """
        scale = _grid(kernels.through_clamp(gradient, self.output, self.scale, self.clamp, self.for_sums))
        hints = hints[:, : self.integers.hint_weight.shape[1]]
        for_hints, for_bias = kernels.quantise_gradient(self.for_sums, scale, hints, self.halves, self.halves_by_output)
        pack(x.T, self.inputs)
        kernels.sum_over_pixels(self.halves_by_output, self.inputs, self.for_weight)
        return Gradient(self.for_weight, for_hints, for_bias, 1.0 / scale)

    def unit_gradient(self, found: Gradient) -> Floats:
        """Compute the gradient for the units, after :meth:`gradients` found the others."""
        kernels.sum_over_outputs(self.halves, self.transposed, self.for_units, found.unit)
        return self.for_units[: len(self.for_sums), : self.units]

    def learn(self, gradient: Gradient, *, rate: float, powers: tuple[float, float], share: float) -> None:
        """Take one step of Adam uphill, of which the average takes a share."""
        corrections = 1.0 / (1.0 - powers[0]), 1.0 / (1.0 - powers[1])
        state = self.master, self.average, self.mean, self.square, self.pace
        kernels.adam(gradient, rate, share, corrections, state, self.integers, self.bounds)
        self._repack()

    def publish(self) -> None:
        """Give the average to the compiled coder."""
        kernels.round_average(self.average, self.average_integers, self.bounds)
        _pack(self.average_integers, self.packed_average)

    def _repack(self) -> None:
        """Give the integers to the products that go forwards and backwards."""
        _pack(self.integers, self.packed)
        pack(self.integers.weight.T, self.transposed)


def padded(rows: int) -> int:
    """Round up to the rows of an array that :func:`vaezip.exact.product16.product16` goes through."""
    return -(-rows // ROWS) * ROWS


def even(columns: int) -> int:
    """Round up to an even number."""
    return columns + columns % 2


def _pack(integers: Integers, packed: list[Integers]) -> None:
    """Pack integers into those of each layer."""
    rows = len(integers.weight) // len(packed)
    for i, (weight, hint_weight, bias) in enumerate(packed):
        part = slice(i * rows, (i + 1) * rows)
        pack(integers.weight[part], weight)
        hint_weight[:] = integers.hint_weight[part].T
        bias[:] = integers.bias[part]


def _grid(largest: float) -> float:
    """Choose the largest power of two s with largest · s ≤ 2^GRADIENT_BITS."""
    if not 0.0 < largest < math.inf:
        return 1.0
    _, exponent = math.frexp(largest)  # largest < 2^exponent
    bound = GRADIENT_EXPONENT_BOUND
    return math.ldexp(1.0, max(-bound, min(bound, GRADIENT_BITS - exponent)))


# Making them from the layers of a model


def places(w: Weights) -> Iterator[list[Integers]]:
    """List the packed integers of each :class:`AdaptiveLayers`: the first, the inner, the outer ones, heads, outs."""
    yield _views(w.first)
    for part in (w.inner, w.outer):
        yield from ([view] for view in _views(part))
    yield _views(w.head)
    yield from ([view] for view in _views(w.out))


def _views(part: PackedLayers) -> list[Integers]:
    return [Integers(*arrays) for arrays in zip(part.weight, part.hint_weight, part.bias)]


def coarser(layer: Layer) -> Layer:
    """Put a layer on a grid twice as coarse, where there is one."""
    drop = (layer.shift > 1).astype(np.int64)
    halved = layer.weight / (1 << drop)[:, None], layer.bias / (1 << drop)
    weight, bias = (np.floor(part + 0.5).astype(np.int64) for part in halved)
    return Layer(weight, bias, layer.shift - drop, layer.clamp)


def feature_scales(a: PixelArchitecture) -> Floats:
    """List the size of one unit of each feature."""
    kinds = np.array([DIFFERENCE_SCALE, LEVEL_SCALE, PREDICTION_SCALE, SPREAD_SCALE, SPREAD_SCALE])
    each = np.array([a.neighbours, 1, a.seen, a.regressed, 0]) * a.channels
    return np.repeat(kinds, each + np.array([0, 0, 0, 0, a.energies]))


def hint_scales(a: PixelArchitecture) -> Floats:
    """List the size of one unit of each hint."""
    return np.repeat([DIFFERENCE_SCALE, PREDICTION_SCALE], np.array([1, a.seen]) * a.channels)


class Hints(NamedTuple):
    """The hints of some layers: the numbers of those that each layer sees, and the size of one unit of each."""

    visible: Sequence[Sequence[int]]
    scales: Floats


NO_HINTS = Hints(((),), np.zeros(0))


def adaptive_layers(
    layers: list[Layer],
    *,
    scales: Floats,
    bounds: tuple[int, int],
    packed: tuple[list[Integers], list[Integers]],
    hints: Hints = NO_HINTS,
    mixture: int = 0,
) -> AdaptiveLayers:
    """Stack layers of the same units one above the other.

    Args:
        layers: each with weights of the hints that it sees after those of its units.
        scales: the size of one unit of each integer input.
        bounds, packed: see :class:`AdaptiveLayers`; what learns, then what codes.
        hints: of these layers.
        mixture: logistics, where the outputs are parameters, whose three kinds have grids of their own.
    """
    integers, present = _stacked(layers, len(scales), hints)
    shift = np.concatenate([layer.shift for layer in layers]).astype(np.int32)
    output_units = np.ones(len(shift))
    if mixture:
        grids = [d.WEIGHT_LOGIT_BITS, d.MEAN_BITS + 4, d.LOG_SCALE_BITS]
        output_units = np.repeat(np.ldexp(1.0, -np.array(grids)), mixture)
    to_float = (np.ldexp(1.0, -shift) * output_units)[:, None] / np.r_[scales, hints.scales, 1.0]
    size = _root_mean_square(integers.weight * to_float[:, : len(scales)])
    return AdaptiveLayers(integers, shift, layers[0].clamp, present * size / to_float, bounds, *packed)


def _stacked(layers: list[Layer], units: int, hints: Hints) -> tuple[Integers, Floats]:
    """Stack the integers of layers, and say by 1 and 0 which entries of their rows there are."""
    weight = np.concatenate([layer.weight[:, :units] for layer in layers]).astype(np.int16)
    hint_weight = np.zeros((len(weight), len(hints.scales)), np.int32)
    present = np.zeros((len(weight), units + len(hints.scales) + 1))
    present[:, :units] = present[:, -1] = 1.0
    rows = len(layers[0].weight)
    for i, (layer, visible) in enumerate(zip(layers, hints.visible, strict=True)):
        columns = np.array(visible, np.int64)
        hint_weight[i * rows : (i + 1) * rows, columns] = layer.weight[:, units:]
        present[i * rows : (i + 1) * rows, units + columns] = 1.0
    rounded = [layer.bias + (np.int64(1) << (layer.shift - 1)) for layer in layers]
    return Integers(weight, hint_weight, np.concatenate(rounded).astype(np.int32)), present


def _root_mean_square(values: Floats) -> float:
    """Sum squares by fsum, which rounds the exact sum once: those of integers times powers of two are exact."""
    return math.sqrt(math.fsum((values * values).ravel()) / values.size)
