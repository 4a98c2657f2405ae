"""A hint to the processor that an array will soon be read somewhere: no result depends on it."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_INT32 = ir.IntType(32)
_HINTS = [_INT32(1), _INT32(3), _INT32(1)]
"""That it will be written, too, that it is wanted in the nearest cache, and that it is data."""


def _prefetch(typing, array, row, column):
    """Fetch what is around an element of an array of two dimensions into the cache."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, byte = signature.args[0], ir.IntType(8).as_pointer()
        cells = context.make_array(kind)(context, builder, arguments[0])
        address = cgutils.get_item_pointer(  # type: ignore[no-untyped-call]
            context, builder, kind, cells, list(arguments[1:]), wraparound=False
        )
        type_of = ir.FunctionType(ir.VoidType(), [byte, *(hint.type for hint in _HINTS)])
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte], type_of)
        builder.call(function, [builder.bitcast(address, byte), *_HINTS])
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), generate


prefetch = intrinsic(_prefetch)
