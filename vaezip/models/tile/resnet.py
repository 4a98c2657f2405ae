"""The fully convolutional ResNet VAE of the paper's CIFAR-10 experiments."""

from __future__ import annotations

from vaezip.models.layers import Conv, DepthToSpace, Layer, Residual, SpaceToDepth
from vaezip.models.tile.architecture import TileArchitecture

PATCH = 4
"""Pixels on a side of the patch that one latent position describes."""

_INPUT = {"bernoulli": (1, 2, 0, 0), "logistic": (1, 256, 128, 7), "colour-logistic": (3, 256, 128, 7)}
"""For each likelihood, channels and levels of the pixels, and offset and exponent of the network's input."""

_PARAMETERS = {"bernoulli": 1, "logistic": 2, "colour-logistic": 9}
"""Per pixel; of colour three means, three log scales, three coefficients between channels."""


def resnet(
    latent_channels: int = 4, *, hidden: int = 96, blocks: int = 3, size: int = 32, likelihood: str = "colour-logistic"
) -> TileArchitecture:
    """Encoder and decoder of ``blocks`` residual blocks each at a quarter of the resolution.

    Args:
        latent_channels: channels of z; 2 gives the paper's 128 latents for 32×32, 4 gives 256.
        hidden: channels of the residual blocks.
        blocks: residual blocks of the encoder, and as many of the decoder.
        size: side of a tile in pixels.
        likelihood: ``colour-logistic`` (RGB), ``logistic`` (grey) or ``bernoulli`` (pixels 0 or 1).
    """
    side = size // PATCH
    channels, levels, offset, exponent = _INPUT[likelihood]
    return TileArchitecture(
        tile=(size, size),
        channels=channels,
        levels=levels,
        tiled=True,
        likelihood=likelihood,
        latent=(side, side, latent_channels),
        offset=offset,
        exponent=exponent,
        encoder=(
            SpaceToDepth(PATCH),
            Conv("encoder.in", channels * PATCH * PATCH, hidden),
            *_residual_blocks("encoder", hidden, blocks),
            Conv("encoder.out", hidden, 2 * latent_channels, relu=False),
        ),
        decoder=(
            Conv("decoder.in", latent_channels, hidden),
            *_residual_blocks("decoder", hidden, blocks),
            Conv("decoder.out", hidden, _PARAMETERS[likelihood] * PATCH * PATCH, relu=False),
            DepthToSpace(PATCH),
        ),
    )


def _residual_blocks(side: str, hidden: int, blocks: int) -> tuple[Layer, ...]:
    return tuple(
        Residual(Conv(f"{side}.{i}.first", hidden, hidden), Conv(f"{side}.{i}.second", hidden, hidden, relu=False))
        for i in range(blocks)
    )
