"""Compiled functions: numba without the global interpreter lock, cached where a folder can be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function of integers and arrays; called from others, it is inlined by LLVM as it sees fit."""
    return _compile(function)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a function that becomes part of every kernel that calls it."""
    return _compile(function, inline="always")


def _compile(function: Callable[..., Any], **options: Any) -> Any:
    try:
        return njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return njit(nogil=True, **options)(function)
