"""Compiled functions: numba without the global interpreter lock, kept on disk for the next process.

A function that Python calls is a *kernel*; it is compiled when it is first called. A function that compiled code calls
is a part of that (:mod:`.parts`), whatever it is to Python. What was compiled is on disk (:mod:`.kernel_cache`), whose
logger reports each kernel that is not, for somebody may wait.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import config
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher

from vaezip.exact.kernel_cache import KernelCache
from vaezip.exact.parts import Part, plain


def jit(function: Callable[..., Any]) -> Any:
    """Compile a function of integers and arrays; called from others, it is inlined by LLVM as it sees fit."""
    return _compile(function, _nrt=True)


def borrowing(function: Callable[..., Any]) -> Any:
    """Compile a function that makes no arrays, only looks into those that it is called with: it counts no references,
    and is compiled in half the time."""
    return _compile(function, _nrt=False)


def inline(function: Callable[..., Any]) -> Any:
    """Compile a function that makes no arrays, and becomes part of every kernel that calls it."""
    return _compile(function, _nrt=False, forceinline=True)


class Kernel(CPUDispatcher):
    """A compiled function."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        super().__init__(function, {}, options)
        self._cache = KernelCache(function, options)
        self.part: Part | None = None
        """The function as compiled code calls it, if any does."""

    def compile(self, signature: Any) -> Any:
        """Compile the function for the types of arguments, as numba does, unless that was done."""
        with global_compiler_lock:
            try:
                return super().compile(signature)
            finally:
                self._cache.release()

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Tell numba, which compiles a call of this function, what it calls."""
        if self.part is None:
            self.part = Part(self.py_func, self.targetoptions)
        return self.part.get_call_template([plain(a) for a in args], {name: plain(a) for name, a in kws.items()})

    def get_overload(self, signature: Any) -> Any:
        """Return what callers know the compiled part by."""
        assert self.part is not None
        return self.part.get_overload(signature)

    def add_overload(self, compiled: Any) -> None:
        """Keep a compiled function; its parts share what numba gives to each function."""
        super().add_overload(compiled)
        for environment in compiled._find_referenced_environments():
            compiled.library.codegen.set_env(environment.env_name, environment)


def _compile(function: Callable[..., Any], **options: Any) -> Any:
    if config.DISABLE_JIT:
        return function
    always = {"nopython": True, "nogil": True, "no_cfunc_wrapper": True, "error_model": "numpy"}
    return Kernel(function, always | options)
