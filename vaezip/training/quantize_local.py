"""From a trained local-autoregressive float network to the integer one that codes.

Hidden units get 12 bits on a power-of-two grid chosen from calibration tiles; each row of weights the
finest power-of-two grid on which weights have 16 bits and sums 32.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vaezip.entropy import distributions as d
from vaezip.errors import ModelError
from vaezip.exact.layer import Layer
from vaezip.models.base import Model
from vaezip.models.layers import Conv, weighted_layers
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.pixel.constants import ACTIVATION_BOUND, RADIUS, SPREAD_BITS, SUM_BOUND, UNIT_BITS
from vaezip.models.pixel.model import PixelModel
from vaezip.models.pixel.network import input_bound
from vaezip.training.networks.pixel import LEVEL_UNIT, SPREAD_UNIT, UNIT, PixelVae
from vaezip.training.networks.tile import Network, key
from vaezip.training.quantize import Floats, Grid, Precision, Rows, Tensors, coarse_grid, network_tensors

_OUTPUT_BOUND = (1 << 15) - 1

_PARAMETER_GRIDS = (d.WEIGHT_LOGIT_BITS, d.MEAN_BITS + int(math.log2(UNIT)), d.LOG_SCALE_BITS)
"""Exponents of weight logits, means and log scales."""


@torch.no_grad()
def quantize_local(vae: PixelVae, frames: torch.Tensor) -> Tensors:
    """The integer tensors of a model file.

    Args:
        vae: trained.
        frames: calibration tiles with their surroundings, float32 (tiles, 32 + RADIUS, 32 + 2 RADIUS, planes).
    """
    a = vae.architecture
    x = frames[:, RADIUS:, RADIUS:-RADIUS, : a.channels]
    mean, log_sigma = vae.posterior(x)
    z = mean + torch.exp(log_sigma) * torch.randn(mean.shape, generator=torch.Generator().manual_seed(0))
    found = units(vae, frames, z)
    stream = _exponent(found["hidden"])
    inner = [_exponent(u) for u in found["inner"]]
    heads = [_exponent(u) for u in found["head"]]
    precision = Precision()
    pixels = (x - a.offset) * 2.0**-a.exponent
    posterior = np.repeat([d.POSTERIOR_MEAN_BITS, d.LOG_SIGMA_BITS], a.latents)
    shifts = np.repeat([stream, *inner], a.hidden)
    tensors = network_tensors(
        vae.encoder, pixels, Grid(a.exponent, 128), precision, _plain(posterior), d.POSTERIOR_MEAN_BOUND
    )
    latent = Grid(d.LATENT_BITS, d.LATENT_BINS // 2)
    tensors |= network_tensors(vae.style, z, latent, precision, _plain(shifts), _OUTPUT_BOUND)
    tensors["coarse"] = coarse_grid(log_sigma.numpy())

    scale, hints = input_scales(a)
    bounds = np.full(a.features, input_bound(a))
    tensors |= _layer("first", vae.first, scale, bounds, np.full(a.hidden, stream), _signed(ACTIVATION_BOUND * 4))
    on_stream = np.full(a.hidden, 2.0**-stream)
    for i in range(a.blocks):
        full = np.full(a.hidden, ACTIVATION_BOUND)
        to_inner, to_stream = np.full(a.hidden, inner[i]), np.full(a.hidden, stream)
        tensors |= _layer(f"inner.{i}", vae.inner[i], on_stream, full, to_inner, _signed(ACTIVATION_BOUND * 4))
        on_inner = np.full(a.hidden, 2.0 ** -inner[i])
        tensors |= _layer(f"outer.{i}", vae.outer[i], on_inner, full, to_stream, _signed(ACTIVATION_BOUND * 4))
    for i in range(a.channels):
        extra = hints[a.visible_hints(i)]
        bounds = np.r_[np.full(a.hidden, ACTIVATION_BOUND), np.full(extra.size, input_bound(a))]
        to_head = np.full(a.head, heads[i])
        tensors |= _layer(f"head.{i}", vae.head[i], np.r_[on_stream, extra], bounds, to_head, (0, ACTIVATION_BOUND))
        on_head = np.full(a.head, 2.0 ** -heads[i])
        bounds = np.r_[np.full(a.head, ACTIVATION_BOUND), np.full(extra.size, input_bound(a))]
        to_out = np.repeat(_PARAMETER_GRIDS, a.mixture)
        tensors |= _layer(f"out.{i}", vae.out[i], np.r_[on_head, extra], bounds, to_out, _signed(_OUTPUT_BOUND))
    return tensors


def input_scales(a: PixelArchitecture) -> tuple[Floats, Floats]:
    """What one unit of each integer feature, and of each hint, is worth to the float network."""
    features = np.repeat([1 / UNIT, 1 / LEVEL_UNIT], [a.neighbours * a.channels, a.channels])
    hints = np.full(a.channels, 1 / UNIT)
    if a.regressed:
        predicted, spread = 2.0**-UNIT_BITS / UNIT, 2.0**-SPREAD_BITS / SPREAD_UNIT
        features = np.r_[features, np.repeat([predicted, spread], a.channels)]
        hints = np.r_[hints, np.full(a.channels, predicted)]
    return features, hints


def units(vae: PixelVae, frames: torch.Tensor, z: torch.Tensor) -> dict[str, list[torch.Tensor]]:
    """What the hidden units of each kind are on the calibration tiles."""
    a = vae.architecture
    f, _, hints = vae.inputs(frames)
    shift = vae.style(z).unsqueeze(1).chunk(1 + a.blocks, -1)
    hidden, inner = [torch.relu(vae.first(f) + shift[0])], []
    for i in range(a.blocks):
        inner.append(torch.relu(vae.inner[i](hidden[-1]) + shift[i + 1]))
        hidden.append(torch.relu(hidden[-1] + vae.outer[i](inner[-1])))
    visible = [hints[..., a.visible_hints(i)] for i in range(a.channels)]
    head = [torch.relu(vae.head[i](torch.cat([hidden[-1], part], -1))) for i, part in enumerate(visible)]
    return {"hidden": [torch.cat(hidden)], "inner": inner, "head": head}


def _exponent(units: torch.Tensor | list[torch.Tensor]) -> int:
    """The finest grid on which all but one unit in 30,000 fit 12 bits: too coarse a grid costs more than clipping."""
    values = (units[0] if isinstance(units, list) else units).flatten()
    keep = max(1, values.numel() // 30_000)
    largest = max(float(torch.topk(values, keep).values[-1]), 1.0)  # a layer may be as good as dead
    return math.floor(math.log2(ACTIVATION_BOUND / largest))


def _layer(
    name: str,
    module: nn.Module,
    scale: Floats,
    bounds: NDArray[np.int64],
    exponents: NDArray[np.int64],
    clamp: tuple[int, int],
) -> Tensors:
    """Integers of one layer.

    Args:
        scale: what one unit of each integer input is worth in float.
        bounds: largest |integer input| of each.
        exponents: of the output's grid, by row.
    """
    weight = module.weight.double().numpy() * scale  # type: ignore[operator]
    bias = module.bias.double().numpy()  # type: ignore[operator]
    rows = [_row(w, float(v), bounds, int(e)) for w, v, e in zip(weight, bias, exponents)]
    integers, biases, shifts = (np.array(part) for part in zip(*rows))
    return {
        f"{name}.weight": integers.astype(np.int16),
        f"{name}.bias": biases.astype(np.int32),
        f"{name}.shift": shifts.astype(np.uint8),
        f"{name}.clamp": np.array(clamp, np.int32),
    }


def _row(weight: Floats, bias: float, bounds: NDArray[np.int64], after: int) -> tuple[NDArray[np.int64], int, int]:
    for bits in range(30, 0, -1):
        shift = bits - after
        if shift > 30:
            continue
        if shift < 1:
            break
        integers = np.floor(weight * 2.0**bits + 0.5).astype(np.int64)
        rounded = math.floor(bias * 2.0**bits + 0.5)
        total = int(np.abs(integers) @ bounds) + abs(rounded) + (1 << (shift - 1))
        if np.abs(integers).max() < 1 << 15 and total <= SUM_BOUND:
            return integers, rounded, shift
    raise ModelError("a row of weights fits no exact grid, so large are some; train anew with a lower --learning-rate")


def _signed(bound: int) -> tuple[int, int]:
    return -bound, bound


def _plain(exponents: NDArray[np.int64]) -> Rows:
    return Rows(exponents, np.zeros(len(exponents)))


_HIDDEN_EXPONENT, _UNIT_EXPONENT = 6, 7
"""Grids that the hidden units of a model file are taken to be on, which it does not tell: relu is homogeneous,
so that any will do."""


@torch.no_grad()
def dequantize_local(vae: PixelVae, model: Model) -> None:
    """Give float networks the weights of a model file; inputs that its networks do not have get weights of 0.

    Args:
        vae: of the model's sizes, but that it may be regressed where the model is not.
        model: what its units are clamped to is lost.

    Raises:
        ModelError: the sizes differ.
    """
    a, old = vae.architecture, model.architecture
    if not isinstance(model, PixelModel) or replace(a, regressed=model.architecture.regressed) != old:
        raise ModelError(f"model '{model.name}' has networks of other sizes")
    posterior = np.repeat([d.POSTERIOR_MEAN_BITS, d.LOG_SIGMA_BITS], a.latents)
    shifts = np.full(a.style_offsets, _UNIT_EXPONENT)
    _dequantize_network(vae.encoder, model.tensors, a.exponent, posterior)
    _dequantize_network(vae.style, model.tensors, d.LATENT_BITS, shifts)
    scale, hints = input_scales(old)
    on_units = np.full(a.hidden, 2.0**-_UNIT_EXPONENT)
    _dequantize(vae.first, model.layers["first"], scale, _UNIT_EXPONENT)
    for i in range(a.blocks):
        _dequantize(vae.inner[i], model.layers[f"inner.{i}"], on_units, _UNIT_EXPONENT)
        _dequantize(vae.outer[i], model.layers[f"outer.{i}"], on_units, _UNIT_EXPONENT)
    on_head = np.full(a.head, 2.0**-_UNIT_EXPONENT)
    to_out = np.repeat(_PARAMETER_GRIDS, a.mixture)
    for i in range(a.channels):
        seen = hints[old.visible_hints(i)]
        _dequantize(vae.head[i], model.layers[f"head.{i}"], np.r_[on_units, seen], _UNIT_EXPONENT)
        _dequantize(vae.out[i], model.layers[f"out.{i}"], np.r_[on_head, seen], to_out)


def _dequantize(module: nn.Module, layer: Layer, scale: Floats, after: int | NDArray[np.int64]) -> None:
    """The inverse of :func:`_layer`."""
    finest = np.ldexp(1.0, -(layer.shift + after))
    _set(module, layer.weight * finest[:, None] / scale, layer.bias * finest)


def _dequantize_network(
    network: Network, tensors: Mapping[str, NDArray[Any]], before: int, last: NDArray[np.int64]
) -> None:
    """The inverse of :func:`vaezip.training.quantize.network_tensors`."""
    layers = weighted_layers(network.layers)
    for layer in layers:
        parts = (tensors[f"{layer.name}.{part}"] for part in ("weight", "bias", "shift"))
        weight, bias, shift = (part.astype(np.float64) for part in parts)
        after = last if layer is layers[-1] else np.full(layer.outputs, _HIDDEN_EXPONENT)
        bits = shift + after - before
        weight = weight * np.ldexp(1.0, -bits.astype(np.int64)).reshape(-1, *[1] * (weight.ndim - 1))
        weight = weight.transpose(0, 3, 1, 2) if isinstance(layer, Conv) else weight
        _set(network.weighted[key(layer.name)], weight, bias * np.ldexp(1.0, -(bits + before).astype(np.int64)))
        before = _HIDDEN_EXPONENT


def _set(module: nn.Module, weight: Floats, bias: Floats) -> None:
    """Weights of the first inputs; those of others are 0."""
    module.weight.zero_()  # type: ignore[operator]
    module.weight[:, : weight.shape[1]] = torch.from_numpy(weight)  # type: ignore[operator]
    module.bias.copy_(torch.from_numpy(bias))  # type: ignore[operator]
