"""From a trained chain of float layers to the integer one that codes, and back.

Activations are put on a power-of-two grid chosen from what calibration images give. Each
output row of weights gets the finest power-of-two grid for which the row bound of
:mod:`vaezip.exact.affine` holds in float32 (or in float64 where a row asks for more).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vaezip.entropy import distributions as d
from vaezip.errors import ModelError
from vaezip.exact.affine import EXACT_FLOAT32, EXACT_FLOAT64
from vaezip.models.layers import Conv, Dense, Layer, Residual, weighted_layers
from vaezip.training.networks.layers import Network, key

Tensors = dict[str, NDArray[Any]]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_HIDDEN_EXPONENT = 6
"""The grid that the hidden units of a model file are taken to be on, which it does not tell: relu is homogeneous,
so that any will do."""


@dataclass(frozen=True)
class Precision:
    """The bits to spend.

    Attributes:
        activation_bits: of the hidden activations.
        wide: names of layers whose sums may take the 53 bits of float64, at half the speed;
            the others get the weights that the 24 of float32 leave room for.
    """

    activation_bits: int = 10
    wide: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grid:
    """Integers within ± bound, in units of 2^−exponent."""

    exponent: int
    bound: int


def coarse_grid(log_sigma: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Compute for each latent log2 of how many fine bins a coarse one spans: about √12 typical σ.

    A uniform grid of step √12 σ errs with variance σ², as a sample of the posterior would.
    """
    typical = log_sigma.mean(axis=0) / math.log(2) + 0.5 * math.log2(12) + d.LATENT_BITS
    return np.clip(np.round(typical), 0, d.LATENT_BINS.bit_length() - 2).astype(np.uint8)


@dataclass(frozen=True)
class Rows:
    """For each output row of a last layer: exponent of its grid, and what to add to its bias."""

    exponents: Integers
    offsets: Floats


def plain_rows(exponents: Integers) -> Rows:
    """Make rows without offsets."""
    return Rows(exponents, np.zeros(len(exponents)))


def posterior_rows(latents: int) -> Rows:
    """Make the rows of an encoder's outputs: means, then logarithms of standard deviations."""
    return plain_rows(np.repeat([d.POSTERIOR_MEAN_BITS, d.LOG_SIGMA_BITS], latents))


LATENT_GRID = Grid(d.LATENT_BITS, d.LATENT_BINS // 2)


@torch.no_grad()
def drawn(mean: torch.Tensor, log_sigma: torch.Tensor) -> torch.Tensor:
    """Draw z ~ q(z|x), always the same one, to calibrate what z goes into."""
    return mean + torch.exp(log_sigma) * torch.randn(mean.shape, generator=torch.Generator().manual_seed(0))


def finest_exponent(activation: torch.Tensor, bound: int, *, clipped: int, least: float) -> int:
    """Choose the finest grid on which all but few activations are within a bound.

    Args:
        clipped: one activation in so many may be beyond it.
        least: what the largest is taken to be at least, for a layer may be all zeros.
    """
    values = activation.abs().flatten()
    keep = max(1, values.numel() // clipped)
    return math.floor(math.log2(bound / max(float(torch.topk(values, keep).values[-1]), least)))


def network_tensors(
    network: Network, x: torch.Tensor, *, grid: Grid, precision: Precision, rows: Rows, last_bound: int
) -> Tensors:
    """Make the integer tensors of a chain of layers.

    Args:
        network: in float.
        x: calibration inputs.
        grid: of the inputs.
        precision: bits.
        rows: grids and offsets of the last layer's outputs.
        last_bound: of their integers.
    """
    tensors: Tensors = {}
    activations = [x]
    for layer in network.layers:
        activations.append(network.apply_layer(layer, activations[-1]))
    stream = _stream_grids(network.layers, activations[1:], precision)
    weighted = [i for i, layer in enumerate(network.layers) if isinstance(layer, (Dense, Conv, Residual))]
    for i, layer in enumerate(network.layers):
        if isinstance(layer, Residual):
            inner = torch.relu(network.affine(layer.first, activations[i]))
            middle = _grid_of(inner, precision)
            tensors |= _affine(network, layer.first, grid, middle, precision)
            change = Grid(grid.exponent, 2 * grid.bound)
            tensors |= _affine(network, layer.second, middle, change, precision)
        elif isinstance(layer, (Dense, Conv)):
            last = i == weighted[-1]
            out = Grid(0, last_bound) if last else stream[i]
            tensors |= _affine(network, layer, grid, out, precision, rows if last else None)
            grid = out
    return tensors


def _stream_grids(layers: tuple[Layer, ...], outputs: list[torch.Tensor], precision: Precision) -> dict[int, Grid]:
    """Choose the grid of every layer's output; a run of residual blocks shares that of the layer before it."""
    grids: dict[int, Grid] = {}
    for i, layer in enumerate(layers):
        if isinstance(layer, (Dense, Conv)):
            run = [outputs[i]]
            for j in range(i + 1, len(layers)):
                if not isinstance(layers[j], Residual):
                    break
                run.append(outputs[j])
            grids[i] = _grid_of(torch.cat([o.flatten() for o in run]), precision)
    return grids


def _grid_of(activation: torch.Tensor, precision: Precision) -> Grid:
    """Choose the finest grid on which all but one in 100,000 activations fit the bits."""
    bound = (1 << precision.activation_bits) - 1
    return Grid(finest_exponent(activation, bound, clipped=100_000, least=0.01), bound)


def _affine(
    network: Network, layer: Dense | Conv, before: Grid, after: Grid, precision: Precision, rows: Rows | None = None
) -> Tensors:
    module = network.weighted[key(layer.name)]
    weight: Floats = module.weight.detach().double().numpy()  # type: ignore[operator]
    bias: Floats = module.bias.detach().double().numpy()  # type: ignore[operator]
    if isinstance(layer, Conv):
        weight = weight.transpose(0, 2, 3, 1)
    exponents = np.full(layer.outputs, after.exponent) if rows is None else rows.exponents
    if rows is not None:
        bias = bias + rows.offsets
    exact = EXACT_FLOAT64 if layer.name in precision.wide else EXACT_FLOAT32
    fitted = [_row(w, v, before, int(e), exact) for w, v, e in zip(weight, bias, exponents)]
    integers, biases, shifts = (np.array(part) for part in zip(*fitted))
    low = 0 if layer.relu else -after.bound
    return {
        f"{layer.name}.weight": _narrow(integers),
        f"{layer.name}.bias": _narrow(biases),
        f"{layer.name}.shift": shifts.astype(np.uint8),
        f"{layer.name}.clamp": np.array([low, after.bound], np.int32),
    }


def _row(weight: Floats, bias: float, before: Grid, after: int, exact: int) -> tuple[Integers, int, int]:
    """Quantise one output row; one whose output grid is finer than float32 sums allow gets those of float64."""
    for limit in sorted({exact, EXACT_FLOAT64}):
        found = finest_row(weight, bias, before.bound, before=before.exponent, after=after, limit=limit)
        if found:
            return found
    raise no_grid()


def finest_row(
    weight: Floats,
    bias: float,
    bounds: int | Integers,
    *,
    before: int = 0,
    after: int,
    limit: int,
    most_shift: int = 60,
) -> tuple[Integers, int, int] | None:
    """Find integer weights, bias and shift of one output row, on the finest grid that is exact; None where none is.

    Args:
        weight: in units of the integer inputs, times 2^before.
        bias: likewise.
        bounds: the largest |integer input|, of each or of all.
        before: exponent of the input's grid.
        after: exponent of the output's grid.
        limit: of the sum.
        most_shift: the largest shift.
    """
    for bits in range(30, -30, -1):
        shift = before + bits - after
        if shift < 1:
            break
        if shift > most_shift:
            continue
        integers = np.floor(weight * 2.0**bits + 0.5).astype(np.int64)
        rounded = math.floor(bias * 2.0 ** (before + bits) + 0.5)
        if np.abs(integers).max() >= 1 << 15:
            continue
        if int((np.abs(integers) * bounds).sum()) + abs(rounded) + (1 << (shift - 1)) <= limit:
            return integers, rounded, shift
    return None


def no_grid() -> ModelError:
    """Word the error of a row that is on no grid."""
    return ModelError("a row of weights fits no exact grid, so large are some", remedy="train-anew")


def _narrow(values: NDArray[np.int64]) -> NDArray[Any]:
    """Store integers in the smallest of int8, int16, int32 and int64."""
    for dtype in (np.int8, np.int16, np.int32):
        if np.abs(values).max() <= np.iinfo(dtype).max:
            return values.astype(dtype)
    return values


@torch.no_grad()
def dequantize_network(network: Network, tensors: Mapping[str, NDArray[Any]], *, before: int, rows: Rows) -> None:
    """Give a chain of float layers the weights of a model file: the inverse of :func:`network_tensors`.

    Args:
        before: exponent of the input's grid.
        rows: grids and offsets of the last layer's outputs.
    """
    layers = weighted_layers(network.layers)
    for layer in layers:
        parts = (tensors[f"{layer.name}.{part}"] for part in ("weight", "bias", "shift"))
        weight, bias, shift = (part.astype(np.float64) for part in parts)
        after = rows if layer is layers[-1] else plain_rows(np.full(layer.outputs, _HIDDEN_EXPONENT))
        bits = (shift + after.exponents - before).astype(np.int64)
        weight = weight * np.ldexp(1.0, -bits).reshape(-1, *[1] * (weight.ndim - 1))
        weight = weight.transpose(0, 3, 1, 2) if isinstance(layer, Conv) else weight
        set_weights(network.weighted[key(layer.name)], weight, bias * np.ldexp(1.0, -(bits + before)) - after.offsets)
        before = _HIDDEN_EXPONENT


def set_weights(module: nn.Module, weight: Floats, bias: Floats) -> None:
    """Set the weights of the first inputs, and those of other inputs to 0."""
    module.weight.zero_()  # type: ignore[operator]
    module.weight[:, : weight.shape[1]] = torch.from_numpy(weight)  # type: ignore[operator]
    module.bias.copy_(torch.from_numpy(bias))  # type: ignore[operator]
