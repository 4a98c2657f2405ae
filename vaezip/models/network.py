"""The integer form of an architecture, for coding: the same layers on exact arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import ModelError
from vaezip.exact import Affine, Backend, Convolution
from vaezip.exact import Layer as Integers
from vaezip.exact.affine import exact_dtype
from vaezip.exact.backend import Array
from vaezip.models.base import Tensors
from vaezip.models.layers import Conv, Dense, DepthToSpace, Flatten, Layer, Residual, SpaceToDepth


class IntegerNetwork:
    """A chain of layers on integer-valued channel-last arrays.

    Nothing in it depends on the batch: each image's output is the same alone or beside others.
    """

    def __init__(self, b: Backend, layers: tuple[Layer, ...], *, tensors: Tensors, input_bound: int) -> None:
        """Build the layers and check every row bound.

        Args:
            b: where the arrays live.
            layers: the architecture of this half.
            tensors: integers by name.
            input_bound: largest |x| that will come in.

        Raises:
            ModelError: a tensor is missing or misshapen, or a layer cannot be computed exactly.
        """
        self.backend = b
        self.steps: list[Any] = []
        bound = input_bound
        for layer in layers:
            step = _build(b, layer, tensors, bound)
            bound = getattr(step, "output_bound", bound)
            self.steps.append(step)
        self.output_bound = bound

    def __call__(self, x: Array) -> Array:
        """Map (images, …) integers to (images, …) integers, as floats."""
        for step in self.steps:
            x = step(x)
        return x

    def trace(self, x: Array) -> list[Any]:
        """Return the output of every layer in turn; the last is the network's."""
        outputs = []
        for step in self.steps:
            x = step.trace(x) if isinstance(step, ResidualBlock) else step(x)
            outputs.append(x)
            x = x[-1] if isinstance(step, ResidualBlock) else x
        return outputs

    def vjp(self, outputs: list[Any], gradient: Array) -> Array:
        """Gradient of each image's scalar for the network's input.

        Args:
            outputs: of :meth:`trace`.
            gradient: for the last output, (images, …), float32.
        """
        for step, y in zip(reversed(self.steps), reversed(outputs)):
            gradient = step.vjp(y, gradient)
        return gradient


class ResidualBlock:
    """y = clamp(x + second(first(x)), 0, high), all on x's grid."""

    def __init__(self, first: Convolution, second: Convolution, high: int) -> None:
        self.first, self.second, self.output_bound = first, second, high
        self.dtype = exact_dtype(high + second.output_bound, second.affine.name)

    def __call__(self, x: Array) -> Array:
        """(images, height, width, channels), likewise out."""
        return self.trace(x)[-1]

    def trace(self, x: Array) -> list[Array]:
        """The outputs of ``first``, ``second`` and the block."""
        b = self.first.affine.backend
        inner = self.first(x)
        change = self.second(inner)
        return [
            inner,
            change,
            b.xp.clip(b.cast(x, self.dtype) + b.cast(change, self.dtype), 0.0, float(self.output_bound)),
        ]

    def vjp(self, outputs: list[Array], gradient: Array) -> Array:
        """Do as :meth:`IntegerNetwork.vjp` does."""
        inner, change, y = outputs
        b = self.first.affine.backend
        gradient = gradient * b.cast((y > 0.0) & (y < float(self.output_bound)), "float32")
        return gradient + self.first.vjp(inner, self.second.vjp(change, gradient))


class _Flatten:
    """Stands first in an encoder, where no gradient is asked for; one would come back flat."""

    def __call__(self, x: Array) -> Array:
        return x.reshape(x.shape[0], -1)

    def vjp(self, y: Array, gradient: Array) -> Array:
        return gradient


class _Rearrange:
    """Space to depth by ``factor``, or back."""

    def __init__(self, b: Backend, factor: int, to_depth: bool) -> None:
        self.backend, self.factor, self.to_depth = b, factor, to_depth

    def __call__(self, x: Array) -> Array:
        return self.rearrange(x, self.to_depth)

    def vjp(self, y: Array, gradient: Array) -> Array:
        return self.rearrange(gradient, not self.to_depth)

    def rearrange(self, x: Array, to_depth: bool) -> Array:
        (n, h, w, c), f, xp = x.shape, self.factor, self.backend.xp
        if to_depth:
            x = xp.permute_dims(x.reshape(n, h // f, f, w // f, f, c), (0, 1, 3, 2, 4, 5))
            return x.reshape(n, h // f, w // f, f * f * c)
        x = xp.permute_dims(x.reshape(n, h, w, f, f, c // (f * f)), (0, 1, 3, 2, 4, 5))
        return x.reshape(n, h * f, w * f, c // (f * f))


def _build(b: Backend, layer: Layer, tensors: Tensors, bound: int) -> Any:
    if isinstance(layer, (Dense, Conv)):
        return _affine(b, layer, tensors, bound)
    if isinstance(layer, Residual):
        first = _affine(b, layer.first, tensors, bound)
        second = _affine(b, layer.second, tensors, first.output_bound)
        return ResidualBlock(first, second, bound)
    if isinstance(layer, Flatten):
        return _Flatten()
    assert isinstance(layer, (SpaceToDepth, DepthToSpace))
    return _Rearrange(b, layer.factor, isinstance(layer, SpaceToDepth))


def _affine(b: Backend, layer: Dense | Conv, tensors: Tensors, bound: int) -> Any:
    dense = isinstance(layer, Dense)
    shape = (layer.outputs, layer.inputs) if dense else (layer.outputs, 3, 3, layer.inputs)
    weight = _tensor(tensors, f"{layer.name}.weight", shape)
    bias = _tensor(tensors, f"{layer.name}.bias", (layer.outputs,))
    shift = _tensor(tensors, f"{layer.name}.shift", (layer.outputs,))
    low, high = _tensor(tensors, f"{layer.name}.clamp", (2,))
    if layer.relu and low != 0:
        raise ModelError(f"{layer.name}: a layer with ReLU must clamp at 0")
    integers = Integers(weight, bias, shift, (int(low), int(high)))
    return (Affine if dense else Convolution)(b, integers, bound, name=layer.name)


def _tensor(tensors: Tensors, name: str, shape: tuple[int, ...]) -> NDArray[np.int64]:
    if name not in tensors:
        raise ModelError(f"the model lacks the tensor {name}")
    tensor = tensors[name]
    if tensor.shape != shape or tensor.dtype.kind not in "iu":
        raise ModelError(f"the model's tensor {name} is {tensor.dtype} {tensor.shape}, not integers {shape}")
    return as_int64(tensor, name)


def as_int64(tensor: NDArray[Any], name: str) -> NDArray[np.int64]:
    """Convert integers of any type, none of which wraps around.

    Raises:
        ModelError: one does not fit.
    """
    if tensor.dtype == np.uint64 and int(tensor.max(initial=0)) >= 1 << 63:
        raise ModelError(f"the model's tensor {name} has an integer out of range")
    return tensor.astype(np.int64)
