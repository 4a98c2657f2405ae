"""Measure what the choice takes of the time of a drawn picture: ``python benchmarks/choice.py --data DIR``.

All looks at a picture, and all trials on parts of it, are counted until coders begin with the whole, also those at
parts that are coded as pictures of their own. The pictures of ``DIR/pictures/{screens,graphics}`` of less than 1.5
megapixels are compressed at the default preset, on one thread, as whoever compresses them does it; the check, which
decodes all again, is counted by itself, for it can be left out. Writes ``results/choice.json`` beside this file.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import graphics

import vaezip
from vaezip.bench import machine
from vaezip.codec import warming

RESULT = Path(__file__).parent / "results" / "choice.json"
FOLDERS = ("screens", "graphics")
MOST_PIXELS = 1_500_000
SMALL = 100_000
"""Pictures of fewer pixels are told apart: opening a file takes as long as choosing."""

Row = dict[str, Any]


def main() -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the data sets")
    options = parser.parse_args()
    warming.warm(1)
    rows = []
    for name, picture, _ in graphics.pictures(options.data, FOLDERS):
        if picture is not None and picture.samples[..., 0].size < MOST_PIXELS:
            rows.append({"name": name, "mode": picture.mode, **measured(picture)})
            print(rows[-1], flush=True)
    found = machine.this_run() | {"shares": shares(rows), "rows": rows}
    RESULT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(json.dumps(found["shares"], indent=1))


def measured(picture: vaezip.Picture) -> Row:
    """Compress a picture: bytes, what codes it, and seconds of a processor for the choice, the check, and all."""
    watch = graphics.Watch()
    with watch.watching():
        began = time.process_time()
        data = vaezip.compress(picture, threads=1)
        seconds = time.process_time() - began
    methods = sorted({block["method"] for block in vaezip.Archive(data).info()["blocks"]})
    row = {"pixels": picture.samples[..., 0].size, "bytes": len(data), "methods": methods}
    times = {"all_s": seconds, "choice_s": watch.choice, "check_s": watch.check}
    return row | {name: round(value, 5) for name, value in times.items()}


def shares(rows: list[Row]) -> dict[str, Row]:
    """Return the share of the choice: of pictures that are coded as drawings alone, and of others."""
    kinds: dict[str, list[Row]] = {"drawings": [], "small drawings": [], "others": []}
    for row in rows:
        drawing = "small drawings" if row["pixels"] < SMALL else "drawings"
        kinds[drawing if row["methods"] == ["graphic"] else "others"].append(row)
    return {kind: summary(some) for kind, some in kinds.items() if some}


def summary(rows: list[Row]) -> Row:
    """Add up the times of some pictures, and tell the shares of all together, of the median, and the greatest."""
    each = [row["choice_s"] / row["all_s"] for row in rows]
    choice, check, total = (sum(row[name] for row in rows) for name in ("choice_s", "check_s", "all_s"))
    found = {"share": choice / total, "median_share": statistics.median(each), "most": max(each)}
    found["share_without_check"] = choice / (total - check)
    return {"pictures": len(rows)} | {name: round(value, 4) for name, value in found.items()}


if __name__ == "__main__":
    main()
