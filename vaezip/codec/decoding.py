"""The decoder's job: decode a block, a pure function of what can be pickled."""

from __future__ import annotations

from dataclasses import dataclass

from vaezip.codec import payload
from vaezip.codec.blocks import Samples, samples_checksum
from vaezip.errors import FormatError, VaezipError
from vaezip.models.library import Library
from vaezip.pictures.picture import DEFAULT_MAX_PIXELS
from vaezip.vz.records import NO_MODEL, Block


@dataclass(frozen=True)
class DecodeJob:
    """All that decides the samples of a block.

    Attributes:
        mode: of the samples.
        shape: (pictures, height, width, channels).
        block: what was coded.
        library: finds the model of a fingerprint.
        before: CRC-32 of the bytes that the block's checksum covers, too.
        max_pixels: a JPEG file of more is refused.
    """

    mode: str
    shape: tuple[int, ...]
    block: Block
    library: Library
    before: int = 0
    max_pixels: int = DEFAULT_MAX_PIXELS


def decode(job: DecodeJob) -> Samples:
    """Decode a block, and check it.

    Raises:
        FormatError: the block is damaged.
        ModelError: its model is not here.
    """
    block, find = job.block, job.library.by_fingerprint
    model = None if block.model == NO_MODEL else find(block.model)
    try:
        samples, checksum = payload.decode(
            block.payload, job.mode, job.shape, model=model, find=find, max_pixels=job.max_pixels
        )
    except MemoryError as error:
        raise VaezipError("there is not enough memory to decode it; use fewer threads") from error
    if checksum != samples_checksum(samples, job.before):
        raise FormatError("the decoded pixels fail their checksum; the file is damaged")
    return samples
