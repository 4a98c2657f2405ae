"""Measure chroma at half the resolution: photographs put through converters, by ours and by JPEG XL, effort 9.

``python benchmarks/origins/chroma.py --data DIR [--every N] [--crop SIDE]`` takes every N-th photograph of
``DIR/photos/valid`` as it is and through each converter: to Y, Cb and Cr of 8 bits, the chroma of two or four pixels
averaged; enlarged by a filter; and to RGB by a map. Those of FFmpeg are what swscale (8.0, x86, ``-sws_flags bilinear``
as any other without ``accurate_rnd``) makes of such frames, to the last bit. Lossy WebPs are by Pillow. Each file is
decoded again, and compared. Writes ``results/origins-chroma.json``.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import photographs
from numpy.typing import NDArray
from PIL import Image

from vaezip.bench import machine
from vaezip.origins.colour import named
from vaezip.origins.upsampling import COPIED, LIBJPEG, TRIANGLE, Sampling

RESULT = Path(__file__).parents[1] / "results" / "origins-chroma.json"

Colours = NDArray[np.uint8]
Floats = NDArray[np.float64]
Converter = Callable[[Colours], Colours]


def planes_of(colours: Colours, red: float, blue: float, *, full: bool) -> list[Floats]:
    """Return Cr, Y and Cb by the shares of red and blue in Y."""
    r, g, b = np.moveaxis(colours.astype(float), -1, 0)
    luma = red * r + (1 - red - blue) * g + blue * b
    of_y, of_chroma, black = (1.0, 1.0, 0) if full else (219 / 255, 224 / 255, 16)
    cr, cb = (r - luma) / (2 - 2 * red), (b - luma) / (2 - 2 * blue)
    return [128 + of_chroma * cr, black + of_y * luma, 128 + of_chroma * cb]


def halved(plane: Floats, sampling: Sampling) -> Colours:
    """Return the rounded means of two or four samples."""
    high = 1 + sampling.down
    height, width = plane.shape
    whole = np.pad(plane, ((0, -height % high), (0, width % 2)), "edge")
    return rounded(whole.reshape(whole.shape[0] // high, high, -1, 2).mean(axis=(1, 3)))


def rounded(values: Floats) -> Colours:
    """Return values as samples."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def through(name: str, sampling: Sampling) -> Converter:
    """Return the converter by the map of a name and a sampling."""
    known = next(one.map for one in named() if one.name == name)
    red, blue = (0.2126, 0.0722) if "709" in name else (0.299, 0.114)

    def converted(colours: Colours) -> Colours:
        cr, y, cb = planes_of(colours, red, blue, full=name in ("JPEG", "BT.709 full range"))
        chroma = np.stack([halved(plane, sampling)[None] for plane in (cr, cb)])
        sheets = sampling.joined(rounded(y)[None], chroma)
        return known.samples(sampling.planes(sheets, y.shape))[0]

    return converted


def by_pillow(colours: Colours) -> Colours:
    """Write a lossy WebP and read it."""
    file = io.BytesIO()
    Image.fromarray(colours).save(file, "WEBP", quality=90)
    return np.asarray(Image.open(file).convert("RGB"))


QUARTER, HALF = True, False
CONVERTERS: dict[str, Converter] = {
    "BT.709 limited range, 4:2:0, copied, rounded": through("BT.709 video", Sampling(QUARTER, (0, 0), COPIED)),
    "BT.709 limited range, 4:2:0, means, rounded": through("BT.709 video", Sampling(QUARTER, (0, 0), TRIANGLE)),
    "BT.709 limited range, 4:2:0, FFmpeg": through("FFmpeg BT.709", Sampling(QUARTER, (0, 0), COPIED)),
    "BT.709 limited range, 4:2:2, copied, rounded": through("BT.709 video", Sampling(HALF, (0, 0), COPIED)),
    "JPEG, 4:2:0, libjpeg's means, no transform": through("JPEG", Sampling(QUARTER, (0, 0), LIBJPEG)),
    "WebP, quality 90, by Pillow": by_pillow,
    "as it is": lambda colours: colours,
}


def measured(name: str, pictures: list[tuple[str, Colours]]) -> dict[str, Any]:
    """Code and decode pictures, and add up what they take."""
    rows = []
    for title, colours in pictures:
        picture = np.ascontiguousarray(CONVERTERS[name](colours))
        taken, block = photographs.by_ours(picture)
        row = {"picture": title, **taken, "method": block["method"], "origin": block["origin"]}
        row["jpegxl"] = photographs.by_jpegxl(picture)
        rows.append(row)
        print(name, json.dumps(row), flush=True)
    total: dict[str, Any] = {key: sum(row[key] for row in rows) for key in ("samples", "ours", "jpegxl")}
    total["share"] = round(total["ours"] / total["jpegxl"], 4)
    total["chroma"] = [row["origin"]["chroma"] if row["origin"] else None for row in rows]
    return {"converter": name, "total": total, "pictures": rows}


def main() -> None:
    """Measure, and write the result."""
    arguments = photographs.parser(__doc__).parse_args()
    pictures = photographs.of(arguments, every=arguments.every)
    result = {**machine.this_run(), "every": arguments.every, "crop": arguments.crop, "converters": []}
    for name in CONVERTERS:
        result["converters"].append(measured(name, pictures))
        RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
