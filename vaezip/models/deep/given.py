"""Logistic distributions around predictions, whose probabilities are inputs of the decisions on a sample.

A decision splits the interval of values in which a sample is known to lie; what a distribution gives is the share of
the part that a 1 stands for.
"""

from __future__ import annotations

from vaezip.exact import tables
from vaezip.exact.jit import borrowing, inline
from vaezip.models.deep.state import CENTRE, GIVEN, HIGH, LOW, PACE, SPLIT

_EDGE = tables.LOGISTIC_RANGE << tables.ARGUMENT_BITS
_STEP = tables.ARGUMENT_BITS - tables.STEP_BITS
_ONE = tables.ONE
_PACE_BITS = 20
_LEAST = 64
"""Of less, no share is told."""


@inline
def below(s, d, x):
    """Return the probability of values below x by distribution d, of 2^30."""
    t = ((8 * x - 4 - s.given[d, CENTRE]) * s.given[d, PACE]) >> _PACE_BITS
    if t <= -_EDGE:
        return 0
    if t >= _EDGE:
        return _ONE
    t += _EDGE
    i = t >> _STEP
    return s.cdf[i] + (((s.cdf[i + 1] - s.cdf[i]) * (t & ((1 << _STEP) - 1))) >> _STEP)


@inline
def give(m, d, part, whole):
    """Give the share of a part as an input of the next decision."""
    m.given[d] = m.stretch[min((part << 12) // whole, 4095)] if whole >= _LEAST else 0


@borrowing
def give_middle(m, s, low, high, top):
    """Keep the function at both ends of the prediction's step, low … high − 1, and give the share of all others."""
    for d in range(GIVEN):
        s.given[d, LOW] = below(s, d, low) if low > 0 else 0
        s.given[d, HIGH] = below(s, d, high) if high <= top else _ONE
        give(m, d, _ONE - (s.given[d, HIGH] - s.given[d, LOW]), _ONE)


@borrowing
def give_below(m, s):
    """Give the share of what is less, of all that is not in the step."""
    for d in range(GIVEN):
        give(m, d, s.given[d, LOW], s.given[d, LOW] + _ONE - s.given[d, HIGH])


@borrowing
def choose_side(s, is_less):
    """Go on with what is less than the step, or with what is greater."""
    for d in range(GIVEN):
        if is_less:
            s.given[d, HIGH], s.given[d, LOW] = s.given[d, LOW], 0
        else:
            s.given[d, LOW], s.given[d, HIGH] = s.given[d, HIGH], _ONE


@borrowing
def give_split(m, s, x, is_less):
    """Split at x, and give the share of what is less, or of the rest."""
    for d in range(GIVEN):
        low, high = s.given[d, LOW], s.given[d, HIGH]
        split = min(max(below(s, d, x), low), high)
        s.given[d, SPLIT] = split
        give(m, d, split - low if is_less else high - split, high - low)


@borrowing
def choose_part(s, is_less):
    """Go on with what is less than the split, or with the rest."""
    for d in range(GIVEN):
        s.given[d, HIGH if is_less else LOW] = s.given[d, SPLIT]
