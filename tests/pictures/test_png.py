import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from vaezip.pictures.io import read, write
from vaezip.pictures.picture import BOXES, MODES, Picture, same

from .helpers import EVERYTHING, EXIF, EXIF_BYTES, RESOLUTION, chunk, grey, picture, pillow_rgb, png, refusal, saved


@st.composite
def pictures(draw):
    mode = draw(st.sampled_from(list(MODES)))
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    size = height * width * MODES[mode].channels
    top = (1 << MODES[mode].bits) - 1
    values = draw(st.lists(st.integers(0, top), min_size=size, max_size=size))
    samples = np.array(values, MODES[mode].dtype).reshape(height, width, -1)
    sizes = {"resolution": 9, "gamma": 4}
    boxes = []
    if mode == "P":
        boxes.append(
            ("palette", draw(st.integers(1, 256).flatmap(lambda n: st.binary(min_size=3 * n, max_size=3 * n))))
        )
        boxes += [("transparency", data) for data in draw(st.lists(st.binary(min_size=1, max_size=256), max_size=1))]
    elif "A" not in mode and draw(st.booleans()):
        boxes.append(
            ("transparency", draw(st.binary(min_size=2 * len(samples[0, 0]), max_size=2 * len(samples[0, 0]))))
        )
    for name in ("icc", "exif", "xmp", "text", "resolution", "gamma"):
        if name == "text":
            boxes += [("text", data) for data in draw(st.lists(texts(), max_size=3))]
        elif draw(st.booleans()):
            length = sizes.get(name)
            data = draw(st.binary(min_size=length or 0, max_size=length or 40))
            boxes.append((name, data.replace(b"Exif\0\0", b"")))
    return Picture(mode, samples, tuple(boxes))


def texts():
    field = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8)
    keyword = st.text(st.characters(min_codepoint=1, max_codepoint=255), min_size=1, max_size=79)
    value = st.one_of(field, field.map(lambda text: text * 400))
    return st.tuples(keyword, field, field, value).map(lambda fields: "\0".join(fields).encode())


@settings(max_examples=150, deadline=None)
@given(pictures())
def test_any_picture_goes_through_png_unchanged(before):
    assert same(read(write(before, ".png")), before)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([(1, 1), (2, 1), (4, 1), (8, 1), (16, 1), (8, 2), (16, 2), (8, 3), (16, 3), (8, 4), (16, 4)]),
    st.integers(1, 17),
    st.integers(1, 17),
    st.booleans(),
    st.integers(0, 99),
)
def test_every_png_type_is_read_exactly(kind, height, width, interlace, seed):
    depth, channels = kind
    stored = np.random.default_rng(seed).integers(0, 1 << depth, (height, width, channels)).astype(np.uint16)
    got = read(png(stored, depth, interlace=int(interlace)))
    scale = {2: 85, 4: 17}.get(depth, 1)
    assert np.array_equal(got.samples, stored * scale)
    names = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
    wide = {1: "I;16", 2: "LA;16", 3: "RGB;16", 4: "RGBA;16"}
    assert got.mode == ("1" if depth == 1 else wide[channels] if depth == 16 else names[channels])


def test_a_large_16_bit_picture_is_written_in_bands():
    before = picture("RGB;16", 500, 600)
    assert same(read(write(before, ".png")), before)


def test_16_bit_pictures_agree_with_what_pillow_reads_of_them():
    before = picture("RGBA;16", 6, 7)
    image = Image.open(io.BytesIO(write(before, ".png")))
    assert np.array_equal(np.array(image), before.samples >> 8)


def test_written_pngs_are_complete_and_compressed():
    flat = Picture("RGB", np.full((200, 200, 3), 7, np.uint8))
    data = write(flat, ".png")
    assert len(data) < 2000
    Image.open(io.BytesIO(data)).verify()


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("interlace", [0, 1])
def test_palettes_of_every_depth(depth, interlace):
    stored = (np.arange(7 * 9) % (1 << depth)).astype(np.uint8).reshape(7, 9, 1)
    palette, alphas = bytes(range(3 << depth)) if depth < 8 else bytes(768), b"\0\x80\xff"[: 1 << depth]
    data = png(stored, depth, 3, interlace, chunk(b"PLTE", palette) + chunk(b"tRNS", alphas))
    got = read(data)
    assert (got.mode, got.box("palette"), got.box("transparency")) == ("P", palette, alphas)
    assert np.array_equal(got.samples, stored)
    again = write(got, ".png")
    assert again[24] == depth
    assert same(read(again), got)


def test_an_index_outside_of_the_palette_is_kept():
    before = Picture("P", np.array([[[0], [200]]], np.uint8), (("palette", b"\1\2\3\4\5\6"),))
    assert same(read(write(before, ".png")), before)


def test_the_suggested_palette_of_true_colour_is_not_a_palette():
    assert read(png(picture("RGB").samples, 8, before=chunk(b"PLTE", bytes(6)))).boxes == ()


def test_png_keeps_all_metadata():
    before = picture("RGB", boxes=EVERYTHING)
    assert {name for name, _ in EVERYTHING} == set(BOXES) - {"palette"}
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
    assert got.boxes == (("transparency", struct.pack(">H", kept)),)
    assert same(read(write(got, ".png")), got)


@pytest.mark.parametrize("depth", [8, 16])
def test_the_transparent_colour(depth):
    samples = np.zeros((2, 2, 3), np.uint16)
    got = read(png(samples, depth, before=chunk(b"tRNS", b"\0\1\0\2\0\3")))
    assert got.boxes == (("transparency", b"\0\1\0\2\0\3"),)
    assert same(read(write(got, ".png")), got)


def test_metadata_that_is_malformed():
    bad = "the picture is truncated or damaged (bad data in a chunk {})"
    for name, data in [
        (b"iCCP", b"name\0\0not zlib"),
        (b"iCCP", b"name"),
        (b"zTXt", b"key\0\1" + zlib.compress(b"x")),
        (b"zTXt", b"key\0\0" + zlib.compress(b"x" * 99)[:-6]),
        (b"iTXt", b"key\0\0\0en"),
    ]:
        assert refusal(read, grey(before=chunk(name, data))) == bad.format(name.decode())
    gamma = "the gamma of 3 bytes is malformed or does not suit mode L"
    assert refusal(read, grey(before=chunk(b"gAMA", b"abc"))) == gamma


def test_compressed_metadata_cannot_expand_without_limit():
    bomb = zlib.compress(bytes((1 << 26) + 1))
    assert "bad data in a chunk zTXt" in refusal(read, grey(before=chunk(b"zTXt", b"key\0\0" + bomb)))
    third = chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes((1 << 26) // 3 + 1)))
    assert "bad data in a chunk zTXt" in refusal(read, grey(before=third * 3))


def test_the_limit_comes_before_decoding():
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1 << 30, 1 << 30, 8, 6, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    assert refusal(read, data) == "1152921504606846976 pixels are more than the limit of 268435456"
    assert refusal(read, data, 1 << 62) == "the picture is truncated or damaged (the pixel data are too short)"


def test_every_corrupt_byte_of_a_png_is_found():
    data = write(picture("RGB;16", 3, 4, EVERYTHING[3:5]), ".png")
    for place in range(len(data)):
        broken = bytearray(data)
        broken[place] ^= 0x41
        refusal(read, bytes(broken))


def test_how_damage_is_named():
    damaged = "the picture is truncated or damaged ({})"
    data = write(picture("RGB"), ".png")
    assert refusal(read, data[:-1]) == damaged.format("the file ends before its end chunk")
    assert refusal(read, data[:40]) == damaged.format("the file ends before its end chunk")
    assert refusal(read, data[:60]) == damaged.format("the file ends inside a chunk")
    assert refusal(read, data[:20] + b"?" + data[21:]) == damaged.format("a chunk has a wrong checksum")
    assert refusal(read, data[:8] + data[33:]) == damaged.format("it does not begin with a header")
    assert refusal(read, grey(depth=8, colour=5)) == damaged.format("its header has unknown values")
    assert refusal(read, b"P6\n9 9\n255\nshort").startswith("the picture is truncated or damaged (")


@pytest.mark.parametrize("interlace", [0, 1])
def test_pixel_data_that_end_early_are_refused(interlace):
    samples = picture("RGB", 9, 10).samples
    whole = zlib.decompress(png(samples, 8, interlace=interlace)[41:-16])
    for length in range(0, len(whole), 7):
        short = png(samples, 8, interlace=interlace, pixels=zlib.compress(whole[:length]))
        assert refusal(read, short) == "the picture is truncated or damaged (the pixel data are too short)"
    unfinished = png(samples, 8, interlace=interlace, pixels=zlib.compress(whole)[:40])
    refusal(read, unfinished)


def test_data_after_the_end_of_a_png_are_ignored():
    before = picture("RGB")
    assert same(read(write(before, ".png") + b"more"), before)
