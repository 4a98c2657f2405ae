"""The bytes that most JPEG files share, as the preset dictionary of what is beside their coefficients.

All follow from the tables of ITU-T T.81, annex K; ``docs/format/jpeg-files.md`` has the same construction. A coded byte
depends on each of them, so a test holds their digest.
"""

from __future__ import annotations

from vaezip.pictures.jpeg.scans import STANDARD

_LUMINANCE = bytes.fromhex(
    "100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933383740485c4e404457453738506d51575f626768673e4d717970"
    "64785c656763"
)
_CHROMINANCE = bytes.fromhex("11121218 15182f1a 1a2f6342 38426363") + b"\x63" * 48
"""The steps of tables K.1 and K.2, in zigzag order: those of quality 50."""

_TEXTS = b"http://ns.adobe.com/xap/1.0/\0ICC_PROFILE\0\1\1Exif\0\0II*\0\x08\0\0\0Exif\0\0MM\0*\0\0\0\x08"
_ADOBE = bytes.fromhex("ffee000e 41646f6265 0064 00000000 01")
_PROGRESSIVE = tuple(
    bytes.fromhex(scan)
    for scan in (
        *("ffda000c03010002110300 0001", "ffda0008010100010502", "ffda00080103 01013f01", "ffda00080102 01013f01"),
        *("ffda000801010006 3f02", "ffda000801010001 3f21", "ffda000c03010002000300000010", "ffda0008010301013f10"),
        *("ffda0008010201013f10", "ffda0008010100013f10"),
    )
)
_SUBSAMPLINGS = (0x12, 0x21, 0x11, 0x22)
_DENSITIES = ("0101 0048 0048", "0100 0001 0001")
_QUALITIES = range(50, 101)


def dictionary() -> bytes:
    """Return the dictionary; what is most common stands at its end, in the order of a file."""
    tables = [_huffman(kind, number) for number in (0, 1) for kind in (0, 1)]
    bases = ((0, _LUMINANCE), (1, _CHROMINANCE))
    steps = [_steps(number, base, quality) for quality in _QUALITIES for number, base in bases]
    heads = [bytes.fromhex("ffd8 ffe0 0010 4a46494600") + bytes.fromhex(density) + bytes(2) for density in _DENSITIES]
    grey = bytes.fromhex("01 01 11 00") + tables[0] + tables[1] + bytes.fromhex("ffda 0008 01 0100 003f00")
    colours = [bytes([3, 1, factors, 0, 2, 0x11, 1, 3, 0x11, 1]) for factors in _SUBSAMPLINGS]
    scan = bytes.fromhex("ffda 000c 03 0100 0211 0311 003f00")
    return b"".join([_TEXTS, _ADOBE, *_PROGRESSIVE, *steps, *heads, grey, *colours, *tables, scan])


def _huffman(kind: int, number: int) -> bytes:
    """Return the segment of a Huffman table: of DC (0) or AC (1), of luminance (0) or chrominance (1)."""
    counts, symbols = STANDARD[4 * kind + number]
    content = bytes([kind << 4 | number]) + counts + symbols
    return b"\xff\xc4" + (len(content) + 2).to_bytes(2, "big") + content


def _steps(number: int, base: bytes, quality: int) -> bytes:
    """Return the segment of the steps that libjpeg makes of a table at a quality of 50 and more."""
    scaled = [min(max((step * (200 - 2 * quality) + 50) // 100, 1), 255) for step in base]
    return bytes.fromhex("ffdb 0043") + bytes([number, *scaled])
