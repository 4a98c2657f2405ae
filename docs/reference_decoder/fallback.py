"""Sections 2.2.1 and 2.3: lossless WebP streams, and samples of 16 bits."""

import io

import numpy as np

from .primitives import FormatError, Reader, inflate, require

PIECE = 16383


def decode_streams(data: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """Decode an array (n, h, w, c) of 8-bit samples from lossless WebP streams (section 2.2.1)."""
    n, h, w, c = shape
    sheet = np.zeros((n * h, w, c), np.uint8)
    corners = [(y, x) for y in range(0, n * h, PIECE) for x in range(0, w, PIECE)]
    reader = Reader(data)
    for y, x in corners:
        piece = sheet[y : y + PIECE, x : x + PIECE]
        stream = reader.rest() if (y, x) == corners[-1] else reader.take(reader.number(4))
        piece[:] = decode_stream(stream, piece.shape)
    return sheet.reshape(shape)


def decode_stream(stream: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """Decode one `VP8L` stream with Pillow, in a RIFF container made around it."""
    from PIL import Image

    h, w, c = shape
    require(len(stream) >= 5 and stream[0] == 0x2F, "this is no VP8L stream")
    bits = int.from_bytes(stream[1:5], "little")
    size = ((bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1)
    require(size == (h, w), "a WebP stream has another size than its piece")
    chunk = b"VP8L" + len(stream).to_bytes(4, "little") + stream + bytes(len(stream) & 1)
    riff = b"RIFF" + (len(chunk) + 4).to_bytes(4, "little") + b"WEBP" + chunk
    try:
        with Image.open(io.BytesIO(riff), formats=["WEBP"]) as image:
            rgba = np.asarray(image.convert("RGBA"))
    except (OSError, SyntaxError) as error:
        raise FormatError("a WebP stream is damaged") from error
    return rgba[..., {1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[c]]


class Depth:
    """Hold a depth header: what joins the high part of 16-bit samples to samples (section 2.3)."""

    def __init__(self, reader: Reader, shape: tuple[int, ...]) -> None:
        """Read a depth header of an array (n, h, w, c)."""
        kind = reader.number(1)
        require(kind < 4, "unknown kind of depth header")
        if kind & 2:
            table = inflate(reader.take(reader.number(2)), 8192, raw=True)
            self.values = np.flatnonzero(np.unpackbits(np.frombuffer(table, np.uint8)))
            require(len(self.values) > 0, "a table has no values")
        else:
            self.values = np.arange(reader.number(2) + 1)
        self.shift = max(0, (len(self.values) - 1).bit_length() - 8)
        self.low = np.zeros(shape, np.int64)
        if self.shift > 0:
            self.low = decode_streams(reader.take(reader.number(4)), shape).astype(np.int64)
            require(bool((self.low < 1 << self.shift).all()), "the low part is out of range")
            if kind & 1:
                self.low = self.low.cumsum(axis=1).cumsum(axis=2) % (1 << self.shift)

    def join(self, high: np.ndarray) -> np.ndarray:
        """Join the high part to the samples."""
        rank = (high.astype(np.int64) << self.shift) + self.low
        require(bool((rank < len(self.values)).all()), "a rank is out of range")
        return self.values[rank].astype(np.uint16)
