"""The float networks of a tile model, for training only."""

from __future__ import annotations

import torch
from torch import Tensor

from vaezip.models.layers import weighted_layers
from vaezip.models.tile.architecture import TileArchitecture
from vaezip.training.networks.base import Vae
from vaezip.training.networks.layers import LOG_SIGMA_RANGE, Network, key


class TileVae(Vae):
    """Encoder and decoder of a :class:`TileArchitecture`, in float32."""

    architecture: TileArchitecture

    def __init__(self, architecture: TileArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.encoder = Network(architecture.encoder)
        self.decoder = Network(architecture.decoder)
        if architecture.tiled and architecture.levels > 2:
            self._start_narrow()

    @torch.no_grad()
    def _start_narrow(self) -> None:
        """Start with logistic scales of about fifteen pixel values: from one over the whole range
        the first steps are so large that units die."""
        last = self.decoder.weighted[key(weighted_layers(self.architecture.decoder)[-1].name)]
        last.weight.mul_(0.1)  # type: ignore[operator]
        parameters = {"logistic": 2, "colour-logistic": 3}[self.architecture.likelihood]
        last.bias.view(-1, parameters)[:, 1] = -2.0  # type: ignore[operator]

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Compute q(z|x) of pixels x (batch, height, width, channels; integers): mean and log standard deviation."""
        a = self.architecture
        out = self.encoder((x.float() - a.offset) * 2.0**-a.exponent)
        out = out.reshape(len(x), -1, out.shape[-1]) if len(a.latent) > 1 else out
        mean, log_sigma = out.chunk(2, dim=-1)
        shape = (len(x), *a.latent)
        return mean.reshape(shape), log_sigma.reshape(shape).clamp(*LOG_SIGMA_RANGE)

    def parameters_of_x(self, z: Tensor) -> Tensor:
        """Compute the parameters of p(x|z), (batch, height, width, channels, parameters of a value)."""
        a = self.architecture
        return self.decoder(z).reshape(len(z), *a.tile, a.channels, -1)
