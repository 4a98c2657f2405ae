"""Make pictures that Pillow decoded from JPEGs of its own."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from vaezip.origins.jpeg import transform
from vaezip.pictures.jpeg.parts import parse

SAMPLINGS = {(1, 1): 0, (1, 2): 1, (2, 2): 2}
"""Pillow's numbers of samplings, down and across."""


def drawn(height, width, channels=3, *, level=128, seed=0):
    """Draw waves with noise, around a level: at 128 next to nothing is clipped."""
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(seed).normal(0, 4, (height, width, channels))
    waves = [60 * np.sin((x + 3 * i) / (7 + i)) + 40 * np.cos(y / (5 + i)) for i in range(channels)]
    return np.clip(np.stack(waves, -1) + level + noise, 0, 255).astype(np.uint8)


def jpeg(pixels, *, quality=80, sampling=(2, 2), tables=None):
    """Return the bytes of a JPEG."""
    out, options = io.BytesIO(), {"quality": quality} if tables is None else {"qtables": tables}
    image = Image.fromarray(pixels.squeeze())
    if image.mode == "RGB":
        options["subsampling"] = SAMPLINGS[sampling]
    image.save(out, "JPEG", **options)
    return out.getvalue()


def decoded(data):
    """Return the pixels of a JPEG as Pillow decodes it, (height, width, channels)."""
    samples = np.array(Image.open(io.BytesIO(data)))
    return samples.reshape(*samples.shape[:2], -1)


def was_jpeg(height, width, channels=3, *, level=128, **options):
    """Return pixels that Pillow decoded, and the size of the JPEG."""
    data = jpeg(drawn(height, width, channels, level=level), **options)
    return decoded(data), len(data)


def by_floats(height, width, channels=3, *, quality=85):
    """Return pixels as a decoder makes them whose transform is in floating point; chroma is whole."""
    data = jpeg(drawn(height, width, channels), quality=quality, sampling=(1, 1))
    file, parts = parse(data, 1 << 20), []
    u, x = np.mgrid[:8, :8]
    basis = np.cos((2 * x + 1) * u * np.pi / 16) * np.where(u, 0.5, np.sqrt(1 / 8))
    for coefficients, steps in zip(file.planes(), file.quantisation, strict=False):
        blocks = (coefficients * steps).reshape(*coefficients.shape[:2], 8, 8)
        values = np.floor(basis.T @ blocks @ basis + 128.5 + 1e-6)  # where it lies between two, it rounds up
        plane = values.clip(0, 255).astype(np.uint8).transpose(0, 2, 1, 3)
        parts.append(plane.reshape(8 * plane.shape[0], -1)[:height, :width])
    if channels == 1:
        return parts[0][..., np.newaxis]
    out = np.zeros((height, width, 3), np.uint8)
    transform.to_rgb(*parts, out)
    return out
