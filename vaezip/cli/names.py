"""Names of targets; those of pictures in sets, and of the files that they become, are of ``vaezip.batch.names``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fnmatch import fnmatchcase

import vaezip
from vaezip.batch.names import SUFFIX, file_name, file_names, is_safe, lossless, of_format, without_suffix
from vaezip.cli import streams
from vaezip.errors import FormatError, ImageError
from vaezip.pictures.formats import is_suffix_of
from vaezip.system.files import is_special
from vaezip.vz.limits import check_name

__all__ = [
    "SUFFIX",
    "check_storable",
    "file_name",
    "file_names",
    "format_of",
    "is_picture",
    "is_safe",
    "lossless",
    "of_format",
    "stands_for",
    "without_suffix",
]


def check_storable(name: str) -> None:
    """Refuse to put into a set what could not be taken out of it again.

    Raises:
        ImageError: the name is not safe, or no Unicode.
        FormatError: it is longer or deeper than a set can hold.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ImageError("its name is not UTF-8, as names in a set must be; rename it") from None
    check_name(name)
    if not is_safe(name):
        raise ImageError("its name would not do in a set on every system; rename it without '\\' and 'X:'")


def stands_for(target: str, format: str | None) -> bool:
    """Tell whether a file that is kept byte for byte is what a target asks for; a JPEG goes to standard output, too."""
    if target == streams.STDIO or is_special(target):
        return format == "JPEG"
    return is_suffix_of(os.path.splitext(target)[1], format)


def chosen(held: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """Return the names that patterns mean, in the order of the set: each is a name, a pattern with ``*``, ``?`` and
    ``[…]``, whose stars also stand for slashes, or a base name.

    >>> chosen(["a/1.png", "a/2.png", "b/2.png"], ["a/*"]), chosen(["a/1.png", "a/2.png"], ["2.png"])
    (['a/1.png', 'a/2.png'], ['a/2.png'])

    Raises:
        FormatError: a pattern means none.
    """
    found: set[str] = set()
    for pattern in patterns:
        same = {name for name in held if name == pattern}
        same = same or {name for name in held if fnmatchcase(name, pattern)}
        same = same or {name for name in held if fnmatchcase(name.rpartition("/")[2], pattern)}
        if not same:
            raise FormatError(f"holds no picture called '{pattern}'; 'vaezip info -v' lists what it holds")
        found |= same
    return [name for name in held if name in found]


def is_picture(path: str) -> bool:
    """Tell whether a path that is no folder yet has the suffix of a picture that vaezip writes."""
    return not os.path.isdir(path) and lossless(path) == path


def format_of(target: str) -> str:
    """Return the suffix that tells how to write a picture; PNG where a target cannot have one.

    Raises:
        ImageError: it is lossy, or none that vaezip writes.
    """
    if target == streams.STDIO or is_special(target):
        return ".png"
    suffix = os.path.splitext(target)[1]
    if not suffix:
        raise ImageError("has no suffix to tell the format by; choose .png")
    vaezip.pictures.check_suffix(suffix)
    return suffix
