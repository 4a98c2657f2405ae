"""Spans of named work, and a profile of the time that they take.

Functions whose time is worth knowing are marked by :func:`timed`; work within a function, by :func:`span`. While nobody
measures, a mark costs a look at one name. A span counts its own processor time alone, less that of spans within it, in
whatever thread it runs; so a busy machine tells the same as a quiet one.
"""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock, local
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_NOTHING = nullcontext()
_measured: Profile | None = None


class Profile:
    """Processor seconds by name, over all threads."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.seconds: dict[str, float] = defaultdict(float)
        self._thread, self._lock = local(), Lock()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time inside, less that of parts inside it."""
        inner: list[float] = self._thread.__dict__.setdefault("inner", [])
        inner.append(0.0)
        start = time.thread_time()
        try:
            yield
        finally:
            spent = time.thread_time() - start
            with self._lock:
                self.seconds[name] += spent - inner.pop()
            if inner:
                inner[-1] += spent


@contextmanager
def profiled() -> Iterator[Profile]:
    """Measure the spans of this process while the block runs; one block at a time."""
    global _measured
    _measured = profile = Profile()
    try:
        yield profile
    finally:
        _measured = None


def span(name: str) -> AbstractContextManager[None]:
    """Return a context whose time counts for a name, if somebody measures."""
    return _NOTHING if _measured is None else _measured.part(name)


def timed(name: str) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Mark a function, whose calls count for a name."""

    def mark(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        @functools.wraps(function)
        def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            if _measured is None:
                return function(*args, **kwargs)
            with _measured.part(name):
                return function(*args, **kwargs)

        return run

    return mark
