"""Runs: the pictures that are coded together while a file is made, with the files that they came in."""

from __future__ import annotations

from collections.abc import Container
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from vaezip.codec.blocks import Samples
from vaezip.codec.select import shortest
from vaezip.vz.records import Block, Group
from vaezip.vz.wire import deflated


@dataclass(frozen=True)
class Entry:
    """A picture of a run, but for its samples.

    Attributes:
        name: of the picture.
        boxes: (number of the tag, content).
        original: the file that the picture came in, where that is known.
        modified: when it was last changed, in seconds since 1970, where that is known.
    """

    name: str
    boxes: tuple[tuple[int, bytes], ...]
    original: bytes | None
    modified: int | None = None


@dataclass
class Run:
    """Pictures of some blocks, or one picture and the blocks of its bands.

    Attributes:
        entries: one for each picture.
        jobs: of some blocks each, the forms that each may take.
    """

    entries: list[Entry]
    jobs: list[Future[list[list[Block]]]]

    def forms(self) -> list[list[Block]]:
        """Return the forms of each block, as soon as they are known."""
        return [forms for job in self.jobs for forms in job.result()]

    def blocks(self, embedded: Container[bytes] = ()) -> list[Block]:
        """Return each block in its shortest form that needs no model but those in the file."""
        return [shortest(forms, embedded) for forms in self.forms()]

    def originals(self) -> list[bytes]:
        """Return the files of all pictures; none where one of them is unknown."""
        known = [entry.original for entry in self.entries if entry.original is not None]
        return known if len(known) == len(self.entries) else []

    def is_shorter_verbatim(self, blocks: list[Block]) -> bool:
        """Tell whether the originals take fewer bytes than the blocks and the metadata beside them."""
        originals = self.originals()
        if not originals:
            return False
        contents = b"".join(dict.fromkeys(content for entry in self.entries for _, content in entry.boxes))
        coded = sum(len(block.payload) for block in blocks) + (len(deflated(contents)) if contents else 0)
        return sum(map(len, originals)) < coded

    def settle(self) -> bool:
        """Let the memory of the originals go if the blocks are shorter; tell whether all blocks are coded by now."""
        if not all(job.done() for job in self.jobs):
            return False
        if not self.is_shorter_verbatim(self.blocks()):
            self.entries = [replace(entry, original=None) for entry in self.entries]
        return True


@dataclass
class Pending:
    """The pictures of a group while a file is made.

    Attributes:
        group: their mode and size, and how they are cut into blocks.
        most: how many pictures a run has.
        entries, samples: the pictures that wait for their run to fill.
        runs: what is being coded, or is coded.
    """

    group: Group
    most: int
    entries: list[Entry] = field(default_factory=list)
    samples: list[Samples] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
