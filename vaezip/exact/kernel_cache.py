"""Compiled kernels on disk, for every process and environment of the same versions.

numba's own cache stands beside the sources, so each environment compiles anew; it notes the age of a kernel's own file
alone, not of those whose functions are a part of it; and two processes that write for one function at once may give its
arguments the wrong code. Here a kernel is a file, named by the digest of all that its code depends on: the source of
its module and of all modules that this imports, the versions of what compiles, the processor, numba's settings, and the
types of the arguments. So a file is never stale, and whoever writes it writes the same.

Invariants:

1. A file appears whole, by one step, and begins with the digest of what follows; what does not fit is compiled anew.
2. Whatever goes wrong (a full disk, somebody else's folder, a limit) costs the time to compile, and nothing else.
3. Of several processes that lack a kernel one compiles it, and the others wait for that; but no longer than PATIENCE.

``NUMBA_CACHE_DIR`` names another folder than that of the user, for an image of a container or a cluster.
"""

from __future__ import annotations

import errno
import logging
import os
import pickle
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import numba
from numba.core import config
from numba.core.compiler import CompileResult
from numba.core.runtime import rtsys
from numba.core.serialize import dumps
from platformdirs import user_cache_path

try:
    import fcntl
except ImportError:  # no POSIX: two processes may compile the same
    fcntl = None  # type: ignore[assignment]

_LOG = logging.getLogger(__name__)

SUFFIX = ".kernel"
PATIENCE = 120.0
"""Seconds to wait for another process that compiles the same kernel; it may have been stopped."""

_PACKAGE = Path(__file__).parents[1]
_SETTINGS = ("OPT", "BOUNDSCHECK", "CPU_NAME", "CPU_FEATURES", "LOOP_VECTORIZE", "SLP_VECTORIZE", "ENABLE_AVX")
_IMPORT = re.compile(r"^from (vaezip[\w.]*) import (\([^)]*\)|.*)", re.M)
_DIGEST = 32
_UNUSED = 60 * 24 * 3600.0
"""Seconds after which kernels that nobody has used are removed."""


class KernelCache:
    """The kernels of one function, as numba's dispatcher asks for them."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        self._function, self._options = function, options
        self._lock: IO[bytes] | None = None

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """Return the compiled function for the types of arguments, or None: the caller is to compile it."""
        rtsys.initialize(target_context)  # which is all that compiled code needs of numba, and quick
        with suppress(OSError):
            path = self._path(signature, target_context.codegen())
            if (found := _read(path)) is None:
                self._lock = _locked(path)
                found = _read(path)  # which somebody else may have written in the meantime
            if found is not None:
                self.release()
                return CompileResult._rebuild(target_context, *pickle.loads(found))
        _LOG.info("compiling for this processor, once: some seconds each")
        return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep a compiled function."""
        if not compiled.library.has_dynamic_globals:
            with suppress(OSError):
                _write(self._path(signature, compiled.codegen), dumps(compiled._reduce()))

    def release(self) -> None:
        """Let other processes have what this one said that it would compile."""
        if self._lock is not None:
            with suppress(OSError):
                os.unlink(self._lock.name)
            self._lock.close()
            self._lock = None

    def _path(self, signature: Any, codegen: Any) -> Path:
        code = self._function.__code__
        name = f"{self._function.__module__}.{self._function.__qualname__}", code.co_firstlineno
        sources = _digest(frozenset(_with_imports(code.co_filename, set())))
        key = name, sources, str(signature), sorted(self._options.items()), codegen.magic_tuple()
        digest = sha256(repr(key).encode()).hexdigest()[:32]
        return folder() / f"{self._function.__name__.strip('_')}-{digest}{SUFFIX}"


@lru_cache
def folder() -> Path:
    """Return the folder of the kernels of these versions and settings."""
    root = Path(config.CACHE_DIR) / "vaezip" if config.CACHE_DIR else user_cache_path("vaezip", appauthor=False)
    settings = [getattr(config, name, None) for name in _SETTINGS]
    key = sys.version, numba.__version__, version("llvmlite"), version("numpy"), settings
    path = root / "kernels" / sha256(repr(key).encode()).hexdigest()[:16]
    with suppress(OSError):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_unused(path.parent)
    return path


def _with_imports(path: str, found: set[str]) -> set[str]:
    """Add a module to some, and those of the package that it imports, and so on: all that its functions depend on."""
    if path not in found:
        found.add(path)
        for base, names in _IMPORT.findall(_source(path).decode(errors="replace")):
            place = _PACKAGE.joinpath(*base.split(".")[1:])
            for name in ("", *re.findall(r"\w+", names)):
                module = (place / name).with_suffix(".py")
                if module.is_file():
                    _with_imports(str(module), found)
    return found


@lru_cache
def _digest(paths: frozenset[str]) -> str:
    return sha256(b"".join(sha256(_source(path)).digest() for path in sorted(paths))).hexdigest()


@lru_cache
def _source(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def _remove_unused(versions: Path) -> None:
    """Remove the kernels that nobody has used for long; as often as a process begins to, which is cheap."""
    for file in versions.glob(f"*/*{SUFFIX}*"):
        if time.time() - file.stat().st_mtime > _UNUSED:
            file.unlink()


def _read(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if time.time() - path.stat().st_mtime > _UNUSED / 2:
        os.utime(path)
    return data[_DIGEST:] if sha256(data[_DIGEST:]).digest() == data[:_DIGEST] else None


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        part.write_bytes(sha256(data).digest() + data)
        os.replace(part, path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise


def _locked(path: Path) -> IO[bytes] | None:
    """Wait until nobody compiles a kernel, and keep others waiting; the system forgets that if this process ends."""
    if fcntl is None:
        return None
    file = open(f"{path}.lock", "ab")  # noqa: SIM115 (it stays open as long as the lock is held)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN) or path.exists():
                break  # the file system has no locks, or the other process is done
            time.sleep(0.05)
        else:
            return file
    file.close()
    return None
