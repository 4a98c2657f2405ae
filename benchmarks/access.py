"""Measure random access to sets: what one picture costs, and what small blocks do, in time and in bytes.

``python benchmarks/access.py --data DIR --folders DIR`` takes CIFAR-10 and MNIST from ``--data``, as ``vaezip bench``
does, and photographs and drawn pictures from ``photos`` and ``pictures`` of ``--folders``. It writes
``results/access.json`` and ``results/access.md`` beside this file; ``--only`` says which part to measure, and the
others are kept. All by preset 1, on one thread, in a warm process; times of blocks are those of a core.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import vaezip
from vaezip.bench import machine
from vaezip.pictures import datasets

RESULTS = Path(__file__).parent / "results"
PRESET = 1
BLOCKS = (1, 8, 32, None, 1024)
"""Pictures in a block; None for the default."""

WORKERS = (1, 2)
CACHE = 1 << 30
BATCH = 32
SETS = {
    "photographs of 32×32": 1500,
    "grey digits": 1500,
    "digits in black and white": 600,
    "drawn tiles of 32×32": 150,
}
PHOTOGRAPHS, MANY = 100, 10_000
SIDE = 32

Pictures = dict[str, NDArray[Any]]


def drawn(folder: Path, count: int) -> Iterator[NDArray[Any]]:
    """Give tiles of drawn pictures, some of each, that show more than one colour."""
    rng = np.random.default_rng(0)
    sources = [vaezip.imread(path) for kind in ("graphics", "screens") for path in sorted((folder / kind).iterdir())]
    sources = [one for one in sources if one.dtype == np.uint8 and one.ndim == 3 and one.shape[2] == 3]
    while count:
        source = sources[rng.integers(len(sources))]
        if min(source.shape[:2]) > SIDE:
            y, x = (rng.integers(side - SIDE) for side in source.shape[:2])
            tile = source[y : y + SIDE, x : x + SIDE]
            if tile.min() < tile.max():
                count -= 1
                yield tile


def a_set(kind: str, count: int, data: Path, folders: Path) -> Pictures:
    """Return pictures of a kind, drawn at random."""
    if kind.startswith("drawn"):
        found = list(drawn(folders / "pictures", count))
    else:
        name = "cifar10" if kind.startswith("photographs") else "mnist"
        images = datasets.load(name, "test", data)
        images = images[np.random.default_rng(0).permutation(len(images))[:count]]
        found = list(images >= 128 if "black" in kind else images)
        found = [one.squeeze() for one in found]
    return {f"{i}.png": one for i, one in enumerate(found)}


def photographs(folder: Path) -> Pictures:
    """Return photographs of up to 384×384."""
    paths = sorted((folder / "photos" / "train").iterdir())
    return {path.stem + ".png": vaezip.imread(path) for path in paths[:: len(paths) // PHOTOGRAPHS][:PHOTOGRAPHS]}


def seconds(function: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> float:
    """Return how long a call takes, by the time of a core, which other programs do not lengthen."""
    began = clock()
    function()
    return clock() - began


def accessed(data: bytes) -> dict[str, float]:
    """Measure a picture of a block that is not decoded yet, and another of one that is."""
    archive = vaezip.Archive(data)
    archive[0]  # which compiles and loads the model
    archive = vaezip.Archive(data)
    (group,) = (
        group for group in archive.file.groups if len(group.names) == max(len(g.names) for g in archive.file.groups)
    )
    names = [group.names[i : i + group.per_block] for i in range(0, len(group.names), group.per_block)]
    whole = [some for some in names if len(some) == len(names[0])][:12]
    new, decoded = [], []
    for some in whole:
        new.append(seconds(lambda some=some: archive.read(some[len(some) // 2])))
        decoded.append(seconds(lambda some=some: archive.read(some[-1])))
    return {
        "new_s": round(statistics.median(new), 4),
        "new_most_s": round(max(new), 4),
        "decoded_ms": round(1000 * statistics.median(decoded), 3),
    }


def measured_blocks(data: Path, folders: Path, scale: int) -> list[dict[str, Any]]:
    """Measure each kind of set in blocks of each size."""
    rows = []
    for kind, count in SETS.items():
        pictures = a_set(kind, count // scale, data, folders)
        vaezip.compress(dict(list(pictures.items())[:40]), preset=PRESET)  # to compile
        for block in BLOCKS:
            began = time.process_time()
            file = vaezip.compress(pictures, preset=PRESET, block=block, verify=False)
            took = time.process_time() - began
            most = max(group.per_block for group in vaezip.Archive(file).file.groups)
            row = {"set": kind, "pictures": len(pictures), "block": block, "per_block": most, "bytes": len(file)}
            row |= {"compress_s": round(took, 2), **accessed(file)}
            print(json.dumps(row, ensure_ascii=False), flush=True)
            rows.append(row)
    return rows


def first_samples(pictures: list[vaezip.Picture]) -> torch.Tensor:
    """Make a batch of something of each picture, for some differ in size."""
    return torch.tensor([int(np.asarray(picture)[0, 0, 0]) for picture in pictures])


class Shuffled(torch.utils.data.Sampler):
    """Give batches in random order: of pictures at random, or each of the pictures of a block."""

    def __init__(self, blocks: list[range] | int) -> None:
        self.blocks = blocks

    def __iter__(self) -> Iterator[list[int]]:
        if isinstance(self.blocks, int):
            return (some.tolist() for some in torch.randperm(self.blocks).split(BATCH))
        return (list(self.blocks[i]) for i in torch.randperm(len(self.blocks)))

    def __len__(self) -> int:
        return -(-self.blocks // BATCH) if isinstance(self.blocks, int) else len(self.blocks)


def measured_loading(data: Path, folders: Path, scale: int) -> list[dict[str, Any]]:
    """Measure two epochs of a loader, in random order, with so many processes; other programs slow them down."""
    rows = []
    small, large = "photographs of 32×32", "photographs of up to 384×384"
    sets = {
        small: (a_set(small, MANY // scale, data, folders), "photo-small"),
        large: (dict(list(photographs(folders).items())[: PHOTOGRAPHS // scale]), "photo"),
    }
    for kind, (pictures, model) in sets.items():
        file = vaezip.compress(pictures, preset=PRESET, model=model, verify=False)
        for order, workers in product(("pictures", "blocks") if kind == small else ("pictures",), WORKERS):
            archive = vaezip.Archive(file, cache=CACHE)
            batches = Shuffled(archive.blocks() if order == "blocks" else len(archive))
            loader = torch.utils.data.DataLoader(
                archive, batch_sampler=batches, num_workers=workers, collate_fn=first_samples, persistent_workers=True
            )
            first, second = (seconds(lambda loader=loader: list(loader), time.perf_counter) for _ in range(2))
            row = {"set": kind, "pictures": len(pictures), "model": model, "shuffled": order, "workers": workers}
            row |= {"first_epoch_per_s": round(len(pictures) / first, 1)}
            row |= {"second_epoch_per_s": round(len(pictures) / second, 1), "busy": round(os.getloadavg()[0], 1)}
            print(json.dumps(row, ensure_ascii=False), flush=True)
            rows.append(row)
    return rows


def page(found: dict[str, Any]) -> str:
    """Return the tables."""
    lines = [
        "# Random access to sets",
        "",
        "Made by `benchmarks/access.py`: preset 1, a warm process; seconds of a core, but those of loaders.",
        "",
    ]
    lines += [
        "A picture whose block is not decoded yet, the median of up to 12 blocks and the longest; one whose block is.",
        "",
    ]
    lines += [
        "| set | pictures in a block | bytes | of the default | compress, s | new block, s | longest | decoded, ms |"
    ]
    lines += ["|-|-|-|-|-|-|-|-|"]
    rows = found["blocks"]["rows"]
    for row in rows:
        usual = next(one["bytes"] for one in rows if one["set"] == row["set"] and one["block"] is None)
        label = f"{row['per_block']}, the default" if row["block"] is None else row["per_block"]
        lines.append(
            f"| {row['pictures']:,} {row['set']} | {label} | {row['bytes']:,} | {100 * row['bytes'] / usual:.2f} % | "
            f"{row['compress_s']:.0f} | {row['new_s']:.3f} | {row['new_most_s']:.3f} | {row['decoded_ms']:.2f} |"
        )
    lines += [
        "",
        "A `DataLoader` of PyTorch in random order, pictures a second; each process keeps what it has decoded.",
        "",
    ]
    lines += [
        "| set | shuffled | processes | first epoch | second epoch | programs that were running |",
        "|-|-|-|-|-|-|",
    ]
    for row in found["loading"]["rows"]:
        speeds = f"{row['first_epoch_per_s']:,.1f} | {row['second_epoch_per_s']:,.0f} | {row['busy']:.0f} |"
        lines.append(f"| {row['pictures']:,} {row['set']} | {row['shuffled']} | {row['workers']} | {speeds}")
    return "\n".join(lines) + "\n"


PARTS = {"blocks": measured_blocks, "loading": measured_loading}


def main() -> None:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folders", type=Path, required=True)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--quick", action="store_true", help="a tenth of all pictures")
    parser.add_argument("--result", type=Path, help="the JSON to write")
    options = parser.parse_args()
    options.result = options.result or RESULTS / f"access{'-quick' if options.quick else ''}.json"
    found = json.loads(options.result.read_text()) if options.result.exists() else {}
    for part in [options.only] if options.only else PARTS:
        rows = PARTS[part](options.data, options.folders, 10 if options.quick else 1)
        found[part] = {**machine.this_run(), "rows": rows}
        options.result.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    if found.keys() == PARTS.keys():
        options.result.with_suffix(".md").write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
