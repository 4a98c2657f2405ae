import struct

import pytest

from vaezip.pictures.io import read

from .helpers import pillow_rgb, refusal, saved

SAMPLES = saved(pillow_rgb(), "BMP")[54:]


def bmp(size=124, space=b"DEBM", ends=bytes(48), profile=b"", resolution=(2835, 11811)):
    """A BMP with a header of version 4 or 5."""
    start = 14 + size
    head = struct.pack("<IiiHHIIiiII", size, 6, 4, 1, 24, 0, len(SAMPLES), *resolution, 0, 0)
    head += bytes(16) + space + ends
    if size == 124:
        place = size + len(SAMPLES) if profile else 0
        head += struct.pack("<IIII", 4, place, len(profile), 0)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, start) + head + SAMPLES + profile


def test_resolution_and_profile_are_kept():
    got = read(bmp(profile=b"a profile"))
    assert got.dropped == ()
    assert got.boxes == (("icc", b"a profile"), ("resolution", struct.pack(">IIB", 2835, 11811, 1)))
    assert read(bmp(profile=b"abc", resolution=(0, 0))).boxes == (("icc", b"abc"),)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"space": b"sRGB", "size": 108}, ("sRGB",)),
        ({"space": b" niW"}, ()),
        ({"space": b"Win "}, ()),
        ({"space": bytes(4)}, ()),
        ({"space": bytes(4), "ends": b"\1" * 48}, ("calibrated colour space",)),
        ({"space": b"KNIL", "profile": b"C:\\profile.icc\0"}, ("linked ICC profile",)),
        ({"space": b"what"}, ("colour space",)),
        ({}, ("damaged ICC profile",)),
        ({"resolution": (-1, 7)}, ("resolution", "damaged ICC profile")),
    ],
)
def test_other_colour_spaces_are_named(options, names):
    assert read(bmp(**options)).dropped == names


def test_srgb_is_kept_with_its_intent():
    got = read(bmp(space=b"BGRs"))
    assert (got.box("srgb"), got.dropped) == (b"\0", ())


def test_a_profile_that_is_cut_is_named():
    assert read(bmp(profile=b"a profile")[:-1]).dropped == ("damaged ICC profile",)


def test_what_stands_behind_the_end():
    plain = bmp(space=b" niW")
    assert read(plain + bytes(3)).dropped == ()
    assert read(plain + bytes(4)).dropped == ("4 bytes behind the end",)
    assert read(plain + b"x").dropped == ("1 byte behind the end",)
    assert refusal(read, plain + plain) == "holds several pictures; save them singly"
