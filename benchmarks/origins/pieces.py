"""Measure drawn pictures with photographs in them, by ours and by peers, each decoded again.

``python benchmarks/origins/pieces.py --data DIR`` pastes photographs of ``DIR/photos/valid`` into parts of the
screenshots of ``DIR/pictures/screens``: one large, two, thumbnails, some as JPEGs, in colours with alpha, and in grey.
Beside what ours takes stands what it takes where nothing is cut, and what the coder of drawn pictures and ``photo``
take for the whole.
Writes ``results/origins-pieces.json``.
"""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import photographs
from numpy.typing import NDArray
from PIL import Image

import vaezip
from vaezip.bench import machine
from vaezip.bench.peers import CODECS
from vaezip.codec import coders, remaking
from vaezip.models.effort import NONE
from vaezip.origins import cutting

RESULT = Path(__file__).parents[1] / "results" / "origins-pieces.json"
PEERS = ("webp", "jxl-9")
HEIGHT, WIDTH = 384, 512

Samples = NDArray[Any]


class Screenshot(NamedTuple):
    """Describe a picture: a screenshot, where its part begins, the mode, and (top, left, height, width) of photographs,
    which have the quality of a JPEG, or 0."""

    name: str
    top: int
    left: int
    places: list[tuple[int, int, int, int]]
    mode: str = "RGB"
    quality: int = 0


MADE = (
    Screenshot("bio_hello", 20, 100, [(55, 71, 240, 320)]),
    Screenshot("bio_napari", 250, 40, [(90, 140, 200, 256)], "RGBA"),
    Screenshot("catima_phone_6", 700, 300, [(30, 40, 300, 200), (60, 290, 180, 180)]),
    Screenshot("flameshot_alignment", 300, 700, [(100, 33, 150, 410)]),
    Screenshot("httpx_request", 700, 200, [(20 + 120 * (i // 4), 15 + 125 * (i % 4), 90, 110) for i in range(12)]),
    Screenshot("jl_altair", 200, 100, [(64, 96, 240, 320)], quality=90),
    Screenshot("jl_debugger", 200, 500, [(77, 133, 180, 240)], quality=75),
    Screenshot("jl_dark_contrast", 40, 500, [(0, 0, 200, 512)]),
    Screenshot("jl_terminal_layout", 100, 600, [(111, 50, 200, 300)], "L"),
    Screenshot("keepassxc_csv_import", 500, 700, [(40, 60, 128, 128), (200, 220, 128, 200)]),
    Screenshot("keepassxc_main_interface", 500, 900, [(10, 180, 360, 300)]),
    Screenshot("keepassxc_totp_code_example", 300, 200, [(150, 100, 70, 70), (40, 40, 64, 64)]),
)


def pasted(one: Screenshot, files: list[Path], data: Path) -> vaezip.Picture:
    """Make a picture; its photographs are the next of some files."""
    path = data / "pictures" / "screens" / f"{one.name}.webp"
    found = Image.open(path).convert("RGB").crop((one.left, one.top, one.left + WIDTH, one.top + HEIGHT))
    for top, left, height, width in one.places:
        files.append(files.pop(0))
        photograph = scaled(Image.open(files[-1]).convert("RGB"), (width, height))
        if one.quality:
            file = io.BytesIO()
            photograph.save(file, "JPEG", quality=one.quality)
            photograph = Image.open(file)
        found.paste(photograph, (left, top))
    samples = np.asarray(found.convert(one.mode))
    return vaezip.Picture(one.mode, samples.reshape(HEIGHT, WIDTH, -1))


def scaled(photograph: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Make a photograph as small as fits around a size, and take its middle."""
    factor = max(wanted / side for wanted, side in zip(size, photograph.size))
    width, height = (math.ceil(side * factor) for side in photograph.size)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    small = photograph.resize((width, height), Image.Resampling.LANCZOS)
    return small.crop((left, top, left + size[0], top + size[1]))


def measured(picture: vaezip.Picture) -> dict[str, Any]:
    """Code a picture by ours, with pieces and without, and by peers."""
    taken, block = photographs.by_ours(picture.samples, picture.mode)
    searches = remaking.SEARCHES
    remaking.SEARCHES = {kind: search for kind, search in searches.items() if search is not cutting}
    whole, _ = photographs.by_ours(picture.samples, picture.mode)
    remaking.SEARCHES = searches
    drawn = coders.by_mark(coders.GRAPHIC).encode(picture.samples[None], picture.mode, 0, effort=NONE)
    model = "photo-gray" if picture.mode == "L" else "photo"
    row: dict[str, Any] = taken | {"whole": whole["ours"], "whole_s": whole["encode_s"], "drawn": len(drawn)}
    row["photo"] = len(vaezip.compress(picture, model=model))
    row |= {name: len(CODECS[name].encode(picture, 1)) for name in PEERS}
    return row | {"rectangles": (block["origin"] or {}).get("rectangles", [])}


def main() -> None:
    """Measure, and write the result."""
    arguments = photographs.parser(__doc__).parse_args()
    files = sorted((arguments.data / "photos" / "valid").iterdir())[:: arguments.every]
    rows: list[dict[str, Any]] = []
    for one in MADE:
        rows.append({"picture": one.name, "mode": one.mode, **measured(pasted(one, files, arguments.data))})
        print(json.dumps(rows[-1]), flush=True)
        total = {
            key: round(sum(row[key] for row in rows), 2) for key in ("ours", "encode_s", "whole", "whole_s", *PEERS)
        }
        means = {key: round(mean([row["ours"] / row[key] for row in rows]), 4) for key in ("whole", *PEERS)}
        result = {**machine.this_run(), "every": arguments.every, "total": total, "means": means, "pictures": rows}
        RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


def mean(values: list[float]) -> float:
    """Return the geometric mean."""
    return math.exp(math.fsum(map(math.log, values)) / len(values))


if __name__ == "__main__":
    main()
