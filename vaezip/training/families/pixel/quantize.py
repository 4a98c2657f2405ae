"""From the trained float networks of a pixel model to integers, and back.

Hidden units get 12 bits on a power-of-two grid chosen from calibration tiles; each row of weights the
finest power-of-two grid on which weights have 16 bits and sums 32.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from vaezip.entropy import distributions as d
from vaezip.errors import ModelError
from vaezip.exact.layer import Layer
from vaezip.models.base import Model
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.pixel.constants import ACTIVATION_BOUND, RADIUS, SPREAD_BITS, SUM_BOUND, UNIT_BITS
from vaezip.models.pixel.model import PixelModel
from vaezip.models.pixel.network import input_bound
from vaezip.training.networks.pixel import LEVEL_UNIT, SPREAD_UNIT, UNIT, PixelVae
from vaezip.training.quantize import (
    LATENT_GRID,
    Floats,
    Grid,
    Integers,
    Precision,
    Tensors,
    coarse_grid,
    dequantize_network,
    drawn,
    finest_exponent,
    finest_row,
    network_tensors,
    no_grid,
    plain_rows,
    posterior_rows,
    set_weights,
)

_OUTPUT_BOUND = (1 << 15) - 1
_MOST_SHIFT = 30

_PARAMETER_GRIDS = (d.WEIGHT_LOGIT_BITS, d.MEAN_BITS + int(math.log2(UNIT)), d.LOG_SCALE_BITS)
"""Exponents of weight logits, means and log scales."""


@torch.no_grad()
def quantize(vae: PixelVae, frames: torch.Tensor) -> Tensors:
    """Make the integer tensors of a model file.

    Args:
        vae: trained.
        frames: calibration tiles with their surroundings, float32 (tiles, 32 + RADIUS, 32 + 2 RADIUS, planes).
    """
    a = vae.architecture
    x = frames[:, RADIUS:, RADIUS:-RADIUS, : a.channels]
    mean, log_sigma = vae.posterior(x)
    z = drawn(mean, log_sigma)
    found = units(vae, frames, z)
    stream = _exponent(torch.cat(found["hidden"]))
    inner = [_exponent(u) for u in found["inner"]]
    heads = [_exponent(u) for u in found["head"]]
    tensors = network_tensors(
        vae.encoder,
        (x - a.offset) * 2.0**-a.exponent,
        grid=Grid(a.exponent, 128),
        precision=Precision(),
        rows=posterior_rows(a.latents),
        last_bound=d.POSTERIOR_MEAN_BOUND,
    )
    tensors |= network_tensors(
        vae.style,
        z,
        grid=LATENT_GRID,
        precision=Precision(),
        rows=plain_rows(np.repeat([stream, *inner], a.hidden)),
        last_bound=_OUTPUT_BOUND,
    )
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
    """Compute what one unit of each integer feature, and of each hint, is worth to the float network."""
    features = np.repeat([1 / UNIT, 1 / LEVEL_UNIT], [a.neighbours * a.channels, a.channels])
    hints = np.full(a.channels, 1 / UNIT)
    if a.regressed:
        predicted, spread = 2.0**-UNIT_BITS / UNIT, 2.0**-SPREAD_BITS / SPREAD_UNIT
        features = np.r_[features, np.full(a.seen * a.channels, predicted), np.full(a.channels + a.energies, spread)]
        hints = np.r_[hints, np.full(a.seen * a.channels, predicted)]
    return features, hints


def units(vae: PixelVae, frames: torch.Tensor, z: torch.Tensor) -> dict[str, list[torch.Tensor]]:
    """Compute the hidden units of each kind on the calibration tiles, layer by layer."""
    a = vae.architecture
    f, _, hints = vae.inputs(frames)
    shift = vae.style(z).unsqueeze(1).chunk(1 + a.blocks, -1)
    hidden, inner = [torch.relu(vae.first(f) + shift[0])], []
    for i in range(a.blocks):
        inner.append(torch.relu(vae.inner[i](hidden[-1]) + shift[i + 1]))
        hidden.append(torch.relu(hidden[-1] + vae.outer[i](inner[-1])))
    head = [
        torch.relu(vae.head[i](torch.cat([hidden[-1], hints[..., a.visible_hints(i)]], -1))) for i in range(a.channels)
    ]
    return {"hidden": hidden, "inner": inner, "head": head}


def _exponent(layer: torch.Tensor) -> int:
    """Choose the finest grid on which all but one unit in 30,000 fit 12 bits: too coarse a grid costs more than
    clipping. The least is 1, for a layer may be as good as dead."""
    return finest_exponent(layer, ACTIVATION_BOUND, clipped=30_000, least=1.0)


def _layer(
    name: str,
    module: nn.Module,
    scale: Floats,
    bounds: Integers,
    exponents: Integers,
    clamp: tuple[int, int],
) -> Tensors:
    """Quantise one layer.

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


def _row(weight: Floats, bias: float, bounds: Integers, after: int) -> tuple[Integers, int, int]:
    found = finest_row(weight, bias, bounds, after=after, limit=SUM_BOUND, most_shift=_MOST_SHIFT)
    if not found:
        raise no_grid()
    return found


def _signed(bound: int) -> tuple[int, int]:
    return -bound, bound


_UNIT_EXPONENT = 7
"""The grid that the units of the pixel network are taken to be on, which a model file does not tell: relu is
homogeneous, so that any will do."""


@torch.no_grad()
def dequantize(vae: PixelVae, model: Model) -> None:
    """Give float networks the weights of a model file; inputs that its networks do not have get weights of 0.

    Args:
        vae: of the model's sizes, but that it may have least-squares predictors that the model does not have.
        model: what its units are clamped to is lost.

    Raises:
        ModelError: the sizes differ.
    """
    if not isinstance(model, PixelModel) or not _grows(model.architecture, vae.architecture):
        raise ModelError(f"model '{model.name}' has networks of other sizes")
    a, old = vae.architecture, model.architecture
    dequantize_network(vae.encoder, model.tensors, before=a.exponent, rows=posterior_rows(a.latents))
    shifts = plain_rows(np.full(a.style_offsets, _UNIT_EXPONENT))
    dequantize_network(vae.style, model.tensors, before=d.LATENT_BITS, rows=shifts)
    scale, hints = input_scales(old)
    on_units = np.full(a.hidden, 2.0**-_UNIT_EXPONENT)
    _dequantize_layer(vae.first, model.layers["first"], scale, _UNIT_EXPONENT, columns=feature_columns(old, a))
    for i in range(a.blocks):
        _dequantize_layer(vae.inner[i], model.layers[f"inner.{i}"], on_units, _UNIT_EXPONENT)
        _dequantize_layer(vae.outer[i], model.layers[f"outer.{i}"], on_units, _UNIT_EXPONENT)
    on_head = np.full(a.head, 2.0**-_UNIT_EXPONENT)
    to_out = np.repeat(_PARAMETER_GRIDS, a.mixture)
    for i in range(a.channels):
        seen = hints[old.visible_hints(i)]
        _dequantize_layer(vae.head[i], model.layers[f"head.{i}"], np.r_[on_units, seen], _UNIT_EXPONENT)
        _dequantize_layer(vae.out[i], model.layers[f"out.{i}"], np.r_[on_head, seen], to_out)


def _grows(old: PixelArchitecture, a: PixelArchitecture) -> bool:
    """Tell whether an architecture is another one, or that one with more predictors."""
    return replace(a, regressed=old.regressed, predictors=old.predictors) == old and old.seen <= a.seen


def feature_columns(old: PixelArchitecture, a: PixelArchitecture) -> Integers:
    """Say where the features of an architecture are among those of another one with more predictors: its spreads are
    behind the predictions of all."""
    before = (old.neighbours + 1 + old.seen) * old.channels
    spreads = (a.neighbours + 1 + a.seen) * a.channels + np.arange(old.channels * old.regressed + old.energies)
    return np.r_[np.arange(before), spreads]


def _dequantize_layer(
    module: nn.Module, layer: Layer, scale: Floats, after: int | Integers, columns: Integers | None = None
) -> None:
    """Give a float layer the weights of an integer one, the inverse of :func:`_layer`: the inputs of the integer layer
    are these columns of the float one, or its first."""
    finest = np.ldexp(1.0, -(layer.shift + after))
    weight = layer.weight * finest[:, None] / scale
    if columns is not None:
        weight, found = np.zeros((len(weight), module.in_features)), weight
        weight[:, columns] = found
    set_weights(module, weight, layer.bias * finest)
