"""Ask for memory before it is needed, so that work goes on while it comes: an instruction that numba does not name."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

from vaezip.exact.vectors import Array

_WRITE, _EVERY_CACHE, _DATA = 1, 3, 1

_settings: Any = config


def _compiled(_: Any, array: Any, place: Any) -> Any:
    """Return the type and the code of :func:`prefetch`, as numba asks for them."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = Array(context, builder, (signature.args[0], arguments[0]))
        address = array.at(arguments[1], kind=ir.IntType(8))
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [address.type, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [address.type], kind)
        builder.call(function, [address, number(_WRITE), number(_EVERY_CACHE), number(_DATA)])
        return context.get_dummy_value()

    return types.void(array, place), write


def _nothing(array: Any, place: Any) -> None:
    """Do without, where nothing is compiled."""


prefetch: Any = _nothing if _settings.DISABLE_JIT else intrinsic(_compiled)
"""Ask for the line of memory of an entry of an array of one dimension, by its place."""
