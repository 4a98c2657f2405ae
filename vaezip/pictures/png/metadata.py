"""The metadata of a PNG: chunks to boxes, and boxes to chunks."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from vaezip.errors import ImageError, SeveralError
from vaezip.pictures.picture import ANIMATED, Box, bare_exif, box_fits, damage, is_kept_as_chunk, sort_boxes
from vaezip.pictures.png.chunks import Chunk, Header, check_sound, encoded

_XMP_KEYWORD = b"XML:com.adobe.xmp"

_PLAIN = {
    # The boxes that hold the data of a chunk as they are.
    "palette": b"PLTE",
    "transparency": b"tRNS",
    "exif": b"eXIf",
    "resolution": b"pHYs",
    "gamma": b"gAMA",
    "cicp": b"cICP",
    "mastering-display": b"mDCV",
    "light-levels": b"cLLI",
    "srgb": b"sRGB",
    "chromaticities": b"cHRM",
    "significant-bits": b"sBIT",
}
_BOXES = {chunk: box for box, chunk in _PLAIN.items()}


# Chunks to boxes

_MOST_BYTES = 1 << 26  # of metadata, which a .vz file can hold; compressed ones are expanded
_MOST_WORK = 1 << 29  # bytes of compressed metadata that are expanded, whether they are kept or not
_GREATEST_EXPANSION = 1032  # of zlib
_BYTES_BESIDE = 64  # what a box takes beside its content, in a file and in memory
_MOST_REMARKS = 32


class _NotKeptError(Exception):
    """Tell why a chunk is not kept."""


class Metadata:
    """Collect the boxes of a PNG from its chunks, and the names of what is not kept.

    A chunk that does not matter to the pixels is dropped where it is malformed or damaged; another is refused.
    """

    def __init__(self, header: Header) -> None:
        self._header = header
        self._boxes: dict[str, bytes] = {}
        self._repeated: list[Box] = []
        self._dropped: dict[str, None] = {}
        self._left = _MOST_BYTES
        self._work = _MOST_WORK

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Return the boxes, in the order of a picture."""
        return sort_boxes([*self._boxes.items(), *self._repeated])

    @property
    def dropped(self) -> tuple[str, ...]:
        """Return the names of what is not kept."""
        return tuple(self._dropped)

    @property
    def palette(self) -> bytes:
        """Return the palette, which may be missing."""
        return self._boxes.get("palette", b"")

    def put_bit_depth(self, depth: int) -> None:
        """Note the bits that stored a sample."""
        self._boxes["bit-depth"] = bytes([depth])

    def drop(self, what: str) -> None:
        """Note the name of something that is not kept."""
        full = len(self._dropped) >= _MOST_REMARKS and what not in self._dropped
        self._dropped["others" if full else what] = None

    def add(self, chunk: Chunk, *, behind_pixels: bool) -> None:
        """Take a chunk other than IHDR, IDAT and IEND.

        Raises:
            ImageError: the picture is animated; or the chunk matters to the pixels, and is damaged or unknown.
        """
        if chunk.name == b"fdAT" or (chunk.name == b"acTL" and int.from_bytes(chunk.data[:4], "big") > 1):
            raise SeveralError(ANIMATED)
        colours = self._decides_colours(chunk)
        if colours or not chunk.is_named or (chunk.is_critical and chunk.name != b"PLTE") or _was_vital(chunk.name):
            check_sound(chunk)
        if colours:
            self._add_colours(chunk, behind_pixels)
        elif chunk.is_critical and chunk.name != b"PLTE":
            raise ImageError(f"it has a critical chunk {chunk.label}, which vaezip does not know")
        else:
            self._add_ancillary(chunk, behind_pixels)

    def _decides_colours(self, chunk: Chunk) -> bool:
        """Tell whether a chunk is the palette or the transparency of this picture, not one that its type ignores."""
        if chunk.name == b"tRNS":
            return self._header.colour in (0, 2) or (self._header.colour == 3 and len(chunk.data) > 0)
        return chunk.name == b"PLTE" and self._header.colour == 3

    def _add_colours(self, chunk: Chunk, behind_pixels: bool) -> None:
        box = _BOXES[chunk.name], _to_8_bits(bytes(chunk.data[:769]), self._header)
        if not box_fits(*box, self._header.mode):
            raise damage(f"the chunk {chunk.label} has a wrong length")
        if box[0] in self._boxes:
            raise damage(f"there are two chunks {chunk.label}")
        early = chunk.name == b"tRNS" and self._header.mode == "P" and "palette" not in self._boxes
        if behind_pixels or early:
            raise damage(f"the chunk {chunk.label} stands at a wrong place")
        self._boxes[box[0]] = box[1]

    def _add_ancillary(self, chunk: Chunk, behind_pixels: bool) -> None:
        try:
            box = self._box(chunk, behind_pixels)
            if box is None:
                self.drop(chunk.label)
            else:
                self._put(box)
        except _NotKeptError as error:
            self.drop(f"{chunk.label} ({error})")

    def _box(self, chunk: Chunk, behind_pixels: bool) -> Box | None:
        """Return the box for a chunk, None where there is no box for chunks of its name."""
        if not chunk.sound:
            raise _NotKeptError("wrong checksum")
        if len(chunk.data) > self._left:
            raise _NotKeptError("too long")
        if chunk.name in (b"PLTE", b"tRNS") or (chunk.name == b"hIST" and self._header.mode != "P"):
            return None
        if is_kept_as_chunk(chunk.name):
            return "png-chunk", bytes([behind_pixels]) + chunk.name + chunk.data
        box = _box_of_known(chunk.name, bytes(chunk.data), self._inflate)
        if box is not None and not box_fits(*box, self._header.mode):
            raise _NotKeptError("malformed")
        return box

    def _put(self, box: Box) -> None:
        name, data = box
        if name == "xmp" and name in self._boxes:
            name, data = "text", _XMP_KEYWORD + b"\0\0\0" + data
        if name in self._boxes:
            raise _NotKeptError("a second one")
        if len(data) + _BYTES_BESIDE > self._left:
            raise _NotKeptError("too long")
        self._left -= len(data) + _BYTES_BESIDE
        if name in ("text", "png-chunk"):
            self._repeated.append((name, data))
        else:
            self._boxes[name] = data

    def _inflate(self, data: bytes) -> bytes:
        """Expand the data of a chunk, which are the compression method (zero) and a compressed stream."""
        stream, most = zlib.decompressobj(), min(self._left, self._work)
        try:
            value = stream.decompress(data[1:], max(most, 1))
        except zlib.error as error:
            self._work -= min(most, _GREATEST_EXPANSION * len(data))  # which may have been done
            raise _NotKeptError("malformed") from error
        self._work -= len(value)
        if not stream.eof and len(value) >= most:
            raise _NotKeptError("too long")
        if data[:1] != b"\0" or not stream.eof:
            raise _NotKeptError("malformed")
        if stream.unused_data:
            self.drop("data behind compressed metadata")
        return value


def _was_vital(name: bytes) -> bool:
    """Tell whether one wrong bit makes this name of one that matters to the pixels."""
    bits = int.from_bytes(name, "big")
    return any((bits ^ int.from_bytes(vital, "big")).bit_count() == 1 for vital in (b"IHDR", b"PLTE", b"IDAT", b"tRNS"))


def _box_of_known(name: bytes, data: bytes, inflate: Callable[[bytes], bytes]) -> Box | None:
    """Return the box for a chunk of a name that PNG defines."""
    match name:
        case b"eXIf":
            return "exif", bare_exif(data)
        case b"iCCP":
            return "icc", inflate(data.partition(b"\0")[2])
        case b"tEXt":
            keyword, _, value = data.partition(b"\0")
            return _box_of_latin_text(keyword, value)
        case b"zTXt":
            keyword, _, value = data.partition(b"\0")
            return _box_of_latin_text(keyword, inflate(value))
        case b"iTXt":
            return _box_of_international_text(data, inflate)
    return (_BOXES[name], data) if name in _BOXES else None


def _to_8_bits(colours: bytes, header: Header) -> bytes:
    """Return the transparent grey of a picture of 2 or 4 bits as it is in 8 bits, and other colours as they are."""
    if header.colour != 0 or header.depth not in (2, 4) or len(colours) != 2:
        return colours
    top = (1 << header.depth) - 1
    return ((int.from_bytes(colours, "big") & top) * (255 // top)).to_bytes(2, "big")


def _box_of_latin_text(keyword: bytes, value: bytes) -> Box:
    return "text", (keyword + b"\0\0\0" + value).decode("latin-1").encode()


def _box_of_international_text(data: bytes, inflate: Callable[[bytes], bytes]) -> Box:
    keyword, _, fields = data.partition(b"\0")
    flag, method, texts = fields[:1], fields[1:2], fields[2:].split(b"\0", 2)
    if len(texts) != 3:
        raise _NotKeptError("malformed")
    language, translation, value = texts
    if flag == b"\1":
        value = inflate(method + value)
    if keyword == _XMP_KEYWORD and not language and not translation:
        return "xmp", value
    return "text", b"\0".join([keyword.decode("latin-1").encode(), language, translation, value])


# Boxes to chunks

LEVEL = 6
"""The level of zlib, which is its default, too."""

# An order that PNG allows: what tells of colours before the palette, and all but the texts before the pixels.
_ORDER = (
    "cicp",
    "mastering-display",
    "light-levels",
    "srgb",
    "chromaticities",
    "significant-bits",
    "gamma",
    "icc",
    "palette",
    "transparency",
    "png-chunk",
    "resolution",
    "exif",
    "xmp",
    "text",
)


def metadata_chunks(boxes: tuple[Box, ...]) -> tuple[list[bytes], list[bytes]]:
    """Return the chunks of all boxes before the pixels, and those behind them."""
    order = sorted((box for box in boxes if box[0] != "bit-depth"), key=lambda box: _ORDER.index(box[0]))
    before: list[bytes] = []
    behind: list[bytes] = []
    for name, data in order:
        (behind if name == "png-chunk" and data[:1] == b"\1" else before).append(_encoded(name, data))
    return before, behind


def _encoded(name: str, data: bytes) -> bytes:
    match name:
        case "icc":
            return encoded(b"iCCP", b"ICC Profile\0\0" + zlib.compress(data, LEVEL))
        case "xmp":
            return encoded(b"iTXt", _XMP_KEYWORD + b"\0\0\0\0\0" + data)
        case "text":
            return _encoded_text(data)
        case "png-chunk":
            return encoded(data[1:5], data[5:])
    return encoded(_PLAIN[name], data)


def _encoded_text(data: bytes) -> bytes:
    """Return the plainest chunk that gives the text back exactly; long texts are compressed."""
    keyword, language, translation, value = data.split(b"\0", 3)
    long = len(value) > 1024
    keyword = keyword.decode().encode("latin-1")
    latin = None if language or translation else _latin(value)
    if latin is None:
        stream = zlib.compress(value, LEVEL) if long else value
        # The zero byte after the flag is the compression method.
        return encoded(b"iTXt", b"\0".join([keyword, bytes([long]), language, translation, stream]))
    if long:
        return encoded(b"zTXt", keyword + b"\0\0" + zlib.compress(latin, LEVEL))
    return encoded(b"tEXt", keyword + b"\0" + latin)


def _latin(value: bytes) -> bytes | None:
    try:
        return value.decode().encode("latin-1")
    except UnicodeError:
        return None
