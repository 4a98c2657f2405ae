import struct
import sys

import numpy as np
import pytest
from PIL import Image

from vaezip.pictures.io import read

from ..helpers import pillow_rgb, refusal, saved

MODES = {1: "I;16", 2: "LA;16", 3: "RGB;16", 4: "RGBA;16"}


def deep(bits, channels):
    return np.random.default_rng(0).integers(0, 1 << bits, (12, 11, channels), np.uint16)


def encoded(samples, bits, format="jp2", **options):
    codecs = pytest.importorskip("imagecodecs")
    return codecs.jpeg2k_encode(samples.squeeze(), level=0, bitspersample=bits, codecformat=format, **options)


def with_header_boxes(colour_space, boxes):
    """A grey JP2 with another colour space and further boxes in its header."""
    data = saved(pillow_rgb().convert("L"), "JPEG2000")
    colours = data.index(b"colr\1\0\0\0\0\0\x11")
    data = data[: colours + 10] + bytes([colour_space]) + boxes + data[colours + 11 :]
    header = data.index(b"jp2h")
    size = int.from_bytes(data[header - 4 : header], "big") + len(boxes)
    return data[: header - 4] + struct.pack(">I", size) + data[header:]


def box(type, content):
    return struct.pack(">I4s", 8 + len(content), type) + content


PLAIN = box(b"cmap", bytes((0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 2)))


@pytest.mark.parametrize("format", ["j2k", "jp2"])
@pytest.mark.parametrize("bits", [9, 10, 12, 15, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_samples_of_9_to_16_bits_keep_their_values(format, bits, channels):
    samples = deep(bits, channels)
    got = read(encoded(samples, bits, format))
    assert (got.mode, np.array_equal(got.samples, samples)) == (MODES[channels], True)
    assert (f"depth of {bits} bits" in got.dropped) == (bits < 16)


def test_grey_of_16_bits_needs_no_other_library(monkeypatch):
    samples = deep(16, 1)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    data = saved(Image.fromarray(samples[..., 0]), "JPEG2000")
    assert np.array_equal(read(data).samples, samples)


def test_without_imagecodecs_the_refusal_names_it(monkeypatch):
    data = encoded(deep(12, 1), 12)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    assert refusal(read, data) == "pictures like this one (12-bit grey JPEG2000) need the library imagecodecs"


def test_samples_with_a_sign_and_of_few_bits_are_refused_by_their_kind():
    data = bytearray(saved(pillow_rgb(), "JPEG2000"))
    depths = data.index(b"\xff\x4f\xff\x51") + 42
    data[depths : depths + 7 : 3] = b"\x87" * 3
    assert refusal(read, bytes(data)).startswith(
        "signed 8-bit RGB JPEG2000 pictures are not supported; convert to unsigned"
    )
    data[depths : depths + 7 : 3] = b"\3" * 3
    assert refusal(read, bytes(data)) == "4-bit RGB JPEG2000 pictures are not supported; convert to PNG first"
    data[depths : depths + 7 : 3] = b"\7\7\3"
    assert refusal(read, bytes(data)).startswith("JPEG 2000 with channels of different depths")


def test_a_palette_is_read_as_it_stands_also_with_a_colour_twice():
    colours = bytes((1, 2, 3, 9, 9, 9, 1, 2, 3, 200, 100, 50)) + bytes(range(250)) * 3
    palette = box(b"pclr", struct.pack(">HB3B", 254, 3, 7, 7, 7) + colours)
    got = read(with_header_boxes(16, palette + PLAIN))
    assert (got.mode, got.box("palette")) == ("P", colours)
    assert np.array_equal(got.samples[..., 0], np.array(pillow_rgb().convert("L")))


def test_palettes_of_other_kinds_are_refused():
    message = "{} pictures are not supported; convert to PNG first"
    alpha = box(b"pclr", struct.pack(">HB4B4B", 1, 4, 7, 7, 7, 7, 1, 2, 3, 4))
    assert refusal(read, with_header_boxes(16, alpha)) == message.format("4-channel palette JPEG 2000")
    plain = box(b"pclr", struct.pack(">HB3B", 1, 3, 7, 7, 7) + bytes(3))
    other = box(b"cmap", bytes((0, 0, 1, 2, 0, 0, 1, 1, 0, 0, 1, 0)))
    assert "not used plainly" in refusal(read, with_header_boxes(16, plain + other))
    short = box(b"pclr", struct.pack(">HB3B", 2, 3, 7, 7, 7) + bytes(5))
    assert "its palette is not whole" in refusal(read, with_header_boxes(16, short))


@pytest.mark.parametrize(("space", "name"), [(18, "YCbCr"), (12, "CMYK"), (99, "colour space 99")])
def test_other_colour_spaces_are_refused(space, name):
    message = f"8-bit {name} JPEG2000 pictures are not supported; convert to RGB first"
    assert refusal(read, with_header_boxes(space, b"")) == message


def test_channels_in_another_order_and_premultiplied_ones_are_refused():
    premultiplied = box(b"cdef", struct.pack(">7H", 2, 0, 0, 1, 1, 2, 0))
    assert "premultiplied" in refusal(read, with_header_boxes(17, premultiplied))
    swapped = box(b"cdef", struct.pack(">4H", 1, 0, 0, 3))
    assert "in another order" in refusal(read, with_header_boxes(17, swapped))


def test_more_tiles_than_the_file_can_hold_are_damage():
    data = bytearray(saved(pillow_rgb(64, 64), "JPEG2000"))
    tiles = data.index(b"\xff\x4f\xff\x51") + 24
    data[tiles : tiles + 8] = struct.pack(">2I", 1, 1)
    assert "it is too short for 4096 tiles" in refusal(read, bytes(data))


def test_two_codestreams_are_two_pictures():
    data = saved(pillow_rgb(), "JPEG2000")
    stream = data.index(b"jp2c") - 4
    size = len(data) - stream
    twice = data[:stream] + size.to_bytes(4, "big") + data[stream + 4 :] + size.to_bytes(4, "big") + data[stream + 4 :]
    assert refusal(read, twice) == "holds several pictures; save them singly"


def test_a_header_of_another_size_than_the_codestream_is_damage():
    """Pillow takes memory by the header."""
    data = saved(pillow_rgb(), "JPEG2000")
    height = data.index(b"ihdr") + 4
    data = data[:height] + b"\x04" + data[height + 1 :]
    expected = "the picture is truncated or damaged (its header and its codestream tell different sizes)"
    assert refusal(read, data) == expected
