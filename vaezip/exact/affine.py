"""Integer affine maps computed by floating-point matrix products that are exact.

Invariants, checked when a map is made:

1. Weights, biases and inputs are integers held in float32 or float64.
2. For every output row, max|input| · Σ|weight| + |bias| ≤ 2^24 (float32) or 2^53
   (float64). Hence every partial sum, in whatever order, blocking or fusion, is an
   integer that the type holds exactly.
3. The output is clamp(floor(sum · 2^−shift + ½), low, high). The ½ is part of the bias
   (2^(shift − 1)), so that the sum stays an integer and the scaling by a power of two exact.

Where inputs and weights fit 16 bits, NumPy's arrays go through a compiled kernel of integers instead
(:mod:`vaezip.exact.narrow`), whose results are the same.

The vector–Jacobian product uses the same rule the other way round: the incoming gradient is
put on a power-of-two grid of each image so coarse that invariant 2 holds for the transposed
weights.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vaezip.errors import ModelError
from vaezip.exact.backend import Array, Backend
from vaezip.exact.elementwise import grid_scale, per_image_maximum
from vaezip.exact.layer import Integers, Layer, largest
from vaezip.exact.narrow import LARGEST_OPERAND, Narrow

EXACT_FLOAT32 = 2**24
EXACT_FLOAT64 = 2**53
_LARGEST_SCALE = 2.0**120

GRADIENT_EDGE = 2.0**60
"""Gradients for the inputs of a layer are clamped to ± this, far beyond those of any picture: through however many
layers they go, none becomes infinite."""


class Affine:
    """y = clamp(floor((W x + b) · 2^−shift + ½), low, high) on the last axis."""

    def __init__(
        self,
        b: Backend,
        layer: Layer,
        input_bound: int,
        *,
        name: str = "layer",
        transposed: Integers | None = None,
    ) -> None:
        """Check the bounds and choose the type.

        Args:
            b: where the arrays live.
            layer: the integers, the weight (outputs, inputs), each shift ≥ 1.
            input_bound: largest |x| that will come in.
            name: for messages.
            transposed: the matrix that gradients on the grid are multiplied with, (their length, inputs), where it
                is not the weight.

        Raises:
            ModelError: no type holds every partial sum exactly, or an argument is out of range.
        """
        shift, clamp = layer.shift, layer.clamp
        if (shift < 1).any() or (shift > 60).any() or clamp[0] > clamp[1]:
            raise ModelError(f"{name}: a shift or clamp is out of range")
        if largest(layer.weight) >= 1 << 31 or largest(layer.bias) > EXACT_FLOAT64:  # the sums below could overflow
            raise ModelError(f"{name}: a weight or bias is out of range")
        rounded = layer.rounded()
        row_sums = np.abs(layer.weight).sum(axis=1)
        # as Python integers: the bound itself must not overflow
        worst = max(input_bound * int(s) + abs(int(r)) for s, r in zip(row_sums, rounded.bias))
        self.backend, self.name, self.clamp = b, name, clamp
        self.dtype = exact_dtype(worst, name)
        self.weight = b.asarray(layer.weight.T, self.dtype)
        self.bias = b.asarray(rounded.bias, self.dtype)
        self.scale = b.asarray(np.ldexp(1.0, -shift), self.dtype)
        self.narrow = Narrow(rounded, input_bound) if self._fits_narrow(layer.weight, input_bound) else None
        self._set_transposed(layer.weight if transposed is None else transposed)

    def _set_transposed(self, matrix: Integers) -> None:
        """Take the matrix through which gradients flow back, and choose their grid.

        Float32 where its sums leave a gradient eight bits, else float64.
        """
        column_sum = max(1, int(np.abs(matrix).sum(axis=0).max()))
        single = column_sum <= EXACT_FLOAT32 >> 8
        bound = EXACT_FLOAT32 // column_sum if single else min(EXACT_FLOAT64 // column_sum, EXACT_FLOAT32)
        self.gradient_bound = float(bound)
        self.gradient_dtype = "float32" if single else "float64"
        self.transposed = self.backend.asarray(matrix, self.gradient_dtype)
        fits = self._fits_narrow(matrix, bound)
        self.narrow_transposed = Narrow.product(matrix.T, bound) if fits else None

    def _fits_narrow(self, matrix: Integers, bound: int) -> bool:
        """Tell whether products with inputs within a bound can be compiled."""
        return self.backend.compiled and max(largest(matrix), bound) <= LARGEST_OPERAND

    @property
    def output_bound(self) -> int:
        """Largest |y|."""
        return max(abs(self.clamp[0]), abs(self.clamp[1]))

    def __call__(self, x: Array) -> Array:
        """Map integers (…, inputs) to integers (…, outputs), in float32 or float64."""
        if self.narrow:
            return self.narrow(x, self.dtype)
        b = self.backend
        total = self.operands(x) @ self.weight
        total += self.bias
        total *= self.scale
        return b.xp.clip(b.xp.floor(total), float(self.clamp[0]), float(self.clamp[1]))

    def operands(self, x: Array) -> Array:
        """Cast inputs to the type in which they are multiplied; a convolution copies them in it."""
        return self.backend.cast(x, "int16" if self.narrow else self.dtype)

    def vjp(self, y: Array, gradient: Array) -> Array:
        """Compute the gradient of a scalar for x from its gradient for y.

        Args:
            y: the output of the forward pass; where it is clamped, nothing flows back.
            gradient: (images, …, outputs), float32.

        Returns:
            (images, …, inputs) float32: integers times one power of two an image.
        """
        grid, scale = self.to_grid(self.of_sums(y, gradient))
        return self.off_grid(self.back(grid), scale)

    def back(self, grid: Array) -> Array:
        """Multiply integers on the grid, (…, outputs), by the transposed matrix: (…, inputs)."""
        if self.narrow_transposed:
            return self.narrow_transposed(grid, self.gradient_dtype)
        return grid @ self.transposed

    def of_sums(self, y: Array, gradient: Array) -> Array:
        """Compute the gradient for the sums from that for y: scaled, and zero where y is clamped."""
        free = (y > float(self.clamp[0])) & (y < float(self.clamp[1]))
        return gradient * self.backend.cast(free, "float32") * self.backend.cast(self.scale, "float32")

    def to_grid(self, gradient: Array) -> tuple[Array, Array]:
        """Scale a gradient to integers within the gradient bound; return them and the power of two."""
        b = self.backend
        scale = grid_scale(b, per_image_maximum(b, gradient), self.gradient_bound)
        # a gradient that float32 holds with few bits or not at all becomes 0, whether or not a machine flushes it
        scale = b.cast(b.xp.clip(scale, 0.0, _LARGEST_SCALE), "float32")
        dtype = "int16" if self.narrow_transposed else self.gradient_dtype
        return b.cast(b.xp.round(gradient * scale), dtype), scale

    def off_grid(self, product: Array, scale: Array) -> Array:
        """Undo the scaling, float32."""
        b = self.backend
        if self.gradient_dtype == "float64":
            scale = b.cast(scale, "float64")
        return b.cast(b.xp.clip(product / scale, -GRADIENT_EDGE, GRADIENT_EDGE), "float32")


class Convolution:
    """A 3×3 convolution, stride 1, zero padding 1, as :class:`Affine` on im2col patches."""

    def __init__(
        self,
        b: Backend,
        layer: Layer,
        input_bound: int,
        *,
        name: str = "layer",
    ) -> None:
        """Check the bounds as :class:`Affine` does; the weight has shape (outputs, 3, 3, inputs)."""
        weight = layer.weight
        outputs, _, _, inputs = weight.shape
        # The transpose of a convolution is the convolution with the mirrored kernel.
        mirrored = weight[:, ::-1, ::-1, :].transpose(1, 2, 0, 3).reshape(9 * outputs, inputs)
        flat = replace(layer, weight=weight.reshape(outputs, 9 * inputs))
        self.affine = Affine(b, flat, input_bound, name=name, transposed=mirrored)
        self.output_bound = self.affine.output_bound

    def __call__(self, x: Array) -> Array:
        """Map integers (images, height, width, inputs) to (images, height, width, outputs)."""
        return self.affine(patches(self.affine.backend, self.affine.operands(x)))

    def vjp(self, y: Array, gradient: Array) -> Array:
        """Compute the gradient as :meth:`Affine.vjp` does, on (images, height, width, channels)."""
        affine = self.affine
        grid, scale = affine.to_grid(affine.of_sums(y, gradient))
        return affine.off_grid(affine.back(patches(affine.backend, grid)), scale)


def patches(b: Backend, x: Array) -> Array:
    """Gather (im2col) the 3×3 neighbourhood of each position, zeros outside: (n, h, w, c) to (n, h, w, 9 c)."""
    n, h, w, c = x.shape
    padded = b.xp.zeros((n, h + 2, w + 2, c), dtype=x.dtype, device=b.device)
    padded[:, 1:-1, 1:-1, :] = x
    return b.xp.concat([padded[:, i : i + h, j : j + w, :] for i in range(3) for j in range(3)], axis=-1)


def exact_dtype(worst: int, name: str) -> str:
    """Return the narrowest float type that holds every integer up to ``worst``.

    Raises:
        ModelError: float64 does not hold them.
    """
    if worst <= EXACT_FLOAT32:
        return "float32"
    if worst <= EXACT_FLOAT64:
        return "float64"
    raise ModelError(f"{name}: its sums can reach 2^{worst.bit_length()}, beyond what float64 holds exactly")
