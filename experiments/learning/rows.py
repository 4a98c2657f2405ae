"""After how many rows to learn, and from how many pixels: ``python experiments/learning/rows.py --photos FOLDER``.

Files of training photographs that training held out, each decoded and compared, at K = 1 by row groups of some heights
and some thinning. Times are of a processor, on one thread, without verification.
Writes ``rows.json`` as figures come, then its part of ``README.md``; a call that was cut is gone on with by the same
call.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import shown
from shared import fill, script

import vaezip
from vaezip.models import file as model_file
from vaezip.models.effort import Effort
from vaezip.pictures.picture import Picture, same
from vaezip.training.families.pixel.tiles import HELD_OUT, split_photographs

EFFORTS = (
    *(Effort(1, 16, thin) for thin in (8, 4, 3, 2, 1)),
    *(Effort(1, 8, thin) for thin in (4, 3, 2, 1)),
    *(Effort(1, 4, thin) for thin in (8, 4, 2, 1)),
    Effort(1, 2, 1),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this script."""
    parser = script.parser(__doc__, results="rows.json", folder=Path(__file__).parent)
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="the photographs that the model was trained on")
    parser.add_argument("--pictures", type=int, default=4, metavar="N", help="so many photographs")
    script.carried_out(script.parsed(parser, arguments), "rows.json", measure, shown.publish)


def measure(options: argparse.Namespace, path: Path) -> None:
    """All that is not there yet."""
    held = split_photographs(options.photos, HELD_OUT)[1]
    places = np.linspace(0, len(held) - 1, options.pictures).astype(int)
    pictures = [Picture("RGB", held[place]) for place in places]
    digest = hashlib.sha256(b"".join(x.samples.tobytes() for x in pictures))
    model = model_file.load(model_file.find(options.model))
    known: script.Found = {"model": Path(options.model).stem, "fingerprint": model.fingerprint.hex()}
    known |= {"pixels": sum(x.samples[..., 0].size for x in pictures), "sha256": digest.hexdigest()}
    files(pictures[:1], EFFORTS[0], options.model)  # kernels are compiled
    rows = ((f"{effort.rows} rows, 1 pixel in {effort.thin}", effort) for effort in EFFORTS)
    fill(path, known, options.again, ((name, partial(files, pictures, x, options.model)) for name, x in rows))


def files(pictures: list[Picture], effort: Effort, model: str) -> script.Found:
    """Compress pictures, decompress and compare them, and tell bytes and seconds."""
    found: script.Found = {"rows": effort.rows, "thin": effort.thin, "bytes": 0, "compress_s": 0.0, "decompress_s": 0.0}
    for picture in pictures:
        began = time.process_time()
        data = vaezip.compress(picture, model=model, effort=effort, verify=False)
        between = time.process_time()
        assert same(vaezip.decompress(data), picture)
        found["decompress_s"] += time.process_time() - between
        found["compress_s"] += between - began
        found["bytes"] += len(data)
    return found | {part: round(found[part], 3) for part in ("compress_s", "decompress_s")}


if __name__ == "__main__":
    main()
