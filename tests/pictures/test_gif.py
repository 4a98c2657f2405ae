import struct

import numpy as np
import pytest
from PIL import Image

from vaezip.pictures.io import read

from .helpers import refusal, saved

PACKET = b"<x:xmpmeta/>"
TRAILER = bytes([1, *range(255, -1, -1), 0])


def gif(*extensions, aspect=0, background=0, behind=b""):
    """A GIF of Pillow with extensions before its picture."""
    image = Image.fromarray(np.arange(8, dtype=np.uint8).reshape(2, 4), "L").convert("P")
    data = saved(image, "GIF")
    start = 13 + (3 << (data[10] & 7) + 1)
    head = data[:11] + bytes([background, aspect]) + data[13:start]
    return head + b"".join(extensions) + data[start:] + behind


def application(name, content):
    return b"\x21\xff\x0b" + name + content


def blocks(data):
    return b"".join(bytes([len(data[at : at + 9])]) + data[at : at + 9] for at in range(0, len(data), 9)) + b"\0"


def test_profile_xmp_and_aspect_are_kept():
    got = read(gif(application(b"ICCRGBG1012", blocks(b"a profile of some bytes")), aspect=49))
    assert (got.box("icc"), got.dropped) == (b"a profile of some bytes", ())
    assert got.box("resolution") == struct.pack(">IIB", 64, 64, 0)
    assert read(gif(aspect=113)).box("resolution") == struct.pack(">IIB", 64, 128, 0)
    got = read(gif(application(b"XMP DataXMP", PACKET + TRAILER)))
    assert (got.box("xmp"), got.dropped) == (PACKET, ())


@pytest.mark.parametrize(
    ("extension", "name"),
    [
        (b"\x21\xfe" + blocks(b"hello"), "comment"),
        (b"\x21\x01" + blocks(b"text"), "plain text"),
        (b"\x21\x77" + blocks(b"x"), "unknown extension"),
        (b"\x21\xf9\x04\0\x05\0\0\0", "delay"),
        (application(b"NETSCAPE2.0", blocks(b"\1\0\0")), "NETSCAPE2.0"),
        (application(b"XMP DataXMP", blocks(b"no trailer")), "damaged XMP"),
    ],
)
def test_other_blocks_are_named(extension, name):
    assert read(gif(extension)).dropped == (name,)


def test_what_stands_behind_the_end():
    assert read(gif(behind=b"ab")).dropped == ("2 bytes behind the end",)
    assert refusal(read, gif(behind=gif())) == "holds several pictures; save them singly"
    assert read(gif(background=3)).dropped == ("background colour",)


@pytest.mark.parametrize("data", [gif()[:-1], gif()[:-2], gif()[:-1] + b"no block"])
def test_a_gif_without_its_end_is_damaged(data):
    """Frames of an animation may have stood there."""
    assert "before its end mark" in refusal(read, data)
