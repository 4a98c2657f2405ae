"""The encoder's inverse of a colour map: the planes of samples, and what these do not explain.

A colour that is not clipped has one triple of planes at most, or a few. One that is has many, and of these the encoder
takes one near to what the planes beside and above make likely, which costs least.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.jit import borrowing, inline, jit
from vaezip.origins import differences
from vaezip.origins.colour import ColourMap, Planes, clipped, summed, unclipped
from vaezip.origins.header import Origin

_SHIFT = 24
_FAR, _NEAR, _NEAREST = 40, 12, 5
"""How far one, two or three clipped channels are sought beyond what is likely."""


class Found(NamedTuple):
    """The planes of samples, and their origin."""

    planes: Planes
    origin: Origin

    def as_sums(self) -> Found:
        """Return the same with planes that look like red, green and blue."""
        return Found(summed(self.planes), replace(self.origin, sums=True))


class Inverse(NamedTuple):
    """A map with its inverse.

    Attributes:
        numbers: of the map.
        matrix: of the inverse, over 2^_SHIFT, int64 (3, 4): p = (matrix · (r, g, b, 1)) / 2^_SHIFT.
        forward: of the map, without its inner rounding, over 2^_SHIFT, int64 (3, 4).
        reach: how far a plane may be from what the inverse gives, for each part of a sum is rounded by itself.
    """

    numbers: NDArray[np.int64]
    matrix: NDArray[np.int64]
    forward: NDArray[np.int64]
    reach: int


@lru_cache(maxsize=32)
def inverse(found: ColourMap) -> Inverse | None:
    """Return a map with its inverse, in exact fractions; None where there is none."""
    rows = [[Fraction(n, 1 << (found.inner + found.outer)) for n in row[:3]] for row in found.rows]
    offsets = [Fraction(row[3], 1 << found.outer) for row in found.rows]
    lost = [_lost(*one, found.inner, found.outer) for one in zip(found.rows, found.begins())]
    adjoint = [[_minor(rows, j, i) for j in range(3)] for i in range(3)]
    determinant = sum(rows[0][i] * adjoint[i][0] for i in range(3))
    if not determinant:
        return None
    back = [[n / determinant for n in row] for row in adjoint]
    if max(abs(n) for row in back for n in row) > 64:
        return None
    middle = [Fraction(1, 2) - offset - less for offset, less in zip(offsets, lost)]
    ends = [sum((n * m for n, m in zip(row, middle)), Fraction(0)) for row in back]
    matrix = [[_fixed(n) for n in (*row, end)] for row, end in zip(back, ends)]
    forward = [[_fixed(n) for n in (*row, offset + less)] for row, offset, less in zip(rows, offsets, lost)]
    return Inverse(found.numbers(), np.array(matrix, np.int64), np.array(forward, np.int64), 1 if found.outer else 2)


def _fixed(number: Fraction) -> int:
    return round(number * (1 << _SHIFT))


def _lost(row: tuple[int, ...], begins: tuple[int, ...], inner: int, outer: int) -> Fraction:
    """Return what the inner shifts take off on average, and what the products begin with."""
    taken = sum(1 - (1 << inner) for n in row[:3] if n)
    return Fraction(taken + 2 * sum(begins), 2 << (inner + outer))


def _minor(rows: list[list[Fraction]], i: int, j: int) -> Fraction:
    """Return a cofactor."""
    a, b = (rows[k] for k in range(3) if k != i)
    x, y = (k for k in range(3) if k != j)
    return (a[x] * b[y] - a[y] * b[x]) * (-1 if (i + j) % 2 else 1)


def planes_of(samples: NDArray[Any], number: int, found: ColourMap) -> Found | None:
    """Return the planes of samples (pictures, height, width, 3) and their origin; None where the map has no inverse."""
    back = inverse(found)
    if back is None:
        return None
    planes, more = np.zeros(samples.shape, np.uint8), np.zeros(samples.shape, np.int8)
    unexplained = 0
    for colours, p, d in zip(samples, planes, more):
        unexplained += _planes(back, np.ascontiguousarray(colours), p, d)
    coded = differences.encode(planes, more) if unexplained else b""
    return Found(planes, Origin(number, found, unexplained=int(unexplained), coded=coded))


def only_planes(samples: NDArray[Any], found: ColourMap) -> Planes | None:
    """Return the planes of samples (pictures, height, width, 3), whether they explain these or not; None where the map
    has no inverse."""
    back, planes = inverse(found), np.zeros(samples.shape, np.uint8)
    if back is None:
        return None
    for colours, p in zip(samples, planes):
        _planes(back, np.ascontiguousarray(colours), p, np.zeros(p.shape, np.int8))
    return planes


def explained(back: Inverse, colours: NDArray[np.uint8]) -> int:
    """Count the colours (count, 3), none of them clipped, that a map reaches."""
    return int(_explained(back, colours))


def planes_of_colours(back: Inverse, colours: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the planes of colours (count, 3), none of them clipped, and which of them a map reaches; of the others,
    the planes that come nearest."""
    planes, found = np.zeros(colours.shape, np.int64), np.zeros(len(colours), np.bool_)
    _planes_of_colours(back, np.ascontiguousarray(colours), planes, found)
    return planes, found


def nearest(back: Inverse, colours: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the planes of colours (count, 3), rounded, whether the map reaches them or not."""
    return (colours @ back.matrix[:, :3].T + back.matrix[:, 3] + (1 << (_SHIFT - 1))) >> _SHIFT


@inline
def _fits(m, r, g, b, p0, p1, p2):
    """Tell whether planes make a colour."""
    return (
        clipped(unclipped(m, 0, p0, p1, p2)) == r
        and clipped(unclipped(m, 1, p0, p1, p2)) == g
        and clipped(unclipped(m, 2, p0, p1, p2)) == b
    )


@inline
def _nearest(back, row, r, g, b):
    """Return a plane of a colour, rounded."""
    m = back.matrix
    return (m[row, 0] * r + m[row, 1] * g + m[row, 2] * b + m[row, 3] + (1 << (_SHIFT - 1))) >> _SHIFT


@borrowing
def _exact(back, r, g, b, ur, ug, ub, likely, out):
    """Find planes that make (r, g, b), near those of an unclipped colour (ur, ug, ub), and of these the likeliest."""
    q0, q1, q2 = _nearest(back, 0, ur, ug, ub), _nearest(back, 1, ur, ug, ub), _nearest(back, 2, ur, ug, ub)
    is_byte = 0 <= q0 < 256 and 0 <= q1 < 256 and 0 <= q2 < 256
    if likely[3] == 0 and is_byte and _fits(back.numbers, r, g, b, q0, q1, q2):
        out[0], out[1], out[2] = q0, q1, q2
        return True
    best, reach = 1 << 40, back.reach
    for p0 in range(max(q0 - reach, 0), min(q0 + reach + 1, 256)):
        for p1 in range(max(q1 - reach, 0), min(q1 + reach + 1, 256)):
            for p2 in range(max(q2 - reach, 0), min(q2 + reach + 1, 256)):
                far = abs(p0 - likely[0]) + abs(p1 - likely[1]) + abs(p2 - likely[2])
                if far < best and _fits(back.numbers, r, g, b, p0, p1, p2):
                    best = far
                    out[0], out[1], out[2] = p0, p1, p2
    return best < 1 << 40


@jit
def _explained(back, colours):
    likely, out, count = np.zeros(4, np.int64), np.zeros(3, np.int64), 0
    for i in range(colours.shape[0]):
        r, g, b = np.int64(colours[i, 0]), np.int64(colours[i, 1]), np.int64(colours[i, 2])
        count += _exact(back, r, g, b, r, g, b, likely, out)
    return count


@jit
def _planes_of_colours(back, colours, planes, found):
    likely = np.zeros(4, np.int64)
    for i in range(colours.shape[0]):
        r, g, b = np.int64(colours[i, 0]), np.int64(colours[i, 1]), np.int64(colours[i, 2])
        found[i] = _exact(back, r, g, b, r, g, b, likely, planes[i])
        if not found[i]:
            _nearly(back, r, g, b, planes[i])


@inline
def _beside(back, channel, value, p0, p1, p2):
    """Return how far what planes make of a channel, before it is rounded down, is from a value."""
    f = back.forward
    x = f[channel, 0] * p0 + f[channel, 1] * p1 + f[channel, 2] * p2 + f[channel, 3] - (value << _SHIFT)
    return max(-x, 0) + max(x - (1 << _SHIFT), 0)


@borrowing
def _nearly(back, r, g, b, out):
    """Find the planes that come nearest to a colour before they are rounded down."""
    best = 1 << 60
    q0, q1, q2 = _nearest(back, 0, r, g, b), _nearest(back, 1, r, g, b), _nearest(back, 2, r, g, b)
    for p0 in range(q0 - 1, q0 + 2):
        for p1 in range(q1 - 1, q1 + 2):
            for p2 in range(q2 - 1, q2 + 2):
                far = _beside(back, 0, r, p0, p1, p2) + _beside(back, 1, g, p0, p1, p2)
                far += _beside(back, 2, b, p0, p1, p2)
                if far < best:
                    best = far
                    out[0], out[1], out[2] = p0, p1, p2


@inline
def _beyond(back, channel, value, likely):
    """Return what a clipped channel of the likely planes would be, and at least as far out as it is."""
    f = back.forward
    p = f[channel, 0] * likely[0] + f[channel, 1] * likely[1] + f[channel, 2] * likely[2] + f[channel, 3]
    found = p >> _SHIFT
    return max(found, 255) if value else min(found, 0)


@borrowing
def _clipped(back, r, g, b, likely, out):
    """Find planes of a colour with clipped channels: the likely ones, or others of channels further out or in."""
    if _fits(back.numbers, r, g, b, likely[0], likely[1], likely[2]):
        out[0], out[1], out[2] = likely[0], likely[1], likely[2]
        return True
    is_r, is_g, is_b = r in (0, 255), g in (0, 255), b in (0, 255)
    ur = _beyond(back, 0, r, likely) if is_r else r
    ug = _beyond(back, 1, g, likely) if is_g else g
    ub = _beyond(back, 2, b, likely) if is_b else b
    count = is_r + is_g + is_b
    reach = _FAR if count == 1 else (_NEAR if count == 2 else _NEAREST)
    for far in range(reach + 1):
        for dr in range(-far if is_r else 0, far + 1 if is_r else 1):
            for dg in range(-far if is_g else 0, far + 1 if is_g else 1):
                for db in range(-far if is_b else 0, far + 1 if is_b else 1):
                    if max(abs(dr), abs(dg), abs(db)) == far and _exact(
                        back, r, g, b, ur + dr, ug + dg, ub + db, likely, out
                    ):
                        return True
    return False


@borrowing
def _close(back, r, g, b, out):
    """Find planes whose colour is near to one that the map does not reach."""
    best = 1 << 40
    q0, q1, q2 = _nearest(back, 0, r, g, b), _nearest(back, 1, r, g, b), _nearest(back, 2, r, g, b)
    q0, q1, q2 = clipped(q0), clipped(q1), clipped(q2)
    for p0 in range(max(q0 - 1, 0), min(q0 + 2, 256)):
        for p1 in range(max(q1 - 1, 0), min(q1 + 2, 256)):
            for p2 in range(max(q2 - 1, 0), min(q2 + 2, 256)):
                far = abs(clipped(unclipped(back.numbers, 0, p0, p1, p2)) - r)
                far += abs(clipped(unclipped(back.numbers, 1, p0, p1, p2)) - g)
                far += abs(clipped(unclipped(back.numbers, 2, p0, p1, p2)) - b)
                far = far * 8 + abs(p0 - q0) + abs(p1 - q1) + abs(p2 - q2)
                if far < best:
                    best = far
                    out[0], out[1], out[2] = p0, p1, p2


@inline
def _wrapped(difference):
    """Return a difference modulo 256, as −128 … 127."""
    return ((difference + 128) & 255) - 128


@borrowing
def _predict(planes, y, x, likely):
    """Put what the planes beside and above make likely into ``likely``."""
    for i in range(3):
        w = np.int64(planes[y, x - 1, i]) if x else (np.int64(planes[y - 1, x, i]) if y else 128)
        n = np.int64(planes[y - 1, x, i]) if y else w
        nw = np.int64(planes[y - 1, x - 1, i]) if x and y else n
        likely[i] = min(max(w + n - nw, min(w, n)), max(w, n))


@jit
def fill_in(back, colours, likely, planes, known):
    """Fill in the planes of clipped colours of a picture (height, width, 3), near to what is likely, and note that they
    are known."""
    near, out = np.zeros(4, np.int64), np.zeros(3, np.int64)
    near[3] = 1
    for y in range(colours.shape[0]):
        for x in range(colours.shape[1]):
            r, g, b = np.int64(colours[y, x, 0]), np.int64(colours[y, x, 1]), np.int64(colours[y, x, 2])
            if known[y, x] or not (min(r, g, b) == 0 or max(r, g, b) == 255):
                continue
            for i in range(3):
                near[i] = likely[y, x, i]
            if _clipped(back, r, g, b, near, out):
                planes[y, x, 0], planes[y, x, 1], planes[y, x, 2] = out[0], out[1], out[2]
                known[y, x] = True


@jit
def _planes(back, colours, planes, differences):
    """Fill in the planes of a picture (height, width, 3) and its differences; return how many pixels have any."""
    likely, out, count = np.zeros(4, np.int64), np.zeros(3, np.int64), 0
    for y in range(colours.shape[0]):
        for x in range(colours.shape[1]):
            r, g, b = np.int64(colours[y, x, 0]), np.int64(colours[y, x, 1]), np.int64(colours[y, x, 2])
            if min(r, g, b) == 0 or max(r, g, b) == 255:
                _predict(planes, y, x, likely)
                likely[3] = 1
                found = _clipped(back, r, g, b, likely, out)
            else:
                likely[3] = 0
                found = _exact(back, r, g, b, r, g, b, likely, out)
            if not found:
                _close(back, r, g, b, out)
                differences[y, x, 0] = _wrapped(r - clipped(unclipped(back.numbers, 0, out[0], out[1], out[2])))
                differences[y, x, 1] = _wrapped(g - clipped(unclipped(back.numbers, 1, out[0], out[1], out[2])))
                differences[y, x, 2] = _wrapped(b - clipped(unclipped(back.numbers, 2, out[0], out[1], out[2])))
                count += differences[y, x, 0] != 0 or differences[y, x, 1] != 0 or differences[y, x, 2] != 0
            planes[y, x, 0], planes[y, x, 1], planes[y, x, 2] = out[0], out[1], out[2]
    return count
