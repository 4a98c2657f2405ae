"""Find the slots of sixteen contexts, and let them learn, all at once: numba would do it one by one.

What a slot and an expectation hold is written in :mod:`.histories`. All of it is arithmetic of 32-bit integers, but for
how far a probability moves after n bits, 2^16 / (n + 1.6), without a table: 655360 / (10 n + 16) is rounded to 24 bits,
which is less than lies between it and the next whole number, so that its whole part is exact.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from vaezip.entropy.mixing import LINE_BITS
from vaezip.exact.lanes import LANES
from vaezip.exact.vectors import Array, everywhere

HISTORIES = 128
"""Histories: the last bits, as many as there were but six at most, behind a 1."""

FIRST_SLOT = (1 << 31) | 1

_HISTORY_BITS = 7
_SLOT_SHIFT, _EXPECTED_SHIFT = 14, 10
"""Bits below the probability of a slot, which are its count and its history, and below that of what is expected, which
are a count."""

_LIMIT, _EXPECTED_LIMIT = 126, 255
"""The greatest counts."""

_PACE, _PACE_STEP, _PACE_FIRST = 655360, 10, 16
"""A probability moves by the first of these over the sum of the last and of so many for each bit before, of 2^16."""

_WITHIN = (1 << LINE_BITS) - 1
_NODES, _SPREAD = 0x9E3779B1, 0x2545F491

_NUMBER, _PLACE = ir.IntType(32), ir.IntType(64)
_VECTOR, _REALS = ir.VectorType(_NUMBER, LANES), ir.VectorType(ir.FloatType(), LANES)

_settings: Any = config


def _find(_: Any, contexts: Any, node: Any, shift: Any, places: Any) -> Any:
    def write(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        given, found = _addresses(context, b, signature, arguments, (0, 3))
        node, shift = (b.trunc(arguments[i], _NUMBER) for i in (1, 2))
        more = b.mul(b.lshr(node, _NUMBER(LINE_BITS)), _NUMBER(_NODES))
        hashes = b.load(given, align=4)
        lines = b.mul(b.add(b.and_(hashes, _all(~_WITHIN)), everywhere(b, more, LANES)), _all(_SPREAD))
        lines = b.shl(b.lshr(lines, everywhere(b, shift, LANES)), _all(LINE_BITS))
        within = b.and_(b.xor(hashes, everywhere(b, node, LANES)), _all(_WITHIN))
        b.store(b.or_(lines, within), found, align=4)
        return context.get_dummy_value()

    return types.void(contexts, types.int64, types.int64, places), write


def _teach(_: Any, found: Any, expected: Any, bit: Any, taught: Any) -> Any:
    def write(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        slots, expectations, after = _addresses(context, b, signature, arguments, (0, 1, 3))
        bit = everywhere(b, b.trunc(arguments[2], _NUMBER), LANES)
        slot, entry = b.load(slots, align=4), b.load(expectations, align=4)
        seen = b.and_(entry, _all((1 << _EXPECTED_SHIFT) - 1))
        p = _moved(b, b.lshr(entry, _all(_EXPECTED_SHIFT)), 32 - _EXPECTED_SHIFT, seen, bit)
        b.store(b.or_(b.shl(p, _all(_EXPECTED_SHIFT)), _counted(b, seen, _EXPECTED_LIMIT)), expectations, align=4)
        seen = b.and_(b.lshr(slot, _all(_HISTORY_BITS)), _all(HISTORIES - 1))
        p = _moved(b, b.lshr(slot, _all(_SLOT_SHIFT)), 32 - _SLOT_SHIFT, seen, bit)
        count = b.shl(_counted(b, seen, _LIMIT), _all(_HISTORY_BITS))
        history = _longer(b, b.and_(slot, _all(HISTORIES - 1)), bit)
        slot = b.or_(b.or_(b.shl(p, _all(_SLOT_SHIFT)), count), history)
        b.store(b.xor(slot, _all(FIRST_SLOT)), after, align=4)
        return context.get_dummy_value()

    return types.void(found, expected, types.int64, taught), write


def _addresses(context: Any, b: Any, signature: Any, arguments: Any, which: tuple[int, ...]) -> list[Any]:
    """Return where the first sixteen numbers of some arguments stand."""
    arrays = (Array(context, b, (signature.args[i], arguments[i])) for i in which)
    return [array.at(_PLACE(0), kind=_VECTOR) for array in arrays]


def _moved(b: Any, p: Any, bits: int, seen: Any, bit: Any) -> Any:
    """Write probabilities of so many bits after one bit more, which move by a product that is made of two, for 32 bits
    do not hold it."""
    paces = b.fdiv(_reals(_PACE), b.uitofp(b.add(b.mul(seen, _all(_PACE_STEP)), _all(_PACE_FIRST)), _REALS))
    pace, off = b.fptoui(paces, _VECTOR), b.sub(b.shl(bit, _all(bits)), p)
    lower = b.lshr(b.mul(b.and_(off, _all(255)), pace), _all(8))
    p = b.add(p, b.ashr(b.add(b.mul(b.ashr(off, _all(8)), pace), lower), _all(8)))
    return b.select(b.icmp_signed("<", p, _all(1)), _all(1), p)


def _counted(b: Any, seen: Any, limit: int) -> Any:
    """Write counts after one bit more."""
    return b.select(b.icmp_unsigned("<", seen, _all(limit)), b.add(seen, _all(1)), _all(limit))


def _longer(b: Any, history: Any, bit: Any) -> Any:
    """Write histories after one bit more, without their first one where they have six."""
    history = b.or_(b.shl(history, _all(1)), bit)
    rest = b.or_(b.and_(history, _all(HISTORIES // 2 - 1)), _all(HISTORIES // 2))
    return b.select(b.icmp_unsigned("<", history, _all(HISTORIES)), history, rest)


def _all(number: int) -> Any:
    return ir.Constant(_VECTOR, [number & 0xFFFFFFFF] * LANES)


def _reals(number: int) -> Any:
    return ir.Constant(_REALS, [float(number)] * LANES)


def _find_plainly(contexts: NDArray[Any], node: int, shift: int, places: NDArray[Any]) -> None:
    for i, context in enumerate(contexts[:LANES].tolist()):
        line = ((context & ~_WITHIN) + (node >> LINE_BITS) * _NODES) * _SPREAD & 0xFFFFFFFF
        places[i] = ((line >> int(shift)) << LINE_BITS) | ((context ^ node) & _WITHIN)


def _teach_plainly(found: NDArray[Any], expected: NDArray[Any], bit: int, taught: NDArray[Any]) -> None:
    for i, (slot, entry) in enumerate(zip(found[:LANES].tolist(), expected[:LANES].tolist())):
        seen = entry & ((1 << _EXPECTED_SHIFT) - 1)
        p = _moved_plainly(entry >> _EXPECTED_SHIFT, 32 - _EXPECTED_SHIFT, seen, bit)
        expected[i] = (p << _EXPECTED_SHIFT) | min(seen + 1, _EXPECTED_LIMIT)
        seen, history = (slot >> _HISTORY_BITS) & (HISTORIES - 1), 2 * (slot & (HISTORIES - 1)) + bit
        p = _moved_plainly(slot >> _SLOT_SHIFT, 32 - _SLOT_SHIFT, seen, bit)
        if history >= HISTORIES:
            history = (history & (HISTORIES // 2 - 1)) | (HISTORIES // 2)
        taught[i] = ((p << _SLOT_SHIFT) | (min(seen + 1, _LIMIT) << _HISTORY_BITS) | history) ^ FIRST_SLOT


def _moved_plainly(p: int, bits: int, seen: int, bit: int) -> int:
    return max(p + ((((bit << bits) - p) * (_PACE // (_PACE_STEP * seen + _PACE_FIRST))) >> 16), 1)


find: Any = _find_plainly if _settings.DISABLE_JIT else intrinsic(_find)
"""Write the places of the slots that sixteen contexts have for a node: a line by a hash, whose bits begin at a shift,
and one of its slots by the lowest bits of context and node."""

teach: Any = _teach_plainly if _settings.DISABLE_JIT else intrinsic(_teach)
"""Let sixteen slots that were found, and what was expected after their histories, learn from a bit: write the slots
after it, as they are kept, to another array, and what is expected then to the same one."""
