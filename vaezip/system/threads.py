"""The processor cores that this process may use, and who uses them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

_lock = Lock()
_users = 0
_limits: Any = None


_CGROUP = "/sys/fs/cgroup"
"""The folder in which Linux shows a container its limits."""


def usable_cores() -> int:
    """Return the number of cores for this process, of which the system or a container may grant only some."""
    if hasattr(os, "sched_getaffinity"):
        return _within_quota(len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def _within_quota(cores: int) -> int:
    """Return the number of cores whose time the cgroup may use, rounded up, where that is smaller."""
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):  # of versions 2 and 1
        try:
            quota, period = (int(n) for n in " ".join(Path(_CGROUP, name).read_text() for name in names).split())
        except (OSError, ValueError):  # no such file, or no quota: "max"
            continue
        if quota > 0 and period > 0:
            return min(cores, -(-quota // period))
    return cores


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
