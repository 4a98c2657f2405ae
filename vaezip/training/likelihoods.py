"""log p(x|z) and samples x ~ p(x|z) in float PyTorch, one class per likelihood.

``parameters`` come from :meth:`vaezip.training.networks.tile.TileVae.parameters_of_x`; pixels
x are integers of shape (batch, height, width, channels). Integer twins of the same
distributions, for coding, are in :mod:`vaezip.entropy.distributions`.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from vaezip.entropy.distributions import LOGISTIC_PRECISION
from vaezip.models.tile.architecture import TileArchitecture

LOG_SCALE_RANGE = (-3.0, 5.5)
"""Natural logarithm of the logistic scale in pixel values, clamped in training and in coding."""


class Likelihood(Protocol):
    """p(x|z) by the decoder's output."""

    def log_prob(self, x: Tensor, parameters: Tensor) -> Tensor:
        """Compute log p(x|z) of each image in nats, shape (batch,)."""

    def sample(self, parameters: Tensor) -> Tensor:
        """Draw x ~ p(x|z), int64, shape (batch, height, width, channels)."""


class Bernoulli:
    """p(x=1|z) = sigmoid(logit)."""

    def log_prob(self, x: Tensor, parameters: Tensor) -> Tensor:
        """Compute log p = −softplus(logit) + x · logit."""
        logit = parameters[..., 0]
        return -F.binary_cross_entropy_with_logits(logit, x.float(), reduction="none").flatten(1).sum(1)

    def sample(self, parameters: Tensor) -> Tensor:
        """Draw x ~ Bernoulli(sigmoid(logit))."""
        return torch.bernoulli(torch.sigmoid(parameters[..., 0])).long()


class Logistic:
    """Discretized logistic on 0 … 255 (Kingma et al. 2016): p(x) = σ((x+½−μ)/s) − σ((x−½−μ)/s),
    where the outermost values take the tails. μ = offset + 2^exponent · m, ln s = ls + exponent · ln 2.
    """

    def __init__(self, architecture: TileArchitecture) -> None:
        self.offset = architecture.offset
        self.unit = 2.0**architecture.exponent

    def log_prob(self, x: Tensor, parameters: Tensor) -> Tensor:
        """Sum :func:`logistic_log_prob` over the pixels."""
        mean, log_scale = self.moments(parameters)
        return floored(logistic_log_prob(x.float(), mean, log_scale)).flatten(1).sum(1)

    def sample(self, parameters: Tensor) -> Tensor:
        """Draw x = clamp(round(μ + s · logit(u))), u uniform."""
        mean, log_scale = self.moments(parameters)
        return logistic_sample(mean, log_scale)

    def moments(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Compute μ in pixel values and ln s."""
        mean = self.offset + self.unit * parameters[..., 0]
        log_scale = parameters[..., 1] + torch.log(torch.tensor(self.unit))
        return mean, log_scale.clamp(*LOG_SCALE_RANGE)


class ColourLogistic(Logistic):
    """Discretized logistic, channel-wise linear autoregressive (Salimans et al. 2017):
    μ_G += a (x_R − offset), μ_B += b (x_R − offset) + c (x_G − offset).
    The third parameter of channel R, G, B is a, b, c.
    """

    def log_prob(self, x: Tensor, parameters: Tensor) -> Tensor:
        """Sum the logarithms over pixels and channels."""
        mean, log_scale = self.moments(parameters)
        mean = mean + self.shift(x.float() - self.offset, parameters[..., 2])
        return floored(logistic_log_prob(x.float(), mean, log_scale)).flatten(1).sum(1)

    def sample(self, parameters: Tensor) -> Tensor:
        """Draw red first, then green by red, then blue by both."""
        mean, log_scale = self.moments(parameters)
        x = torch.zeros_like(mean)
        for channel in range(3):
            shift = self.shift(x - self.offset, parameters[..., 2])
            x[..., channel] = logistic_sample((mean + shift)[..., channel], log_scale[..., channel]).float()
        return x.long()

    @staticmethod
    def shift(centred: Tensor, coefficients: Tensor) -> Tensor:
        """Compute what the earlier channels add to the means."""
        red, green = centred[..., 0], centred[..., 1]
        a, b, c = coefficients.clamp(-4.0, 4.0).unbind(-1)
        return torch.stack([torch.zeros_like(red), a * red, b * red + c * green], dim=-1)


def logistic_log_prob(x: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    """Compute log(σ(p) − σ(m)) with p, m = (x ± ½ − μ)/s, by the identity
    σ(p) − σ(m) = σ(p) σ(−m) (1 − exp(m − p)), which has no cancellation.
    """
    inverse = torch.exp(-log_scale)
    log_upper = F.logsigmoid((x + 0.5 - mean) * inverse)
    log_lower = F.logsigmoid(-(x - 0.5 - mean) * inverse)
    inner = torch.log(-torch.expm1(-inverse))
    zero = torch.zeros_like(log_upper)
    first, last = x <= 0, x >= 255
    return (
        torch.where(last, zero, log_upper)
        + torch.where(first, zero, log_lower)
        + torch.where(first | last, zero, inner)
    )


def floored(log_prob: Tensor) -> Tensor:
    """Compute log(p + 2^−LOGISTIC_PRECISION): the coder gives every value a frequency of at least 1, and so
    does this. Without that floor a single stray pixel costs thousands of bits that no file would
    hold, and the fear of it outweighs all other pixels of a set.
    """
    return torch.logaddexp(log_prob, torch.full_like(log_prob, -LOGISTIC_PRECISION * math.log(2)))


def logistic_sample(mean: Tensor, log_scale: Tensor) -> Tensor:
    """Draw x = clamp(round(μ + s · logit(u)), 0, 255)."""
    u = torch.rand_like(mean).clamp(1e-6, 1 - 1e-6)
    return torch.round(mean + torch.exp(log_scale) * torch.logit(u)).clamp(0, 255).long()


def likelihood_of(architecture: TileArchitecture) -> Likelihood:
    """Make the likelihood that the architecture names."""
    if architecture.likelihood == "bernoulli":
        return Bernoulli()
    return {"logistic": Logistic, "colour-logistic": ColourLogistic}[architecture.likelihood](architecture)
