"""The float form of layers: PyTorch modules, for training only."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from vaezip.models.layers import Conv, Dense, DepthToSpace, Flatten, Layer, Residual, SpaceToDepth, weighted_layers

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
        """Run the chain on (batch, …) to (batch, …), float32."""
        for layer in self.layers:
            x = self.apply_layer(layer, x)
        return x

    def apply_layer(self, layer: Layer, x: Tensor) -> Tensor:
        """Run one layer of the chain."""
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
        """Run a layer without its activation."""
        module = self.weighted[key(layer.name)]
        if isinstance(layer, Dense):
            return module(x)
        return module(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


def key(name: str) -> str:
    """Turn a layer's name into a module key, which may not hold a dot."""
    return name.replace(".", "_")


def space_to_depth(x: Tensor, f: int) -> Tensor:
    """Move patches into channels; see :class:`~vaezip.models.layers.SpaceToDepth`."""
    n, h, w, c = x.shape
    return x.reshape(n, h // f, f, w // f, f, c).permute(0, 1, 3, 2, 4, 5).reshape(n, h // f, w // f, f * f * c)


def depth_to_space(x: Tensor, f: int) -> Tensor:
    """Move channels into patches; see :class:`~vaezip.models.layers.DepthToSpace`."""
    n, h, w, c = x.shape
    return x.reshape(n, h, w, f, f, c // (f * f)).permute(0, 1, 3, 2, 4, 5).reshape(n, h * f, w * f, c // (f * f))
