"""The limits on what a hostile file can make a reader allocate and do; a writer keeps to them, too.

``docs/format/limits.md`` lists them, and what memory they come to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vaezip.errors import FormatError

MAX_STEPS = 127
"""The eighth bit of the byte that holds them tells of an origin."""

MAX_LOST = 1 << 16
"""Blocks that the first or the last picture of an index lacks."""

MAX_DIRECTORY = 1 << 26
MAX_MODELS = 1 << 10
MAX_MODEL_NAME = 255
"""Bytes of what a file calls a model."""

MIN_PAYLOAD = 5
MAX_SIDE = 1 << 30
FIRST_TIME, LAST_TIME = -62_135_596_800, 253_402_300_799
"""The first second of the year 1 and the last of the year 9999, in seconds since 1970, UTC."""

MAX_MODEL = 1 << 26
"""Bytes of a model file that an archive can hold."""

MAX_NAME = 4095
"""Bytes of the name of a picture: of a path that Linux takes."""

MAX_PARTS = 255
"""Parts of a name: folders, and the file in them."""

MAX_METADATA = 1 << 26
"""Bytes of metadata of one picture, where each piece counts as often as it is listed."""


class Limit(NamedTuple):
    """A limit on what all groups of a file list together: it grows with the bytes of the file, up to ``most``.

    Attributes:
        base: what any file may list.
        share: what it may list beside for every four bytes that it has.
        most: what no file may list more of.
    """

    base: int
    share: int
    most: int

    def of(self, size: int | None) -> int:
        """Return the limit for a file of so many bytes, or of any number."""
        return self.most if size is None else min(self.most, self.base + self.share * size // 4)


PICTURES, NAMES, PIECES, METADATA = "pictures", "bytes of names", "pieces of metadata", "bytes of metadata"
LIMITS = {
    PICTURES: Limit(1 << 16, 1, 1 << 22),
    NAMES: Limit(1 << 24, 32, 1 << 28),
    PIECES: Limit(1 << 18, 4, 1 << 22),
    METADATA: Limit(1 << 28, 1024, 1 << 40),
}


class Budget:
    """A budget: what a file may still list. All groups share it, so that many cannot do what one may not."""

    def __init__(self, size: int | None = None) -> None:
        """Begin with the limits of a file of ``size`` bytes, or, where that is not known yet, of any file."""
        self.size = size
        self.left = {what: limit.of(size) for what, limit in LIMITS.items()}

    def take(self, what: str, count: int) -> None:
        """Take so many of :data:`LIMITS`.

        Raises:
            FormatError: so many are not left.
        """
        self.left[what] -= count
        if self.left[what] < 0:
            file = "a file" if self.size is None else f"a file of {self.size:,} bytes"
            most = LIMITS[what].of(self.size)
            raise FormatError(f"more than {most:,} {what} are more than {file} can hold; use several")

    def take_metadata(self, sizes: Sequence[int]) -> None:
        """Take the bytes of the pieces of metadata of one picture.

        Raises:
            FormatError: they are more than one picture may have, or than are left.
        """
        if sum(sizes) > MAX_METADATA:
            most = MAX_METADATA >> 20
            raise FormatError(f"the metadata of a picture take more than {most} MiB, which no file can hold")
        self.take(METADATA, sum(sizes))


def check_name(name: str) -> None:
    """Refuse a name of a picture that no file can hold.

    Raises:
        FormatError: it is too long, or lies too deep.
    """
    refuse_name(len(name.encode(errors="replace")), name.count("/") + 1)


def refuse_name(length: int, parts: int) -> None:
    """Refuse the name of a picture by its bytes and its parts.

    Raises:
        FormatError: they are too many.
    """
    if length > MAX_NAME:
        raise FormatError(f"a name of more than {MAX_NAME:,} bytes is more than a file can hold")
    if parts > MAX_PARTS:
        raise FormatError(f"a name in more than {MAX_PARTS - 1} folders is more than a file can hold")
