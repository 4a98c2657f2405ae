"""Write the figures of the README and of docs/figures.md from the committed results: ``python benchmarks/readme.py``.

``--check`` writes nothing and fails where one of them is not up to date. The plot in the README is drawn, too.

The table by preset is made of ``benchmarks/learning/rates.json``, and of two runs of ``vaezip bench`` on the same
photographs, for what that lacks::

    vaezip bench --dataset FOLDER --limit 4 --model photo --presets 1 --peers png,oxipng,webp --order single \\
        --threads 1 --json benchmarks/results/png.json
    vaezip bench --dataset FOLDER --limit 1 --model photo --presets 1..9 --peers none --order single \\
        --threads 1 --json benchmarks/results/memory.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from vaezip.models.effort import DEFAULT_PRESET

ROOT = Path(__file__).parent.parent
BENCHMARKS = ROOT / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import by_kind  # noqa: E402

BY_KIND = "<!-- kinds: made by benchmarks/readme.py -->", "<!-- end of kinds -->"
BY_PRESET = "<!-- presets: made by benchmarks/readme.py -->", "<!-- end of presets -->"
FIGURES = "<!-- figures: made by benchmarks/readme.py from benchmarks/results/*.json -->", "<!-- end of figures -->"

Found = dict[str, Any]


def main() -> None:
    """Command line of this script."""
    kinds = by_kind.rows()
    made = {
        ROOT / "README.md": [(BY_KIND, by_kind.table(kinds)), (BY_PRESET, presets(*map(_read, PRESET_RESULTS)))],
        ROOT / "docs" / "figures.md": [(FIGURES, table(_read("results/codec.json")))],
    }
    for path, parts in made.items():
        old = new = path.read_text(encoding="utf-8")
        for marks, text in parts:
            new = between(new, marks, text)
        if "--check" not in sys.argv[1:]:
            path.write_text(new, encoding="utf-8")
        elif old != new:
            sys.exit(f"{path.name} is not up to date; run: python benchmarks/readme.py")
    if "--check" not in sys.argv[1:]:
        by_kind.draw(kinds).savefig(ROOT / "docs" / "kinds.png", dpi=130, metadata={"Software": None})


PRESET_RESULTS = "learning/rates.json", "results/png.json", "results/memory.json", "results/codec.json"


def presets(rates: Found, png: Found, memory: Found, codec: Found) -> str:
    """Tell what each preset gains and costs, in a sentence and a table.

    Args:
        rates: of ``learning/rates.py``.
        png: a report of ``vaezip bench`` on the same pictures, with PNG among the peers.
        memory: another, with the peak of each preset.
        codec: of ``codec.py``, with the peak of a huge picture.
    """
    part = rates["sets"]["photographs"]
    peers = part["peers"] | {row["peer"]: row for row in png["peers"] if row["peer"] not in part["peers"]}
    if png["images"] != part["facts"]["pictures"] or png["dims"] != part["facts"]["values"]:
        raise ValueError("the two results are of different pictures")
    megapixels = part["facts"]["pixels"] / 1e6
    peaks = {row["preset"]: row["peak_mb"] for row in memory["methods"]}
    huge = codec["huge_photograph"]
    default = part["presets"][str(DEFAULT_PRESET)]

    def less(peer: str) -> str:
        return f"{100 - 100 * default['bytes'] / peers[peer]['bytes']:.0f} %"

    def row(label: str, found: Found, seconds: tuple[float, float]) -> str:
        shares = [f"{100 * found['bytes'] / peers[peer]['bytes']:.1f} %" for peer in ("png", "webp", "jxl-9")]
        times = [f"{s:.2f}" if s < 1 else f"{s:.0f}" if s >= 10 else f"{s:.1f}" for s in seconds]
        return "| " + " | ".join([label, f"{found['bytes']:,}", *shares, *times]) + " |"

    lines = [
        f"By its default preset vaezip makes photographs {less('png')} smaller than PNG, {less('webp')} smaller than "
        f"lossless WebP and {less('jxl-9')} smaller than JPEG XL at effort 9. It is slow: "
        f"{default['compress_s'] / megapixels:.0f} seconds for each megapixel to compress and verify and "
        f"{default['decompress_s'] / megapixels:.0f} to decompress, on one thread of a processor.",
        "",
        "| preset | bytes | of PNG | of WebP | of JPEG XL 9 | compress, s/MP | decompress, s/MP |",
        "|-|-|-|-|-|-|-|",
    ]
    for preset, found in sorted(part["presets"].items(), key=lambda item: int(item[0])):
        label = f"`-{preset}`" + ", the default" * (int(preset) == DEFAULT_PRESET)
        seconds = found["compress_s"] / megapixels, found["decompress_s"] / megapixels
        lines.append(row(label, found, seconds))
    for peer in ("jxl-9", "jxl-7", "webp", "oxipng", "png"):
        found = peers[peer]
        pictures = 1 if peer in part["peers"] else part["facts"]["pictures"]  # that is per picture, rates.json is not
        seconds = found["compress_s"] * pictures / megapixels, found["decompress_s"] * pictures / megapixels
        lines.append(row(found["label"], found, seconds))
    numbers = sorted({found["run"] for found in (*part["presets"].values(), *part["peers"].values())})
    commits = ", ".join(f"`{rates['runs'][number]['commit'][:10]}`" for number in numbers)
    lines += [
        "",
        f"{part['facts']['pictures']} photographs that the model `{rates['model']}` has not seen, "
        f"{megapixels:.2f} megapixels, each a file, on one thread; metadata left out. Compressing includes "
        "decoding again and comparing, which the others do not do. Such times move by a third and more from machine "
        "to machine and from hour to hour. "
        f"Measured at commits {commits}; PNG and memory at `{png['commit'][:10]}`.",
        "",
        f"Peak memory for a picture of {memory['dims'] / 3e6:.2f} megapixels, Python and compiling included, is "
        f"{peaks[1]:.0f} MB at `-1`, {peaks[DEFAULT_PRESET]:.0f} MB at `-{DEFAULT_PRESET}`, and at most "
        f"{max(peaks.values()):.0f} MB; for one of {huge['megapixels']:g} megapixels it is "
        f"{huge['compress']['peak_mb']:,.0f} MB at `-2`, and {huge['decompress']['peak_mb']:,.0f} MB to decompress.",
    ]
    return "\n".join(lines)


def photographs(report: dict[str, Any]) -> list[str]:
    """Tabulate the photograph model beside its peers."""
    rows = [(f"`{m['model']}`, `--steps {m['steps']}`", m) for m in report["methods"]]
    rows += [(m["label"], m) for m in report["peers"]]
    best = next(m["bytes"] for m in report["peers"] if m["peer"] == "jxl-9")
    head = [
        f"| {report['images']} photographs, each a file, steps by the pixel network "
        "| bytes | bits per sample | of JPEG XL effort 9 |",
        "|-|-|-|-|",
    ]
    body = [f"| {n} | {m['bytes']:,} | {m['bpd']:.3f} | {m['bytes'] / best:.3f} |" for n, m in rows]
    return [*head, *body, "", f"Measured at commit `{report['commit'][:10]}` ({report['created'][:10]})."]


def best_of_digits(found: dict[str, Any]) -> str:
    """The models of digits that make the smallest files, in a sentence."""
    binary, grey = found["mnist-binary-best"], found["mnist-best"]
    return (
        f"In one solid block at K = 0, `mnist-binary-best` takes {binary['bpd']:.4f} bits per pixel for the black and "
        f"white digits, `mnist-best` {grey['bpd']:.4f} for the grey ones."
    )


def small_pictures(report: dict[str, Any]) -> str:
    """The model of small pictures, in a sentence."""
    rates = {m["order"]: m["bpd"] for m in report["methods"]}
    return (
        f"CIFAR-10, all {report['images']:,} test images by `photo-small`: {rates['set']:.3f} bits per sample "
        f"in one file, {rates['single']:.3f} in a file each."
    )


def between(page: str, marks: tuple[str, str], text: str) -> str:
    """Return a page with another text between two marks."""
    before, old = page.split(marks[0])
    return f"{before}{marks[0]}\n\n{text}\n\n{marks[1]}{old.split(marks[1])[1]}"


def table(results: dict[str, Any]) -> str:
    """Rates, then times, in Markdown."""
    rows = [
        "| the 10,000 test images in one file, K steps on each posterior "
        "| bytes | bits per sample | over the model's ELBO | the paper |",
        "|-|-|-|-|-|",
    ]
    paper = {
        "mnist-binary, K = 0": 0.179,
        "mnist-binary, K = 10": 0.1725,
        "mnist, K = 0": 1.552,
        "mnist, K = 10": 1.537,
        "cifar10, K = 0": 4.586,
    }
    for name, r in results["rates"].items():
        rows.append(f"| `{name}` | {r['bytes']:,} | {r['bpd']:.4f} | {r['overhead_percent']:+.2f} % | {paper[name]} |")
    one = results["single_digits"]
    rows += [
        "",
        "The paper's figures are for its first 1,000 images, net of initial bits; ours are bytes on disk.",
        best_of_digits(results["best"]),
        f"One binary digit alone, file and all: {one['mean_bytes']} bytes (its ELBO: {one['mean_elbo_bytes']}).",
        "",
        *photographs(_read("photo/valid.json")),
        "",
        small_pictures(_read("photo/cifar10.json")),
        "What each preset gains on other sets of pictures: [benchmarks/learning](../benchmarks/learning/README.md).",
        "",
        "| command, two cores, `-1` | seconds | peak memory |",
        "|-|-|-|",
    ]
    large = results["large_photograph"]
    mosaic = {f"4,000×3,000 RGB mosaic: {k}": v for k, v in large.items() if isinstance(v, dict)}
    for name, r in (results["command_line"] | mosaic).items():
        rows.append(f"| {name} | {r['seconds']:.2f} | {r['peak_mb']:.0f} MB |")
    rows += [
        "",
        "The mosaic has the size of a photograph, but is made of what `cifar10` draws, over a gradient.",
    ]
    return "\n".join(rows)


def _read(name: str) -> Found:
    found: Found = json.loads((BENCHMARKS / name).read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    main()
