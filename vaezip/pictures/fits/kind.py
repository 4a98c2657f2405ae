"""Find the pictures of a FITS file, each a plane of an image, and tell what their samples are.

Samples are kept as they are stored: BSCALE is not applied, and BZERO only where it makes them unsigned integers.
"""

from __future__ import annotations

import math

from vaezip.errors import ImageError
from vaezip.pictures.exact_kinds import GREY, Kind, unsupported
from vaezip.pictures.fits.header import Unit, units
from vaezip.pictures.places import Contents, Place

_TYPES = {8: "|u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_MOST_PLANES = 1 << 16


def look_at_fits(data: bytes) -> Contents:
    """Tell what a FITS file holds, by its headers."""
    places: list[Place] = []
    starts: list[int] = []
    for unit in units(data):
        if unit.cards.get("ZIMAGE") == "T":
            raise unsupported("tile-compressed FITS", "plain FITS (by funpack)")
        if not _is_image(unit):
            continue
        width, height, *others = unit.axes
        planes = math.prod(others)
        if len(places) + planes > _MOST_PLANES:
            raise ImageError(f"holds more than {_MOST_PLANES:,} pictures; save them singly")
        place = _place(unit, width, height)
        places += [place] * planes
        starts += [unit.start + i * place.size for i in range(planes)]
    return Contents(places, lambda: (data, starts))


def _is_image(unit: Unit) -> bool:
    """Tell whether the data of a unit are planes of samples, and no table, spectrum or random groups."""
    kind = unit.cards.get("XTENSION", "IMAGE")
    plain = unit.integer("PCOUNT", 0) == 0 and unit.integer("GCOUNT", 1) == 1
    return kind == "IMAGE" and plain and len(unit.axes) >= 2 and min(unit.axes) > 0


def _place(unit: Unit, width: int, height: int) -> Place:
    bitpix = unit.integer("BITPIX", 0)
    bits, zero = abs(bitpix), unit.number("BZERO", 0)
    is_plain = bitpix > 0 and zero.is_integer() and unit.number("BSCALE", 1) == 1
    offset = int(zero) if is_plain else 0
    is_unsigned = bitpix == 8 or (bitpix > 0 and offset == 1 << bits - 1)
    sample = "floating-point" if bitpix < 0 else "unsigned" if is_unsigned else "signed"
    shifts = (offset, 0, 1 << 15) if bits == 16 else (offset, 0)
    return Place(Kind("FITS", GREY, bits, sample), width, height, _TYPES[bitpix], shifts=shifts)
