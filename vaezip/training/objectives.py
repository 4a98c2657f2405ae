"""What an encoder and a decoder are trained for; each function returns a loss in nats per image."""

from __future__ import annotations

import torch
from torch import Tensor

from vaezip.networks.floating import Vae
from vaezip.training.likelihoods import likelihood_of


def elbo(vae: Vae, x: Tensor) -> Tensor:
    """ELBO(x) = log p(x|z) − KL(q(z|x) ‖ p(z)), z ~ q(z|x), of each image in nats.

    Args:
        vae: encoder q and decoder p.
        x: integer pixels (batch, height, width, channels).

    Returns:
        Tensor (batch,), one reparametrised sample each (Kingma and Welling 2014).
    """
    mean, log_sigma = vae.posterior(x)
    sigma = torch.exp(log_sigma)
    z = mean + sigma * torch.randn_like(mean)
    kl = 0.5 * (mean**2 + sigma**2 - 1) - log_sigma
    log_likelihood = likelihood_of(vae.architecture).log_prob(x, vae.parameters_of_x(z))
    return log_likelihood - kl.flatten(1).sum(1)


def classic(vae: Vae, x: Tensor) -> Tensor:
    """−ELBO on data: both encoder and decoder learn from it (α = 0)."""
    return -elbo(vae, x).mean()


def half_asleep(vae: Vae, x: Tensor, alpha: float = 0.5, source: str = "prior") -> Tensor:
    """−ELBO on the mixture α p(x) + (1 − α) data, for the encoder alone (the paper's eq. 21).

    The caller keeps the decoder fixed. With ``alpha`` = 0.5 the first half of the
    batch is replaced by model samples.

    Args:
        source: where the samples' z comes from: ``prior`` (z ~ p(z)) or ``posterior``
            (z ~ q(z|x) of the data it replaces, for models whose prior and aggregate
            posterior disagree).
    """
    asleep = round(alpha * len(x))
    with torch.no_grad():
        dreams = sample(vae, x[:asleep], source)
    return -elbo(vae, torch.cat([dreams, x[asleep:]])).mean()


def sample(vae: Vae, x: Tensor, source: str) -> Tensor:
    """As many model samples as x has images, integer pixels of the same shape."""
    if source == "posterior":
        mean, log_sigma = vae.posterior(x)
        z = mean + torch.exp(log_sigma) * torch.randn_like(mean)
    else:
        z = torch.randn(len(x), *vae.architecture.latent, device=x.device)
    return likelihood_of(vae.architecture).sample(vae.parameters_of_x(z))
