"""Read and write every format but PNG by Pillow, and refuse pictures that Pillow would change without a word."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from vaezip.errors import ImageError
from vaezip.pictures.avif.kind import look_at_avif
from vaezip.pictures.bmp.kind import look_at_bmp
from vaezip.pictures.bmp.metadata import with_resolution
from vaezip.pictures.exact_kinds import PALETTE, RGB, RGBA, Kind, Look, unsupported, way
from vaezip.pictures.formats import BY_SUFFIX, READABLE, foreign_name, format_name
from vaezip.pictures.gif import extent_of_gif
from vaezip.pictures.jpeg.kind import look_at_jpeg
from vaezip.pictures.jpeg2000.kind import look_at_jpeg2000
from vaezip.pictures.library_messages import Heard, overheard
from vaezip.pictures.metadata import find_metadata
from vaezip.pictures.picture import Picture, as_samples, check_size, damage, first_line, sort_boxes
from vaezip.pictures.pnm.kind import look_at_pnm
from vaezip.pictures.tiff.kind import look_at_tiff
from vaezip.pictures.tiff.writing import with_metadata, without_metadata
from vaezip.pictures.webp import extent_of_webp


class _PillowSwitches:
    """Pillow's two global switches, held while any thread is decoding here.

    A picture must be complete, whatever the rest of the process allows, and its size is
    limited by our own ``max_pixels``, which neither warns nor changes with Pillow's limit.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before: tuple[bool, int | None] = (False, None)

    def __enter__(self) -> None:
        with self._lock:
            if self._users == 0:
                self._before = (ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS)
                ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = False, None
            self._users += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = self._before


_SWITCHES = _PillowSwitches()


@contextmanager
def decoding() -> Iterator[None]:
    """Turn every exception of Pillow inside into an :class:`ImageError`, and keep its messages from standard error."""
    with _SWITCHES, overheard(), refusing(damage):
        yield


@contextmanager
def refusing(refusal: Callable[[str], ImageError]) -> Iterator[None]:
    """Turn every exception inside into an :class:`ImageError` that a function makes of its reason."""
    try:
        yield
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError("there is not enough memory for the picture") from error
    except Exception as error:  # on damaged input and unfit samples Pillow raises nearly every kind
        raise refusal(first_line(error)) from error


# Reading the other formats

_NAMES = {name.upper(): name for name in READABLE}

_LOOKS: dict[str, Callable[[bytes], Look]] = {
    "TIFF": look_at_tiff,
    "BMP": look_at_bmp,
    "PPM": look_at_pnm,
    "GIF": lambda data: _look_at_gif(data),
    "WEBP": lambda data: _look_by_pillow(data, "WebP", {"RGBA": RGBA}, RGB),
    "JPEG": look_at_jpeg,
    "JPEG2000": look_at_jpeg2000,
    "AVIF": look_at_avif,
}
"""How to tell what a file holds, by the name of its format."""

_EXTENTS: dict[str, Callable[[bytes], tuple[int, int]]] = {"GIF": extent_of_gif, "WEBP": extent_of_webp}
"""Width and height for which Pillow takes memory when it opens a file, by the name of its format."""

_ASKED = ("AVIF",)
"""The formats whose metadata Pillow tells, whoever decodes the samples."""


def read_by_pillow(data: bytes, max_pixels: int) -> Picture:
    """Read a picture of any format but PNG, by Pillow or, where Pillow would change it, by another reader."""
    name = format_name(data)
    if name not in _LOOKS:
        if foreign := foreign_name(data):
            raise unsupported(foreign, "PNG")
        raise ImageError(f"not a picture that vaezip can read, or a damaged one (it reads {', '.join(READABLE)})")
    if name in _EXTENTS:
        check_size(*_EXTENTS[name](data), max_pixels)
    look = _LOOKS[name](data)
    check_size(look.width, look.height, max_pixels)
    modes = way(look).modes
    if look.check is not None:
        look.check()
    with overheard() as heard, _blaming(heard):
        if look.decode is not None and name not in _ASKED:  # Pillow would misread the file, or refuse it
            found, palette, (mode, array) = find_metadata(name, data, None), b"", (modes[0], look.decode())
        else:
            with _open(without_metadata(data) if name == "TIFF" else data, name) as image:
                found = find_metadata(name, data, image)
                mode, array = _decoded(look, modes, image)
                palette = _palette(look, image) if mode == "P" else b""
    samples = as_samples(array if array.flags.writeable else array.copy(), mode)
    if mode not in modes or samples.shape[:2] != (look.height, look.width):
        raise ImageError(f"a kind of {look.kind.format} that vaezip does not read ({mode} in the place of {modes[0]})")
    found.keep("palette", palette)
    for name in (*look.remarks, *(f"malformed metadata ({warning})" for warning in heard.warnings)):
        found.drop(name)
    return Picture(mode, samples, sort_boxes(list(found.boxes.items())), found.dropped)


@contextmanager
def _blaming(heard: Heard) -> Iterator[None]:
    """Refuse a picture about which its decoder complained, whether or not Pillow raised an error for it."""
    try:
        yield
    finally:
        if any("not configured" in error for error in heard.errors):
            raise ImageError("is compressed in a way that this Pillow does not read")
        if heard.errors:
            raise damage(heard.errors[0])


def _open(data: bytes, name: str) -> ImageFile.ImageFile:
    """Open a file of a format by Pillow, which decodes nothing yet."""
    try:
        return Image.open(io.BytesIO(data), formats=[name])
    except UnidentifiedImageError as error:
        raise ImageError(f"a kind of {_NAMES[name]} that vaezip does not read, or a damaged one") from error


def _look_by_pillow(data: bytes, format: str, colours: dict[str, str], other: str) -> Look:
    """Tell what a file holds of a format whose every kind Pillow reads exactly."""
    with _open(data, format.upper()) as image:
        return Look(Kind(format, colours.get(image.mode, other), 8), image.width, image.height)


def _look_at_gif(data: bytes) -> Look:
    """Tell what a GIF holds, and refuse one whose frame leaves a part of its screen without samples."""
    with _open(data, "GIF") as image:
        frame = image.tile[0][1] if image.tile else None
        if frame and frame != (0, 0, *image.size) and "transparency" not in image.info:
            raise ImageError("is a GIF whose frame does not fill its screen; convert to PNG first")
        return Look(Kind("GIF", PALETTE, 8), image.width, image.height)


def _decoded(look: Look, modes: tuple[str, ...], image: ImageFile.ImageFile) -> tuple[str, NDArray[Any]]:
    """Return the mode and the samples of a picture whose kind is known to be read exactly."""
    if look.decode is not None:
        return modes[0], look.decode()
    image.load()
    stored = image.convert("RGBA") if image.mode == "PA" else image
    array = np.array(stored)
    if stored.mode == "P" and look.palette is not None and look.palette.dtype == np.uint16:
        return "RGB;16", look.palette[array]
    return "I;16" if stored.mode.startswith("I") else stored.mode, array  # I;16 of either byte order


def _palette(look: Look, image: Image.Image) -> bytes:
    return bytes(image.getpalette("RGB") or []) if look.palette is None else look.palette.tobytes()


# Writing the other formats


_WITH_METADATA: dict[str, Callable[[bytes, Picture], bytes]] = {"TIFF": with_metadata, "BMP": with_resolution}
"""What puts the metadata into a file that Pillow wrote, because Pillow would round them."""


def write_by_pillow(picture: Picture, suffix: str) -> bytes:
    """Return the bytes of a picture file in any format but PNG."""
    file = io.BytesIO()
    with refusing(lambda reason: ImageError(f"cannot be written as '{suffix}' ({reason}); choose .png")):
        to_pillow(picture).save(file, BY_SUFFIX[suffix].name.upper(), **_save_options(picture, suffix))
        written = _WITH_METADATA.get(BY_SUFFIX[suffix].name)
        return written(file.getvalue(), picture) if written else file.getvalue()


def to_pillow(picture: Picture) -> Image.Image:
    """Turn a picture into an image of Pillow."""
    height, width, _ = picture.samples.shape
    if picture.mode == "1":
        return Image.frombytes("1", (width, height), np.packbits(picture.samples[..., 0], axis=1).tobytes())
    samples = picture.samples.astype("<u2", copy=False) if picture.mode == "I;16" else picture.samples
    image = Image.frombuffer(picture.mode, (width, height), samples, "raw", picture.mode, 0, 1)
    if picture.mode == "P":
        image.putpalette(picture.box("palette") or b"")
    return image


_WEBP_NAMES = {"icc": "icc_profile", "exif": "exif", "xmp": "xmp"}


def _save_options(picture: Picture, suffix: str) -> dict[str, Any]:
    """Return what Pillow needs beside the pixels: how to compress, and the metadata that it writes as they are."""
    format = BY_SUFFIX[suffix]
    boxes = {name: data for name, data in picture.boxes if format.keeps(name)}
    options: dict[str, Any] = {}
    match format.name:
        case "WebP":
            options |= {_WEBP_NAMES[name]: data for name, data in boxes.items()}
            options |= {"lossless": True, "exact": True, "method": 4}
        case "TIFF":
            options["compression"] = "tiff_adobe_deflate"
    return options
