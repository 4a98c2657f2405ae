"""Turn the three tags of a TIFF that tell a resolution into the box of a picture, and back without rounding."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import NamedTuple

from vaezip.pictures.picture import Picture
from vaezip.pictures.resolution import METRE, by_no_unit, per_metre
from vaezip.pictures.tiff_tags import RATIONAL, SHORT, Directory, Tag, TiffFile, open_tiff

X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = RESOLUTION_TAGS = (0x011A, 0x011B, 0x0128)
_NONE, _INCH, _CENTIMETRE = 1, 2, 3
_PER_METRE = {_INCH: Fraction(10000, 254), _CENTIMETRE: Fraction(100)}


class TiffResolution(NamedTuple):
    """Hold what the tags tell: pixels across and down by a unit, which is 1 (none), 2 (inch) or 3 (centimetre)."""

    across: Fraction
    down: Fraction
    unit: int

    def box(self) -> bytes | None:
        """Return the box of this resolution, rounded; None where the box has no room for it."""
        by = _PER_METRE.get(self.unit)
        return per_metre(self.across * by, self.down * by) if by else by_no_unit(self.across, self.down)

    def tags(self, order: str) -> list[Tag]:
        """Return the three tags, in an order of bytes."""
        values = [struct.pack(order + "II", value.numerator, value.denominator) for value in self[:2]]
        across, down = (Tag(number, RATIONAL, 1, value) for number, value in zip(RESOLUTION_TAGS, values, strict=False))
        return [across, down, Tag(RESOLUTION_UNIT, SHORT, 1, struct.pack(order + "H", self.unit))]

    @property
    def is_exact_in_box(self) -> bool:
        """Tell whether :func:`of_box` gives it back with the same value."""
        by = _PER_METRE.get(self.unit, Fraction(1))
        return (self.across * by).denominator == (self.down * by).denominator == 1


def resolution_tags(tiff: TiffFile, first: Directory) -> TiffResolution | None:
    """Return the resolution that the tags of a directory tell; a unit that is not told is the inch."""
    across, down, unit = (first.tags.get(number) for number in RESOLUTION_TAGS)
    x, y = (tag.fraction(tiff.order) if tag else None for tag in (across, down))
    by = unit.integer(tiff.order) if unit else _INCH
    known = x and y and x > 0 and y > 0 and by in (_NONE, _INCH, _CENTIMETRE)
    return TiffResolution(x, y, by) if x and y and by and known else None


def exif_resolution(exif: bytes) -> TiffResolution | None:
    """Return the resolution that EXIF data tell."""
    tiff = open_tiff(exif)
    first = tiff.directory(tiff.first) if tiff else None
    return resolution_tags(tiff, first) if tiff and first else None


def written_resolution(picture: Picture) -> TiffResolution | None:
    """Return the resolution that a TIFF of a picture gets: the unrounded one of its EXIF data where its box agrees."""
    exact, box = exif_resolution(picture.box("exif") or b""), picture.box("resolution")
    if box is None or (exact is not None and exact.box() == box):
        return exact
    across, down, unit = struct.unpack(">IIB", box)
    if not across or not down:
        return None
    if unit == METRE:
        return TiffResolution(Fraction(across, 100), Fraction(down, 100), _CENTIMETRE)
    return TiffResolution(Fraction(across), Fraction(down), _NONE)
