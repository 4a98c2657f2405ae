"""Measure what training on planes brings to the photograph model.

``python experiments/photo/planes.py --photos FOLDER --models FILE...`` codes some of the photographs of FOLDER that are
held out of training, as they are and as Cr, Y and Cb, by each model file at the default preset, and decodes and
compares them. ``planes.safetensors`` is ``photo`` after 16,000 more steps, in which a quarter of the squares were such
planes; ``three-predictors.safetensors`` is the same with three predictors; the shipped ``photo-planes`` began with the
first and saw planes alone. Writes ``planes.json``.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vaezip
from vaezip.training.families.pixel.tiles import split_photographs

RESULT = Path(__file__).with_name("planes.json")
HELD_OUT, EVERY, SIDE = 24, 3, 512


def planes(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return Cr, Y and Cb of JFIF."""
    luma = colours @ np.array([0.299, 0.587, 0.114])
    found = [128 + (colours[..., 0] - luma) / 1.402, luma, 128 + (colours[..., 2] - luma) / 1.772]
    return np.clip(np.rint(np.stack(found, -1)), 0, 255).astype(np.uint8)


def measured(model: Path, pictures: list[NDArray[np.uint8]]) -> dict[str, Any]:
    """Code and decode pictures by a model, and add up bytes and the seconds of coding."""
    total, seconds = 0, 0.0
    for picture in pictures:
        began = time.process_time()
        data = vaezip.compress(picture, model=model, verify=False, threads=1)
        seconds += time.process_time() - began
        found = vaezip.decompress(data, models=(model,))
        assert isinstance(found, vaezip.Picture)
        assert np.array_equal(found.samples, picture)
        total += len(data)
    return {"bytes": total, "seconds": round(seconds, 1)}


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of training photographs")
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="model files")
    arguments = parser.parse_args()
    _, held_out = split_photographs(arguments.photos, HELD_OUT)
    pictures = [np.ascontiguousarray(picture[:SIDE, :SIDE]) for picture in held_out[::EVERY]]
    rows = []
    for model in arguments.models:
        row = {"model": model.stem, "colours": measured(model, pictures)}
        rows.append(row | {"planes": measured(model, [planes(picture) for picture in pictures])})
        print(json.dumps(rows[-1]), flush=True)
    RESULT.write_text(json.dumps({"photographs": len(pictures), "rows": rows}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
