"""Chapter 5: distributions as integer intervals."""

import hashlib

import numpy as np

from .exact import (
    BERNOULLI_ZERO,
    LOGISTIC_CDF,
    LOGISTIC_RECIPROCAL,
    NORMAL_CDF,
    NORMAL_RECIPROCAL,
    POWERS,
    interpolate,
)
from .primitives import require
from .stack import Stack

BINS = 4096
LOGIT_LIMIT = COEFFICIENT_LIMIT = 4095
LEAST_SCALE, GREATEST_SCALE = -96, 176


def clamp_scale(a: np.ndarray) -> np.ndarray:
    """Clamp log scales of logistics."""
    return np.clip(a, LEAST_SCALE, GREATEST_SCALE)


def logistic(x: np.ndarray, m: np.ndarray, a: np.ndarray) -> np.ndarray:
    """Compute P(X < x) out of 2^30 (section 5.3)."""
    distance = 16 * x - 8 - m
    return interpolate(LOGISTIC_CDF, (distance * LOGISTIC_RECIPROCAL[a + 96]) >> 20, 22)


def logistic_starts(m: np.ndarray, a: np.ndarray) -> np.ndarray:
    """List where the intervals of the values 0 ... 255 begin, and 2^22, for each mean and log scale (section 5.3)."""
    x = np.arange(257)
    starts = x + ((logistic(x, m[..., None], a[..., None]) * (2**22 - 256)) >> 30)
    starts[..., 0], starts[..., 256] = 0, 1 << 22
    return starts


def mixture_starts(w: np.ndarray, m: np.ndarray, a: np.ndarray) -> np.ndarray:
    """List where the intervals of the values begin, and 2^22, for each mixture on the last axis (section 5.4)."""
    x = np.arange(257)
    total = (w[..., None] * logistic(x, m[..., None], a[..., None])).sum(axis=-2)
    starts = x + (((total >> 14) * (2**22 - 256)) >> 30)
    starts[..., 0], starts[..., 256] = 0, 1 << 22
    return starts


def softmax(logits: np.ndarray, whole: int) -> np.ndarray:
    """Turn the logits on the last axis into integer weights that sum to `whole` (section 5.4.1)."""
    best = logits.argmax(axis=-1)[..., None]
    power = POWERS[np.minimum(np.take_along_axis(logits, best, -1) - logits, 1280)]
    weights = power * whole // power.sum(axis=-1, keepdims=True)
    missing = whole - weights.sum(axis=-1, keepdims=True)
    np.put_along_axis(weights, best, np.take_along_axis(weights, best, -1) + missing, -1)
    return weights


def normal(k: np.ndarray, m: np.ndarray, a: np.ndarray) -> np.ndarray:
    """Compute P(bin < k) out of 2^30 (section 5.6)."""
    distance = 16 * (k - 2048) - 8 - m
    inside = interpolate(NORMAL_CDF, (distance * NORMAL_RECIPROCAL[a + 320]) >> 20, 8)
    return np.where(k <= 0, 0, np.where(k >= BINS, 1 << 30, inside))


def _prior() -> np.ndarray:
    """Tabulate the prior (section 5.7)."""
    k = np.arange(BINS + 1)
    table = k + ((normal(k, np.int64(0), np.int64(0)) * (2**30 - BINS)) >> 30)
    table[BINS] = 1 << 30
    return table


PRIOR = _prior()
if not hashlib.sha256(PRIOR.tobytes()).hexdigest().startswith("0142ee28727c0c44"):
    raise ArithmeticError("the prior has wrong bits")


def pop_bit(stack: Stack) -> int:
    """Pop a uniform bit (section 5.1)."""
    return stack.pop(lambda x: x, 2, 1)


def pop_bernoulli(stack: Stack, logit: int) -> int:
    """Pop a value 0 or 1, given a clamped logit (section 5.2)."""
    zero = int(BERNOULLI_ZERO[logit + 4095])
    return stack.pop(lambda x: (0, zero, 1 << 20)[x], 2, 20)


def pop_prior(stack: Stack, tiles: int, coarse: np.ndarray | None, latents: int) -> np.ndarray:
    """Pop the bins of z of some tiles under the prior: on the fine grid, or on the coarse one (section 5.7)."""
    grid = np.zeros(latents, np.int64) if coarse is None else coarse
    tables = {int(g): PRIOR[:: 1 << int(g)] for g in np.unique(grid)}
    bins = np.zeros((tiles, latents), np.int64)
    for tile in range(tiles - 1, -1, -1):
        for i in range(latents - 1, -1, -1):
            g = int(grid[i])
            bins[tile, i] = (stack.pop_table(tables[g], 30) << g) + ((1 << g) >> 1)
    return bins


def push_posterior(stack: Stack, bins: np.ndarray, m: np.ndarray, a: np.ndarray) -> None:
    """Push the bins of z, (tiles, latents), under normal distributions (section 5.6)."""
    starts, ends = normal(bins, m, a), normal(bins + 1, m, a)
    require(bool((ends > starts).all()), "a bin of frequency 0 would have to be pushed")
    for start, end in zip(starts.ravel().tolist(), ends.ravel().tolist(), strict=True):
        stack.push(start, end - start, 30)
