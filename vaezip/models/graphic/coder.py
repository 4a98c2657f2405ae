"""Code drawn pictures as pixels, or as indices into a palette of their own: ``docs/format/graphics.md``."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import decisions, stack
from vaezip.entropy.histories import PRECISION
from vaezip.entropy.stack import Stack
from vaezip.errors import FormatError
from vaezip.models.cost import Cost
from vaezip.models.graphic import model, palettes
from vaezip.models.graphic.model import Coding, Pixels
from vaezip.models.kinds import FILES, is_wide, levels

if TYPE_CHECKING:
    from vaezip.models.effort import Effort

NAME = "graphic"

Samples = NDArray[Any]

_PALETTE = "P"
"""The mode of pictures that are indices."""

_PIXELS, _INDICES = 0, 1
"""Forms, the first byte of a payload: pixels alone, or a palette and indices."""


def fits(mode: str, shape: tuple[int, ...]) -> bool:
    """Tell whether pictures of a mode are coded: all of at most 8 bits a sample."""
    return mode not in FILES and not is_wide(mode)


def promises(samples: Samples, mode: str) -> bool:
    """Tell whether pictures repeat themselves enough; indices of a palette always do."""
    return mode == _PALETTE or palettes.repeats(samples)


def encode(samples: Samples, mode: str, checksum: int, *, effort: Effort) -> bytes:
    """Code pictures in the form that is shorter."""
    pixels = palettes.packed(samples)
    palette = palettes.of(pixels, samples.shape[3])
    forms = [_PIXELS] if palette is None else [_INDICES]
    if palette is not None and palettes.may_be_photograph(palette):
        forms.append(_PIXELS)
    return min((_encode(form, pixels, palette, samples.shape[3], checksum) for form in forms), key=len)


def _encode(form: int, pixels: Pixels, palette: Pixels | None, count: int, checksum: int) -> bytes:
    head, parts = bytes([form]), []
    if form == _INDICES:
        assert palette is not None
        head += bytes([palette.size - 1])
        coding = Coding((1, 1, palette.size), channels=count)
        coding.pixels[...] = palette
        parts += coding.encode()
        coding = Coding(pixels.shape, channels=1, levels=palette.size)
        order = np.argsort(palette)
        coding.pixels[...] = order[np.searchsorted(palette[order], pixels)]
    else:
        coding = Coding(pixels.shape, channels=count)
        coding.pixels[...] = pixels
    coded = Stack(checksum ^ zlib.crc32(head))
    for part in reversed(parts + coding.encode()):
        decisions.push(coded, part, PRECISION)
    return head + coded.to_bytes()


def decode(data: bytes, mode: str, shape: tuple[int, ...]) -> tuple[Samples, int]:
    """Invert :func:`encode`: samples and checksum.

    Raises:
        FormatError: the data is not what it made of such pictures.
    """
    n, height, width, count = shape
    form, size, head = _head(data)
    with stack.decoding(data[head:]) as coded:
        palette = None
        if form == _INDICES:
            palette_coding = Coding((1, 1, size), channels=count)
            palette_coding.decode(coded)
            palette = palette_coding.pixels.reshape(-1)
        coding = Coding((n, height, width), channels=count if palette is None else 1, levels=size)
        coding.decode(coded)
        checksum = coded.finish() ^ zlib.crc32(data[:head])
    samples = palettes.unpacked(coding.pixels if palette is None else palette[coding.pixels], count)
    if levels(mode) == 2 and samples.max() > 1:
        raise FormatError("the coded data is damaged")
    return samples, checksum


def cost(data: bytes, mode: str, shape: tuple[int, ...]) -> Cost:
    """Compute what :func:`decode` costs, before it begins.

    Raises:
        FormatError: the data cannot be what :func:`encode` made of such pictures.
    """
    n, height, width, count = shape
    form, size, _ = _head(data)
    found = model.cost((n, height, width), count)
    return found.beside(model.cost((1, 1, size), count)) if form == _INDICES else found


def _head(data: bytes) -> tuple[int, int, int]:
    """Return the form of a payload, the size of its palette, and how many bytes tell them."""
    if len(data) < 2 or data[0] > _INDICES:
        raise FormatError("the coded data is damaged or truncated")
    return (_INDICES, data[1] + 1, 2) if data[0] == _INDICES else (_PIXELS, 0, 1)
