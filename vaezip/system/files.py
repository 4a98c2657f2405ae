"""Files that are written whole or not at all.

The bytes go to a temporary file beside the target, which then takes the target's name in one
step. Invariants:

1. Whatever goes wrong, the target is what it was, and no temporary file stays.
2. An existing file is overwritten only with ``force``, and the input never.
3. A folder that was made here and stayed empty is taken away again.
4. Nobody may read or write the target who may not do so with the input, or with what was there before.

Devices, pipes and other special files are written to directly.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import BinaryIO

from vaezip.errors import OutputError

PathLike = str | os.PathLike[str]


class NoSpaceError(OutputError):
    """The disk is full, or the user's part of it: what comes next will not fit either."""


def check(path: PathLike, force: bool = False, sources: Iterable[PathLike] = ()) -> None:
    """Refuse early a target that :func:`write` would refuse.

    Args:
        path: the target.
        force: whether it may exist.
        sources: files that it must not be, under whatever name.

    Raises:
        OutputError: it exists, is a folder or a source, or its folder is missing or unwritable.
    """
    check_free(path, force, sources)
    if not is_special(path):
        _check_folder(Path(path).parent)


def check_free(path: PathLike, force: bool = False, sources: Iterable[PathLike] = ()) -> None:
    """Refuse a target as :func:`check` does, but not for its folder, which may be made later."""
    text = os.fspath(path)
    if os.path.isdir(text):
        raise OutputError("is a folder; name a file in it")
    if text.endswith(("/", os.sep)):
        raise _no_folder(text.rstrip("/" + os.sep))
    if not os.path.lexists(text) or is_special(text):
        return
    if any(_same(text, source) for source in sources):
        raise OutputError("is the input; name another output")
    if not force:
        raise OutputError("exists already", "overwrite")


def write(
    path: PathLike,
    data: bytes,
    *,
    force: bool = False,
    sources: Sequence[PathLike] = (),
    like: PathLike | None = None,
) -> None:
    """Write a file, atomically where it is a regular one.

    Args:
        path: the target.
        data: all that it is to hold.
        force: whether it may exist.
        sources: files that it must not be, under whatever name; those that exist limit its permissions.
        like: the one file that it holds in another form: it takes the permissions and the time of that.

    Raises:
        OutputError: see :func:`check`; or the disk is full, or failed.
        BrokenPipeError: the target is a pipe that nobody reads any more.
    """
    check(path, force, sources)
    try:
        if is_special(path):
            Path(path).write_bytes(data)
        else:
            _replace(Path(path), data, _permissions([*sources, path]), like)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise refusal(error) from error


def store(path: Path, data: bytes) -> None:
    """Write one of the files of a training, over the one that is there, by :func:`write`.

    Raises:
        OutputError: it cannot be written; the message names it.
    """
    try:
        write(path, data, force=True)
    except OutputError as error:
        raise type(error)(f"'{path}' {error}; once it can, the same command goes on") from error


def date(path: PathLike, modified: int | None) -> None:
    """Give a regular file that was just written its time of modification, in seconds since 1970, where that is known
    and the file system has such times."""
    if modified is not None and not os.path.islink(path) and not is_special(path):
        with suppress(OSError, OverflowError):
            os.utime(path, (modified, modified))


def is_temporary(path: Path) -> bool:
    """Tell whether a file is a temporary one; where nobody is writing, of a process that was killed."""
    return path.name.startswith(_TEMPORARY[0]) and path.name.endswith(_TEMPORARY[1])


def remove_temporaries(folder: Path) -> None:
    """Remove the temporary files of a folder, in which nobody else may be writing."""
    for path in folder.iterdir():
        if is_temporary(path):
            with suppress(OSError):
                path.unlink()


class Folder:
    """A folder of files; made, with the folders in it, when the first file needs it."""

    def __init__(self, path: PathLike) -> None:
        """Take a folder that exists, or the path of one that does not yet.

        Raises:
            OutputError: it is no folder, or the folder that is to hold it is missing.
        """
        self.path = Path(path)
        self._made: list[Path] = []
        exists = os.path.isdir(self.path)
        if os.path.lexists(self.path) and not exists:
            raise OutputError("is not a folder", "other-output")
        _check_folder(self.path if exists else self.path.parent)

    def __enter__(self) -> Folder:
        _folders.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.tidy()
        _folders.remove(self)

    def make(self) -> None:
        """Make the folder now.

        Raises:
            OutputError: that is not possible.
        """
        try:
            self._make(self.path)
        except OSError as error:
            raise refusal(error) from error

    def write(
        self,
        name: str,
        data: bytes,
        *,
        force: bool = False,
        sources: Sequence[PathLike] = (),
        like: PathLike | None = None,
    ) -> None:
        """Write a file in the folder as :func:`write` does; many threads may do so at once."""
        target = self.path / name
        try:
            self._make(target.parent)
        except OSError as error:
            raise refusal(error) from error
        write(target, data, force=force, sources=sources, like=like)

    def tidy(self) -> None:
        """Take away the folders made here that are empty."""
        for folder in reversed(self._made):
            with suppress(OSError):
                folder.rmdir()

    def _make(self, folder: Path) -> None:
        if folder.is_dir():
            return
        if folder != self.path:
            self._make(folder.parent)
        with _lock:
            _stop_if_abandoned()
            if not folder.is_dir():
                folder.mkdir()
                self._made.append(folder)


def abandon() -> None:
    """Undo all that is unfinished, and let nothing new begin: the process is about to end.

    For signal handlers: other threads may be writing at this moment.
    """
    global _abandoned
    with _lock:
        _abandoned = True
        for temporary in list(_unfinished):
            with suppress(OSError):
                temporary.unlink()
        for folder in list(_folders):
            folder.tidy()


# A signal handler runs in the main thread, which may hold the lock: hence the R.
_lock = RLock()
_abandoned = False
_unfinished: set[Path] = set()
_folders: list[Folder] = []


_TEMPORARY = (".vaezip-", ".tmp")
"""The ends of a temporary file's name, which is not made from the target's: that may be as long as names can be."""


def _replace(path: Path, data: bytes, permissions: int, like: PathLike | None) -> None:
    """Put a new file in the place of the target."""
    temporary = path.parent / secrets.token_hex(8).join(_TEMPORARY)
    try:
        with open(_create(temporary, permissions), "wb") as file:
            _fill(file, data, path)
        if like is not None:
            _resemble(temporary, permissions, like)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        _unfinished.discard(temporary)


def _fill(file: BinaryIO, data: bytes, target: Path) -> None:
    """Write a file that will take the place of another."""
    file.write(data)
    if target.exists():  # else a power cut could leave neither the old file nor the new
        file.flush()
        os.fsync(file.fileno())


def _permissions(files: Iterable[PathLike]) -> int:
    """Return the permissions that all files have which exist and are regular."""
    bits = 0o777
    for file in files:
        with suppress(OSError):
            mode = os.stat(file).st_mode
            bits &= mode if stat.S_ISREG(mode) else bits
    return bits


def _resemble(temporary: Path, permissions: int, like: PathLike) -> None:
    """Pass on permissions and time of modification, as far as the file system has them."""
    with suppress(OSError):
        os.chmod(temporary, permissions)
        status = os.stat(like)
        os.utime(temporary, ns=(status.st_atime_ns, status.st_mtime_ns))


def _create(temporary: Path, permissions: int) -> int:
    """Return a descriptor of a new file, with the permissions that the umask allows, and never the one to run it."""
    with _lock:
        _stop_if_abandoned()
        _unfinished.add(temporary)
        return os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), permissions & 0o666
        )


def _stop_if_abandoned() -> None:
    if _abandoned:
        raise InterruptedError("interrupted")


def _check_folder(folder: Path) -> None:
    try:
        exists = stat.S_ISDIR(os.stat(folder).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        exists = False
    except OSError as error:
        raise refusal(error) from error
    if not exists:
        raise _no_folder(folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"cannot be written: the folder '{folder}' is not writable")


def _no_folder(folder: PathLike) -> OutputError:
    return OutputError(f"cannot be written: there is no folder '{folder}'; make it first")


def refusal(error: OSError) -> OutputError:
    """Return the error for an output that the system does not take."""
    full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None))
    return (NoSpaceError if full else OutputError)(f"cannot be written: {error.strerror or error}")


def is_special(path: PathLike) -> bool:
    """Tell whether a path exists and is neither a file nor a folder."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _same(path: PathLike, source: PathLike) -> bool:
    try:
        return os.path.samefile(path, source)
    except OSError:
        return False
