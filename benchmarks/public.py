"""Measure sets of photographs as the field does: Kodak, CLIC, DIV2K, Urban100, LPCB, UCID, or any folder.

``python benchmarks/public.py --data DIR`` takes each folder in ``DIR`` that holds pictures as a set of the name of
the folder, or ``DIR`` itself, and prints a table for each: bits a pixel and bits a sample of vaezip, JPEG XL by
efforts 9 and 10, lossless WebP and PNG. ``--cjxl PROGRAM`` adds JPEG XL by ``-e 9 -g 3``, and ``--paq8px PROGRAM``
the best of the archivers. Of a picture, the pixels alone are coded; what each codec made is decoded and compared.
Writes ``results/public.json`` and ``results/public.md`` beside this file, or ``--result``, after each picture: the
same call goes on where it was cut, and ``--draw`` measures nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import vaezip
from vaezip.bench import machine
from vaezip.bench.peers import CODECS, as_given
from vaezip.models.effort import DEFAULT_PRESET, PRESETS
from vaezip.pictures import datasets
from vaezip.pictures.formats import BY_SUFFIX
from vaezip.pictures.picture import Picture

RESULT = Path(__file__).parent / "results" / "public.json"
PEERS = ("jxl-9", "jxl-10", "webp", "png")
REFERENCE = "jxl-9"
LABELS = {
    "jxl-9": "JPEG XL, effort 9",
    "jxl-9-g3": "JPEG XL, `cjxl -e 9 -g 3`",
    "jxl-10": "JPEG XL, effort 10",
    "webp": "WebP lossless",
    "png": "PNG",
    "paq8px": "paq8px, `-8`",
}

Coder = Callable[[Picture], bytes | None]
Row = dict[str, Any]


class DifferentError(Exception):
    """What a codec gives back is not what it was given."""


def compare(decoded: Picture, picture: Picture, coder: str) -> None:
    """Refuse what differs."""
    if not np.array_equal(as_given(decoded, picture).samples, picture.samples):
        raise DifferentError(f"{coder} gives another picture back")


def by_vaezip(picture: Picture, *, preset: int) -> bytes:
    """Code a picture by a preset."""
    data = vaezip.compress(picture, preset=preset, verify=False, threads=1)
    compare(vaezip.decompress(data, threads=1), picture, "vaezip")
    return data


def by_peer(picture: Picture, *, name: str) -> bytes | None:
    """Code a picture by a peer of ``vaezip bench``; None where it cannot hold it."""
    codec = CODECS[name]
    if codec.refuses(picture) is not None:
        return None
    data = codec.encode(picture, 1)
    compare(codec.decode(data, picture.mode), picture, name)
    return data


def by_cjxl(picture: Picture, *, program: str) -> bytes:
    """Code a picture by the program of libjxl, in groups of 1024×1024."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.png"), Path(folder, "out.jxl")
        source.write_bytes(vaezip.pictures.write(picture, ".png"))
        command = [program, str(source), str(target), "-d", "0", "-e", "9", "-g", "3", "--num_threads", "0"]
        subprocess.run(command, check=True, capture_output=True)
        data = target.read_bytes()
    compare(CODECS["jxl-9"].decode(data, picture.mode), picture, program)
    return data


def by_paq8px(picture: Picture, *, program: str) -> bytes | None:
    """Code a picture by paq8px as the file of PNM that it knows; None where there is none of the mode."""
    suffix = next((suffix for suffix in (".ppm", ".pgm") if BY_SUFFIX[suffix].holds(picture.mode)), None)
    if suffix is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, packed, again = (Path(folder, name) for name in (f"in{suffix}", "packed", f"again{suffix}"))
        source.write_bytes(vaezip.pictures.write(picture, suffix))
        subprocess.run([program, "-8", str(source), str(packed)], check=True, capture_output=True)
        subprocess.run([program, "-d", str(packed), str(again)], check=True, capture_output=True)
        compare(vaezip.pictures.read(again), picture, program)
        return packed.read_bytes()


def coders(options: argparse.Namespace) -> dict[str, Coder]:
    """Return what codes, by its name."""
    found: dict[str, Coder] = {f"vaezip-{n}": partial(by_vaezip, preset=n) for n in options.presets}
    found |= {name: partial(by_peer, name=name) for name in PEERS}
    if options.cjxl:
        found["jxl-9-g3"] = partial(by_cjxl, program=options.cjxl)
    if options.paq8px:
        found["paq8px"] = partial(by_paq8px, program=options.paq8px)
    return found


def sets(data: Path) -> dict[str, Path]:
    """Return the folders of the sets by their names."""
    below = [folder for folder in sorted(data.iterdir()) if folder.is_dir() and datasets.files(folder)]
    return {folder.name: folder for folder in below or [data]}


def described(of: str, name: str, picture: Picture) -> Row:
    """Describe a picture that nothing has measured."""
    height, width, channels = picture.samples.shape
    digest = hashlib.sha256(picture.samples.tobytes()).hexdigest()[:16]
    form = {"mode": picture.mode, "pixels": height * width, "channels": channels, "sha256": digest}
    return {"set": of, "name": name, **form, "bytes": {}}


def measure(row: Row, picture: Picture, by: dict[str, Coder]) -> None:
    """Measure a picture by whatever has not measured it."""
    for coder in (coder for coder in by if coder not in row["bytes"]):
        data = by[coder](picture)
        row["bytes"][coder] = None if data is None else len(data)


def label(coder: str) -> str:
    """Return the name of a coder for people."""
    return LABELS.get(coder) or f"vaezip `-{coder.removeprefix('vaezip-')}`"


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the table of a set: its coders, the one that takes the fewest bytes first."""
    pixels = sum(row["pixels"] for row in rows)
    samples = sum(row["pixels"] * row["channels"] for row in rows)
    shared = set.intersection(*({coder for coder, size in row["bytes"].items() if size} for row in rows))
    total = {coder: sum(row["bytes"][coder] for row in rows) for coder in shared}
    yield f"## {rows[0]['set']}: {len(rows)} picture{'s' * (len(rows) != 1)}, {pixels / 1e6:.2f} megapixels"
    yield ""
    yield "| | bytes | bits a pixel | bits a sample | the same, mean of pictures | against JPEG XL 9 |"
    yield "|-|-|-|-|-|-|"
    for coder in sorted(total, key=lambda coder: total[coder]):
        mean = sum(8 * row["bytes"][coder] / (row["pixels"] * row["channels"]) for row in rows) / len(rows)
        against = f"{100 * total[coder] / total[REFERENCE] - 100:+.2f} %" if REFERENCE in total else "–"
        rates = (8 * total[coder] / pixels, 8 * total[coder] / samples, mean)
        cells = [label(coder), f"{total[coder]:,}", *(f"{rate:.4f}" for rate in rates), against]
        yield f"| {' | '.join(cells)} |"
    unfit = sorted({coder for row in rows for coder in row["bytes"]} - shared)
    if unfit:
        yield ""
        yield f"Not measured on all of these pictures: {', '.join(map(label, unfit))}."
    yield ""


def page(result: dict[str, Any]) -> str:
    """Return the tables of all sets."""
    names = list(dict.fromkeys(row["set"] for row in result["rows"]))
    lines = [
        "# Photographs, as the field measures them",
        "",
        "Made by `python benchmarks/public.py` from `public.json`; no figure here is typed by hand. Each picture is a",
        "file of its own, pixels alone, decoded again and compared.",
        "",
        *(line for name in names for line in table([row for row in result["rows"] if row["set"] == name])),
    ]
    return "\n".join(lines)


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--presets", type=lambda text: [int(n) for n in text.split(",")], default=[DEFAULT_PRESET])
    parser.add_argument("--cjxl", metavar="PROGRAM")
    parser.add_argument("--paq8px", metavar="PROGRAM")
    parser.add_argument("--draw", action="store_true")
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args(given)
    if not options.draw and options.data is None:
        parser.error("give --data DIR, or --draw")
    if not set(options.presets) <= set(PRESETS):
        parser.error(f"presets are {min(PRESETS)} to {max(PRESETS)}")
    return options


def main(given: Sequence[str] | None = None) -> None:
    """Measure, write the result, and print the tables."""
    options = arguments(given)
    result = json.loads(options.result.read_text()) if options.result.exists() else {"rows": []}
    if not options.draw:
        known = {(row["set"], row["name"]): row for row in result["rows"]}
        by = coders(options)
        for of, folder in sets(options.data).items():
            for name, picture in datasets.collection(folder).select(options.limit):
                row, before = described(of, name, picture), known.get((of, name))
                known[of, name] = before if before and {**before, "bytes": {}} == row else row
                measure(known[of, name], picture, by)
                result = {**machine.this_run(), "rows": list(known.values())}
                options.result.write_text(json.dumps(result, indent=1) + "\n")
    text = page(result)
    options.result.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
