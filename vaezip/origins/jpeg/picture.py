"""Make the picture of a description and its coefficients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaezip.origins.jpeg import transform
from vaezip.origins.jpeg.description import SIDE, Description

Plane = NDArray[np.uint8]
Coefficients = NDArray[np.int16]
Border = tuple[NDArray[np.int16], NDArray[np.int16]]


def planes(description: Description, coefficients: list[Coefficients]) -> list[Plane]:
    """Return the samples of each component in whole blocks."""
    found, values = [], np.zeros(SIDE * SIDE, np.int64)
    for part, steps in zip(coefficients, description.steps, strict=True):
        plane = np.zeros((SIDE * part.shape[0], SIDE * part.shape[1]), np.uint8)
        transform.decode_plane(part, steps, values, plane, description.rounds_once)
        found.append(plane)
    return found


def framed(plane: Plane, limits: tuple[int, int], border: Border | None = None) -> Plane:
    """Return the samples of a component that the JPEG shows, with one more on each side: the nearest, plus a
    difference.

    Args:
        plane: the component, in whole blocks.
        limits: rows and columns that are shown.
        border: (2, 1, columns) above and below, and (2, 1, rows) to the left and right; modulo 256.
    """
    found = np.pad(plane[: limits[0], : limits[1]], 1, "edge")
    if border:
        (above, below), (left, right) = border[0][:, 0].astype(np.uint8), border[1][:, 0].astype(np.uint8)
        found[0, 1:-1] += above
        found[-1, 1:-1] += below
        found[1:-1, 0] += left
        found[1:-1, -1] += right
        found[:: limits[0] + 1, 0], found[:: limits[0] + 1, -1] = (
            found[:: limits[0] + 1, 1],
            found[:: limits[0] + 1, -2],
        )
    return found


def shown(description: Description, components: list[Plane], borders: list[Border] | None = None) -> list[Plane]:
    """Return the samples of each component at the places of the picture's pixels.

    Args:
        description: of the picture.
        components: in whole blocks.
        borders: of Cb and of Cr, as :func:`framed` takes them.
    """
    (top, left), (height, width) = description.phase, description.size
    found = [components[0][top : top + height, left : left + width]]
    for i, plane in enumerate(components[1:]):
        out = np.zeros(description.size, np.uint8)
        frame = framed(plane, description.samples(1), borders[i] if borders else None)
        transform.upsample(frame, description.phase, description.sampling, description.fancy, out)
        found.append(out)
    return found


def picture(
    description: Description, components: list[Plane], borders: list[Border] | None = None
) -> NDArray[np.uint8]:
    """Return the pixels, (height, width, 1 or 3), that components give; arguments as of :func:`shown`."""
    parts = shown(description, components, borders)
    if len(parts) == 1:
        return np.ascontiguousarray(parts[0])[..., np.newaxis]
    out = np.zeros((*description.size, 3), np.uint8)
    transform.to_rgb(*parts, out)
    return out
