"""Read and write picture files of every format: Pillow decodes and encodes the pixels.

What Pillow would drop or round is done here: the full 16 bits of colour PNGs, and the
metadata of PNGs byte for byte.  The package's text says what is kept of which format.
"""

from __future__ import annotations

import os
from pathlib import Path

from vaezip.errors import ImageError
from vaezip.pictures.formats import BY_SUFFIX, Format, check_suffix, is_suffix_of
from vaezip.pictures.picture import DEFAULT_MAX_PIXELS, Picture
from vaezip.pictures.pillow import decoding, format_name, has_exif_for_tiff, read_by_pillow, write_by_pillow
from vaezip.pictures.png import read_png, write_png
from vaezip.pictures.png_chunks import is_png


def read(source: str | os.PathLike[str] | bytes, max_pixels: int = DEFAULT_MAX_PIXELS) -> Picture:
    """Read the picture in a file (a path) or in the bytes of one.

    The format, which may be any of :data:`vaezip.pictures.formats.READABLE`, is told by the bytes.
    Grey of 2 and 4 bits becomes ``L`` with the values that it stands for, and :func:`write` stores
    them in as many bits again; every other sample is kept as it is.

    Raises:
        ImageError: the file cannot be read, is no such picture, is truncated or damaged, holds
            several pictures or more than ``max_pixels`` pixels, or has a mode that cannot be
            represented exactly.
    """
    data = source if isinstance(source, bytes) else _file_bytes(source)
    if not data:
        raise ImageError("the file is empty")
    with decoding():
        if is_png(data):
            return read_png(data, max_pixels)
        return read_by_pillow(data, max_pixels)


def _file_bytes(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ImageError(f"cannot be read: {reason}") from error


def write(picture: Picture, suffix: str) -> bytes:
    """Return the bytes of a file that holds the picture, in the format of a suffix such as ``".png"``.

    :func:`read` gives the mode and the samples of that file back exactly, and of ``.png`` all
    boxes too.  The other formats keep the boxes that the text of the package names and drop the
    others; a palette in TIFF is filled up with black to 256 colours.  A picture whose original is at
    hand goes back to it, byte for byte, in the format that it had.

    Raises:
        ImageError: the suffix is lossy or unknown, or its format cannot hold the mode, the
            transparency or the size of the picture exactly.  ``.png`` holds every picture.
    """
    if picture.original is not None and stands_for(suffix, picture.original):
        return picture.original
    check_suffix(suffix)
    name = suffix.lower()
    _check_held(picture, name)
    return write_png(picture) if name == ".png" else write_by_pillow(picture, name)


def stands_for(suffix: str, data: bytes) -> bool:
    """Tell whether a suffix stands for the format that a file of these bytes has."""
    return is_suffix_of(suffix, format_name(data))


def dropped_boxes(picture: Picture, suffix: str) -> tuple[str, ...]:
    """Return the kinds of boxes that :func:`write` drops, or cuts, in a file of that suffix."""
    if picture.original is not None and stands_for(suffix, picture.original):
        return ()
    format = BY_SUFFIX[suffix.lower()]
    names = [name for name, data in picture.boxes if not format.keeps(name) or _is_cut(name, data, format)]
    return tuple(dict.fromkeys(names))


def _check_held(picture: Picture, suffix: str) -> None:
    """Refuse a picture that the format of a suffix cannot hold exactly."""
    format = BY_SUFFIX[suffix]
    if not format.holds(picture.mode):
        raise ImageError(f"'{suffix}' cannot hold {picture.mode} pictures exactly; choose .png")
    if not format.keeps("transparency") and picture.box("transparency") is not None:
        raise ImageError(f"'{suffix}' cannot hold a transparent colour; choose .png")
    if suffix == ".webp" and picture.mode == "RGBA" and picture.samples[..., 3].min() == 255:
        raise ImageError("'.webp' cannot hold an alpha channel that is opaque everywhere; choose .png")


def _is_cut(name: str, data: bytes, format: Format) -> bool:
    """Tell whether a format that has such a box keeps only a part of this one."""
    if name == "resolution":
        return format.name != "PNG" and data[8] != 1
    return name == "exif" and format.name == "TIFF" and not has_exif_for_tiff(data)
