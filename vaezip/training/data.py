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
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.pictures import datasets
from vaezip.pictures.datasets import Collection
from vaezip.pictures.picture import Picture
from vaezip.training.tiles import Tiles, tiles

Pixels = NDArray[np.uint8]

MOST_TRAIN, MOST_VALID = 100_000, 5_000
"""Tiles to train on and to watch the training by; of larger sets, so many are drawn at random."""

LOCAL_TRAIN, LOCAL_VALID = 15_000, 1_500
"""The same for local-autoregressive models, which have few weights and learn from each pixel; what regression makes of
a tile takes 35 kB of memory."""

_LEAST = 2
"""Tiles to train on: the smallest batch, which data and samples of the model share."""

_HELD_OUT_VALUES = 1 << 22
"""Values of the pictures that the finished model is tried on: a minute or so."""

_LIKELIHOODS = {
    "1": "bernoulli",
    "L": "logistic",
    "LA": "logistic",
    "RGB": "colour-logistic",
    "RGBA": "colour-logistic",
}
"""By mode; alpha is not trained on: in coding, ``photo-gray`` or WebP takes it, WebP alone with ``--embed-model``."""

_BILEVEL = "L/2"
"""A grey picture of black and white alone, which goes with either kind."""

Told = Callable[[str], None]


@dataclass(frozen=True)
class Survey:
    """What a data set holds.

    Attributes:
        collection: its readable pictures.
        likelihood: of a model that codes them.
        sizes: (height, width) that occur.
        skipped: why the others cannot be read, one line each.
    """

    collection: Collection
    likelihood: str
    sizes: frozenset[tuple[int, int]]
    skipped: tuple[str, ...]


@dataclass(frozen=True)
class Split:
    """A data set in two parts, tiles as :func:`cut` makes them, and a third to be tried on.

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

    def test(self, architecture: Architecture) -> Tiles:
        """The tiles of the pictures held out."""
        return np.concatenate([cut(architecture, picture) for _, picture in self.held_out])


def survey(source: str, told: Told) -> Survey:
    """Look at every picture.

    Args:
        source: name of a data set, whose training part is meant, or a folder.
        told: of how far it has come.

    Raises:
        DataError: there is nothing to read, or the pictures are not of one kind.
    """
    found = _collection(source)
    modes: Counter[str] = Counter()
    sizes, readable, skipped = set(), [], []
    for i, index in enumerate(found.indices):
        told(f"reading picture {i + 1:,} of {len(found):,}")
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
    return Survey(replace(found, indices=tuple(readable)), _likelihood(modes), frozenset(sizes), tuple(skipped))


def split(found: Survey, architecture: Architecture, share: float, seed: int, told: Told) -> Split:
    """Cut the pictures of a data set, after a shuffle.

    Args:
        found: of :func:`survey`.
        share: of the pictures that goes to validation, at least one of them, and never all.
        seed: of the shuffle.

    Raises:
        DataError: too few pictures for two parts.
    """
    count = len(found.collection)
    if count < 2:
        raise DataError(_too_few(count))
    valid = min(count - 1, max(1, round(share * count)))
    drawn = found.collection.select(seed=seed).indices
    parts = [replace(found.collection, indices=part) for part in (drawn[valid:], drawn[:valid])]
    rng = np.random.default_rng(seed)
    local = isinstance(architecture, PixelArchitecture)
    most = (LOCAL_TRAIN, LOCAL_VALID) if local else (MOST_TRAIN, MOST_VALID)
    train, held = (_tiles(architecture, part, limit, rng, told) for part, limit in zip(parts, most))
    if len(train) < _LEAST:
        raise DataError(_too_few(count) if count < 3 else _too_much(share, count))
    named = found.collection.name in datasets.NAMES and found.collection.numbered
    tried = datasets.collection(found.collection.name, "test").select(seed=0) if named else parts[1]
    return Split(train, held, list(_within(tried, _HELD_OUT_VALUES)), (count - valid, valid), named)


def cut(architecture: Architecture, picture: Picture) -> Tiles:
    """The tiles of a picture, (tiles, height, width, channels); for a local-autoregressive model with what
    surrounds them, as :func:`vaezip.training.tiles.tiles` has them.

    Those of the last row and column are moved inwards to be whole; a picture that is smaller than a
    tile is continued by its last row and column, as in coding.
    """
    pixels = pixels_of(architecture, picture)
    if isinstance(architecture, PixelArchitecture):
        return tiles(pixels[None], architecture)
    height, width = architecture.tile
    below, beside = (max(0, t - s) for t, s in zip(architecture.tile, pixels.shape))
    pixels = np.pad(pixels, ((0, below), (0, beside), (0, 0)), mode="edge")
    corners = [(y, x) for y in _starts(pixels.shape[0], height) for x in _starts(pixels.shape[1], width)]
    return np.stack([pixels[y : y + height, x : x + width] for y, x in corners])


def pixels_of(architecture: Architecture, picture: Picture) -> Pixels:
    """What a model codes of a picture, (height, width, channels)."""
    pixels = picture.samples[..., : architecture.channels].astype(np.uint8, copy=False)
    return pixels >> np.uint8(7) if architecture.levels == 2 and picture.mode == "L" else pixels


def _too_few(count: int) -> str:
    return f"has too few pictures to train on and to hold one out ({count}); give at least 3"


def _too_much(share: float, count: int) -> str:
    return f"--valid {share:g} leaves too few of {count:,} pictures to train on; give a smaller --valid"


def _starts(length: int, tile: int) -> list[int]:
    return [min(start, length - tile) for start in range(0, length, tile)]


def _tiles(architecture: Architecture, pictures: Collection, most: int, rng: np.random.Generator, told: Told) -> Tiles:
    """``most`` tiles at the most, as many of each picture as of any other that has so many, shuffled."""
    each = max(1, most // len(pictures))
    parts = []
    for i, (_, picture) in enumerate(pictures):
        told(f"cutting picture {i + 1:,} of {len(pictures):,}")
        found = cut(architecture, picture)
        parts.append(found[rng.permutation(len(found))[:each]])
    whole = np.concatenate(parts)
    rng.shuffle(whole)  # in place: a copy may be large
    return whole[:most]


def _within(pictures: Iterable[tuple[str, Picture]], values: int) -> Iterator[tuple[str, Picture]]:
    """The first of the pictures, without metadata, until they hold so many values."""
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
    return _BILEVEL if picture.mode == "L" and np.isin(picture.samples, (0, 255)).all() else picture.mode


def _likelihood(modes: Counter[str]) -> str:
    """Of a model for pictures of these modes.

    Raises:
        DataError: they are not of one kind, or no model codes it.
    """
    kinds = {_LIKELIHOODS.get(mode) for mode in modes if mode != _BILEVEL}
    if modes[_BILEVEL] and kinds != {"bernoulli"}:
        kinds |= {"logistic"} if kinds else {"bernoulli"}
    if len(kinds) > 1:
        names = Counter({mode.removesuffix("/2"): 0 for mode in modes})
        for mode, count in modes.items():
            names[mode.removesuffix("/2")] += count
        listed = ", ".join(f"{count:,} of mode {mode}" for mode, count in names.most_common())
        raise DataError(f"holds pictures of several kinds ({listed}); put each kind into a folder of its own")
    likelihood = kinds.pop()
    if likelihood is None:
        raise DataError(f"no model codes pictures of mode {', '.join(modes)}; convert them to 1, L or RGB")
    return likelihood
