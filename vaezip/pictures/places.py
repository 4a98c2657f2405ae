"""Where samples stand in a file that holds them plainly."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vaezip.pictures.exact_kinds import GREY, PALETTE, Kind
from vaezip.pictures.shell import BITS


class Place(NamedTuple):
    """Say how the samples of a picture stand in a file.

    Attributes:
        kind: what they are.
        width, height: of the picture.
        type, planar: as in :class:`vaezip.pictures.shell.Shell`.
        shifts: what may be added to them, the best first.
        palette: the colours of indices.
    """

    kind: Kind
    width: int
    height: int
    type: str
    planar: bool = False
    shifts: tuple[int, ...] = (0,)
    palette: bytes = b""

    @property
    def size(self) -> int:
        """Count the bytes."""
        samples = self.width * self.height * (1 if self.kind.colour in (GREY, PALETTE) else 3)
        return -(-samples // 8) if self.type == BITS else samples * np.dtype(self.type).itemsize


class Contents(NamedTuple):
    """Say what a file holds.

    Attributes:
        places: of its pictures, in their order.
        lay_out: returns the file, with samples that stand plainly, and where those of each picture begin.
        remarks: what cannot be kept, by name.
        needs: the libraries that decode the samples.
        remedy: the key of the remedy where one of them is not there.
    """

    places: list[Place]
    lay_out: Callable[[], tuple[bytes, list[int]]]
    remarks: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    remedy: str = "formats"
