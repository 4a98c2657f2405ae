"""Least squares by Cholesky factors, of several systems side by side, for compiled kernels.

The systems stand in the lanes of vectors, which are written for LLVM in its own language as in
:mod:`vaezip.exact.product16`. Each lane is float64 arithmetic of +, −, ×, ÷ and √, each correctly rounded, in an
order that is written down here: no sum is left to a library, and no multiplication is fused with a subtraction,
because nothing here is marked as free to be. So a lane's result is the same on every machine, and whatever the
other lanes hold.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from vaezip.exact.jit import borrowing
from vaezip.exact.product16 import HAS_WIDE_REGISTERS

LANES = 4
"""Systems side by side."""

TARGETS = 3
"""How many of the last variables can be regressed on those before."""

_BLOCK = 8 if HAS_WIDE_REGISTERS else 4
"""Elements of each of two rows that are reduced together: as many as registers hold."""

_LONG = ir.IntType(64)
_LANES = ir.VectorType(ir.DoubleType(), LANES)


def workspace(size: int) -> NDArray[np.float64]:
    """Allocate LANES matrices of so many variables, and rows for their coefficients: (rows, columns, LANES)."""
    return np.zeros((size + LANES, size + _BLOCK, LANES))


@borrowing
def factorise(a, size):
    """Factorise A = Uᵀ U, in place; the reciprocals of U's diagonal take its place.

    Two rows are reduced by all above them together, then the second by the first. What is below the diagonal stays
    unknown.

    Args:
        a: a :func:`workspace`, symmetric positive definite matrices in the upper triangles.
        size: how many variables.
    """
    for n in range(0, size - 1, 2):
        for m in range(n, size, _BLOCK):
            _reduce_two(a, n, m)  # type: ignore[call-arg]
        _finish_row(a, n, size)
        for m in range(n + 1, size):
            _reduce_by_row_before(a, n + 1, m)  # type: ignore[call-arg]
        _finish_row(a, n + 1, size)
    if size % 2:
        _reduce_one(a, size - 1, size - 1)  # type: ignore[call-arg]
        _finish_row(a, size - 1, size)


@borrowing
def _finish_row(a, n, size):
    _invert_root(a, n)  # type: ignore[call-arg]
    for m in range(n + 1, size):
        _scale(a, n, m)


@borrowing
def regress(a, size, targets):
    """Regress each of the last variables on all before it; row ``size + j`` takes the j-th one's coefficients.

    Args:
        a, size: after :func:`factorise`.
        targets: how many, up to TARGETS.
    """
    for j in range(TARGETS):
        a[size + j] = 0.0
        if j < targets:
            a[size + j, size - targets + j] = -1.0
    for n in range(size - 2, -1, -1):
        _substitute(a, n, size, targets)  # type: ignore[call-arg]


class _Cells:
    """An array (rows, columns, LANES) in LLVM: vectors of its cells."""

    def __init__(self, builder: Any, array: Any) -> None:
        self.builder, self.start = builder, builder.bitcast(array.data, _LANES.as_pointer())
        self.columns = builder.extract_value(array.shape, 1)

    def place(self, row: Any, column: Any) -> Any:
        b = self.builder
        return b.gep(self.start, [b.add(b.mul(row, self.columns), column)])

    def load(self, row: Any, column: Any) -> Any:
        return self.builder.load(self.place(row, column), align=8)

    def store(self, value: Any, row: Any, column: Any) -> None:
        self.builder.store(value, self.place(row, column), align=8)


Terms = Callable[[Any], tuple[list[Any], list[Any]]]


def _less(b: Any, first: list[Any], begin: Any, end: Any, terms: Terms) -> list[Any]:
    """Write first_rj − Σ_k share_kr · term_kj for k = begin … end − 1, in this order, those of the first r first."""
    before, loop, after = b.block, b.append_basic_block("term"), b.append_basic_block("done")
    b.cbranch(b.icmp_signed("<", begin, end), loop, after)
    b.position_at_end(loop)
    k = b.phi(_LONG)
    sums = [b.phi(_LANES) for _ in first]
    shares, found = terms(k)
    new = [b.fsub(total, b.fmul(*pair)) for total, pair in zip(sums, product(shares, found))]
    following = b.add(k, _LONG(1))
    for phi, start, next_ in zip([k, *sums], [begin, *first], [following, *new]):
        phi.add_incoming(start, before)
        phi.add_incoming(next_, loop)
    b.cbranch(b.icmp_signed("<", following, end), loop, after)
    b.position_at_end(after)
    results = [b.phi(_LANES) for _ in first]
    for result, start, last in zip(results, first, new):
        result.add_incoming(start, before)
        result.add_incoming(last, loop)
    return results


def _on_cells(write: Callable[..., None], integers: int) -> Callable[..., Any]:
    """Make a function for kernels, of an array and some integers, from one that writes its code."""

    def typed(array: Any) -> Any:
        return types.void(array, *[types.int64] * integers)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, *others = arguments
        write(builder, _Cells(builder, context.make_array(signature.args[0])(context, builder, array)), *others)
        return context.get_dummy_value()

    return lambda array: (typed(array), generate)


def _write_reduce(rows: int) -> Callable[..., None]:
    def write(b: Any, a: _Cells, n: Any, m: Any) -> None:
        places = [(b.add(n, _LONG(i)), b.add(m, _LONG(j))) for i in range(rows) for j in range(_BLOCK)]
        columns, shares = [column for _, column in places[:_BLOCK]], [row for row, _ in places[::_BLOCK]]

        def terms(k: Any) -> tuple[list[Any], list[Any]]:
            return [a.load(k, share) for share in shares], [a.load(k, column) for column in columns]

        left = _less(b, [a.load(*place) for place in places], _LONG(0), n, terms)
        for value, place in zip(left, places):
            a.store(value, *place)

    return write


def _write_reduction_by_row_before(b: Any, a: _Cells, n: Any, m: Any) -> None:
    before = b.sub(n, _LONG(1))
    a.store(b.fsub(a.load(n, m), b.fmul(a.load(before, n), a.load(before, m))), n, m)


def _write_inverse_root(b: Any, a: _Cells, n: Any) -> None:
    root = b.module.declare_intrinsic(f"llvm.sqrt.v{LANES}f64", (), ir.FunctionType(_LANES, [_LANES]))
    a.store(b.fdiv(ir.Constant(_LANES, [1.0] * LANES), b.call(root, [a.load(n, n)])), n, n)


def _write_scale(b: Any, a: _Cells, n: Any, m: Any) -> None:
    a.store(b.fmul(a.load(n, m), a.load(n, n)), n, m)


def _write_substitute(b: Any, a: _Cells, n: Any, size: Any, targets: Any) -> None:
    rows = [b.add(size, _LONG(j)) for j in range(TARGETS)]
    first = [ir.Constant(_LANES, [0.0] * LANES)] * TARGETS
    sums = _less(b, first, b.add(n, _LONG(1)), size, lambda k: ([a.load(n, k)], [a.load(row, k) for row in rows]))
    for row, value in zip(rows, sums):
        is_before = b.icmp_signed("<", n, b.sub(row, targets))
        a.store(b.select(is_before, b.fmul(value, a.load(n, n)), a.load(row, n)), row, n)


@intrinsic
def _reduce_one(typing, a, n, m):
    """Compute a[n, m …] −= Σ_(k < n) a[k, n] · a[k, m …], _BLOCK elements."""
    return _on_cells(_write_reduce(1), 2)(a)


@intrinsic
def _reduce_two(typing, a, n, m):
    """Compute the same of row n and of row n + 1: what rows before n take from it."""
    return _on_cells(_write_reduce(2), 2)(a)


@intrinsic
def _reduce_by_row_before(typing, a, n, m):
    """Compute a[n, m] −= a[n − 1, n] · a[n − 1, m]."""
    return _on_cells(_write_reduction_by_row_before, 2)(a)


@intrinsic
def _invert_root(typing, a, n):
    """Compute a[n, n] = 1 / √a[n, n]."""
    return _on_cells(_write_inverse_root, 1)(a)


@intrinsic
def _scale(typing, a, n, m):
    """Compute a[n, m] ·= a[n, n]."""
    return _on_cells(_write_scale, 2)(a)


@intrinsic
def _substitute(typing, a, n, size, targets):
    """Compute a[size + j, n] = −a[n, n] · Σ_(k > n) a[n, k] · a[size + j, k] for the targets j that come after n."""
    return _on_cells(_write_substitute, 3)(a)
