"""Bound what it takes to decode a block, from its first bytes and the sizes of its model, before it begins.

``docs/format/limits.md``, section 11.5, has the formulas, so that another reader computes the same. The encoder asks
the same functions, and writes no block that a reader refuses by default.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from vaezip.errors import ImageError

MAX_WORK = 1 << 23
"""The most operations for each pixel of a block."""

MAX_MEMORY = 1 << 32
"""The most bytes for the blocks that are decoded at once, and for the samples of a picture."""

PROGRAM = 1 << 28
"""The bytes that the interpreter, libraries, kernels and models of a process take, beside pictures and blocks."""

_ALLOWED = 8
"""Pixels that a block is allowed beside its own, for what it costs to begin."""

BYTES_AT_ONCE = 1 << 26
"""Of tiles that networks see at once there are no more than fit in so many bytes, if there is more than one."""

_MOST_AT_ONCE = 512


class Cost(NamedTuple):
    """An upper bound of what a block takes: the bytes that it needs at once, and operations."""

    memory: int
    work: int

    def beside(self, other: Cost) -> Cost:
        """Add what is decoded beside this."""
        return Cost(self.memory + other.memory, self.work + other.work)


@dataclass(frozen=True)
class Budget:
    """The budget of a reader.

    Attributes:
        memory: bytes for the blocks that are decoded at once, and for the samples of a picture.
        work: operations for each pixel of a block.
        beside: bytes that are taken beside, which messages count, too.
    """

    memory: int = MAX_MEMORY
    work: int = MAX_WORK
    beside: int = 0

    def within(self, process: int | None, *, held: int = 0) -> Budget:
        """Return what is left to blocks in a process that may take so many bytes, of which pictures hold some; None for
        as many as it takes."""
        if process is None:
            return self
        beside = PROGRAM + held
        return replace(self, memory=process - beside, beside=beside)

    def allows(self, cost: Cost, pixels: int) -> bool:
        """Tell whether a block of so many pixels may cost that."""
        return cost.memory <= self.memory and cost.work <= self.work * (pixels + _ALLOWED)

    def check(self, cost: Cost, pixels: int) -> None:
        """Refuse a block that costs more.

        Raises:
            ImageError: it does.
        """
        self.check_memory(cost.memory)
        if not self.allows(cost, pixels):
            each = -(-cost.work // (pixels + _ALLOWED))
            raise ImageError(f"it takes {each:,} operations a pixel, more than the limit of {self.work:,}", "more-work")

    def check_memory(self, memory: int) -> None:
        """Refuse what takes more bytes.

        Raises:
            ImageError: it does.
        """
        if memory > self.memory:
            takes, limit = -(-(memory + self.beside) >> 20), (self.memory + self.beside) >> 20
            reason = f"it takes {takes:,} MiB of memory, more than the limit of {limit:,}"
            raise ImageError(reason, "more-memory")


DEFAULT = Budget()

UNLIMITED = Budget(1 << 62, 1 << 62)


def at_once(each: int) -> int:
    """Return how many tiles, of so many bytes each, networks see at once."""
    return max(1, min(_MOST_AT_ONCE, BYTES_AT_ONCE // max(1, each)))


def affordable(steps: int, shape: tuple[int, ...], cost: Callable[[int], Cost]) -> int:
    """Return the most steps, no more than ``steps``, by which a block costs no more than a reader spends by default.

    Args:
        steps: those asked for.
        shape: of the block, (pictures, height, width, channels).
        cost: of the block by a number of steps, which grows with it.
    """
    pixels = shape[0] * shape[1] * shape[2]
    return next((k for k in range(steps, 0, -1) if DEFAULT.allows(cost(k), pixels)), 0)
