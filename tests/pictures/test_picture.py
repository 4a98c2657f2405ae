import numpy as np
import pytest

from vaezip.pictures.picture import BOXES, MODES, Picture, box_fits, same

from .helpers import picture, refusal


def test_pictures_that_do_not_fit_together_are_refused():
    zeros = np.zeros((2, 3, 1), np.uint8)
    assert refusal(Picture, "XYZ", zeros) == "'XYZ' is not a mode of a picture"
    assert refusal(Picture, "I;16", zeros) == "the samples of mode I;16 must be uint16, not uint8"
    assert refusal(Picture, "RGB", zeros) == "the samples of mode RGB must be (height, width, 3), not (2, 3, 1)"
    assert refusal(Picture, "L", zeros[..., 0]) == "the samples of mode L must be (height, width, 1), not (2, 3)"
    assert refusal(Picture, "L", zeros[:0]) == "the samples of mode L must be (height, width, 1), not (0, 3, 1)"
    assert refusal(Picture, "L", [[[0]]]) == "the samples must be a NumPy array, not of the type list"
    assert refusal(Picture, "1", zeros + np.uint8(2)) == "the samples of mode 1 must be 0 or 1"


def test_samples_in_another_order_are_copied():
    turned = np.arange(12, dtype=np.uint8).reshape(3, 4, 1).transpose(1, 0, 2)
    found = Picture("L", turned)
    assert found.samples.flags.c_contiguous
    assert np.array_equal(found.samples, turned)


def test_a_picture_is_an_array_to_numpy():
    one = picture("RGB;16")
    assert np.asarray(one) is one.samples
    assert np.array(one) is not one.samples
    assert np.array(one, np.int64).dtype == np.int64


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
        ("L", (("srgb", b""),), "the srgb of 0 bytes is malformed or does not suit mode L"),
        ("L", (("cicp", bytes(3)),), "the cicp of 3 bytes is malformed or does not suit mode L"),
        ("L", (("light-levels", bytes(9)),), "the light-levels of 9 bytes is malformed or does not suit mode L"),
        ("L", (("chromaticities", b""),), "the chromaticities of 0 bytes is malformed or does not suit mode L"),
        ("L", (("significant-bits", b"123"),), "the significant-bits of 3 bytes is malformed or does not suit mode L"),
        ("RGB", (("bit-depth", b"\4"),), "the bit-depth of 1 bytes is malformed or does not suit mode RGB"),
        ("L", (("bit-depth", b"\1"),), "the bit-depth of 1 bytes is malformed or does not suit mode L"),
        ("L", (("srgb", b"1"), ("srgb", b"1")), "the metadata has more than one srgb"),
        ("L", (("text", b"only a value"),), "the text of 12 bytes is malformed or does not suit mode L"),
        ("L", (("text", b"\xff\0\0\0v"),), "the text of 5 bytes is malformed or does not suit mode L"),
        ("L", (("text", "東\0\0\0x".encode()),), "the text of 7 bytes is malformed or does not suit mode L"),
    ],
)
def test_boxes_that_do_not_fit_are_refused(mode, boxes, message):
    samples = np.zeros((1, 1, MODES[mode].channels), np.uint8)
    assert refusal(Picture, mode, samples, boxes) == message


@pytest.mark.parametrize(
    "content",
    [
        *(b"\0" + name for name in (b"", b"IDAT", b"PLTE", b"tRNS", b"caBX", b"acTL", b"fdAT", b"v\1Ag", b"vpA\xe9")),
        *(b"\0" + name for name in (b"pHYs", b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"sRGB", b"iCCP")),
        b"\2vpAg",
        b"vpAg",
    ],
)
def test_chunks_that_are_no_box_are_refused(content):
    """A PNG of them would mean another picture, or would be none."""
    message = f"the png-chunk of {len(content)} bytes is malformed or does not suit mode L"
    assert refusal(Picture, "L", np.zeros((1, 1, 1), np.uint8), (("png-chunk", content),)) == message


@pytest.mark.parametrize("name", ["icc", "exif", "xmp", "text", "png-chunk"])
def test_a_box_has_at_most_64_mib(name):
    begin = {"text": b"\0\0\0", "png-chunk": b"\0vpAg"}.get(name, b"")
    assert box_fits(name, begin + bytes((1 << 26) - len(begin)), "L")
    assert not box_fits(name, begin + bytes((1 << 26) + 1 - len(begin)), "L")


def test_many_boxes_are_checked_in_no_time_worth_mentioning():
    boxes = tuple(("icc", b"") for _ in range(1 << 20))
    assert refusal(Picture, "L", np.zeros((1, 1, 1), np.uint8), boxes) == "the metadata has more than one icc"


def test_same_tells_pictures_apart():
    one = picture("RGB")
    assert same(one, Picture("RGB", one.samples.copy()))
    assert not same(one, picture("RGB", seed=1))
    assert not same(one, picture("RGB", boxes=(("icc", b"x"),)))
    assert not same(picture("L"), Picture("P", picture("L").samples, (("palette", bytes(3)),)))


def test_a_picture_is_shown_in_a_line():
    palette = (("palette", bytes(6)), ("text", b"a\0\0\0b"), ("text", b"c\0\0\0d"))
    assert repr(picture("RGB")).startswith("<vaezip.Picture RGB ")
    assert repr(Picture("P", np.zeros((2, 3, 1), np.uint8), palette)) == "<vaezip.Picture P 3×2 with palette, text>"


def test_the_order_of_modes_and_boxes_is_fixed():
    assert list(MODES) == ["1", "L", "LA", "RGB", "RGBA", "P", "I;16", "LA;16", "RGB;16", "RGBA;16"]
    assert BOXES[:8] == ("palette", "transparency", "icc", "exif", "xmp", "text", "resolution", "gamma")
    assert BOXES[8:12] == ("cicp", "mastering-display", "light-levels", "srgb")
    assert BOXES[12:] == ("chromaticities", "significant-bits", "png-chunk", "bit-depth")
