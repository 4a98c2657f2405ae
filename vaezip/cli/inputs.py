"""Which pictures a command line means: files, and folders for all pictures below them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vaezip.cli.console import Console, LocatedError, plural
from vaezip.pictures.formats import has_picture_suffix, is_picture_in_folder


@dataclass(frozen=True)
class Source:
    """A picture file and what a set calls it."""

    path: str
    name: str


def find(paths: Sequence[str], console: Console) -> list[Source]:
    """Return the pictures of a command line, in its order.

    A file is called by its base name, a file in a folder by its path in there, and where two
    would be called alike, all by their path from the folder that they have in common.
    """
    sources: list[Source] = []
    for path in paths:
        with console.attempt(path):
            sources += _below(path, console) if os.path.isdir(path) else [Source(path, os.path.basename(path))]
    return _distinct(sources)


def _below(folder: str, console: Console) -> list[Source]:
    failures = console.failures
    pictures, skipped = _files(folder, console)
    for file, reason in sorted(skipped):
        console.note(f"{file}: {reason}, skipped")
    if skipped and not console.verbose:
        console.remark(f"{folder}: {plural(len(skipped), 'file')} skipped; -v lists {_pronoun(skipped)}")
    if not pictures and console.failures == failures:
        raise LocatedError(folder, "holds no pictures")
    return [Source(os.path.normpath(os.path.join(folder, f)), _slashes(f)) for f in sorted(pictures)]


def _files(folder: str, console: Console) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the pictures below a folder, by their path in it, and the other files, each with the reason to skip it."""

    def report(error: OSError) -> None:
        console.report(LocatedError(str(error.filename), f"cannot be read: {error.strerror}"))

    pictures: list[str] = []
    skipped: list[tuple[str, str]] = []
    for root, folders, files in os.walk(folder, onerror=report):
        for path in (os.path.join(root, name) for name in files):
            if is_picture_in_folder(path):
                pictures.append(os.path.relpath(path, folder))
            else:
                skipped.append((path, "hidden" if has_picture_suffix(path) else "not a picture by its suffix"))
        paths = (os.path.join(root, name) for name in folders)
        skipped += [(path, "a link to a folder") for path in paths if os.path.islink(path)]
    return pictures, skipped


def _pronoun(things: Sequence[object]) -> str:
    return "it" if len(things) == 1 else "them"


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
