"""The Huffman-coded data of a JPEG's scans to coefficients and back (ITU-T T.81, sections F and G).

A scan is decoded into, and made again from, the coefficients of the whole picture. An encoder is free in three things:
the bits that pad a segment to a byte (which :func:`decode_scan` records), the lengths of runs of blocks without
further coefficients, and where a progressive scan breaks such a run. In the latter two :func:`encode_scan` does as
libjpeg does, which nearly all writers are built on; the caller compares.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.jit import inline, jit

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
_LONGEST_RUN = 0x7FFF
_MOST_CORRECTION_BITS = 1000 - BLOCK + 1
"""Correction bits that libjpeg lets wait for the end of a run."""

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


def no_tables() -> Tables:
    """Return tables without a code."""
    wide, narrow = np.zeros((8, 256), np.int64), np.zeros((8, 18), np.int64)
    return Tables(narrow, narrow.copy(), wide, wide.copy(), wide.copy())


def define_table(tables: Tables, number: int, counts: bytes, symbols: bytes) -> bool:
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


def decode_scan(data: Bytes, start: int, plan: ScanPlan, tables: Tables, coefficients: NDArray[np.int16]) -> Any:
    """Decode the entropy-coded data of a scan.

    Args:
        data: the file.
        start: of the scan's data.
        plan, tables: of the scan.
        coefficients: (blocks, 64) row by row, which take what the scan adds.

    Returns:
        (status, the first byte behind the data, the padding of each segment: its bits behind a 1).
    """
    across, down = plan.mcus
    mcus = across * down
    pads = np.zeros(mcus // plan.restart + 2 if plan.restart else 2, np.int64)
    numbers = np.array([*plan.band, plan.restart, plan.progressive, across, down], np.int64)
    status, end, count = _decode(data, start, plan.components, numbers, tables, coefficients, pads)
    return status, end, pads[:count]


def encode_scan(
    out: Bytes, start: int, plan: ScanPlan, tables: Tables, coefficients: NDArray[np.int16], pads: NDArray[np.int64]
) -> tuple[int, int]:
    """Write the entropy-coded data of a scan, and return the status and the first byte behind it.

    Args:
        out: takes the bytes.
        start: where they begin.
        plan, tables, coefficients: as for :func:`decode_scan`.
        pads: the padding of each segment; beyond their end, ones.
    """
    numbers = np.array([*plan.band, plan.restart, plan.progressive, *plan.mcus], np.int64)
    status, end = _encode(out, start, plan.components, numbers, tables, coefficients, pads)
    return int(status), int(end)


# A reader holds, in an array: place in the data, bits, number of bits, and whether a marker was met -----------------

_PLACE, _BITS, _COUNT, _STOPPED, _STATE = 0, 1, 2, 3, 4


@inline
def _fill(data, reader):
    """Read bytes until more than 24 bits are there; behind a marker come zeros, which no good file needs."""
    while reader[_COUNT] <= 24:
        place = reader[_PLACE]
        byte = 0
        if reader[_STOPPED] == 0 and place < data.size:
            byte = np.int64(data[place])
            if byte == 0xFF:
                if place + 1 < data.size and data[place + 1] == 0:
                    reader[_PLACE] = place + 2
                else:
                    reader[_STOPPED] = 1
                    byte = 0
            else:
                reader[_PLACE] = place + 1
        elif reader[_STOPPED] == 0:
            reader[_STOPPED] = 1
        if reader[_STOPPED]:
            reader[_STOPPED] += 8  # the bits that are not there
        reader[_BITS] = ((reader[_BITS] << 8) | byte) & 0xFFFFFFFFFF
        reader[_COUNT] += 8


@jit
def _take(data, reader, count):
    """Return the next bits, at most 16."""
    if count == 0:
        return 0
    _fill(data, reader)
    reader[_COUNT] -= count
    return (reader[_BITS] >> reader[_COUNT]) & ((1 << count) - 1)


@jit
def _symbol(data, reader, tables, number):
    """Return the next symbol of a table, less than 0 where no code begins so."""
    _fill(data, reader)
    peek = (reader[_BITS] >> (reader[_COUNT] - 16)) & 0xFFFF
    length = 1
    while length < 17 and peek >= tables.limits[number, length]:
        length += 1
    if length == 17:
        return -1
    reader[_COUNT] -= length
    return tables.symbols[number, ((peek >> (16 - length)) + tables.offsets[number, length]) & 255]


@jit
def _extended(data, reader, size):
    """Return the next number of a size in bits (T.81, figure F.12)."""
    value = _take(data, reader, size)
    return value if size == 0 or value >> (size - 1) else value - (1 << size) + 1


@jit
def _finish_segment(data, reader):
    """Take what pads a segment to a byte, and return its bits behind a 1; less than 0 where bits were missing."""
    missing = reader[_STOPPED] - 1 if reader[_STOPPED] else 0
    if missing > reader[_COUNT]:
        return -1
    present = reader[_COUNT] - missing
    whole = present // 8
    count = present - 8 * whole
    pad = (reader[_BITS] >> (missing + 8 * whole)) & ((1 << count) - 1)
    for _ in range(whole):  # bytes that were read ahead
        place = reader[_PLACE]
        reader[_PLACE] -= 2 if data[place - 1] == 0 and data[place - 2] == 0xFF else 1
    reader[_BITS] = reader[_COUNT] = reader[_STOPPED] = 0
    return (1 << count) | pad


@jit
def _decode(data, start, components, numbers, tables, coefficients, pads):
    first, last, high, low = numbers[0], numbers[1], numbers[2], numbers[3]
    restart, progressive, across, down = numbers[4], numbers[5], numbers[6], numbers[7]
    reader = np.zeros(_STATE, np.int64)
    reader[_PLACE] = start
    state = np.zeros(5, np.int64)  # predictions of DC, and the run of blocks without coefficients
    alone = components.shape[0] == 1
    segments = 0
    if alone:
        across, down = components[0, 2], components[0, 3]
    for mcu in range(across * down):
        if restart and mcu and mcu % restart == 0:
            pad = _finish_segment(data, reader)
            place = reader[_PLACE]
            if pad < 0 or state[4] or place + 1 >= data.size or data[place] != 0xFF:
                return DAMAGED, place, segments
            if data[place + 1] != 0xD0 + (mcu // restart - 1) % 8:
                return DAMAGED, place, segments
            pads[segments] = pad
            segments += 1
            reader[_PLACE] = place + 2
            state[:] = 0
        for c in range(components.shape[0]):
            wide = 1 if alone else components[c, 4]
            tall = 1 if alone else components[c, 5]
            for y in range(tall):
                for x in range(wide):
                    row, column = mcu // across * tall + y, mcu % across * wide + x
                    block = coefficients[components[c, 0] + row * components[c, 1] + column]
                    dc, ac = components[c, 6], 4 + components[c, 7]
                    if progressive:
                        good = _progressive(data, reader, tables, block, state, c, dc, ac, first, last, high, low)
                    else:
                        good = _sequential(data, reader, tables, block, state, c, dc, ac)
                    if not good or reader[_STOPPED] > 64:
                        return DAMAGED, reader[_PLACE], segments
    pad = _finish_segment(data, reader)
    if pad < 0 or state[4]:
        return DAMAGED, reader[_PLACE], segments
    pads[segments] = pad
    return OK, reader[_PLACE], segments + 1


@jit
def _sequential(data, reader, tables, block, state, c, dc, ac):
    size = _symbol(data, reader, tables, dc)
    if size < 0 or size > 15:
        return False
    state[c] += _extended(data, reader, size)
    if abs(state[c]) > MOST_COEFFICIENT:
        return False
    block[0] = state[c]
    k = 1
    while k < BLOCK:
        symbol = _symbol(data, reader, tables, ac)
        if symbol < 0:
            return False
        run, size = symbol >> 4, symbol & 15
        if size == 0:
            if run < 15:
                return run == 0
            k += 16
            continue
        k += run
        if k >= BLOCK:
            return False
        block[NATURAL_ORDER[k]] = _extended(data, reader, size)
        k += 1
    return k == BLOCK


@jit
def _progressive(data, reader, tables, block, state, c, dc, ac, first, last, high, low):
    if first == 0:
        if high:
            block[0] |= _take(data, reader, 1) << low
            return True
        size = _symbol(data, reader, tables, dc)
        if size < 0 or size > 15:
            return False
        state[c] += _extended(data, reader, size)
        if abs(state[c] << low) > MOST_COEFFICIENT:
            return False
        block[0] = state[c] << low
        return True
    if high:
        return _refined(data, reader, tables, block, state, ac, first, last, low)
    if state[4]:
        state[4] -= 1
        return True
    k = first
    while k <= last:
        symbol = _symbol(data, reader, tables, ac)
        if symbol < 0:
            return False
        run, size = symbol >> 4, symbol & 15
        if size == 0:
            if run == 15:
                k += 16
                continue
            state[4] = (1 << run) + _take(data, reader, run) - 1
            return True
        k += run
        if k > last:
            return False
        value = _extended(data, reader, size) << low
        if abs(value) > MOST_COEFFICIENT:
            return False
        block[NATURAL_ORDER[k]] = value
        k += 1
    return k == last + 1


@jit
def _refined(data, reader, tables, block, state, ac, first, last, low):
    """Add a bit to the coefficients that are not zero, and find those that become so (T.81, section G.1.2.3)."""
    k = first
    bit = 1 << low
    if state[4] == 0:
        while k <= last:
            symbol = _symbol(data, reader, tables, ac)
            if symbol < 0 or (symbol & 15) > 1:
                return False
            run, value = symbol >> 4, 0
            if symbol & 15:
                value = bit if _take(data, reader, 1) else -bit
            elif run < 15:
                state[4] = (1 << run) + _take(data, reader, run)
                break
            while k <= last:
                z = NATURAL_ORDER[k]
                if block[z]:
                    if _take(data, reader, 1) and (abs(block[z]) & bit) == 0:
                        block[z] += bit if block[z] > 0 else -bit
                else:
                    if run == 0:
                        break
                    run -= 1
                k += 1
            if value:
                if k > last:
                    return False
                block[NATURAL_ORDER[k]] = value
            k += 1
    if state[4]:
        while k <= last:
            z = NATURAL_ORDER[k]
            if block[z] and _take(data, reader, 1) and (abs(block[z]) & bit) == 0:
                block[z] += bit if block[z] > 0 else -bit
            k += 1
        state[4] -= 1
    return True


# A writer holds, in an array: place in the output, bits, number of bits, and a status ----------------------------


@jit
def _put(out, writer, value, count):
    """Write the lowest bits of a value, at most 16."""
    writer[_BITS] = ((writer[_BITS] << count) | (value & ((1 << count) - 1))) & 0xFFFFFFFFFF
    writer[_COUNT] += count
    while writer[_COUNT] >= 8:
        writer[_COUNT] -= 8
        byte = (writer[_BITS] >> writer[_COUNT]) & 255
        if writer[_PLACE] + 2 > out.size:
            writer[_STOPPED] = TOO_LONG
            return
        out[writer[_PLACE]] = byte
        writer[_PLACE] += 1
        if byte == 0xFF:
            out[writer[_PLACE]] = 0
            writer[_PLACE] += 1


@jit
def _put_symbol(out, writer, tables, number, symbol):
    length = tables.lengths[number, symbol]
    if length == 0:
        writer[_STOPPED] = DAMAGED
    _put(out, writer, tables.codes[number, symbol], length)


@inline
def _size_of(value):
    """Return the number of bits of |value|."""
    value, size = abs(value), 0
    while value:
        value >>= 1
        size += 1
    return size


@jit
def _put_number(out, writer, value, size):
    _put(out, writer, value if value >= 0 else value - 1, size)


@jit
def _put_run(out, writer, tables, ac, state, waiting):
    """Write the run of blocks without coefficients, and the correction bits of its blocks."""
    if state[4]:
        size = _size_of(state[4]) - 1
        _put_symbol(out, writer, tables, ac, size << 4)
        _put(out, writer, state[4], size)
        state[4] = 0
    for i in range(state[5]):
        _put(out, writer, waiting[i], 1)
    state[5] = 0


@jit
def _end_segment(out, writer, tables, ac, state, waiting, pads, segment):
    _put_run(out, writer, tables, ac, state, waiting)
    count = (8 - writer[_COUNT]) % 8
    pad = (1 << count) - 1
    if segment < pads.size:
        if pads[segment] >> count != 1:
            writer[_STOPPED] = DAMAGED
        pad = pads[segment]
    _put(out, writer, pad, count)


@jit
def _encode(out, start, components, numbers, tables, coefficients, pads):
    first, last, high, low = numbers[0], numbers[1], numbers[2], numbers[3]
    restart, progressive, across, down = numbers[4], numbers[5], numbers[6], numbers[7]
    writer = np.zeros(_STATE, np.int64)
    writer[_PLACE] = start
    state = np.zeros(6, np.int64)  # predictions of DC, the run of blocks, and the correction bits that wait
    waiting = np.zeros(_MOST_CORRECTION_BITS + 2 * BLOCK, np.int64)
    alone = components.shape[0] == 1
    segments = 0
    if alone:
        across, down = components[0, 2], components[0, 3]
    for mcu in range(across * down):
        if restart and mcu and mcu % restart == 0:
            _end_segment(out, writer, tables, 4 + components[0, 7], state, waiting, pads, segments)
            segments += 1
            if writer[_PLACE] + 2 > out.size:
                return TOO_LONG, writer[_PLACE]
            out[writer[_PLACE]] = 0xFF
            out[writer[_PLACE] + 1] = 0xD0 + (mcu // restart - 1) % 8
            writer[_PLACE] += 2
            state[:] = 0
        for c in range(components.shape[0]):
            wide = 1 if alone else components[c, 4]
            tall = 1 if alone else components[c, 5]
            for y in range(tall):
                for x in range(wide):
                    row, column = mcu // across * tall + y, mcu % across * wide + x
                    block = coefficients[components[c, 0] + row * components[c, 1] + column]
                    dc, ac = components[c, 6], 4 + components[c, 7]
                    if not progressive:
                        _put_sequential(out, writer, tables, block, state, c, dc, ac)
                    elif first == 0:
                        _put_dc(out, writer, tables, block, state, c, dc, high, low)
                    elif high:
                        _put_refined(out, writer, tables, block, state, ac, first, last, low, waiting)
                    else:
                        _put_first(out, writer, tables, block, state, ac, first, last, low, waiting)
                    if writer[_STOPPED]:
                        return writer[_STOPPED], writer[_PLACE]
    _end_segment(out, writer, tables, 4 + components[0, 7], state, waiting, pads, segments)
    return writer[_STOPPED], writer[_PLACE]


@jit
def _put_sequential(out, writer, tables, block, state, c, dc, ac):
    difference = block[0] - state[c]
    state[c] = block[0]
    size = _size_of(difference)
    _put_symbol(out, writer, tables, dc, size)
    _put_number(out, writer, difference, size)
    run = 0
    for k in range(1, BLOCK):
        value = np.int64(block[NATURAL_ORDER[k]])
        if value == 0:
            run += 1
            continue
        while run > 15:
            _put_symbol(out, writer, tables, ac, 0xF0)
            run -= 16
        size = _size_of(value)
        _put_symbol(out, writer, tables, ac, run << 4 | min(size, 15))
        _put_number(out, writer, value, size)
        run = 0
    if run:
        _put_symbol(out, writer, tables, ac, 0)


@jit
def _put_dc(out, writer, tables, block, state, c, dc, high, low):
    value = np.int64(block[0]) >> low
    if high:
        _put(out, writer, value, 1)
        return
    difference = value - state[c]
    state[c] = value
    size = _size_of(difference)
    _put_symbol(out, writer, tables, dc, size)
    _put_number(out, writer, difference, size)


@jit
def _put_first(out, writer, tables, block, state, ac, first, last, low, waiting):
    run = 0
    for k in range(first, last + 1):
        value = np.int64(block[NATURAL_ORDER[k]])
        value = value >> low if value >= 0 else -(-value >> low)
        if value == 0:
            run += 1
            continue
        _put_run(out, writer, tables, ac, state, waiting)
        while run > 15:
            _put_symbol(out, writer, tables, ac, 0xF0)
            run -= 16
        size = _size_of(value)
        _put_symbol(out, writer, tables, ac, run << 4 | min(size, 15))
        _put_number(out, writer, value, size)
        run = 0
    if run:
        state[4] += 1
        if state[4] == _LONGEST_RUN:
            _put_run(out, writer, tables, ac, state, waiting)


@jit
def _put_refined(out, writer, tables, block, state, ac, first, last, low, waiting):
    newest = 0
    for k in range(first, last + 1):
        if abs(np.int64(block[NATURAL_ORDER[k]])) >> low == 1:
            newest = k
    run, here = 0, state[5]  # correction bits of this block begin at ``here``
    for k in range(first, last + 1):
        value = np.int64(block[NATURAL_ORDER[k]])
        size = abs(value) >> low
        if size == 0:
            run += 1
            continue
        while run > 15 and k <= newest:
            here = _flush(out, writer, tables, ac, state, waiting, here, 0xF0)
            run -= 16
        if size > 1:
            waiting[state[5]] = size & 1
            state[5] += 1
            continue
        here = _flush(out, writer, tables, ac, state, waiting, here, (run << 4) + 1 + (256 if value > 0 else 512))
        run = 0
    if run or state[5] > here:
        state[4] += 1
        if state[4] == _LONGEST_RUN or state[5] > _MOST_CORRECTION_BITS:
            _put_run(out, writer, tables, ac, state, waiting)


@jit
def _flush(out, writer, tables, ac, state, waiting, here, symbol):
    """Write the run before this block, a symbol and its sign, and the correction bits of this block so far."""
    count = state[5] - here
    state[5] = here
    _put_run(out, writer, tables, ac, state, waiting)
    _put_symbol(out, writer, tables, ac, symbol & 255)
    if symbol >> 8:
        _put(out, writer, 1 if symbol >> 8 == 1 else 0, 1)
    for i in range(count):
        _put(out, writer, waiting[here + i], 1)
    return 0
