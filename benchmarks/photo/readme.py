"""Write ``README.md`` from the JSON files of this folder: ``python benchmarks/photo/readme.py``."""

from __future__ import annotations

import argparse
import json
import statistics
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vaezip.bench.plots import duration
from vaezip.bench.report import Facts, ModelRow, PeerRow, Report

Found = dict[str, Any]

HEAD = """# The photograph models

Made by `python benchmarks/photo/readme.py` from the JSON files beside it; no figure here is typed by hand. Bits are
bits per dimension: of a channel of a pixel.
"""

PEERS = {"valid": "Photographs, each a file of its own", "cifar10": "CIFAR-10"}
"""Made by ``vaezip bench``."""

ORDERS = {"set": "one file", "single": "a file each"}
SETS = {"photographs": ("photographs", "each a file of its own"), "cifar10": ("CIFAR-10 test images", "one file")}


def main() -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of the results")
    write(parser.parse_args().out)


def write(folder: Path) -> None:
    """The README of a folder, with what is there."""
    parts = [HEAD]
    parts += [beside_peers(name, found) for name in PEERS if (found := _read(folder, name))]
    parts += [text(found) for name, text in PARTS.items() if (found := _read(folder, name))]
    (folder / "README.md").write_text("\n".join(parts))


def beside_peers(name: str, found: Found) -> str:
    """A benchmark's figures."""
    report = Report.from_dict(found)
    presets = any(row.preset for row in report.models)
    text = (
        f"## {PEERS[name]}\n\nBy `vaezip bench`; all figures in [{name}.json]({name}.json). At K = 0 the pixel network "
        "stays as it is, and what it says is set right, or z is coded where that is shorter; at K = 1 it learns from "
        "each band of rows; from K = 2 on two networks learn from a picture, and more of its orientations are tried"
        f"{'; `-1` … `-9` are presets' * presets}.\n\n"
    )
    rows: list[ModelRow | PeerRow] = [*report.models, *report.peers]
    lines = [[_called(row), ORDERS[row.figures.order], *_rates(row), *_seconds(row)] for row in rows]
    head = ["", "", "bytes", "bits", "compress and verify an image", "decompress an image"]
    return text + _described(report) + table(head, lines) + "\n" + measured_on([_run(report)])


def steps(found: Found) -> str:
    """Rates over K."""
    reports = {name: Report.from_dict(fields) for name, fields in found["sets"].items()}
    about = f"""By `python benchmarks/photo/steps.py --photos FOLDER --data DIR{_steps_options(reports)}`, one thread.
        The pixel network stays as it is; what it gains when it learns is in
        [benchmarks/learning](../learning/README.md). Every file was decoded and compared bit for bit. Seconds to
        compress are without the codec's own verification, which takes as long as decompressing."""
    text = f"## K steps on the posteriors of z\n\n{_filled(about)}\n\n![Bytes over K and over time](steps.png)\n"
    for name, report in reports.items():
        first = report.models[0]
        text += f"\n{_taken(name, report.facts)}, by `{first.model}` ({first.fingerprint}):\n\n"
        text += _described(report)
        head = ["K", "bytes", "bits", f"against K = {first.steps}", "compress an image", "decompress an image"]
        text += table(head, [_at(row, first) for row in report.models])
    runs = [_run(report) for report in reports.values()]
    return text + "\n" + measured_on(run for i, run in enumerate(runs) if run not in runs[:i])


def _steps_options(reports: dict[str, Report]) -> str:
    """Those of ``steps.py`` that the reports tell; each may be of a call of its own."""
    counts = {"limit": reports.get("photographs"), "cifar": reports.get("cifar10")}
    text = "".join(f" --{name} {report.facts.images}" for name, report in counts.items() if report)
    steps = sorted({row.steps for report in reports.values() for row in report.models if row.steps})
    return text + f" --steps {','.join(map(str, steps))}" * bool(steps)


def _taken(name: str, facts: Facts) -> str:
    """How many pictures of a set, which, and in how many files."""
    what, files = SETS[name]
    if facts.seed is None:
        return f"The first {facts.images:,} {what}, {files}"
    return f"{facts.images:,} {what} drawn at random, {files}"


def regression(found: Found) -> str:
    """With the regression and without."""
    seeds = " ".join(dict.fromkeys(str(row["seed"]) for row in found["rows"]))
    about = f"""By `python benchmarks/photo/regression.py --train FOLDER --steps {found["steps"]} --seeds {seeds}`: a
        pixel network of {found["sizes"]["blocks"]} block of {found["sizes"]["hidden"]} hidden units after
        {found["steps"]:,} steps, far from converged; −ELBO in float on the middles of photographs held out. Seconds are
        those of the training on one core."""
    plain = {row["seed"]: row["bpd"] for row in found["rows"] if not row["regressed"]}
    lines = [
        [
            "with" if row["regressed"] else "without",
            str(row["seed"]),
            f"{row['bpd']:.4f}",
            f"{100 * (row['bpd'] / plain[row['seed']] - 1):+.2f} %",
            f"{row['kl_bpd']:.5f}",
            f"{row['parameters']:,}",
            f"{row['seconds']:.0f}",
        ]
        for row in found["rows"]
    ]
    head = ["regression", "seed", "−ELBO, bits", "against none", "of which KL", "parameters", "seconds"]
    return f"## What the regression brings\n\n{_filled(about)}\n\n{table(head, lines)}\n{measured_on(found['runs'])}"


def ablation(found: Found) -> str:
    """What each part brings."""
    s, rows = found["settings"], found["rows"]
    data = s["data"]
    about = f"""By `python benchmarks/photo/ablation.py --train FOLDER --steps {s["steps"]}`: float variants of a small
        model, each unlike the base in one thing, after {s["steps"]:,} steps of {s["tiles"]} tiles of 32×32 out of
        {data["photographs"]:,} photographs. They are far from converged: what learns fast has an advantage here that it
        loses in a long training. −ELBO and its KL are those of the middles of {data["held_out"]} pictures held out
        ({data["values"]:,} values), one sample of z a tile. MAC are all multiplications a pixel, the encoder's
        included. The base is a pixel network of one block, with {_base(s["base"])}. Units that die stay dead, unlike in
        the training of the shipped models."""
    text = f"## What the parts bring\n\n{_filled(about)}\n\n![−ELBO by what was changed](ablation.png)\n"
    for axis, names in found["axes"].items():
        shown = {label: rows[name] for label, name in names.items() if name in rows}
        if shown:
            text += f"\n{_about(axis, found, shown)}\n\n" + _axis(axis, shown, rows.get("base"))
    return text + "\n" + measured_on(found["runs"])


def products(found: Found) -> str:
    """How fast each exact form of a product is."""
    about = f"""By `python benchmarks/photo/products.py`: a layer of {found["units"]} units on as many inputs of
        {found["input_bits"]} bits, with weights of {found["weight_bits"]} bits, in 10⁹ multiplications a second on one
        core; all forms give the same integers. Rows are the pixels that are known at once: one where the decoder goes
        pixel by pixel, up to 32 in its waves, many for the encoder. The codec uses the kernel for all of them; the
        steps on posteriors multiply by BLAS, which PyTorch has on a GPU too."""
    forms = {
        "float64": "float64, BLAS",
        "float32": "float32, BLAS, weights in two parts, 64 inputs a sum",
        "int16": "16-bit integers, compiled kernel",
    }
    lines = [[str(row["rows"]), *(f"{row['gmac_per_second'][form]:.1f}" for form in forms)] for row in found["rows"]]
    text = f"## Exact products\n\n{_filled(about)}\n\n{table(['rows', *forms.values()], lines)}\n"
    return text + measured_on([found["run"]])


def planes(found: Found) -> str:
    """16 bits and alpha."""
    about = f"""By `python benchmarks/photo/planes.py --photos FOLDER --limit {found["photographs"]}`:
        {found["photographs"]} photographs, made pictures of 16 bits in several ways. Bytes are those of the streams,
        without headers, all decoded and compared; per cent are of those where WebP codes the high and the low bytes, as
        former releases did. *High bytes*: a model codes those, WebP the low ones. *Split*: WebP or a model codes the
        upper eight bits of ranks among the values that may occur, and WebP the rest (`vaezip/depth.py`); a file holds
        the shorter. `-1` and `-4` are presets."""
    forms = {
        "bytes, -1": "high bytes, `-1`",
        "bytes, -4": "high bytes, `-4`",
        "split, webp": "split, WebP",
        "split, -1": "split, `-1`",
        "split, -4": "split, `-4`",
        "jxl": "JPEG XL effort 9",
    }
    names = {"RGB": "RGB", "L": "grey"}
    lines = []
    for row in found["deep"]:
        first = row["bytes"]["bytes, webp"]
        shares = [f"{100 * row['bytes'][form] / first:.1f} %" for form in forms]
        lines.append([row["kind"], names[row["mode"]], f"{first:,}", *shares])
    text = f"## 16 bits\n\n{_filled(about)}\n\n{table(['', '', 'bytes by WebP', *forms.values()], lines)}\n"
    return text + _alpha(found) + "\n" + measured_on([found["run"]])


ALPHA_LENGTH = 4
"""Bytes that tell how long alpha is, in every file."""


def _alpha(found: Found) -> str:
    """Alpha planes."""
    about = f"""Alpha planes for the same photographs, drawn or made of them, by WebP and `photo-gray`. A file has the
        shorter, but where WebP takes so little that no model is tried. *Of a file*: what a file with this alpha, whose
        colours take {found["colour"]:,} bytes by `photo` with `-4`, is smaller by than one with alpha by WebP."""
    head = ["", "bytes by WebP", "`photo-gray`, `-1`", "`photo-gray`, `-4`", "of a file"]
    lines = []
    for row in found["alpha"]:
        sizes = row["bytes"]
        by_webp = sizes["webp"] + found["photographs"] * ALPHA_LENGTH
        saved = (by_webp - sizes["stored"]) / (by_webp + found["colour"])
        lines.append([row["kind"], *(f"{sizes[form]:,}" for form in ("webp", "-1", "-4")), f"{100 * saved:.2f} %"])
    return f"### Alpha\n\n{_filled(about)}\n\n{table(head, lines)}"


PARTS = {"steps": steps, "regression": regression, "ablation": ablation, "products": products, "planes": planes}
"""What the other scripts of this folder made."""


def table(head: list[str], rows: list[list[str]]) -> str:
    """In Markdown."""
    return "".join("| " + " | ".join(line) + " |\n" for line in [head, ["-"] * len(head), *rows])


def measured_on(runs: Iterable[Found]) -> str:
    """Machines, versions and commits."""
    text = ""
    for run in runs:
        cores = f"{run['machine']['cores']} cores, {run['machine']['memory_gb']} GB"
        versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
        text += f"Measured on {run['machine']['cpu']}, {cores}; {versions}; commit {run['commit'] or 'unknown'}.\n"
    return text


def _read(folder: Path, name: str) -> Found | None:
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def _run(report: Report) -> Found:
    return {"machine": report.machine, "versions": report.versions, "commit": report.commit}


def _described(report: Report) -> str:
    known = report.facts
    return f"{known.images:,} pictures, {known.dims:,} values; SHA-256 of the pixels {known.sha256[:16]}.\n\n"


def _called(row: ModelRow | PeerRow) -> str:
    return f"`{row.model}` ({row.fingerprint}), {row.called}" if isinstance(row, ModelRow) else row.label


def _rates(row: ModelRow | PeerRow) -> list[str]:
    return [f"{row.figures.bytes:,}", f"{row.figures.bpd:.4f}"]


def _seconds(row: ModelRow | PeerRow) -> list[str]:
    return [duration(row.figures.compress_s), duration(row.figures.decompress_s)]


def _at(row: ModelRow, first: ModelRow) -> list[str]:
    against = f"{100 * (row.figures.bytes / first.figures.bytes - 1):+.3f} %"
    return [str(row.steps), *_rates(row), against, *_seconds(row)]


def _base(base: Found) -> str:
    return (
        f"a context of radius {base['radius']}, {base['hidden']} hidden units, {base['mixture']} logistics a channel "
        f"and a style vector that shifts the hidden units of a tile"
    )


def _about(axis: str, found: Found, shown: dict[str, Found]) -> str:
    """A heading, with what a reader must know."""
    about, settings = "", found["settings"]
    if axis == "encoder":
        about = f"""The base, and its encoder alone trained on for {settings["encoder_steps"]:,} steps while the decoder
            stays as it is: on data, and by reverse half-asleep, where half of the tiles are drawn from the model,
            pixel after pixel, each from the drawn pixels before it and what surrounds the tile, z ~ q(z|x)."""
    if axis == "seed":
        rates = [row["bpd"] for row in shown.values()]
        about = f"""The base with other first weights, tiles and noise: rates lie within {max(rates) - min(rates):.4f}
            bits of each other. A smaller difference above says little."""
    if axis == "seed, no latents":
        base = {label: found["rows"][name]["bpd"] for label, name in found["axes"]["seed"].items() if label in shown}
        costs = [base[label] - row["bpd"] for label, row in shown.items()]
        cost = f"{statistics.mean(costs):+.4f}" + (f" ± {statistics.stdev(costs):.4f}" if len(costs) > 1 else "")
        about = f"""The same without latents. Seed by seed, a style vector adds {cost} bits a value after so short a
            training; less than nothing is a gain. What z is worth to the shipped models, which were trained much
            longer, their cards say."""
    return f"### {axis.capitalize()}" + (f"\n\n{_filled(about)}" if about else "")


def _filled(text: str) -> str:
    """A paragraph in lines of one length."""
    return textwrap.fill(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False)


def _axis(axis: str, shown: dict[str, Found], base: Found | None) -> str:
    head = [axis, "−ELBO, bits", "against the base", "of which KL", "parameters", "MAC a pixel"]
    return table(head, [[label, *_cells(row, base)] for label, row in shown.items()])


def _cells(row: Found, base: Found | None) -> list[str]:
    against = f"{row['bpd'] - base['bpd']:+.4f}" if base else "–"
    sizes = [f"{row[key]:,}" for key in ("parameters", "mac_per_pixel")]
    return [f"{row['bpd']:.4f}", against, f"{row['kl_bpd']:.5f}", *sizes]


if __name__ == "__main__":
    main()
