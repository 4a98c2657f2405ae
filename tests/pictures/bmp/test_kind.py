import struct

import numpy as np
import pytest
from PIL import Image

from vaezip.pictures.io import read

from ..helpers import pillow_rgb, refusal, saved


def bmp(pixels, bits, masks=(), *, compression=3, height=None):
    """A BMP of one column of pixels from the bottom up; its header has 40 bytes, or 56 with a mask of alpha."""
    size = 56 if len(masks) == 4 else 40
    behind = struct.pack(f"<{len(masks)}I", *masks)
    at = 54 + len(behind)
    rows = b"".join(pixel.to_bytes(bits // 8, "little").ljust(4, b"\0") for pixel in pixels)
    header = struct.pack("<IiiHHIIiiII", size, 1, height or len(pixels), 1, bits, compression, 0, 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", at + len(rows), 0, 0, at) + header + behind + rows


def test_alpha_of_one_bit_is_kept():
    got = read(bmp([0x7C00, 0x83E0, 0x801F], 16, (0x7C00, 0x03E0, 0x001F, 0x8000)))
    assert got.mode == "RGBA"
    assert got.samples[:, 0].tolist() == [[0, 0, 255, 255], [0, 255, 0, 255], [255, 0, 0, 0]]
    assert got.box("resolution") == struct.pack(">IIB", 2835, 2835, 1)


@pytest.mark.parametrize("masks", [(0xF000, 0x0F00, 0x00F0, 0x000F), (0x0F00, 0x00F0, 0x000F, 0xF000)])
def test_four_bits_of_each_channel_become_eight(masks):
    pixel = sum((mask & -mask) * value for mask, value in zip(masks, (1, 2, 15, 7)))
    assert read(bmp([pixel], 16, masks)).samples[0, 0].tolist() == [17, 34, 255, 119]


def test_masks_of_32_bits_may_lie_anywhere():
    got = read(bmp([0x10203040], 32, (0xFF, 0xFF000000, 0xFF00, 0xFF0000)))
    assert got.samples[0, 0].tolist() == [0x40, 0x10, 0x30, 0x20]
    assert read(bmp([0x10203040], 32, (0xFF0000, 0xFF00, 0xFF))).samples[0, 0].tolist() == [0x20, 0x30, 0x40]


@pytest.mark.parametrize(("bits", "masks"), [(16, (0x7C00, 0x3E0, 0x1F)), (16, (0xF800, 0x7E0, 0x1F))])
def test_channels_of_five_and_six_bits_are_those_of_pillow(bits, masks, tmp_path):
    data = bmp([0, 1, 0x1234, 0x7FFF, 0xFFFF, 0x8421, 0x3333], bits, masks)
    (tmp_path / "a.bmp").write_bytes(data)
    with Image.open(tmp_path / "a.bmp") as image:
        assert np.array_equal(read(data).samples, np.array(image))


def test_the_first_row_comes_first_where_the_height_is_negative():
    masks = (0x7C00, 0x3E0, 0x1F)
    up, down = read(bmp([0, 31], 16, masks)), read(bmp([0, 31], 16, masks, height=-2))
    assert np.array_equal(up.samples[::-1], down.samples)


def test_what_no_mode_holds_is_refused_by_its_kind():
    message = "{} pictures are not supported; convert to PNG first"
    assert refusal(read, bmp([0], 32, (0x3FF00000, 0xFFC00, 0x3FF))) == message.format("10-bit RGB BMP")
    assert refusal(read, bmp([0], 32, (0xF0F, 0x10, 0x20))) == message.format("BMP with masks that have gaps")
    assert refusal(read, bmp([0], 16, (0x7C00, 0, 0x1F))) == message.format("BMP with masks that are empty or overlap")
    assert refusal(read, bmp([0], 24, compression=4)) == message.format("24-bit BMP in compression 4")
    embedded = bmp([], 0, compression=4, height=1)
    assert refusal(read, embedded) == "is a JPEG in a BMP, which is not supported; convert to PNG first"


def test_rows_that_are_missing_are_damage():
    whole = bmp([1, 2, 3], 16, (0x7C00, 0x3E0, 0x1F))
    assert read(whole[:-2]).samples.shape == (3, 1, 3)  # the last row need not be filled up
    for length in (*range(2, 66), len(whole) - 3):
        assert "truncated or damaged" in refusal(read, whole[:length])


def test_other_bmps_are_left_to_pillow():
    image = pillow_rgb()
    assert np.array_equal(read(saved(image, "BMP")).samples, np.array(image))
    assert read(saved(image.convert("1"), "BMP")).mode == "1"
    assert read(saved(image.convert("P"), "BMP")).mode == "P"


def test_masks_beyond_the_bits_are_damage():
    data = bmp([1, 2], 16, (0xF800, 0x07E0, 0x010000))
    assert refusal(read, data) == "the picture is truncated or damaged (its masks are beyond its bits)"
