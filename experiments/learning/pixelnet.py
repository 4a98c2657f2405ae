"""The pixel network in float32, for experiments: what the codec does exactly, without its grids.

All weights stand in one vector, of which the layers are views, so that an optimiser is a few lines. One unit of
a layer's inputs and outputs means what :mod:`vaezip.models.pixel.adaptation` takes it to mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.exact.jit import jit
from vaezip.models import latents
from vaezip.models.pixel import bitsback as pixel_bitsback
from vaezip.models.pixel import strips
from vaezip.models.pixel.adaptation_layers import feature_scales, hint_scales
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.pixel.constants import TILE
from vaezip.models.pixel.least_squares import frame_with_predictions
from vaezip.models.pixel.model import PixelModel
from vaezip.models.pixel.network import inputs

Floats = NDArray[np.float32]

_UNIT = 2.0**-7
_SPREAD = float((1 << d.LOGISTIC_PRECISION) - d.LEVELS)
FLOOR = 1.0 / _SPREAD
"""What the coder adds to every probability, about."""


class Inputs(NamedTuple):
    """Of some pixels, channels in the order of coding, in units of the network.

    Attributes:
        features: (pixels, features).
        hints: (pixels, hints): residuals x − P, and what regression predicts.
        values, prediction: (pixels, channels), as they are.
        style: the pixel's tile.
    """

    features: Floats
    hints: Floats
    values: Floats
    prediction: Floats
    style: NDArray[np.int64]


class Trace(NamedTuple):
    """What a forward pass leaves for the gradient; ``parameters`` are (pixels, channels, 3 mixture)."""

    hidden: list[Floats]
    inner: list[Floats]
    heads: Floats
    parameters: Floats


@dataclass
class Picture:
    """A picture as the network sees it.

    Attributes:
        inputs: of all pixels, row by row.
        shifts: of every tile, (tiles, shifts), by z.
        latent_bits: what z costs.
    """

    samples: NDArray[np.uint8]
    inputs: Inputs
    shifts: Floats
    latent_bits: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        height, width, channels = self.samples.shape
        return height, width, channels


def prepared(model: PixelModel, samples: NDArray[np.uint8], with_latents: bool = False) -> Picture:
    """All that does not depend on the weights; z is 0, which costs nothing, or chosen as the coder chooses it."""
    a, count = model.architecture, samples.shape[0] * samples.shape[1]
    frame = frame_with_predictions(a, samples[None])
    features, prediction, hints = (x.reshape(count, -1).astype(np.float32) for x in inputs(a, frame))
    found = (features * feature_scales(a)).astype(np.float32), (hints * hint_scales(a)).astype(np.float32)
    values = samples.reshape(count, -1)[:, list(a.order)].astype(np.float32)
    y, x = np.divmod(np.arange(count), samples.shape[1])
    across = strips.across(frame)
    style = (y // TILE) * across + x // TILE
    shifts, bits = _styles(model, frame, samples.shape, with_latents)
    return Picture(samples, Inputs(*found, values, prediction, style), shifts, bits)


def _styles(
    model: PixelModel, frame: NDArray[np.int16], shape: tuple[int, ...], with_latents: bool
) -> tuple[Floats, float]:
    shifts, bits = [], 0.0
    for strip in strips.strips((1, *shape)):  # type: ignore[arg-type]
        means, _ = pixel_bitsback.posterior(model, frame, strip, steps=0)
        bins = np.full(means.shape, d.LATENT_BINS // 2, np.int32)
        if with_latents:
            symbols = latents.coarse_symbols(means, model.coarse)
            prior = latents.coarse_prior(len(symbols), model.coarse)
            bits += float(d.bits(prior.intervals(symbols.ravel()), prior.precision).sum())
            bins = latents.centres(symbols, model.coarse)
        shifts.append(model.style_offsets(bins))
    return np.concatenate(shifts).astype(np.float32) * np.float32(_UNIT), bits


@dataclass
class Network:
    """The pixel network of a model.

    Attributes:
        weights: all of them.
        pace: how long a step of each is at a rate of 1, before factors of layers: 0 where there is none.
        layers: by name, the views (outputs, units + hints + bias), and where they stand in ``weights``.
    """

    model: PixelModel
    weights: Floats = field(init=False)
    pace: Floats = field(init=False)
    layers: dict[str, tuple[Floats, slice]] = field(init=False)

    def __post_init__(self) -> None:
        a = self.model.architecture
        made = {"first": _dequantised(self.model, ["first"], a.features)}
        for i in range(a.blocks):
            made |= {f"{kind}.{i}": _dequantised(self.model, [f"{kind}.{i}"], a.hidden) for kind in ("inner", "outer")}
        made["head"] = _dequantised(self.model, [f"head.{i}" for i in range(a.channels)], a.hidden)
        made |= {f"out.{i}": _dequantised(self.model, [f"out.{i}"], a.head) for i in range(a.channels)}
        self.weights = np.concatenate([layer.ravel() for layer, _ in made.values()])
        self.pace = np.concatenate([pace.ravel() for _, pace in made.values()])
        self.layers, at = {}, 0
        for name, (layer, _) in made.items():
            where = slice(at, at + layer.size)
            self.layers[name] = self.weights[where].reshape(layer.shape), where
            at += layer.size

    def views(self, vector: Floats) -> dict[str, Floats]:
        """Layers of another vector of the same size."""
        return {name: vector[where].reshape(layer.shape) for name, (layer, where) in self.layers.items()}

    def forward(self, x: Inputs, shifts: Floats, layers: dict[str, Floats]) -> Trace:
        """Run the network with these layers."""
        a = self.model.architecture
        shift = [np.ascontiguousarray(part)[x.style] for part in np.split(shifts, 1 + a.blocks, axis=1)]
        hidden = [_relu(_sums(layers["first"], x.features) + shift[0])]
        inner = []
        for i in range(a.blocks):
            inner.append(_relu(_sums(layers[f"inner.{i}"], hidden[-1]) + shift[i + 1]))
            hidden.append(_relu(hidden[-1] + _sums(layers[f"outer.{i}"], inner[-1])))
        heads = _relu(_sums(layers["head"], hidden[-1], x.hints))
        parameters = np.empty((len(heads), a.channels, 3 * a.mixture), np.float32)
        for i in range(a.channels):
            part = heads[:, i * a.head : (i + 1) * a.head]
            parameters[:, i] = _sums(layers[f"out.{i}"], part, x.hints[:, a.visible_hints(i)])
        return Trace(hidden, inner, heads, parameters)

    def units(self, x: Inputs, trace: Trace) -> dict[str, Floats]:
        """What goes into each layer, a 1 for the bias included."""
        a, found = self.model.architecture, {"first": [x.features]}
        for i in range(a.blocks):
            found |= {f"inner.{i}": [trace.hidden[i]], f"outer.{i}": [trace.inner[i]]}
        found["head"] = [trace.hidden[-1], x.hints]
        for i in range(a.channels):
            found[f"out.{i}"] = [trace.heads[:, i * a.head : (i + 1) * a.head], x.hints[:, a.visible_hints(i)]]
        one = np.ones((len(x.values), 1), np.float32)
        return {name: np.concatenate([*parts, one], axis=1) for name, parts in found.items()}

    def backward(self, x: Inputs, trace: Trace, gradient: Floats, layers: dict[str, Floats], out: Floats) -> None:
        """The gradient for all weights, from that for the parameters, into ``out``."""
        a, into = self.model.architecture, self.views(out)
        for_heads = np.empty_like(trace.heads)
        for i in range(a.channels):
            part = slice(i * a.head, (i + 1) * a.head)
            _collect(into[f"out.{i}"], gradient[:, i], trace.heads[:, part], x.hints[:, a.visible_hints(i)])
            for_heads[:, part] = gradient[:, i] @ layers[f"out.{i}"][:, : a.head]
        for_heads *= trace.heads > 0
        _collect(into["head"], for_heads, trace.hidden[-1], x.hints)
        total = for_heads @ layers["head"][:, : a.hidden]
        for i in reversed(range(a.blocks)):
            total *= trace.hidden[i + 1] > 0
            _collect(into[f"outer.{i}"], total, trace.inner[i])
            back: Floats = np.matmul(total, layers[f"outer.{i}"][:, : a.hidden])
            back *= trace.inner[i] > 0
            _collect(into[f"inner.{i}"], back, trace.hidden[i])
            total = total + back @ layers[f"inner.{i}"][:, : a.hidden]
        total *= trace.hidden[0] > 0
        _collect(into["first"], total, x.features)


def pixels(x: Inputs, which: slice) -> Inputs:
    """Some of the pixels."""
    return Inputs._make([np.ascontiguousarray(part[which]) for part in x])


def bands(height: int, rows: int) -> Iterator[tuple[int, int]]:
    """First row and last + 1 of each band; none reaches over a strip of tiles."""
    for strip in range(0, height, TILE):
        for top in range(strip, min(height, strip + TILE), rows):
            yield top, min(top + rows, strip + TILE, height)


def _sums(layer: Floats, units: Floats, hints: Floats | None = None) -> Floats:
    count = units.shape[1]
    out: Floats = units @ layer[:, :count].T
    if hints is not None and hints.shape[1]:
        out += hints @ layer[:, count:-1].T
    out += layer[:, -1]
    return out


def _collect(into: Floats, gradient: Floats, units: Floats, hints: Floats | None = None) -> None:
    count = units.shape[1]
    np.matmul(gradient.T, units, out=into[:, :count])
    if hints is not None and hints.shape[1]:
        np.matmul(gradient.T, hints, out=into[:, count:-1])
    into[:, -1] = gradient.sum(axis=0)


def _relu(x: Floats) -> Floats:
    return np.maximum(x, np.float32(0), out=x)


def _dequantised(model: PixelModel, names: list[str], units: int) -> tuple[Floats, Floats]:
    """Layers of the same units, one above the other, and the paces of their weights."""
    a, parts, there = model.architecture, [], []
    of_input = feature_scales(a) if names == ["first"] else np.full(units, _UNIT)
    of_output: NDArray[np.float64] = np.array(_UNIT)
    if names[0].startswith("out."):
        grids = [d.WEIGHT_LOGIT_BITS, d.MEAN_BITS + 4, d.LOG_SCALE_BITS]
        of_output = np.repeat(np.ldexp(1.0, -np.array(grids)), a.mixture)
    for name in names:
        layer = model.layers[name]
        scale = (np.ldexp(1.0, -layer.shift) * of_output)[:, None]
        seen, columns = _hints(a, name)
        weight = np.zeros((len(layer.weight), units + len(columns) + 1))
        weight[:, :units] = layer.weight[:, :units] * scale / of_input
        weight[:, -1] = layer.bias * scale[:, 0]
        mask = np.ones_like(weight)
        mask[:, units:-1] = 0.0
        for j, hint in enumerate(seen):
            at = units + columns.index(hint)
            weight[:, at] = layer.weight[:, units + j] * scale[:, 0] / hint_scales(a)[hint]
            mask[:, at] = 1.0
        parts.append(weight)
        there.append(mask)
    whole = np.concatenate(parts)
    size = math.sqrt(float(np.mean(whole[:, :units] ** 2)))
    return whole.astype(np.float32), (np.concatenate(there) * size).astype(np.float32)


def _hints(a: PixelArchitecture, name: str) -> tuple[list[int], list[int]]:
    """Which hints a layer sees, and which have a column: for heads, that stand one above the other, all."""
    if not name.startswith(("head.", "out.")):
        return [], []
    seen = a.visible_hints(int(name.split(".")[1]))
    return seen, list(range(a.hints)) if name.startswith("head") else seen


@jit
def mixture(parameters, values, prediction, mix):  # type: ignore[no-untyped-def]
    """log p of pixels in nats, and its gradient for the parameters.

    Args:
        parameters: float32 (pixels, channels, 3 mix): logits, (means − prediction)/16, log scales.
        values, prediction: float32 (pixels, channels).
        mix: logistics.

    Returns:
        float64 (pixels, channels), and float32 of the shape of the parameters.
    """
    out, gradient = np.empty(values.shape), np.empty_like(parameters)
    w, part = np.empty(mix), np.empty(mix)
    for i in range(values.shape[0]):
        for c in range(values.shape[1]):
            p, g = parameters[i, c], gradient[i, c]
            best = p[0]
            for k in range(1, mix):
                best = max(best, p[k])
            total = 0.0
            for k in range(mix):
                w[k] = np.exp(p[k] - best)
                total += w[k]
            x, whole = values[i, c], 0.0
            for k in range(mix):
                w[k] /= total
                log_scale = min(max(p[2 * mix + k], np.float32(-3.0)), np.float32(5.5))
                inverse = np.exp(-np.float64(log_scale))
                distance = np.float64(x) - prediction[i, c] - 16.0 * p[mix + k]
                lower, upper = (distance - 0.5) * inverse, (distance + 0.5) * inverse
                low, high = 1.0 / (1.0 + np.exp(-lower)), 1.0 / (1.0 + np.exp(upper))
                if x <= 0.0:
                    low, lower = 0.0, 0.0
                if x >= 255.0:
                    high, upper = 0.0, 0.0
                if lower > 0.0 and x > 0.0:  # on the side where sigmoid is small, so that digits are kept
                    part[k] = 1.0 / (1.0 + np.exp(lower)) - high
                else:
                    part[k] = 1.0 - high - low if upper > 0.0 or x >= 255.0 else 1.0 / (1.0 + np.exp(-upper)) - low
                dl, dh = low * (1.0 - low), high * (1.0 - high)
                whole += w[k] * part[k]
                g[mix + k] = w[k] * (dl - dh) * inverse * 16.0
                free = p[2 * mix + k] == log_scale
                g[2 * mix + k] = w[k] * (lower * dl - upper * dh) if free else 0.0
            divisor = whole + FLOOR
            for k in range(mix):
                g[k] = w[k] * (part[k] - whole) / divisor
                g[mix + k] /= divisor
                g[2 * mix + k] /= divisor
            out[i, c] = np.log((whole * _SPREAD + 1.0) / (_SPREAD + 256.0))
    return out, gradient
