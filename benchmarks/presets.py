"""The presets as a curve of bytes over time: ``python benchmarks/presets.py --data DIR``.

Crops of photographs, screenshots and deep pictures, and a set of digits, by every preset, each decoded and compared;
times are of processors, on one thread, without verification, the medians of some runs. ``--whole`` takes whole pictures
in the place of crops. For each kind, and for all together, the result tells which presets lie above the lower hull of
the curve, both axes logarithmic, and which one is its knee: the farthest below the straight line from the first to the
last. Writes ``results/presets.json`` and ``presets.png`` beside this file; a call that was cut is gone on with by the
same call.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from measured import Kept, digest_of, digest_of_source

import vaezip
from vaezip.bench import machine
from vaezip.bench.plots import COLOURS, MARKERS, frame, seconds_axis
from vaezip.models.effort import DEFAULT_PRESET, PRESETS
from vaezip.pictures import datasets

RESULTS = Path(__file__).parent / "results"
SIDE, DIGITS = 192, 200
FOLDERS = {"photographs": ("photos/valid", 3), "screenshots": ("pictures/screens", 1), "deep": ("pictures/deep", 1)}
"""Of each kind, the folder, and how many of its pictures are taken, evenly spread."""

ENOUGH, MOST_RUNS = 2.0, 3
"""Once runs took so many seconds together, or are so many, there are no more."""

Row = dict[str, Any]
Point = tuple[float, float]
Set = dict[str, vaezip.Picture]


def main() -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--whole", action="store_true", help="whole pictures in the place of crops")
    options = parser.parse_args()
    result = RESULTS / "presets.json"
    part = result.with_name("presets-part.json")
    kept, state, rows = Kept(part), digest_of_source(), list[Row]()
    for kind, name, pictures in sets(options.data, math.inf if options.whole else SIDE):
        digest = f"{kind} {name} {digest_of(next(iter(pictures.values())))}"
        for preset in PRESETS:
            kept.measure(digest, f"-{preset}", state, partial(measured, pictures, preset))
        found = [kept.get(digest, f"-{preset}") for preset in PRESETS]
        rows.append({"kind": kind, "name": name, "pixels": pixels(pictures)} | joined(found))
        print(json.dumps(rows[-1]), flush=True)
    report = machine.this_run() | {"presets": list(PRESETS), "default": DEFAULT_PRESET} | summary(rows) | {"rows": rows}
    result.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    draw(report).savefig(result.with_suffix(".png"), dpi=150)
    part.unlink()


def sets(data: Path, side: float) -> Iterator[tuple[str, str, Set]]:
    """Give (kind, name, pictures) of each set: one picture without a name, or the digits."""
    for kind, (folder, count) in FOLDERS.items():
        files = sorted(file for file in (data / folder).iterdir() if file.suffix in (".png", ".webp"))
        for file in files[:: max(1, len(files) // count)][:count]:
            yield kind, file.name, {"": cropped(vaezip.pictures.read(file), side)}
    yield "digits", "mnist", dict(datasets.collection("mnist", "test", data).select(DIGITS))


def cropped(picture: vaezip.Picture, side: float) -> vaezip.Picture:
    """Return the middle of a picture, without metadata, but for a palette."""
    height, width = picture.samples.shape[:2]
    top, left = (max(0, int(extent - min(extent, side))) // 2 for extent in (height, width))
    rows, columns = (int(min(extent, side)) for extent in (height, width))
    part = picture.samples[top : top + rows, left : left + columns]
    boxes = tuple(box for box in picture.boxes if box[0] == "palette")
    return vaezip.Picture(picture.mode, np.ascontiguousarray(part), boxes)


def pixels(pictures: Set) -> int:
    """Count the pixels of a set."""
    return sum(picture.samples[..., 0].size for picture in pictures.values())


def measured(pictures: Set, preset: int) -> Row:
    """Code a set by a preset, decode and compare it: bytes, and seconds of a processor."""
    code = pictures[""] if "" in pictures else pictures.items()
    data, encode = timed(lambda: vaezip.compress(code, preset=preset, verify=False))
    back, decode = timed(lambda: vaezip.decompress(data))
    found = back if isinstance(back, dict) else {"": back}
    assert all(vaezip.pictures.same(found[name], picture) for name, picture in pictures.items())
    return {"bytes": len(data), "compress": encode, "decompress": decode}


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what some work gives, and its seconds: the median of runs but the first, which may load kernels, if there
    are several."""
    seconds = list[float]()
    while len(seconds) <= MOST_RUNS and sum(seconds) < ENOUGH:
        start = time.process_time()
        found = work()
        seconds.append(time.process_time() - start)
    return found, round(statistics.median(seconds[1:] or seconds), 5)


def joined(found: Sequence[Row]) -> Row:
    """Return the figures of all presets, each in a list."""
    return {what: [row[what] for row in found] for what in ("bytes", "compress", "decompress")}


def summary(rows: list[Row]) -> Row:
    """Tell how often a greater preset is larger, and of each kind, and all together, the curve."""
    larger = sum(after > before for row in rows for before, after in pairwise(row["bytes"]))
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    chosen = {kind: [row for row in rows if row["kind"] == kind] for kind in kinds} | {"all": rows}
    return {"larger": larger, "curves": {kind: curve(some) for kind, some in chosen.items()}}


def curve(rows: list[Row]) -> Row:
    """Return the curve of some sets: geometric means of bytes, beside those of the first preset, and of seconds a
    pixel, by preset."""
    size = [_mean(row["bytes"][i] / row["bytes"][0] for row in rows) for i in range(len(PRESETS))]
    seconds = {
        way: [_mean(row[way][i] / row["pixels"] for row in rows) for i in range(len(PRESETS))]
        for way in ("compress", "decompress")
    }
    both = [(math.log(a + b), math.log(c)) for a, b, c in zip(*seconds.values(), size)]
    lower = hull(both)
    off = [preset for i, preset in enumerate(PRESETS) if i not in lower]
    return {"bytes": size, **seconds, "off_hull": off, "knee": list(PRESETS)[knee(both, lower)]}


def _mean(values: Iterator[float]) -> float:
    found = list(values)
    return math.exp(sum(map(math.log, found)) / len(found))


def hull(points: Sequence[Point]) -> list[int]:
    """Return the indices of the points on the lower hull, from the fastest to the smallest.

    >>> hull([(0, 3), (1, 1), (2, 2), (3, 0), (4, 0)])
    [0, 1, 3]
    """
    found: list[int] = []
    for i in sorted(range(len(points)), key=lambda i: points[i]):
        if found and points[i][1] >= points[found[-1]][1]:
            continue
        while len(found) > 1 and _turn(points[found[-2]], points[found[-1]], points[i]) <= 0:
            found.pop()
        found.append(i)
    return found


def knee(points: Sequence[Point], lower: Sequence[int]) -> int:
    """Return the index of the point of a hull that is farthest below the line from its first to its last, where both
    axes go from 0 to 1.

    >>> knee([(0, 3), (1, 1), (2, 2), (3, 0)], [0, 1, 3])
    1
    """
    first, last = points[lower[0]], points[lower[-1]]
    across, down = last[0] - first[0] or 1.0, first[1] - last[1] or 1.0
    return max(lower, key=lambda i: (first[1] - points[i][1]) / down - (points[i][0] - first[0]) / across)


def _turn(a: Point, b: Point, c: Point) -> float:
    """Return whether three points turn to the left, which is above 0, or to the right."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def draw(report: Row) -> Figure:
    """Draw the curve of each kind; a cross lies above the hull, and the knee is filled."""
    figure = Figure((7.4, 4.8), layout=ConstrainedLayoutEngine())
    axes = figure.add_subplot()
    frame(axes, title="Presets", below="seconds a pixel, both directions", beside="bytes, of those of -1")
    for (kind, found), colour, marker in zip(report["curves"].items(), COLOURS, MARKERS):
        seconds = [a + b for a, b in zip(found["compress"], found["decompress"])]
        on = [i for i, preset in enumerate(report["presets"]) if preset not in found["off_hull"]]
        axes.plot([seconds[i] for i in on], [found["bytes"][i] for i in on], color=colour, lw=1.2, label=kind)
        for i, preset in enumerate(report["presets"]):
            filled = colour if preset == found["knee"] else "white"
            shape = marker if i in on else "x"
            colours = {"color": colour} if shape == "x" else {"mec": colour, "mfc": filled}
            axes.plot([seconds[i]], [found["bytes"][i]], marker=shape, ms=6, ls="", **colours)
            axes.annotate(f"-{preset}", (seconds[i], found["bytes"][i]), (3, 4), textcoords="offset points", fontsize=7)
    seconds_axis(axes)
    axes.legend(frameon=False, fontsize=9)
    return figure


if __name__ == "__main__":
    main()
