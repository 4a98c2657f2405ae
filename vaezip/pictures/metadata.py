"""Find the metadata of every format but PNG: what boxes keep, and the names of what they do not.

One module for each format walks its bytes; this one asks them, and the decoder where it knows more.
"""

from __future__ import annotations

from collections.abc import Callable

from PIL import ImageFile

from vaezip.errors import SeveralError
from vaezip.pictures.avif.metadata import look_into_avif
from vaezip.pictures.bmp.metadata import look_into_bmp
from vaezip.pictures.exif import orientation_of, with_orientation
from vaezip.pictures.findings import Findings
from vaezip.pictures.gif import look_into_gif
from vaezip.pictures.jpeg.metadata import look_into_jpeg
from vaezip.pictures.jpeg2000.metadata import look_into_jpeg2000
from vaezip.pictures.picture import ANIMATED, bare_exif
from vaezip.pictures.pnm.metadata import look_into_pnm
from vaezip.pictures.tiff.metadata import look_into_tiff
from vaezip.pictures.webp import look_into_webp

_READERS: dict[str, Callable[[bytes, Findings], None]] = {
    "AVIF": look_into_avif,
    "BMP": look_into_bmp,
    "DIB": look_into_bmp,
    "GIF": look_into_gif,
    "JPEG": look_into_jpeg,
    "JPEG2000": look_into_jpeg2000,
    "MPO": look_into_jpeg,
    "PPM": look_into_pnm,
    "TIFF": look_into_tiff,
    "WEBP": look_into_webp,
}
_OWN_RANKS = ("JPEG", "MPO", "TIFF")
"""The formats of which Pillow counts as a frame what only serves the first picture."""


def find_metadata(format: str, data: bytes, image: ImageFile.ImageFile | None) -> Findings:
    """Find the metadata of a picture file but for its palette, before decoding, which may change them.

    Args:
        format: its format as Pillow names it.
        data: the bytes of the file.
        image: what Pillow made of them, None where another decoder is asked.

    Raises:
        ImageError: the file holds several pictures.
    """
    if getattr(image, "is_animated", False) and format not in _OWN_RANKS:
        raise SeveralError(ANIMATED)
    found = Findings()
    _READERS[format](data, found)
    if image is not None:
        found.keep("transparency", _transparency(image.info.get("transparency"), image.mode) or b"")
        if format == "AVIF":
            _ask_avif_decoder(image, found)
    return found


def _transparency(value: int | None, mode: str) -> bytes | None:
    """Return the one transparent index of a GIF as PNG has it."""
    if value is None:
        return None
    return b"\xff" * value + b"\0" if mode == "P" else value.to_bytes(2, "big")


def _ask_avif_decoder(image: ImageFile.ImageFile, found: Findings) -> None:
    """Take what the decoder knows: profile, XMP, and how the picture is to be turned, in the form of EXIF data.

    Pillow writes the EXIF data anew where the file turns the picture in another way than they do.
    """
    found.keep("icc", image.info.get("icc_profile") or b"")
    found.keep("xmp", image.info.get("xmp") or b"")
    turned = bare_exif(image.info.get("exif", b""))
    exif = found.boxes.get("exif")
    if exif is None:
        found.keep("exif", turned)
    elif orientation_of(turned) != orientation_of(exif):
        found.boxes["exif"] = with_orientation(exif, orientation_of(turned))
