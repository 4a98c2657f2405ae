"""Make pictures that Pillow decoded from JPEGs of its own."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

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
