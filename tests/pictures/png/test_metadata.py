import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from vaezip.pictures.io import read, write
from vaezip.pictures.picture import BOXES, same
from vaezip.pictures.png import metadata as png_metadata

from ..helpers import (
    ANIMATED,
    EVERYTHING,
    EXIF,
    EXIF_BYTES,
    RESOLUTION,
    chunk,
    chunks,
    grey,
    picture,
    pillow_rgb,
    png,
    refusal,
    saved,
)

DAMAGED = "the picture is truncated or damaged ({})"
PLAIN = [
    (b"cICP", b"\x09\x10\0\1"),
    (b"mDCV", bytes(range(24))),
    (b"cLLI", bytes(range(8))),
    (b"sRGB", b"\0"),
    (b"cHRM", bytes(range(32))),
    (b"sBIT", b"\5\6\5"),
    (b"gAMA", bytes(4)),
    (b"tRNS", bytes(6)),
    (b"bKGD", bytes(6)),
    (b"pHYs", bytes(9)),
    (b"eXIf", b"II*\0"),
    (b"tIME", bytes(7)),
    (b"sPLT", b"name\0\x08" + bytes(6)),
    (b"sTER", b"\1"),
    (b"oFFs", bytes(9)),
    (b"pCAL", b"a\0" + bytes(10)),
    (b"sCAL", b"\x011\x001"),
    (b"vpAg", b""),
    (b"prVt", b"anything"),
    (b"iTXt", "Author\0\0\0de\0Autor\0東京".encode()),
    (b"tEXt", b"Title\0x"),
]


def test_the_suggested_palette_of_true_colour_is_not_a_palette():
    got = read(png(picture("RGB").samples, 8, before=chunk(b"PLTE", bytes(6)) + chunk(b"hIST", bytes(4))))
    assert (got.boxes, got.dropped) == ((), ("PLTE", "hIST"))


def test_png_keeps_all_metadata():
    before = picture("RGB", boxes=EVERYTHING)
    assert {name for name, _ in EVERYTHING} == set(BOXES) - {"palette", "bit-depth"}
    assert same(read(write(before, ".png")), before)


def test_pillow_understands_the_metadata_that_is_written():
    image = Image.open(io.BytesIO(write(picture("RGB", boxes=EVERYTHING), ".png")))
    image.load()
    assert image.info["transparency"] == (1, 2, 3)
    assert image.info["icc_profile"] == b"profile" * 100
    assert image.info["gamma"] == 0.45455
    assert image.info["dpi"] == pytest.approx((72, 300), abs=0.01)
    assert image.getexif()[0x0112] == 6
    assert image.text["Title"] == "long " * 999
    assert (image.text["Author"], image.text["Author"].lang, image.text["Author"].tkey) == ("東京", "de", "Autor")


def test_metadata_that_pillow_writes():
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "née")
    info.add_text("Title", "again", zip=True)
    info.add_itxt("Note", "東京", "ja", "注", zip=True)
    info.add_itxt("XML:com.adobe.xmp", "<x/>")
    info.add(b"gAMA", struct.pack(">I", 45455))
    got = read(saved(pillow_rgb(), "PNG", pnginfo=info, icc_profile=b"icc", exif=EXIF, dpi=(72, 300)))
    assert got.boxes == (
        ("icc", b"icc"),
        ("exif", EXIF_BYTES),
        ("xmp", b"<x/>"),
        ("text", "Title\0\0\0née".encode()),
        ("text", b"Title\0\0\0again"),
        ("text", "Note\0ja\0注\0東京".encode()),
        ("resolution", RESOLUTION),
        ("gamma", struct.pack(">I", 45455)),
    )


def test_metadata_after_the_pixels_and_of_unknown_unit():
    after = chunk(b"tEXt", b"Late\0text") + chunk(b"eXIf", b"Exif\0\0II*\0") + chunk(b"pHYs", bytes(8) + b"\0")
    got = read(grey(after=after))
    assert got.boxes == (("exif", b"II*\0"), ("text", b"Late\0\0\0text"), ("resolution", bytes(9)))
    assert same(read(write(got, ".png")), got)


@pytest.mark.parametrize("times", range(4))
def test_exif_data_may_have_the_prefix_of_a_jpeg_any_number_of_times(times):
    got = read(grey(before=chunk(b"eXIf", b"Exif\0\0" * times + b"II*\0")))
    assert got.boxes == (("exif", b"II*\0"),)
    assert same(read(write(got, ".png")), got)


def test_a_keyword_of_a_text_does_not_pass_for_other_metadata():
    got = read(grey(before=chunk(b"tEXt", b"transparency\x001") + chunk(b"tEXt", b"exif\0data")))
    assert got.boxes == (("text", b"transparency\0\0\x001"), ("text", b"exif\0\0\0data"))


def test_a_second_xmp_and_a_text_that_is_not_utf8_are_kept():
    before = b"".join(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + value) for value in (b"one", b"two"))
    got = read(grey(before=before + chunk(b"iTXt", b"Bad\0\0\0\0\0\xff\xfe")))
    assert got.boxes == (
        ("xmp", b"one"),
        ("text", b"XML:com.adobe.xmp\0\0\0two"),
        ("text", b"Bad\0\0\0\xff\xfe"),
    )
    assert same(read(write(got, ".png")), got)


@pytest.mark.parametrize(
    ("depth", "stored", "kept"), [(1, 1, 1), (2, 2, 170), (4, 3, 51), (8, 77, 77), (16, 0x1234, 0x1234)]
)
def test_the_transparent_grey_follows_the_samples(depth, stored, kept):
    got = read(grey(depth, before=chunk(b"tRNS", struct.pack(">H", stored))))
    assert got.boxes[0] == ("transparency", struct.pack(">H", kept))
    assert same(read(write(got, ".png")), got)


@pytest.mark.parametrize("depth", [8, 16])
def test_the_transparent_colour(depth):
    samples = np.zeros((2, 2, 3), np.uint16)
    got = read(png(samples, depth, before=chunk(b"tRNS", b"\0\1\0\2\0\3")))
    assert got.boxes == (("transparency", b"\0\1\0\2\0\3"),)
    assert same(read(write(got, ".png")), got)


@pytest.mark.parametrize("content", PLAIN, ids=lambda content: content[0].decode())
def test_every_chunk_that_is_kept_comes_back_as_it_was(content):
    got = read(png(picture("RGB").samples, 8, before=chunk(*content)))
    assert got.dropped == ()
    assert chunks(write(got, ".png")) == [content]


def test_all_chunks_come_back_together():
    samples = picture("RGB").samples
    got = read(png(samples, 8, before=b"".join(chunk(*content) for content in PLAIN), after=chunk(b"prVt", b"late")))
    assert got.dropped == ()
    again = write(got, ".png")
    assert sorted(chunks(again)) == sorted([*PLAIN, (b"prVt", b"late")])
    assert same(read(again), got)


def test_an_icc_profile_beside_srgb():
    got = read(grey(before=chunk(b"sRGB", b"\1") + chunk(b"iCCP", b"name\0\0" + zlib.compress(b"profile"))))
    assert got.boxes == (("icc", b"profile"), ("srgb", b"\1"))
    assert same(read(write(got, ".png")), got)


def test_the_histogram_of_a_palette():
    got = read(png(np.zeros((1, 1, 1), np.uint8), 1, 3, 0, chunk(b"PLTE", bytes(6)) + chunk(b"hIST", b"\0\1\0\2")))
    assert chunks(write(got, ".png")) == [(b"PLTE", bytes(6)), (b"hIST", b"\0\1\0\2")]


def test_unknown_chunks_keep_their_order_and_their_side_of_the_pixels():
    early, late = [(b"prVt", b"b"), (b"vpAg", b""), (b"prVt", b"a")], [(b"vpAg", b"z"), (b"prVt", b"c")]
    got = read(grey(before=b"".join(chunk(*c) for c in early), after=b"".join(chunk(*c) for c in late)))
    again = write(got, ".png")
    assert chunks(again) == early + late
    assert again.index(b"prVta") < again.index(b"IDAT") < again.index(b"vpAgz")


def test_unknown_chunks_that_are_not_safe_to_copy_are_named_as_dropped():
    got = read(grey(before=chunk(b"caBX", b"manifest") + chunk(b"iDOT", bytes(28)) + chunk(b"prVT", b"")))
    assert (got.boxes, got.dropped) == ((), ("caBX", "iDOT", "prVT"))


def test_the_first_of_several_is_kept_and_the_others_are_named():
    profile = [chunk(b"iCCP", b"name\0\0" + zlib.compress(data)) for data in (b"first", b"second")]
    for name, size in [(b"gAMA", 4), (b"sRGB", 1), (b"pHYs", 9), (b"eXIf", 5)]:
        profile += [chunk(name, bytes([i] * size)) for i in (1, 2)]
    got = read(grey(before=b"".join(profile)))
    assert got.dropped == tuple(f"{name} (a second one)" for name in ("iCCP", "gAMA", "sRGB", "pHYs", "eXIf"))
    assert dict(got.boxes) == {
        "icc": b"first",
        "exif": b"\1" * 5,
        "resolution": b"\1" * 9,
        "gamma": b"\1" * 4,
        "srgb": b"\1",
    }


def test_a_good_profile_after_a_bad_one_is_kept():
    bad = chunk(b"iCCP", b"name\0\0not zlib")
    got = read(grey(before=bad + chunk(b"iCCP", b"name\0\0" + zlib.compress(b"good"))))
    assert (got.boxes, got.dropped) == ((("icc", b"good"),), ("iCCP (malformed)",))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (b"iCCP", b"name\0\0not zlib"),
        (b"iCCP", b"name"),
        (b"zTXt", b"key\0\1" + zlib.compress(b"x")),
        (b"zTXt", b"key\0\0" + zlib.compress(b"x" * 99)[:-6]),
        (b"iTXt", b"key\0\0\0en"),
        (b"iTXt", b"key\0\1\0\0\0not zlib"),
        (b"gAMA", b"abc"),
        (b"pHYs", bytes(8)),
        (b"sRGB", bytes(2)),
        (b"sBIT", bytes(3)),
        (b"cICP", bytes(5)),
        (b"mDCV", bytes(23)),
        (b"cLLI", bytes(7)),
        (b"cHRM", bytes(31)),
    ],
)
def test_a_malformed_chunk_is_dropped_by_name_and_keeps_no_picture_out(name, data):
    got = read(grey(before=chunk(name, data)))
    assert (got.boxes, got.dropped) == ((), (f"{name.decode()} (malformed)",))


@pytest.mark.parametrize("content", PLAIN, ids=lambda content: content[0].decode())
@pytest.mark.parametrize("place", [-1, -5])
def test_a_chunk_with_a_wrong_checksum_is_dropped_by_name_unless_it_matters_to_the_pixels(content, place):
    broken = bytearray(chunk(*content))
    broken[place if content[1] else -1] ^= 1
    data = png(picture("RGB").samples, 8, before=bytes(broken))
    name = content[0].decode()
    if name == "tRNS":
        assert refusal(read, data) == DAMAGED.format("the chunk tRNS has a wrong checksum")
    else:
        assert (read(data).boxes, read(data).dropped) == ((), (f"{name} (wrong checksum)",))


def test_a_chunk_whose_name_is_none():
    got = read(grey(before=chunk(b"s\1IT", b"123")))
    assert (got.boxes, got.dropped) == ((), ("s\\x01IT",))
    broken = chunk(b"s\1IT", b"123")[:-1] + b"?"
    assert refusal(read, grey(before=broken)) == DAMAGED.format("the chunk s\\x01IT has a wrong checksum")
    message = "it has a critical chunk \\xffBCD, which vaezip does not know"
    assert refusal(read, grey(before=chunk(b"\xffBCD", b""))) == message


@pytest.mark.parametrize("name", [b"tRNs", b"uRNS", b"iDAT"])
def test_a_wrong_bit_in_the_name_does_not_make_a_chunk_that_matters_one_that_does_not(name):
    whole = chunk(name, bytes(6))
    broken = whole[:-1] + bytes([whole[-1] ^ 1])
    data = png(picture("RGB").samples, 8, before=broken)
    assert refusal(read, data) == DAMAGED.format(f"the chunk {name.decode()} has a wrong checksum")


def test_an_unknown_critical_chunk_is_refused_by_name():
    assert (
        refusal(read, grey(before=chunk(b"ABCD", b"1"))) == "it has a critical chunk ABCD, which vaezip does not know"
    )
    broken = chunk(b"ABCD", b"1")[:-1] + b"?"
    assert refusal(read, grey(before=broken)) == DAMAGED.format("the chunk ABCD has a wrong checksum")


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ([], [], "the chunk PLTE is missing"),
        ([(b"PLTE", b"")], [], "the chunk PLTE has a wrong length"),
        ([(b"PLTE", bytes(4))], [], "the chunk PLTE has a wrong length"),
        ([(b"PLTE", bytes(771))], [], "the chunk PLTE has a wrong length"),
        ([(b"PLTE", bytes(3)), (b"PLTE", bytes(3))], [], "there are two chunks PLTE"),
        ([], [(b"PLTE", bytes(3))], "the chunk PLTE stands at a wrong place"),
        ([(b"tRNS", b"1"), (b"PLTE", bytes(3))], [], "the chunk tRNS stands at a wrong place"),
        ([(b"PLTE", bytes(3))], [(b"tRNS", b"1")], "the chunk tRNS stands at a wrong place"),
        ([(b"PLTE", bytes(3)), (b"tRNS", b"1"), (b"tRNS", b"1")], [], "there are two chunks tRNS"),
        ([(b"PLTE", bytes(3)), (b"tRNS", bytes(257))], [], "the chunk tRNS has a wrong length"),
    ],
)
def test_palettes_that_are_damaged_are_refused(before, after, reason):
    parts = [b"".join(chunk(*c) for c in some) for some in (before, after)]
    data = png(np.zeros((2, 2, 1), np.uint8), 8, 3, 0, *parts)
    assert refusal(read, data) == DAMAGED.format(reason)


def test_transparency_that_is_damaged_is_refused():
    for size in (0, 1, 3):
        message = DAMAGED.format("the chunk tRNS has a wrong length")
        assert refusal(read, grey(before=chunk(b"tRNS", bytes(size)))) == message
        assert refusal(read, grey(2, before=chunk(b"tRNS", bytes(size)))) == message


def test_transparency_that_means_nothing_is_dropped():
    assert read(png(picture("RGBA").samples, 8, before=chunk(b"tRNS", bytes(6)))).dropped == ("tRNS",)
    empty = chunk(b"PLTE", bytes(3)) + chunk(b"tRNS", b"")
    assert read(png(np.zeros((2, 2, 1), np.uint8), 8, 3, 0, empty)).dropped == ("tRNS",)


def test_more_alphas_than_colours_are_kept():
    got = read(png(np.zeros((2, 2, 1), np.uint8), 1, 3, 0, chunk(b"PLTE", bytes(6)) + chunk(b"tRNS", bytes(200))))
    assert got.box("transparency") == bytes(200)
    assert same(read(write(got, ".png")), got)


def test_the_only_frame_of_an_animation_is_a_picture():
    frame = chunk(b"acTL", struct.pack(">II", 1, 0)) + chunk(b"fcTL", bytes(26))
    assert read(grey(before=frame)).dropped == ("acTL", "fcTL")
    assert refusal(read, grey(before=chunk(b"acTL", struct.pack(">II", 2, 0)))) == ANIMATED
    assert refusal(read, grey(before=frame, after=chunk(b"fdAT", bytes(20)))) == ANIMATED


def test_texts_that_are_odd_are_kept():
    for data in (b"\0value", b"key\0a\0b\0c"):
        assert chunks(write(read(grey(before=chunk(b"tEXt", data))), ".png")) == [(b"tEXt", data)]
    assert read(grey(before=chunk(b"tEXt", b"just text"))).boxes == (("text", b"just text\0\0\0"),)


def test_metadata_that_are_too_long_are_dropped_by_name():
    bomb = zlib.compress(bytes((1 << 26) + 1))
    assert read(grey(before=chunk(b"zTXt", b"key\0\0" + bomb))).dropped == ("zTXt (too long)",)
    third = chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes((1 << 26) // 3 + 1)))
    got = read(grey(before=third * 3 + chunk(b"vpAg", bytes((1 << 26) // 3 + 1)) + chunk(b"sRGB", b"\0")))
    assert [name for name, _ in got.boxes] == ["text", "text", "srgb"]
    assert got.dropped == ("zTXt (too long)", "vpAg (too long)")


def test_metadata_that_expand_to_nothing_that_is_kept_do_not_expand_for_ever(monkeypatch):
    monkeypatch.setattr(png_metadata, "_MOST_WORK", 1 << 20)
    wrong = bytearray(zlib.compress(bytes(1 << 16), 9))
    wrong[-1] ^= 1
    bad = chunk(b"zTXt", b"key\0\0" + wrong)
    good = chunk(b"zTXt", b"key\0\0" + zlib.compress(b"good"))
    got = read(grey(before=good + bad * 20 + good))
    assert (len(got.boxes), got.dropped) == (1, ("zTXt (malformed)", "zTXt (too long)"))


def test_data_behind_a_compressed_stream_are_named_as_dropped():
    for name in (b"iCCP", b"zTXt"):
        got = read(grey(before=chunk(name, b"name\0\0" + zlib.compress(b"value") + b"more")))
        assert len(got.boxes) == 1
        assert got.dropped == ("data behind compressed metadata",)


def test_metadata_of_many_boxes_are_limited_too():
    few = read(grey(before=chunk(b"vpAg", b"") * 10))
    assert len(few.boxes) == 10
    many = read(
        grey(before=chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes((1 << 26) - 500))) + chunk(b"vpAg", b"") * 10)
    )
    assert (len(many.boxes), many.dropped) == (7, ("vpAg (too long)",))


def test_of_very_many_kinds_that_are_dropped_the_first_are_named():
    names = [bytes([97 + i, 97 + j]) + b"XX" for i in range(26) for j in range(26)]
    dropped = read(grey(before=b"".join(chunk(name, b"") for name in names))).dropped
    assert dropped == (*(name.decode() for name in names[:32]), "others")
