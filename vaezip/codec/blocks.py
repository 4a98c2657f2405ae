"""Cut the pictures of a group into blocks, and bound what a block may hold."""

from __future__ import annotations

import zlib
from typing import Any

from numpy.typing import NDArray

from vaezip.codec import metadata
from vaezip.errors import FormatError, ImageError
from vaezip.models.cost import DEFAULT as BUDGET
from vaezip.models.cost import Budget
from vaezip.models.kinds import MODE_NAMES, ROWS, channels, dtype
from vaezip.vz.records import Group

Samples = NDArray[Any]

BLOCK_PIXELS, SOLID_PIXELS = 1 << 20, 1 << 24

SET_SAMPLES = 3 << 17
"""Samples of a block of several pictures, so that it is decoded in less than a second, for whoever reads one."""

_WITH_MARGINS, _IN_TILES = 2, 8
"""How many times as many pixels of a block there may be with those around each picture, and in whole tiles."""

_BAND_MULTIPLE = 32

_MARGIN, _TILE = 3, 32
"""Rows above and columns beside a picture, and the side of a tile, by which the memory of a block is bounded."""


def plain_bytes(samples: Samples) -> bytes:
    """Return the bytes of samples, the lower first on every machine."""
    return samples.astype(samples.dtype.newbyteorder("<"), copy=False).tobytes()


def samples_checksum(samples: Samples, before: int = 0) -> int:
    """Compute the CRC-32 of samples; it goes on from ``before``."""
    return zlib.crc32(plain_bytes(samples), before)


def new_group(mode: str, size: tuple[int, int], pixels: int) -> Group:
    """Return how pictures of (height, width) are cut into blocks of about so many pixels."""
    height, width = size
    group = Group(MODE_NAMES.index(mode), height, width, band=height)
    if height * width <= pixels:
        most = (pixels // (height * width), _WITH_MARGINS * pixels // _area(group), _IN_TILES * pixels // _tiled(group))
        group.per_block = max(1, min(most))
    else:
        rows = pixels // width
        whole = max(_BAND_MULTIPLE, rows // _BAND_MULTIPLE * _BAND_MULTIPLE)
        # what is so wide no model codes
        group.band = min(height, whole if _BAND_MULTIPLE * width <= SOLID_PIXELS else max(1, rows))
    return group


def group_of(mode: str, size: tuple[int, int], *, pictures: int | None = None, solid: bool = False) -> Group:
    """Return how pictures of (height, width) are cut into blocks.

    Args:
        mode: of the pictures.
        size: of each.
        pictures: that share a block, where so many may; None for so many that each is read in a second.
        solid: whether as many share one as may.
    """
    height, width = size
    group = new_group(mode, size, SOLID_PIXELS if solid else BLOCK_PIXELS)
    if pictures is not None:
        group.per_block = max(
            1, min(pictures, new_group(mode, size, SOLID_PIXELS).per_block if group.bands == 1 else 1)
        )
    elif not solid:
        group.per_block = max(1, min(group.per_block, SET_SAMPLES // (height * width * channels(mode))))
    return group


def gathered(group: Group) -> int:
    """Return how many pictures wait for each other: those of whole blocks, for which models are chosen together."""
    most = new_group(MODE_NAMES[group.mode], (group.height, group.width), BLOCK_PIXELS).per_block
    return group.per_block * max(1, most // group.per_block)


def block_shape(group: Group, number: int) -> tuple[int, int, int, int]:
    """Return (pictures, height, width, channels) of a block."""
    run, band = divmod(number, group.bands)
    count = min(group.per_block, len(group.names) - run * group.per_block)
    rows = min(group.band, group.height - band * group.band)
    return count, rows, group.width, channels(MODE_NAMES[group.mode])


def _area(group: Group) -> int:
    """Pixels that a model with a pixel network keeps of a picture, or a band: with those around it."""
    return (group.band + _MARGIN) * (group.width + 2 * _MARGIN)


def _tiled(group: Group) -> int:
    """Pixels that a model by tiles keeps of a picture, or a band."""
    return (-(-group.band // _TILE)) * (-(-group.width // _TILE)) * _TILE * _TILE


def check_group(group: Group, max_pixels: int, budget: Budget = BUDGET) -> None:
    """Refuse a group whose mode, metadata or blocks are unknown or too large."""
    if group.mode >= len(MODE_NAMES):
        raise FormatError(f"picture mode {group.mode} is unknown; a newer vaezip may read it")
    unknown = next((boxes for boxes in group.boxes if not metadata.is_known(boxes)), ())
    if unknown:
        raise FormatError(f"metadata field {max(unknown)[0]} is unknown; a newer vaezip may read it")
    if MODE_NAMES[group.mode] in ROWS:  # one row of bytes
        if (group.height, group.per_block) != (1, 1):
            raise FormatError("the directory describes impossible blocks")
        return
    pixels = max(SOLID_PIXELS, _BAND_MULTIPLE * group.width)
    pictures = min(group.per_block, len(group.names))
    margins, tiles = (pictures * area(group) for area in (_area, _tiled))
    if pictures * group.band * group.width > pixels or (
        pictures > 1 and (margins > _WITH_MARGINS * pixels or tiles > _IN_TILES * pixels)
    ):
        raise FormatError("the directory describes blocks that are too large")
    if group.height * group.width > max_pixels:
        raise ImageError(f"{group.width}×{group.height} pixels are more than the limit of {max_pixels}", "more-pixels")
    budget.check_memory(picture_bytes(group))


def picture_bytes(group: Group) -> int:
    """Return the bytes of the samples of a picture of a group."""
    mode = MODE_NAMES[group.mode]
    return group.height * group.width * channels(mode) * dtype(mode)().itemsize
