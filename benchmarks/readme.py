"""Write the table of figures in the README from the committed results: ``python benchmarks/readme.py``.

``--check`` writes nothing and fails where the README is not up to date.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from vaezip.bench.plan import called

ROOT = Path(__file__).parent.parent
START, END = "<!-- figures: made by benchmarks/readme.py from benchmarks/results/*.json -->", "<!-- end of figures -->"


def main() -> None:
    """Command line of this script."""
    path = ROOT / "README.md"
    old = path.read_text()
    new = with_figures(old, json.loads((ROOT / "benchmarks" / "results" / "codec.json").read_text()))
    if "--check" in sys.argv[1:]:
        sys.exit(0 if old == new else "README.md is not up to date; run: python benchmarks/readme.py")
    path.write_text(new)


def photographs(report: dict[str, Any]) -> list[str]:
    """The photograph model beside its peers, in Markdown."""
    rows = [(f"`{m['model']}, {called(m['steps'], m.get('preset'))}`", m) for m in report["methods"]]
    rows += [(m["label"], m) for m in report["peers"]]
    best = next(m["bytes"] for m in report["peers"] if m["peer"] == "jxl-9")
    head = [
        f"| {report['images']} photographs, each a file | bytes | bits per sample | of JPEG XL effort 9 |",
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


def with_figures(readme: str, results: dict[str, Any]) -> str:
    """The README with the table between its two marks made anew."""
    before, rest = readme.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n\n{table(results)}\n\n{END}{after}"


def table(results: dict[str, Any]) -> str:
    """Rates, then times, in Markdown."""
    rows = [
        "| the 10,000 test images in one file | bytes | bits per sample | over the model's ELBO | the paper |",
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
        *photographs(json.loads((ROOT / "benchmarks" / "photo" / "valid.json").read_text())),
        "",
        small_pictures(json.loads((ROOT / "benchmarks" / "photo" / "cifar10.json").read_text())),
        "What learning while coding gains, by preset: [benchmarks/learning](benchmarks/learning/README.md).",
        "",
        "| command, two cores, `-1` | seconds | peak memory |",
        "|-|-|-|",
    ]
    large = results["large_photograph"]
    mosaic = {f"4,000×3,000 RGB mosaic: {k}": v for k, v in large.items() if isinstance(v, dict)}
    for name, r in (results["command_line"] | mosaic).items():
        rows.append(f"| {name} | {r['seconds']:.2f} | {r['peak_mb']:.0f} MB |")
    huge = results["huge_photograph"]
    rows += [
        "",
        "The mosaic has the size of a photograph, but is made of what `cifar10` draws, over a gradient. One of "
        f"{huge['megapixels']:g} megapixels takes {huge['compress']['peak_mb']:,.0f} MB to compress at K = 0 and "
        f"{huge['decompress']['peak_mb']:,.0f} MB to decompress.",
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    main()
