"""The bars of the codec, measured on real files: ``python benchmarks/codec.py --data DIR``.

Rates: the 10,000 test images of MNIST, thresholded and grey, each set in one ``.vz``, at K = 0
and K = 10; single digits. Times and memory: the command line on folders of PNG files, each
command a process of its own, medians of several runs. Every file is decoded and compared bit
for bit before its size counts. Writes ``benchmarks/results/codec.json``, with what each part ran on.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import vaezip
from vaezip.bench import machine
from vaezip.models import file as model_file
from vaezip.models import sampling
from vaezip.models.effort import Effort
from vaezip.models.tile.model import TileModel
from vaezip.models.tile.search import bound_bits
from vaezip.pictures import datasets
from vaezip.pictures.io import write
from vaezip.pictures.picture import Picture, same
from vaezip.system.threads import usable_cores

RESULTS = Path(__file__).parent / "results" / "codec.json"
RUNS = 3
DIGITS = 1000


def main() -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=None, help="folder with the data sets")
    parser.add_argument("--only", choices=sorted(PARTS), action="append", help="run these parts alone, keep the rest")
    arguments = parser.parse_args()
    report = json.loads(RESULTS.read_text()) if arguments.only and RESULTS.exists() else {}
    runs, run = report.setdefault("runs", {}), machine.this_run()  # once: what is written makes the checkout another
    for name in arguments.only or PARTS:
        runs[name] = run | circumstances()
        report[name] = PARTS[name](arguments.data)
        print(name, json.dumps(report[name], indent=1), flush=True)
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(report, indent=1) + "\n")


def circumstances() -> dict[str, Any]:
    """When a part is measured, and with which models."""
    return {
        "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "models": {name: model_file.fingerprint(path).hex() for name, path in model_file.shipped().items()},
    }


def rates(data: str | None) -> dict[str, Any]:
    """Bits per pixel of whole test sets, each in one file."""
    out = {}
    for name, mode, bar, all_steps in (
        ("mnist-binary", "1", 0.151, (0, 10)),
        ("mnist", "L", 1.48, (0, 10)),
        ("cifar10", "RGB", 4.57, (0,)),  # with ten steps it would take an hour
    ):
        images = datasets.load(name, "test", data)
        model = model_file.load(model_file.find(name))
        assert isinstance(model, TileModel)
        for steps in all_steps:
            size = _checked_size([(f"{i:05d}.png", Picture(mode, x)) for i, x in enumerate(images)], name, steps)
            elbo = bound_bits(model, images, effort=Effort(steps))
            out[f"{name}, K = {steps}"] = {
                "images": len(images),
                "bytes": size,
                "bpd": round(size * 8 / images.size, 5),
                "bar_bpd": bar,
                "elbo_bpd": round(elbo / images.size, 5),
                "overhead_percent": round(100 * (size * 8 / elbo - 1), 3),
            }
    return out


def best(data: str | None) -> dict[str, Any]:
    """The models of digits that make the smallest files: the 10,000 test images in one solid block at K = 0."""
    out = {}
    for name, dataset, mode, bar in (
        ("mnist-binary-best", "mnist-binary", "1", 0.135),
        ("mnist-best", "mnist", "L", 1.35),
    ):
        images = datasets.load(dataset, "test", data)
        pictures = [(f"{i:05d}.png", Picture(mode, x)) for i, x in enumerate(images)]
        size = _checked_size(pictures, name, 0, solid=True)
        out[name] = {
            "images": len(images),
            "bytes": size,
            "bpd": round(size * 8 / images.size, 5),
            "bar_bpd": bar,
        }
    return out


def single_digits(data: str | None) -> dict[str, Any]:
    """One digit a file: bytes against 1.25 × its ELBO + 12."""
    images = datasets.load("mnist-binary", "test", data)[:DIGITS]
    model = model_file.load(model_file.find("mnist-binary"))
    assert isinstance(model, TileModel)
    elbos = _elbo_bytes(model, images)
    sizes = np.array([_checked_size(Picture("1", x), "mnist-binary", 0) for x in images])
    bars = 1.25 * elbos + 12
    return {
        "digits": len(images),
        "mean_bytes": round(float(sizes.mean()), 2),
        "mean_elbo_bytes": round(float(elbos.mean()), 2),
        "mean_bar_bytes": round(float(bars.mean()), 2),
        "within_its_bar_percent": round(100 * float((sizes <= bars).mean()), 1),
        "worst_excess_bytes": round(float((sizes - bars).max()), 2),
    }


def command_line(data: str | None) -> dict[str, Any]:
    """Seconds and peak memory of the command line at K = 0, median of some runs."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        images = datasets.load("mnist-binary", "test", data)
        pictures = root / "digits"
        pictures.mkdir()
        for i, x in enumerate(images):
            (pictures / f"{i:05d}.png").write_bytes(write(Picture("1", x), ".png"))
        one, archive = pictures / "00000.png", root / "set.vz"
        return {
            "help": _timed(["--help"]),
            "compress one digit": _timed(["compress", "-1", "-f", str(one), "-o", str(root / "one.vz")]),
            "compress 10,000 binary digits": _timed(
                ["compress", "-1", "-f", "--model", "mnist-binary", str(pictures), "-o", str(archive)]
            ),
            "compress 10,000 binary digits, auto": _timed(["compress", "-1", "-f", str(pictures), "-o", str(archive)]),
            "decompress 10,000 binary digits": _timed(
                ["decompress", str(archive), "-o", str(root / "back")],
                prepare=lambda: shutil.rmtree(root / "back", ignore_errors=True),
                check=lambda: _assert_equal_folders(pictures, root / "back"),
            ),
        }


def library(data: str | None) -> dict[str, Any]:
    """Seconds for the 10,000 binary digits by the Python functions at K = 0: pixels to file bytes, verified,
    and back."""
    images = datasets.load("mnist-binary", "test", data)
    pictures = [(f"{i:05d}.png", Picture("1", x)) for i, x in enumerate(images)]
    threads = usable_cores()
    compress, decompress = [], []
    for _ in range(RUNS + 1):
        started = time.perf_counter()
        packed = vaezip.compress(pictures, model="mnist-binary", steps=0, threads=threads)
        between = time.perf_counter()
        back = dict(vaezip.Archive(packed, threads=threads).pictures())
        compress.append(between - started)
        decompress.append(time.perf_counter() - between)
        assert all(same(back[name], picture) for name, picture in pictures)
    return {
        "compress_s": round(statistics.median(compress[1:]), 3),
        "decompress_s": round(statistics.median(decompress[1:]), 3),
    }


def large_photograph(data: str | None) -> dict[str, Any]:
    """A picture of a photograph's size, 4,000×3,000, but a mosaic: seconds and peak memory at K = 0."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        png = root / "mosaic.png"
        png.write_bytes(write(Picture("RGB", _mosaic(3000, 4000)), ".png"))
        report: dict[str, Any] = {"png_bytes": png.stat().st_size}
        for model in ("photo", "auto"):
            packed, back = root / f"{model}.vz", root / f"{model}.png"
            pack = ["compress", "-1", "-f", "--model", model, str(png), "-o", str(packed)]
            report[f"compress, {model}"] = _timed(pack)
            report[f"decompress, {model}"] = _timed(["decompress", "-f", str(packed), "-o", str(back)])
            assert same(vaezip.pictures.read(back), vaezip.pictures.read(png)), "the mosaic came back changed"
            report[f"bytes, {model}"] = packed.stat().st_size
        return report


def huge_photograph(data: str | None) -> dict[str, Any]:
    """A mosaic of 50 megapixels at K = 0: peak memory, which does not depend on what else the machine does."""
    with tempfile.TemporaryDirectory() as folder:
        png, packed, back = (Path(folder) / name for name in ("mosaic.png", "mosaic.vz", "back.png"))
        picture = Picture("RGB", _mosaic(5774, 8660))
        png.write_bytes(write(picture, ".png"))
        report: dict[str, Any] = {"megapixels": round(5774 * 8660 / 1e6, 2), "bar_mb": 2000}
        pack = ["compress", "-2", "-f", "--model", "photo", str(png), "-o", str(packed)]
        report["compress"] = {"peak_mb": watched(pack)}
        report["decompress"] = {"peak_mb": watched(["decompress", "-f", str(packed), "-o", str(back)])}
        assert same(vaezip.pictures.read(back), picture), "the mosaic came back changed"
        return report | {"bytes": packed.stat().st_size}


PARTS: dict[str, Callable[[str | None], dict[str, Any]]] = {
    "rates": rates,
    "best": best,
    "single_digits": single_digits,
    "command_line": command_line,
    "library": library,
    "large_photograph": large_photograph,
    "huge_photograph": huge_photograph,
}


def _checked_size(pictures: Picture | list[tuple[str, Picture]], model: str, steps: int, solid: bool = False) -> int:
    """Bytes of the file on disk, after it was read, decoded and compared."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.vz"
        path.write_bytes(vaezip.compress(pictures, model=model, steps=steps, solid=solid, threads=usable_cores()))
        back = vaezip.decompress(path.read_bytes())
        if isinstance(pictures, Picture):
            assert isinstance(back, Picture)
            assert same(back, pictures)
        else:
            assert isinstance(back, dict)
            assert list(back) == [name for name, _ in pictures]
            assert all(same(back[name], picture) for name, picture in pictures)
        return path.stat().st_size


def _elbo_bytes(model: TileModel, images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Measure −ELBO of each image in bytes, averaged over eight samples of z."""
    return np.array([bound_bits(model, x[None], effort=Effort(), draws=8) / 8 for x in images])


WATCHED = """
import atexit

def tell():
    # of this process alone, unlike ru_maxrss, which begins with what its parent had
    with open("/proc/self/status") as status:
        print("\\n" + next(line.split()[1] for line in status if line.startswith("VmHWM")), flush=True)

atexit.register(tell)
from vaezip.cli import main
main(prog_name="vaezip")
"""
"""The command line, which prints at its end the most memory that it had, in kilobytes (Linux only)."""


def _timed(
    arguments: list[str],
    prepare: Callable[[], None] | None = None,
    check: Callable[[], None] | None = None,
) -> dict[str, float]:
    """Median seconds and largest peak memory of ``vaezip ARGUMENTS``, after one run that warms the kernels."""
    seconds, peak = [], 0.0
    for run in range(RUNS + 1):
        if prepare:
            prepare()
        started = time.perf_counter()
        needed = watched(arguments)
        if run:
            seconds.append(time.perf_counter() - started)
            peak = max(peak, needed)
    if check:
        check()
    return {"seconds": round(statistics.median(seconds), 3), "peak_mb": peak}


def watched(arguments: list[str], package: Path | None = None) -> float:
    """Run ``vaezip ARGUMENTS``, of the package in a folder where one is named: its peak memory in 10⁶ bytes."""
    environment = os.environ | ({"PYTHONPATH": str(package)} if package else {})
    command = [sys.executable, "-c", WATCHED, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
    return round(int(done.stdout.split()[-1]) / 1e3, 1)


def _assert_equal_folders(a: Path, b: Path) -> None:
    names = sorted(p.name for p in a.iterdir())
    assert names == sorted(p.name for p in b.iterdir()), "the set came back with other names"
    for name in names:
        assert same(vaezip.pictures.read(a / name), vaezip.pictures.read(b / name)), f"{name} came back changed"


def _mosaic(height: int, width: int) -> np.ndarray[Any, Any]:
    """Tiles drawn from the colour model over a smooth gradient, uint8 (height, width, 3)."""
    rows, columns = -(-height // 32), -(-width // 32)
    model = model_file.load(model_file.find("cifar10"))
    tiles = np.stack([p.samples for p in sampling.sample(model, 256, seed=1)])
    chosen = np.random.default_rng(1).integers(0, len(tiles), (rows, columns))
    mosaic = tiles[chosen].transpose(0, 2, 1, 3, 4).reshape(rows * 32, columns * 32, 3)[:height, :width]
    gradient = np.linspace(0, 128, width)[None, :, None]
    return (mosaic // 2 + gradient).astype(np.uint8)


if __name__ == "__main__":
    main()
