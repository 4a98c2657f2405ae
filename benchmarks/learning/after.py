"""What can be made of predictions once the pixel network has made them: mixing, choosing, correcting.

All of it learns row by row, as a decoder could: a row is coded, then what codes the next one moves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from online import Bits, Coded
from pixelnet import FLOOR, Picture

from vaezip.kernels import kernel

_MIXING_RATE = 0.1
_FORGET, _STRENGTH = 0.98, 0.5
_NEIGHBOURS = ((0, -1), (-1, 0), (-1, -1), (-1, 1))


def mixed(found: Sequence[Bits], width: int) -> Bits:
    """p = Σ w_k p_k: weights of each channel as log-odds, moved after every row by AdaGrad.

    Args:
        found: what pixels cost by each of the predictions, bits (pixels, channels).
        width: pixels in a row.
    """
    return np.asarray(_mixed(np.exp2(-np.stack(found, axis=-1)), width, _MIXING_RATE))


@kernel
def _mixed(p, width, rate):  # type: ignore[no-untyped-def]
    pixels, channels, experts = p.shape
    odds, moved = np.zeros((channels, experts)), np.full((channels, experts), 1e-9)
    gradient, w, out = np.zeros((channels, experts)), np.zeros(experts), np.empty((pixels, channels))
    for i in range(pixels):
        for c in range(channels):
            total, whole = 0.0, 0.0
            for k in range(experts):
                w[k] = np.exp(odds[c, k])
                total += w[k]
            for k in range(experts):
                w[k] /= total
                whole += w[k] * p[i, c, k]
            out[i, c] = -np.log2(whole)
            for k in range(experts):
                gradient[c, k] += w[k] * (p[i, c, k] / whole - 1.0)
        if (i + 1) % width == 0:
            moved += gradient * gradient
            odds += rate * gradient / np.sqrt(moved)
            gradient[:] = 0.0
    return out


def corrected(coded: Coded, picture: Picture) -> Bits:
    """Every mixture moved and stretched: by ψ·f standard deviations, and e^(θ·g) times as wide.

    f: normalised errors at the neighbours W, N, NW and NE and of the channels coded before, and 1; g: what their
    absolute values are above the mean, and 1. ψ and θ belong to a channel and move after every row, by Newton's
    method with a diagonal matrix that forgets.

    Returns:
        bits (pixels, channels).
    """
    height, width, channels = picture.shape
    logits, means, log_scales = np.split(coded.parameters.astype(np.float64), 3, axis=-1)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    means = picture.inputs.prediction[..., None] + 16.0 * means
    scales = np.exp(np.clip(log_scales, -3.0, 5.5))
    mean = (weights * means).sum(axis=-1)
    spread = np.sqrt((weights * (np.pi**2 / 3 * scales**2 + (means - mean[..., None]) ** 2)).sum(axis=-1))
    values = picture.inputs.values.astype(np.float64)
    error = np.clip((values - mean) / spread, -4.0, 4.0)
    f = _beside(error.reshape(height, width, channels), error)
    g = np.abs(f) - 0.75
    f[..., -1], g[..., -1] = 1.0, 1.0
    found = _corrected(values, weights, means, scales, mean, spread, f, g, width, FLOOR, _FORGET, _STRENGTH)
    return np.asarray(found)


def _beside(planes: Bits, error: Bits) -> Bits:
    """(pixels, channels, neighbours + channels before + 1), 0 where there is none."""
    height, width, channels = planes.shape
    padded = np.pad(planes, ((1, 0), (1, 1), (0, 0)))
    near = [padded[1 + y : 1 + y + height, 1 + x : 1 + x + width].reshape(-1, channels) for y, x in _NEIGHBOURS]
    before = [error[:, j : j + 1] * (np.arange(channels) > j) for j in range(channels - 1)]
    return np.stack([*near, *before, np.zeros_like(error)], axis=-1)


@kernel
def _corrected(x, weights, means, scales, mean, spread, f, g, width, floor, forget, strength):  # type: ignore[no-untyped-def]
    pixels, channels, mix = weights.shape
    size = f.shape[2]
    psi, theta = np.zeros((channels, size)), np.zeros((channels, size))
    for_psi, for_theta = np.zeros((channels, size)), np.zeros((channels, size))
    of_f, of_g = np.full((channels, size), 1e3), np.full((channels, size), 1e3)
    out = np.empty((pixels, channels))
    for i in range(pixels):
        for c in range(channels):
            shift, stretch = 0.0, 0.0
            for j in range(size):
                shift += psi[c, j] * f[i, c, j]
                stretch += theta[c, j] * g[i, c, j]
            inverse = np.exp(-stretch)
            m, s = mean[i, c], spread[i, c]
            low = (x[i, c] - 0.5 - m - shift * s) * inverse
            high = (x[i, c] + 0.5 - m - shift * s) * inverse
            whole, slope_low, slope_high = floor, 0.0, 0.0
            for k in range(mix):
                below = 1.0 / (1.0 + np.exp(-(low + m - means[i, c, k]) / scales[i, c, k]))
                above = 1.0 / (1.0 + np.exp((high + m - means[i, c, k]) / scales[i, c, k]))
                below, above = below * (x[i, c] > 0.0), above * (x[i, c] < 255.0)
                whole += weights[i, c, k] * max(1.0 - below - above, 0.0)
                slope_low += weights[i, c, k] * below * (1.0 - below) / scales[i, c, k]
                slope_high += weights[i, c, k] * above * (1.0 - above) / scales[i, c, k]
            out[i, c] = -np.log2(whole / (1.0 + 256.0 * floor))
            by_shift = (slope_low - slope_high) * inverse * s / whole
            by_stretch = (slope_low * low - slope_high * high) / whole
            for j in range(size):
                for_psi[c, j] += by_shift * f[i, c, j]
                for_theta[c, j] += by_stretch * g[i, c, j]
                of_f[c, j] += f[i, c, j] ** 2
                of_g[c, j] += g[i, c, j] ** 2
        if (i + 1) % width == 0:
            psi += strength * for_psi / of_f
            theta += strength * for_theta / of_g
            of_f, of_g = forget * of_f, forget * of_g
            for_psi[:], for_theta[:] = 0.0, 0.0
    return out
