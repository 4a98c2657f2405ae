"""Pictures and files for the tests of this folder."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from vaezip.errors import ImageError
from vaezip.pictures.picture import MODES, Picture

HOLDS = {
    ".png": list(MODES),
    ".webp": ["RGB", "RGBA"],
    ".tif": ["1", "L", "LA", "RGB", "RGBA", "P", "I;16"],
    ".tiff": ["1", "L", "LA", "RGB", "RGBA", "P", "I;16"],
    ".bmp": ["1", "L", "RGB"],
    ".ppm": ["RGB"],
    ".pgm": ["L", "I;16"],
    ".pbm": ["1"],
}
ANIMATED = "is an animation, and one picture is asked for; save one frame as PNG"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def picture(mode, height=5, width=6, boxes=(), seed=0):
    rng = np.random.default_rng(seed)
    shape = (height, width, MODES[mode].channels)
    samples = rng.integers(0, 1 << MODES[mode].bits, shape).astype(MODES[mode].dtype)
    if mode == "RGBA":
        samples[0, 0] = (10, 20, 30, 0)
    palette = (("palette", rng.bytes(768)),) if mode == "P" else ()
    return Picture(mode, samples, (*palette, *boxes))


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def pixel_rows(samples, depth):
    """Packed rows, each after the filter byte None."""
    for row in samples:
        if depth == 16:
            packed = row.astype(">u2").tobytes()
        else:
            bits = np.unpackbits(row.astype(np.uint8).reshape(-1, 1), axis=1)[:, 8 - depth :]
            packed = np.packbits(bits.reshape(-1)).tobytes()
        yield b"\0" + packed


def png(samples, depth, colour=None, interlace=0, before=b"", after=b"", pixels=None):
    """A PNG put together by hand, of samples as they are stored."""
    height, width, channels = samples.shape
    colour = COLOUR_TYPES[channels] if colour is None else colour
    passes = [samples[y::down, x::across] for x, y, across, down in ADAM7] if interlace else [samples]
    raw = b"".join(row for part in passes if part.size for row in pixel_rows(part, depth))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    data = chunk(b"IDAT", zlib.compress(raw) if pixels is None else pixels)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + data + after + chunk(b"IEND", b"")


def grey(depth=8, **chunks):
    return png(np.arange(6, dtype=np.uint16).reshape(2, 3, 1) & ((1 << depth) - 1), depth, **chunks)


def saved(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def pillow_rgb(height=4, width=6):
    return Image.fromarray(picture("RGB", height, width).samples)


def chunks(data):
    """The names and data of the chunks of a PNG, but for IHDR, IDAT and IEND."""
    found, place = [], 8
    while place < len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        found.append((name, data[place + 8 : place + 8 + length]))
        place += 12 + length
    return [part for part in found if part[0] not in (b"IHDR", b"IDAT", b"IEND")]


def refusal(action, *args):
    with pytest.raises(ImageError) as caught:
        action(*args)
    return str(caught.value)


EXIF = Image.Exif()
EXIF[0x010F] = "Maker"
EXIF[0x0112] = 6
EXIF_BYTES = EXIF.tobytes().removeprefix(b"Exif\0\0")
RESOLUTION = struct.pack(">IIB", 2835, 11811, 1)
EVERYTHING = (
    ("transparency", b"\0\1\0\2\0\3"),
    ("icc", b"profile" * 100),
    ("exif", EXIF_BYTES),
    ("xmp", b"<x:xmpmeta/>"),
    ("text", b"Title\0\0\0plain"),
    ("text", "Author\0\0\0Jürgen".encode()),
    ("text", "Author\0de\0Autor\0東京".encode()),
    ("text", b"Title\0\0\0" + b"long " * 999),
    ("resolution", RESOLUTION),
    ("gamma", struct.pack(">I", 45455)),
    ("cicp", b"\x09\x10\0\1"),
    ("mastering-display", bytes(range(24))),
    ("light-levels", bytes(range(8))),
    ("srgb", b"\1"),
    ("chromaticities", bytes(range(32))),
    ("significant-bits", b"\5\6\5"),
    ("png-chunk", b"\0bKGD\0\1\0\2\0\3"),
    ("png-chunk", b"\0vpAg" + bytes(9)),
    ("png-chunk", b"\1vpAg"),
)


def segment(marker, data):
    """A segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg(*segments, height=4, width=6):
    """A JPEG of Pillow with more segments before its own."""
    data = saved(pillow_rgb(height, width), "JPEG")
    return data[:2] + b"".join(segments) + data[2:]


def iso_box(kind, content):
    """A box of a JPEG 2000 or AVIF file."""
    return struct.pack(">I4s", len(content) + 8, kind) + content


def directory(order, tags, place, following=0):
    """A directory of a TIFF at a place, with its values behind it; ``tags`` are (number, type, count, bytes)."""
    behind = place + 6 + 12 * len(tags)
    entries, values = struct.pack(order + "H", len(tags)), b""
    for number, kind, count, value in sorted(tags):
        if len(value) > 4:
            value, values = struct.pack(order + "I", behind + len(values)), values + value
        entries += struct.pack(order + "HHI4s", number, kind, count, value)
    return entries + struct.pack(order + "I", following) + values


def short(order, number, value):
    return number, 3, 1, struct.pack(order + "H", value)


def long(order, number, *values):
    return number, 4, len(values), struct.pack(f"{order}{len(values)}I", *values)


def rational(order, number, above, below=1):
    return number, 5, 1, struct.pack(order + "II", above, below)


def layout(order, width, height, *more):
    """The tags of an uncompressed grey TIFF whose samples stand at 8."""
    shorts = ((256, width), (257, height), (258, 8), (259, 1), (262, 1), (277, 1), (278, height))
    return [*(short(order, *tag) for tag in shorts), long(order, 273, 8), long(order, 279, width * height), *more]


def grey_tiff(order="<", tags=(), below=(), pages=()):
    """An uncompressed TIFF of 4x2 grey samples, with further tags.

    ``below`` are directories as (number of the tag that points at it, tags), each of which may be pointed at by the
    ones behind it; ``pages`` are the tags of further directories of the chain.
    """
    mark = {"<": b"II", ">": b"MM"}[order]
    data, following, pointers = bytearray(8) + bytes(range(8)), 0, []
    for page in reversed(pages):
        place = len(data)
        data += directory(order, page, place, following)
        following = place
    for number, inner in below:
        place = len(data)
        nested = [tag for tag in pointers if tag[0] == 0xA005] if number == 0x8769 else []
        pointers = [tag for tag in pointers if tag not in nested]
        data += directory(order, [*inner, *nested], place)
        pointers.append(long(order, number, place))
    data[:8] = mark + struct.pack(order + "HI", 42, len(data))
    return bytes(data + directory(order, layout(order, 4, 2, *tags, *pointers), len(data), following))


def tiff(order, bits, channels, photometric, pixels, *more):
    """An uncompressed TIFF of one row; ``order`` is ``<`` or ``>``, ``more`` are further tags of one short."""
    width = len(pixels) * 8 // bits // channels
    shorts = [(256, width), (257, 1), (258, bits), (259, 1), (262, photometric), (277, channels), (278, 1), *more]
    tags = {tag: struct.pack(order + "HHIHH", tag, 3, 1, value, 0) for tag, value in shorts}
    if channels > 1:
        tags[258] = struct.pack(order + "HHII", 258, 3, channels, 8)
    tags[273] = struct.pack(order + "HHII", 273, 4, 1, 16)
    tags[279] = struct.pack(order + "HHII", 279, 4, 1, len(pixels))
    head = struct.pack(order + "2sHI4H", {"<": b"II", ">": b"MM"}[order], 42, 16 + len(pixels), *[bits] * 4)
    directory = b"".join(tags[tag] for tag in sorted(tags))
    return head + pixels + struct.pack(order + "H", len(tags)) + directory + bytes(4)
