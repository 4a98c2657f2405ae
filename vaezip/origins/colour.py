"""Colour maps: how a converter made red, green and blue of three planes of 8 bits, in integers.

A picture that went through 8-bit planes, such as Y, Cb and Cr of a JPEG, holds only such colours as the map of its
converter reaches: one of four by libjpeg's, one of nine by that of PhotoCD. Coded as planes, it takes so much less.
``docs/format/origins.md`` defines the maps.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import FormatError
from vaezip.exact.jit import borrowing, inline

Planes = NDArray[np.uint8]
"""Three planes in the order in which a model codes them: (pictures, height, width, 3)."""

FITTED_SHIFT = 20
"""log2 of what a coefficient of a map in a file is over."""

COEFFICIENTS = 12


CR_TO_RED, CR_TO_GREEN, CB_TO_GREEN, CB_TO_BLUE = 91881, -46802, -22554, 116130
"""What libjpeg multiplies Cr − 128 and Cb − 128 by, over 2^16, before it adds them to Y."""


class ColourMap(NamedTuple):
    """A map from planes to colours.

    A channel is (±⌊|a₀|·p₀ / 2^inner⌋ ± … ± ⌊|a₂|·p₂ / 2^inner⌋ + offset) / 2^outer, rounded down, and clipped; where
    there are zeros, ⌊a₀·(p₀ − z₀) / 2^inner⌋ + … takes the place of these parts.

    Attributes:
        rows: a₀, a₁, a₂ and the offset, for red, green and blue; each of 32 bits.
        inner, outer: the shifts.
        zeros: z₀, z₁ and z₂.
    """

    rows: tuple[tuple[int, int, int, int], ...]
    inner: int = 0
    outer: int = FITTED_SHIFT
    zeros: tuple[int, int, int] | None = None

    def numbers(self) -> NDArray[np.int64]:
        """Return the map as the kernels take it: the rows, one after another, the shifts, and what each product begins
        with."""
        rows = (n for row in self.rows for n in row)
        return np.array([*rows, self.inner, self.outer, *(n for row in self.begins() for n in row)], np.int64)

    def begins(self) -> list[tuple[int, ...]]:
        """Return for each coefficient what is added to its product, so that each part is rounded down."""
        if self.zeros:
            return [tuple(-n * z for n, z in zip(row, self.zeros)) for row in self.rows]
        return [tuple(((1 << self.inner) - 1) * (n < 0) for n in row[:3]) for row in self.rows]

    def samples(self, planes: Planes) -> Planes:
        """Compute the colours of planes."""
        out = np.empty(planes.shape, np.uint8)
        _map(self.numbers(), planes.reshape(-1, 3), out.reshape(-1, 3))
        return out


def summed(planes: Planes) -> Planes:
    """Return the planes p₀ + p₁ − 128, p₁ and p₂ + p₁ − 128, modulo 256, which look like red, green and blue."""
    out = planes.copy()
    out[..., 0::2] += planes[..., 1:2] - np.uint8(128)
    return out


def unsummed(planes: Planes) -> Planes:
    """Invert :func:`summed`."""
    out = planes.copy()
    out[..., 0::2] -= planes[..., 1:2] - np.uint8(128)
    return out


@inline
def unclipped(m, channel, p0, p1, p2):
    """Return a channel before it is clipped; m is of :meth:`ColourMap.numbers`."""
    i, begin, inner = 4 * channel, 14 + 3 * channel, m[12]
    total = m[i + 3] + ((m[i] * p0 + m[begin]) >> inner)
    total += (m[i + 1] * p1 + m[begin + 1]) >> inner
    total += (m[i + 2] * p2 + m[begin + 2]) >> inner
    return total >> m[13]


@inline
def clipped(value):
    """Clip a number to 0 … 255."""
    return min(max(value, 0), 255)


@borrowing
def _map(m, planes, out):
    for i in range(planes.shape[0]):
        p0, p1, p2 = np.int64(planes[i, 0]), np.int64(planes[i, 1]), np.int64(planes[i, 2])
        for channel in range(3):
            out[i, channel] = clipped(unclipped(m, channel, p0, p1, p2))


def _affine(*rows: tuple[float, float, float], zero: tuple[int, int, int], half: bool = True) -> ColourMap:
    """Return the map that a real matrix makes, whose planes have these zeros; its results are rounded, or cut off."""
    found = []
    for row in rows:
        offset = -sum(factor * z for factor, z in zip(row, zero)) + half / 2
        found.append(tuple(round(n * (1 << FITTED_SHIFT)) for n in (*row, offset)))
    return ColourMap(tuple(found))


class Named(NamedTuple):
    """A map that has a number in files, and what people call pictures that went through it."""

    name: str
    map: ColourMap


@lru_cache
def named() -> tuple[Named, ...]:
    """Return the maps that have a number, which they keep for ever: 1 for the first. The planes are Cr, Y and Cb."""
    jpeg = ((CR_TO_RED, 65536, 0), (CR_TO_GREEN, 65536, CB_TO_GREEN), (0, 65536, CB_TO_BLUE))
    webp = ((26149, 19077, 0, -14234), (-13320, 19077, -6419, 8708), (0, 19077, 33050, -17685))
    return (
        Named("JPEG", ColourMap(tuple((*r, 32768 - 128 * (r[0] + r[2])) for r in jpeg), 0, 16)),
        Named("WebP", ColourMap(webp, 8, 6)),
        Named(
            "PhotoCD",
            _affine(
                (1.8215, 1.3584, 0),
                (-0.509 * 1.8215, 1.3584, -0.194 * 2.2179),
                (0, 1.3584, 2.2179),
                zero=(137, 0, 156),
                half=False,
            ),
        ),
        Named("BT.601 video", _video(0.299, 0.114)),
        Named("BT.709 video", _video(0.2126, 0.0722)),
        Named("BT.709 full range", _full(0.2126, 0.0722)),
        Named("FFmpeg BT.601", _by_ffmpeg(9539, 16, (13075, -6660, -3209, 16525))),
        Named("FFmpeg BT.709", _by_ffmpeg(9539, 16, (14686, -4366, -1747, 17305))),
        Named("FFmpeg BT.2020", _by_ffmpeg(9539, 16, (13752, -5328, -1535, 17545))),
        Named("FFmpeg full range", _by_ffmpeg(8192, 0, (11485, -5850, -2819, 14516))),
        Named("FFmpeg BT.709 full range", _by_ffmpeg(8192, 0, (12901, -3835, -1534, 15201))),
        Named("FFmpeg BT.2020 full range", _by_ffmpeg(8192, 0, (12080, -4680, -1348, 15412))),
    )


def _by_ffmpeg(luma: int, black: int, chroma: tuple[int, int, int, int]) -> ColourMap:
    """Return the map that the vector code of FFmpeg's swscale computes, whatever its flags, from Y, Cb and Cr of 8 bits
    where no sample is scaled.

    Args:
        luma, black: of Y; the factor is over 2^13.
        chroma: of Cr for red and green, and of Cb for green and blue.
    """
    cr_red, cr_green, cb_green, cb_blue = chroma
    rows = (cr_red, luma, 0, 0), (cr_green, luma, cb_green, 0), (0, luma, cb_blue, 0)
    return ColourMap(rows, 13, 0, (128, black, 128))


def _full(red: float, blue: float) -> ColourMap:
    """Return the map of a standard by its shares of red and blue in Y, where all planes use 0 … 255."""
    return _scaled(red, blue, 1.0, 1.0, 0)


def _video(red: float, blue: float) -> ColourMap:
    """Return the same where Y lies in 16 … 235, and Cb and Cr in 16 … 240."""
    return _scaled(red, blue, 255 / 219, 255 / 224, 16)


def _scaled(red: float, blue: float, luma: float, chroma: float, black: int) -> ColourMap:
    green, cr, cb = 1 - red - blue, 2 * (1 - red) * chroma, 2 * (1 - blue) * chroma
    rows = (cr, luma, 0.0), (-cr * red / green, luma, -cb * blue / green), (0.0, luma, cb)
    return _affine(*rows, zero=(128, black, 128))


_ROWS = struct.Struct(f"<{COEFFICIENTS}i")


def write_map(found: ColourMap) -> bytes:
    """Write the coefficients of a map that has no number."""
    return _ROWS.pack(*(n for row in found.rows for n in row))


def read_map(data: bytes) -> ColourMap:
    """Read what :func:`write_map` wrote.

    Raises:
        FormatError: it is truncated.
    """
    if len(data) != _ROWS.size:
        raise FormatError("the coded data is truncated")
    n = _ROWS.unpack(data)
    return ColourMap(tuple(tuple(n[i : i + 4]) for i in range(0, COEFFICIENTS, 4)))


MAP_BYTES = _ROWS.size


def chart(samples: NDArray[Any]) -> NDArray[np.int64]:
    """Return colours as numbers, 2^16 R + 2^8 G + B."""
    wide = samples.astype(np.int64)
    return wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]
