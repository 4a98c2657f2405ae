"""What moving a house costs: two commits side by side, which must give the same bytes, in the same time.

``python benchmarks/moves.py BEFORE AFTER --data DIR`` checks both commits out and lets them take turns on the same
pictures, in fresh processes with one thread each, so that a noisy machine is noisy for both. Every file is decoded
and compared. Writes ``results/moves.json`` beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULT = Path(__file__).parent / "results" / "moves.json"
REPEATS = 5

WORK = {
    "1,000 binary digits, -1": ("mnist-binary", "mnist-binary", 1000, 1),
    "1,000 grey digits, K = 3": ("mnist", "mnist", 1000, -3),
    "a photograph by tiles, K = 0": ("cifar10", "photographs", 1, 1),
    "a photograph, -1": ("photo", "photographs", 1, 1),
    "a photograph, -4": ("photo", "photographs", 1, 4),
}
"""By what it is: model, pictures, how many, and the preset, or less than 0 the steps."""

CHILD = """
import hashlib, json, sys, time
from pathlib import Path
import numpy as np
import vaezip
model, source, count, preset, data = json.loads(sys.argv[1])
pictures = vaezip.pictures if hasattr(vaezip, "pictures") else vaezip.images
if source == "photographs":
    files = sorted(f for f in Path(data, "photos", "valid").iterdir() if f.is_file())[:count]
    some = {f.name: pictures.read(f) for f in files}
    some = {n: vaezip.Picture(p.mode, np.ascontiguousarray(p.samples[:384, :384])) for n, p in some.items()}
else:
    try:
        from vaezip.pictures import datasets
    except ImportError:
        from vaezip import datasets
    some = dict(datasets.collection(source, "test", data).select(count))
options = {"preset": preset} if preset > 0 else {"steps": -preset}
if len(sys.argv) > 2:  # compile what is not in the cache
    some = dict(list(some.items())[:2])
    if source == "photographs":
        some = {n: vaezip.Picture(p.mode, np.ascontiguousarray(p.samples[:64, :64])) for n, p in some.items()}
began = time.perf_counter()
coded = vaezip.compress(some.items(), model=model, threads=1, verify=False, **options)
between = time.perf_counter()
back = vaezip.decompress(coded)
ended = time.perf_counter()
assert all(pictures.same(back[name], picture) for name, picture in some.items())
print(json.dumps({"bytes": len(coded), "sha256": hashlib.sha256(coded).hexdigest(),
                  "compress_s": between - began, "decompress_s": ended - between}))
"""


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--data", type=Path, required=True, help="folder with mnist and photos")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sides = [checkout(commit, Path(folder, name)) for commit, name in ((options.before, "a"), (options.after, "b"))]
        rows = [measured(what, work, sides, options.data) for what, work in WORK.items()]
    found = {"before": options.before, "after": options.after, "repeats": REPEATS, "rows": rows}
    RESULT.write_text(json.dumps(found, indent=1) + "\n")


def checkout(commit: str, folder: Path) -> Path:
    """Check a commit out, with the models that it ships."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    subprocess.run(["git", "-C", str(folder), "checkout", "-q", commit], check=True)
    return folder


def measured(what: str, work: tuple[Any, ...], sides: list[Path], data: Path) -> dict[str, Any]:
    """Let both sides take turns, and return bytes, medians of seconds, and the ratio of the medians."""
    for side in sides:
        run(side, work, data, "compile")
    runs = [[run(side, work, data) for side in sides] for _ in range(REPEATS)]
    if len({found["sha256"] for pair in runs for found in pair}) > 1:
        raise SystemExit(f"{what}: the bytes differ")
    row: dict[str, Any] = {"what": what, "bytes": runs[0][0]["bytes"], "sha256": runs[0][0]["sha256"]}
    for key in ("compress_s", "decompress_s"):
        before, after = ([pair[i][key] for pair in runs] for i in range(2))
        middle = statistics.median(before), statistics.median(after)
        row[key] = {
            "before": round(middle[0], 4),
            "after": round(middle[1], 4),
            "ratio": round(middle[1] / middle[0], 3),
            "spread_before": round(max(before) / min(before), 3),
        }
    print(json.dumps(row))
    return row


def run(side: Path, work: tuple[Any, ...], data: Path, *more: str) -> dict[str, Any]:
    """Compress and decompress once, in a fresh process."""
    environment = os.environ | {"PYTHONPATH": str(side), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", CHILD, json.dumps([*work, str(data)]), *more]
    done = subprocess.run(command, env=environment, cwd=side, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
