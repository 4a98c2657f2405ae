"""Measure drawn pictures: the bytes of ours over those of the best of all peers, file by file.

``python benchmarks/graphics.py --data DIR`` takes the pictures of ``DIR/pictures/{screens,graphics,odd}`` of at most
8 bits a sample, without their metadata, each coded by ours and by the peers, decoded again and compared. Writes
``results/graphics.json`` beside this file. ``--most`` leaves larger pictures out.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import vaezip
from vaezip.bench import machine
from vaezip.bench.peers import CODECS, as_given
from vaezip.errors import VaezipError
from vaezip.pictures import io as picture_files

RESULT = Path(__file__).parent / "results" / "graphics.json"
PEERS = ("oxipng", "webp", "jxl-7", "jxl-9")
FOLDERS = ("screens", "graphics", "odd")
MOST = 1 << 20
KEPT = ("palette", "transparency")
SPARE = 16
"""Bytes by which a file may be larger than the best peer's."""


def group4(picture: vaezip.Picture) -> bytes | None:
    """Code a picture of black and white alone as a fax; None is said of any other."""
    values = np.unique(picture.samples)
    if picture.mode not in ("1", "L") or not set(values.tolist()) <= {0, 1 if picture.mode == "1" else 255}:
        return None
    file = io.BytesIO()
    image = Image.fromarray(np.squeeze(picture.samples > 0, axis=2))
    image.save(file, "TIFF", compression="group4")
    with Image.open(io.BytesIO(file.getvalue())) as again:
        assert np.array_equal(np.asarray(again), np.asarray(image))
    return file.getvalue()


def peer_sizes(picture: vaezip.Picture, peers: tuple[str, ...]) -> dict[str, int]:
    """Return the bytes that each peer takes, if it can hold the picture; each is decoded and compared."""
    sizes = {}
    for name in peers:
        codec = CODECS[name]
        if codec.refuses(picture) is None:
            data = codec.encode(picture, 1)
            assert np.array_equal(as_given(codec.decode(data, picture.mode), picture).samples, picture.samples)
            sizes[name] = len(data)
    fax = group4(picture)
    return sizes | ({"group4": len(fax)} if fax else {})


def measured(path: Path, peers: tuple[str, ...], most: int) -> dict[str, Any] | None:
    """Measure a file; None is said of those that are not read, or not of the kind."""
    try:
        picture = picture_files.read(path.read_bytes())
    except VaezipError:
        return None
    height, width = picture.samples.shape[:2]
    if picture.samples.dtype != np.uint8 or height * width > most:
        return None
    picture = vaezip.Picture(picture.mode, picture.samples, tuple(box for box in picture.boxes if box[0] in KEPT))
    began = time.process_time()
    data = vaezip.compress(picture, verify=False)
    between = time.process_time()
    assert vaezip.pictures.same(vaezip.decompress(data), picture)
    ended = time.process_time()
    sizes = peer_sizes(picture, peers)
    methods = sorted({block["method"] for block in vaezip.Archive(data).info()["blocks"]})
    row = {"name": f"{path.parent.name}/{path.name}", "mode": picture.mode, "size": [height, width], "methods": methods}
    row |= {"ours": len(data), **sizes, "share": round(len(data) / min(sizes.values()), 4)}
    row |= {"encode_s": round(between - began, 3), "decode_s": round(ended - between, 3)}
    print(json.dumps(row), flush=True)
    return row


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the bars are about."""
    best = [min(row[peer] for peer in (*PEERS, "group4") if peer in row) for row in rows]
    larger = [row["name"] for row, size in zip(rows, best) if row["ours"] > size + SPARE]
    methods = [method for row in rows for method in row["methods"]]
    return {
        "files": len(rows),
        "geometric_mean": round(math.exp(sum(math.log(row["share"]) for row in rows) / len(rows)), 4),
        "ours": sum(row["ours"] for row in rows),
        "best": sum(best),
        "larger": larger,
        "methods": {method: methods.count(method) for method in sorted(set(methods))},
    }


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--most", type=int, default=MOST, help="pixels; larger pictures are left out")
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args()
    rows = []
    for folder in FOLDERS:
        for path in sorted((options.data / "pictures" / folder).iterdir()):
            rows += [row for row in (measured(path, PEERS, options.most),) if row]
    found = {**machine.this_run(), "peers": PEERS, "most": options.most}
    kinds = {folder: [row for row in rows if row["name"].startswith(folder)] for folder in FOLDERS}
    kinds["bilevel"] = [row for row in rows if "group4" in row]
    found["summary"] = {kind: summary(some) for kind, some in kinds.items() if some} | {"all": summary(rows)}
    options.result.write_text(json.dumps(found | {"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
