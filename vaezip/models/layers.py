"""What a network is, in plain data: layers, shapes and the input grid.

A checkpoint carries its :class:`TileArchitecture` as JSON, so that a model file says
everything that is needed to run it. Two interpreters run the same description:
:mod:`vaezip.training.networks.tile` for training and :mod:`vaezip.models.network`
for coding. Arrays are channel-last throughout: (batch, height, width, channels),
or (batch, units) for fully connected networks.
"""

from __future__ import annotations

import json
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


@dataclass(frozen=True)
class TileArchitecture:
    """A VAE p(z) p(x|z), q(z|x) over tiles of pixels.

    Attributes:
        tile: height and width of the pixel array that one latent vector describes.
        channels: planes of a tile (1 grey, 3 RGB).
        levels: values of a pixel, 2 or 256.
        tiled: whether larger or smaller pictures may be cut into such tiles.
        likelihood: ``bernoulli``, ``logistic`` or ``colour-logistic``
            (see :mod:`vaezip.entropy.distributions`).
        latent: shape of the latent z of one tile.
        offset, exponent: the network sees (pixel − offset) · 2^−exponent.
        encoder: layers from pixels to (mean, log standard deviation) on the last axis.
        decoder: layers from z to the parameters of the likelihood.
    """

    tile: tuple[int, int]
    channels: int
    levels: int
    tiled: bool
    likelihood: str
    latent: tuple[int, ...]
    offset: int
    exponent: int
    encoder: tuple[Layer, ...]
    decoder: tuple[Layer, ...]

    @property
    def dims(self) -> int:
        """Number of coded values of a tile: height · width · channels."""
        return self.tile[0] * self.tile[1] * self.channels

    @property
    def latents(self) -> int:
        """Number of latent variables of a tile."""
        total = 1
        for extent in self.latent:
            total *= extent
        return total

    def to_json(self) -> str:
        """Canonical JSON: the same architecture always gives the same string."""
        fields = {k: getattr(self, k) for k in self.__dataclass_fields__}
        fields["encoder"], fields["decoder"] = layers_to_json(self.encoder), layers_to_json(self.decoder)
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> TileArchitecture:
        """Inverse of :meth:`to_json`.

        Raises:
            ModelError: a field or a layer that this version does not know.
        """
        try:
            fields = json.loads(text)
            fields["tile"] = tuple(fields["tile"])
            fields["latent"] = tuple(fields["latent"])
            fields["encoder"] = layers_from_json(fields["encoder"])
            fields["decoder"] = layers_from_json(fields["decoder"])
            return TileArchitecture(**fields)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the model's architecture is not understood ({error})") from error


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
