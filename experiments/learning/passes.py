"""How often to learn from a band: ``python experiments/learning/passes.py --photos FOLDER``.

Bits of the codec's own intervals on crops of training photographs that training held out, some of them made unlike the
others (those of ``variants.py``), as the pixel network goes through each band of two rows so often and at such a rate.
Writes ``passes.json`` as figures come, then its part of ``README.md``; a call that was cut is gone on with by the same
call.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import shown
import variants
from shared import fill, script

from vaezip.models import file as model_file
from vaezip.models.pixel import adaptive
from vaezip.models.pixel.model import PixelModel
from vaezip.models.pixel.search import FIXED
from vaezip.models.pixel.settings import Adaptation
from vaezip.training.families.pixel.tiles import HELD_OUT, split_photographs

RATES = {1: 28, 2: 12, 3: 12, 4: 7, 8: 4}
"""By passes, what suits them about, in 1/16384; the codec takes one."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this script."""
    parser = script.parser(__doc__, results="passes.json", folder=Path(__file__).parent)
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="the photographs that the model was trained on")
    parser.add_argument("--pictures", type=int, default=4, metavar="N", help="crops of as many photographs")
    parser.add_argument("--passes", type=int, nargs="+", choices=RATES, default=list(RATES), metavar="K")
    script.carried_out(script.parsed(parser, arguments), "passes.json", measure, shown.publish)


def measure(options: argparse.Namespace, path: Path) -> None:
    """All that is not there yet."""
    model = model_file.load(model_file.find(options.model))
    assert isinstance(model, PixelModel)
    pictures = [x for _, x in variants.crops(split_photographs(options.photos, HELD_OUT)[1], options.pictures)]
    values, digest = sum(x.size for x in pictures), hashlib.sha256(b"".join(x.tobytes() for x in pictures))
    known = {"model": Path(options.model).stem, "fingerprint": model.fingerprint.hex()}
    known |= {"values": values, "sha256": digest.hexdigest()}

    def measured(learning: Adaptation) -> script.Found:
        bits = sum(adaptive.bits(model, x[None], learning) for x in pictures)
        return {"passes": learning.passes, "rate": learning.rate, "bits": bits, "bpd": bits / values}

    names = ((f"{x.passes} at {x.rate}", x) for x in settings(options.passes))
    fill(path, known, options.again, ((name, partial(measured, x)) for name, x in names))


def settings(passes: Sequence[int]) -> Iterator[Adaptation]:
    """None; then each number of passes at a rate that suits it, at half and at twice that."""
    yield FIXED
    for k in passes:
        yield from (Adaptation(k, rate=rate) for rate in (RATES[k] // 2, RATES[k], RATES[k] * 2))


if __name__ == "__main__":
    main()
