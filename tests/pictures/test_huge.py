"""Small files that declare huge pictures, of every format: they are refused before memory is taken."""

import struct
import tracemalloc
import zlib

import pytest

from tests.pictures.avif.test_kind import needs_avif
from vaezip.errors import ImageError
from vaezip.pictures import pillow
from vaezip.pictures.io import read
from vaezip.pictures.sequences.files import read_all

from .helpers import pillow_rgb, refusal, saved

MOST = 1 << 31
"""A side that many formats have room for."""


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, more=b""):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 6, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + head + more + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")


def tiff(tags):
    entries = b"".join(struct.pack("<HHII", tag, 4, count, value) for tag, (count, value) in sorted(tags.items()))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(64)


def grey_tiff(width, height, changed):
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: 64}
    return tiff({tag: (1, value) for tag, value in tags.items()} | changed)


def bmp(width, height, bits, compression):
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 154, 0, 0, 54) + head + bytes(100)


def gif(width, height):
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\0"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6) + frame + b";"


def webp():
    extended = b"VP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + b"\xff" * 6
    content = extended + b"VP8L" + struct.pack("<I", 46) + b"\x2f" + b"\xff" * 5 + bytes(40)
    return b"RIFF" + struct.pack("<I", len(content) + 4) + b"WEBP" + content


def jpeg(start):
    tables = b"\xff\xdb\0\x43\0" + bytes([1]) * 64
    frame = start + struct.pack(">HBHHB", 11, 8, 65535, 65535, 1) + b"\x01\x11\0"
    return b"\xff\xd8" + tables + frame + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" + bytes(40) + b"\xff\xd9"


def jpeg2000(side, tile):
    size = struct.pack(">HIIIIIIIIH", 0, side, side, 0, 0, tile, tile, 0, 0, 1) + b"\x07\x01\x01"
    return b"\xff\x4f\xff\x51" + struct.pack(">H", len(size) + 2) + size + bytes(40) + b"\xff\xd9"


def fits(*axes):
    numbers = {"BITPIX": 16, "NAXIS": len(axes)} | {f"NAXIS{i + 1}": axis for i, axis in enumerate(axes)}
    cards = [f"{'SIMPLE':8}= {'T':>20}", *(f"{key:8}= {value:20d}" for key, value in numbers.items()), "END"]
    return "".join(card.ljust(80) for card in cards).ljust(2880).encode() + bytes(2880)


def element(group, number, kind, content):
    return struct.pack("<HH", group, number) + kind + struct.pack("<H", len(content)) + content


def dicom(frames):
    syntax = element(2, 16, b"UI", b"1.2.840.10008.1.2.1\0")
    shorts = {2: 1, 0x10: 65535, 0x11: 65535, 0x100: 16, 0x101: 16, 0x102: 15, 0x103: 0}
    told = {number: element(0x28, number, b"US", struct.pack("<H", value)) for number, value in shorts.items()}
    told |= {4: element(0x28, 4, b"CS", b"MONOCHROME2 "), 8: element(0x28, 8, b"IS", frames)}
    samples = struct.pack("<HH", 0x7FE0, 0x10) + b"OW\0\0" + struct.pack("<I", 64) + bytes(64)
    head = element(2, 0, b"UL", struct.pack("<I", len(syntax))) + syntax
    return bytes(128) + b"DICM" + head + b"".join(told[number] for number in sorted(told)) + samples


def numpy(shape):
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + bytes(50)


ANIMATED = chunk(b"acTL", struct.pack(">II", MOST - 1, 0))
FILES = {
    "png": png(MOST - 1, MOST - 1),
    "apng": png(9, 9, ANIMATED + chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, MOST - 1, MOST - 1, 0, 0, 1, 1, 0, 0))),
    **{f"pnm {n}": b"P%d %d %d 255\n" % (n, MOST, MOST) + b"0 " * 50 for n in (1, 2, 3, 4, 5, 6)},
    "pam": b"P7\nWIDTH 65535\nHEIGHT 65535\nDEPTH 4\nMAXVAL 65535\nTUPLTYPE RGB_ALPHA\nENDHDR\n" + bytes(50),
    "tiff": grey_tiff(MOST, MOST, {}),
    "tiff, deflated": grey_tiff(65535, 65535, {259: (1, 8)}),
    "tiff, faxed": grey_tiff(65535, 65535, {258: (1, 1), 259: (1, 4)}),
    "tiff, strips": grey_tiff(64, 1 << 20, {273: (1 << 20, 8), 278: (1, 1), 279: (1 << 20, 8)}),
    "tiff, strip": grey_tiff(64, 64, {279: (1, 2 * MOST - 1)}),
    "tiff, tile": grey_tiff(64, 64, {322: (1, MOST - 16), 323: (1, MOST - 16), 324: (1, 8), 325: (1, 64)}),
    "tiff, samples": grey_tiff(8192, 8192, {277: (1, 65535)}),
    "tiff, directory": b"II*\0" + struct.pack("<IH", 8, 65535) + bytes(50),
    "bmp": bmp(MOST - 1, MOST - 1, 24, 0),
    "bmp, from the top": bmp(65535, -65535, 24, 0),
    "bmp, runs": bmp(65535, 65535, 8, 1),
    "gif": gif(65535, 65535),
    "webp": webp(),
    "jpeg": jpeg(b"\xff\xc0"),
    "jpeg, progressive": jpeg(b"\xff\xc2"),
    "jpeg 2000": jpeg2000(2 * MOST - 1, 2 * MOST - 1),
    "jpeg 2000, tiles": jpeg2000(65535, 1),
    "fits": fits(MOST, MOST),
    "fits, frames": fits(1, 1, 10**15),
    "dicom": dicom(b"1 "),
    "dicom, frames": dicom(b"2147483647"),
    "numpy": numpy((MOST, MOST)),
}
MEMORY = 4 << 20
"""Bytes that a refusal may take: thousands of times what the files have, and far below one of the pictures."""


@pytest.mark.parametrize("reader", [read, read_all])
@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_a_huge_picture_is_refused_before_memory_is_taken(data, reader):
    refusal(reader, data)  # what is loaded for a format at its first file is not counted
    tracemalloc.start()
    try:
        assert refusal(reader, data) != "there is not enough memory for the picture"
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "data", [webp(), saved(pillow_rgb(16, 24), "WEBP"), saved(pillow_rgb(16, 24), "WEBP", lossless=True)]
)
def test_a_webp_is_refused_before_pillow_sees_it(monkeypatch, data):
    monkeypatch.setattr(pillow.Image, "open", lambda *_, **__: pytest.fail("Pillow takes memory for it"))
    with pytest.raises(ImageError, match="more than the limit of 383"):
        read(data, 16 * 24 - 1)


@pytest.mark.parametrize(("before", "reason"), [(b"", "more than the limit"), (b"E", "is of no blocks")])
def test_a_gif_whose_frame_is_larger_than_its_screen_is_refused_before_pillow_sees_it(monkeypatch, before, reason):
    monkeypatch.setattr(pillow.Image, "open", lambda *_, **__: pytest.fail("Pillow takes memory for it"))
    control = b"!\xf9\x04" + bytes([2 << 2, 0, 0, 0, 0])
    frame = b"," + struct.pack("<HHHHB", 9, 0, 65535, 65535, 0) + b"\x02\x02\x44\x01\0"
    head = b"GIF89a" + struct.pack("<HHBBB", 17, 16, 0x80, 0, 0) + bytes(6)
    assert reason in refusal(read, head + before + control + frame + b";")


def avif_of(told):
    data = saved(pillow_rgb(16, 24), "AVIF")
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", *told) + data[at + 8 :]


@needs_avif
@pytest.mark.parametrize("told", [(MOST, MOST), (65535, 65535)])
def test_an_avif_that_says_it_is_huge_is_refused(told):
    assert "more than the limit" in refusal(read, avif_of(told))


@needs_avif
@pytest.mark.parametrize("told", [(16384, 16384), (17, 24), (8, 12)])
def test_an_avif_that_its_decoder_would_stretch_is_refused(told):
    assert refusal(read, avif_of(told)) == (
        "the picture is truncated or damaged (its picture has not the size that the file tells)"
    )
