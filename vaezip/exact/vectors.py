"""Write for LLVM, in its own language, what kernels share: the addresses of an array, and vectors of one number."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

_LANE = ir.IntType(32)


class Array:
    """A contiguous array of one to three axes in LLVM."""

    def __init__(self, context: Any, builder: Any, given: tuple[Any, Any]) -> None:
        """Take an array as numba gives it: its type, and its value."""
        kind, value = given
        array = context.make_array(kind)(context, builder, value)
        self.builder, self.data = builder, array.data
        self.shape = [builder.extract_value(array.shape, axis) for axis in range(kind.ndim)]

    def at(self, *place: Any, kind: Any) -> Any:
        """Return a pointer to ``kind`` at a place."""
        b, offset = self.builder, place[0]
        for extent, index in zip(self.shape[1:], place[1:]):
            offset = b.add(b.mul(offset, extent), index)
        return b.bitcast(b.gep(self.data, [offset]), kind.as_pointer())


def everywhere(b: Any, value: Any, lanes: int) -> Any:
    """Copy a number into every lane of a vector."""
    unknown = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    one = b.insert_element(unknown, value, _LANE(0))
    return b.shuffle_vector(one, unknown, ir.Constant(ir.VectorType(_LANE, lanes), None))
