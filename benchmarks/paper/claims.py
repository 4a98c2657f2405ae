"""Whether what the paper claims holds here, judged against the deviation over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

TRIED = "tried besides"
"""In the names of rows that no claim is about."""

HOLDS, FAILS, UNSURE = "holds", "does not hold", "within the deviation"


def claim(text: str, less: Sequence[float], more: Sequence[float], unit: str = "bpd") -> dict[str, Any]:
    """That ``less`` is below ``more``, where both were measured with the same seeds.

    The differences are taken seed by seed, so that what the seed does to both drops out. With one
    seed there is no deviation, and the sign alone decides: a small difference then says little.

    >>> claim("a < b", [1.0, 1.1, 1.2], [1.3, 1.4, 1.6])["verdict"]
    'holds'
    >>> claim("a < b", [1.0, 1.1, 1.2], [1.1, 1.0, 1.2])["verdict"]
    'within the deviation'
    >>> claim("a < b", [1.3], [1.0])["verdict"]
    'does not hold'
    """
    differences = np.asarray(more, float) - np.asarray(less, float)
    mean, deviation = float(differences.mean()), spread(differences)
    unsure = deviation is not None and abs(mean) <= deviation
    verdict = UNSURE if unsure else HOLDS if mean > 0 else FAILS
    return {
        "claim": text,
        "verdict": verdict,
        "difference": mean,
        "deviation": deviation,
        "seeds": len(differences),
        "unit": unit,
    }


def spread(values: Sequence[float] | np.ndarray) -> float | None:
    """Standard deviation over seeds, if there are several."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def row(what: str, ours: Sequence[float], paper: float | None = None, unit: str = "bpd") -> dict[str, Any]:
    """A line of "paper / ours"; ``ours`` by seed."""
    return {"what": what, "paper": paper, "ours": float(np.mean(ours)), "deviation": spread(ours), "unit": unit}


def opening(title: str, epoch: int | None, epochs: int) -> dict[str, Any]:
    """The line that says at which epoch the gap opens, or after how many it has not."""
    if epoch is None:
        return row(f"{title}the gap has not opened: test still falls at epoch", [epochs], unit="epoch")
    return row(f"{title}the gap opens: test is lowest at epoch", [epoch], unit="epoch")
