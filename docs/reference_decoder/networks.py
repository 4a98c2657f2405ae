"""Sections 6.6 and 8.6: integer layers, forwards and backwards.

Arrays have a first axis for the tiles of a batch. Sums of integers are taken in binary64, which holds all of them
exactly, because BLAS is fast with it.
"""

from __future__ import annotations

import numpy as np

from .exact import grid_scale
from .primitives import require

F32 = np.float32


def product(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Multiply integers x (..., inputs) by w (inputs, outputs), exactly; w may be binary64 already."""
    return (np.asarray(x, np.float64) @ np.asarray(w, np.float64)).astype(np.int64)


def patches(x: np.ndarray) -> np.ndarray:
    """Gather the 3x3 neighbourhoods of (tiles, h, w, c), with zeros outside, as (tiles, h, w, 9 c)."""
    _, h, w, _ = x.shape
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return np.concatenate([padded[:, i : i + h, j : j + w] for i in range(3) for j in range(3)], axis=-1)


def gradient_bound(weight: np.ndarray) -> int:
    """Find the greatest integer to which gradients for the outputs of a layer are rounded (section 8.6)."""
    greatest = max(1, int(np.abs(weight).reshape(-1, weight.shape[-1]).sum(axis=0).max()))
    return (1 << 24) // greatest if greatest <= 1 << 16 else min((1 << 53) // greatest, 1 << 24)


class Weighted:
    """Compute a layer with weights: dense, or a convolution."""

    def __init__(self, name: str, tensors: dict[str, np.ndarray], bound: int, relu: bool = True) -> None:
        """Take the tensors of a layer, whose inputs have this bound."""
        parts = (tensors[f"{name}.{part}"].astype(np.int64) for part in ("weight", "bias", "shift", "clamp"))
        self.weight, self.bias, self.shift, clamp = parts
        self.low, self.high = clamp.tolist()
        self.bound = max(abs(self.low), abs(self.high))
        self.conv = self.weight.ndim == 4
        outputs = len(self.weight)
        self.columns = self.weight.reshape(outputs, -1).T.astype(np.float64, order="C")
        self.half = np.left_shift(1, self.shift - 1)
        sums = bound * np.abs(self.weight).reshape(outputs, -1).sum(axis=1) + np.abs(self.bias + self.half)
        require(bool((sums <= 1 << 53).all()), "a layer has sums beyond 2^53")
        require(not relu or self.low == 0, "the clamp of a layer with relu does not begin with 0")

    def run(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute the outputs, and keep them for `back`."""
        sums = product(patches(x) if self.conv else x, self.columns) + self.bias
        y = np.clip((sums + self.half) >> self.shift, self.low, self.high)
        return y, y

    def back(self, y: np.ndarray, g: np.ndarray) -> np.ndarray:
        """Compute the gradient for the inputs from the outputs y and their gradient g."""
        free = ((self.low < y) & (y < self.high)).astype(F32)
        t = g * free * np.ldexp(F32(1), -self.shift).astype(F32)
        bound = gradient_bound(self.weight)
        transposed = self.weight
        if self.conv:  # the weights as (3 * 3 * outputs, inputs), turned by half a turn
            transposed = self.weight[:, ::-1, ::-1].transpose(1, 2, 0, 3).reshape(-1, self.weight.shape[-1])
        result = []
        for tile in t.astype(np.float64):
            scale = grid_scale(float(np.abs(tile).max()), bound)
            rounded = np.rint(tile * scale)
            sums = product(patches(rounded[None])[0] if self.conv else rounded, transposed)
            result.append(np.clip(sums.astype(np.float64) / scale, -(2.0**60), 2.0**60).astype(F32))
        return np.array(result)


class Residual:
    """Compute a residual block: two convolutions around which the input is added."""

    def __init__(self, entry: dict, tensors: dict[str, np.ndarray], bound: int) -> None:
        """Build both convolutions."""
        self.bound = bound
        self.first = build_weighted(entry["first"], tensors, bound)
        self.second = build_weighted(entry["second"], tensors, self.first.bound)

    def run(self, x: np.ndarray) -> tuple[np.ndarray, tuple]:
        """Compute the outputs."""
        inner, _ = self.first.run(x)
        change, _ = self.second.run(inner)
        y = np.clip(x + change, 0, self.bound)
        return y, (inner, change, y)

    def back(self, kept: tuple, g: np.ndarray) -> np.ndarray:
        """Go back through the block."""
        inner, change, y = kept
        g = g * ((y > 0) & (y < self.bound)).astype(F32)
        return g + self.first.back(inner, self.second.back(change, g))


class Rearrange:
    """Move numbers without changing them: flatten, space_to_depth, depth_to_space."""

    def __init__(self, entry: dict, bound: int) -> None:
        """Take the kind and the factor."""
        self.kind, self.factor, self.bound = entry["kind"], entry.get("factor", 1), bound

    def run(self, x: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
        """Compute the outputs, and keep the shape of the input."""
        return rearrange(self.kind, self.factor, x), x.shape

    def back(self, kept: tuple[int, ...], g: np.ndarray) -> np.ndarray:
        """Undo the rearrangement."""
        if self.kind == "flatten":
            return g.reshape(kept)
        inverse = "depth_to_space" if self.kind == "space_to_depth" else "space_to_depth"
        return rearrange(inverse, self.factor, g)


def rearrange(kind: str, f: int, x: np.ndarray) -> np.ndarray:
    """Rearrange an array (tiles, ...) in one of the three ways of section 6.6."""
    if kind == "flatten":
        return x.reshape(len(x), -1)
    t, h, w, c = x.shape
    if kind == "space_to_depth":
        parts = x.reshape(t, h // f, f, w // f, f, c).transpose(0, 1, 3, 2, 4, 5)
        return parts.reshape(t, h // f, w // f, f * f * c)
    require(kind == "depth_to_space", "unknown kind of layer")
    parts = x.reshape(t, h, w, f, f, c // (f * f)).transpose(0, 1, 3, 2, 4, 5)
    return parts.reshape(t, h * f, w * f, c // (f * f))


def build_weighted(entry: dict, tensors: dict[str, np.ndarray], bound: int) -> Weighted:
    """Build a dense layer or a convolution from its entry in the architecture."""
    return Weighted(entry["name"], tensors, bound, entry.get("relu", True))


class Network:
    """Run layers one after the other, forwards and backwards."""

    def __init__(self, entries: list[dict], tensors: dict[str, np.ndarray], bound: int) -> None:
        """Build the layers, whose first input has this bound."""
        self.layers: list = []
        for entry in entries:
            if entry["kind"] in ("dense", "conv"):
                layer = build_weighted(entry, tensors, bound)
            elif entry["kind"] == "residual":
                layer = Residual(entry, tensors, bound)
            else:
                layer = Rearrange(entry, bound)
            self.layers.append(layer)
            bound = layer.bound

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, list]:
        """Compute the outputs of a batch (tiles, ...), and what `backward` needs."""
        kept = []
        for layer in self.layers:
            x, keep = layer.run(x)
            kept.append(keep)
        return x, kept

    def backward(self, kept: list, g: np.ndarray) -> np.ndarray:
        """Compute the gradient for the inputs from that of the outputs (float32)."""
        for layer, keep in zip(reversed(self.layers), reversed(kept), strict=True):
            g = layer.back(keep, g)
        return g
