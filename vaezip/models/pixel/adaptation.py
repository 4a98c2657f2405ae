"""Adapt the pixel network while it codes: it takes gradient steps on pixels that both sides already know.

After each row group, encoder and decoder take the same steps of Adam on −log p of its pixels
(:class:`vaezip.models.pixel.settings.Adaptation`), and go on with an average of the weights. Nothing is sent.
Everything is exact, so that the steps are the same everywhere:

1. Forwards, the compiled coder's own integers.
2. The gradient of log p for a pixel's parameters is computed element by element in float64. Before each
   matrix product gradients go on a power-of-two grid of the layer and step with |g| ≤ 2^GRADIENT_BITS, in
   two halves of 16-bit integers: g = 2^HALF high + low. Products of either half are summed in 32 bits over
   as few pixels or outputs as cannot leave them, and from there on in float64, far below its 2^53.
3. Adam runs element by element on float64 *master* weights, which stand in units of the integer weights;
   the integers are their nearest. Rows start on a grid twice as coarse as the model's, so that weights
   can grow; a row whose sums could leave 32 bits does not move in that step.
4. What codes is not the master weights but a mean of them over the last steps, which small steps on few pixels
   shake less: average ← average + (master − average) · share.

Two copies of the network may learn side by side, one in short steps, one in long ones: each learns what the other
does not, and the mixture of both codes.

The length of a step is relative to the root mean square of a layer's weights in units of its output,
so that it means the same in every model.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.layer import Layer
from vaezip.models.pixel import adaptation_kernels as kernels
from vaezip.models.pixel.adaptation_layers import (
    AdaptiveLayers,
    Gradient,
    Hints,
    Units,
    adaptive_layers,
    coarser,
    even,
    feature_scales,
    hint_scales,
    padded,
    places,
)
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.pixel.constants import ACTIVATION_BOUND, BETAS, BLOCK_PACE, FIRST_PACE, UNIT_SCALE
from vaezip.models.pixel.mixture import mixture_gradient, mixture_tables
from vaezip.models.pixel.network import input_bound
from vaezip.models.pixel.settings import Adaptation
from vaezip.models.pixel.weights import Networks, packed

Frame = NDArray[np.int16]


class Examples(NamedTuple):
    """Pixels to learn from, channels in the order of coding, and the style offsets (tiles, style offsets).

    ``tile`` says which tile a pixel is in.
    """

    features: Units
    values: NDArray[np.int64]
    prediction: NDArray[np.int64]
    hints: NDArray[np.int32]
    tile: NDArray[np.int64]
    offsets: NDArray[np.int32]


class Learners:
    """Copies of a model's pixel network that learn.

    ``networks`` are the weights that code, averages, changed in place after every row group.
    """

    def __init__(self, a: PixelArchitecture, layers: dict[str, Layer], *, settings: Adaptation, groups: int) -> None:
        """Copy ``layers`` of :func:`vaezip.models.pixel.network.layers`; so many row groups are to come."""
        self.settings, self.groups = settings, groups
        self.learners = [Learner(a, layers) for _ in settings.rates]
        self.networks: Networks = tuple(learner.weights for learner in self.learners)
        self.group = 0

    def learn(self, frame: Frame, *, top: int, rows: int, offsets: NDArray[np.int32]) -> None:
        """Learn from a row group whose pixels are all in the frame.

        Args:
            frame: int16 (pictures, …) of :mod:`vaezip.models.pixel.context`.
            top, rows: the row group.
            offsets: of the style network, int32 (pictures · tiles in a row, style offsets).
        """
        share = 1.0 - self.settings.average_decay / 256.0
        rates = self.settings.rates_at(self.group, self.groups)
        a = self.learners[0].architecture
        pixels = kernels.examples_of(frame, top, rows, self.networks[0].order, a.features)
        for batch in self.settings.batches(len(pixels[0]), self.group):
            examples = Examples._make([*(np.ascontiguousarray(part[batch]) for part in pixels), offsets])
            for learner, rate in zip(self.learners, rates):
                learner.step(examples, rate, share)
        for learner in self.learners:
            learner.publish()
        self.group += 1


class Learner:
    """One copy; ``weights`` are the averages of those that learn, as the compiled coder takes them."""

    def __init__(self, a: PixelArchitecture, layers: dict[str, Layer]) -> None:
        """Copy ``layers`` of :func:`vaezip.models.pixel.network.layers`."""
        self.architecture = a
        layers = {name: coarser(layer) for name, layer in layers.items()}
        self.weights = packed(a, layers)
        self._make_layers(layers)
        self.layers = (self.first, *self.inner, *self.outer, self.head, *self.out)
        self._resize(0)
        self.powers = (1.0, 1.0)

    def _make_layers(self, layers: dict[str, Layer]) -> None:
        """Make what learns of each layer."""
        a, blocks, channels = self.architecture, range(self.architecture.blocks), range(self.architecture.channels)
        integers = zip(places(packed(a, layers)), places(self.weights))
        bound = input_bound(a)
        bounds, hidden, head = (ACTIVATION_BOUND, bound), np.full(a.hidden, UNIT_SCALE), np.full(a.head, UNIT_SCALE)
        visible, scales = [a.visible_hints(i) for i in channels], hint_scales(a)
        self.first = adaptive_layers(
            [layers["first"]], scales=feature_scales(a), bounds=(bound, bound), packed=next(integers)
        )
        self.inner = [
            adaptive_layers([layers[f"inner.{i}"]], scales=hidden, bounds=bounds, packed=next(integers)) for i in blocks
        ]
        self.outer = [
            adaptive_layers([layers[f"outer.{i}"]], scales=hidden, bounds=bounds, packed=next(integers)) for i in blocks
        ]
        heads = [layers[f"head.{i}"] for i in channels]
        self.head = adaptive_layers(
            heads, scales=hidden, bounds=bounds, packed=next(integers), hints=Hints(visible, scales)
        )
        self.out = [
            adaptive_layers(
                [layers[f"out.{i}"]],
                scales=head,
                bounds=bounds,
                packed=next(integers),
                hints=Hints([visible[i]], scales),
                mixture=a.mixture,
            )
            for i in channels
        ]
        self.first.pace *= FIRST_PACE
        for part in (*self.inner, *self.outer):
            part.pace *= BLOCK_PACE

    def step(self, examples: Examples, rate: float, share: float) -> None:
        """Take one step on some pixels, of which the average takes a share."""
        if len(examples.values) != len(self.for_heads):
            self._resize(len(examples.values))
        self._forward(examples)
        found = self._backward(examples)
        self.powers = self.powers[0] * BETAS[0], self.powers[1] * BETAS[1]
        for part, gradient in found:
            part.learn(gradient, rate=rate, powers=self.powers, share=share)

    def publish(self) -> None:
        """Give the averages to the compiled coder."""
        for part in self.layers:
            part.publish()

    def _resize(self, pixels: int) -> None:
        """Make arrays for steps on so many pixels."""
        a, rows = self.architecture, padded(pixels)
        for part in self.layers:
            part.resize(pixels)
        self.features = np.zeros((rows, even(a.features)), np.int16)
        self.hidden = [np.zeros((rows, a.hidden), np.int16) for _ in range(1 + a.blocks)]
        self.units = [np.zeros((rows, a.hidden), np.int16) for _ in range(a.blocks)]
        self.for_heads = np.empty((pixels, self.head.outputs))

    def _forward(self, examples: Examples) -> None:
        """Run every layer but the last, and keep its inputs and outputs."""
        a, hidden, units, hints = self.architecture, self.hidden, self.units, examples.hints
        offsets, tile = examples.offsets, examples.tile
        self.features[: len(examples.features), : a.features] = examples.features
        kernels.add_style(self.first(self.features, hints), offsets, tile, 0, hidden[0])
        for i in range(a.blocks):
            kernels.add_style(self.inner[i](hidden[i], hints), offsets, tile, (i + 1) * a.hidden, units[i])
            kernels.add_block(hidden[i], self.outer[i](units[i], hints), hidden[i + 1])
        self.head(hidden[-1], hints)

    def _parameters(self, examples: Examples, i: int) -> tuple[Units, Units]:
        """Compute the parameters of the i-th channel; return its head's units, and them."""
        head = self.head.output[:, i * self.architecture.head : (i + 1) * self.architecture.head]
        return head, self.out[i](head, examples.hints)

    def _backward(self, examples: Examples) -> list[tuple[AdaptiveLayers, Gradient]]:
        """Compute the gradients for all layers, the last ones first."""
        a, hidden, hints = self.architecture, self.hidden, examples.hints
        found = [self._out_gradients(examples, i) for i in range(a.channels)]
        found.append((self.head, self.head.gradients(self.for_heads, hidden[-1], hints)))
        total = self.head.unit_gradient(found[-1][1])
        for i in reversed(range(a.blocks)):
            kernels.stop_at_clamps(total, hidden[i + 1])
            found.append((self.outer[i], self.outer[i].gradients(total, self.units[i], hints)))
            for_inner = self.outer[i].unit_gradient(found[-1][1])
            kernels.stop_at_clamps(for_inner, self.units[i])
            found.append((self.inner[i], self.inner[i].gradients(for_inner, hidden[i], hints)))
            total += self.inner[i].unit_gradient(found[-1][1])
        kernels.stop_at_clamps(total, hidden[0])
        found.append((self.first, self.first.gradients(total, self.features, hints)))
        return found

    def _out_gradients(self, examples: Examples, i: int) -> tuple[AdaptiveLayers, Gradient]:
        """Compute the gradients for the last layer of the i-th channel, and for its head's units."""
        a, out = self.architecture, self.out[i]
        head, parameters = self._parameters(examples, i)
        values, prediction = examples.values[:, i], examples.prediction[:, i]
        gradient = mixture_gradient(parameters, values, prediction, a.mixture, mixture_tables())
        found = out.gradients(gradient, head, examples.hints)
        self.for_heads[:, i * a.head : (i + 1) * a.head] = out.unit_gradient(found)
        return out, found
