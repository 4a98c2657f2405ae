"""Differentiate the log probability of a pixel by a logistic's mean and scale, exactly.

All operations are look-ups or correctly rounded ones of float64, as in
:class:`vaezip.models.likelihoods.LogisticMixture`.
"""

from __future__ import annotations

import numpy as np

from vaezip.entropy import distributions as d
from vaezip.exact.jit import inline
from vaezip.models import likelihoods


@inline
def logistic(x, mean, log_scale, tables):
    """Compute P(x) of one logistic of a mixture, and the derivatives of ln P.

    Args:
        x: the pixel's value, a float.
        mean, log_scale: on the grids of :mod:`vaezip.entropy.distributions`.
        tables: with ``sigmoid``, ``reciprocal``, ``interior`` and ``inner`` of
            :func:`vaezip.models.likelihoods.gradient_tables`.

    Returns:
        P; ∂ ln P / ∂ mean in pixel values; ∂ ln P / ∂ ln s.
    """
    entry = log_scale - d.LOG_SCALE_LOW
    reciprocal = tables.reciprocal[entry]
    upper = (x + 0.5 - mean * 2.0**-d.MEAN_BITS) * reciprocal
    lower = (x - 0.5 - mean * 2.0**-d.MEAN_BITS) * reciprocal
    above, below = _sigmoid(-upper, tables.sigmoid), _sigmoid(lower, tables.sigmoid)
    inside, inner = tables.interior[entry], tables.inner[entry]
    not_above, not_below = _sigmoid(upper, tables.sigmoid), _sigmoid(-lower, tables.sigmoid)
    if x <= 0.0:
        below, not_below, inside, inner = 0.0, 1.0, 1.0, 0.0
    if x >= 255.0:
        above, not_above, inside, inner = 0.0, 1.0, 1.0, 0.0
    return not_above * not_below * inside, (below - above) * reciprocal, lower * below - upper * above - inner


@inline
def _sigmoid(x, table):
    """Look up the logistic function at the nearest point of its table."""
    edge = likelihoods.SIGMOID_RANGE * likelihoods.SIGMOID_STEPS
    return table[int(min(max(np.floor(x * likelihoods.SIGMOID_STEPS + 0.5), -edge), edge)) + edge]
