"""Tell what stands behind the end of a picture: another picture, which is refused, or something that is named.

A file of two pictures of equal rank is refused, whatever their formats: who keeps the first loses the second.
What a file attaches to its one picture is named instead.
"""

from __future__ import annotations

import re

from vaezip.errors import SeveralError
from vaezip.pictures.findings import Findings
from vaezip.pictures.picture import SEVERAL

_STARTS = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF....WEBP|II\*\0|II\+\0|MM\0\*|MM\0\+|\xff\x4f\xff\x51"
    rb"|\0\0\0\x0cjP  |P[1-7][ \t\r\n]|Pf\n|PF\n"
    rb"|BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0"
    rb"|....ftyp(?:avif|avis|heic|heix|mif1)",
    re.DOTALL,
)


def starts_picture(data: bytes, place: int) -> bool:
    """Tell whether a picture file of any common format begins at a place."""
    return _STARTS.match(data, place) is not None


_PADDING = re.compile(rb"[\0\r\n]*")


def look_behind(data: bytes, end: int | None, found: Findings) -> None:
    """Refuse a picture behind the end of the first, and name any other bytes there; None is an unknown end.

    Raises:
        ImageError: the file holds several pictures.
    """
    if end is None or end >= len(data):
        return
    if starts_picture(data, end) or starts_picture(data, after_padding(data, end)):
        raise SeveralError(SEVERAL)
    name_bytes_behind(len(data) - end, found)


def after_padding(data: bytes, place: int) -> int:
    """Return where the zero bytes and the ends of lines end that begin at a place."""
    match = _PADDING.match(data, place)
    return match.end() if match else place


def name_bytes_behind(count: int, found: Findings) -> None:
    """Name some bytes that belong to nothing."""
    if count:
        found.drop(f"{count} byte{'s' * (count != 1)} behind the end")
