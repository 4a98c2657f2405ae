"""Code drawn pictures as pixels, or as indices into a palette of their own: ``docs/format/graphics.md``."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import decisions, stack
from vaezip.entropy.histories import PRECISION
from vaezip.entropy.stack import Stack
from vaezip.errors import FormatError
from vaezip.models.cost import Cost
from vaezip.models.graphic import distant, model, palettes
from vaezip.models.graphic.model import NO_REACHES, Coding, Pixels, Reaches
from vaezip.models.kinds import ROWS, is_wide, levels

if TYPE_CHECKING:
    from vaezip.models.effort import Effort

NAME = "graphic"

Samples = NDArray[Any]

_PALETTE = "P"
"""The mode of pictures that are indices."""

_PIXELS, _INDICES, _DISTANT, _PLAIN, _BRIEF = 0, 1, 2, 4, 8
"""Forms, the first byte of a payload: pixels alone, or indices; and what is added to that where there are distant
places, where the palette is 0, 1, …, which is not coded, and where decisions ask fewer contexts."""

_LEAST_BRIEF, _BUSY = 1 << 15, 10
"""Pixels from which on pictures may be coded briefly: many colours at the least effort; and black and white where one
of so many pixels is not the one to its left, as in halftones, whose pixels all take a decision. They are decoded up to
twice as fast, and take some percent more."""


class _Head(NamedTuple):
    """Tell what stands before the decisions: the form, the size of the palette or 0, and the distant places."""

    form: int
    size: int = 0
    reaches: Reaches = NO_REACHES

    def __bytes__(self) -> bytes:
        found = bytes([self.form])
        if self.form & _INDICES:
            found += bytes([self.size - 1])
        return found + (distant.written(self.reaches) if self.form & _DISTANT else b"")


def fits(mode: str, shape: tuple[int, ...]) -> bool:
    """Tell whether pictures of a mode are coded: all of at most 8 bits a sample."""
    return mode not in ROWS and not is_wide(mode)


def promises(samples: Samples, mode: str) -> bool:
    """Tell whether pictures repeat themselves enough; indices of a palette always do."""
    return mode == _PALETTE or palettes.repeats(samples)


def is_plain(samples: Samples) -> bool:
    """Tell whether pictures repeat themselves so much that no model comes near."""
    return palettes.repeats_nearly_all(samples)


def encode(samples: Samples, mode: str, checksum: int, *, effort: Effort) -> bytes:
    """Code pictures in the form that is shorter."""
    pixels = palettes.packed(samples)
    palette = palettes.of(pixels, samples.shape[3])
    forms = [] if palette is None else [_encode_indices(pixels, palette, samples.shape[3], checksum)]
    if palette is None or palettes.may_be_photograph(palette):
        brief = not effort.rows and pixels.size >= _LEAST_BRIEF
        coding = Coding(pixels.shape, channels=samples.shape[3], brief=brief)
        coding.pixels[...] = pixels
        forms.append(_pushed(_Head(_PIXELS | _BRIEF * brief), coding.encode(), checksum))
    return min(forms, key=len)


def _is_busy(indices: Pixels) -> bool:
    """Tell whether many pixels often differ from the one to their left."""
    changes = int(np.count_nonzero(indices[..., 1:] != indices[..., :-1]))
    return indices.size >= _LEAST_BRIEF and _BUSY * changes > indices.size


def _encode_indices(pixels: Pixels, palette: Pixels, count: int, checksum: int) -> bytes:
    form, parts = _INDICES, []
    if np.array_equal(palette, np.arange(palette.size)):
        form |= _PLAIN
    else:
        coding = Coding((1, 1, palette.size), channels=count)
        coding.pixels[...] = palette
        parts += coding.encode()
    order = np.argsort(palette)
    indices = order[np.searchsorted(palette[order], pixels)].astype(np.uint32)
    brief = palette.size == 2 and _is_busy(indices)
    form |= _BRIEF * brief
    reaches = distant.find(indices) if palette.size == 2 else None
    if reaches is not None:
        form |= _DISTANT
    head = _Head(form, palette.size, reaches or NO_REACHES)
    coding = Coding(pixels.shape, channels=1, levels=palette.size, reaches=head.reaches, brief=brief)
    coding.pixels[...] = indices
    return _pushed(head, parts + coding.encode(), checksum)


def _pushed(head: _Head, made: model.Decisions, checksum: int) -> bytes:
    coded = Stack(checksum ^ zlib.crc32(bytes(head)))
    for part in reversed(made):
        decisions.push(coded, part, PRECISION)
    return bytes(head) + coded.to_bytes()


def decode(data: bytes, mode: str, shape: tuple[int, ...]) -> tuple[Samples, int]:
    """Invert :func:`encode`: samples and checksum.

    Raises:
        FormatError: the data is not what it made of such pictures.
    """
    n, height, width, count = shape
    head = _head(data)
    with stack.decoding(data[len(bytes(head)) :]) as coded:
        palette = None
        if head.form & _PLAIN:
            palette = np.arange(head.size, dtype=np.uint32)
        elif head.form & _INDICES:
            palette_coding = Coding((1, 1, head.size), channels=count)
            palette_coding.decode(coded)
            palette = palette_coding.pixels.reshape(-1)
        channels = count if palette is None else 1
        brief = bool(head.form & _BRIEF)
        coding = Coding((n, height, width), channels=channels, levels=head.size, reaches=head.reaches, brief=brief)
        coding.decode(coded)
        checksum = coded.finish() ^ zlib.crc32(bytes(head))
    samples = palettes.unpacked(coding.pixels if palette is None else palette[coding.pixels], count)
    if levels(mode) == 2 and samples.max() > 1:
        raise FormatError("the coded data is damaged")
    return samples, checksum


def packed_palette(content: bytes) -> bytes:
    """Code the colours of a palette, red, green and blue: their number less 1, and a stack."""
    colours = np.frombuffer(content, np.uint8).reshape(1, 1, -1, 3)
    coding = Coding((1, 1, colours.shape[2]), channels=3)
    coding.pixels[...] = palettes.packed(colours)
    coded = Stack()
    for part in reversed(coding.encode()):
        decisions.push(coded, part, PRECISION)
    return bytes([colours.shape[2] - 1]) + coded.to_bytes()


def unpacked_palette(data: bytes) -> bytes:
    """Invert :func:`packed_palette`.

    Raises:
        FormatError: the data are not what it made of a palette.
    """
    with stack.decoding(data[1:]) as coded:
        coding = Coding((1, 1, data[0] + 1), channels=3)
        coding.decode(coded)
        if coded.finish():
            raise FormatError("the palette in the file is damaged")
    return palettes.unpacked(coding.pixels, 3).tobytes()


def cost(data: bytes, mode: str, shape: tuple[int, ...]) -> Cost:
    """Compute what :func:`decode` costs, before it begins.

    Raises:
        FormatError: the data cannot be what :func:`encode` made of such pictures.
    """
    n, height, width, count = shape
    head = _head(data)
    found = model.cost((n, height, width), count)
    return found.beside(model.cost((1, 1, head.size), count)) if head.form & _INDICES else found


def _head(data: bytes) -> _Head:
    """Read what stands before the decisions."""
    form, size, begin = data[0] if data else 255, 0, 1
    if form & _INDICES and len(data) > 1:
        size, begin = data[1] + 1, 2
    places = data[begin : begin + distant.SIZE]
    plain = form & ~_BRIEF
    fits = plain in (_PIXELS, _INDICES, _INDICES | _PLAIN) or (
        plain in (_INDICES | _DISTANT, _INDICES | _DISTANT | _PLAIN) and size == 2 and len(places) == distant.SIZE
    )
    if not fits or (form & _INDICES and not size):
        raise FormatError("the coded data is damaged or truncated")
    return _Head(form, size, distant.read(places) if form & _DISTANT else NO_REACHES)
