"""Read what the header of a BMP says beside the samples: resolution, colour space and ICC profile, and the end."""

from __future__ import annotations

import struct
from fractions import Fraction

from vaezip.pictures.behind import look_behind
from vaezip.pictures.bmp.header import FILE_HEADER, INFO, MASKS, MASKS_WITH_ALPHA, PLAIN, V4, V5, BmpHeader, bmp_header
from vaezip.pictures.findings import Findings
from vaezip.pictures.picture import Picture
from vaezip.pictures.resolution import METRE, per_metre

_RESOLUTION = 38  # where it stands in the file
_EMBEDDED, _LINKED, _SRGB, _SYSTEM = b"DEBM", b"KNIL", b"BGRs", b" niW"
_INTENTS = {4: 0, 2: 1, 1: 2, 8: 3}  # pictures, graphics, business, absolute: the numbers of ICC and PNG


def look_into_bmp(data: bytes, found: Findings) -> None:
    """Find the resolution and the profile of a BMP, name its colour space, and look behind its end.

    Raises:
        ImageError: the file holds several pictures, or its header is damaged.
    """
    header = bmp_header(data)
    size = len(header.fields)
    end = max(_end_of_rows(data, header), FILE_HEADER + size)
    if size >= INFO:
        _keep_resolution(header.fields, found)
    if size >= V4:
        end = max(end, _keep_colour_space(data, header.fields, found))
    if len(data) - end > 3 or any(data[end:]):  # up to three zero bytes fill a word
        look_behind(data, end, found)


def _end_of_rows(data: bytes, header: BmpHeader) -> int:
    """Return where the rows end; of compressed ones the header tells their size, or the file does."""
    if header.compression in (PLAIN, MASKS, MASKS_WITH_ALPHA):
        return header.rows + abs(header.height) * header.row_bytes
    size = int.from_bytes(header.fields[20:24], "little")
    return header.rows + size if size else len(data)


def keeps_resolution(box: bytes) -> bool:
    """Tell whether a BMP has room for the resolution of a box: signed numbers of 32 bits by the metre."""
    across, down, unit = struct.unpack(">IIB", box)
    return unit == METRE and 0 < across < 1 << 31 and 0 < down < 1 << 31


def with_resolution(data: bytes, picture: Picture) -> bytes:
    """Return a BMP with the resolution of a picture, or with none where there is no room for it."""
    box = picture.box("resolution")
    numbers = struct.unpack(">II", box[:8]) if box is not None and keeps_resolution(box) else (0, 0)
    return data[:_RESOLUTION] + struct.pack("<II", *numbers) + data[_RESOLUTION + 8 :]


def _keep_resolution(header: bytes, found: Findings) -> None:
    across, down = struct.unpack_from("<ii", header, _RESOLUTION - FILE_HEADER)
    if across or down:
        box = per_metre(Fraction(across), Fraction(down))
        found.keep("resolution", box) if box else found.drop("resolution")


def _keep_colour_space(data: bytes, header: bytes, found: Findings) -> int:
    """Keep an embedded profile, name any other colour space, and return where the profile ends."""
    kind = min(header[56:60], header[59:55:-1])  # a number that reads as a word, which some write forwards
    if kind in (_EMBEDDED, _LINKED) and len(header) >= V5:
        place, size = struct.unpack_from("<II", header, 112)
        start = FILE_HEADER + place
        if kind == _LINKED:
            found.drop("linked ICC profile")
        elif size and start + size <= len(data):
            found.keep("icc", data[start : start + size])
        else:
            found.drop("damaged ICC profile")
        return start + size
    intent = _INTENTS.get(int.from_bytes(header[V4 : V4 + 4], "little"))
    if kind == _SRGB and intent is not None:
        found.keep("srgb", bytes([intent]))
    elif kind == _SRGB:
        found.drop("sRGB")
    elif kind == bytes(4):
        if any(header[60:V4]):
            found.drop("calibrated colour space")
    elif kind != _SYSTEM:  # the colour space of the system, which says nothing
        found.drop("colour space")
    return 0
