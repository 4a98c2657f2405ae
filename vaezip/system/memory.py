"""The memory of work in flight: what does not fit beside it waits.

A process has one account, whoever works in it: readers, writers, and the threads of a batch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

_changed = Condition()
_taken = 0
"""The bytes of the work that is in flight."""


def _forget() -> None:
    """Begin anew in a process that was forked, in which nothing is in flight yet."""
    global _changed, _taken
    _changed, _taken = Condition(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


@contextmanager
def taking(memory: int, most: int) -> Iterator[None]:
    """Take bytes for some work, once the work in flight leaves so many of the ``most`` that all may take; alone, work
    takes what it takes."""
    global _taken
    with _changed:
        _changed.wait_for(lambda: not _taken or _taken + memory <= most)
        _taken += memory
    try:
        yield
    finally:
        with _changed:
            _taken -= memory
            _changed.notify_all()
