"""Measure JPEG files: the bytes of ours over those of the files, each decoded again and compared byte for byte.

``python benchmarks/jpeg.py --data DIR`` takes the JPEGs of ``DIR/pictures/jpeg`` as they are, and the photographs of
``DIR/photos/valid`` as Pillow writes them at five qualities, with whole and with halved chroma. Writes
``results/jpeg.json`` beside this file.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

import vaezip
from vaezip.bench import machine

RESULT = Path(__file__).parent / "results" / "jpeg.json"
QUALITIES = (50, 75, 85, 90, 95)
SUBSAMPLINGS = {"4:4:4": 0, "4:2:0": 2}


def written(files: Iterable[Path], quality: int, subsampling: int) -> Iterable[bytes]:
    """Give the JPEGs that Pillow makes of photographs."""
    for path in files:
        file = io.BytesIO()
        with Image.open(path) as image:
            image.convert("RGB").save(file, "JPEG", quality=quality, subsampling=subsampling)
        yield file.getvalue()


def measured(name: str, files: Iterable[bytes]) -> dict[str, Any]:
    """Code and decode files, and add up what they take; seconds are those of this process, on one thread."""
    row: dict[str, Any] = {"name": name, "files": 0, "pixels": 0, "jpeg": 0, "ours": 0, "verbatim": 0}
    row |= {"encode_s": 0.0, "decode_s": 0.0}
    for data in files:
        began = time.process_time()
        coded = vaezip.compress(data, verify=False)
        between = time.process_time()
        archive = vaezip.Archive(coded)
        assert archive.original() == data
        ended = time.process_time()
        info = archive.info()
        picture = info["pictures"][0]
        row["files"] += 1
        row["pixels"] += picture.get("width", 0) * picture.get("height", 0)
        row["jpeg"] += len(data)
        row["ours"] += len(coded)
        row["verbatim"] += info["blocks"][0]["method"] == "verbatim"
        row["encode_s"] += between - began
        row["decode_s"] += ended - between
    row["share"] = round(row["ours"] / row["jpeg"], 4)
    print(json.dumps(row), flush=True)
    return row


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    data = parser.parse_args().data
    photographs = sorted((data / "photos" / "valid").iterdir())
    measured("one, so that kernels are compiled", written(photographs[:1], 75, 2))
    real = (path.read_bytes() for path in sorted((data / "pictures" / "jpeg").iterdir()))
    rows = [measured("pictures/jpeg", real)]
    for quality in QUALITIES:
        for name, subsampling in SUBSAMPLINGS.items():
            rows.append(measured(f"quality {quality}, {name}", written(photographs, quality, subsampling)))
    total = {key: sum(row[key] for row in rows) for key in ("files", "jpeg", "ours", "verbatim")}
    total["share"] = round(total["ours"] / total["jpeg"], 4)
    RESULT.write_text(json.dumps({**machine.this_run(), "rows": rows, "total": total}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
