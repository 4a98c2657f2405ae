"""The learning rate for sets of small pictures: ``python experiments/learning/sets.py --data DIR``.

Bits of the codec's own intervals on random training images of CIFAR-10, of which the photograph model has seen none,
at K = 1 and several rates. Writes ``sets.json`` as figures come, then its part of ``README.md``; a call that was cut
is gone on with by the same call.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import shown
from shared import fill, script
from threadpoolctl import threadpool_limits

from vaezip.models import file as model_file
from vaezip.models.effort import Effort
from vaezip.models.pixel import adaptive
from vaezip.models.pixel import bitsback as pixel_bitsback
from vaezip.models.pixel.model import PixelModel
from vaezip.models.pixel.search import chosen_settings
from vaezip.models.pixel.settings import Adaptation
from vaezip.pictures import datasets

SEED = 20240611
RATES = (0, 2, 3, 4, 6, 9, 12)
"""In 1/16384; 0 learns nothing."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="DIR", required=True, help="folder with the data sets")
    parser.add_argument("--model", default="photo", help="name of a shipped model, or path")
    parser.add_argument("--images", type=int, default=1000, metavar="N", help="so many images, drawn by a fixed seed")
    parser.add_argument("--rates", type=int, nargs="+", default=RATES, metavar="R", help="in 1/16384; 0 is no learning")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder for the results")
    parser.add_argument("--again", action="store_true", help="measure anew what is there already")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "sets.json"
    with threadpool_limits(1):
        measure(options, path)
    shown.publish(path)


def measure(options: argparse.Namespace, path: Path) -> None:
    """All rates that are not there yet."""
    model = model_file.load(model_file.find(options.model))
    assert isinstance(model, PixelModel)
    whole = datasets.load("cifar10", "train", options.data)
    images = whole[np.random.default_rng(SEED).permutation(len(whole))[: options.images]]
    known = {"model": Path(options.model).stem, "fingerprint": model.fingerprint.hex(), "images": len(images)}
    known["codec"] = chosen_settings(model, Effort(1), len(images)).rate

    def measured(rate: int) -> script.Found:
        learning = Adaptation(1, rate=rate)
        bits = adaptive.bits(model, images, learning) if rate else pixel_bitsback.elbo_bits(model, images, steps=0)
        return {"bits": bits, "bpd": bits / images.size}

    fill(path, known, options.again, ((str(rate), partial(measured, rate)) for rate in options.rates))


if __name__ == "__main__":
    main()
