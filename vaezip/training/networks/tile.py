"""The float form of an architecture: PyTorch modules, for training only."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaezip.models.layers import Conv, Dense, DepthToSpace, Flatten, Layer, Residual, SpaceToDepth, weighted_layers
from vaezip.models.tile.architecture import TileArchitecture

LOG_SIGMA_RANGE = (-5.0, 1.0)
"""Natural logarithm of the posterior standard deviation, clamped in both forms of a network."""


class Network(nn.Module):
    """A chain of layers on channel-last tensors."""

    def __init__(self, layers: tuple[Layer, ...]) -> None:
        super().__init__()
        self.layers = layers
        self.weighted = nn.ModuleDict()
        for layer in weighted_layers(layers):
            module: nn.Module
            if isinstance(layer, Dense):
                module = nn.Linear(layer.inputs, layer.outputs)
            else:
                module = nn.Conv2d(layer.inputs, layer.outputs, 3, padding=1)
            self.weighted[key(layer.name)] = module
        for block in layers:  # a residual block starts as the identity, so that depth costs no signal
            if isinstance(block, Residual):
                nn.init.zeros_(self.weighted[key(block.second.name)].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, …) to (batch, …), float32."""
        for layer in self.layers:
            x = self.apply_layer(layer, x)
        return x

    def apply_layer(self, layer: Layer, x: Tensor) -> Tensor:
        """One layer of the chain."""
        if isinstance(layer, (Dense, Conv)):
            x = self.affine(layer, x)
            return F.relu(x) if layer.relu else x
        if isinstance(layer, Residual):
            return F.relu(x + self.affine(layer.second, F.relu(self.affine(layer.first, x))))
        if isinstance(layer, Flatten):
            return x.flatten(1)
        if isinstance(layer, SpaceToDepth):
            return space_to_depth(x, layer.factor)
        assert isinstance(layer, DepthToSpace)
        return depth_to_space(x, layer.factor)

    def affine(self, layer: Dense | Conv, x: Tensor) -> Tensor:
        """The layer without its activation."""
        module = self.weighted[key(layer.name)]
        if isinstance(layer, Dense):
            return module(x)
        return module(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class TileVae(nn.Module):
    """Encoder and decoder of an :class:`TileArchitecture`, in float32."""

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
        """q(z|x) of pixels x (batch, height, width, channels; integers): mean and log standard deviation."""
        a = self.architecture
        out = self.encoder((x.float() - a.offset) * 2.0**-a.exponent)
        out = out.reshape(len(x), -1, out.shape[-1]) if len(a.latent) > 1 else out
        mean, log_sigma = out.chunk(2, dim=-1)
        shape = (len(x), *a.latent)
        return mean.reshape(shape), log_sigma.reshape(shape).clamp(*LOG_SIGMA_RANGE)

    def parameters_of_x(self, z: Tensor) -> Tensor:
        """Parameters of p(x|z), (batch, height, width, channels, parameters of a value)."""
        a = self.architecture
        return self.decoder(z).reshape(len(z), *a.tile, a.channels, -1)


def key(name: str) -> str:
    """Layer name as a module key (module names may not hold a dot)."""
    return name.replace(".", "_")


def space_to_depth(x: Tensor, f: int) -> Tensor:
    """See :class:`~vaezip.models.layers.SpaceToDepth`."""
    n, h, w, c = x.shape
    return x.reshape(n, h // f, f, w // f, f, c).permute(0, 1, 3, 2, 4, 5).reshape(n, h // f, w // f, f * f * c)


def depth_to_space(x: Tensor, f: int) -> Tensor:
    """See :class:`~vaezip.models.layers.DepthToSpace`."""
    n, h, w, c = x.shape
    return x.reshape(n, h, w, f, f, c // (f * f)).permute(0, 1, 3, 2, 4, 5).reshape(n, h * f, w * f, c // (f * f))
