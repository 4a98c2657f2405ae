"""Files that are kept byte for byte: as they are, or a JPEG as what can be made the same file again."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from vaezip.codec import encoding, flight
from vaezip.codec.jobs import BlockJob
from vaezip.models.cost import UNLIMITED, Budget
from vaezip.models.kinds import JPEG, MODE_NAMES, VERBATIM
from vaezip.models.library import Library
from vaezip.pictures.jpeg.parts import UnfitJpeg, shape_of
from vaezip.system import meter
from vaezip.vz import archive as vz
from vaezip.vz.records import NO_MODEL, Block, Group

if TYPE_CHECKING:
    from vaezip.models.effort import Effort


@dataclass(frozen=True)
class FileJob:
    """All that decides how a file is kept.

    Attributes:
        data: the file.
        library, effort, verify: as in :class:`BlockJob`.
        inline: whether it is the file of an inline layout, whose header the checksum covers.
        verbatim: whether it is kept as it is in any case.
        budget: as in :class:`BlockJob`.
    """

    data: bytes
    library: Library
    effort: Effort
    verify: bool = True
    inline: bool = False
    verbatim: bool = False
    budget: Budget = UNLIMITED


@dataclass(frozen=True)
class KeptFile:
    """A file that is kept.

    Attributes:
        group: its group, with its block.
        header: in the inline layout, what stands before the block.
        reason: why it could not be taken apart, where that was tried.
    """

    group: Group
    header: bytes
    reason: str = ""

    @property
    def size(self) -> int:
        """Count the bytes of the header and the block."""
        return len(self.header) + len(self.group.blocks[0].payload)


def keep(job: FileJob) -> KeptFile:
    """Code a file as a JPEG where that can be done in fewer bytes, and else as it is.

    Raises:
        VaezipError: it does not decode to itself.
    """
    with meter.part(len(job.data)):
        as_it_is = _kept(job, VERBATIM)
        if job.verbatim:
            return as_it_is
        try:
            return min(_kept(job, JPEG), as_it_is, key=lambda kept: kept.size)
        except UnfitJpeg as error:
            return replace(as_it_is, reason=str(error))


def _kept(job: FileJob, mode: str) -> KeptFile:
    group = Group(MODE_NAMES.index(mode), 1, len(job.data), 1, 1, [""], [()], [Block(NO_MODEL, b"")])
    header = vz.inline_header(group) if job.inline else b""
    samples = np.frombuffer(job.data, np.uint8).reshape(1, 1, -1, 1)
    block = BlockJob(
        mode, samples, (NO_MODEL,), None, job.library, job.effort, verify=job.verify, before=zlib.crc32(header)
    )
    memory = flight.memory_of(mode, shape_of(job.data) or (0,)) if mode == JPEG else 2 * len(job.data)
    block = replace(block, budget=job.budget, memory=memory)
    return KeptFile(replace(group, blocks=[flight.within_memory(encoding.code, block, NO_MODEL)]), header)
