"""Read files that hold their samples plainly, as DICOM and FITS do, and keep what stands around them in a shell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import ImageError, SeveralError
from vaezip.pictures.dicom.kind import look_at_dicom
from vaezip.pictures.exact_kinds import Look, way
from vaezip.pictures.fits.kind import look_at_fits
from vaezip.pictures.formats import format_name
from vaezip.pictures.picture import MODES, SEVERAL, Picture, Samples, as_samples, check_size, damage, sort_boxes
from vaezip.pictures.places import Contents, Place
from vaezip.pictures.sequences.frame import DICOM, FITS, Frame
from vaezip.pictures.shell import BITS, MOST, Shell, may_shift, stored, to_box

_MOST_PAGES = 1 << 16


class _Format(NamedTuple):
    number: int
    look: Callable[[bytes], Contents]


_FORMATS = {"DICOM": _Format(DICOM, look_at_dicom), "FITS": _Format(FITS, look_at_fits)}


def is_stored(data: bytes) -> bool:
    """Tell whether a file is of a format that holds its samples plainly."""
    return format_name(data) in _FORMATS


def read_stored(data: bytes, max_pixels: int) -> Picture:
    """Read the one picture of such a file.

    Raises:
        ImageError: the file holds none, several, one of a kind that is not read exactly, or too many pixels.
    """
    format = _FORMATS[format_name(data) or ""]
    contents = _looked_at(data, format, max_pixels)
    if len(contents.places) > 1:
        raise SeveralError(SEVERAL)
    return next(_pictures(contents, format.number))


def pages(data: bytes, max_pixels: int) -> Iterator[tuple[Picture, Frame]]:
    """Yield every picture of such a file.

    Raises:
        ImageError: as :func:`read_stored`.
    """
    format = _FORMATS[format_name(data) or ""]
    for picture in _pictures(_looked_at(data, format, max_pixels), format.number):
        height, width, _ = picture.samples.shape
        yield picture, Frame(format.number, width, height)


def _looked_at(data: bytes, format: _Format, max_pixels: int) -> Contents:
    """Find what a file holds, and refuse it before a sample is read or decoded."""
    contents = format.look(data)
    if not contents.places:
        raise ImageError("holds no picture")
    if len(contents.places) > _MOST_PAGES:
        raise ImageError(f"holds more than {_MOST_PAGES:,} pictures; save them singly")
    for kind in dict.fromkeys(place.kind for place in contents.places):
        way(Look(kind, 1, 1, needs=contents.needs), remedy=contents.remedy)
    check_size(sum(place.width * place.height for place in contents.places), 1, max_pixels)
    return contents


def _pictures(contents: Contents, format: int) -> Iterator[Picture]:
    data, starts = contents.lay_out()
    end, last = 0, len(starts) - 1
    around = len(data) - sum(place.size for place in contents.places)
    dropped = contents.remarks if around <= MOST else (*contents.remarks, f"header and {around:,} bytes in all")
    for page, (place, start) in enumerate(zip(contents.places, starts)):
        before, end = data[end:start], start + place.size
        if end > len(data):
            raise damage("the file ends before its samples")
        samples, mode, shift = _samples(data[start:end], place)
        boxes = [("palette", place.palette)] if mode == "P" else []
        if around <= MOST:
            after = data[end:] if page == last else b""
            numbers = (page, len(starts), place.size)
            boxes.append(to_box(Shell(format, place.type, place.planar, shift, *numbers, before, after)))
        yield Picture(mode, samples, sort_boxes(boxes), dropped)


def _samples(data: bytes, place: Place) -> tuple[Samples, str, int]:
    """Return stored samples as those of a mode, and what was added to each.

    Raises:
        ImageError: no mode holds them.
    """
    mode = way(Look(place.kind, 1, 1)).modes[0]
    shift = 0
    if place.type == BITS:
        found: NDArray[Any] = np.unpackbits(
            np.frombuffer(data, np.uint8), count=place.width * place.height, bitorder="little"
        )
    else:
        found = np.frombuffer(data, place.type)
        shift = _shift(found, place, (1 << MODES[mode].bits) - 1)
        if shift or found.dtype.itemsize > 2:
            found = found.astype(np.int64) + shift
    height, width, channels = place.height, place.width, MODES[mode].channels
    if place.planar:
        found = np.moveaxis(found.reshape(channels, height, width), 0, -1)
    samples = as_samples(found.reshape(height, width, channels), mode)
    samples = samples if samples.flags.writeable else samples.copy()
    if stored(samples, place.type, planar=place.planar, shift=shift) != data:
        raise _unfit(place)
    return samples, mode, shift


def _shift(found: NDArray[Any], place: Place, most: int) -> int:
    """Return what is added to stored samples, so that a mode holds them; by default the least becomes 0."""
    least, greatest = found.min(), found.max()
    if not (np.isfinite(least) and np.isfinite(greatest)):
        raise _unfit(place)
    low, high = int(least), int(greatest)
    shift = next((s for s in (*place.shifts, -low) if low + s >= 0 and high + s <= most), None)
    if shift is None or not may_shift(shift):
        raise _unfit(place)
    return shift


def _unfit(place: Place) -> ImageError:
    reason = "whose samples are no whole numbers within a range of 65,536 are not supported"
    return ImageError(f"{place.kind} pictures {reason}")
