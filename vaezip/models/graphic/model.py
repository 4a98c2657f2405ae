"""Code the pixels of drawn pictures: decisions that learn from those before, on the stack of bits-back coding."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import decisions, histories
from vaezip.entropy.stack import Stack
from vaezip.models.cost import Cost
from vaezip.models.graphic import bilevel, colours, contexts, kernel, matches
from vaezip.models.graphic.contexts import SIDE, TOP

Pixels = NDArray[np.uint32]
"""(pictures, height, width): all channels of a pixel in one number, the first lowest."""

Decisions = list[NDArray[np.uint32]]

Reaches = tuple[tuple[int, int], ...]
"""Distant places: how many rows above a pixel, and how many columns to its right."""

NO_REACHES: Reaches = ((bilevel.NOWHERE, 0),) * bilevel.DISTANT

_LEAST_BITS, _MOST_BITS, _CONTEXT_BITS = 12, 18, 4
"""log2 of the entries of a table of matches, at least and at most, and of the slots for each of them."""

_ROW_PIXELS = 1 << 14
"""Pixels that are coded by one call, if a row has no more."""

_PIXEL_BYTES, _ENTRY_BYTES = 5, (4 << _CONTEXT_BITS) + 40 + 4 * colours.ENTRIES
_LEARNED = 1 << 21
"""More bytes than weights, maps and corrections take."""

_WORK = 1 << 17
"""Operations of a pixel: each decision asks for at most 14 contexts."""


class Coding:
    """The pixels of pictures with their margins, and what has been learned from them."""

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        channels: int,
        levels: int = 0,
        reaches: Reaches = NO_REACHES,
        brief: bool = False,
    ) -> None:
        """Begin with black pictures.

        Args:
            shape: (pictures, height, width).
            channels: of a pixel.
            levels: of pixels that are indices, how many there are; else 0.
            reaches: distant places that tell something of pixels of two levels.
            brief: ask fewer contexts of each decision, which is quicker.
        """
        n, height, width = shape
        bits = entry_bits(shape)
        self._shape, self._levels, self._reaches, self._brief = shape, levels, reaches, brief
        self._learned = histories.new_histories(
            bits + _CONTEXT_BITS,
            contexts.MOST_CONTEXTS,
            most_bits=_MOST_BITS + _CONTEXT_BITS,
            choices=contexts.CHOICES,
            kinds=contexts.KINDS,
            corrections=contexts.CORRECTIONS,
            given=histories.Given(colours.SOURCES, histories.FIRST_WEIGHT),
        )
        followers = np.zeros((matches.SIZES, 1 << bits), np.int64), np.zeros(1 << bits, np.int64)
        self._memory = *followers, colours.new_colours(bits)
        cells = (n, height + TOP, width + 2 * SIDE)
        pixels = np.zeros(cells, np.uint32)
        known = np.zeros(contexts.STATE_SIZE, np.int64)
        self._arrays = pixels, np.zeros(cells, np.uint8), pixels.reshape(-1), known
        self._channels = channels
        self._code_rows = kernel.code_bilevel_rows if levels == 2 else kernel.code_rows

    @property
    def pixels(self) -> Pixels:
        """The pixels without their margins."""
        return self._arrays[0][:, TOP:, SIDE : SIDE + self._shape[2]]

    def encode(self) -> Decisions:
        """Return the decisions that code the pixels."""
        made = decisions.room(self._rows() * self._shape[2] * kernel.MOST_DECISIONS, np.uint32)
        found = []
        for numbers in self._parts():
            made[1][0] = 0
            self._code_rows(decisions.NO_STACK, False, self._learned, self._memory, self._arrays, numbers, made)
            found.append(made[0][: made[1][0]].copy())
        return found

    def decode(self, coded: Stack) -> None:
        """Pop the pixels."""
        made = decisions.room(1, np.uint32)
        for numbers in self._parts():
            coded.run(self._code_rows, True, self._learned, self._memory, self._arrays, numbers, made)

    def _rows(self) -> int:
        return min(self._shape[1], max(1, _ROW_PIXELS // self._shape[2]))

    def _parts(self) -> Iterator[NDArray[np.int64]]:
        """Yield the numbers of some rows after others that the kernel asks for."""
        n, height, width = self._shape
        for picture in range(n):
            for top in range(0, height, self._rows()):
                end = min(height, top + self._rows())
                kind = self._levels or self._channels, self._levels > 0
                yield np.array(
                    [picture, top, end, width, *kind, *chain.from_iterable(self._reaches), self._brief], np.int64
                )


def entry_bits(shape: tuple[int, int, int]) -> int:
    """Return log2 of the entries of a table of matches, for pictures of a shape (pictures, height, width)."""
    n, height, width = shape
    return min(max((n * height * width).bit_length() + 1, _LEAST_BITS), _MOST_BITS)


def cost(shape: tuple[int, int, int], channels: int) -> Cost:
    """Compute what it costs to decode pictures of a shape (pictures, height, width)."""
    n, height, width = shape
    cells = n * (height + TOP) * (width + 2 * SIDE)
    memory = _PIXEL_BYTES * cells + (_ENTRY_BYTES << entry_bits(shape)) + (4 + 2 * channels) * n * height * width
    return Cost(memory + _LEARNED, _WORK * n * height * width)
