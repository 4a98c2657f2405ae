"""The networks of a tile model, and the distributions that they give: p(z), p(x|z) and q(z|x) in exact integers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.errors import ModelError
from vaezip.exact import Backend
from vaezip.models.base import Mask, Pixels, Tensors
from vaezip.models.cost import at_once
from vaezip.models.latents import coarse_grid
from vaezip.models.likelihoods import OUTPUT_BOUND, Coder, likelihood
from vaezip.models.network import IntegerNetwork
from vaezip.models.posterior import Refinement, Settings, amortized
from vaezip.models.tile import cost
from vaezip.models.tile.architecture import TileArchitecture
from vaezip.models.tiling import inside
from vaezip.system.spans import timed


@dataclass
class TileNetworks:
    """p(z), p(x|z) and q(z|x) of one checkpoint on one device.

    Attributes:
        name: for people; files refer to the fingerprint.
        fingerprint: first bytes of the SHA-256 of the canonical weights.
        architecture: shapes and layers.
        information: the rest of the checkpoint's metadata (objective, training, rates).
    """

    name: str
    fingerprint: bytes
    architecture: TileArchitecture
    settings: Settings
    backend: Backend
    tensors: Tensors
    information: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        a = self.architecture
        a.check()
        pixel_bound = max(abs(a.offset), abs(a.levels - 1 - a.offset))
        self.encoder = IntegerNetwork(self.backend, a.encoder, tensors=self.tensors, input_bound=pixel_bound)
        self.decoder = IntegerNetwork(self.backend, a.decoder, tensors=self.tensors, input_bound=d.LATENT_BINS // 2)
        self.likelihood = likelihood(a.likelihood)
        self.coarse = coarse_grid(self.tensors, a.latents)
        self._check_networks()

    def _check_networks(self) -> None:
        """Refuse outputs that have another shape or range than coding relies on."""
        a, found = self.architecture, cost.sizes(self.architecture)
        fit = found.encoder.output == (*a.latent[:-1], 2 * a.latent[-1])
        fit &= math.prod(found.decoder.output) == a.dims * self.likelihood.parameters
        fit &= self.encoder.output_bound <= d.POSTERIOR_MEAN_BOUND
        fit &= self.decoder.output_bound <= OUTPUT_BOUND
        if not fit:
            raise ModelError(f"the outputs of model '{self.name}' are not those that its architecture asks for")
        self._tile_bytes = {steps: cost.tile_bytes(a, found, steps=steps) for steps in (False, True)}

    def at_once(self, steps: bool = False) -> int:
        """Return how many tiles the networks see at once, few enough for the memory that section 11.5 states."""
        return at_once(self._tile_bytes[steps])

    @timed("encoder network")
    def posterior(self, x: Pixels, mask: Mask, steps: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """q(z|x) after ``steps`` steps: means and log standard deviations, int32 (images, latents).

        The integers are those of :class:`vaezip.entropy.distributions.Gaussian`.
        """
        parts = self._chunks(steps > 0, x, mask)
        means, log_sigmas = zip(*(self._posterior(part, real, steps) for part, real in parts))
        return np.concatenate(means), np.concatenate(log_sigmas)

    @timed("distributions")
    def coder(self, bins: NDArray[np.int32], mask: Mask) -> Coder:
        """p(x|z) of the masked pixels of all images, z given by latent bins (images, latents)."""
        return self.likelihood.coder(inside(self.outputs(bins), mask))

    @timed("decoder network")
    def outputs(self, bins: NDArray[np.int32]) -> NDArray[np.int32]:
        """The decoder's integers, int32 (images, height, width, channels, parameters)."""
        a, b = self.architecture, self.backend
        parts = []
        for (part,) in self._chunks(False, bins):
            z = b.asarray(part - d.LATENT_BINS // 2, "float32")
            parts.append(b.to_numpy(self.decoder(z.reshape(len(part), *a.latent))))
        return np.concatenate(parts).reshape(len(bins), *a.tile, a.channels, self.likelihood.parameters)

    def _posterior(self, x: Pixels, mask: Mask, steps: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        a, b = self.architecture, self.backend
        start = amortized(b, self.encoder(b.asarray(x.astype(np.int16) - a.offset, "float32")))
        if steps:
            pixels, weight = b.asarray(x, "float64"), b.asarray(mask[..., None], "float64")
            refinement = Refinement(b, self.decoder, self.likelihood, a.latent, self.settings)
            start = refinement.refine(pixels, weight, start, steps=steps)
        return b.to_numpy(start[0]), b.to_numpy(start[1])

    def _chunks(self, steps: bool, *arrays: NDArray[Any]) -> Iterator[tuple[NDArray[Any], ...]]:
        """Runs of as many images as the networks see at once."""
        count = self.at_once(steps)
        for i in range(0, len(arrays[0]), count):
            yield tuple(array[i : i + count] for array in arrays)
