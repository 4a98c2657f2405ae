"""Find the lattice of a picture's colours without knowing the map, as crystallographers do.

Colours that went through a map lie near the points of a lattice, so that the Fourier transform of the set of colours
has peaks: their frequencies are rows of the inverse of the map, modulo 1, and their sums. A picture without a lattice
has low frequencies alone. The transform, in floats, only proposes frequencies, which are then refined in integers.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.jit import jit

Colours = NDArray[np.uint8]
"""Different colours, (count, 3)."""

Frequency = NDArray[np.int64]
"""Of red, green and blue, cycles over 2^32."""

_SIDE, _FIRST_CUBES, _CUBES, _FEWEST = 32, 8, 24, 40
"""The side of the cubes whose transforms are added, how many, first and where these leave hope, and the fewest colours
of one."""

_LOW = 4
"""Lower frequencies, in cycles of a cube, are the smooth density of colours."""

_PROPOSED, _KEPT = 40, 9
_STANDS_OUT = 5
"""How many times more power a peak has than colours that lie anyhow."""

_IN_PHASE, _SURELY = 64, 25
"""A peak has one part in so many of the power of colours all in phase; the first three have more. On photographs the
third has one in 30 or less, but one in 11 or more of what went through a map of determinant 4."""

_REFINED, _OF_ALL = 1 << 14, 4
"""Colours by which peaks are refined, at most; before the last step, of which one in so many tells enough."""

UNIT = 1 << 32
_STEPS, _SCALE = 1 << 12, 1 << 12
_SHIFT = 20

_ALIASED = UNIT * 5 // 16
"""A component that is greater may be that of another number of cycles."""

_STRAY = 0.36
"""The greatest standard deviation of a colour from its point: what rounding leaves is 0.29."""


@lru_cache
def waves() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return 2^12 · cos and sin of 2^12 steps of a cycle; a test knows their digest."""
    angle = np.arange(_STEPS) * (2 * np.pi / _STEPS)
    return tuple(np.rint(_SCALE * wave(angle)).astype(np.int64) for wave in (np.cos, np.sin))


class Peak(NamedTuple):
    """A frequency by which many colours are in phase, and the power of that."""

    power: int
    frequency: Frequency


def frequencies(colours: Colours) -> list[Frequency]:
    """Return the frequencies of the peaks of a set of colours, the strongest first; none where none stands out."""
    found: list[Peak] = []
    for cubes, surely in ((_FIRST_CUBES, 2 * _SURELY), (_CUBES, _SURELY)):
        found, whole = _peaks(colours, cubes)
        if len(found) < 3 or found[2].power * surely < whole:
            return []
    colours = colours[:: -(-len(colours) // _REFINED)]
    refined = sorted((_refined(colours, peak.frequency) for peak in found[:_KEPT]), key=_rank)
    return [peak.frequency for peak in _different(refined, UNIT >> 7)]


def _peaks(colours: Colours, most: int) -> tuple[list[Peak], int]:
    """Return the peaks that stand out in the cubes with most colours, and the power of all these colours in phase."""
    cells, counts = _cells(colours, _SIDE)
    order = np.lexsort((np.arange(len(counts)), -counts))[:most]
    order = order[counts[order] >= _FEWEST]
    if not len(order):
        return [], 0
    inside = np.isin(cells, order)
    some, cubes = colours[inside], cells[inside]
    noise, whole = (_SCALE * _SCALE * int(n) for n in (len(some), (counts[order] ** 2).sum()))
    least = max(_STANDS_OUT * noise, whole // _IN_PHASE)
    found = [Peak(_power(some, cubes, bins), bins) for bins in _proposed(some, cubes, order)]
    return _different(sorted((peak for peak in found if peak.power > least), key=_rank), UNIT >> 4), whole


def _different(peaks: list[Peak], apart: int) -> list[Peak]:
    """Return the peaks that are not near a stronger one."""
    found: list[Peak] = []
    for peak in peaks:
        if all(_apart(peak.frequency, known.frequency) > apart for known in found):
            found.append(peak)
    return found


def _rank(peak: Peak) -> tuple[int, list[int]]:
    return -peak.power, peak.frequency.tolist()


def _cells(colours: Colours, side: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of the cube of each colour, and how many each cube has."""
    wide, across = colours.astype(np.int64) // side, 256 // side
    cells = (wide[:, 0] * across + wide[:, 1]) * across + wide[:, 2]
    return cells, np.bincount(cells, minlength=across**3)


def _proposed(colours: Colours, cells: NDArray[np.int64], cubes: NDArray[np.int64]) -> list[Frequency]:
    """Return frequencies of much power, by a transform in floats."""
    places = np.zeros(int(cubes.max()) + 1, np.int64)
    places[cubes] = np.arange(len(cubes))
    occurs = np.zeros((len(cubes), _SIDE, _SIDE, _SIDE), np.float32)
    occurs[(places[cells], *(colours.astype(np.int64) % _SIDE).T)] = 1
    power = (np.abs(np.fft.rfftn(occurs, axes=(1, 2, 3))) ** 2).sum(axis=0)
    cycles = np.fft.fftfreq(_SIDE, 1 / _SIDE).astype(np.int64)
    low = np.abs(cycles) < _LOW
    half = slice(_SIDE // 2 + 1)
    power[low[:, None, None] & low[None, :, None] & low[None, None, half]] = 0
    found = []
    for place in np.argsort(-power, axis=None, kind="stable")[:_PROPOSED]:
        r, g, b = np.unravel_index(int(place), power.shape)
        found.append(np.array([cycles[r], cycles[g], b], np.int64) * (UNIT // _SIDE))
    return found


def _refined(colours: Colours, frequency: Frequency) -> Peak:
    """Return the peak near a frequency, by steps that shrink while the cubes grow in which colours are in phase."""
    found, power = frequency.copy(), 0
    for side in (32, 64, 128, 256):
        some = np.ascontiguousarray(colours[:: _OF_ALL if side < 256 else 1])
        power = int(_climb(some, _cells(some, side)[0], found, side, *waves()))
    centred = (found + UNIT // 2) % UNIT - UNIT // 2
    return Peak(power, centred if tuple(centred) > (0, 0, 0) else -centred)


def _apart(a: Frequency, b: Frequency) -> int:
    """Return how far apart two frequencies are, or one and the opposite of the other."""
    return min(int(np.abs((d + UNIT // 2) % UNIT - UNIT // 2).max()) for d in (a - b, a + b))


def _power(colours: Colours, cells: NDArray[np.int64], frequency: Frequency) -> int:
    return int(_sum(colours, cells, frequency, *waves()))


@jit
def _climb(colours, cells, found, side, cos, sin):
    """Move a frequency to where the power is greatest around it, by steps that shrink; return the power."""
    best, near, better = _sum(colours, cells, found, cos, sin), found.copy(), found.copy()
    step = UNIT // (2 * side)
    while step > UNIT // (64 * side):
        most = best
        for move in range(27):
            near[0], near[1] = found[0] + step * (move // 9 - 1), found[1] + step * (move // 3 % 3 - 1)
            near[2] = found[2] + step * (move % 3 - 1)
            power = _sum(colours, cells, near, cos, sin)
            if power > most:
                most = power
                better[:] = near
        if most > best:
            best = most
            found[:] = better
        else:
            step //= 2
    return best


@jit
def _sum(colours, cells, frequency, cos, sin):
    """Return the power of a frequency: the squares of the sums of each cube, added."""
    real, imaginary = np.zeros(512, np.int64), np.zeros(512, np.int64)
    x, y, cell = 0, 0, 0  # sums of colours in a row that are of one cube wait here
    for i in range(colours.shape[0]):
        phase = frequency[0] * colours[i, 0] + frequency[1] * colours[i, 1] + frequency[2] * colours[i, 2]
        step = (phase >> _SHIFT) & (4095)
        if cells[i] != cell:
            real[cell] += x
            imaginary[cell] += y
            x, y, cell = 0, 0, cells[i]
        x += cos[step]
        y += sin[step]
    real[cell] += x
    imaginary[cell] += y
    total = 0
    for i in range(512):
        total += real[i] * real[i] + imaginary[i] * imaginary[i]
    return total


def bases(colours: Colours, found: list[Frequency]) -> list[NDArray[np.int64]]:
    """Return matrices of three frequencies, int64 (3, 3) over 2^32, that may be the inverse of a map: those by which
    colours lie nearest to points of a lattice."""
    if len(found) < 3:
        return []
    some = colours[:: max(1, len(colours) // 512)].astype(np.int64)
    some = some - some.mean(axis=0).astype(np.int64)
    aliased = [_aliases(frequency) for frequency in found]
    ranked = []
    for three in combinations(range(len(found)), 3):
        for number, rows in enumerate(product(*(aliased[i] for i in three))):
            matrix = np.stack(rows)
            determinant = abs(np.linalg.det(matrix / UNIT))
            if not 1 / 40 < determinant < 1 / 1.6:
                continue
            stray = _stray(some, matrix)
            if stray < _STRAY:
                ranked.append((round(stray * 100), round(determinant * 50), three, number, matrix))
    ranked.sort(key=lambda entry: entry[:4])
    return [entry[-1] for entry in ranked[:6]]


def _aliases(frequency: Frequency) -> list[Frequency]:
    """Return the frequencies that look alike, of less than about 0.7 cycles a unit."""
    ways = [(n, n - UNIT if n > 0 else n + UNIT) if abs(n) > _ALIASED else (n,) for n in frequency.tolist()]
    return [np.array(way, np.int64) for way in product(*ways)]


def _stray(colours: NDArray[np.int64], matrix: NDArray[np.int64]) -> float:
    """Return how far colours lie from the points of the lattice whose inverse a matrix is: the greatest standard
    deviation of a channel."""
    cycles = colours @ matrix.T
    shift = [offset(column) for column in cycles.T]
    points = (cycles - shift + UNIT // 2) // UNIT
    left = (cycles - shift) / UNIT - points
    return float((left @ np.linalg.inv(matrix / UNIT).T).std(axis=0).max())


def offset(cycles: NDArray[np.int64]) -> int:
    """Return the phase of most, by the angle of their sum."""
    cos, sin = waves()
    step = (cycles >> _SHIFT) % _STEPS
    return round(np.arctan2(sin[step].sum(), cos[step].sum()) / (2 * np.pi) * _STEPS) << _SHIFT
