"""From a trained float network to the integer one that codes.

Activations are put on a power-of-two grid chosen from what calibration images give. Each
output row of weights gets the finest power-of-two grid for which the row bound of
:mod:`vaezip.exact.affine` holds in float32 (or in float64 where a row asks for more).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.errors import ModelError
from vaezip.exact.affine import EXACT_FLOAT32, EXACT_FLOAT64
from vaezip.models.layers import Conv, Dense, Layer, Residual
from vaezip.models.likelihoods import OUTPUT_BOUND
from vaezip.models.tile.architecture import TileArchitecture
from vaezip.training.networks.tile import Network, TileVae, key

Tensors = dict[str, NDArray[Any]]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Precision:
    """What to spend.

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


@torch.no_grad()
def quantize(vae: TileVae, calibration: NDArray[np.uint8], precision: Precision) -> Tensors:
    """The integer tensors of a model file.

    Args:
        vae: trained.
        calibration: some hundred training images, uint8 (images, height, width, channels).
        precision: the bits to spend.
    """
    a = vae.architecture
    x = torch.from_numpy(calibration)
    mean, log_sigma = vae.posterior(x)
    z = mean + torch.exp(log_sigma) * torch.randn(mean.shape, generator=torch.Generator().manual_seed(0))
    pixels = (x.float() - a.offset) * 2.0**-a.exponent
    pixel_grid = Grid(a.exponent, max(a.offset, a.levels - 1 - a.offset))
    latent_grid = Grid(d.LATENT_BITS, d.LATENT_BINS // 2)
    tensors = network_tensors(vae.encoder, pixels, pixel_grid, precision, _posterior_rows(a), d.POSTERIOR_MEAN_BOUND)
    tensors |= network_tensors(vae.decoder, z, latent_grid, precision, _likelihood_rows(a), OUTPUT_BOUND)
    tensors["coarse"] = coarse_grid(log_sigma.flatten(1).numpy())
    return tensors


def coarse_grid(log_sigma: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Per latent, log2 of how many fine bins a coarse one spans: about √12 typical σ.

    A uniform grid of step √12 σ errs with variance σ², as a sample of the posterior would.
    """
    typical = log_sigma.mean(axis=0) / math.log(2) + 0.5 * math.log2(12) + d.LATENT_BITS
    return np.clip(np.round(typical), 0, d.LATENT_BINS.bit_length() - 2).astype(np.uint8)


@dataclass(frozen=True)
class Rows:
    """For each output row of a last layer: exponent of its grid, and what to add to its bias."""

    exponents: NDArray[np.int64]
    offsets: Floats


def _posterior_rows(a: TileArchitecture) -> Rows:
    half = a.latent[-1]
    exponents = np.repeat([d.POSTERIOR_MEAN_BITS, d.LOG_SIGMA_BITS], half)
    return Rows(exponents, np.zeros(2 * half))


def _likelihood_rows(a: TileArchitecture) -> Rows:
    last = a.decoder[-1] if isinstance(a.decoder[-1], Dense) else a.decoder[-2]
    assert isinstance(last, (Dense, Conv))
    if a.likelihood == "bernoulli":
        return Rows(np.full(last.outputs, d.LOGIT_BITS), np.zeros(last.outputs))
    exponents = [a.exponent + d.MEAN_BITS, d.LOG_SCALE_BITS, d.COEFFICIENT_BITS]
    offsets = [a.offset * 2.0**-a.exponent, a.exponent * math.log(2), 0.0]
    parameters = {"logistic": 2, "colour-logistic": 3}[a.likelihood]
    repeats = last.outputs // parameters
    return Rows(np.tile(exponents[:parameters], repeats), np.tile(offsets[:parameters], repeats))


def network_tensors(
    network: Network, x: torch.Tensor, grid: Grid, precision: Precision, rows: Rows, last_bound: int
) -> Tensors:
    """The integer tensors of a chain of layers.

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
    """The grid of every layer's output; a run of residual blocks shares that of the layer before it."""
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
    """The finest grid on which all but one in 100,000 activations fit the bits."""
    values = activation.abs().flatten()
    keep = max(1, values.numel() // 100_000)
    largest = max(float(torch.topk(values, keep).values[-1]), 0.01)  # a layer may be all zeros
    bound = (1 << precision.activation_bits) - 1
    return Grid(math.floor(math.log2(bound / largest)), bound)


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


def _row(weight: Floats, bias: float, before: Grid, after: int, exact: int) -> tuple[NDArray[np.int64], int, int]:
    """Integer weights, bias and shift of one output row, on the finest grid that is exact."""
    for bits in range(30, -30, -1):
        shift = before.exponent + bits - after
        integers = np.floor(weight * 2.0**bits + 0.5).astype(np.int64)
        rounded = math.floor(bias * 2.0 ** (before.exponent + bits) + 0.5)
        if shift < 1:
            break
        total = before.bound * int(np.abs(integers).sum()) + abs(rounded) + (1 << (shift - 1))
        if np.abs(integers).max() < 1 << 15 and total <= exact:
            return integers, rounded, shift
    if exact < EXACT_FLOAT64:  # this row's output grid is finer than float32 sums allow
        return _row(weight, bias, before, after, EXACT_FLOAT64)
    raise ModelError("a row of weights fits no exact grid, so large are some; train anew with a lower --learning-rate")


def _narrow(values: NDArray[np.int64]) -> NDArray[Any]:
    """The same integers in the smallest of int8, int16, int32 and int64."""
    for dtype in (np.int8, np.int16, np.int32):
        if np.abs(values).max() <= np.iinfo(dtype).max:
            return values.astype(dtype)
    return values
