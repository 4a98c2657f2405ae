"""The table of modes: what a model codes of a picture, by which likelihood, and what goes beside it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vaezip.models.base import Architecture
from vaezip.pictures.picture import MODES, Picture

BILEVEL_GREY = "L/2"
"""A grey picture of black and white alone; coded as bits, decoded as "L"."""

VERBATIM = "verbatim"
"""The bytes of an input as they are, where nothing codes its picture in fewer; stored as one row of 8-bit samples."""

JPEG = "jpeg"
"""The bytes of a JPEG file, one row of samples, which are made again from its coefficients."""

FILES = (VERBATIM, JPEG)
"""The modes of blocks that give back the bytes of a file."""

COPY = "copy"
"""The name of another picture of the set, which this one equals but for its metadata; one row of 8-bit samples."""

ROWS = (*FILES, COPY)
"""The modes of blocks that hold bytes, in one row of samples, and no pixels."""

MODE_NAMES = (
    *("1", "L", "LA", "RGB", "RGBA", "P", "I;16", "LA;16", "RGB;16", "RGBA;16"),
    *(BILEVEL_GREY, VERBATIM, JPEG, COPY),
)
"""The number of a mode in a file is its place here, which it keeps for ever: a new mode goes behind the last."""


class Planes(NamedTuple):
    """The planes that one model codes together.

    Attributes:
        channels: how many there are.
        levels: how many values a sample has.
        likelihood: the one by which tile models code them.
        mode: the mode of a picture of these planes alone.
        name: what messages call them.
    """

    channels: int
    levels: int
    likelihood: str
    mode: str
    name: str


BLACK_AND_WHITE = Planes(1, 2, "bernoulli", "1", "black-and-white")
GREY = Planes(1, 256, "logistic", "L", "grey")
COLOUR = Planes(3, 256, "colour-logistic", "RGB", "RGB")
ALL_PLANES = (BLACK_AND_WHITE, GREY, COLOUR)

PLANES: dict[str, Planes] = {
    **dict.fromkeys(("1", BILEVEL_GREY), BLACK_AND_WHITE),
    **dict.fromkeys(("L", "LA"), GREY),
    **dict.fromkeys(("RGB", "RGBA"), COLOUR),
}
"""The planes of each mode that models code: not indices of a palette, nor samples of 16 bits."""


def planes_of(architecture: Architecture) -> Planes:
    """Return the planes that a model codes."""
    size = architecture.channels, architecture.levels
    return next(planes for planes in ALL_PLANES if planes[:2] == size)


def levels(mode: str) -> int:
    """Return the levels of the planes that a model codes of a mode, 0 where no model does."""
    return PLANES[mode].levels if mode in PLANES else 0


def channels(mode: str) -> int:
    """Return the channels of a picture's samples."""
    return MODES[mode].channels if mode in MODES else 1


def is_wide(mode: str) -> bool:
    """Tell whether samples have 16 bits."""
    return mode in MODES and MODES[mode].bits == 16


def has_alpha(mode: str) -> bool:
    """Tell whether the last channel is alpha."""
    return channels(mode) % 2 == 0


def dtype(mode: str) -> type[np.generic]:
    """Return the type of samples."""
    return np.uint16 if is_wide(mode) else np.uint8


def fits(a: Architecture, mode: str, size: tuple[int, ...]) -> bool:
    """Tell whether a model of architecture ``a`` can code pictures of this mode and size (height, width)."""
    planes = PLANES[mode][:2] if mode in PLANES else None
    if planes not in ((a.channels, a.levels), (a.channels, 2)):  # black and white are two of 256 levels, too
        return False
    if a.most_side is not None and max(size) > a.most_side:
        return False
    return a.tiled or size == a.tile


def is_black_and_white(picture: Picture) -> bool:
    """Tell whether a grey picture holds nothing but black and white."""
    return picture.mode == "L" and bool(np.isin(picture.samples, (0, 255)).all())


def coded_mode(picture: Picture, a: Architecture | None) -> str:
    """Return the mode that a picture is coded in: a grey one of black and white alone as bits, unless a model
    of architecture ``a`` was chosen that codes grey."""
    grey = a is not None and fits(a, "L", picture.samples.shape[:2])
    return BILEVEL_GREY if not grey and is_black_and_white(picture) else picture.mode


def misfit(name: str, a: Architecture, picture: Picture, *, coded: str) -> str | None:
    """Say why a chosen model cannot code a picture; None where it can, and where no model codes pictures of the mode.

    Args:
        name: of the model.
        a: its architecture.
        picture: what it should code.
        coded: of :func:`coded_mode`.
    """
    height, width = picture.samples.shape[:2]
    if coded not in PLANES or fits(a, coded, (height, width)):
        return None
    most = f" (to {a.most_side:,} a side)" if a.most_side else ""
    size = f"of any size{most}" if a.tiled else f"of {a.tile[1]}×{a.tile[0]}"
    return f"model '{name}' codes {planes_of(a).name} pictures {size}, not {picture.mode} of {width}×{height}"
