"""Measure black and white: pages that are rendered and degraded, and real pictures, beside other codecs.

``python benchmarks/bilevel.py --data DIR`` renders the pages of :mod:`pages` with the photographs of
``DIR/photos/valid``, and takes the pictures of two levels in ``DIR/pictures/{screens,graphics,odd}``. Each is coded by
ours and by WebP, JPEG XL, Group 4 (TIFF) and, where ``pnmtojbig`` of netpbm is installed, JBIG, and decoded again.
Writes ``results/bilevel.json`` beside this file. JBIG2 is not measured: no encoder of it is packaged.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
from graphics import peer_sizes
from pages import Bits, pages
from PIL import Image

import vaezip
from vaezip.bench import machine
from vaezip.errors import VaezipError
from vaezip.models.effort import Effort
from vaezip.models.graphic import coder
from vaezip.pictures import io as picture_files

RESULT = Path(__file__).parent / "results" / "bilevel.json"
PEERS = ("webp", "jxl-9")
FOLDERS = ("screens", "graphics", "odd")
MOST_JXL = 1 << 22
"""Pixels; JPEG XL's best effort takes minutes for larger pictures, and is left out there."""


def jbig(bits: Bits) -> int | None:
    """Return the bytes of JBIG, sequential, with the reach of its adaptive pixel that is best; it is decoded again."""
    if shutil.which("pnmtojbig") is None:
        return None
    file = io.BytesIO()
    Image.fromarray(bits.astype(bool)).save(file, "PPM")
    sizes = []
    for reach in ("0", "8", "127"):
        command = ["pnmtojbig", "-q", "-m", reach]
        done = subprocess.run(command, input=file.getvalue(), stdout=subprocess.PIPE, check=True)
        again = subprocess.run(["jbigtopnm"], input=done.stdout, stdout=subprocess.PIPE, check=True).stdout
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(again))), bits.astype(bool))
        sizes.append(len(done.stdout))
    return min(sizes)


def measured(name: str, bits: Bits) -> dict[str, Any]:
    """Measure a picture."""
    picture = vaezip.Picture("1", np.ascontiguousarray(bits[..., None]), ())
    data = vaezip.compress(picture, verify=False)
    assert vaezip.pictures.same(vaezip.decompress(data), picture)
    peers = PEERS if bits.size <= MOST_JXL else PEERS[:1]
    sizes = peer_sizes(picture, peers)
    fax = group4(vaezip.Picture("1", picture.samples, ()))
    sizes |= {"group4": len(fax)} if fax else {}
    if (size := jbig(bits)) is not None:
        sizes["jbig"] = size
    payload = coder.encode(picture.samples[None], "1", 0, effort=Effort())
    began = time.process_time()
    coder.decode(payload, "1", (1, *picture.samples.shape))
    speed = bits.size / max(time.process_time() - began, 1e-6) / 1e6
    row = {"name": name, "size": list(bits.shape), "ours": len(data), **sizes}
    row |= {"share": round(len(data) / min(sizes.values()), 4), "decoded_megapixels_a_second": round(speed, 2)}
    print(json.dumps(row), flush=True)
    return row


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


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the bars are about."""
    best = [min(size for key, size in row.items() if key in (*PEERS, "group4", "jbig")) for row in rows]
    return {
        "files": len(rows),
        "geometric_mean": round(math.exp(sum(math.log(row["share"]) for row in rows) / len(rows)), 4),
        "ours": sum(row["ours"] for row in rows),
        "best": sum(best),
        "total": round(sum(row["ours"] for row in rows) / sum(best), 4),
        "worst": max(row["share"] for row in rows),
    }


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=2, help="of the pages")
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args()
    photographs = sorted((options.data / "photos" / "valid").iterdir())
    made = [measured(f"pages/{name}", bits) for name, bits in pages(options.seed, photographs)]
    found = [measured(name, bits) for name, bits in real(options.data)]
    kinds = {"pages": made, "real": found, "all": made + found}
    result = {**machine.this_run(), "seed": options.seed, "summary": {k: summary(v) for k, v in kinds.items() if v}}
    options.result.write_text(json.dumps(result | {"rows": made + found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
