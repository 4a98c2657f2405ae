"""Files that are compressed: what is read of them, and how they are handed to the compressor."""

from __future__ import annotations

import math
import os
import stat
from dataclasses import dataclass, field

import vaezip
from vaezip.cli import inputs, streams
from vaezip.cli.inputs import Source
from vaezip.errors import ImageError
from vaezip.pictures.formats import is_jpeg
from vaezip.vz.archive import is_vz
from vaezip.vz.times import is_time


@dataclass(frozen=True)
class Read:
    """A picture, None where only its file is coded; the file that it came in, and when that was last changed; and all
    pictures by name, where the file holds several."""

    picture: vaezip.Picture | None
    data: bytes
    modified: int | None
    frames: dict[str, vaezip.Picture] = field(default_factory=dict)

    @property
    def pictures(self) -> list[vaezip.Picture]:
        """List the pictures that are read."""
        return list(self.frames.values()) or ([self.picture] if self.picture else [])

    @property
    def size(self) -> int:
        """Count the bytes of the file."""
        return len(self.data)

    @property
    def weight(self) -> int:
        """Return what it weighs to the meter of the coder: its values, or the bytes of a file that is kept."""
        return sum(picture.samples.size for picture in self.pictures) or self.size

    @property
    def dropped(self) -> tuple[str, ...]:
        """Name the metadata that a .vz file does not keep."""
        return tuple(dict.fromkeys(name for picture in self.pictures for name in picture.dropped))

    @property
    def values(self) -> int:
        """Count the samples of the picture, 0 where that is not known."""
        from vaezip.pictures.jpeg.parts import shape_of

        if not self.pictures:
            return math.prod(shape_of(self.data) or (0,))
        return sum(picture.samples.size for picture in self.pictures)


def read(source: Source, *, max_pixels: int, pixels: bool) -> Read:
    """Read a file: its picture, or all that it holds; of a JPEG, unless its pixels are asked for, the bytes alone.

    Raises:
        VaezipError: it cannot be read, or is a .vz file.
    """
    from vaezip.pictures.sequences.files import read_all  # late, for Pillow takes time that a help text has not

    data = streams.read(source.path, inputs.bound(max_pixels))
    refuse_vz(data)
    if is_jpeg(data) and not pixels:
        return Read(None, data, _modified(source))
    found = read_all(data, max_pixels)
    alone = found.pop("", None)
    return Read(alone, data, _modified(source), found)


def add(compressor: vaezip.Compressor, name: str, read: Read) -> None:
    """Add a picture, or all that a file holds, by names below its own."""
    from vaezip.pictures.picture import refuse_dropped

    if compressor.options.strict:
        refuse_dropped(read.dropped)  # of any frame, before the first of them is added
    for frame, picture in read.frames.items():
        compressor.add(f"{name}/{frame}" if name else frame, picture, modified=read.modified)
    if not read.frames:
        compressor.add(name, read.picture, original=read.data, modified=read.modified if name else None)


def refuse_vz(data: bytes) -> None:
    """Refuse what is compressed already."""
    if is_vz(data):
        raise ImageError("is a .vz file already; 'vaezip decompress' gives back its picture")


def beginning(path: str) -> bytes:
    """Return the first bytes of a file."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(8)
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror}") from error


def _modified(source: Source) -> int | None:
    """Return when a file was last changed; None of a pipe, or where no set could tell the time."""
    try:
        status = os.stat(source.path)
    except OSError:
        return None
    seconds = status.st_mtime_ns // 10**9
    return seconds if stat.S_ISREG(status.st_mode) and is_time(seconds) else None


def size(source: Source) -> int:
    """Return the bytes of a file, 0 where that is not known."""
    try:
        return os.path.getsize(source.path)
    except OSError:
        return 0
