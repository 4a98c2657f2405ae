"""Code the coefficients of a JPEG: decisions that learn from those before, on the stack of bits-back coding."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import mixing, stack
from vaezip.entropy.mixing import PRECISION
from vaezip.entropy.stack import Stack
from vaezip.models.coefficient import contexts, kernel
from vaezip.pictures.jpeg.parts import Component, JpegFile
from vaezip.pictures.jpeg.scans import BLOCK

SLOT_BITS = 18
_MARGIN = 2

_LEARNED = 1 << 25
"""More bytes than counters, weights and corrections take."""


def encode(file: JpegFile, seed: int, behind: Sequence[NDArray[np.uint16]] = ()) -> bytes:
    """Code the coefficients of a JPEG.

    Args:
        file: was taken apart.
        seed: 32 bits that the decoder finds again.
        behind: decisions that are popped after those of the coefficients.
    """
    planes, made, rows = _Planes(file), (np.zeros(0, np.uint16), np.zeros(1, np.int64)), []
    for c in range(len(file.components)):
        planes.fill(c)
        for y in range(file.components[c].size[0]):
            made = _room(made, file.components[c])
            kernel.encode_row(planes.mixing, planes.rows(c), planes.numbers(c, y), made)
            rows.append(made[0][: made[1][0]].copy())
    coded = Stack(seed)
    for row in reversed([*rows, *behind]):
        bits, ones = (row & 1)[::-1].astype(np.int64), (row >> 1)[::-1].astype(np.int64)
        coded.push(np.where(bits, 0, ones), np.where(bits, ones, (1 << PRECISION) - ones), PRECISION)
    return coded.to_bytes()


def decode(data: bytes, file: JpegFile, behind: Callable[[Stack], None] | None = None) -> int:
    """Decode the coefficients of a JPEG into its skeleton, and return the seed.

    Args:
        data: the bytes.
        file: its components and tables, and room for the coefficients.
        behind: pops what is behind the coefficients.

    Raises:
        FormatError: the data are damaged.
    """
    planes, made = _Planes(file), (np.zeros(1, np.uint16), np.zeros(1, np.int64))
    with stack.decoding(data) as coded:
        for c in range(len(file.components)):
            for y in range(file.components[c].size[0]):
                coded.run(kernel.decode_row, planes.mixing, planes.rows(c), planes.numbers(c, y), made)
            planes.keep(c)
        if behind:
            behind(coded)
        return coded.finish()


def memory(file: JpegFile) -> int:
    """Count the bytes that the planes and what is learned take, from the components of a file alone."""
    sizes = [component.size for component in file.components]
    return _LEARNED + sum((2 * BLOCK + 1) * (h + _MARGIN) * (w + _MARGIN + 1) for h, w in sizes)


def _room(
    made: tuple[NDArray[np.uint16], NDArray[np.int64]], component: Component
) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """Return an empty list of decisions that a row of a component cannot fill."""
    made[1][0] = 0
    most = component.size[1] * kernel.MOST_DECISIONS
    return made if made[0].size >= most else (np.zeros(most, np.uint16), made[1])


class _Planes:
    """The planes of a JPEG with margins of zeros, and what has been learned."""

    def __init__(self, file: JpegFile) -> None:
        self.mixing = mixing.new_mixing(
            SLOT_BITS, choices=contexts.CHOICES, kinds=contexts.KINDS, corrections=contexts.CORRECTIONS
        )
        self._file = file
        sizes = [component.size for component in file.components]
        self._planes = [np.zeros((h + _MARGIN, w + _MARGIN + 1, BLOCK), np.int16) for h, w in sizes]
        self._counts = [np.zeros((h + _MARGIN, w + _MARGIN + 1), np.uint8) for h, w in sizes]

    def fill(self, c: int) -> None:
        """Copy the coefficients of a component into its plane."""
        self._planes[c][_MARGIN:, _MARGIN:-1] = self._file.planes()[c]

    def keep(self, c: int) -> None:
        """Copy the plane of a component to its coefficients."""
        self._file.planes()[c][...] = self._planes[c][_MARGIN:, _MARGIN:-1]

    def _has_before(self, c: int) -> bool:
        """Tell whether there is a plane of the same size between this and the first."""
        return c > 1 and self._planes[c - 1].shape == self._planes[c].shape

    def rows(self, c: int) -> tuple[NDArray[np.int16], ...]:
        """Return the arrays of a component that the kernel asks for."""
        before = self._planes[c - 1] if self._has_before(c) else self._planes[0]
        plane, counts, steps = self._planes[c], self._counts[c], self._file.quantisation[c]
        return plane, counts, self._planes[0], self._counts[0], before, np.maximum(steps, 1)  # type: ignore[return-value]

    def numbers(self, c: int, y: int) -> NDArray[np.int64]:
        """Return the numbers of a row of blocks that the kernel asks for."""
        component, first = self._file.components[c], self._file.components[0]
        (across, down), (most_across, most_down) = component.factors, first.factors
        width = component.size[1]
        known = [min(c, 1), y, width, most_down, down, most_across, across, self._has_before(c)]
        return np.array(known, np.int64)
