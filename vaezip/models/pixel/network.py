"""Run the pixel network in exact integers, as matrix products over many pixels at once.

This is the whole network, for one pixel, with C channels, H hidden units, B blocks, D units of a head, and mixtures of
K logistics; c_0, c_1, … are the channels in the order of coding (green, red, blue). All numbers are integers.

1. *Context* (:mod:`vaezip.models.pixel.context`): the median-edge prediction P, (C,), of the pixel; and the differences
   neighbour − P of 24 neighbours, (24 C,).
2. *Least-squares predictions* (:mod:`vaezip.models.pixel.least_squares`), in models that have them: for each channel
   an unconditional one, its spread, and a conditional one, all less P, (3 C,); by one predictor or by three.
3. *Features* f, (25 C,), (27 C,) or (29 C + 3,): the differences, P − 128, the unconditional predictions, the spreads
   and, with three predictors, how far each was off nearby.
4. *Style offsets* s_0 … s_B, (H,) each: what the style network makes of the latents of the pixel's tile.
5. *First layer*: h ← relu(first f + s_0), (H,).
6. *Blocks* i = 0 … B − 1: h ← relu(h + outer_i relu(inner_i h + s_{i+1})), (H,).
7. *Heads*, for the channels j = 0 … C − 1 in turn. Hints e_j: the residuals x − P of c_0 … c_{j−1}, and the conditional
   predictions of c_j. Units: u ← relu(head_j (h, e_j)), (D,). Parameters: out_j (u, e_j), (3 K,).
8. *Mixture* (:mod:`vaezip.models.pixel.mixture`): K logits of weights, K means less P, and K logarithms of scales give
   p(c_j). Where several networks run side by side, each has an equal share in it.
9. *Calibration* (:mod:`vaezip.models.pixel.calibration`), where the model adapts: the mixture is moved and stretched.

Each layer is y = clamp(⌊(W x + b) · 2^−shift + ½⌋), which is the :class:`Layer` below; relu clamps to
0 … ACTIVATION_BOUND. :meth:`PixelNetwork.trace` is points 5 to 7, and what gradients for the latents go through.
:mod:`vaezip.models.pixel.kernel` is all of it compiled, pixel after pixel, and what codes; it is tested against this
form. :mod:`vaezip.models.pixel.adaptation` changes the weights while it codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.errors import ModelError
from vaezip.exact import Affine, Backend, Layer
from vaezip.exact.backend import Array
from vaezip.exact.elementwise import grid_scale, per_image_maximum
from vaezip.exact.layer import largest
from vaezip.models.base import Tensors
from vaezip.models.network import as_int64
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.pixel.constants import (
    ACTIVATION_BOUND,
    DIFFERENCE_BOUND,
    PREDICTION_BOUND,
    RADIUS,
    SUM_BOUND,
    SUMMAND_BOUND,
)
from vaezip.models.pixel.context import features
from vaezip.models.pixel.least_squares import nearby_energies


def layers(a: PixelArchitecture, tensors: Tensors) -> dict[str, Layer]:
    """Read the layers of the pixel network by name, every row's bound checked.

    Raises:
        ModelError: a tensor is missing, misshapen or out of range, or sums could leave 32 bits.
    """
    found = {}
    for name, shape in a.layer_shapes.items():
        layer = _layer(tensors, name, shape)
        bounds = np.full(shape[1], input_bound(a) if name == "first" else ACTIVATION_BOUND, np.int64)
        if name.startswith(("head.", "out.")):
            bounds[shape[1] - len(a.visible_hints(int(name.split(".")[1]))) :] = input_bound(a)
        rounding = np.int64(1) << (layer.shift - 1)
        fits = largest(layer.weight) < 1 << 15
        if not fits or (np.abs(layer.weight) @ bounds + np.abs(layer.bias) + rounding > SUM_BOUND).any():
            raise ModelError(f"{name}: its sums can leave 32 bits")
        found[name] = layer
    return found


def input_bound(a: PixelArchitecture) -> int:
    """Bound features and hints."""
    return PREDICTION_BOUND if a.regressed else DIFFERENCE_BOUND


def _layer(tensors: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, int]) -> Layer:
    """Read one layer, every part of which must have its shape and range."""
    parts = []
    for part, wanted in (("weight", shape), ("bias", shape[:1]), ("shift", shape[:1]), ("clamp", (2,))):
        tensor = tensors.get(f"{name}.{part}")
        if tensor is None or tensor.shape != wanted or tensor.dtype.kind not in "iu":
            raise ModelError(f"the model lacks the tensor {name}.{part}, or it is not integers {wanted}")
        parts.append(as_int64(tensor, f"{name}.{part}"))
    weight, bias, shift, (low, high) = parts
    good = (shift >= 1).all() and (shift <= 30).all() and largest(bias) <= SUM_BOUND
    good &= -(1 << 15) < low <= high < 1 << 15
    good &= name.startswith(("first", "inner", "outer", "out")) or (low, high) == (0, ACTIVATION_BOUND)
    if not good:
        raise ModelError(f"{name}: a shift, bias or clamp is out of range")
    return Layer(weight, bias, shift, (int(low), int(high)))


@dataclass
class Trace:
    """The outputs of all layers, which the gradient needs; ``inner`` has the inner units of each block, and the outer
    layer's output."""

    inner: list[tuple[Array, Array]]
    hidden: list[Array]
    heads: list[Array]
    outs: list[Array]


class Inputs(NamedTuple):
    """The inputs of the pixel network, integers by pixel: features, P, and hints in the order of coding."""

    features: NDArray[np.int16]
    prediction: NDArray[np.int16]
    hints: NDArray[np.int16]


def inputs(a: PixelArchitecture, frame: NDArray[np.int16]) -> Inputs:
    """Make (pictures, height, width, …) of a frame (pictures, height + RADIUS, width + 2 RADIUS, planes)."""
    values, c = frame[..., : a.channels], a.channels
    differences, prediction = features(np, values)
    planes = frame[:, RADIUS:, RADIUS:-RADIUS, c:]
    residuals = (values[:, RADIUS:, RADIUS:-RADIUS] - prediction)[..., list(a.order)]
    conditional, others = np.split(planes[..., : planes.shape[-1] - a.energies], [a.seen * c], axis=-1)
    energies = nearby_energies(frame, a) if a.energies else planes[..., :0]
    found = np.concatenate([differences, prediction - np.int16(a.offset), others, energies], axis=-1)
    return Inputs(found, prediction[..., list(a.order)], np.concatenate([residuals, conditional], axis=-1))


class PixelNetwork:
    """The pixel network over (tiles, pixels, …) arrays: features, hints and style offsets → mixture parameters."""

    def __init__(self, b: Backend, a: PixelArchitecture, layers: dict[str, Layer]) -> None:
        """Take the layers of :func:`layers`."""
        self.backend, self.architecture = b, a
        bounds = {"first": input_bound(a)}
        self.layers = {
            name: Affine(b, layer, bounds.get(name, ACTIVATION_BOUND), name=name) for name, layer in layers.items()
        }

    def trace(self, features: Array, hints: Array, offsets: Array) -> Trace:
        """Run the network.

        Args:
            features: (tiles, pixels, features), integers in float32: differences, P − 128, unconditional predictions
                and their spreads.
            hints: (tiles, pixels, hints) likewise: x − P, channels in the order of coding, and conditional predictions.
            offsets: of the style network, (tiles, style offsets), likewise.
        """
        a, b, xp = self.architecture, self.backend, self.backend.xp
        offsets = b.cast(offsets, "float64")[:, None, :]
        style = [offsets[..., i * a.hidden : (i + 1) * a.hidden] for i in range(1 + a.blocks)]
        h = self._units(self.layers["first"](features) + style[0])
        found = Trace([], [h], [], [])
        for i in range(a.blocks):
            inner = self._units(self.layers[f"inner.{i}"](h) + style[i + 1])
            outer = self.layers[f"outer.{i}"](inner)
            h = self._units(h + outer)
            found.inner.append((inner, outer))
            found.hidden.append(h)
        for i in range(a.channels):
            visible = [b.cast(hints[..., j : j + 1], "float64") for j in a.visible_hints(i)]
            head = self.layers[f"head.{i}"](xp.concat([h, *visible], axis=-1))
            found.heads.append(head)
            joined = xp.concat([b.cast(head, "float64"), *visible], axis=-1)
            found.outs.append(b.cast(self.layers[f"out.{i}"](joined), "float64"))
        return found

    def parameters(self, trace: Trace, prediction: Array) -> Array:
        """Make mixture parameters of the outputs of the last layers.

        Args:
            trace: of :meth:`trace`.
            prediction: P, (tiles, pixels, channels), channels in the order of coding.

        Returns:
            float64 (tiles, pixels, channels, 3, mixture): weight logits, means and log scales.
        """
        xp, k = self.backend.xp, self.architecture.mixture
        stacked = xp.stack(trace.outs, axis=-2)
        stacked = xp.reshape(stacked, (*stacked.shape[:-1], 3, k))
        at = self.backend.cast(prediction, "float64")[..., None] * float(1 << d.MEAN_BITS)
        return xp.stack([stacked[..., 0, :], stacked[..., 1, :] + at, stacked[..., 2, :]], axis=-2)

    def vjp(self, trace: Trace, gradient: Array) -> Array:
        """Compute the gradient of each tile's scalar for its style offsets, float32 (tiles, style offsets).

        Args:
            gradient: for the parameters, float32 (tiles, pixels, channels, 3, mixture).
        """
        a, b, xp = self.architecture, self.backend, self.backend.xp
        h = trace.hidden[-1]
        total = xp.zeros(h.shape, dtype=xp.float32, device=b.device)
        for i in range(a.channels):
            for_out = xp.reshape(gradient[..., i, :, :], (*h.shape[:2], 3 * a.mixture))
            for_head = self.layers[f"out.{i}"].vjp(trace.outs[i], for_out)[..., : a.head]
            total = total + self.layers[f"head.{i}"].vjp(trace.heads[i], for_head)[..., : a.hidden]
        for_offsets = []
        for i in reversed(range(a.blocks)):
            inner, outer = trace.inner[i]
            total = total * self._free(trace.hidden[i + 1])
            for_inner = self.layers[f"outer.{i}"].vjp(outer, total) * self._free(inner)
            for_offsets.append(self._pixel_sum(for_inner))
            # the inner sums are not clamped themselves: any y strictly within the clamp lets all through
            through = self.layers[f"inner.{i}"].vjp(xp.zeros_like(inner), for_inner)
            total = total + through
        for_offsets.append(self._pixel_sum(total * self._free(trace.hidden[0])))
        return xp.concat(for_offsets[::-1], axis=-1)

    def _units(self, sums: Array) -> Array:
        """Clamp sums to the range of hidden units."""
        return self.backend.xp.clip(sums, 0.0, float(ACTIVATION_BOUND))

    def _free(self, units: Array) -> Array:
        """Say by 1 and 0 which units are at neither end of their range, so that gradients flow through."""
        return self.backend.cast((units > 0.0) & (units < float(ACTIVATION_BOUND)), "float32")

    def _pixel_sum(self, gradient: Array) -> Array:
        """Sum over a tile's pixels, exactly: on a power-of-two grid of the tile, in float64."""
        b = self.backend
        scale = grid_scale(b, per_image_maximum(b, gradient), float(SUMMAND_BOUND))
        scale = b.xp.clip(scale, 0.0, 2.0**120)
        whole = b.xp.sum(b.xp.round(b.cast(gradient, "float64") * scale), axis=1)
        return b.cast(whole / scale[:, 0, :], "float32")
