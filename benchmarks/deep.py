"""Measure pictures of 9 to 16 bits: the bytes of ours over those of the best of all peers, file by file.

``python benchmarks/deep.py --data DIR`` takes the pictures of ``DIR/pictures/deep``, without their metadata, each coded
by ours and by the peers, decoded again and compared; pages of a TIFF are one set of ours, and files of their own of the
peers. Writes ``results/deep.json`` beside this file.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from graphics import SPARE

import vaezip
from vaezip.bench import machine
from vaezip.bench.peers import CODECS, as_given
from vaezip.pictures import io as picture_files

RESULT = Path(__file__).parent / "results" / "deep.json"
CODED = ("jxl-7", "jxl-9", "jpegls", "png")
PEERS = (*CODED, "jpeg2000", "zstd-difference")
KINDS = {
    "ct": "CT, MR and X-ray", "mr": "CT, MR and X-ray", "xray": "CT, MR and X-ray", "nm": "CT, MR and X-ray",
    "micro": "microscopy", "stack": "stacks", "astro": "astronomy and earth", "goes": "astronomy and earth",
    "sat": "astronomy and earth", "thermal": "astronomy and earth", "depth": "depth", "raw": "sensors and RGB",
    "hdr": "sensors and RGB", "mri": "CT, MR and X-ray",
}  # fmt: skip
"""What a picture is, by the first word of its name."""


def pages(path: Path) -> list[vaezip.Picture]:
    """Read the pages of a file."""
    if path.suffix not in (".tif", ".tiff"):
        picture = picture_files.read(path.read_bytes())
        return [vaezip.Picture(picture.mode, picture.samples)]
    found = tifffile.imread(path)
    found = found.reshape(-1, *found.shape[-2:])
    return [vaezip.Picture("I;16" if page.dtype != np.uint8 else "L", page[..., None].copy()) for page in found]


def difference(picture: vaezip.Picture) -> bytes:
    """Code the differences to the left by zstd at its best, upper bytes apart from lower."""
    rows = picture.samples.astype(np.int64)
    rows[:, 1:] -= picture.samples[:, :-1]
    words = rows.astype(picture.samples.dtype)
    return bytes(imagecodecs.zstd_encode(words.view(np.uint8).reshape(-1, words.itemsize).T.tobytes(), level=19))


def jpeg2000(picture: vaezip.Picture) -> bytes:
    """Code a picture by JPEG 2000 without loss."""
    samples = np.squeeze(picture.samples)
    data = imagecodecs.jpeg2k_encode(samples, level=0, reversible=True, codecformat="jp2")
    assert np.array_equal(imagecodecs.jpeg2k_decode(data), samples)
    return bytes(data)


def peer_sizes(pictures: list[vaezip.Picture]) -> dict[str, int]:
    """Return the bytes that each peer takes, if it can hold the pictures; what a codec made is decoded and compared."""
    sizes = {
        "jpeg2000": sum(len(jpeg2000(picture)) for picture in pictures),
        "zstd-difference": sum(len(difference(picture)) for picture in pictures),
    }
    for name in CODED:
        codec = CODECS[name]
        if any(codec.refuses(picture) for picture in pictures):
            continue
        sizes[name] = 0
        for picture in pictures:
            data = codec.encode(picture, 1)
            assert np.array_equal(as_given(codec.decode(data, picture.mode), picture).samples, picture.samples)
            sizes[name] += len(data)
    return sizes


def measured(path: Path) -> dict[str, Any]:
    """Measure a file."""
    pictures = pages(path)
    samples = sum(picture.samples.size for picture in pictures)
    set_of = {f"{i:04d}.png": picture for i, picture in enumerate(pictures)} if len(pictures) > 1 else pictures[0]
    began = time.process_time()
    data = vaezip.compress(set_of, verify=False, threads=1)
    between = time.process_time()
    archive = vaezip.Archive(data)
    for name, picture in zip(archive.names, pictures):
        assert np.array_equal(archive.read(name).samples, picture.samples)
    ended = time.process_time()
    sizes = peer_sizes(pictures)
    methods = sorted({block["method"] for block in archive.info()["blocks"]})
    row = {"name": path.name, "kind": KINDS[path.name.split("_")[0]], "mode": pictures[0].mode, "methods": methods}
    row |= {"pictures": len(pictures), "samples": samples, "ours": len(data), **sizes}
    row |= {"share": round(len(data) / min(sizes.values()), 4)}
    row |= {
        "encode_us": round(1e6 * (between - began) / samples, 2),
        "decode_us": round(1e6 * (ended - between) / samples, 2),
    }
    print(json.dumps(row), flush=True)
    return row


def mean(rows: list[dict[str, Any]]) -> float:
    """Return the geometric mean of shares."""
    return round(math.exp(sum(math.log(row["share"]) for row in rows) / len(rows)), 4)


def summary(rows: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield what the bars are about."""
    yield "files", len(rows)
    yield "geometric_mean", mean(rows)
    best = [min(row[peer] for peer in PEERS if peer in row) for row in rows]
    yield "ours", sum(row["ours"] for row in rows)
    yield "best", sum(best)
    yield "larger", [row["name"] for row, size in zip(rows, best) if row["ours"] > size + SPARE]
    kinds = sorted({row["kind"] for row in rows})
    yield "kinds", {kind: mean([row for row in rows if row["kind"] == kind]) for kind in kinds}


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args()
    rows = [measured(path) for path in sorted((options.data / "pictures" / "deep").iterdir())]
    result = {**machine.this_run(), "peers": PEERS, "summary": dict(summary(rows)), "rows": rows}
    options.result.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
