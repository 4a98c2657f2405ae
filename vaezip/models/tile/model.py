"""A tile model as a decoder sees it: bits-back over the tiles of pictures (Algorithms 1 and 2 of the paper)."""

from __future__ import annotations

import numpy as np

from vaezip.entropy import distributions as d
from vaezip.entropy.stack import Stack
from vaezip.models import latents
from vaezip.models.base import Parts, Pixels, Shape
from vaezip.models.cost import Cost
from vaezip.models.likelihoods import least_bytes
from vaezip.models.tile import bitsback, cost
from vaezip.models.tile.architecture import TileArchitecture
from vaezip.models.tile.networks import TileNetworks
from vaezip.models.tiling import Tiling


class TileModel(TileNetworks):
    """p(z), p(x|z) and q(z|x) of tiles whose pixels are independent given z; see :class:`vaezip.models.base.Model`."""

    def decode(self, data: bytes, shape: Shape, steps: int) -> tuple[Pixels, int]:
        """Decode pictures, and the seed that they were coded with.

        Raises:
            FormatError: the data is not what :func:`vaezip.models.tile.search.encode` made.
        """
        tiling = Tiling(shape, self.architecture.tile)
        tiles, seed = bitsback.decode(self, data, tiling, steps=steps)
        return tiling.join(tiles), seed

    def cost(self, data: bytes, shape: Shape, steps: int) -> Cost:
        """Compute what it costs to decode pictures; see :class:`vaezip.models.base.Model`."""
        tiling = Tiling(shape, self.architecture.tile)
        _, coarse = bitsback.coarse_tiles(data, tiling.count)
        return cost.cost(self.architecture, shape, coarse=coarse, steps=steps)

    def least_bytes(self, samples: int) -> float:
        """Bound from below the bytes that so many samples take."""
        return least_bytes(samples, self.architecture.levels)

    def draw(self, stack: Stack) -> Pixels:
        """Draw one tile, uint8 (1, height, width, channels), by the random bits of a stack."""
        a = self.architecture
        bins = latents.fine_prior(a.latents).pop(stack)
        mask = np.ones((1, *a.tile), np.bool_)
        values = self.coder(bins.reshape(1, a.latents), mask).pop(stack)
        return values.astype(np.uint8).reshape(1, *a.tile, a.channels)

    @property
    def draw_bits(self) -> int:
        """Bound the bits of :meth:`draw`: the whole precision for every symbol."""
        a = self.architecture
        return a.latents * d.GAUSSIAN_PRECISION + a.dims * max(d.BERNOULLI_PRECISION, d.LOGISTIC_PRECISION)


architecture_from_json = TileArchitecture.from_json


def build(architecture: TileArchitecture, parts: Parts) -> TileModel:
    """Make a model ready to code.

    Raises:
        ModelError: the tensors do not fit the architecture, or leave exact arithmetic.
    """
    fields = parts.settings, parts.backend, parts.tensors, parts.information
    return TileModel(parts.name, parts.fingerprint, architecture, *fields)
