"""Learning while coding: the pixel network takes gradient steps on what both sides already know.

After each band of rows, encoder and decoder take the same K steps of Adam on −log p of the band's
pixels, and go on with an average of the weights. Nothing is sent. Everything is exact, so that the steps are the
same everywhere:

1. Forward, the compiled coder's own integers.
2. The gradient of log p for a pixel's parameters is computed element by element in float64. Before each
   matrix product gradients go on a power-of-two grid of the layer and step with |g| ≤ 2^GRADIENT_BITS, in
   two halves of 16-bit integers: g = 2^HALF high + low. Products of either half are summed in 32 bits over
   as few pixels or outputs as cannot leave them, and from there on in float64, far below its 2^53.
3. Adam runs element by element on float64 *master* weights, which stand in units of the integer weights;
   the integers are their nearest. Rows start on a grid twice as coarse as the model's, so that weights
   can grow; a row whose sums could leave 32 bits does not move in that step.
4. What codes is not the master weights but a mean of them over the last steps, which small steps on few pixels
   shake less: average ← average + (master − average) · share.

Two copies of the network may learn side by side, one in short steps, one in long ones: each says what the other
does not, and what codes is the mixture of both.

The length of a step is relative to the root mean square of a layer's weights in units of its output,
so that it means the same in every model.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.exact.jit import jit
from vaezip.exact.layer import Layer
from vaezip.exact.product16 import ROWS, empty, pack, product16
from vaezip.models.pixel import kernel as coder
from vaezip.models.pixel import orientation
from vaezip.models.pixel.architecture import RADIUS, TILE, PixelArchitecture
from vaezip.models.pixel.gradient import logistic
from vaezip.models.pixel.least_squares import SPREAD_BITS, UNIT_BITS
from vaezip.models.pixel.network import ACTIVATION_BOUND, SUM_BOUND, input_bound

Floats = NDArray[np.float64]
Frame = NDArray[np.int16]

GRADIENT_BITS = 22
HALF = GRADIENT_BITS // 2
_PIXELS = 128
"""Whose products with 12-bit units are summed in 32 bits: 2^(11 + 12) · 128 < 2^31."""

_OUTPUTS = 32
"""Whose products with weights are: 2^11 · 32767 · 32 < 2^31."""

_BETA1, _BETA2 = 0.6, 0.999
_EPSILON = 1e-30

# What one unit of an integer input is worth, about: step lengths of its weights are in proportion.
_DIFFERENCE, _LEVEL, _UNIT, _ONE = 2.0**-4, 2.0**-6, 2.0**-7, 1.0
_PREDICTED, _SPREAD = _DIFFERENCE * 2.0**-UNIT_BITS, 2.0**-3 * 2.0**-SPREAD_BITS
# Steps of these layers beside those of the others; found on training photographs.
_FIRST, _BLOCKS = 0.375, 1.5


SETTINGS = 9
"""Bytes of a :class:`Learning` with steps."""

_UNLEARNT = 64
"""And this, and the orientation, is the byte of one without."""


@dataclass(frozen=True)
class Learning:
    """How the pixel network learns; part of a file.

    Attributes:
        steps: K: how often a band is gone through once it is coded; 0 leaves the network as it is.
        rows: height of a band, 1 … 32.
        thin: only one pixel in so many is looked at, in each going through; others in the next band.
        batch: about how many pixels a step of Adam sees, in 16. They lie evenly over the band. Many
            small steps learn more than few large ones of the same cost.
        rate: the first step of a weight relative to its layer, in 1/16384.
        last: the last step relative to the first, in 1/256; it falls linearly over the bands.
        kept: what the average of the weights keeps of itself at each step, in 1/256.
        turn: how the pictures lie while they are coded, as :mod:`vaezip.models.pixel.orientation` has it.
        second: the rate of a second network beside the first; 0: there is none.
    """

    steps: int
    rows: int = 2
    thin: int = 1
    batch: int = 8
    rate: int = 40
    last: int = 51
    kept: int = 230
    turn: int = 0
    second: int = 0

    def __post_init__(self) -> None:
        if not (1 <= self.rows <= TILE and self.batch >= 1 and self.thin >= 1 and self.turn < orientation.COUNT):
            raise ValueError("a band has 1 to 32 rows, a step some pixels, and a picture eight orientations")
        if self.steps > self.batch * self.thin:  # a file could else ask for days
            raise ValueError("there are at most as many steps of Adam as there are sixteens of pixels")

    def to_bytes(self) -> bytes:
        """A byte each, the rows first; where nothing learns, one that tells the orientation alone."""
        if not self.steps:
            return bytes([_UNLEARNT + self.turn])
        steps, rows, *others = astuple(self)
        return bytes([rows, steps, *others])

    @staticmethod
    def from_bytes(data: bytes) -> tuple[Learning, int]:
        """Inverse of :meth:`to_bytes`, and how many of the bytes it has read.

        Raises:
            ValueError: they do not begin with what that gives.
        """
        if data[:1] >= bytes([_UNLEARNT]):
            return Learning(0, TILE, turn=data[0] - _UNLEARNT), 1
        if len(data) < SETTINGS or not data[1]:
            raise ValueError("there are no such settings")
        rows, steps, *others = data[:SETTINGS]
        return Learning(steps, rows, *others), SETTINGS

    @property
    def rates(self) -> tuple[int, ...]:
        """Of each network."""
        return (self.rate, self.second) if self.second else (self.rate,)

    def rates_at(self, band: int, bands: int) -> list[float]:
        """The relative step of each network after band ``band`` of ``bands``."""
        fall = (1.0 - self.last / 256.0) * (band / bands)
        return [rate / 16384.0 * (1.0 - fall) for rate in self.rates]

    def batches(self, pixels: int, band: int) -> list[slice]:
        """Which pixels each step after a band sees.

        >>> Learning(1, batch=1).batches(40, 0)
        [slice(0, None, 2), slice(1, None, 2)]
        """
        count = max(1, pixels // (16 * self.batch))
        steps = -(-self.steps * count // self.thin)
        return [slice((band + i * self.thin) % count, None, count) for i in range(steps)]


Coded = tuple[NDArray[np.int16], NDArray[np.int32], NDArray[np.int32]]
Units = NDArray[np.int16]


class _Gradient(NamedTuple):
    """For weights, known and bias of a layer, and what to multiply them by."""

    weight: Floats
    known: Floats
    bias: Floats
    unit: float


@dataclass
class _Matrix:
    """One layer, or several of the same inputs: what codes, and what learns it.

    Attributes:
        weight, known, bias: integers: of the units (outputs, units), of the hints (outputs, hints or 0), and
            the bias with the rounding's ½ (outputs,).
        shift, clamp: of the output.
        pace: length of the steps of weights, known and bias, side by side, at a rate of 1; 0 where
            there is no weight.
        bounds: of the units and of the hints.
        learnt, coding: for each of the layers the integers that learn, and those of the average, as the compiled
            coder has them: weights as :func:`vaezip.exact.product16.pack` has them, those of hints
            (hints, outputs), and bias.
    """

    weight: NDArray[np.int16]
    known: NDArray[np.int32]
    bias: NDArray[np.int32]
    shift: NDArray[np.int32]
    clamp: tuple[int, int]
    pace: Floats
    bounds: tuple[int, int]
    learnt: list[Coded]
    coding: list[Coded]

    def __post_init__(self) -> None:
        parts = self.weight, self.known, self.bias[:, None]
        self.master = np.concatenate(parts, axis=1).astype(np.float64)
        self.average = self.master.copy()
        self.averaged = self.weight.copy(), self.known.copy(), self.bias.copy()
        self.first, self.second = np.zeros_like(self.master), np.zeros_like(self.master)
        outputs, units = self.weight.shape
        self.scale = np.ldexp(1.0, -self.shift)
        self.turned = empty(units, outputs)
        self.for_weight = np.empty((_room(outputs), self.turned.shape[1]))
        self.hand_over()

    def resize(self, pixels: int) -> None:
        """Make room for the outputs of a step, and for gradients; memory is kept from step to step."""
        outputs, units = self.weight.shape
        rows = _room(pixels)
        self.output = np.zeros((rows, _even(outputs)), np.int16)
        self.flowing = np.empty((pixels, outputs))
        self.halves = np.zeros((2, rows, _even(outputs)), np.int16)
        self.upright = np.zeros((2, _room(outputs), rows), np.int16)
        self.inputs = empty(units, rows)
        self.back = np.empty((rows, self.turned.shape[1]))

    def __call__(self, x: Units, hints: NDArray[np.int32]) -> Units:
        """Units (pixels, units) and hints (pixels, hints) to ``output``, within the clamp."""
        rows, pixels = len(self.weight) // len(self.learnt), len(hints)
        for i, coded in enumerate(self.learnt):
            part = slice(i * rows, (i + 1) * rows)
            _settled(pixels, x, coded, hints, self.shift[part], self.clamp, self.output[:, part])
        return self.output

    def gradients(self, gradient: Floats, x: Units, hints: NDArray[np.int32]) -> _Gradient:
        """Gradients for weights, known and bias.

        Args:
            gradient: for ``output``; where that is at its clamp nothing flows back.
            x, hints: the inputs.
        """
        scale = _grid(_through(gradient, self.output, self.scale, self.clamp, self.flowing))
        known, bias = _halved(self.flowing, scale, hints[:, : self.known.shape[1]], self.halves, self.upright)
        pack(x.T, self.inputs)
        _over_pixels(self.upright, self.inputs, self.for_weight)
        return _Gradient(self.for_weight, known, bias, 1.0 / scale)

    def input_gradient(self, found: _Gradient) -> Floats:
        """``back``: the gradient for the units, after :meth:`gradients` found the others."""
        _over_outputs(self.halves, self.turned, self.back, found.unit)
        return self.back[: len(self.flowing), : self.weight.shape[1]]

    def learn(self, gradient: _Gradient, rate: float, powers: tuple[float, float], share: float) -> None:
        """One step of Adam uphill, of which the average takes a share."""
        corrections = 1.0 / (1.0 - powers[0]), 1.0 / (1.0 - powers[1])
        masters = self.master, self.average, self.first, self.second, self.pace
        _adam(gradient, rate, share, corrections, masters, (self.weight, self.known, self.bias), self.bounds)
        self.hand_over()

    def hand_over(self) -> None:
        """Give the integers to the products that go forth and back."""
        _hand_over((self.weight, self.known, self.bias), self.learnt)
        pack(self.weight.T, self.turned)

    def settle(self) -> None:
        """Give those of the average to the compiled coder."""
        _rounded(self.average, self.averaged, self.bounds)
        _hand_over(self.averaged, self.coding)


def _hand_over(integers: Coded, layers: list[Coded]) -> None:
    """Integers of a matrix to where the compiled coder takes them."""
    weight, known, bias = integers
    rows = len(weight) // len(layers)
    for i, (for_weight, for_known, for_bias) in enumerate(layers):
        part = slice(i * rows, (i + 1) * rows)
        pack(weight[part], for_weight)
        for_known[: known.shape[1]] = known[part].T
        for_bias[:] = bias[part]


class _Band(NamedTuple):
    """What is known of a band's pixels, channels in the order of coding; of its tiles, the shifts."""

    features: Units
    values: NDArray[np.int64]
    prediction: NDArray[np.int64]
    hints: NDArray[np.int32]
    style: NDArray[np.int64]
    shifts: NDArray[np.int32]


class Learners:
    """Copies of a model's pixel network that learn.

    ``networks`` are the weights that code, averages, changed in place after every band.
    """

    def __init__(self, a: PixelArchitecture, made: dict[str, Layer], learning: Learning, bands: int) -> None:
        """``made``: of :func:`vaezip.models.pixel.network.layers`; ``bands``: how many are to come."""
        self.learning, self.bands = learning, bands
        self.learners = [Learner(a, made) for _ in learning.rates]
        self.networks: coder.Networks = tuple(learner.weights for learner in self.learners)
        self.band = 0

    def after(self, frame: Frame, top: int, rows: int, shifts: NDArray[np.int32]) -> None:
        """Learn from a band whose pixels are all in the frame.

        Args:
            frame: int16 (pictures, …) of :mod:`vaezip.models.pixel.context`.
            top, rows: the band.
            shifts: of the style network, int32 (pictures · tiles in a row, shifts).
        """
        share = 1.0 - self.learning.kept / 256.0
        rates = self.learning.rates_at(self.band, self.bands)
        whole = _inputs(frame, top, rows, self.networks[0].order, self.learners[0].architecture.features)
        for batch in self.learning.batches(len(whole[0]), self.band):
            some = _Band._make([*(np.ascontiguousarray(x[batch]) for x in whole), shifts])
            for learner, rate in zip(self.learners, rates):
                learner.step(some, rate, share)
        for learner in self.learners:
            learner.settle()
        self.band += 1


class Learner:
    """One copy; ``weights`` are the averages of those that learn, as the compiled coder has them."""

    def __init__(self, a: PixelArchitecture, made: dict[str, Layer]) -> None:
        self.architecture = a
        roomy = {name: _roomy(layer) for name, layer in made.items()}
        self.weights = coder.weights(a, roomy)
        places = zip(_places(coder.weights(a, roomy)), _places(self.weights))
        bounds, channels = (ACTIVATION_BOUND, input_bound(a)), range(a.channels)
        hidden, units = np.full(a.hidden, _UNIT), np.full(a.head, _UNIT)
        seen, hints = [a.seen(i) for i in channels], worth_of_hints(a)
        first = (bounds[1], bounds[1])
        self.first = _matrix([roomy["first"]], worth_of_features(a), first, next(places))
        self.first.pace *= _FIRST
        self.inner = [_matrix([roomy[f"inner.{i}"]], hidden, bounds, next(places)) for i in range(a.blocks)]
        self.outer = [_matrix([roomy[f"outer.{i}"]], hidden, bounds, next(places)) for i in range(a.blocks)]
        for matrix in (*self.inner, *self.outer):
            matrix.pace *= _BLOCKS
        heads = [roomy[f"head.{i}"] for i in channels]
        self.head = _matrix(heads, hidden, bounds, next(places), seen, hints)
        self.out = [
            _matrix([roomy[f"out.{i}"]], units, bounds, next(places), [seen[i]], hints, a.mixture) for i in channels
        ]
        self.matrices = (self.first, *self.inner, *self.outer, self.head, *self.out)
        self._resize(0)
        self.powers = (1.0, 1.0)

    def step(self, band: _Band, rate: float, share: float) -> None:
        """One on some pixels, of which the average takes a share."""
        if len(band.values) != len(self.for_heads):
            self._resize(len(band.values))
        self._forward(band)
        steps = self._backward(band)
        self.powers = self.powers[0] * _BETA1, self.powers[1] * _BETA2
        for matrix, found in steps:
            matrix.learn(found, rate, self.powers, share)

    def settle(self) -> None:
        """Give the averages to the compiled coder."""
        for matrix in self.matrices:
            matrix.settle()

    def _resize(self, pixels: int) -> None:
        a, rows = self.architecture, _room(pixels)
        for matrix in self.matrices:
            matrix.resize(pixels)
        self.features = np.zeros((rows, _even(a.features)), np.int16)
        self.hidden = [np.zeros((rows, a.hidden), np.int16) for _ in range(1 + a.blocks)]
        self.units = [np.zeros((rows, a.hidden), np.int16) for _ in range(a.blocks)]
        self.for_heads = np.empty((pixels, len(self.head.weight)))

    def _forward(self, band: _Band) -> None:
        """Every layer but the last, whose inputs and outputs are kept."""
        a, hidden, units = self.architecture, self.hidden, self.units
        self.features[: len(band.features), : a.features] = band.features
        _shifted(self.first(self.features, band.hints), band.shifts, band.style, 0, hidden[0])
        for i in range(a.blocks):
            begin = (i + 1) * a.hidden
            _shifted(self.inner[i](hidden[i], band.hints), band.shifts, band.style, begin, units[i])
            _joined(hidden[i], self.outer[i](units[i], band.hints), hidden[i + 1])
        self.head(hidden[-1], band.hints)

    def _parameters(self, band: _Band, i: int) -> tuple[Units, Units]:
        """The i-th channel's head, and its parameters."""
        head = self.head.output[:, i * self.architecture.head : (i + 1) * self.architecture.head]
        return head, self.out[i](head, band.hints)

    def _backward(self, band: _Band) -> list[tuple[_Matrix, _Gradient]]:
        """Every layer and its gradients."""
        a, hidden, steps = self.architecture, self.hidden, []
        for i in range(a.channels):
            head, parameters = self._parameters(band, i)
            gradient = mixture_gradient(
                parameters, band.values[:, i], band.prediction[:, i], a.mixture, coder.mixture_tables()
            )
            steps.append((self.out[i], self.out[i].gradients(gradient, head, band.hints)))
            self.for_heads[:, i * a.head : (i + 1) * a.head] = self.out[i].input_gradient(steps[-1][1])
        steps.append((self.head, self.head.gradients(self.for_heads, hidden[-1], band.hints)))
        total = self.head.input_gradient(steps[-1][1])
        for i in reversed(range(a.blocks)):
            _free(total, hidden[i + 1])
            steps.append((self.outer[i], self.outer[i].gradients(total, self.units[i], band.hints)))
            back = self.outer[i].input_gradient(steps[-1][1])
            _free(back, self.units[i])
            steps.append((self.inner[i], self.inner[i].gradients(back, hidden[i], band.hints)))
            total += self.inner[i].input_gradient(steps[-1][1])
        _free(total, hidden[0])
        steps.append((self.first, self.first.gradients(total, self.features, band.hints)))
        return steps


def _places(w: coder.Weights) -> Iterator[list[Coded]]:
    """Where the compiled coder has the layers of each matrix: the first, the inner, the outer ones, heads, outs."""
    none = np.zeros((0, w.first_b.size), np.int32)
    yield [(w.first_w, none, w.first_b)]
    for weights, biases in ((w.inner_w, w.inner_b), (w.outer_w, w.outer_b)):
        yield from ([(weight, none, bias)] for weight, bias in zip(weights, biases))
    yield list(zip(w.head_w, w.head_e, w.head_b))
    yield from ([coded] for coded in zip(w.out_w, w.out_e, w.out_b))


def _room(rows: int) -> int:
    """Rows of an array that :func:`vaezip.exact.product16.product16` goes through."""
    return -(-rows // ROWS) * ROWS


def _even(columns: int) -> int:
    return columns + columns % 2


def _roomy(layer: Layer) -> Layer:
    """The layer on a grid twice as coarse, where there is one."""
    drop = (layer.shift > 1).astype(np.int64)
    halved = layer.weight / (1 << drop)[:, None], layer.bias / (1 << drop)
    weight, bias = (np.floor(part + 0.5).astype(np.int64) for part in halved)
    return Layer(weight, bias, layer.shift - drop, layer.clamp)


_NO_HINTS = np.zeros(0)


def worth_of_features(a: PixelArchitecture) -> Floats:
    """What one unit of each is worth."""
    kinds = np.array([_DIFFERENCE, _LEVEL, _PREDICTED, _SPREAD])
    return np.repeat(kinds, np.array([a.neighbours, 1, a.regressed, a.regressed]) * a.channels)


def worth_of_hints(a: PixelArchitecture) -> Floats:
    """What one unit of each is worth."""
    return np.repeat([_DIFFERENCE, _PREDICTED], np.array([1, a.regressed]) * a.channels)


def _matrix(
    made: list[Layer],
    worth: Floats,
    bounds: tuple[int, int],
    places: tuple[list[Coded], list[Coded]],
    seen: Sequence[Sequence[int]] = ((),),
    worth_of_hints: Floats = _NO_HINTS,
    mixture: int = 0,
) -> _Matrix:
    """Layers of the same units, one above the other.

    Args:
        made: each with weights of the hints that it sees after those of its units.
        worth, worth_of_hints: what one unit of each integer input is worth.
        bounds, places: see :class:`_Matrix`; what learns, then what codes.
        seen: numbers of the hints that each layer sees.
        mixture: where the outputs are parameters, whose three kinds have grids of their own.
    """
    units, hints = len(worth), len(worth_of_hints)
    weight = np.concatenate([layer.weight[:, :units] for layer in made]).astype(np.int16)
    known = np.zeros((len(weight), hints), np.int32)
    there = np.zeros((len(weight), units + hints + 1))
    there[:, :units] = there[:, -1] = 1.0
    rows = len(made[0].weight)
    for i, (layer, which) in enumerate(zip(made, seen, strict=True)):
        columns = np.array(which, np.int64)
        known[i * rows : (i + 1) * rows, columns] = layer.weight[:, units:]
        there[i * rows : (i + 1) * rows, units + columns] = 1.0
    shift = np.concatenate([layer.shift for layer in made]).astype(np.int32)
    bias = np.concatenate([layer.bias for layer in made]) + (np.int64(1) << (shift - 1))
    kinds = np.ones(len(weight))
    if mixture:
        grids = [d.WEIGHT_LOGIT_BITS, d.MEAN_BITS + 4, d.LOG_SCALE_BITS]
        kinds = np.repeat(np.ldexp(1.0, -np.array(grids)), mixture)
    to_float = (np.ldexp(1.0, -shift) * kinds)[:, None] / np.r_[worth, worth_of_hints, _ONE]
    size = _root_mean_square(weight * to_float[:, :units])
    pace = there * size / to_float
    return _Matrix(weight, known, bias.astype(np.int32), shift, made[0].clamp, pace, bounds, *places)


def _grid(largest: float) -> float:
    """The largest power of two s with largest · s ≤ 2^GRADIENT_BITS."""
    if not 0.0 < largest < math.inf:
        return 1.0
    _, exponent = math.frexp(largest)  # largest < 2^exponent
    return math.ldexp(1.0, max(-900, min(900, GRADIENT_BITS - exponent)))


def _root_mean_square(values: Floats) -> float:
    """By fsum, which rounds the exact sum once: squares of integers times powers of two are exact."""
    return math.sqrt(math.fsum((values * values).ravel()) / values.size)


@jit
def _settled(pixels, x, coded, hints, shift, clamp, out):  # type: ignore[no-untyped-def]
    """A layer's outputs."""
    weight, known, bias = coded
    sums = np.empty((x.shape[0], weight.shape[1]), np.int32)
    product16(pixels, x, weight, sums)
    coder.settle(pixels, sums, known, hints, bias, shift, clamp[0], clamp[1], out)


@jit
def _shifted(sums, shifts, style, begin, out):  # type: ignore[no-untyped-def]
    """out = relu(sums + shifts of the pixel's style, from column ``begin`` on)."""
    for p in range(style.size):
        row, first = np.uint64(style[p]), np.uint64(begin)
        for o in range(out.shape[1]):
            out[p, o] = coder.unit(sums[p, o] + shifts[row, first + np.uint64(o)])


@jit
def _joined(h, outer, out):  # type: ignore[no-untyped-def]
    """out = relu(h + outer)."""
    for p in range(h.shape[0]):
        for o in range(h.shape[1]):
            out[p, o] = coder.unit(h[p, o] + outer[p, o])


@jit
def _free(gradient, units):  # type: ignore[no-untyped-def]
    """Nothing flows back through units at 0 or at the bound; in place."""
    for p in range(gradient.shape[0]):
        for o in range(gradient.shape[1]):
            if not 0 < units[p, o] < ACTIVATION_BOUND:
                gradient[p, o] = 0.0


@jit
def _through(gradient, y, scale, clamp, out):  # type: ignore[no-untyped-def]
    """Gradients for outputs to those for sums; the largest of these."""
    low, high = clamp
    largest = np.zeros(scale.size)  # of each column, which vectors can keep
    for p in range(gradient.shape[0]):
        for o in range(scale.size):
            flowing = gradient[p, o] * scale[o] if low < y[p, o] < high else 0.0
            out[p, o] = flowing
            if abs(flowing) > largest[o]:
                largest[o] = abs(flowing)
    return largest.max()


@jit
def _halved(gradient, scale, hints, halves, upright):  # type: ignore[no-untyped-def]
    """Gradients on their grid, in halves, by pixels and by outputs; and summed for known and bias."""
    pixels, outputs = gradient.shape
    known, bias = np.zeros((hints.shape[1], outputs)), np.zeros(outputs)
    for p in range(pixels):
        for o in range(outputs):
            gradient[p, o] = np.floor(gradient[p, o] * scale + 0.5)
            bias[o] += gradient[p, o]
        for o in range(outputs):
            whole = np.int32(gradient[p, o])
            halves[0, p, o], halves[1, p, o] = np.int16(whole >> HALF), np.int16(whole & ((1 << HALF) - 1))
        for j in range(hints.shape[1]):
            for o in range(outputs):
                known[j, o] += gradient[p, o] * hints[p, j]
    for half in range(2):
        for o in range(outputs):
            for p in range(pixels):
                upright[half, o, p] = halves[half, p, o]
    return known.T, bias


@jit
def _over_pixels(upright, inputs, out):  # type: ignore[no-untyped-def]
    """out = Gᵀ x: of the outputs' halves (2, outputs, pixels) and the packed inputs of the same pixels."""
    _summed(upright, inputs, _PIXELS, out)


@jit
def _over_outputs(halves, turned, out, unit):  # type: ignore[no-untyped-def]
    """out = G W · unit: of the pixels' halves (2, pixels, outputs) and the packed transpose of W."""
    _summed(halves, turned, _OUTPUTS, out)
    for p in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[p, i] *= unit


@jit
def _summed(halves, w, together, out):  # type: ignore[no-untyped-def]
    """out = (2^HALF high + low) Wᵀ, exactly; so many inputs at a time are summed in 32 bits."""
    high, low = np.empty(out.shape, np.int32), np.empty(out.shape, np.int32)
    out[:] = 0.0
    for begin in range(0, halves.shape[2], together):
        end = min(begin + together, halves.shape[2])
        some = w[begin >> 1 : (end + 1) >> 1]
        product16(out.shape[0], halves[0, :, begin:end], some, high)
        product16(out.shape[0], halves[1, :, begin:end], some, low)
        for p in range(out.shape[0]):
            for i in range(out.shape[1]):
                out[p, i] += np.float64(high[p, i]) * (1 << HALF) + np.float64(low[p, i])


@jit
def _adam(gradient, rate, share, corrections, masters, integers, bounds):  # type: ignore[no-untyped-def]
    """One step uphill; rows whose sums could leave 32 bits stay as they were."""
    for_weight, for_known, for_bias, unit = gradient
    master, average, first, second, pace = masters
    units, hints = integers[0].shape[1], integers[1].shape[1]
    g, new, rounded = np.empty(master.shape[1]), np.empty(master.shape[1]), np.empty(master.shape[1])
    for o in range(master.shape[0]):
        for i in range(units):
            g[i] = for_weight[o, i] * unit
        for j in range(hints):
            g[units + j] = for_known[o, j] * unit
        g[units + hints] = for_bias[o] * unit
        _move(g, rate, corrections, master[o], first[o], second[o], pace[o], new, rounded)
        if _fits(rounded, units, bounds):
            for i in range(new.size):  # the compiler takes seconds for an assignment of arrays
                master[o, i] = new[i]
            _take(rounded, integers, o)
        for i in range(new.size):
            average[o, i] += (master[o, i] - average[o, i]) * share


@jit
def _rounded(average, integers, bounds):  # type: ignore[no-untyped-def]
    """The integers next to the average; rows whose sums could leave 32 bits stay as they were."""
    units, row = integers[0].shape[1], np.empty(average.shape[1])
    for o in range(average.shape[0]):
        for i in range(row.size):
            row[i] = np.floor(average[o, i] + 0.5)
        if _fits(row, units, bounds):
            _take(row, integers, o)


@jit
def _take(row, integers, o):  # type: ignore[no-untyped-def]
    """Weight, known and bias of an output from its row, in which they stand side by side."""
    weight, known, bias = integers
    units, hints = weight.shape[1], known.shape[1]
    for i in range(units):
        weight[o, i] = np.int16(row[i])
    for j in range(hints):
        known[o, j] = np.int32(row[units + j])
    bias[o] = np.int32(row[units + hints])


@jit
def _move(g, rate, corrections, master, first, second, pace, new, rounded):  # type: ignore[no-untyped-def]
    """Adam's moments, and where the weights would go; a loop that the compiler turns into vectors."""
    for i in range(g.size):
        m = first[i] * _BETA1 + g[i] * (1.0 - _BETA1)
        v = second[i] * _BETA2 + g[i] * g[i] * (1.0 - _BETA2)
        first[i], second[i] = m, v
        spread = np.sqrt(v * corrections[1]) + _EPSILON
        new[i] = master[i] + rate * pace[i] * (m * corrections[0] / spread)
        rounded[i] = np.floor(new[i] + 0.5)


@jit
def _fits(row, units, bounds):  # type: ignore[no-untyped-def]
    """Whether a row's sums stay within 32 bits, and its weights within 16."""
    beyond, sizes = np.int32(0), np.int32(0)
    for i in range(units):
        size = np.int32(min(abs(row[i]), 32768.0))
        beyond |= size
        sizes += size
    total = float(sizes) * bounds[0]
    for i in range(units, row.size - 1):
        beyond |= np.int32(min(abs(row[i]), 32768.0))
        total += abs(row[i]) * bounds[1]
    return beyond < 32768 and total + abs(row[row.size - 1]) <= SUM_BOUND


@jit
def _inputs(frame, top, rows, order, size):  # type: ignore[no-untyped-def]
    """Of every pixel of a band: ``size`` features; values, predictions and hints in the order of coding; style."""
    pictures, width, channels = frame.shape[0], frame.shape[2] - 2 * RADIUS, order.size
    across, count = (width + 31) // 32, pictures * rows * width
    features = np.empty((count, size), np.int16)
    hints = np.empty((count, channels if frame.shape[3] == channels else 2 * channels), np.int32)
    values, found = np.empty((count, channels), np.int64), np.empty((count, channels), np.int64)
    prediction, style = np.empty((count, channels), np.int64), np.empty(count, np.int64)
    p = 0
    for n in range(pictures):
        for row in range(rows):
            for column in range(width):
                y, x = top + row + RADIUS, column + RADIUS
                coder.describe(frame, n, y, x, channels, features, p, found)
                for j in range(channels):
                    values[p, j] = frame[n, y, x, order[j]]
                    prediction[p, j] = found[p, order[j]]
                    hints[p, j] = values[p, j] - prediction[p, j]
                for j in range(channels, hints.shape[1]):
                    hints[p, j] = frame[n, y, x, j]
                style[p] = n * across + column // 32
                p += 1
    return features, values, prediction, hints, style


@jit
def mixture_gradient(parameters, values, prediction, mix, tables):  # type: ignore[no-untyped-def]
    """d log p / d parameters, as :class:`vaezip.models.likelihoods.LogisticMixture`'s, with the coder's own weights.

    Args:
        parameters: (pixels, 3 mix) of one channel, the means relative to the prediction.
        values, prediction: int64 (pixels,).
        mix: logistics.
        tables: of :func:`vaezip.models.pixel.kernel.mixture_tables`.
    """
    out = np.empty((values.size, 3 * mix))
    w, m, s = np.zeros(mix, np.int64), np.zeros(mix, np.int64), np.zeros(mix, np.int64)
    part = np.empty(mix)
    for i in range(values.size):
        coder.mixture(parameters[i], prediction[i], mix, tables.powers, coder.WHOLE, 0, w, m, s)
        x, total = float(values[i]), 0.0
        for k in range(mix):
            inside, by_mean, by_scale = logistic(x, m[k], s[k], tables)
            part[k] = w[k] * 2.0**-d.WEIGHT_BITS * (inside + 1e-12)
            total += part[k]
            out[i, mix + k] = by_mean * 2.0**-d.MEAN_BITS
            free = d.LOG_SCALE_LOW < parameters[i, 2 * mix + k] < d.LOG_SCALE_HIGH
            out[i, 2 * mix + k] = by_scale * 2.0**-d.LOG_SCALE_BITS if free else 0.0
        for k in range(mix):
            share = part[k] / total
            out[i, k] = (share - w[k] * 2.0**-d.WEIGHT_BITS) * 2.0**-d.WEIGHT_LOGIT_BITS
            out[i, mix + k] *= share
            out[i, 2 * mix + k] *= share
    return out
