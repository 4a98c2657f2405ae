"""Show that a greater preset or K makes no larger file where not all lesser ones are tried: blocks of many pixels.

``python benchmarks/monotony.py --data DIR`` codes parts of training photographs and sets of digits by every preset and
by several K, decodes and compares each, and counts how often a greater one gave a larger file. Writes
``results/monotony.json`` beside this file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import vaezip
from vaezip.bench import machine
from vaezip.models.effort import PRESETS
from vaezip.pictures import datasets

RESULT = Path(__file__).parent / "results" / "monotony.json"
STEPS = (0, 1, 2, 4, 6, 8)
"""Of tile models; those of a pixel model are presets: 0, 1, 2, 4 and 8 are ``-2`` and ``-6`` to ``-9``."""

SIDE, PHOTOGRAPHS, DIGITS = 200, 12, 400

Set = dict[str, vaezip.Picture]


def sets(data: Path) -> Iterator[tuple[str, str, Set]]:
    """Give (name, model, pictures): each one block of more than the pixels up to which all lesser efforts are tried."""
    files = sorted((data / "photos" / "train").iterdir())
    for file in files[:: len(files) // PHOTOGRAPHS][:PHOTOGRAPHS]:
        picture = vaezip.pictures.read(file)
        part = np.ascontiguousarray(picture.samples[:SIDE, :SIDE])
        yield file.name, "photo", {file.name: vaezip.Picture(picture.mode, part)}
    for source in ("mnist", "mnist-binary"):
        yield source, source, dict(datasets.collection(source, "train", data).select(DIGITS))


def sizes(pictures: Set, model: str, option: str, values: tuple[int, ...]) -> list[int]:
    """Return the bytes of the file by each value of an option, after it was decoded and compared."""
    found = []
    for value in values:
        coded = vaezip.compress(pictures.items(), model=model, verify=False, **{option: value})
        back = vaezip.decompress(coded)
        assert isinstance(back, dict)
        assert all(vaezip.pictures.same(back[name], picture) for name, picture in pictures.items())
        found.append(len(coded))
    return found


def larger(found: list[int]) -> int:
    """Count the values that gave a larger file than the one before."""
    return sum(after > before for before, after in pairwise(found))


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    rows: list[dict[str, Any]] = []
    for name, model, pictures in sets(parser.parse_args().data):
        option, values = ("preset", tuple(PRESETS)) if model == "photo" else ("steps", STEPS)
        found = sizes(pictures, model, option, values)
        row: dict[str, Any] = {"name": name, "model": model, "option": option, "bytes": found, "larger": larger(found)}
        rows.append(row)
        print(json.dumps(row), flush=True)
    result = {"steps": STEPS, "presets": list(PRESETS), "rows": rows, "larger": sum(row["larger"] for row in rows)}
    RESULT.write_text(json.dumps({**machine.this_run(), **result}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
