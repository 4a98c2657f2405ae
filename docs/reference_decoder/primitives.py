"""Section 0.2: numbers in the file; section 0.4: CRC-32 and unpacking."""

import zlib


class FormatError(ValueError):
    """Say that the data break a rule of the format."""


def require(condition: bool, message: str) -> None:
    """Raise FormatError with this message unless the condition holds."""
    if not condition:
        raise FormatError(message)


class Reader:
    """Read numbers and texts one after the other from bytes."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        """Begin at a position of the data."""
        self.data = data
        self.position = position

    def left(self) -> int:
        """Count the bytes that are not read yet."""
        return len(self.data) - self.position

    def take(self, count: int) -> bytes:
        """Read so many bytes."""
        require(count <= self.left(), "the data end within a field")
        self.position += count
        return self.data[self.position - count : self.position]

    def rest(self) -> bytes:
        """Read all bytes that are left."""
        return self.take(self.left())

    def number(self, count: int) -> int:
        """Read a little-endian number of so many bytes."""
        return int.from_bytes(self.take(count), "little")

    def varint(self) -> int:
        """Read a number in groups of seven bits, lowest group first."""
        value = 0
        for i in range(9):
            byte = self.number(1)
            value |= (byte & 127) << (7 * i)
            if byte < 128:
                return value
        raise FormatError("a varint has more than nine bytes")

    def entries(self, most: int = 1 << 26) -> int:
        """Read a number of entries, each of which takes at least one byte of what is left."""
        count = self.varint()
        require(count <= most, "there are more entries than a file may have")
        require(count <= self.left(), "there are fewer bytes than entries")
        return count

    def text(self, most: int) -> str:
        """Read a varint and that many bytes of UTF-8, at most so many."""
        count = self.varint()
        require(count <= most, "a text is too long")
        try:
            return self.take(count).decode()
        except UnicodeDecodeError as error:
            raise FormatError("a text is not UTF-8") from error

    def end(self) -> None:
        """Refuse data that go on."""
        require(self.left() == 0, "there are more bytes than the format defines")


def inflate(data: bytes, limit: int, raw: bool = False, dictionary: bytes = b"") -> bytes:
    """Unpack a complete zlib stream (or a raw deflate stream, behind a dictionary) of at most `limit` bytes."""
    options = {"zdict": dictionary} if dictionary else {}
    stream = zlib.decompressobj(-15 if raw else 15, **options)
    try:
        result = stream.decompress(data, limit + 1)
    except zlib.error as error:
        raise FormatError("a compressed stream is damaged") from error
    require(len(result) <= limit, "a compressed stream is too long")
    require(stream.eof and not stream.unused_data, "a compressed stream is not complete")
    return result


def unpack(data: bytes, limit: int = 1 << 26) -> bytes:
    """Undo section 1.2's packing: a byte 0 and the data, or a byte 1 and the data as a zlib stream."""
    require(len(data) > 0 and data[0] <= 1, "unknown kind of packing")
    result = inflate(data[1:], limit) if data[0] else data[1:]
    require(len(result) <= limit, "packed data are too long")
    return result
