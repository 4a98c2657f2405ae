"""Training tiles with what surrounds them: cut from photographs and made more various, or small pictures.

A tile is (SIDE, planes + 1): its pixels below and between those that they are predicted from, and in the
last plane 1 where a pixel is coded, 0 where it is surroundings or outside of the picture. It is uint8, or, with
the planes of a regressed model, int16.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaezip.errors import DataError
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.pixel.constants import RADIUS, TILE
from vaezip.models.pixel.context import framed
from vaezip.models.pixel.least_squares import frame_with_predictions
from vaezip.models.pixel.orientation import oriented
from vaezip.models.pixel.strips import tile_frames
from vaezip.models.tiling import Tiling
from vaezip.pictures import datasets

SIDE = (TILE + RADIUS, TILE + 2 * RADIUS)
"""Height and width of a tile with its causal surroundings."""

HELD_OUT = 24
"""Photographs that are held out."""

SMALL_HELD_OUT = 1000

DRAWN, DRAWN_SIDE = 128, 320
"""Crops of photographs that the tiles of one epoch come from, where regression has to go through them first."""

_ALONE = 0.2
"""Share of the batches that show tiles as pictures of their own, framed as those are."""

CODED = (slice(None), slice(RADIUS, None), slice(RADIUS, -RADIUS))
"""Index of the pixels of tiles without their surroundings."""

_FULL_RANGE = 0.5
"""Share of the crops that are Cr, Y and Cb as JFIF has them. The others have smaller ranges: 219 values of luma and
224 of chroma in BT.601 and BT.709, fewer in PhotoCD."""

Photograph = NDArray[np.uint8]
Pictures = NDArray[np.uint8]
Tiles = NDArray[Any]
Frames = NDArray[np.float32]


class TileSource(Protocol):
    """Where tiles come from."""

    def prepare(self, epoch: int) -> None:
        """Prepare the batches of an epoch, which may depend on its number."""
        ...

    def batch(self, count: int, rng: np.random.Generator) -> Tiles:
        """Draw training tiles, (count, *SIDE, planes + 1)."""
        ...

    def held_out(self) -> Iterator[Pictures]:
        """Yield the pictures held out: arrays (pictures, height, width, channels) of uint8."""
        ...


class Photographs:
    """RGB photographs of a folder, or what they are in grey, of which ``HELD_OUT`` are held out."""

    def __init__(self, folder: Path | None, a: PixelArchitecture) -> None:
        if folder is None:
            raise DataError("no data set holds photographs; name a folder of them")
        self.architecture = a
        self.train, self.valid = split_photographs(folder, HELD_OUT)
        if a.channels == 1:
            self.train, self.valid = ([_grey(p) for p in part] for part in (self.train, self.valid))

    def prepare(self, epoch: int) -> None:
        """Do nothing; see :class:`TileSource`."""

    def batch(self, count: int, rng: np.random.Generator) -> Tiles:
        """Draw tiles from all photographs; see :class:`TileSource`."""
        found = frames(self.train, count, rng).astype(np.uint8)
        if rng.random() < _ALONE:
            found = framed(found[CODED]).astype(np.uint8)
        return marked(found, np.ones((count, TILE, TILE), np.bool_))

    def held_out(self) -> Iterator[Pictures]:
        """Yield the photographs held out; see :class:`TileSource`."""
        return (p[None] for p in self.valid)


class RegressedPhotographs(Photographs):
    """Photographs for a regressed model: a tile's planes come from a larger crop of its photograph, which is turned
    and varied as a whole."""

    def prepare(self, epoch: int) -> None:
        """Draw crops of the photographs; see :class:`TileSource`."""
        rng = np.random.default_rng([epoch, DRAWN])
        drawn = rng.choice(len(self.train), min(DRAWN, len(self.train)), replace=False, p=_shares(self.train))
        crops = (oriented(cropped(self.train[i], DRAWN_SIDE, rng), int(rng.integers(8))) for i in drawn)
        varieties = (self.varied(crop.astype(np.float32), rng) for crop in crops)
        self.frames = [frame_with_predictions(self.architecture, x.astype(np.uint8)[None])[0] for x in varieties]

    def varied(self, crop: Frames, rng: np.random.Generator) -> Frames:
        """Vary a crop; see :func:`varied`."""
        return varied(crop, rng)

    def batch(self, count: int, rng: np.random.Generator) -> Tiles:
        """Draw tiles from the crops of :meth:`prepare`; see :class:`TileSource`."""
        places = np.array([(f.shape[0] - SIDE[0] + 1) * (f.shape[1] - SIDE[1] + 1) for f in self.frames], np.float64)
        found = []
        for which in rng.choice(len(self.frames), count, p=places / places.sum()):
            frame = self.frames[which]
            y, x = (rng.integers(0, extent - side + 1) for extent, side in zip(frame.shape, SIDE))
            found.append(frame[y : y + SIDE[0], x : x + SIDE[1]])
        tiles = np.stack(found)
        if rng.random() < _ALONE:
            pictures = tiles[(*CODED, slice(self.architecture.channels))].astype(np.uint8)
            tiles = frame_with_predictions(self.architecture, pictures)
        return marked(tiles, np.ones((count, TILE, TILE), np.bool_))


class PlanesOfPhotographs(RegressedPhotographs):
    """Photographs for a regressed model of Cr, Y and Cb, as pictures on a colour lattice are coded."""

    def varied(self, crop: Frames, rng: np.random.Generator) -> Frames:
        """Vary a crop, and take its luma and chroma, in a smaller range where JFIF's is not drawn."""
        x = varied(crop, rng)
        if rng.random() < _FULL_RANGE:
            return luma_and_chroma(x)
        of_luma, of_chroma = rng.uniform((0.65, 0.6), (0.95, 1.0))
        return luma_and_chroma(x, of_luma=of_luma, of_chroma=of_chroma, low=rng.uniform(0, 255 * (1 - of_luma)))

    def held_out(self) -> Iterator[Pictures]:
        """Yield the photographs held out in JFIF's range; see :class:`TileSource`."""
        return (luma_and_chroma(p.astype(np.float32)).astype(np.uint8)[None] for p in self.valid)


class Small:
    """The training part of a named data set of small pictures, black and white ones in 0 and 255, of which
    the last few, after a fixed shuffle, are held out."""

    def __init__(self, name: str, data: Path | None, a: PixelArchitecture, *, mirrored: bool) -> None:
        self.architecture = a
        images = datasets.load(name, "train", data)
        images = images if images.max() > 1 else images * np.uint8(255)
        images = images[np.random.default_rng(7).permutation(len(images))]
        self.train, self.valid, self.mirrored = images[:-SMALL_HELD_OUT], images[-SMALL_HELD_OUT:], mirrored

    def prepare(self, epoch: int) -> None:
        """Do nothing; see :class:`TileSource`."""

    def batch(self, count: int, rng: np.random.Generator) -> Tiles:
        """Draw pictures, half of them mirrored where that makes pictures of the kind; see :class:`TileSource`."""
        found = self.train[rng.integers(0, len(self.train), count)]
        if self.mirrored:
            found = np.where(rng.random((count, 1, 1, 1)) < 0.5, found[:, :, ::-1], found)
        return tiles(found, self.architecture)

    def held_out(self) -> Iterator[Pictures]:
        """Yield the pictures held out; see :class:`TileSource`."""
        return iter([self.valid])


def tiles(pictures: Pictures, a: PixelArchitecture) -> Tiles:
    """Cut pictures (pictures, height, width, channels) into all their tiles, strip by strip."""
    frame, height = frame_with_predictions(a, pictures).astype(np.int16 if a.regressed else np.uint8), pictures.shape[1]
    parts = []
    for top in range(0, height, TILE):
        mask = Tiling(pictures[:, top : top + TILE].shape, (TILE, TILE)).mask
        parts.append(marked(tile_frames(frame, top, min(TILE, height - top)), mask))
    return np.concatenate(parts)


def marked(frames: NDArray[Any], mask: NDArray[np.bool_]) -> Tiles:
    """Join the pixels of tiles (tiles, *SIDE, planes) and which of them are coded (tiles, TILE, TILE)."""
    coded = np.zeros((*frames.shape[:-1], 1), frames.dtype)
    coded[(*CODED, 0)] = mask
    return np.concatenate([frames, coded], axis=-1)


def split_photographs(folder: Path, held_out: int) -> tuple[list[Photograph], list[Photograph]]:
    """Split the RGB photographs of a folder into those to train on and those held out.

    Crops of one photograph (file names that differ in what follows the last ``_``) stay together;
    ``held_out`` photographs, drawn by a fixed seed, are held out. Too small ones are left out.
    """
    found = ((name, p) for name, p in datasets.collection(folder) if p.mode == "RGB")
    pictures = [(name.rsplit("_", 1)[0], np.asarray(p.samples, np.uint8)) for name, p in found]
    sources = sorted({source for source, _ in pictures})
    drawn = set(np.random.default_rng(3).permutation(sources)[:held_out])
    large = [(source, p) for source, p in pictures if min(p.shape[:2]) >= SIDE[1]]
    return [p for source, p in large if source not in drawn], [p for source, p in large if source in drawn]


def frames(photographs: Sequence[Photograph], count: int, rng: np.random.Generator) -> Frames:
    """Draw tiles with their surroundings, float32 (count, *SIDE, channels), each pixel of the
    photographs equally likely; mirrored, turned, and some of them changed by :func:`varied`."""
    out = np.empty((count, *SIDE, photographs[0].shape[2]), np.float32)
    for i, which in enumerate(rng.choice(len(photographs), count, p=_shares(photographs))):
        square = cropped(photographs[which], SIDE[1], rng).astype(np.float32)
        out[i] = varied(oriented(square, int(rng.integers(8))), rng)[: SIDE[0]]
    return out


def cropped(photograph: Photograph, side: int, rng: np.random.Generator) -> Photograph:
    """Cut a random square out of a photograph, or as much as it has."""
    y, x = (int(rng.integers(0, max(0, extent - side) + 1)) for extent in photograph.shape[:2])
    return photograph[y : y + side, x : x + side]


def varied(square: Frames, rng: np.random.Generator) -> Frames:
    """Give some squares another channel order, gain and gamma, or grain: a training set is cleaner than the world."""
    order, tone, grain = rng.random(3)
    x = square.astype(np.float64)
    if order < 0.15:
        x = x[..., rng.permutation(x.shape[2])]
    if tone < 0.15:
        gain, gamma = np.exp(rng.normal(0, 0.2)), np.exp(rng.normal(0, 0.15))
        x = 255 * np.clip(gain * (x / 255) ** gamma, 0, 1) + rng.uniform(-0.5, 0.5, x.shape)
    if grain < 0.12:
        sigma = np.exp(rng.uniform(np.log(0.7), np.log(8)))
        shared = rng.normal(0, sigma, (*x.shape[:2], 1)) * rng.uniform(0.3, 1)
        x = x + shared + rng.normal(0, sigma, x.shape) * rng.uniform(0, 1)
    return np.clip(np.rint(x), 0, 255).astype(np.float32)


def luma_and_chroma(square: Frames, *, of_luma: float = 1.0, of_chroma: float = 1.0, low: float = 0.0) -> Frames:
    """Return Cr, Y and Cb in the place of R, G and B, as JFIF has them or in a smaller range.

    Args:
        of_luma: share of JFIF's range that luma has.
        of_chroma: the same of chroma.
        low: luma of black.
    """
    x = square.astype(np.float64)
    luma = x @ np.array([0.299, 0.587, 0.114])
    red, blue = (x[..., 0] - luma) / 1.402, (x[..., 2] - luma) / 1.772
    planes = [128 + of_chroma * red, low + of_luma * luma, 128 + of_chroma * blue]
    return np.clip(np.rint(np.stack(planes, axis=-1)), 0, 255).astype(np.float32)


def _shares(photographs: Sequence[Photograph]) -> NDArray[np.float64]:
    """Compute how large a share each photograph has of all their pixels."""
    areas = np.array([p.shape[0] * p.shape[1] for p in photographs], np.float64)
    return areas / areas.sum()


def _grey(photograph: Photograph) -> Photograph:
    """Turn a photograph into luma, as Pillow has it."""
    return np.asarray(Image.fromarray(photograph).convert("L"))[..., None]
