"""Read and write PNG: the full 16 bits of colour, and the metadata byte for byte."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from vaezip.errors import ImageError
from vaezip.pictures.picture import (
    ANIMATED,
    EXIF_PREFIX,
    MODES,
    Box,
    Picture,
    Samples,
    as_samples,
    check_size,
    damage,
    sort_boxes,
)
from vaezip.pictures.pillow import to_pillow

# Reading PNG

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
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


def read_png(data: bytes, max_pixels: int) -> Picture:
    """Read a PNG, its metadata byte for byte."""
    chunks = list(_png_chunks(data))
    header = _png_header(chunks[0])
    check_size(header.width, header.height, max_pixels)
    if any(chunk.name == b"acTL" for chunk in chunks):
        raise ImageError(ANIMATED)
    _check_pixel_data(chunks, header)
    names = (chunk.name.decode("latin-1") for chunk in chunks if not _is_kept(chunk.name, header))
    dropped = tuple(dict.fromkeys(names))
    return Picture(header.mode, _png_samples(chunks, header), _png_boxes(chunks, header), dropped)


def _png_chunks(data: bytes) -> Iterator[_Chunk]:
    """Yield the chunks up to IEND, each with its checksum verified."""
    view, place = memoryview(data), len(PNG_SIGNATURE)
    while True:
        if place + 12 > len(data):
            raise damage("the file ends before its end chunk")
        length, name = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if end > len(data):
            raise damage("the file ends inside a chunk")
        if zlib.crc32(view[place + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise damage("a chunk has a wrong checksum")
        yield _Chunk(name, view[place + 8 : end - 4], view[place:end])
        if name == b"IEND":
            return
        place = end


def _png_header(chunk: _Chunk) -> _Header:
    if chunk.name != b"IHDR" or len(chunk.data) != 13:
        raise damage("it does not begin with a header")
    header = _Header(*struct.unpack(">IIBBBBB", chunk.data))
    known = (header.depth, header.colour) in _PNG_MODES and header.compression == header.filtering == 0
    if not known or header.interlace > 1 or 0 in (header.width, header.height):
        raise damage("its header has unknown values")
    return header


def _check_pixel_data(chunks: list[_Chunk], header: _Header) -> None:
    """Count the bytes of the pixel data, which Pillow takes as complete where they end after any full row."""
    missing, stream = _pixel_data_size(header), zlib.decompressobj()
    for chunk in chunks:
        if chunk.name != b"IDAT":
            continue
        for start in range(0, len(chunk.data), 1 << 16):
            missing -= len(stream.decompress(chunk.data[start : start + (1 << 16)]))
            if missing <= 0:
                return
    raise damage("the pixel data are too short")


def _pixel_data_size(header: _Header) -> int:
    """Return the number of bytes of the decompressed pixel data: every row has a filter byte before it."""
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
    return as_samples(array, header.mode)


def _decode_png(chunks: list[_Chunk], header: _Header, rawmode: str | None = None) -> NDArray[Any]:
    """Decode the pixels by Pillow, from the chunks that matter to them."""
    pixels = [chunk.whole for chunk in chunks if chunk.name in (b"IDAT", b"IEND")]
    first = _chunk(b"IHDR", struct.pack(">IIBBBBB", *header))
    with PngImageFile(io.BytesIO(b"".join([PNG_SIGNATURE, first, *pixels]))) as image:
        if rawmode is not None:
            tiles: list[Any] = [(*tile[:3], rawmode) for tile in image.tile]
            image.tile = tiles
        return np.array(image)


def _png_boxes(chunks: list[_Chunk], header: _Header) -> tuple[Box, ...]:
    boxes: dict[str, bytes] = {}
    texts: list[Box] = []
    budget = _MAX_METADATA
    for chunk in chunks:
        box = _png_box(chunk.name, bytes(chunk.data), header, budget) if chunk.name in _METADATA_CHUNKS else None
        if box is None:
            continue
        name, data = box
        budget -= len(data)
        if name == "text":
            texts.append(box)
        elif name == "xmp" and name in boxes:
            texts.append(("text", _XMP_KEYWORD + b"\0\0\0" + data))
        else:
            boxes.setdefault(name, data)
    return sort_boxes([*boxes.items(), *texts])


_METADATA_CHUNKS = frozenset({b"PLTE", b"tRNS", b"gAMA", b"pHYs", b"eXIf", b"iCCP", b"tEXt", b"zTXt", b"iTXt"})


def _is_kept(name: bytes, header: _Header) -> bool:
    """Tell whether the content of a chunk is in the picture."""
    if name == b"PLTE":
        return header.mode == "P"
    return name in _METADATA_CHUNKS or name in (b"IHDR", b"IDAT", b"IEND")


def _png_box(name: bytes, data: bytes, header: _Header, budget: int) -> Box | None:
    """Return the box for one chunk of metadata, which may expand to ``budget`` bytes."""
    match name:
        case b"PLTE":
            return ("palette", data) if header.mode == "P" else None
        case b"tRNS":
            return "transparency", _to_8_bits(data, header)
        case b"gAMA":
            return "gamma", data
        case b"pHYs":
            return "resolution", data
        case b"eXIf":
            return "exif", data.removeprefix(EXIF_PREFIX)
        case b"iCCP":
            return "icc", _inflate(data.partition(b"\0")[2], name, budget)
        case b"tEXt":
            keyword, _, value = data.partition(b"\0")
            return _box_of_latin_text(keyword, value)
        case b"zTXt":
            keyword, _, value = data.partition(b"\0")
            return _box_of_latin_text(keyword, _inflate(value, name, budget))
    return _box_of_international_text(data, budget)


def _to_8_bits(transparency: bytes, header: _Header) -> bytes:
    """Return the transparent grey of a picture of 2 or 4 bits as it is in 8 bits."""
    if header.colour != 0 or header.depth not in (2, 4):
        return transparency
    top = (1 << header.depth) - 1
    return ((int.from_bytes(transparency, "big") & top) * (255 // top)).to_bytes(2, "big")


def _inflate(data: bytes, name: bytes, budget: int) -> bytes:
    """Expand the data of a chunk, which are the compression method (zero) and a compressed stream."""
    stream = zlib.decompressobj()
    try:
        value = stream.decompress(data[1:], max(budget, 1))
    except zlib.error as error:
        raise damage(f"bad data in a chunk {name.decode()}") from error
    if data[:1] != b"\0" or not stream.eof:
        raise damage(f"bad data in a chunk {name.decode()}")
    return value


def _box_of_latin_text(keyword: bytes, value: bytes) -> Box:
    return "text", (keyword + b"\0\0\0" + value).decode("latin-1").encode()


def _box_of_international_text(data: bytes, budget: int) -> Box:
    keyword, _, fields = data.partition(b"\0")
    flag, method, texts = fields[:1], fields[1:2], fields[2:].split(b"\0", 2)
    if len(texts) != 3:
        raise damage("bad data in a chunk iTXt")
    language, translation, value = texts
    if flag == b"\1":
        value = _inflate(method + value, b"iTXt", budget)
    if keyword == _XMP_KEYWORD and not language and not translation:
        return "xmp", value
    return "text", b"\0".join([keyword.decode("latin-1").encode(), language, translation, value])


# Writing PNG

_LEVEL = 6  # of zlib, whose default it is too
_FILTERED_AT_ONCE = 1 << 20  # bytes of pixels


def write_png(picture: Picture) -> bytes:
    """Return the bytes of a PNG that holds the samples and every box."""
    height, width, _ = picture.samples.shape
    depth, colour = _png_type(picture)
    header = _Header(width, height, depth, colour, 0, 0, 0)
    pixels = _deflate_16_bit_colour(picture.samples) if depth == 16 and colour else _deflate_by_pillow(picture, depth)
    return b"".join(
        [
            PNG_SIGNATURE,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", *header)),
            *_metadata_chunks(picture.boxes),
            *(_chunk(b"IDAT", piece) for piece in pixels),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return b"".join([struct.pack(">I4s", len(data), name), data, zlib.crc32(data, zlib.crc32(name)).to_bytes(4, "big")])


def _png_type(picture: Picture) -> tuple[int, int]:
    """Return the bit depth and colour type."""
    if picture.mode == "P":
        return _index_bits(picture), 3
    mode = MODES[picture.mode]
    return mode.bits, {1: 0, 2: 4, 3: 2, 4: 6}[mode.channels]


def _index_bits(picture: Picture) -> int:
    """Return the bits that hold the palette, and an index outside of it, which a PNG may have."""
    colours = max(len(picture.box("palette") or b"") // 3, int(picture.samples.max()) + 1)
    return next(bits for bits in (1, 2, 4, 8) if colours <= 1 << bits)


def _deflate_by_pillow(picture: Picture, depth: int) -> Iterator[bytes]:
    """Yield the pixel data as Pillow filters and compresses them."""
    rawmode = {"I;16": "I;16B", "P": f"P;{depth}" if depth < 8 else "P"}.get(picture.mode, picture.mode)
    stream = to_pillow(picture).tobytes("zip", rawmode, 0, _LEVEL, -1, b"")
    for start in range(0, len(stream), 1 << 30):  # a chunk holds less than 2 GiB
        yield stream[start : start + (1 << 30)]


def _deflate_16_bit_colour(samples: Samples) -> Iterator[bytes]:
    """Yield the pixel data of 16-bit colour, which Pillow cannot write: each byte less that of the pixel before it."""
    height, width, channels = samples.shape
    step = 2 * channels
    rows = max(1, _FILTERED_AT_ONCE // (width * step))
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
    """Return the chunks of all boxes, in an order that PNG allows: gamma and ICC profile before the palette."""
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
    """Return the plainest chunk that gives the text back exactly; long texts are compressed."""
    keyword, language, translation, value = data.split(b"\0", 3)
    long = len(value) > 1024
    try:
        keyword = keyword.decode().encode("latin-1")
    except UnicodeError as error:
        raise ImageError("a text has a keyword that PNG cannot hold") from error
    latin = None if language or translation else _latin(value)
    if latin is None:
        stream = zlib.compress(value, _LEVEL) if long else value
        # The zero byte after the flag is the compression method.
        return _chunk(b"iTXt", b"\0".join([keyword, bytes([long]), language, translation, stream]))
    if long:
        return _chunk(b"zTXt", keyword + b"\0\0" + zlib.compress(latin, _LEVEL))
    return _chunk(b"tEXt", keyword + b"\0" + latin)


def _latin(value: bytes) -> bytes | None:
    try:
        return value.decode().encode("latin-1")
    except UnicodeError:
        return None
