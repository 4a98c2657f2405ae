"""The kinds of pictures that are known to be read exactly; whatever the table does not list is refused.

Every format but PNG looks up, from the bytes of the file themselves, what it is: the colours, the bits of a sample,
and whether samples have a sign. A kind that the table lacks is refused by its name, whatever a decoder would make of
it: decoders stretch, shift, cut and clip without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import ImageError
from vaezip.pictures.picture import damage

GREY, GREY_ALPHA, RGB, RGBA = "grey", "grey and alpha", "RGB", "RGB and alpha"
PALETTE, PALETTE_ALPHA = "palette", "palette and alpha"


class Kind(NamedTuple):
    """Tell what the samples of a picture file are.

    Attributes:
        format: the name of the format, as in ``formats.FORMATS``.
        colour: what the channels are: one of the names above, or of a colour that no mode holds.
        bits: of a sample, as stored.
        sample: ``unsigned``, ``signed``, ``floating-point`` or ``complex``.
    """

    format: str
    colour: str
    bits: int
    sample: str = "unsigned"

    def __str__(self) -> str:
        sign = "" if self.sample == "unsigned" else f"{self.sample} "
        return f"{sign}{self.bits}-bit {self.colour} {self.format}"


class Way(NamedTuple):
    """Say how a kind is read: the modes that it may become, and the libraries that it needs beside Pillow."""

    modes: tuple[str, ...]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Look:
    """Hold what the bytes of a file tell before anything is decoded.

    Attributes:
        kind: what the samples are.
        width: of the picture.
        height: of the picture.
        check: the function that refuses damage that the decoder would pass over.
        decode: the function that decodes the samples, None where Pillow does.
        palette: the colours, where Pillow does not read them as they are stored.
        needs: the libraries that this file needs though others of its kind do not.
        remarks: what cannot be kept, by name.
    """

    kind: Kind
    width: int
    height: int
    check: Callable[[], None] | None = None
    decode: Callable[[], NDArray[Any]] | None = None
    palette: NDArray[np.uint8] | NDArray[np.uint16] | None = None
    needs: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


_DEEP = {GREY: "I;16", GREY_ALPHA: "LA;16", RGB: "RGB;16", RGBA: "RGBA;16"}
_INTEGERS = ("unsigned", "signed")
_CODECS, _TIFF = ("imagecodecs",), ("tifffile", "imagecodecs")


def _deep(format: str, bits: Iterable[int], needs: tuple[str, ...] = ()) -> dict[Kind, Way]:
    return {Kind(format, colour, n): Way((mode,), needs) for colour, mode in _DEEP.items() for n in bits}


EXACT: dict[Kind, Way] = {
    Kind("TIFF", GREY, 1): Way(("1",)),
    **{Kind("TIFF", GREY, bits): Way(("L",)) for bits in (2, 4, 8)},
    **{Kind("TIFF", PALETTE, bits): Way(("P", "RGB;16")) for bits in (1, 2, 4, 8)},
    Kind("TIFF", GREY_ALPHA, 8): Way(("LA",)),
    Kind("TIFF", RGB, 8): Way(("RGB",)),
    Kind("TIFF", RGBA, 8): Way(("RGBA",)),
    Kind("TIFF", PALETTE_ALPHA, 8): Way(("RGBA",)),
    **_deep("TIFF", range(9, 17), _TIFF),
    Kind("TIFF", GREY, 12): Way(("I;16",)),
    Kind("TIFF", GREY, 16): Way(("I;16",)),
    **{Kind("BMP", PALETTE, bits): Way(("P", "L", "1")) for bits in (1, 4, 8)},
    **{Kind("BMP", RGB, bits): Way(("RGB",)) for bits in range(1, 9)},
    **{Kind("BMP", RGBA, bits): Way(("RGBA",)) for bits in range(1, 9)},
    Kind("PPM", GREY, 1): Way(("1",)),
    Kind("PPM", GREY, 8): Way(("L",)),
    Kind("PPM", RGB, 8): Way(("RGB",)),
    **_deep("PPM", range(9, 17)),
    Kind("GIF", PALETTE, 8): Way(("P", "L", "RGB", "RGBA")),
    Kind("WebP", RGB, 8): Way(("RGB",)),
    Kind("WebP", RGBA, 8): Way(("RGBA", "RGB")),
    Kind("JPEG", GREY, 8): Way(("L",)),
    Kind("JPEG", RGB, 8): Way(("RGB",)),
    Kind("JPEG2000", GREY, 8): Way(("L",)),
    Kind("JPEG2000", GREY_ALPHA, 8): Way(("LA",)),
    Kind("JPEG2000", RGB, 8): Way(("RGB",)),
    Kind("JPEG2000", RGBA, 8): Way(("RGBA",)),
    Kind("JPEG2000", PALETTE, 8): Way(("P",)),
    **_deep("JPEG2000", range(9, 17), _CODECS),
    Kind("JPEG2000", GREY, 16): Way(("I;16",)),
    Kind("AVIF", GREY, 8): Way(("L", "RGB")),
    Kind("AVIF", GREY_ALPHA, 8): Way(("RGBA", "LA")),
    Kind("AVIF", RGB, 8): Way(("RGB",)),
    Kind("AVIF", RGBA, 8): Way(("RGBA",)),
    **_deep("AVIF", (10, 12), _CODECS),
    Kind("DICOM", GREY, 1): Way(("1",)),
    Kind("DICOM", PALETTE, 8): Way(("P",)),
    Kind("DICOM", RGB, 8): Way(("RGB",)),
    Kind("DICOM", RGB, 16): Way(("RGB;16",)),
    **{Kind("DICOM", GREY, 8, sample): Way(("L",)) for sample in _INTEGERS},
    **{Kind("DICOM", GREY, bits, sample): Way(("I;16",)) for bits in (16, 32) for sample in _INTEGERS},
    Kind("FITS", GREY, 8): Way(("L",)),
    **{Kind("FITS", GREY, bits, sample): Way(("I;16",)) for bits in (16, 32, 64) for sample in _INTEGERS},
    **{Kind("FITS", GREY, bits, "floating-point"): Way(("I;16",)) for bits in (32, 64)},
}
"""The kinds that are read, each with its way. Samples of 9 to 15 bits are kept as they are, in a mode of 16 bits.

Of DICOM and FITS, whose samples are measurements, all are kept as they are but for what is added to each, which the
shell of the picture tells (``shell.py``): so samples with a sign, or of more bits, are read where 16 bits hold them."""


def way(look: Look, remedy: str = "formats") -> Way:
    """Return how a file is read, and refuse it where its kind is not known to be read exactly.

    Raises:
        ImageError: the kind is not in the table, or needs a library that is not installed.
    """
    found = EXACT.get(look.kind)
    if found is None:
        raise ImageError(f"{look.kind} pictures are not supported; convert to {_remedy(look.kind)} first")
    for name in dict.fromkeys((*found.needs, *look.needs)):
        library(name, look.kind, remedy)
    return found


def library(name: str, kind: Kind | str, remedy: str = "formats") -> Any:
    """Return an optional library that reads a kind; ``remedy`` is the key of what installs it.

    Raises:
        ImageError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise ImageError(f"pictures like this one ({kind}) need the library {name}", remedy) from error


def deep_samples(data: bytes, kind: Kind, decoder: str) -> NDArray[np.uint16]:
    """Return the samples of more than 8 bits that a decoder of imagecodecs, by its name, finds in a file of a kind."""
    array = np.asarray(getattr(library("imagecodecs", kind), decoder)(data))
    if array.dtype != np.uint16 or array.max() >= 1 << kind.bits:
        raise damage(f"its samples are {array.dtype}")
    return array


def unsupported(what: str, remedy: str) -> ImageError:
    """Return the error for pictures of a kind that the table cannot name."""
    return ImageError(f"{what} pictures are not supported; convert to {remedy} first")


def depth_remarks(bits: int) -> tuple[str, ...]:
    """Return what to say of samples of 9 to 15 bits, whose depth no mode keeps."""
    return (f"depth of {bits} bits",) if 8 < bits < 16 else ()


def _remedy(kind: Kind) -> str:
    if kind.sample != "unsigned" or kind.bits > 16:
        return "unsigned samples of 8 or 16 bits"
    if "premultiplied" in kind.colour:
        return "alpha that is not premultiplied"
    return "PNG" if kind.colour in _DEEP or kind.colour in (PALETTE, PALETTE_ALPHA) else "RGB"
