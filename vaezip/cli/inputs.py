"""Which pictures a command line means: files, and folders for all pictures below them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from vaezip.batch.places import MARKERS, Local
from vaezip.batch.sources import Source, is_result
from vaezip.cli import streams
from vaezip.cli.console import Console, LocatedError, blame, plural
from vaezip.pictures.formats import has_picture_suffix, is_picture_in_folder, most_bytes, too_large
from vaezip.system.files import is_special

__all__ = ["Source", "bound", "check_distinct", "find", "results"]


_IS_RESULT = "a .vz file"
"""Why what is compressed already is left out, which is counted apart: it is no surprise beside its picture."""


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


def results(paths: Sequence[str], console: Console) -> list[str]:
    """Return the .vz files of a command line, in its order: a folder stands for all below it."""
    found: list[str] = []
    for path in paths:
        if not os.path.isdir(path):
            found.append(path)
            continue
        with console.attempt(path), blame(path):
            below = [os.path.normpath(os.path.join(path, name)) for name in Local(path).files() if is_result(name)]
            if not below:
                raise LocatedError(path, "holds no .vz files")
            found += below
    return found


def _below(folder: str, console: Console) -> list[Source]:
    failures = console.failures
    pictures, skipped = _files(folder, console)
    for file, reason in sorted(skipped):
        console.note(f"{file}: {reason}, skipped")
    if skipped and not console.verbose:
        results = sum(reason == _IS_RESULT for _, reason in skipped)
        console.remark(f"{folder}: {_count(len(skipped) - results, results)} skipped; -v lists {_pronoun(skipped)}")
    if not pictures and console.failures == failures:
        raise LocatedError(folder, "holds no pictures")
    return [Source(os.path.normpath(os.path.join(folder, f)), _slashes(f)) for f in sorted(pictures)]


def _files(folder: str, console: Console) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the pictures below a folder, by their path in it, and the other files, each with the reason to skip it."""
    pictures: list[str] = []
    skipped: list[tuple[str, str]] = []
    waiting = [""]
    while waiting:  # not by recursion, for folders may be deeper than that can go
        below = waiting.pop()
        here = os.path.join(folder, below) if below else folder
        try:
            entries = list(os.scandir(here))
        except OSError as error:
            console.report(LocatedError(here, f"cannot be read: {error.strerror}"))
            continue
        for entry in entries:
            path = os.path.join(below, entry.name)
            reason = _reason_to_skip(entry)
            if entry.name == MARKERS and entry.is_dir():
                continue
            if reason is None:
                (waiting if entry.is_dir() else pictures).append(path)
            else:
                skipped.append((os.path.join(folder, path), reason))
    return pictures, skipped


def _reason_to_skip(entry: os.DirEntry[str]) -> str | None:
    """Tell why an entry of a folder is left out, if it is."""
    if entry.is_dir():
        return "a link to a folder" if entry.is_symlink() else None
    if is_result(entry.name):
        return _IS_RESULT
    if not has_picture_suffix(entry.name):
        return "not a picture by its suffix"
    if not is_picture_in_folder(entry.name):
        return "hidden"
    return "a device, pipe or socket" if is_special(entry.path) else None


def _count(others: int, results: int) -> str:
    """Word how many files are skipped, and apart from these how many .vz files.

    >>> _count(2, 0), _count(0, 1), _count(1, 12)
    ('2 files', '1 .vz file', '1 file and 12 .vz files')
    """
    counts = [plural(others, "file")] if others else []
    return " and ".join(counts + ([plural(results, ".vz file")] if results else []))


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


def bound(max_pixels: int) -> streams.Bound:
    """Return how much is read of a picture file."""
    return streams.Bound(most_bytes(max_pixels), str(too_large(max_pixels)), "more-pixels")
