"""Read and write the elements of the format: varints, texts, packed bytes."""

from __future__ import annotations

import struct
import zlib

from vaezip.errors import FormatError
from vaezip.vz import limits

CRC = struct.Struct("<I")


def text(value: str) -> bytes:
    """Write a length and UTF-8."""
    data = value.encode(errors="replace")
    return varint(len(data)) + data


def decoded(text: bytes, most: int) -> str:
    """Decode UTF-8 of ``most`` bytes or fewer."""
    if len(text) > most:
        raise FormatError(f"the file is damaged: a name in it has more than {most:,} bytes")
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise FormatError("the file holds a name that is not UTF-8") from error


def deflated(data: bytes) -> bytes:
    """One byte that tells whether zlib follows, and the shorter of the two forms."""
    if len(data) > limits.MAX_DIRECTORY:
        raise FormatError(
            f"names and metadata take more than the {limits.MAX_DIRECTORY >> 20} MiB that the format allows"
        )
    return shorter(data)


def shorter(data: bytes) -> bytes:
    """Return the data as it is or deflated, whichever is shorter, behind a byte that tells which."""
    packed = zlib.compress(data, 9)
    return b"\1" + packed if len(packed) < len(data) else b"\0" + data


def inflated(data: bytes, what: str = "the directory or metadata", most: int = limits.MAX_DIRECTORY) -> bytes:
    """Undo :func:`shorter`.

    Raises:
        FormatError: the data are damaged, longer than ``most``, or followed by others.
    """
    if data[:1] == b"\0":
        if len(data) - 1 > most:
            raise FormatError(f"{what} is damaged or too large")
        return data[1:]
    inflater = zlib.decompressobj()
    try:
        if data[:1] != b"\1":
            raise FormatError(f"unknown compression of {what}; a newer vaezip may read it")
        out = inflater.decompress(data[1:], most)
    except zlib.error as error:
        raise FormatError(f"{what} is damaged") from error
    if not inflater.eof or inflater.unused_data:
        raise FormatError(f"{what} is damaged or too large")
    return out


def varint(value: int) -> bytes:
    """Seven bits a byte, lowest first; the high bit says that more follow."""
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


class Reader:
    """Reads fields off bytes; every over-run is an error."""

    def __init__(self, data: bytes, position: int = 0, end: int | None = None) -> None:
        """Begin at a position, and read up to an end."""
        self.data, self.position, self.end = data, position, len(data) if end is None else end

    @property
    def left(self) -> int:
        """Count the bytes that were not read."""
        return self.end - self.position

    @property
    def done(self) -> bool:
        """Tell whether all bytes were read."""
        return self.left == 0

    def take(self, length: int) -> bytes:
        """Read so many bytes."""
        if length > self.left:
            raise FormatError("the file is truncated or damaged")
        self.position += length
        return self.data[self.position - length : self.position]

    def byte(self) -> int:
        """Read one byte."""
        return self.take(1)[0]

    def varint(self) -> int:
        """Read an unsigned integer in groups of seven bits."""
        value = 0
        for shift in range(0, 63, 7):
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise FormatError("the file is damaged: a number in it is too large")

    def count(self, most: int = 1 << 62) -> int:
        """A number of entries, each at least a byte long."""
        value = self.varint()
        if value > min(most, self.left):
            raise FormatError("the directory is truncated or damaged")
        return value

    def side(self) -> int:
        """Read a height or a width."""
        value = self.varint()
        if not 0 < value <= limits.MAX_SIDE:
            raise FormatError("the file is damaged: a picture has no or too large a side")
        return value

    def text(self, most: int) -> str:
        """Read a length, which is ``most`` or less, and UTF-8."""
        return decoded(self.take(self.varint()), most)
