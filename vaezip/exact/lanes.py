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

DOTS = 3
"""So many sums are made together."""

_NUMBER, _LONG = ir.IntType(32), ir.IntType(64)
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


def _dots(vectors: int) -> Any:
    def typed(_: Any, weights: Any, places: Any, inputs: Any) -> Any:
        def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            b = builder
            rows, numbers = (Array(context, b, (signature.args[i], arguments[i])) for i in (0, 2))
            starts = [b.extract_value(arguments[1], i) for i in range(DOTS)]
            sums = [_constant(0)] * DOTS
            for vector in range(vectors):
                x = b.load(numbers.at(_LONG(LANES * vector), kind=_VECTOR), align=4)
                for i, start in enumerate(starts):
                    w = b.load(rows.at(b.add(start, _LONG(LANES * vector)), kind=_VECTOR), align=4)
                    sums[i] = b.add(sums[i], b.ashr(b.mul(w, x), _constant(10)))
            totals = [b.sext(b.extract_element(_totals(b, *sums), _NUMBER(i)), _LONG) for i in range(DOTS)]
            return context.make_tuple(b, signature.return_type, totals)

        return places(weights, places, inputs), write

    return typed


def _totals(b: Any, one: Any, two: Any, three: Any) -> Any:
    """Return a vector that begins with the sums of three vectors, which are added up together."""

    def added(v: Any, w: Any, *lanes: list[int]) -> Any:
        return b.add(*(b.shuffle_vector(v, w, ir.Constant(ir.VectorType(_NUMBER, len(some)), some)) for some in lanes))

    quarters = []
    for v in (one, two, three):
        half = added(v, v, list(range(8)), list(range(8, 16)))
        quarters.append(added(half, half, list(range(4)), list(range(4, 8))))
    one, two, three = quarters
    pairs = added(one, two, [0, 1, 4, 5], [2, 3, 6, 7])
    return added(pairs, added(three, three, [0, 1, 0, 1], [2, 3, 2, 3]), [0, 2, 4, 4], [1, 3, 5, 5])


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


def _dots_plainly(weights: Any, places: Any, inputs: Any, count: int = 2 * LANES) -> tuple[int, ...]:
    numbers = inputs[:count].tolist()
    rows = (weights[place : place + count].tolist() for place in places)
    return tuple(sum((w * x) >> 10 for w, x in zip(row, numbers)) for row in rows)


def _longer_dots_plainly(weights: Any, places: Any, inputs: Any) -> tuple[int, ...]:
    return _dots_plainly(weights, places, inputs, 3 * LANES)


def _move_plainly(weights: Any, place: int, inputs: Any, first: int, step: int, bound: int) -> None:
    for i in range(LANES):
        moved = ((int(inputs[first + i]) * step + (1 << 14)) >> 15) + int(weights[place + i])
        weights[place + i] = min(max(moved, -bound), bound)


dots_of_two: Any = _dots_plainly if _settings.DISABLE_JIT else intrinsic(_dots(2))
"""Return the sums of 32 products, each shifted by 10, of the first numbers of an array and of those of another from
three places on."""

dots_of_three: Any = _longer_dots_plainly if _settings.DISABLE_JIT else intrinsic(_dots(3))
"""Return the same of 48."""

move: Any = _move_plainly if _settings.DISABLE_JIT else intrinsic(_move)
"""Move sixteen weights by (input · step + 2^14) >> 15, but not beyond a bound."""
