"""Describe a local-autoregressive VAE in plain data.

p(x, z) = Π_tiles p(z_t) · Π_pixels p(x_i | causal context of i, z_t). A tile is 32×32 pixels and
has one latent vector, its *style*. From z a small network makes *style offsets*, which are added to the hidden
units of the pixel network (:mod:`vaezip.models.pixel.network`)::

    f = (neighbours − P, P)                         P: the median-edge prediction of the pixel
    h = relu(first f + offset_0)
    h = relu(h + outer_i relu(inner_i h + offset_{i+1}))   for each block i
    p(x_c) = mixture of logistics around P_c, parameters out_c [relu(head_c [h, e]), e]

where e are the residuals x − P of the channels coded before c (green, red, blue, in this order). In a *regressed*
model f has also the unconditional predictions and spreads of :mod:`vaezip.models.pixel.least_squares`, and e the
conditional prediction of c. With several predictors both have those of all, and f has how far each was off nearby.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from vaezip.errors import ModelError
from vaezip.models.layers import (
    Conv,
    Dense,
    Flatten,
    Layer,
    SpaceToDepth,
    check_products,
    layers_from_json,
    layers_to_json,
    measured,
)
from vaezip.models.pixel.constants import BLANK, RADIUS, REGRESSIONS, TILE
from vaezip.models.plain import made

KIND = "local"

MOST_SIDE = 1 << 18
"""The longest side of a picture: what the coder keeps of a row grows with it."""

_MOST_PREDICTORS = len(REGRESSIONS)


@dataclass(frozen=True)
class PixelArchitecture:
    """Sizes of the networks.

    Attributes:
        channels: 1 grey, 3 RGB; 8 bits each.
        hidden: units of the pixel network, a multiple of 32.
        blocks: its residual blocks.
        head: hidden units of each channel's head.
        mixture: logistics a channel.
        latent: shape of a tile's z.
        encoder: layers from a tile's pixels to (mean, log standard deviation).
        style: layers from z to the style offsets, ``hidden`` for the first layer and for each block.
        regressed: whether the pixel network sees predictions by least squares.
        predictors: how many of them a regressed model has: one or all.
    """

    channels: int
    hidden: int
    blocks: int
    head: int
    mixture: int
    latent: tuple[int]
    encoder: tuple[Layer, ...]
    style: tuple[Layer, ...]
    tile: tuple[int, int] = (TILE, TILE)
    levels: int = 256
    tiled: bool = True
    offset: int = BLANK
    exponent: int = 6
    regressed: bool = False
    predictors: int = 1

    kind: ClassVar[str] = KIND
    most_side: ClassVar[int | None] = MOST_SIDE
    sees_across_tiles: ClassVar[bool] = True
    steps_on: ClassVar[str] = "pixel network"

    @property
    def neighbours(self) -> int:
        """Count the pixels of the causal context."""
        return RADIUS * (2 * RADIUS + 1) + RADIUS

    @property
    def features(self) -> int:
        """Count the inputs of the first layer: differences to the neighbours, P, unconditional predictions and spreads,
        and, with several predictors, how far each was off nearby."""
        return (self.neighbours + 1 + self.regressed + self.seen) * self.channels + self.energies

    @property
    def planes(self) -> int:
        """Count the entries of a frame for each pixel: values, their predictions and spreads, and squared errors."""
        return (1 + self.regressed + 2 * self.seen) * self.channels + self.energies

    @property
    def seen(self) -> int:
        """Count the predictors whose predictions the network sees."""
        return self.predictors * self.regressed

    @property
    def energies(self) -> int:
        """Count the predictors whose squared errors the network sees: all, where there are several."""
        return self.seen * (self.seen > 1)

    @property
    def hints(self) -> int:
        """Count what heads may see beside hidden units: residuals, and conditional predictions."""
        return (1 + self.seen) * self.channels

    def visible_hints(self, i: int) -> list[int]:
        """List the hints that the head of the i-th channel in the order of coding sees."""
        return [*range(i), *(self.channels * (1 + r) + i for r in range(self.seen))]

    @property
    def style_offsets(self) -> int:
        """Count the outputs of the style network."""
        return self.hidden * (1 + self.blocks)

    @property
    def order(self) -> tuple[int, ...]:
        """List the channels in the order in which they are coded."""
        return (1, 0, 2) if self.channels == 3 else (0,)

    @property
    def dims(self) -> int:
        """Count the values of a tile."""
        return self.tile[0] * self.tile[1] * self.channels

    @property
    def latents(self) -> int:
        """Count the latent variables of a tile."""
        return self.latent[0]

    def to_json(self) -> str:
        """Write canonical JSON: the same architecture always gives the same string."""
        plain: dict[str, Any] = asdict(self) | {"kind": KIND}
        if self.predictors == 1:  # as it was written before there were several
            del plain["predictors"]
        plain["encoder"], plain["style"] = layers_to_json(self.encoder), layers_to_json(self.style)
        return json.dumps(plain, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> PixelArchitecture:
        """Read what :meth:`to_json` wrote.

        Raises:
            ModelError: a field or a layer that this version does not know, or a size out of range.
        """
        try:
            plain = json.loads(text)
            del plain["kind"]
            plain["encoder"], plain["style"] = layers_from_json(plain["encoder"]), layers_from_json(plain["style"])
            found = made(PixelArchitecture, plain)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the model's architecture is not understood ({error})") from error
        found.check()
        return found

    @property
    def layer_shapes(self) -> dict[str, tuple[int, int]]:
        """Give (outputs, inputs) of every layer of the pixel network, by name."""
        shapes = {"first": (self.hidden, self.features)}
        for i in range(self.blocks):
            shapes[f"inner.{i}"] = shapes[f"outer.{i}"] = (self.hidden, self.hidden)
        for i in range(self.channels):
            shapes[f"head.{i}"] = (self.head, self.hidden + len(self.visible_hints(i)))
            shapes[f"out.{i}"] = (3 * self.mixture, self.head + len(self.visible_hints(i)))
        return shapes

    @property
    def weights(self) -> int:
        """Count the weights of the pixel network: the products for a pixel."""
        return sum(rows * columns for rows, columns in self.layer_shapes.values())

    def check_work(self) -> None:
        """Refuse networks that would take gigabytes or minutes for a tile.

        Raises:
            ModelError: they would.
        """
        encoder, style = measured(self.encoder, (*self.tile, self.channels)), measured(self.style, self.latent)
        check_products(encoder.products + style.products + self.tile[0] * self.tile[1] * self.weights)

    def check(self) -> None:
        """Refuse sizes that the coder is not made for.

        Raises:
            ModelError: there is one.
        """
        sizes = (self.hidden, self.head, self.mixture, *self.latent)
        good = all(0 < s <= 1024 for s in sizes) and 0 <= self.blocks <= 16
        good &= self.channels in (1, 3) and self.hidden % 32 == 0 and len(self.latent) == 1
        good &= self.predictors in (1, _MOST_PREDICTORS if self.regressed else 1)
        fixed = {f.name: f.default for f in fields(self) if f.name in ("tile", "levels", "tiled", "offset", "exponent")}
        good &= all(getattr(self, name) == value for name, value in fixed.items())
        if not good:
            raise ModelError("the sizes of the model's networks are out of range")


def pixel_architecture(
    channels: int = 3,
    *,
    hidden: int = 96,
    blocks: int = 2,
    head: int = 48,
    mixture: int = 5,
    latents: int = 16,
    predictors: int = 0,
) -> PixelArchitecture:
    """Size the photograph model: a style vector for each tile, read by four small convolutions; and so many predictors
    by least squares, none, one or all."""
    width = 64
    return PixelArchitecture(
        channels,
        hidden,
        blocks,
        head,
        mixture,
        (latents,),
        encoder=(
            SpaceToDepth(4),
            Conv("encoder.0", 16 * channels, width),
            Conv("encoder.1", width, width),
            SpaceToDepth(2),
            Conv("encoder.2", 4 * width, width),
            Flatten(),
            Dense("encoder.out", 16 * width, 2 * latents, relu=False),
        ),
        style=(
            Dense("style.0", latents, width),
            Dense("style.out", width, hidden * (1 + blocks), relu=False),
        ),
        regressed=predictors > 0,
        predictors=max(1, predictors),
    )
