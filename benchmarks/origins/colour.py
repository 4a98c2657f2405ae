"""Measure colour origins: photographs put through converters, by ours and by JPEG XL, effort 9, each decoded again.

``python benchmarks/origins/colour.py --data DIR [--every N] [--crop SIDE]`` takes every N-th photograph of
``DIR/photos/valid`` as it is and through each converter: libjpeg's at quality 100 and 4:4:4 as Pillow writes it, the
exact maps that have a number in files, and one that no table holds, of each photograph another. Of all photographs it
tells which of such maps are found. Writes ``results/origins-colour.json``.
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
from vaezip.origins import inverse, search
from vaezip.origins.colour import ColourMap, named

RESULT = Path(__file__).parents[1] / "results" / "origins-colour.json"
JPEG = np.array([[1.402, 1, 0], [-0.714136, 1, -0.344136], [0, 1, 1.772]])

_FOUND = 0.999
"""The share of the unclipped pixels that a map that is found explains."""

Colours = NDArray[np.uint8]


def by_pillow(colours: Colours, _: int) -> Colours:
    """Write a JPEG and read it."""
    file = io.BytesIO()
    Image.fromarray(colours).save(file, "JPEG", quality=100, subsampling=0)
    return np.asarray(Image.open(file))


def by_map(number: int) -> Callable[[Colours, int], Colours]:
    """Return the converter of a map that has a number."""
    known = named()[number - 1].map

    def through(colours: Colours, _: int) -> Colours:
        found = inverse.planes_of(colours[None], number, known)
        assert found is not None
        return known.samples(found.planes)[0]

    return through


def unknown_map(seed: int) -> ColourMap:
    """Draw JPEG's matrix with each entry up to a tenth off, any offset, rounded or cut off, of determinant ≥ 2."""
    draw = np.random.default_rng(seed)
    while True:
        matrix = JPEG * (1 + draw.uniform(-0.1, 0.1, (3, 3)))
        if np.linalg.det(matrix) >= 2:
            break
    offset = draw.uniform(-8, 8, 3) - matrix @ [128, 0, 128] + draw.integers(0, 2) / 2
    numbers = np.rint(np.concatenate([matrix, offset[:, None]], axis=1) * (1 << 20)).astype(int)
    return ColourMap(tuple(tuple(row) for row in numbers.tolist()))


def by_unknown(colours: Colours, seed: int) -> Colours:
    """Put colours through a map that no table holds."""
    known = unknown_map(seed)
    found = inverse.planes_of(colours[None], 0, known)
    assert found is not None
    return known.samples(found.planes)[0]


CONVERTERS: dict[str, Callable[[Colours, int], Colours]] = {
    "JPEG, quality 100, 4:4:4, by Pillow": by_pillow,
    "PhotoCD": by_map(3),
    "unknown": by_unknown,
    "as it is": lambda colours, _: colours,
    **{known.name: by_map(i + 1) for i, known in enumerate(named()) if known.name != "PhotoCD"},
}


def unclipped_explained(colours: Colours) -> float | None:
    """Return the share of the unclipped pixels that the map that is found explains, if one is."""
    found = search.find(colours[None])
    planes = inverse.planes_of(colours[None], *found) if found else None
    if not found or not planes:
        return None
    plain = (colours.min(axis=-1) > 0) & (colours.max(axis=-1) < 255)
    same = (found.map.samples(planes.planes)[0] == colours).all(axis=-1)
    return round(float(same[plain].mean()), 5)


def measured(name: str, pictures: list[tuple[str, Colours]]) -> dict[str, Any]:
    """Code and decode pictures, and add up what they take."""
    rows = []
    for number, (title, colours) in enumerate(pictures):
        through = np.ascontiguousarray(CONVERTERS[name](colours, number))
        taken, block = photographs.by_ours(through)
        row = {"picture": title, **taken, "origin": block["origin"], "jpegxl": photographs.by_jpegxl(through)}
        row["explained"] = unclipped_explained(through)
        rows.append(row)
        print(name, json.dumps(row), flush=True)
    total = {key: sum(row[key] for row in rows) for key in ("samples", "ours", "jpegxl")}
    total["share"] = round(total["ours"] / total["jpegxl"], 4)
    total["found"] = sum((row["explained"] or 0) >= _FOUND for row in rows)
    return {"converter": name, "total": total, "pictures": rows}


def main() -> None:
    """Measure, and write the result."""
    arguments = photographs.parser(__doc__).parse_args()
    pictures = photographs.of(arguments)
    result = {**machine.this_run(), "every": arguments.every, "crop": arguments.crop}
    shares = [unclipped_explained(by_unknown(colours, i)) for i, (_, colours) in enumerate(pictures)]
    found = sum((share or 0) >= _FOUND for share in shares)
    result["unknown maps"] = {"pictures": len(pictures), "found": found, "explained": shares}
    print(json.dumps(result["unknown maps"]), flush=True)
    result["converters"] = []
    for name in CONVERTERS:
        result["converters"].append(measured(name, pictures[:: arguments.every]))
        RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
