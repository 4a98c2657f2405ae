"""Make mixtures of logistics from the outputs of the pixel network, and differentiate their log probability."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.entropy import kernels
from vaezip.exact.jit import borrowing, inline
from vaezip.models import likelihoods
from vaezip.models.pixel.constants import DENSITY_FLOOR
from vaezip.models.pixel.gradient import logistic

Ints = NDArray[Any]
Floats = NDArray[np.float64]


class Tables(NamedTuple):
    """Tables for mixtures and their gradients.

    Attributes:
        cdf, scales: P(X < x) and 1/s, of :func:`vaezip.entropy.distributions.logistic_tables`.
        powers: e^−x, for the weights.
        sigmoid, reciprocal, interior, inner: of :func:`vaezip.models.likelihoods.gradient_tables`.
    """

    cdf: Ints
    scales: Ints
    powers: Ints
    sigmoid: Floats
    reciprocal: Floats
    interior: Floats
    inner: Floats


@lru_cache
def mixture_tables() -> Tables:
    """Make the tables of :class:`vaezip.entropy.distributions.LogisticMixture` and of its gradient."""
    return Tables(*d.logistic_tables(), d.weight_powers(), *likelihoods.gradient_tables())


@inline
def write_mixture(out, prediction, mix, powers, w, m, s):
    """Write the mixture of one channel of one pixel, as :class:`vaezip.entropy.distributions.LogisticMixture` has it.

    Args:
        out: (3 mix,), what the network gives: logits of weights, means less the prediction, log scales.
        prediction: the median-edge prediction.
        mix: logistics.
        powers: e^−x, of :func:`mixture_tables`.
        w, m, s: weights, means and log scales, filled.
    """
    kernels.softmax(out, mix, powers, w)
    for k in range(mix):
        m[k] = (prediction << d.MEAN_BITS) + out[mix + k]
        s[k] = min(max(out[2 * mix + k], d.LOG_SCALE_LOW), d.LOG_SCALE_HIGH)


@borrowing
def mixture_gradient(parameters, values, prediction, mixture, tables, out):
    """Compute d log p / d parameters, by the very weights of :func:`write_mixture`.

    But for their rounding it is the gradient of :class:`vaezip.models.likelihoods.LogisticMixture`.

    Args:
        parameters: (pixels, 3 mix) of one channel, the means relative to the prediction; any may stand beside them.
        values, prediction: int64 (pixels,).
        mixture: scratch memory, int64 (mix,) for weights, means and log scales, and as many floats.
        tables: of :func:`mixture_tables`.
        out: float64 (pixels, 3 mix), filled.
    """
    w, m, s, part = mixture
    mix = w.size
    for i in range(values.size):
        write_mixture(parameters[i], prediction[i], mix, tables.powers, w, m, s)
        x, total = float(values[i]), 0.0
        for k in range(mix):
            inside, by_mean, by_scale = logistic(x, m[k], s[k], tables)
            part[k] = w[k] * 2.0**-d.WEIGHT_BITS * (inside + DENSITY_FLOOR)
            total += part[k]
            out[i, mix + k] = by_mean * 2.0**-d.MEAN_BITS
            free = d.LOG_SCALE_LOW < parameters[i, 2 * mix + k] < d.LOG_SCALE_HIGH
            out[i, 2 * mix + k] = by_scale * 2.0**-d.LOG_SCALE_BITS if free else 0.0
        for k in range(mix):
            share = part[k] / total
            out[i, k] = (share - w[k] * 2.0**-d.WEIGHT_BITS) * 2.0**-d.WEIGHT_LOGIT_BITS
            out[i, mix + k] *= share
            out[i, 2 * mix + k] *= share
