"""The table of modes: which planes of a picture a model codes."""

from __future__ import annotations

import numpy as np

from vaezip.models import kinds
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.registry import AnyArchitecture
from vaezip.pictures.picture import MODES, Picture

BILEVEL_GREY = "L/2"
"""A grey picture of black and white alone; coded as bits, given back as "L"."""
MOST_SIDE = 1 << 18
"""Of a picture that a pixel network sees whole: what it keeps of a row grows with that."""

COLOUR_PLANES = {
    **dict.fromkeys(("1", BILEVEL_GREY), (1, 2)),
    **dict.fromkeys(("L", "LA", "I;16", "LA;16"), (1, 256)),
    **dict.fromkeys(("RGB", "RGBA", "RGB;16", "RGBA;16"), (3, 256)),
}
"""Modes that a model can code: channels and levels of the planes without alpha, of 16 bits of their high parts."""


def levels(mode: str) -> int:
    """Of the samples that a model codes of a mode, 0 where none does."""
    return COLOUR_PLANES.get(mode, (0, 0))[1]


def is_wide(mode: str) -> bool:
    """Whether its samples have 16 bits."""
    return mode in MODES and MODES[mode].bits == 16


def has_alpha(mode: str) -> bool:
    """Whether its last channel is alpha, and models can code the others."""
    return mode in COLOUR_PLANES and mode in MODES and MODES[mode].channels > COLOUR_PLANES[mode][0]


def dtype(mode: str) -> type[np.generic]:
    """Of its samples."""
    return np.uint16 if is_wide(mode) else np.uint8


def fits(a: AnyArchitecture, mode: str, height: int, width: int) -> bool:
    """Whether a model of architecture ``a`` can code pictures of this mode and size."""
    planes = COLOUR_PLANES.get(mode)
    if planes not in ((a.channels, a.levels), (a.channels, 2)):  # black and white are two of 256 levels, too
        return False
    if isinstance(a, PixelArchitecture) and max(height, width) > MOST_SIDE:
        return False
    return a.tiled or (height, width) == a.tile


def falls_back(mode: str) -> bool:
    """Whether pictures of a mode that the model that was asked for cannot code are coded classically, not refused."""
    return not kinds.levels(mode) or is_wide(mode)


def coded_mode(picture: Picture, a: AnyArchitecture | None) -> str:
    """The mode that a picture is coded in: a grey one of black and white alone as bits, unless a model
    of architecture ``a`` was asked for that codes grey."""
    height, width = picture.samples.shape[:2]
    grey = a is not None and fits(a, "L", height, width)
    if picture.mode == "L" and not grey and bool(np.isin(picture.samples, (0, 255)).all()):
        return BILEVEL_GREY
    return picture.mode


def misfit(name: str, a: AnyArchitecture, picture: Picture, coded: str) -> str | None:
    """Why the model of this name and architecture, if it is asked for, cannot code a picture.

    None where it can, and where such pictures go the classic way.

    Args:
        coded: of :func:`coded_mode`.
    """
    height, width = picture.samples.shape[:2]
    if fits(a, coded, height, width) or falls_back(coded):
        return None
    kind = {(1, 2): "black-and-white", (1, 256): "grey", (3, 256): "RGB"}[a.channels, a.levels]
    most = f" (to {MOST_SIDE:,} a side)" * isinstance(a, PixelArchitecture)
    size = f"of any size{most}" if a.tiled else f"of {a.tile[1]}×{a.tile[0]}"
    return f"model '{name}' codes {kind} pictures {size}, not {picture.mode} of {width}×{height}; use --model auto"
