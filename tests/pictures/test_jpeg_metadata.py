import hashlib
import struct

import pytest

from vaezip.pictures.findings import Findings
from vaezip.pictures.io import read
from vaezip.pictures.jpeg_metadata import look_into_jpeg

from .helpers import jpeg, pillow_rgb, refusal, saved, segment

SEVERAL = "holds several pictures; save them singly"
XMP, EXTENSION = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
EMPTY_EXIF = b"II*\0\x08\0\0\0\0\0\0\0\0\0"
VIDEO = struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + b"moving"
RDF = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
RDF_END = b"</rdf:RDF></x:xmpmeta>"


def xmp(packet):
    return segment(0xE1, XMP + packet)


def gain_map():
    return jpeg(xmp(b'<x hdrgm:Version="1.0"/>'), height=2, width=3)


def index(kind, place, size):
    """An MPF segment that lists one picture behind the first, and that is the first segment of its JPEG."""
    entries = struct.pack("<IIIHH", 0x30000, 0, 0, 0, 0) + struct.pack("<IIIHH", kind, size, max(0, place - 10), 0, 0)
    count = struct.pack("<HHII", 0xB001, 4, 1, 2)
    header = b"II*\0\x08\0\0\0\2\0" + count + struct.pack("<HHIII", 0xB002, 7, 32, 38, 0)
    return segment(0xE2, b"MPF\0" + header + entries)


def test_a_second_jpeg_that_nothing_explains_is_refused():
    for other in (jpeg(), jpeg(height=2, width=2), saved(pillow_rgb(), "PNG")):
        for between in (b"", bytes(7), b"\n"):
            assert refusal(read, jpeg() + between + other) == SEVERAL


@pytest.mark.parametrize(
    ("kind", "name"), [(0x10001, "preview picture"), (0x10002, "preview picture"), (0x50000, "gain map")]
)
def test_a_listed_picture_that_serves_the_first_is_named(kind, name):
    first = len(jpeg(index(kind, 0, 0)))
    for gap, dropped in ((b"", ()), (b"gap", ("3 bytes behind the end",))):
        data = jpeg(index(kind, first + len(gap), 9)) + gap + jpeg()
        assert read(data).dropped == ("MPF index (APP2)", name, *dropped)


@pytest.mark.parametrize("kind", [0, 0x20001, 0x20002, 0x20003, 0x40000])
def test_a_listed_picture_that_is_equal_to_the_first_is_refused(kind):
    first = len(jpeg(index(kind, 0, 0)))
    assert refusal(read, jpeg(index(kind, first, 9)) + jpeg()) == SEVERAL


def test_gain_maps_and_videos_are_named():
    listed = jpeg(xmp(b'<a Item:Semantic="Primary"/><b Item:Semantic="GainMap"/><c Item:Semantic="MotionPhoto"/>'))
    assert read(listed + gain_map() + VIDEO).dropped == ("gain map", "motion video")
    assert read(listed + jpeg()).dropped == ("gain map",)
    assert read(jpeg() + gain_map()).dropped == ("gain map",)
    assert read(jpeg() + VIDEO).dropped == ("motion video",)
    assert read(jpeg() + b"maker" + VIDEO).dropped == ("motion video", "5 bytes behind the end")
    assert refusal(read, (listed + gain_map()) * 2) == SEVERAL


def test_bytes_behind_the_end_are_counted():
    assert read(jpeg() + b"x").dropped == ("1 byte behind the end",)
    assert read(jpeg() + bytes(30)).dropped == ("30 bytes behind the end",)


def test_the_end_is_found_behind_bytes_that_look_like_markers():
    data = jpeg(segment(0xE5, b"\xff\xd9\xff\xd8"), segment(0xFE, b"\xff\xd9"))
    assert read(data).dropped == ("APP5", "comment")


@pytest.mark.parametrize(
    ("marker", "data", "name"),
    [
        (0xE0, b"JFXX\0\x10thumb", "JFXX thumbnail"),
        (0xE1, b"http://other/\0x", "http://other/ (APP1)"),
        (0xE2, b"FPXR\0x", "FPXR (APP2)"),
        (0xEB, b"JP\0\1\0\0\0\1\0\0\0\x19jumb\0\0\0\x11jumdc2pa", "C2PA (APP11)"),
        (0xEB, b"JP\0\1", "JUMBF (APP11)"),
        (0xED, b"Photoshop 3.0\x008BIM", "Photoshop 3.0 (APP13)"),
        (0xEE, b"Adobe\0d\0\0\0\0\1", "Adobe (APP14)"),
        (0xE7, b"\0\1\2", "APP7"),
        (0xE7, b"", "APP7"),
        (0xFE, b"hello", "comment"),
    ],
)
def test_other_segments_are_named(marker, data, name):
    assert read(jpeg(segment(marker, data))).dropped == (name,)


@pytest.mark.parametrize(
    ("unit", "across", "down", "box"),
    [
        (0, 1, 1, None),
        (0, 2, 1, (2, 1, 0)),
        (0, 72, 72, (72, 72, 0)),
        (1, 72, 300, (2835, 11811, 1)),
        (2, 100, 100, (10000, 10000, 1)),
        (0, 0, 0, None),
    ],
)
def test_the_resolution_of_jfif(unit, across, down, box):
    data = saved(pillow_rgb(), "JPEG")
    data = data[:13] + struct.pack(">BHH", unit, across, down) + data[18:]
    assert read(data).box("resolution") == (box and struct.pack(">IIB", *box))


def test_exif_data_in_several_segments_are_joined_and_second_ones_named():
    long = EMPTY_EXIF + bytes(100)
    pieces = [segment(0xE1, b"Exif\0\0" + piece) for piece in (long[:50], long[50:])]
    assert read(jpeg(*pieces)).box("exif") == long
    other = segment(0xE1, b"Exif\0\0MM\0*" + bytes(10))
    got = read(jpeg(segment(0xE1, b"Exif\0\0" + EMPTY_EXIF), other))
    assert (got.box("exif"), got.dropped) == (EMPTY_EXIF, ("second EXIF",))
    assert read(jpeg(segment(0xE1, b"Exif\0\0garbage"))).dropped == ("damaged EXIF",)


def test_profiles_in_pieces():
    def pieces(*numbers):
        return jpeg(*(segment(0xE2, b"ICC_PROFILE\0" + bytes([n, count]) + data) for n, count, data in numbers))

    assert read(pieces((2, 2, b"b"), (1, 2, b"a"))).box("icc") == b"ab"
    assert read(pieces((1, 2, b"a"))).dropped == ("damaged ICC profile",)
    got = read(pieces((1, 1, b"a"), (1, 1, b"other")))
    assert (got.box("icc"), got.dropped) == (b"a", ("second ICC profile",))


def extended(extension, digest=None):
    """The packet and the segments of an extension, the last one first."""
    digest = digest or hashlib.md5(extension).hexdigest().upper().encode()
    note = b'<rdf:Description xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="' + digest + b'"/>'
    pieces = [
        segment(0xE1, EXTENSION + digest + struct.pack(">II", len(extension), start) + extension[start : start + 60])
        for start in range(0, len(extension), 60)
    ]
    return [xmp(RDF + note + RDF_END), *reversed(pieces)]


def test_an_extension_of_xmp_is_put_into_its_packet():
    inner = b'<rdf:Description xmlns:p="urn:p" p:text="' + b"long " * 30 + b'"/>'
    got = read(jpeg(*extended(RDF + inner + RDF_END)))
    assert got.dropped == ()
    assert got.box("xmp") == (
        RDF + b'<rdf:Description xmlns:xmpNote="http://ns.adobe.com/xmp/note/" />' + inner + RDF_END
    )


@pytest.mark.parametrize(
    ("extension", "digest"),
    [
        (RDF + b"<rdf:Description/>" + RDF_END, b"0" * 32),
        (b"no xml", None),
        (RDF + b"<p:unbound/>" + RDF_END, None),
        (RDF + b"<unclosed>" + RDF_END, None),
    ],
)
def test_an_extension_that_does_not_fit_is_named(extension, digest):
    segments = extended(extension, digest)
    got = read(jpeg(*segments))
    assert got.dropped == ("damaged extended XMP",)
    assert segments[0].endswith(got.box("xmp"))


def test_work_is_bounded_by_the_size_of_the_file():
    """Patterns that would make a search begin anew at each byte."""
    digest = b"0" * 32
    starts = segment(0xE1, EXTENSION + digest + bytes(8) + b"<rdf:RDF" * 7000)
    for data in (b"\xff" * 200_000 + b"\0", xmp(b" " * 60_000) + starts, segment(0xE2, b"") * 5000):
        found = Findings()
        look_into_jpeg(b"\xff\xd8" + data, found)
    assert found.dropped == ("APP2",)
    many = b"".join(segment(0xE5, b"%06d" % number) for number in range(2000))
    look_into_jpeg(b"\xff\xd8" + many, found)
    assert found.dropped[-1] == "1969 other kinds"
