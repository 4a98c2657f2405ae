"""Folders on this machine, by system calls, and elsewhere, by fsspec: what a batch reads and writes.

A place elsewhere is known by its URL alone, so that a worker on another machine finds the same one.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Protocol

from vaezip.errors import FormatError, OutputError
from vaezip.system import files as system_files

MARKERS = ".vaezip"
"""The folder of what a batch remembers, within that of its results."""

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)(::|://)")
_HERE = re.compile(r"(?:file|local)://")

_WHOLE = frozenset(["s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "oci", "memory"])
"""Protocols whose objects appear whole, or not at all; with others a file is renamed once it is there."""


class Place(Protocol):
    """A folder."""

    def join(self, name: str) -> str:
        """Return the path or URL of a file in it."""

    def is_folder(self) -> bool:
        """Tell whether it is there, and a folder."""

    def files(self) -> Iterator[str]:
        """Yield the names of all files below it, without what batches remember.

        Raises:
            FormatError: it cannot be read.
        """

    def size(self, name: str) -> int | None:
        """Return the bytes of a file, None where there is none."""

    def read(self, name: str, most: int) -> bytes:
        """Return the bytes of a file, or as many as are more than ``most``.

        Raises:
            OSError: it cannot be read.
        """

    def write(self, name: str, data: bytes, *, force: bool = False, source: str | None = None) -> None:
        """Write a file, whole or not at all.

        Args:
            name: of the file.
            data: all that it is to hold.
            force: whether there may be one.
            source: path of the file that it holds in another form.

        Raises:
            OutputError: there is one, or it cannot be written.
        """

    def date(self, name: str, modified: int | None) -> None:
        """Give a file its time of modification, where that is known and the place has such times."""


def is_url(path: str) -> bool:
    """Tell whether a path is the URL of a place elsewhere."""
    return _URL.match(path) is not None and not _HERE.match(path)


def local_path(path: str) -> str:
    """Return the path of what a URL of this machine names; other paths stay as they are."""
    return _HERE.sub("", path, count=1)


def open_folder(path: str) -> Place:
    """Return the place of a path or URL."""
    return Remote(path) if is_url(path) else Local(local_path(path))


def read(path: str, most: int) -> bytes:
    """Return the bytes of a file by its path or URL; see :meth:`Place.read`."""
    folder, _, name = path.rpartition("/") if is_url(path) else ("", "", local_path(path))
    return open_folder(folder).read(name, most)


class Local:
    """A folder on this machine."""

    def __init__(self, root: str) -> None:
        self.root = root

    def join(self, name: str) -> str:
        """See :class:`Place`."""
        return os.path.join(self.root, name)

    def is_folder(self) -> bool:
        """See :class:`Place`."""
        return os.path.isdir(self.root)

    def files(self) -> Iterator[str]:
        """See :class:`Place`; links to folders are not followed."""
        waiting = [""]
        while waiting:  # not by recursion, for folders may be deeper than that can go
            below = waiting.pop()
            try:
                with os.scandir(self.join(below) if below else self.root) as found:
                    entries = sorted(found, key=lambda entry: entry.name)
            except OSError as error:
                raise FormatError(f"'{self.join(below)}' cannot be read: {error.strerror}") from error
            folders = []
            for entry in entries:
                name = f"{below}/{entry.name}" if below else entry.name
                if not entry.is_dir():
                    yield name
                elif entry.name != MARKERS and not entry.is_symlink():
                    folders.append(name)
            waiting += reversed(folders)

    def size(self, name: str) -> int | None:
        """See :class:`Place`."""
        try:
            status = os.stat(self.join(name))
        except OSError:
            return None
        return status.st_size

    def read(self, name: str, most: int) -> bytes:
        """See :class:`Place`; devices, pipes and folders are refused."""
        path = self.join(name)
        if not stat.S_ISREG(os.stat(path).st_mode):  # before it is opened, which may have effects
            raise FormatError("is no regular file")
        with open(path, "rb") as file:
            return file.read(min(most, os.fstat(file.fileno()).st_size) + 1)

    def write(self, name: str, data: bytes, *, force: bool = False, source: str | None = None) -> None:
        """See :class:`Place`; the file takes permissions and time of its source, and no link is followed."""
        here = None if source is None or is_url(source) else local_path(source)
        with system_files.Folder(self.root) as folder:
            folder.write(name, data, force=force, sources=[here] if here else [], like=here)

    def date(self, name: str, modified: int | None) -> None:
        """See :class:`Place`."""
        system_files.date(self.join(name), modified)


class Remote:
    """A folder elsewhere, which fsspec reaches."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")

    def join(self, name: str) -> str:
        """See :class:`Place`."""
        return f"{self.root}/{name}" if name else self.root

    def is_folder(self) -> bool:
        """See :class:`Place`."""
        fs, path = self._opened("")
        return bool(fs.isdir(path))

    def files(self) -> Iterator[str]:
        """See :class:`Place`."""
        fs, root = self._opened("")
        try:
            found = sorted(fs.find(root))
        except OSError as error:
            raise FormatError(f"'{self.root}' cannot be read: {error}") from error
        for path in found:
            name = path[len(root.rstrip("/")) :].lstrip("/")
            if MARKERS not in name.split("/"):
                yield name

    def size(self, name: str) -> int | None:
        """See :class:`Place`."""
        fs, path = self._opened(name)
        try:
            return int(fs.size(path))
        except (OSError, TypeError):
            return None

    def read(self, name: str, most: int) -> bytes:
        """See :class:`Place`."""
        fs, path = self._opened(name)
        return bytes(fs.cat_file(path, end=most + 1))

    def write(self, name: str, data: bytes, *, force: bool = False, source: str | None = None) -> None:
        """See :class:`Place`."""
        fs, path = self._opened(name)
        if {"", ".", ".."} & set(name.split("/")):
            raise OutputError("would leave the folder")
        if not force and fs.exists(path):
            raise OutputError("exists already", "overwrite")
        try:
            if _protocol(fs) in _WHOLE:
                fs.pipe_file(path, data)
            else:
                _write_and_rename(fs, path, data)
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror or error}") from error

    def date(self, name: str, modified: int | None) -> None:
        """See :class:`Place`; a store has the times of its own."""

    def _opened(self, name: str) -> tuple[Any, str]:
        """Return the file system, which fsspec keeps, and the path in it."""
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise FormatError(f"'{self.root}' is a URL, which needs fsspec", "fsspec") from None
        try:
            fs, path = url_to_fs(self.join(name))
        except (ImportError, ValueError) as error:  # a protocol without its package, or that nobody knows
            raise FormatError(f"'{self.root}' cannot be opened: {error}") from error
        fs.invalidate_cache()  # of listings, in which others may have written since
        return fs, path


def _protocol(fs: Any) -> str:
    return fs.protocol if isinstance(fs.protocol, str) else fs.protocol[0]


def _write_and_rename(fs: Any, path: str, data: bytes) -> None:
    folder, _, name = path.rpartition("/")
    temporary = f"{folder}/.vaezip-{secrets.token_hex(8)}.tmp"
    with suppress(FileExistsError):
        fs.makedirs(folder, exist_ok=True)
    try:
        fs.pipe_file(temporary, data)
        fs.mv(temporary, f"{folder}/{name}")
    except BaseException:
        with suppress(OSError):
            fs.rm_file(temporary)
        raise
