"""The decoder's job: decode a block, a pure function of what can be pickled."""

from __future__ import annotations

import math
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np

from vaezip.codec import payload
from vaezip.codec.blocks import Samples, samples_checksum
from vaezip.errors import FormatError, VaezipError
from vaezip.models.cost import DEFAULT as BUDGET
from vaezip.models.cost import Budget
from vaezip.models.kinds import MODE_NAMES, channels, dtype
from vaezip.models.library import Library
from vaezip.pictures.picture import DEFAULT_MAX_PIXELS
from vaezip.system import meter
from vaezip.system.memory import taking
from vaezip.vz.records import Block, Group, has_model


@dataclass(frozen=True)
class DecodeJob:
    """All that decides the samples of a block.

    Attributes:
        mode: of the samples.
        shape: (pictures, height, width, channels).
        block: what was coded.
        library: finds the model of a fingerprint.
        before: CRC-32 of the bytes that the block's checksum covers, too.
        budget: what may be spent on it.
        max_pixels: a JPEG file of more is refused.
    """

    mode: str
    shape: tuple[int, ...]
    block: Block
    library: Library
    before: int = 0
    budget: Budget = BUDGET
    max_pixels: int = DEFAULT_MAX_PIXELS


def decode(job: DecodeJob) -> Samples:
    """Decode a block, once it is known what that costs, and check it.

    Raises:
        ImageError: it costs more than may be spent.
        FormatError: the block is damaged.
        ModelError: its model is not here.
    """
    block, find = job.block, job.library.by_fingerprint
    model = find(block.model) if has_model(block.model) else None
    cost = payload.cost(block.payload, job.mode, job.shape, model=model, coder=block.model, find=find)
    job.budget.check(cost, payload.pixels(block.payload, job.mode, job.shape))
    try:
        with taking(cost.memory, job.budget.memory), meter.part(math.prod(job.shape)):
            samples, checksum = payload.decode(
                block.payload,
                job.mode,
                job.shape,
                model=model,
                coder=block.model,
                find=find,
                max_pixels=job.max_pixels,
            )
    except MemoryError as error:
        raise VaezipError("there is not enough memory to decode it; use fewer threads") from error
    if checksum != samples_checksum(samples, job.before):
        raise FormatError("the decoded pixels fail their checksum; the file is damaged")
    return samples


def assembled(group: Group, futures: list[Future[Samples]]) -> Samples:
    """Return the pictures of a run, (pictures, height, width, channels); join a picture's bands as they come."""
    if len(futures) == 1:
        return futures[0].result()
    out = np.empty((1, group.height, group.width, channels(MODE_NAMES[group.mode])), dtype(MODE_NAMES[group.mode]))
    for top in range(0, group.height, group.band):
        out[:, top : top + group.band] = futures.pop(0).result()  # and keep no band of which there is a copy
    return out
