"""Code the rows of a deep picture; encoder and decoder are one function.

A sample is predicted in five ways. What they were off by around it weighs them in a *blend*, and tells the *step*, a
power of two, in which the sample's distance from the blend is coded (:mod:`vaezip.models.deep.sample`).
"""

from __future__ import annotations

import numpy as np

from vaezip.entropy.decisions import IS_SHORT, coder_of, head_of
from vaezip.exact.jit import borrowing, inline, jit
from vaezip.models.deep import regression
from vaezip.models.deep.regression import DECAYS, MARGIN, NEAREST, SEGMENT
from vaezip.models.deep.sample import NE, NEE, NN, NW, WW, N, W, begin_hits, begin_sample, code_hit, code_sample, graded
from vaezip.models.deep.state import BLEND, CENTRE, LEVEL, LEVELS, LINEAR, MEAN, MEDIAN, PACE, PREDICTIONS

_DECAYS, _NEAREST = np.array(DECAYS), np.array(NEAREST, np.int64)

_PACE = 41_672_000_000
"""2^32 · 7 · 2 ln 2, for errors whose weights add up to 7: the mean of |x| of a logistic distribution is 2 s ln 2."""

_KEPT, _STREAK, _ROW_STREAK = 4, 7, 15


@jit
def code_rows(head, decodes, m, s, numbers, made):
    """Pop rows of a picture, a kernel of :meth:`vaezip.entropy.stack.Stack.run`; or put the decisions of rows, twice
    the frequency of a 1 plus the bit, into ``made``."""
    coder = coder_of(head, decodes)
    _code_rows(m, coder, head[1], made, s, numbers, np.zeros(7, np.int64), np.zeros(s.order.size, np.int64))
    return head_of(coder)


@borrowing
def _code_rows(m, coder, words, made, s, numbers, near, rows):
    """Code rows of a picture.

    Args:
        m: what has been learned.
        coder: whether it decodes, and the head of the stack.
        words: of the stack.
        made: decisions, and their number.
        s: the state of the picture.
        numbers: the first row and the end, the greatest sample, whether hits are coded, and whether there is a picture
            before.
        near, rows: room for the neighbours of a sample, and for the streak of a row in each channel.
    """
    width = s.frame.shape[2] - 2 * MARGIN
    for y in range(numbers[0] + MARGIN, numbers[1] + MARGIN):
        now = y & 1
        _begin_row(s, y, now)
        rows[:] = 0
        for column in range(width):
            if coder[IS_SHORT]:
                return
            if column % SEGMENT == 0:
                _solve(s, column // SEGMENT, numbers[4])
            for place in range(s.order.size):
                if y == MARGIN:
                    _extend_above(s.frame[s.order[place]], y, column + MARGIN)
                _code(m, coder, words, made, s, near, rows, numbers, place, y, column + MARGIN, now)
            if column % SEGMENT == SEGMENT - 1 or column == width - 1:
                for r in range(_NEAREST.size):
                    for place in range(s.order.size):
                        sums = s.sums[r, place], s.beside[r, place], s.above[r, place]
                        regression.fold(sums[0], sums[1], sums[2], column // SEGMENT, _DECAYS[r])
        _end_row(s, y, now, width)


@borrowing
def _begin_row(s, y, now):
    """Fill the margin to the left of a row, begin its runs, and move the ranks of the rows above."""
    s.beside[:] = 0.0
    for c in range(s.order.size):
        s.runs[c, 0], s.runs[c, 1] = 0, s.frame[c, y - 1, MARGIN]
        for x in range(MARGIN):
            s.frame[c, y, x] = s.frame[c, y - 1, MARGIN]
            s.signed[c, now, x] = 0
            for e in range(PREDICTIONS + 1):
                s.errors[e, c, now, x] = s.errors[e, c, 1 - now, MARGIN]
        for x in range(s.frame.shape[2]):
            for r in range(_KEPT - 1, 0, -1):
                s.ranks[c, r, x] = s.ranks[c, r - 1, x]
            s.ranks[c, 0, x] = 0


@borrowing
def _end_row(s, y, now, width):
    """Fill the margin to the right of a row."""
    for c in range(s.order.size):
        for x in range(width + MARGIN, width + 2 * MARGIN):
            s.frame[c, y, x] = s.frame[c, y, width + MARGIN - 1]
            for e in range(PREDICTIONS + 1):
                s.errors[e, c, now, x] = s.errors[e, c, now, width + MARGIN - 1]


@borrowing
def _extend_above(plane, y, x):
    """Fill the margin above a sample of the first row with that to its left."""
    for down in range(1, MARGIN + 1):
        for right in range(-MARGIN if x == MARGIN else 0, MARGIN + 1):
            plane[y - down, x + right] = plane[y, x - 1]


@borrowing
def _solve(s, k, has_past):
    """Solve both predictors of all channels for segment k, whose sums begin anew."""
    s.sums[:] = 0.0
    for r in range(_NEAREST.size):
        for place in range(s.order.size):
            size = _NEAREST[r] + _others(place, has_past)
            sums = s.beside[r, place], s.above[r, place]
            regression.solve(sums[0], sums[1], k, _DECAYS[r], size, s.scratch, s.coefficients[r, place])


@inline
def _others(place, has_past):
    return len(regression.BEFORE) * place + (len(regression.PAST) if has_past else 0)


@inline
def _around(errors, now, x):
    """Add up the errors of four neighbours; their weights add up to 6."""
    return 2 * (errors[now, x - 1] + errors[1 - now, x]) + errors[1 - now, x - 1] + errors[1 - now, x + 1]


@borrowing
def _code(m, coder, words, made, s, near, rows, numbers, place, y, x, now):
    """Code a sample, and learn from it."""
    at, top = s.order[place], numbers[2]
    plane = s.frame[at]
    near[W], near[N], near[NW], near[NE] = plane[y, x - 1], plane[y - 1, x], plane[y - 1, x - 1], plane[y - 1, x + 1]
    near[WW], near[NN], near[NEE] = plane[y, x - 2], plane[y - 2, x], plane[y - 1, x + 2]
    hits = 0, 0, 0, 0
    if numbers[3]:
        hits = begin_hits(m, s, near, (place, at, y, x, top, rows[at]))
    others, base = regression.gather(s.frame, s.past, numbers[4], s.order, place, y, x, s.regressors)
    blend = _predict(s, near, place, at, others, base, top, x, now)
    energy = _set_given(s, at, blend, top, x, now)
    k = max(0, energy // 4 - 6)
    value, rank = np.int64(plane[y, x]), 0
    known = place, at, blend, k, energy, now, y, x, top, rows[at]
    if numbers[3]:
        value, rank = code_hit(m, coder, words, made, s, near, known, hits, value)
    else:
        begin_sample(m, s, near, known)
    if rank == 0:
        value = min(code_sample(m, coder, words, made, s, near, known, value), top)
    plane[y, x] = value
    s.ranks[at, 0, x] = rank
    s.streaks[at, x] = min(s.streaks[at, x] + 1, _STREAK) if value == near[W] else 0
    rows[at] = min(rows[at] + 1, _ROW_STREAK) if value == near[N] else rows[at] >> 2
    if value == near[W]:
        s.runs[at, 0] += 1
    else:
        s.runs[at, 0], s.runs[at, 1] = 0, near[W]
    s.seen[at, value] = y
    s.left[0, place], s.left[1, place] = 8 * value - blend, k
    _learn(s, place, at, value, blend, others, base, top, x, now)


@borrowing
def _predict(s, near, place, at, others, base, top, x, now):
    """Predict a sample in all ways, and return their blend, in eighths."""
    w, n, slope = near[W], near[N], near[NE] - near[NW]
    for r in range(_NEAREST.size):
        found = regression.predict(s.coefficients[r, place], s.regressors[r], _NEAREST[r] + others) + base
        s.predictions[LINEAR + r] = np.int64(np.floor(8.0 * min(max(found, 0.0), np.float64(top)) + 0.5))
    s.predictions[MEDIAN] = 8 * base
    s.predictions[LEVEL] = 8 * min(max(w + (slope >> 1), 0), top)
    s.predictions[MEAN] = min(max(4 * (w + n) + 2 * slope, 0), 8 * top)
    total = weights = 0.0
    for e in range(PREDICTIONS):
        off = np.float64(_around(s.errors[e, at], now, x) + 4)
        weight = 1.0 / (off * off)
        total += weight * s.predictions[e]
        weights += weight
    return min(max(np.int64(np.floor(total / weights + 0.5)), 0), 8 * top)


@inline
def _level(blend, top):
    return min(blend * 8 // (top + 1), LEVELS - 1)


@borrowing
def _set_given(s, at, blend, top, x, now):
    """Set the distributions, and return the grade of the errors around."""
    errors, given = s.errors[BLEND, at], s.given
    near = _around(errors, now, x) + errors[now, x - 2]
    wide = near + 2 * errors[1 - now, x - 2] + errors[1 - now, x + 2] + errors[now, x - 3]
    level = _level(blend, top)
    usual = (2 * s.noise[at, level] + s.noise[at, level + 1]) // 3
    given[0, CENTRE] = given[1, CENTRE] = given[2, CENTRE] = blend
    given[0, PACE] = _PACE // (near + 6)
    given[1, PACE] = 2 * _PACE // (7 * usual // 8 + near + 6)
    given[2, PACE] = 11 * _PACE // 7 // (wide + 10)
    for r in range(_NEAREST.size):
        own = s.errors[LINEAR + r, at]
        given[3 + r, CENTRE] = s.predictions[LINEAR + r]
        given[3 + r, PACE] = _PACE // (_around(own, now, x) + own[now, x - 2] + 6)
    return graded(near)


@borrowing
def _learn(s, place, at, value, blend, others, base, top, x, now):
    """Note how far the predictions were off, and add the sample to the sums."""
    for e in range(PREDICTIONS):
        s.errors[e, at, now, x] = abs(8 * value - s.predictions[e])
    s.errors[BLEND, at, now, x] = abs(8 * value - blend)
    s.signed[at, now, x] = 8 * value - blend
    level = _level(blend, top)
    s.noise[at, level] += (8 * abs(8 * value - blend) - s.noise[at, level]) >> 4
    first = s.errors[LINEAR, at]
    off = 16 * (2 * first[now, x] + first[now, x - 1] + first[1 - now, x])
    usual = np.float64(s.usual[at])
    s.usual[at] += (off - s.usual[at]) >> 8
    target = np.float64(value - base)
    regression.observe(s.sums[0, place], s.regressors, 0, _NEAREST[0] + others, 1.0, target)
    weight = (usual + 16.0) / (usual + 16.0 + np.float64(off))
    regression.observe(s.sums[1, place], s.regressors, 1, _NEAREST[1] + others, weight, target)
