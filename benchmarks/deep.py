"""Measure pictures of 9 to 16 bits: the bytes of ours over those of the best of all peers, file by file.

``python benchmarks/deep.py --data DIR`` takes the pictures of ``DIR/pictures/deep``, without their metadata, each coded
by ours and by the peers, decoded again and compared; pages of a TIFF are one set of ours, and files of their own of the
peers. ``--peers JSON`` takes the sizes of peers that an earlier result has, for effort 10 of JPEG XL takes minutes. The
memory of some pictures stands beside that of pictures of 8 bits, of as many samples.

``--photo FILE`` is for the time: that of each file of many samples, at the default preset, stands beside that of the
upper eight bits of its own samples, and that of a crop of this photograph of 8 bits, of as many samples and channels;
where the photograph is smaller, it goes on mirrored. In one process, whose kernels are compiled, each is coded and
decoded in turn, and the medians are taken. What was measured is kept in ``results/deep-part.json``: the same call goes
on where it was cut, and measures again what other source measured; ``--seconds`` ends it early, and the smallest files
go first.

Writes ``results/deep.json`` beside this file; ``--only`` and ``--names`` say what is measured, and the rest stays.
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
from measured import Kept, digest_of, digest_of_source

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

PARTS = ("sizes", "memory", "time")
WEIGHED = ("ct_neck.png", "goes_water_vapour.png", "micro_hela_rgb12.png")
"""The files whose memory is told."""

TIMED, REPEATS = 1 << 16, 3
"""Samples of the files whose time is told, at least."""

NARROW = {"I;16": "L", "RGB;16": "RGB"}
BESIDE = ("upper bits", "photograph")
"""What the time of a deep picture stands beside."""


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


def narrowed(pictures: list[vaezip.Picture]) -> list[vaezip.Picture]:
    """Return pictures of 8 bits, of as many samples: from black to the greatest sample."""
    top = max(int(picture.samples.max()) for picture in pictures)
    return [
        vaezip.Picture(NARROW[one.mode], (one.samples.astype(np.int64) * 255 // top).astype(np.uint8))
        for one in pictures
    ]


def crops(photo: vaezip.Picture, pictures: list[vaezip.Picture]) -> list[vaezip.Picture]:
    """Return parts of a photograph of the sizes of pictures, no two the same: they go down it one after the other, and
    begin again, further to the right, where they have gone down and up, for equal pictures are coded once."""
    found, top = [], 0
    for one in pictures:
        height, width, channels = one.samples.shape
        rows, columns, _ = photo.samples.shape
        samples = photo.samples[..., :channels] if channels > 1 else photo.samples.mean(axis=2, keepdims=True)
        left = top // (2 * rows) * width
        part = samples.round().astype(np.uint8)[_mirrored(top, height, rows)][:, _mirrored(left, width, columns)]
        found.append(vaezip.Picture(NARROW[one.mode], np.ascontiguousarray(part)))
        top += height
    return found


def _mirrored(start: int, count: int, size: int) -> Any:
    """Return indices from a start on, which turn round at both ends."""
    places = np.arange(start, start + count) % (2 * size)
    return np.minimum(places, 2 * size - 1 - places)


def _as_input(pictures: list[vaezip.Picture]) -> Any:
    """Return what is coded: a picture, or a set of pages."""
    return {f"{i:04d}.png": picture for i, picture in enumerate(pictures)} if len(pictures) > 1 else pictures[0]


def _coded(pictures: list[vaezip.Picture]) -> bytes:
    return vaezip.compress(_as_input(pictures), verify=False, threads=1)


def _decoded(data: bytes) -> None:
    archive = vaezip.Archive(data)
    for name in archive.names:
        archive.read(name)


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


def weighed(path: Path) -> dict[str, Any]:
    """Measure the memory of a picture beside that of its upper bits."""
    deep = pages(path)[:1]
    peaks = [_peak_of(picture) for picture in (*deep, *narrowed(deep))]
    row = {"name": path.name, "samples": deep[0].samples.size, "peak_mb": peaks}
    return row | {"peak_ratio": round(peaks[0] / peaks[1], 3)}


def timed(path: Path, photo: vaezip.Picture) -> dict[str, Any]:
    """Measure the time of a file beside those of pictures of 8 bits: the medians of processor time, in turn."""
    deep = pages(path)
    inputs = {"deep": deep, BESIDE[0]: narrowed(deep), BESIDE[1]: crops(photo, deep)}
    data = {name: _coded(pictures) for name, pictures in inputs.items()}  # which compiles what is not yet
    for coded in data.values():
        _decoded(coded)
    spent: dict[str, dict[str, list[float]]] = {"encode": {}, "decode": {}}
    for _ in range(REPEATS):
        for name, pictures in inputs.items():
            spent["encode"].setdefault(name, []).append(_seconds(lambda some=pictures: _coded(some)))
            spent["decode"].setdefault(name, []).append(_seconds(lambda some=data[name]: _decoded(some)))
    samples = sum(picture.samples.size for picture in deep)
    row: dict[str, Any] = {"name": path.name, "samples": samples}
    for direction, seconds in spent.items():
        medians = {name: statistics.median(some) for name, some in seconds.items()}
        row[f"{direction}_us"] = {name: round(1e6 * one / samples, 2) for name, one in medians.items()}
        row[f"{direction}_ratio"] = {name: round(medians["deep"] / medians[name], 3) for name in BESIDE}
    print(json.dumps(row), flush=True)
    return row


def times(folder: Path, names: list[str] | None, photo: Path, *, kept: Kept, seconds: float) -> dict[str, Any]:
    """Measure the times of files, the smallest first, until so many seconds are over; what was measured is taken."""
    picture, state, ends, rows = picture_files.read(photo.read_bytes()), digest_of_source(), time.time() + seconds, []
    beside = digest_of(picture)
    size_of = {path: sum(one.samples.size for one in pages(path)) for path in folder.iterdir()}
    for path in sorted((path for path in size_of if size_of[path] >= TIMED), key=lambda path: size_of[path]):
        if time.time() < ends and (names is None or path.name in names):
            kept.measure(path.name, beside, state, lambda path=path: timed(path, picture))
        if kept.is_new(path.name, beside, state):
            rows.append(kept.get(path.name, beside))
    found: dict[str, Any] = {**machine.this_run(), "photograph": photo.name, "repeats": REPEATS, "files": len(rows)}
    for direction in ("encode", "decode"):
        found[f"{direction}_geometric_mean"] = {
            name: geometric_mean([row[f"{direction}_ratio"][name] for row in rows]) for name in BESIDE
        }
    return found | {"rows": rows}


def geometric_mean(ratios: list[float]) -> float | None:
    """Return the geometric mean of ratios, if there are any."""
    return round(math.exp(sum(map(math.log, ratios)) / len(ratios)), 4) if ratios else None


def measured(path: Path, known: dict[str, Any]) -> dict[str, Any]:
    """Measure a file, of whose peers the sizes may be known."""
    pictures = pages(path)
    samples = sum(picture.samples.size for picture in pictures)
    began = time.process_time()
    data = _coded(pictures)
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


def mean(rows: list[dict[str, Any]]) -> float | None:
    """Return the geometric mean of shares."""
    return geometric_mean([row["share"] for row in rows])


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


def sizes(paths: list[Path], known: list[dict[str, Any]], peers: dict[str, Any]) -> dict[str, Any]:
    """Measure files, and return these rows and those that are known of others, with what the bars are about."""
    rows = {row["name"]: row for row in known}
    rows |= {path.name: measured(path, peers.get(path.name, {})) for path in paths}
    of_all = [rows[name] for name in sorted(rows)]
    return {"summary": dict(summary(of_all)), "rows": of_all}


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--result", type=Path, default=RESULT)
    parser.add_argument("--peers", type=Path, help="an earlier result")
    parser.add_argument("--photo", type=Path, help="a photograph of 8 bits, for the time")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this; may be repeated")
    parser.add_argument("--names", nargs="+", help="of files to measure")
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no file after so many, for the time")
    options = parser.parse_args()
    parts = options.only or PARTS
    if "time" in parts and not options.photo:
        parser.error("the time is measured beside that of a photograph: --photo FILE")
    folder = options.data / "pictures" / "deep"
    paths = [path for path in sorted(folder.iterdir()) if not options.names or path.name in options.names]
    result: dict[str, Any] = json.loads(options.result.read_text()) if options.result.exists() else {}
    if not options.names:
        result |= {"peers": PEERS, "slowest_peer": {"name": SLOWEST, "most_pixels": MOST_PIXELS}}
        result |= machine.this_run() if "sizes" in parts else {}
    if "sizes" in parts:
        earlier = json.loads(options.peers.read_text())["rows"] if options.peers else []
        known = result.get("rows", []) if options.names else []
        result |= sizes(paths, known, {row["name"]: row for row in earlier})
    if "memory" in parts:
        result["memory"] = {**machine.this_run(), "rows": [weighed(folder / name) for name in WEIGHED]}
    if "time" in parts:
        kept = Kept(options.result.with_name(f"{options.result.stem}-part.json"))
        result["time"] = times(folder, options.names, options.photo, kept=kept, seconds=options.seconds)
    options.result.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
