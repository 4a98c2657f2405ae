"""A start from which a pixel network learns better: ``python experiments/learning/meta.py --photos FOLDER --out FILE``.

Meta-training to the first order, in float32: from a start, the network learns while it codes a crop of a training
photograph, at the rate of :data:`INNER`; the mean of the gradients that it meets on the way, each at the weights that
the pixels before have led to, moves the start, which is that of the shipped model at first. z is 0, as where the codec
learns. Crops are turned in all ways, but not made more various as in training.

Prints bits per value with and without learning on crops of photographs that are held out. FILE, an ``.npz``, is
written after each step; a call that was cut is gone on with by the same call. ``variants.py --meta FILE`` measures
what it brings.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from online import Learner, Setting, code, lessons
from pixelnet import Floats, Network, Picture, prepared
from threadpoolctl import threadpool_limits

from vaezip.models import file as model_file
from vaezip.models.pixel.model import PixelModel
from vaezip.models.pixel.orientation import COUNT, oriented
from vaezip.training.families.pixel.tiles import HELD_OUT, split_photographs

Pixels = NDArray[np.uint8]

INNER = Setting(rate=2.0)
"""How the network learns from a crop: as the codec, but at twice its rate."""

ROWS, COLUMNS = 160, 256
CROPS = 4
"""A step."""

TESTED = 10
REPORTS = 8
SEED = 20240611
_RATE, _WARM_UP = 5e-4, 20
_BETA1, _BETA2, _EPSILON = 0.9, 0.99, 1e-15


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--photos", type=Path, required=True, metavar="FOLDER", help="the photographs that the model was trained on"
    )
    parser.add_argument("--model", default="photo", help="name of a shipped model, or path")
    parser.add_argument("--minutes", type=float, default=40.0, help="of processor time  [default: 40]")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="weights, and where training stands")
    options = parser.parse_args(arguments)
    model = model_file.load(model_file.find(options.model))
    assert isinstance(model, PixelModel)
    with threadpool_limits(1):
        train(model, options.photos, options.minutes, options.out)


# The state


@dataclass
class State:
    """Where training stands.

    Attributes:
        facts: the model, and how it is trained.
        weights: the start.
        first, second: moments of its gradients.
        steps, seconds: so far; of processor time, so that a busy machine trains as long.
    """

    facts: dict[str, Any]
    weights: Floats
    first: Floats
    second: Floats
    steps: int = 0
    seconds: float = 0.0

    @property
    def done(self) -> float:
        """Share of the time."""
        return min(1.0, self.seconds / (60 * self.facts["minutes"]))

    def network(self, model: PixelModel) -> Network:
        """A network with these weights; its steps are as long as the model's."""
        net = Network(model)
        net.weights[:] = self.weights
        return net

    def told(self) -> dict[str, Any]:
        """What a table says of it."""
        known = {"minutes": round(self.seconds / 60, 1), "steps": self.steps, "crops": self.steps * CROPS}
        return {**self.facts, **known, "sha256": hashlib.sha256(self.weights.tobytes()).hexdigest()}

    def save(self, path: Path) -> None:
        """All of it, or, where that is cut, what was there before."""
        part = path.with_name(path.name + ".part")
        with part.open("wb") as file:
            np.savez(file, **{**vars(self), "facts": json.dumps(self.facts)})
        os.replace(part, path)

    def step(self, gradient: Floats, pace: Floats) -> None:
        """One step of Adam uphill."""
        self.steps += 1
        self.first += np.float32(1 - _BETA1) * (gradient - self.first)
        self.second += np.float32(1 - _BETA2) * (gradient * gradient - self.second)
        rate = _RATE * min(1.0, self.steps / _WARM_UP) * (1 + math.cos(math.pi * self.done)) / 2
        corrected = self.first / np.float32(1 - _BETA1**self.steps)
        spread = np.sqrt(self.second / np.float32(1 - _BETA2**self.steps)) + np.float32(_EPSILON)
        self.weights += np.float32(rate) * pace * corrected / spread


def read(path: Path) -> State:
    """What :meth:`State.save` wrote."""
    with np.load(path) as found:
        weights, first, second = (found[name] for name in ("weights", "first", "second"))
        facts, steps, seconds = json.loads(str(found["facts"])), int(found["steps"]), float(found["seconds"])
    return State(facts, weights, first, second, steps, seconds)


def _begun(path: Path, model: PixelModel, minutes: float) -> State:
    """The state in the file, if it is of the same training."""
    facts = {"fingerprint": model.fingerprint.hex(), "minutes": minutes, "setting": repr(INNER)}
    if not path.exists():
        weights = Network(model).weights
        return State(facts, weights, np.zeros_like(weights), np.zeros_like(weights))
    state = read(path)
    if state.facts != facts:
        sys.exit(f"{path} holds another training; give another --out")
    return state


# Training


def train(model: PixelModel, photos: Path, minutes: float, path: Path) -> None:
    """Train for so long, the time that is in the file included."""
    photographs, held = split_photographs(photos, HELD_OUT)
    state = _begun(path, model, minutes)
    rng = np.random.default_rng(SEED)
    places = np.linspace(0, len(held) - 1, TESTED).astype(int)
    tests = [prepared(model, crop([held[i]], rng)) for i in places]
    _report(state, model, tests)
    while state.done < 1.0:
        begin, before = time.process_time(), state.done
        net = state.network(model)
        rng = np.random.default_rng([SEED, state.steps])
        pictures = [prepared(model, crop(photographs, rng)) for _ in range(CROPS)]
        state.step(gradient(net, pictures), net.pace)
        state.seconds += time.process_time() - begin
        state.save(path)
        if int(REPORTS * state.done) > int(REPORTS * before):
            _report(state, model, tests)


def crop(photographs: Sequence[Pixels], rng: np.random.Generator) -> Pixels:
    """A part of one of them, turned in one of eight ways."""
    whole = oriented(photographs[int(rng.integers(len(photographs)))], int(rng.integers(COUNT)))
    top, left = (int(rng.integers(max(1, extent - wanted + 1))) for extent, wanted in zip(whole.shape, (ROWS, COLUMNS)))
    return np.ascontiguousarray(whole[top : top + ROWS, left : left + COLUMNS])


def gradient(net: Network, pictures: Sequence[Picture]) -> Floats:
    """The mean of those met while learning from each."""
    total, count = np.zeros_like(net.weights), 0
    for picture in pictures:
        learner = Learner(net, INNER)
        for lesson in lessons(net.model, picture, INNER):
            for some in lesson.batches:
                learner.step(some, picture.shifts, lesson.rate)
                total += learner.gradient
                count += 1
    return total / np.float32(count)


def _report(state: State, model: PixelModel, tests: Sequence[Picture]) -> None:
    net, values = state.network(model), sum(picture.samples.size for picture in tests)
    fixed, learning = (
        sum(float(code(net, picture, setting).bits.sum()) for picture in tests) / values
        for setting in (Setting("none"), INNER)
    )
    print(
        f"{state.steps} steps, {state.seconds / 60:.1f} minutes: {fixed:.4f} bits per value, {learning:.4f} learning",
        flush=True,
    )


if __name__ == "__main__":
    main()
