"""From an encoder's output to the posterior q(z|x), and K steps to a better one.

Algorithm 2 of the paper: K steps of gradient ascent on one image's own ELBO, in its own
(mean, standard deviation), from where the amortized encoder starts. The decompressor repeats
them, so every number here is exact: integer networks and their exact transposed products,
element-wise float64 for the rest. An image's result depends on that image alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.exact import tables
from vaezip.exact.backend import Array, Backend
from vaezip.exact.elementwise import exp
from vaezip.models.likelihoods import Likelihood
from vaezip.system.spans import timed

_NOISE_BITS = 12

LEAST_NOISE = 2.0**-10

MEAN_EDGE = 2.0**20
"""The steps clamp means to ± this, far beyond where any picture takes them: so no product of theirs overflows."""


@dataclass(frozen=True)
class Settings:
    """How the K steps are taken; part of a model, and so of its fingerprint.

    Attributes:
        mean_rate: Adam's first step of the mean, in standard deviations of the first posterior.
        sigma_rate: Adam's first step of ln σ. One noisy sample tells little of σ: keep it small.
        decay: step t is taken at rate / √(1 + decay · t).
        noise: the sample at which gradients are taken lies at μ + noise · σ ε. Below 1 the mean's
            gradient is less noisy, which is worth more in a few steps than being unbiased. At least LEAST_NOISE.
        beta1, beta2: Adam's decay rates (Kingma and Ba 2015).
    """

    mean_rate: float = 0.6
    sigma_rate: float = 0.03
    decay: float = 0.3
    noise: float = 0.25
    beta1: float = 0.7
    beta2: float = 0.99

    def __post_init__(self) -> None:
        values = (self.mean_rate, self.sigma_rate, self.decay, self.noise, self.beta1, self.beta2)
        if not all(isinstance(v, float) and 0 <= v <= 100 for v in values):
            raise ValueError("a setting of the K steps is not a number from 0 to 100")
        if not (self.noise >= LEAST_NOISE and self.beta1 < 1 and self.beta2 < 1):
            raise ValueError("noise must be at least 2^-10 and both betas below 1")


class Decoder(Protocol):
    """z → the parameters of p(x|z), as integers, with its exact transposed product."""

    def trace(self, x: Array) -> list[Any]:
        """From z (images, …) on the latent grid: what :meth:`vjp` needs, the parameters last."""

    def vjp(self, outputs: list[Any], gradient: Array) -> Array:
        """Gradient for z, (images, …), from :meth:`trace`'s outputs and that for the parameters, float32."""


def amortized(b: Backend, output: Array) -> tuple[Array, Array]:
    """The encoder's own posterior.

    Args:
        output: (images, …, 2 · channels), integers: means, then log standard deviations.

    Returns:
        Integer-valued float64 (images, latents) each: means in units of
        2^−POSTERIOR_MEAN_BITS, log standard deviations in units of 2^−LOG_SIGMA_BITS.
    """
    channels = output.shape[-1] // 2
    mean, log_sigma = output[..., :channels], output[..., channels:]
    count = output.shape[0]
    mean = b.cast(b.xp.reshape(mean, (count, -1)), "float64")
    log_sigma = b.cast(b.xp.reshape(log_sigma, (count, -1)), "float64")
    return mean, b.xp.clip(log_sigma, float(d.LOG_SIGMA_LOW), float(d.LOG_SIGMA_HIGH))


@dataclass(frozen=True)
class Refinement:
    """Algorithm 2 for one model: K steps of Adam on each image's ELBO.

    With the analytic KL, the ELBO's gradients are d/dμ = g − μ and d/d ln σ = g ε σ + 1 − σ²,
    where g = d log p(x|z)/dz at z = μ + σ ε. With the smaller step noise · σ ε, the change of g
    along ε, and so g ε, is smaller by that factor.

    Attributes:
        backend: where the arrays live.
        decoder: z to the parameters of p(x|z).
        likelihood: what the parameters mean.
        latent: shape of one image's z for the decoder.
        settings: how the steps are taken.
    """

    backend: Backend
    decoder: Decoder
    likelihood: Likelihood
    latent: tuple[int, ...]
    settings: Settings

    @timed("K steps")
    def refine(self, x: Array, mask: Array, start: tuple[Array, Array], *, steps: int) -> tuple[Array, Array]:
        """Take K steps.

        Args:
            x: pixels (images, height, width, channels), float64.
            mask: 1 where a pixel is coded, else 0, (images, height, width, 1), float64.
            start: of :func:`amortized`.
            steps: K.

        Returns:
            Means and log standard deviations as :func:`amortized` gives them.
        """
        b, settings = self.backend, self.settings
        unit_mean, unit_log_sigma = 2.0**-d.POSTERIOR_MEAN_BITS, 2.0**-d.LOG_SIGMA_BITS
        mean, log_sigma = start[0] * unit_mean, start[1] * unit_log_sigma
        first_sigma = exp(b, log_sigma)
        low, high = d.LOG_SIGMA_LOW * unit_log_sigma, d.LOG_SIGMA_HIGH * unit_log_sigma
        adam_mean, adam_sigma = _Adam(b, mean, settings), _Adam(b, mean, settings)
        for step in range(steps):
            noise = b.xp.asarray(gaussian_noise(step, mean.shape[1]), device=b.device)
            sigma = exp(b, log_sigma)
            z = latent_grid(b, mean + sigma * noise * settings.noise)
            g = self.log_likelihood_gradient(x, mask, z)
            for_mean = (g - mean) * first_sigma
            for_sigma = g * noise * sigma * (1.0 / settings.noise) + (1.0 - sigma * sigma)
            slowed = 1.0 / math.sqrt(1.0 + settings.decay * step)
            mean = mean + adam_mean.direction(for_mean) * first_sigma * (settings.mean_rate * slowed)
            mean = b.xp.clip(mean, -MEAN_EDGE, MEAN_EDGE)
            change = adam_sigma.direction(for_sigma) * (settings.sigma_rate * slowed)
            log_sigma = b.xp.clip(log_sigma + change, low, high)
        bound = float(d.POSTERIOR_MEAN_BOUND)
        return (
            b.xp.clip(b.xp.floor(mean * 2.0**d.POSTERIOR_MEAN_BITS + 0.5), -bound, bound),
            b.xp.floor(log_sigma * 2.0**d.LOG_SIGMA_BITS + 0.5),
        )

    def log_likelihood_gradient(self, x: Array, mask: Array, z: Array) -> Array:
        """Return d log p(x|z)/dz for z on the latent grid, float64 (images, latents)."""
        b, count = self.backend, x.shape[0]
        outputs = self.decoder.trace(b.xp.reshape(z, (count, *self.latent)))
        last = b.cast(outputs[-1], "float64")
        parameters = b.xp.reshape(last, (*x.shape, self.likelihood.parameters))
        gradient = self.likelihood.gradient(b, parameters, x) * mask[..., None]
        back = self.decoder.vjp(outputs, b.cast(b.xp.reshape(gradient, last.shape), "float32"))
        return b.cast(b.xp.reshape(back, (count, -1)), "float64") * 2.0**d.LATENT_BITS


def latent_grid(b: Backend, z: Array) -> Array:
    """The nearest centre of the latent grid, in its units: integers −LATENT_BINS/2 … LATENT_BINS/2 − 1."""
    half = float(d.LATENT_BINS // 2)
    return b.xp.clip(b.xp.floor(z * 2.0**d.LATENT_BITS + 0.5), -half, half - 1.0)


class _Adam:
    """Adam (Kingma and Ba 2015), element-wise in float64."""

    def __init__(self, b: Backend, like: Array, settings: Settings) -> None:
        self.backend, self.settings = b, settings
        self.first, self.second = b.xp.zeros_like(like), b.xp.zeros_like(like)
        self.power1 = self.power2 = 1.0

    def direction(self, gradient: Array) -> Array:
        """The next step uphill at a learning rate of 1."""
        s = self.settings
        # products, not powers: a library's pow may round differently elsewhere
        self.power1, self.power2 = self.power1 * s.beta1, self.power2 * s.beta2
        self.first = self.first * s.beta1 + gradient * (1.0 - s.beta1)
        self.second = self.second * s.beta2 + gradient * gradient * (1.0 - s.beta2)
        # by the reciprocal: PyTorch divides by a number in its own way on CUDA
        mean = self.first * (1.0 / (1.0 - self.power1))
        spread = self.backend.xp.sqrt(self.second * (1.0 / (1.0 - self.power2)))
        return mean / (spread + 1e-12)


@lru_cache(maxsize=256)
def gaussian_noise(step: int, count: int) -> NDArray[np.float64]:
    """ε ~ N(0, 1) for one step, float64 (count,): a function of step and position alone.

    A counter goes through the finaliser of SplitMix64 (Steele et al. 2014); its upper bits pick
    a normal quantile. Odd steps mirror the even ones before them (antithetic pairs).
    """
    counter = np.arange(count, dtype=np.uint64) + (np.uint64(step // 2 + 1) << np.uint64(32))
    with np.errstate(over="ignore"):
        h = counter * np.uint64(0x9E3779B97F4A7C15)
        h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        h = h ^ (h >> np.uint64(31))
    quantiles = tables.normal_quantiles(_NOISE_BITS)[(h >> np.uint64(64 - _NOISE_BITS)).astype(np.int64)]
    return quantiles if step % 2 == 0 else -quantiles
