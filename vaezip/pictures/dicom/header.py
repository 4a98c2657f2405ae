"""Read the header of a DICOM file by pydicom, so far as it tells where the pixel data stand, and what they are."""

from __future__ import annotations

import io
import zlib
from typing import Any, NamedTuple

from vaezip.errors import ImageError
from vaezip.pictures.exact_kinds import library
from vaezip.pictures.picture import damage

IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN = (f"1.2.840.10008.1.2{end}" for end in ("", ".1", ".1.99", ".2"))
"""The transfer syntaxes in which samples stand plainly."""

PIXELS, FLOATS, DOUBLES = 0x7FE00010, 0x7FE00008, 0x7FE00009
"""The elements that hold samples: integers and, which vaezip does not read, numbers of floating point."""

PHOTOMETRIC, PLANAR = 0x00280004, 0x00280006
"""The elements that tell the colours, and whether each channel stands as a whole."""

UNDEFINED = 0xFFFFFFFF
"""The length of pixel data that are compressed."""

MOST_HEADER = 1 << 23
"""Bytes before the pixel data: pydicom takes up to 70 times as many of memory, and 20 s."""

_META, _GROUP_OF_PIXELS, _LONG = 132, 0x7FE0, ("OB", "OW", "OV", "OF", "OD", "UN")
_LENGTH, _SYNTAX = 0x00020000, 0x00020010
_ASKED = [
    *(0x00280000 | element for element in (0x02, 0x04, 0x06, 0x08, 0x10, 0x11, 0x100, 0x101, 0x102, 0x103)),
    *range(0x00281101, 0x00281104),  # descriptors of palettes
    *range(0x00281201, 0x00281204),  # and their colours
]


class Header(NamedTuple):
    """Hold what the header says.

    Attributes:
        data: the file; one that is deflated as a whole, inflated so far as the header goes.
        meta, values: the elements before and after the transfer syntax counts, as pydicom has them.
        syntax: the transfer syntax.
        body: where the data set begins.
        end: where the element of the pixel data begins, or what belongs to it.
        pixels, length: where the samples stand, and the bytes that they take there.
        tag, representation: of the pixel data; the second is ``OB``, ``OW`` or None.
        places: where the values of elements stand, and their lengths, by their tags.
    """

    data: bytes
    meta: Any
    values: Any
    syntax: str
    body: int
    end: int
    pixels: int
    length: int
    tag: int
    representation: str | None
    places: dict[int, tuple[int, int]]

    def integer(self, keyword: str, default: int | None = None) -> int:
        """Return an element that is a whole number, or a default where it is absent or empty."""
        value = self.values.get(keyword)
        if value is None and default is not None:
            return default
        if not isinstance(value, int):
            raise damage(f"{keyword} is no whole number")
        return int(value)

    def text(self, keyword: str) -> str:
        """Return an element as text, which is empty where it is absent."""
        return str(self.values.get(keyword) or "")


def read_header(data: bytes) -> Header:
    """Read the header of a DICOM file.

    Raises:
        ImageError: pydicom is not there, or the file is damaged or holds no pixel data.
    """
    library("pydicom", "DICOM", "dicom")
    from pydicom.filereader import read_dataset

    file = io.BytesIO(data[:MOST_HEADER])
    file.seek(_META)
    meta = read_dataset(file, False, True, stop_when=lambda tag, _vr, _length: tag >> 16 != 2)
    body, syntax = file.tell(), _raw(meta, _SYNTAX)
    name = syntax.value.rstrip(b"\0 ").decode("latin-1") if syntax else ""
    if name == DEFLATED:
        data = data[:body] + inflated(data, body, MOST_HEADER)
        file = io.BytesIO(data)
        file.seek(body)
    of_pixels: list[tuple[int, str | None, int, int]] = []

    def is_last(tag: int, vr: str | None, length: int) -> bool:
        if tag >> 16 >= _GROUP_OF_PIXELS:
            of_pixels.append((tag, vr, file.tell(), length))
        return tag in (PIXELS, FLOATS, DOUBLES) or tag > PIXELS

    values = read_dataset(file, name == IMPLICIT, name != BIG_ENDIAN, stop_when=is_last, specific_tags=_ASKED)
    if not name:
        raise ImageError("is a DICOM file that names no transfer syntax")
    if not of_pixels or of_pixels[-1][0] not in (PIXELS, FLOATS, DOUBLES):
        reason = "has no pixel data in its first 8 MiB" if len(data) >= MOST_HEADER else "holds no picture"
        raise ImageError(reason)
    _, first, at, _ = of_pixels[0]
    tag, vr, pixels, length = of_pixels[-1]
    end = at - (12 if first in _LONG else 8)
    asked = {tag: _raw(values, tag) for tag in (PHOTOMETRIC, PLANAR)}
    places = {tag: (element.value_tell, len(element.value)) for tag, element in asked.items() if element}
    return Header(data, meta, values, name, body, end, pixels, length, tag, vr, places)


def _raw(values: Any, tag: int) -> Any:
    """Return an element as it stands in the file, None where it is absent, empty or a sequence."""
    element: Any = values.get_item(tag) if tag in values else None
    return element if isinstance(getattr(element, "value", None), bytes) and element.value else None


def inflated(data: bytes, start: int, most: int) -> bytes:
    """Return what is deflated from a place on, up to some bytes."""
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[start:], most)


def plain_meta(header: Header) -> bytes:
    """Return all before the data set, with the transfer syntax of samples that stand plainly."""
    data, syntax, group = bytearray(header.data[: header.body]), _raw(header.meta, _SYNTAX), _raw(header.meta, _LENGTH)
    start, end = syntax.value_tell, syntax.value_tell + len(syntax.value)
    name = EXPLICIT.encode() + b"\0" * (len(EXPLICIT) % 2)
    if group:
        at = group.value_tell
        length = int.from_bytes(data[at : at + 4], "little") + len(name) - len(syntax.value)
        data[at : at + 4] = (length % (1 << 32)).to_bytes(4, "little")
    data[start - 2 : end] = len(name).to_bytes(2, "little") + name
    return bytes(data)
