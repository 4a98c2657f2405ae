import io
import struct
import warnings

import numpy as np
import pytest
from PIL import Image, ImageFile, features

from vaezip.pictures.io import read, write
from vaezip.pictures.picture import Picture

from .helpers import EVERYTHING, EXIF, EXIF_BYTES, RESOLUTION, picture, pillow_rgb, refusal, saved


def test_a_palette_in_tiff_is_filled_up_to_256_colours():
    before = Picture("P", np.array([[[0], [1]]], np.uint8), (("palette", b"\1\2\3\4\5\6"),))
    assert read(write(before, ".tif")).boxes == (("palette", b"\1\2\3\4\5\6" + bytes(762)),)


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


def test_the_orientation_that_xmp_asks_for_is_not_applied():
    before = picture("RGB", boxes=(("xmp", b'<x tiff:Orientation="6"/>'),))
    after = read(write(before, ".tif"))
    assert np.array_equal(after.samples, before.samples)
    assert after.box("xmp") == before.box("xmp")


def test_metadata_of_jpeg():
    got = read(saved(pillow_rgb(), "JPEG", exif=EXIF, icc_profile=b"icc", dpi=(72, 300), xmp=b"<x/>"))
    assert got.boxes == (("icc", b"icc"), ("exif", EXIF_BYTES), ("xmp", b"<x/>"), ("resolution", RESOLUTION))


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


def test_what_is_no_picture():
    formats = "PNG, WebP, TIFF, BMP, PPM, GIF, JPEG, JPEG2000, AVIF"
    message = f"not a picture that vaezip can read, or a damaged one (it reads {formats})"
    for data in (b"x", b"not a picture at all", bytes(1000), b"%!PS-Adobe-3.0 EPSF-3.0\n"):
        assert refusal(read, data) == message


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


@pytest.mark.parametrize("format", ["WEBP", "TIFF", "GIF", "JPEG", "JPEG2000", "PPM"])
def test_other_formats_cut_are_refused(format):
    options = {"lossless": True} if format == "WEBP" else {}
    data = saved(pillow_rgb(16, 16), format, **options)
    end = data.rindex(b";") - 1 if format == "GIF" else len(data)
    for length in range(0, end - 1, max(1, end // 60)):
        refusal(read, data[:length])
