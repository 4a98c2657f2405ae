"""The integers of one layer, for exact arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Layer:
    """y = clamp(floor((W x + b) · 2^−shift + ½), low, high), row by row, all int64.

    Attributes:
        weight: (outputs, inputs); of a convolution (outputs, 3, 3, inputs).
        bias: (outputs,), in units of the sum.
        shift: (outputs,), bits dropped from the sum.
        clamp: low and high of the output.
    """

    weight: Integers
    bias: Integers
    shift: Integers
    clamp: tuple[int, int]

    def rounded(self) -> Layer:
        """Put the rounding's ½ into the bias, so that y = clamp((W x + b) >> shift, low, high)."""
        return replace(self, bias=self.bias + (np.int64(1) << (self.shift - 1)))


def largest(values: NDArray[Any]) -> int:
    """Return the largest magnitude among integers, 0 if there are none; it cannot overflow."""
    return max(int(values.max(initial=0)), -int(values.min(initial=0)))
