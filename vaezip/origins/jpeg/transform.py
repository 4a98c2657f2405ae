"""Compute what a decoder makes of coefficients: the inverse transform, upsampling, colours.

Transforms are libjpeg's ``islow``, which rounds twice, and one that rounds once, as decoders in floating point do; all
else is libjpeg's. All is in integers; what leaves 8 bits is clipped. The decoder and the search share it.
"""

from __future__ import annotations

from vaezip.exact.jit import borrowing, inline
from vaezip.origins.colour import CB_TO_BLUE, CB_TO_GREEN, CR_TO_GREEN, CR_TO_RED, clipped

_BITS = 13
_MOST = (1 << 15) - 1
"""A coefficient times its step is clipped to this, so that no sum leaves its integers."""

_FIRST_SHIFT, _LAST_SHIFT = _BITS - 2, _BITS + 2 + 3
_298, _390, _541, _765, _899, _1175 = 2446, 3196, 4433, 6270, 7373, 9633
_1501, _1847, _1961, _2053, _2562, _3072 = 12299, 15137, 16069, 16819, 20995, 25172

_COSINES = (0, 181802, 171254, 154124, 131072, 102983, 70936, 36163)
"""√2 cos(i π / 16), times 2^17, for i = 1 … 7: that of 4 is whole, and so is the 1 of frequency 0."""

_ONCE_SHIFT = 2 * 17 + 3


@borrowing
def _transform(values, start, step, shift):
    """Transform eight values in place, by the algorithm of Loeffler, Ligtenberg and Moschytz (jidctint.c)."""
    x0, x1, x2, x3 = values[start], values[start + step], values[start + 2 * step], values[start + 3 * step]
    x4, x5 = values[start + 4 * step], values[start + 5 * step]
    x6, x7 = values[start + 6 * step], values[start + 7 * step]
    z1 = (x2 + x6) * _541
    t2, t3 = z1 - x6 * _1847, z1 + x2 * _765
    t0, t1 = (x0 + x4) << _BITS, (x0 - x4) << _BITS
    t10, t13, t11, t12 = t0 + t3, t0 - t3, t1 + t2, t1 - t2
    z1, z2, z3, z4 = x7 + x1, x5 + x3, x7 + x3, x5 + x1
    z5 = (z3 + z4) * _1175
    z1, z2 = -z1 * _899, -z2 * _2562
    z3, z4 = z5 - z3 * _1961, z5 - z4 * _390
    t0, t1 = x7 * _298 + z1 + z3, x5 * _2053 + z2 + z4
    t2, t3 = x3 * _3072 + z2 + z3, x1 * _1501 + z1 + z4
    half = 1 << (shift - 1)
    values[start], values[start + 7 * step] = (t10 + t3 + half) >> shift, (t10 - t3 + half) >> shift
    values[start + step], values[start + 6 * step] = (t11 + t2 + half) >> shift, (t11 - t2 + half) >> shift
    values[start + 2 * step], values[start + 5 * step] = (t12 + t1 + half) >> shift, (t12 - t1 + half) >> shift
    values[start + 3 * step], values[start + 4 * step] = (t13 + t0 + half) >> shift, (t13 - t0 + half) >> shift


@borrowing
def _turn(values, start, step):
    """Transform eight values in place, and multiply them by 2^17, without a rounding: places x and 7 − x differ in the
    signs of odd frequencies."""
    x0, x1, x2, x3 = values[start], values[start + step], values[start + 2 * step], values[start + 3 * step]
    x4, x5 = values[start + 4 * step], values[start + 5 * step]
    x6, x7 = values[start + 6 * step], values[start + 7 * step]
    c1, c2, c3, c4 = _COSINES[1], _COSINES[2], _COSINES[3], _COSINES[4]
    c5, c6, c7 = _COSINES[5], _COSINES[6], _COSINES[7]
    e0, e1 = (x0 + x4) * c4 + x2 * c2 + x6 * c6, (x0 - x4) * c4 + x2 * c6 - x6 * c2
    e2, e3 = (x0 - x4) * c4 - x2 * c6 + x6 * c2, (x0 + x4) * c4 - x2 * c2 - x6 * c6
    o0, o1 = x1 * c1 + x3 * c3 + x5 * c5 + x7 * c7, x1 * c3 - x3 * c7 - x5 * c1 - x7 * c5
    o2, o3 = x1 * c5 - x3 * c1 + x5 * c7 + x7 * c3, x1 * c7 - x3 * c5 + x5 * c3 - x7 * c1
    values[start], values[start + 7 * step] = e0 + o0, e0 - o0
    values[start + step], values[start + 6 * step] = e1 + o1, e1 - o1
    values[start + 2 * step], values[start + 5 * step] = e2 + o2, e2 - o2
    values[start + 3 * step], values[start + 4 * step] = e3 + o3, e3 - o3


@borrowing
def inverse(coefficients, steps, values, rounds_once):
    """Put the samples of a block into ``values``, int64 (64), before they are clipped to 8 bits."""
    for i in range(64):
        values[i] = min(max(coefficients[i] * steps[i], -_MOST), _MOST)
    for i in range(8):
        if rounds_once:
            _turn(values, i, 8)
        else:
            _transform(values, i, 8, _FIRST_SHIFT)
    for i in range(8):
        if rounds_once:
            _turn(values, 8 * i, 1)
        else:
            _transform(values, 8 * i, 1, _LAST_SHIFT)
    for i in range(64):
        values[i] = 128 + ((values[i] + (1 << (_ONCE_SHIFT - 1))) >> _ONCE_SHIFT if rounds_once else values[i])


@borrowing
def decode_plane(coefficients, steps, values, plane, rounds_once):
    """Decode a component.

    Args:
        coefficients: int16 (blocks down, across, 64).
        steps: int64 (64).
        values: int64 (64), room for a block.
        plane: uint8, as many samples.
        rounds_once: which transform.
    """
    for y in range(coefficients.shape[0]):
        for x in range(coefficients.shape[1]):
            inverse(coefficients[y, x], steps, values, rounds_once)
            for i in range(64):
                plane[8 * y + (i >> 3), 8 * x + (i & 7)] = clipped(values[i])


@inline
def beside(place):
    """Return the sample, of a row with half as many, that lies on the other side of one."""
    return (place >> 1) + (1 if place & 1 else -1)


@borrowing
def upsample(plane, phase, sampling, fancy, out):
    """Bring a plane to the resolution of the picture.

    Args:
        plane: uint8, with one sample more on each side.
        phase: of the picture, as in a description.
        sampling: samples of the picture for one of the plane, 1 or 2, down and across.
        fancy: by the triangle filter.
        out: uint8 (height, width).
    """
    down, across = sampling
    filters_down, filters_across = fancy and down == 2, fancy and across == 2
    for row in range(out.shape[0]):
        r = row + phase[0]
        y = r // down + 1
        y2 = beside(r) + 1 if filters_down else y
        for column in range(out.shape[1]):
            c = column + phase[1]
            x = c // across + 1
            x2 = beside(c) + 1 if filters_across else x
            if filters_down and filters_across:
                total = 9 * int(plane[y, x]) + 3 * int(plane[y2, x]) + 3 * int(plane[y, x2]) + int(plane[y2, x2])
                out[row, column] = (total + (7 if c & 1 else 8)) >> 4
            elif filters_across:
                out[row, column] = (3 * int(plane[y, x]) + int(plane[y, x2]) + (2 if c & 1 else 1)) >> 2
            elif filters_down:
                out[row, column] = (3 * int(plane[y, x]) + int(plane[y2, x]) + (2 if r & 1 else 1)) >> 2
            else:
                out[row, column] = plane[y, x]


@inline
def red_of(cr):
    """Return what Cr adds to Y for red."""
    return (CR_TO_RED * (cr - 128) + 32768) >> 16


@inline
def green_of(cb, cr):
    """Return what Cb and Cr add to Y for green."""
    return (CB_TO_GREEN * (cb - 128) + CR_TO_GREEN * (cr - 128) + 32768) >> 16


@inline
def blue_of(cb):
    """Return what Cb adds to Y for blue."""
    return (CB_TO_BLUE * (cb - 128) + 32768) >> 16


@borrowing
def to_rgb(y, cb, cr, out):
    """Turn Y, Cb, Cr, uint8 (height, width), into red, green and blue (height, width, 3)."""
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            luma, b, r = int(y[row, column]), int(cb[row, column]), int(cr[row, column])
            out[row, column, 0] = clipped(luma + red_of(r))
            out[row, column, 1] = clipped(luma + green_of(b, r))
            out[row, column, 2] = clipped(luma + blue_of(b))
