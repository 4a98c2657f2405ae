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

import functools
import io
import os
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, TiffImagePlugin, TiffTags, UnidentifiedImageError
from PIL.PngImagePlugin import PngImageFile

from vaezip.errors import ImageError

Samples: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]
Box: TypeAlias = tuple[str, bytes]

DEFAULT_MAX_PIXELS = 1 << 28


@dataclass(frozen=True)
class Mode:
    """How the samples of a picture are to be understood.

    ``channels`` is the last dimension of the samples; ``bits`` is 1, 8 or 16, and
    samples of 1 and 8 bits are ``uint8``, samples of 16 bits ``uint16``.
    """

    channels: int
    bits: int

    @property
    def dtype(self) -> np.dtype[np.uint8] | np.dtype[np.uint16]:
        """The type of the samples."""
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
"""The modes by name.  Their order is their number in the file format."""

BOXES: tuple[str, ...] = ("palette", "transparency", "icc", "exif", "xmp", "text", "resolution", "gamma")
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
"""


@dataclass(frozen=True, eq=False)
class Picture:
    """The samples of one picture and its metadata.

    ``samples`` has the shape (height, width, channels) and is C-contiguous.  Mode ``1`` has
    the values 0 (black) and 1 (white), mode ``P`` indices into the palette, the others 0 up to
    the greatest value of their bits.  ``boxes`` is in the order of :data:`BOXES`.  ``dropped``
    is no part of the picture: it names the metadata in its file that :func:`read` could not keep.

    Raises :class:`ImageError` where mode, samples and boxes do not fit together.
    """

    mode: str
    samples: Samples
    boxes: tuple[Box, ...] = ()
    dropped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ImageError(f"{self.mode!r} is not a mode of a picture")
        _check_samples(self.samples, self.mode)
        _check_boxes(self.boxes, self.mode)

    def box(self, name: str) -> bytes | None:
        """The data of the first box of that name, or None."""
        return next((data for found, data in self.boxes if found == name), None)


def same(a: Picture, b: Picture) -> bool:
    """Whether two pictures have equal modes, samples and boxes."""
    return a.mode == b.mode and a.boxes == b.boxes and np.array_equal(a.samples, b.samples)


def _check_samples(samples: Samples, mode: str) -> None:
    channels, dtype = MODES[mode].channels, MODES[mode].dtype
    if samples.dtype != dtype:
        raise ImageError(f"the samples of mode {mode} must be {dtype}, not {samples.dtype}")
    if samples.ndim != 3 or samples.shape[2] != channels or samples.size == 0:
        raise ImageError(f"the samples of mode {mode} must be (height, width, {channels}), not {samples.shape}")
    if not samples.flags.c_contiguous:
        raise ImageError("the samples must be C-contiguous")
    if mode == "1" and samples.max() > 1:
        raise ImageError("the samples of mode 1 must be 0 or 1")


def _check_boxes(boxes: tuple[Box, ...], mode: str) -> None:
    names = [name for name, _ in boxes]
    if not set(names) <= set(BOXES):
        raise ImageError(f"unknown metadata: {', '.join(sorted(set(names) - set(BOXES)))}")
    if names != sorted(names, key=BOXES.index):
        raise ImageError(f"the metadata must be in the order {', '.join(BOXES)}")
    repeated = {name for name in names if name != "text" and names.count(name) > 1}
    if repeated:
        raise ImageError(f"the metadata has more than one {repeated.pop()}")
    if ("palette" in names) != (mode == "P"):
        raise ImageError("a picture has a palette if and only if its mode is P")
    for name, data in boxes:
        if not _box_fits(name, data, mode):
            raise ImageError(f"the {name} of {len(data)} bytes is malformed or does not suit mode {mode}")


def _box_fits(name: str, data: bytes, mode: str) -> bool:
    match name:
        case "palette":
            return 3 <= len(data) <= 768 and len(data) % 3 == 0
        case "transparency" if mode == "P":
            return 1 <= len(data) <= 256
        case "transparency":
            return "A" not in mode and len(data) == 2 * MODES[mode].channels
        case "text":
            return data.count(b"\0") >= 3
        case "resolution":
            return len(data) == 9
        case "gamma":
            return len(data) == 4
    return True


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
    with _decoding():
        if data.startswith(_PNG_SIGNATURE):
            return _read_png(data, max_pixels)
        return _read_other(data, max_pixels)


def _file_bytes(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ImageError(f"cannot be read: {reason}") from error


def _damaged(reason: str) -> ImageError:
    return ImageError(f"the picture is truncated or damaged ({reason})")


def _reason(error: Exception) -> str:
    """The first line of what an exception says, or its kind if it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


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
def _decoding() -> Iterator[None]:
    """Turns what Pillow raises into :class:`ImageError`."""
    with _SWITCHES:
        try:
            yield
        except ImageError:
            raise
        except UnidentifiedImageError as error:
            raise ImageError(
                f"not a picture that vaezip can read, or a damaged one (it reads {', '.join(_FORMATS)})"
            ) from error
        except MemoryError as error:
            raise ImageError("there is not enough memory for the picture") from error
        except Exception as error:  # on damaged input Pillow raises nearly every kind
            raise _damaged(_reason(error)) from error


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise ImageError(f"{width * height} pixels are more than the limit of {max_pixels}; raise it with --max-pixels")


_ANIMATED = "animated pictures are not supported; save one frame as PNG"
_SEVERAL = "holds several pictures; save them singly"


def _as_samples(array: NDArray[Any], mode: str) -> Samples:
    """An array of (height, width) or (height, width, channels) as the samples of a mode."""
    samples: NDArray[Any] = np.ascontiguousarray(array, MODES[mode].dtype)
    return samples.reshape(*array.shape[:2], -1)


def _ordered(boxes: list[Box]) -> tuple[Box, ...]:
    return tuple(sorted(boxes, key=lambda box: BOXES.index(box[0])))


# Reading PNG

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EXIF_PREFIX = b"Exif\0\0"
_XMP_KEYWORD = b"XML:com.adobe.xmp"
_MAX_METADATA = 1 << 26  # what compressed metadata may expand to

_PNG_MODES = {
    # (bit depth, colour type) of IHDR
    (1, 0): "1",
    (2, 0): "L",
    (4, 0): "L",
    (8, 0): "L",
    (16, 0): "I;16",
    (8, 2): "RGB",
    (16, 2): "RGB;16",
    (1, 3): "P",
    (2, 3): "P",
    (4, 3): "P",
    (8, 3): "P",
    (8, 4): "LA",
    (16, 4): "LA;16",
    (8, 6): "RGBA",
    (16, 6): "RGBA;16",
}

_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


class _Header(NamedTuple):
    """The fields of IHDR."""

    width: int
    height: int
    depth: int
    colour: int
    compression: int
    filtering: int
    interlace: int

    @property
    def mode(self) -> str:
        return _PNG_MODES[self.depth, self.colour]


class _Chunk(NamedTuple):
    """A chunk of a PNG: its name, its data, and the whole of it with length and checksum."""

    name: bytes
    data: memoryview
    whole: memoryview


def _read_png(data: bytes, max_pixels: int) -> Picture:
    chunks = list(_png_chunks(data))
    header = _png_header(chunks[0])
    _check_size(header.width, header.height, max_pixels)
    if any(chunk.name == b"acTL" for chunk in chunks):
        raise ImageError(_ANIMATED)
    _check_pixel_data(chunks, header)
    dropped = dict.fromkeys(chunk.name.decode("latin-1") for chunk in chunks if not _is_kept(chunk.name, header))
    return Picture(header.mode, _png_samples(chunks, header), _png_boxes(chunks, header), tuple(dropped))


def _png_chunks(data: bytes) -> Iterator[_Chunk]:
    """The chunks up to IEND, each with its checksum verified."""
    view, place = memoryview(data), len(_PNG_SIGNATURE)
    while True:
        if place + 12 > len(data):
            raise _damaged("the file ends before its end chunk")
        length, name = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if end > len(data):
            raise _damaged("the file ends inside a chunk")
        if zlib.crc32(view[place + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise _damaged("a chunk has a wrong checksum")
        yield _Chunk(name, view[place + 8 : end - 4], view[place:end])
        if name == b"IEND":
            return
        place = end


def _png_header(chunk: _Chunk) -> _Header:
    if chunk.name != b"IHDR" or len(chunk.data) != 13:
        raise _damaged("it does not begin with a header")
    header = _Header(*struct.unpack(">IIBBBBB", chunk.data))
    known = (header.depth, header.colour) in _PNG_MODES and header.compression == header.filtering == 0
    if not known or header.interlace > 1 or 0 in (header.width, header.height):
        raise _damaged("its header has unknown values")
    return header


def _check_pixel_data(chunks: list[_Chunk], header: _Header) -> None:
    """Pillow takes pixel data that ends after any full row as complete, so the bytes are counted."""
    missing, stream = _pixel_data_size(header), zlib.decompressobj()
    for chunk in chunks:
        if chunk.name != b"IDAT":
            continue
        for start in range(0, len(chunk.data), 1 << 16):
            missing -= len(stream.decompress(chunk.data[start : start + (1 << 16)]))
            if missing <= 0:
                return
    raise _damaged("the pixel data are too short")


def _pixel_data_size(header: _Header) -> int:
    """The bytes of the decompressed pixel data: every row has a filter byte before it."""
    bits = header.depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[header.colour]
    size = 0
    for x, y, across, down in _ADAM7 if header.interlace else ((0, 0, 1, 1),):
        columns, rows = -(-(header.width - x) // across), -(-(header.height - y) // down)
        if columns > 0 and rows > 0:
            size += rows * (1 + -(-columns * bits // 8))
    return size


def _png_samples(chunks: list[_Chunk], header: _Header) -> Samples:
    match header.mode:
        case "LA;16":
            # Four bytes per pixel are stored and filtered alike for 16-bit grey with alpha and for 8-bit RGBA.
            bytewise = _decode_png(chunks, header._replace(depth=8, colour=6))
            array: NDArray[Any] = bytewise.view(">u2")
        case "RGB;16" | "RGBA;16":
            # Pillow keeps one byte of each sample: the first if it takes them as big-endian, else the second.
            array = _decode_png(chunks, header, header.mode + "B").astype(np.uint16)
            array <<= 8
            array |= _decode_png(chunks, header, header.mode + "L")
        case _:
            array = _decode_png(chunks, header)
    return _as_samples(array, header.mode)


def _decode_png(chunks: list[_Chunk], header: _Header, rawmode: str | None = None) -> NDArray[Any]:
    """The pixels as Pillow decodes them from the chunks that matter to them."""
    wanted = [chunk.whole for chunk in chunks if chunk.name in (b"IDAT", b"IEND")]
    first = _chunk(b"IHDR", struct.pack(">IIBBBBB", *header))
    with PngImageFile(io.BytesIO(b"".join([_PNG_SIGNATURE, first, *wanted]))) as image:
        if rawmode is not None:
            tiles: list[Any] = [(*tile[:3], rawmode) for tile in image.tile]
            image.tile = tiles
        return np.array(image)


def _png_boxes(chunks: list[_Chunk], header: _Header) -> tuple[Box, ...]:
    boxes: dict[str, bytes] = {}
    texts: list[Box] = []
    room = _MAX_METADATA
    for chunk in chunks:
        box = _png_box(chunk.name, bytes(chunk.data), header, room) if chunk.name in _METADATA_CHUNKS else None
        if box is None:
            continue
        name, data = box
        room -= len(data)
        if name == "text":
            texts.append(box)
        elif name == "xmp" and name in boxes:
            texts.append(("text", _XMP_KEYWORD + b"\0\0\0" + data))
        else:
            boxes.setdefault(name, data)
    return _ordered([*boxes.items(), *texts])


_METADATA_CHUNKS = frozenset({b"PLTE", b"tRNS", b"gAMA", b"pHYs", b"eXIf", b"iCCP", b"tEXt", b"zTXt", b"iTXt"})


def _is_kept(name: bytes, header: _Header) -> bool:
    """Whether what a chunk says is in the picture."""
    if name == b"PLTE":
        return header.mode == "P"
    return name in _METADATA_CHUNKS or name in (b"IHDR", b"IDAT", b"IEND")


def _png_box(name: bytes, data: bytes, header: _Header, room: int) -> Box | None:
    """The box for one chunk of metadata, which may expand to ``room`` bytes."""
    match name:
        case b"PLTE":
            return ("palette", data) if header.mode == "P" else None
        case b"tRNS":
            return "transparency", _promoted(data, header)
        case b"gAMA":
            return "gamma", data
        case b"pHYs":
            return "resolution", data
        case b"eXIf":
            return "exif", data.removeprefix(_EXIF_PREFIX)
        case b"iCCP":
            return "icc", _inflated(data.partition(b"\0")[2], name, room)
        case b"tEXt":
            keyword, _, value = data.partition(b"\0")
            return _latin_text(keyword, value)
        case b"zTXt":
            keyword, _, value = data.partition(b"\0")
            return _latin_text(keyword, _inflated(value, name, room))
    return _international_text(data, room)


def _promoted(transparency: bytes, header: _Header) -> bytes:
    """The transparent grey of a picture of 2 or 4 bits as it is in 8 bits."""
    if header.colour != 0 or header.depth not in (2, 4):
        return transparency
    top = (1 << header.depth) - 1
    return ((int.from_bytes(transparency, "big") & top) * (255 // top)).to_bytes(2, "big")


def _inflated(data: bytes, name: bytes, room: int) -> bytes:
    """Expands the compression method (zero) and compressed data of a chunk."""
    stream = zlib.decompressobj()
    try:
        value = stream.decompress(data[1:], max(room, 1))
    except zlib.error as error:
        raise _damaged(f"bad data in a chunk {name.decode()}") from error
    if data[:1] != b"\0" or not stream.eof:
        raise _damaged(f"bad data in a chunk {name.decode()}")
    return value


def _latin_text(keyword: bytes, value: bytes) -> Box:
    return "text", (keyword + b"\0\0\0" + value).decode("latin-1").encode()


def _international_text(data: bytes, room: int) -> Box:
    keyword, _, rest = data.partition(b"\0")
    compressed, (language, *others) = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
    if len(others) != 2:
        raise _damaged("bad data in a chunk iTXt")
    translated, value = others
    if compressed:
        value = _inflated(rest[1:2] + value, b"iTXt", room)
    if keyword == _XMP_KEYWORD and not language and not translated:
        return "xmp", value
    return "text", b"\0".join([keyword.decode("latin-1").encode(), language, translated, value])


# Reading the other formats

_FORMATS = ("PNG", "WebP", "TIFF", "BMP", "PPM", "GIF", "JPEG", "JPEG2000", "AVIF")

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
    """Those of our formats that this Pillow knows, as it names them."""
    Image.init()
    return tuple(name.upper() for name in _FORMATS if name.upper() in Image.OPEN)


def _read_other(data: bytes, max_pixels: int) -> Picture:
    with Image.open(io.BytesIO(data), formats=_pillow_formats()) as image:
        _check_size(image.width, image.height, max_pixels)
        if getattr(image, "is_animated", False):
            raise ImageError(_SEVERAL if image.format in ("TIFF", "MPO") else _ANIMATED)
        _refuse_inexact(image, data)
        boxes = _info_boxes(image)
        upright = _load_as_stored(image)
        mode, samples = _exact_samples(upright)
        if mode == "P":
            boxes.append(("palette", bytes(upright.getpalette("RGB") or [])))
        return Picture(mode, samples, _ordered(boxes), tuple(_dropped(image)))


def _refuse_inexact(image: ImageFile.ImageFile, data: bytes) -> None:
    """Refuses modes that have no exact counterpart, and what Pillow would reduce or change without a word."""
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
    """Pillow stretches other greatest values than those of 8 and 16 bits to these."""
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
    """Looks at the codestream: SIZ, its first marker, tells the bits of each component, and EOC ends it."""
    siz = data.index(b"\xff\x4f\xff\x51") + 4
    components = int.from_bytes(data[siz + 36 : siz + 38], "big")
    depths = data[siz + 38 : siz + 38 + 3 * components : 3]
    if image.mode != "I;16" and any((depth & 0x7F) >= 8 for depth in depths):
        raise _unsupported("16-bit colour JPEG 2000", "16-bit PNG")
    if image.palette is not None and image.palette.mode != "RGB":
        raise _unsupported(f"{image.palette.mode} palette JPEG 2000", "RGBA PNG")
    if data.find(b"\xff\xd9", siz) < 0:
        raise _damaged("it has no end")


def _load_as_stored(image: ImageFile.ImageFile) -> Image.Image:
    """Decodes; of TIFF, undoes the orientation that Pillow applies to it."""
    orientation = image.getexif().get(_ORIENTATION, 1) if image.format == "TIFF" else 1
    image.load()
    return image.transpose(_UNDO[orientation]) if orientation in _UNDO else image


_ORIENTATION = 0x0112
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
    """The mode and samples that represent a Pillow image exactly."""
    if image.mode == "PA":
        image = image.convert("RGBA")
    if image.mode in MODES:
        return image.mode, _as_samples(np.array(image), image.mode)
    array = np.array(image)  # I, or I;16 of either byte order
    if array.min() < 0 or array.max() > 65535:
        raise ImageError("grey pictures of more than 16 bits are not supported; convert to 16-bit grey first")
    return "I;16", _as_samples(array, "I;16")


def _info_boxes(image: ImageFile.ImageFile) -> list[Box]:
    """The metadata that Pillow finds, but for the palette.  Asked before decoding, which may change it."""
    info = image.info
    found = {
        "transparency": _transparency(info.get("transparency"), image.mode),
        "icc": info.get("icc_profile"),
        "exif": _tiff_exif(image) if image.format == "TIFF" else info.get("exif", b"").removeprefix(_EXIF_PREFIX),
        "xmp": info.get("xmp"),
        "resolution": _resolution(image),
    }
    return [(name, bytes(data)) for name, data in found.items() if data]


def _transparency(value: int | None, mode: str) -> bytes | None:
    """The one transparent index of a GIF as PNG has it."""
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


# description, maker, model, orientation, software, date, artist, computer, copyright
_PLAIN_TAGS = frozenset({0x010E, 0x010F, 0x0110, _ORIENTATION, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298})
_DIRECTORY_TAGS = frozenset({0x8769, 0x8825})  # EXIF, GPS
_XMP_TAG, _ICC_TAG = 0x02BC, 0x8773

# resolution, palette, and how the pixels are stored
_LAYOUT_TAGS = frozenset({*range(0xFE, 0x10D), *range(0x111, 0x11D), *range(0x120, 0x126), 0x128, 0x13D, 0x15B})
_LAYOUT_TAGS |= {*range(0x140, 0x149), 0x152, 0x153, *range(0x200, 0x20A), *range(0x211, 0x215)}


def _tiff_exif(image: Image.Image) -> bytes | None:
    exif = _only(image.getexif(), _PLAIN_TAGS | _DIRECTORY_TAGS)
    return exif.tobytes().removeprefix(_EXIF_PREFIX) if exif else None


def _dropped(image: ImageFile.ImageFile) -> Iterator[str]:
    """What Pillow finds of metadata that no box can hold."""
    yield from (name for name in ("comment", "photoshop") if image.info.get(name))
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        kept = _PLAIN_TAGS | _DIRECTORY_TAGS | _LAYOUT_TAGS | {_XMP_TAG, _ICC_TAG}
        for tag in sorted(set(image.tag_v2) - kept):
            name = TiffTags.lookup(tag).name
            yield f"tag {tag}" if name == "unknown" else name


def _only(exif: Image.Exif, tags: frozenset[int]) -> Image.Exif:
    """Takes away all other tags: most of them tell how a file is laid out, not what the picture is."""
    for tag in set(exif) - tags:
        del exif[tag]
    return exif


# Writing


class _Container(NamedTuple):
    """A format to write: its name for Pillow, the modes it gives back exactly, and the boxes it keeps."""

    format: str
    modes: tuple[str, ...]
    boxes: tuple[str, ...]


_TIFF = _Container(
    "TIFF", ("1", "L", "LA", "RGB", "RGBA", "P", "I;16"), ("palette", "icc", "exif", "xmp", "resolution")
)

_CONTAINERS = {
    ".png": _Container("PNG", tuple(MODES), BOXES),
    ".webp": _Container("WEBP", ("RGB", "RGBA"), ("icc", "exif", "xmp")),
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".bmp": _Container("BMP", ("1", "L", "RGB"), ("resolution",)),
    ".ppm": _Container("PPM", ("RGB",), ()),
    ".pgm": _Container("PPM", ("L", "I;16"), ()),
    ".pbm": _Container("PPM", ("1",), ()),
}

_LOSSY = (".jpg", ".jpeg", ".jpe", ".jfif", ".jp2", ".j2k", ".jpx", ".heic", ".heif", ".avif")


def check_suffix(suffix: str) -> None:
    """Raises :class:`ImageError` unless pictures can be written losslessly under that suffix."""
    name = suffix.lower()
    if name in _LOSSY:
        raise ImageError(f"'{name}' is lossy; choose .png")
    if name not in _CONTAINERS:
        raise ImageError(f"'{name}' is not a picture format vaezip writes; choose .png")


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
    _check_held(picture, name)
    return _write_png(picture) if name == ".png" else _write_other(picture, name)


def _check_held(picture: Picture, suffix: str) -> None:
    container = _CONTAINERS[suffix]
    if picture.mode not in container.modes:
        raise ImageError(f"'{suffix}' cannot hold {picture.mode} pictures exactly; choose .png")
    if "transparency" not in container.boxes and picture.box("transparency") is not None:
        raise ImageError(f"'{suffix}' cannot hold a transparent colour; choose .png")
    if suffix == ".webp" and picture.mode == "RGBA" and picture.samples[..., 3].min() == 255:
        raise ImageError("'.webp' cannot hold an alpha channel that is opaque everywhere; choose .png")


def lost(picture: Picture, suffix: str) -> tuple[str, ...]:
    """The kinds of boxes that :func:`write` does not keep, or only a part of each, in a file of that suffix."""
    container = _CONTAINERS[suffix.lower()]
    names = [name for name, data in picture.boxes if name not in container.boxes or _is_cut(name, data, container)]
    return tuple(dict.fromkeys(names))


def _is_cut(name: str, data: bytes, container: _Container) -> bool:
    """Whether a format that has such a box keeps only a part of this one."""
    if name == "resolution":
        return container.format != "PNG" and data[8] != 1
    if name == "exif" and container is _TIFF:
        exif = Image.Exif()
        exif.load(data)
        return not set(exif) <= _PLAIN_TAGS
    return False


# Writing PNG

_LEVEL = 6  # of zlib, whose default it is too
_BAND = 1 << 20  # bytes of pixels that are filtered at once


def _write_png(picture: Picture) -> bytes:
    height, width, _ = picture.samples.shape
    depth, colour = _png_type(picture)
    header = _Header(width, height, depth, colour, 0, 0, 0)
    pixels = _deflated_by_bands(picture.samples) if depth == 16 and colour else _deflated_by_pillow(picture, depth)
    return b"".join(
        [
            _PNG_SIGNATURE,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", *header)),
            *_metadata_chunks(picture.boxes),
            *(_chunk(b"IDAT", piece) for piece in pixels),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return b"".join([struct.pack(">I4s", len(data), name), data, zlib.crc32(data, zlib.crc32(name)).to_bytes(4, "big")])


def _png_type(picture: Picture) -> tuple[int, int]:
    """The bit depth and colour type."""
    if picture.mode == "P":
        return _index_bits(picture), 3
    mode = MODES[picture.mode]
    return mode.bits, {1: 0, 2: 4, 3: 2, 4: 6}[mode.channels]


def _index_bits(picture: Picture) -> int:
    """The bits that hold the palette, and an index outside of it, which a PNG may have."""
    colours = max(len(picture.box("palette") or b"") // 3, int(picture.samples.max()) + 1)
    return next(bits for bits in (1, 2, 4, 8) if colours <= 1 << bits)


def _deflated_by_pillow(picture: Picture, depth: int) -> Iterator[bytes]:
    """The pixel data as Pillow filters and compresses them."""
    rawmode = {"I;16": "I;16B", "P": f"P;{depth}" if depth < 8 else "P"}.get(picture.mode, picture.mode)
    stream = _pillow_image(picture).tobytes("zip", rawmode, 0, _LEVEL, -1, b"")
    for start in range(0, len(stream), 1 << 30):  # a chunk holds less than 2 GiB
        yield stream[start : start + (1 << 30)]


def _deflated_by_bands(samples: Samples) -> Iterator[bytes]:
    """The pixel data of 16-bit colour, which Pillow cannot write: each byte less that of the pixel before it."""
    height, width, channels = samples.shape
    step = 2 * channels
    rows = max(1, _BAND // (width * step))
    stream = zlib.compressobj(_LEVEL)
    for top in range(0, height, rows):
        raw = samples[top : top + rows].astype(">u2").view(np.uint8).reshape(-1, width * step)
        lines = np.empty((len(raw), 1 + width * step), np.uint8)
        lines[:, 0] = 1  # the filter Sub
        lines[:, 1 : 1 + step] = raw[:, :step]
        np.subtract(raw[:, step:], raw[:, :-step], out=lines[:, 1 + step :])
        yield stream.compress(lines.data)
    yield stream.flush()


def _metadata_chunks(boxes: tuple[Box, ...]) -> list[bytes]:
    """The chunks of all boxes, in an order that PNG allows: what tells of colours before the palette."""
    order = ("gamma", "icc", "palette", "transparency", "resolution", "exif", "xmp", "text")
    return [_metadata_chunk(name, data) for name, data in sorted(boxes, key=lambda box: order.index(box[0]))]


def _metadata_chunk(name: str, data: bytes) -> bytes:
    match name:
        case "icc":
            return _chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(data, _LEVEL))
        case "xmp":
            return _chunk(b"iTXt", _XMP_KEYWORD + b"\0\0\0\0\0" + data)
        case "text":
            return _text_chunk(data)
    names = {"palette": b"PLTE", "transparency": b"tRNS", "exif": b"eXIf", "resolution": b"pHYs", "gamma": b"gAMA"}
    return _chunk(names[name], data)


def _text_chunk(data: bytes) -> bytes:
    """The plainest chunk that gives the text back exactly; long texts are compressed."""
    keyword, language, translated, value = data.split(b"\0", 3)
    long = len(value) > 1024
    try:
        keyword = keyword.decode().encode("latin-1")
    except UnicodeError as error:
        raise ImageError("a text has a keyword that PNG cannot hold") from error
    latin = None if language or translated else _latin(value)
    if latin is None:
        packed = zlib.compress(value, _LEVEL) if long else value
        # The zero byte after the flag is the compression method.
        return _chunk(b"iTXt", b"\0".join([keyword, bytes([long]), language, translated, packed]))
    if long:
        return _chunk(b"zTXt", keyword + b"\0\0" + zlib.compress(latin, _LEVEL))
    return _chunk(b"tEXt", keyword + b"\0" + latin)


def _latin(value: bytes) -> bytes | None:
    try:
        return value.decode().encode("latin-1")
    except UnicodeError:
        return None


# Writing the other formats


def _write_other(picture: Picture, suffix: str) -> bytes:
    file = io.BytesIO()
    try:
        _pillow_image(picture).save(file, _CONTAINERS[suffix].format, **_save_options(picture, suffix))
    except Exception as error:  # Pillow raises many kinds for what a format cannot hold
        raise ImageError(f"cannot be written as '{suffix}' ({_reason(error)}); choose .png") from error
    return file.getvalue()


def _pillow_image(picture: Picture) -> Image.Image:
    height, width, _ = picture.samples.shape
    if picture.mode == "1":
        return Image.frombytes("1", (width, height), np.packbits(picture.samples[..., 0], axis=1).tobytes())
    samples = picture.samples.astype("<u2", copy=False) if picture.mode == "I;16" else picture.samples
    image = Image.frombuffer(picture.mode, (width, height), samples, "raw", picture.mode, 0, 1)
    if picture.mode == "P":
        image.putpalette(picture.box("palette") or b"")
    return image


def _save_options(picture: Picture, suffix: str) -> dict[str, Any]:
    """What Pillow is told beside the pixels: how to compress, and the metadata that the format keeps."""
    container = _CONTAINERS[suffix]
    boxes = {name: data for name, data in picture.boxes if name in container.boxes}
    options: dict[str, Any] = {}
    if "icc" in boxes:
        options["icc_profile"] = boxes["icc"]
    if "resolution" in boxes and boxes["resolution"][8] == 1:
        options["dpi"] = tuple(count * 0.0254 for count in struct.unpack(">II", boxes["resolution"][:8]))
    match container.format:
        case "WEBP":
            options |= {name: boxes[name] for name in ("exif", "xmp") if name in boxes}
            options |= {"lossless": True, "exact": True, "method": 4}
        case "TIFF":
            options |= {"compression": "tiff_adobe_deflate", "exif": _exif_for_tiff(boxes)}
    return options


def _exif_for_tiff(boxes: dict[str, bytes]) -> Image.Exif:
    exif = Image.Exif()
    exif.load(boxes.get("exif", b""))
    _only(exif, _PLAIN_TAGS)  # libtiff as Pillow calls it writes no directories
    if "xmp" in boxes:
        exif[_XMP_TAG] = boxes["xmp"]
    return exif
