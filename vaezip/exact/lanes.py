"""Work on sixteen 32-bit integers at once, which numba would do one by one where it knows how many there are.

LLVM makes of this what a processor has: vectors of four, eight or sixteen. All of it is integer arithmetic, which is
the same everywhere.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

from vaezip.exact.vectors import Array, everywhere

LANES = 16

_NUMBER = ir.IntType(32)
_VECTOR = ir.VectorType(_NUMBER, LANES)

_settings: Any = config


def _address(context: Any, builder: Any, signature: Any, arguments: Any, place: int) -> Any:
    """Return where sixteen numbers stand: argument number ``place`` is an array, the next one the first of them."""
    array = Array(context, builder, (signature.args[place], arguments[place]))
    return array.at(arguments[place + 1], kind=_VECTOR)


def _constant(number: int) -> Any:
    return ir.Constant(_VECTOR, [number] * LANES)


def _spread(builder: Any, number: Any) -> Any:
    """Return a vector of one number, sixteen times."""
    return everywhere(builder, builder.trunc(number, _NUMBER), LANES)


def _dot(_: Any, weights: Any, place: Any, inputs: Any, first: Any) -> Any:
    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        w = builder.load(_address(context, builder, signature, arguments, 0), align=4)
        x = builder.load(_address(context, builder, signature, arguments, 2), align=4)
        product = builder.ashr(builder.mul(w, x), _constant(10))
        kind = ir.FunctionType(_NUMBER, [_VECTOR])
        total = builder.module.declare_intrinsic("llvm.vector.reduce.add.v16i32", (), kind)
        return builder.sext(builder.call(total, [product]), ir.IntType(64))

    return types.int64(weights, place, inputs, first), write


def _move(_: Any, weights: Any, place: Any, inputs: Any, first: Any, step: Any, bound: Any) -> Any:
    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, signature, arguments, 0)
        w = builder.load(address, align=4)
        x = builder.load(_address(context, builder, signature, arguments, 2), align=4)
        product = builder.add(builder.mul(x, _spread(builder, arguments[4])), _constant(1 << 14))
        moved = builder.add(builder.ashr(product, _constant(15)), w)
        most = _spread(builder, arguments[5])
        least = builder.sub(_constant(0), most)
        moved = builder.select(builder.icmp_signed("<", moved, least), least, moved)
        moved = builder.select(builder.icmp_signed(">", moved, most), most, moved)
        builder.store(moved, address, align=4)
        return context.get_dummy_value()

    return types.void(weights, place, inputs, first, step, bound), write


def _dot_plainly(weights: Any, place: int, inputs: Any, first: int) -> int:
    pairs = zip(weights[place : place + LANES].tolist(), inputs[first : first + LANES].tolist())
    return sum((w * x) >> 10 for w, x in pairs)


def _move_plainly(weights: Any, place: int, inputs: Any, first: int, step: int, bound: int) -> None:
    for i in range(LANES):
        moved = ((int(inputs[first + i]) * step + (1 << 14)) >> 15) + int(weights[place + i])
        weights[place + i] = min(max(moved, -bound), bound)


dot: Any = _dot_plainly if _settings.DISABLE_JIT else intrinsic(_dot)
"""Return the sum of sixteen products, each shifted by 10, of numbers of two arrays, from a place in each on."""

move: Any = _move_plainly if _settings.DISABLE_JIT else intrinsic(_move)
"""Move sixteen weights by (input · step + 2^14) >> 15, but not beyond a bound."""
