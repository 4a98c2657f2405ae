"""What least squares on the pixels nearby bring the pixel network:
``python experiments/photo/regression.py --train FOLDER``.

A small model is trained with its inputs and without them (:mod:`vaezip.models.pixel.least_squares`), for as many
steps, on tiles of the same photographs; −ELBO in float is that of the middles of photographs of the same folder that
are held out. Writes ``regression.json`` after each row, then ``README.md``; a call that was cut is gone on with by
the same call.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import readme
import torch

from vaezip.bench import machine
from vaezip.models.pixel.architecture import pixel_architecture
from vaezip.models.pixel.constants import TILE
from vaezip.training.families.pixel.stage import evaluate, train
from vaezip.training.families.pixel.tiles import Photographs, RegressedPhotographs, tiles
from vaezip.training.networks.pixel import PixelVae

Found = dict[str, Any]

STEPS = 1500
SEEDS = (0, 1)
HELD_SIDE = 256
"""Of each held-out photograph, its middle of at most so many pixels to a side."""

SIZES: dict[str, Any] = {"hidden": 64, "blocks": 1}
SOURCES = {False: Photographs, True: RegressedPhotographs}


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True, metavar="FOLDER", help="folder with training photographs")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of each row  [default: {STEPS}]")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="of the first weights")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder for the results")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    path = options.out / "regression.json"
    found: Found = json.loads(path.read_text()) if path.exists() else {}
    if found.get("steps") != options.steps:
        found = {"steps": options.steps, "sizes": SIZES, "rows": [], "runs": []}
    for seed in options.seeds:
        for regressed in SOURCES:
            if not any((row["seed"], row["regressed"]) == (seed, regressed) for row in found["rows"]):
                found["rows"].append(row_of(options.train, regressed, seed, options.steps))
                _note_run(found)
                path.write_text(json.dumps(found, indent=1) + "\n")
                print(found["rows"][-1], flush=True)
    readme.write(options.out)


def row_of(folder: Path, regressed: bool, seed: int, steps: int) -> Found:
    """Train, and measure on what is held out."""
    a = pixel_architecture(predictors=int(regressed), **SIZES)
    torch.manual_seed(seed)
    vae, source = PixelVae(a), SOURCES[regressed](folder, a)
    held = np.concatenate([tiles(_middle(pictures), a) for pictures in source.held_out()])
    began = time.process_time()
    with tempfile.TemporaryDirectory() as runs:
        train(vae, source, steps=steps, state=Path(runs) / "state.pt")
    bpd, kl = evaluate(vae, held)
    return {
        "regressed": regressed,
        "seed": seed,
        "bpd": round(bpd, 5),
        "kl_bpd": round(kl, 5),
        "parameters": sum(p.numel() for p in vae.parameters()),
        "seconds": round(time.process_time() - began, 1),
    }


def _middle(pictures: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The middle of pictures (pictures, height, width, channels), a multiple of TILE to a side."""
    sides = [min(HELD_SIDE, extent // TILE * TILE) for extent in pictures.shape[1:3]]
    top, left = ((extent - side) // 2 for extent, side in zip(pictures.shape[1:3], sides))
    return pictures[:, top : top + sides[0], left : left + sides[1]]


def _note_run(found: Found) -> None:
    run = machine.this_run()
    if run not in found["runs"]:
        found["runs"].append(run)


if __name__ == "__main__":
    main()
