"""The limits on what a hostile file can make a reader allocate; a writer keeps to them, too."""

from __future__ import annotations

from vaezip.errors import FormatError

MAX_STEPS = 255

MAX_LOST = 1 << 16
"""Blocks that the first or the last picture of an index lacks."""

MAX_DIRECTORY = 1 << 26
PICTURES, CHARACTERS, PIECES = "pictures", "characters of names", "pieces of metadata"
MOST = {PICTURES: 1 << 22, CHARACTERS: 1 << 28, PIECES: 1 << 22}
MAX_MODELS = 1 << 10
MIN_PAYLOAD = 5
MAX_SIDE = 1 << 30
FIRST_TIME, LAST_TIME = -62_135_596_800, 253_402_300_799
"""The first second of the year 1 and the last of the year 9999, in seconds since 1970, UTC."""

MAX_MODEL = 1 << 26
"""Bytes of a model file that an archive can hold."""


class Budget:
    """A budget: what a file may still list. All groups share it, so that many cannot do what one may not."""

    def __init__(self) -> None:
        self.left = dict(MOST)

    def take(self, what: str, count: int) -> None:
        """Take so many of :data:`MOST`."""
        self.left[what] -= count
        if self.left[what] < 0:
            raise FormatError(f"more than {MOST[what]:,} {what} are more than a file can hold; use several")
