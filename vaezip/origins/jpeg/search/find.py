"""Find the JPEG that a picture was decoded from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.origins.jpeg.description import SIDE, Description, Steps, standard_steps
from vaezip.origins.jpeg.picture import Border, Coefficients, Plane, framed, planes, shown
from vaezip.origins.jpeg.search import blocks, chroma, grid
from vaezip.origins.jpeg.search.lattice import ANY, EXACT, FREE, NEAR, bounds_of_luma, preimages
from vaezip.origins.jpeg.transform import upsample

Samples = NDArray[np.uint8]
Part = tuple[Samples, NDArray[np.uint8]]
"""A part of a picture: Y, Cb, Cr, and what is known of each pixel."""

Half = tuple[Plane, NDArray[np.bool_], NDArray[np.bool_]]
"""Cb or Cr of a part at its own resolution, which of its samples are sure, and of which anything is known."""

_WINDOW, _WINDOWS_ASIDE = 80, 4
ON_LATTICE = 0.97
"""The share of pixels, of those that are not clipped, that libjpeg's map must give."""

_OUTSTANDING = 0.1
"""Of the high frequencies that are left in most phases, the share that must vanish in the best one, so that anything
else is looked at: of 48 training photographs in grey it was at most 0.083, of their JPEGs of qualities 50 to 95 at
least 0.289, and of 98 at least 0.109."""

_CLEAR = 0.3
"""The same share where coefficients are worth having though they give hardly any block exactly."""

_SHARE, _NO_DOUBT = 0.05, 0.95
"""How much more of the high frequencies vanish, and the share of exact blocks, where there is no doubt of the grid."""

_SAMPLINGS = (
    *(((2, 2), True, 0.7), ((1, 2), True, 0.8), ((2, 1), True, 0.8)),
    *(((2, 2), False, 0.95), ((1, 2), False, 0.95), ((2, 1), False, 0.95), ((1, 1), False, 0.0)),
)
"""Sampling, fancy, and the share of the smaller planes that must give all known samples around it."""

_PHASES, _LEAST_EVIDENCE = 4, 0.15
"""How many phases are tried; and the least share of exact blocks times the mean logarithm of steps."""

_NEARLY = 0.6
"""How likely a phase of the MCU must be, relative to the likeliest one, that it is looked at: the others of JPEGs of
training photographs in colours came to half of the right one at most."""

_MARGIN = 16

_COST = np.array([0] + [2 * magnitude.bit_length() + 1 for magnitude in range(1, 256)])
"""About how many bits a coefficient takes, by its magnitude."""

_REMEMBERED = 4
"""Looks, for the coder asks first whether a picture was a JPEG, then whether it surely was, and then which."""

_ROUNDS = 3
_PROBED, _SCORED, _LOOKED_AT = 2, 3, 8
"""Of the windows, those with most chroma: how many tell the sampling, are solved, and tell the steps."""


@dataclass(frozen=True)
class Found:
    """A picture as coefficients.

    Attributes:
        description: how the picture follows from them.
        coefficients: int16 (blocks down, across, 64) of each component.
        targets: of each component, what its samples should be, as far as the picture tells.
        borders: of Cb and Cr, what leads from the outermost samples to those around them.
    """

    description: Description
    coefficients: list[Coefficients]
    targets: list[Plane]
    borders: list[Border]


def windows_of(height: int, width: int) -> list[tuple[slice, slice]]:
    """Return the places of some windows, spread over a picture, or of the whole where it is small."""
    places = []
    for extent in (height, width):
        count = min(_WINDOWS_ASIDE, extent // _WINDOW) or 1
        side = min(_WINDOW, extent) if extent > 2 * _WINDOW else -(-extent // count)
        starts = [(extent - side) * (2 * i + 1) // (2 * count) // 16 * 16 for i in range(count)]
        places.append([slice(start, min(start + side, extent)) for start in starts])
    return [(rows, columns) for rows in places[0] for columns in places[1]]


def traces(samples: Samples) -> float | None:
    """Return the share of blocks, in a part of a picture (height, width, 1 or 3), that a JPEG gives exactly; None where
    there was none."""
    found = _look(samples)
    return found.grid.fit.exact if found and found.grid else None


def explained(samples: Samples) -> float:
    """Return the share of blocks of luma, or of samples of chroma if that is less, that a JPEG gives exactly in a part
    of a picture, (height, width, 1 or 3); 0 where there was none."""
    found = _look(samples)
    if not found or not found.grid:
        return 0.0
    exact = found.grid.fit.exact
    return min(exact, _explained(found.description, found.parts)) if found.parts and exact > 0 else exact


def detect(samples: Samples) -> Description | None:
    """Return the description of a JPEG that a picture may have been, by a look at a part of it.

    Args:
        samples: (height, width, 1 or 3).
    """
    found = _look(samples)
    return found.description if found and found.grid else None


class _Grid(NamedTuple):
    """The grid of blocks: its phase, and how luma was quantised."""

    phase: tuple[int, int]
    fit: grid.Fit


class _Look:
    """A look at parts of a picture, which finds each thing but once; it equals one at the same parts.

    Attributes:
        size: of the picture.
        luma: of the parts.
        parts: of a picture in colours, else none.
    """

    def __init__(self, size: tuple[int, int], luma: grid.Windows, parts: list[Part]) -> None:
        self.size, self.luma, self.parts = size, luma, parts
        self._bytes = b"".join(array.tobytes() for pair in parts or luma for array in pair)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Look) and (self.size, self._bytes) == (other.size, other._bytes)

    def __hash__(self) -> int:
        return hash((self.size, self._bytes))

    @cached_property
    def grid(self) -> _Grid | None:
        """The likeliest grid of luma, if there is any."""
        return _grid(self.luma)

    @cached_property
    def description(self) -> Description:
        """The description of the picture, which has a grid."""
        assert self.grid
        (phase, fit), size = self.grid, self.size
        luma = Description(size, phase, (1, 1), False, (fit.steps,), fit.rounds_once)
        return _with_chroma(luma, self.parts) if self.parts else luma


@lru_cache(maxsize=_REMEMBERED)
def _remembered(look: _Look) -> _Look:
    """Return the first look that equals one, which may have found something."""
    return look


def _look(samples: Samples) -> _Look | None:
    """Return a look at parts of a picture; None where its colours are of no JPEG."""
    height, width, channels = samples.shape
    if min(height, width) < SIDE:
        return None
    parts = [samples[place] for place in windows_of(height, width)]
    found: list[Part] = []
    if channels == 1:
        luma = [(part[..., 0].copy(), (part[..., 0] > 0) & (part[..., 0] < 255)) for part in parts]
    else:
        most_off = (1 - ON_LATTICE) * sum(part[..., 0].size for part in parts)
        for part in parts:
            found.append(preimages(part))
            most_off -= np.count_nonzero(found[-1][1] == NEAR)
            if most_off < 0:
                return None
        counts = np.sum([np.bincount(known.ravel(), minlength=3) for _, known in found], 0)
        if counts[EXACT] < ON_LATTICE * (counts[EXACT] + counts[NEAR]) or not counts[EXACT]:
            return None
        luma = [(ycc[0], known == EXACT) for ycc, known in found]
    return _remembered(_Look((height, width), luma, found))


def _grid(luma: grid.Windows) -> _Grid | None:
    """Return the likeliest grid; None where there is none."""
    if grid.has_no_grid(luma):
        return None
    shares = grid.shares(luma, 1 if sum(plane.size for plane, _ in luma) < (1 << 14) else 2).ravel()
    usual = float(np.median(shares))
    if shares.max() - usual < _OUTSTANDING * (1 - usual):
        return None
    ranked = np.argsort(-shares, kind="stable")[:_PHASES]
    order = list(dict.fromkeys([int(ranked[0]), 0, grid.steepest(luma), *map(int, ranked[1:])]))
    best, found = _LEAST_EVIDENCE, None
    for place in order:
        phase = place // SIDE, place % SIDE
        fit = grid.steps_of(luma, phase)
        evidence = fit.exact * sum(int(step).bit_length() - 1 for step in fit.steps) / len(fit.steps) if fit else 0.0
        if fit and evidence > best:
            best, found = evidence, _Grid(phase, fit)
        if found and (found.fit.exact > _NO_DOUBT or shares[ranked[1]] < shares[ranked[0]] - _SHARE):
            break
    if found is None and shares.max() - usual >= _CLEAR * (1 - usual):  # of another decoder, or a JPEG twice
        place = int(ranked[0])
        fit = grid.steps_of(luma, (place // SIDE, place % SIDE))
        found = _Grid((place // SIDE, place % SIDE), fit) if fit else None
    return found


def _with_chroma(luma: Description, found: list[Part]) -> Description:
    """Return the description with the sampling, the steps and the whole phase that explain most of chroma."""
    best, likely = (1 << 62, luma), standard_steps(_quality(luma.steps[0]), True)
    active = sorted(found, key=lambda part: -_activity(part))[:_LOOKED_AT]
    for sampling, fancy, share in _SAMPLINGS:
        small = [_halves(part, luma.phase, sampling, fancy) for part in active[:_PROBED]]
        if np.concatenate([sure[2:-2, 2:-2].ravel() for pair in small for _, sure, _ in pair]).mean() < share:
            continue
        small += [_halves(part, luma.phase, sampling, fancy) for part in active[_PROBED:]]
        windows = [(half[0], half[2]) for pair in small for half in pair]  # nearly all JPEGs share these steps
        for phase, tables in _places(windows, luma.phase, sampling):
            for steps in _different([likely, *tables]):
                description = replace(
                    luma, phase=phase, sampling=sampling, fancy=fancy, steps=(luma.steps[0], steps, steps)
                )
                bits = _bits(description, active[:_SCORED])
                if bits < best[0]:
                    best = bits, description
    return best[1]


def _places(
    windows: grid.Windows, phase: tuple[int, int], sampling: tuple[int, int]
) -> list[tuple[tuple[int, int], list[Steps]]]:
    """Return the phases of the MCU that the grid of luma allows, unless chroma has far likelier ones, with steps."""
    found = []
    for a, b in np.ndindex(sampling):
        whole = phase[0] + SIDE * a, phase[1] + SIDE * b
        place = whole[0] // sampling[0] % SIDE, whole[1] // sampling[1] % SIDE
        likely = grid.tables(windows, place, is_chroma=True)
        found.append((likely.evidence, whole, likely.tables))
    least = _NEARLY * max(evidence for evidence, *_ in found)  # less than nothing of hardly any chroma
    return [(whole, tables) for evidence, whole, tables in found if least <= 0 or evidence >= least]


def _different(tables: list[Steps]) -> list[Steps]:
    return [table for i, table in enumerate(tables) if not any(np.array_equal(table, other) for other in tables[:i])]


def _bits(description: Description, found: list[Part]) -> int:
    """Return about how many bits chroma takes: its coefficients, and the known samples that these do not explain."""
    bits = 0
    for part in found:
        solved = _solved(description, part)
        for coefficients in solved.coefficients:
            magnitudes = np.abs(coefficients[..., 1:].astype(np.int64))
            bits += int(_COST[np.minimum(magnitudes, len(_COST) - 1)].sum())
        bits += 3 * solved.wrong
    return bits


def _explained(description: Description, found: list[Part]) -> float:
    """Return the share of known samples of chroma, in the parts with most of it, that coefficients give."""
    active = sorted(found, key=lambda part: -_activity(part))[:_SCORED]
    solved = [_solved(description, part) for part in active]
    total = sum(one.known for one in solved)
    return (total - sum(one.wrong for one in solved)) / max(1, total)


class _Solved(NamedTuple):
    """The coefficients of chroma in a part; and away from its edges, how many of its samples are known, and how many of
    these they do not give."""

    coefficients: list[Coefficients]
    known: int
    wrong: int


def _solved(description: Description, part: Part) -> _Solved:
    """Find the coefficients of chroma in a part."""
    ycc, known = part[0], part[1] == EXACT
    description = replace(description, size=(known.shape[0], known.shape[1]))
    search, inner = _Search(description), (slice(_MARGIN, -_MARGIN), slice(_MARGIN, -_MARGIN))
    channels = range(1, len(description.steps))
    for c in channels:
        search.solve_chroma(c, ycc[c], known)
    again = shown(description, search.planes, search.borders)
    wrong = sum(int(((again[c] != ycc[c]) & known)[inner].sum()) for c in channels)
    return _Solved(search.coefficients[1:], len(channels) * int(known[inner].sum()), wrong)


def _activity(part: Part) -> int:
    """Return how much there is in the chroma of a part."""
    ycc, known = part
    return int(sum((np.diff(ycc[c].astype(np.int64)) != 0)[known[:, 1:] == EXACT].sum() for c in (1, 2)))


def _halves(part: Part, phase: tuple[int, int], sampling: tuple[int, int], fancy: bool) -> list[Half]:
    """Return Cb and Cr of a window at their own resolution."""
    ycc, known = part[0], part[1] == EXACT
    if sampling == (1, 1):
        return [(ycc[1], known, known), (ycc[2], known, known)]
    inner = phase[0] % sampling[0], phase[1] % sampling[1]
    limits = -(-(known.shape[0] + inner[0]) // sampling[0]), -(-(known.shape[1] + inner[1]) // sampling[1])
    place: dict[str, Any] = {"limits": limits, "phase": inner, "sampling": sampling}
    some = chroma.reached(known, **place)
    return [(*chroma.halved(ycc[c], known, fancy=fancy, **place), some) for c in (1, 2)]


def _quality(steps: Steps) -> int:
    """Return the quality whose steps for luma are nearest."""
    return min(range(1, 101), key=lambda quality: int(np.abs(standard_steps(quality, False) - steps).sum()))


def find(samples: Samples) -> Found | None:
    """Find the JPEG that a picture was; None where it was none.

    Args:
        samples: (height, width, 1 or 3).
    """
    description = detect(samples)
    if description is None:
        return None
    return recover(samples, description)


def recover(samples: Samples, description: Description) -> Found:
    """Find the coefficients of a picture whose description is known."""
    search = _Search(description)
    if samples.shape[2] == 1:
        plane = samples[..., 0].astype(np.int32)
        search.solve(0, samples[..., 0], np.where(plane > 0, plane, -ANY), np.where(plane < 255, plane, ANY))
    else:
        ycc, known = preimages(samples)
        for c in (1, 2):
            search.solve_chroma(c, ycc[c], known == EXACT)
        parts = shown(description, search.planes, search.borders)
        low, high = np.zeros((2, *description.size), np.int32)
        bounds_of_luma(samples, parts[1], parts[2], low, high)
        known_luma = known == EXACT
        low[known_luma] = np.where(ycc[0] > 0, ycc[0], -ANY)[known_luma]
        high[known_luma] = np.where(ycc[0] < 255, ycc[0], ANY)[known_luma]
        near = known == NEAR  # edited
        low[near], high[near] = -ANY, ANY
        search.solve(0, ycc[0], low, high)
    return search.found()


class _Search:
    """Hold what has been found of a picture so far."""

    def __init__(self, description: Description) -> None:
        file = description.file()
        self.description = description
        self.coefficients = [np.zeros((*component.size, 64), np.int16) for component in file.components]
        self.planes = [np.zeros((SIDE * c.size[0], SIDE * c.size[1]), np.uint8) for c in file.components]
        self.targets = [plane.copy() for plane in self.planes]
        sizes = [description.samples(c) for c in range(1, len(self.planes))]
        self.borders = [(np.zeros((2, 1, w), np.int16), np.zeros((2, 1, h), np.int16)) for h, w in sizes]
        self._wrong = [np.zeros(component.size, np.int64) for component in file.components]
        self._bases = blocks.basis(), blocks.basis_of_blocks()

    def solve(self, c: int, plane: Plane, low: NDArray[np.int32], high: NDArray[np.int32]) -> None:
        """Find the coefficients of a component from samples between bounds, all that the picture shows."""
        sampling = self.description.sampling if c else (1, 1)
        top, left = (phase // step for phase, step in zip(self.description.phase, sampling, strict=True))
        rows, columns = self.planes[c].shape
        around = (top, max(0, rows - top - plane.shape[0])), (left, max(0, columns - left - plane.shape[1]))
        target = np.pad(plane, around, "edge")
        least, most = np.pad(low, around, constant_values=-ANY), np.pad(high, around, constant_values=ANY)
        coefficients, steps = self.coefficients[c], self.description.steps[c]
        once = self.description.rounds_once
        blocks.solve_plane(self._bases, target, least, most, steps, once, coefficients, self._wrong[c])
        part = Description(self.description.size, (0, 0), (1, 1), False, (steps,), once)
        self.planes[c] = planes(part, [coefficients])[0]
        self.targets[c] = np.clip(self.planes[c], np.clip(least, 0, 255), np.clip(most, 0, 255)).astype(np.uint8)

    def solve_chroma(self, c: int, plane: Plane, known: NDArray[np.bool_]) -> None:
        """Find the coefficients of Cb or Cr."""
        d = self.description
        if d.sampling == (1, 1):
            value = plane.astype(np.int32)
            low, high = np.where(known & (value > 0), value, -ANY), np.where(known & (value < 255), value, ANY)
            self.solve(c, plane, low, high)
            return
        limits, fancy = d.samples(c), d.fancy
        place: dict[str, Any] = {"phase": d.phase, "sampling": d.sampling}
        small, sure = chroma.halved(plane, known, limits=limits, fancy=fancy, **place)
        reached = chroma.reached(known, limits=limits, **place)
        for n in range(_ROUNDS):
            value, slack = small.astype(np.int32), np.where(sure, 0, 2 if n == 0 else 1)
            low, high = value - slack, value + slack
            low, high = np.where(reached & (low > 0), low, -ANY), np.where(reached & (high < 255), high, ANY)
            top, left = d.phase[0] // d.sampling[0], d.phase[1] // d.sampling[1]
            self.solve(c, small[top:, left:], low[top:, left:], high[top:, left:])
            frame = framed(self.planes[c], limits)
            if fancy:
                frame = chroma.bordered(frame, plane, known, **place)
            again = np.zeros(plane.shape, np.uint8)
            upsample(frame, d.phase, d.sampling, fancy, again)
            self._aim(c, frame)
            if not fancy or ((again == plane) | ~known).all():
                break
            frame, sure = chroma.improved(frame, plane, known, **place)
            small = frame[1:-1, 1:-1]
            self._aim(c, frame)

    def _aim(self, c: int, frame: Plane) -> None:
        """Keep what the samples of Cb or Cr should be, and those around them."""
        self.targets[c] = frame[1:-1, 1:-1]
        around = [
            [frame[0] - frame[1], frame[-1] - frame[-2]],
            [frame[:, 0] - frame[:, 1], frame[:, -1] - frame[:, -2]],
        ]
        above, beside = (np.array(pair)[:, np.newaxis, 1:-1].astype(np.int8).astype(np.int16) for pair in around)
        self.borders[c - 1] = above, beside

    def found(self) -> Found:
        """Return what was found."""
        return Found(self.description, self.coefficients, self.targets, self.borders)


__all__ = ["FREE", "Found", "detect", "find", "recover"]
