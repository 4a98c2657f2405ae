"""Picture files to arrays of samples with their metadata, and back, without loss.

Pillow decodes and encodes the pixels.  What Pillow would drop or round is done
here: the full 16 bits of colour PNGs, and the metadata of PNGs byte for byte.

What is kept of a picture, beside its pixels, depends on the format:

=============  ========================================================
PNG            palette, transparency, ICC profile, EXIF, XMP, texts,
               resolution and gamma.  Not kept: the name of the ICC
               profile, cHRM, sRGB, cICP, sBIT, bKGD, hIST, tIME, sPLT,
               private chunks, and the palette that a true-colour
               picture suggests.
WebP           ICC profile, EXIF, XMP.
TIFF           palette, ICC profile, XMP, resolution, and of the EXIF
               data the tags that describe the picture.
BMP            palette (read only), resolution.
PPM, PGM, PBM  nothing.
GIF            palette, transparency (read only).
JPEG, AVIF,    ICC profile, EXIF, XMP, resolution (read only: the
JPEG 2000      decoded pixels are kept, not the file).
=============  ========================================================

The orientation that EXIF data may ask for is metadata too: it is kept, and
never applied to the samples.  All functions may be called from many threads.
"""

from __future__ import annotations

import os
from pathlib import Path

from vaezip.errors import ImageError
from vaezip.pictures.formats import check_held, check_suffix
from vaezip.pictures.picture import DEFAULT_MAX_PIXELS, Picture
from vaezip.pictures.pillow import decoding, read_by_pillow, write_by_pillow
from vaezip.pictures.png import PNG_SIGNATURE, read_png, write_png

# Reading


def read(source: str | os.PathLike[str] | bytes, max_pixels: int = DEFAULT_MAX_PIXELS) -> Picture:
    """The picture in a file (a path) or in the bytes of one.

    Reads PNG, WebP, TIFF, BMP, PPM, GIF, JPEG, JPEG 2000 and AVIF.  Grey of 2 and 4 bits
    becomes ``L`` with the values that are shown; every other sample is kept as it is.

    Raises :class:`ImageError` if the file cannot be read, is no such picture, is truncated or
    damaged, holds several pictures or more than ``max_pixels`` pixels, or has a mode that
    cannot be represented exactly.
    """
    data = source if isinstance(source, bytes) else _file_bytes(source)
    with decoding():
        if data.startswith(PNG_SIGNATURE):
            return read_png(data, max_pixels)
        return read_by_pillow(data, max_pixels)


def _file_bytes(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ImageError(f"cannot be read: {reason}") from error


def write(picture: Picture, suffix: str) -> bytes:
    """The bytes of a file that holds the picture, in the format of a suffix such as ``".png"``.

    :func:`read` gives the mode and the samples of that file back exactly, and of ``.png`` all
    boxes too.  The other formats keep the boxes that the table at the top of this module names
    and drop the rest; a palette in TIFF is filled up with black to 256 colours.

    Raises :class:`ImageError` if the suffix is lossy or unknown, or its format cannot hold the
    mode, the transparency or the size of the picture exactly.  ``.png`` holds every picture.
    """
    check_suffix(suffix)
    name = suffix.lower()
    check_held(picture, name)
    return write_png(picture) if name == ".png" else write_by_pillow(picture, name)
