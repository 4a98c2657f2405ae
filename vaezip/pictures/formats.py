"""The table of picture file formats: which files are pictures, which are read, which are written without loss.

This module imports neither Pillow nor NumPy, so that a help text, which needs the table, answers at once.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from vaezip.errors import ImageError


class Format(NamedTuple):
    """A format of picture files, or the part of one that some suffixes stand for.

    Attributes:
        name: what people call it, and Pillow too, in capitals.
        suffixes: of its files, in lower case.
        read: whether vaezip reads it.
        lossy: whether writing it changes the samples.
        modes: the modes that it gives back exactly; of a format that is not written, none.
        boxes: the metadata that it keeps when written, None for all.
        own: whether only such pictures are written in it as came from it.
    """

    name: str
    suffixes: tuple[str, ...]
    read: bool = True
    lossy: bool = False
    modes: tuple[str, ...] = ()
    boxes: tuple[str, ...] | None = ()
    own: bool = False

    @property
    def written(self) -> bool:
        """Tell whether vaezip writes it."""
        return self.modes != ()

    def holds(self, mode: str) -> bool:
        """Tell whether the format gives pictures of a mode back exactly."""
        return mode in self.modes

    def keeps(self, box: str) -> bool:
        """Tell whether the format has a place for a kind of metadata."""
        return self.boxes is None or box in self.boxes


_PNG_MODES = ("1", "L", "LA", "RGB", "RGBA", "P", "I;16", "LA;16", "RGB;16", "RGBA;16")
_TIFF_MODES = ("1", "L", "LA", "RGB", "RGBA", "P", "I;16")

FORMATS = (
    Format("PNG", (".png",), modes=_PNG_MODES, boxes=None),
    Format("PNG", (".apng",)),
    Format("WebP", (".webp",), modes=("RGB", "RGBA"), boxes=("icc", "exif", "xmp")),
    Format("TIFF", (".tif", ".tiff"), modes=_TIFF_MODES, boxes=("palette", "icc", "exif", "xmp", "resolution")),
    Format("BMP", (".bmp",), modes=("1", "L", "RGB"), boxes=("resolution",)),
    Format("BMP", (".dib",)),
    Format("PPM", (".ppm",), modes=("RGB",)),
    Format("PPM", (".pgm",), modes=("L", "I;16")),
    Format("PPM", (".pbm",), modes=("1",)),
    Format("PPM", (".pnm",)),
    Format("GIF", (".gif",)),
    Format("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), lossy=True),
    Format("JPEG2000", (".jp2", ".j2k", ".j2c", ".jpx", ".jpf"), lossy=True),
    Format("AVIF", (".avif", ".avifs"), lossy=True),
    Format("DICOM", (".dcm", ".dicom"), modes=("1", "L", "RGB", "P", "I;16", "RGB;16"), boxes=None, own=True),
    Format("FITS", (".fits", ".fit", ".fts"), modes=("L", "I;16"), boxes=None, own=True),
    Format("HEIF", (".heic", ".heif"), read=False, lossy=True),
)
"""All formats.  The suffix decides how a picture is written, and the bytes of a file decide how it is read."""

BY_SUFFIX = {suffix: format for format in FORMATS for suffix in format.suffixes}
"""The format that each suffix stands for."""

READABLE = tuple(dict.fromkeys(format.name for format in FORMATS if format.read))
"""The names of the formats that vaezip reads."""


_SIGNATURES = (
    # name as Pillow has it, place, bytes
    ("PNG", 0, (b"\x89PNG\r\n\x1a\n",)),
    ("DICOM", 128, (b"DICM",)),  # which may begin as a TIFF of the same samples
    ("FITS", 0, (b"SIMPLE  =",)),
    ("TIFF", 0, (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    ("GIF", 0, (b"GIF87a", b"GIF89a")),
    ("JPEG", 0, (b"\xff\xd8\xff",)),
    ("JPEG2000", 0, (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n")),
    ("WEBP", 8, (b"WEBP",)),
    ("AVIF", 4, (b"ftypavif", b"ftypavis")),
    ("PPM", 0, tuple(b"P%c" % letter for letter in b"1234567fF")),
    ("BMP", 0, (b"BM",)),
)


def format_name(data: bytes) -> str | None:
    """Return the format that a file has by its first bytes, as Pillow names it, None where vaezip reads no such."""
    for name, place, signatures in _SIGNATURES:
        if data.startswith(signatures, place):
            if name == "PPM" and data[2:3] not in (b" ", b"\t", b"\n", b"\v", b"\f", b"\r", b"#"):
                continue
            return name
    is_avif = data[4:8] == b"ftyp" and any(brand in data[8:64] for brand in (b"avif", b"avis"))
    return "AVIF" if is_avif else None


_FOREIGN = (
    ("HEIF", 4, (b"ftyphei", b"ftyphev", b"ftypmif1", b"ftypmsf1")),
    ("JPEG XL", 0, (b"\xff\x0a", b"\0\0\0\x0cJXL ")),
    ("JPEG XR", 0, (b"II\xbc\x01",)),
    ("PSD", 0, (b"8BPS",)),
    ("OpenEXR", 0, (b"v/1\x01",)),
    ("DDS", 0, (b"DDS ",)),
    ("QOI", 0, (b"qoif",)),
    ("icon", 0, (b"\0\0\1\0",)),
)


def foreign_name(data: bytes) -> str | None:
    """Return the format that vaezip does not read and a file has by its first bytes, None where they tell none."""
    return next((name for name, place, signatures in _FOREIGN if data.startswith(signatures, place)), None)


_MOST_BYTES_A_PIXEL, _MOST_BESIDE = 8, 1 << 26


def most_bytes(max_pixels: int) -> int:
    """Return the bytes that a picture file of so many pixels may take: four channels of 16 bits, and metadata."""
    return _MOST_BYTES_A_PIXEL * max_pixels + _MOST_BESIDE


def too_large(max_pixels: int) -> ImageError:
    """Return the error for a file of more than :func:`most_bytes`."""
    reason = f"has more than the {most_bytes(max_pixels):,} bytes that a picture of {max_pixels:,} pixels may take"
    return ImageError(reason, "more-pixels")


def is_jpeg(data: bytes) -> bool:
    """Tell whether a file begins as a JPEG does."""
    return format_name(data) == "JPEG"


def has_picture_suffix(path: str) -> bool:
    """Tell whether a file is named like a picture, whether or not vaezip can read it."""
    return os.path.splitext(path)[1].lower() in BY_SUFFIX


def is_hidden(path: str) -> bool:
    """Tell whether the system hides a file, as it does the ``._photo.jpg`` that macOS puts beside ``photo.jpg``."""
    return os.path.basename(path).startswith(".")


def is_picture_in_folder(path: str) -> bool:
    """Tell whether a file is among the pictures of its folder, for every command that takes a folder."""
    return has_picture_suffix(path) and not is_hidden(path)


def is_suffix_of(suffix: str, name: str | None) -> bool:
    """Tell whether a suffix stands for a format, by its name for Pillow."""
    format = BY_SUFFIX.get(suffix.lower())
    return format is not None and name == format.name.upper()


def check_suffix(suffix: str) -> None:
    """Refuse a suffix under which pictures cannot be written without loss.

    Raises:
        ImageError: its format is lossy or unknown.
    """
    name = suffix.lower()
    format = BY_SUFFIX.get(name)
    if format is not None and format.lossy:
        raise ImageError(f"'{name}' is lossy; choose .png")
    if format is None or not format.written:
        raise ImageError(f"'{name}' is not a picture format vaezip writes; choose .png")
