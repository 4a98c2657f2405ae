"""p(x|z) from the integers that a decoder network emits: its intervals and its gradient.

Each likelihood takes the decoder's output as (images, height, width, channels, parameters)
and gives two things: the integer distribution of :mod:`vaezip.entropy.distributions` for coding, and,
for the K steps of :mod:`vaezip.models.posterior`, the gradient of log p(x|z) for that output,
element by element in float64 by look-ups and correctly rounded arithmetic.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.entropy.stack import Stack
from vaezip.exact import tables
from vaezip.exact.backend import Array, Backend, backend
from vaezip.exact.elementwise import exp

Ints = NDArray[Any]

OUTPUT_BOUND = d.MEAN_BOUND
"""The decoder's last layer is clamped to ± this; each likelihood clamps further."""

SIGMOID_RANGE = tables.LOGISTIC_RANGE
SIGMOID_STEPS = 64


class Coder(Protocol):
    """A distribution over the pixels of some images."""

    precision: int

    def intervals(self, symbols: Ints) -> tuple[Ints, Ints]:
        """Return starts and freqs."""

    def push(self, stack: Stack, symbols: Ints) -> None:
        """Push symbols."""

    def pop(self, stack: Stack) -> Ints:
        """Pop symbols."""


class Likelihood(Protocol):
    """A likelihood: the meaning of a decoder's output."""

    parameters: int
    """Outputs a pixel value."""

    def coder(self, outputs: Ints) -> Coder:
        """Return the distribution of (pixels, channels) values; outputs int32 (pixels, channels, parameters)."""

    def gradient(self, b: Backend, outputs: Array, x: Array) -> Array:
        """Compute d log p(x|z) / d outputs, float64; x (images, height, width, channels) as float64."""


class Bernoulli:
    """The likelihood of black and white pixels, one logit each."""

    parameters = 1

    def coder(self, outputs: Ints) -> d.Bernoulli:
        """Return :class:`vaezip.entropy.distributions.Bernoulli`."""
        return d.Bernoulli(np.clip(outputs, -d.LOGIT_BOUND, d.LOGIT_BOUND).ravel())

    def gradient(self, b: Backend, outputs: Array, x: Array) -> Array:
        """Compute (x − σ(logit)) · 2^−LOGIT_BITS."""
        logit = outputs[..., 0] * 2.0**-d.LOGIT_BITS
        return ((x - sigmoid(b, logit)) * 2.0**-d.LOGIT_BITS)[..., None]


class Logistic:
    """The discretized logistic on 0 … 255: mean and log scale a value."""

    parameters = 2

    def coder(self, outputs: Ints) -> d.Logistic:
        """Return :class:`vaezip.entropy.distributions.Logistic`."""
        return d.Logistic(outputs[..., 0].ravel(), _log_scales(outputs).ravel())

    def gradient(self, b: Backend, outputs: Array, x: Array) -> Array:
        """Compute :func:`logistic_gradient`, its parts side by side."""
        return b.xp.stack(logistic_gradient(b, x, means=outputs[..., 0], log_scales=outputs[..., 1]), axis=-1)


class ColourLogistic:
    """The logistic of RGB: mean, log scale and one coefficient between channels a value."""

    parameters = 3

    def coder(self, outputs: Ints) -> d.ColourLogistic:
        """Return :class:`vaezip.entropy.distributions.ColourLogistic`."""
        coefficients = np.clip(outputs[..., 2], -d.COEFFICIENT_BOUND, d.COEFFICIENT_BOUND)
        means, log_scales = outputs[..., 0], _log_scales(outputs)
        return d.ColourLogistic(*(np.ascontiguousarray(p).reshape(-1, 3) for p in (means, log_scales, coefficients)))

    def gradient(self, b: Backend, outputs: Array, x: Array) -> Array:
        """Carry the logistic's gradient on to the coefficients: dμ_G/da = R − 128, and so on."""
        xp = b.xp
        bound = float(d.COEFFICIENT_BOUND)
        raw = outputs[..., 2]
        coefficients = xp.clip(raw, -bound, bound)
        red, green = x[..., 0] - 128.0, x[..., 1] - 128.0
        unit = 2.0 ** (d.MEAN_BITS - d.COEFFICIENT_BITS)
        to_green = coefficients[..., 0] * red * unit
        to_blue = coefficients[..., 1] * red * unit + coefficients[..., 2] * green * unit
        means = outputs[..., 0] + xp.stack([xp.zeros_like(red), to_green, to_blue], axis=-1)
        for_mean, for_scale = logistic_gradient(b, x, means=means, log_scales=outputs[..., 1])
        to_green, to_blue = for_mean[..., 1] * unit, for_mean[..., 2] * unit
        for_coefficients = xp.stack([to_green * red, to_blue * red, to_blue * green], axis=-1)
        free = b.cast((raw > -bound) & (raw < bound), "float64")
        return xp.stack([for_mean, for_scale, for_coefficients * free], axis=-1)


class LogisticMixture:
    """A mixture of discretized logistics: weight logits, means and log scales, each of every component."""

    def __init__(self, components: int) -> None:
        self.components, self.parameters = components, 3 * components

    def coder(self, outputs: Ints) -> d.LogisticMixture:
        """Return :class:`vaezip.entropy.distributions.LogisticMixture`."""
        logits, means, log_scales = np.moveaxis(outputs.reshape(-1, 3, self.components), 1, 0)
        return d.LogisticMixture(means, np.clip(log_scales, d.LOG_SCALE_LOW, d.LOG_SCALE_HIGH), logits)

    def gradient(self, b: Backend, outputs: Array, x: Array) -> Array:
        """Compute, with p = Σ w_k p_k and r_k = w_k p_k / p: d/d logit_k = r_k − w_k, and the logistic's own
        derivatives of its mean and log scale times r_k."""
        xp, k = b.xp, self.components
        logits, means, log_scales = (outputs[..., i * k : (i + 1) * k] for i in range(3))
        for_mean, for_scale = logistic_gradient(b, x[..., None], means=means, log_scales=log_scales)
        w = _normalised(b, exp(b, (logits - xp.max(logits, axis=-1, keepdims=True)) * 2.0**-d.WEIGHT_LOGIT_BITS))
        r = _normalised(b, w * _probabilities(b, means, log_scales, x[..., None]))
        return xp.concat([(r - w) * 2.0**-d.WEIGHT_LOGIT_BITS, r * for_mean, r * for_scale], axis=-1)


def likelihood(name: str) -> Likelihood:
    """Return the likelihood that an architecture names."""
    kinds: dict[str, Likelihood] = {
        "bernoulli": Bernoulli(),
        "logistic": Logistic(),
        "colour-logistic": ColourLogistic(),
    }
    return kinds[name]


def sigmoid(b: Backend, x: Array) -> Array:
    """Look up σ(x) at the nearest multiple of 1/64, float64."""
    edge = float(SIGMOID_RANGE * SIGMOID_STEPS)
    index = b.xp.clip(b.xp.floor(x * float(SIGMOID_STEPS) + 0.5), -edge, edge) + edge
    return look_up(b, _sigmoid_table(), index)


def logistic_gradient(b: Backend, x: Array, *, means: Array, log_scales: Array) -> tuple[Array, Array]:
    """Compute d log p(x) / d mean and / d log scale, in the integer units of the parameters.

    From log p = ln σ(u) + ln σ(−l) + ln(1 − e^(−1/s)) with u, l = (x ± ½ − μ)/s; the outermost
    values have one term only. With U = σ(u), L = σ(l):
    d/dμ = (L − (1 − U))/s and d/d ln s = −u (1 − U) + l L − (1/s)/(e^(1/s) − 1).
    """
    xp = b.xp
    low, high = float(d.LOG_SCALE_LOW), float(d.LOG_SCALE_HIGH)
    index = xp.clip(log_scales, low, high) - low
    reciprocal = look_up(b, _reciprocal_scales(), index)
    upper = (x + 0.5 - means * 2.0**-d.MEAN_BITS) * reciprocal
    lower = (x - 0.5 - means * 2.0**-d.MEAN_BITS) * reciprocal
    not_first, not_last = b.cast(x > 0.0, "float64"), b.cast(x < 255.0, "float64")
    above = sigmoid(b, -upper) * not_last
    below = sigmoid(b, lower) * not_first
    inner = look_up(b, _inner_derivatives(), index) * (not_first * not_last)
    for_mean = (below - above) * reciprocal * 2.0**-d.MEAN_BITS
    for_scale = (lower * below - upper * above - inner) * 2.0**-d.LOG_SCALE_BITS
    free = b.cast((log_scales > low) & (log_scales < high), "float64")
    return for_mean, for_scale * free


def _probabilities(b: Backend, means: Array, log_scales: Array, x: Array) -> Array:
    """Compute σ(u) − σ(l) = σ(u) σ(−l) (1 − e^(−1/s)), of the outermost values one factor alone; and a little,
    so that no mixture of them is 0. u and l are those of :func:`logistic_gradient`."""
    xp = b.xp
    low, high = float(d.LOG_SCALE_LOW), float(d.LOG_SCALE_HIGH)
    index = xp.clip(log_scales, low, high) - low
    reciprocal = look_up(b, _reciprocal_scales(), index)
    distance = x - means * 2.0**-d.MEAN_BITS
    first, last, one = x <= 0.0, x >= 255.0, xp.ones_like(distance)
    upper = xp.where(last, one, sigmoid(b, (distance + 0.5) * reciprocal))
    lower = xp.where(first, one, sigmoid(b, (0.5 - distance) * reciprocal))
    inner = xp.where(first | last, one, look_up(b, _interior_factors(), index))
    return upper * lower * inner + 1e-12


def _normalised(b: Backend, values: Array) -> Array:
    """Divide values by their sum over the last axis, summed in its order."""
    total = values[..., 0]
    for k in range(1, values.shape[-1]):
        total = total + values[..., k]
    return values / total[..., None]


def look_up(b: Backend, table: NDArray[np.float64], index: Array) -> Array:
    """Look up table[index] for integer-valued float64 indices of any shape."""
    flat = b.xp.reshape(b.cast(index, "int64"), (-1,))
    return b.xp.reshape(b.xp.take(b.xp.asarray(table, device=b.device), flat, axis=0), index.shape)


def _log_scales(outputs: Ints) -> Ints:
    return np.clip(outputs[..., 1], d.LOG_SCALE_LOW, d.LOG_SCALE_HIGH)


def gradient_tables() -> tuple[NDArray[np.float64], ...]:
    """Return the tables of logistic gradients: σ at multiples of 1/SIGMOID_STEPS; and for every log scale 1/s,
    1 − e^(−1/s) and (1/s)/(e^(1/s) − 1)."""
    return _sigmoid_table(), _reciprocal_scales(), _interior_factors(), _inner_derivatives()


@lru_cache
def _sigmoid_table() -> NDArray[np.float64]:
    edge = SIGMOID_RANGE * SIGMOID_STEPS
    return tables.sigmoid(np.arange(-edge, edge + 1) / float(SIGMOID_STEPS))


@lru_cache
def _reciprocal_scales() -> NDArray[np.float64]:
    """Tabulate 1/s for every log scale."""
    log_scale = np.arange(d.LOG_SCALE_LOW, d.LOG_SCALE_HIGH + 1) / float(1 << d.LOG_SCALE_BITS)
    return exp(backend(), -log_scale)


@lru_cache
def _interior_factors() -> NDArray[np.float64]:
    """Tabulate 1 − e^(−1/s) for every log scale."""
    r = _reciprocal_scales()
    return np.where(r < 0.01, r - 0.5 * r * r + r * r * r / 6.0, 1.0 - exp(backend(), -r))


@lru_cache
def _inner_derivatives() -> NDArray[np.float64]:
    """Tabulate r / (e^r − 1) with r = 1/s for every log scale."""
    r = _reciprocal_scales()
    e = exp(backend(), r)
    # e^r − 1 loses digits where r is small; there r / (e^r − 1) = 1 − r/2 + r²/12 to better than 1e-9
    return np.where(r < 0.01, 1.0 - 0.5 * r + r * r / 12.0, r / np.where(e > 1.0, e - 1.0, 1.0))


_BITS_A_NAT = 1.4426950408889634
"""1 / ln 2; no library's logarithm decides what is read."""


def least_bytes(samples: int, levels: int) -> float:
    """Bound from below the bytes that so many samples take, before they are given memory.

    Each value that does not occur takes 1 of 2^22. Of that the bound is an eighth, since z may give back a little more
    than it takes.
    """
    return samples * (levels - 1) / (1 << d.LOGISTIC_PRECISION) * _BITS_A_NAT / 8 / 8
