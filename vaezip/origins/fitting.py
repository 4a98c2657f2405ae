"""Fit a colour map to a picture whose colours lie on a lattice, in exact integers and fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
from numpy.typing import NDArray

from vaezip.origins import inverse, lattice
from vaezip.origins.colour import FITTED_SHIFT, ColourMap

Numbers = NDArray[np.int64]

_SHIFT = 28
_ONE = 1 << _SHIFT
_MARGINS = (_ONE // 50, _ONE // 200, _ONE // 1000)
"""How far from the ends of its interval a value is wanted, first and last."""

_ASTRAY = (_ONE, _ONE // 2, _ONE // 4, _ONE // 8)
"""A value that is further from its interval is no matter of coefficients: in the first fit, and in those behind it."""

_STEPS = 8

_FIRST, _SOME = 1 << 11, 1 << 15
"""Colours that a first fit and the last go by."""

_JPEG = ((1.402, -0.714, 0.0), (1.0, 1.0, 1.0), (0.0, -0.344, 1.772))
"""What Cr, Y and Cb of a JPEG add to red, green and blue."""

_JPEG_DETERMINANT = 4


def fitted(colours: lattice.Colours) -> ColourMap | None:
    """Return the map that colours went through, different ones of which none is clipped, if they lie on a lattice."""
    found = _coarsest(colours, lattice.bases(colours, lattice.frequencies(colours)))
    if found is None:
        return None
    for astray in _ASTRAY:
        found = _again(found, _part(colours, _SOME), astray) or found
    return _arranged(found)


def _part(colours: lattice.Colours, most: int) -> lattice.Colours:
    return np.ascontiguousarray(colours[:: -(-len(colours) // most)])


def _coarsest(colours: lattice.Colours, matrices: list[Numbers]) -> ColourMap | None:
    """Return the map of the coarsest of the lattices that explain most."""
    some, fits = _part(colours, _FIRST), []
    for number, matrix in enumerate(matrices):
        found = _first(some, matrix)
        back = inverse.inverse(found) if found else None
        if found and back:
            share = inverse.explained(back, some) * 32 // len(some)
            fits.append((share, _determinant(found.rows), -number, found))
    if not fits:
        return None
    most = max(share for share, *_ in fits)
    return max((fit for fit in fits if fit[0] + 1 >= most), key=lambda fit: fit[1:3])[-1]


def _determinant(rows: tuple[tuple[int, ...], ...]) -> int:
    (a, b, c, _), (d, e, f, _), (g, h, i, _) = rows
    return abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))


def _first(colours: lattice.Colours, matrix: Numbers) -> ColourMap | None:
    """Fit a map whose inverse is about a matrix of frequencies."""
    cycles = colours.astype(np.int64) @ matrix.T
    shift = np.array([lattice.offset(column) for column in cycles.T], np.int64)
    planes = (cycles - shift + lattice.UNIT // 2) // lattice.UNIT
    found = _fit(planes, colours, _ASTRAY[0])
    return _again(found, colours, _ASTRAY[0]) if found else None


def _again(found: ColourMap, colours: lattice.Colours, astray: int) -> ColourMap | None:
    """Fit a map to the colours that a map nearly like it explains."""
    back = inverse.inverse(found)
    if back is None:
        return None
    planes, _ = inverse.planes_of_colours(back, colours)
    return _fit(planes, colours, astray)


def _fit(planes: Numbers, colours: lattice.Colours, astray: int) -> ColourMap | None:
    """Fit the coefficients of a map to planes, which are moved to the middle, and their colours."""
    middle = (planes.max(axis=0) + planes.min(axis=0)) // 2 - 128
    inputs = np.concatenate([planes - middle, np.ones((len(planes), 1), np.int64)], axis=1)
    rows = []
    for channel in range(3):
        row = _channel(inputs, colours[:, channel].astype(np.int64), astray)
        if row is None:
            return None
        rows.append(tuple((n + (1 << (_SHIFT - FITTED_SHIFT - 1))) >> (_SHIFT - FITTED_SHIFT) for n in row))
    return _checked(rows)


def _checked(rows: list[tuple[int, ...]]) -> ColourMap | None:
    """Return the map of rows, if its numbers fit into a file."""
    if max(abs(n) for row in rows for n in row) >= 1 << 31:
        return None
    return ColourMap(tuple(rows))


def _channel(inputs: Numbers, values: Numbers, astray: int) -> list[int] | None:
    """Return coefficients over 2^28 so that as many values as can be are the sums, rounded down: first by least
    squares, then by steps on the values that are none."""
    row = solve(inputs.T @ inputs, inputs.T @ (2 * values + 1), Fraction(_ONE, 2))
    if row is None:
        return None
    for margin in _MARGINS:
        for _ in range(_STEPS):
            over = inputs @ np.array(row) - values * _ONE
            wrong = np.minimum(over - margin, 0) + np.maximum(over - (_ONE - margin), 0)
            active = (wrong != 0) & (np.abs(wrong) < astray)
            some = inputs[active]
            step = solve(some.T @ some, some.T @ wrong[active], Fraction(1)) if len(some) > inputs.shape[1] else None
            if step is None:
                break
            row = [n - change for n, change in zip(row, step)]
    return row if max(map(abs, row)) < 1 << 44 else None


def solve(matrix: Numbers, vector: Numbers, scale: Fraction) -> list[int] | None:
    """Solve equations exactly, and return the solution times a scale, rounded; None where there is no single one."""
    size = len(vector)
    rows = [[*row, value] for row, value in zip(matrix.tolist(), vector.tolist())]
    last = 1
    for i in range(size):  # by Bareiss: each division leaves no rest, so that nothing but integers is needed
        pivot = next((j for j in range(i, size) if rows[j][i]), None)
        if pivot is None:
            return None
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for j in range(size):
            if j != i:
                rows[j] = [(rows[i][i] * n - rows[j][i] * m) // last for n, m in zip(rows[j], rows[i])]
        last = rows[i][i]
    return [round(Fraction(row[size] * scale.numerator, last * scale.denominator)) for row in rows]


def _arranged(found: ColourMap) -> ColourMap | None:
    """Return the map from those planes of the same lattice that are most like Cr, Y and Cb."""
    columns = np.array([row[:3] for row in found.rows], np.int64)
    size = (_determinant(found.rows) / (_JPEG_DETERMINANT << 3 * FITTED_SHIFT)) ** (1 / 3)
    steps = np.array([step for step in product(range(-2, 3), repeat=3) if any(step)], np.int64)
    points = columns @ steps.T
    best = []
    for goal in _JPEG:
        far = points - np.array([round(n * size * (1 << FITTED_SHIFT)) for n in goal], np.int64)[:, None]
        best.append(steps[np.argmin(((far >> 4) ** 2).sum(axis=0))])
    change = np.stack(best, axis=1)
    if abs(round(np.linalg.det(change))) == 1:
        columns = columns @ change
    return _checked([tuple(int(n) for n in (*three, row[3])) for three, row in zip(columns, found.rows)])


def moved(found: ColourMap, colours: lattice.Colours) -> ColourMap | None:
    """Return the same map of planes that are moved so that those of grey 128 are 128, or else so that all colours of a
    picture, clipped ones too, have planes of 0 … 255."""
    grey = _centred(found, _planes(found, np.full((1, 3), 128, np.uint8))[0] - 128)
    if grey is None:
        return None
    planes = _planes(grey, colours)
    low, high = planes.min(axis=0), planes.max(axis=0)
    shift = np.where((low < 0) | (high > 255), (low + high + 1) // 2 - 128, 0)
    return _centred(grey, shift)


def _planes(found: ColourMap, colours: lattice.Colours) -> Numbers:
    """Return the planes that are nearest to colours."""
    back = inverse.inverse(found)
    return inverse.nearest(back, colours.astype(np.int64)) if back else np.zeros(colours.shape, np.int64)


def _centred(found: ColourMap, shift: Numbers) -> ColourMap | None:
    """Return the map of planes that are less by a shift."""
    return _checked([(*row[:3], row[3] + sum(n * int(s) for n, s in zip(row[:3], shift))) for row in found.rows])
