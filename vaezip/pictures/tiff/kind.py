"""Find out from the directory of a TIFF what its samples are, and decode those that Pillow would change.

Pillow, by libtiff, decodes up to 8 bits and grey of 16; tifffile, where it is installed, the rest.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import ImageError
from vaezip.pictures.exact_kinds import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    PALETTE_ALPHA,
    RGB,
    Kind,
    Look,
    depth_remarks,
    library,
    unsupported,
)
from vaezip.pictures.picture import damage
from vaezip.pictures.tiff.directory import (
    BITS,
    CHANNELS,
    COLOURS,
    COMPRESSION,
    DEPTH,
    EXTRA,
    FILL_ORDER,
    HEIGHT,
    PHOTOMETRIC,
    PLANAR,
    PREDICTOR,
    SAMPLE_FORMAT,
    SUBFILE,
    TILE_HEIGHT,
    TILE_WIDTH,
    WIDTH,
    FirstDirectory,
    first_directory,
)
from vaezip.pictures.tiff.segments import GREATEST_TILE, JPEG_TODAY, NO_COMPRESSION, check_segments, segments

_JPEG = (6, JPEG_TODAY)
_WITH_PREDICTOR = {5, 8, 32946, 34925, 50000}
"""LZW, deflate, LZMA, zstd. In others libtiff leaves a predictor undone, and tifffile undoes it."""

_BY_PILLOW = {1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32809, 32946, 34925, 50000}
_BY_TIFFFILE = {1, 5, 8, 32773, 32946, 34712, 34887, 34925, 50000, 50001}

_SAMPLES = {1: "unsigned", 2: "signed", 3: "floating-point", 5: "complex signed", 6: "complex"}

_OTHER_COLOURS = {
    4: "mask",
    5: "CMYK",
    6: "YCbCr",
    8: "Lab",
    9: "Lab",
    10: "Lab",
    32803: "sensor (CFA)",
    32844: "LogL",
    32845: "LogLuv",
    34892: "linear raw",
}


def look_at_tiff(data: bytes) -> Look:
    """Tell what a TIFF holds, by the tags of its first directory."""
    tags = first_directory(data)
    width, height = tags.value(WIDTH, 0), tags.value(HEIGHT, 0)
    if width < 1 or height < 1:
        raise damage("it has no width or no height")
    if tags.tiff.big and tags.tiff.order == ">":
        raise unsupported("big-endian BigTIFF", "TIFF of the other byte order")  # Pillow finds no metadata there
    if tags.value(SUBFILE, 0) & 1:
        raise ImageError("begins with a thumbnail of another picture in it, as raw files of cameras do")
    if tags.value(PREDICTOR, 1) != 1 and tags.value(COMPRESSION, 1) not in _WITH_PREDICTOR:
        raise unsupported("TIFF with a predictor in a compression that has none", "TIFF in compression 8 (deflate)")
    if tags.value(TILE_WIDTH, 1) * tags.value(TILE_HEIGHT, 1) > max(width * height * 4, GREATEST_TILE):
        raise damage("its tiles are larger than the picture")
    if tags.value(DEPTH, 1) != 1:
        raise unsupported("three-dimensional TIFF", "single slices")
    kind = _kind(tags)
    colours = _palette(tags, kind) if kind.colour in (PALETTE, PALETTE_ALPHA) else None
    look = Look(kind, width, height, palette=colours, remarks=depth_remarks(kind.bits))
    look = replace(look, check=lambda: check_segments(tags, kind))
    if _is_for_pillow(tags, kind):
        return look
    _check_compression(tags, kind)
    return replace(look, decode=lambda: _by_tifffile(tags, look), needs=("tifffile", "imagecodecs"))


def _palette(tags: FirstDirectory, kind: Kind) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return the colours of a palette: of 8 bits where those are all that the 16 stored bits say."""
    stored = np.array(tags.values(COLOURS), np.uint16)
    if len(stored) != 3 << kind.bits:
        raise damage("its palette has not the right number of colours")
    colours = stored.reshape(3, -1).T
    deep = (colours % 256 != 0) & (colours % 257 != 0)
    if deep.any() and kind.colour == PALETTE_ALPHA:
        raise unsupported("16-bit palette and alpha TIFF", "16-bit PNG")
    return np.ascontiguousarray(colours) if deep.any() else (colours >> 8).astype(np.uint8)


def _kind(tags: FirstDirectory) -> Kind:
    channels = tags.value(CHANNELS, 1)
    bits, formats = set(tags.values(BITS, (1,))), set(tags.values(SAMPLE_FORMAT, (1,)))
    if len(bits) != 1 or len(formats) != 1:
        raise unsupported("TIFF with channels of different depths", "PNG")
    (format,) = formats
    return Kind("TIFF", _colour(tags, channels), bits.pop(), _SAMPLES.get(format, "undefined"))


def _colour(tags: FirstDirectory, channels: int) -> str:
    photometric = tags.value(PHOTOMETRIC, 0)
    if photometric == 6 and tags.value(COMPRESSION, 1) in _JPEG:
        return RGB if channels == 3 else "multi-channel"  # libjpeg's, as of any JPEG
    base = {0: GREY, 1: GREY, 2: RGB, 3: PALETTE}.get(photometric)
    if base is None:
        return _OTHER_COLOURS.get(photometric, f"photometric {photometric}")
    extra = channels - (3 if base == RGB else 1)
    if extra == 0:
        return base
    meaning = tags.value(EXTRA, 2 if base == RGB else 0)  # some writers leave it out for RGBA
    if extra == 1 and meaning in (2, 999):  # 999: an old CorelDRAW
        return f"{base} and alpha"
    return f"{base} and premultiplied alpha" if extra == 1 and meaning == 1 else "multi-channel"


def _is_for_pillow(tags: FirstDirectory, kind: Kind) -> bool:
    """Tell whether Pillow decodes a TIFF exactly, so far as its kind is exact at all."""
    if tags.value(COMPRESSION, 1) not in _BY_PILLOW:
        return False
    if tags.value(PLANAR, 1) == 2 and kind.colour in (GREY_ALPHA, PALETTE_ALPHA):
        return False  # Pillow takes the second plane for more of the first
    if tags.value(PHOTOMETRIC, 0) == 0 and kind.colour == GREY_ALPHA:
        return False
    plain = kind.colour == GREY and tags.value(PHOTOMETRIC, 0) == 1 and tags.value(FILL_ORDER, 1) == 1
    return kind.bits <= 8 or (plain and (kind.bits == 16 or (kind.bits == 12 and tags.tiff.order == "<")))


def _check_compression(tags: FirstDirectory, kind: Kind) -> None:
    compression = tags.value(COMPRESSION, 1)
    if compression not in _BY_TIFFFILE or kind.bits < 8 or kind.colour == PALETTE_ALPHA:
        raise unsupported(f"{kind} in compression {compression}", "TIFF in compression 8 (deflate)")


def _by_tifffile(tags: FirstDirectory, look: Look) -> NDArray[Any]:
    """Decode the samples of the first directory by tifffile."""
    kind, data = look.kind, tags.data
    for place, count, size in segments(tags):
        if count == 0 or place + count > len(data):
            raise damage("a strip or tile of it lies behind its end")
        if tags.value(COMPRESSION, 1) == NO_COMPRESSION and count < size:
            raise damage("a strip or tile of it ends early")
    with library("tifffile", kind).TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        array = np.asarray(page.asarray(maxworkers=1))
        if page.axes.startswith("S"):
            array = np.moveaxis(array, 0, -1)
    if array.shape[:2] != (look.height, look.width) or array.dtype.kind != "u":
        raise damage(f"its samples are {array.shape} of {array.dtype}")
    greatest = (1 << kind.bits) - 1
    if array.max() > greatest:
        raise damage(f"a sample has more than {kind.bits} bits")
    return _white_is_greatest(array, greatest) if tags.value(PHOTOMETRIC, 0) == 0 else array


def _white_is_greatest(array: NDArray[Any], greatest: int) -> NDArray[Any]:
    """Invert the grey of a picture in which white is 0, and not its alpha."""
    inverted = greatest - array
    if array.ndim == 3:
        inverted[..., 1:] = array[..., 1:]
    return inverted
