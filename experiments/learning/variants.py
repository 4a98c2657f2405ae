"""What pays when the pixel network learns while it codes: ``python experiments/learning/variants.py --photos FOLDER``.

Float32 experiments around the codec's setting, on crops of training photographs that training held out
(``split_photographs``), some of them made unlike the others as in ``rates.py``: choices are made here,
and measured elsewhere. Rates are relative to the codec's for the model; one that a row names is the best, or next to
it, of two to four on these crops, since what suits all weights need not suit a few. ``--meta`` names a file of
``meta.py``, whose weights some rows start from. Writes ``variants.json`` as figures come, then ``variants.png`` and
its part of ``README.md``; a call that was cut is gone on with by the same call. ``--readme`` measures nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import meta
import numpy as np
import shown
from after import Correction, corrected, mixed, side_by_side
from numpy.typing import NDArray
from online import EFFORT, NO_LEARNING, Coded, Prior, Setting, code, learnt_prior, predicted
from pixelnet import Inputs, Network, Picture, prepared
from shared import rates, script

from vaezip.bench import machine
from vaezip.entropy import distributions as d
from vaezip.models import file as model_file
from vaezip.models import latents
from vaezip.models.pixel import adaptive, least_squares, strips
from vaezip.models.pixel import bitsback as pixel_bitsback
from vaezip.models.pixel.constants import TILE
from vaezip.models.pixel.model import PixelModel
from vaezip.models.pixel.orientation import TRANSPOSED, oriented
from vaezip.models.pixel.search import chosen_settings
from vaezip.training.families.pixel.tiles import HELD_OUT, split_photographs

Pixels = NDArray[np.uint8]
Found = dict[str, Any]

KINDS = ("", "gamma, sharpened", "", "resampled", "", "film grain")
"""What is done to the pictures, in turn."""

ROWS, COLUMNS = 192, 384
_PRIOR_ROWS = 96
_PROBED = 4
"""One tile in so many tells which way round a picture is better coded."""

WAYS = {"": (0,), "probed": (0, TRANSPOSED), "transposed": (0, TRANSPOSED), "eight": tuple(range(8))}
"""Of :mod:`vaezip.models.pixel.orientation`."""


# The variants


@dataclass(frozen=True)
class Variant:
    """A row of the table.

    Attributes:
        group: what it varies.
        settings: with which the picture is coded.
        cost: passes through the network a pixel to decode, one backward counted as two; the codec takes four.
        choices: how often as much the encoder takes.
        together: how the codings become one: "" where there is one, "mixed", "mixed with the last" weights that
            averages are taken of, or "best" of them, as the file could tell for some bits; where mixtures are set
            right, those of all codings are one mixture.
        turned: the picture is coded in that of some ways round (:data:`WAYS`) which takes least; "probed" without
            learning and by a part of it, else by trying.
        meta: the weights that it starts from are meta-trained.
        set_right: what moves and stretches the mixtures, if anything does.
    """

    group: str
    settings: tuple[Setting, ...]
    cost: float = 4.0
    choices: float = 1.0
    together: str = ""
    turned: str = ""
    meta: bool = False
    set_right: Correction | None = None


def _one(group: str, cost: float = 4.0, **changes: Any) -> Variant:
    return Variant(group, (Setting(**changes),), cost)


_SAME, _FIXED = Setting(), Setting("none")
_HALF, _DOUBLE, _FOURFOLD = Setting(rate=0.5), Setting(rate=2.0), Setting(rate=4.0)
_HEADS = Setting(average=0.98, averaged=("head", "out."))
_LAST = "mixed with the last"


def _white(rate: float) -> Setting:
    return Setting(whitened=True, rate=rate)


def _right(cost: float, *settings: Setting, **changes: Any) -> Variant:
    return Variant("set right", settings, cost, set_right=Correction(**changes))


VARIANTS = {
    "no learning": Variant("codec", (NO_LEARNING,), 1.0),
    "as the codec": _one("codec"),
    "momentum, one mean square a layer": _one("optimiser", optimiser="layer"),
    "RMS without momentum": _one("optimiser", optimiser="rms"),
    "sign of the momentum, rate × 0.5": _one("optimiser", optimiser="sign", rate=0.5),
    "Adam, all layers alike": _one("optimiser", factors=False),
    "second moments of training for a start": _one("optimiser", warm=100),
    "Adam in whitened inputs, rate × 2": _one("optimiser", 6.0, whitened=True, rate=2.0),
    "moments forgotten at each band": _one("optimiser", carried=False),
    "rate × 0.5": _one("rate", rate=0.5),
    "rate × 2": _one("rate", rate=2.0),
    "constant rate": _one("rate", last=1.0),
    "falling to a half": _one("rate", last=0.5),
    "best of rates × 0.5, 1, 2": Variant("rate", (_HALF, _SAME, _DOUBLE), 4.0, 3.0, "best"),
    "last layers only": _one("what learns", 1.3, layers=("out.",)),
    "heads and last layers only": _one("what learns", 2.0, layers=("head", "out.")),
    "first layer only": _one("what learns", layers=("first",)),
    "biases only": _one("what learns", 3.0, biases=True),
    "scales and biases only, rate × 8": _one("what learns", 3.0, scales=True, rate=8.0),
    "rank 4 by fixed factors and biases, rate × 2": _one("what learns", 3.1, rank=4, rate=2.0),
    "rank 4 and biases, rate × 3": _one("what learns", 3.2, rank=4, both=True, rate=3.0),
    "rank 16 by fixed factors and biases, rate × 1.5": _one("what learns", 3.4, rank=16, rate=1.5),
    "rank 16 and biases, rate × 2": _one("what learns", 3.7, rank=16, both=True, rate=2.0),
    "bands of 1 row": _one("bands", rows=1),
    "bands of 4 rows": _one("bands", rows=4),
    "bands of 8 rows": _one("bands", rows=8),
    "64 pixels a step": _one("bands", batch=64),
    "256 pixels a step": _one("bands", batch=256),
    "the last weights, rate × 0.7": _one("averages", average=0.0, rate=0.7),
    "the last weights": _one("averages", average=0.0),
    "averaged weights (0.8)": _one("averages", average=0.8),
    "averaged weights (0.95), rate × 1.5": _one("averages", average=0.95, rate=1.5),
    "averaged weights and the last mixed, rate × 1.5": Variant("averages", (Setting(rate=1.5),), 5.0, together=_LAST),
    "averaged heads (0.98) mixed in": Variant("averages", (_HEADS,), 4.4, together=_LAST),
    "mixed with the fixed network": Variant("mixing", (_SAME, _FIXED), 5.0, together="mixed"),
    "rates × 0.5 and × 2 mixed": Variant("mixing", (_HALF, _DOUBLE), 8.0, together="mixed"),
    "rates × 0.5 and × 4 mixed": Variant("mixing", (_HALF, _FOURFOLD), 8.0, together="mixed"),
    "set right": _right(4.1, _SAME),
    "set right, no learning": _right(1.1, _FIXED),
    "moved alone, no learning": _right(1.1, _FIXED, stretch=False),
    "stretched alone, no learning": _right(1.1, _FIXED, move=False),
    "by classes of spread alone, no learning": _right(1.1, _FIXED, levels=False),
    "by one class, no learning": _right(1.1, _FIXED, spreads=False, levels=False),
    "from four neighbours, no learning": _right(1.1, _FIXED, near=4),
    "from its own channel nearby, no learning": _right(1.1, _FIXED, beside=False),
    "from errors alone, no learning": _right(1.1, _FIXED, others=False),
    "set right, rate × 2": _right(4.1, _DOUBLE),
    "set right, bands of 1 row": _right(4.1, Setting(rows=1)),
    "set right, 64 pixels a step": _right(4.1, Setting(batch=64)),
    "set right, 64 pixels a step, constant rate": _right(4.1, Setting(batch=64, last=1.0)),
    "set right, whitened, rate × 2": _right(6.1, _white(2.0)),
    "set right, whitened, rate × 4": _right(6.1, _white(4.0)),
    "set right, rates × 0.5 and × 4": _right(8.2, _HALF, _FOURFOLD),
    "set right, rates × 1 and × 4": _right(8.2, _SAME, _FOURFOLD),
    "set right, whitened, rates × 1 and × 4": _right(12.2, _white(1.0), _white(4.0)),
    "set right, rate × 1 and whitened × 4": _right(10.2, _SAME, _white(4.0)),
    "z told, as the encoder finds it": _one("picture", latents=True),
    "transposed where a part is less without learning": Variant("picture", (_SAME,), 4.0, 1.12, turned="probed"),
    "the same, without learning": Variant("picture", (NO_LEARNING,), 1.0, 1.5, turned="probed"),
    "transposed where that is less": Variant("picture", (_SAME,), 4.0, 2.0, turned="transposed"),
    "turned as is least of 8": Variant("picture", (_SAME,), 4.0, 8.0, turned="eight"),
    "averages mixed, transposed": Variant("joined", (Setting(rate=1.5),), 5.0, 2.0, _LAST, "transposed"),
    "rates × 0.5 and × 4 mixed, transposed": Variant("joined", (_HALF, _FOURFOLD), 8.0, 2.0, "mixed", "transposed"),
    "meta-trained, no learning": Variant("start", (_FIXED,), 1.0, meta=True),
    "meta-trained": Variant("start", (_SAME,), meta=True),
    "meta-trained, rate × 2": Variant("start", (_DOUBLE,), meta=True),
}


# Command line


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this script."""
    script.carried_out(parsed(arguments), "variants.json", measure, publish)


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = script.parser(__doc__, results="variants.json", folder=Path(__file__).parent)
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="the photographs that the model was trained on")
    parser.add_argument("--pictures", type=int, default=8, metavar="N", help="crops of as many photographs")
    parser.add_argument("--only", action="append", choices=list(VARIANTS), help="this variant, and no others")
    parser.add_argument("--meta", type=Path, metavar="FILE", help="weights of meta.py; else rows with them are skipped")
    options = script.parsed(parser, arguments)
    if not options.meta and any(VARIANTS[label].meta for label in options.only or ()):
        parser.error("--meta is missing")
    return options


# The pictures


def crops(held: Sequence[Pixels], count: int) -> list[tuple[str, Pixels]]:
    """Middles of photographs from all over those held out, and what was done to each."""
    places = np.linspace(0, len(held) - 1, count).astype(int)
    found = []
    for i, place in enumerate(places):
        kind = KINDS[i % len(KINDS)]
        samples = held[place]
        if kind:
            samples = rates.KINDS[kind](samples, np.random.default_rng([rates.SEED, i]))
        found.append((kind, _middle(samples, ROWS, COLUMNS)))
    return found


def _middle(samples: Pixels, rows: int, columns: int) -> Pixels:
    top, left = (max(0, (extent - wanted) // 2) for extent, wanted in zip(samples.shape, (rows, columns)))
    return np.ascontiguousarray(samples[top : top + rows, left : left + columns])


@dataclass
class Subject:
    """A picture, and what has been found of it."""

    net: Network
    samples: Pixels
    prior: Prior | None
    _coded: dict[tuple[Setting, int], Coded] = field(default_factory=dict)

    def bits(self, variant: Variant) -> float:
        """What a variant takes for the picture, z included."""
        ways = [self.probed_way] if variant.turned == "probed" else WAYS[variant.turned]
        return min(self._bits(variant, way) for way in ways)

    def _bits(self, variant: Variant, way: int) -> float:
        found = [self.coded(setting, way) for setting in variant.settings]
        picture = self.picture(any(setting.latents for setting in variant.settings), way)
        if variant.together.startswith("mixed"):
            each = [coded.bits for coded in found]
            if variant.together == _LAST:
                each += [coded.unaveraged for coded in found if coded.unaveraged is not None]
            bits = float(mixed(each, picture.shape[1]).sum())
        elif variant.set_right:
            setting = variant.settings[0]
            rows = TILE if setting.optimiser == "none" else setting.rows
            together = side_by_side([coded.parameters for coded in found])
            bits = float(corrected(together, picture, variant.set_right, rows).sum())
        else:
            bits = min(float(coded.bits.sum()) for coded in found)
        return bits + picture.latent_bits

    def coded(self, setting: Setting, way: int) -> Coded:
        """By one setting; kept, since several variants may ask for it."""
        key = setting, way
        if key not in self._coded:
            self._coded[key] = code(self.net, self.picture(setting.latents, way), setting, self.prior)
        return self._coded[key]

    def picture(self, with_latents: bool = False, way: int = 0) -> Picture:
        """The picture turned in one of eight ways."""
        samples: Pixels = np.ascontiguousarray(oriented(self.samples, way))
        return prepared(self.net.model, samples, with_latents)

    @cached_property
    def probed_way(self) -> int:
        """The way round in which a part of the picture costs least without learning."""
        return min(WAYS["probed"], key=self._part_bits)

    def _part_bits(self, way: int) -> float:
        """What some of the tiles cost; they are the same ones whichever way the picture is turned."""
        y, x = (of // TILE for of in np.indices(self.samples.shape[:2]))
        chosen = oriented(((5 * y + 3 * x) % _PROBED == 0)[..., None], way).ravel()
        picture = self.picture(False, way)
        part = Inputs._make([values[chosen] for values in picture.inputs])
        return float(predicted(self.net, part, picture.shifts, self.net.weights)[0].sum())


# Measuring


def measure(options: argparse.Namespace, path: Path) -> None:
    """All that the command line asks for and that is not there yet."""
    model = model_file.load(model_file.find(options.model))
    assert isinstance(model, PixelModel)
    nets, trained = _networks(options.meta, model)
    train, held = split_photographs(options.photos, HELD_OUT)
    found = _begun(path, options, model)
    run = machine.this_run()
    prior: list[Prior] = []

    def learnt() -> Prior:
        if not prior:
            places = np.linspace(0, len(train) - 1, 40).astype(int)
            few = (_middle(train[i], _PRIOR_ROWS, COLUMNS) for i in places)
            prior.append(learnt_prior(nets[False], (prepared(model, samples) for samples in few)))
        return prior[0]

    for number, (kind, samples) in enumerate(crops(held, options.pictures)):
        facts = {"kind": kind, "shape": list(samples.shape), "sha256": hashlib.sha256(samples.tobytes()).hexdigest()}
        name = str(number)
        old = found["pictures"].get(name, {})
        same = {key: old.get(key) for key in facts} == facts
        if old and not same and not options.again:
            sys.exit(f"{path} holds figures of other pictures; give --again, or another --out")
        if not same or options.again:
            found["pictures"][name] = facts | codec_bpd(model, samples)
        subjects = {is_meta: Subject(net, samples, None) for is_meta, net in nets.items()}
        for label in options.only or VARIANTS:
            variant = VARIANTS[label]
            if variant.meta not in subjects:
                continue
            row = _row(found["variants"], label, variant, trained)
            if name in row["cells"] and not options.again:
                continue
            subject = subjects[variant.meta]
            if any(s.warm or s.whitened for s in variant.settings):
                subject.prior = learnt()
            start = time.process_time()
            bits = subject.bits(variant)
            row["cells"][name] = {"bpd": bits / samples.size, "cpu_s": round(time.process_time() - start, 2)}
            row["run"] = script.number(found, run)
            _save(found, path)
            print(name, label, row["cells"][name], flush=True)


def _networks(path: Path | None, model: PixelModel) -> tuple[dict[bool, Network], Found | None]:
    """The shipped network, and the meta-trained one (True) where there is a file; what is told of that one."""
    nets = {False: Network(model)}
    if not path:
        return nets, None
    state = meta.read(path)
    if state.facts["fingerprint"] != model.fingerprint.hex():
        sys.exit(f"{path} holds weights that come from another model")
    return nets | {True: state.network(model)}, state.told()


def codec_bpd(model: PixelModel, samples: Pixels) -> Found:
    """Of the codec's own intervals, without learning and with it: what its two rows must be close to."""
    learning = chosen_settings(model, EFFORT, pictures=1)
    return {
        "codec_bpd": exact_bpd(model, samples),
        "codec_learnt_bpd": adaptive.bits(model, samples[None], learning) / samples.size,
    }


def exact_bpd(model: PixelModel, samples: Pixels) -> float:
    """Without learning; z is chosen."""
    frame, total = least_squares.frame_with_predictions(model.architecture, samples[None]), 0.0
    for strip in strips.strips((1, *samples.shape)):
        symbols = latents.coarse_symbols(pixel_bitsback.posterior(model, frame, strip, steps=0)[0], model.coarse)
        shifts = model.style_offsets(latents.centres(symbols, model.coarse))
        prior = latents.coarse_prior(len(symbols), model.coarse)
        total += float(d.bits(prior.intervals(symbols.ravel()), prior.precision).sum())
        intervals = strips.intervals(model, frame, strip, predictors=strips.uncalibrated(model, shifts))
        total += float(d.bits(intervals, d.LOGISTIC_PRECISION).sum())
    return total / samples.size


def _begun(path: Path, options: argparse.Namespace, model: PixelModel) -> Found:
    """The results so far, if they are of the same model."""
    known = {"model": Path(options.model).stem, "fingerprint": model.fingerprint.hex()}
    found: Found = json.loads(path.read_text()) if path.exists() else {}
    if any(found.get(key) != value for key, value in known.items()):
        if found and not options.again:
            sys.exit(f"{path} holds figures of another model; give --again to measure anew, or another --out")
        found = {**known, "runs": [], "pictures": {}, "variants": {}}
    return found


def _row(rows: Found, label: str, variant: Variant, trained: Found | None) -> Found:
    """That of a variant, empty where its settings, or the weights that it starts from, were others."""
    facts: Found = {"group": variant.group, "cost": variant.cost, "choices": variant.choices}
    facts["settings"] = [repr(setting) for setting in variant.settings]
    facts |= {"together": variant.together, "turned": variant.turned}
    facts |= {"set_right": repr(variant.set_right)} if variant.set_right else {}
    if variant.meta:
        facts["trained"] = trained
    if not rows.get(label, {}).items() >= facts.items():
        rows[label] = {"cells": {}}
    rows[label] |= facts
    row: Found = rows[label]
    return row


def _save(found: Found, path: Path) -> None:
    """Write the file, the means made anew over the pictures that each row and the two of the codec have."""
    rows: Found = found["variants"]
    for row in rows.values():
        for key, base in (("of_none", "no learning"), ("of_codec", "as the codec")):
            row[key] = _ratio(row["cells"], rows.get(base, {"cells": {}})["cells"])
        row["bpd"] = float(np.mean([cell["bpd"] for cell in row["cells"].values()])) if row["cells"] else None
    found["variants"] = {label: rows[label] for label in VARIANTS if label in rows}
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def _ratio(cells: Found, base: Found) -> float | None:
    """Sum of bits over that of another row; the pictures are of one size."""
    both = cells.keys() & base.keys()
    if not both or both != cells.keys():
        return None
    return sum(cells[name]["bpd"] for name in both) / sum(base[name]["bpd"] for name in both)


def publish(path: Path) -> None:
    """Plot and README from the JSON, beside it."""
    found = json.loads(path.read_text())
    shown.draw(found).savefig(path.with_suffix(".png"), dpi=150)
    shown.publish(path)


if __name__ == "__main__":
    main()
