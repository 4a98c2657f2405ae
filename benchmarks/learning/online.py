"""Ways for the pixel network to learn while it codes, in float32: what :mod:`vaezip.bands` does, and its variants.

A band is coded with the weights as they are; then come steps on it. Everything that the decoder would know in the
same order is allowed, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pixelnet import Floats, Inputs, Network, Picture, bands, mixture, pixels

from vaezip.networks.local.learning import Learning

Bits = NDArray[np.float64]

SHIPPED = Learning(1)
_EPSILON = np.float32(1e-15)
_BETA1, _BETA2 = np.float32(0.6), np.float32(0.999)
FACTORS = {"first": 0.375, "inner": 1.5, "outer": 1.5}
"""Steps of these layers beside those of the others, as in the codec."""


@dataclass(frozen=True)
class Setting:
    """How to learn; as the codec does, unless told.

    Attributes:
        optimiser: "adam"; "rms", without momentum; "layer", momentum over one root mean square a layer; "sign" of the
            momentum; "none" learns nothing.
        rate: first step, relative to the codec's for a single picture.
        last: the last relative to the first.
        layers: beginnings of the names of those that learn, all if empty.
        biases: nothing else learns.
        rows, batch: of a band, and pixels a step.
        carried: moments go on from band to band.
        factors: layers have rates of their own, as in the codec.
        average: weights that code are a moving average, of which each step keeps so much.
        averaged: beginnings of the names of the layers that are averaged, all if empty.
        latents: z is told; else it is 0.
        warm: start Adam's second moments from those of training photographs, as if so many steps had been seen.
        whitened: Adam works in the basis in which the inputs of each layer are uncorrelated.
    """

    optimiser: str = "adam"
    rate: float = 1.0
    last: float = SHIPPED.last / 256
    layers: tuple[str, ...] = ()
    biases: bool = False
    rows: int = SHIPPED.rows
    batch: int = 16 * SHIPPED.batch
    carried: bool = True
    factors: bool = True
    average: float = 0.0
    averaged: tuple[str, ...] = ()
    latents: bool = True
    warm: int = 0
    whitened: bool = False


@dataclass
class Coded:
    """What a picture costs.

    Attributes:
        bits: float64 (pixels, channels).
        parameters: of the mixtures that coded them, float32 (pixels, channels, 3 mixture).
        unaveraged: what it would cost by the weights that averages are taken of, where there are such.
    """

    bits: Bits
    parameters: Floats
    unaveraged: Bits | None = None


NO_LEARNING = Setting("none")


@dataclass
class Prior:
    """What training photographs say about gradients; could be shipped with a model.

    Attributes:
        second: mean squares of the gradients of steps of 128 pixels, for every weight.
        second_white: the same in the whitened basis.
        bases: for each layer, the eigenvectors of its inputs' second moments, in columns.
    """

    second: Floats
    second_white: Floats
    bases: dict[str, Floats]

    def rotated(self, net: Network, vector: Floats, back: bool = False) -> Floats:
        """Into the basis in which the inputs of layers are uncorrelated, or back."""
        out = np.empty_like(vector)
        for (name, layer), into in zip(net.views(vector).items(), net.views(out).values(), strict=True):
            np.matmul(layer, self.bases[name].T if back else self.bases[name], out=into)
        return out


def code(net: Network, picture: Picture, setting: Setting, prior: Prior | None = None) -> Coded:
    """Code a picture while learning from it."""
    height, width, channels = picture.shape
    count, mix = height * width, net.model.architecture.mixture
    out = Coded(np.empty((count, channels)), np.empty((count, channels, 3 * mix), np.float32))
    if setting.average:
        out.unaveraged = np.empty((count, channels))
    learner = Learner(net, setting, prior)
    order = list(bands(height, setting.rows))
    for number, (top, end) in enumerate(order):
        where = slice(top * width, end * width)
        x = pixels(picture.inputs, where)
        out.bits[where], out.parameters[where] = predicted(net, x, picture.shifts, learner.coding)
        if out.unaveraged is not None:
            out.unaveraged[where], _ = predicted(net, x, picture.shifts, learner.weights)
        if setting.optimiser == "none":
            continue
        fall = 1 - (1 - setting.last) * number / len(order)
        steps = max(1, len(x.values) // setting.batch)
        learner.begin()
        for i in range(steps):
            some = pixels(x, slice((number + i) % steps, None, steps))
            learner.step(some, picture.shifts, SHIPPED.rate / 16384 * setting.rate * fall)
    return out


def predicted(net: Network, x: Inputs, shifts: Floats, weights: Floats) -> tuple[Bits, Floats]:
    """What pixels cost by these weights, (pixels, channels), and the parameters of their mixtures."""
    parameters = net.forward(x, shifts, net.views(weights)).parameters
    log_p, _ = mixture(parameters, x.values, x.prediction, net.model.architecture.mixture)
    return log_p / -np.log(2), parameters


class Learner:
    """A copy of the weights, and what an optimiser keeps beside them."""

    def __init__(self, net: Network, setting: Setting, prior: Prior | None = None) -> None:
        self.net, self.setting, self.prior = net, setting, prior
        self.weights = net.weights.copy()
        self.coding = self.weights.copy() if setting.average else self.weights
        self.layers = net.views(self.weights)
        self.pace = _pace(net, setting)
        self.gradient, self.first, self.second = (np.zeros_like(self.weights) for _ in range(3))
        self.count = 0
        self.kept = _among(net, setting.averaged)
        self.there = (net.pace > 0).astype(np.float32)

    def begin(self) -> None:
        """A band begins."""
        if not self.setting.carried:
            self.first[:], self.second[:], self.count = 0.0, 0.0, 0

    def step(self, x: Inputs, shifts: Floats, rate: float) -> None:
        """One step uphill on some pixels."""
        trace = self.net.forward(x, shifts, self.layers)
        _, gradient = mixture(trace.parameters, x.values, x.prediction, self.net.model.architecture.mixture)
        self.net.backward(x, trace, gradient, self.layers, self.gradient)
        self.count += 1
        if self.setting.whitened and self.prior:
            g = self.prior.rotated(self.net, self.gradient * self.there)
            change = self.prior.rotated(self.net, self._direction(g), back=True)
        else:
            change = self._direction(self.gradient)
        self.weights += np.float32(rate) * self.pace * change
        if self.setting.average:
            keep = np.float32(min(self.setting.average, self.count / (1 + self.count)))
            self.coding += (1 - keep * self.kept) * (self.weights - self.coding)

    def _direction(self, g: Floats) -> Floats:
        kind = self.setting.optimiser
        self.first += (1 - _BETA1) * (g - self.first)
        if kind == "sign":
            return np.sign(self.first)
        self.second += (1 - _BETA2) * (g * g - self.second)
        seen = 1 - _BETA2 ** np.float32(self.count)
        second = self.second / seen
        if self.setting.warm and self.prior:
            weight = np.float32(self.setting.warm) * (1 - _BETA2)
            known = self.prior.second_white if self.setting.whitened else self.prior.second
            second = (self.second + weight * known) / (seen + weight)
        if kind == "layer":
            second = _by_layer(self.net, second)
        first = g if kind == "rms" else self.first / (1 - _BETA1 ** np.float32(self.count))
        out: Floats = first / (np.sqrt(second) + _EPSILON)
        return out


def _pace(net: Network, setting: Setting) -> Floats:
    """Length of a step of every weight at a rate of 1; 0 for those that do not learn."""
    pace = np.zeros_like(net.pace)
    into, whole = net.views(pace), net.views(net.pace)
    for name, layer in whole.items():
        factor = FACTORS.get(name.split(".")[0], 1.0) if setting.factors else 1.0
        part = slice(-1, None) if setting.biases else slice(None)
        into[name][:, part] = layer[:, part] * np.float32(factor)
    return pace * _among(net, setting.layers)


def _among(net: Network, beginnings: tuple[str, ...]) -> Floats:
    """1 for the weights of layers whose names begin so, else 0; all where no beginning is given."""
    out = np.zeros_like(net.weights)
    for name, layer in net.views(out).items():
        layer[:] = not beginnings or name.startswith(beginnings)
    return out


def _by_layer(net: Network, second: Floats) -> Floats:
    out = np.empty_like(second)
    for layer, into in zip(net.views(second).values(), net.views(out).values(), strict=True):
        into[:] = layer.mean()
    return out


def learnt_prior(net: Network, pictures: Iterable[Picture]) -> Prior:
    """Statistics of pictures that the network has been trained on; of bands here and there in each."""
    views = {name: np.zeros((layer.shape[1],) * 2) for name, layer in net.views(net.weights).items()}
    gradients = []
    there = (net.pace > 0).astype(np.float32)
    for picture in pictures:
        height, width, _ = picture.shape
        for top in range(0, height - 1, 32):
            x = pixels(picture.inputs, slice(top * width, (top + 2) * width, 2 * width // 128))
            trace = net.forward(x, picture.shifts, net.views(net.weights))
            _, gradient = mixture(trace.parameters, x.values, x.prediction, net.model.architecture.mixture)
            gradients.append(np.empty_like(net.weights))
            net.backward(x, trace, gradient, net.views(net.weights), gradients[-1])
            gradients[-1] *= there
            for name, units in net.units(x, trace).items():
                views[name] += units.T @ units
    bases = {name: np.linalg.eigh(moments)[1].astype(np.float32) for name, moments in views.items()}
    prior = Prior(np.mean(np.square(gradients), axis=0), np.zeros_like(net.weights), bases)
    for g in gradients:
        prior.second_white += prior.rotated(net, g) ** 2 / np.float32(len(gradients))
    return prior
