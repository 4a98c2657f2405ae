"""Least squares by Cholesky factors, of several systems side by side, for compiled kernels.

The systems stand in the lanes of vectors, which are written for LLVM in its own language as in
:mod:`vaezip.exact.product16`. Each lane is float64 arithmetic of +, −, ×, ÷ and √, each correctly rounded, in an
order that is written down here: no sum is left to a library, and no multiplication is fused with a subtraction,
because nothing here is marked as free to be. So a lane's result is the same on every machine, and whatever the
other lanes hold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from vaezip.exact.jit import borrowing

LANES = 4
"""Systems side by side."""

TARGETS = 3
"""How many of the last variables can be regressed on those before."""

_BLOCK = 8
"""Elements of a row that are reduced together."""

_LONG = ir.IntType(64)
_LANES = ir.VectorType(ir.DoubleType(), LANES)


def workspace(size: int) -> NDArray[np.float64]:
    """Allocate LANES matrices of so many variables, and rows for their coefficients: (rows, columns, LANES)."""
    return np.zeros((size + TARGETS + 1, size + _BLOCK, LANES))


@borrowing
def factorise(a, size):
    """Factorise A = Uᵀ U, in place; the reciprocals of U's diagonal take its place.

    Args:
        a: a :func:`workspace`, symmetric positive definite matrices in the upper triangles.
        size: how many variables.
    """
    for n in range(size):
        for m in range(n, size, _BLOCK):
            _reduce(a, n, m)  # type: ignore[call-arg]
        pivot, row = a[n, n], a[n]
        for t in range(LANES):
            pivot[t] = 1.0 / np.sqrt(pivot[t])
        for m in range(n + 1, size):
            for t in range(LANES):
                row[m, t] *= pivot[t]


@borrowing
def regress(a, size, targets):
    """Regress each of the last variables on all before it; row ``size + j`` takes the j-th one's coefficients.

    Args:
        a, size: after :func:`factorise`.
        targets: how many, up to TARGETS.
    """
    sums = a[size + TARGETS]
    for j in range(TARGETS):
        a[size + j] = 0.0
        if j < targets:
            a[size + j, size - targets + j] = -1.0
    for n in range(size - 2, -1, -1):
        _residues(a, n, size)  # type: ignore[call-arg]
        for j in range(max(0, n - (size - targets) + 1), targets):
            for t in range(LANES):
                a[size + j, n, t] = sums[j, t] * a[n, n, t]


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


Terms = Callable[[Any], tuple[Any, list[Any]]]


def _less(b: Any, first: list[Any], begin: Any, end: Any, terms: Terms) -> list[Any]:
    """Write first_j − Σ_k share_k · term_kj for k = begin … end − 1, in this order."""
    before, loop, after = b.block, b.append_basic_block("term"), b.append_basic_block("done")
    b.cbranch(b.icmp_signed("<", begin, end), loop, after)
    b.position_at_end(loop)
    k = b.phi(_LONG)
    sums = [b.phi(_LANES) for _ in first]
    share, found = terms(k)
    new = [b.fsub(total, b.fmul(share, term)) for total, term in zip(sums, found)]
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


def _write_reduce(b: Any, a: _Cells, n: Any, m: Any) -> None:
    columns = [b.add(m, _LONG(j)) for j in range(_BLOCK)]
    first = [a.load(n, column) for column in columns]
    left = _less(b, first, _LONG(0), n, lambda k: (a.load(k, n), [a.load(k, column) for column in columns]))
    for value, column in zip(left, columns):
        a.store(value, n, column)


def _write_residues(b: Any, a: _Cells, n: Any, size: Any) -> None:
    rows = [b.add(size, _LONG(j)) for j in range(TARGETS)]
    first = [ir.Constant(_LANES, [0.0] * LANES)] * TARGETS
    sums = _less(b, first, b.add(n, _LONG(1)), size, lambda k: (a.load(n, k), [a.load(row, k) for row in rows]))
    for j, value in enumerate(sums):
        a.store(value, b.add(size, _LONG(TARGETS)), _LONG(j))


@intrinsic
def _reduce(typing, a, n, m):
    """Compute a[n, m …] −= Σ_(k < n) a[k, n] · a[k, m …], _BLOCK elements."""
    return _on_cells(_write_reduce, 2)(a)


@intrinsic
def _residues(typing, a, n, size):
    """Compute a[size + TARGETS, j] = −Σ_(k > n) a[n, k] · a[size + j, k]."""
    return _on_cells(_write_residues, 2)(a)
