"""Measure pictures that are made of others, by ours and by JPEG XL, effort 9, each decoded again.

``python benchmarks/origins/remade.py --data DIR --of values|mosaic [--every N] [--crop SIDE]`` takes every N-th
photograph of ``DIR/photos/valid`` through each change, such as a stretch of its contrast, or a mosaic, with the real
frames of ``DIR/pictures/born``. Beside what ours takes stands what it takes where nothing is said to be made of others.
Writes ``results/origins-values.json`` or ``results/origins-mosaic.json``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import photographs
from numpy.typing import NDArray

from vaezip.bench import machine
from vaezip.codec import remaking
from vaezip.origins.bayer import COPIED, MIRRORED, Layout

RESULTS = Path(__file__).parents[1] / "results"

Samples = NDArray[Any]


def stretched(times: float) -> Callable[[Samples], Samples]:
    """Return what stretches the contrast around the mean."""
    return lambda x: np.clip(np.rint((x - x.mean()) * times + x.mean()), 0, 255).astype(np.uint8)


def bent(gamma: float) -> Callable[[Samples], Samples]:
    """Return what bends the curve."""
    return lambda x: np.rint(255 * (x / 255) ** (1 / gamma)).astype(np.uint8)


def levels(count: int) -> Callable[[Samples], Samples]:
    """Return what leaves so many levels."""
    return lambda x: np.rint(np.rint(x / 255 * (count - 1)) * 255 / (count - 1)).astype(np.uint8)


def twelve(x: Samples) -> Samples:
    """Return 12 bits: means of four pixels, times four."""
    wide = x.astype(np.uint16)
    return (wide[::2, ::2] + wide[1::2, ::2] + wide[::2, 1::2] + wide[1::2, 1::2]) << 2


def interpolated(layout: Layout) -> Callable[[Samples], Samples]:
    """Return what keeps the samples of a mosaic, and interpolates the others."""

    def through(x: Samples) -> Samples:
        channel = layout.channels(*x.shape[:2])[..., None]
        return layout.colours(np.take_along_axis(x, channel, axis=-1)[None, ..., 0].astype(np.int64))[0].astype(
            np.uint8
        )

    return through


Changes = dict[str, Callable[[Samples], Samples]]

VALUES: Changes = {
    "stretched by 1.3": stretched(1.3),
    "stretched by 2": stretched(2),
    "gamma 1.2": bent(1.2),
    "gamma 2.2": bent(2.2),
    "64 levels": levels(64),
    "8 bits in 16": lambda x: x.astype(np.uint16) * 257,
    "10 bits in 16, repeated": lambda x: (twelve(x) >> 2 << 6) | (twelve(x) >> 2 >> 4),
    "as it is": lambda x: x,
}

MOSAIC: Changes = {
    "RGGB, as OpenCV interpolates": interpolated(Layout(0, 0, 1, COPIED)),
    "GBRG, rounded down, mirrored": interpolated(Layout(1, 0, 0, MIRRORED)),
    "doubled": lambda x: x[::2, ::2].repeat(2, axis=0).repeat(2, axis=1),
}
REAL = "frames of a camera"


def measured(name: str, change: Callable[[Samples], Samples], pictures: list[tuple[str, Samples]]) -> dict[str, Any]:
    """Code and decode pictures, and add up what they take."""
    rows = []
    for title, colours in pictures:
        samples = np.ascontiguousarray(change(colours))
        row: dict[str, Any] = {"picture": title, **coded(samples), "jpegxl": photographs.by_jpegxl(samples)}
        rows.append(row)
        print(name, json.dumps(row), flush=True)
    total = {key: sum(row[key] for row in rows) for key in ("samples", "ours", "plain", "jpegxl")}
    total |= {"share": round(total["ours"] / total["jpegxl"], 4), "gain": round(1 - total["ours"] / total["plain"], 4)}
    return {"change": name, "total": total, "pictures": rows}


def coded(samples: Samples) -> dict[str, Any]:
    """Code and decode a picture by ours, as it is made and as it is."""
    taken, block = photographs.by_ours(samples)
    searches, remaking.SEARCHES = remaking.SEARCHES, {}
    plain, _ = photographs.by_ours(samples)
    remaking.SEARCHES = searches
    return taken | {"plain": plain["ours"], "plain_s": plain["encode_s"], "origin": block["origin"]}


def main() -> None:
    """Measure, and write the result."""
    parser = photographs.parser(__doc__)
    parser.add_argument("--of", choices=["values", "mosaic"], required=True, help="which changes")
    arguments = parser.parse_args()
    pictures = photographs.of(arguments, every=arguments.every)
    changes, path = MOSAIC if arguments.of == "mosaic" else VALUES, RESULTS / f"origins-{arguments.of}.json"
    result: dict[str, Any] = {**machine.this_run(), "every": arguments.every, "crop": arguments.crop, "changes": []}
    for name, change in changes.items():
        result["changes"].append(measured(name, change, pictures))
        path.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    if arguments.of == "mosaic":
        frames = sorted((arguments.data / "pictures" / "born").glob("rgbd_*"))
        real = [(file.name, photographs.cropped(file, arguments.crop)) for file in frames]
        result["changes"].append(measured(REAL, lambda x: x, real))
        path.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
