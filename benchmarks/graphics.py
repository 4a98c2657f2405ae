"""Measure drawn pictures: the bytes of ours over those of the best of all peers, file by file.

``python benchmarks/graphics.py --data DIR`` takes the pictures of ``DIR/pictures/{screens,graphics,odd}`` of at most
8 bits a sample, without their metadata, the smallest first, each coded by ours and by the peers, decoded again and
compared. Writes ``results/graphics.json`` and ``.md`` beside this file. What was measured is kept in
``results/graphics-part.json``: the same call goes on where it was cut, and measures again what other source measured;
``--seconds`` ends it early. Then the result says what was left out, and which rows are of an older commit.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import bilevel_peers
import numpy as np
from measured import Found, Kept, digest_of, digest_of_source

import vaezip
from vaezip.bench import machine
from vaezip.bench.peers import CODECS, as_bits, as_given
from vaezip.codec import choice, encoding, forms, jobs
from vaezip.errors import VaezipError
from vaezip.models.graphic.model import Coding
from vaezip.pictures import io as picture_files

RESULT = Path(__file__).parent / "results" / "graphics.json"
PEERS = ("oxipng", "webp", "jxl-7", "jxl-9", "jxl-10")
FOLDERS = ("screens", "graphics", "odd")
KEPT = ("palette", "transparency")
SPARE = 16
"""Bytes by which a file may be larger than the best peer's."""

_FEW_COLOURS, _FLAT = 256, 0.95

_TIMED = 1 << 16
"""Pixels of the files whose times are told: of smaller ones opening a file takes most."""


class Watch:
    """Tell what goes on while ours codes: the seconds of the choice and of the check, and the bytes of the decisions
    that are kept of a pixel."""

    def __init__(self) -> None:
        self.choice = self.check = 0.0
        self.kept_bytes = 0.0
        self._depth = 0

    def watching(self) -> ExitStack:
        """Put functions that do the same, and tell, in the place of those that are watched."""
        watched = ExitStack()
        for module, name, told in (
            (jobs, "prepared", partial(self._timed, "choice")),
            (encoding, "prepared", partial(self._timed, "choice")),
            (choice, "prepared", partial(self._timed, "choice")),
            (choice, "promising", partial(self._timed, "choice")),
            (encoding, "check", partial(self._timed, "check")),
            (forms, "check", partial(self._timed, "check")),
            (Coding, "encode", self._weighed),
        ):
            watched.enter_context(patch.object(module, name, told(getattr(module, name))))
        return watched

    def _timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function whose time counts for a name, but within others that are watched, where it counts once."""

        def timed(*arguments: Any) -> Any:
            self._depth += 1
            began = time.process_time()
            try:
                return function(*arguments)
            finally:
                self._depth -= 1
                if not self._depth:
                    setattr(self, name, getattr(self, name) + time.process_time() - began)

        return timed

    def _weighed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def weighed(coding: Coding) -> Any:
            found = function(coding)
            self.kept_bytes = max(self.kept_bytes, sum(part.nbytes for part in found) / coding.pixels.size)
            return found

        return weighed


def bits_of(picture: vaezip.Picture) -> vaezip.Picture | None:
    """Return a picture of black and white as bits; None of any other."""
    found = as_bits(picture)
    return found if found.mode == "1" else None


def size_by(picture: vaezip.Picture, peer: str) -> dict[str, int]:
    """Return the bytes that a peer takes, if it can hold the picture; it is decoded and compared."""
    codec = CODECS[peer]
    if codec.refuses(picture) is not None:
        return {}
    data = codec.encode(picture, 1)
    assert np.array_equal(as_given(codec.decode(data, picture.mode), picture).samples, picture.samples)
    return {peer: len(data)}


def peer_sizes(picture: vaezip.Picture, peers: tuple[str, ...]) -> dict[str, int]:
    """Return the bytes that each peer takes, and those for bilevel pictures."""
    found = {name: size for peer in peers for name, size in size_by(picture, peer).items()}
    bits = bits_of(picture)
    return found | (bilevel_peers.sizes(bits.samples[..., 0]) if bits else {})


def kind_of(picture: vaezip.Picture) -> str:
    """Tell what a picture is, for the speed: bilevel, of a palette, flat, or of smooth edges."""
    samples = picture.samples
    if bits_of(picture):
        return "bilevel"
    if len(np.unique(samples.reshape(-1, samples.shape[2]), axis=0)) <= _FEW_COLOURS:
        return "palette"
    same = (samples[:, 1:] == samples[:, :-1]).all(axis=2).mean()
    return "flat" if same >= _FLAT else "antialiased"


def ours(picture: vaezip.Picture) -> Found:
    """Measure ours."""
    watch = Watch()
    with watch.watching():
        began = time.process_time()
        data = vaezip.compress(picture, verify=False, threads=1)
        between = time.process_time()
        assert vaezip.pictures.same(vaezip.decompress(data), picture)
        ended = time.process_time()
    methods = sorted({block["method"] for block in vaezip.Archive(data).info()["blocks"]})
    found = {"methods": methods, "ours": len(data), "commit": machine.commit()}
    found |= {"encode_s": round(between - began, 3), "decode_s": round(ended - between, 3)}
    return found | {"choice_s": round(watch.choice, 4), "kept_bytes_a_pixel": round(watch.kept_bytes, 2)}


def pictures(data: Path, folders: tuple[str, ...] = FOLDERS) -> Iterator[tuple[str, vaezip.Picture | None, str]]:
    """Yield the name of each file, its picture without metadata, and why there is none."""
    for path in (path for folder in folders for path in sorted((data / "pictures" / folder).iterdir())):
        name = f"{path.parent.name}/{path.name}"
        try:
            picture = picture_files.read(path.read_bytes())
        except VaezipError as error:
            yield name, None, str(error)
            continue
        if picture.samples.dtype != np.uint8:
            yield name, None, "has more than 8 bits a sample"
            continue
        yield name, vaezip.Picture(picture.mode, picture.samples, tuple(b for b in picture.boxes if b[0] in KEPT)), ""


def measure(kept: Kept, picture: vaezip.Picture) -> None:
    """Measure ours and the peers, whatever is not kept."""
    digest = digest_of(picture)
    kept.measure(digest, "ours", digest_of_source(), lambda: ours(picture))
    measure_peers(kept, digest, picture)


def measure_peers(kept: Kept, digest: str, picture: vaezip.Picture) -> None:
    """Measure the peers, whatever is not kept."""
    for peer in PEERS:
        kept.measure(digest, peer, CODECS[peer].version(), partial(size_by, picture, peer))
    bits = bits_of(picture)
    if bits:
        lacking = " ".join(bilevel_peers.missing())
        kept.measure(digest, "bilevel", f"without {lacking}", lambda: bilevel_peers.sizes(bits.samples[..., 0]))


def row_of(kept: Kept, name: str, picture: vaezip.Picture) -> Found | None:
    """Return what is kept of a picture; None if that is not all."""
    digest = digest_of(picture)
    found, sizes = kept.get(digest, "ours"), kept_sizes(kept, digest)
    if found is None or sizes is None:
        return None
    best = min(sizes.values())
    row = {"name": name, "mode": picture.mode, "size": list(picture.samples.shape[:2]), "kind": kind_of(picture)}
    row |= found | sizes | {"best": best, "share": round(found["ours"] / best, 4)}
    return row | {"of_this_source": kept.is_new(digest, "ours", digest_of_source())}


def kept_sizes(kept: Kept, digest: str) -> dict[str, int] | None:
    """Return the bytes that the peers take of a picture; None if not all were measured."""
    coded = [kept.get(digest, peer) for peer in PEERS]
    if None in coded:
        return None
    return {name: size for one in (*coded, kept.get(digest, "bilevel") or {}) for name, size in one.items()}


def mean(shares: list[float]) -> float:
    """Return the geometric mean."""
    return round(math.exp(sum(map(math.log, shares)) / len(shares)), 4)


def summary(rows: list[Found]) -> Found:
    """Return what the bars on bytes are about."""
    best, total = sum(row["best"] for row in rows), sum(row["ours"] for row in rows)
    methods = [method for row in rows for method in row["methods"]]
    return {
        "files": len(rows),
        "geometric_mean": mean([row["ours"] / row["best"] for row in rows]),
        "ours": total,
        "best": best,
        "total": round(total / best, 4),
        "larger": [row["name"] for row in rows if row["ours"] > row["best"] + SPARE],
        "methods": {method: methods.count(method) for method in sorted(set(methods))},
    }


def speeds(rows: list[Found]) -> Found:
    """Return what the bars on time and memory are about: of large files that the coder of drawn pictures codes, by
    kind."""
    found: Found = {}
    for kind in ("bilevel", "palette", "flat", "antialiased"):
        drawn = [row for row in rows if row["kind"] == kind and row["methods"] == ["graphic"]]
        some = [row for row in drawn if math.prod(row["size"]) >= _TIMED]
        if not some:
            continue
        pixels = [math.prod(row["size"]) for row in some]
        times = {part: sum(row[f"{part}_s"] for row in some) for part in ("encode", "decode", "choice")}
        found[kind] = {
            "files": len(some),
            "megapixels": round(sum(pixels) / 1e6, 2),
            "decoded_megapixels_a_second": round(sum(pixels) / 1e6 / times["decode"], 2),
            "encoded_megapixels_a_second": round(sum(pixels) / 1e6 / times["encode"], 2),
            "choice_share": round(times["choice"] / times["encode"], 4),
            "most_kept_bytes_a_pixel": max(row["kept_bytes_a_pixel"] for row in some),
        }
    return found


def result(kept: Kept, data: Path) -> Found:
    """Return the rows that are there, and what they say."""
    rows, left_out = [], {}
    for name, picture, why in pictures(data):
        row = row_of(kept, name, picture) if picture is not None else None
        if row:
            rows.append(row)
        else:
            left_out[name] = why or "was not reached"
    kinds = {folder: [row for row in rows if row["name"].startswith(folder)] for folder in FOLDERS}
    kinds["drawn"] = kinds["screens"] + kinds["graphics"]
    kinds["bilevel"] = [row for row in rows if row["kind"] == "bilevel"]
    found = {**machine.this_run(), "peers": {peer: CODECS[peer].version() for peer in PEERS}}
    found["peers_missing"] = bilevel_peers.missing()
    found["summary"] = {kind: summary(some) for kind, some in kinds.items() if some}
    return found | {"speeds": speeds(rows), "left_out": left_out, "rows": rows}


def tables(found: Found) -> str:
    """Put what the result says into tables."""
    lines = [
        "# Drawn pictures",
        "",
        f"Ours beside the best of {', '.join(found['peers'])}, and for black and white Group 4, JBIG and JBIG2, file by"
        f" file; {len(found['rows'])} of {len(found['rows']) + len(found['left_out'])} files, those left out with the"
        " reason in `graphics.json`. Made by `benchmarks/graphics.py`.",
        "",
        "| pictures | files | bytes of ours | of the best | ratio | geometric mean | larger files |",
        "|-|-|-|-|-|-|-|",
    ]
    for kind, row in found["summary"].items():
        lines.append(
            f"| {kind} | {row['files']} | {row['ours']:,} | {row['best']:,} | {row['total']:.3f} |"
            f" {row['geometric_mean']:.3f} | {', '.join(row['larger']) or 'none'} |"
        )
    lines += [
        "",
        f"What the coder of drawn pictures codes, of {_TIMED:,} pixels and more, in seconds of a core:",
        "",
        "| kind | files | megapixels | decoded, MP/s | encoded, MP/s | choice, of the time |"
        " kept bytes a pixel, at most |",
        "|-|-|-|-|-|-|-|",
    ]
    for kind, row in found["speeds"].items():
        lines.append(
            f"| {kind} | {row['files']} | {row['megapixels']} | {row['decoded_megapixels_a_second']} |"
            f" {row['encoded_megapixels_a_second']} | {row['choice_share']:.3f} | {row['most_kept_bytes_a_pixel']} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=math.inf, help="after which no other picture is begun")
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args()
    kept = Kept(options.result.with_name(f"{options.result.stem}-part.json"))
    began = time.monotonic()
    found = [(name, picture) for name, picture, _ in pictures(options.data) if picture is not None]
    found.sort(key=lambda one: one[1].samples[..., 0].size)
    ours(found[0][1])  # kernels are compiled
    for name, picture in found:
        if time.monotonic() - began > options.seconds:
            break
        measure(kept, picture)
        print(json.dumps(row_of(kept, name, picture)), flush=True)
    found_all = result(kept, options.data)
    options.result.write_text(json.dumps(found_all, indent=1) + "\n", "utf-8")
    options.result.with_suffix(".md").write_text(tables(found_all), "utf-8")


if __name__ == "__main__":
    main()
