"""Choose among the forms that a block may take, and among the models that may code it."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping

import numpy as np
from numpy.typing import NDArray

from vaezip.codec.blocks import Samples
from vaezip.exact.backend import backend
from vaezip.exact.elementwise import log
from vaezip.vz.records import Block, has_model

AUTO = "auto"

ALPHA_MODEL = "photo-gray"
"""Tried for the alpha of pictures whose colours a model codes."""

PLANES_MODEL = "photo-planes"
"""Tried on the planes that colours were before, and on nothing else."""

_TRIAL_PICTURES = 32
_TRIAL_PIXELS, _TRIAL_SIDE = 1 << 17, 64

LEAST_DRAWN, MOST_DRAWN = 1 << 12, 20
"""Of so many pixels or more no model is tried where a coder without one makes one bit of more than so many."""

_OF_DIFFERENCES, _OF_FEW_COLOURS, _FEW_COLOURS = 0.42, 0.5, 200
"""Nor where it takes less than so much of what differences to neighbours take, and, in so few colours, less than so
much: of 94 pictures of all kinds the models then took more, by a quarter at least."""

_NEIGHBOURS = ((2, -1), (2, 0), (2, 1), (1, -2), (1, -1), (1, 0), (1, 1), (1, 2), (0, -2), (0, -1))
"""How many rows above a pixel of black and white, and how many columns to its right, the pixels stand that tell most of
it."""

_OF_NOISE = 0.8
"""Where differences take more than so much of a byte, models may take more than the coder of drawn pictures, which else
does not code what repeats nothing: of photographs they take half a byte."""

_NATS_OF_A_BYTE = 5.545177444479562

_STRIP, _STRIP_PIXELS, _OF_PIXELS = 8, 1 << 14, 64
"""Rows of a strip, and how many pixels all strips have: so many, or one of so many."""


def _length(block: Block) -> int:
    return len(block.payload)


def shortest(forms: list[Block], embedded: Container[bytes]) -> Block:
    """The shortest form of a block that needs no model but those embedded; if there is but one form, that."""
    return min((f for f in forms if len(forms) == 1 or not has_model(f.model) or f.model in embedded), key=_length)


def worth_embedding(blocks: list[list[Block]], sizes: Mapping[bytes, int]) -> set[bytes]:
    """The models that make a file of such blocks short, with the models in it.

    As long as the file gets shorter, it gives up that model without which it gets shortest.

    Args:
        blocks: of each, its forms, one of them without a model.
        sizes: of the models, in bytes, by fingerprint.
    """

    def length(models: set[bytes]) -> int:
        return sum(sizes[model] for model in models) + sum(_length(shortest(forms, models)) for forms in blocks)

    models = set(sizes)
    while models:
        fewer = min((models - {model} for model in sorted(models)), key=length)
        if length(fewer) > length(models):
            break
        models = fewer
    return models


def trial_part(samples: Samples) -> Samples:
    """The first of many pictures; of a large one nine patches, spread over it, from even rows and columns on."""
    n, height, width, _ = samples.shape
    if n > 1 or height * width <= _TRIAL_PIXELS:
        return samples[:_TRIAL_PICTURES]
    side = min(_TRIAL_SIDE, height, width)
    tops, lefts = (np.linspace(0, extent - side, 3).astype(int) & ~1 for extent in (height, width))
    return np.stack([samples[0, y : y + side, x : x + side] for y in tops for x in lefts])


def trial_rows(samples: Samples) -> Samples:
    """The first of many pictures; of a large one some strips of rows, from the first ones to the last."""
    n, height, width, _ = samples.shape
    if n > 1:
        return samples[: max(1, _TRIAL_PIXELS // (height * width))]
    count = max(2, max(_STRIP_PIXELS, height * width // _OF_PIXELS) // (_STRIP * width))
    if 2 * count * _STRIP > height:
        return samples
    return np.stack([samples[0, top : top + _STRIP] for top in np.linspace(0, height - _STRIP, count).astype(int)])


def is_drawn(samples: Samples, length: int) -> bool:
    """Tell whether a coder without a model takes so few bytes for samples of 8 bits that no model takes less."""
    differences = _bytes_of_differences(samples)
    if length < _OF_DIFFERENCES * differences:
        return True
    is_coloured = samples.shape[3] > 2  # _FEW_COLOURS greys are not few
    return is_coloured and length < _OF_FEW_COLOURS * differences and _colours(samples) <= _FEW_COLOURS


def is_noise(samples: Samples) -> bool:
    """Tell whether differences of samples of 8 bits take nearly as much as these."""
    return _bytes_of_differences(samples) > _OF_NOISE * samples.size


def _colours(samples: Samples) -> int:
    """Count the different pixels."""
    return len(np.unique(np.ascontiguousarray(samples).view(f"V{samples.shape[3]}")))


def _bytes_of_differences(samples: Samples) -> float:
    """Return what the frequencies of differences to the median edge detector make, channel by channel; red and blue are
    less green. All is exact, so that the choice is the same on every machine."""
    nats: list[np.float64] = []
    for channel in range(samples.shape[3]):
        values = samples[..., channel].astype(np.int16)
        if samples.shape[3] > 2 and channel in (0, 2):
            values -= samples[..., 1]
        west, north, corner = values[:, 1:, :-1], values[:, :-1, 1:], values[:, :-1, :-1]
        low, high = np.minimum(west, north), np.maximum(west, north)
        differences = values[:, 1:, 1:] - np.maximum(low, np.minimum(high, west + north - corner))
        nats.extend(_nats(np.bincount((differences & 1023).ravel())))
    return math.fsum(nats) / _NATS_OF_A_BYTE


def bytes_of_neighbours(samples: Samples) -> float:
    """Return what the frequencies of black and white pixels after ten neighbours make, where equal pictures count once:
    within some percent of what the coder of drawn pictures takes for many. Exact, likewise."""
    samples = samples[list({picture.tobytes(): i for i, picture in enumerate(samples)}.values())]
    height, width = samples.shape[1:3]
    padded = np.pad(samples[..., 0], ((0, 0), (2, 0), (2, 2)))
    patterns = samples[..., 0].astype(np.uint16)
    for up, right in _NEIGHBOURS:
        patterns <<= 1
        patterns |= padded[:, 2 - up : 2 - up + height, 2 + right : 2 + right + width]
    counts = np.bincount(patterns.ravel(), minlength=2 << len(_NEIGHBOURS)).reshape(2, -1)
    return math.fsum([*_nats(counts.ravel()), *-_nats(counts.sum(axis=0))]) / _NATS_OF_A_BYTE


def _nats(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what each of some values takes that occur so often, by their frequencies."""
    some = counts[counts > 0].astype(np.float64)
    return -some * log(backend(), some / counts.sum())
