"""The networks of a pixel model, and the distributions of its latents, in exact integers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.errors import ModelError
from vaezip.exact import Backend
from vaezip.exact.backend import Array
from vaezip.models.base import Mask, Pixels, Tensors
from vaezip.models.cost import at_once
from vaezip.models.latents import coarse_grid
from vaezip.models.layers import measured
from vaezip.models.likelihoods import LogisticMixture
from vaezip.models.network import IntegerNetwork
from vaezip.models.pixel import network
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.pixel.cost import tile_bytes
from vaezip.models.pixel.mixture import mixture_tables
from vaezip.models.pixel.network import PixelNetwork, Trace
from vaezip.models.pixel.weights import Networks, packed
from vaezip.models.posterior import Refinement, Settings, amortized
from vaezip.system.spans import timed


@dataclass
class PixelNetworks:
    """The networks of one checkpoint on one device: p(z), p(x|z) and q(z|x).

    Attributes: as those of :class:`vaezip.models.tile.networks.TileNetworks`.
    """

    name: str
    fingerprint: bytes
    architecture: PixelArchitecture
    settings: Settings
    backend: Backend
    tensors: Tensors
    information: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        a, b = self.architecture, self.backend
        self.encoder = IntegerNetwork(b, a.encoder, tensors=self.tensors, input_bound=128)
        self.style = IntegerNetwork(b, a.style, tensors=self.tensors, input_bound=d.LATENT_BINS // 2)
        self.coarse = coarse_grid(self.tensors, a.latents)
        self.layers = network.layers(a, self.tensors)
        self.pixels = PixelNetwork(b, a, self.layers)
        self.networks: Networks = (packed(a, self.layers),)
        self.tables = mixture_tables()
        self._check_networks()

    def _check_networks(self) -> None:
        """Refuse outputs of the two small networks that have another shape or range than coding relies on."""
        a = self.architecture
        encoder, style = measured(a.encoder, (*a.tile, a.channels)), measured(a.style, a.latent)
        fit = encoder.output == (2 * a.latents,) and style.output == (a.style_offsets,)
        fit &= self.encoder.output_bound <= d.POSTERIOR_MEAN_BOUND and self.style.output_bound < 1 << 15
        if not fit:
            raise ModelError(f"the outputs of model '{self.name}' are not those that its architecture asks for")
        self._tile_bytes = {steps: tile_bytes(a, steps=steps) for steps in (False, True)}

    def at_once(self, steps: bool = False) -> int:
        """Return how many tiles the networks see at once, few enough for the memory that section 11.5 states."""
        return at_once(self._tile_bytes[steps])

    @timed("decoder network")
    def style_offsets(self, bins: NDArray[np.int32]) -> NDArray[np.int32]:
        """Compute what the style z adds to hidden units, int32 (tiles, shifts), from latent bins (tiles, latents)."""
        b, most = self.backend, self.at_once()
        parts = (b.asarray(bins[i : i + most] - d.LATENT_BINS // 2, "float32") for i in range(0, len(bins), most))
        return np.concatenate([b.to_numpy(self.style(z)) for z in parts])

    @timed("encoder network")
    def posterior(
        self, tiles: Pixels, frames: NDArray[np.int16], mask: Mask, *, steps: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Compute q(z|x) after ``steps`` steps: means and log standard deviations, int32 (tiles, latents).

        Args:
            tiles: uint8 (tiles, 32, 32, channels), edges repeated where the picture ends.
            frames: the tiles with their causal surroundings, (tiles, 32 + RADIUS, 32 + 2 RADIUS, planes).
            mask: which pixels are coded.
            steps: K of Algorithm 2.
        """
        most = self.at_once(steps > 0)
        parts = [self._posterior(tiles[i : i + most], frames[i:], mask[i:], steps) for i in range(0, len(tiles), most)]
        means, log_sigmas = zip(*parts)
        return np.concatenate(means), np.concatenate(log_sigmas)

    def _posterior(
        self, tiles: Pixels, frames: NDArray[np.int16], mask: Mask, steps: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        b, count = self.backend, len(tiles)
        start = amortized(b, self.encoder(b.asarray(tiles.astype(np.int16) - self.architecture.offset, "float32")))
        if steps:
            decoder = _Decoder(self, frames[:count])
            weight = b.asarray(mask[:count].reshape(count, -1, 1), "float64")
            x = b.asarray(tiles.reshape(count, -1, tiles.shape[-1])[..., list(self.architecture.order)], "float64")
            likelihood = LogisticMixture(self.architecture.mixture)
            refinement = Refinement(b, decoder, likelihood, self.architecture.latent, self.settings)
            start = refinement.refine(x, weight, start, steps=steps)
        return b.to_numpy(start[0]), b.to_numpy(start[1])


class _Decoder:
    """A decoder of :class:`vaezip.models.posterior.Refinement`: from z to the mixture parameters of tiles, and back."""

    def __init__(self, model: PixelNetworks, frames: NDArray[np.int16]) -> None:
        self.model, b = model, model.backend
        features, prediction, hints = (
            part.reshape(len(frames), -1, part.shape[-1]) for part in network.inputs(model.architecture, frames)
        )
        self.features, self.hints = b.asarray(features, "float32"), b.asarray(hints, "float32")
        self.prediction = b.asarray(prediction, "float64")

    def trace(self, x: Array) -> list[Any]:
        """Return the style network's outputs for z = ``x``, the pixel network's trace, and last the parameters."""
        style = self.model.style.trace(self.model.backend.cast(x, "float32"))
        found = self.model.pixels.trace(self.features, self.hints, style[-1])
        return [style, found, self.model.pixels.parameters(found, self.prediction)]

    def vjp(self, outputs: list[Any], gradient: Array) -> Array:
        """Compute the gradient for z from that for the parameters."""
        style: list[Any] = outputs[0]
        found: Trace = outputs[1]
        return self.model.style.vjp(style, self.model.pixels.vjp(found, gradient))
