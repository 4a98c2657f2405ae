"""The time to spend on fewer bytes: K, after how many rows a pixel network learns, and how many networks do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from vaezip.errors import VaezipError
from vaezip.vz.limits import MAX_STEPS

MAX_ROWS = 32
MAX_THIN = 255
MAX_TURNS = 8
MAX_WHOLE = 3
MAX_NETWORKS = 2

FEW_PIXELS = 1 << 14
"""The pixels of a block up to which all lesser efforts are tried, too, which takes no time to speak of."""


@dataclass(frozen=True)
class Effort:
    """An effort: gradient steps, taken by encoder and decoder alike, and what the encoder tries.

    Attributes:
        steps: K: steps on each posterior; a pixel network learns where there are any.
        rows: height of a row group; 0 leaves the pixel network and its mixtures as they are, and K to the posteriors.
        thin: learn from one pixel in so many only.
        networks: how many learn side by side from a picture of its own.
        turns: in how many orientations the encoder tries a part of what a pixel network will learn from; without
            learning, where there are few.
        whole: in how many of these, the best, it then tries all; of 1, the part has told.
    """

    steps: int = 0
    rows: int = 2
    thin: int = 1
    networks: int = 1
    turns: int = 2
    whole: int = 1

    def numbers_of_steps(self, shape: tuple[int, ...], few: int = FEW_PIXELS) -> list[int]:
        """Return how many steps to try for a block of pictures: of few pixels, each number on the ladder up to K.

        Args:
            shape: (pictures, height, width, channels).
            few: so many pixels are few.
        """
        if is_large(shape, few):
            return [self.steps]
        return [steps for steps in LADDER if steps <= self.steps]

    def included(self, shape: tuple[int, ...]) -> list[Effort]:
        """Return the efforts to try for a block of pictures: of few pixels, all that are no greater than this one, so
        that a greater effort is never larger; of many, beside two networks one, which is best now and then.

        Args:
            shape: (pictures, height, width, channels).
        """
        known = scale()
        if self not in known:
            return [self]
        if is_large(shape):
            return [of_steps(1), self] if self.networks > 1 else [self]
        # beyond the second step a pixel network takes no more: what differs then is what the encoder tries
        lesser = {replace(effort, steps=min(effort.steps, MAX_NETWORKS)): None for effort in known[: known.index(self)]}
        return [*lesser, self]

    def __post_init__(self) -> None:
        for what, value, least, most in (
            ("number of steps", self.steps, 0, MAX_STEPS),
            ("height of a row group", self.rows, 0, MAX_ROWS),
            ("thinning", self.thin, 1, MAX_THIN),
            ("number of networks", self.networks, 1, MAX_NETWORKS),
            ("number of orientations", self.turns, 1, MAX_TURNS),
            ("number of orientations that all is tried in", self.whole, 1, MAX_WHOLE),
        ):
            if not least <= value <= most:
                raise VaezipError(f"the {what} must lie between {least} and {most}")


NONE = Effort()

LADDER = (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, MAX_STEPS)
"""Numbers of steps that are tried where there are few pixels; the lesser ones of a greater K are the same."""


def is_large(shape: tuple[int, ...], few: int = FEW_PIXELS) -> bool:
    """Tell whether a block of pictures (pictures, height, width, channels) has more than few pixels."""
    return shape[0] * shape[1] * shape[2] > few


def of_steps(steps: int) -> Effort:
    """Return the effort of a number of steps, K, without a preset.

    Several passes over a row group learn less than one (``experiments/learning/passes.py``). In their place the second
    step buys a second network and the orientation that is best for a part of the picture; the fourth and the sixth, the
    best of two and of three for all of it.

    >>> of_steps(4)
    Effort(steps=4, rows=2, thin=1, networks=2, turns=8, whole=2)
    """
    if steps < 2:
        return Effort(steps)
    return Effort(steps, networks=MAX_NETWORKS, turns=MAX_TURNS, whole=min(steps // 2, MAX_WHOLE))


PRESETS = {
    1: Effort(rows=0),
    2: NONE,
    3: Effort(1, 16, 8),
    4: Effort(1, 16, 3),
    5: Effort(1, 8, 2),
    6: Effort(1, 2),
    7: of_steps(2),
    8: of_steps(4),
    9: of_steps(8),
}
"""``-1`` … ``-9`` of the command line; ``benchmarks/learning`` measures what each gains and costs.

They are in the order of :func:`scale`: ``of_steps(1)`` is one of them, and all behind it are of :func:`of_steps`.
Lower row groups learn sooner, but a wave has no more pixels than its row group has rows, and few pixels take as long
as many: so where little is learned, higher ones and less thinning make as few bytes in less time
(``experiments/learning/rows.py``).
"""


@lru_cache
def scale() -> list[Effort]:
    """Return all efforts of presets and numbers of steps, the least first."""
    by_steps = [of_steps(steps) for steps in range(MAX_STEPS + 1)]
    presets = list(PRESETS.values())
    learning = presets.index(of_steps(1))
    return [*presets[: learning + 1], *by_steps[2:]]


DEFAULT_PRESET = 4

DEFAULT = PRESETS[DEFAULT_PRESET]


def chosen_effort(steps: int | None, preset: int) -> Effort:
    """Return the effort of K where there is a K, else of the preset.

    Raises:
        VaezipError: out of range.
    """
    if preset not in PRESETS:
        raise VaezipError(f"the preset must lie between {min(PRESETS)} and {max(PRESETS)}")
    return PRESETS[preset] if steps is None else of_steps(steps)
