"""Element-wise mathematics built from correctly rounded IEEE operations alone.

Each function uses only + − × ÷, √, floor, comparison and look-ups on float64 arrays, one
operation an array expression, so that nothing can be fused and every machine rounds alike.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.backend import Array, Backend

_LOG2_E = 1.4426950408889634
_LN2_HIGH = 0.693147180369123816490  # the upper 33 bits of ln 2, so that n · _LN2_HIGH is exact
_LN2_LOW = 1.90821492927058770002e-10
_EXPONENTS = 1023


@lru_cache
def _powers_of_two() -> NDArray[np.float64]:
    """Return 2^n for n = −1022 … 1023."""
    return np.ldexp(1.0, np.arange(1 - _EXPONENTS, _EXPONENTS + 1))


def power_of_two(b: Backend, n: Array) -> Array:
    """Compute 2^n for integer-valued float64 n, exact; n is clamped to −1022 … 1023."""
    table = b.xp.asarray(_powers_of_two(), device=b.device)
    index = b.cast(b.xp.clip(n, -1022.0, 1023.0) + 1022.0, "int64")
    return b.xp.reshape(b.xp.take(table, b.xp.reshape(index, (-1,)), axis=0), index.shape)


def exp(b: Backend, x: Array) -> Array:
    """Compute e^x for float64 x in −700 … 700, within 2 units in the last place.

    x = n ln 2 + r with |r| ≤ ½ ln 2, and e^r by its Taylor polynomial of degree 13 in Horner form.
    """
    n = b.xp.floor(x * _LOG2_E + 0.5)
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    total = b.xp.ones_like(r)
    for k in range(13, 0, -1):
        total = total * r * (1.0 / float(k)) + 1.0  # PyTorch divides by a number in its own way on CUDA
    return total * power_of_two(b, n)


def log(b: Backend, x: Array) -> Array:
    """Compute the natural logarithm of positive float64 x, absolute error below 4e-16 · (1 + |ln x|).

    x = 2^n m with ½√2 ≤ m < √2, and ln m = 2 artanh((m − 1)/(m + 1)) by its series.
    """
    n = exponent(b, x)
    m = x * power_of_two(b, -n)
    large = m >= 1.4142135623730951
    n, m = b.xp.where(large, n + 1.0, n), b.xp.where(large, 0.5 * m, m)
    t = (m - 1.0) / (m + 1.0)
    square = t * t
    total = b.xp.zeros_like(t)
    for k in range(23, 0, -2):
        total = total * square + 1.0 / float(k)
    return n * _LN2_HIGH + (2.0 * t * total + n * _LN2_LOW)


def exponent(b: Backend, x: Array) -> Array:
    """Compute floor(log2 x) for positive normal x, as float64, by comparison with powers of two."""
    powers, flat = b.xp.asarray(_powers_of_two(), device=b.device), b.xp.reshape(b.cast(x, "float64"), (-1,))
    not_above = b.cast(b.xp.searchsorted(powers, flat, side="right"), "float64")
    return b.xp.reshape(not_above, x.shape) - float(_EXPONENTS)


def per_image_maximum(b: Backend, x: Array) -> Array:
    """Compute max |x| over all but the first axis, shaped to broadcast against x."""
    flat = b.xp.reshape(b.xp.abs(x), (x.shape[0], -1))
    return b.xp.reshape(b.xp.max(flat, axis=1), (x.shape[0],) + (1,) * (x.ndim - 1))


def grid_scale(b: Backend, maximum: Array, bound: float) -> Array:
    """Find the largest power of two s with maximum · s ≤ bound, per element; any where maximum is 0."""
    safe = b.cast(b.xp.where(maximum > 0, maximum, b.xp.ones_like(maximum)), "float64")
    ratio = b.xp.full_like(safe, bound) / safe  # PyTorch takes number / array as reciprocal · number, rounded twice
    return power_of_two(b, exponent(b, ratio))
