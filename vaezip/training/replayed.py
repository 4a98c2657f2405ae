"""A gradient step that a GPU replays.

A step on networks as small as ours is hundreds of kernels of some microseconds each, which take longer
to launch one by one than to run. A CUDA graph holds them all, and launches them together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

_WARM = 3
"""Steps before the recording: what libraries set up in the first ones may not be recorded."""


class Replayed:
    """A step that runs as it is a few times, is recorded once, and replayed from then on.

    Random numbers go on as they would without the recording, from the generator's seed.

    Args:
        step: from a batch on the GPU to the loss before the step; it may only launch kernels, the same
            ones with the same numbers each time, and read no result of theirs.
        optimisers: of the step, each with one group of weights; their learning rates may change between steps.
        device: the GPU.
    """

    def __init__(
        self, step: Callable[[Tensor], Tensor], optimisers: Sequence[torch.optim.Optimizer], device: torch.device
    ) -> None:
        self._step, self._groups = step, [o.param_groups[0] for o in optimisers]
        self._rates = [torch.zeros((), device=device) for _ in optimisers]
        self._device, self._aside = device, torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._unrecorded_left = _WARM
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """Take a step on a batch, all of the same shape; returns its loss, which the next step overwrites."""
        with torch.cuda.device(self._device):  # where a recording is made
            if self._unrecorded_left:
                self._unrecorded_left -= 1
                return self._unrecorded(x.to(self._device))
            self._graph = self._graph or self._recorded(x)
            self._x.copy_(x)
            for rate, group in zip(self._rates, self._groups):
                rate.fill_(group["lr"])
            self._graph.replay()
            return self._loss

    def _unrecorded(self, x: Tensor) -> Tensor:
        """Take a step on a stream of its own, as PyTorch asks for before a recording."""
        self._aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._aside):
            loss = self._step(x)
        torch.cuda.current_stream().wait_stream(self._aside)
        return loss

    def _recorded(self, x: Tensor) -> torch.cuda.CUDAGraph:
        """Record the step without taking it; meanwhile learning rates are where a replay can read new ones."""
        self._x, graph = x.to(self._device), torch.cuda.CUDAGraph()
        rates = [group["lr"] for group in self._groups]
        for group, rate in zip(self._groups, self._rates):
            group.update(lr=rate, capturable=True)
        try:
            with torch.cuda.graph(graph, stream=self._aside):  # PyTorch's own is of the first GPU that it was used on
                self._loss = self._step(self._x)
        finally:
            for group, number in zip(self._groups, rates):
                group.update(lr=number, capturable=False)
        return graph
