"""Say how the pixel network adapts to the pictures that it codes; the settings are part of a file."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from vaezip.models.pixel.constants import BATCH_UNIT, RATE_UNIT, TILE
from vaezip.models.pixel.orientation import COUNT

SETTINGS = 9
"""Bytes of an :class:`Adaptation` with passes."""

_FIXED = 64
"""This plus the orientation is the byte of an :class:`Adaptation` without passes."""


@dataclass(frozen=True)
class Adaptation:
    """The settings by which the pixel network adapts; part of a file.

    Attributes:
        passes: how often the network goes through a row group once that is coded; 0 leaves it as it is.
        row_group: rows of a strip, 1 … 32, after which the network learns.
        stride: each pass sees one pixel in so many; the next row group begins with the next of them.
        batch: about how many pixels a step of Adam sees, in units of 16. They lie evenly over the row group. Many
            small steps learn more than few large ones of the same cost.
        rate: the first step of a weight relative to its layer, in 1/16384.
        final_rate: the last step relative to the first, in 1/256; steps shrink linearly over the row groups.
        average_decay: what the average of the weights keeps of itself at each step, in 1/256.
        orientation: how the pictures lie while they are coded: see :mod:`vaezip.models.pixel.orientation`.
        second_rate: the rate of a second network beside the first; 0: there is none.
    """

    passes: int
    row_group: int = 2
    stride: int = 1
    batch: int = 8
    rate: int = 40
    final_rate: int = 51
    average_decay: int = 230
    orientation: int = 0
    second_rate: int = 0

    def __post_init__(self) -> None:
        good = 1 <= self.row_group <= TILE and self.batch >= 1 and self.stride >= 1
        if not (good and self.orientation < COUNT):
            raise ValueError("a row group has 1 to 32 rows, a step some pixels, and a picture eight orientations")
        if self.passes > self.batch * self.stride:  # a file could else ask for days
            raise ValueError("there are at most as many steps of Adam as there are sixteens of pixels")

    def to_bytes(self) -> bytes:
        """Write a byte for each setting, the row group first; without passes one byte, for the orientation alone."""
        if not self.passes:
            return bytes([_FIXED + self.orientation])
        passes, row_group, *others = astuple(self)
        return bytes([row_group, passes, *others])

    @staticmethod
    def from_bytes(data: bytes) -> tuple[Adaptation, int]:
        """Read what :meth:`to_bytes` wrote at the beginning of ``data``; return it and the number of its bytes.

        Raises:
            ValueError: the data does not begin with settings.
        """
        if data[:1] >= bytes([_FIXED]):
            return Adaptation(0, TILE, orientation=data[0] - _FIXED), 1
        if len(data) < SETTINGS or not data[1]:
            raise ValueError("there are no such settings")
        row_group, passes, *others = data[:SETTINGS]
        return Adaptation(passes, row_group, *others), SETTINGS

    @property
    def steps(self) -> int:
        """Count the gradient steps that the decoder takes on the pixels of a row group: a pass of each network."""
        return self.passes * len(self.rates)

    @property
    def rates(self) -> tuple[int, ...]:
        """The rate of each network."""
        return (self.rate, self.second_rate) if self.second_rate else (self.rate,)

    def rates_at(self, group: int, groups: int) -> list[float]:
        """Compute the relative step of each network after row group ``group`` of ``groups``."""
        fall = (1.0 - self.final_rate / 256.0) * (group / groups)
        return [rate * RATE_UNIT * (1.0 - fall) for rate in self.rates]

    def batches(self, pixels: int, group: int) -> list[slice]:
        """Choose the pixels of each step after a row group.

        >>> Adaptation(1, batch=1).batches(40, 0)
        [slice(0, None, 2), slice(1, None, 2)]
        """
        count = max(1, pixels // (BATCH_UNIT * self.batch))
        steps = -(-self.passes * count // self.stride)
        return [slice((group + i * self.stride) % count, None, count) for i in range(steps)]
