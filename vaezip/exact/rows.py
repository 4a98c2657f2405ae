"""Add rows of matrices of float64, for compiled kernels, by whole vectors.

Rows have room for a multiple of :data:`VECTOR` numbers, so that nothing is left over. As in
:mod:`vaezip.exact.cholesky`, vectors are written for LLVM in its own language: each element is computed alone, by
correctly rounded operations, and is the same on every machine. numba would first look at run time whether the rows
overlap, which takes longer than to add them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils as numba_tools
from numba.extending import intrinsic
from numpy.typing import NDArray

from vaezip.exact.vectors import Array, everywhere

VECTOR = 8

_ALIGNMENT = 64
_VECTOR = ir.VectorType(ir.DoubleType(), VECTOR)
_LONG = ir.IntType(64)

cgutils: Any = numba_tools
_settings: Any = config


def room(size: int) -> int:
    """Return how many numbers a row of so many has room for."""
    return -(-size // VECTOR) * VECTOR


def zeros(*shape: int) -> NDArray[np.float64]:
    """Return zeros that begin where a line of memory does; the last axis is to be a :func:`room`."""
    size = int(np.prod(shape))
    held = np.zeros(size + VECTOR)
    start = -held.ctypes.data % _ALIGNMENT // held.itemsize
    return held[start : start + size].reshape(shape)


def _write(b: Any, first: Any, end: Any, written: Callable[[Any], Any], value: Callable[[Any], Any]) -> None:
    """Write the vectors of a row that hold the columns from one to another."""
    begin = b.and_(first, _LONG(-VECTOR))
    with cgutils.for_range_slice(b, begin, end, _LONG(VECTOR), inc=True) as (column, _):
        b.store(value(column), written(column), align=8)


def _add_scaled(_: Any, sums: Any, i: Any, columns: Any, factor: Any, rows: Any, j: Any) -> Any:
    def write(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        out, others = (Array(context, b, (signature.args[n], arguments[n])) for n in (0, 4))
        factors, (first, end) = everywhere(b, arguments[3], VECTOR), cgutils.unpack_tuple(b, arguments[2])

        def value(column: Any) -> Any:
            before, other = (
                b.load(array.at(row, column, kind=_VECTOR), align=8)
                for array, row in ((out, arguments[1]), (others, arguments[5]))
            )
            return b.fadd(before, b.fmul(factors, other))

        _write(b, first, end, lambda column: out.at(arguments[1], column, kind=_VECTOR), value)
        return context.get_dummy_value()

    return types.void(sums, types.int64, columns, types.float64, rows, types.int64), write


def _add_two(_: Any, out: Any, i: Any, end: Any, factors: Any, one: Any, other: Any) -> Any:
    def write(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        written, *read = (Array(context, b, (signature.args[n], arguments[n])) for n in (0, 4, 5))
        i, end = arguments[1], arguments[2]
        scales = [everywhere(b, factor, VECTOR) for factor in cgutils.unpack_tuple(b, arguments[3])]

        def value(column: Any) -> Any:
            loads = (b.load(array.at(i, column, kind=_VECTOR), align=8) for array in read)
            return b.fadd(*(b.fmul(scale, row) for scale, row in zip(scales, loads)))

        _write(b, _LONG(0), end, lambda column: written.at(i, column, kind=_VECTOR), value)
        return context.get_dummy_value()

    return types.void(out, types.int64, types.int64, factors, one, other), write


def _add_scaled_plainly(sums: Any, i: int, columns: tuple[int, int], factor: float, rows: Any, j: int) -> None:
    some = slice(columns[0] // VECTOR * VECTOR, room(columns[1]))
    sums[i, some] += factor * rows[j, some]


def _add_two_plainly(out: Any, i: int, end: int, factors: tuple[float, float], one: Any, other: Any) -> None:
    some = slice(0, room(end))
    out[i, some] = factors[0] * one[i, some] + factors[1] * other[i, some]


add_scaled: Any = _add_scaled_plainly if _settings.DISABLE_JIT else intrinsic(_add_scaled)
"""Add a factor times row j of a matrix to row i of another, from a column to an end, and what shares their vectors."""

add_two: Any = _add_two_plainly if _settings.DISABLE_JIT else intrinsic(_add_two)
"""Write the sum of the rows i of two matrices, each times a factor, to row i of a third, up to an end."""
