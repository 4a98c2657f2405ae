"""Define what the reader and the writer of a JPEG's scans share: the order of coefficients, Huffman tables, plans."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK = 64

NATURAL_ORDER: NDArray[np.int64] = np.array(
    [
        *(0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14),
        *(21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53),
        *(60, 61, 54, 47, 55, 62, 63),
    ],
    np.int64,
)
"""The place, row by row, of each coefficient in zigzag order."""

OK, DAMAGED, TOO_LONG = 0, 1, 2

MOST_COEFFICIENT = (1 << 15) - 1
_LONGEST_CODE = 16

ONES, ZEROS = 1, 0
"""Padding of any length by ones, and by zeros; other padding is its bits behind a 1."""

Bytes = NDArray[np.uint8]


class ScanPlan(NamedTuple):
    """All that kernels need to know of a scan.

    Attributes:
        components: a row for each of the scan's components: the place of its first block among all, its blocks in a row
            as stored, the blocks of a row and of a column that a scan of it alone has, its sampling factors across and
            down, and the numbers of its tables of DC and AC.
        mcus: in a row, in a column of the interleaved scan.
        band: first and last coefficient in zigzag order, and successive approximation, high and low.
        restart: MCUs between restart markers, 0 for none.
        progressive: whether the frame is.
    """

    components: NDArray[np.int64]
    mcus: tuple[int, int]
    band: tuple[int, int, int, int]
    restart: int
    progressive: bool

    @property
    def segments(self) -> int:
        """Count the parts of the data between restart markers; a component alone has MCUs of one block."""
        across, down = self.components[0, 2:4].tolist() if len(self.components) == 1 else self.mcus
        return -(-across * down // self.restart) if self.restart else 1


class Tables(NamedTuple):
    """Huffman tables, DC 0 … 3 and then AC 0 … 3.

    Attributes:
        limits: (8, 18) for each length of code the least 16-bit number that no code of that length begins.
        offsets: (8, 18) what to add to a code of a length to find its symbol.
        symbols: (8, 256).
        codes, lengths: (8, 256) of each symbol; length 0 where it has no code.
    """

    limits: NDArray[np.int64]
    offsets: NDArray[np.int64]
    symbols: NDArray[np.int64]
    codes: NDArray[np.int64]
    lengths: NDArray[np.int64]


STANDARD = {
    0: (
        bytes.fromhex("00010501010101010100000000000000"),
        bytes(range(12)),
    ),
    1: (
        bytes.fromhex("00030101010101010101010000000000"),
        bytes(range(12)),
    ),
    4: (
        bytes.fromhex("0002010303020403050504040000017d"),
        bytes.fromhex(
            "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738"
            "393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5"
            "a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
        ),
    ),
    5: (
        bytes.fromhex("00020102040403040705040400010277"),
        bytes.fromhex(
            "0001020311040521310612415107617113223281081442"
            "91a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738"
            "393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999aa2a3a4"
            "a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"
        ),
    ),
}
"""Tables K.3 to K.6 of T.81, by their number: how many codes have 1, 2, … 16 bits, and the symbols."""


def standard_tables() -> Tables:
    """Return the tables that a file has which defines none: frames of a film often leave them out."""
    wide, narrow = np.zeros((8, 256), np.int64), np.zeros((8, 18), np.int64)
    tables = Tables(narrow, narrow.copy(), wide, wide.copy(), wide.copy())
    for number, (counts, symbols) in STANDARD.items():
        define_table(tables, number, counts=counts, symbols=symbols)
    return tables


def define_table(tables: Tables, number: int, *, counts: bytes, symbols: bytes) -> bool:
    """Put a table (T.81, section C) in the place of another; tell whether it is one."""
    code = place = 0
    for part in tables:
        part[number] = 0
    for length in range(1, _LONGEST_CODE + 1):
        tables.offsets[number, length] = place - code
        for symbol in symbols[place : place + counts[length - 1]]:
            tables.symbols[number, place] = symbol
            tables.codes[number, symbol], tables.lengths[number, symbol] = code, length
            code, place = code + 1, place + 1
        tables.limits[number, length] = code << (_LONGEST_CODE - length)
        if code > 1 << length:
            return False
        code <<= 1
    tables.limits[number, _LONGEST_CODE + 1] = 1 << _LONGEST_CODE
    return True
