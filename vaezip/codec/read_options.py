"""How to decode; what imports this imports nothing of the encoder."""

from __future__ import annotations

import os
from concurrent.futures import Executor
from dataclasses import dataclass

from vaezip.models.cost import MAX_WORK
from vaezip.pictures.picture import DEFAULT_MAX_PIXELS


@dataclass(frozen=True)
class ReadOptions:
    """Say how to decode.

    Attributes:
        models: model files beside the shipped ones.
        device: ``cpu``, or ``cuda`` where PyTorch sees one.
        threads: how many to use, 0 for as many as there are cores.
        max_pixels: larger pictures are refused.
        executor: does the work in the place of threads of our own; see :class:`vaezip.Options`.
        memory: bytes that the process may take, of which 256 MiB are for the program itself: fewer blocks are decoded
            at once where they take more, and what takes more alone is refused. None for 4 GiB of blocks, or a picture.
        max_work: operations for each pixel; a block that takes more is refused.
        cache: bytes that decoded blocks may take which are kept, so that :meth:`Archive.read` finds other pictures of
            them at once; 0 keeps none.
        salvage: take what is left of a damaged set: where the directory is lost, what stands in the indices between
            its blocks. Names and metadata may be lost, too. :meth:`Archive.pictures` gives, for a picture of which only
            a part is left, an error whose ``picture`` is that part.
    """

    models: tuple[str | os.PathLike[str], ...] = ()
    device: str = "cpu"
    threads: int = 1
    max_pixels: int = DEFAULT_MAX_PIXELS
    executor: Executor | None = None
    memory: int | None = None
    max_work: int = MAX_WORK
    cache: int = 1 << 26
    salvage: bool = False
