"""Find the metadata of a JPEG, and tell what is attached to it behind its end.

A JPEG may list what stands behind it: an index of several pictures (MPF), or a directory in its XMP. A listed picture
that serves the first one, such as a preview or a gain map, is named; one that is its equal, such as the other view of
a stereo camera, or that no list explains, is refused.
"""

from __future__ import annotations

import re
import struct
from collections import deque
from fractions import Fraction

from vaezip.errors import SeveralError
from vaezip.pictures.behind import after_padding, look_behind, name_bytes_behind, starts_picture
from vaezip.pictures.findings import Findings, label
from vaezip.pictures.jpeg import xmp
from vaezip.pictures.jpeg.segments import COM, Jpeg, Segment, walk_jpeg
from vaezip.pictures.picture import EXIF_PREFIX, SEVERAL, bare_exif
from vaezip.pictures.resolution import by_no_unit, per_metre
from vaezip.pictures.tiff.resolution import exif_resolution
from vaezip.pictures.tiff.tags import open_tiff

_JFIF, _JFXX, _ICC, _MPF = b"JFIF\0", b"JFXX\0", b"ICC_PROFILE\0", b"MPF\0"
_UNITS = {1: Fraction(10000, 254), 2: Fraction(100)}


def look_into_jpeg(data: bytes, found: Findings) -> None:
    """Find the metadata of a JPEG, name what is not kept, and look behind its end.

    Raises:
        ImageError: the file holds several pictures.
    """
    jpeg = walk_jpeg(data)
    parts = _Parts(found)
    for segment in jpeg.segments:
        parts.take(segment)
    parts.finish()
    if jpeg.end is not None:
        _look_at_attachments(data, jpeg.end, parts)


class _Parts:
    """Sort the segments of a JPEG, and put together what stands in several of them."""

    def __init__(self, found: Findings) -> None:
        self.found = found
        self.index: dict[int, int] = {}
        self._exif: list[bytes] = []
        self._icc: list[bytes] = []
        self._packets: list[bytes] = []
        self._extensions: list[bytes] = []

    def take(self, segment: Segment) -> None:
        """Keep a segment for a box, or name it."""
        marker, data = segment.marker & 15, bytes(segment.data)
        if segment.marker == COM:
            self.found.drop("comment")
        elif marker == 0 and data.startswith(_JFIF):
            self._take_jfif(data)
        elif marker == 0 and data.startswith(_JFXX):
            self.found.drop("JFXX thumbnail")
        elif marker == 1 and data.startswith(EXIF_PREFIX):
            self._exif.append(bare_exif(data))
        elif marker == 1 and data.startswith(xmp.PACKET):
            self._packets.append(data.removeprefix(xmp.PACKET))
        elif marker == 1 and data.startswith(xmp.EXTENSION):
            self._extensions.append(data.removeprefix(xmp.EXTENSION))
        elif marker == 2 and data.startswith(_ICC):
            self._icc.append(data.removeprefix(_ICC))
        else:
            if marker == 2 and data.startswith(_MPF):
                self.index |= _index(data.removeprefix(_MPF), segment.place + len(_MPF))
            self.found.drop(_segment_name(marker, data))

    def _take_jfif(self, data: bytes) -> None:
        if len(data) < 14:
            self.found.drop("damaged JFIF")
            return
        unit, across, down, width, height = struct.unpack_from(">BHHBB", data, 7)
        if width and height:
            self.found.drop("JFIF thumbnail")
        # One by one without a unit is how a file says nothing, for the segment has no way to leave it out.
        if across and down and (unit, across, down) != (0, 1, 1):
            by = _UNITS.get(unit)
            box = per_metre(across * by, down * by) if by else by_no_unit(Fraction(across), Fraction(down))
            self.found.keep("resolution", box or b"")

    def finish(self) -> None:
        """Keep what stands in several segments."""
        self._finish_exif()
        self._finish_icc()
        self._finish_xmp()

    def _finish_exif(self) -> None:
        """Join segments: one that does not begin as EXIF data do continues the one before."""
        whole: list[list[bytes]] = []
        for piece in self._exif:
            if whole and open_tiff(piece) is None:
                whole[-1].append(piece)
            else:
                whole.append([piece])
        for pieces in whole:
            self.found.keep("exif", b"".join(pieces))
        told = exif_resolution(self.found.boxes.get("exif", b""))
        if told is not None and "resolution" not in self.found.boxes:
            self.found.keep("resolution", told.box() or b"")

    def _finish_icc(self) -> None:
        """Join the pieces of the profile, each with its number and the count of all before it."""
        if not self._icc:
            return
        count = self._icc[0][1:2]
        pieces: dict[int, bytes] = {}
        for piece in self._icc:
            if len(piece) < 2 or piece[1:2] != count or pieces.setdefault(piece[0], piece) != piece:
                self.found.drop("second ICC profile")
        if count and sorted(pieces) == list(range(1, count[0] + 1)):
            self.found.keep("icc", b"".join(pieces[number][2:] for number in sorted(pieces)))
        else:
            self.found.drop("damaged ICC profile")

    def _finish_xmp(self) -> None:
        packets = self._packets or [b""]
        whole = xmp.extended(packets[0], self._extensions) if self._extensions else None
        self.found.keep("xmp", whole or packets[0])
        if self._extensions and whole is None:
            self.found.drop("damaged extended XMP")
        elif any(piece[:32].upper() != xmp.digest_of(packets[0]) for piece in self._extensions):
            self.found.drop("second extended XMP")
        for packet in packets[1:]:
            if packet != packets[0]:
                self.found.drop("second XMP")


def _segment_name(marker: int, data: bytes) -> str:
    """Return what people call a segment of application data."""
    if marker == 11 and data.startswith(b"JP"):
        return "C2PA (APP11)" if b"c2pa" in data else "JUMBF (APP11)"
    if marker == 2 and data.startswith(_MPF):
        return "MPF index (APP2)"
    name = label(data.split(b"\0")[0])
    return f"{name} (APP{marker})" if name else f"APP{marker}"


# What stands behind the end

_PREVIEWS, _GAIN_MAP = (0x010001, 0x010002), 0x050000
_UNDEFINED = 0


def _index(data: bytes, place: int) -> dict[int, int]:
    """Return the kinds of the pictures that an MPF index lists, by their places in the file."""
    tiff = open_tiff(data)
    first = tiff.directory(tiff.first) if tiff else None
    entries = first.tags.get(0xB002) if first else None
    if tiff is None or entries is None:
        return {}
    values = bytes(entries.data)
    values = values[: len(values) // 16 * 16]
    listed = struct.iter_unpack(tiff.order + "IIIHH", values)
    return {place + offset: kind & 0xFFFFFF for kind, _, offset, _, _ in listed if offset}


_SEMANTIC = re.compile(rb"""Item:Semantic\s*(?:=\s*["']|>\s*)([A-Za-z]{1,30})""")
_SEMANTIC_NAMES = {"GainMap": "gain map", "Depth": "depth map"}
_SERVANTS = re.compile(rb"(hdrgm:|aux:hdrgainmap|urn:iso:std:iso:ts:21496)|(apdi:|depthmap)|(matte)", re.IGNORECASE)
_SERVANT_NAMES = ("gain map", "depth map", "matte")
_VIDEO = re.compile(rb"....ftyp", re.DOTALL)


def _look_at_attachments(data: bytes, place: int, parts: _Parts) -> None:
    """Go through the pictures behind the first one, each from its beginning to its end, and name what is left.

    Raises:
        ImageError: one of them is a picture of its own.
    """
    listed = [item.decode() for item in _SEMANTIC.findall(parts.found.boxes.get("xmp", b""))]
    waiting = deque(item for item in listed if item not in ("Primary", "MotionPhoto"))
    unknown = 0
    places = sorted(parts.index, reverse=True)
    while place < len(data):
        start = after_padding(data, place)
        while places and places[-1] < start:
            places.pop()
        if data.startswith(b"\xff\xd8\xff", start):
            jpeg = walk_jpeg(data, start)
            parts.found.drop(_attachment(jpeg, parts.index.get(start), waiting))
            place = jpeg.end or len(data)
        elif places and places[-1] > start:
            unknown += places[-1] - place
            place = places[-1]
        else:
            _look_at_rest(data, place, unknown, parts.found)
            return
    name_bytes_behind(unknown, parts.found)


def _attachment(other: Jpeg, kind: int | None, listed: deque[str]) -> str:
    """Return what another JPEG is to the first one; ``listed`` loses the name that it takes from it."""
    if kind in _PREVIEWS:
        return "preview picture"
    if kind == _GAIN_MAP:
        return "gain map"
    if kind not in (None, _UNDEFINED):
        raise SeveralError(SEVERAL)
    if listed:
        semantic = listed.popleft()
        return _SEMANTIC_NAMES.get(semantic, f"{semantic} picture")
    servant = None if any(map(_lists_others, other.segments)) else _servant(other)
    if servant is None:
        raise SeveralError(SEVERAL)
    return servant


def _servant(jpeg: Jpeg) -> str | None:
    """Return what a JPEG says that it is to another one."""
    for segment in jpeg.segments:
        servant = _SERVANTS.search(segment.data) if segment.marker != COM else None
        if servant is not None:
            return _SERVANT_NAMES[(servant.lastindex or 1) - 1]
    return None


def _lists_others(segment: Segment) -> bool:
    """Tell whether a segment lists attached pictures, as that of a first picture does."""
    return segment.data[:4] == _MPF or _SEMANTIC.search(segment.data) is not None


def _look_at_rest(data: bytes, place: int, unknown: int, found: Findings) -> None:
    """Name a video, by its first box, or the bytes that are nothing known."""
    video = _VIDEO.search(data, place)
    if video is not None and not starts_picture(data, video.start()):
        found.drop("motion video")
        name_bytes_behind(unknown + video.start() - place, found)
    elif unknown:
        name_bytes_behind(unknown + len(data) - place, found)
    else:
        look_behind(data, place, found)
