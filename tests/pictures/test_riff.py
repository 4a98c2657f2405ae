import struct

from vaezip.pictures.io import read

from .helpers import pillow_rgb, refusal, saved


def webp(*chunks):
    """A lossless WebP of Pillow with more chunks."""
    data = saved(pillow_rgb(), "WEBP", lossless=True, xmp=b"<x/>", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0")
    for name, content in chunks:
        data += name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def test_metadata_are_kept_and_other_chunks_named():
    got = read(webp((b"abcd", b"123"), (b"EXIF", b"MM\0*" + bytes(10)), (b"XMP ", b"<y/>"), (b"\0\1\2\3", b"")))
    assert got.boxes == (("exif", b"II*\0\x08\0\0\0\0\0\0\0\0\0"), ("xmp", b"<x/>"))
    assert got.dropped == ("abcd", "second EXIF", "second XMP", "unnamed chunk")


def test_what_stands_behind_the_end():
    assert read(webp() + b"12345").dropped == ("5 bytes behind the end",)
    assert refusal(read, webp() + webp()) == "holds several pictures; save them singly"
