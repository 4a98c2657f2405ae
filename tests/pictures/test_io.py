import io
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, PngImagePlugin, features

from vaezip.errors import ImageError
from vaezip.pictures.formats import check_suffix
from vaezip.pictures.io import dropped_boxes, read, write
from vaezip.pictures.picture import BOXES, MODES, Picture, same

SIZES = [(1, 1), (1, 7), (7, 1), (13, 5), (8, 9), (33, 40)]
HOLDS = {
    ".png": list(MODES),
    ".webp": ["RGB", "RGBA"],
    ".tif": ["1", "L", "LA", "RGB", "RGBA", "P", "I;16"],
    ".tiff": ["1", "L", "LA", "RGB", "RGBA", "P", "I;16"],
    ".bmp": ["1", "L", "RGB"],
    ".ppm": ["RGB"],
    ".pgm": ["L", "I;16"],
    ".pbm": ["1"],
}
HELD = [(suffix, mode) for suffix, modes in HOLDS.items() for mode in modes]
NOT_HELD = [(suffix, mode) for suffix, modes in HOLDS.items() for mode in MODES if mode not in modes]
ANIMATED = "animated pictures are not supported; save one frame as PNG"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def picture(mode, height=5, width=6, boxes=(), seed=0):
    rng = np.random.default_rng(seed)
    shape = (height, width, MODES[mode].channels)
    samples = rng.integers(0, 1 << MODES[mode].bits, shape).astype(MODES[mode].dtype)
    if mode == "RGBA":
        samples[0, 0] = (10, 20, 30, 0)
    palette = (("palette", rng.bytes(768)),) if mode == "P" else ()
    return Picture(mode, samples, (*palette, *boxes))


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def pixel_rows(samples, depth):
    """Packed rows, each after the filter byte None."""
    for row in samples:
        if depth == 16:
            packed = row.astype(">u2").tobytes()
        else:
            bits = np.unpackbits(row.astype(np.uint8).reshape(-1, 1), axis=1)[:, 8 - depth :]
            packed = np.packbits(bits.reshape(-1)).tobytes()
        yield b"\0" + packed


def png(samples, depth, colour=None, interlace=0, before=b"", after=b"", pixels=None):
    """A PNG put together by hand, of samples as they are stored."""
    height, width, channels = samples.shape
    colour = COLOUR_TYPES[channels] if colour is None else colour
    passes = [samples[y::down, x::across] for x, y, across, down in ADAM7] if interlace else [samples]
    raw = b"".join(row for part in passes if part.size for row in pixel_rows(part, depth))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    data = chunk(b"IDAT", zlib.compress(raw) if pixels is None else pixels)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + data + after + chunk(b"IEND", b"")


def grey(depth=8, **chunks):
    return png(np.arange(6, dtype=np.uint16).reshape(2, 3, 1) & ((1 << depth) - 1), depth, **chunks)


def saved(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def pillow_rgb(height=4, width=6):
    return Image.fromarray(picture("RGB", height, width).samples)


def refusal(action, *args):
    with pytest.raises(ImageError) as caught:
        action(*args)
    return str(caught.value)


# Round trips


@pytest.mark.parametrize(("suffix", "mode"), HELD)
def test_a_written_file_gives_back_mode_and_samples(suffix, mode):
    for height, width in SIZES:
        before = picture(mode, height, width)
        after = read(write(before, suffix))
        assert after.mode == mode
        assert np.array_equal(after.samples, before.samples)
        assert after.samples.dtype == before.samples.dtype
        assert after.samples.flags.c_contiguous
        assert suffix != ".png" or same(before, after)


@pytest.mark.parametrize(("suffix", "mode"), NOT_HELD)
def test_a_mode_that_a_format_cannot_hold_is_refused(suffix, mode):
    assert refusal(write, picture(mode), suffix) == f"'{suffix}' cannot hold {mode} pictures exactly; choose .png"


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


def test_the_colour_under_zero_alpha_is_kept():
    samples = np.zeros((2, 2, 4), np.uint8)
    samples[..., :3] = 200
    samples[0, 0, 3] = 9
    for suffix in (".png", ".webp", ".tif"):
        assert np.array_equal(read(write(Picture("RGBA", samples), suffix)).samples, samples)


# Palettes


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


def test_a_palette_in_tiff_is_filled_up_to_256_colours():
    before = Picture("P", np.array([[[0], [1]]], np.uint8), (("palette", b"\1\2\3\4\5\6"),))
    assert read(write(before, ".tif")).boxes == (("palette", b"\1\2\3\4\5\6" + bytes(762)),)


def test_the_suggested_palette_of_true_colour_is_not_a_palette():
    assert read(png(picture("RGB").samples, 8, before=chunk(b"PLTE", bytes(6)))).boxes == ()


def test_bmp_and_gif_palettes():
    image = Image.frombytes("P", (3, 2), bytes([0, 1, 2, 3, 4, 5]))
    palette = bytes(range(100, 118))
    image.putpalette(palette)
    for format in ("BMP", "GIF"):
        got = read(saved(image, format))
        assert got.mode == "P"
        assert got.box("palette")[:18] == palette
        assert got.samples.tobytes() == bytes([0, 1, 2, 3, 4, 5])
    assert read(saved(image, "GIF", transparency=2)).box("transparency") == b"\xff\xff\0"


# Metadata

EXIF = Image.Exif()
EXIF[0x010F] = "Maker"
EXIF[0x0112] = 6
EXIF_BYTES = EXIF.tobytes().removeprefix(b"Exif\0\0")
RESOLUTION = struct.pack(">IIB", 2835, 11811, 1)
EVERYTHING = (
    ("transparency", b"\0\1\0\2\0\3"),
    ("icc", b"profile" * 100),
    ("exif", EXIF_BYTES),
    ("xmp", b"<x:xmpmeta/>"),
    ("text", b"Title\0\0\0plain"),
    ("text", "Author\0\0\0Jürgen".encode()),
    ("text", "Author\0de\0Autor\0東京".encode()),
    ("text", b"Title\0\0\0" + b"long " * 999),
    ("resolution", RESOLUTION),
    ("gamma", struct.pack(">I", 45455)),
)


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


def test_what_webp_and_tiff_and_bmp_keep():
    before = picture("RGB", boxes=EVERYTHING[1:])
    kept = {name: data for name, data in EVERYTHING if name in ("icc", "exif", "xmp")}
    assert dict(read(write(before, ".webp")).boxes) == kept
    tiff = read(write(before, ".tif"))
    assert [name for name, _ in tiff.boxes] == ["icc", "exif", "xmp", "resolution"]
    assert {name: tiff.box(name) for name in ("icc", "xmp", "resolution")} == {
        "icc": kept["icc"],
        "xmp": kept["xmp"],
        "resolution": RESOLUTION,
    }
    exif = Image.Exif()
    exif.load(tiff.box("exif"))
    assert dict(exif) == dict(EXIF)
    assert read(write(before, ".bmp")).boxes == (("resolution", RESOLUTION),)


def test_what_is_dropped_on_reading_is_named():
    extra = [(b"sRGB", b"\0"), (b"PLTE", bytes(6)), (b"tIME", bytes(7)), (b"tEXt", b"Title\0x"), (b"tIME", bytes(7))]
    got = read(png(picture("RGB").samples, 8, before=b"".join(chunk(*c) for c in extra)))
    assert got.dropped == ("sRGB", "PLTE", "tIME")
    assert read(saved(pillow_rgb(), "JPEG", comment=b"here")).dropped == ("comment",)
    tiff = saved(pillow_rgb(), "TIFF", tiffinfo={0x010D: "name", 0x0131: "tool", 65000: "own"}, dpi=(72, 72))
    assert read(tiff).dropped == ("DocumentName", "tag 65000")


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "JPEG", "JPEG2000", "PPM", "BMP", "GIF"])
def test_nothing_is_dropped_of_a_plain_picture(format):
    image = Image.new("P" if format == "GIF" else "RGB", (3, 2))
    options = {} if format in ("GIF", "PPM") else {"exif": EXIF, "icc_profile": b"icc", "dpi": (72, 300)}
    assert read(saved(image, format, **options)).dropped in ((), ("comment",) * (format == "JPEG2000"))


def test_what_is_dropped_on_writing_is_named():
    before = picture("RGB", boxes=EVERYTHING[1:])
    assert dropped_boxes(before, ".png") == ()
    assert dropped_boxes(before, ".webp") == ("text", "resolution", "gamma")
    assert dropped_boxes(before, ".TIF") == ("text", "gamma")
    assert dropped_boxes(before, ".bmp") == ("icc", "exif", "xmp", "text", "gamma")
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2020:01:01 00:00:00"
    cut = (("exif", exif.tobytes().removeprefix(b"Exif\0\0")), ("resolution", bytes(9)))
    assert dropped_boxes(picture("RGB", boxes=cut), ".tif") == ("exif", "resolution")
    assert dropped_boxes(picture("RGB", boxes=cut), ".png") == ()


def test_tags_that_lay_out_a_file_do_not_pass_into_tiff():
    exif = Image.Exif()
    exif[0x0100], exif[0x0101], exif[0x0106], exif[0x0131] = 999, 999, 0, "Tool"
    exif.get_ifd(0x8769)[0x9003] = "2020:01:01 00:00:00"
    before = picture("L", boxes=(("exif", exif.tobytes().removeprefix(b"Exif\0\0")),))
    after = read(write(before, ".tif"))
    assert np.array_equal(after.samples, before.samples)
    kept = Image.Exif()
    kept.load(after.box("exif"))
    assert dict(kept) == {0x0131: "Tool"}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["TIFF", "JPEG", "PNG"])
def test_the_orientation_is_kept_and_not_applied(format, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x8769] = exif.get_ifd(0x8769)  # without this Pillow writes none into TIFF
    exif[0x8769][0x9003] = "2020:01:01 00:00:00"
    image = pillow_rgb()
    got, plain = read(saved(image, format, exif=exif)), read(saved(image, format))
    assert np.array_equal(got.samples, plain.samples)
    kept = Image.Exif()
    kept.load(got.box("exif"))
    assert kept[0x0112] == orientation
    assert kept.get_ifd(0x8769)[0x9003] == "2020:01:01 00:00:00"
    again = read(write(got, ".tif"))
    assert np.array_equal(again.samples, got.samples)


def test_the_orientation_that_xmp_asks_for_is_not_applied():
    before = picture("RGB", boxes=(("xmp", b'<x tiff:Orientation="6"/>'),))
    after = read(write(before, ".tif"))
    assert np.array_equal(after.samples, before.samples)
    assert after.box("xmp") == before.box("xmp")


def test_metadata_of_jpeg():
    got = read(saved(pillow_rgb(), "JPEG", exif=EXIF, icc_profile=b"icc", dpi=(72, 300), xmp=b"<x/>"))
    assert got.boxes == (("icc", b"icc"), ("exif", EXIF_BYTES), ("xmp", b"<x/>"), ("resolution", RESOLUTION))


def test_no_metadata_is_made_up():
    for format in ("PNG", "WEBP", "TIFF", "JPEG", "JPEG2000", "PPM"):
        assert read(saved(pillow_rgb(), format)).boxes == ()


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


# Other formats


def test_grey_of_16_bits_in_pgm():
    values = np.array([[0, 1, 65535], [256, 4660, 9]], np.uint16)
    assert np.array_equal(read(b"P5\n3 2\n65535\n" + values.astype(">u2").tobytes()).samples[..., 0], values)
    plain = b"P2\n3 2\n65535\n" + " ".join(map(str, values.reshape(-1))).encode()
    assert (read(plain).mode, read(plain).samples[1, 1, 0]) == ("I;16", 4660)


@pytest.mark.parametrize("header", ["P2\n1 1\n{}\n", "P5\n1 1\n{}\n", "P3\n1 1\n{}\n", "P6\n1 1\n{}\n"])
@pytest.mark.parametrize("greatest", [1, 100, 254])
def test_pgm_and_ppm_whose_samples_would_be_stretched_are_refused(header, greatest):
    reason = f"PGM and PPM whose greatest value is {greatest} are not supported; write it with 255 or 65535 first"
    assert refusal(read, header.format(greatest).encode() + b"1 1 1\n") == reason


@pytest.mark.parametrize("greatest", [256, 1023, 4095, 65534])
def test_pgm_of_10_or_12_bits_is_refused(greatest):
    reason = f"PGM and PPM whose greatest value is {greatest} are not supported; write it with 255 or 65535 first"
    for data in (f"P5\n1 1\n{greatest}\n".encode() + bytes(2), f"P2\n1 1\n{greatest}\n7\n".encode()):
        assert refusal(read, data) == reason


def tiff(order, bits, channels, photometric, pixels, *more):
    """An uncompressed TIFF of one row; ``order`` is ``<`` or ``>``, ``more`` are further tags of one short."""
    width = len(pixels) * 8 // bits // channels
    shorts = [(256, width), (257, 1), (258, bits), (259, 1), (262, photometric), (277, channels), (278, 1), *more]
    tags = {tag: struct.pack(order + "HHIHH", tag, 3, 1, value, 0) for tag, value in shorts}
    if channels > 1:
        tags[258] = struct.pack(order + "HHII", 258, 3, channels, 8)
    tags[273] = struct.pack(order + "HHII", 273, 4, 1, 16)
    tags[279] = struct.pack(order + "HHII", 279, 4, 1, len(pixels))
    head = struct.pack(order + "2sHI4H", {"<": b"II", ">": b"MM"}[order], 42, 16 + len(pixels), *[bits] * 4)
    directory = b"".join(tags[tag] for tag in sorted(tags))
    return head + pixels + struct.pack(order + "H", len(tags)) + directory + bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
def test_grey_of_16_bits_in_tiff(order):
    got = read(tiff(order, 16, 1, 1, struct.pack(order + "2H", 0x1234, 0xFFFE)))
    assert (got.mode, got.samples.tolist(), got.samples.dtype) == ("I;16", [[[0x1234], [0xFFFE]]], np.uint16)


def test_32_bit_grey_is_taken_only_if_it_fits_in_16_bits():
    values = np.array([[0, 65535]], np.int32)
    assert read(saved(Image.fromarray(values), "TIFF")).samples.tolist() == [[[0], [65535]]]
    message = "grey pictures of more than 16 bits are not supported; convert to 16-bit grey first"
    for worse in (values + 1, values - 1):
        assert refusal(read, saved(Image.fromarray(worse), "TIFF")) == message


def test_a_palette_with_alpha_becomes_rgba():
    image = Image.fromarray(picture("RGBA").samples).convert("PA")
    got = read(saved(image, "TIFF"))
    assert got.mode == "RGBA"
    assert np.array_equal(got.samples, np.array(image.convert("RGBA")))


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "JPEG2000", "AVIF"])
def test_lossy_pictures_are_read_as_pillow_decodes_them(format):
    if format == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    data = saved(pillow_rgb(), format)
    assert np.array_equal(read(data).samples, np.array(Image.open(io.BytesIO(data))))


# Refusals


@pytest.mark.parametrize(("mode", "remedy"), [("CMYK", "RGB"), ("YCbCr", "RGB"), ("LAB", "RGB"), ("F", "16-bit grey")])
def test_modes_without_an_exact_counterpart_are_refused(mode, remedy):
    image = pillow_rgb().convert("L").convert(mode) if mode == "F" else pillow_rgb().convert(mode)
    assert refusal(read, saved(image, "TIFF")) == f"{mode} pictures are not supported; convert to {remedy} first"


def test_tiffs_that_pillow_would_change_are_refused():
    assert read(tiff(">", 8, 3, 2, b"abc")).samples.tolist() == [[[97, 98, 99]]]
    message = "{} TIFF pictures are not supported; convert to 16-bit PNG first"
    assert refusal(read, tiff(">", 16, 3, 2, b"aAbBcC")) == message.format("16-bit colour")
    assert refusal(read, tiff("<", 16, 4, 2, b"aAbBcCdD", (338, 2))) == message.format("16-bit colour")
    assert refusal(read, tiff("<", 16, 1, 0, b"aA")) == message.format("16-bit white-is-zero")
    premultiplied, extra = tiff(">", 8, 4, 2, b"abcd", (338, 1)), tiff(">", 8, 4, 2, b"abcd", (338, 0))
    assert refusal(read, premultiplied) == "RGBa pictures are not supported; convert to RGBA first"
    assert refusal(read, extra) == "multi-channel TIFF pictures are not supported; convert to RGB or RGBA first"


def test_tiff_palettes_that_pillow_would_round_are_refused():
    image = Image.frombytes("P", (2, 1), b"\0\1")
    image.putpalette(b"\1\2\3\4\5\6")
    data = saved(image, "TIFF")
    colours = struct.pack("<2H", 1 << 8, 4 << 8)
    assert data.count(colours) == 1
    for change, exact in [(0x0101, True), (0x0102, False)]:
        changed = data.replace(colours, struct.pack("<2H", change, 4 << 8))
        if exact:
            assert read(changed).box("palette")[0] == 1
        else:
            message = "16-bit palette TIFF pictures are not supported; convert to 16-bit PNG first"
            assert refusal(read, changed) == message


def test_deep_colour_of_ppm_and_jpeg_2000_is_refused():
    message = "16-bit colour {} pictures are not supported; convert to 16-bit PNG first"
    assert refusal(read, b"P6\n1 1\n65535\n" + bytes(6)) == message.format("PPM")
    assert refusal(read, b"P3\n1 1\n1023\n1 2 3\n") == message.format("PPM")
    data = bytearray(saved(pillow_rgb(), "JPEG2000"))
    data[data.index(b"\xff\x4f\xff\x51") + 42] = 11
    assert refusal(read, bytes(data)) == message.format("JPEG 2000")


def test_a_palette_of_jpeg_2000_with_alpha_is_refused():
    data = saved(pillow_rgb().convert("L"), "JPEG2000")
    colours = data.index(b"colr\1\0\0\0\0\0\x11")
    palette = struct.pack(">I4sHB4B4B", 19, b"pclr", 1, 4, 7, 7, 7, 7, 1, 2, 3, 4)
    data = data[: colours + 10] + b"\x10" + palette + data[colours + 11 :]
    header = data.index(b"jp2h")
    size = int.from_bytes(data[header - 4 : header], "big") + len(palette)
    data = data[: header - 4] + struct.pack(">I", size) + data[header:]
    message = "RGBA palette JPEG 2000 pictures are not supported; convert to RGBA PNG first"
    assert refusal(read, data) == message


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF", "MPO"])
def test_several_pictures_in_a_file_are_refused(format):
    frames = [pillow_rgb(), pillow_rgb().transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    message = "holds several pictures; save them singly" if format in ("TIFF", "MPO") else ANIMATED
    assert refusal(read, saved(frames[0], format, save_all=True, append_images=frames[1:])) == message


def test_what_is_no_picture():
    formats = "PNG, WebP, TIFF, BMP, PPM, GIF, JPEG, JPEG2000, AVIF"
    message = f"not a picture that vaezip can read, or a damaged one (it reads {formats})"
    for data in (b"", b"x", b"not a picture at all", bytes(1000), b"%!PS-Adobe-3.0 EPSF-3.0\n"):
        assert refusal(read, data) == message


def test_files_that_cannot_be_read(tmp_path):
    assert refusal(read, tmp_path / "none.png") == "cannot be read: No such file or directory"
    assert refusal(read, str(tmp_path)) == "cannot be read: Is a directory"
    assert refusal(read, "a\0b") == "cannot be read: embedded null byte"


def test_files_are_read_by_path(tmp_path):
    before = picture("RGB")
    for path in (tmp_path / "a.png", tmp_path / "wrong suffix.jpg"):
        path.write_bytes(write(before, ".png"))
        assert same(read(path), before)
        assert same(read(str(path)), before)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".bmp", ".ppm"])
def test_pictures_above_the_limit_are_refused(suffix):
    data = write(picture("RGB", 5, 6), suffix)
    message = "30 pixels are more than the limit of 29; raise it with --max-pixels"
    assert refusal(read, data, 29) == message
    assert read(data, 30).samples.shape == (5, 6, 3)


def test_the_limit_comes_before_decoding():
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1 << 30, 1 << 30, 8, 6, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    assert refusal(read, data).startswith("1152921504606846976 pixels are more than the limit of 268435456;")
    assert refusal(read, data, 1 << 62) == "the picture is truncated or damaged (the pixel data are too short)"


def test_pillows_own_switches_neither_act_nor_change(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for suffix in (".png", ".tif", ".webp", ".ppm"):
            data = write(picture("RGB"), suffix)
            assert read(data).samples.shape == (5, 6, 3)
            assert "damaged" in refusal(read, data[:-9])
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES) == (3, True)


@pytest.mark.parametrize(
    ("suffix", "message"),
    [
        (".jpg", "'.jpg' is lossy; choose .png"),
        (".JPEG", "'.jpeg' is lossy; choose .png"),
        (".avif", "'.avif' is lossy; choose .png"),
        (".heic", "'.heic' is lossy; choose .png"),
        (".jp2", "'.jp2' is lossy; choose .png"),
        (".gif", "'.gif' is not a picture format vaezip writes; choose .png"),
        (".xyz", "'.xyz' is not a picture format vaezip writes; choose .png"),
        ("", "'' is not a picture format vaezip writes; choose .png"),
    ],
)
def test_lossy_and_unknown_suffixes_are_refused(suffix, message):
    assert refusal(check_suffix, suffix) == message
    assert refusal(write, picture("RGB"), suffix) == message


def test_known_suffixes_pass_in_any_case():
    for suffix in HOLDS:
        check_suffix(suffix)
        check_suffix(suffix.upper())
    assert write(picture("L"), ".PNG") == write(picture("L"), ".png")


def test_what_a_format_cannot_hold_is_refused():
    transparent = picture("RGB", boxes=EVERYTHING[:1])
    for suffix in (".webp", ".tif", ".bmp", ".ppm"):
        assert refusal(write, transparent, suffix) == f"'{suffix}' cannot hold a transparent colour; choose .png"
    opaque = Picture("RGBA", np.full((2, 2, 4), 255, np.uint8))
    message = "'.webp' cannot hold an alpha channel that is opaque everywhere; choose .png"
    assert refusal(write, opaque, ".webp") == message
    wide = Picture("RGB", np.zeros((1, 16384, 3), np.uint8))
    assert refusal(write, wide, ".webp").startswith("cannot be written as '.webp' (")
    bad = picture("RGB", boxes=(("exif", b"no exif"),))
    assert refusal(write, bad, ".tif").startswith("cannot be written as '.tif' (")
    keyword = picture("L", boxes=(("text", "東\0\0\0x".encode()),))
    assert refusal(write, keyword, ".png") == "a text has a keyword that PNG cannot hold"


# Damage


@pytest.mark.parametrize(("suffix", "mode"), [(".png", "RGB"), (".png", "RGBA;16"), (".png", "P"), (".bmp", "RGB")])
def test_a_file_cut_anywhere_is_refused(suffix, mode):
    data = write(picture(mode, 5, 4, EVERYTHING[3:5]), suffix)
    for length in range(len(data)):
        refusal(read, data[:length])


@pytest.mark.parametrize("format", ["WEBP", "TIFF", "GIF", "JPEG", "JPEG2000", "PPM"])
def test_other_formats_cut_are_refused(format):
    options = {"lossless": True} if format == "WEBP" else {}
    data = saved(pillow_rgb(16, 16), format, **options)
    end = data.rindex(b";") - 1 if format == "GIF" else len(data)
    for length in range(0, end - 1, max(1, end // 60)):
        refusal(read, data[:length])


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


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"GIF89a", b"BM", b"P5\n", b"RIFF", b"\xff\xd8\xff\xe0"]))
def test_arbitrary_bytes_raise_nothing_else(data, start):
    try:
        got = read(start + data, 1 << 16)
    except ImageError:
        return
    assert got.mode in MODES


# The picture itself


def test_pictures_that_do_not_fit_together_are_refused():
    zeros = np.zeros((2, 3, 1), np.uint8)
    assert refusal(Picture, "XYZ", zeros) == "'XYZ' is not a mode of a picture"
    assert refusal(Picture, "I;16", zeros) == "the samples of mode I;16 must be uint16, not uint8"
    assert refusal(Picture, "RGB", zeros) == "the samples of mode RGB must be (height, width, 3), not (2, 3, 1)"
    assert refusal(Picture, "L", zeros[..., 0]) == "the samples of mode L must be (height, width, 1), not (2, 3)"
    assert refusal(Picture, "L", zeros[:0]) == "the samples of mode L must be (height, width, 1), not (0, 3, 1)"
    assert refusal(Picture, "L", zeros.repeat(2, 1)[:, ::2]) == "the samples must be C-contiguous"
    assert refusal(Picture, "1", zeros + np.uint8(2)) == "the samples of mode 1 must be 0 or 1"


@pytest.mark.parametrize(
    ("mode", "boxes", "message"),
    [
        ("L", (("comment", b""),), "unknown metadata: comment"),
        ("L", (("xmp", b""), ("icc", b"")), f"the metadata must be in the order {', '.join(BOXES)}"),
        ("L", (("icc", b""), ("icc", b"")), "the metadata has more than one icc"),
        ("L", (("palette", bytes(3)),), "a picture has a palette if and only if its mode is P"),
        ("P", (), "a picture has a palette if and only if its mode is P"),
        ("P", (("palette", bytes(4)),), "the palette of 4 bytes is malformed or does not suit mode P"),
        ("LA", (("transparency", bytes(4)),), "the transparency of 4 bytes is malformed or does not suit mode LA"),
        ("L", (("transparency", b"1"),), "the transparency of 1 bytes is malformed or does not suit mode L"),
        ("L", (("resolution", b"1"),), "the resolution of 1 bytes is malformed or does not suit mode L"),
        ("L", (("text", b"only a value"),), "the text of 12 bytes is malformed or does not suit mode L"),
    ],
)
def test_boxes_that_do_not_fit_are_refused(mode, boxes, message):
    samples = np.zeros((1, 1, MODES[mode].channels), np.uint8)
    assert refusal(Picture, mode, samples, boxes) == message


def test_same_tells_pictures_apart():
    one = picture("RGB")
    assert same(one, Picture("RGB", one.samples.copy()))
    assert not same(one, picture("RGB", seed=1))
    assert not same(one, picture("RGB", boxes=(("icc", b"x"),)))
    assert not same(picture("L"), Picture("P", picture("L").samples, (("palette", bytes(3)),)))


def test_the_order_of_modes_and_boxes_is_fixed():
    assert list(MODES) == ["1", "L", "LA", "RGB", "RGBA", "P", "I;16", "LA;16", "RGB;16", "RGBA;16"]
    assert BOXES == ("palette", "transparency", "icc", "exif", "xmp", "text", "resolution", "gamma")


def test_many_threads_at_once():
    switches = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    originals = [picture(mode, seed=seed) for mode in MODES for seed in range(8)]

    def trip(before):
        suffix = ".tif" if before.mode in HOLDS[".tif"] else ".png"
        after = read(write(before, suffix))
        return after.mode == before.mode and np.array_equal(after.samples, before.samples)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(trip, originals * 2))
    assert switches == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
