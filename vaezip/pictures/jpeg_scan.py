"""Read the Huffman codes of a JPEG's scans, without a sample, to find damage that libjpeg passes over.

Each interval between restart markers must hold exactly the codes of its units: no bits that are no code, no
coefficient outside of its block, no end before the last block, and nothing left over. Most damage breaks one of these.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.jit import jit
from vaezip.pictures.bit_stream import GUARD, peek
from vaezip.pictures.picture import damage

_ENDS_EARLY, _NO_CODE, _OUTSIDE, _LEFT_OVER = 1, 2, 3, 4
_REASONS = {
    _ENDS_EARLY: "a scan ends before its last block",
    _NO_CODE: "a scan holds bits that are no code",
    _OUTSIDE: "a scan has a coefficient outside of its block",
    _LEFT_OVER: "a scan has bytes behind its last block",
}


class Scan(NamedTuple):
    """Hold what the headers say about a scan.

    Attributes:
        layout: a row for each component: its blocks across and down in a unit, its tables of DC and AC, its blocks in
            a row of the whole picture, and the place of its first block.
        units: in a row, and in all.
        band: the first and the last coefficient, and the bits that earlier scans and this one leave out.
        progressive: whether it is one of several over the same blocks.
    """

    layout: NDArray[np.int64]
    units: tuple[int, int]
    band: tuple[int, int, int, int]
    progressive: bool


def huffman_table(lengths: bytes, symbols: bytes) -> NDArray[np.uint16]:
    """Return a table of 2^16 entries: the length and the symbol of the code that each 16 bits begin with, or 0."""
    table = np.zeros(1 << 16, np.uint16)
    at = used = 0
    for length, count in enumerate(lengths, 1):
        for symbol in symbols[used : used + count]:
            table[at : at + (1 << 16 - length)] = length << 8 | symbol
            at += 1 << 16 - length
        used += count
    if at > 1 << 16 or used != len(symbols):
        raise damage("a Huffman table cannot be")
    return table


def check_interval(codes: bytes, units: tuple[int, int], scan: Scan, *, tables: Any, nonzero: Any) -> None:
    """Refuse the codes of some units of a scan where they show damage.

    ``nonzero`` tells of each coefficient of the picture whether an earlier scan gave it a value, and is brought up to
    date.
    """
    stream = np.frombuffer(codes.replace(b"\xff\x00", b"\xff") + GUARD, np.uint8)
    result = _read(stream, np.array((*units, scan.units[0]), np.int64), scan.layout, _band(scan), tables, nonzero)
    if result:
        raise damage(_REASONS[result])


def _band(scan: Scan) -> NDArray[np.int64]:
    return np.array((*scan.band, scan.progressive), np.int64)


def _read_units(
    stream: NDArray[np.uint8],
    units: NDArray[np.int64],
    layout: NDArray[np.int64],
    band: NDArray[np.int64],
    tables: NDArray[np.uint16],
    nonzero: NDArray[np.uint8],
) -> int:
    """Read the codes of all blocks of some units, and return 0 or the number of what is wrong."""
    end = (len(stream) - 8) * 8
    at = run = 0
    for unit in range(units[0], units[1]):
        row, column = unit // units[2], unit % units[2]
        for component in range(len(layout)):
            across, down, dc, ac, width, first = layout[component]
            for y in range(down):
                for x in range(across):
                    block = first + (row * down + y) * width + column * across + x
                    if band[4] == 0:
                        at, wrong = _sequential(stream, at, tables[dc], tables[4 + ac])
                    elif band[0] == 0:
                        at, wrong = _first(stream, at, tables[dc], band[2])
                    elif band[2] == 0:
                        at, run, wrong = _new(stream, at, tables[4 + ac], band, nonzero[block], run)
                    else:
                        at, run, wrong = _refined(stream, at, tables[4 + ac], band, nonzero[block], run)
                    if at > end:
                        return 1
                    if wrong:
                        return wrong
    return 4 if end - at >= 8 else 0


def _sequential_block(
    stream: NDArray[np.uint8], at: int, dc: NDArray[np.uint16], ac: NDArray[np.uint16]
) -> tuple[int, int]:
    code = dc[peek(stream, at, 16)]
    if code == 0 or (code & 255) > 15:
        return at, 2
    at += (code >> 8) + (code & 255)
    k = 1
    while k < 64:
        code = ac[peek(stream, at, 16)]
        if code == 0:
            return at, 2
        zeros, size = (code >> 4) & 15, code & 15
        at += (code >> 8) + size
        if size == 0 and zeros < 15:
            break
        k += zeros + 1
        if k > 64:
            return at, 3
    return at, 0


def _first_dc(stream: NDArray[np.uint8], at: int, dc: NDArray[np.uint16], refined: int) -> tuple[int, int]:
    if refined:
        return at + 1, 0
    code = dc[peek(stream, at, 16)]
    if code == 0 or (code & 255) > 15:
        return at, 2
    return at + (code >> 8) + (code & 255), 0


def _new_ac(
    stream: NDArray[np.uint8],
    at: int,
    ac: NDArray[np.uint16],
    band: NDArray[np.int64],
    nonzero: NDArray[np.uint8],
    run: int,
) -> tuple[int, int, int]:
    if run > 0:
        return at, run - 1, 0
    k = int(band[0])
    while k <= band[1]:
        code = ac[peek(stream, at, 16)]
        if code == 0:
            return at, 0, 2
        zeros, size = int(code >> 4) & 15, int(code & 15)
        at += int(code >> 8)
        if size == 0 and zeros < 15:
            return at + zeros, (1 << zeros) - 1 + peek(stream, at, zeros), 0
        at += size
        k += zeros + 1
        if k > band[1] + 1:
            return at, 0, 3
        if size:
            nonzero[k - 1] = 1
    return at, 0, 0


def _refined_ac(
    stream: NDArray[np.uint8],
    at: int,
    ac: NDArray[np.uint16],
    band: NDArray[np.int64],
    nonzero: NDArray[np.uint8],
    run: int,
) -> tuple[int, int, int]:
    k = int(band[0])
    while run == 0 and k <= band[1]:
        code = ac[peek(stream, at, 16)]
        if code == 0 or (code & 15) > 1:
            return at, 0, 2
        zeros, size = int(code >> 4) & 15, int(code & 15)
        at += int(code >> 8)
        if size == 0 and zeros < 15:
            run = (1 << zeros) + peek(stream, at, zeros)
            at += zeros
            break
        at += size
        while k <= band[1] and (nonzero[k] or zeros > 0):
            if nonzero[k]:
                at += 1
            else:
                zeros -= 1
            k += 1
        if size:
            if k > band[1]:
                return at, 0, 3
            nonzero[k] = 1
        k += 1
    if run > 0:
        for rest in range(k, band[1] + 1):
            at += int(nonzero[rest])
        run -= 1
    return at, run, 0


_sequential, _first = jit(_sequential_block), jit(_first_dc)
_new, _refined = jit(_new_ac), jit(_refined_ac)
_read = jit(_read_units)
