"""Objectives that an encoder and a decoder are trained for, and the bounds by which they are judged.

Equations: *Generalization Gap in Amortized Inference* (Zhang, Hayes, Barber, NeurIPS 2022), "the
paper". θ are the decoder's parameters, φ the encoder's. Pixels x are integers of shape (batch,
height, width, channels). Every objective returns a scalar loss in nats per image; :data:`OBJECTIVES`
names those for the command line and says which of them keep the decoder fixed.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from vaezip.training.likelihoods import likelihood_of
from vaezip.training.networks.tile import TileVae

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


def elbo(vae: TileVae, x: Tensor, seen: Tensor | None = None) -> Tensor:
    """Estimate ELBO(x) = log p(x|z) − KL(q(z|x) ‖ p(z)), z ~ q(z|x), of each image in nats.

    Args:
        vae: encoder q and decoder p.
        x: the pixels.
        seen: what the encoder sees in their place, if not x.

    Returns:
        Tensor (batch,), one reparametrised sample each (Kingma and Welling 2014).
    """
    mean, log_sigma = vae.posterior(x if seen is None else seen)
    sigma = torch.exp(log_sigma)
    z = mean + sigma * torch.randn_like(mean)
    kl = 0.5 * (mean**2 + sigma**2 - 1) - log_sigma
    return log_likelihood(vae, x, z) - kl.flatten(1).sum(1)


def iwae(vae: TileVae, x: Tensor, samples: int) -> Tensor:
    """Estimate log 1/S Σ p(x|z_s) p(z_s) / q(z_s|x), z_s ~ q(z|x), of each image in nats, shape (batch,).

    The importance-weighted bound (Burda et al. 2016): the better q as a proposal, the tighter.
    """
    mean, log_sigma = vae.posterior(x)
    weights = []
    for _ in range(samples):
        z = mean + torch.exp(log_sigma) * torch.randn_like(mean)
        log_prior = log_gaussian(z, torch.zeros_like(z), torch.zeros_like(z))
        weights.append(log_likelihood(vae, x, z) + log_prior - log_gaussian(z, mean, log_sigma))
    return torch.logsumexp(torch.stack(weights), dim=0) - math.log(samples)


def classic(vae: TileVae, x: Tensor) -> Tensor:
    """Compute −ELBO(x) over φ and θ on data: the usual amortized training, α = 0 (the paper's eq. 3)."""
    return -elbo(vae, x).mean()


def optimal(vae: TileVae, x: Tensor) -> Tensor:
    """Compute −ELBO(x) over φ, where x are the very images to be coded: a bound, for evaluation only."""
    return classic(vae, x)


def half_asleep(vae: TileVae, x: Tensor, *, alpha: float = 0.5, source: str = "prior") -> Tensor:
    """Compute −ELBO over φ on the mixture α p(x) + (1 − α) data (the paper's eq. 21).

    The first α of the batch, in whole images, gives way to model samples.

    Args:
        source: where the samples' z comes from: ``prior`` (z ~ p(z)) or ``posterior``
            (z ~ q(z|x) of the data it replaces, for models whose prior and aggregate
            posterior disagree).
    """
    asleep = share(alpha, x)
    if not asleep:
        return classic(vae, x)
    _, dreams = dream(vae, x[:asleep], source)
    return -elbo(vae, torch.cat([dreams, x[asleep:]])).mean()


def reverse_sleep(vae: TileVae, x: Tensor, *, source: str = "prior") -> Tensor:
    """Compute −ELBO over φ on model samples alone: KL(q(z|x) ‖ p(z|x)) for x ~ p(x), α = 1."""
    return half_asleep(vae, x, alpha=1.0, source=source)


def sleep(vae: TileVae, x: Tensor) -> Tensor:
    """Compute −log q(z|x) over φ for (x, z) ~ p(x, z): KL(p(z|x) ‖ q(z|x)), the forward sleep phase."""
    z, dreams = dream(vae, x, "prior")
    mean, log_sigma = vae.posterior(dreams)
    return -log_gaussian(z, mean, log_sigma).mean()


def wake_sleep(vae: TileVae, x: Tensor) -> Tensor:
    """Add forward sleep over φ, and −log p(x|z), z ~ q(z|x), over θ on data (Hinton et al. 1995).

    The two phases share no parameter, so that one step on their sum is a step of each.
    """
    with torch.no_grad():
        mean, log_sigma = vae.posterior(x)
        z = mean + torch.exp(log_sigma) * torch.randn_like(mean)
    return sleep(vae, x) - log_likelihood(vae, x, z).mean()


def denoising(vae: TileVae, x: Tensor, *, alpha: float = 0.5, sigma: float = 0.2) -> Tensor:
    """Compute α KL(q(z|x+ε) ‖ p(z|x)) + (1 − α) KL(q(z|x) ‖ p(z|x)) over φ, up to log p(x) (the paper's eq. 23).

    Args:
        sigma: standard deviation of ε as a share of the pixels' range.
    """
    noisy = share(alpha, x)
    seen = x.float()
    noise = torch.randn_like(seen[:noisy]) * (sigma * (vae.architecture.levels - 1))
    return -elbo(vae, x, torch.cat([seen[:noisy] + noise, seen[noisy:]])).mean()


def share(alpha: float, x: Tensor) -> int:
    """Count the images of a batch that are α of it: at least one, for with none the objective would be another."""
    return max(1, round(alpha * len(x))) if alpha else 0


def log_likelihood(vae: TileVae, x: Tensor, z: Tensor) -> Tensor:
    """Compute log p(x|z) of each image in nats, shape (batch,)."""
    return likelihood_of(vae.architecture).log_prob(x, vae.parameters_of_x(z))


def log_gaussian(z: Tensor, mean: Tensor, log_sigma: Tensor) -> Tensor:
    """Compute log N(z; mean, σ²) of each image in nats, shape (batch,); z, mean and log σ are (batch, …)."""
    return -(0.5 * ((z - mean) / torch.exp(log_sigma)) ** 2 + log_sigma + _HALF_LOG_TAU).flatten(1).sum(1)


@torch.no_grad()
def dream(vae: TileVae, x: Tensor, source: str) -> tuple[Tensor, Tensor]:
    """Draw (z, x̃ ~ p(x|z)) of shapes (batch, *latent) and of x; z from ``source`` as in :func:`half_asleep`."""
    if source == "posterior":
        mean, log_sigma = vae.posterior(x)
        z = mean + torch.exp(log_sigma) * torch.randn_like(mean)
    else:
        z = torch.randn(len(x), *vae.architecture.latent, device=x.device)
    return z, likelihood_of(vae.architecture).sample(vae.parameters_of_x(z))


def named(text: str) -> Objective:
    """Find the objective of a name, which its numbers may follow: ``half-asleep:0.2`` or ``denoising:0.5:0.4``."""
    name, *values = text.split(":")
    objective = OBJECTIVES[name]
    chosen = dict(zip(numbers(objective.loss), map(float, values)))
    return replace(objective, loss=functools.partial(objective.loss, **chosen))


def numbers(loss: Callable[..., Tensor]) -> dict[str, float]:
    """List α and σ of an objective, or of a partial of one, by their names; none where it has none."""
    parameters = inspect.signature(loss).parameters
    return {name: parameters[name].default for name in ("alpha", "sigma") if name in parameters}


@dataclass(frozen=True)
class Objective:
    """A loss and whether it is for the encoder alone, with the decoder kept as it is."""

    loss: Callable[..., Tensor]
    encoder_only: bool


OBJECTIVES = {
    "elbo": Objective(classic, encoder_only=False),
    "half-asleep": Objective(half_asleep, encoder_only=True),
    "reverse-sleep": Objective(reverse_sleep, encoder_only=True),
    "sleep": Objective(sleep, encoder_only=True),
    "wake-sleep": Objective(wake_sleep, encoder_only=False),
    "denoising": Objective(denoising, encoder_only=True),
}
"""The objectives by the names that users give; ``optimal`` is for evaluation and is left out."""
