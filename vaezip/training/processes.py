"""The processes that train together, as ``torchrun`` starts them.

Each takes an equal share of every batch; gradients are averaged over all before a step, so that all
hold the same weights. Rank 0 alone evaluates and writes files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor
from torch import distributed as dist

T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """This process among those that train.

    Attributes:
        rank: its number, from 0.
        count: how many there are.
    """

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Tell whether this one evaluates and writes."""
        return self.rank == 0

    def share(self, value: T) -> T:
        """Give rank 0's value to every process."""
        if self.count == 1:
            return value
        box = [value if self.first else None]
        dist.broadcast_object_list(box)
        return box[0]  # type: ignore[return-value]

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over the processes, all in one exchange."""
        if self.count == 1:
            return
        flat = torch.cat([t.flatten() for t in tensors])
        dist.all_reduce(flat)
        flat /= self.count
        for tensor, mean in zip(tensors, torch.split(flat, [t.numel() for t in tensors])):
            tensor.copy_(mean.view_as(tensor))


def local_rank() -> int:
    """Find the number of this process on its machine, which is also that of its GPU."""
    return int(os.environ.get("LOCAL_RANK", 0))


def own_device(device: str) -> str:
    """Name the device of this process: for ``cuda`` the GPU that is its own."""
    return f"cuda:{local_rank()}" if device == "cuda" else device


def processes_here() -> int:
    """Count the processes that share this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1))


@contextmanager
def started(device: str) -> Iterator[Processes]:
    """Join the group that torchrun's environment describes, or stay alone.

    Args:
        device: ``cpu`` is joined by gloo, ``cuda`` by nccl.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield Processes()
        return
    if device == "cuda":
        torch.cuda.set_device(local_rank())
    dist.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
