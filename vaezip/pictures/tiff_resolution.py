"""Turn the three tags of a TIFF that tell a resolution into the box of a picture, and back without rounding."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import NamedTuple

from vaezip.pictures.picture import Picture
from vaezip.pictures.resolution import METRE, by_no_unit, per_metre
from vaezip.pictures.tiff_tags import Directory, TiffFile, open_tiff

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

    @property
    def is_exact_in_box(self) -> bool:
        """Tell whether :func:`of_box` gives it back with the same value."""
        by = _PER_METRE.get(self.unit, Fraction(1))
        return (self.across * by).denominator == (self.down * by).denominator == 1


def resolution_tags(tiff: TiffFile, first: Directory) -> TiffResolution | None:
    """Return the resolution that the tags of a directory tell; a unit that is not told is the inch."""
    across, down, unit = (first.tags.get(number) for number in RESOLUTION_TAGS)
    x, y = (tag.fraction(tiff.order) if tag else None for tag in (across, down))
    units = unit.integers(tiff.order) if unit else (_INCH,)
    known = x and y and x > 0 and y > 0 and units and units[0] in (_NONE, _INCH, _CENTIMETRE)
    return TiffResolution(x, y, units[0]) if x and y and known else None


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


def with_tiff_resolution(data: bytes, resolution: TiffResolution | None) -> bytes:
    """Return a TIFF with a resolution in the place of the one that it has; its encoder would have rounded it."""
    if resolution is None:
        return data
    file = bytearray(data)
    tiff = open_tiff(file)
    first = tiff.directory(tiff.first) if tiff else None
    assert tiff is not None
    assert first is not None
    for number, value in zip((X_RESOLUTION, Y_RESOLUTION), resolution[:2], strict=True):
        _overwrite(first, number, struct.pack(tiff.order + "II", value.numerator, value.denominator))
    _overwrite(first, RESOLUTION_UNIT, struct.pack(tiff.order + "H", resolution.unit))
    return bytes(file)


def _overwrite(directory: Directory, number: int, data: bytes) -> None:
    memoryview(directory.tags[number].data)[:] = data
