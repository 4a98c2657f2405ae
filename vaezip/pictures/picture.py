"""A picture: the modes that its samples may have, and the metadata beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from vaezip.errors import ImageError

Samples: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]
Box: TypeAlias = tuple[str, bytes]

DEFAULT_MAX_PIXELS = 1 << 28


@dataclass(frozen=True)
class Mode:
    """A way to understand the samples of a picture.

    ``channels`` is the last dimension of the samples; ``bits`` is 1, 8 or 16, and
    samples of 1 and 8 bits are ``uint8``, samples of 16 bits ``uint16``.
    """

    channels: int
    bits: int

    @property
    def dtype(self) -> np.dtype[np.uint8] | np.dtype[np.uint16]:
        """Return the type of the samples."""
        return np.dtype(np.uint16) if self.bits == 16 else np.dtype(np.uint8)


MODES: dict[str, Mode] = {
    "1": Mode(1, 1),
    "L": Mode(1, 8),
    "LA": Mode(2, 8),
    "RGB": Mode(3, 8),
    "RGBA": Mode(4, 8),
    "P": Mode(1, 8),
    "I;16": Mode(1, 16),
    "LA;16": Mode(2, 16),
    "RGB;16": Mode(3, 16),
    "RGBA;16": Mode(4, 16),
}
"""The modes by name."""  # their numbers in a file are in models/kinds.MODE_NAMES

BOXES: tuple[str, ...] = (
    "palette",
    "transparency",
    "icc",
    "exif",
    "xmp",
    "text",
    "resolution",
    "gamma",
    "cicp",
    "mastering-display",
    "light-levels",
    "srgb",
    "chromaticities",
    "significant-bits",
    "png-chunk",
    "bit-depth",
)
"""The kinds of metadata.  Their order is their number in the file format, and the order in a picture.

* ``palette``: 3 bytes (red, green, blue) per colour, only and always with mode ``P``.
* ``transparency``: as in PNG tRNS: the alpha of the first colours of the palette, or the one
  transparent colour, 2 bytes per channel, big-endian.
* ``icc``: the ICC profile.
* ``exif``: the EXIF data, without ``Exif\\0\\0`` before it.
* ``xmp``: the XMP packet.
* ``text``: any number of boxes, each a keyword, language, translated keyword and value, all
  UTF-8, with a zero byte between them.
* ``resolution``: as in PNG pHYs: pixels per unit across and down (big-endian, 4 bytes each), and
  the unit (0 unknown, 1 metre).
* ``gamma``: as in PNG gAMA: 100,000 times the gamma, big-endian, 4 bytes.
* ``cicp``: as in PNG cICP: the numbers of primaries, transfer function, matrix and range.
* ``mastering-display``: as in PNG mDCV: what the picture was made to be seen on.
* ``light-levels``: as in PNG cLLI: the greatest and the average brightness.
* ``srgb``: as in PNG sRGB: the picture is in sRGB, and the rendering intent.
* ``chromaticities``: as in PNG cHRM: the white point and the primaries.
* ``significant-bits``: as in PNG sBIT: 1 byte per channel (of the palette, 3 bytes): how many
  bits of its samples mean something.
* ``png-chunk``: any number of boxes, each another chunk of a PNG: 0 before the pixels or 1 behind
  them, the name of the chunk (4 bytes), and its data.
* ``bit-depth``: 1 byte: the bits in which a PNG stored the samples: 2 or 4 of mode ``L``, or more
  than the palette needs of mode ``P``.
"""

_MOST_BYTES = 1 << 26  # of a box
_REPEATED = frozenset({"text", "png-chunk"})
_SIZES = {
    "resolution": 9,
    "gamma": 4,
    "cicp": 4,
    "mastering-display": 24,
    "light-levels": 8,
    "srgb": 1,
    "chromaticities": 32,
}


@dataclass(frozen=True, eq=False, repr=False)
class Picture:
    """Hold the samples of one picture and its metadata.

    ``samples`` has the shape (height, width, channels); samples that are not C-contiguous are copied.  Mode ``1`` has
    the values 0 (black) and 1 (white), mode ``P`` indices into the palette, the others 0 up to
    the greatest value of their bits.  ``boxes`` is in the order of :data:`BOXES`.  ``dropped``
    is no part of the picture: it names the metadata in its file that :func:`read` could not keep.
    Nor is ``original``: the file that it came in, where that is at hand byte for byte.

    Raises:
        ImageError: mode, samples and boxes do not fit together.
    """

    mode: str
    samples: Samples
    boxes: tuple[Box, ...] = ()
    dropped: tuple[str, ...] = ()
    original: bytes | None = None

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ImageError(f"{self.mode!r} is not a mode of a picture")
        _check_samples(self.samples, self.mode)
        if not self.samples.flags.c_contiguous:
            object.__setattr__(self, "samples", np.ascontiguousarray(self.samples))
        _check_boxes(self.boxes, self.mode)

    def __repr__(self) -> str:
        height, width, _ = self.samples.shape
        held = ", ".join(dict.fromkeys(name for name, _ in self.boxes))
        return f"<vaezip.Picture {self.mode} {width}×{height}{f' with {held}' if held else ''}>"

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the samples, for :func:`numpy.asarray`."""
        return np.array(self.samples, dtype) if copy else np.asarray(self.samples, dtype)

    def to_pil(self) -> Any:
        """Return the picture as an image of Pillow, with its metadata in ``info``.

        Raises:
            ImageError: Pillow has no such mode: colours of 16 bits.
        """
        from vaezip.pictures.convert import to_pil  # late, for Pillow is not always needed

        return to_pil(self)

    def box(self, name: str) -> bytes | None:
        """Return the data of the first box of that name, or None."""
        return next((data for kind, data in self.boxes if kind == name), None)


def same(a: Picture, b: Picture) -> bool:
    """Tell whether two pictures have equal modes, samples and boxes."""
    return a.mode == b.mode and a.boxes == b.boxes and np.array_equal(a.samples, b.samples)


def _check_samples(samples: Samples, mode: str) -> None:
    channels, dtype = MODES[mode].channels, MODES[mode].dtype
    if not isinstance(samples, np.ndarray):
        raise ImageError(f"the samples must be a NumPy array, not of the type {type(samples).__name__}")
    if samples.dtype != dtype:
        raise ImageError(f"the samples of mode {mode} must be {dtype}, not {samples.dtype}")
    if samples.ndim != 3 or samples.shape[2] != channels or samples.size == 0:
        raise ImageError(f"the samples of mode {mode} must be (height, width, {channels}), not {samples.shape}")
    if mode == "1" and samples.max() > 1:
        raise ImageError("the samples of mode 1 must be 0 or 1")


def _check_boxes(boxes: tuple[Box, ...], mode: str) -> None:
    if not boxes and mode != "P":  # as of most pictures
        return
    names = [name for name, _ in boxes]
    if not set(names) <= set(BOXES):
        raise ImageError(f"unknown metadata: {', '.join(sorted(set(names) - set(BOXES)))}")
    if names != sorted(names, key=BOXES.index):
        raise ImageError(f"the metadata must be in the order {', '.join(BOXES)}")
    repeated = [name for name, count in Counter(names).items() if count > 1 and name not in _REPEATED]
    if repeated:
        raise ImageError(f"the metadata has more than one {repeated[0]}")
    if ("palette" in names) != (mode == "P"):
        raise ImageError("a picture has a palette if and only if its mode is P")
    for name, data in boxes:
        if not box_fits(name, data, mode):
            raise ImageError(f"the {name} of {len(data)} bytes is malformed or does not suit mode {mode}")


def box_fits(name: str, data: bytes, mode: str) -> bool:
    """Tell whether a box has a length and a form that its kind allows beside samples of a mode."""
    if name in _SIZES:
        return len(data) == _SIZES[name]
    match name:
        case "palette":
            return 3 <= len(data) <= 768 and len(data) % 3 == 0
        case "transparency" if mode == "P":
            return 1 <= len(data) <= 256
        case "transparency":
            return "A" not in mode and len(data) == 2 * MODES[mode].channels
        case "significant-bits":
            return len(data) == (3 if mode == "P" else MODES[mode].channels)
        case "bit-depth":
            return data in {"L": (b"\2", b"\4"), "P": (b"\2", b"\4", b"\x08")}.get(mode, ())
        case "text":
            return _is_text(data) and len(data) <= _MOST_BYTES
        case "png-chunk":
            return data[:1] in (b"\0", b"\1") and is_kept_as_chunk(data[1:5]) and len(data) <= _MOST_BYTES
    return len(data) <= _MOST_BYTES


def _is_text(data: bytes) -> bool:
    """Tell whether a text has four parts, the first, its keyword, in UTF-8 and of letters that PNG has."""
    try:
        data.split(b"\0", 1)[0].decode().encode("latin-1")
    except UnicodeError:
        return False
    return data.count(b"\0") >= 3


# Chunks that PNG itself defines and that depend on nothing but samples and palette, which come back as they were.
_OWN_CHUNKS = frozenset({b"bKGD", b"hIST", b"pCAL", b"sCAL", b"sPLT", b"sTER", b"tIME"})
_CHUNKS_OF_OTHER_BOXES = frozenset({b"pHYs", b"eXIf", b"tEXt", b"zTXt", b"iTXt"})


def is_kept_as_chunk(name: bytes) -> bool:
    """Tell whether a chunk of PNG may be kept as it is: it is ancillary and safe to copy, or depends on samples alone.

    The case of the first and the last letter says so.
    """
    if len(name) != 4 or not (name.isalpha() and name.isascii()) or name in _CHUNKS_OF_OTHER_BOXES:
        return False
    return name in _OWN_CHUNKS or (name[:1].islower() and name[3:].islower())


def damage(reason: str) -> ImageError:
    """Return the error for a truncated or damaged file."""
    return ImageError(f"the picture is truncated or damaged ({reason})")


def first_line(error: Exception) -> str:
    """Return the first line of the message of an exception, or its kind if it has none."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse a picture of more than ``max_pixels`` pixels."""
    if width * height > max_pixels:
        raise ImageError(f"{width * height} pixels are more than the limit of {max_pixels}", "more-pixels")


def refuse_dropped(names: Sequence[str]) -> None:
    """Refuse a picture of whose metadata something is dropped, if it is."""
    if names:
        raise ImageError(f"has metadata that a .vz file does not keep: {', '.join(names)}", "not-strict")


ANIMATED = "is an animation, and one picture is asked for; save one frame as PNG"
SEVERAL = "holds several pictures; save them singly"


def as_samples(array: NDArray[Any], mode: str) -> Samples:
    """Return an array of (height, width) or (height, width, channels) as the samples of a mode."""
    samples: NDArray[Any] = np.ascontiguousarray(array, MODES[mode].dtype)
    return samples.reshape(*array.shape[:2], -1)


def sort_boxes(boxes: list[Box]) -> tuple[Box, ...]:
    """Sort boxes by their kind, in the order of a picture."""
    return tuple(sorted(boxes, key=lambda box: BOXES.index(box[0])))


EXIF_PREFIX = b"Exif\0\0"


def bare_exif(data: bytes) -> bytes:
    """Take from EXIF data what stands before them in JPEG files, which some programs write elsewhere, and twice."""
    start = 0
    while data.startswith(EXIF_PREFIX, start):
        start += len(EXIF_PREFIX)
    return data[start:]
