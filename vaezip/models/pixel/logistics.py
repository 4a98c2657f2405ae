"""Make the mixtures of several pixels at once, and sum their slopes, in vectors that numba would not make.

It is the arithmetic of :mod:`vaezip.models.pixel.mixture` and :mod:`vaezip.models.pixel.gradient`, operation by
operation, each exact or correctly rounded; so the results are the same, bit by bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils as numba_tools
from numba.extending import intrinsic

from vaezip.entropy import distributions as d
from vaezip.exact.jit import borrowing, inline
from vaezip.exact.vectors import Array, everywhere
from vaezip.models import likelihoods
from vaezip.models.pixel.constants import DENSITY_FLOOR

cgutils: Any = numba_tools

PIXELS = 8
"""So many pixels are looked at together."""

_INPUTS = 4
"""So many inputs are added together."""

_INT32, _INT64, _FLOAT = ir.IntType(32), ir.IntType(64), ir.DoubleType()
_SHORTS, _INTS, _FLOATS = (ir.VectorType(kind, PIXELS) for kind in (_INT32, _INT64, _FLOAT))
_EDGE = likelihoods.SIGMOID_RANGE * likelihoods.SIGMOID_STEPS


@borrowing
def write_mixtures(n, out, prediction, c, powers, mixtures):
    """Write the mixtures of channel c of n pixels, those of all networks in one, and others up to a multiple of PIXELS.

    Args:
        n: pixels.
        out: int32 (networks, pixels, 3 mix), what the networks give.
        prediction: int64 (pixels, channels), by median edge.
        c: the channel.
        powers: e^−x, of :func:`vaezip.models.pixel.mixture.mixture_tables`.
        mixtures: weights, means and log scales, int64 (networks · mix, pixels), filled.
    """
    for v in range(out.shape[0]):
        for p in range(0, n, PIXELS):
            _write_some(out, (v, p, c), prediction, powers, mixtures)  # type: ignore[call-arg]


@intrinsic
def _write_some(typing, out, place, prediction, powers, mixtures):
    """Write the mixtures of a channel that a network gives PIXELS pixels, from one on; the place is all three."""

    def write(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        given, predicted, table = (Array(context, b, (signature.args[i], arguments[i])) for i in (0, 2, 3))
        written = _arrays(context, b, signature.args[4], arguments[4])
        v, p, c = (b.extract_value(arguments[1], i) for i in range(3))
        whole, mix = b.udiv(_INT64(1 << d.WEIGHT_BITS), given.shape[0]), b.udiv(given.shape[2], _INT64(3))
        first = b.mul(v, mix)

        def parameter(which: int, k: Any) -> Any:
            place = b.add(b.mul(_INT64(which), mix), k)
            return _together(b, (b.load(given.at(v, b.add(p, _INT64(i)), place, kind=_INT32)) for i in range(PIXELS)))

        best = _best(b, mix, parameter)
        _write_weights(b, (first, mix, p), whole, parameter, best, table.data, written[0])
        values = (b.load(predicted.at(b.add(p, _INT64(i)), c, kind=_INT64)) for i in range(PIXELS))
        middle = b.shl(_together(b, (b.trunc(value, _INT32) for value in values)), _all(_INT32, d.MEAN_BITS))
        with cgutils.for_range(b, mix) as loop:
            place = b.add(first, loop.index), p
            scale = _clamped(b, parameter(2, loop.index), d.LOG_SCALE_LOW, d.LOG_SCALE_HIGH)
            for array, numbers in zip(written[1:], (b.add(middle, parameter(1, loop.index)), scale)):
                b.store(b.sext(numbers, _INTS), array.at(*place, kind=_INTS), align=8)
        return context.get_dummy_value()

    return types.void(out, place, prediction, powers, mixtures), write


def _best(b: Any, mix: Any, parameter: Callable[[int, Any], Any]) -> tuple[Any, Any]:
    """Return the largest logit of each pixel, and the first logistic that has it."""
    best, where = (cgutils.alloca_once(b, _SHORTS) for _ in range(2))
    b.store(parameter(0, _INT64(0)), best)
    b.store(_all(_INT32, 0), where)
    with cgutils.for_range(b, mix) as loop:
        logit, known = parameter(0, loop.index), b.load(best)
        more = b.icmp_signed(">", logit, known)
        b.store(b.select(more, logit, known), best)
        b.store(b.select(more, everywhere(b, b.trunc(loop.index, _INT32), PIXELS), b.load(where)), where)
    return b.load(best), b.load(where)


def _write_weights(
    b: Any,
    place: tuple[Any, Any, Any],
    whole: Any,
    parameter: Callable[[int, Any], Any],
    best: tuple[Any, Any],
    powers: Any,
    out: Array,
) -> None:
    """Write the weights; what the divisions leave over goes to the first of the largest. Until the sum of all is known,
    their powers stand there as floats."""
    (first, mix, p), (largest, where) = place, best
    total, left = cgutils.alloca_once(b, _FLOATS), cgutils.alloca_once(b, _SHORTS)
    b.store(_all(_FLOAT, 0.0), total)
    b.store(everywhere(b, b.trunc(whole, _INT32), PIXELS), left)
    with cgutils.for_range(b, mix) as loop:
        gap, span = b.sub(largest, parameter(0, loop.index)), _all(_INT32, d.WEIGHT_SPAN)
        gap = b.select(b.icmp_signed("<", gap, span), gap, span)
        power = b.sitofp(_looked_up(b, powers, gap), _FLOATS)
        b.store(power, out.at(b.add(first, loop.index), p, kind=_FLOATS), align=8)
        b.store(b.fadd(b.load(total), power), total)
    factor = everywhere(b, b.sitofp(whole, _FLOAT), PIXELS)
    with cgutils.for_range(b, mix) as loop:
        address = b.add(first, loop.index), p
        power = b.load(out.at(*address, kind=_FLOATS), align=8)
        weight = b.fptosi(b.fdiv(b.fmul(power, factor), b.load(total)), _SHORTS)
        b.store(b.sext(weight, _INTS), out.at(*address, kind=_INTS), align=8)
        b.store(b.sub(b.load(left), weight), left)
    rest = b.load(left)
    for i in range(PIXELS):
        row = b.add(first, b.zext(b.extract_element(where, _INT32(i)), _INT64))
        one = out.at(row, b.add(p, _INT64(i)), kind=_INT64)
        b.store(b.add(b.load(one), b.sext(b.extract_element(rest, _INT32(i)), _INT64)), one)


@inline
def add_slopes(k, p, values, mixtures, tables, sums):
    """Add what logistic k of PIXELS pixels, from the p-th on, has to their sums: its weighted density, and that times
    its derivatives by mean and scale.

    Args:
        k, p: int64.
        values: int64 (pixels,), those of the pixels.
        mixtures: weights, means and log scales, int64 (logistics, pixels).
        tables: ``sigmoid``, ``reciprocal``, ``interior`` and ``inner`` of
            :func:`vaezip.models.likelihoods.gradient_tables`.
        sums: three of float64 (pixels,).
    """
    _add_slopes(k, p, values, mixtures, tables, sums)  # type: ignore[call-arg]


@intrinsic
def _add_slopes(typing, k, p, values, mixtures, tables, sums):
    """Do what :func:`add_slopes` does."""

    def write(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        mixture, by, out = (_arrays(context, b, signature.args[i], arguments[i]) for i in (3, 4, 5))
        known = Array(context, b, (signature.args[2], arguments[2]))
        x = _floats(b, b.load(known.at(arguments[1], kind=_INTS), align=8))
        parts = [b.load(part.at(*arguments[:2], kind=_INTS), align=8) for part in mixture]
        found = _logistics(b, x, parts, [table.data for table in by])
        for array, term in zip(out, found):
            address = array.at(arguments[1], kind=_FLOATS)
            b.store(b.fadd(b.load(address, align=8), term), address, align=8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, values, mixtures, tables, sums), write


@inline
def add_inputs(p, slope, inputs, first, second, j, gradient, size):
    """Add the inputs of pixel p times a slope to the gradients of channel j of two different classes, and their squares
    to the sizes.

    Args:
        p: int64.
        slope: float64.
        inputs: float64 (pixels, inputs).
        first, second, j: int64, the classes and the channel.
        gradient, size: float64 (classes, channels, inputs).
    """
    _add_inputs(p, slope, inputs, (first, second, j), gradient, size)  # type: ignore[call-arg]


@intrinsic
def _add_inputs(typing, p, slope, inputs, to, gradient, size):
    """Do what :func:`add_inputs` does; both classes and the channel are what it adds to."""

    def write(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        known, *out = (Array(context, b, (signature.args[i], arguments[i])) for i in (2, 4, 5))
        p, slope, _, to, _, _ = arguments
        *classes, j = (b.extract_value(to, i) for i in range(3))
        some = b.sub(known.shape[1], b.and_(known.shape[1], _INT64(_INPUTS - 1)))

        def add(q: Any, kind: Any, slopes: Any) -> None:
            x = b.load(known.at(p, q, kind=kind), align=8)
            for array, term in zip(out, (b.fmul(slopes, x), b.fmul(x, x))):
                for c in classes:
                    address = array.at(c, j, q, kind=kind)
                    b.store(b.fadd(b.load(address, align=8), term), address, align=8)

        slopes = everywhere(b, slope, _INPUTS)
        with cgutils.for_range_slice(b, _INT64(0), some, _INT64(_INPUTS), _INT64) as (q, _):
            add(q, slopes.type, slopes)
        with cgutils.for_range_slice(b, some, known.shape[1], _INT64(1), _INT64) as (q, _):
            add(q, _FLOAT, slope)
        return context.get_dummy_value()

    kinds = types.int64, types.float64, inputs, to, gradient, size
    return types.void(*kinds), write


def _logistics(b: Any, x: Any, mixture: list[Any], tables: list[Any]) -> tuple[Any, Any, Any]:
    """Return the weighted density of a logistic at each pixel, and that times its two derivatives."""
    w, m, s = mixture
    sigmoid, *by_scale = tables
    entry = b.sub(b.trunc(s, _SHORTS), _all(_INT32, d.LOG_SCALE_LOW))
    reciprocal, inside, inner = (_looked_up(b, table, entry) for table in by_scale)
    mean = b.fmul(_floats(b, m), _all(_FLOAT, 2.0**-d.MEAN_BITS))
    upper = b.fmul(b.fsub(b.fadd(x, _all(_FLOAT, 0.5)), mean), reciprocal)
    lower = b.fmul(b.fsub(b.fsub(x, _all(_FLOAT, 0.5)), mean), reciprocal)
    minus_upper, minus_lower = (b.fneg(y) for y in (upper, lower))
    above, not_above, below, not_below = (
        _looked_up(b, sigmoid, _steps(b, y)) for y in (minus_upper, upper, lower, minus_lower)
    )
    zero, one = _all(_FLOAT, 0.0), _all(_FLOAT, 1.0)
    first, last = b.fcmp_ordered("<=", x, zero), b.fcmp_ordered(">=", x, _all(_FLOAT, 255.0))
    below, not_below = b.select(first, zero, below), b.select(first, one, not_below)
    above, not_above = b.select(last, zero, above), b.select(last, one, not_above)
    edge = b.or_(first, last)
    inside, inner = b.select(edge, one, inside), b.select(edge, zero, inner)
    density = b.fmul(b.fmul(not_above, not_below), inside)
    by_mean = b.fmul(b.fsub(below, above), reciprocal)
    by_spread = b.fsub(b.fsub(b.fmul(lower, below), b.fmul(upper, above)), inner)
    part = b.fmul(_floats(b, w), b.fadd(density, _all(_FLOAT, DENSITY_FLOOR)))
    return part, b.fmul(part, by_mean), b.fmul(part, by_spread)


def _arrays(context: Any, b: Any, kind: Any, value: Any) -> list[Array]:
    """Return the arrays of a tuple."""
    parts = (b.extract_value(value, i) for i in range(len(kind.types)))
    return [Array(context, b, given) for given in zip(kind.types, parts)]


def _all(kind: Any, number: float) -> Any:
    return ir.Constant(ir.VectorType(kind, PIXELS), [number] * PIXELS)


def _floats(b: Any, numbers: Any) -> Any:
    """Return floats of integers, which fit 32 bits."""
    return b.sitofp(b.trunc(numbers, _SHORTS), _FLOATS)


def _steps(b: Any, x: Any) -> Any:
    """Return the places of the nearest points in the table of the logistic function."""
    scaled = b.fadd(b.fmul(x, _all(_FLOAT, likelihoods.SIGMOID_STEPS)), _all(_FLOAT, 0.5))
    floor = b.module.declare_intrinsic(f"llvm.floor.v{PIXELS}f64", (), ir.FunctionType(_FLOATS, [_FLOATS]))
    whole, low, high = b.call(floor, [scaled]), _all(_FLOAT, -_EDGE), _all(_FLOAT, _EDGE)
    whole = b.select(b.fcmp_ordered("<", whole, low), low, whole)
    whole = b.select(b.fcmp_ordered(">", whole, high), high, whole)
    return b.add(b.fptosi(whole, _SHORTS), _all(_INT32, _EDGE))


def _clamped(b: Any, numbers: Any, low: int, high: int) -> Any:
    least, most = _all(_INT32, low), _all(_INT32, high)
    numbers = b.select(b.icmp_signed("<", numbers, least), least, numbers)
    return b.select(b.icmp_signed(">", numbers, most), most, numbers)


def _looked_up(b: Any, table: Any, places: Any) -> Any:
    """Return the entries of a table at places that are not negative; integers in 32 bits."""
    found = []
    for lane in range(PIXELS):
        entry = b.load(b.gep(table, [b.zext(b.extract_element(places, _INT32(lane)), _INT64)]))
        found.append(b.trunc(entry, _INT32) if entry.type == _INT64 else entry)
    return _together(b, found)


def _together(b: Any, numbers: Iterable[Any]) -> Any:
    """Return a vector of so many numbers."""
    vector = None
    for lane, number in enumerate(numbers):
        vector = ir.Constant(ir.VectorType(number.type, PIXELS), ir.Undefined) if vector is None else vector
        vector = b.insert_element(vector, number, _INT32(lane))
    return vector
