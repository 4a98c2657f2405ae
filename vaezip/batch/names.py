"""Names: of pictures in a set, of the files that they become, and of files without ``.vz``."""

from __future__ import annotations

import itertools
import os
import re
import sys
import unicodedata
from collections.abc import Container, Sequence

from vaezip.errors import FormatError, ImageError
from vaezip.pictures.formats import FORMATS, check_suffix, has_picture_suffix

SUFFIX = ".vz"

_DRIVE = re.compile(r"[A-Za-z]:")

_REMEDY = "take-alone"


def is_safe(name: str) -> bool:
    """Tell whether a name, as a path with forward slashes, stays in its folder on every system."""
    if not name or "\0" in name or "\\" in name or _DRIVE.match(name):
        return False
    return not {"", ".", ".."} & set(name.split("/"))


def file_names(names: Sequence[str], originals: Container[str] = ()) -> dict[str, str]:
    """Return the file, relative to the folder, that each picture of a set goes to; ``originals`` are kept as they were.

    Raises:
        FormatError: a name would leave the folder, or two would be one file.
    """
    files = {name: file_name(name, original=name in originals) for name in names}
    # a name comes right before those that begin with it and a zero, which no name holds
    ordered = sorted((alike(file).replace("/", "\0"), name) for name, file in files.items())
    for (above, holder), (below, name) in itertools.pairwise(ordered):
        if above == below:
            raise FormatError(f"'{holder}' and '{name}' would be the same file", _REMEDY)
        if below.startswith(above + "\0"):
            raise FormatError(f"'{holder}' would be a file and the folder of '{name}'", _REMEDY)
    return files


def file_name(name: str, *, original: bool = False) -> str:
    """Return the file of one picture of a set: its name, and ``.png`` where no such file can be written without loss.

    Raises:
        FormatError: the name would leave the folder.
    """
    if not is_safe(name):
        raise FormatError(f"the name '{name}' in it would leave the folder", _REMEDY)
    return name if original else lossless(name)


def lossless(path: str) -> str:
    """Return the path, with ``.png`` where its suffix is not one of a lossless format that vaezip writes."""
    try:
        check_suffix(os.path.splitext(path)[1])
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


def without_suffix(path: str) -> str | None:
    """Return the path without ``.vz``, or None where it does not end so."""
    stem, suffix = os.path.splitext(path)
    return stem if suffix.lower() == SUFFIX else None


def alike(file: str) -> str:
    """Return a key that is equal for names that the file system takes as one."""
    if sys.platform in ("win32", "darwin"):
        return unicodedata.normalize("NFC", file).casefold()
    return file
