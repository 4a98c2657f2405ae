"""A pixel model as a decoder sees it: pictures coded whole, with latents or adapting.

The stream begins with 0 where z is coded, with the steps of the block on its posteriors; or else with the settings of
:mod:`vaezip.models.pixel.adaptive`.
"""

from __future__ import annotations

from vaezip.entropy import distributions as d
from vaezip.entropy.stack import Stack
from vaezip.models.base import Parts, Pixels, Shape
from vaezip.models.cost import Cost
from vaezip.models.likelihoods import least_bytes
from vaezip.models.pixel import adaptive, bitsback, orientation
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.pixel.cost import adaptive_cost, latent_cost
from vaezip.models.pixel.networks import PixelNetworks

LATENTS = b"\0"
"""The first byte of a stream in which z is coded."""


class PixelModel(PixelNetworks):
    """p(z) p(x|z) of pictures whose pixels depend on those above and beside; see :class:`vaezip.models.base.Model`."""

    def decode(self, data: bytes, shape: Shape, steps: int) -> tuple[Pixels, int]:
        """Decode pictures, and the seed that they were coded with.

        Raises:
            FormatError: the data is not what :func:`vaezip.models.pixel.search.encode` made.
        """
        if data[:1] == LATENTS:
            return bitsback.decode(self, data[1:], shape, steps=steps)
        return adaptive.decode(self, data, shape, steps=steps)

    def cost(self, data: bytes, shape: Shape, steps: int) -> Cost:
        """Compute what it costs to decode pictures; see :class:`vaezip.models.base.Model`."""
        if data[:1] == LATENTS:
            return latent_cost(self.architecture, shape, steps)
        settings, _ = adaptive.read_settings(data, steps)
        return adaptive_cost(self.architecture, orientation.oriented_shape(shape, settings.orientation), settings)

    def least_bytes(self, samples: int) -> float:
        """Bound from below the bytes that so many samples take."""
        return least_bytes(samples, self.architecture.levels)

    def draw(self, stack: Stack) -> Pixels:
        """Draw one tile, uint8 (1, height, width, channels), by the random bits of a stack."""
        return bitsback.draw(self, stack, (1, *self.architecture.tile, self.architecture.channels))

    @property
    def draw_bits(self) -> int:
        """Bound the bits of :meth:`draw`: the whole precision for every symbol."""
        return self.architecture.latents * d.GAUSSIAN_PRECISION + self.architecture.dims * d.LOGISTIC_PRECISION


architecture_from_json = PixelArchitecture.from_json


def build(architecture: PixelArchitecture, parts: Parts) -> PixelModel:
    """Make a model ready to code.

    Raises:
        ModelError: the tensors do not fit the architecture, or leave exact arithmetic.
    """
    fields = parts.settings, parts.backend, parts.tensors, parts.information
    return PixelModel(parts.name, parts.fingerprint, architecture, *fields)
