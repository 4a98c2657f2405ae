import struct

import numpy as np
import pytest

from vaezip.pictures.findings import Findings
from vaezip.pictures.io import dropped_boxes, read, write
from vaezip.pictures.picture import same
from vaezip.pictures.tiff_directories import look_into_tiff

from .helpers import grey_tiff, layout, long, picture, rational, refusal, short

SEVERAL = "holds several pictures; save them singly"
ORDERS = pytest.mark.parametrize("order", ["<", ">"])
DATE = (0x9003, 2, 20, b"2020:01:01 00:00:00\0")


def text(number, value):
    return number, 2, len(value) + 1, value + b"\0"


def resolution_tags(order, across, down, unit):
    return [rational(order, 282, *across), rational(order, 283, *down), short(order, 296, unit)]


@ORDERS
def test_a_second_picture_of_full_size_is_refused(order):
    page = layout(order, 4, 2)
    assert refusal(read, grey_tiff(order, pages=[page])) == SEVERAL
    assert refusal(read, grey_tiff(order, below=[(330, page)])) == SEVERAL
    reduced_first = grey_tiff(order, [long(order, 254, 1)], pages=[page])
    assert (
        refusal(read, reduced_first) == "begins with a thumbnail of another picture in it, as raw files of cameras do"
    )


@ORDERS
def test_smaller_versions_and_masks_are_named(order):
    reduced, mask = layout(order, 2, 1, long(order, 254, 1)), layout(order, 4, 2, long(order, 254, 4))
    old = layout(order, 2, 1, short(order, 255, 2))
    for data in (
        grey_tiff(order, pages=[reduced]),
        grey_tiff(order, below=[(330, reduced)]),
        grey_tiff(order, pages=[old]),
    ):
        assert read(data).dropped == ("reduced pictures",)
        assert read(data).samples.tobytes() == bytes(range(8))
    assert read(grey_tiff(order, pages=[mask, reduced])).dropped == ("transparency mask", "reduced pictures")
    assert read(grey_tiff(order, pages=[[short(order, 259, 6)]])).dropped == ("thumbnail",)


def test_directories_in_a_circle_end():
    for pointer in ([long("<", 330, 16)], [long("<", 330, 16, 16, 16)], [long("<", 0x8769, 16)]):
        assert read(grey_tiff(tags=pointer)).samples.tobytes() == bytes(range(8))


def test_work_is_bounded_by_the_size_of_the_file():
    """Each of many directories points at the same many others; each of many tags at the same many bytes."""
    size = 1 << 16
    chain = b"II*\0\x08\0\0\0"
    for number in range(2000):
        chain += struct.pack("<HHHIII", 1, 330, 4, size // 8, 8, 8 + 18 * (number + 1))
    look_into_tiff(chain + bytes(size), Findings())
    entries = b"".join(struct.pack("<HHII", number, 7, size, 8) for number in range(1, 3000))
    many = b"II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 0x8769, 4, 1, 26, 0) + struct.pack("<H", 2999) + entries
    found = Findings()
    look_into_tiff(many + bytes(size), found)
    assert found.boxes == {}
    assert "damaged EXIF" in found.dropped


@ORDERS
@pytest.mark.parametrize(
    ("across", "down", "unit", "box"),
    [
        ((2, 1), (1, 1), 1, (2, 1, 0)),
        ((1, 1), (1, 1), 1, (1, 1, 0)),
        ((26, 5), (26, 5), 1, (26, 26, 0)),
        ((300, 1), (300, 1), 2, (11811, 11811, 1)),
        ((3005, 10), (72, 1), 2, (11831, 2835, 1)),
        ((2835, 100), (11811, 100), 3, (2835, 11811, 1)),
    ],
)
def test_every_resolution_comes_back_from_tiff_as_it_was(order, across, down, unit, box):
    data = grey_tiff(order, resolution_tags(order, across, down, unit))
    got = read(data)
    assert got.box("resolution") == struct.pack(">IIB", *box)
    assert got.dropped == dropped_boxes(got, ".tif") == ()
    again = write(got, ".tif")
    kept = read(again)
    assert kept.box("resolution") == got.box("resolution")
    assert (kept.box("exif") is None) == (got.box("exif") is None)
    for number, value in ((282, across), (283, down)):
        entry = again.rindex(struct.pack("<HHI", number, 5, 1))
        (place,) = struct.unpack_from("<I", again, entry + 8)
        above, below = struct.unpack_from("<II", again, place)
        assert above * value[1] == below * value[0]


def test_the_scale_of_imagej_stays_with_its_description():
    tags = [text(270, b"ImageJ=1.54\nunit=micron\n"), *resolution_tags("<", (5, 1), (5, 1), 1)]
    got = read(grey_tiff(tags=tags))
    assert got.box("resolution") == struct.pack(">IIB", 5, 5, 0)
    assert struct.pack("<II", 5, 1) * 2 in got.box("exif")
    assert b"unit=micron" in got.box("exif")


@ORDERS
def test_all_exif_data_come_back_from_tiff(order):
    """Bytes that are no ASCII too, which the encoder would change."""
    exif, place = [DATE, (0x829D, 5, 1, struct.pack(order + "II", 14, 5))], [text(1, b"N"), text(5, b"x")]
    data = grey_tiff(
        order,
        [text(270, "5 µm".encode()), text(271, b"Maker")],
        [(0xA005, [text(1, b"R98")]), (0x8769, exif), (0x8825, place)],
    )
    got = read(data)
    assert got.dropped == dropped_boxes(got, ".tif") == ()
    for value in ("5 µm\0".encode(), DATE[3], b"R98\0", b"Maker\0"):
        assert value in got.box("exif")
        assert value in write(got, ".tif")
    again = read(write(got, ".tif"))
    assert np.array_equal(again.samples, got.samples)
    assert order == ">" or same(again, got)


def test_the_note_of_a_maker_is_kept_where_it_counts_from_its_own_beginning():
    def exif(note):
        return read(grey_tiff(below=[(0x8769, [DATE, (0x927C, 7, len(note), note)])]))

    kept = exif(b"FUJIFILM\x0c\0\0\0rest")
    assert (kept.dropped, b"FUJIFILM" in kept.box("exif")) == ((), True)
    bound = exif(b"Canon positions")
    assert bound.dropped == ("MakerNote, which holds absolute positions",)
    assert b"Canon positions" not in bound.box("exif")
    assert DATE[3] in bound.box("exif")


def test_exif_data_that_tiff_keeps_in_part_are_named():
    note = grey_tiff(below=[(0x8769, [DATE, (0x927C, 7, 15, b"Canon positions")])])
    before = picture("RGB", boxes=(("exif", note),))
    assert dropped_boxes(before, ".tif") == ("exif",)
    assert DATE[3] in read(write(before, ".tif")).box("exif")


def test_other_tags_are_named():
    tags = [text(285, b"page"), (65000, 1, 4, b"abcd"), (339, 3, 1, b"\1\0"), (700, 1, 4, b"<x/>")]
    got = read(grey_tiff(tags=tags))
    assert (got.boxes, got.dropped) == ((("xmp", b"<x/>"),), ("PageName", "tag 65000"))


def test_damaged_tags_keep_no_picture_out():
    beyond = [(271, 2, 99, struct.pack("<I", 9999)), (700, 1, 9999, struct.pack("<I", 8)), long("<", 0x8769, 9999)]
    got = read(grey_tiff(tags=beyond))
    assert got.samples.tobytes() == bytes(range(8))
    assert got.boxes == ()
    assert set(got.dropped) == {"damaged EXIF", "damaged Make", "damaged XMP"}


def test_the_orientation_of_a_bigtiff_is_not_applied():
    data, tags = bytearray(b"II+\0\x08\0\0\0" + struct.pack("<Q", 24) + bytes(range(8))), []
    for number, kind, count, value in [*layout("<", 4, 2), short("<", 274, 3)]:
        value = struct.pack("<I", 16) if number == 273 else value
        tags.append(struct.pack("<HHQ8s", number, kind, count, value))
    data += struct.pack("<Q", len(tags)) + b"".join(sorted(tags, key=lambda tag: tag[:2][::-1])) + bytes(8)
    got = read(bytes(data))
    assert got.samples.tobytes() == bytes(range(8))
    assert got.box("exif").endswith(struct.pack("<HHIHHI", 274, 3, 1, 3, 0, 0))


def test_a_resolution_that_says_nothing_is_named():
    for tags in (
        [short("<", 296, 2)],
        [rational("<", 282, 72)],
        resolution_tags("<", (0, 1), (1, 1), 2),
        resolution_tags("<", (1, 0), (1, 1), 2),
        resolution_tags("<", (72, 1), (72, 1), 9),
        [(282, 5, 2, struct.pack("<4I", 1, 1, 1, 1)), rational("<", 283, 1)],
    ):
        got = read(grey_tiff(tags=tags))
        assert (got.boxes, got.dropped) == ((), ("incomplete resolution",))
