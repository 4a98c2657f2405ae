"""The processor cores that this process may use, and who uses them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

_lock = Lock()
_users = 0
_limits: Any = None


def usable_cores() -> int:
    """Their number, which the system may have made smaller than that of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def products_on_one_thread() -> Iterator[None]:
    """Matrix products take no threads of their own, of which whoever codes has as many as were asked for.

    That is a setting of the whole process: the last to leave puts it back.
    """
    global _users, _limits
    from threadpoolctl import threadpool_limits  # late, for it takes time that a help text has not

    with _lock:
        _limits = _limits if _users else threadpool_limits(1)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                _limits.restore_original_limits()
