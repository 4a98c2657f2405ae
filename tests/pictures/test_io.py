from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from vaezip.errors import ImageError
from vaezip.pictures.io import dropped_boxes, read, write
from vaezip.pictures.picture import BOXES, MODES, Picture, same

from .helpers import ANIMATED, EVERYTHING, EXIF, HOLDS, chunk, picture, pillow_rgb, png, refusal, saved

SIZES = [(1, 1), (1, 7), (7, 1), (13, 5), (8, 9), (33, 40)]
HELD = [(suffix, mode) for suffix, modes in HOLDS.items() for mode in modes]
NOT_HELD = [(suffix, mode) for suffix, modes in HOLDS.items() for mode in MODES if mode not in modes]


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


def test_the_colour_under_zero_alpha_is_kept():
    samples = np.zeros((2, 2, 4), np.uint8)
    samples[..., :3] = 200
    samples[0, 0, 3] = 9
    for suffix in (".png", ".webp", ".tif"):
        assert np.array_equal(read(write(Picture("RGBA", samples), suffix)).samples, samples)


def test_what_is_dropped_on_reading_is_named():
    extra = [(b"caBX", b"\0"), (b"PLTE", bytes(6)), (b"iDOT", bytes(7)), (b"tEXt", b"Title\0x"), (b"iDOT", bytes(7))]
    got = read(png(picture("RGB").samples, 8, before=b"".join(chunk(*c) for c in extra)))
    assert got.dropped == ("caBX", "PLTE", "iDOT")
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
    png_alone = ("gamma", *BOXES[8:15])
    assert dropped_boxes(before, ".webp") == ("text", "resolution", *png_alone)
    assert dropped_boxes(before, ".TIF") == ("text", *png_alone)
    assert dropped_boxes(before, ".bmp") == ("icc", "exif", "xmp", "text", *png_alone)
    assert dropped_boxes(picture("L", boxes=[("bit-depth", b"\4")]), ".tif") == ("bit-depth",)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2020:01:01 00:00:00"
    exif[0x013D] = 1
    cut = (("exif", exif.tobytes().removeprefix(b"Exif\0\0")), ("resolution", bytes(9)))
    assert dropped_boxes(picture("RGB", boxes=cut), ".tif") == ("exif", "resolution")
    assert dropped_boxes(picture("RGB", boxes=cut), ".png") == ()


def test_damaged_exif_data_keep_no_picture_out_of_tiff():
    before = picture("RGB", boxes=(("exif", b"no exif"),))
    assert dropped_boxes(before, ".tif") == ("exif",)
    assert read(write(before, ".tif")).boxes == ()


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


def test_no_metadata_is_made_up():
    for format in ("PNG", "WEBP", "TIFF", "JPEG", "JPEG2000", "PPM"):
        assert read(saved(pillow_rgb(), format)).boxes == ()


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF", "MPO"])
def test_several_pictures_in_a_file_are_refused(format):
    frames = [pillow_rgb(), pillow_rgb().transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    message = "holds several pictures; save them singly" if format in ("TIFF", "MPO") else ANIMATED
    assert refusal(read, saved(frames[0], format, save_all=True, append_images=frames[1:])) == message


def test_files_that_cannot_be_read(tmp_path):
    assert refusal(read, tmp_path / "none.png") == "cannot be read: No such file or directory"
    assert refusal(read, str(tmp_path)) == "cannot be read: Is a directory"
    assert refusal(read, "a\0b") == "cannot be read: embedded null byte"


def test_an_empty_file():
    assert refusal(read, b"") == "the file is empty"


def test_files_are_read_by_path(tmp_path):
    before = picture("RGB")
    for path in (tmp_path / "a.png", tmp_path / "wrong suffix.jpg"):
        path.write_bytes(write(before, ".png"))
        assert same(read(path), before)
        assert same(read(str(path)), before)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".bmp", ".ppm"])
def test_pictures_above_the_limit_are_refused(suffix):
    data = write(picture("RGB", 5, 6), suffix)
    with pytest.raises(ImageError, match=r"^30 pixels are more than the limit of 29$") as caught:
        read(data, 29)
    assert caught.value.remedy == "more-pixels"
    assert read(data, 30).samples.shape == (5, 6, 3)


def test_what_a_format_cannot_hold_is_refused():
    transparent = picture("RGB", boxes=EVERYTHING[:1])
    for suffix in (".webp", ".tif", ".bmp", ".ppm"):
        assert refusal(write, transparent, suffix) == f"'{suffix}' cannot hold a transparent colour; choose .png"
    opaque = Picture("RGBA", np.full((2, 2, 4), 255, np.uint8))
    message = "'.webp' cannot hold an alpha channel that is opaque everywhere; choose .png"
    assert refusal(write, opaque, ".webp") == message
    wide = Picture("RGB", np.zeros((1, 16384, 3), np.uint8))
    assert refusal(write, wide, ".webp").startswith("cannot be written as '.webp' (")
    keyword = picture("L", boxes=(("text", "東\0\0\0x".encode()),))
    assert refusal(write, keyword, ".png") == "a text has a keyword that PNG cannot hold"


@pytest.mark.parametrize(("suffix", "mode"), [(".png", "RGB"), (".png", "RGBA;16"), (".png", "P"), (".bmp", "RGB")])
def test_a_file_cut_anywhere_is_refused(suffix, mode):
    data = write(picture(mode, 5, 4, EVERYTHING[3:5]), suffix)
    for length in range(len(data)):
        refusal(read, data[:length])


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"GIF89a", b"BM", b"P5\n", b"RIFF", b"\xff\xd8\xff\xe0"]))
def test_arbitrary_bytes_raise_nothing_else(data, start):
    try:
        got = read(start + data, 1 << 16)
    except ImageError:
        return
    assert got.mode in MODES


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
