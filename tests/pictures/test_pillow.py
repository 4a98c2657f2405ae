import io
import warnings

import numpy as np
import pytest
from PIL import Image, ImageFile, features

from vaezip.pictures.io import read, write
from vaezip.pictures.picture import Picture

from .helpers import (
    EVERYTHING,
    EXIF,
    EXIF_BYTES,
    RESOLUTION,
    directory,
    long,
    picture,
    pillow_rgb,
    refusal,
    saved,
    short,
)


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


def test_a_gif_whose_frame_does_not_fill_its_screen_is_refused():
    data = bytearray(saved(Image.frombytes("P", (3, 2), bytes(6)), "GIF"))
    assert read(bytes(data)).samples.shape == (2, 3, 1)
    data[6] = 4  # the width of the screen
    assert refusal(read, bytes(data)) == "is a GIF whose frame does not fill its screen; convert to PNG first"


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
    below = directory("<", [(0x9003, 2, 20, b"2020:01:01 00:00:00\0")], 8)
    layout = [short("<", 0x0100, 999), short("<", 0x0101, 999), short("<", 0x0106, 0)]
    tags = [*layout, (0x0131, 2, 5, b"Tool\0"), long("<", 0x8769, 8)]
    start = 8 + len(below)
    exif = b"II*\0" + start.to_bytes(4, "little") + below + directory("<", tags, start)
    before = picture("L", boxes=(("exif", exif),))
    after = read(write(before, ".tif"))
    assert np.array_equal(after.samples, before.samples)
    kept = Image.Exif()
    kept.load(after.box("exif"))
    assert set(kept) == {0x0131, 0x8769}
    assert kept.get_ifd(0x8769) == {0x9003: "2020:01:01 00:00:00"}


def test_the_orientation_that_xmp_asks_for_is_not_applied():
    before = picture("RGB", boxes=(("xmp", b'<x tiff:Orientation="6"/>'),))
    after = read(write(before, ".tif"))
    assert np.array_equal(after.samples, before.samples)
    assert after.box("xmp") == before.box("xmp")


def test_metadata_of_jpeg():
    got = read(saved(pillow_rgb(), "JPEG", exif=EXIF, icc_profile=b"icc", dpi=(72, 300), xmp=b"<x/>"))
    assert got.boxes == (("icc", b"icc"), ("exif", EXIF_BYTES), ("xmp", b"<x/>"), ("resolution", RESOLUTION))


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


def test_what_is_no_picture():
    formats = "PNG, WebP, TIFF, BMP, PPM, GIF, JPEG, JPEG2000, AVIF, DICOM, FITS"
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
