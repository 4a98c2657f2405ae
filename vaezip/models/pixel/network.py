"""The pixel network in exact integers, as matrix products over many pixels at once.

Coding runs the compiled form of the same integers (:mod:`vaezip.models.pixel.kernel`); this form is
what gradients go through, and what the compiled one is tested against.
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
from vaezip.models.base import Tensors
from vaezip.models.pixel.architecture import RADIUS, PixelArchitecture
from vaezip.models.pixel.context import features
from vaezip.models.pixel.least_squares import BOUND

ACTIVATION_BITS = 12
ACTIVATION_BOUND = (1 << ACTIVATION_BITS) - 1
"""Hidden units are clamped to 0 … this."""

SUM_BOUND = (1 << 31) - 1
"""No partial sum is larger: the compiled form adds in 32 bits."""

_DIFFERENCE_BOUND = 255
"""Of the differences to neighbours, the residuals and, generously, the prediction less 128."""

_SUMMAND_BOUND = float(1 << 24)


def layers(a: PixelArchitecture, tensors: Tensors) -> dict[str, Layer]:
    """The layers of the pixel network by name, every row's bound checked.

    Raises:
        ModelError: a tensor is missing, misshapen or out of range, or sums could leave 32 bits.
    """
    found = {}
    for name, shape in a.layer_shapes.items():
        layer = _layer(tensors, name, shape)
        bounds = np.full(shape[1], input_bound(a) if name == "first" else ACTIVATION_BOUND, np.int64)
        if name.startswith(("head.", "out.")):
            bounds[shape[1] - len(a.seen(int(name.split(".")[1]))) :] = input_bound(a)
        rounding = np.int64(1) << (layer.shift - 1)
        worst = np.abs(layer.weight) @ bounds + np.abs(layer.bias) + rounding
        if (np.abs(layer.weight) >= 1 << 15).any() or (worst > SUM_BOUND).any():
            raise ModelError(f"{name}: its sums can leave 32 bits")
        found[name] = layer
    return found


def input_bound(a: PixelArchitecture) -> int:
    """Of features and hints."""
    return BOUND if a.regressed else _DIFFERENCE_BOUND


def _layer(tensors: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, int]) -> Layer:
    parts = []
    for part, wanted in (("weight", shape), ("bias", shape[:1]), ("shift", shape[:1]), ("clamp", (2,))):
        tensor = tensors.get(f"{name}.{part}")
        if tensor is None or tensor.shape != wanted or tensor.dtype.kind not in "iu":
            raise ModelError(f"the model lacks the tensor {name}.{part}, or it is not integers {wanted}")
        parts.append(tensor.astype(np.int64))
    weight, bias, shift, (low, high) = parts
    good = (shift >= 1).all() and (shift <= 30).all() and (np.abs(bias) <= SUM_BOUND).all()
    good &= -(1 << 15) < low <= high < 1 << 15
    good &= name.startswith(("first", "inner", "outer", "out")) or (low, high) == (0, ACTIVATION_BOUND)
    if not good:
        raise ModelError(f"{name}: a shift, bias or clamp is out of range")
    return Layer(weight, bias, shift, (int(low), int(high)))


@dataclass
class Trace:
    """What a forward pass leaves for the gradient."""

    inner: list[tuple[Array, Array]]
    """Of each block: the inner units, and the outer layer's output."""
    hidden: list[Array]
    heads: list[Array]
    outs: list[Array]


class Inputs(NamedTuple):
    """What the pixel network takes, integers by pixel: features, P, and hints in the order of coding."""

    features: NDArray[np.int16]
    prediction: NDArray[np.int16]
    hints: NDArray[np.int16]


def inputs(a: PixelArchitecture, frame: NDArray[np.int16]) -> Inputs:
    """Those of a frame (pictures, height + RADIUS, width + 2 RADIUS, planes): (pictures, height, width, …)."""
    values, c = frame[..., : a.channels], a.channels
    differences, prediction = features(np, values)
    planes = frame[:, RADIUS:, RADIUS:-RADIUS, c:]
    residuals = (values[:, RADIUS:, RADIUS:-RADIUS] - prediction)[..., list(a.order)]
    seen = np.concatenate([differences, prediction - np.int16(a.offset), planes[..., c:]], axis=-1)
    return Inputs(seen, prediction[..., list(a.order)], np.concatenate([residuals, planes[..., :c]], axis=-1))


class PixelNetwork:
    """features, style shifts → mixture parameters, over (tiles, pixels, …) arrays."""

    def __init__(self, b: Backend, a: PixelArchitecture, made: dict[str, Layer]) -> None:
        """``made``: of :func:`layers`."""
        self.backend, self.architecture = b, a
        bounds = {"first": input_bound(a)}
        self.layers = {
            name: Affine(b, layer, bounds.get(name, ACTIVATION_BOUND), name=name) for name, layer in made.items()
        }

    def trace(self, features: Array, hints: Array, shifts: Array) -> Trace:
        """Run the network.

        Args:
            features: (tiles, pixels, features), integers in float32: differences, P − 128, and what regression
                expects and by how much it errs.
            hints: x − P (tiles, pixels, hints) likewise, channels in the order of coding, and what regression predicts.
            shifts: of the style network, (tiles, shifts), likewise.
        """
        a, b, xp = self.architecture, self.backend, self.backend.xp
        shifts = b.cast(shifts, "float64")[:, None, :]
        shift = [shifts[..., i * a.hidden : (i + 1) * a.hidden] for i in range(1 + a.blocks)]
        h = self._units(self.layers["first"](features) + shift[0])
        found = Trace([], [h], [], [])
        for i in range(a.blocks):
            inner = self._units(self.layers[f"inner.{i}"](h) + shift[i + 1])
            outer = self.layers[f"outer.{i}"](inner)
            h = self._units(h + outer)
            found.inner.append((inner, outer))
            found.hidden.append(h)
        for i in range(a.channels):
            seen = [b.cast(hints[..., j : j + 1], "float64") for j in a.seen(i)]
            head = self.layers[f"head.{i}"](xp.concat([h, *seen], axis=-1))
            found.heads.append(head)
            joined = xp.concat([b.cast(head, "float64"), *seen], axis=-1)
            found.outs.append(b.cast(self.layers[f"out.{i}"](joined), "float64"))
        return found

    def parameters(self, trace: Trace, prediction: Array) -> Array:
        """float64 (tiles, pixels, channels, 3, mixture): weight logits, means and log scales, channels
        in the order of coding; prediction likewise ordered."""
        xp, k = self.backend.xp, self.architecture.mixture
        stacked = xp.stack(trace.outs, axis=-2)
        stacked = xp.reshape(stacked, (*stacked.shape[:-1], 3, k))
        at = self.backend.cast(prediction, "float64")[..., None] * float(1 << d.MEAN_BITS)
        return xp.stack([stacked[..., 0, :], stacked[..., 1, :] + at, stacked[..., 2, :]], axis=-2)

    def vjp(self, trace: Trace, gradient: Array) -> Array:
        """Gradient of each tile's scalar for its shifts, float32 (tiles, shifts).

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
        for_shifts = []
        for i in reversed(range(a.blocks)):
            inner, outer = trace.inner[i]
            total = total * self._free(trace.hidden[i + 1])
            for_inner = self.layers[f"outer.{i}"].vjp(outer, total) * self._free(inner)
            for_shifts.append(self._pixel_sum(for_inner))
            # the inner sums are not clamped themselves: any y strictly within the clamp lets all through
            through = self.layers[f"inner.{i}"].vjp(xp.zeros_like(inner), for_inner)
            total = total + through
        for_shifts.append(self._pixel_sum(total * self._free(trace.hidden[0])))
        return xp.concat(for_shifts[::-1], axis=-1)

    def _units(self, sums: Array) -> Array:
        return self.backend.xp.clip(sums, 0.0, float(ACTIVATION_BOUND))

    def _free(self, units: Array) -> Array:
        return self.backend.cast((units > 0.0) & (units < float(ACTIVATION_BOUND)), "float32")

    def _pixel_sum(self, gradient: Array) -> Array:
        """Σ over a tile's pixels, exactly: on a power-of-two grid of the tile, in float64."""
        b = self.backend
        scale = grid_scale(b, per_image_maximum(b, gradient), _SUMMAND_BOUND)
        scale = b.xp.clip(scale, 0.0, 2.0**120)
        whole = b.xp.sum(b.xp.round(b.cast(gradient, "float64") * scale), axis=1)
        return b.cast(whole / scale[:, 0, :], "float32")
