"""Measure what it brings that training begins from a shipped model.

``python benchmarks/beginning.py --data DIR`` takes photographs of CIFAR-10 from ``--data``, as ``vaezip bench`` does,
trains on them from the model that ``vaezip train`` chooses and, for as many epochs, from nothing, and writes
``results/beginning.json`` beside this file: bytes of the pictures held out, by each, by the shipped model, and by the
other codecs of the table that ``vaezip train`` ends with. One thread.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import vaezip
from vaezip.bench import machine
from vaezip.pictures import datasets

RESULTS = Path(__file__).parent / "results"
PICTURES, EPOCHS = 300, 12
QUICK = 30, 1


def main() -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of named data sets")
    parser.add_argument("--quick", action="store_true", help="few pictures and one epoch, which takes minutes")
    options = parser.parse_args()
    count, epochs = QUICK if options.quick else (PICTURES, EPOCHS)
    found = {"pictures": count, "epochs": epochs, **machine.this_run(), "trained": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = datasets.load("cifar10", "train", options.data)
        save(images[np.random.default_rng(0).permutation(len(images))[:count]], folder / "photographs")
        for start in ("auto", "none"):
            found["trained"][start] = trained(folder, start, epochs)
    target = RESULTS / ("beginning-quick.json" if options.quick else "beginning.json")
    target.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {target}", file=sys.stderr)


def save(images: np.ndarray, folder: Path) -> None:
    """Write pictures as PNG."""
    folder.mkdir()
    for i, samples in enumerate(images):
        picture = vaezip.Picture("RGB", np.ascontiguousarray(samples))
        (folder / f"{i:03}.png").write_bytes(vaezip.pictures.write(picture, ".png"))


def trained(folder: Path, start: str, epochs: int) -> dict[str, Any]:
    """What ``vaezip train`` says in the end: the bytes of each line of its table, and its verdict."""
    command = [sys.executable, "-m", "vaezip", "train", "--data", "photographs", "--start", start]
    command += ["--epochs", str(epochs), "--threads", "1", "-o", f"{start}.safetensors"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    rows = (re.match(r"(\S.*?) {2,}([\d,]+) +\d", line) for line in lines)
    table = {row[1]: int(row[2].replace(",", "")) for row in rows if row}
    told = next(line for line in lines if line.startswith("about "))
    return {"command": command[1:], "told_before": told.split(";")[0], "bytes": table, "verdict": lines[-1]}


if __name__ == "__main__":
    main()
