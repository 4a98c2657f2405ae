"""Sets whose pictures were the frames or pages of a file, and a picture that can become the file that it was."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from vaezip.codec import metadata
from vaezip.errors import FormatError, VaezipError
from vaezip.pictures.picture import Picture
from vaezip.pictures.sequences import files
from vaezip.pictures.sequences.frame import NAMES
from vaezip.pictures.shell import shell_of

if TYPE_CHECKING:
    from vaezip.codec.archive import Archive


def described(archive: Archive) -> str | None:
    """Word what the pictures of a set were together; None where they were nothing."""
    with suppress(FormatError):
        boxes = [metadata.named(boxes) for group in archive.file.groups for boxes in group.boxes]
        return None if archive.names == [""] else files.describe(boxes)
    return None


def came_from(archive: Archive) -> str | None:
    """Name the format of the file that the one picture of an archive was, if its shell makes that file again."""
    with suppress(FormatError):
        shell = shell_of(metadata.named(archive.file.groups[0].boxes[0])) if archive.names == [""] else None
        return NAMES[shell.format] if shell and shell.pages == 1 else None
    return None


def rejoined(archive: Archive, suffix: str) -> bytes:
    """Decode the pictures of such a set, and return the file of all of them, in the format of a suffix.

    Raises:
        VaezipError: one of them is damaged.
        ImageError: the format cannot hold them exactly.
    """
    found: dict[str, Picture] = {}
    for name, picture in archive.pictures():
        if isinstance(picture, VaezipError):
            raise picture
        found[name] = picture
    return files.write_all(found, suffix)
