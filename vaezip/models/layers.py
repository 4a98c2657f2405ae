"""Layers in plain data, which a model file carries as JSON.

Two interpreters run the same description:
:mod:`vaezip.training.networks.tile` for training and :mod:`vaezip.models.network`
for coding. Arrays are channel-last throughout: (batch, height, width, channels),
or (batch, units) for fully connected networks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from vaezip.errors import ModelError


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
        return Residual(Conv(**fields["first"]), Conv(**fields["second"]))
    layer: Layer = _KINDS[kind](**fields)
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


TOO_LARGE = "its networks are too large to be run"

MAX_ACTIVATIONS = 1 << 22
MAX_PRODUCTS = 1 << 33
"""What one tile may cost; the largest shipped model takes 2^16 activations and 2^26 products."""


def products(values: int, layers: tuple[Layer, ...]) -> int:
    """Count the products of a network that begins with so many values.

    Raises:
        ModelError: a layer has too many activations to be run.
    """
    total = 0
    for layer in weighted_layers(layers):
        patch = layer.inputs * (9 if isinstance(layer, Conv) else 1)
        positions = -(-values // layer.inputs)
        values = positions * layer.outputs
        total += positions * patch * layer.outputs
        if not 0 < max(values, positions * patch) <= MAX_ACTIVATIONS:
            raise ModelError(TOO_LARGE)
    return total


def check_products(total: int) -> None:
    """Refuse networks of too many products for a tile.

    Raises:
        ModelError: they are too many.
    """
    if total > MAX_PRODUCTS:
        raise ModelError(TOO_LARGE)
