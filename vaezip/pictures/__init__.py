"""Picture files to arrays of samples with their metadata, and back, without loss; this room knows no coding.

The pixels of a file are kept exactly, and of its metadata what the format has a place for:

=============  ========================================================
PNG            palette, transparency, ICC profile, EXIF, XMP, texts,
               resolution, gamma, cICP, mDCV, cLLI, sRGB, cHRM, sBIT,
               bKGD, hIST, pCAL, sCAL, sPLT, sTER, tIME, other chunks
               that are safe to copy, and the bits that stored a sample.
               Not kept: the name of the ICC profile, chunks that are
               not safe to copy or are damaged, and the palette that a
               true-colour picture suggests.
WebP           ICC profile, EXIF, XMP.
TIFF           palette, ICC profile, EXIF, XMP, resolution.  Not kept
               of the EXIF data: thumbnails, tags of the former file,
               and notes of makers that hold absolute positions.
BMP            palette and ICC profile (read only), resolution.
PPM, PGM, PBM  nothing.
GIF            palette, transparency, ICC profile, XMP, and the shape
               of the pixels as resolution (read only).
JPEG, AVIF,    ICC profile, EXIF, XMP, resolution (read only: these
JPEG 2000      are the decoded pixels, not the file).
DICOM, FITS    all: what stands around the samples, so that a file
               comes back byte for byte.
=============  ========================================================

Whatever else a file holds is named in :attr:`Picture.dropped`, and a file that
holds a second picture of equal rank is refused.

The orientation that EXIF data may ask for is metadata too: it is kept, and
never applied to the samples.  All functions may be called from many threads.

The names below are imported when they are used, for most need NumPy and Pillow,
and a help text needs neither.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as in typing, which takes time
if TYPE_CHECKING:
    from typing import Any

    from vaezip.pictures import formats, io, picture
    from vaezip.pictures.formats import check_suffix
    from vaezip.pictures.io import dropped_boxes, read, stands_for, write
    from vaezip.pictures.picture import BOXES, DEFAULT_MAX_PIXELS, MODES, Box, Mode, Picture, Samples, same
    from vaezip.pictures.sequences.files import read_all, write_all

__all__ = [
    "BOXES",
    "DEFAULT_MAX_PIXELS",
    "MODES",
    "Box",
    "Mode",
    "Picture",
    "Samples",
    "check_suffix",
    "dropped_boxes",
    "formats",
    "io",
    "picture",
    "read",
    "read_all",
    "same",
    "stands_for",
    "write",
    "write_all",
]

_HOMES = {
    "check_suffix": "formats",
    "dropped_boxes": "io",
    "read": "io",
    "read_all": "sequences.files",
    "stands_for": "io",
    "write": "io",
    "write_all": "sequences.files",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'vaezip.pictures' has no attribute '{name}'")
    if name in ("formats", "io", "picture"):
        return import_module(f"vaezip.pictures.{name}")
    return getattr(import_module(f"vaezip.pictures.{_HOMES.get(name, 'picture')}"), name)


def __dir__() -> list[str]:
    return sorted({"__doc__", *__all__})
