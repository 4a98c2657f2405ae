"""Integer affine maps whose operands fit 16 bits and whose sums fit 32, in one compiled pass.

The same integers as :class:`vaezip.exact.affine.Affine` has by products of floats, about three times as fast: the
products are those of :mod:`vaezip.exact.product16`, and what follows them is done while the sums are near.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.product16 import ROWS, empty, pack, product16
from vaezip.kernels import kernel

LARGEST_OPERAND = (1 << 15) - 1
LARGEST_SUM = (1 << 31) - 1

_AT_ONCE = 64
"""Rows between which sums stay in the cache."""

Integers = NDArray[np.int64]


class Narrow:
    """y = clamp((W x + b) >> shift, low, high) on the last axis."""

    def __init__(self, weight: Integers, bias: Integers, shift: Integers, clamp: tuple[int, int]) -> None:
        """Lay the operands out; that they fit is for the caller to see to.

        Args:
            weight: (outputs, inputs), each within :data:`LARGEST_OPERAND`.
            bias: (outputs,), rounding included: no sum with it is beyond :data:`LARGEST_SUM`.
            shift: (outputs,), each ≥ 0.
            clamp: low and high of the output.
        """
        outputs, self.inputs = weight.shape
        self.weight = empty(outputs, self.inputs)
        pack(weight, self.weight)
        self.bias = bias.astype(np.int32)
        self.shift = np.minimum(shift, 31).astype(np.int32)  # of 32 bits, 31 leave the sign alone, as more would
        self.clamp = np.clip(clamp, -LARGEST_SUM, LARGEST_SUM).astype(np.int32)

    @classmethod
    def product(cls, weight: Integers) -> Narrow:
        """y = W x alone."""
        nothing = np.zeros(len(weight), np.int64)
        return cls(weight, nothing, nothing, (-LARGEST_SUM, LARGEST_SUM))

    def __call__(self, x: NDArray[Any], dtype: str) -> NDArray[Any]:
        """(…, inputs) integers of any type, each within :data:`LARGEST_OPERAND`, to (…, outputs) of ``dtype``."""
        rows = np.ascontiguousarray(x.reshape(-1, self.inputs), np.int16)
        out = np.empty((len(rows), self.bias.size), dtype)
        if len(rows) % ROWS or self.inputs % 2:
            rows = np.pad(rows, ((0, -len(rows) % ROWS), (0, self.inputs % 2)))
        sums = np.empty((_AT_ONCE, self.weight.shape[1]), np.int32)
        _affine(rows, self.weight, self.bias, self.shift, self.clamp, sums, out)
        return out.reshape(*x.shape[:-1], self.bias.size)


# As in the pixel network: in 32 bits and without signs of indices, or the compiler makes no vectors of the loop.


@kernel
def _affine(x, w, bias, shift, clamp, sums, out):  # type: ignore[no-untyped-def]
    low, high = clamp[0], clamp[1]
    for start in range(0, out.shape[0], sums.shape[0]):
        n = min(sums.shape[0], out.shape[0] - start)
        product16(n, x[start:], w, sums)
        for i in range(n):
            row = out[start + i]
            for o in range(bias.size):
                y = np.int32(np.int32(sums[i, o] + bias[o]) >> (shift[o] & 31))
                row[np.uint64(o)] = min(max(y, low), high)
