"""A meter of work: whoever waits listens, and whoever works says how far it has come.

Work falls into parts, and parts into parts; each has a weight. What a part did not say of itself counts as done when
it ends, so a part that says nothing is right all the same. Where nobody listens, nothing happens. Threads of
:class:`vaezip.system.threads.Workers` work for whoever gave them the task; other processes say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock


class _Part:
    """A part of the work: its weight, and what of it is neither done nor given to a part of its own."""

    def __init__(self, weight: float, left: float, report: Callable[[float], None]) -> None:
        self.weight, self.left, self.report = weight, left, report
        self._lock = Lock()

    def take(self, share: float) -> float:
        """Take a share of the weight out of what is left."""
        with self._lock:
            amount = min(self.left, self.weight * share)
            self.left -= amount
        return amount


_current: ContextVar[_Part | None] = ContextVar("part", default=None)


@contextmanager
def listening(report: Callable[[float], None]) -> Iterator[None]:
    """Have a function called, by whatever thread works, with the weight of what was done since its last call.

    The weight of a part that is in no other is its share itself.
    """
    token = _current.set(_Part(1.0, math.inf, report))
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def part(share: float) -> Iterator[None]:
    """Do a share of the work of the part that this one is in."""
    outer = _current.get()
    if outer is None:
        yield
        return
    weight = outer.take(share)
    inner = _Part(weight, weight, outer.report)
    token = _current.set(inner)
    try:
        yield
    finally:
        _current.reset(token)
        inner.report(inner.take(1.0))


def advance(share: float) -> None:
    """Say that a share of the part is done."""
    current = _current.get()
    if current is not None and current.left < math.inf:
        current.report(current.take(share))
