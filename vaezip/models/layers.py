"""Layers in plain data, which a model file carries as JSON.

Two interpreters run the same description:
:mod:`vaezip.training.networks.tile` for training and :mod:`vaezip.models.network`
for coding. Arrays are channel-last throughout: (batch, height, width, channels),
or (batch, units) for fully connected networks.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

from vaezip.errors import ModelError
from vaezip.models.plain import made


@dataclass(frozen=True)
class Dense:
    """y = W x + b on the last axis; ``relu`` applies max(·, 0) after it."""

    name: str
    inputs: int
    outputs: int
    relu: bool = True


@dataclass(frozen=True)
class Conv:
    """3×3 convolution, stride 1, zero padding 1, on (batch, height, width, channels)."""

    name: str
    inputs: int
    outputs: int
    relu: bool = True


@dataclass(frozen=True)
class Residual:
    """y = max(x + second(first(x)), 0) with two 3×3 convolutions (He et al. 2016)."""

    first: Conv
    second: Conv


@dataclass(frozen=True)
class Flatten:
    """(batch, …) to (batch, units)."""


@dataclass(frozen=True)
class SpaceToDepth:
    """(batch, f·h, f·w, c) to (batch, h, w, f·f·c): every f×f patch becomes one position."""

    factor: int


@dataclass(frozen=True)
class DepthToSpace:
    """The inverse of :class:`SpaceToDepth`."""

    factor: int


Layer = Dense | Conv | Residual | Flatten | SpaceToDepth | DepthToSpace

_KINDS: dict[str, type] = {
    "dense": Dense,
    "conv": Conv,
    "residual": Residual,
    "flatten": Flatten,
    "space_to_depth": SpaceToDepth,
    "depth_to_space": DepthToSpace,
}


def layers_to_json(layers: tuple[Layer, ...]) -> list[dict[str, Any]]:
    """Layers as plain data, for JSON."""
    return [_layer_to_dict(layer) for layer in layers]


def layers_from_json(layers: list[dict[str, Any]]) -> tuple[Layer, ...]:
    """Inverse of :func:`layers_to_json`.

    Raises:
        ModelError: a layer of unknown kind.
    """
    return tuple(_layer_from_dict(layer) for layer in layers)


def _layer_to_dict(layer: Layer) -> dict[str, Any]:
    kind = next(k for k, cls in _KINDS.items() if isinstance(layer, cls))
    return {"kind": kind, **asdict(layer)}


def _layer_from_dict(fields: dict[str, Any]) -> Layer:
    fields = dict(fields)
    kind = fields.pop("kind")
    if kind not in _KINDS:
        raise ModelError(f"the model has a layer of unknown kind '{kind}'; a newer vaezip may know it")
    if kind == "residual":
        return Residual(made(Conv, fields["first"]), made(Conv, fields["second"]))
    layer: Layer = made(_KINDS[kind], fields)
    return layer


def weighted_layers(layers: tuple[Layer, ...]) -> list[Dense | Conv]:
    """The layers with weights, in the order in which they run."""
    found: list[Dense | Conv] = []
    for layer in layers:
        if isinstance(layer, (Dense, Conv)):
            found.append(layer)
        elif isinstance(layer, Residual):
            found += [layer.first, layer.second]
    return found


Values = tuple[int, ...]
"""The shape of an array of values of one tile, channels last."""


class Size(NamedTuple):
    """The size of a network, for one tile.

    Attributes:
        products: multiplications of weights.
        values: outputs of all layers, which gradients need.
        widest: the most values that a layer takes or gives; of a convolution, its patches.
        output: the shape of what comes out.
    """

    products: int
    values: int
    widest: int
    output: Values


MAX_ACTIVATIONS = 1 << 22
MAX_PRODUCTS = 1 << 33
"""What one tile may cost; the largest shipped model takes 2^16 activations and 2^26 products."""


def measured(layers: tuple[Layer, ...], shape: Values) -> Size:
    """Measure a network that begins with an array of values.

    Raises:
        ModelError: a layer does not fit what comes into it, or the network is too large to be run.
    """
    products, values, widest = 0, 0, math.prod(shape)
    for layer in layers:
        weighted: list[Layer] = list(weighted_layers((layer,)))
        for part in weighted or [layer]:
            before, shape = shape, _output(part, shape)
            patch = math.prod(before) * (9 if isinstance(part, Conv) else 1)
            products += math.prod(shape[:-1]) * (patch // math.prod(before[:-1])) * shape[-1] * bool(weighted)
            values, widest = values + math.prod(shape), max(widest, patch, math.prod(shape))
            if widest > MAX_ACTIVATIONS:
                raise ModelError("its networks are too large to be run")
        if isinstance(layer, Residual) and layer.first.inputs != layer.second.outputs:
            raise ModelError(_UNFIT)
    return Size(products, values, widest, shape)


def check_products(total: int) -> None:
    """Refuse networks of too many products for a tile.

    Raises:
        ModelError: they are too many.
    """
    if total > MAX_PRODUCTS:
        raise ModelError("its networks are too large to be run")


_UNFIT = "its layers do not fit together"


def _output(layer: Layer, shape: Values) -> Values:
    """Return the shape of what a layer makes of an array."""
    sizes = [getattr(layer, field.name) for field in fields(layer) if field.name in ("inputs", "outputs", "factor")]
    if not all(type(size) is int and 0 < size <= MAX_ACTIVATIONS for size in sizes):
        raise ModelError("the size of a layer is out of range")
    if isinstance(layer, (Dense, Conv)) and not (type(layer.name) is str and type(layer.relu) is bool):
        raise ModelError("the name of a layer is none, or its relu is neither true nor false")
    if isinstance(layer, Flatten):
        return (math.prod(shape),)
    if isinstance(layer, Dense):
        fits, made = shape[-1] == layer.inputs, (*shape[:-1], layer.outputs)
    elif isinstance(layer, Conv):
        fits, made = len(shape) == 3 and shape[-1] == layer.inputs, (*shape[:-1], layer.outputs)
    else:
        fits, made = _rearranged(layer, shape)
    if not fits:
        raise ModelError(_UNFIT)
    return made


def _rearranged(layer: Layer, shape: Values) -> tuple[bool, Values]:
    """Tell whether an array can be rearranged, and give the shape of what it becomes."""
    assert isinstance(layer, (SpaceToDepth, DepthToSpace))
    if len(shape) != 3:
        return False, shape
    (h, w, c), f = shape, layer.factor
    if isinstance(layer, SpaceToDepth):
        return h % f == w % f == 0, (h // f, w // f, c * f * f)
    return c % (f * f) == 0, (h * f, w * f, c // (f * f))
