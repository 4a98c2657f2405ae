"""How far the shipped models overfit: ``python benchmarks/paper/overfitting.py --data DIR [--only DATASET]``.

−ELBO at K = 0, by the integer networks that code, of training images drawn at random and of as many test images, for
both encoders of each pair. What an encoder takes less for images that it was trained on is what reverse half-asleep can
win back. Writes ``results/overfitting.json`` beside this file.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import common
import numpy as np
from common import HALF_ASLEEP, NO_MODEL, PAPER
from numpy.typing import NDArray

from vaezip.bench import machine
from vaezip.models import file as model_file
from vaezip.models.effort import Effort
from vaezip.models.tile import search
from vaezip.models.tile.model import TileModel
from vaezip.pictures import datasets

RESULT = common.RESULTS / "overfitting.json"
IMAGES = 10_000
"""Of each part."""


def main() -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=None, help="folder with the data sets")
    parser.add_argument("--only", choices=PAPER, action="append", help="measure these anew, keep the rest")
    options = parser.parse_args()
    found = json.loads(RESULT.read_text()) if options.only and RESULT.exists() else {}
    commit = machine.commit()  # before the result is a file that differs from it
    for dataset in options.only or PAPER:
        found[dataset] = measure(dataset, options.data) | {"commit": commit}
        RESULT.write_text(json.dumps(found, indent=1) + "\n")


def measure(dataset: str, data: str | None) -> dict[str, Any]:
    """−ELBO of both parts by both encoders, in bits per dimension."""
    from vaezip.training.families.tile.recipes import RECIPES

    trained, _ = RECIPES[dataset].split(datasets.load(dataset, "train", data))
    parts = {"train": trained[:IMAGES], "test": datasets.load(dataset, "test", data)[:IMAGES]}
    rates: dict[str, Any] = {"images": {part: len(images) for part, images in parts.items()}}
    for objective, name in ((NO_MODEL, f"{dataset}-{NO_MODEL}"), (HALF_ASLEEP, dataset)):
        model = model_file.load(model_file.find(name))
        assert isinstance(model, TileModel)
        rates[objective] = {part: round(bpd(model, images), 5) for part, images in parts.items()}
        rates[objective]["fingerprint"] = model.fingerprint.hex()
    return rates


def bpd(model: TileModel, images: NDArray[np.uint8]) -> float:
    """−ELBO of images (images, height, width, channels) by the integer networks."""
    return search.bound_bits(model, images, effort=Effort()) / images.size


if __name__ == "__main__":
    main()
