"""The encoder of the family."""

from __future__ import annotations

import numpy as np

from vaezip.entropy.stack import Stack
from vaezip.models.base import Coded, seed_with

from .model import PRECISION


def encode(model, pictures, *, effort, seed):
    stack = Stack(seed_with(seed, 0))
    stack.push(*model.intervals(pictures), PRECISION)
    return Coded(0, stack.to_bytes()[::-1])


def bound_bits(model, pictures, *, effort, draws):
    return float((PRECISION - np.log2(model.intervals(pictures)[1])).sum())
