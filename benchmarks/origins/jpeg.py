"""Measure pictures that were JPEGs: the bytes of their pixels by our coder over those of the JPEGs.

``python benchmarks/origins/jpeg.py --data DIR`` takes the photographs of ``DIR/photos/valid`` as Pillow writes them at
five qualities, with whole and with halved chroma; the JPEGs of ``DIR/pictures/jpeg`` as they are; and the PNGs of
``DIR/pictures/born``, of whose past nothing is known, with what there is of a JPEG and what the compressor makes of
them. Of the former two, Pillow decodes the pixels, and nothing but these is coded; each is decoded and compared.
``--step N`` takes every Nth photograph. Writes ``results/origins-jpeg.json`` in the folder above, and its tables beside
it; without ``--data``, only the tables.
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import vaezip
from vaezip.bench import machine
from vaezip.codec import blocks, jpeg_pixels
from vaezip.models.effort import Effort
from vaezip.origins.jpeg.search import find, grid, lattice

RESULT = Path(__file__).parents[1] / "results" / "origins-jpeg.json"
QUALITIES = (50, 75, 85, 90, 95)
SUBSAMPLINGS = {"4:4:4": 0, "4:2:0": 2}
BORN = "pictures/born"


def written(files: Iterable[Path], quality: int, subsampling: int) -> Iterable[tuple[str, bytes]]:
    """Give the names of photographs, and the JPEGs that Pillow makes of them."""
    for path in files:
        file = io.BytesIO()
        with Image.open(path) as image:
            image.convert("RGB").save(file, "JPEG", quality=quality, subsampling=subsampling)
        yield path.name, file.getvalue()


def pixels(data: bytes) -> np.ndarray | None:
    """Return the pixels of a picture of grey or of red, green and blue."""
    with Image.open(io.BytesIO(data)) as image:
        if image.mode not in ("L", "RGB"):
            return None
        samples = np.asarray(image)
    return samples.reshape(*samples.shape[:2], -1)


def bands(samples: np.ndarray, mode: str) -> Iterable[np.ndarray]:
    """Cut a picture as the compressor does."""
    band = blocks.new_group(mode, (samples.shape[0], samples.shape[1]), blocks.BLOCK_PIXELS).band
    for top in range(0, samples.shape[0], band):
        yield samples[np.newaxis, top : top + band]


def coded(samples: np.ndarray) -> dict[str, Any] | None:
    """Code and decode a picture, and return what it takes; None where it shows no traces of a JPEG."""
    mode = "L" if samples.shape[2] == 1 else "RGB"
    found: dict[str, Any] = {"ours": 0, "blocks": 0, "explained": 0, "encode_s": 0.0, "decode_s": 0.0}
    for band in bands(samples, mode):
        began = time.process_time()
        if not jpeg_pixels.promises(band, mode):
            return None
        data = jpeg_pixels.encode(band, mode, zlib.crc32(band), effort=Effort())
        between = time.process_time()
        again, checksum = jpeg_pixels.decode(data, mode, band.shape)
        ended = time.process_time()
        assert np.array_equal(again, band)
        assert checksum == zlib.crc32(band)
        found["ours"] += len(data)
        explained, total = jpeg_pixels.explained(data, band.shape)
        found["explained"], found["blocks"] = found["explained"] + explained, found["blocks"] + total
        found["encode_s"], found["decode_s"] = found["encode_s"] + between - began, found["decode_s"] + ended - between
        found["note"] = jpeg_pixels.describe(data, band.shape)
    return found


def traces(samples: np.ndarray) -> dict[str, float]:
    """Return what there is of a JPEG: the share of pixels that libjpeg's colours give, and how much more of the high
    frequencies vanishes in the likeliest grid than in most."""
    parts = [samples[place] for place in find.windows_of(*samples.shape[:2])]
    seen, colours = [(part[..., 0], np.ones(part.shape[:2], np.bool_)) for part in parts], 1.0
    if samples.shape[2] == 3:
        found = [lattice.preimages(part) for part in parts]
        counts = np.sum([np.bincount(known.ravel(), minlength=3) for _, known in found], 0)
        colours = float(counts[lattice.EXACT] / max(1, counts[lattice.EXACT] + counts[lattice.NEAR]))
        seen = [(planes[0], np.ones(known.shape, np.bool_)) for planes, known in found]
    shares = grid.shares(seen)
    usual = float(np.median(shares))
    return {"colours": round(colours, 4), "grid": round((float(shares.max()) - usual) / (1 - usual), 3)}


def whole(samples: np.ndarray) -> dict[str, Any]:
    """Return what a picture takes by the compressor, and by what."""
    data = vaezip.compress(samples.squeeze(-1) if samples.shape[2] == 1 else samples)
    methods = sorted({block["method"] for block in vaezip.Archive(data).info()["blocks"]})
    return {"file": len(data), "methods": methods}


def measured(
    name: str, files: Iterable[tuple[str, bytes]], *, lists: bool = False, looks: bool = False
) -> dict[str, Any]:
    """Code files, and add up what they take; seconds are those of this process, on one thread."""
    row: dict[str, Any] = {"name": name, "files": 0, "found": 0, "pixels": 0, "files_bytes": 0, "ours": 0}
    row |= {"blocks": 0, "explained": 0, "encode_s": 0.0, "decode_s": 0.0}
    listed = []
    for file, data in files:
        samples = pixels(data)
        if samples is None:
            continue
        row["files"] += 1
        found = coded(samples)
        entry = {"name": file, "bytes": len(data), "ours": found and found["ours"], "note": found and found["note"]}
        listed.append(entry | (traces(samples) | whole(samples) if looks else {}))
        if found is None:
            continue
        row["found"] += 1
        row["pixels"] += samples.shape[0] * samples.shape[1]
        row["files_bytes"] += len(data)
        for key in ("ours", "blocks", "explained", "encode_s", "decode_s"):
            row[key] += found[key]
    if row["found"]:
        row["share"] = round(row["ours"] / row["files_bytes"], 4)
        row["explained_share"] = round(row["explained"] / row["blocks"], 4)
        for key in ("encode_s", "decode_s"):
            row[key] = round(row[key], 1)
            row[f"{key}_of_megapixel"] = round(row[key] / row["pixels"] * 1e6, 2)
    missed = [one["name"] for one in listed if one["ours"] is None]
    row |= {"list": listed} if lists else {"missed": missed}
    print(json.dumps(row), flush=True)
    return row


def reason(row: dict[str, Any]) -> str:
    """Say what became of a picture of whose past nothing is known."""
    if "jpeg pixels" in row["methods"]:
        return f"coded so: {row['note']}"
    if row["ours"] is not None:
        return f"{row['note']}; but by other ways it takes less than these {row['ours']:,} bytes"
    if row["colours"] < find.ON_LATTICE:
        return f"none: libjpeg's decoder gives {100 * row['colours']:.0f} % of its colours"
    return f"none: {100 * row['grid']:.0f} % of the high frequencies vanish in the likeliest grid"


def tables(rows: list[dict[str, Any]]) -> str:
    """Word the result."""
    text = "# Pictures that were JPEGs\n\nMade by `python benchmarks/origins/jpeg.py` from `origins-jpeg.json`.\n\n"
    text += "| JPEGs | files | found | bytes of the JPEGs | ours | share | blocks explained |"
    text += " encode, s/MP | decode, s/MP |\n" + "|-" * 9 + "|\n"
    for row in rows:
        if row["name"] != BORN:
            cells = [row[key] for key in ("name", "files", "found")]
            cells += [f"{row['files_bytes']:,}", f"{row['ours']:,}", row["share"]]
            cells += [f"{100 * row['explained_share']:.2f} %"]
            cells += [row[f"{key}_s_of_megapixel"] for key in ("encode", "decode")]
            text += "| " + " | ".join(map(str, cells)) + " |\n"
    text += "\nSeconds are those of one thread.\n\n## Pictures of whose past nothing is known\n\n"
    text += "| PNG | bytes | ours | by | what was found |\n" + "|-" * 5 + "|\n"
    for row in next(row for row in rows if row["name"] == BORN)["list"]:
        by = ", ".join(row["methods"])
        text += f"| {row['name']} | {row['bytes']:,} | {row['file']:,} | {by} | {reason(row)} |\n"
    return text


def main() -> None:
    """Run the command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the data sets")
    parser.add_argument("--step", type=int, default=1, metavar="N", help="take every Nth photograph")
    parser.add_argument("--most", type=int, default=1 << 62, metavar="BYTES", help="leave out greater JPEGs")
    parser.add_argument("--row", default="", metavar="NAME", help="measure this row alone again")
    arguments = parser.parse_args()
    if arguments.data:
        measure(arguments)
    RESULT.with_suffix(".md").write_text(tables(json.loads(RESULT.read_text("utf-8"))["rows"]), "utf-8")


def measure(arguments: argparse.Namespace) -> None:
    """Measure, and write the result; rows that are not asked for stay as they are."""
    data, before = arguments.data, {}
    if arguments.row:
        before = {row["name"]: row for row in json.loads(RESULT.read_text("utf-8"))["rows"]}
    photographs = sorted((data / "photos" / "valid").iterdir())[:: arguments.step]
    found: dict[str, Any] = {}
    for quality in QUALITIES:
        for name, subsampling in SUBSAMPLINGS.items():
            files = written(photographs, quality, subsampling)
            found[f"quality {quality}, {name}"] = functools.partial(measured, files=files)
    for name in (BORN, "pictures/jpeg"):
        paths = [path for path in sorted((data / name).iterdir()) if path.suffix in (".jpg", ".png")]
        most = arguments.most if name != BORN else 1 << 62
        files = ((path.name, path.read_bytes()) for path in paths if path.stat().st_size <= most)
        found[name] = functools.partial(measured, files=files, lists=True, looks=name == BORN)
    rows = [run(name) if arguments.row in ("", name) else before[name] for name, run in found.items()]
    limits = {"step": arguments.step, "most": arguments.most}
    RESULT.write_text(json.dumps({**machine.this_run(), **limits, "rows": rows}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
