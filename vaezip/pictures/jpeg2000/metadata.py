"""Find the metadata of a JPEG 2000 file, in its boxes and in its codestream."""

from __future__ import annotations

from fractions import Fraction

from vaezip.errors import SeveralError
from vaezip.pictures.behind import look_behind
from vaezip.pictures.findings import Findings, label
from vaezip.pictures.iso_boxes import IsoBox, whole_boxes
from vaezip.pictures.jpeg2000.kind import CODESTREAM
from vaezip.pictures.picture import SEVERAL, bare_exif
from vaezip.pictures.resolution import per_metre

_COMMENT, _TILE_PART, _END = b"\xff\x64", b"\xff\x90", b"\xff\xd9"

_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_EXIF = b"JpgTiffExif->JP2"
_UUID_NAMES = {
    bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03"): "GeoJP2",
    bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"): "IPTC",
}
_LAYOUT = frozenset({b"jP  ", b"ftyp", b"jp2h", b"jp2c", b"rreq", b"free"})
_HEADER_LAYOUT = frozenset({b"ihdr", b"bpcc", b"pclr", b"cmap", b"cdef"})


def look_into_jpeg2000(data: bytes, found: Findings) -> None:
    """Find the metadata of a JPEG 2000 file or codestream, name what is not kept, and look behind its end.

    Raises:
        ImageError: the file holds several pictures.
    """
    if data.startswith(CODESTREAM):
        look_behind(data, _look_into_codestream(data, 0, found), found)
        return
    boxes = list(whole_boxes(data, 0, len(data)))
    kinds = [box.type for box in boxes]
    if kinds.count(b"jp2c") > 1 or kinds.count(b"jP  ") > 1:
        raise SeveralError(SEVERAL)
    for box in boxes:
        _look_into_box(data, box, found)
    look_behind(data, boxes[-1].end if boxes else None, found)


def _look_into_box(data: bytes, box: IsoBox, found: Findings) -> None:
    match box.type:
        case b"jp2h":
            for inner in whole_boxes(data, box.start, box.end):
                _look_into_header(data, inner, found)
        case b"jp2c":
            _look_into_codestream(data, box.start, found)
        case b"uuid":
            _look_into_uuid(data[box.start : box.start + 16], data[box.start + 16 : box.end], found)
        case kind if kind not in _LAYOUT:
            found.drop(f"{label(kind) or 'unnamed'} box")


def _look_into_uuid(uuid: bytes, content: bytes, found: Findings) -> None:
    if uuid == _XMP:
        found.keep("xmp", content)
    elif uuid == _EXIF:
        found.keep("exif", bare_exif(content))
    else:
        found.drop(_UUID_NAMES.get(uuid, "uuid box"))


def _look_into_header(data: bytes, box: IsoBox, found: Findings) -> None:
    if box.type == b"colr":
        method = data[box.start : box.start + 1]
        if method in (b"\2", b"\3"):
            found.keep("icc", data[box.start + 3 : box.end])
        elif method != b"\1":  # one of the listed colour spaces, which decide how the samples are decoded
            found.drop("colour specification")
    elif box.type == b"res ":
        for inner in whole_boxes(data, box.start, box.end):
            _keep_resolution(data[inner.start : inner.end], found)
    elif box.type not in _HEADER_LAYOUT:
        found.drop(f"{label(box.type) or 'unnamed'} box")


def _keep_resolution(content: bytes, found: Findings) -> None:
    """Keep a resolution: numerator and denominator down, then across, then the exponent of each."""
    if len(content) != 10:
        found.drop("damaged resolution")
        return
    numbers = [int.from_bytes(content[at : at + 2], "big") for at in range(0, 8, 2)]
    down, across = (
        Fraction(above, below or 1) * Fraction(10) ** int.from_bytes(content[at : at + 1], "big", signed=True)
        for above, below, at in ((numbers[0], numbers[1], 8), (numbers[2], numbers[3], 9))
    )
    box = per_metre(across, down)
    found.keep("resolution", box) if box else found.drop("resolution")


def _look_into_codestream(data: bytes, place: int, found: Findings) -> int | None:
    """Name the comments of a codestream, and return where it ends, None where that is not to be seen.

    Each step moves on by four bytes at least.
    """
    place += 2
    while (marker := data[place : place + 2]) not in (b"", _TILE_PART):
        size = int.from_bytes(data[place + 2 : place + 4], "big")
        if size < 2 or marker[0] != 0xFF:
            return None
        if marker == _COMMENT:
            found.drop("comment")
        place += 2 + size
    while data[place : place + 2] == _TILE_PART:
        size = int.from_bytes(data[place + 6 : place + 10], "big")
        if size < 12:
            return None  # zero: up to the end of the file
        place += size
    return place + 2 if data[place : place + 2] == _END else None
