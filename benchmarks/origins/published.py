"""Measure pictures as people publish them, by ours and by other codecs.

``python benchmarks/origins/published.py --data DIR`` takes ``DIR/pictures/born``, pictures that were something else
before, and ``DIR/pictures/native``, which were not as far as can be seen, codes and decodes each as ``vaezip compress``
does, and codes it once more where nothing looks for what it was. Beside them stand JPEG XL at effort 9 and, for
pictures of few pixels, at 10, WebP and oxipng. Writes ``results/origins-published.json``.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import imagecodecs
import numpy as np
import oxipng

import vaezip
from vaezip.bench import machine
from vaezip.codec import coders, jobs, remaking

RESULT = Path(__file__).parents[1] / "results" / "origins-published.json"
KINDS = ("born", "native")
SUMS = ("ours", "without a past", "jpegxl 9", "webp", "oxipng")

_SLOW = 1 << 18
"""JPEG XL at effort 10 codes pictures of no more pixels: it takes minutes for a megapixel."""


@contextmanager
def without_a_past() -> Iterator[None]:
    """Code pictures as if nothing were known of what they were."""
    quick = {mark: home for mark, home in coders.CODERS.items() if mark not in (coders.JPEG_PIXELS, coders.REMADE)}
    with (
        patch.object(jobs.search, "find", lambda samples: None),
        patch.object(remaking, "SEARCHES", {}),
        patch.object(coders, "CODERS", quick),
    ):
        yield


def by_others(picture: vaezip.Picture) -> dict[str, int | None]:
    """Return what each peer takes."""
    samples = picture.samples
    image, webp, png = picture.to_pil(), io.BytesIO(), io.BytesIO()
    image.save(png, "PNG")
    image.save(webp, "WEBP", lossless=True, quality=100, method=6, exact=True)
    few = samples.shape[0] * samples.shape[1] <= _SLOW
    efforts = {9: True, 10: few}
    found = {
        f"jpegxl {effort}": len(imagecodecs.jpegxl_encode(samples, effort=effort, lossless=True)) if tried else None
        for effort, tried in efforts.items()
    }
    return found | {"webp": len(webp.getvalue()), "oxipng": len(oxipng.optimize_from_memory(png.getvalue(), level=4))}


def measured(path: Path) -> dict[str, Any]:
    """Code and decode a picture without its metadata, and measure the others."""
    read = vaezip.pictures.read(path)
    picture = vaezip.Picture(read.mode, read.samples, tuple(box for box in read.boxes if box[0] == "palette"))
    data = vaezip.compress(picture)
    found = vaezip.decompress(data)
    assert isinstance(found, vaezip.Picture)
    assert np.array_equal(found.samples, picture.samples)
    with without_a_past():
        before = len(vaezip.compress(picture))
    block = vaezip.Archive(data).info()["blocks"][0]
    told = {"method": block["method"], "origin": block["origin"]}
    return {"picture": path.name, "ours": len(data), "without a past": before, **by_others(picture), **told}


def total(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Add up what pictures take; their share is of JPEG XL at effort 9, that of each alone the largest."""
    found: dict[str, Any] = {
        key: sum(row[key] for row in rows) for key in ("ours", "without a past", "jpegxl 9", "webp", "oxipng")
    }
    found["share"] = round(found["ours"] / found["jpegxl 9"], 4)
    found["larger than without a past"] = [row["picture"] for row in rows if row["ours"] > row["without a past"]]
    return found


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    arguments = parser.parse_args()
    result: dict[str, Any] = {**machine.this_run(), "kinds": []}
    for kind in KINDS:
        rows = []
        for path in sorted((arguments.data / "pictures" / kind).iterdir()):
            rows.append(measured(path))
            print(json.dumps(rows[-1]), flush=True)
        coloured = [row for row in rows if row["origin"] and "colours" in row["origin"]["name"]]
        told = {"kind": kind, "total": total(rows), "on a lattice": total(coloured) if coloured else None}
        result["kinds"].append({**told, "pictures": rows})
        RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
