"""Walk the chunks of a WebP file."""

from __future__ import annotations

from vaezip.pictures.behind import look_behind
from vaezip.pictures.findings import Findings, label
from vaezip.pictures.picture import bare_exif

_KEPT = {b"ICCP": "icc", b"EXIF": "exif", b"XMP ": "xmp"}
_PIXELS = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANMF"})


_FIRST, _LEAST = 20, 30
"""Where the content of the first chunk begins, and the bytes of a file that tells its size."""


def extent_of_webp(data: bytes) -> tuple[int, int]:
    """Return width and height of a WebP file, as its first chunk tells them; (0, 0) where it tells none."""
    name, content = data[12:16], data[_FIRST:_LEAST]
    if len(content) < _LEAST - _FIRST:
        return 0, 0
    if name == b"VP8X":
        return 1 + int.from_bytes(content[4:7], "little"), 1 + int.from_bytes(content[7:10], "little")
    if name == b"VP8L":
        bits = int.from_bytes(content[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if name == b"VP8 ":
        width, height = (int.from_bytes(content[i : i + 2], "little") & 0x3FFF for i in (6, 8))
        return width, height
    return 0, 0


def look_into_webp(data: bytes, found: Findings) -> None:
    """Find the metadata of a WebP file, name its other chunks, and look behind its end.

    A chunk takes eight bytes at least, so there are no more steps than an eighth of the bytes.

    Raises:
        ImageError: the file holds several pictures.
    """
    end = 8 + int.from_bytes(data[4:8], "little")
    place = 12
    while place + 8 <= min(end, len(data)):
        name, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        body = place + 8
        if name in _KEPT:
            if body + size > len(data):
                found.drop(f"damaged {label(name)}")
            else:
                found.keep(_KEPT[name], bare_exif(data[body : body + size]))
        elif name not in _PIXELS:
            found.drop(label(name) or "unnamed chunk")
        place = body + size + size % 2
    look_behind(data, end + end % 2, found)
