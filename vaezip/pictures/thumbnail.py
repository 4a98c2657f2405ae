"""Small pictures to look at: what samples of any mode show, on a screen of 8 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaezip.pictures.exif import orientation_of
from vaezip.pictures.picture import MODES, Picture

_SQUARE = 8
_DARK, _LIGHT = 176, 224
"""Side and greys of the chequered ground that alpha lets through."""


def thumbnail(picture: Picture, width: int, height: int) -> Image.Image:
    """Make an RGB image of a picture as it is to be seen, no larger than so many pixels, and never enlarged.

    Samples of 16 bits that use fewer are brightened to what they use; what is transparent shows a chequered ground; and
    the orientation that EXIF data ask for is applied.
    """
    image = Image.fromarray(_on_ground(_shown(picture)))
    image.thumbnail((width, height), Image.Resampling.BOX if image.width > 4 * width else Image.Resampling.LANCZOS)
    turn = _TURNS.get(orientation_of(picture.box("exif") or b""))
    return image if turn is None else image.transpose(turn)


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to turn a picture, by the orientation of EXIF data."""


def _shown(picture: Picture) -> NDArray[np.uint8]:
    """Return the colours of a picture in 8 bits: (height, width, 3), or 4 with alpha."""
    samples: NDArray[Any] = picture.samples
    mode = picture.mode
    if mode == "P":
        return _looked_up(samples[..., 0], picture.box("palette") or b"", picture.box("transparency") or b"")
    if mode == "1":
        samples = samples * np.uint8(255)
    elif MODES[mode].bits == 16:
        bits = max(8, int(samples.max()).bit_length())
        samples = (samples >> (bits - 8)).astype(np.uint8)
    opaque = samples.shape[2] % 2
    colours, alpha = (samples, samples[..., :0]) if opaque else (samples[..., :-1], samples[..., -1:])
    colours = np.repeat(colours, 3, axis=2) if colours.shape[2] == 1 else colours
    return np.concatenate([colours, alpha], axis=2)


def _looked_up(indices: NDArray[Any], palette: bytes, transparency: bytes) -> NDArray[np.uint8]:
    table = np.zeros((256, 4), np.uint8)
    colours = np.frombuffer(palette, np.uint8).reshape(-1, 3)
    table[:, 3] = 255
    table[: len(colours), :3] = colours
    table[: len(transparency), 3] = np.frombuffer(transparency, np.uint8)
    return table[indices]


def _on_ground(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay colours with alpha on a chequered ground."""
    if colours.shape[2] == 3:
        return np.ascontiguousarray(colours)
    rows, columns = (np.arange(extent) // _SQUARE % 2 for extent in colours.shape[:2])
    ground = np.where(rows[:, None] ^ columns, _DARK, _LIGHT)[..., None]
    alpha = colours[..., 3:].astype(np.uint32)
    mixed = (colours[..., :3] * alpha + ground * (255 - alpha) + 127) // 255
    return mixed.astype(np.uint8)
