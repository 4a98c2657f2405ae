"""A frame of an animation, or a page: what is known of it beside its picture, and the box that keeps that."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import NamedTuple

from vaezip.errors import ImageError
from vaezip.pictures.picture import Box, Picture, sort_boxes

CHUNK = b"vzFr"
"""The name of the chunk that holds a frame in a PNG; its letters say that it is ancillary, private and safe to copy."""

GIF, PNG, TIFF, DICOM, FITS = 1, 2, 3, 4, 5
"""The formats that a frame may come from."""

NAMES = {GIF: "GIF", PNG: "PNG", TIFF: "TIFF", DICOM: "DICOM", FITS: "FITS"}

NUMBERS = {name: number for number, name in NAMES.items()}

ENDLESS, ONCE = 0, (1 << 32) - 1
"""Of loops: an animation that goes on for ever, and one of which the file says nothing."""

HIDDEN = 255
"""Of disposal: the picture of an animated PNG that is shown where animations are not."""

_VERSION = 1
_FORM = struct.Struct(">BB4IHHBBI")
_PREFIX = b"\0" + CHUNK


class Frame(NamedTuple):
    """Hold what a file says of one of its pictures.

    Attributes:
        format: one of :data:`NAMES`.
        width, height: of the whole animation; of a page, of this.
        x, y: where the picture lies in it.
        delay: for how long it is shown: a numerator and a denominator, in seconds.
        disposal, blending: what becomes of it then, and how it is laid on what was before, as its format numbers them.
        loops: how often the animation is shown.
    """

    format: int
    width: int
    height: int
    x: int = 0
    y: int = 0
    delay: tuple[int, int] = (0, 1)
    disposal: int = 0
    blending: int = 0
    loops: int = ONCE

    @property
    def seconds(self) -> float:
        """Return the delay; a denominator of 0 counts as 100, as in animated PNG."""
        return self.delay[0] / (self.delay[1] or 100)


def with_frame(picture: Picture, frame: Frame) -> Picture:
    """Return a picture with the box that keeps its frame."""
    data = _FORM.pack(_VERSION, *frame[:5], *frame.delay, *frame[6:])
    return replace(picture, boxes=sort_boxes([("png-chunk", _PREFIX + data), *picture.boxes]))


def frame_of(boxes: tuple[Box, ...]) -> Frame | None:
    """Return the frame that is kept among the boxes of a picture, None where there is none that is known."""
    for name, data in boxes:
        if name == "png-chunk" and data[1:5] == CHUNK and len(data) == 5 + _FORM.size and data[5] == _VERSION:
            _, format, width, height, x, y, above, below, *shown = _FORM.unpack(data[5:])
            known = format in NAMES
            return Frame(format, width, height, x, y, (above, below), shown[0], shown[1], shown[2]) if known else None
    return None


def without_frame(picture: Picture) -> Picture:
    """Return a picture without that box."""
    kept = (box for box in picture.boxes if box[0] != "png-chunk" or box[1][1:5] != CHUNK)
    return replace(picture, boxes=tuple(kept))


class InexactError(ImageError):
    """Pictures cannot be put together so that the same pictures come out of the file."""

    def __init__(self, reason: str, remedy: str | None = "as-folder") -> None:
        super().__init__(reason, remedy)
