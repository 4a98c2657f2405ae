"""Measure what all looks at a picture's past take of the time of a photograph that has none.

``python benchmarks/origins/looks.py --data DIR`` compresses the photographs of ``DIR/photos/valid``, in colours and in
grey, at the default preset and on one thread, and adds up the time of the looks: whether its colours were others,
whether it was a JPEG, whether it is drawn. ``--step N`` takes every Nth. Writes ``results/origins-looks.json`` in the
folder above.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image

import vaezip
from vaezip.bench import machine
from vaezip.codec import choice, encoding, jobs

RESULT = Path(__file__).parents[1] / "results" / "origins-looks.json"
LOOKS = (jobs, "prepared"), (choice, "prepared"), (encoding, "prepared"), (choice, "_promises")
"""Functions that look, and do nothing else, by the modules that call them."""


class Stopwatch:
    """Add up the seconds of some functions of a module."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def watch(self, module: ModuleType, name: str) -> None:
        """Put a function in the place of one of a module that does the same, and counts."""
        original = getattr(module, name)
        setattr(module, name, lambda *a: self._timed(original, *a))

    def _timed(self, function: Callable[..., Any], *arguments: Any) -> Any:
        began = time.process_time()
        try:
            return function(*arguments)
        finally:
            self.seconds += time.process_time() - began


def measured(watch: Stopwatch, path: Path, mode: str) -> tuple[float, float]:
    """Compress a photograph, and return the seconds of the looks and of all."""
    with Image.open(path) as image:
        samples = np.asarray(image.convert(mode))
    watch.seconds, began = 0.0, time.process_time()
    vaezip.compress(samples, threads=1)
    return watch.seconds, time.process_time() - began


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--step", type=int, default=1, metavar="N", help="take every Nth photograph")
    arguments = parser.parse_args()
    paths, watch, rows = sorted((arguments.data / "photos" / "valid").iterdir())[:: arguments.step], Stopwatch(), []
    for module, name in LOOKS:
        watch.watch(module, name)
    for mode in ("RGB", "L"):
        measured(watch, paths[0], mode)  # kernels are compiled, models are read
        found = [measured(watch, path, mode) for path in paths]
        looks, total = (sum(column) for column in zip(*found, strict=True))
        shares = [look / all_of_it for look, all_of_it in found]
        row = {"mode": mode, "photographs": len(paths), "looks_s": round(looks, 2), "all_s": round(total, 2)}
        row |= {"share": round(looks / total, 4), "median_share": round(statistics.median(shares), 4)}
        rows.append(row | {"most": round(max(shares), 4)})
        print(json.dumps(rows[-1]), flush=True)
    RESULT.write_text(json.dumps({**machine.this_run(), "rows": rows}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
