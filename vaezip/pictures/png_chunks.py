"""The chunks of a PNG: where each begins and ends, whether it is damaged, and what the header says."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from vaezip.errors import ImageError
from vaezip.pictures.picture import damage

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SPOILT_SIGNATURES = (b"\x89PNG", b"\x09PNG", b"\xc2\x89PNG", b"\xef\xbf\xbdPNG")
"""What transfers make of it that translate line ends, cut off bit 7, or take it for text."""

PNG_MODES = {
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


class Header(NamedTuple):
    """Hold the fields of IHDR."""

    width: int
    height: int
    depth: int
    colour: int
    compression: int = 0
    filtering: int = 0
    interlace: int = 0

    @property
    def mode(self) -> str:
        """Return the mode of the picture."""
        return PNG_MODES[self.depth, self.colour]

    def chunk(self) -> bytes:
        """Return the chunk that holds these fields."""
        return encoded(b"IHDR", struct.pack(">IIBBBBB", *self))


class Chunk(NamedTuple):
    """Hold a chunk of a PNG: its name, its data, whether its checksum is right, and where it ends in the file."""

    name: bytes
    data: memoryview
    sound: bool
    end: int

    @property
    def label(self) -> str:
        """Return the name as a text, whatever its bytes are."""
        return repr(self.name)[2:-1]

    @property
    def is_named(self) -> bool:
        """Tell whether the name is one that a chunk may have: four letters."""
        return self.name.isalpha() and self.name.isascii()

    @property
    def is_critical(self) -> bool:
        """Tell whether a reader has to know the chunk, which the case of the first letter says."""
        return not self.name[:1].islower()


def is_png(data: bytes) -> bool:
    """Tell whether a file is a PNG, perhaps with a spoilt signature."""
    return data.startswith(_SPOILT_SIGNATURES)


def chunks(data: bytes) -> Iterator[Chunk]:
    """Yield the chunks of a PNG up to IEND."""
    if not data.startswith(PNG_SIGNATURE):
        raise damage("its signature is changed, as by a transfer that translates line ends")
    view, place, name = memoryview(data), len(PNG_SIGNATURE), b""
    while name != b"IEND":
        if place + 12 > len(data):
            raise damage("the file ends before its chunk IEND")
        length, name = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if end > len(data):
            raise damage(f"the file ends inside the chunk {repr(name)[2:-1]}")
        sound = zlib.crc32(view[place + 4 : end - 4]) == int.from_bytes(view[end - 4 : end], "big")
        yield Chunk(name, view[place + 8 : end - 4], sound, end)
        place = end


def read_header(chunk: Chunk) -> Header:
    """Return the header that the first chunk of a PNG is."""
    if chunk.name == b"CgBI":
        raise ImageError("Apple's PNG variant CgBI is not supported; convert to PNG first")
    if chunk.name != b"IHDR" or len(chunk.data) != 13:
        raise damage("it does not begin with a chunk IHDR of 13 bytes")
    check_sound(chunk)
    header = Header(*struct.unpack(">IIBBBBB", chunk.data))
    known = (header.depth, header.colour) in PNG_MODES and header.compression == header.filtering == 0
    if not known or header.interlace > 1 or 0 in (header.width, header.height):
        raise damage("the chunk IHDR has unknown values")
    return header


def check_sound(chunk: Chunk) -> None:
    """Refuse a chunk without which the picture is not whole, if its checksum is wrong."""
    if not chunk.sound:
        raise damage(f"the chunk {chunk.label} has a wrong checksum")


def encoded(name: bytes, data: bytes) -> bytes:
    """Return a chunk with its length and checksum."""
    return b"".join([struct.pack(">I4s", len(data), name), data, zlib.crc32(data, zlib.crc32(name)).to_bytes(4, "big")])
