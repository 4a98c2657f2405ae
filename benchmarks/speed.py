"""How time and memory grow, and where the time goes: ``python benchmarks/speed.py --data DIR``.

* Sets of 10 to 10,000 test images of each shipped model's data set, in one file each; fewer than all are drawn at
  random, because the first may all be of one class.
* Pictures of 0.1 to 12 megapixels, made here, by the model of photographs.
* The parts of a whole job: PNG files to a ``.vz`` on the disk, and back.

Every file is decoded and compared. Times are medians, or of one pass where that takes long, each size
in a process of its own. Writes ``results/speed.json`` and ``speed.png`` beside this file; ``--quick``
takes a tenth of the sizes. A call that was cut is gone on with by the same call.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from profiling import PARTS, profile

import vaezip
from vaezip.bench import machine, runner, worker
from vaezip.bench.ours import Ours
from vaezip.bench.plan import Plan
from vaezip.bench.plots import COLOURS, MARKERS, Label, duration, frame, name_lines
from vaezip.codec.compress_options import Options
from vaezip.models import file as model_file
from vaezip.models.effort import Effort
from vaezip.pictures.picture import Picture

RESULTS = Path(__file__).parent / "results"
DATASETS = ("mnist-binary", "mnist", "cifar10")
COUNTS = (10, 100, 1000, 3000, 10000)
WHOLE = 10_000
"""Test images that each data set has."""

SEED = 0
"""Of the images drawn where these are fewer."""

MEGAPIXELS = (0.1, 0.3, 1.0, 3.0, 12.0)
PHOTO_MODEL = "photo"
PROFILED_STEPS = (0, 7)
PROFILED_IMAGES = 300
PROFILED_MEGAPIXELS = 1.0
PART_COLOURS = (
    *COLOURS,
    "#F0E442",
    "#999999",
    "#222222",
    "#B3DE69",
    "#BC80BD",
    "#FB9A99",
    "#D9D9D9",
    "#1B9E77",
    "#A6761D",
    "#7570B3",
)
_SHORT = {"encoder network": "encoder", "decoder network": "decoder", "distributions and stack": "pop"}
_LONG = {
    "K steps": "K steps (at K = 0 those of the first image alone)",
    "pixel network": "pixel network; in the decoder, its calibration and the stack, too",
    "distributions and stack": "pop: distributions and stack",
}

Row = dict[str, Any]


def main() -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=None, help="folder with the data sets")
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    share = 10 if options.quick else 1
    path = RESULTS / ("speed-quick.json" if options.quick else "speed.json")
    circumstances = machine.this_run() | {"threads": options.threads}
    unfinished = Unfinished(path.with_name(f"{path.stem}-part.json"), circumstances)
    found = circumstances | measure(options, share, unfinished)
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    draw(found).savefig(path.with_suffix(".png"), dpi=150)
    unfinished.path.unlink(missing_ok=True)
    print(json.dumps(found["growth"], indent=1))


def measure(options: argparse.Namespace, share: int, unfinished: Unfinished) -> dict[str, Any]:
    """All sizes, and the parts; what is not there yet is measured, the longest last."""
    names = [name for name in DATASETS if name in model_file.shipped()]
    photo = PHOTO_MODEL in model_file.shipped()
    pictures = _pictures([m for m in MEGAPIXELS if m <= MEGAPIXELS[-1] / share], options, unfinished) if photo else []
    parts = {}
    for name in names:
        plan = Plan(name, options.data, PROFILED_IMAGES // share, SEED)
        parts[name] = unfinished.row(f"parts of {name}", lambda plan=plan: _parts(plan, PROFILED_STEPS))
    if photo:
        parts[PHOTO_MODEL] = unfinished.row(f"parts of {PHOTO_MODEL}", lambda: _photo_parts(share))
    sets = {name: _sets(name, [n for n in COUNTS if n <= COUNTS[-1] // share], options, unfinished) for name in names}
    growth = {name: _growth(rows, "images") for name, rows in sets.items()}
    return {
        "sets": sets,
        "pictures": pictures,
        "parts": parts,
        "skipped": [name for name in (*DATASETS, PHOTO_MODEL) if name not in model_file.shipped()],
        "growth": growth | {"pictures": _growth(pictures, "megapixels")},
    }


class Unfinished:
    """Rows of a call that was cut, by what they are of, if it ran as this one does."""

    def __init__(self, path: Path, circumstances: dict[str, Any]) -> None:
        self.path = path
        self.held: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        if self.held.get("circumstances") != circumstances:
            self.held = {"circumstances": circumstances, "rows": {}}

    def row(self, name: str, work: Callable[[], Row]) -> Row:
        """The row of this name, measured if it is not there, and kept at once."""
        rows: dict[str, Row] = self.held["rows"]
        if name not in rows:
            rows[name] = work()
            self.path.parent.mkdir(exist_ok=True)
            new = self.path.with_suffix(".tmp")
            new.write_text(json.dumps(self.held, indent=1, ensure_ascii=False) + "\n")
            new.replace(self.path)
            print(name, rows[name], flush=True)
        return rows[name]


def _sets(dataset: str, counts: list[int], options: argparse.Namespace, unfinished: Unfinished) -> list[Row]:
    """Seconds and peak memory of a set, by how many images it has."""
    rows = []
    for count in counts:
        seed = SEED if count < WHOLE else None
        plan = Plan(dataset, options.data, count, seed, (dataset,), orders=("set",), peers=(), threads=options.threads)
        found = unfinished.row(f"{count} images of {dataset}", lambda plan=plan: _measured(plan))
        rows.append({"images": count, **found})
    return rows


def _pictures(sizes: list[float], options: argparse.Namespace, unfinished: Unfinished) -> list[Row]:
    """Seconds and peak memory of one picture, by its size."""
    rows = []
    for megapixels in sizes:
        found = unfinished.row(f"{megapixels} megapixels", lambda size=megapixels: _picture(size, options))
        rows.append({"megapixels": megapixels, **found})
    return rows


def _picture(megapixels: float, options: argparse.Namespace) -> Row:
    """One picture in a file; as a set of one, whose times are not taken again where they are long."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "photo.png").write_bytes(vaezip.pictures.write(photograph(megapixels), ".png"))
        return _measured(Plan(folder, models=(PHOTO_MODEL,), orders=("set",), peers=(), threads=options.threads))


def _measured(plan: Plan) -> dict[str, Any]:
    report = runner.run(plan)
    figures = report.models[0].figures
    seconds = {name: value * report.facts.images for name, value in asdict(figures).items() if name.endswith("s_s")}
    seconds["encode_s"] = figures.encode_s * report.facts.images
    return {**seconds, "peak_mb": figures.peak_mb, "bytes": figures.bytes, "bpd": figures.bpd}


def _growth(rows: list[dict[str, Any]], size: str) -> dict[str, float]:
    """Exponents of size in time, fitted to the three largest: 1 is linear."""
    upper = rows[-3:]
    if len(upper) < 2:
        return {}
    x = np.log([row[size] for row in upper])
    return {
        what: round(float(np.polyfit(x, np.log([row[what] for row in upper]), 1)[0]), 3)
        for what in ("compress_s", "encode_s", "decompress_s")
    }


def _photo_parts(share: int) -> Row:
    """Seconds by part of a picture."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "photo.png").write_bytes(vaezip.pictures.write(photograph(PROFILED_MEGAPIXELS / share), ".png"))
        return _parts(Plan(folder, models=(PHOTO_MODEL,)), (0,))


def _parts(plan: Plan, all_steps: tuple[int, ...]) -> Row:
    """Seconds an image by part of whole jobs, with one thread, by the data set's own model or the plan's."""
    pictures = [(f"{i:05d}", picture) for i, (_, picture) in enumerate(worker.select(plan))]
    (model,) = plan.models or (plan.dataset,)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.png" for name, _ in pictures}
        for name, picture in pictures:
            paths[name].write_bytes(vaezip.pictures.write(picture, ".png"))
        for steps in all_steps:
            job = _Job(Ours(Options(model=model, effort=Effort(steps))), paths, Path(folder) / "set.vz")
            works: dict[str, Callable[[], None]] = {"compress": job.compress, "decompress": job.decompress}
            for work in works.values():  # a warm-up
                work()
            for name, work in works.items():
                parts = profile(work)
                found[f"{name}, K = {steps}"] = {part: s / len(pictures) for part, s in parts.items()}
    return found


class _Job:
    """What the command line does: PNG files to one ``.vz``, without verification, and back."""

    def __init__(self, method: Ours, paths: dict[str, Path], target: Path) -> None:
        self.method, self.paths, self.target = method, paths, target

    def compress(self) -> None:
        """From disk to disk."""
        pictures = [(name, vaezip.pictures.read(path)) for name, path in self.paths.items()]
        self.target.write_bytes(self.method.encode(pictures, False)[0])

    def decompress(self) -> None:
        """From disk to disk."""
        folder = Path(tempfile.mkdtemp(dir=self.target.parent))  # overwriting files would be slower
        _, pictures = self.method.decode([self.target.read_bytes()])
        for name, picture in pictures:
            assert isinstance(picture, Picture)
            (folder / f"{name}.png").write_bytes(vaezip.pictures.write(picture, ".png"))


def photograph(megapixels: float, seed: int = 1) -> Picture:
    """An RGB picture, 4 to 3, whose spectrum falls as 1/f like a photograph's, with a little noise."""
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    width = round(height * 4 / 3)
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = np.inf
    planes = []
    for _ in range(3):
        spectrum = np.fft.rfft2(rng.standard_normal((height, width))) / frequency**1.2
        plane = np.fft.irfft2(spectrum, (height, width))
        planes.append((plane - plane.mean()) / plane.std())
    grey, *tints = planes
    colour = np.stack([grey, grey + 0.3 * tints[0], grey + 0.3 * tints[1]], axis=2)
    noisy = 128 + 50 * colour + rng.normal(0, 2, colour.shape)
    return Picture("RGB", np.clip(np.round(noisy), 0, 255).astype(np.uint8))


def draw(found: dict[str, Any]) -> Figure:
    """Time and memory over images and over size, and the parts."""
    figure = Figure(figsize=(14.5, 16), layout=ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.15))
    grid = figure.add_gridspec(3, 2, height_ratios=(1, 1, 1.3))
    _over_images(figure.add_subplot(grid[0, 0]), found)
    _over_size(figure.add_subplot(grid[0, 1]), found)
    _memory_over_images(figure.add_subplot(grid[1, 0]), found)
    _memory_over_size(figure.add_subplot(grid[1, 1]), found)
    _bars(figure.add_subplot(grid[2, :]), found)
    return figure


def _over_images(axes: Axes, found: dict[str, Any]) -> None:
    frame(
        axes,
        title="Time of a set over its images, K = 0",
        below="images in one file",
        beside="seconds, verification included",
    )
    labels = []
    for (name, rows), colour, marker in zip(found["sets"].items(), COLOURS, MARKERS):
        _line(axes, [r["images"] for r in rows], [r["compress_s"] for r in rows], colour, marker)
        exponent = found["growth"][name].get("compress_s")
        labels.append((rows[-1]["compress_s"], f"{name}, ~ images$^{{{exponent}}}$", colour))
    _log_log(axes, labels)


def _over_size(axes: Axes, found: dict[str, Any]) -> None:
    frame(axes, title=f"Time of a picture over its size, {PHOTO_MODEL}, K = 0", below="megapixels", beside="seconds")
    rows, labels = found["pictures"], []
    for what, colour, marker in zip(("compress_s", "encode_s", "decompress_s"), COLOURS, MARKERS):
        if rows:
            _line(axes, [r["megapixels"] for r in rows], [r[what] for r in rows], colour, marker)
            name = {"compress_s": "compress and verify", "encode_s": "compress", "decompress_s": "decompress"}[what]
            labels.append((rows[-1][what], f"{name}, ~ size$^{{{found['growth']['pictures'].get(what)}}}$", colour))
    _log_log(axes, labels)


def _memory_over_images(axes: Axes, found: dict[str, Any]) -> None:
    frame(axes, title="Peak memory of a set over its images, K = 0", below="images in one file", beside="MB")
    labels = []
    for (name, rows), colour, marker in zip(found["sets"].items(), COLOURS, MARKERS):
        _line(axes, [r["images"] for r in rows], [r["peak_mb"] for r in rows], colour, marker)
        labels.append(Label(rows[-1]["peak_mb"], name, colour, rows[-1]["images"]))
    _megabytes(axes, labels)


def _memory_over_size(axes: Axes, found: dict[str, Any]) -> None:
    frame(axes, title=f"Peak memory of a picture over its size, {PHOTO_MODEL}, K = 0", below="megapixels", beside="MB")
    rows, labels = found["pictures"], []
    if rows:
        _line(axes, [r["megapixels"] for r in rows], [r["peak_mb"] for r in rows], COLOURS[0], MARKERS[0])
        labels.append(Label(rows[-1]["peak_mb"], PHOTO_MODEL, COLOURS[0], rows[-1]["megapixels"]))
    _megabytes(axes, labels)


def _megabytes(axes: Axes, labels: list[Label]) -> None:
    """Megabytes from 0, over a logarithmic axis."""
    axes.set_xscale("log")
    axes.set_ylim(0, 1.1 * max((label.rate for label in labels), default=1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,g}"))
    name_lines(axes, labels, lambda mb: f"{mb:.0f} MB")


def _line(axes: Axes, x: list[float], y: list[float], colour: str, marker: str) -> None:
    axes.plot(x, y, color=colour, marker=marker, lw=2, ms=6)


def _log_log(axes: Axes, labels: list[tuple[float, str, str]]) -> None:
    """Logarithmic axes, each line named at its end."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,g}"))
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: duration(y)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    low, high = axes.get_ylim()
    labels = sorted(labels)
    for i, (value, text, colour) in enumerate(labels):
        place = (np.log(value) - np.log(low)) / (np.log(high) - np.log(low)) + 0.035 * (i - (len(labels) - 1) / 2)
        axes.text(
            1.02, place, f"{duration(value)}  {text}", transform=axes.transAxes, color=colour, fontsize=9, va="center"
        )


def _bars(axes: Axes, found: dict[str, Any]) -> None:
    """A bar a job, cut into parts; the large ones are named."""
    frame(
        axes,
        title="Where the time goes: share of each part, PNG files to .vz and back",
        below="per cent of the time",
        beside="",
    )
    works = [(f"{name}\n{work}", parts) for name, jobs in found["parts"].items() for work, parts in jobs.items()]
    for row, (_, parts) in enumerate(works):
        total, left = sum(parts.values()), 0.0
        for part, colour in zip(PARTS, PART_COLOURS, strict=True):
            share = 100 * parts[part] / total
            axes.barh(row, share, left=left, color=colour, edgecolor="white", lw=0.5)
            if share >= 11:
                text = axes.text(left + share / 2, row, _SHORT.get(part, part), ha="center", va="center", fontsize=6.5)
                text.set_color("white" if sum(int(colour[i : i + 2], 16) for i in (1, 3, 5)) < 400 else "black")
            left += share
        axes.text(101, row, f"{duration(total)} an image", va="center", fontsize=8)
    axes.set_yticks(range(len(works)), [name for name, _ in works], fontsize=7.5)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    used = [p for p in PARTS if any(parts[p] > 0.02 * sum(parts.values()) for _, parts in works)]
    handles = [Patch(color=PART_COLOURS[PARTS.index(part)]) for part in used]
    axes.legend(
        handles,
        [_LONG.get(p, p) for p in used],
        fontsize=7,
        ncols=3,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.14),
        frameon=False,
    )


if __name__ == "__main__":
    main()
