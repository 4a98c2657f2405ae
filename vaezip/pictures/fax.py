"""Read the codes of a fax (CCITT Group 3 and 4), without a pixel, to find damage that libtiff passes over.

A fax has no checksum. Yet each of its rows must add up to the width, and there must be as many as the picture is high.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.jit import jit
from vaezip.pictures.bit_stream import GUARD, peek
from vaezip.pictures.picture import damage

# The codes of T.4 for runs of 0, 1 … 63, then 64, 128 … 1728
_WHITE = (
    "00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 110101 101010"
    " 101011 0100111 0001100 0001000 0010111 0000011 0000100 0101000 0101011 0010011 0100100 0011000 00000010"
    " 00000011 00011010 00011011 00010010 00010011 00010100 00010101 00010110 00010111 00101000 00101001 00101010"
    " 00101011 00101100 00101101 00000100 00000101 00001010 00001011 01010010 01010011 01010100 01010101 00100100"
    " 00100101 01011000 01011001 01011010 01011011 01001010 01001011 00110010 00110011 00110100 11011 10010 010111"
    " 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100 011001101 011010010 011010011"
    " 011010100 011010101 011010110 011010111 011011000 011011001 011011010 011011011 010011000 010011001"
    " 010011010 011000 010011011"
)
_BLACK = (
    "0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111 000011000"
    " 0000010111 0000011000 0000001000 00001100111 00001101000 00001101100 00000110111 00000101000 00000010111"
    " 00000011000 000011001010 000011001011 000011001100 000011001101 000001101000 000001101001 000001101010"
    " 000001101011 000011010010 000011010011 000011010100 000011010101 000011010110 000011010111 000001101100"
    " 000001101101 000011011010 000011011011 000001010100 000001010101 000001010110 000001010111 000001100100"
    " 000001100101 000001010010 000001010011 000000100100 000000110111 000000111000 000000100111 000000101000"
    " 000001011000 000001011001 000000101011 000000101100 000001011010 000001100110 000001100111 0000001111"
    " 000011001000 000011001001 000001011011 000000110011 000000110100 000000110101 0000001101100 0000001101101"
    " 0000001001010 0000001001011 0000001001100 0000001001101 0000001110010 0000001110011 0000001110100"
    " 0000001110101 0000001110110 0000001110111 0000001010010 0000001010011 0000001010100 0000001010101"
    " 0000001011010 0000001011011 0000001100100 0000001100101"
)
# for runs of 1792, 1856 … 2560, of both colours
_LONG = (
    "00000001000 00000001100 00000001101 000000010010 000000010011 000000010100 000000010101 000000010110"
    " 000000010111 000000011100 000000011101 000000011110 000000011111"
)
_LONGEST = 13

RLE, RLE_WORDS, GROUP_3, GROUP_3_2D, GROUP_4 = 0, 1, 2, 3, 4
"""The schemes: rows that begin at a byte or at a word, rows behind marks, the same coded by the row above, and
nothing but rows that are coded by the row above."""

_SHORT, _BAD = 1, 2
_REASONS = {_SHORT: "the codes of a fax end early", _BAD: "the codes of a fax do not fit its width"}


def _table(codes: str) -> NDArray[np.int32]:
    """Return for each 13 bits the length and the run of the code that they begin with, or 0."""
    table = np.zeros(1 << _LONGEST, np.int32)
    for index, code in enumerate(f"{codes} {_LONG}".split()):
        run = index if index < 64 else (index - 63) * 64
        first = int(code, 2) << (_LONGEST - len(code))
        table[first : first + (1 << (_LONGEST - len(code)))] = len(code) << 16 | run
    return table


_TABLES = np.stack([_table(_WHITE), _table(_BLACK)])


def check_fax(codes: bytes, size: tuple[int, int], scheme: int) -> None:
    """Refuse the codes of a strip or tile of (width, height) where they show damage."""
    stream = np.frombuffer(codes + GUARD, np.uint8)
    result = _read(stream, size[0], size[1], scheme, _TABLES)
    if result:
        raise damage(_REASONS[result])


def _read_run(stream: NDArray[np.uint8], at: int, table: NDArray[np.int32]) -> tuple[int, int]:
    """Return where a run ends and its length, -1 where there is no code; long runs have several codes."""
    length, part = 0, 64
    while part >= 64:
        found = int(table[peek(stream, at, 13)])
        if found == 0 or length > 1 << 30:
            return at, -1
        at += found >> 16
        part = found & 0xFFFF
        length += part
    return at, length


def _read_vertical(stream: NDArray[np.uint8], at: int) -> tuple[int, int]:
    """Return the length of the next mode, and how far it lies from the row above: 8 horizontal, 9 pass, 10 none."""
    bits = peek(stream, at, 7)
    if bits >> 6:
        return 1, 0
    if bits >> 4:
        return 3, 1 if bits >> 4 == 3 else -1 if bits >> 4 == 2 else 8
    if bits >> 3:
        return 4, 9
    if bits >> 2:
        return 6, 2 if bits >> 1 == 3 else -2
    if bits >> 1:
        return 7, 3 if bits == 3 else -3
    return 7, 10


def _read_row(
    stream: NDArray[np.uint8], at: int, width: int, above: NDArray[np.int64], row: NDArray[np.int64], tables: Any
) -> tuple[int, int]:
    """Read a row that is coded by the row above, and return where it ends and what is wrong with it."""
    count = colour = b = 0
    a = -1
    while a < width:
        if at > (len(stream) - 8) * 8:
            return at, 1
        if count > width:
            return at, 2
        b = max(b - 1, 0)
        if (b & 1) != colour:
            b += 1
        while above[b] <= a and above[b] < width:
            b += 2
        length, away = _mode(stream, at)
        at += length
        if away == 10:
            return at, 2
        if away == 9:
            a = above[b + 1]
        elif away == 8:
            at, first = _run(stream, at, tables[colour])
            at, second = _run(stream, at, tables[1 - colour])
            start = max(a, 0)
            if first < 0 or second < 0 or start + first + second > width:
                return at, 2
            row[count], row[count + 1] = start + first, start + first + second
            a = start + first + second
            count += 2
        else:
            to = above[b] + away
            if to < max(a, 0) or to > width:
                return at, 2
            row[count] = to
            a = to
            count += 1
            colour = 1 - colour
    row[count : count + 4] = width
    return at, 0


def _read_runs(stream: NDArray[np.uint8], at: int, width: int, row: NDArray[np.int64], tables: Any) -> tuple[int, int]:
    """Read a row of white and black runs, and return where it ends and what is wrong with it."""
    count = colour = a = 0
    while a < width:
        if at > (len(stream) - 8) * 8:
            return at, 1
        if count > width:
            return at, 2
        at, length = _run(stream, at, tables[colour])
        a += length
        if length < 0 or a > width:
            return at, 2
        row[count] = a
        count += 1
        colour = 1 - colour
    row[count : count + 4] = width
    return at, 0


def _skip_mark(stream: NDArray[np.uint8], at: int) -> tuple[int, bool]:
    """Return where a row begins, and whether a mark of at least eleven zeros and a one stands before it."""
    if peek(stream, at, 11):
        return at, False
    end = (len(stream) - 8) * 8
    while at < end and not peek(stream, at, 1):
        at += 1
    return at + 1, True


def _read_rows(stream: NDArray[np.uint8], width: int, height: int, scheme: int, tables: NDArray[np.int32]) -> int:
    """Read all rows, and return 0 or the number of what is wrong."""
    end = (len(stream) - 8) * 8
    above, row = np.full(width + 8, width, np.int64), np.full(width + 8, width, np.int64)
    at = 0
    for _ in range(height):
        by_row_above = scheme == 4
        if scheme == 0 or scheme == 1:
            at += -at % (8 if scheme == 0 else 16)
        if scheme == 2 or scheme == 3:
            at, marked = _mark(stream, at)
            if scheme == 3:
                if not marked:
                    return 2
                by_row_above = peek(stream, at, 1) == 0
                at += 1
        if at >= end:
            return 1
        if by_row_above:
            at, wrong = _row(stream, at, width, above, row, tables)
        else:
            at, wrong = _runs(stream, at, width, row, tables)
        if at > end:
            return 1
        if wrong:
            return wrong
        above, row = row, above
    return 0


_run, _mode, _mark = jit(_read_run), jit(_read_vertical), jit(_skip_mark)
_row, _runs = jit(_read_row), jit(_read_runs)
_read = jit(_read_rows)
