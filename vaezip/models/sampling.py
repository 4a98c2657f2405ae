"""Drawing pictures from a model: z ~ p(z), then x ~ p(x|z).

Popping symbols off a stack of random bits draws them from the distribution that they are popped
under, so the coder itself is the sampler, and as exact: a seed gives the same pictures everywhere.
"""

from __future__ import annotations

import numpy as np

from vaezip.entropy.stack import Stack
from vaezip.models.base import Model
from vaezip.models.kinds import planes_of
from vaezip.pictures.picture import Picture


def sample(model: Model, count: int, seed: int) -> list[Picture]:
    """Pictures of the model's tile size.

    Args:
        model: what to draw from.
        count: how many.
        seed: not negative. Picture i depends on the seed and i alone, not on ``count``.
    """
    return [_draw(model, seed, index) for index in range(count)]


def _draw(model: Model, seed: int, index: int) -> Picture:
    stack = _random_stack(model.draw_bits, seed, index)
    return Picture(planes_of(model.architecture).mode, np.ascontiguousarray(model.draw(stack)[0]))


def _random_stack(bits: int, seed: int, index: int) -> Stack:
    """A stack that holds at least so many random bits."""
    # Raw output of a bit generator is the part of NumPy's random numbers that never changes.
    raw = np.random.PCG64(np.random.SeedSequence([seed, index])).random_raw(bits // 64 + 2)
    return Stack.from_words(raw.astype("<u8").view("<u4").astype(np.uint32))
