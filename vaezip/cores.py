"""The processor cores that this process may use."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Their number, which the system may have made smaller than that of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
