"""The files of a batch: one by one, and those below folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from vaezip.batch import places
from vaezip.batch.names import SUFFIX
from vaezip.pictures.formats import is_hidden, is_picture_in_folder


@dataclass(frozen=True)
class Source:
    """A file by its path or URL, and its name in a set or in a folder of results, with forward slashes."""

    path: str
    name: str


Named = str | os.PathLike[str] | Source


def find(given: Named | Iterable[Named], wanted: Callable[[str], bool]) -> Iterator[Source]:
    """Yield the files that are meant: each that is named, and below folders those whose name is ``wanted``.

    A file is called by its base name, and a file in a folder by its path in there.

    Raises:
        FormatError: a folder cannot be read.
    """
    for one in [given] if isinstance(given, (str, os.PathLike, Source)) else given:
        if isinstance(one, Source):
            yield one
            continue
        path = os.fspath(one)
        place = places.open_folder(path)
        if place.is_folder():
            yield from (Source(place.join(name), name) for name in place.files() if wanted(name))
        else:
            yield Source(path, path.replace(os.sep, "/").rstrip("/").rpartition("/")[2])


def is_picture(name: str) -> bool:
    """Tell whether a file in a folder is one of its pictures."""
    return is_picture_in_folder(name)


def is_result(name: str) -> bool:
    """Tell whether a file in a folder is what compression made."""
    return name.lower().endswith(SUFFIX) and not is_hidden(name)
