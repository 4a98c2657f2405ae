"""Describe how a picture was made of the coefficients of a JPEG: ``docs/format/jpeg-pixels.md``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import FormatError
from vaezip.pictures.jpeg.parts import Component, JpegFile
from vaezip.pictures.jpeg.scans import BLOCK, NATURAL_ORDER
from vaezip.vz.wire import Reader, varint

Steps = NDArray[np.int64]

VERSION = 0
SIDE = 8

SAMPLINGS = ((1, 1), (1, 2), (2, 2), (2, 1))
"""Samples of luma for one of chroma, down and across: 4:4:4, 4:2:2, 4:2:0, 4:4:0."""

_NAMES = ("4:4:4", "4:2:2", "4:2:0", "4:4:0")
_FANCY, _ROUNDS_ONCE = 4, 8
_CUSTOM, _SAME = 0, 101
MOST_STEP = 65535

_LUMINANCE = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMINANCE = (
    *(17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99),
    *(24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99),
    *(99,) * 32,
)


def standard_steps(quality: int, is_chroma: bool) -> Steps:
    """Return the quantisation steps that libjpeg makes of tables K.1 and K.2 at a quality of 1 … 100, row by row."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    base = np.array(_CHROMINANCE if is_chroma else _LUMINANCE, np.int64)
    return np.clip((base * scale + 50) // 100, 1, 255)


@dataclass(frozen=True)
class Description:
    """Say how the samples of a picture follow from coefficients.

    Attributes:
        size: height, width of the picture.
        phase: rows and columns of the JPEG above and to the left of the picture, less than an MCU.
        sampling: samples of luma for one of chroma, down and across.
        fancy: whether chroma was upsampled by libjpeg's triangle filter, or replicated.
        steps: (64) of each component, row by row; one component is grey, three are Y, Cb, Cr.
        rounds_once: whether samples are rounded once, as by a transform in floating point, or as by ``islow``.
    """

    size: tuple[int, int]
    phase: tuple[int, int]
    sampling: tuple[int, int]
    fancy: bool
    steps: tuple[Steps, ...]
    rounds_once: bool = False

    @property
    def mcus(self) -> tuple[int, int]:
        """Count the MCUs down and across that hold the picture."""
        down, across = (
            -(-(phase + side) // (SIDE * factor))
            for phase, side, factor in zip(self.phase, self.size, self.sampling, strict=True)
        )
        return down, across

    def samples(self, component: int) -> tuple[int, int]:
        """Count the rows and columns of a component up to the last that the picture shows."""
        down, across = self.sampling if component else (1, 1)
        return -(-(self.phase[0] + self.size[0]) // down), -(-(self.phase[1] + self.size[1]) // across)

    def file(self) -> JpegFile:
        """Return the components, steps and room for the coefficients, as those of a JPEG."""
        down, across = self.mcus
        components, start = [], 0
        for c in range(len(self.steps)):
            v, h = self.sampling if c == 0 else (1, 1)
            blocks = down * v, across * h
            components.append(Component(c, (h, v), c, blocks, blocks, start))
            start += blocks[0] * blocks[1]
        file = JpegFile([], [], size=self.size, components=components, quantisation=np.stack(self.steps))
        file.coefficients = np.zeros((0, BLOCK), np.int16)
        return file

    def name(self) -> str:
        """Word the quality, if the steps are libjpeg's, and the sampling."""
        quality = _quality(self.steps[0], False)
        words = f"quality about {quality}" if quality else "tables of its own"
        if len(self.steps) == 1:
            return f"{words}, grey"
        filtered = "" if self.fancy or self.sampling == (1, 1) else " replicated"
        return f"{words}, {_NAMES[SAMPLINGS.index(self.sampling)]}{filtered}"


def _quality(steps: Steps, is_chroma: bool) -> int:
    """Return the quality that makes such steps, or 0."""
    return next((q for q in range(100, 0, -1) if np.array_equal(standard_steps(q, is_chroma), steps)), 0)


def write(description: Description) -> bytes:
    """Write a description; the size and the number of components are known elsewhere."""
    kind = SAMPLINGS.index(description.sampling) | _FANCY * description.fancy
    kind |= _ROUNDS_ONCE * description.rounds_once
    out = bytes([VERSION, kind, *description.phase])
    for c, steps in enumerate(description.steps):
        if c and np.array_equal(steps, description.steps[c - 1]):
            out += bytes([_SAME])
        elif quality := _quality(steps, c > 0):
            out += bytes([quality])
        else:
            out += bytes([_CUSTOM]) + b"".join(varint(int(step)) for step in steps[NATURAL_ORDER])
    return out


def read(reader: Reader, size: tuple[int, int], components: int) -> Description:
    """Read what :func:`write` wrote.

    Raises:
        FormatError: it is damaged.
    """
    version, kind, *phase = reader.take(4)
    if version != VERSION:
        raise FormatError(f"description {version} of a JPEG is unknown; a newer vaezip may read it")
    rounds_once, kind = bool(kind & _ROUNDS_ONCE), kind & ~_ROUNDS_ONCE
    if kind >= 2 * _FANCY or kind == _FANCY or (components == 1 and kind):
        raise FormatError("the coded data is damaged")
    sampling = SAMPLINGS[kind % _FANCY]
    if any(place >= SIDE * factor for place, factor in zip(phase, sampling, strict=True)):
        raise FormatError("the coded data is damaged")
    steps: list[Steps] = []
    for c in range(components):
        steps.append(_read_steps(reader, c, steps))
    return Description(size, (phase[0], phase[1]), sampling, bool(kind & _FANCY), tuple(steps), rounds_once)


def _read_steps(reader: Reader, component: int, before: list[Steps]) -> Steps:
    quality = reader.take(1)[0]
    if quality == _CUSTOM:
        steps = np.zeros(BLOCK, np.int64)
        steps[NATURAL_ORDER] = [reader.varint() for _ in range(BLOCK)]
        if steps.min() < 1 or steps.max() > MOST_STEP:
            raise FormatError("the coded data is damaged")
        return steps
    if quality == _SAME and before:
        return before[-1]
    if quality >= _SAME:
        raise FormatError("the coded data is damaged")
    return standard_steps(quality, component > 0)
