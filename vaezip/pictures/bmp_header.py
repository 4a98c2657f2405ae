"""Read what the header of a BMP says beside the samples: resolution, colour space and ICC profile, and the end."""

from __future__ import annotations

import struct
from fractions import Fraction

from vaezip.pictures.behind import look_behind
from vaezip.pictures.findings import Findings
from vaezip.pictures.resolution import per_metre

_FILE_HEADER = 14
_OS2, _INFO, _V4, _V5 = 12, 40, 108, 124
_EMBEDDED, _LINKED, _SRGB, _SYSTEM = b"DEBM", b"KNIL", b"BGRs", b" niW"
_INTENTS = {4: 0, 2: 1, 1: 2, 8: 3}  # pictures, graphics, business, absolute: the numbers of ICC and PNG
_UNCOMPRESSED = (0, 3, 6)  # as they are, and by masks


def look_into_bmp(data: bytes, found: Findings) -> None:
    """Find the resolution and the profile of a BMP, name its colour space, and look behind its end.

    Raises:
        ImageError: the file holds several pictures.
    """
    if len(data) < _FILE_HEADER + 4:
        return
    size = int.from_bytes(data[14:18], "little")
    header = data[_FILE_HEADER : _FILE_HEADER + size]
    if len(header) < size or size < _OS2:
        return
    end = max(_end_of_rows(data, header), _FILE_HEADER + size)
    if size >= _INFO:
        _keep_resolution(header, found)
    if size >= _V4:
        end = max(end, _keep_colour_space(data, header, found))
    if len(data) - end > 3 or any(data[end:]):  # up to three zero bytes fill a word
        look_behind(data, end, found)


def _end_of_rows(data: bytes, header: bytes) -> int:
    """Return where the rows end; of compressed ones the header tells their size, or the file does."""
    start = int.from_bytes(data[10:14], "little")
    if len(header) < _INFO:
        width, height, _, bits = struct.unpack_from("<4H", header, 4)
        return start + height * _row_bytes(width, bits)
    width, height, _, bits, compression, size = struct.unpack_from("<iiHHII", header, 4)
    if compression in _UNCOMPRESSED:
        return start + abs(height) * _row_bytes(abs(width), bits)
    return start + size if size else len(data)


def _row_bytes(width: int, bits: int) -> int:
    return -(-width * bits // 32) * 4


def _keep_resolution(header: bytes, found: Findings) -> None:
    across, down = struct.unpack_from("<ii", header, 24)
    if across or down:
        box = per_metre(Fraction(across), Fraction(down))
        found.keep("resolution", box) if box else found.drop("resolution")


def _keep_colour_space(data: bytes, header: bytes, found: Findings) -> int:
    """Keep an embedded profile, name any other colour space, and return where the profile ends."""
    kind = min(header[56:60], header[59:55:-1])  # a number that reads as a word, which some write forwards
    if kind in (_EMBEDDED, _LINKED) and len(header) >= _V5:
        place, size = struct.unpack_from("<II", header, 112)
        start = _FILE_HEADER + place
        if kind == _LINKED:
            found.drop("linked ICC profile")
        elif size and start + size <= len(data):
            found.keep("icc", data[start : start + size])
        else:
            found.drop("damaged ICC profile")
        return start + size
    intent = _INTENTS.get(int.from_bytes(header[_V4 : _V4 + 4], "little"))
    if kind == _SRGB and intent is not None:
        found.keep("srgb", bytes([intent]))
    elif kind == _SRGB:
        found.drop("sRGB")
    elif kind == bytes(4):
        if any(header[60:_V4]):
            found.drop("calibrated colour space")
    elif kind != _SYSTEM:  # the colour space of the system, which says nothing
        found.drop("colour space")
    return 0
