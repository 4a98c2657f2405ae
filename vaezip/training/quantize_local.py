"""From a trained local-autoregressive float network to the integer one that codes.

Hidden units get 12 bits on a power-of-two grid chosen from calibration tiles; each row of weights the
finest power-of-two grid on which weights have 16 bits and sums 32.
"""

from __future__ import annotations

import math

import array_api_compat.torch as xp
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vaezip import distributions as d
from vaezip.errors import ModelError
from vaezip.networks.local.architecture import RADIUS
from vaezip.networks.local.floating import LEVEL_UNIT, UNIT, LocalVae
from vaezip.networks.local.integer import ACTIVATION_BOUND, DIFFERENCE_BOUND, SUM_BOUND
from vaezip.networks.local.neighbourhood import features
from vaezip.training.quantize import Floats, Grid, Precision, Rows, Tensors, coarse_grid, network_tensors

_OUTPUT_BOUND = (1 << 15) - 1


@torch.no_grad()
def quantize_local(vae: LocalVae, frames: torch.Tensor) -> Tensors:
    """The integer tensors of a model file.

    Args:
        vae: trained.
        frames: calibration tiles with their surroundings, float32 (tiles, 32 + RADIUS, 32 + 2 RADIUS, channels).
    """
    a = vae.architecture
    x = frames[:, RADIUS:, RADIUS:-RADIUS]
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

    bounds = np.full(a.features, DIFFERENCE_BOUND)
    scale = np.r_[np.full(a.features - a.channels, 1 / UNIT), np.full(a.channels, 1 / LEVEL_UNIT)]
    tensors |= _layer("first", vae.first, scale, bounds, np.full(a.hidden, stream), _signed(ACTIVATION_BOUND * 4))
    on_stream = np.full(a.hidden, 2.0**-stream)
    for i in range(a.blocks):
        full = np.full(a.hidden, ACTIVATION_BOUND)
        to_inner, to_stream = np.full(a.hidden, inner[i]), np.full(a.hidden, stream)
        tensors |= _layer(f"inner.{i}", vae.inner[i], on_stream, full, to_inner, _signed(ACTIVATION_BOUND * 4))
        on_inner = np.full(a.hidden, 2.0 ** -inner[i])
        tensors |= _layer(f"outer.{i}", vae.outer[i], on_inner, full, to_stream, _signed(ACTIVATION_BOUND * 4))
    for i in range(a.channels):
        extra = np.full(i, 1 / UNIT)
        bounds = np.r_[np.full(a.hidden, ACTIVATION_BOUND), np.full(i, DIFFERENCE_BOUND)]
        to_head = np.full(a.head, heads[i])
        tensors |= _layer(f"head.{i}", vae.head[i], np.r_[on_stream, extra], bounds, to_head, (0, ACTIVATION_BOUND))
        on_head = np.full(a.head, 2.0 ** -heads[i])
        bounds = np.r_[np.full(a.head, ACTIVATION_BOUND), np.full(i, DIFFERENCE_BOUND)]
        grids = [d.WEIGHT_LOGIT_BITS, d.MEAN_BITS + int(math.log2(UNIT)), d.LOG_SCALE_BITS]
        to_out = np.repeat(grids, a.mixture)
        tensors |= _layer(f"out.{i}", vae.out[i], np.r_[on_head, extra], bounds, to_out, _signed(_OUTPUT_BOUND))
    return tensors


def units(vae: LocalVae, frames: torch.Tensor, z: torch.Tensor) -> dict[str, list[torch.Tensor]]:
    """What the hidden units of each kind are on the calibration tiles."""
    a = vae.architecture
    differences, prediction = (t.flatten(1, 2) for t in features(xp, frames))
    x = frames[:, RADIUS:, RADIUS:-RADIUS].flatten(1, 2)
    residual = ((x - prediction) / UNIT)[..., list(a.order)]
    shift = vae.style(z).unsqueeze(1).chunk(1 + a.blocks, -1)
    f = torch.cat([differences / UNIT, (prediction - a.offset) / LEVEL_UNIT], -1)
    hidden, inner = [torch.relu(vae.first(f) + shift[0])], []
    for i in range(a.blocks):
        inner.append(torch.relu(vae.inner[i](hidden[-1]) + shift[i + 1]))
        hidden.append(torch.relu(hidden[-1] + vae.outer[i](inner[-1])))
    head = [torch.relu(vae.head[i](torch.cat([hidden[-1], residual[..., :i]], -1))) for i in range(a.channels)]
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
    raise ModelError("a row of weights fits no exact grid")


def _signed(bound: int) -> tuple[int, int]:
    return -bound, bound


def _plain(exponents: NDArray[np.int64]) -> Rows:
    return Rows(exponents, np.zeros(len(exponents)))
