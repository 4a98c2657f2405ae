"""What it would bring to mix the calibrated mixture with other predictions once more:
``python experiments/photo/mixing.py --photos FOLDER``.

Each photograph is coded at ``-4``, and the mixture that codes each sample is kept, as it is after the calibration. Then
this script simulates, in float, what would code the sample in its place (:mod:`mixing_kernels`). A model of one
least-squares predictor is given all of them first, by inputs that weigh nothing. Photographs that no shipped model has
seen are those that training holds out. Writes ``mixing.json``, then ``README.md``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import mixing_kernels as kernels
import numpy as np
import readme
from numpy.typing import NDArray

from vaezip.bench import machine
from vaezip.models import file as model_file
from vaezip.models.base import Model
from vaezip.models.effort import PRESETS
from vaezip.models.pixel import adaptive, calibration, kernel, strips
from vaezip.models.pixel.adaptation import Learners
from vaezip.models.pixel.constants import RADIUS, REGRESSIONS, UNIT_BITS
from vaezip.models.pixel.least_squares import frame_with_predictions
from vaezip.models.pixel.model import PixelModel
from vaezip.models.pixel.search import chosen_settings
from vaezip.training.families.pixel.quantize import feature_columns
from vaezip.training.families.pixel.tiles import HELD_OUT, split_photographs

Found = dict[str, Any]

SIDE = 256

WAYS: dict[str, tuple[int, int, int]] = {
    "the mixture alone, by decisions whose weights adapt": (0, 0, 0),
    "the same, and an adaptive table of probabilities behind": (0, 0, 1),
    "with logistics around the least-squares predictions": (1, 0, 0),
    "with these, and histograms of the errors": (1, 1, 0),
}
"""Ways to code a sample by binary decisions, whose logits are mixed: whether with logistics around the least-squares
predictions, with histograms, with a table behind."""

RATES = (0.004,)
SHARE_RATES = (0.03,)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, metavar="FOLDER", help="folder with training photographs")
    parser.add_argument("--model", default="photo", help="name or path of the model  [default: photo]")
    parser.add_argument("--count", type=int, default=12, help="photographs  [default: 12]")
    parser.add_argument("--side", type=int, default=SIDE, help=f"of the part of each  [default: {SIDE}]")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder for the results")
    options = parser.parse_args(arguments)
    model = grown(model_file.load(model_file.find(options.model)))
    found: Found = {"model": options.model, "side": options.side, "rows": [], "runs": [machine.this_run()]}
    for name, way in (*WAYS.items(), ("with shares in the place of logits", None)):
        found["rows"] += [{"way": name, "rate": r, "percent": []} for r in (RATES if way else SHARE_RATES)]
    for pixels in parts(options.photos, options.count, options.side):
        for row, percent in zip(found["rows"], gains(model, pixels)):
            row["percent"].append(round(percent, 3))
        (options.out / "mixing.json").write_text(json.dumps(found, indent=1) + "\n")
    readme.write(options.out)


def grown(model: Model) -> PixelModel:
    """Give a model all least-squares predictors, of which its network makes nothing."""
    assert isinstance(model, PixelModel)
    old, tensors = model.architecture, dict(model.tensors)
    a = replace(old, predictors=len(REGRESSIONS))
    first = np.zeros((old.hidden, a.features), np.int16)
    first[:, feature_columns(old, a)] = tensors["first.weight"]
    tensors["first.weight"] = first
    for i in range(old.channels):
        new = len(a.visible_hints(i)) - len(old.visible_hints(i))
        for name in (f"head.{i}.weight", f"out.{i}.weight"):
            tensors[name] = np.pad(tensors[name], ((0, 0), (0, new)))
    return replace(model, architecture=a, tensors=tensors)


def parts(folder: Path, count: int, side: int) -> Iterator[NDArray[np.uint8]]:
    """Cut the middles out of photographs that training holds out."""
    held_out = split_photographs(folder, HELD_OUT)[1]
    for photograph in [p for p in held_out if min(p.shape[:2]) >= side][:count]:
        top, left = ((extent - side) // 2 for extent in photograph.shape[:2])
        yield photograph[top : top + side, left : left + side]


def gains(model: PixelModel, pixels: NDArray[np.uint8]) -> Iterator[float]:
    """Yield how much larger or smaller, in per cent, each of the ways makes the code of a picture."""
    values, (w, m, scales), predicted, bits = mixtures_of(model, pixels)
    order = kernels.coding_order(*pixels.shape[:2], rows=4)
    for wants in (*WAYS.values(), None):
        for rate in RATES if wants else SHARE_RATES:
            if wants is None:
                cost = kernels.shares(values, w, m, scales, predicted, order, rate)
            else:
                experts = predicted if wants[0] else predicted[..., :0]
                cost = kernels.decisions(values, w, m, scales, experts, order, (rate, wants[1], wants[2]))
            yield 100 * (cost / bits - 1)


def mixtures_of(model: PixelModel, pixels: NDArray[np.uint8]) -> tuple[Any, Any, Any, float]:
    """Code a picture at ``-4``, and return its values, the weights, means and inverse scales of the mixtures, the
    conditional least-squares predictions, all channels in the order of coding; and the bits that it takes."""
    pictures, a = pixels[None], model.architecture
    settings = chosen_settings(model, PRESETS[4], 1)
    frame, tables = frame_with_predictions(a, pictures), model.tables
    learners = Learners(a, model.layers, settings=settings, groups=-(-len(pixels) // settings.row_group))
    state = calibration.begin_pictures(calibration.start(a.channels, a.predictors), frame)
    found = np.empty((*pixels.shape, 3, a.mixture * len(learners.networks)), np.int32)
    freqs = np.empty(pixels.shape, np.int64)
    for strip in strips.strips(pictures.shape):
        offsets = adaptive._style_offsets(model, frame)
        for group in adaptive._row_groups(strip, settings.row_group):
            networks = tuple(weights.copied() for weights in learners.networks)
            raw = np.empty((group.rows * pixels.shape[1] * a.channels, *found.shape[3:]), np.int32)
            waves = 0, kernel.wave_count(group.rows, pixels.shape[1])
            kernel.mixtures(frame, group.top, group.rows, waves, networks, offsets, a.mixture, tables, raw)
            by = networks[0].order, raw, tables, state, calibration.scratch_for(state, found.shape[-1])
            kernels.calibrated(frame, group.top, group.rows, *by, found, freqs)
            learners.learn(frame, top=group.top, rows=group.rows, offsets=offsets)
    inner = frame[0, RADIUS:, RADIUS:-RADIUS].astype(np.int64)
    values, (w, m, s) = inner[..., list(a.order)], np.moveaxis(found, 3, 0)
    planes = inner[..., a.channels : (1 + a.predictors) * a.channels].reshape(*pixels.shape[:2], a.predictors, -1)
    median = kernels.median_edges(values)
    predicted = np.ascontiguousarray(median[..., None] + np.moveaxis(planes, 2, 3) * 2.0**-UNIT_BITS)
    mixtures = w * 2.0**-14, m * 2.0**-4, np.exp(s / -32.0)
    return np.ascontiguousarray(values), mixtures, predicted, float((22 - np.log2(freqs)).sum())


if __name__ == "__main__":
    main()
