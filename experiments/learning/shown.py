"""Write ``README.md`` from ``variants.json``, ``passes.json``, ``rows.json`` and ``sets.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from vaezip.bench.plots import COLOURS, GREY
from vaezip.models.effort import PRESETS

Found = dict[str, Any]

HEAD = """# Other ways of learning while coding

No figure here is typed by hand. What learning while coding gains as the codec does it is in
[benchmarks/learning](../../benchmarks/learning/README.md); what came of these experiments, in
[experiments](../README.md).
"""
_VARIANTS = """
## What pays: variants in float

Made by `python experiments/learning/variants.py --photos FOLDER` from `variants.json`: experiments in float32 around
the codec's setting (K = 1, bands of 2 rows, 128 pixels a step, z = 0), on crops of training photographs that training
held out, some of them made unlike the others; bits per value with z where it is told, no file written. Mixtures are as
the network gives them, but for the rows of what is set right; the codec does so always. Rates are relative to the
codec's; one that a row names was chosen on these crops. Costs are passes of a pixel through the network, one backward
counted as two, in the decoder, and how many times as much in the encoder.
"""
_NO_META = "\nThe rows with a meta-trained start were skipped: no `--meta FILE` was given.\n"
_PASSES = """
## How often to learn from a band

Made by `python experiments/learning/passes.py --photos FOLDER` from `passes.json`: the codec's own bits on such
crops, bands of 2 rows, one orientation. The rates are half of one that suits the passes, that one, and twice as
much. So whoever asks for more than one step by `--steps` gets a second network beside the first and more orientations
tried, and from four and six steps on the best two and three of them in full.
"""
_ROWS = """
## After how many rows to learn, and from how many pixels

Made by `python experiments/learning/rows.py --photos FOLDER` from `rows.json`: files of photographs that training held
out, at K = 1. A wave has no more pixels than a row group has rows, and the network takes as long for a few pixels as
for many: so higher row groups take less time, and what they lose in bytes a little less thinning gets back.
"""
_SETS = """
## The rate for sets of small pictures

Made by `python experiments/learning/sets.py --data DIR --images {images}` from `sets.json`: training images of CIFAR-10
in one file, the codec's own bits at K = 1, bands of 2 rows.
"""


def publish(path: Path) -> None:
    """Write the README of the folder that results lie in, with what is there."""
    path.with_name("README.md").write_text(HEAD + sections(path.parent))


def sections(folder: Path) -> str:
    """Return the parts of the README that the files of a folder give."""
    text = ""
    for name, section in (("variants", of_variants), ("passes", of_passes), ("rows", of_rows), ("sets", of_sets)):
        path = folder / f"{name}.json"
        text += section(json.loads(path.read_text())) if path.exists() else ""
    return text


def of_variants(found: Found) -> str:
    """The check against the codec, and the table."""
    text = _VARIANTS + f"\nThe model is `{found['model']}` ({found['fingerprint']}).\n"
    text += "\n![Gain of each variant](variants.png)\n\n"
    text += _table(_checks(found))
    lines = [["", "variant", "bits per value", "against no learning", "against the codec's", "passes", "encoder"]]
    lines.append(["-"] * 7)
    group = ""
    for label, row in found["variants"].items():
        if row["bpd"] is not None:
            ratios = [_percent(row["of_none"]), _percent(row["of_codec"])]
            costs = [f"{row['cost']:g}", f"× {row['choices']:g}"]
            lines.append([row["group"] * (row["group"] != group), label, f"{row['bpd']:.4f}", *ratios, *costs])
            group = row["group"]
    return text + "\n" + _table(lines) + _meta(found) + _run_on(found)


def _checks(found: Found) -> list[list[str]]:
    """The floats beside the codec's own intervals, without learning and with it."""
    kinds = {"nothing adapts": ("no learning", "codec_bpd"), "set right, learning": ("set right", "codec_learnt_bpd")}
    head = [part for kind in kinds for part in (f"float, {kind}", f"codec, {kind}", "difference")]
    lines = [["picture", "values", *head], ["-"] * 8]
    rows = found["variants"]
    for name, facts in found["pictures"].items():
        height, width, channels = facts["shape"]
        cells = [facts["kind"] or "as it is", f"{height * width * channels:,}"]
        for label, key in kinds.values():
            cell, exact = rows.get(label, {"cells": {}})["cells"].get(name), facts.get(key)
            known = cell and exact
            cells += [f"{cell['bpd']:.4f}", f"{exact:.4f}", _percent(cell["bpd"] / exact)] if known else ["–"] * 3
        lines.append(cells)
    return lines


def _meta(found: Found) -> str:
    """How long the start was trained, or that it was not measured."""
    trained = next((row["trained"] for row in found["variants"].values() if row.get("trained")), None)
    if not trained:
        return _NO_META
    crops = trained["crops"] // trained["steps"]
    return (
        f"\nThe meta-trained start: {trained['minutes']:g} minutes of one core, {trained['steps']:,} steps of {crops} "
        "crops of training photographs, by `meta.py` from the shipped weights.\n"
    )


def of_passes(found: Found) -> str:
    """The table of passes and rates."""
    text = _PASSES + f"\n{found['values']:,} values; the model is `{found['model']}` ({found['fingerprint']}).\n\n"
    lines = [["passes", "rate, in 1/16384", "bits per value", "against no learning"], ["-"] * 4]
    none = next((row for row in found["rows"].values() if not row["passes"]), None)
    for row in found["rows"].values():
        learnt = [str(row["passes"]), str(row["rate"])] if row["passes"] else ["none", "–"]
        lines.append([*learnt, f"{row['bpd']:.4f}", _percent(row["bpd"] / none["bpd"] if none else None)])
    return text + _table(lines) + _run_on(found)


def of_rows(found: Found) -> str:
    """The table of row groups and thinning."""
    megapixels = found["pixels"] / 1e6
    text = _ROWS + f"\n{megapixels:.2f} megapixels; the model is `{found['model']}` ({found['fingerprint']}).\n\n"
    lines = [["rows", "one pixel in", "preset", "bytes", "compress, s/MP", "decompress, s/MP"], ["-"] * 6]
    presets = {(effort.rows, effort.thin): f"`-{n}`" for n, effort in PRESETS.items() if effort.steps == 1}
    for row in found["rows"].values():
        times = [f"{row[part] / megapixels:.1f}" for part in ("compress_s", "decompress_s")]
        preset = presets.get((row["rows"], row["thin"]), "")
        lines.append([str(row["rows"]), str(row["thin"]), preset, f"{row['bytes']:,}", *times])
    return text + _table(lines) + _run_on(found)


def of_sets(found: Found) -> str:
    """The table of rates."""
    text = _SETS.format(images=found["images"])
    text += f"\n{found['images']:,} images; the model is `{found['model']}` ({found['fingerprint']}).\n\n"
    lines = [["rate, in 1/16384", "bits per value", "against no learning"], ["-"] * 3]
    none = found["rows"].get("0")
    for rate, row in sorted(found["rows"].items(), key=lambda item: int(item[0])):
        against = _percent(row["bpd"] / none["bpd"] if none else None)
        name = f"{rate}, the codec's" if int(rate) == found.get("codec") else rate if rate != "0" else "no learning"
        lines.append([name, f"{row['bpd']:.4f}", against])
    return text + _table(lines) + _run_on(found)


def draw(found: Found) -> Figure:
    """A bar for each variant that learns: bits against the codec's setting."""
    rows = [(label, row) for label, row in found["variants"].items() if row["of_codec"] and row["cost"] > 1]
    figure = Figure(figsize=(9.0, 1.2 + 0.27 * len(rows)), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12))
    axes = figure.subplots()
    gains = [100 * (row["of_codec"] - 1) for _, row in rows]
    groups = list(dict.fromkeys(row["group"] for _, row in rows))
    colours = [COLOURS[groups.index(row["group"]) % len(COLOURS)] for _, row in rows]
    axes.barh(range(len(rows)), gains, color=colours)
    axes.set_yticks(range(len(rows)), [label for label, _ in rows])
    axes.invert_yaxis()
    axes.axvline(0, color=GREY, lw=1)
    axes.set_xlabel("bits against those of the codec's setting, % (less is better)")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _percent(ratio: float | None) -> str:
    return f"{100 * (ratio - 1):+.2f} %" if ratio else "–"


def _table(lines: list[list[str]]) -> str:
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _run_on(found: Found) -> str:
    commits = dict.fromkeys(run["commit"] or "unknown" for run in found["runs"])
    return f"\nCommit {', '.join(commits)}.\n"
