"""Section 12.2: the preset dictionary."""

ZIGZAG = [0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14]
ZIGZAG += [21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53]
ZIGZAG += [60, 61, 54, 47, 55, 62, 63]

LUMINANCE = [  # table K.1, row by row
    *(16, 11, 10, 16, 24, 40, 51, 61),
    *(12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77),
    *(24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101),
    *(72, 92, 95, 98, 112, 100, 103, 99),
]
CHROMINANCE = [99] * 64  # table K.2: others in the corner of the low frequencies
for _row, _steps in enumerate([(17, 18, 24, 47), (18, 21, 26, 66), (24, 26, 56), (47, 66)]):
    CHROMINANCE[8 * _row : 8 * _row + len(_steps)] = _steps

DC_COUNTS = [[0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]]
AC_COUNTS = [[0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125], [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119]]
AC_FIRST = [  # the first symbols of tables K.5 and K.6
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a",
    "0001020311040521310612415107617113223281081442" + "91a1b1c109233352f0156272d10a162434e125f1",
]


def ac_symbols(number: int) -> bytes:
    """List the symbols of an AC table: those above, then all others in rising order."""
    first = list(bytes.fromhex(AC_FIRST[number]))
    pairs = [run << 4 | size for run in range(16) for size in range(1, 11)] + [0x00, 0xF0]
    return bytes(first + sorted(set(pairs) - set(first)))


def standard(kind: int, number: int) -> tuple[bytes, bytes]:
    """Return counts and symbols of a table: DC (0) or AC (1), luminance (0) or chrominance (1)."""
    return bytes((AC_COUNTS if kind else DC_COUNTS)[number]), ac_symbols(number) if kind else bytes(range(12))


def huffman(kind: int, number: int) -> bytes:
    """Make the segment of a table."""
    counts, symbols = standard(kind, number)
    return b"\xff\xc4" + (19 + len(symbols)).to_bytes(2, "big") + bytes([kind << 4 | number]) + counts + symbols


def steps(number: int, quality: int) -> bytes:
    """Make the segment of quantisation steps of a quality."""
    base = CHROMINANCE if number else LUMINANCE
    scaled = [min(max((base[place] * (200 - 2 * quality) + 50) // 100, 1), 255) for place in ZIGZAG]
    return bytes([0xFF, 0xDB, 0x00, 0x43, number, *scaled])


def dictionary() -> bytes:
    """Put the dictionary together."""
    out = b"http://ns.adobe.com/xap/1.0/\0ICC_PROFILE\0\1\1Exif\0\0II*\0\x08\0\0\0Exif\0\0MM\0*\0\0\0\x08"
    out += bytes.fromhex("ffee000e41646f626500640000000001")
    out += bytes.fromhex("ffda000c030100021103000001 ffda0008010100010502 ffda0008010301013f01 ffda0008010201013f01")
    out += bytes.fromhex("ffda0008010100063f02 ffda0008010100013f21 ffda000c03010002000300000010 ffda0008010301013f10")
    out += bytes.fromhex("ffda0008010201013f10 ffda0008010100013f10")
    out += b"".join(steps(number, quality) for quality in range(50, 101) for number in (0, 1))
    for density in ("010100480048", "010000010001"):
        out += bytes.fromhex("ffd8ffe000104a46494600" + density + "0000")
    out += bytes.fromhex("01011100") + huffman(0, 0) + huffman(1, 0) + bytes.fromhex("ffda0008010100003f00")
    for factors in (0x12, 0x21, 0x11, 0x22):
        out += bytes([3, 1, factors, 0, 2, 0x11, 1, 3, 0x11, 1])
    out += huffman(0, 0) + huffman(1, 0) + huffman(0, 1) + huffman(1, 1)
    return out + bytes.fromhex("ffda000c03010002110311003f00")
