"""Find coefficients whose inverse transform gives known samples, or lies between known bounds.

Rounding the transform of the samples to multiples of the steps is right for most blocks of qualities up to 90. Where it
is not, since samples are clipped, hidden, or rounded themselves beside small steps, the search goes on: samples that
are only bounded are filled from the last guess, and then single coefficients are changed as long as the samples come
closer to their bounds. It works in float64, each operation in a fixed order; what it finds is checked in integers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.jit import borrowing, inline, jit
from vaezip.origins.colour import clipped
from vaezip.origins.jpeg.search.lattice import ANY
from vaezip.origins.jpeg.transform import inverse

_COSINES = (
    0.49039264020161522456,
    0.46193976625564337806,
    0.41573480615127261854,
    0.35355339059327376220,
    0.27778511650980111237,
    0.19134171618254488586,
    0.09754516100806413392,
)
"""cos(i · π / 16) / 2 for i = 1 … 7, as literals: a library's may differ by a bit."""

_FILLINGS = 12
_CHANGES = 40
_NONE = 1e-9


def basis() -> NDArray[np.float64]:
    """Return the orthonormal basis of the cosine transform, (frequency, place)."""
    found = np.full((8, 8), _COSINES[3])
    for u in range(1, 8):
        for x in range(8):
            turn = (2 * x + 1) * u % 32
            turn = min(turn, 32 - turn)  # of 16 for half a turn
            found[u, x] = 0.0 if turn == 8 else (_COSINES[turn - 1] if turn < 8 else -_COSINES[15 - turn])
    return found


def basis_of_blocks() -> NDArray[np.float64]:
    """Return the basis of blocks, (64 frequencies, 64 places)."""
    one = basis()
    return (one[:, np.newaxis, :, np.newaxis] * one[np.newaxis, :, np.newaxis, :]).reshape(64, 64)


@borrowing
def transform(matrix, values, room, out):
    """Transform 64 values by a matrix, first along rows: by that of :func:`basis` forwards, by its transpose back."""
    for y in range(8):
        for u in range(8):
            total = 0.0
            for x in range(8):
                total += matrix[u, x] * values[8 * y + x]
            room[8 * y + u] = total
    for u in range(8):
        for v in range(8):
            total = 0.0
            for y in range(8):
                total += matrix[v, y] * room[8 * y + u]
            out[8 * v + u] = total


@borrowing
def _wrong(low, high, values):
    """Count the samples that lie beyond their bounds, once they are clipped to 8 bits."""
    count = 0
    for i in range(64):
        value = clipped(values[i])
        if value < low[i] or value > high[i]:
            count += 1
    return count


@inline
def _beyond(value, low, high):
    """Return how far a value that is not rounded lies beyond its bounds."""
    return value - (high + 0.5) if value > high + 0.5 else (value - (low - 0.5) if value < low - 0.5 else 0.0)


@borrowing
def _round(one, target, steps, room, transformed, guess):
    for i in range(64):
        room[64 + i] = target[i] - 128.0
    transform(one, room[64:], room, transformed)
    for i in range(64):
        guess[i] = np.int64(np.floor(transformed[i] / steps[i] + 0.5))


@borrowing
def _keep(wrong, best, guess, found):
    if wrong < best:
        for i in range(64):
            found[i] = guess[i]
        return wrong
    return best


@jit
def _change(whole, low, high, steps, exact, guess):
    """Change the one coefficient by a step after which the samples lie least beyond their bounds; tell whether there
    is one."""
    before = 0.0
    beyond = np.zeros(64)
    for i in range(64):
        beyond[i] = _beyond(exact[i], low[i], high[i])
        before += beyond[i] * beyond[i]
    best, which, sign = before - _NONE, -1, 0.0
    for f in range(64):
        slope = 0.0
        for i in range(64):
            slope += beyond[i] * whole[f, i]
        move = -steps[f] if slope > 0 else steps[f]
        if abs(slope) * steps[f] * 2.0 <= _NONE:
            continue
        after = 0.0
        for i in range(64):
            d = _beyond(exact[i] + move * whole[f, i], low[i], high[i])
            after += d * d
            if after >= best:
                break
        if after < best:
            best, which, sign = after, f, move
    if which < 0:
        return False
    for i in range(64):
        exact[i] += sign * whole[which, i]
    guess[which] += 1 if sign > 0 else -1
    return True


@jit
def solve(bases, target, low, high, steps, rounds_once, found):
    """Find the coefficients of a block.

    Args:
        bases: :func:`basis` and :func:`basis_of_blocks`.
        target: float64 (64), the samples, guessed where they are not known.
        low, high: int64 (64), bounds of the samples before they are clipped to 8 bits.
        steps: int64 (64).
        rounds_once: which transform.
        found: int64 (64), in which it puts them.

    Returns:
        how many samples lie beyond their bounds.
    """
    one, whole = bases
    room, transformed = np.zeros(128), np.zeros(64)
    exact, values = np.zeros(64), np.zeros(64, np.int64)
    guess, last = np.zeros(64, np.int64), np.zeros(64, np.int64)
    best, bounded = 65, False
    for i in range(64):
        bounded = bounded or low[i] != high[i]
    for n in range(_FILLINGS if bounded else 1):
        _round(one, target, steps, room, transformed, guess)
        inverse(guess, steps, values, rounds_once)
        best = _keep(_wrong(low, high, values), best, guess, found)
        if best == 0:
            return 0
        same = n > 0
        for i in range(64):
            same = same and guess[i] == last[i]
            last[i] = guess[i]
            target[i] = min(max(float(values[i]), float(low[i])), float(high[i]))
        if same:
            break
    for i in range(64):
        guess[i] = found[i]
        room[64 + i] = float(guess[i] * steps[i])
    transform(one.T, room[64:], room, exact)
    for i in range(64):
        exact[i] += 128.0
    for _ in range(_CHANGES):
        if not _change(whole, low, high, steps, exact, guess):
            break
        inverse(guess, steps, values, rounds_once)
        best = _keep(_wrong(low, high, values), best, guess, found)
        if best == 0:
            break
    return best


@jit
def solve_plane(bases, target, low, high, steps, rounds_once, coefficients, wrong):
    """Find the coefficients of all blocks of a plane whose samples are target, uint8, between bounds, int32."""
    block, least, most = np.zeros(64), np.zeros(64, np.int64), np.zeros(64, np.int64)
    found = np.zeros(64, np.int64)
    for y in range(coefficients.shape[0]):
        for x in range(coefficients.shape[1]):
            free = True
            for i in range(64):
                row, column = 8 * y + (i >> 3), 8 * x + (i & 7)
                block[i] = target[row, column]
                least[i], most[i] = low[row, column], high[row, column]
                free = free and least[i] == -ANY and most[i] == ANY
            wrong[y, x] = solve(bases, block, least, most, steps, rounds_once, found)
            for i in range(64):
                coefficients[y, x, i] = min(max(found[i], -32768), 32767)
