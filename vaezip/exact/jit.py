"""Compiled functions: numba without the global interpreter lock, cached where a folder can be written.

A cache that cannot be read or written (a full disk, a limit on file sizes, somebody else's folder)
costs the time to compile again, and nothing else. The logger of this module reports each function that the
cache lacks, for somebody may wait.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache

_LOG = logging.getLogger(__name__)


def jit(function: Callable[..., Any]) -> Any:
    """Compile a function of integers and arrays; called from others, it is inlined by LLVM as it sees fit."""
    return _compile(function)


def borrowing(function: Callable[..., Any]) -> Any:
    """Compile a function that makes no arrays, only looks into those that it is called with, for it counts none."""
    return _compile(function, _nrt=False)


def inline(function: Callable[..., Any]) -> Any:
    """Compile a function that becomes part of every kernel that calls it."""
    return _compile(function, inline="always")


class _Cache(FunctionCache):
    """numba's own cache, without its errors about files."""

    def load_overload(self, *arguments: Any) -> Any:
        with suppress(OSError):
            if found := super().load_overload(*arguments):  # type: ignore[no-untyped-call]
                return found
        _LOG.info("compiling for this processor, once: up to a minute")
        return None

    def save_overload(self, *arguments: Any) -> None:
        with suppress(OSError):
            super().save_overload(*arguments)  # type: ignore[no-untyped-call]


def _compile(function: Callable[..., Any], **options: Any) -> Any:
    compiled = njit(nogil=True, **options)(function)
    with suppress(RuntimeError):  # neither the package's folder nor the user's cache can be written
        compiled._cache = _Cache(function)  # type: ignore[no-untyped-call]
    return compiled
