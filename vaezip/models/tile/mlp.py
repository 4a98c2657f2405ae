"""The fully connected VAE of the paper: two hidden layers of 500 units, 10 latents."""

from __future__ import annotations

from vaezip.models.layers import Dense, Flatten
from vaezip.models.tile.architecture import TileArchitecture


def mlp(likelihood: str, latents: int = 10, hidden: int = 500) -> TileArchitecture:
    """The network of the paper's MNIST experiments, for 28×28 pixels of one channel.

    Args:
        likelihood: ``bernoulli`` (pixels 0 or 1) or ``logistic`` (pixels 0 … 255).
        latents: length of z.
        hidden: units of each of the two hidden layers of encoder and decoder.
    """
    pixels = 28 * 28
    levels, exponent, parameters = {"bernoulli": (2, 0, 1), "logistic": (256, 8, 2)}[likelihood]
    return TileArchitecture(
        tile=(28, 28),
        channels=1,
        levels=levels,
        tiled=False,
        likelihood=likelihood,
        latent=(latents,),
        offset=0,
        exponent=exponent,
        encoder=(
            Flatten(),
            Dense("encoder.0", pixels, hidden),
            Dense("encoder.1", hidden, hidden),
            Dense("encoder.out", hidden, 2 * latents, relu=False),
        ),
        decoder=(
            Dense("decoder.0", latents, hidden),
            Dense("decoder.1", hidden, hidden),
            Dense("decoder.out", hidden, parameters * pixels, relu=False),
        ),
    )
