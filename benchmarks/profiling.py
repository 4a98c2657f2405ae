"""Measure where the time of the codec goes, for ``speed.py`` and ``paper/figure8.py``: its spans
(:mod:`vaezip.system.spans`), each counting its own processor time alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from vaezip.system.spans import profiled

PARTS = (
    "encoder network",
    "decoder network",
    "K steps",
    "least squares",
    "pixel network",
    "calibration and intervals",
    "learning",
    "distributions",
    "stack",
    "distributions and stack",
    "origins",
    "pictures and tiles",
    "container",
    "files",
    "loading models",
    "the rest",
)
"""Popping a symbol is one kernel of distribution and stack; pushing, each has its own. A pixel model's
decoder is one kernel of regression, network, calibration and stack."""


def profile(work: Callable[[], Any]) -> dict[str, float]:
    """Processor seconds of each part of some work done with one thread, in the order of :data:`PARTS`.

    The work runs in this thread and in the codec's pool; what no span covers is the rest.
    """
    with profiled() as found:
        start = time.process_time()
        work()
        total = time.process_time() - start
    rest = total - sum(found.seconds.values())
    return {name: max(found.seconds.get(name, 0.0), 0.0) for name in PARTS[:-1]} | {PARTS[-1]: max(rest, 0.0)}
