"""Write ``README.md`` from the JSON files of this folder: ``python experiments/photo/readme.py``."""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2] / "benchmarks" / "photo"))
import page

Found = dict[str, Any]

HEAD = """# What the parts of the photograph models are worth

Made by `python experiments/photo/readme.py` from the JSON files beside it; no figure here is typed by hand. Bits are
bits per dimension: of a channel of a pixel. The models themselves are measured in
[benchmarks/photo](../../benchmarks/photo/README.md); what came of these experiments is in [experiments](../README.md).
"""


def main() -> None:
    """Run the command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of the results")
    write(parser.parse_args().out)


def write(folder: Path) -> None:
    """Write the README of a folder, with what is there."""
    parts = [HEAD, *(text(found) for name, text in PARTS.items() if (found := page.read(folder, name)))]
    (folder / "README.md").write_text("\n".join(parts))


def regression(found: Found) -> str:
    """With the regression and without."""
    seeds = " ".join(dict.fromkeys(str(row["seed"]) for row in found["rows"]))
    about = f"""By `python experiments/photo/regression.py --train FOLDER --steps {found["steps"]} --seeds {seeds}`: a
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
    text = f"## What the regression brings\n\n{page.paragraph(about)}\n\n{page.table(head, lines)}\n"
    return text + page.measured_on(found["runs"])


def ablation(found: Found) -> str:
    """What each part brings."""
    s, rows = found["settings"], found["rows"]
    data = s["data"]
    about = f"""By `python experiments/photo/ablation.py --train FOLDER --steps {s["steps"]}`: float variants of a small
        model, each unlike the base in one thing, after {s["steps"]:,} steps of {s["tiles"]} tiles of 32×32 out of
        {data["photographs"]:,} photographs. They are far from converged: what learns fast has an advantage here that it
        loses in a long training. −ELBO and its KL are those of the middles of {data["held_out"]} pictures held out
        ({data["values"]:,} values), one sample of z a tile. MAC are all multiplications a pixel, the encoder's
        included. The base is a pixel network of one block, with {_base(s["base"])}. Units that die stay dead, unlike in
        the training of the shipped models."""
    text = f"## What the parts bring\n\n{page.paragraph(about)}\n\n![−ELBO by what was changed](ablation.png)\n"
    for axis, names in found["axes"].items():
        shown = {label: rows[name] for label, name in names.items() if name in rows}
        if shown:
            text += f"\n{_about(axis, found, shown)}\n\n" + _axis(axis, shown, rows.get("base"))
    return text + "\n" + page.measured_on(found["runs"])


def products(found: Found) -> str:
    """How fast each exact form of a product is."""
    about = f"""By `python experiments/photo/products.py`: a layer of {found["units"]} units on as many inputs of
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
    text = f"## Exact products\n\n{page.paragraph(about)}\n\n{page.table(['rows', *forms.values()], lines)}\n"
    return text + page.measured_on([found["run"]])


def mixing(found: Found) -> str:
    """What mixing once more would bring."""
    about = f"""By `python experiments/photo/mixing.py --photos FOLDER --side {found["side"]} --count
        {len(found["rows"][0]["percent"])}`: how much larger or smaller the code of middles of photographs that
        training holds out would be, in per cent of what the codec makes of them at `-4` by `{found["model"]}`
        with three least-squares predictors, of which its network makes nothing but for what it learns of them while
        coding; simulated in float. The calibrated mixture of each sample is mixed with the other predictions once more,
        by logits of binary decisions or by shares; the rate is that of the weights."""
    lines = [
        [
            row["way"],
            f"{row['rate']:g}",
            f"{statistics.mean(row['percent']):+.3f}",
            f"{statistics.median(row['percent']):+.3f}",
            f"{min(row['percent']):+.2f} … {max(row['percent']):+.2f}",
        ]
        for row in found["rows"]
    ]
    text = page.table(["way", "rate", "mean, %", "median, %", "from … to, %"], lines)
    text = f"## What mixing once more would bring\n\n{page.paragraph(about)}\n\n{text}\n"
    return text + page.measured_on(found["runs"])


def phases(found: Found) -> str:
    """What the place in a JPEG's grid brings."""
    about = f"""By `python experiments/photo/phases.py --photos FOLDER`: the luma of {found["photographs"]}
        photographs of the training folder that were JPEGs, predicted by least squares on twelve neighbours,
        with one predictor and one spread for each of the 64 places in the grid in the place of one for all; fitted on
        one half of a picture and measured on the other."""
    lines = [[str(row["quality"]), f"{row['bits']:.3f}", f"{row['gain']:.3f}"] for row in found["rows"]]
    head = ["quality", "bits of a pixel", "fewer with the place"]
    return f"## What the place in a JPEG's grid would bring\n\n{page.paragraph(about)}\n\n{page.table(head, lines)}\n"


PARTS = {"regression": regression, "mixing": mixing, "ablation": ablation, "products": products, "phases": phases}
"""What the other scripts of this folder made."""


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
    return f"### {axis.capitalize()}" + (f"\n\n{page.paragraph(about)}" if about else "")


def _axis(axis: str, shown: dict[str, Found], base: Found | None) -> str:
    head = [axis, "−ELBO, bits", "against the base", "of which KL", "parameters", "MAC a pixel"]
    return page.table(head, [[label, *_cells(row, base)] for label, row in shown.items()])


def _cells(row: Found, base: Found | None) -> list[str]:
    against = f"{row['bpd'] - base['bpd']:+.4f}" if base else "–"
    sizes = [f"{row[key]:,}" for key in ("parameters", "mac_per_pixel")]
    return [f"{row['bpd']:.4f}", against, f"{row['kl_bpd']:.5f}", *sizes]


if __name__ == "__main__":
    main()
