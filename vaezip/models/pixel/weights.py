"""Pack the layers of the pixel network as the compiled coder takes them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.layer import Layer
from vaezip.exact.product16 import empty, pack
from vaezip.models.pixel.architecture import PixelArchitecture

Ints = NDArray[Any]


class PackedLayers(NamedTuple):
    """Some layers of one shape.

    Attributes:
        weight: int16 (layers, pairs of inputs, outputs, 2) of :func:`vaezip.exact.product16.pack`. Inputs are the
            units and, in heads, the hints, 0 for those that a layer does not see; of either an even number.
        bias: int32 (layers, outputs), with the rounding's ½.
        shift: int32 (layers, outputs).
        clamp: int32 (layers, 2).
    """

    weight: Ints
    bias: Ints
    shift: Ints
    clamp: Ints


class Weights(NamedTuple):
    """All layers of a pixel network, and the channels in the order of coding, int64 (channels,).

    ``first`` is one layer, ``inner`` and ``outer`` are one for each block, ``head`` and ``out`` one for each channel.
    """

    first: PackedLayers
    inner: PackedLayers
    outer: PackedLayers
    head: PackedLayers
    out: PackedLayers
    order: Ints

    @property
    def parts(self) -> tuple[PackedLayers, ...]:
        """The layers in the order in which a pixel goes through them."""
        return self.first, self.inner, self.outer, self.head, self.out

    def copied(self) -> Weights:
        """Copy all arrays."""
        parts = [PackedLayers._make(array.copy() for array in part) for part in self.parts]
        return Weights._make([*parts, self.order.copy()])


Networks = tuple[Weights, ...]
"""Networks side by side, of one architecture."""


def evened(count: int) -> int:
    """Return how many inputs so many take in pairs."""
    return count + count % 2


def packed(a: PixelArchitecture, layers: dict[str, Layer]) -> Weights:
    """Pack the layers of :func:`vaezip.models.pixel.network.layers`."""
    blocks, channels = range(a.blocks), range(a.channels)
    return Weights(
        _packed(a, [layers["first"]], a.hidden, a.features),
        _packed(a, [layers[f"inner.{i}"] for i in blocks], a.hidden, a.hidden),
        _packed(a, [layers[f"outer.{i}"] for i in blocks], a.hidden, a.hidden),
        _packed(a, [layers[f"head.{i}"] for i in channels], a.head, a.hidden, a.hints),
        _packed(a, [layers[f"out.{i}"] for i in channels], 3 * a.mixture, a.head, a.hints),
        np.array(a.order, np.int64),
    )


def _packed(a: PixelArchitecture, layers: list[Layer], outputs: int, units: int, hints: int = 0) -> PackedLayers:
    """Pack some layers of one shape; inputs beyond the units are hints."""
    columns = evened(units) + evened(hints)
    weight = np.zeros((len(layers), *empty(outputs, columns).shape), np.int16)
    for i, layer in enumerate(layers):
        whole = np.zeros((outputs, columns), np.int64)
        whole[:, :units] = layer.weight[:, :units]
        if hints:
            whole[:, [evened(units) + hint for hint in a.visible_hints(i)]] = layer.weight[:, units:]
        pack(whole, weight[i])
    rounded = [layer.bias + (np.int64(1) << (layer.shift - 1)) for layer in layers]
    return PackedLayers(
        weight,
        np.array(rounded, np.int32).reshape(len(layers), outputs),
        np.array([layer.shift for layer in layers], np.int32).reshape(len(layers), outputs),
        np.array([layer.clamp for layer in layers], np.int32).reshape(len(layers), 2),
    )
