"""Estimate what the place in a JPEG's grid of 8 × 8 would tell a model of pixels.

``python experiments/photo/phases.py --photos FOLDER`` predicts the luma of photographs, that were JPEGs at several
qualities, by least squares on twelve neighbours: by one predictor and one spread for all places, and by one for each of
the 64. Each is fitted on half of the rows of blocks and measured on the others. Writes ``phases.json``.
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RESULT = Path(__file__).with_name("phases.json")
QUALITIES = (50, 75, 90, 95, 98, 100)
SIDE, MARGIN, PLACES = 512, 3, 64
NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0), (2, 1), (2, -1), (1, 2), (1, -2), (0, 3), (3, 0))

Floats = NDArray[np.float64]


def luma(path: Path, quality: int) -> Floats:
    """Return the luma of a square of a photograph, after a JPEG."""
    out = io.BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").crop((0, 0, SIDE, SIDE)).save(out, "JPEG", quality=quality, subsampling=0)
    return np.asarray(Image.open(out).convert("L")).astype(float)


def rows(plane: Floats) -> tuple[Floats, Floats, NDArray[np.int64], NDArray[np.bool_]]:
    """Return what a predictor sees of each pixel, the pixel, its place in the grid, and in which half it is."""
    height, width = plane.shape
    inner = slice(MARGIN, height), slice(MARGIN, width - MARGIN)
    seen = [plane[MARGIN - a : height - a, MARGIN - b : width - MARGIN - b] for a, b in NEIGHBOURS]
    y, x = np.mgrid[inner]
    place = 8 * (y % 8) + x % 8
    columns = np.stack([*seen, np.ones(seen[0].shape)], -1).reshape(-1, len(NEIGHBOURS) + 1)
    return columns, plane[inner].ravel(), place.ravel(), (y // 8 % 2 == 0).ravel()


def bits(columns: Floats, values: Floats, is_first: NDArray[np.bool_]) -> Floats:
    """Return what each pixel takes as a sample of a Laplace distribution whose spread and mean the other half tells."""
    found = np.zeros(len(values))
    for half in (is_first, ~is_first):
        weights, *_ = np.linalg.lstsq(columns[~half], values[~half], rcond=None)
        spread = np.abs(values[~half] - columns[~half] @ weights).mean() + 0.3
        off = np.abs(values[half] - columns[half] @ weights)
        found[half] = np.log2(2 * spread) + off / spread / np.log(2)
    return found


def measured(paths: list[Path], quality: int) -> dict[str, float]:
    """Return the mean bits of a pixel, without and with the place."""
    common, apart = [], []
    for path in paths:
        columns, values, place, is_first = rows(luma(path, quality))
        common.append(bits(columns, values, is_first).mean())
        apart.append(
            np.mean([bits(columns[place == k], values[place == k], is_first[place == k]).mean() for k in range(PLACES)])
        )
    found = {"quality": quality, "bits": round(float(np.mean(common)), 4)}
    return found | {"gain": round(float(np.mean(common) - np.mean(apart)), 4)}


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--step", type=int, default=16, metavar="N", help="take every Nth")
    arguments = parser.parse_args()
    paths = sorted(arguments.photos.iterdir())[:: arguments.step]
    found = [measured(paths, quality) for quality in QUALITIES]
    RESULT.write_text(json.dumps({"photographs": len(paths), "rows": found}, indent=1) + "\n", "utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
