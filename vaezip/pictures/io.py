"""Read and write picture files of every format: Pillow decodes and encodes most pixels.

What Pillow would drop or round is done here: the full 16 bits of colour PNGs, and the
metadata of PNGs byte for byte.  The package's text says what is kept of which format.
"""

from __future__ import annotations

import os
from typing import IO

from vaezip.errors import ImageError
from vaezip.pictures.bmp.metadata import keeps_resolution
from vaezip.pictures.formats import BY_SUFFIX, Format, check_suffix, format_name, is_suffix_of, most_bytes, too_large
from vaezip.pictures.picture import DEFAULT_MAX_PIXELS, Picture, damage
from vaezip.pictures.pillow import decoding, read_by_pillow, refusing, write_by_pillow
from vaezip.pictures.png.chunks import is_png
from vaezip.pictures.png.metadata import LEVEL
from vaezip.pictures.png.pixels import read_png, write_png
from vaezip.pictures.sequences.frame import NUMBERS
from vaezip.pictures.shell import file_of
from vaezip.pictures.stored import is_stored, read_stored
from vaezip.pictures.tiff.resolution import written_resolution
from vaezip.pictures.tiff.writing import keeps_exif
from vaezip.system.spans import timed

_FIRST, _AT_ONCE = 256, 1 << 20  # bytes that tell the format, and that are read at once


@timed("files")
def read(source: str | os.PathLike[str] | bytes | IO[bytes], max_pixels: int = DEFAULT_MAX_PIXELS) -> Picture:
    """Read the picture in a file: a path, an open file, or the bytes of one.

    The format, which may be any of :data:`vaezip.pictures.formats.READABLE`, is told by the bytes.
    Grey of 2 and 4 bits becomes ``L`` with the values that it stands for, and :func:`write` stores
    them in as many bits again; channels of fewer than 8 bits become 8 bits with the values that
    they stand for; every other sample is kept as it is, also of 9 to 15 bits in a mode of 16.

    Raises:
        ImageError: the file cannot be read, is no such picture, is truncated or damaged, holds
            several pictures or more than ``max_pixels`` pixels, or has a mode that cannot be
            represented exactly.
    """
    data = file_bytes(source, max_pixels)
    if not data:
        raise ImageError("the file is empty")
    if is_png(data):
        with refusing(damage):
            return read_png(data, max_pixels)
    with decoding():
        if is_stored(data):
            return read_stored(data, max_pixels)
        return read_by_pillow(data, max_pixels)


def file_bytes(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes], max_pixels: int = DEFAULT_MAX_PIXELS
) -> bytes:
    """Return the bytes of a file, which may be these bytes; of one that begins as no picture, only the first.

    Raises:
        ImageError: it cannot be read, is open for text, or has more bytes than ``max_pixels`` pixels may take.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    try:
        if isinstance(source, (str, os.PathLike)):
            with open(source, "rb") as file:
                return _read_all(file, max_pixels)
        return _read_all(source, max_pixels)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ImageError(f"cannot be read: {reason}") from error


def _read_all(file: IO[bytes], max_pixels: int) -> bytes:
    """Read a file, which may be a device that has no end."""
    data = bytearray()
    while part := file.read(_AT_ONCE):
        if not isinstance(part, bytes):
            raise ImageError("a picture must be read from a file that is open for bytes, not for text")
        data += part
        if len(data) > most_bytes(max_pixels):
            raise too_large(max_pixels)
        if len(data) >= _AT_ONCE and not is_png(first := bytes(data[:_FIRST])) and format_name(first) is None:
            break
    return bytes(data)


@timed("files")
def write(picture: Picture, suffix: str, *, level: int = LEVEL) -> bytes:
    """Return the bytes of a file that holds the picture, in the format of a suffix such as ``".png"``.

    The level, 0 (fast) to 9 (small), says how hard zlib tries on the pixels of a PNG.

    :func:`read` gives the mode and the samples of that file back exactly, and of ``.png`` all
    boxes too.  Those of DICOM and FITS write only what they were read from, byte for byte where
    :attr:`Picture.dropped` was empty. The other formats keep the boxes that the text of the package names and drop the
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
    if BY_SUFFIX[name].own:
        return file_of([picture], NUMBERS[BY_SUFFIX[name].name])
    return write_png(picture, level) if name == ".png" else write_by_pillow(picture, name)


def stands_for(suffix: str, data: bytes) -> bool:
    """Tell whether a suffix stands for the format that a file of these bytes has."""
    return is_suffix_of(suffix, format_name(data))


def dropped_boxes(picture: Picture, suffix: str) -> tuple[str, ...]:
    """Return the kinds of boxes that :func:`write` drops, or cuts, in a file of that suffix."""
    if picture.original is not None and stands_for(suffix, picture.original):
        return ()
    format = BY_SUFFIX[suffix.lower()]
    names = [name for name, _ in picture.boxes if not format.keeps(name) or _is_cut(name, picture, format)]
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


def _is_cut(name: str, picture: Picture, format: Format) -> bool:
    """Tell whether a format that has such a box keeps only a part of that of a picture."""
    match name, format.name:
        case "resolution", "TIFF":
            return written_resolution(picture) is None
        case "resolution", "BMP":
            return not keeps_resolution(picture.box(name) or b"")
        case "exif", "TIFF":
            return not keeps_exif(picture)
    return False
