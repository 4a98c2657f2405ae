"""How long a person waits for a photograph: ``python benchmarks/waiting.py --data DIR``.

Photographs side by side, as large as a photograph of 12 megapixels and one of 0.39, are compressed with the check and
decompressed by the command line, by two threads: seconds by the clock, the start of Python included, with compiled
kernels, the median of some runs. Writes ``results/waiting.json`` beside this file; ``--before FOLDER`` measures the
package in an older checkout, in turns with this one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

from in_flight import mosaic

import vaezip
from vaezip.bench import machine
from vaezip.models.effort import DEFAULT_PRESET

RESULT = Path(__file__).parent / "results" / "waiting.json"
SIZES = {(512, 768): 7, (3000, 4000): 1}
"""Rows and columns, and how many runs, of which the first may compile."""

PRESETS = (1, DEFAULT_PRESET)

Row = dict[str, int | float]


def main() -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="an older checkout to measure, too")
    options = parser.parse_args()
    packages = {"now": Path(vaezip.__file__).parents[1]} | ({"before": options.before} if options.before else {})
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for (size, runs), preset in product(SIZES.items(), PRESETS):
            source = Path(folder, "photographs.png")
            source.write_bytes(vaezip.pictures.write(mosaic(options.data / "photos" / "train", *size), ".png"))
            found: dict[str, list[Row]] = {name: [] for name in packages}
            for _, (name, package) in product(range(runs), packages.items()):
                found[name].append(measured(source, preset, package))
            medians = {name: median_of(some) for name, some in found.items()}
            rows.append({"size": size, "preset": preset, **medians})
            print(json.dumps(rows[-1]), flush=True)
    RESULT.write_text(json.dumps(machine.this_run() | {"threads": 2, "rows": rows}, indent=1) + "\n", encoding="utf-8")


def measured(source: Path, preset: int, package: Path) -> Row:
    """Return the seconds of compressing and decompressing a picture, and the bytes."""
    packed, back = source.with_suffix(".vz"), source.with_name("back.png")
    compress = timed(["compress", "-qf", "--threads=2", f"-{preset}", str(source), "-o", str(packed)], package)
    decompress = timed(["decompress", "-qf", "--threads=2", str(packed), "-o", str(back)], package)
    assert vaezip.pictures.same(vaezip.pictures.read(back), vaezip.pictures.read(source))
    return {"compress_s": compress, "decompress_s": decompress, "bytes": packed.stat().st_size}


def timed(arguments: list[str], package: Path) -> float:
    """Run the command line of a package, and return the seconds that it takes."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "vaezip.cli", *arguments]
    subprocess.run(command, check=True, cwd=package, env=os.environ | {"PYTHONPATH": str(package)})
    return time.perf_counter() - began


def median_of(rows: list[Row]) -> Row:
    """Return the median of each number."""
    return {key: round(statistics.median(row[key] for row in rows), 2) for key in rows[0]}


if __name__ == "__main__":
    main()
