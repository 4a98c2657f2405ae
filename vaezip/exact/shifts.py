"""Shift 32-bit integers for compiled kernels, where numba would make 64 bits of them first.

Few processors shift vectors of 64-bit integers and keep the sign, but most those of 32 bits; so a loop over such shifts
takes half the time. All of it is integer arithmetic, which is the same everywhere.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic


def _shifted(_: Any, number: Any, by: Any) -> Any:
    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ashr(*arguments)

    return types.int32(types.int32, types.int32), write


shifted: Any = intrinsic(_shifted)
"""Return an int32 shifted to the right by 0 … 31 places, an int32 itself."""
