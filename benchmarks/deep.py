"""Measure pictures of 9 to 16 bits: the bytes of ours over those of the best of all peers, file by file.

``python benchmarks/deep.py --data DIR`` takes the pictures of ``DIR/pictures/deep``, without their metadata, each coded
by ours and by the peers, decoded again and compared; pages of a TIFF are one set of ours, and files of their own of the
peers. ``--peers JSON`` takes the sizes of peers that an earlier result has, for effort 10 of JPEG XL takes minutes. The
time and the memory of some pictures stand beside those of pictures of 8 bits, of as many samples. Writes
``results/deep.json`` beside this file.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from graphics import SPARE

import vaezip
from vaezip.bench import machine
from vaezip.bench.memory import peak_mb
from vaezip.bench.peers import CODECS, as_given
from vaezip.pictures import io as picture_files

RESULT = Path(__file__).parent / "results" / "deep.json"
CODED = ("jxl-7", "jxl-9", "jxl-10", "jpegls", "png")
PEERS = (*CODED, "jpeg2000", "zstd-difference")
KINDS = {
    "ct": "CT, MR and X-ray", "mr": "CT, MR and X-ray", "xray": "CT, MR and X-ray", "nm": "CT, MR and X-ray",
    "micro": "microscopy", "stack": "stacks", "astro": "astronomy and earth", "goes": "astronomy and earth",
    "sat": "astronomy and earth", "thermal": "astronomy and earth", "depth": "depth", "raw": "sensors and RGB",
    "hdr": "sensors and RGB", "mri": "CT, MR and X-ray",
}  # fmt: skip
"""What a picture is, by the first word of its name."""

SLOWEST, MOST_PIXELS = "jxl-10", 1 << 20
"""The peer that takes minutes for a picture, and the greatest picture that it is asked for."""

TIMED, REPEATS = ("ct_neck.png", "goes_water_vapour.png", "micro_hela_rgb12.png"), 3
NARROW = {"I;16": "L", "RGB;16": "RGB"}


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


def peer_sizes(pictures: list[vaezip.Picture], known: dict[str, Any]) -> dict[str, int]:
    """Return the bytes that each peer takes, if it can hold the pictures; what a codec made is decoded and compared."""
    if all(name in known for name in PEERS):
        return {name: known[name] for name in PEERS}
    sizes = {
        "jpeg2000": sum(len(jpeg2000(picture)) for picture in pictures),
        "zstd-difference": sum(len(difference(picture)) for picture in pictures),
    }
    for name in CODED:
        codec = CODECS[name]
        if any(codec.refuses(picture) for picture in pictures) or (name == SLOWEST and _is_large(pictures)):
            continue
        sizes[name] = 0
        for picture in pictures:
            data = codec.encode(picture, 1)
            assert np.array_equal(as_given(codec.decode(data, picture.mode), picture).samples, picture.samples)
            sizes[name] += len(data)
    return sizes


def _is_large(pictures: list[vaezip.Picture]) -> bool:
    return max(picture.samples[..., 0].size for picture in pictures) > MOST_PIXELS


def narrowed(picture: vaezip.Picture) -> vaezip.Picture:
    """Return a picture of 8 bits, of as many samples: from black to the greatest sample."""
    samples = picture.samples.astype(np.int64) * 255 // int(picture.samples.max())
    return vaezip.Picture(NARROW[picture.mode], samples.astype(np.uint8))


def _seconds(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _peak_mb(picture: vaezip.Picture) -> float:
    """Return the most memory that a process has while it codes and decodes a picture."""
    vaezip.decompress(vaezip.compress(picture, verify=False, threads=1))
    return round(peak_mb() or 0.0, 1)


def _peak_of(picture: vaezip.Picture) -> float:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_peak_mb, picture).result()


def timed(path: Path) -> dict[str, Any]:
    """Measure a picture beside one of 8 bits: the medians of processor time, in turn, and memory."""
    pair = (pages(path)[0], narrowed(pages(path)[0]))
    data = [vaezip.compress(picture, verify=False, threads=1) for picture in pair]
    encode: list[list[float]] = [[], []]
    decode: list[list[float]] = [[], []]
    for _ in range(REPEATS):
        for i, picture in enumerate(pair):
            encode[i].append(_seconds(lambda one=picture: vaezip.compress(one, verify=False, threads=1)))
            decode[i].append(_seconds(lambda one=data[i]: vaezip.decompress(one)))
    peaks = [_peak_of(picture) for picture in pair]
    row = {"name": path.name, "samples": pair[0].samples.size, "repeats": REPEATS}
    for name, seconds in (("encode", encode), ("decode", decode)):
        medians = [statistics.median(some) for some in seconds]
        row |= {f"{name}_us": [round(1e6 * one / pair[0].samples.size, 2) for one in medians]}
        row |= {f"{name}_ratio": round(medians[0] / medians[1], 3)}
    row |= {"peak_mb": peaks, "peak_ratio": round(peaks[0] / peaks[1], 3)}
    print(json.dumps(row), flush=True)
    return row


def measured(path: Path, known: dict[str, Any]) -> dict[str, Any]:
    """Measure a file, of whose peers the sizes may be known."""
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
    sizes = peer_sizes(pictures, known)
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
    parser.add_argument("--peers", type=Path, help="an earlier result")
    options = parser.parse_args()
    earlier = json.loads(options.peers.read_text())["rows"] if options.peers else []
    known = {row["name"]: row for row in earlier}
    folder = options.data / "pictures" / "deep"
    rows = [measured(path, known.get(path.name, {})) for path in sorted(folder.iterdir())]
    beside = [timed(folder / name) for name in TIMED]
    result = {**machine.this_run(), "peers": PEERS, "summary": dict(summary(rows)), "rows": rows}
    result |= {"beside_8_bits": beside, "slowest_peer": {"name": SLOWEST, "most_pixels": MOST_PIXELS}}
    options.result.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
