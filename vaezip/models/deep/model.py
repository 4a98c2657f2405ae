"""Code the samples of deep pictures: decisions that learn from those before, on the stack of bits-back coding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import decisions, histories
from vaezip.entropy.histories import Given
from vaezip.entropy.stack import Stack
from vaezip.models.cost import Cost
from vaezip.models.deep import kernel, sample
from vaezip.models.deep.regression import MARGIN
from vaezip.models.deep.state import GIVEN, State, new_state, state_bytes

Samples = NDArray[Any]
"""(pictures, height, width, channels), of 8 or 16 bits."""

Shape = tuple[int, int, int, int]

_LEAST_BITS, _MOST_BITS = 16, 24
_ROW_SAMPLES = 1 << 14
"""Samples that are coded by one call, if a row has no more."""

_GIVEN_WEIGHT = 1 << 14

_SLOT_BYTES = 4
_LEARNED = 1 << 21
"""More bytes than weights, maps and corrections take."""

_WORK = 1 << 17
"""Operations of a sample: each decision asks for at most 14 contexts, and sums have at most 39² / 2 entries."""


class Coding:
    """Hold what has been learned from pictures, and code them."""

    def __init__(self, shape: Shape, *, top: int, hits: bool, linked: bool) -> None:
        """Begin with nothing.

        Args:
            shape: of the samples.
            top: the greatest of them.
            hits: whether samples are often equal to a neighbour.
            linked: whether each picture tells something of the next.
        """
        self._shape, self._top, self._hits, self._linked = shape, top, hits, linked
        self._learned = histories.new_histories(
            slot_bits(shape),
            sample.CONTEXTS,
            most_bits=_MOST_BITS,
            choices=sample.CHOICES,
            kinds=sample.KINDS,
            corrections=sample.CORRECTIONS,
            given=Given(GIVEN, _GIVEN_WEIGHT, sample.OF_HITS),
        )

    def encode(self, samples: Samples) -> list[NDArray[np.uint32]]:
        """Return the decisions that code samples."""
        rows = self._rows()
        made = decisions.room(rows * self._shape[2] * self._shape[3] * sample.MOST_DECISIONS, np.uint32)
        found = []
        for picture, state in zip(samples, self._states()):
            _inside(state)[...] = picture.transpose(2, 0, 1)
            for numbers in self._parts(state):
                made[1][0] = 0
                kernel.code_rows(decisions.NO_STACK, False, self._learned, state, numbers, made)
                found.append(made[0][: made[1][0]].copy())
        return found

    def decode(self, coded: Stack) -> NDArray[np.uint16]:
        """Pop samples."""
        made = decisions.room(1, np.uint32)
        samples = np.empty(self._shape, np.uint16)
        for picture, state in zip(samples, self._states()):
            for numbers in self._parts(state):
                coded.run(kernel.code_rows, True, self._learned, state, numbers, made)
            picture[...] = _inside(state).transpose(1, 2, 0)
        return samples

    def _states(self) -> Iterator[State]:
        """Yield the state of each picture; it begins when the one before is coded."""
        past = None
        for _ in range(self._shape[0]):
            state = new_state(self._shape[1:], self._top, has_past=past is not None)
            state = state._replace(past=past) if past is not None else state
            yield state
            past = state.frame if self._linked else None

    def _rows(self) -> int:
        return min(self._shape[1], max(1, _ROW_SAMPLES // (self._shape[2] * self._shape[3])))

    def _parts(self, state: State) -> Iterator[NDArray[np.int64]]:
        """Yield the numbers of some rows after others that the kernel asks for."""
        has_past, rows = state.past.shape == state.frame.shape, self._rows()
        for top in range(0, self._shape[1], rows):
            end = min(self._shape[1], top + rows)
            yield np.array([top, end, self._top, self._hits, has_past], np.int64)


def _inside(state: State) -> NDArray[np.int32]:
    """Return the samples of a state without their margins."""
    return state.frame[:, MARGIN:, MARGIN:-MARGIN]


def slot_bits(shape: Shape) -> int:
    """Return log2 of the slots, for samples of a shape."""
    return min(max(int(np.prod(shape)).bit_length() + 6, _LEAST_BITS), _MOST_BITS)


def cost(shape: Shape, top: int, *, linked: bool) -> Cost:
    """Compute what it costs to decode samples of a shape, the greatest of which is ``top``."""
    size = int(np.prod(shape))
    memory = 2 * state_bytes(shape[1:], top, has_past=linked)
    return Cost(memory + (_SLOT_BYTES << slot_bits(shape)) + 4 * size + _LEARNED, _WORK * size)
