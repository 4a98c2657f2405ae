"""Collect what a picture file holds beside the samples: what is kept in boxes, and the names of what is not."""

from __future__ import annotations

import re

from vaezip.pictures.tiff_tags import open_tiff

_MOST_NAMES = 32  # a file may name as many kinds as it has bytes; nobody reads more than these
_NAMES = {"icc": "ICC profile", "exif": "EXIF", "xmp": "XMP"}


class Findings:
    """Hold the boxes of a picture, the first of each kind, and the names of what none of them holds."""

    def __init__(self) -> None:
        self.boxes: dict[str, bytes] = {}
        self._dropped: dict[str, None] = {}

    @property
    def dropped(self) -> tuple[str, ...]:
        """Return the names of what is not kept, in the order of the file, each once."""
        names = tuple(self._dropped)
        more = len(names) - _MOST_NAMES
        return names if more <= 0 else (*names[:_MOST_NAMES], f"{more} other kinds")

    def keep(self, box: str, data: bytes) -> None:
        """Keep a box, or name it where it is damaged or a different one of its kind came before; empty is nothing."""
        if data and box == "exif" and open_tiff(data) is None:
            self.drop("damaged EXIF")
        elif data and self.boxes.setdefault(box, data) != data:
            self.drop(f"second {_NAMES.get(box, box)}")

    def drop(self, name: str) -> None:
        """Name something that is not kept."""
        self._dropped.setdefault(name)


def label(data: bytes) -> str:
    """Return the readable beginning of some bytes, to name them by; empty where they begin with anything else."""
    match = re.match(rb"[!-~][ -~]{1,31}", data)
    return match.group().decode("ascii").rstrip() if match else ""
