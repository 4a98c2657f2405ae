import struct

import pytest

from vaezip.errors import ImageError
from vaezip.pictures.avif_items import look_into_avif
from vaezip.pictures.exif import orientation_of, with_orientation
from vaezip.pictures.findings import Findings

from .helpers import directory, iso_box, short

EXIF = b"II*\0\x08\0\0\0" + directory("<", [(271, 2, 8, b"Maker 1\0")], 8)


def full(kind, content, version=0):
    return iso_box(kind, struct.pack(">I", version << 24) + content)


def item(number, kind, more=b""):
    return full(b"infe", struct.pack(">HH", number, 0) + kind + b"\0" + more, 2)


def reference(kind, source, *targets):
    return iso_box(kind, struct.pack(f">HH{len(targets)}H", source, len(targets), *targets))


def avif(items=(), references=(), properties=(), exif=b""):
    """The boxes of an AVIF whose first item is its picture; EXIF data are item 9, in two parts."""
    items = [item(1, b"av01"), *items, *([item(9, b"Exif")] if exif else [])]
    head = iso_box(b"ftyp", b"avif\0\0\0\0avif")
    content = struct.pack(">I", 0) + exif
    parts = struct.pack(">HHH", 9, 0, 2)
    for start, size in ((8, 4), (12, len(content) - 4)):
        parts += struct.pack(">II", len(head) + start, size)
    meta = full(
        b"meta",
        full(b"pitm", struct.pack(">H", 1))
        + full(b"iloc", struct.pack(">HH", 0x4400, 1) + parts)
        + full(b"iinf", struct.pack(">H", len(items)) + b"".join(items))
        + full(b"iref", b"".join(references))
        + iso_box(b"iprp", iso_box(b"ipco", b"".join(properties))),
    )
    return head + iso_box(b"mdat", content) + meta


def found(data):
    findings = Findings()
    look_into_avif(data, findings)
    return findings


def test_exif_data_are_kept_as_they_are():
    got = found(avif(exif=EXIF))
    assert (got.boxes, got.dropped) == ({"exif": EXIF}, ())
    assert found(avif([item(9, b"Exif"), item(8, b"Exif")], exif=EXIF)).dropped == ("second EXIF",)


def test_a_second_picture_is_refused_and_one_that_serves_is_named():
    with pytest.raises(ImageError, match="several pictures"):
        found(avif([item(2, b"av01")]))
    with pytest.raises(ImageError, match="several pictures"):
        found(avif() * 2)
    assert found(avif([item(2, b"av01")], [reference(b"thmb", 2, 1)])).dropped == ("thumbnail",)
    assert found(avif([item(2, b"av01")], [reference(b"auxl", 2, 1)])).dropped == ()
    assert found(avif([item(2, b"av01"), item(3, b"tmap")], [reference(b"dimg", 3, 1, 2)])).dropped == ("gain map",)


@pytest.mark.parametrize(
    ("kind", "content", "names"),
    [
        (b"colr", b"nclx\1\x09\0\x10\0\x09\x80", ("CICP (nclx)",)),
        (b"colr", b"nclx\0\1\0\x0d\0\6\x80", ()),
        (b"clli", bytes(4), ("light level",)),
        (b"auxC", bytes(4) + b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0", ()),
        (b"auxC", bytes(4) + b"urn:com:apple:photo:2020:aux:hdrgainmap\0", ("gain map",)),
        (b"abcd", b"", ("abcd property",)),
    ],
)
def test_properties_are_named(kind, content, names):
    assert found(avif(properties=[iso_box(kind, content)])).dropped == names


def test_the_numbers_of_a_colour_space_are_kept():
    got = found(avif(properties=[iso_box(b"colr", b"nclx\0\x09\0\x10\0\x09\x80")]))
    assert (got.boxes, got.dropped) == ({"cicp": b"\x09\x10\0\1"}, ())


def test_the_shape_of_pixels_is_kept():
    assert found(avif(properties=[iso_box(b"pasp", struct.pack(">II", 2, 1))])).boxes == {
        "resolution": struct.pack(">IIB", 1, 2, 0)
    }


def test_other_items_boxes_and_bytes_are_named():
    got = found(avif([item(2, b"mime", b"text/plain\0"), item(3, b"abcd")]) + iso_box(b"uuid", bytes(16)) + b"123")
    assert got.dropped == ("text/plain", "abcd item", "uuid box", "3 bytes behind the end")


def test_a_table_without_end_ends():
    table = full(b"iloc", struct.pack(">HH", 0, 65535) + struct.pack(">HHH", 1, 0, 65535) * 2000)
    items = full(b"iinf", struct.pack(">H", 1) + item(9, b"Exif"))
    assert found(iso_box(b"meta", bytes(4) + table + items)).boxes == {}
    for kind in (b"iinf", b"pitm", b"iref", b"iloc", b"iprp"):
        assert found(iso_box(b"meta", bytes(4) + iso_box(kind, b""))).boxes == {}


def test_an_orientation_is_set_without_moving_anything():
    changed = with_orientation(EXIF, 6)
    assert (orientation_of(EXIF), orientation_of(changed)) == (1, 6)
    assert changed[8 : len(EXIF)] == EXIF[8:]
    assert with_orientation(changed, 3) == changed.replace(short("<", 274, 6)[3] + b"\0\0", b"\3\0\0\0")
    for damaged in (b"", b"garbage!", EXIF[:9], EXIF[:15]):
        assert with_orientation(damaged, 6) == damaged
