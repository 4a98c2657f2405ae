"""The shell of a picture: what stands around its samples in its file, and how they stand there; a box keeps it.

DICOM and FITS files hold their samples plainly, between headers that matter as much. From samples and shell the same
file is made again, byte for byte, without any library. A file of several pictures is shared among their shells.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vaezip.errors import ImageError
from vaezip.pictures.picture import Box, Picture, Samples
from vaezip.pictures.sequences.frame import DICOM, FITS, NAMES

CHUNK = b"vzSh"
"""The name of the chunk that holds a shell in a PNG; its letters say that it is ancillary, private and safe to copy."""

MOST = 1 << 25
"""Bytes that stand around the samples of a picture; of a file with more, the samples alone are kept."""

BITS = "bits"
"""Of samples that take a bit each, the lowest of a byte first."""

_WIDE = ("i2", "u2", "i4", "u4", "i8", "f4", "f8")
TYPES = (BITS, "|i1", "|u1", *("<" + kind for kind in _WIDE), *(">" + kind for kind in _WIDE))
"""How a sample may stand in a file: ``BITS``, or its type as NumPy names it."""

_VERSION = 1
_FORM = struct.Struct(">BB4sBqIIQI")
_PREFIX = b"\0" + CHUNK
_GREATEST_SHIFT = 1 << 53


class Shell(NamedTuple):
    """Say where a picture stood in its file.

    Attributes:
        format: of the file: ``DICOM`` or ``FITS``.
        type: of a stored sample, one of :data:`TYPES`.
        planar: whether each channel is stored as a whole.
        shift: what was added to a stored sample to make it one of the picture.
        page, pages: the place of the picture among all of the file, from 0, and their number.
        length: of the stored samples in bytes.
        before, after: the bytes around them; between two pictures, they are before the second.
    """

    format: int
    type: str
    planar: bool
    shift: int
    page: int
    pages: int
    length: int
    before: bytes
    after: bytes


def may_shift(shift: int) -> bool:
    """Tell whether a shift is one that a shell holds."""
    return abs(shift) < _GREATEST_SHIFT


def to_box(shell: Shell) -> Box:
    """Return the box that keeps a shell."""
    numbers = (shell.planar, shell.shift, shell.page, shell.pages, shell.length, len(shell.before))
    head = _FORM.pack(_VERSION, shell.format, shell.type.encode(), *numbers)
    return "png-chunk", _PREFIX + head + shell.before + shell.after


def shell_of(boxes: Sequence[Box]) -> Shell | None:
    """Return the shell that is kept among the boxes of a picture, None where there is none that is known."""
    for name, data in boxes:
        if name != "png-chunk" or not data.startswith(_PREFIX) or len(data) < len(_PREFIX) + _FORM.size:
            continue
        version, format, kind, planar, shift, page, pages, length, count = _FORM.unpack_from(data, len(_PREFIX))
        around, type = data[len(_PREFIX) + _FORM.size :], kind.rstrip(b"\0").decode("latin-1")
        if version == _VERSION and format in (DICOM, FITS) and type in TYPES and planar < 2 and may_shift(shift):
            return Shell(format, type, bool(planar), shift, page, pages, length, around[:count], around[count:])
    return None


def stored(samples: Samples, type: str, *, planar: bool, shift: int) -> bytes:
    """Return samples as they stand in a file; the arguments are as in :class:`Shell`."""
    ordered = np.moveaxis(samples, -1, 0) if planar else samples
    if type == BITS:
        return np.packbits(ordered.reshape(-1), bitorder="little").tobytes()
    if shift == 0 and np.dtype(type) == ordered.dtype:
        return ordered.tobytes()
    return (ordered.astype(np.int64) - shift).astype(type).tobytes()


def file_of(pictures: Sequence[Picture], format: int) -> bytes:
    """Return the file that pictures were, in their order.

    Raises:
        ImageError: they were none of that format, or are not all of it, or of another size.
    """
    parts = []
    for page, picture in enumerate(pictures):
        shell = shell_of(picture.boxes)
        if shell is None or shell.format != format:
            raise ImageError(f"was no {NAMES[format]} file, or its header is not kept; choose .png")
        samples = stored(picture.samples, shell.type, planar=shell.planar, shift=shell.shift)
        if (shell.page, shell.pages, shell.length) != (page, len(pictures), len(samples)):
            raise ImageError(f"is not all of the {NAMES[format]} file that it was in; choose .png")
        parts += [shell.before, samples, shell.after]
    return b"".join(parts)
