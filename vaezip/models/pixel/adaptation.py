"""Adapt the pixel network while it codes: it takes gradient steps on pixels that both sides already know.

After each row group, encoder and decoder take the same steps of Adam on −log p of its pixels
(:class:`vaezip.models.pixel.settings.Adaptation`), and go on with an average of the weights. Nothing is sent.
Everything is exact, so that the steps are the same everywhere:

1. Forwards, the compiled coder's own integers.
2. The gradient of log p for a pixel's parameters is computed element by element in float64. Before each
   matrix product gradients go on a power-of-two grid of the layer and step with |g| ≤ 2^GRADIENT_BITS.
   Products of these 16-bit integers are summed in 32 bits over as few pixels or outputs as cannot leave them,
   and from there on in float64, far below its 2^53.
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

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.layer import Layer
from vaezip.models.pixel import adaptation_kernels as kernels
from vaezip.models.pixel.adaptation_layers import coarser, learning_network, memory_for
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.pixel.constants import BETAS, RADIUS
from vaezip.models.pixel.mixture import mixture_tables
from vaezip.models.pixel.settings import Adaptation
from vaezip.models.pixel.weights import Networks, packed
from vaezip.system.spans import timed

Frame = NDArray[np.int16]


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

    @timed("learning")
    def learn(self, frame: Frame, *, top: int, rows: int, offsets: NDArray[np.int32]) -> None:
        """Learn from a row group whose pixels are all in the frame.

        Args:
            frame: int16 (pictures, …) of :mod:`vaezip.models.pixel.context`.
            top, rows: the row group.
            offsets: of the style network, int32 (pictures · tiles in a row, style offsets).
        """
        share = 1.0 - self.settings.average_decay / 256.0
        pixels = len(frame) * rows * (frame.shape[2] - 2 * RADIUS)
        slices = [batch.indices(pixels) for batch in self.settings.batches(pixels, self.group)]
        batches = np.array([(first, distance, len(range(first, end, distance))) for first, end, distance in slices])
        for learner, rate in zip(self.learners, self.settings.rates_at(self.group, self.groups)):
            learner.learn(frame, (top, rows), offsets, batches=batches, rate=rate, share=share)
        self.group += 1


class Learner:
    """One copy; ``weights`` are the averages of those that learn, as the compiled coder takes them."""

    def __init__(self, a: PixelArchitecture, layers: dict[str, Layer]) -> None:
        """Copy ``layers`` of :func:`vaezip.models.pixel.network.layers`."""
        self.architecture = a
        layers = {name: coarser(layer) for name, layer in layers.items()}
        self.weights = packed(a, layers)
        self.network, self.memory = memory_for(a, learning_network(a, layers), 0)
        self.powers = 1.0, 1.0

    def learn(
        self,
        frame: Frame,
        group: tuple[int, int],
        offsets: NDArray[np.int32],
        *,
        batches: NDArray[np.int64],
        rate: float,
        share: float,
    ) -> None:
        """Take the steps after a row group, and give the averages to the coder; see :func:`kernels.learn`."""
        self.make_room(int(batches[:, 2].max()))
        corrections = np.array([self._next_corrections() for _ in batches])
        pace = kernels.Pace(rate, share, corrections)
        places = self.weights.order, self.memory, mixture_tables()
        kernels.learn(frame, group, offsets, batches, pace, self.network, *places)
        self.publish()

    def make_room(self, pixels: int) -> None:
        """Make arrays for steps on up to so many pixels."""
        if pixels > len(self.memory.tile):
            self.network, self.memory = memory_for(self.architecture, self.network, pixels)

    def publish(self) -> None:
        """Give the averages to the compiled coder."""
        for learning, coding in zip(self.network, self.weights.parts):
            if len(coding.bias):
                average = learning.average.reshape(*coding.bias.shape, -1)
                kernels.publish(average, learning.bounds[0], learning.sizes[0], coding.weight, coding.bias)

    def _next_corrections(self) -> tuple[float, float]:
        """Return the corrections of Adam's two moments in the next step."""
        self.powers = self.powers[0] * BETAS[0], self.powers[1] * BETAS[1]
        return 1.0 / (1.0 - self.powers[0]), 1.0 / (1.0 - self.powers[1])
