"""Find the Y, Cb, Cr that libjpeg turned into red, green and blue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.jit import borrowing
from vaezip.origins.colour import clipped
from vaezip.origins.jpeg.transform import blue_of, green_of, red_of

FREE, EXACT, NEAR = 0, 1, 2
"""What is known of a pixel: nothing that follows from it alone, all, or nothing, since the map gives no such pixel."""

ANY = 1 << 20
"""Beyond any sample: a bound that bounds nothing."""


def preimages(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return Y, Cb, Cr as (3, height, width), and what is known of each pixel."""
    out, known = np.zeros((3, *rgb.shape[:2]), np.uint8), np.zeros(rgb.shape[:2], np.uint8)
    _preimages(np.ascontiguousarray(rgb), out, known)
    return out, known


@borrowing
def _preimages(rgb, out, known):
    for i in range(rgb.shape[0]):
        for j in range(rgb.shape[1]):
            r, g, b = int(rgb[i, j, 0]), int(rgb[i, j, 1]), int(rgb[i, j, 2])
            if j and r == rgb[i, j - 1, 0] and g == rgb[i, j - 1, 1] and b == rgb[i, j - 1, 2]:
                known[i, j] = known[i, j - 1]
                for channel in range(3):
                    out[channel, i, j] = out[channel, i, j - 1]
                continue
            y = (19595 * r + 38470 * g + 7471 * b + 32768) >> 16
            cr = 128 + (((r - y) * 46742 + 32768) >> 16)
            cb = 128 + (((b - y) * 36984 + 32768) >> 16)
            out[0, i, j], out[1, i, j], out[2, i, j] = clipped(y), clipped(cb), clipped(cr)
            if min(r, g, b) == 0 or max(r, g, b) == 255:
                continue
            known[i, j] = NEAR
            for a in range(-2, 3):
                red = cr + a
                luma = r - red_of(red)
                blue = 128 + (((b - luma) * 36984 + 32768) >> 16)
                if (
                    min(red, luma, blue) >= 0
                    and max(red, luma, blue) <= 255
                    and luma + blue_of(blue) == b
                    and luma + green_of(blue, red) == g
                ):
                    out[0, i, j], out[1, i, j], out[2, i, j] = luma, blue, red
                    known[i, j] = EXACT
                    break


@borrowing
def bounds_of_luma(rgb, cb, cr, low, high):
    """Find between which values Y must lie where Cb and Cr are known, int32; ANY where they cannot be right."""
    for i in range(rgb.shape[0]):
        for j in range(rgb.shape[1]):
            a, b = int(cb[i, j]), int(cr[i, j])
            least, most = -ANY, ANY
            for c in range(3):
                value = int(rgb[i, j, c])
                y = value - (red_of(b) if c == 0 else (green_of(a, b) if c == 1 else blue_of(a)))
                if value > 0:
                    least = max(least, y)
                if value < 255:
                    most = min(most, y)
            if least > most or least > 255 or most < 0:
                least, most = -ANY, ANY
            low[i, j] = least if least > 0 else -ANY
            high[i, j] = most if most < 255 else ANY
