"""Measure kinds of pictures of which models of photographs or classic codecs see too little.

``python benchmarks/kinds.py --data DIR`` makes of photographs of ``DIR/photos/valid`` what editors and old screens make
of them: fewer bits, holes in the histogram, palettes, tints; renders text, also pages of several blocks; and cuts
pieces out of the screenshots of ``DIR/pictures/screens``. Each is coded by ours and by the peers of :mod:`graphics`.
Writes ``results/kinds.json`` beside this file.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from graphics import PEERS, peer_sizes
from numpy.typing import NDArray
from pages import page, text_page
from PIL import Image

import vaezip
from vaezip.bench import machine

RESULT = Path(__file__).parent / "results" / "kinds.json"
SIDE, SCREEN = 192, 320
PAGE = (2900, 2200)
"""Rows and columns of a page that takes seven blocks."""

Samples = NDArray[np.uint8]


def stretched(samples: Samples, times: float) -> Samples:
    """Raise the contrast, which leaves holes in the histogram."""
    return ((samples.astype(np.float64) - 128) * times + 128).clip(0, 255).astype(np.uint8)


def indexed(image: Image.Image, colours: int, seed: int) -> vaezip.Picture:
    """Return a picture of a palette whose colours stand in no order."""
    few = image.quantize(colours, dither=Image.Dither.NONE)
    palette = np.array(few.getpalette(), np.uint8).reshape(-1, 3)[:colours]
    order = np.random.default_rng(seed).permutation(len(palette))
    samples = np.argsort(order).astype(np.uint8)[np.asarray(few)]
    return vaezip.Picture("P", samples[..., None], (("palette", palette[order].tobytes()),))


def made(photograph: Path, seed: int) -> Iterator[tuple[str, vaezip.Picture]]:
    """Yield the kinds that are made of a photograph."""
    with Image.open(photograph) as image:
        image = image.convert("RGB").crop((0, 0, SIDE, SIDE))
    rgb = np.asarray(image)
    grey = np.asarray(image.convert("L"))[..., None]
    five_six_five = rgb >> np.array([3, 2, 3], np.uint8)
    kinds: dict[str, tuple[str, Any]] = {
        "R1-vga": ("RGB", (rgb >> 2).astype(np.uint16) * 255 // 63),
        "R1-565": ("RGB", five_six_five.astype(np.uint16) * 255 // np.array([31, 63, 31])),
        "R1-5-bits": ("RGB", rgb & 0xF8),
        "R1-16-greys": ("L", grey // 16 * 17),
        "R1-grey-stretched": ("L", stretched(grey, 2.2)),
        "R1-stretched": ("RGB", stretched(rgb, 1.5)),
        "R6-sepia": ("RGB", (grey * np.array([1.0, 0.84, 0.66])).astype(np.uint8)),
    }
    for name, (mode, samples) in kinds.items():
        yield f"{name}/{photograph.stem}", vaezip.Picture(mode, np.ascontiguousarray(samples, np.uint8), ())
    for colours in (32, 124, 256):
        yield f"R2-palette-{colours}/{photograph.stem}", indexed(image, colours, seed)


def rendered(seed: int) -> Iterator[tuple[str, vaezip.Picture]]:
    """Yield text: a scan, and pages in grey and in colours."""
    rng = np.random.default_rng(seed)
    bits = page("scan", seed, [], height=600, width=450, dots=200)
    yield "R3-scan", vaezip.Picture("1", bits[..., None], ())
    grey = np.asarray(text_page(rng, 400, 500, dots=100))
    yield "R5-text-grey", vaezip.Picture("L", grey[..., None].copy(), ())
    ink = grey.astype(np.int64)[..., None] * np.array([200, 220, 235]) // 255 + np.array([20, 20, 20])
    yield "R5-text-colour", vaezip.Picture("RGB", ink.astype(np.uint8), ())


def large(seed: int) -> Iterator[tuple[str, vaezip.Picture]]:
    """Yield a page of several blocks, in grey and as a scan of black and white."""
    height, width = PAGE
    grey = np.asarray(text_page(np.random.default_rng(seed), height, width, dots=260))
    yield "R7-page-grey", vaezip.Picture("L", grey[..., None].copy(), ())
    bits = page("scan", seed, [], height=height, width=width, dots=260)
    yield "R7-page-scan", vaezip.Picture("1", bits[..., None], ())


def screens(folder: Path) -> Iterator[tuple[str, vaezip.Picture]]:
    """Yield a piece out of the middle of each screenshot."""
    for path in sorted(folder.iterdir()):
        with Image.open(path) as image:
            samples = np.asarray(image.convert("RGB"))
        top, left = (max(0, extent - SCREEN) // 2 for extent in samples.shape[:2])
        piece = np.ascontiguousarray(samples[top : top + SCREEN, left : left + SCREEN])
        yield f"R4-screen/{path.stem}", vaezip.Picture("RGB", piece, ())


def measured(name: str, picture: vaezip.Picture) -> dict[str, Any]:
    """Measure a picture."""
    data = vaezip.compress(picture, verify=False)
    assert vaezip.pictures.same(vaezip.decompress(data), picture)
    sizes = peer_sizes(picture, PEERS)
    methods = sorted({block["method"] for block in vaezip.Archive(data).info()["blocks"]})
    row = {"name": name, "mode": picture.mode, "methods": methods, "ours": len(data), **sizes}
    row["share"] = round(len(data) / min(sizes.values()), 4)
    print(json.dumps(row), flush=True)
    return row


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args()
    drawn = itertools.chain(rendered(1), screens(options.data / "pictures" / "screens"), large(2))
    rows = [measured(name, picture) for name, picture in drawn]
    for seed, photograph in enumerate(sorted((options.data / "photos" / "valid").iterdir())[5:30:20]):
        rows += [measured(name, picture) for name, picture in made(photograph, seed)]
    larger = [row["name"] for row in rows if row["share"] > 1]
    result = {**machine.this_run(), "peers": PEERS, "larger": larger, "worst": max(row["share"] for row in rows)}
    options.result.write_text(json.dumps(result | {"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
