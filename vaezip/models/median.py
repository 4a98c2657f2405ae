"""Predict a sample by the median edge detector of LOCO-I (Weinberger et al. 2000), for the kernels of all families."""

from __future__ import annotations

from vaezip.exact.jit import inline


@inline
def median_of(w: int, n: int, nw: int) -> int:
    """Return the median of the samples to the left and above and of the plane through them, w + n − nw."""
    return max(min(w, n), min(max(w, n), w + n - nw))
