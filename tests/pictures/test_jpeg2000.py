import struct

import pytest

from vaezip.pictures.io import read

from .helpers import iso_box, pillow_rgb, refusal, saved

XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
EXIF = b"II*\0\x08\0\0\0\0\0\0\0\0\0"
FILE = saved(pillow_rgb(16, 16), "JPEG2000")
CODESTREAM = FILE[FILE.index(b"\xff\x4f\xff\x51") :]


def with_header_box(box):
    """The file with one more box at the end of its header."""
    place = FILE.index(b"jp2h") - 4
    size = int.from_bytes(FILE[place : place + 4], "big")
    return (
        FILE[:place] + struct.pack(">I", size + len(box)) + FILE[place + 4 : place + size] + box + FILE[place + size :]
    )


def resolution(kind, down, across, exponents):
    return iso_box(b"res ", iso_box(kind, struct.pack(">HHHHbb", *down, *across, *exponents)))


def test_metadata_in_boxes_are_kept():
    boxes = iso_box(b"uuid", XMP + b"<x/>") + iso_box(b"uuid", b"JpgTiffExif->JP2" + EXIF)
    assert read(FILE + boxes).boxes == (("exif", EXIF), ("xmp", b"<x/>"))
    assert read(with_header_box(iso_box(b"colr", b"\2\0\0a profile"))).box("icc") == b"a profile"
    got = read(with_header_box(resolution(b"resc", (11811, 1), (2835, 10), (0, 1))))
    assert got.box("resolution") == struct.pack(">IIB", 2835, 11811, 1)


@pytest.mark.parametrize(
    ("box", "name"),
    [
        (iso_box(b"xml ", b"<a/>"), "xml box"),
        (iso_box(b"uuid", bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03")), "GeoJP2"),
        (iso_box(b"uuid", bytes(16)), "uuid box"),
        (iso_box(b"uuid", b"JpgTiffExif->JP2garbage"), "damaged EXIF"),
        (iso_box(b"jumb", b""), "jumb box"),
        (b"123", "3 bytes behind the end"),
    ],
)
def test_other_boxes_are_named(box, name):
    assert read(FILE + box).dropped == ("comment", name)


def test_what_stands_behind_a_codestream():
    assert read(CODESTREAM).dropped == ("comment",)
    assert read(CODESTREAM + b"12").dropped == ("comment", "2 bytes behind the end")
    for data in (CODESTREAM * 2, FILE * 2):
        assert refusal(read, data) == "holds several pictures; save them singly"


def test_a_resolution_without_room_is_named():
    assert "resolution" in read(with_header_box(resolution(b"resc", (1, 1), (1, 1), (99, 99)))).dropped
