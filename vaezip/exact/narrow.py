"""Integer affine maps whose operands fit 16 bits, in one compiled pass.

The results are those of the float products of :class:`vaezip.exact.affine.Affine`, about three times as fast:
:mod:`vaezip.exact.product16` multiplies, and bias, shift and clamp follow while the sums are in the cache. Its sums
have 32 bits; where the sum of all inputs could need more, runs of inputs that fit are summed in 64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.jit import borrowing
from vaezip.exact.layer import Integers, Layer
from vaezip.exact.product16 import ROWS, empty, pack, product16

LARGEST_OPERAND = (1 << 15) - 1
LARGEST_SUM = (1 << 31) - 1

_AT_ONCE = 64
"""Rows between which sums stay in the cache."""


class Narrow:
    """y = clamp((W x + b) >> shift, low, high) on the last axis."""

    def __init__(self, layer: Layer, bound: int) -> None:
        """Lay the operands out; the caller must see to it that they fit.

        Args:
            layer: weights within :data:`LARGEST_OPERAND`, shifts 0 … 63, and a bias of :meth:`Layer.rounded`, with
                which sums fit 64 bits.
            bound: largest |x| that will come in, within :data:`LARGEST_OPERAND`.
        """
        outputs, self.inputs = layer.weight.shape
        self.weight = empty(outputs, self.inputs)
        pack(layer.weight, self.weight)
        reach = np.abs(layer.weight) * bound
        fits = (reach.sum(axis=1) + np.abs(layer.bias)).max() <= LARGEST_SUM
        self.ends = np.array([len(self.weight)]) if fits else _runs(reach)
        # in 32 bits a shift by 31 leaves the sign alone, as more would
        kind, most = (np.int32, 31) if fits else (np.int64, 63)
        self.bias, self.shift = layer.bias.astype(kind), np.minimum(layer.shift, most).astype(kind)
        self.clamp = np.clip(layer.clamp, np.iinfo(kind).min, np.iinfo(kind).max).astype(kind)

    @classmethod
    def product(cls, weight: Integers, bound: int) -> Narrow:
        """Compute y = W x alone."""
        zeros, limits = np.zeros(len(weight), np.int64), np.iinfo(np.int64)
        return cls(Layer(weight, zeros, zeros, (limits.min, limits.max)), bound)

    def __call__(self, x: NDArray[Any], dtype: str) -> NDArray[Any]:
        """Map integers (…, inputs) of any type, each within the bound, to (…, outputs) of ``dtype``."""
        rows = np.ascontiguousarray(x.reshape(-1, self.inputs), np.int16)
        out = np.empty((len(rows), self.bias.size), dtype)
        if len(rows) % ROWS or self.inputs % 2:
            padded = np.zeros((len(rows) + -len(rows) % ROWS, self.inputs + self.inputs % 2), np.int16)
            padded[: len(rows), : self.inputs] = rows
            rows = padded
        sums = np.empty((_AT_ONCE, self.weight.shape[1]), np.int32)
        totals = np.empty((_AT_ONCE, self.bias.size), self.bias.dtype)
        _affine(rows, self.weight, self.ends, self.bias, self.shift, self.clamp, sums, totals, out)
        return out.reshape(*x.shape[:-1], self.bias.size)


def _runs(reach: Integers) -> Integers:
    """Find the ends of the longest runs of pairs of inputs in which the sums of each output fit 32 bits.

    Args:
        reach: how much each input can add to each output, (outputs, inputs); no pair adds more than fits.
    """
    even = np.pad(reach, ((0, 0), (0, reach.shape[1] % 2)))
    pairs = even[:, ::2] + even[:, 1::2]
    sums, ends = np.cumsum(pairs, axis=1), [0]
    while ends[-1] < pairs.shape[1]:
        before = sums[:, ends[-1] - 1, None] if ends[-1] else 0
        beyond = (sums - before > LARGEST_SUM).any(axis=0)
        ends.append(int(beyond.argmax()) if beyond.any() else pairs.shape[1])
    return np.array(ends[1:])


# Values have the type of the sums and indices no sign, or the compiler makes no vectors of the loops.


@borrowing
def _affine(x, w, ends, bias, shift, clamp, sums, totals, out):
    low, high = clamp[0], clamp[1]
    for start in range(0, out.shape[0], sums.shape[0]):
        n = min(sums.shape[0], out.shape[0] - start)
        for i in range(n):
            for o in range(bias.size):  # the compiler takes seconds for an assignment of arrays
                totals[i, np.uint64(o)] = bias[np.uint64(o)]
        begin = 0
        for end in ends:
            product16(n, x[start:, 2 * begin : 2 * end], w[begin:end], sums)
            for i in range(n):
                for o in range(bias.size):
                    totals[i, np.uint64(o)] += sums[i, np.uint64(o)]
            begin = end
        for i in range(n):
            row, total = out[start + i], totals[i]
            for o in range(bias.size):
                row[np.uint64(o)] = min(max(total[np.uint64(o)] >> shift[np.uint64(o)], low), high)
