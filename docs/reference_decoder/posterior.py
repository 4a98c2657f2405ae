"""Chapter 8: q(z|x) of tiles, and the K steps that improve it."""

import math
from collections.abc import Callable

import numpy as np

from .distributions import COEFFICIENT_LIMIT, GREATEST_SCALE, LEAST_SCALE, clamp_scale
from .exact import QUANTILES, exp, logistic_gradient, look_up_sigma
from .model_file import Model

MASK = (1 << 64) - 1
Gradient = Callable[[np.ndarray], np.ndarray]


def posterior(model: Model, values: np.ndarray, steps: int, gradient: Gradient) -> tuple[np.ndarray, np.ndarray]:
    """Compute means and log standard deviations, (tiles, latents) both, of tiles with these values.

    `gradient` maps integer z (tiles, latents) to the gradient of the log likelihood (section 8.5).
    """
    output, _ = model.encoder.forward(values.astype(np.int64) - model.offset)
    half = output.shape[-1] // 2
    tiles = len(values)
    mean = output[..., :half].reshape(tiles, -1)
    log_sigma = np.clip(output[..., half:].reshape(tiles, -1), -320, 64)
    if steps == 0:
        return mean, log_sigma
    return improve(mean, log_sigma, steps, gradient, model.settings)


class Adam:
    """Hold the moments of Adam for one kind of parameter (section 8.3)."""

    def __init__(self, beta1: float, beta2: float) -> None:
        """Begin with moments of zero."""
        self.beta1, self.beta2 = beta1, beta2
        self.m = self.v = 0.0
        self.power1 = self.power2 = 1.0

    def step(self, x: np.ndarray) -> np.ndarray:
        """Take a gradient in, and give the direction of the step."""
        self.power1 *= self.beta1
        self.power2 *= self.beta2
        self.m = self.m * self.beta1 + x * (1.0 - self.beta1)
        self.v = self.v * self.beta2 + (x * x) * (1.0 - self.beta2)
        return (self.m * (1.0 / (1.0 - self.power1))) / (np.sqrt(self.v * (1.0 / (1.0 - self.power2))) + 1e-12)


def improve(
    start_mean: np.ndarray, start_log_sigma: np.ndarray, steps: int, gradient: Gradient, settings: dict[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Take K steps of Adam up the gradient of the evidence lower bound (section 8.3)."""
    mean = start_mean * 2.0**-12
    log_sigma = start_log_sigma * 2.0**-6
    first_sigma = exp(log_sigma)
    noise = settings["noise"]
    adam_mean = Adam(settings["beta1"], settings["beta2"])
    adam_sigma = Adam(settings["beta1"], settings["beta2"])
    for t in range(steps):
        eps = noise_table(t, mean.shape[-1])
        sigma = exp(log_sigma)
        z = np.clip(np.floor((mean + (sigma * eps) * noise) * 256.0 + 0.5), -2048, 2047).astype(np.int64)
        g = gradient(z)
        for_mean = (g - mean) * first_sigma
        for_sigma = ((g * eps) * sigma) * (1.0 / noise) + (1.0 - sigma * sigma)
        slowed = 1.0 / math.sqrt(1.0 + settings["decay"] * t)
        mean = mean + (adam_mean.step(for_mean) * first_sigma) * (settings["mean_rate"] * slowed)
        mean = np.clip(mean, -(2.0**20), 2.0**20)
        log_sigma = log_sigma + adam_sigma.step(for_sigma) * (settings["sigma_rate"] * slowed)
        log_sigma = np.clip(log_sigma, -5.0, 1.0)
    result_mean = np.clip(np.floor(mean * 4096.0 + 0.5), -32768, 32768)
    return result_mean.astype(np.int64), np.floor(log_sigma * 64.0 + 0.5).astype(np.int64)


def noise_table(t: int, latents: int) -> np.ndarray:
    """Compute the noise of all latents at step t (section 8.4)."""
    eps = np.empty(latents)
    for i in range(latents):
        h = (i + ((t // 2 + 1) << 32)) * 0x9E3779B97F4A7C15 & MASK
        h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9 & MASK
        h = (h ^ (h >> 27)) * 0x94D049BB133111EB & MASK
        h = h ^ (h >> 31)
        eps[i] = QUANTILES[h >> 52]
    return -eps if t % 2 else eps


def bernoulli_gradient(x: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Compute the gradient for logits (..., 1) of values x (section 8.5)."""
    return (x[..., None] - look_up_sigma(output * 2.0**-8)) * 2.0**-8


def gray_gradient(x: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Compute the gradient for means and log scales, (..., 2), of values x (section 8.5)."""
    return logistic_pair(x, output[..., 0], output[..., 1])


def logistic_pair(x: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Compute the gradient for the mean and the log scale of one logistic per value."""
    _, d_mean, d_scale = logistic_gradient(x, mean, clamp_scale(scale))
    return np.stack([d_mean * 0.0625, scale_gradient(d_scale, scale)], axis=-1)


def scale_gradient(d_scale: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Turn a derivative by ln s into one by a log scale, which is 0 where the log scale was clamped."""
    return np.where((scale > LEAST_SCALE) & (scale < GREATEST_SCALE), d_scale * 0.03125, 0.0)


def colour_gradient(x: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Compute the gradient for means, log scales and coefficients, (..., 3, 3), of values (..., 3) (section 8.5)."""
    red, green = x[..., 0] - 128.0, x[..., 1] - 128.0
    given = output[..., 2]
    a, b, c = np.moveaxis(np.clip(given, -COEFFICIENT_LIMIT, COEFFICIENT_LIMIT), -1, 0)
    mean = output[..., 0].astype(np.float64)
    mean[..., 1] = mean[..., 1] + (a * red) * 2.0**-6
    mean[..., 2] = mean[..., 2] + ((b * red) * 2.0**-6 + (c * green) * 2.0**-6)
    both = logistic_pair(x, mean, output[..., 1])
    for_green, for_blue = both[..., 1, 0], both[..., 2, 0]
    coefficients = [(for_green * 2.0**-6) * red, (for_blue * 2.0**-6) * red, (for_blue * 2.0**-6) * green]
    free = np.abs(given) < COEFFICIENT_LIMIT
    return np.concatenate([both, np.where(free, np.stack(coefficients, axis=-1), 0.0)[..., None]], axis=-1)


def mixture_gradient(x: np.ndarray, logit: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> list[np.ndarray]:
    """Compute the gradients for logits, means and log scales, (..., C) each, of values x (section 8.5)."""
    e = exp((logit - logit.max(axis=-1, keepdims=True)) * 2.0**-5)
    w = e / ordered_sum(e)
    p, d_mean, d_scale = logistic_gradient(x[..., None], mean, clamp_scale(scale))
    u = w * (p + 1e-12)
    r = u / ordered_sum(u)
    return [(r - w) * 2.0**-5, r * (d_mean * 0.0625), r * scale_gradient(d_scale, scale)]


def ordered_sum(x: np.ndarray) -> np.ndarray:
    """Add the floats of the last axis one after the other, and keep the axis."""
    return x.cumsum(axis=-1)[..., -1:]
