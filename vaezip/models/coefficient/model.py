"""Code the coefficients of a JPEG: decisions that learn from those before, on the stack of bits-back coding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import mixing, stack
from vaezip.entropy.decisions import push
from vaezip.entropy.mixing import PRECISION
from vaezip.entropy.stack import Stack
from vaezip.models.coefficient import contexts, kernel
from vaezip.pictures.jpeg.parts import JpegFile

SLOT_BITS = 18

_LEARNED = 1 << 25
"""More bytes than counters, weights and corrections take."""


def encode(file: JpegFile, seed: int, behind: Sequence[NDArray[np.uint16]] = ()) -> bytes:
    """Code the coefficients of a JPEG.

    Args:
        file: was taken apart. Its coefficients are written anew, and are the same then.
        seed: 32 bits that the decoder finds again.
        behind: decisions that are popped after those of the coefficients.
    """
    planes, rows = _Planes(file), []
    made = np.zeros(kernel.MOST_DECISIONS * max(c.size[1] for c in file.components), np.uint32)
    for c, component in enumerate(file.components):
        planes.begin(c)
        for y in range(component.size[0]):
            count = kernel.encode_row(planes.mixing, planes.known, made, planes.around(c), y, planes.ratios(c))
            rows.append(made[:count].astype(np.uint16))
    coded = Stack(seed)
    rows += behind
    while rows:
        push(coded, rows.pop(), PRECISION)  # whose memory the stack may take
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
    planes = _Planes(file)
    with stack.decoding(data) as coded:
        for c, component in enumerate(file.components):
            planes.begin(c)
            for y in range(component.size[0]):
                coded.run(kernel.decode_row, planes.mixing, planes.known, planes.around(c), y, planes.ratios(c))
        if behind:
            behind(coded)
        return coded.finish()


def memory(file: JpegFile) -> int:
    """Count the bytes that the planes and what is learned take, from the components of a file alone."""
    return _LEARNED + sum((h + 1) * (w + 2) for h, w in (component.size for component in file.components))


class _Planes:
    """The planes of a JPEG, and what has been learned."""

    def __init__(self, file: JpegFile) -> None:
        self.mixing = mixing.new_mixing(
            SLOT_BITS, choices=contexts.CHOICES, kinds=contexts.KINDS, corrections=contexts.CORRECTIONS
        )
        self.known = contexts.new_known()
        self._file = file
        self._planes = file.planes()
        self._counts = [np.zeros((h + 1, w + 2), np.uint8) for h, w in (c.size for c in file.components)]

    def _has_before(self, c: int) -> bool:
        """Tell whether there is a plane of the same size between this and the first."""
        return c > 1 and self._planes[c - 1].shape == self._planes[c].shape

    def begin(self, c: int) -> None:
        """Tell the kernel of a plane."""
        k = self.known
        k.plane, k.columns, k.has_before = min(c, 1), self._file.components[c].size[1], self._has_before(c)
        k.steps[:] = np.maximum(self._file.quantisation[c], 1)
        for name in ("first_count", "before_count", "first_rise", "before_rise", "sums", "signed", "before"):
            k[name] = 0

    def around(self, c: int) -> tuple[NDArray[Any], ...]:
        """Return the arrays of a component that the kernel asks for."""
        before = self._planes[c - 1] if self._has_before(c) else self._planes[0]
        return self._planes[c], self._counts[c], self._planes[0], self._counts[0], before

    def ratios(self, c: int) -> tuple[int, int, int, int]:
        """Return how many blocks of the first plane lie where one lies, down and across, as two fractions."""
        (across, down), (most_across, most_down) = self._file.components[c].factors, self._file.components[0].factors
        return most_down, down, most_across, across
