"""Read and write every format but PNG by Pillow, and refuse pictures that Pillow would change without a word."""

from __future__ import annotations

import functools
import io
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image, ImageFile, TiffImagePlugin, TiffTags, UnidentifiedImageError

from vaezip.errors import ImageError
from vaezip.pictures.formats import BY_SUFFIX, READABLE, is_jpeg
from vaezip.pictures.picture import (
    ANIMATED,
    EXIF_PREFIX,
    MODES,
    SEVERAL,
    Box,
    Picture,
    Samples,
    as_samples,
    check_size,
    damage,
    first_line,
    sort_boxes,
)


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
    """Turn every exception of Pillow inside into an :class:`ImageError`."""
    with _SWITCHES:
        try:
            yield
        except ImageError:
            raise
        except UnidentifiedImageError as error:
            raise ImageError(
                f"not a picture that vaezip can read, or a damaged one (it reads {', '.join(READABLE)})"
            ) from error
        except MemoryError as error:
            raise ImageError("there is not enough memory for the picture") from error
        except Exception as error:  # on damaged input Pillow raises nearly every kind
            raise damage(first_line(error)) from error


# Reading the other formats

ORIENTATION = 0x0112
# description, maker, model, orientation, software, date, artist, computer, copyright
PLAIN_TAGS = frozenset({0x010E, 0x010F, 0x0110, ORIENTATION, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298})

_REMEDIES = {
    "CMYK": "RGB",
    "YCbCr": "RGB",
    "HSV": "RGB",
    "LAB": "RGB",
    "RGBX": "RGB",
    "La": "LA",
    "RGBa": "RGBA",
    "F": "16-bit grey",
}


@functools.cache
def _pillow_formats() -> tuple[str, ...]:
    """Return the formats that we read and this Pillow knows, as it names them."""
    Image.init()
    return tuple(name.upper() for name in READABLE if name.upper() in Image.OPEN)


def format_name(data: bytes) -> str | None:
    """Return the format of a picture file as Pillow names it, None where the bytes are of no such file.

    A JPEG is one also where it is damaged, or where further pictures or a film stand behind the first picture.
    """
    if is_jpeg(data):
        return "JPEG"
    try:
        with Image.open(io.BytesIO(data), formats=_pillow_formats()) as image:
            return image.format
    except Exception:  # on damaged input Pillow raises nearly every kind
        return None


def read_by_pillow(data: bytes, max_pixels: int) -> Picture:
    """Read a picture of any format but PNG."""
    with Image.open(io.BytesIO(data), formats=_pillow_formats()) as image:
        check_size(image.width, image.height, max_pixels)
        if getattr(image, "is_animated", False):
            raise ImageError(SEVERAL if image.format in ("TIFF", "MPO") else ANIMATED)
        _refuse_inexact(image, data)
        boxes = _info_boxes(image)
        upright = _load_as_stored(image)
        mode, samples = _exact_samples(upright)
        if mode == "P":
            boxes.append(("palette", bytes(upright.getpalette("RGB") or [])))
        return Picture(mode, samples, sort_boxes(boxes), tuple(_dropped(image)))


def _refuse_inexact(image: ImageFile.ImageFile, data: bytes) -> None:
    """Refuse modes that have no exact counterpart, and pictures that Pillow would change without a word."""
    if image.mode in _REMEDIES:
        raise _unsupported(image.mode, _REMEDIES[image.mode])
    match image.format:
        case "TIFF":
            _refuse_inexact_tiff(image)
        case "PPM":
            _refuse_inexact_ppm(image)
        case "JPEG2000":
            _refuse_inexact_jpeg2000(image, data)


def _refuse_inexact_ppm(image: ImageFile.ImageFile) -> None:
    """Refuse greatest values other than those of 8 and 16 bits, to which Pillow stretches the samples."""
    args = image.tile[0][3]
    greatest = args[-1] if isinstance(args, tuple) else 255
    if image.mode == "RGB" and greatest > 255:
        raise _unsupported("16-bit colour PPM", "16-bit PNG")
    if greatest not in (255, 65535):
        raise ImageError(
            f"PGM and PPM whose greatest value is {greatest} are not supported; write it with 255 or 65535 first"
        )


def _unsupported(what: str, remedy: str) -> ImageError:
    return ImageError(f"{what} pictures are not supported; convert to {remedy} first")


def _refuse_inexact_tiff(image: Image.Image) -> None:
    assert isinstance(image, TiffImagePlugin.TiffImageFile)
    tags = image.tag_v2
    extra = tags.get(TiffImagePlugin.EXTRASAMPLES, ())
    depth = max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    photometric = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION)
    if photometric == 6 and "jpeg" not in image.info["compression"]:
        raise _unsupported("YCbCr", "RGB")
    if 1 in extra:
        raise _unsupported("RGBa", "RGBA")
    if 0 in extra:
        raise _unsupported("multi-channel TIFF", "RGB or RGBA")
    if depth > 8 and image.mode in ("RGB", "RGBA"):
        raise _unsupported("16-bit colour TIFF", "16-bit PNG")
    if depth > 8 and photometric == 0:
        raise _unsupported("16-bit white-is-zero TIFF", "16-bit PNG")
    if any(value % 256 and value % 257 for value in tags.get(TiffImagePlugin.COLORMAP, ())):
        raise _unsupported("16-bit palette TIFF", "16-bit PNG")


def _refuse_inexact_jpeg2000(image: Image.Image, data: bytes) -> None:
    """Look at the codestream: SIZ, its first marker, tells the bits of each component, and EOC ends it."""
    siz = data.index(b"\xff\x4f\xff\x51") + 4
    components = int.from_bytes(data[siz + 36 : siz + 38], "big")
    depths = data[siz + 38 : siz + 38 + 3 * components : 3]
    if image.mode != "I;16" and any((depth & 0x7F) >= 8 for depth in depths):
        raise _unsupported("16-bit colour JPEG 2000", "16-bit PNG")
    if image.palette is not None and image.palette.mode != "RGB":
        raise _unsupported(f"{image.palette.mode} palette JPEG 2000", "RGBA PNG")
    if data.find(b"\xff\xd9", siz) < 0:
        raise damage("it has no end")


def _load_as_stored(image: ImageFile.ImageFile) -> Image.Image:
    """Decode an image; of TIFF, undo the orientation that Pillow applies to it."""
    orientation = image.getexif().get(ORIENTATION, 1) if image.format == "TIFF" else 1
    image.load()
    return image.transpose(_UNDO[orientation]) if orientation in _UNDO else image


_UNDO = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def _exact_samples(image: Image.Image) -> tuple[str, Samples]:
    """Return the mode and samples that represent a Pillow image exactly."""
    if image.mode == "PA":
        image = image.convert("RGBA")
    if image.mode in MODES:
        return image.mode, as_samples(np.array(image), image.mode)
    array = np.array(image)  # I, or I;16 of either byte order
    if array.min() < 0 or array.max() > 65535:
        raise ImageError("grey pictures of more than 16 bits are not supported; convert to 16-bit grey first")
    return "I;16", as_samples(array, "I;16")


def _info_boxes(image: ImageFile.ImageFile) -> list[Box]:
    """Return the metadata that Pillow finds, but for the palette, before decoding, which may change it."""
    info = image.info
    boxes = {
        "transparency": _transparency(info.get("transparency"), image.mode),
        "icc": info.get("icc_profile"),
        "exif": _tiff_exif(image) if image.format == "TIFF" else info.get("exif", b"").removeprefix(EXIF_PREFIX),
        "xmp": info.get("xmp"),
        "resolution": _resolution(image),
    }
    return [(name, bytes(data)) for name, data in boxes.items() if data]


def _transparency(value: int | None, mode: str) -> bytes | None:
    """Return the one transparent index of a GIF as PNG has it."""
    if value is None:
        return None
    return b"\xff" * value + b"\0" if mode == "P" else value.to_bytes(2, "big")


def _resolution(image: Image.Image) -> bytes | None:
    if isinstance(image, TiffImagePlugin.TiffImageFile) and TiffImagePlugin.X_RESOLUTION not in image.tag_v2:
        return None  # Pillow makes up one pixel per inch
    try:
        across, down = (round(float(dots) / 0.0254) for dots in image.info["dpi"])
        return struct.pack(">IIB", across, down, 1) if across and down else None
    except (KeyError, TypeError, ValueError, ArithmeticError, struct.error):
        return None


_DIRECTORY_TAGS = frozenset({0x8769, 0x8825})  # EXIF, GPS
_XMP_TAG, _ICC_TAG = 0x02BC, 0x8773

# resolution, palette, and how the pixels are stored
_LAYOUT_TAGS = frozenset({*range(0xFE, 0x10D), *range(0x111, 0x11D), *range(0x120, 0x126), 0x128, 0x13D, 0x15B})
_LAYOUT_TAGS |= {*range(0x140, 0x149), 0x152, 0x153, *range(0x200, 0x20A), *range(0x211, 0x215)}


def _tiff_exif(image: Image.Image) -> bytes | None:
    exif = _only(image.getexif(), PLAIN_TAGS | _DIRECTORY_TAGS)
    return exif.tobytes().removeprefix(EXIF_PREFIX) if exif else None


def _dropped(image: ImageFile.ImageFile) -> Iterator[str]:
    """Yield the names of the metadata that Pillow finds and no box can hold."""
    yield from (name for name in ("comment", "photoshop") if image.info.get(name))
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        known = PLAIN_TAGS | _DIRECTORY_TAGS | _LAYOUT_TAGS | {_XMP_TAG, _ICC_TAG}
        for tag in sorted(set(image.tag_v2) - known):
            name = TiffTags.lookup(tag).name
            yield f"tag {tag}" if name == "unknown" else name


def _only(exif: Image.Exif, tags: frozenset[int]) -> Image.Exif:
    """Take all other tags away: most of them tell how a file is laid out, not what the picture is."""
    for tag in set(exif) - tags:
        del exif[tag]
    return exif


# Writing the other formats


def write_by_pillow(picture: Picture, suffix: str) -> bytes:
    """Return the bytes of a picture file in any format but PNG."""
    file = io.BytesIO()
    try:
        to_pillow(picture).save(file, BY_SUFFIX[suffix].name.upper(), **_save_options(picture, suffix))
    except Exception as error:  # Pillow raises many kinds for what a format cannot hold
        raise ImageError(f"cannot be written as '{suffix}' ({first_line(error)}); choose .png") from error
    return file.getvalue()


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


def _save_options(picture: Picture, suffix: str) -> dict[str, Any]:
    """Return what Pillow needs beside the pixels: how to compress, and the metadata that the format keeps."""
    format = BY_SUFFIX[suffix]
    boxes = {name: data for name, data in picture.boxes if format.keeps(name)}
    options: dict[str, Any] = {}
    if "icc" in boxes:
        options["icc_profile"] = boxes["icc"]
    if "resolution" in boxes and boxes["resolution"][8] == 1:
        options["dpi"] = tuple(count * 0.0254 for count in struct.unpack(">II", boxes["resolution"][:8]))
    match format.name:
        case "WebP":
            options |= {name: boxes[name] for name in ("exif", "xmp") if name in boxes}
            options |= {"lossless": True, "exact": True, "method": 4}
        case "TIFF":
            options |= {"compression": "tiff_adobe_deflate", "exif": _exif_for_tiff(boxes)}
    return options


def has_exif_for_tiff(data: bytes) -> bool:
    """Tell whether TIFF keeps all of some EXIF data."""
    exif = Image.Exif()
    exif.load(data)
    return set(exif) <= PLAIN_TAGS


def _exif_for_tiff(boxes: dict[str, bytes]) -> Image.Exif:
    exif = Image.Exif()
    exif.load(boxes.get("exif", b""))
    _only(exif, PLAIN_TAGS)  # libtiff as Pillow calls it writes no directories
    if "xmp" in boxes:
        exif[_XMP_TAG] = boxes["xmp"]
    return exif
