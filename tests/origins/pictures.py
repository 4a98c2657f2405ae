"""Pictures that were three planes before, made of integers."""

import numpy as np


def planes(height, width, *, seed=0, pictures=1):
    """Draw smooth planes Cr, Y and Cb with noise: (pictures, height, width, 3)."""
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    luma = 40 + (x * 3 + y * 2) % 160
    red, blue = 110 + (x // 3 + y // 5) % 30, 120 + (y // 2) % 24
    noise = draw.integers(-2, 3, (pictures, height, width, 3))
    return (np.stack([red, luma, blue], axis=-1)[None] + noise).astype(np.uint8)


def frame(layout, height, width, *, seed=0, pictures=1):
    """Draw what a sensor sees, and interpolate the colours of its mosaic: (pictures, height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(seed).integers(-6, 7, (pictures, height, width))
    channel = layout.channels(height, width)
    seen = 60 + 20 * channel + (x * 3 + y * 2 + channel * x) % 97 + noise
    return layout.colours(seen.astype(np.int64)).astype(np.uint8)
