"""Drawing pictures from a model: z ~ p(z), then x ~ p(x|z).

Popping symbols off a stack of random bits draws them from the distribution that they are popped
under, so the coder itself is the sampler, and as exact: a seed gives the same pictures everywhere.
"""

from __future__ import annotations

import numpy as np

from vaezip.entropy import distributions as d
from vaezip.entropy.stack import Stack
from vaezip.models.pixel import bitsback as pixel_bitsback
from vaezip.models.pixel.model import AnyModel, PixelModel
from vaezip.models.tile.model import Pixels
from vaezip.pictures.picture import Picture

_MODES = {(1, 2): "1", (1, 256): "L", (3, 256): "RGB"}
"""Of channels and levels."""


def sample(model: AnyModel, count: int, seed: int) -> list[Picture]:
    """Pictures of the model's tile size.

    Args:
        model: what to draw from.
        count: how many.
        seed: not negative. Picture i depends on the seed and i alone, not on ``count``.
    """
    return [_draw(model, seed, index) for index in range(count)]


def _draw(model: AnyModel, seed: int, index: int) -> Picture:
    a = model.architecture
    stack = _random_stack(_most_bits(model), seed, index)
    return Picture(_MODES[a.channels, a.levels], np.ascontiguousarray(_pop(model, stack)))


def _pop(model: AnyModel, stack: Stack) -> Pixels:
    """One tile's pixels, (height, width, channels)."""
    a = model.architecture
    if isinstance(model, PixelModel):
        return pixel_bitsback.draw(model, stack, (1, *a.tile, a.channels))[0]
    bins = d.StandardNormal(np.zeros(a.latents, np.int64)).pop(stack)
    mask = np.ones((1, *a.tile), np.bool_)
    values = model.coder(bins.reshape(1, a.latents), mask).pop(stack)
    return values.astype(np.uint8).reshape(*a.tile, a.channels)


def _random_stack(bits: int, seed: int, index: int) -> Stack:
    """A stack that holds at least so many random bits."""
    # Raw output of a bit generator is the part of NumPy's random numbers that never changes.
    raw = np.random.PCG64(np.random.SeedSequence([seed, index])).random_raw(bits // 64 + 2)
    words = raw.astype("<u8").view("<u4").astype(np.uint32)
    stack = Stack(int(words[0]))
    stack.words = words[1:]
    stack.size = stack.words.size
    return stack


def _most_bits(model: AnyModel) -> int:
    """What a picture can take off the stack at most: the whole precision for every symbol."""
    a = model.architecture
    return a.latents * d.GAUSSIAN_PRECISION + a.dims * max(d.BERNOULLI_PRECISION, d.LOGISTIC_PRECISION)
