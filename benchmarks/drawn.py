"""The speed of the coder of drawn pictures, by kind: ``python benchmarks/drawn.py [--data DIR]``.

Pictures that this script draws, and those of ``DIR/pictures/{screens,graphics,odd}`` that the coder takes, at most
half a megapixel of each, are coded at the default preset and at 1, decoded and compared; times are of a processor, on
one thread, the medians of some runs. And the time of all that ``compress`` does with a screenshot of 0.3 megapixels.
Writes ``results/drawn.json`` beside this file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import graphics
import numpy as np
from numpy.typing import NDArray
from presets import timed

import vaezip
from vaezip.bench import machine
from vaezip.models.effort import DEFAULT_PRESET, PRESETS
from vaezip.models.graphic import coder

RESULT = Path(__file__).parent / "results" / "drawn.json"
KINDS = ("palette", "flat", "bilevel", "grey", "antialiased")
HEIGHT, WIDTH = 600, 800
SCREENSHOT = 480, 640
MOST_PIXELS = 500_000

_GLYPHS, _GLYPH_HEIGHT, _GLYPH_WIDTH, _LINE = 40, 14, 9, 20
_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])

Row = dict[str, Any]
Plane = NDArray[np.float64]


def main() -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=None, help="folder with the data sets")
    options = parser.parse_args()
    rows = []
    for source, kind, picture in pictures(options.data):
        for preset in (DEFAULT_PRESET, 1):
            rows.append({"source": source, "kind": kind, "preset": preset, **measured(picture, preset)})
            print(rows[-1], flush=True)
    screenshot = drawn("antialiased", *SCREENSHOT)
    seconds = {p: timed(lambda p=p: vaezip.compress(screenshot, preset=p, threads=1))[1] for p in (DEFAULT_PRESET, 1)}
    found = machine.this_run() | {"speeds": speeds(rows), "compress_screenshot_s": seconds, "rows": rows}
    RESULT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(json.dumps({name: found[name] for name in ("speeds", "compress_screenshot_s")}, indent=1))


def pictures(data: Path | None) -> Iterator[tuple[str, str, vaezip.Picture]]:
    """Yield where each picture is from, its kind, and at most half a megapixel of it."""
    for kind in KINDS:
        yield "drawn here", kind, drawn(kind, HEIGHT, WIDTH)
    for name, picture, _ in graphics.pictures(data) if data else ():
        if picture is None or not coder.promises(picture.samples[None], picture.mode):
            continue
        rows = max(1, MOST_PIXELS // picture.samples.shape[1])
        some = replace(picture, samples=np.ascontiguousarray(picture.samples[:rows]))
        kind = graphics.kind_of(some)
        yield name, "grey" if kind == "palette" and some.mode in ("L", "LA") else kind, some


def measured(picture: vaezip.Picture, preset: int) -> Row:
    """Code a picture, decode and compare it: bytes, and seconds of a processor."""
    samples = picture.samples[None]
    data, encode = timed(lambda: coder.encode(samples, picture.mode, 0, effort=PRESETS[preset]))
    (found, _), decode = timed(lambda: coder.decode(data, picture.mode, samples.shape))
    assert np.array_equal(found, samples)
    return {"pixels": samples[..., 0].size, "bytes": len(data), "encode_s": encode, "decode_s": decode}


def speeds(rows: list[Row]) -> dict[str, Row]:
    """Return the megapixels a second of each kind at each preset, of all its pictures and of the slowest large one."""
    found = {}
    for kind in KINDS:
        for preset in (DEFAULT_PRESET, 1):
            some = [row for row in rows if (row["kind"], row["preset"]) == (kind, preset)]
            some = [row for row in some if row["pixels"] >= MOST_PIXELS // 10]
            pixels = sum(row["pixels"] for row in some)
            found[f"{kind} -{preset}"] = {
                "pictures": len(some),
                "encode": round(pixels / 1e6 / sum(row["encode_s"] for row in some), 2),
                "decode": round(pixels / 1e6 / sum(row["decode_s"] for row in some), 2),
                "decode_slowest": round(min(row["pixels"] / 1e6 / row["decode_s"] for row in some), 2),
            }
    return found


def drawn(kind: str, height: int, width: int) -> vaezip.Picture:
    """Draw text on panels: of two levels, in grey, in flat colours, with smooth edges, or dithered to 64 colours."""
    rng = np.random.default_rng(34)
    ink = text(rng, height, width)
    if kind == "bilevel":
        return vaezip.Picture("1", (ink < 0.5).astype(np.uint8)[..., None])
    if kind == "grey":
        return vaezip.Picture("L", np.round(255 * (1 - ink)).astype(np.uint8)[..., None])
    if kind == "flat":
        ink = np.round(ink)
        ink[height // 4 :] = 0
    panels = np.full((height, width, 3), 245.0)
    for _ in range(12):
        y, x = rng.integers(0, height), rng.integers(0, width)
        panels[y : y + height // 3, x : x + width // 3] = rng.integers(0, 256, 3)
    if kind == "antialiased":
        panels += np.linspace(-30, 10, height)[:, None, None]
    if kind == "palette":
        panels[: height // 3] = np.linspace(40, 220, width)[:, None]
    colours = panels * (1 - ink[..., None]) + 20 * ink[..., None]
    if kind == "palette":
        steps = np.tile(_BAYER, (height // 4 + 1, width // 4 + 1))[:height, :width, None] / 16
        colours = np.floor(colours * 3 / 255 + steps).clip(0, 3) * 85
    return vaezip.Picture("RGB", np.round(colours).clip(0, 255).astype(np.uint8))


def text(rng: np.random.Generator, height: int, width: int) -> Plane:
    """Return how much ink lies on each pixel of lines of words of made letters."""
    letters = [letter(rng) for _ in range(_GLYPHS)]
    words = [rng.integers(0, _GLYPHS, rng.integers(2, 9)) for _ in range(200)]
    ink = np.zeros((height, width))
    for y in range(8, height - _LINE, _LINE):
        x = 8
        while x < width * 0.9 - 9 * _GLYPH_WIDTH:
            for one in words[int(200 * rng.random() ** 2)]:
                ink[y : y + _GLYPH_HEIGHT, x : x + _GLYPH_WIDTH] = letters[one]
                x += _GLYPH_WIDTH
            x += _GLYPH_WIDTH
    return ink


def letter(rng: np.random.Generator) -> Plane:
    """Return a letter of three strokes with smooth edges."""
    fine = np.zeros((4 * _GLYPH_HEIGHT, 4 * _GLYPH_WIDTH))
    for _ in range(3):
        ends = rng.integers((4, 4), (4 * _GLYPH_HEIGHT - 8, 4 * _GLYPH_WIDTH - 8), (2, 2))
        for y, x in np.linspace(*ends, 80).astype(int):
            fine[y : y + 5, x : x + 5] = 1
    return fine.reshape(_GLYPH_HEIGHT, 4, _GLYPH_WIDTH, 4).mean((1, 3))


if __name__ == "__main__":
    main()
