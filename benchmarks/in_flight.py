"""What memory blocks in flight take: ``python benchmarks/in_flight.py --data DIR``.

A picture of photographs side by side, of two blocks of a megapixel each, is compressed and decompressed by the command
line, by 1 and by 2 threads, at ``-1`` and at the default; and by 2 threads that may take but a little memory. The peak
of each process stands beside what it may be, by :func:`bar`. Writes ``results/in-flight.json`` beside this file;
``--before FOLDER`` measures the package in an older checkout, too. It needs Linux.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from itertools import cycle, product
from pathlib import Path
from typing import Any

import numpy as np
from codec import watched

import vaezip
from vaezip.bench import machine
from vaezip.models.effort import DEFAULT_PRESET

RESULT = Path(__file__).parent / "results" / "in-flight.json"
HEIGHT, WIDTH, SIDE = 1024, 2048, 256
THREADS, PRESETS = (1, 2), (1, DEFAULT_PRESET)
MEMORY = 400
"""MiB to which two threads are bound."""

Row = dict[str, Any]


def main() -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="an older checkout to measure, too")
    options = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "photographs.png")
        source.write_bytes(vaezip.pictures.write(mosaic(options.data / "photos" / "train", HEIGHT, WIDTH), ".png"))
        for preset, threads in product(PRESETS, THREADS):
            flags = ["--threads", str(threads)]
            rows.append({"threads": threads, "bar_mb": bar(threads)} | measured(source, preset, flags))
            if options.before:
                rows[-1]["before"] = measured(source, preset, flags, options.before)
            print(json.dumps(rows[-1]), flush=True)
        bound = measured(source, DEFAULT_PRESET, ["--threads", "2", "--memory", str(MEMORY)])
    report = {"pixels": HEIGHT * WIDTH, "rows": rows, "bound": bound | {"threads": 2, "memory_mib": MEMORY}}
    RESULT.write_text(json.dumps(machine.this_run() | report, indent=1) + "\n", encoding="utf-8")


def mosaic(folder: Path, height: int, width: int) -> vaezip.Picture:
    """Return parts of photographs side by side, cut to a size."""
    rows, columns = -(-height // SIDE), -(-width // SIDE)
    found = np.zeros((rows * SIDE, columns * SIDE, 3), np.uint8)
    parts = cycle(part for file in sorted(folder.iterdir()) if (part := corner(file)) is not None)
    for row, column in product(range(rows), range(columns)):
        found[row * SIDE :, column * SIDE :][:SIDE, :SIDE] = next(parts)
    return vaezip.Picture("RGB", np.ascontiguousarray(found[:height, :width]))


def corner(file: Path) -> Any:
    """Return the upper left part of a photograph; None of one that is too small, or of another mode."""
    picture = vaezip.pictures.read(file)
    part = picture.samples[:SIDE, :SIDE]
    return part if picture.mode == "RGB" and part.shape == (SIDE, SIDE, 3) else None


def measured(source: Path, preset: int, flags: list[str], package: Path | None = None) -> Row:
    """Return the peaks of compressing and decompressing a picture, in MB."""
    packed, back = source.with_suffix(".vz"), source.with_name("back.png")
    peaks = {
        "preset": preset,
        "compress_mb": watched(["compress", "-qf", f"-{preset}", *flags, str(source), "-o", str(packed)], package),
        "decompress_mb": watched(["decompress", "-qf", *flags, str(packed), "-o", str(back)], package),
    }
    assert vaezip.pictures.same(vaezip.pictures.read(back), vaezip.pictures.read(source))
    return peaks


def bar(threads: int) -> float:
    """Return how many MB there may be: 300, and 24 bytes for each pixel of the blocks that are in flight."""
    return 300 + 24 * min(threads, 2) * HEIGHT * WIDTH / 2 / 1e6


if __name__ == "__main__":
    main()
