"""What vaezip makes of each kind of picture, from the committed results: a table and a plot for the README.

``readme.py`` calls it; nothing is measured here.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

BENCHMARKS = Path(__file__).parent
Found = dict[str, Any]

PNG, WEBP, JPEG_XL = "PNG", "WebP lossless", "JPEG XL effort 9"
CODECS = PNG, WEBP, JPEG_XL
"""The peers that the table names, where a result has them."""


@dataclass(frozen=True)
class Row:
    """A kind of pictures.

    Attributes:
        name: of the kind.
        files: how many there are.
        result: path of the JSON below ``benchmarks``.
        ours: bytes of all of them by vaezip.
        peers: bytes of all of them by other codecs.
    """

    name: str
    files: int
    result: str
    ours: int
    peers: dict[str, int]


def rows() -> list[Row]:
    """Read the results, a row a kind."""
    return [row for result, read in READERS.items() for row in read(result, _read(result))]


def table(found: list[Row]) -> str:
    """Tabulate our bytes as shares of those of the peers, in Markdown."""
    lines = [
        f"| pictures | files | of {' | of '.join(CODECS)} | measured |",
        "|-|-|" + "-|" * (len(CODECS) + 1),
    ]
    for row in found:
        shares = [f"{100 * row.ours / row.peers[c]:.0f} %" if c in row.peers else "" for c in CODECS]
        link = f"[{Path(row.result).stem}](benchmarks/{row.result})"
        lines.append(f"| {row.name} | {row.files:,} | {' | '.join(shares)} | {link} |")
    return "\n".join(lines)


def draw(found: list[Row]) -> Figure:
    """Plot bytes by kind: those of JPEG XL are 100, and ours and the others' are beside it."""
    found = [row for row in found if JPEG_XL in row.peers]
    figure = Figure(figsize=(9, 0.62 * len(found) + 1.1), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / (len(CODECS) + 1)
    colours = dict(zip((*CODECS, "vaezip"), ("#c9ccd1", "#9aa3ad", "#5f6b78", "#c2410c"), strict=True))
    for place, codec in enumerate((*CODECS, "vaezip")):
        for y, row in enumerate(found):
            size = row.ours if codec == "vaezip" else row.peers.get(codec)
            if size is None:
                continue
            share = 100 * size / row.peers[JPEG_XL]
            label = codec if row is next(r for r in found if codec in r.peers or codec == "vaezip") else None
            axes.barh(y + (place - 1.5) * height, share, height, color=colours[codec], label=label)
            axes.text(share + 1, y + (place - 1.5) * height, f"{share:.0f}", va="center", fontsize=7)
    axes.set_yticks(range(len(found)), [textwrap.fill(row.name, 34) for row in found])
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.set_xlabel("bytes; those of JPEG XL effort 9 are 100")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower right", frameon=False, fontsize=8)
    return figure


def _published(result: str, found: Found) -> Iterable[Row]:
    names = {
        "native": "photographs, fresh",
        "born": "photographs that were JPEGs, lossy WebPs or video frames before",
    }
    kinds = {kind["kind"]: kind for kind in found["kinds"]}
    for kind, name in names.items():
        total = kinds[kind]["total"]
        peers = {PNG: total["oxipng"], WEBP: total["webp"], JPEG_XL: total["jpegxl 9"]}
        yield Row(name, len(kinds[kind]["pictures"]), result, total["ours"], peers)


def _graphics(result: str, found: Found) -> Iterable[Row]:
    drawn = [row for row in found["rows"] if row["name"].split("/")[0] in ("screens", "graphics")]
    names = {PNG: "oxipng", WEBP: "webp", JPEG_XL: "jxl-9"}
    yield _summed("screenshots, drawings, icons", result, drawn, names)


def _bilevel(result: str, found: Found) -> Iterable[Row]:
    yield _summed("black and white pages", result, found["rows"], {WEBP: "webp", JPEG_XL: "jxl-9"})


def _deep(result: str, found: Found) -> Iterable[Row]:
    yield _summed("9 to 16 bits: medicine, science, raw", result, found["rows"], {PNG: "png", JPEG_XL: "jxl-9"})


def _small(result: str, found: Found) -> Iterable[Row]:
    (ours,) = (m["bytes"] for m in found["methods"] if m["order"] == "set")
    peers = {p["label"]: p["bytes"] for p in found["peers"] if p["order"] == "set" and p["label"] in CODECS}
    yield Row("small pictures, all in one file", found["images"], result, ours, peers)


def _summed(name: str, result: str, found: list[Found], names: dict[str, str]) -> Row:
    peers = {codec: sum(row[key] for row in found) for codec, key in names.items() if all(key in r for r in found)}
    return Row(name, len(found), result, sum(row["ours"] for row in found), peers)


def _read(result: str) -> Found:
    found: Found = json.loads((BENCHMARKS / result).read_text(encoding="utf-8"))
    return found


READERS: dict[str, Callable[[str, Found], Iterable[Row]]] = {
    "results/origins-published.json": _published,
    "results/graphics.json": _graphics,
    "results/bilevel.json": _bilevel,
    "results/deep.json": _deep,
    "photo/cifar10.json": _small,
}
"""What reads which result."""
