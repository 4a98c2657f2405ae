"""Files that are written whole or not at all.

The bytes go to a temporary file beside the target, which then takes the target's name in one
step. Invariants:

1. Whatever goes wrong, the target is what it was, and no temporary file stays.
2. An existing file is overwritten only with ``force``, even one that appears meanwhile, and the input never.
3. A folder that was made here and stayed empty is taken away again.
4. Nobody may read or write the target who may not do so with the input, or with what was there before, or whom the
   umask excludes; and it is never a program.
5. What goes into a :class:`Folder` stays in it: no link in it is followed.

Devices, pipes and other special files are written to directly, but not in a :class:`Folder`.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Any

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
        raise _exists()


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
    target = Path(path)
    try:
        if is_special(path):
            _write_to_special(target, data)
        else:
            place = _Place(target.parent)
            place.put(target.name, data, force=force, permissions=_permissions([*sources, path]), like=like)
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
    if modified is not None:
        with suppress(OSError, OverflowError):
            if stat.S_ISREG(os.lstat(path).st_mode):
                os.utime(path, (modified, modified))


def settle(paths: Iterable[PathLike]) -> None:
    """Have the system put files and their names on the disk, before what they were made of is removed.

    Raises:
        OSError: the disk does not take one, which it names; but not where the system cannot do so for such a file.
    """
    files = [Path(path) for path in paths]
    for path in dict.fromkeys([*files, *(file.parent for file in files)]):
        try:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno not in _CANNOT_SETTLE:
                raise OSError(error.errno, error.strerror, os.fspath(path)) from error


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
        self._left = False
        exists = os.path.isdir(self.path)
        if os.path.lexists(self.path) and not exists:
            raise OutputError("is not a folder", "other-output")
        _check_folder(self.path if exists else self.path.parent)

    def __enter__(self) -> Folder:
        _folders.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._left = True
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
        """Write a file in the folder as :func:`write` does, but follow no link; many threads may do so at once.

        Args:
            name: its path in the folder, with forward slashes.
            data: as for :func:`write`, and so are the others.

        Raises:
            OutputError: see :func:`write`; or a link, or what is no regular file, is in the way.
        """
        *folders, last = name.split("/")
        if not last or {"", ".", ".."} & {*folders, last}:
            raise OutputError("would leave the folder")
        target = self.path / name
        limiting = list(sources)
        if os.path.lexists(target):
            check_free(target, force, sources)
            if _is_special(target, follow=False):
                raise OutputError("exists and is no regular file", "other-output")
            limiting.append(target)
        try:
            self._make(self.path)
            with _Place.opened(self.path) as base, base.below(folders, self._made) as place:
                place.put(last, data, force=force, permissions=_permissions(limiting), like=like)
        except OSError as error:
            raise refusal(error) from error
        finally:
            if self._left:  # by another thread, which could not take away what was in use here
                self.tidy()

    def tidy(self) -> None:
        """Take away the folders made here that are empty."""
        for folder in reversed(self._made):
            with suppress(OSError):
                folder.rmdir()

    def _make(self, folder: Path) -> None:
        if folder.is_dir():
            return
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
        for place, temporary in list(_unfinished):
            with suppress(OSError):
                place.remove(temporary)
        for folder in list(_folders):
            folder.tidy()


# A signal handler runs in the main thread, which may hold the lock: hence the R.
_lock = RLock()
_abandoned = False
_unfinished: set[tuple[_Place, str]] = set()
_folders: list[Folder] = []


_TEMPORARY = (".vaezip-", ".tmp")
"""The ends of a temporary file's name, which is not made from the target's: that may be as long as names can be."""


_CANNOT_SETTLE = frozenset(
    getattr(errno, name, errno.EACCES) for name in ("EACCES", "EPERM", "EBADF", "EINVAL", "EROFS", "ENOTSUP")
)
"""How systems say that they cannot put such a file on the disk at once: folders of Windows, some of the network."""

_BY_DESCRIPTOR = hasattr(os, "O_NOFOLLOW") and {os.open, os.mkdir, os.link, os.rename, os.unlink} <= os.supports_dir_fd
"""Whether the system takes names that begin at an open folder, so that nobody can put a link in the way meanwhile."""

_NO_LINKS = frozenset(
    getattr(errno, name, errno.EPERM)
    for name in ("EPERM", "EACCES", "EINVAL", "EMLINK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP")
)
"""How file systems say that they know no links, as FAT does."""

_AS_FOLDER = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_PATH", os.O_RDONLY)


class _Place:
    """A folder in which files are made: by its descriptor, if it has one, and else by its path."""

    def __init__(self, path: Path, descriptor: int | None = None) -> None:
        self.path, self.descriptor = path, descriptor

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[_Place]:
        """Open a folder by its path, which may lead over links."""
        descriptor = os.open(path, _AS_FOLDER) if _BY_DESCRIPTOR else None
        place = cls(path, descriptor)
        try:
            yield place
        finally:
            place._close()

    @contextmanager
    def below(self, names: Sequence[str], made: list[Path]) -> Iterator[_Place]:
        """Go down into folders one by one, over no link; those that are missing are made, and added to ``made``."""
        place = self
        try:
            for name in names:
                above, place = place, place._child(name, made)
                if above is not self:
                    above._close()
            yield place
        finally:
            if place is not self:
                place._close()

    def put(self, name: str, data: bytes, *, force: bool, permissions: int, like: PathLike | None) -> None:
        """Make a file, whole or not at all; the arguments are those of :func:`write`.

        Raises:
            FileExistsError: there is one, which may not be overwritten.
            OSError: it cannot be made.
        """
        temporary = secrets.token_hex(8).join(_TEMPORARY)
        try:
            with open(self._create(temporary, permissions), "wb") as file:
                file.write(data)
                if force and os.path.lexists(self.path / name):  # else a power cut could leave neither old nor new
                    file.flush()
                    os.fsync(file.fileno())
            if like is not None:
                self._resemble(temporary, like)
            self._rename(temporary, name, force)
        except BaseException:
            with suppress(OSError):
                self.remove(temporary)
            raise
        finally:
            _unfinished.discard((self, temporary))

    def remove(self, name: str) -> None:
        """Remove a file."""
        os.unlink(self._at(name), dir_fd=self.descriptor)

    def _at(self, name: str) -> str:
        return name if self.descriptor is not None else os.fspath(self.path / name)

    def _child(self, name: str, made: list[Path]) -> _Place:
        path = self.path / name
        try:
            return self._enter(name)
        except FileNotFoundError:
            with _lock:
                _stop_if_abandoned()
                with suppress(FileExistsError):  # as another thread was faster
                    os.mkdir(self._at(name), dir_fd=self.descriptor)
                    made.append(path)
            return self._enter(name)

    def _enter(self, name: str) -> _Place:
        path = self.path / name
        try:
            if self.descriptor is not None:
                return _Place(path, os.open(name, _AS_FOLDER | os.O_NOFOLLOW, dir_fd=self.descriptor))
            if stat.S_ISDIR(os.lstat(path).st_mode):
                return _Place(path)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
        reason = "is a link, which may lead elsewhere" if path.is_symlink() else "is no folder"
        raise OutputError(f"cannot be written: '{path}' {reason}", "other-output")

    def _close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)

    def _create(self, temporary: str, permissions: int) -> int:
        """Return a descriptor of a new file, with what the umask leaves of permissions, and never the one to run it."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with _lock:
            _stop_if_abandoned()
            _unfinished.add((self, temporary))
            return os.open(self._at(temporary), flags, permissions & 0o666, dir_fd=self.descriptor)

    def _resemble(self, temporary: str, like: PathLike) -> None:
        """Pass on the time of modification of a regular file, as far as the file system has it."""
        with suppress(OSError):
            status = os.stat(like)
            if stat.S_ISREG(status.st_mode):
                times = (status.st_atime_ns, status.st_mtime_ns)
                os.utime(self._at(temporary), ns=times, dir_fd=self.descriptor)

    def _rename(self, temporary: str, name: str, force: bool) -> None:
        """Give the file its name: in the place of what has it, or only where nothing does."""
        source, target, at = self._at(temporary), self._at(name), self.descriptor
        ends: dict[str, Any] = {} if at is None else {"src_dir_fd": at, "dst_dir_fd": at}
        if force:
            os.replace(source, target, **ends)
            return
        try:
            os.link(source, target, **ends)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._reserve(name)
            try:
                os.replace(source, target, **ends)
            except BaseException:
                self.remove(name)
                raise
        else:
            self.remove(temporary)

    def _reserve(self, name: str) -> None:
        """Make an empty file, if the name is free. Who is killed here leaves it, and who writes into it loses that."""
        os.close(os.open(self._at(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=self.descriptor))


def _write_to_special(path: Path, data: bytes) -> None:
    """Write to a device or a pipe, and not to a file that has taken its place meanwhile."""
    with open(os.open(path, os.O_WRONLY | getattr(os, "O_BINARY", 0)), "wb") as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        file.write(data)


def _permissions(files: Iterable[PathLike]) -> int:
    """Return the permissions that all files have which exist and are regular."""
    bits = 0o777
    for file in files:
        with suppress(OSError):
            mode = os.stat(file).st_mode
            bits &= mode if stat.S_ISREG(mode) else bits
    return bits


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
        raise OutputError(f"cannot be written: the folder '{folder}' is not writable", "other-output")


def _no_folder(folder: PathLike) -> OutputError:
    return OutputError(f"cannot be written: there is no folder '{folder}'; make it first")


def refusal(error: OSError) -> OutputError:
    """Return the error for an output that the system does not take."""
    if isinstance(error, FileExistsError):
        return _exists()
    reason = f"cannot be written: {error.strerror or error}"
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
        return NoSpaceError(reason, "more-space")
    return OutputError(reason, "other-output" if error.errno in (errno.ENAMETOOLONG, errno.EROFS) else None)


def _exists() -> OutputError:
    return OutputError("exists already", "overwrite")


def is_special(path: PathLike) -> bool:
    """Tell whether a path exists and is neither a file nor a folder."""
    return _is_special(path, follow=True)


def _is_special(path: PathLike, *, follow: bool) -> bool:
    """Tell whether a path is special; where it is not followed, a link is not."""
    try:
        mode = os.stat(path, follow_symlinks=follow).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode))


def _same(path: PathLike, source: PathLike) -> bool:
    try:
        return os.path.samefile(path, source)
    except OSError:
        return False
