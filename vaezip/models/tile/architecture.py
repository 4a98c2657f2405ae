"""The architecture of a tile model in plain data: shapes, layers and the input grid."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import ClassVar

from vaezip.errors import ModelError
from vaezip.models.kinds import ALL_PLANES
from vaezip.models.layers import Layer, check_products, layers_from_json, layers_to_json, measured
from vaezip.models.plain import made


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

    kind: ClassVar[str] = "tile"
    most_side: ClassVar[int | None] = None
    sees_across_tiles: ClassVar[bool] = False
    steps_on: ClassVar[str] = "posterior"

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
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        fields["encoder"], fields["decoder"] = layers_to_json(self.encoder), layers_to_json(self.decoder)
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> TileArchitecture:
        """Inverse of :meth:`to_json`.

        Raises:
            ModelError: a field or a layer that this version does not know, or a size out of range.
        """
        try:
            fields = json.loads(text)
            fields["encoder"] = layers_from_json(fields["encoder"])
            fields["decoder"] = layers_from_json(fields["decoder"])
            found = made(TileArchitecture, fields)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the model's architecture is not understood ({error})") from error
        found.check()
        return found

    def check(self) -> None:
        """Refuse what is out of range, before anything is computed of it.

        Raises:
            ModelError: something is.
        """
        if not any((self.channels, self.levels, self.likelihood) == planes[:3] for planes in ALL_PLANES):
            kind = f"{self.channels} channels of {self.levels} levels"
            raise ModelError(f"no likelihood '{self.likelihood}' for {kind} is known")
        good = all(0 < side <= 4096 for side in (*self.tile, *self.latent)) and bool(self.latent)
        if not (good and 0 <= self.offset < self.levels and 0 <= self.exponent <= 8):
            raise ModelError("the model's tile, latent or input grid is out of range")

    def check_work(self) -> None:
        """Refuse networks that would take gigabytes or minutes for a tile.

        Raises:
            ModelError: they would.
        """
        encoder, decoder = measured(self.encoder, (*self.tile, self.channels)), measured(self.decoder, self.latent)
        check_products(encoder.products + decoder.products)
