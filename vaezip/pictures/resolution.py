"""Turn the resolutions of picture files into the box of a picture, which counts pixels by the metre or by no unit."""

from __future__ import annotations

import struct
from fractions import Fraction
from math import lcm

UNKNOWN, METRE = 0, 1


def per_metre(across: Fraction, down: Fraction) -> bytes | None:
    """Return the box of a resolution by the metre, rounded; None where the box has no room for it."""
    return _box(round(across), round(down), METRE)


def by_no_unit(across: Fraction, down: Fraction) -> bytes | None:
    """Return the box of a resolution without a unit, which means the shape of a pixel.

    Fractions become whole numbers of the same ratio.
    """
    whole = lcm(across.denominator, down.denominator)
    return _box(int(across * whole), int(down * whole), UNKNOWN)


def _box(across: int, down: int, unit: int) -> bytes | None:
    fits = 0 < across < 1 << 32 and 0 < down < 1 << 32
    return struct.pack(">IIB", across, down, unit) if fits else None
