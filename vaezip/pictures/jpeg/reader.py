"""Decode the Huffman-coded data of a JPEG's scans to coefficients (ITU-T T.81, sections F.2 and G.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.jit import borrowing, inline, jit
from vaezip.pictures.jpeg.scans import BLOCK, DAMAGED, MOST_COEFFICIENT, NATURAL_ORDER, OK, Bytes, ScanPlan, Tables


def decode_scan(data: Bytes, start: int, *, plan: ScanPlan, tables: Tables, coefficients: NDArray[np.int16]) -> Any:
    """Decode the entropy-coded data of a scan.

    Args:
        data: the file.
        start: of the scan's data.
        plan, tables: of the scan.
        coefficients: (blocks, 64) row by row, which take what the scan adds.

    Returns:
        (status, the first byte behind the data, the padding of each segment: its bits behind a 1, and how many bytes
        of 255 stand before each restart marker).
    """
    pads, fills = np.zeros(plan.segments, np.int64), np.zeros(plan.segments, np.int64)
    numbers = np.array([*plan.band, plan.restart, plan.progressive, *plan.mcus], np.int64)
    status, end, count = _decode(data, start, plan.components, numbers, tables, coefficients, pads, fills)
    return status, end, pads[:count], fills[:count]


# A reader holds, in an array: place in the data, bits, number of bits, and whether a marker was met -----------------

_PLACE, _BITS, _COUNT, _STOPPED, _STATE = 0, 1, 2, 3, 4


@inline
def _fill(data, reader):
    """Read bytes until more than 24 bits are there; behind a marker come zeros, which no good file needs."""
    while reader[_COUNT] <= 24:
        place = reader[_PLACE]
        byte = np.int64(0)
        if reader[_STOPPED] == 0 and place < data.size:
            byte = np.int64(data[place])
            if byte == 0xFF:
                if place + 1 < data.size and data[place + 1] == 0:
                    reader[_PLACE] = place + 2
                else:
                    reader[_STOPPED] = 1
                    byte = np.int64(0)
            else:
                reader[_PLACE] = place + 1
        elif reader[_STOPPED] == 0:
            reader[_STOPPED] = 1
        if reader[_STOPPED]:
            reader[_STOPPED] += 8  # the bits that are not there
        reader[_BITS] = ((reader[_BITS] << 8) | byte) & 0xFFFFFFFFFF
        reader[_COUNT] += 8


@borrowing
def _take(data, reader, count):
    """Return the next bits, at most 16."""
    if count == 0:
        return 0
    _fill(data, reader)
    reader[_COUNT] -= count
    return (reader[_BITS] >> reader[_COUNT]) & ((1 << count) - 1)


@borrowing
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


@borrowing
def _extended(data, reader, size):
    """Return the next number of a size in bits (T.81, figure F.12)."""
    value = _take(data, reader, size)
    return value if size == 0 or value >> (size - 1) else value - (1 << size) + 1


@borrowing
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
def _decode(data, start, components, numbers, tables, coefficients, pads, fills):
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
            if pad < 0 or state[4]:
                return DAMAGED, place, segments
            while place + 1 < data.size and data[place] == 0xFF and data[place + 1] == 0xFF:
                place += 1
                fills[segments] += 1
            if place + 1 >= data.size or data[place] != 0xFF:
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


@borrowing
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


@borrowing
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


@borrowing
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
