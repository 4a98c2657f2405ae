import numpy as np
import pytest

from vaezip.errors import ImageError
from vaezip.pictures.io import read, write
from vaezip.pictures.picture import same

from .helpers import EVERYTHING, chunk, grey, picture, pillow_rgb, refusal, saved

DAMAGED = "the picture is truncated or damaged ({})"
SEVERAL = "holds several pictures; save them singly"


def test_every_corrupt_byte_of_a_png_is_refused_or_told():
    before = picture("RGB;16", 3, 4, EVERYTHING[3:5])
    data = write(before, ".png")
    told = 0
    for place in range(len(data)):
        broken = bytearray(data)
        broken[place] ^= 0x41
        try:
            got = read(bytes(broken))
        except ImageError:
            continue
        told += 1
        assert len(got.dropped) == 1
        assert np.array_equal(got.samples, before.samples)
        assert set(got.boxes) < set(before.boxes)
    assert told > 40


def test_how_damage_is_named():
    data = write(picture("RGB"), ".png")
    assert refusal(read, data[:-1]) == DAMAGED.format("the file ends before its chunk IEND")
    assert refusal(read, data[:40]) == DAMAGED.format("the file ends before its chunk IEND")
    assert refusal(read, data[:60]) == DAMAGED.format("the file ends inside the chunk IDAT")
    assert refusal(read, data[:20] + b"?" + data[21:]) == DAMAGED.format("the chunk IHDR has a wrong checksum")
    assert refusal(read, data[:50] + b"?" + data[51:]) == DAMAGED.format("the chunk IDAT has a wrong checksum")
    assert refusal(read, data[:-1] + b"?") == DAMAGED.format("the chunk IEND has a wrong checksum")
    assert refusal(read, data[:8] + data[33:]) == DAMAGED.format("it does not begin with a chunk IHDR of 13 bytes")
    assert refusal(read, data[:33] + data[8:]) == DAMAGED.format("there are two chunks IHDR")
    assert refusal(read, data[:33] + data[-12:]) == DAMAGED.format("the chunk IDAT is missing")
    assert refusal(read, grey(depth=8, colour=5)) == DAMAGED.format("the chunk IHDR has unknown values")
    assert refusal(read, b"P6\n9 9\n255\nshort").startswith("the picture is truncated or damaged (")


@pytest.mark.parametrize("position", [10, 60, -13])
def test_a_file_without_its_end_is_refused(position):
    refusal(read, write(picture("RGB"), ".png")[:position])


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda data: data.replace(b"\r\n", b"\n"),
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: bytes(byte & 0x7F for byte in data),
        lambda data: data.decode("latin-1").encode(),
        lambda data: data.decode("utf-8", "replace").encode(),
    ],
)
def test_files_that_a_transfer_spoilt_are_refused_by_the_true_reason(spoilt):
    message = DAMAGED.format("its signature is changed, as by a transfer that translates line ends")
    assert refusal(read, spoilt(write(picture("RGB"), ".png"))) == message


def test_apples_variant_is_refused_by_name():
    data = write(picture("RGBA"), ".png")
    message = "Apple's PNG variant CgBI is not supported; convert to PNG first"
    assert refusal(read, data[:8] + chunk(b"CgBI", b"\x50\0\x20\6") + data[8:]) == message


@pytest.mark.parametrize("rest", [b"more", bytes(3000), chunk(b"IEND", b""), b"PK\3\4" + bytes(99), b"\r\n"])
def test_data_behind_the_end_are_named_as_dropped(rest):
    before = picture("RGB")
    got = read(write(before, ".png") + rest)
    assert same(got, before)
    assert got.dropped == (f"{len(rest)} bytes behind the end",)


@pytest.mark.parametrize("between", [b"", bytes(512), b"PK\3\4 archive "])
def test_a_second_png_behind_the_end_is_refused(between):
    data = write(picture("RGB"), ".png")
    assert refusal(read, data + between + data) == SEVERAL


@pytest.mark.parametrize("format", ["JPEG", "GIF", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("between", [b"", bytes(512)])
def test_a_second_picture_of_another_format_behind_the_end_is_refused(format, between):
    assert refusal(read, write(picture("RGB"), ".png") + between + saved(pillow_rgb(), format)) == SEVERAL


def test_data_in_the_last_chunk_are_named_as_dropped():
    data = write(picture("RGB"), ".png")[:-12] + chunk(b"IEND", b"data")
    assert read(data).dropped == ("data in the chunk IEND",)
