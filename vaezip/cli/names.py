"""Names: of pictures in a set, of the files that they become, and of files without ``.vz``."""

from __future__ import annotations

import itertools
import os
import re
import sys
import unicodedata
from collections.abc import Container, Sequence
from fnmatch import fnmatchcase

import vaezip
from vaezip.cli import streams
from vaezip.errors import FormatError, ImageError
from vaezip.pictures.formats import FORMATS, has_picture_suffix, is_suffix_of
from vaezip.system.files import is_special
from vaezip.vz.limits import check_name

SUFFIX = ".vz"

_DRIVE = re.compile(r"[A-Za-z]:")


def is_safe(name: str) -> bool:
    """Tell whether a name, as a path with forward slashes, stays in its folder on every system."""
    if not name or "\0" in name or "\\" in name or _DRIVE.match(name):
        return False
    return not {"", ".", ".."} & set(name.split("/"))


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


def file_names(names: Sequence[str], originals: Container[str] = ()) -> dict[str, str]:
    """Return the file, relative to the folder, that each picture of a set goes to; ``originals`` are kept as they were.

    Raises:
        FormatError: a name would leave the folder, or two would be one file.
    """
    files = {name: file_name(name, original=name in originals) for name in names}
    # a name comes right before those that begin with it and a zero, which no name holds
    ordered = sorted((_key(file).replace("/", "\0"), name) for name, file in files.items())
    for (above, holder), (below, name) in itertools.pairwise(ordered):
        if above == below:
            raise FormatError(f"'{holder}' and '{name}' would be the same file; {_REMEDY}")
        if below.startswith(above + "\0"):
            raise FormatError(f"'{holder}' would be a file and the folder of '{name}'; {_REMEDY}")
    return files


def file_name(name: str, *, original: bool = False) -> str:
    """Return the file of one picture of a set: its name, and ``.png`` where no such file can be written without loss.

    Raises:
        FormatError: the name would leave the folder.
    """
    if not is_safe(name):
        raise FormatError(f"the name '{name}' in it would leave the folder; {_REMEDY}")
    return name if original else lossless(name)


_REMEDY = "take it out with --only NAME -o FILE"


def lossless(path: str) -> str:
    """Return the path, with ``.png`` where its suffix is not one of a lossless format that vaezip writes."""
    try:
        vaezip.pictures.check_suffix(os.path.splitext(path)[1])
    except ImageError:
        return path + ".png"
    return path


def of_format(path: str, format: str) -> str:
    """Return the path of a file that is kept byte for byte: with the suffix of its format, if it has none of a picture.

    ``format`` is its name for Pillow.
    """
    if has_picture_suffix(path):
        return path
    return path + next(found.suffixes[0] for found in FORMATS if found.name.upper() == format)


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


def without_suffix(path: str) -> str | None:
    """Return the path without ``.vz``, or None where it does not end so."""
    stem, suffix = os.path.splitext(path)
    return stem if suffix.lower() == SUFFIX else None


def _key(file: str) -> str:
    """Return a key that is equal for names that the file system takes as one."""
    if sys.platform in ("win32", "darwin"):
        return unicodedata.normalize("NFC", file).casefold()
    return file
