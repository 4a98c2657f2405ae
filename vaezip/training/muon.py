"""The optimiser Muon (Jordan et al. 2024) for matrices of weights."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_MOMENTUM = 0.95


class Muon(torch.optim.Optimizer):
    """Step W ← W − rate · √max(1, rows/columns) · orthogonal factor of the momentum.

    All directions of a matrix learn at one pace, where Adam's steps follow a few.

    ``torch.optim.Muon`` takes the same step but for its Newton–Schulz iteration, which is in bfloat16: its
    steps differ from these by about a sixtieth of their length. Here the iteration has the precision of the weights, so
    that the shipped models can be made again, and the states of their trainings be read.
    """

    def __init__(self, matrices: Iterable[Tensor], rate: float) -> None:
        super().__init__(matrices, {"lr": rate})

    @torch.no_grad()
    def step(self, closure: object = None) -> None:  # type: ignore[override]
        """Take a step on every matrix."""
        for group in self.param_groups:
            for matrix in group["params"]:
                momentum = self.state[matrix].setdefault("momentum", torch.zeros_like(matrix))
                momentum.mul_(_MOMENTUM).add_(matrix.grad)
                direction = orthogonal(matrix.grad + _MOMENTUM * momentum)
                matrix.add_(direction, alpha=-group["lr"] * max(1, matrix.shape[0] / matrix.shape[1]) ** 0.5)


def orthogonal(matrix: Tensor, iterations: int = 5) -> Tensor:
    """Approximate U Vᵀ of the singular value decomposition U S Vᵀ, by a Newton–Schulz iteration: singular
    values come to lie between 0.7 and 1.2."""
    a, b, c = _COEFFICIENTS
    x = matrix / (matrix.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(iterations):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x
