"""Ways for the pixel network to learn while it codes, in float32: :mod:`vaezip.models.pixel.adaptive`, and variants.

A band is coded with the weights as they are; then come steps on it. Everything that the decoder would know in the
same order is allowed, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pixelnet import Floats, Inputs, Network, Picture, bands, mixture, pixels

from vaezip.models.effort import Effort
from vaezip.models.pixel.model import PixelModel
from vaezip.models.pixel.search import chosen_settings
from vaezip.models.pixel.settings import Adaptation

Bits = NDArray[np.float64]

EFFORT = Effort(1)
"""Of the codec that the settings are relative to."""

SHIPPED = Adaptation(EFFORT.steps, EFFORT.rows)
_EPSILON = np.float32(1e-15)
_BETA1, _BETA2 = np.float32(0.6), np.float32(0.999)
_SEED = 0
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
        scales: the weights of an output stay but for a factor that learns; the bias learns, too.
        rank: what learns of a layer is a product A·B of so many columns and rows, beside its weights that stay; A is
            0 at first, B random; the bias learns, too.
        both: B learns as A does, else it stays.
        rows, batch: of a band, and pixels a step.
        carried: moments go on from band to band.
        factors: layers have rates of their own, as in the codec.
        average: weights that code are a moving average, of which each step keeps so much; 0: the last ones.
        averaged: beginnings of the names of the layers that are averaged, all if empty.
        latents: z is told, as the encoder finds it; else it is 0, as it is where the codec learns.
        warm: start Adam's second moments from those of training photographs, as if so many steps had been seen.
        whitened: Adam works in the basis in which the inputs of each layer are uncorrelated.
    """

    optimiser: str = "adam"
    rate: float = 1.0
    last: float = SHIPPED.final_rate / 256
    layers: tuple[str, ...] = ()
    biases: bool = False
    scales: bool = False
    rank: int = 0
    both: bool = False
    rows: int = SHIPPED.row_group
    batch: int = 16 * SHIPPED.batch
    carried: bool = True
    factors: bool = True
    average: float = SHIPPED.average_decay / 256
    averaged: tuple[str, ...] = ()
    latents: bool = False
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


NO_LEARNING = Setting("none", latents=True)
"""As the codec without learning, which has z."""


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
    for where, x, batches, rate in lessons(net.model, picture, setting):
        out.bits[where], out.parameters[where] = predicted(net, x, picture.shifts, learner.coding)
        if out.unaveraged is not None:
            out.unaveraged[where], _ = predicted(net, x, picture.shifts, learner.weights)
        learner.begin()
        for some in batches:
            learner.step(some, picture.shifts, rate)
    return out


class Lesson(NamedTuple):
    """A band: where its pixels stand, these, those of each step, and how long the steps are."""

    where: slice
    pixels: Inputs
    batches: list[Inputs]
    rate: float


def lessons(model: PixelModel, picture: Picture, setting: Setting) -> Iterator[Lesson]:
    """The bands of a picture, from the top."""
    height, width, _ = picture.shape
    first = chosen_settings(model, EFFORT, pictures=1).rate / 16384 * setting.rate
    order = list(bands(height, setting.rows))
    for number, (top, end) in enumerate(order):
        where = slice(top * width, end * width)
        x = pixels(picture.inputs, where)
        steps = max(1, len(x.values) // setting.batch)
        taken = range(0 if setting.optimiser == "none" else steps)
        batches = [pixels(x, slice((number + i) % steps, None, steps)) for i in taken]
        yield Lesson(where, x, batches, first * (1 - (1 - setting.last) * number / len(order)))


def predicted(net: Network, x: Inputs, shifts: Floats, weights: Floats) -> tuple[Bits, Floats]:
    """What pixels cost by these weights, (pixels, channels), and the parameters of their mixtures."""
    parameters = net.forward(x, shifts, net.views(weights)).parameters
    log_p, _ = mixture(parameters, x.values, x.prediction, net.model.architecture.mixture)
    return log_p / -np.log(2), parameters


class Learner:
    """A copy of the weights, and what an optimiser keeps beside them."""

    def __init__(self, net: Network, setting: Setting, prior: Prior | None = None) -> None:
        self.net, self.setting, self.prior = net, setting, prior
        self.form = _form(net, setting)
        self.learnt = self.form.start.copy()
        self.weights = net.weights.copy()
        self.coding = self.weights.copy() if setting.average else self.weights
        self.layers = net.views(self.weights)
        self.gradient = np.zeros_like(self.weights)
        self.first, self.second = np.zeros_like(self.learnt), np.zeros_like(self.learnt)
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
            change = self._direction(self.form.gradient(self.learnt, self.gradient))
        self.learnt += np.float32(rate) * self.form.pace * change
        self.weights[:] = self.form.weights(self.learnt)
        if self.setting.average:
            self.coding += (1 - np.float32(self.setting.average) * self.kept) * (self.weights - self.coding)

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


# What learns


class Form(Protocol):
    """How the weights are made of what learns.

    Attributes:
        start: what learns, as it is at first.
        pace: length of its steps at a rate of 1; 0 for what stays.
    """

    start: Floats
    pace: Floats

    def weights(self, learnt: Floats) -> Floats:
        """Those of the network."""
        ...

    def gradient(self, learnt: Floats, for_weights: Floats) -> Floats:
        """That for what learns, from that for the weights."""
        ...


class Whole:
    """The weights themselves."""

    def __init__(self, net: Network, setting: Setting) -> None:
        self.start, self.pace = net.weights, _pace(net, setting)

    def weights(self, learnt: Floats) -> Floats:
        """See :class:`Form`."""
        return learnt

    def gradient(self, learnt: Floats, for_weights: Floats) -> Floats:
        """See :class:`Form`."""
        return for_weights


class Scales:
    """Of every output, a factor of its weights, then of every output, the bias."""

    def __init__(self, net: Network, setting: Setting) -> None:
        shapes = [layer.shape for layer, _ in net.layers.values()]
        self.sizes = np.concatenate([np.full(rows, columns) for rows, columns in shapes])
        self.biases = np.cumsum(self.sizes) - 1
        self.begin = self.biases + 1 - self.sizes
        self.fixed = net.weights.copy()
        self.fixed[self.biases] = 0.0
        pace = _pace(net, setting)
        self.start = np.concatenate([np.ones_like(pace[self.begin]), net.weights[self.biases]])
        self.pace = np.concatenate([pace[self.begin] / net.pace[self.begin], pace[self.biases]])

    def weights(self, learnt: Floats) -> Floats:
        """See :class:`Form`."""
        scales, biases = np.split(learnt, 2)
        out: Floats = self.fixed * np.repeat(scales, self.sizes)
        out[self.biases] = biases
        return out

    def gradient(self, learnt: Floats, for_weights: Floats) -> Floats:
        """See :class:`Form`."""
        return np.concatenate([np.add.reduceat(for_weights * self.fixed, self.begin), for_weights[self.biases]])


class LowRank:
    """Of every layer A, B and the bias."""

    def __init__(self, net: Network, setting: Setting) -> None:
        self.net = net
        self.shapes = {name: _shapes(layer, setting.rank) for name, (layer, _) in net.layers.items()}
        self.there = (net.pace > 0).astype(np.float32)
        size = sum(int(np.prod(shape)) for shapes in self.shapes.values() for shape in shapes)
        self.start, self.pace = np.zeros(size, np.float32), np.zeros(size, np.float32)
        rng = np.random.default_rng(_SEED)
        whole, paces = net.views(net.pace), net.views(_pace(net, setting))
        for name, (_, b, bias) in self._parts(self.start).items():
            b[:] = rng.standard_normal(b.shape) / np.sqrt(len(b))  # so that A·B moves about as fast as A
            bias[:] = net.layers[name][0][:, -1]
        for name, (a, b, bias) in self._parts(self.pace).items():
            a[:], bias[:] = paces[name][:, :1], paces[name][:, -1]
            b[:] = setting.both * paces[name][0, 0] / whole[name][0, 0] / np.sqrt(len(b))

    def weights(self, learnt: Floats) -> Floats:
        """See :class:`Form`."""
        change = np.zeros_like(self.net.weights)
        out: Floats = self.net.weights.copy()
        into, beside = self.net.views(out), self.net.views(change)
        for name, (a, b, bias) in self._parts(learnt).items():
            np.matmul(a, b, out=beside[name][:, :-1])
            into[name][:, -1] = bias
        out += change * self.there
        return out

    def gradient(self, learnt: Floats, for_weights: Floats) -> Floats:
        """See :class:`Form`."""
        out = np.empty_like(learnt)
        into, found = self._parts(out), self.net.views(for_weights * self.there)
        for name, (a, b, _) in self._parts(learnt).items():
            for_a, for_b, for_bias = into[name]
            np.matmul(found[name][:, :-1], b.T, out=for_a)
            np.matmul(a.T, found[name][:, :-1], out=for_b)
            for_bias[:] = found[name][:, -1]
        return out

    def _parts(self, learnt: Floats) -> dict[str, list[Floats]]:
        """A, B and bias of each layer, as views."""
        found: dict[str, list[Floats]] = {}
        at = 0
        for name, shapes in self.shapes.items():
            found[name] = []
            for shape in shapes:
                size = int(np.prod(shape))
                found[name].append(learnt[at : at + size].reshape(shape))
                at += size
        return found


def _shapes(layer: Floats, rank: int) -> tuple[tuple[int, ...], ...]:
    rows, columns = layer.shape
    rank = min(rank, rows)
    return (rows, rank), (rank, columns - 1), (rows,)


def _form(net: Network, setting: Setting) -> Form:
    if setting.rank:
        return LowRank(net, setting)
    return (Scales if setting.scales else Whole)(net, setting)


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
