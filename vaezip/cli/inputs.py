"""Which pictures a command line means: files, and folders for all pictures below them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from vaezip.cli.console import Console, LocatedError

PICTURE_SUFFIXES = (
    *(".png", ".apng", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".dib", ".ppm", ".pgm", ".pbm", ".pnm"),
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".jp2", ".j2k", ".j2c", ".jpx", ".jpf", ".avif", ".avifs", ".heic", ".heif"),
)
"""Of the files in a folder that are pictures, whether or not vaezip can read them."""


@dataclass(frozen=True)
class Source:
    """A picture file and what a set calls it."""

    path: str
    name: str


def find(paths: Sequence[str], console: Console) -> list[Source]:
    """The pictures of a command line, in its order.

    A file is called by its base name, a file in a folder by its path in there, and where two
    would be called alike, all by their path from the folder that they have in common.
    """
    sources: list[Source] = []
    for path in paths:
        with console.attempt(path):
            sources += _below(path, console) if os.path.isdir(path) else [Source(path, os.path.basename(path))]
    return _distinct(sources)


def _below(folder: str, console: Console) -> list[Source]:
    files = sorted(os.path.relpath(f, folder) for f in _files(folder))
    pictures = [f for f in files if os.path.splitext(f)[1].lower() in PICTURE_SUFFIXES]
    for other in sorted(set(files) - set(pictures)):
        console.note(f"{os.path.join(folder, other)}: not a picture by its suffix, skipped")
    if not pictures:
        raise LocatedError(folder, "holds no pictures")
    return [Source(os.path.normpath(os.path.join(folder, f)), _slashes(f)) for f in pictures]


def _files(folder: str) -> Iterator[str]:
    def fail(error: OSError) -> None:
        raise LocatedError(str(error.filename), f"cannot be read: {error.strerror}") from error

    for root, _, names in os.walk(folder, onerror=fail):
        yield from (os.path.join(root, name) for name in names)


def _distinct(sources: list[Source]) -> list[Source]:
    if _all_differ([source.name for source in sources]):
        return sources
    paths = [os.path.abspath(source.path) for source in sources]
    common = os.path.commonpath([os.path.dirname(path) for path in paths])
    return [replace(s, name=_slashes(os.path.relpath(p, common))) for s, p in zip(sources, paths)]


def check_distinct(sources: list[Source]) -> None:
    """Refuse a picture that is named twice, as a set cannot hold two of one name."""
    twice = [name for name, count in Counter(source.name for source in sources).items() if count > 1]
    if twice:
        path = next(source.path for source in sources if source.name == twice[0])
        raise LocatedError(path, "is given twice; name it once")


def _all_differ(names: list[str]) -> bool:
    return len(set(names)) == len(names)


def _slashes(path: str) -> str:
    return path.replace(os.sep, "/")
