"""Make the layers of an adapting network: master weights, their average, and the integers next to both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.exact.layer import Layer
from vaezip.exact.product16 import LANES, ROWS, empty, pack
from vaezip.models.pixel.adaptation_kernels import Layers, Memory, Network, find_runs
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.pixel.constants import (
    ACTIVATION_BOUND,
    BLOCK_PACE,
    DIFFERENCE_SCALE,
    FIRST_PACE,
    LEVEL_SCALE,
    PREDICTION_SCALE,
    SPREAD_SCALE,
    UNIT_SCALE,
)
from vaezip.models.pixel.network import input_bound
from vaezip.models.pixel.weights import evened

Floats = NDArray[np.float64]


def learning_network(a: PixelArchitecture, layers: dict[str, Layer]) -> Network:
    """Make a network that learns from layers of :func:`vaezip.models.pixel.network.layers`."""
    channels, bound = range(a.channels), input_bound(a)
    visible, bounds = [a.visible_hints(i) for i in channels], (ACTIVATION_BOUND, bound)
    hidden, hints, head = np.full(a.hidden, UNIT_SCALE), hint_scales(a), np.full(a.head, UNIT_SCALE)
    first = [_learning([layers["first"]], FIRST_PACE, scales=feature_scales(a), bounds=(bound, bound))]
    inner, outer = (
        [_learning([layers[f"{name}.{i}"]], BLOCK_PACE, scales=hidden, bounds=bounds) for i in range(a.blocks)]
        for name in ("inner", "outer")
    )
    heads = [layers[f"head.{i}"] for i in channels]
    outs = [
        _learning([layers[f"out.{i}"]], scales=head, bounds=bounds, hints=Hints([visible[i]], hints), mixture=a.mixture)
        for i in channels
    ]
    all_heads = [_learning(heads, scales=hidden, bounds=bounds, hints=Hints(visible, hints))]
    return Network._make(_side_by_side(part, first[0]) for part in (first, inner, outer, all_heads, outs))


def _side_by_side(parts: list[Layers], other: Layers) -> Layers:
    """Join layers of one shape; of none, arrays are empty, and otherwise like those of another layer."""
    if not parts:
        return Layers._make(array[None][:0] for array in other)
    return Layers._make(np.stack(arrays) for arrays in zip(*parts))


def memory_for(a: PixelArchitecture, network: Network, pixels: int) -> tuple[Network, Memory]:
    """Allocate what steps on up to so many pixels need; the network's outputs are a part of it."""
    rows, hints = _up(pixels, 2 * ROWS), evened(a.hints)
    pairs = rows // 2  # for there is room for as many pixels as rows
    inputs = max(a.features, a.hidden + hints, evened(a.head) + hints)
    outputs = max(a.hidden, a.channels * a.head, 3 * a.mixture)
    widest = _up(max(inputs, outputs), LANES)
    sized = [
        part._replace(output=_zeros("int16", len(part.bias), rows, evened(part.bias.shape[1]))) for part in network
    ]
    arrays = [
        _zeros("int16", rows, evened(a.features)),
        _zeros("int64", rows, a.channels),
        *(_zeros("int64", a.channels, rows) for _ in range(2)),
        _zeros("int64", rows),
        _zeros("int16", 1 + a.blocks, rows, a.hidden + hints),
        _zeros("int16", a.blocks, rows, a.hidden),
        _zeros("int16", rows, evened(a.head) + hints),
        _zeros("int32", rows, widest),
        *(_zeros("float64", rows, n) for n in (3 * a.mixture, a.channels * a.head, a.hidden, a.hidden)),
        _zeros("int16", rows, widest),
        _zeros("int16", pairs, widest, 2),
        _zeros("int16", pairs, widest, 2),
        _zeros("int32", widest),
        _zeros("float64", ROWS, widest),
        _zeros("float64", 4, widest + hints + 1),
        _zeros("int32", widest),
    ]
    return Network._make(sized), Memory._make(arrays)


def _zeros(kind: str, *shape: int) -> NDArray[Any]:
    return np.zeros(shape, kind)


def _up(count: int, multiple: int) -> int:
    """Round up to a multiple."""
    return -(-count // multiple) * multiple


def coarser(layer: Layer) -> Layer:
    """Put a layer on a grid twice as coarse, where there is one."""
    drop = (layer.shift > 1).astype(np.int64)
    halved = layer.weight / (1 << drop)[:, None], layer.bias / (1 << drop)
    weight, bias = (np.floor(part + 0.5).astype(np.int64) for part in halved)
    return Layer(weight, bias, layer.shift - drop, layer.clamp)


def feature_scales(a: PixelArchitecture) -> Floats:
    """List the size of one unit of each feature."""
    kinds = np.array([DIFFERENCE_SCALE, LEVEL_SCALE, PREDICTION_SCALE, SPREAD_SCALE, SPREAD_SCALE])
    each = np.array([a.neighbours, 1, a.seen, a.regressed, 0]) * a.channels
    return np.repeat(kinds, each + np.array([0, 0, 0, 0, a.energies]))


def hint_scales(a: PixelArchitecture) -> Floats:
    """List the size of one unit of each hint."""
    return np.repeat([DIFFERENCE_SCALE, PREDICTION_SCALE], np.array([1, a.seen]) * a.channels)


class Hints(NamedTuple):
    """The hints of some layers: the numbers of those that each layer sees, and the size of one unit of each."""

    visible: Sequence[Sequence[int]]
    scales: Floats


NO_HINTS = Hints(((),), np.zeros(0))


def _learning(
    layers: list[Layer],
    pace: float = 1.0,
    *,
    scales: Floats,
    bounds: tuple[int, int],
    hints: Hints = NO_HINTS,
    mixture: int = 0,
) -> Layers:
    """Stack layers of the same units one above the other, as one layer that learns.

    Args:
        layers: each with weights of the hints that it sees after those of its units.
        pace: of the steps.
        scales: the size of one unit of each integer input.
        bounds: of the units and of the hints.
        hints: of these layers.
        mixture: logistics, where the outputs are parameters, whose three kinds have grids of their own.
    """
    master, present = _stacked(layers, len(scales), hints)
    (outputs, _), units = master.shape, len(scales)
    shift = np.concatenate([layer.shift for layer in layers]).astype(np.int32)
    output_units = np.ones(outputs)
    if mixture:
        grids = [d.WEIGHT_LOGIT_BITS, d.MEAN_BITS + 4, d.LOG_SCALE_BITS]
        output_units = np.repeat(np.ldexp(1.0, -np.array(grids)), mixture)
    to_float = (np.ldexp(1.0, -shift) * output_units)[:, None] / np.r_[scales, hints.scales, 1.0]
    size = _root_mean_square(master[:, :units] * to_float[:, :units])
    seen = len(hints.scales)
    weight = _zeros("int64", outputs, evened(units) + evened(seen))
    weight[:, :units], weight[:, evened(units) : evened(units) + seen] = master[:, :units], master[:, units:-1]
    forward, backward = empty(outputs, weight.shape[1]), empty(units, outputs)
    pack(weight, forward)
    pack(np.ascontiguousarray(weight[:, :units].T), backward)
    ends = _zeros("int64", len(backward))
    find_runs(backward, units, _zeros("int32", units), ends)
    moments = np.zeros_like(master), np.zeros_like(master)
    return Layers._make(
        [
            *(master, master.copy(), *moments, present * size / to_float * pace),
            *(master[:, -1].astype(np.int32), forward, backward, ends),
            *(shift, np.ldexp(1.0, -shift), _zeros("int16", 0, 0)),
            *(np.array(layers[0].clamp, np.int32), np.array(bounds), np.array((units, seen))),
        ]
    )


def _stacked(layers: list[Layer], units: int, hints: Hints) -> tuple[Floats, Floats]:
    """Stack the rows of layers, weights of units, weights of hints and biases with the rounding's ½, and say by 1 and 0
    which entries there are."""
    rows = len(layers[0].weight)
    stacked = np.zeros((rows * len(layers), units + len(hints.scales) + 1))
    present = np.zeros_like(stacked)
    for i, (layer, visible) in enumerate(zip(layers, hints.visible, strict=True)):
        part = slice(i * rows, (i + 1) * rows)
        columns = [*range(units), *(units + hint for hint in visible)]
        stacked[part, columns], present[part, columns] = layer.weight, 1.0
        stacked[part, -1], present[part, -1] = layer.bias + (np.int64(1) << (layer.shift - 1)), 1.0
    return stacked, present


def _root_mean_square(values: Floats) -> float:
    """Sum squares by fsum, which rounds the exact sum once: those of integers times powers of two are exact."""
    return math.sqrt(math.fsum((values * values).ravel()) / values.size)
