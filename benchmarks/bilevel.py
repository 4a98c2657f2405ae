"""Measure black and white: pages that are rendered and degraded, and real pictures, beside other codecs.

``python benchmarks/bilevel.py --data DIR`` renders the pages of :mod:`pages` with the photographs of
``DIR/photos/valid``, and takes the pictures of two levels in ``DIR/pictures/{screens,graphics,odd}``. Each is coded by
ours, by the peers of :mod:`graphics` and by those of :mod:`bilevel_peers`, and decoded again, the smallest first.
Writes ``results/bilevel.json`` beside this file, and keeps what was measured in ``results/bilevel-part.json``, as
:mod:`graphics` does; ``--seconds`` ends it early.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from functools import partial
from pathlib import Path
from typing import Any

import bilevel_peers
import numpy as np
from graphics import PEERS, kept_sizes, measure_peers
from measured import Found, Kept, digest_of, digest_of_source
from pages import Bits, pages

import vaezip
from vaezip.bench import machine
from vaezip.bench.peers import CODECS
from vaezip.errors import VaezipError
from vaezip.models.effort import Effort
from vaezip.models.graphic import coder
from vaezip.pictures import io as picture_files

RESULT = Path(__file__).parent / "results" / "bilevel.json"
FOLDERS = ("screens", "graphics", "odd")


def picture_of(bits: Bits) -> vaezip.Picture:
    """Return a picture of black and white."""
    return vaezip.Picture("1", np.ascontiguousarray(bits[..., None]), ())


def ours(picture: vaezip.Picture) -> Found:
    """Measure ours: bytes, and how fast its stream is decoded."""
    data = vaezip.compress(picture, verify=False, threads=1)
    assert vaezip.pictures.same(vaezip.decompress(data), picture)
    payload = coder.encode(picture.samples[None], "1", 0, effort=Effort())
    began = time.process_time()
    coder.decode(payload, "1", (1, *picture.samples.shape))
    speed = picture.samples.size / max(time.process_time() - began, 1e-6) / 1e6
    return {"ours": len(data), "decoded_megapixels_a_second": round(speed, 2), "commit": machine.commit()}


def row_of(kept: Kept, name: str, bits: Bits) -> Found | None:
    """Return what is kept of a picture; None if that is not all."""
    digest = digest_of(picture_of(bits))
    found, sizes = kept.get(digest, "ours"), kept_sizes(kept, digest)
    if found is None or sizes is None:
        return None
    best = min(sizes.values())
    row = {"name": name, "size": list(bits.shape), **found, **sizes, "best": best}
    row["share"] = round(found["ours"] / best, 4)
    return row | {"of_this_source": kept.is_new(digest, "ours", digest_of_source())}


def real(data: Path) -> list[tuple[str, Bits]]:
    """Return the real pictures of two levels."""
    found = []
    for path in sorted(path for folder in FOLDERS for path in (data / "pictures" / folder).iterdir()):
        try:
            picture = picture_files.read(path.read_bytes())
        except VaezipError:
            continue
        if picture.mode in ("1", "L") and picture.samples.size > 64 and len(levels := np.unique(picture.samples)) == 2:
            found.append((f"{path.parent.name}/{path.name}", (picture.samples[..., 0] == levels[1]).astype(np.uint8)))
    return found


def summary(rows: list[Found]) -> Found:
    """Return what the bars are about."""
    ours_all, best = sum(row["ours"] for row in rows), sum(row["best"] for row in rows)
    return {
        "files": len(rows),
        "geometric_mean": round(math.exp(sum(math.log(row["share"]) for row in rows) / len(rows)), 4),
        "ours": ours_all,
        "best": best,
        "total": round(ours_all / best, 4),
        "worst": max(row["share"] for row in rows),
        "slowest": min(row["decoded_megapixels_a_second"] for row in rows),
    }


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=2, help="of the pages")
    parser.add_argument("--seconds", type=float, default=math.inf, help="after which no other picture is begun")
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args()
    kept = Kept(options.result.with_name(f"{options.result.stem}-part.json"))
    photographs = sorted((options.data / "photos" / "valid").iterdir())
    found = [(f"pages/{name}", bits) for name, bits in pages(options.seed, photographs)] + real(options.data)
    began = time.monotonic()
    ours(picture_of(found[0][1]))  # kernels are compiled
    for name, bits in sorted(found, key=lambda one: one[1].size):
        if time.monotonic() - began > options.seconds:
            break
        digest = digest_of(picture_of(bits))
        kept.measure(digest, "ours", digest_of_source(), partial(ours, picture_of(bits)))
        measure_peers(kept, digest, picture_of(bits))
        print(json.dumps(row_of(kept, name, bits)), flush=True)
    rows = [row for row in (row_of(kept, name, bits) for name, bits in found) if row]
    reached = {row["name"] for row in rows}
    kinds = {"pages": [row for row in rows if row["name"].startswith("pages/")], "all": rows}
    kinds["real"] = [row for row in rows if row not in kinds["pages"]]
    result: dict[str, Any] = {**machine.this_run(), "seed": options.seed}
    result["peers"] = {peer: CODECS[peer].version() for peer in PEERS}
    result["peers_missing"] = bilevel_peers.missing()
    result["left_out"] = {name: "was not reached" for name, _ in found if name not in reached}
    result["summary"] = {kind: summary(some) for kind, some in kinds.items() if some}
    options.result.write_text(json.dumps(result | {"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
