"""Lower triangles of symmetric matrices, for compiled kernels: sums of products of a vector with itself.

A triangle is one array, row by row, each row filled up to a multiple of :data:`PADDING`, so that it is whole vectors of
a processor. What stands beyond the diagonal means nothing. As in :mod:`vaezip.exact.cholesky`, vectors are written for
LLVM in its own language: each element is computed alone, and is the same on every machine.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from vaezip.exact.cholesky import LANES
from vaezip.exact.jit import borrowing, inline
from vaezip.exact.vectors import Array, everywhere

PADDING = 8

_INT32, _INT64, _DOUBLE = ir.IntType(32), ir.IntType(64), ir.DoubleType()
_INTEGERS, _FLOATS = ir.VectorType(_INT32, PADDING), ir.VectorType(_DOUBLE, PADDING)
_LANES = ir.VectorType(_DOUBLE, LANES)


def padded(size: int) -> int:
    """Return so many entries, filled up to whole vectors."""
    return -(-size // PADDING) * PADDING


@inline
def start_of_row(n):
    """Return where row n of a triangle begins: what a triangle of n rows takes.

    >>> [start_of_row(n) for n in (0, 1, 8, 9, 33)]
    [0, 8, 64, 80, 680]
    """
    whole, left = n // PADDING, n % PADDING
    return PADDING * (whole + 1) * (PADDING // 2 * whole + left)


@borrowing
def sum_squares(v, size, sums):
    """Compute the triangle of Σ v vᵀ over four vectors.

    Args:
        v: int32 (4, entries up to a multiple of PADDING); the sums stay within 32 bits.
        size: so many entries count.
        sums: float64, filled.
    """
    for n in range(size):
        for m in range(0, n + 1, PADDING):
            _sum_some(v, n, m, sums, start_of_row(n) + m)  # type: ignore[call-arg]


@borrowing
def spread(triangles, size, matrices):
    """Write triangles side by side into the upper triangles of matrices; what is below the diagonal stays unknown.

    Args:
        triangles: float64 (LANES, entries).
        size: rows of each.
        matrices: a :func:`vaezip.exact.cholesky.workspace`.
    """
    for n in range(size):
        for m in range(0, n + 1, LANES):
            _spread_some(triangles, start_of_row(n) + m, matrices, m, n)  # type: ignore[call-arg]


@intrinsic
def _sum_some(typing, v, n, m, sums, at):
    """Compute sums[at + j] = Σ_p v[p, n] · v[p, m + j] for PADDING j."""

    def generate(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        rows, out = (Array(context, b, (signature.args[i], arguments[i])) for i in (0, 3))
        total = ir.Constant(_INTEGERS, None)
        for p in range(4):
            one = b.load(rows.at(_INT64(p), arguments[1], kind=_INT32))
            others = b.load(rows.at(_INT64(p), arguments[2], kind=_INTEGERS), align=4)
            total = b.add(total, b.mul(everywhere(b, one, PADDING), others))
        b.store(b.sitofp(total, _FLOATS), out.at(arguments[4], kind=_FLOATS), align=8)
        return context.get_dummy_value()

    return types.void(v, types.int64, types.int64, sums, types.int64), generate


@intrinsic
def _spread_some(typing, triangles, at, matrices, m, n):
    """Write matrices[m + j, n, t] = triangles[t, at + j] for LANES j and t."""

    def generate(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        found, out = (Array(context, b, (signature.args[i], arguments[i])) for i in (0, 2))
        rows = [b.load(found.at(_INT64(t), arguments[1], kind=_LANES), align=8) for t in range(LANES)]
        for j, column in enumerate(_transposed(b, rows)):
            place = b.add(arguments[3], _INT64(j)), arguments[4], _INT64(0)
            b.store(column, out.at(*place, kind=_LANES), align=8)
        return context.get_dummy_value()

    return types.void(triangles, types.int64, matrices, types.int64, types.int64), generate


def _transposed(b: Any, rows: list[Any]) -> list[Any]:
    """Return the columns of LANES vectors: in each step, blocks twice as wide change places across the diagonal."""
    step, lanes = 1, range(LANES)
    while step < LANES:
        upper = [LANES + j - step if j & step else j for j in lanes]
        lower = [LANES + j if j & step else j + step for j in lanes]
        masks = [ir.Constant(ir.VectorType(_INT32, LANES), mask) for mask in (upper, lower)]
        rows = [b.shuffle_vector(rows[i & ~step], rows[i | step], masks[bool(i & step)]) for i in lanes]
        step <<= 1
    return rows
