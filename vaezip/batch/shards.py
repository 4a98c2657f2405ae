"""Shares of a batch for machines that know nothing of each other: which files are whose, their names tell."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from vaezip.errors import VaezipError

_RANKS = (
    # the number of a task, how many there are, and the first number
    ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP"),
    ("SGE_TASK_ID", "SGE_TASK_LAST", "SGE_TASK_FIRST", "SGE_TASK_STEPSIZE"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "", ""),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "", ""),
    ("PMI_RANK", "PMI_SIZE", "", ""),
)
"""How schedulers tell a task its number: of an array, and of the processes of one task."""

_ARRAYS = 2
"""So many of these are arrays; the others are the processes of one task."""


@dataclass(frozen=True)
class Shard:
    """The share ``number`` of ``count``, counted from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read what is written as K/N.

        Raises:
            VaezipError: it is not, or K is not one of 1 … N.
        """
        match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text.strip())
        number, count = (int(match[1]), int(match[2])) if match else (0, 0)
        if not 1 <= number <= count:
            raise VaezipError(f"'{text}' is no shard; give K/N, with K from 1 to N")
        return cls(number, count)

    def holds(self, name: str) -> bool:
        """Tell whether a file is in the share: by the hash of its name, which stays where others come and go."""
        digest = hashlib.sha256(name.encode(errors="surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def from_environment(environment: Mapping[str, str] = os.environ) -> Shard | None:
    """Return the share that a scheduler gives to this process, None where none does: of the tasks of an array, and of
    the processes of each."""
    index, count = 0, 1
    for kind in (_RANKS[:_ARRAYS], _RANKS[_ARRAYS:]):
        found = next(filter(None, (_rank(environment, *names) for names in kind)), None)
        if found:
            index, count = index * found[1] + found[0], count * found[1]
    return Shard(index + 1, count) if count > 1 else None


def _rank(environment: Mapping[str, str], task: str, size: str, first: str, step: str) -> tuple[int, int] | None:
    """Return the number of a task, from 0, and how many there are; None where a scheduler tells no such."""
    number, many = (_integer(environment.get(name, "")) for name in (task, size))
    if number is None or many is None:
        return None
    start = _integer(environment.get(first, "")) or 0
    stride = max(1, _integer(environment.get(step, "")) or 1)
    if size == "SGE_TASK_LAST":
        many = (many - start) // stride + 1
    index = (number - start) // stride
    return (index, many) if 0 <= index < many else None


def _integer(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None
