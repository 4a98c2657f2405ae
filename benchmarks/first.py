"""What a first command takes, whose kernels nobody has compiled: ``python benchmarks/first.py``.

The first digit, the first photograph, each again once its kernels are there, and everything by ``vaezip warm``; each
time with a folder for kernels of its own, which is empty at first. ``--before COMMIT`` measures an older commit, too,
in turns with this one. Writes ``results/first.json``, or ``--result``; ``--quick`` leaves out everything.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from speed import photograph

import vaezip
from vaezip.bench import machine
from vaezip.models import file as model_file
from vaezip.models.sampling import sample
from vaezip.system.threads import usable_cores

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
MEGAPIXELS = 0.02


def main() -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", metavar="COMMIT", help="an older commit to measure, too")
    parser.add_argument("--result", type=Path, help="the JSON to write")
    parser.add_argument("--quick", action="store_true", help="leave out everything")
    options = parser.parse_args()
    options.result = options.result or RESULTS / f"first{'-quick' if options.quick else ''}.json"
    found: dict[str, Any] = {"machine": machine.describe("cpu"), "cores": usable_cores(), "commit": machine.commit()}
    with tempfile.TemporaryDirectory() as folder:
        pictures = _pictures(Path(folder))
        if options.before:
            old = Path(folder, "before")
            _git("worktree", "add", "--detach", str(old), options.before)
            try:
                found["before"] = {"commit": options.before, **_commands(old, pictures)}
            finally:
                _git("worktree", "remove", "--force", str(old))
        found["now"] = _commands(ROOT, pictures)
        if not options.quick:
            found["now"]["everything"] = _timed(ROOT, Path(folder, "everything"), ["warm"])
    found["load_average"] = os.getloadavg()[1]
    options.result.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _pictures(folder: Path) -> dict[str, Path]:
    """Make a digit and a photograph."""
    digit = sample(model_file.load(model_file.find("mnist")), 1, seed=0)[0]
    drawn = {"digit": digit, "photograph": photograph(MEGAPIXELS)}
    for name, picture in drawn.items():
        (folder / f"{name}.png").write_bytes(vaezip.pictures.write(picture, ".png"))
    return {name: folder / f"{name}.png" for name in drawn}


def _commands(package: Path, pictures: dict[str, Path]) -> dict[str, Any]:
    """Compress each picture twice by the package in a folder, at the default."""
    found = {}
    for name, path in pictures.items():
        with tempfile.TemporaryDirectory() as kernels:
            command = ["compress", "-f", str(path), "-o", str(path.with_suffix(".vz"))]
            found[f"first {name}"] = _timed(package, Path(kernels), command)
            found[f"{name} again"] = _timed(package, Path(kernels), command)
            found[f"{name} bytes"] = path.with_suffix(".vz").stat().st_size
    return found


def _timed(package: Path, kernels: Path, command: list[str]) -> dict[str, float]:
    """Return seconds of the wall and of all cores that a command takes, with its kernels in a folder."""
    environment = os.environ | {"PYTHONPATH": str(package), "NUMBA_CACHE_DIR": str(kernels)}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([sys.executable, "-m", "vaezip", *command], check=True, env=environment, cwd=package)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": float(np.round(wall, 2)), "core_s": float(np.round(busy, 2))}


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True)


if __name__ == "__main__":
    main()
