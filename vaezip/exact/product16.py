"""Products of 16-bit integer matrices in 32-bit sums, for compiled kernels.

Processors multiply vectors of 16-bit integers and add neighbouring products into 32 bits in one
instruction, but compilers seldom find it in loops. Here the same is written for LLVM in vectors of
its own language: integers only, so every machine, whatever its instructions, has the same sums.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import config, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from vaezip.exact.jit import borrowing
from vaezip.exact.vectors import everywhere

LANES = 16
"""Outputs of one vector."""

ROWS = 4
"""Rows of x that are gone through together: their arrays must have a multiple of so many."""

_BYTE, _INT32, _INT64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_SUMS = ir.VectorType(_INT32, LANES)
_PAIRS = ir.VectorType(ir.IntType(16), 2 * LANES)
_PRODUCTS = ir.VectorType(_INT32, 2 * LANES)
_EVEN, _ODD = (ir.Constant(_SUMS, list(range(first, 2 * LANES, 2))) for first in (0, 1))


def empty(outputs: int, inputs: int) -> NDArray[np.int16]:
    """Allocate a matrix W (outputs, inputs) in the layout of :func:`product16`: (pairs of inputs, outputs, 2).

    It holds zeros where there is no input or output.
    """
    return np.zeros((-(-inputs // 2), -(-outputs // LANES) * LANES, 2), np.int16)


@borrowing
def pack(weight, out):
    """Write W (outputs, inputs), integers of any type within 16 bits, into an array of :func:`empty`."""
    for i in range(weight.shape[1]):
        for o in range(weight.shape[0]):
            out[i >> 1, o, i & 1] = np.int16(weight[o, i])


def _block(rows: int, vectors: int, across: bool = False) -> Callable[..., Any]:
    """Make a function for kernels that sums some rows of x and ``LANES · vectors`` outputs; or columns of pairs, whose
    sums go to the first rows."""

    @intrinsic
    def block(typing, x, row, pairs, w, output, out):
        def generate(context, builder, signature, arguments):
            x, w, out = (
                _Rows(builder, context.make_array(signature.args[i])(context, builder, arguments[i])) for i in (0, 3, 5)
            )
            read = (
                (lambda row, pair: x.at(pair, row, _INT32)) if across else (lambda row, pair: x.at(row, pair, _INT32))
            )
            corner = arguments[1], arguments[4], _INT64(0) if across else arguments[1]
            _sums(builder, (rows, vectors), read, arguments[2], w, out, corner)
            return context.get_dummy_value()

        return types.void(x, types.int64, types.int64, w, types.int64, out), generate

    return block


class _Rows:
    """An array in LLVM: the addresses of its rows."""

    def __init__(self, builder: Any, array: Any) -> None:
        self.builder, self.start = builder, builder.bitcast(array.data, _BYTE.as_pointer())
        self.count = builder.extract_value(array.shape, 0)
        self.stride = builder.extract_value(array.strides, 0)

    def at(self, row: Any, word: Any, kind: Any) -> Any:
        """Return a pointer to ``kind`` at 32-bit word ``word`` of a row."""
        b = self.builder
        offset = b.add(b.mul(row, self.stride), b.mul(word, _INT64(4)))
        return b.bitcast(b.gep(self.start, [offset]), kind.as_pointer())


def _sums(b: Any, size: tuple[int, int], x: Any, pairs: Any, w: _Rows, out: _Rows, corner: tuple[Any, ...]) -> None:
    """Write out[at + i, j] = Σ_k x[i, 2k] w[k, j, 0] + x[i, 2k + 1] w[k, j, 1] for (rows, vectors) from a corner on."""
    (rows, vectors), (row, output, at) = size, corner
    before, loop, after = b.block, b.append_basic_block("pair"), b.append_basic_block("done")
    b.branch(loop)
    b.position_at_end(loop)
    k = b.phi(_INT64)
    k.add_incoming(_INT64(0), before)
    totals = [[b.phi(_SUMS) for _ in range(vectors)] for _ in range(rows)]
    weights = [b.load(w.at(k, b.add(output, _INT64(LANES * v)), _PAIRS), align=2) for v in range(vectors)]
    sums = []
    for p, total in enumerate(totals):
        pair = b.bitcast(everywhere(b, b.load(x(b.add(row, _INT64(p)), k), align=2), LANES), _PAIRS)
        sums.append([b.add(t, _multiplied(b, pair, weight)) for t, weight in zip(total, weights)])
    following = b.add(k, _INT64(1))
    k.add_incoming(following, loop)
    for total, new in zip(totals, sums):
        for t, s in zip(total, new):
            t.add_incoming(ir.Constant(_SUMS, None), before)
            t.add_incoming(s, loop)
    b.cbranch(b.icmp_signed("<", following, pairs), loop, after)
    b.position_at_end(after)
    for p, new in enumerate(sums):
        for v, s in enumerate(new):
            b.store(s, out.at(b.add(at, _INT64(p)), b.add(output, _INT64(LANES * v)), _SUMS), align=4)


def _multiplied(b: Any, x: Any, w: Any) -> Any:
    """Return the sum of the two products of every pair."""
    products = b.mul(b.sext(x, _PRODUCTS), b.sext(w, _PRODUCTS))
    even, odd = (b.shuffle_vector(products, ir.Constant(_PRODUCTS, ir.Undefined), part) for part in (_EVEN, _ODD))
    return b.add(even, odd)


def _has_wide_registers() -> bool:
    """Tell whether kernels are compiled for vectors of 512 bits."""
    asked: str | None = getattr(config, "CPU_FEATURES", None)  # of NUMBA_CPU_FEATURES
    if asked is not None:
        return "+avx512f" in asked
    return bool(get_host_cpu_features().get("avx512f"))


HAS_WIDE_REGISTERS = _has_wide_registers()

# As many sums at once as stay in registers, or all of it takes three times as long.
_FOURS, _TWOS = (4, 4) if HAS_WIDE_REGISTERS else (1, 2)
_four_rows, _two_rows = _block(4, _FOURS), _block(2, _TWOS)
_four_by_three, _four_by_two, _eight_by_one = _block(4, min(3, _FOURS)), _block(4, min(2, _FOURS)), _block(8, 1)
_four_by_one, _two_by_one = _block(4, 1), _block(2, 1)
_four_columns, _four_columns_by_one = _block(4, _FOURS, across=True), _block(4, 1, across=True)


@borrowing
def product16(n, x, w, out):
    """Compute out = x Wᵀ, sums modulo 2^32, for the first n rows; up to three more rows of out are overwritten.

    Args:
        n: how many rows.
        x: int16 (rows, inputs), rows a multiple of ``ROWS``, an even number of inputs, contiguous.
        w: a matrix of :func:`pack`.
        out: int32 (rows, at least as many outputs as w has).
    """
    pairs, outputs = w.shape[0], w.shape[1]
    if n <= 2:
        wide = outputs - outputs % (LANES * _TWOS)
        for o in range(0, wide, LANES * _TWOS):
            _two_rows(x, 0, pairs, w, o, out)
        for o in range(wide, outputs, LANES):
            _two_by_one(x, 0, pairs, w, o, out)
        return
    wide = outputs - outputs % (LANES * _FOURS)
    left = (outputs - wide) // LANES
    for p in range(0, n, ROWS):
        for o in range(0, wide, LANES * _FOURS):
            _four_rows(x, p, pairs, w, o, out)
        if left == 3:
            _four_by_three(x, p, pairs, w, wide, out)
        elif left == 2:
            _four_by_two(x, p, pairs, w, wide, out)
    if left == 1:
        for p in range(0, n - n % 8, 8):
            _eight_by_one(x, p, pairs, w, wide, out)
        for p in range(n - n % 8, n, ROWS):
            _four_by_one(x, p, pairs, w, wide, out)


@borrowing
def product16_of_pairs(column, pairs, x, w, outputs, out):
    """Compute ROWS rows of out = xᵀ w, where both are matrices of pairs of rows, int16 (pairs, columns, 2).

    Args:
        column: the first of ROWS columns of x.
        pairs: so many are added up, sums modulo 2^32.
        x, w: the matrices; they may have more columns than are looked at, and x must have those of a multiple of ROWS.
        outputs: so many columns of w are looked at, a multiple of ``LANES``.
        out: int32 (ROWS, outputs or more), filled.
    """
    wide = outputs - outputs % (LANES * _FOURS)
    for o in range(0, wide, LANES * _FOURS):
        _four_columns(x, column, pairs, w, o, out)
    for o in range(wide, outputs, LANES):
        _four_columns_by_one(x, column, pairs, w, o, out)
