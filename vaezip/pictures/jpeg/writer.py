"""Make the Huffman-coded data of a JPEG's scans from coefficients (ITU-T T.81, sections F.1 and G.1).

An encoder is free in three things: the bits that pad a segment to a byte, which the reader records, the lengths of runs
of blocks without further coefficients, and where a progressive scan breaks such a run. In the latter two this module
does as libjpeg does, which nearly all writers are built on; whoever needs the bytes of a file compares.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.jit import borrowing, inline, jit
from vaezip.pictures.jpeg.scans import BLOCK, DAMAGED, NATURAL_ORDER, ONES, TOO_LONG, ZEROS, Bytes, ScanPlan, Tables

_LONGEST_RUN = 0x7FFF
_MOST_CORRECTION_BITS = 1000 - BLOCK + 1
"""Correction bits that libjpeg lets wait for the end of a run."""


def encode_scan(
    out: Bytes,
    start: int,
    *,
    plan: ScanPlan,
    tables: Tables,
    coefficients: NDArray[np.int16],
    padding: tuple[NDArray[np.uint8], NDArray[np.int64]],
) -> tuple[int, int]:
    """Write the entropy-coded data of a scan, and return the status and the first byte behind it.

    Args:
        out: takes the bytes.
        start: where they begin.
        plan, tables: of the scan.
        coefficients: (blocks, 64) row by row.
        padding: pads and fills of the scan, as :class:`vaezip.pictures.jpeg.parts.JpegFile` has them.
    """
    numbers = np.array([*plan.band, plan.restart, plan.progressive, *plan.mcus], np.int64)
    status, end = _encode(out, start, plan.components, numbers, tables, coefficients, *padding)
    return int(status), int(end)


# A writer holds, in an array: place in the output, bits, number of bits, and a status ---------------------------

_PLACE, _BITS, _COUNT, _STOPPED, _STATE = 0, 1, 2, 3, 4


@borrowing
def _put(out, writer, value, count):
    """Write the lowest bits of a value, at most 16; nothing once something went wrong."""
    if writer[_STOPPED]:
        return
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


@borrowing
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


@borrowing
def _put_number(out, writer, value, size):
    _put(out, writer, value if value >= 0 else value - 1, size)


@borrowing
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


@borrowing
def _end_segment(out, writer, tables, ac, state, waiting, pads, segment):
    _put_run(out, writer, tables, ac, state, waiting)
    count = (8 - writer[_COUNT]) % 8
    pad = np.int64(pads[segment]) if segment < pads.size else np.int64(ONES)
    if pad == ONES:
        pad = np.int64((1 << count) - 1)
    elif pad != ZEROS and pad >> count != 1:
        writer[_STOPPED] = DAMAGED
    _put(out, writer, pad, count)


@jit
def _encode(out, start, components, numbers, tables, coefficients, pads, fills):
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
            fill = fills[segments] if segments < fills.size else 0
            segments += 1
            if writer[_PLACE] + 2 + fill > out.size:
                return TOO_LONG, writer[_PLACE]
            for _ in range(fill):
                out[writer[_PLACE]] = 0xFF
                writer[_PLACE] += 1
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


@borrowing
def _put_sequential(out, writer, tables, block, state, c, dc, ac):
    _put_difference(out, writer, tables, dc, state, c, np.int64(block[0]))
    run = 0
    for k in range(1, BLOCK):
        value = np.int64(block[NATURAL_ORDER[k]])
        if value == 0:
            run += 1
            continue
        _put_coefficient(out, writer, tables, ac, run, value)
        run = 0
    if run:
        _put_symbol(out, writer, tables, ac, 0)


@borrowing
def _put_dc(out, writer, tables, block, state, c, dc, high, low):
    value = np.int64(block[0]) >> low
    if high:
        _put(out, writer, value, 1)
        return
    _put_difference(out, writer, tables, dc, state, c, value)


@borrowing
def _put_difference(out, writer, tables, dc, state, c, value):
    """Write DC as the difference to the component's block before."""
    difference = value - state[c]
    state[c] = value
    size = _size_of(difference)
    _put_symbol(out, writer, tables, dc, size)
    _put_number(out, writer, difference, size)


@borrowing
def _put_coefficient(out, writer, tables, ac, run, value):
    """Write a coefficient behind a run of zeros."""
    while run > 15:
        _put_symbol(out, writer, tables, ac, 0xF0)
        run -= 16
    size = _size_of(value)
    _put_symbol(out, writer, tables, ac, run << 4 | min(size, 15))
    _put_number(out, writer, value, size)


@borrowing
def _put_first(out, writer, tables, block, state, ac, first, last, low, waiting):
    run = 0
    for k in range(first, last + 1):
        value = np.int64(block[NATURAL_ORDER[k]])
        value = value >> low if value >= 0 else -(-value >> low)
        if value == 0:
            run += 1
            continue
        _put_run(out, writer, tables, ac, state, waiting)
        _put_coefficient(out, writer, tables, ac, run, value)
        run = 0
    if run:
        state[4] += 1
        if state[4] == _LONGEST_RUN:
            _put_run(out, writer, tables, ac, state, waiting)


@borrowing
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


@borrowing
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
