"""Read and write PNG: the full 16 bits of colour, and the metadata byte for byte."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaezip.errors import SeveralError
from vaezip.pictures.formats import format_name
from vaezip.pictures.inflating import inflated_size
from vaezip.pictures.picture import MODES, SEVERAL, Picture, Samples, as_samples, check_size, damage
from vaezip.pictures.png.chunks import PNG_SIGNATURE, Chunk, Header, check_sound, chunks, encoded, read_header
from vaezip.pictures.png.filters import deflated, rows_of
from vaezip.pictures.png.metadata import LEVEL, Metadata, metadata_chunks

# Reading

_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_SMALL = 1 << 16  # bytes of pixels that are looked at before Pillow is asked
_LONGEST_CHUNK = 1 << 30  # that we write: PNG allows less than 2 GiB


def read_png(data: bytes, max_pixels: int) -> Picture:
    """Read a PNG, its metadata byte for byte."""
    parts = chunks(data)
    header = read_header(next(parts))
    check_size(header.width, header.height, max_pixels)
    metadata = Metadata(header)
    compressed, end = _sort(parts, metadata)
    if header.mode == "P" and not metadata.palette:
        raise damage("the chunk PLTE is missing")
    samples = _samples_of_plain(compressed, header)
    if samples is None and _check_compressed(compressed, header):
        metadata.drop("data behind the pixels")
    if end < len(data):
        _check_rest(data[end:])
        metadata.drop(f"{len(data) - end} bytes behind the end")
    if samples is None:
        samples = _samples(compressed, header)
    if _needs_depth(header, samples, metadata.palette):
        metadata.put_bit_depth(header.depth)
    return Picture(header.mode, samples, metadata.boxes, metadata.dropped)


def _sort(parts: Iterator[Chunk], metadata: Metadata) -> tuple[bytearray, int]:
    """Return the compressed pixels and the place where the PNG ends, and hand the other chunks to the metadata."""
    compressed, end, begun = bytearray(), 0, False
    for chunk in parts:
        end = chunk.end
        if chunk.name in (b"IHDR", b"IDAT", b"IEND"):
            check_sound(chunk)
        if chunk.name == b"IDAT":
            compressed += chunk.data
            begun = True
        elif chunk.name == b"IHDR":
            raise damage("there are two chunks IHDR")
        elif chunk.name != b"IEND":
            metadata.add(chunk, behind_pixels=begun)
        elif chunk.data:
            metadata.drop("data in the chunk IEND")
    if not begun:
        raise damage("the chunk IDAT is missing")
    return compressed, end


def _check_rest(rest: bytes) -> None:
    """Refuse a second picture behind the first."""
    if PNG_SIGNATURE in rest or format_name(rest.lstrip(b"\0\r\n ")) is not None:
        raise SeveralError(SEVERAL)


def _check_compressed(compressed: bytearray, header: Header) -> bool:
    """Count the bytes of the pixels, which Pillow takes as complete where they end after any full row.

    Return whether anything stands behind them.
    """
    whole = _size_of_pixels(header)
    try:
        size, behind = inflated_size(compressed, whole)
    except zlib.error as error:
        wrong = "have a wrong checksum" if "data check" in str(error) else "cannot be decompressed"
        raise damage(f"the pixels in the chunk IDAT {wrong}") from error
    if size < whole:
        raise damage("the pixels in the chunk IDAT are too few")
    return size > whole or behind


def _size_of_pixels(header: Header) -> int:
    """Return the number of bytes of the decompressed pixels: every row has a filter byte before it."""
    bits = header.depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[header.colour]
    size = 0
    for x, y, across, down in _ADAM7 if header.interlace else ((0, 0, 1, 1),):
        columns, rows = -(-(header.width - x) // across), -(-(header.height - y) // down)
        if columns > 0 and rows > 0:
            size += rows * (1 + -(-columns * bits // 8))
    return size


def _samples_of_plain(compressed: bytearray, header: Header) -> Samples | None:
    """Return the samples of a small picture of 1 or 8 bits whose rows have no filters, as those of black and white have
    none, where nothing is wrong with its pixels; None of any other. Pillow takes three times as long."""
    whole = _size_of_pixels(header)
    if whole > _SMALL or header.interlace or not (header.mode == "1" or header.depth == 8):
        return None
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(compressed, whole + 1)
    except zlib.error:
        return None
    if len(inflated) != whole or not inflater.eof or inflater.unused_data:
        return None
    rows = np.frombuffer(inflated, np.uint8).reshape(header.height, -1)
    if rows[:, 0].any():
        return None
    if header.depth == 1:
        return np.unpackbits(rows[:, 1:], axis=1, count=header.width)[..., None]
    return rows[:, 1:].reshape(header.height, header.width, -1).copy()


def _samples(compressed: bytearray, header: Header) -> Samples:
    mode, depth = header.mode, header.depth
    match mode:
        case "LA;16":
            # Four bytes per pixel are stored and filtered alike for 16-bit grey with alpha and for 8-bit RGBA.
            array: NDArray[Any] = _decoded(compressed, header, "RGBA").view(">u2")
        case "RGB;16" | "RGBA;16":
            # Pillow keeps one byte of each sample: the first if it takes them as big-endian, else the second.
            array = _decoded(compressed, header, mode[:-3], mode + "B").astype(np.uint16)
            array <<= 8
            array |= _decoded(compressed, header, mode[:-3], mode + "L")
        case "I;16":
            array = _decoded(compressed, header, mode, "I;16B")
        case "L" | "P" if depth < 8:
            array = _decoded(compressed, header, mode, f"{mode};{depth}")
        case _:
            array = _decoded(compressed, header, mode)
    return as_samples(array, mode)


def _decoded(compressed: bytearray, header: Header, mode: str, stored: str | None = None) -> NDArray[Any]:
    """Return the pixels as Pillow inflates them and takes their filters back.

    Args:
        compressed: the pixels.
        header: of the PNG.
        mode: of Pillow, for the result.
        stored: how Pillow calls the form in which they are stored, if not by the mode.
    """
    size = header.width, header.height
    return np.array(Image.frombytes(mode, size, compressed, "zip", stored or mode, header.interlace))


def _needs_depth(header: Header, samples: Samples, palette: bytes) -> bool:
    """Tell whether the file has other bits a sample than a writer would choose."""
    return header.depth < 8 if header.mode == "L" else header.mode == "P" and header.depth > _bits(samples, palette)


# Writing


def write_png(picture: Picture, level: int = LEVEL) -> bytes:
    """Return the bytes of a PNG that holds the samples and every box; the level of zlib, 0 to 9, is that of pixels."""
    height, width, _ = picture.samples.shape
    depth, colour = _png_type(picture)
    if depth in (2, 4) and picture.mode == "L":
        picture = _in_fewer_bits(picture, depth)
    pixels = deflated(rows_of(picture.samples, depth), depth * picture.samples.shape[2] // 8, level)
    before, behind = metadata_chunks(picture.boxes)
    return _png(Header(width, height, depth, colour), pixels, before, behind)


def _png(header: Header, pixels: Iterator[bytes], before: Iterable[bytes] = (), behind: Iterable[bytes] = ()) -> bytes:
    """Return a PNG of compressed pixels, with other chunks before and behind them."""
    idat = (encoded(b"IDAT", piece) for piece in pixels)
    return b"".join([PNG_SIGNATURE, header.chunk(), *before, *idat, *behind, encoded(b"IEND", b"")])


def _pieces(stream: bytes | bytearray) -> Iterator[bytes]:
    """Yield a stream in pieces, each for one chunk."""
    for start in range(0, len(stream), _LONGEST_CHUNK):
        yield bytes(stream[start : start + _LONGEST_CHUNK])


def _png_type(picture: Picture) -> tuple[int, int]:
    """Return the bit depth and colour type."""
    stored = int.from_bytes(picture.box("bit-depth") or b"", "big")
    if picture.mode == "P":
        return max(stored, _bits(picture.samples, picture.box("palette") or b"")), 3
    if picture.mode == "L" and stored and _fits_in(picture, stored):
        return stored, 0
    mode = MODES[picture.mode]
    return mode.bits, {1: 0, 2: 4, 3: 2, 4: 6}[mode.channels]


def _bits(samples: Samples, palette: bytes) -> int:
    """Return the bits that hold the palette, and an index outside of it, which a PNG may have."""
    colours = max(len(palette) // 3, int(samples.max()) + 1)
    return next(bits for bits in (1, 2, 4, 8) if colours <= 1 << bits)


def _step(depth: int) -> int:
    """Return the distance of the values that grey of so many bits has in 8 bits."""
    return 255 // ((1 << depth) - 1)


def _fits_in(picture: Picture, depth: int) -> bool:
    """Tell whether so many bits hold every grey of a picture and the transparent one."""
    transparent = int.from_bytes(picture.box("transparency") or b"", "big")
    return transparent <= 255 and transparent % _step(depth) == 0 and not (picture.samples % _step(depth)).any()


def _in_fewer_bits(picture: Picture, depth: int) -> Picture:
    """Return a picture whose greys, also the transparent one, are counted in steps of so many bits."""
    step = _step(depth)
    boxes = [
        (name, (int.from_bytes(data, "big") // step).to_bytes(2, "big") if name == "transparency" else data)
        for name, data in picture.boxes
    ]
    return replace(picture, samples=picture.samples // np.uint8(step), boxes=tuple(boxes))
