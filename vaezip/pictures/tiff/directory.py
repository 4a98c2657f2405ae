"""Read the tags of the first directory of a TIFF that tell how its picture is stored."""

from __future__ import annotations

from typing import NamedTuple

from vaezip.errors import ImageError
from vaezip.pictures.picture import damage
from vaezip.pictures.tiff.tags import BYTE, UNDEFINED, UNSIGNED, Directory, Tag, TiffFile, open_tiff

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
STRIPS, CHANNELS, ROWS, STRIP_BYTES, PLANAR, COLOURS = 273, 277, 278, 279, 284, 320
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES, EXTRA, SAMPLE_FORMAT, DEPTH = 322, 323, 324, 325, 338, 339, 32997
SUBFILE, T4_OPTIONS, PREDICTOR, JPEG_TABLES = 254, 292, 317, 347


class FirstDirectory(NamedTuple):
    """Hold a TIFF and its first directory, whose tags are taken as unsigned integers."""

    data: bytes
    tiff: TiffFile
    directory: Directory

    def has(self, number: int) -> bool:
        """Tell whether a tag is there."""
        return number in self.directory.tags

    def values(self, number: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Return the integers of a tag, or a default where it is absent."""
        tag = self._integers(number)
        return default if tag is None else tag.integers(self.tiff.order)

    def value(self, number: int, default: int) -> int:
        """Return the first integer of a tag, or a default where it is absent."""
        tag = self._integers(number)
        first = tag.beginning().integers(self.tiff.order) if tag else ()
        return first[0] if first else default

    def _integers(self, number: int) -> Tag | None:
        tag = self.directory.tags.get(number)
        if tag is None and number in self.directory.damaged:
            raise damage(f"tag {number} lies behind its end or holds no integers")
        if tag is not None and tag.type == UNDEFINED:
            tag = tag._replace(type=BYTE)
        if tag is not None and tag.type not in UNSIGNED:
            raise damage(f"tag {number} holds no integers")
        return tag


def first_directory(data: bytes) -> FirstDirectory:
    """Read the first directory of a TIFF.

    Raises:
        ImageError: there is none, or it is not whole.
    """
    tiff = open_tiff(data)
    if tiff is not None and tiff.first == 0:
        raise ImageError("holds no picture")
    first = tiff.directory(tiff.first) if tiff else None
    if tiff is None or first is None or first.end > len(data):
        raise damage("its directory lies behind its end")
    return FirstDirectory(data, tiff, first)
