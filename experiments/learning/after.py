"""What can be made of predictions once the pixel network has made them: mixing, choosing, correcting.

All of it learns row by row, as a decoder could: a row is coded, then what codes the next one moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from online import Bits
from pixelnet import FLOOR, Floats, Picture

from vaezip.exact.jit import jit
from vaezip.models.pixel import constants as codec
from vaezip.models.pixel.constants import LAG, TILE

_MIXING_RATE = 0.1
_AROUND = codec.AROUND
_CLASSES = codec.SPREADS + codec.LEVELS
_PIXEL, _VARIANCE = 2.0**-4, 2.0**3
"""What the network's inputs take a pixel value for, and a bit of variance."""


def mixed(found: Sequence[Bits], width: int) -> Bits:
    """p = Σ w_k p_k: weights of each channel as log-odds, moved after every row by AdaGrad.

    Args:
        found: what pixels cost by each of the predictions, bits (pixels, channels).
        width: pixels in a row.
    """
    return np.asarray(_mixed(np.exp2(-np.stack(found, axis=-1)), width, _MIXING_RATE))


@jit
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


@dataclass(frozen=True)
class Correction:
    """What sets mixtures right; as the codec does (:mod:`vaezip.models.pixel.calibration`), unless told.

    Attributes:
        spreads, levels: weights by class of spread, and of mean; without either there is one class.
        near: errors of its channel that f has.
        beside: f has errors of the other channels nearby.
        others: f and g have other predictions.
        move, stretch: which of the two is done.
    """

    spreads: bool = True
    levels: bool = True
    near: int = len(codec.NEAR)
    beside: bool = True
    others: bool = True
    move: bool = True
    stretch: bool = True


def side_by_side(parameters: Sequence[Floats]) -> Floats:
    """One mixture of some, that all weigh the same; (pixels, channels, 3 · logistics) each."""
    logits, means, scales = zip(*(np.split(of.astype(np.float64), 3, axis=-1) for of in parameters))
    weights = [x - np.log(np.exp(x).sum(-1, keepdims=True)) for x in logits]
    return np.concatenate([*weights, *means, *scales], axis=-1)


def corrected(parameters: Floats, picture: Picture, how: Correction = Correction(), rows: int = TILE) -> Bits:
    """Every mixture moved and stretched, in floats, in the codec's order where bands have so many rows.

    Args:
        parameters: of the mixtures, (pixels, channels, 3 · logistics).
        picture, how, rows: what they are of, and how they are set right.

    Returns:
        bits (pixels, channels).
    """
    height, width, channels = picture.shape
    x = picture.inputs
    values, predicted = x.values.astype(np.float64), x.prediction.astype(np.float64)
    regressed = x.hints.shape[1] > channels
    expected = predicted + (x.hints[:, channels:] / _PIXEL if regressed else 0.0)
    variance = x.features[:, -channels:] * _VARIANCE if regressed else np.zeros_like(values)
    row, column = np.divmod(np.arange(height * width), width)
    band, within = row // TILE * TILE + row % TILE // rows, row % TILE % rows
    wave = column + LAG * within
    order = np.lexsort((within, wave, band))
    steps = (band * (width + LAG * TILE) + wave // LAG)[order]
    kinds = np.array([how.spreads, how.levels]), np.array([how.beside, how.others, how.move, how.stretch])
    near = np.array(codec.NEAR[: how.near])
    found = (values, predicted, expected, variance, parameters.astype(np.float64))
    return np.asarray(_corrected(*found, width, order, steps, near, *kinds))


@jit
def _corrected(x, predicted, expected, variance, parameters, width, order, steps, near, kinds, parts):  # type: ignore[no-untyped-def]
    pixels, channels = x.shape
    mix, height = parameters.shape[2] // 3, x.shape[0] // width
    others = channels - 1
    f, g = np.zeros(near.shape[0] + 3 * others + 4), np.zeros(_AROUND + others + 2)
    shape_f, shape_g = (_CLASSES, channels, f.size), (_CLASSES, channels, g.size)
    psi, uphill_f, size_f = np.zeros(shape_f), np.zeros(shape_f), np.full(shape_f, codec.PRIOR)
    theta, uphill_g, size_g = np.zeros(shape_g), np.zeros(shape_g), np.full(shape_g, codec.PRIOR)
    errors, out = np.zeros((height, width, channels)), np.empty((pixels, channels))
    w, m, s, classes = np.zeros(mix), np.zeros(mix), np.zeros(mix), np.zeros(2, np.int64)
    seen = 0
    for number in range(pixels):
        i = order[number]
        row, column = i // width, i % width
        if number > 0 and steps[number] != steps[number - 1]:
            kept = max(0.5, 1.0 - codec.FADING * seen)
            psi += codec.STEP * uphill_f / size_f
            theta += codec.STEP * uphill_g / size_g
            size_f, size_g = codec.PRIOR + (size_f - codec.PRIOR) * kept, codec.PRIOR + (size_g - codec.PRIOR) * kept
            uphill_f[:], uphill_g[:] = 0.0, 0.0
            seen = 0
        seen += 1
        for c in range(channels):
            best = parameters[i, c, :mix].max()
            total = 0.0
            for k in range(mix):
                w[k] = np.exp(parameters[i, c, k] - best)
                total += w[k]
            mean, spread = 0.0, 0.0
            for k in range(mix):
                w[k] /= total
                m[k] = predicted[i, c] + 16.0 * parameters[i, c, mix + k]
                s[k] = np.exp(min(max(parameters[i, c, 2 * mix + k], -3.0), 5.5))
                mean += w[k] * m[k]
                spread += w[k] * s[k] * (np.pi / np.sqrt(3.0))
            for q in range(near.shape[0]):
                y, z = row + near[q, 0], column + near[q, 1]
                f[q] = errors[y, z, c] if y >= 0 and 0 <= z < width else 0.0
            for q in range(_AROUND):
                g[q] = (abs(f[q]) if q < near.shape[0] else 0.0) - codec.USUAL_ERROR
            at = near.shape[0]
            for q in range(2):
                y, z = row + (q == 1) * -1, column + (q == 0) * -1
                for other in range(1, channels):
                    there = y >= 0 and z >= 0 and parts[0]
                    f[at] = errors[y, z, (c + other) % channels] if there else 0.0
                    at += 1
            for b in range(others):
                f[at + b] = errors[row, column, b] if b < c else 0.0
                g[_AROUND + b] = abs(f[at + b]) - codec.USUAL_ERROR if b < c else 0.0
            at += others
            if parts[1]:
                f[at] = min(max((expected[i, c] - mean) / spread, -2.0), 2.0)
                f[at + 1] = min(max((predicted[i, c] - mean) / spread, -2.0), 2.0)
                f[at + 2] = min(max((x[i, c - 1] - predicted[i, c - 1]) / spread, -2.0), 2.0) if c > 0 else 0.0
                g[g.size - 2] = min(max(0.5 * variance[i, c] - np.log2(spread), -2.0), 2.0)
            f[f.size - 1], g[g.size - 1] = 1.0, 1.0
            classes[0] = min(max(np.floor(np.log2(spread)) + 1, 0), codec.SPREADS - 1) if kinds[0] else 0
            classes[1] = codec.SPREADS + np.int64(min(max(mean, 0.0), 255.0)) * codec.LEVELS // 256
            moved, stretched = 0.0, 0.0
            for b in range(1 + kinds[1]):
                moved += (psi[classes[b], c] * f).sum() * parts[2]
                stretched += (theta[classes[b], c] * g).sum() * parts[3]
            moved, stretched = min(max(moved, -2.0), 2.0), min(max(stretched, -1.0), 1.0)
            whole, for_mean, for_scale = FLOOR, 0.0, 0.0
            for k in range(mix):
                scale = s[k] * np.exp(stretched)
                low = (x[i, c] - 0.5 - m[k] - moved * spread) / scale
                high = low + 1.0 / scale
                below = 1.0 / (1.0 + np.exp(-low)) if x[i, c] > 0.0 else 0.0
                above = 1.0 / (1.0 + np.exp(high)) if x[i, c] < 255.0 else 0.0
                whole += w[k] * max(1.0 - below - above, 0.0)
                dl, dh = w[k] * below * (1.0 - below), w[k] * above * (1.0 - above)
                for_mean += (dl - dh) / scale
                for_scale += low * dl - high * dh
            out[i, c] = -np.log2(whole / (1.0 + 256.0 * FLOOR))
            errors[row, column, c] = min(max((x[i, c] - mean) / spread, -4.0), 4.0)
            move = min(max(spread * for_mean / whole, -codec.SLOPE_BOUND), codec.SLOPE_BOUND)
            stretch = min(max(for_scale / whole, -codec.SLOPE_BOUND), codec.SLOPE_BOUND)
            for b in range(1 + kinds[1]):
                uphill_f[classes[b], c] += move * f
                size_f[classes[b], c] += f * f
                uphill_g[classes[b], c] += stretch * g
                size_g[classes[b], c] += g * g
    return out
