"""How much time to spend on fewer bytes: K, and after how many rows a pixel network learns."""

from __future__ import annotations

from dataclasses import dataclass

from vaezip.container import MAX_STEPS
from vaezip.errors import VaezipError

MAX_ROWS = 32
MAX_THIN = 255
MAX_TURNS = 8


@dataclass(frozen=True)
class Effort:
    """Gradient steps, taken by encoder and decoder alike, and what the encoder tries.

    Attributes:
        steps: K. With a pixel network, how often it learns from each band; else steps on each posterior.
        rows: height of a band; 0 leaves the pixel network and its mixtures as they are, and K to the posteriors.
        thin: learn from one pixel in so many only.
        passes: how often a pixel network learns from each band, where that is not K.
        turns: in how many orientations the encoder tries what a pixel network will learn from.
        whole: try all of it, not a part.
    """

    steps: int = 0
    rows: int = 2
    thin: int = 1
    passes: int | None = None
    turns: int = 2
    whole: bool = False

    def __post_init__(self) -> None:
        for what, value, least, most in (
            ("number of steps", self.steps, 0, MAX_STEPS),
            ("rows of a band", self.rows, 0, MAX_ROWS),
            ("thinning", self.thin, 1, MAX_THIN),
            ("number of passes", self.learning, 0, self.steps),
            ("number of orientations", self.turns, 1, MAX_TURNS),
        ):
            if not least <= value <= most:
                raise VaezipError(f"the {what} must lie between {least} and {most}")

    @property
    def learning(self) -> int:
        """How often a pixel network learns from each band."""
        return self.steps if self.passes is None else self.passes


NONE = Effort()


def of_steps(steps: int) -> Effort:
    """What ``--steps`` asks for.

    At the codec's rates several passes over a band learn less than one (``benchmarks/learning/passes.py``). Up to three
    are taken all the same, as in the golden files; from four on, steps buy orientations of a picture instead.

    >>> of_steps(4)
    Effort(steps=4, rows=2, thin=1, passes=1, turns=4, whole=True)
    """
    if steps < 4:
        return Effort(steps)
    return Effort(steps, passes=1, turns=min(steps, MAX_TURNS), whole=True)


PRESETS = {
    1: Effort(rows=0),
    2: NONE,
    3: Effort(1, 4, 8, turns=1),
    4: Effort(1, 4, 4, turns=1),
    5: Effort(1, 4, 2),
    6: Effort(1, 2),
    7: Effort(2, 2, passes=1, whole=True),
    8: of_steps(4),
    9: of_steps(8),
}
"""``-1`` … ``-9`` of the command line; ``benchmarks/learning`` measures what each gains and costs."""

DEFAULT_PRESET = 4

DEFAULT = PRESETS[DEFAULT_PRESET]


def chosen_effort(steps: int | None, preset: int) -> Effort:
    """K where it is given, else the preset.

    Raises:
        VaezipError: out of range.
    """
    if preset not in PRESETS:
        raise VaezipError(f"the preset must lie between {min(PRESETS)} and {max(PRESETS)}")
    return PRESETS[preset] if steps is None else of_steps(steps)
