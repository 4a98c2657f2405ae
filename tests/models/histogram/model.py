"""The decoder of the family."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaezip.entropy.stack import Stack, StackExhausted, decoding
from vaezip.errors import ModelError
from vaezip.models.cost import Cost

PRECISION = 16
KIND = "histogram"


@dataclass(frozen=True)
class HistogramArchitecture:
    """Grey tiles of one size; pictures of any size are coded."""

    tile: tuple[int, int] = (8, 8)

    kind = KIND
    channels, levels, tiled = 1, 256, True
    most_side = None
    sees_across_tiles = True
    steps_on = "nothing"
    latents = 0

    @property
    def dims(self) -> int:
        return self.tile[0] * self.tile[1]

    def to_json(self) -> str:
        return json.dumps({"kind": KIND, "tile": self.tile})

    def check_work(self) -> None:
        if self.dims > 1 << 20:
            raise ModelError("its tile is too large")


def architecture_from_json(text: str) -> HistogramArchitecture:
    return HistogramArchitecture(tuple(json.loads(text)["tile"]))


@dataclass
class HistogramModel:
    name: str
    fingerprint: bytes
    architecture: HistogramArchitecture
    tensors: dict[str, Any]
    information: dict[str, Any]

    def __post_init__(self) -> None:
        counts = self.tensors["counts"].astype(np.int64)
        if counts.shape != (256,) or (counts < 1).any() or counts.sum() != 1 << PRECISION:
            raise ModelError("its histogram does not sum to 2^16")
        self.starts, self.counts = np.cumsum(counts) - counts, counts

    def intervals(self, samples):
        flat = samples.ravel()
        return self.starts[flat], self.counts[flat]

    def pop(self, stack: Stack, count: int) -> np.ndarray:
        """Pop samples; the last that was pushed comes first, and goes to the end."""
        out = np.empty(count, np.uint8)
        stack.run(_pop, self.starts, self.counts, out)
        return out

    def decode(self, data, shape, steps):
        with decoding(data[::-1]) as stack:
            samples = self.pop(stack, int(np.prod(shape)))
            seed = stack.finish()
        return samples.reshape(shape), seed

    def cost(self, data, shape, steps):
        samples = int(np.prod(shape))
        return Cost(64 * samples + 4 * len(data), 4096 * samples)

    def least_bytes(self, samples: int) -> float:
        return 0.0

    def draw(self, stack: Stack):
        return self.pop(stack, self.architecture.dims).reshape(1, *self.architecture.tile, 1)

    @property
    def draw_bits(self) -> int:
        return self.architecture.dims * PRECISION


def _pop(head, starts, counts, out):
    """Pop in plain Python what the stack pushes compiled."""
    state, words, size = int(head[0]), head[1], int(head[2])
    for i in range(out.size - 1, -1, -1):
        slot = state & ((1 << PRECISION) - 1)
        value = int(np.searchsorted(starts, slot, "right")) - 1
        state = int(counts[value]) * (state >> PRECISION) + slot - int(starts[value])
        if state < 1 << 32:
            if size == 0:
                raise StackExhausted
            size -= 1
            state = state << 32 | int(words[size])
        out[i] = value
    return np.uint64(state), size


def build(architecture, parts):
    return HistogramModel(parts.name, parts.fingerprint, architecture, dict(parts.tensors), parts.information)
