"""The float networks of a model, whatever its family."""

from __future__ import annotations

from torch import nn

from vaezip.models.base import Architecture
from vaezip.training.networks.layers import Network


class Vae(nn.Module):
    """Encoder q(z|x) and whatever a family has for p(x|z), in float32.

    Attributes:
        architecture: sizes of the networks.
        encoder: from pixels to mean and log standard deviation; the part that some stages train alone.
    """

    architecture: Architecture
    encoder: Network
