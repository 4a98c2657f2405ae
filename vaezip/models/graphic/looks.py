"""Count what tells drawn pictures from others, in compiled loops: a look must take a small part of the time that coding
takes, which is little where nearly all pixels repeat others."""

from __future__ import annotations

import numpy as np

from vaezip.exact.jit import borrowing, inline, jit

_BITS = 11
"""log2 of the slots for colours, of which at most half are taken."""


@inline
def _equals(picture, y, x, other_y, other_x):
    """Tell whether two pixels of a picture are the same."""
    channel = 0
    while channel < picture.shape[2] and picture[y, x, channel] == picture[other_y, other_x, channel]:
        channel += 1
    return channel == picture.shape[2]


@inline
def _is_new(picture, y, x):
    """Tell whether a pixel equals none of the four that stand beside and above it."""
    return not (
        _equals(picture, y, x, y, x - 1)
        or _equals(picture, y, x, y - 1, x)
        or _equals(picture, y, x, y - 1, x - 1)
        or _equals(picture, y, x, y - 1, x + 1)
    )


@borrowing
def count_new(picture, step, side, counts):
    """Count, in cells, the pixels that equal none of the four that stand beside and above them; those at the border do
    as those next to them.

    Args:
        picture: uint8 (height, width, channels), of 2 rows and 3 columns or more.
        step: one row of so many is looked at.
        side: rows and columns of a cell.
        counts: int64 (cells down, cells across), to which it adds.
    """
    height, width, _ = picture.shape
    for row in range(step // 2, height, step):
        y = max(row, 1)
        for column in range(counts.shape[1]):
            start, end = column * side, min((column + 1) * side, width)
            count = 0
            for x in range(max(start, 1), min(end, width - 1)):
                count += _is_new(picture, y, x)
            if start == 0:
                count += _is_new(picture, y, 1)
            if end == width:
                count += _is_new(picture, y, width - 2)
            counts[row // side, column] += count


@borrowing
def count_expected(rows):
    """Count the pixels that are the one to the left or, of colours, go on from the two to the left.

    Args:
        rows: uint8 (rows, width, channels).
    """
    count, is_coloured = 0, rows.shape[2] > 2
    for y in range(rows.shape[0]):
        for x in range(1, rows.shape[1]):
            if _equals(rows, y, x, y, x - 1):
                count += 1
            elif is_coloured and x > 1:
                goes_on = True
                for channel in range(rows.shape[2]):
                    here, west, far = rows[y, x, channel], rows[y, x - 1, channel], rows[y, x - 2, channel]
                    goes_on = goes_on and (here - west) & 255 == (west - far) & 255
                count += goes_on
    return count


@jit
def find_colours(pixels, most, found):
    """Put the colours that occur into ``found``, in the order in which they do; return how many, or one more than so
    many as soon as there are more.

    Args:
        pixels: uint8 (count, channels).
        most: colours, 1,024 at most.
        found: uint8 (most, channels).
    """
    slots, count = np.full(1 << _BITS, -1, np.int64), 0
    last = np.int64(-1)
    for i in range(pixels.shape[0]):
        colour = np.int64(0)
        for channel in range(pixels.shape[1]):
            colour = colour << 8 | pixels[i, channel]
        if colour == last:
            continue
        last = colour
        slot = np.int64((np.uint64(colour) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - _BITS))
        while slots[slot] >= 0 and slots[slot] != colour:
            slot = (slot + 1) & ((1 << _BITS) - 1)
        if slots[slot] < 0:
            if count == most:
                return most + 1
            slots[slot] = colour
            for channel in range(pixels.shape[1]):
                found[count, channel] = pixels[i, channel]
            count += 1
    return count
