"""Pictures to the tiles that a network is trained on.

Pictures are read one by one, first to see what they are, then to cut them, so that a folder of large
photographs need not fit into memory. What is held out for validation is whole pictures: tiles of one
picture are too much alike.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import DataError
from vaezip.models.base import Architecture
from vaezip.models.kinds import (
    BILEVEL_GREY,
    BLACK_AND_WHITE,
    GREY,
    PLANES,
    Planes,
    is_black_and_white,
)
from vaezip.pictures import datasets
from vaezip.pictures.datasets import Collection
from vaezip.pictures.picture import Picture
from vaezip.training import families
from vaezip.training.families.base import Tiles

Pixels = NDArray[np.uint8]

_LEAST = 2
"""Tiles to train on: the smallest batch, which data and samples of the model share."""

_HELD_OUT_VALUES = 1 << 22
"""Values of the pictures that the finished model is tried on: a minute or so."""

_SAMPLE_VALUES = 1 << 18
"""Values of the pictures that models are compared on before training."""

Report = Callable[[str], None]
"""Called with how far the work has come, in words."""


@dataclass(frozen=True)
class Survey:
    """The pictures of a data set, and what they are like.

    Attributes:
        collection: its readable pictures.
        planes: what a model codes of them.
        sizes: (height, width) that occur.
        skipped: why the others cannot be read, one line each.
    """

    collection: Collection
    planes: Planes
    sizes: frozenset[tuple[int, int]]
    skipped: tuple[str, ...]


@dataclass(frozen=True)
class Split:
    """A data set in two parts, tiles as :func:`cut` makes them, and pictures to try the model on.

    Attributes:
        train, valid: in random order.
        held_out: pictures that are not trained on: the published test images, or the validation part.
        counts: how many pictures ``train`` and ``valid`` are of.
        published: whether ``held_out`` are published test images, which no epoch is chosen by.
    """

    train: Tiles
    valid: Tiles
    held_out: list[tuple[str, Picture]]
    counts: tuple[int, int]
    published: bool = False


def survey(source: str, report: Report) -> Survey:
    """Look at every picture.

    Args:
        source: name of a data set, whose training part is meant, or a folder.
        report: called before each picture.

    Raises:
        DataError: there is nothing to read, or the pictures are not of one kind.
    """
    found = _collection(source)
    modes: Counter[str] = Counter()
    sizes, readable, skipped = set(), [], []
    for i, index in enumerate(found.indices):
        report(f"reading picture {i + 1:,} of {len(found):,}")
        try:
            picture = found.fetch(index)
        except DataError as error:
            skipped.append(str(error))
            continue
        readable.append(index)
        modes[_mode(picture)] += 1
        sizes.add(picture.samples.shape[:2])
    if not readable:
        raise DataError(f"none of its {len(found)} pictures can be read; the first: {skipped[0]}")
    return Survey(replace(found, indices=tuple(readable)), _planes(modes), frozenset(sizes), tuple(skipped))


def split(found: Survey, architecture: Architecture, *, share: float, seed: int, report: Report) -> Split:
    """Cut the pictures of a data set, after a shuffle.

    Args:
        found: of :func:`survey`.
        architecture: what the tiles are for.
        share: of the pictures that goes to validation, at least one of them, and never all.
        seed: of the shuffle.
        report: called before each picture.

    Raises:
        DataError: too few pictures for two parts.
    """
    count = len(found.collection)
    if count < 2:
        raise _too_few(count)
    valid = min(count - 1, max(1, round(share * count)))
    drawn = found.collection.select(seed=seed).indices
    parts = [replace(found.collection, indices=part) for part in (drawn[valid:], drawn[:valid])]
    rng = np.random.default_rng(seed)
    most = families.of(architecture).most_tiles
    train, valid_tiles = (_tiles(architecture, part, limit, rng, report) for part, limit in zip(parts, most))
    if len(train) < _LEAST:
        raise _too_few(count) if count < 3 else _too_much(share, count)
    named = found.collection.name in datasets.NAMES and found.collection.numbered
    tried = datasets.collection(found.collection.name, "test").select(seed=0) if named else parts[1]
    return Split(train, valid_tiles, list(_within(tried, _HELD_OUT_VALUES)), (count - valid, valid), named)


def cut(architecture: Architecture, picture: Picture) -> Tiles:
    """Cut a picture into tiles, as the architecture's family trains on them."""
    return families.of(architecture).cut(architecture, pixels_of(architecture, picture))


def pixels_of(architecture: Architecture, picture: Picture) -> Pixels:
    """Take what a model codes of a picture, (height, width, channels)."""
    pixels = picture.samples[..., : architecture.channels].astype(np.uint8, copy=False)
    return pixels >> np.uint8(7) if architecture.levels == 2 and picture.mode == "L" else pixels


def _too_few(count: int) -> DataError:
    return DataError(f"has too few pictures to train on and to hold one out ({count}); give at least 3")


def _too_much(share: float, count: int) -> DataError:
    reason = f"a share of {share:g} held out leaves too few of {count:,} pictures to train on"
    return DataError(reason, remedy="smaller-valid")


def _tiles(
    architecture: Architecture, pictures: Collection, most: int, rng: np.random.Generator, report: Report
) -> Tiles:
    """Cut ``most`` tiles at the most, as many of each picture as of any other that has so many, and shuffle them."""
    each = max(1, most // len(pictures))
    parts = []
    for i, (_, picture) in enumerate(pictures):
        report(f"cutting picture {i + 1:,} of {len(pictures):,}")
        found = cut(architecture, picture)
        parts.append(found[rng.permutation(len(found))[:each]])
    whole = np.concatenate(parts)
    rng.shuffle(whole)  # in place: a copy may be large
    return whole[:most]


def sample(found: Survey, seed: int) -> list[tuple[str, Picture]]:
    """Return a few pictures of a data set, drawn at random, without metadata, to compare models on."""
    return list(_within(found.collection.select(seed=seed), _SAMPLE_VALUES))


def _within(pictures: Iterable[tuple[str, Picture]], values: int) -> Iterator[tuple[str, Picture]]:
    """Yield the first of the pictures, without metadata, until they hold so many values."""
    for name, picture in pictures:
        values -= picture.samples.size
        yield name, Picture(picture.mode, picture.samples)
        if values <= 0:
            return


def _collection(source: str) -> Collection:
    if source not in datasets.NAMES and os.path.isdir(source):
        try:
            return datasets.collection(source)
        except DataError:
            raise DataError("holds no pictures; name a folder of PNG, WebP or other picture files") from None
    return datasets.collection(source, "train")


def _mode(picture: Picture) -> str:
    return BILEVEL_GREY if is_black_and_white(picture) else picture.mode


def _planes(modes: Counter[str]) -> Planes:
    """Find what a model codes of pictures of these modes; alpha is not trained on.

    Grey pictures of black and white alone go with grey ones as well as with black and white.

    Raises:
        DataError: they are not of one kind, or no model codes it.
    """
    kinds = {PLANES.get(mode) for mode in modes if mode != BILEVEL_GREY}
    if modes[BILEVEL_GREY] and kinds != {BLACK_AND_WHITE}:
        kinds |= {GREY} if kinds else {BLACK_AND_WHITE}
    if len(kinds) > 1:
        names: Counter[str] = Counter()
        for mode, count in modes.items():
            names["L" if mode == BILEVEL_GREY else mode] += count
        listed = ", ".join(f"{count:,} of mode {mode}" for mode, count in names.most_common())
        raise DataError(f"holds pictures of several kinds ({listed}); put each kind into a folder of its own")
    planes = kinds.pop()
    if planes is None:
        raise DataError(f"no model codes pictures of mode {', '.join(modes)}; convert them to 1, L or RGB")
    return planes
