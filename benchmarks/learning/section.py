"""Write ``docs/learning.md`` and its plot from committed results: ``python benchmarks/learning/section.py``.

It measures nothing. ``--check`` writes nothing and fails where the page is not up to date.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE, PLOT = ROOT / "docs" / "learning.md", ROOT / "docs" / "learning.png"
RESULTS = {
    "rates": "benchmarks/learning/rates.json",
    "valid": "benchmarks/photo/valid.json",
    "steps": "benchmarks/photo/steps.json",
    "variants": "experiments/learning/variants.json",
    "passes": "experiments/learning/passes.json",
    "regression": "experiments/photo/regression.json",
}
WIDTH = 118
KINDS = {"": "as it is", "gamma, sharpened": "gamma, sharpened", "resampled": "resampled", "film grain": "film grain"}
NOTHING, CALIBRATED, LEARNT, BOTH = "no learning", "set right, no learning", "as the codec", "set right"

Found = dict[str, Any]


def main() -> None:
    """Command line of this script."""
    found = {name: json.loads((ROOT / path).read_text(encoding="utf-8")) for name, path in RESULTS.items()}
    text = page(found)
    if "--check" in sys.argv[1:]:
        old = PAGE.read_text(encoding="utf-8")
        sys.exit(0 if old == text else "docs/learning.md is not up to date; run: python benchmarks/learning/section.py")
    PAGE.write_text(text, encoding="utf-8")
    plot(crops(found["variants"]))


def change(new: float, old: float) -> str:
    """Word what is added to the old, in per cent."""
    return f"{100 * new / old - 100:+.2f} %".replace("-", "−")


def less(new: float, old: float) -> str:
    """Word by how much the new is less than the old, in per cent."""
    return f"{100 - 100 * new / old:.2f} %"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a table of Markdown."""
    lines = [head, ["-"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def by_kind(rates: Found) -> dict[str, dict[str, int]]:
    """Return the bytes of files by kind of picture and preset."""
    sets = rates["sets"]
    found = {"as it is": {n: row["bytes"] for n, row in sets["photographs"]["presets"].items()}}
    for kind in sets["unlike"]["facts"]["kinds"]:
        found[kind] = {n: row["kinds"][kind] for n, row in sets["unlike"]["presets"].items()}
    return found


def crops(variants: Found) -> dict[str, dict[str, float]]:
    """Return the mean bits of a value of crops, by kind of picture and variant."""
    found = {}
    for kind, name in KINDS.items():
        ids = [i for i, picture in variants["pictures"].items() if picture["kind"] == kind]
        cells = {key: variants["variants"][key]["cells"] for key in (NOTHING, CALIBRATED, LEARNT, BOTH)}
        found[name] = {key: sum(cell[i]["bpd"] for i in ids) / len(ids) for key, cell in cells.items()}
    return found


def prose(text: str) -> str:
    """Fill the lines of paragraphs and of items."""
    filled = []
    for paragraph in re.split(r"\n\n|\n(?=- )", text.strip()):
        indent = "  " if paragraph.startswith("- ") else ""
        joined = " ".join(paragraph.split())
        filled.append(textwrap.fill(joined, WIDTH, subsequent_indent=indent, break_on_hyphens=False))
    return "\n\n".join(filled).replace("\n\n- **Least", "\n- **Least")


def files(rates: Found) -> str:
    """Lay out what files of whole pictures gain."""
    rows = []
    for kind, sizes in by_kind(rates).items():
        gains = [change(sizes[n], sizes[of]) for n, of in (("2", "1"), ("4", "2"), ("6", "2"), ("7", "2"), ("7", "1"))]
        rows.append([kind, f"{sizes['1']:,}", *gains])
    return table(["picture", "`-1`, bytes", "`-2`", "`-4` to `-2`", "`-6` to `-2`", "`-7` to `-2`", "all"], rows)


def shares(variants: Found) -> str:
    """Lay out what calibration and learning gain, alone and together."""
    rows = []
    for kind, bits in crops(variants).items():
        gains = [change(bits[key], bits[NOTHING]) for key in (CALIBRATED, LEARNT, BOTH)]
        part = (bits[NOTHING] - bits[CALIBRATED]) / (bits[NOTHING] - bits[BOTH])
        rows.append([kind, f"{bits[NOTHING]:.4f}", *gains, f"{100 * part:.0f} %", change(bits[BOTH], bits[CALIBRATED])])
    head = ["picture", "bits of a value, nothing adapts", "calibrated", "learnt", "both"]
    return table([*head, "of that, by calibration alone", "learning, once calibrated"], rows)


def effort(rates: Found) -> str:
    """Lay out what each further preset gains, and its time."""
    part = rates["sets"]["photographs"]
    megapixels, presets = part["facts"]["pixels"] / 1e6, part["presets"]
    rows = []
    for n in sorted(presets, key=int)[1:]:
        now, before = presets[n], presets[str(int(n) - 1)]
        seconds = f"{now['decompress_s'] / megapixels:.1f}"
        networks = str(now["effort"]["networks"]) if now["effort"]["steps"] else "–"
        cells = [
            f"`-{n}`",
            networks,
            change(now["bytes"], presets["1"]["bytes"]),
            change(now["bytes"], before["bytes"]),
        ]
        rows.append([*cells, seconds])
    head = ["preset", "networks that learn", "against `-1`", "against the preset before"]
    return table([*head, "decompress, s per megapixel"], rows)


def passes(found: Found) -> str:
    """Lay out the best of three rates for each number of passes over a band."""
    best: dict[int, float] = {}
    for row in found["rows"].values():
        best[row["passes"]] = min(row["bpd"], best.get(row["passes"], row["bpd"]))
    rows = [[str(n) if n else "none", f"{bits:.4f}", change(bits, best[0])] for n, bits in sorted(best.items())]
    return table(["passes over a band", "bits of a value", "against none"], rows)


def posterior(found: Found) -> tuple[str, str]:
    """Word what K steps on the posterior of z gain, at most K and most of all: of photographs."""
    rows = [row for row in found["sets"]["photographs"]["methods"] if row["order"] == "single"]
    last = max(rows, key=lambda row: row["steps"])
    first = min(rows, key=lambda row: row["steps"])
    return f"{last['steps']}", less(last["bytes"], first["bytes"])


def page(found: Found) -> str:
    """Return the page."""
    return "\n\n".join(paragraphs(found)) + "\n"


def paragraphs(found: Found) -> Iterator[str]:
    """Yield the page, part by part."""
    rates, variants = found["rates"], found["variants"]
    sets, plain = rates["sets"], rates["sets"]["photographs"]["presets"]
    valid = {row["steps"]: row["bytes"] for row in found["valid"]["methods"] if row["order"] == "single"}
    regression = {row["regressed"]: row["bpd"] for row in found["regression"]["rows"] if row["seed"] == 0}
    steps, gain = posterior(found["steps"])
    solid, cifar = sets["solid"]["presets"], sets["cifar10"]["presets"]
    yield prose(f"""\
# Learning while coding

<!-- Made by benchmarks/learning/section.py from committed JSON; do not edit. -->

Algorithm 2 of the paper improves the *posterior* of each picture by K gradient steps, in the encoder and again in
the decoder, which knows the picture by the time when it needs the posterior. This page tells what comes of turning
the same idea on the *decoder network*: what it gains, on pictures like those of the training and unlike them, where
it saturates, and how much of it two cheaper methods take over, calibration and least squares. No figure here is
typed by hand: the script takes them from the JSON files that the links name.

## The method

A pixel model codes a picture from the top to the bottom. Once a band of some rows is coded, both sides know
these rows; so both take the same gradient step on −log p(x | context, z; θ) of this band, by the weights θ of the
pixel network, and code the next band by the new weights. Nothing is sent for it. As in Algorithm 2, the decoder
repeats what the encoder did, and the [rule of exactness](exactness.md) makes the steps the same on every machine:
weights and gradients are integers on grids, and Adam is computed element by element
([format/adaptation.md](format/adaptation.md)).

Two things beside it use the pixels that are known, too, and take no gradient:

- **Calibration** shifts and stretches the mixture of each sample by how far the mixtures nearby, and all so far,
  have been off.
- **Least squares** predict each pixel linearly from those around it, fitted anew for every few pixels, and the network
  takes these predictions as inputs.

## What it gains

Files of {sets["photographs"]["facts"]["pictures"]} photographs of
{sets["photographs"]["facts"]["pixels"] / 1e6:.2f} megapixels together, and the same made unlike the training set,
by the model `{rates["model"]}`, which has least squares among its inputs
([rates.json](../benchmarks/learning/rates.json)). `-1` adapts to nothing, `-2` calibrates, `-4` and `-6` let the
network learn from every fourth pixel and from each, `-7` lets two networks learn at different rates, and tries
eight orientations.""")
    yield files(rates)
    yield prose(f"""
On photographs as they are, calibration takes {less(plain["2"]["bytes"], plain["1"]["bytes"])} off, and learning
from each pixel {less(plain["6"]["bytes"], plain["2"]["bytes"])} more. Pictures with another tone curve and sharper
edges than any of the training gain the most from learning, for here the network itself is wrong. Resampled ones
gain the most from calibration: they are like those of the training, but smoother, and narrower mixtures are most of
what they ask for. Grain gains the least, for nothing learns noise. All {found["valid"]["images"]} photographs of
the validation set take {less(valid[1], valid[0])} less with one network that learns than with none, and
{less(valid[10], valid[0])} less by `--steps 10` ([valid.json](../benchmarks/photo/valid.json)).

The {sets["cifar10"]["facts"]["pictures"]:,} test images of CIFAR-10 in one file gain
{less(cifar["2"]["bytes"], cifar["1"]["bytes"])} by calibration, and in blocks of up to 16 million pixels
{less(solid["6"]["bytes"], solid["2"]["bytes"])} more by learning.

## What calibration and least squares take over

Crops of photographs that training held out, in float and without files, each method alone and both
([variants.json](../experiments/learning/variants.json)):""")
    yield shares(variants)
    yield prose(f"""
![What each method takes off](learning.png)

The gains do not add up: both methods repair the same thing. Of what both gain, calibration alone has well more than
a half on every kind of picture, and `-2` decompresses in
{plain["2"]["decompress_s"] / plain["6"]["decompress_s"]:.2f} of the time of `-6`. What is left to learning, the
last column, is of one size on all kinds of crops but grain. On whole pictures, where there is more to learn from,
it is greater on those that are sharpened, as the table above shows.

Least squares take a part before either begins. A small model trained with them as inputs takes
{less(regression[True], regression[False])} fewer bits than one without, in one run of
{found["regression"]["steps"]:,} steps each ([regression.json](../experiments/photo/regression.json)): what is
linear in a picture of its own is fitted in closed form, for every few pixels, and is not left to gradients.

## Where it saturates""")
    yield effort(rates)
    yield prose(f"""
From `-3` to `-6` each preset learns from twice as many pixels as the one before, and still gains. A second network
and more orientations then bring {less(plain["7"]["bytes"], plain["6"]["bytes"])} more for
{plain["7"]["decompress_s"] / plain["6"]["decompress_s"]:.1f} times the time, and all of `-9` beyond that
{less(plain["9"]["bytes"], plain["7"]["bytes"])}. More passes over a band do not help at all, at the best of three
rates for each ([passes.json](../experiments/learning/passes.json)):""")
    yield passes(found["passes"])
    yield prose(f"""
So a step is limited by what a band can tell of the next, and not by how well it is fitted.

The paper's own steps, on the posterior of z, gain {gain} at K = {steps} on such photographs, with the network as it
is ([steps.json](../benchmarks/photo/steps.json)): the latents of a photograph hold little, since the pixels around
a pixel tell more. Where the network learns, z is therefore left at 0. For models whose pixels are independent given
z, as those of digits, it is the other way round: there the posterior is all that can be improved.

## What was tried beside it

Other optimisers, rates, subsets of the weights, low rank, averages, mixing with the fixed network and a
meta-trained start change the bits by less than calibration does, or cost more time than they are worth
([experiments](../experiments/README.md#learning-while-coding)). Whitened inputs would gain a little for half as
much work again.

## What this does not show

The pictures are few, the crops fewer, and all gains are those of one model, trained on photographs; a larger model,
or one trained on more kinds of pictures, would leave less to learn. Times are those of one machine and move by up
to a third.""")


def plot(bits: dict[str, dict[str, float]]) -> None:
    """Draw what calibration and learning take off, alone and together."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.2), dpi=120)
    for place, (key, label) in enumerate(((CALIBRATED, "calibration"), (LEARNT, "learning"), (BOTH, "both"))):
        gains = [100 - 100 * row[key] / row[NOTHING] for row in bits.values()]
        axes.bar([i + 0.26 * (place - 1) for i in range(len(gains))], gains, width=0.24, label=label)
    axes.set_xticks(range(len(bits)), list(bits))
    axes.set_ylabel("bits less, %")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(PLOT, metadata={"Software": None})


if __name__ == "__main__":
    main()
