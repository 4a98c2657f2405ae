"""The encoder's search for holes among values, by their counts, and the ranks of those that occur."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.backend import backend
from vaezip.exact.elementwise import log
from vaezip.models.kinds import channels, has_alpha, is_wide
from vaezip.origins.values import NARROW, SHIFT, Line, Set, Values, line, listed, of_sets

Samples = NDArray[Any]

_EIGHT_BITS = 256

_FEWEST, _PART = 12, 64
"""Of fewer values a channel is no photograph. Where holes do not take one part in so many of all samples, if they were
no holes, nothing is gained."""

_CLEAR = 16
"""From one part in so many on, ranks are by far the best."""

_SPARSE = 16
"""Where all samples but one in so many have holes on both sides, that is a rule; chance leaves more to noise."""

_LONG = 1 << 10
"""A list of so many values takes more than a hundred bytes."""

_NATS_OF_A_BYTE = 5.545177444479562

_LOOKED_AT = 1 << 17

_SMALLEST = 1 << 10
"""Of fewer pixels too little is known."""

_ANCHORS = 32
"""Values of a set from which slopes to all others are looked at."""


class Ranked(NamedTuple):
    """The values of a picture, and its ranks."""

    origin: Values
    parts: list[Samples]


def promises(samples: Samples, mode: str) -> bool:
    """Tell whether ranks may take less: of 8 bits, if there are many holes; of 16, if there are few values, some
    channel has far fewer than all together, or a quarter of those from the least to the greatest do not occur."""
    if mode not in NARROW or samples[..., 0].size < _SMALLEST:
        return False
    counted = _counts(_some(samples), mode)
    if not is_wide(mode):
        return _missing(counted[: len(counted) - has_alpha(mode)], _PART)
    sets = [np.flatnonzero(one) for one in (*counted, sum(counted))]
    *bits, of_all = (_bits(one) for one in sets)
    if max(bits) <= 8 or sum(bits) < len(bits) * of_all or _has_long_table(sets[-1]):
        return True
    return any(4 * len(values) <= 3 * int(np.ptp(values)) for values in sets[:-1] if len(values) > 1)


def settles(samples: Samples, mode: str) -> bool:
    """Tell whether the samples have so many holes that values cannot take as little as ranks; of 16 bits, also whether
    ranks have 8 bits, for what codes these codes values, too."""
    if is_wide(mode):
        counted = _counts(samples, mode)
        return max(len(np.flatnonzero(one)) for one in counted) <= _EIGHT_BITS or _is_sparse(counted)
    counted = _counts(_some(samples), mode)
    return _missing(counted[: len(counted) - has_alpha(mode)], _CLEAR)


def may_gain(samples: Samples, mode: str) -> bool:
    """Tell whether holes of values of 16 bits may take more than the list of values: for each sample, the logarithm of
    how far the next ones lie that occur."""
    nats = []
    for counts, below, above in map(_holes, _counts(samples, mode)):
        nats.extend(counts * log(backend(), (below * above).astype(np.float64)))
    return math.fsum(nats) > 2 * _NATS_OF_A_BYTE * len(find(samples, mode).origin.to_bytes())


def find(samples: Samples, mode: str) -> Ranked:
    """Return the values of pictures, (pictures, height, width, channels), and their ranks."""
    sets = [np.flatnonzero(one) for one in _counts(samples, mode)]
    colours = len(sets) - has_alpha(mode)
    union = np.unique(np.concatenate(sets[:colours]))
    alike = colours > 1 and _bits(union) == max(map(_bits, sets[:colours])) and _is_one(union, sets[:colours])
    chosen = [union, *sets[colours:]] if alike else sets
    origin = of_sets(mode, [_written(values, mode) for values in chosen], alike=alike)
    mode_of_ranks = origin.parts(samples.shape)[0][0]
    ranks = np.empty(samples.shape, np.uint16 if is_wide(mode_of_ranks) else np.uint8)
    for channel, values in enumerate(origin.sets):
        table = np.zeros(int(values[-1]) + 1, ranks.dtype)
        table[values] = np.arange(len(values))
        ranks[..., channel] = table[samples[..., channel]]
    return Ranked(origin, [ranks])


def _some(samples: Samples) -> Samples:
    """Return about so many pixels as tell what occurs, spread evenly: (count, channels)."""
    pixels = samples.reshape(-1, samples.shape[-1])
    step = max(1, len(pixels) // _LOOKED_AT)
    return pixels[:: step + (step % 2 == 0)]  # so that it shares no factor with most widths


def _has_long_table(values: Set) -> bool:
    """Tell whether a set of samples of 16 bits lies on a grid, but takes many bytes when it is listed."""
    return len(values) >= _LONG and _on_grid(values, 1 << 16) is not None


def _counts(samples: Samples, mode: str) -> list[NDArray[np.int64]]:
    """Count how often each value of each channel occurs."""
    levels = 1 << 16 if is_wide(mode) else _EIGHT_BITS
    return [np.bincount(samples[..., i].ravel(), minlength=levels) for i in range(channels(mode))]


def _bits(values: Set) -> int:
    """Count the bits of a rank, or 8 where there are fewer."""
    return max(8, (len(values) - 1).bit_length())


def _is_one(union: Set, sets: list[Set]) -> bool:
    """Tell whether the sets of colours are parts of one that is hardly larger than the largest of them."""
    return 16 * len(union) <= 17 * max(map(len, sets))


def _missing(counted: list[NDArray[np.int64]], part: int) -> bool:
    """Tell whether holes would take one part in so many of the samples, if they had as many as the values beside."""
    missing = total = 0
    for counts in counted:
        used = np.flatnonzero(counts)
        total += int(counts.sum())
        if len(used) >= _FEWEST:
            holes = np.diff(used) - 1
            missing += int((holes * np.minimum(counts[used[:-1]], counts[used[1:]])).sum())
    return missing * part >= total


def _holes(counted: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return how often each value occurs that does, and how far the next ones lie below and above it."""
    used = np.flatnonzero(counted)
    steps = np.diff(used) if len(used) > 1 else np.ones(1, np.int64)
    return counted[used], np.append(steps[:1], steps)[: len(used)], np.append(steps, steps[-1:])[: len(used)]


def _is_sparse(counted: list[NDArray[np.int64]]) -> bool:
    """Tell whether nearly all samples have holes on both sides, by whatever spread them."""
    between = sum(int(counts[(below > 1) & (above > 1)].sum()) for counts, below, above in map(_holes, counted))
    return between * _SPARSE >= sum(int(one.sum()) for one in counted) * (_SPARSE - 1)


def _written(values: Set, mode: str) -> tuple[Set, bytes]:
    """Return a set with what tells it: a grid, on which ranks are what the samples were; or in the shortest form."""
    found = _on_grid(values, 1 << 16 if is_wide(mode) else _EIGHT_BITS)
    if found:
        return found.values(), found.to_bytes()
    forms = [listed(values)] + [one.to_bytes() for one in [_on_line(values)] if one]
    return values, min(forms, key=len)


def _on_grid(values: Set, levels: int) -> Line | None:
    """Return the line of fewer bits spread over all levels by repeating them, or of multiples; of the fewest values."""
    top = levels.bit_length() - 1
    for bits in range(1, top):
        slope = _repeated(bits, top)
        ranks = values >> (top - bits)
        if np.array_equal((ranks * slope) >> SHIFT, values):
            return _bounded(values, Line(int(ranks[-1]) + 1, slope, 0))
    step = int(np.gcd.reduce(np.diff(values))) if len(values) > 1 else 1
    if step > 1:
        start = int(values[0]) % step
        return _bounded(values, Line((int(values[-1]) - start) // step + 1, step << SHIFT, start << SHIFT))
    return None


def _repeated(bits: int, top: int) -> int:
    """Return the slope of numbers of so many bits that are repeated until they fill up all."""
    slope, shift = 0, top - bits
    while shift > -SHIFT:
        slope += (1 << SHIFT) << shift if shift >= 0 else (1 << SHIFT) >> -shift
        shift -= bits
    return slope


def _bounded(values: Set, found: Line) -> Line | None:
    """Return a line, also of values that do not occur, if its ranks have no more bits than those of the values."""
    return found if max(8, (found.count - 1).bit_length()) <= _bits(values) else None


def _on_line(values: Set) -> Line | None:
    """Return the line on which all values lie, and no others, if there is one."""
    count = len(values)
    if count < 2:
        return None
    ranks, low, high = np.arange(count), 0, 1 << 62
    for anchor in range(0, count, -(-count // _ANCHORS)):
        apart = ranks - anchor
        rise, run = (values - values[anchor])[apart != 0] << SHIFT, apart[apart != 0]
        rise, run = np.where(run < 0, -rise, rise), np.abs(run)
        low = max(low, int(((rise - (1 << SHIFT)) // run).max()) + 1)
        high = min(high, int((-(-(rise + (1 << SHIFT)) // run)).min()) - 1)
    if low > high:
        return None
    slope = (low + high) // 2
    start = int(((values << SHIFT) - ranks * slope).max())
    found = Line(count, slope, start)
    return found if start >= 0 and np.array_equal(line(count, slope, start), values) else None
