"""What batches cost: ``python benchmarks/batch.py --data DIR``.

* ``set``: 10,000 black and white digits of MNIST, a PNG each, by the command line into one set and back, at ``-1``, and
  at ``-1`` with the model of digits; half as many and twice as many, whose memory tells whether it grows; and 2,000
  pictures of CIFAR-10.
* ``overhead``: pictures one after the other by the codec alone, and by a batch in one thread, in turns.
* ``again``: a batch whose pictures are all done already, here and, where Dask is installed, by a cluster of two.

Seconds are of the clock and of the processors together: where others use the machine, the latter tell more. Writes
``results/batch.json`` beside this file; ``--quick`` takes a tenth of the pictures.
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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vaezip
from vaezip import batch
from vaezip.bench import machine
from vaezip.codec.compress_options import Options
from vaezip.pictures import datasets
from vaezip.system.threads import usable_cores

RESULTS = Path(__file__).parent / "results"
DIGITS, COLOURS, PICTURES, DONE = 10_000, 2_000, 20, 2_000
SIDE, SMALL = 128, 16
ROUNDS = 5
ALONE = Options(preset=1)
SMALL_ALONE = Options(model="photo", preset=1)

Row = dict[str, Any]


def main() -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=None, help="folder with the data sets")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    arguments.out = arguments.out or RESULTS / f"batch{'-quick' if arguments.quick else ''}.json"
    share = 10 if arguments.quick else 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {
            **machine.describe("cpu"),
            "commit": machine.commit(),
            "folder": tempfile.gettempdir(),
            "cores": usable_cores(),
            "load": [round(load, 1) for load in os.getloadavg()],
            "set": sets(folder, DIGITS // share, arguments.data) + colours(folder, COLOURS // share, arguments.data),
            "overhead": overhead(folder, PICTURES // share),
            "again": again(folder, DONE // share),
        }
    arguments.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: found[key] for key in ("set", "overhead", "again")}, indent=1))


# Sets


def sets(folder: Path, count: int, data: str | None) -> list[Row]:
    """Measure sets of digits, there and back."""
    digits = (datasets.load("mnist", "test", data).reshape(-1, 28, 28, 1) >= 128).astype(np.uint8)
    rows: list[Row] = []
    plain, by_model = ["-1"], ["-1", "--model", "mnist-binary"]
    for some, hows in ((count // 2, [plain]), (count, [plain, by_model]), (2 * count, [plain])):
        source = _written(folder / f"digits-{some}", "1", [digits[i % len(digits)] for i in range(some)])
        if not rows:
            _set(folder, source, some, plain)  # compiles what the others load
        rows += [_set(folder, source, some, how) for how in hows]
    return rows


def colours(folder: Path, count: int, data: str | None) -> list[Row]:
    """Measure a set of small pictures in colour, there and back; they are in no order of their contents."""
    pictures = datasets.load("cifar10", "test", data)
    chosen = np.random.default_rng(0).permutation(len(pictures))[:count]
    source = _written(folder / "colours", "RGB", [pictures[i] for i in chosen])
    _set(folder, source, count, ["-1"])
    return [{"pictures": "cifar10", **_set(folder, source, count, ["-1"])}]


def _written(folder: Path, mode: str, pictures: list[NDArray[np.uint8]]) -> Path:
    """Write pictures as files of a new folder."""
    folder.mkdir()
    for i, samples in enumerate(pictures):
        picture = vaezip.Picture(mode, np.ascontiguousarray(samples))
        (folder / f"{i:05}.png").write_bytes(vaezip.pictures.write(picture, ".png"))
    return folder


def _set(folder: Path, source: Path, count: int, how: list[str]) -> Row:
    made, back = folder / "set.vz", folder / "back"
    there = _run("compress", *how, str(source), "-o", str(made))
    again = _run("decompress", str(made), "-o", str(back))
    same = all((back / path.name).read_bytes() == path.read_bytes() for path in source.iterdir())
    size = made.stat().st_size
    made.unlink()
    for path in back.iterdir():
        path.unlink()
    back.rmdir()
    row = {"files": count, "options": " ".join(how), "bytes": size, "same": same}
    for name, run in (("compress", there), ("decompress", again)):
        rates = {"files_a_second": count / run["seconds"], "files_a_core_second": count / run["cpu_seconds"]}
        row[name] = run | {key: round(rate) for key, rate in rates.items()}
    return row


def _run(*arguments: str) -> Row:
    """Run the program in a process of its own, and measure that; its modules are compiled, as where it is installed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "vaezip", *arguments, "-q"], env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"vaezip {' '.join(arguments)}: {process.returncode}")
    cpu = usage.ru_utime + usage.ru_stime
    return {"seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2), "memory_mib": round(usage.ru_maxrss / 1024)}


# Overhead


def overhead(folder: Path, count: int) -> Row:
    """Measure a batch in one thread beside the codec alone, which reads, codes and writes the same pictures."""
    source, made = folder / "photos", folder / "photos-made"
    _draw(source, count, SIDE)
    made.mkdir()
    alone, together = [], []
    _alone(source, made)
    for i in range(ROUNDS):
        alone.append(_timed(lambda: _alone(source, made)))
        target = folder / f"photos-{i}"
        together.append(_timed(lambda target=target: batch.compress(source, target, ALONE, threads=1)))
    ratios = [both[1] / one[1] - 1 for one, both in zip(alone, together)]
    return {
        "pictures": count,
        "size": [SIDE, SIDE, 3],
        "codec_cpu_seconds": [round(cpu, 3) for _, cpu in alone],
        "batch_cpu_seconds": [round(cpu, 3) for _, cpu in together],
        "codec_seconds": [round(seconds, 3) for seconds, _ in alone],
        "batch_seconds": [round(seconds, 3) for seconds, _ in together],
        "overhead": round(statistics.median(ratios), 4),
    }


def _alone(source: Path, made: Path) -> None:
    for path in sorted(source.iterdir()):
        (made / f"{path.name}.vz").write_bytes(vaezip.compress(path, ALONE))


def _timed(work: Callable[[], Any]) -> tuple[float, float]:
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - cpu


# Again


def again(folder: Path, count: int) -> list[Row]:
    """Measure batches in which nothing is left to do."""
    source, made = folder / "small", folder / "small-made"
    _draw(source, count, SMALL)
    batch.compress(source, made, SMALL_ALONE)
    rows = [_again("threads of this process", source, made, count)]
    try:
        from distributed import LocalCluster
    except ImportError:
        return rows
    settings = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with LocalCluster(**settings) as cluster, batch.dask(cluster.scheduler_address) as executor:
        batch.compress(source, made, SMALL_ALONE, executor=executor)  # the workers import what they need
        rows.append(_again("Dask, two processes", source, made, count, executor=executor))
    return rows


def _again(by: str, source: Path, made: Path, count: int, **plan: Any) -> Row:
    found = []
    for _ in range(ROUNDS):
        seconds, cpu = _timed(lambda: found.append(batch.compress(source, made, SMALL_ALONE, **plan)))
        assert found.pop().skipped == count
        found.append((seconds, cpu))
        found[:] = [min(found)]
    seconds, cpu = found[0]
    size = sum(path.stat().st_size for path in source.iterdir()) // count
    return {
        "by": by,
        "pictures": count,
        "source_bytes": size,
        "milliseconds_a_picture": round(1000 * seconds / count, 3),
        "cpu_milliseconds_here": round(1000 * cpu / count, 3),
    }


def _draw(folder: Path, count: int, side: int) -> None:
    """Draw pictures by integers: ramps, and noise of a few levels."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    y, x = np.mgrid[:side, :side]
    for i in range(count):
        ramp = ((x * (i % 7) + y * (i % 5)) // 8 % 200)[..., None]
        samples = (ramp + rng.integers(0, 12, (side, side, 3))).astype(np.uint8)
        (folder / f"{i:05}.png").write_bytes(vaezip.pictures.write(vaezip.Picture("RGB", samples), ".png"))


if __name__ == "__main__":
    main()
